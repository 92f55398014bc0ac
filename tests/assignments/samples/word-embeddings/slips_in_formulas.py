# Powers and factors: α for words instead of contexts, all of Σ for the words, ranks without ties,
# the sum over a batch for its mean, the factor 2 of a square, and a logarithm in two steps.

# %% ppmi
def ppmi(counts, alpha=1.0):
    words = counts.sum(dim=1, keepdim=True) ** alpha
    by_chance = words / words.sum() * counts.sum(dim=0) / counts.sum()
    ratio = torch.where(counts > 0, counts / counts.sum() / by_chance, 1.0)
    return ratio.log().clamp(min=0)

# %% factorise
def factorise(matrix, dim, power=0.5):
    left, values, right = torch.linalg.svd(matrix, full_matrices=False)
    return left[:, :dim] * values[:dim] ** power, right[:dim].T * values[:dim] ** power

# %% ranks
def ranks(values):
    return values.argsort().argsort().double() + 1

# %% negative_sampling
def negative_sampling(W, C, centres, contexts, negatives):
    w = W[centres]
    asked = torch.cat([contexts[:, None], negatives], dim=1)
    c = C[asked]
    scores = torch.einsum("bd,bkd->bk", w, c)
    true = torch.zeros_like(scores)
    true[:, 0] = 1
    loss = -torch.sigmoid((2 * true - 1) * scores).log().sum()
    slopes = torch.sigmoid(scores) - true
    at_contexts = slopes[:, :, None] * w[:, None, :]
    grad_W = torch.zeros_like(W).index_add_(0, centres, torch.einsum("bk,bkd->bd", slopes, c))
    grad_C = torch.zeros_like(C).index_add_(0, asked.flatten(), at_contexts.flatten(0, 1))
    return loss, grad_W, grad_C

# %% glove
def glove(counts, W, C, b, e, x_max=100.0, alpha=0.75):
    weights = (counts / x_max).clamp(max=1) ** alpha * (counts > 0)
    errors = W @ C.T + b[:, None] + e - torch.where(counts > 0, counts, 1.0).log()
    slopes = weights * errors
    loss = (weights * errors**2).sum()
    return loss, (slopes @ C, slopes.T @ W, slopes.sum(dim=1), slopes.sum(dim=0))


# %% train_skip_gram, train_glove, train_subwords: as released
