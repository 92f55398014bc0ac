# A bracket is missing in negative_sampling: neither it nor what is trained with it works.

# %% negative_sampling
def negative_sampling(W, C, centres, contexts, negatives):
    scores = (W[centres] * C[contexts].sum(dim=1)
    return scores


# %% train_skip_gram, train_glove, train_subwords: as released
