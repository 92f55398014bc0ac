raise ImportError("SHADOWED torch.py")
