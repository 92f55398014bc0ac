# spectral_scores turns a vector until it settles, which it never does where nothing varies.

# %% spectral_scores
def spectral_scores(features):
    centred = (features - features.mean(dim=0)).double()
    v, change = torch.ones(features.shape[1], dtype=torch.float64), math.inf
    while not change < 1e-12:
        way = centred.T @ (centred @ v)
        way = way / way.norm()
        v, change = way, (way - v).norm()
    return ((centred @ v) ** 2).to(features.dtype)


# %% cleanse: as released
