raise ImportError("SHADOWED grader/__init__.py")
