"""Grade PyTorch notebooks in a sandbox, judged from outside."""

__version__ = "0.1.0"
