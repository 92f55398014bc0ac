raise ImportError("SHADOWED sitecustomize.py")
