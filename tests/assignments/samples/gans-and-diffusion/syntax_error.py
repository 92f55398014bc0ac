# A bracket is missing in jensen_shannon, in whose cell are the losses of Question 2.

# %% jensen_shannon
def jensen_shannon(p, q):
    middle = (p + q) / 2
    return (torch.xlogy(p, p) + torch.xlogy(q, q) - 2 * torch.xlogy(middle, middle).sum() / 2


# %% train_gan, train_diffusion: as released
