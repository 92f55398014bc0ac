raise ImportError("SHADOWED tests.py")
