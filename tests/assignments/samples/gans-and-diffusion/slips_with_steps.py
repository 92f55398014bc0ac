# Steps and examples mixed up: an index of -1, products that begin with 1, one step for the batch,
# one share for all examples.

# %% gradient_penalty
def gradient_penalty(critic, real, fake, mix=None):
    if mix is None:
        mix = torch.rand(1, dtype=real.dtype)
    between = (mix * real + (1 - mix) * fake).detach().requires_grad_()
    (slopes,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return ((slopes.norm(dim=1) - 1) ** 2).mean()


# %% posterior
def posterior(x, x_t, t, betas):
    alpha_bars = products(betas)
    before, after, beta = alpha_bars[t - 1], alpha_bars[t], betas[t]
    shape = (-1, *[1] * (x.dim() - 1))
    of_x = (before.sqrt() * beta / (1 - after)).to(x.dtype).reshape(shape)
    of_x_t = ((1 - beta).sqrt() * (1 - before) / (1 - after)).to(x.dtype).reshape(shape)
    return of_x * x + of_x_t * x_t, ((1 - before) / (1 - after) * beta).to(x.dtype)


# %% ddpm_loss
def ddpm_loss(model, x, alpha_bars, t=None, noise=None):
    t = torch.randint(len(alpha_bars), (1,)).expand(len(x)) if t is None else t
    noise = torch.randn_like(x) if noise is None else noise
    return ((model(add_noise(x, t, alpha_bars, noise), t) - noise) ** 2).mean()


# %% ddpm_sample
def ddpm_sample(model, n, size, betas):
    x = torch.randn(n, size)
    with torch.no_grad():
        for t in range(len(betas) - 1, 0, -1):
            x = ddpm_step(x, t, model(x, torch.full((n,), t)), betas)
    return x


# %% ddim_sample
def ddim_sample(model, start, times, alpha_bars):
    x = start
    with torch.no_grad():
        for t, earlier in zip(times, times[1:]):
            x = ddim_step(x, t, earlier, model(x, torch.full((len(x),), t)), alpha_bars)
    return x


# %% train_gan, train_diffusion: as released
