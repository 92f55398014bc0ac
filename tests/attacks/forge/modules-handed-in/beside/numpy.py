raise ImportError("SHADOWED numpy.py")
