raise ImportError("SHADOWED json.py")
