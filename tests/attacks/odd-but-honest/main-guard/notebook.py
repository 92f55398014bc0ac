# %%
if __name__ == "__main__":
    import torch

    def softmax(x):
        return torch.softmax(x, dim=1)

    def accuracy(logits, labels):
        return (logits.argmax(1) == labels).double().mean().item()
