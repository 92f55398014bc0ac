# Means for sums and sums for means: each looks harmless, and some trainings still work.

# %% fit_pca
def fit_pca(x, k):
    mean = x.mean(dim=0)
    _, s, components = torch.linalg.svd(x - mean, full_matrices=False)
    return mean, components[:k], s[:k] ** 2 / (len(x) - 1)

# %% explained_variance
def explained_variance(x, x_hat):
    return (1 - ((x - x_hat) ** 2).sum() / ((x - x.mean()) ** 2).sum()).item()

# %% linear_autoencoder
def linear_autoencoder(x, encoder, decoder):
    codes = x @ encoder
    errors = codes @ decoder - x
    grad = 2 * errors / errors.numel()
    return (errors**2).mean(), x.T @ (grad @ decoder.T), codes.T @ grad

# %% sparse_objective
def sparse_objective(x, codes, dictionary, lam):
    errors = x - codes @ dictionary
    return 0.5 * (errors**2).sum() + lam * codes.abs().sum()

# %% ridge_denoiser
def ridge_denoiser(noisy, clean, lam):
    from_, to = noisy.mean(dim=0), clean.mean(dim=0)
    centred = noisy - from_
    gram = centred.T @ centred + lam * torch.eye(noisy.shape[1], dtype=noisy.dtype)
    weight = torch.linalg.solve(gram, centred.T @ (clean - to))
    return weight, to - from_ @ weight

# %% bernoulli_log_likelihood
def bernoulli_log_likelihood(x, logits):
    return -F.binary_cross_entropy_with_logits(logits, x, reduction="none").mean(dim=1)


# %% train_denoiser, train_vae: as released
