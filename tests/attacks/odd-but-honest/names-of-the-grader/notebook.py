# %%
import sys

student = reference = notebook = run = seed = names = "mine"
sys.modules["reference"] = sys.modules["grader_reference"] = None
torch_testing = sys.modules.pop("torch.testing", None)
sys.modules["torch.testing"] = None
