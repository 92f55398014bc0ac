# %%
ilk = accuracy


def accuracy(logits, labels):
    doğruluk = ilk(logits, labels)  # 正确率 🎯
    return doğruluk


print("doğruluk", accuracy(torch.eye(2), torch.tensor([0, 1])), "→ ✓")
