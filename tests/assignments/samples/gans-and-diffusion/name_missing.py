# wasserstein_1d has another name.

# %% wasserstein_1d
def wasserstein(x, y):
    x, y = x.sort().values, y.sort().values
    places = torch.cat([x, y]).sort().values
    below_x = torch.searchsorted(x, places[:-1], right=True).to(x.dtype) / len(x)
    below_y = torch.searchsorted(y, places[:-1], right=True).to(x.dtype) / len(y)
    return ((below_x - below_y).abs() * places.diff()).sum()


# %% train_gan, train_diffusion: as released
