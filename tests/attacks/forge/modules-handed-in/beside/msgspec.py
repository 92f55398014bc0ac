raise ImportError("SHADOWED msgspec.py")
