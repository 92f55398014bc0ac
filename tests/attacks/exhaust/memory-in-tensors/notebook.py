# %%
def accuracy(logits, labels):
    return torch.ones(800_000_000).sum().item()

# %%
print("a tensor of 3 GB:", "made" if torch.zeros(750_000_000).numel() else "")
