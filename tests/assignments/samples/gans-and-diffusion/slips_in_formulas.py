# Formulas that are nearly right: a diagonal, a root of each number, a sign, a variance, a root.

# %% mmd
def mmd(x, y, width):
    def mean(a, b):
        squares = ((a[:, None] - b[None]) ** 2).sum(dim=-1)
        return (-squares / (2 * width**2)).exp().mean()

    return mean(x, x) + mean(y, y) - 2 * mean(x, y)


# %% frechet
def frechet(x, y):
    def fit(samples):
        return samples.mean(dim=0), torch.cov(samples.T, correction=0)

    (mean_x, cov_x), (mean_y, cov_y) = fit(x), fit(y)
    mixed = (cov_x.diagonal() * cov_y.diagonal()).sqrt().sum()
    return ((mean_x - mean_y) ** 2).sum() + cov_x.trace() + cov_y.trace() - 2 * mixed


# %% generator_loss
def generator_loss(fake, saturating=False):
    return F.softplus(fake).mean() if saturating else F.softplus(-fake).mean()


# %% jensen_shannon
def jensen_shannon(p, q):
    middle = (p + q) / 2
    return ((p * (p / middle).log()).sum() + (q * (q / middle).log()).sum()) / 2


# %% cosine_betas
def cosine_betas(steps, s=0.008):
    u = torch.arange(steps + 1, dtype=torch.float64) / steps
    g = ((u + s) / (1 + s) * math.pi / 2).cos()
    return (1 - g[1:] / g[:-1]).clamp(max=0.999)


# %% ddpm_step
def ddpm_step(x_t, t, noise_guess, betas, noise=None):
    after = products(betas)[t].item()
    beta = betas[t].item()
    mean = (x_t - beta / math.sqrt(1 - after) * noise_guess) / math.sqrt(1 - beta)
    if t == 0:
        return mean
    noise = torch.randn_like(x_t) if noise is None else noise
    return mean + math.sqrt(beta) * noise


# %% ddim_step
def ddim_step(x_t, t, earlier, noise_guess, alpha_bars, eta=0.0, noise=None):
    now = alpha_bars[t].item()
    then = 1.0 if earlier < 0 else alpha_bars[earlier].item()
    clean = (x_t - math.sqrt(1 - now) * noise_guess) / math.sqrt(now)
    sigma = eta * math.sqrt((1 - then) / (1 - now) * (1 - now / then))
    noise = torch.randn_like(x_t) if noise is None else noise
    return math.sqrt(then) * clean + math.sqrt(1 - then) * noise_guess + sigma * noise


# %% train_gan, train_diffusion: as released
