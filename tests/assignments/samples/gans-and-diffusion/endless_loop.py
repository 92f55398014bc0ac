# ddim_sample waits for a second step, which a walk of one step does not have.

# %% ddim_sample
def ddim_sample(model, start, times, alpha_bars):
    x, following = start, times[1:]
    while not following:
        following = times[1:]
    for t, earlier in zip(times, [*following, -1], strict=True):
        guess = model(x, torch.full((len(x),), t)).detach()
        x = ddim_step(x, t, earlier, guess, alpha_bars)
    return x


# %% train_gan, train_diffusion: as released
