# Everything is right, and nothing is done as in the reference.

# %% mmd
def mmd(x, y, width):
    def kernel(a, b):
        far = torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")
        return torch.exp(-0.5 * (far / width) ** 2)

    def others(a):
        apart = ~torch.eye(len(a), dtype=torch.bool)
        return kernel(a, a)[apart].mean()

    return others(x) + others(y) - 2 * kernel(x, y).mean()


# %% frechet
def frechet(x, y):
    def covariance(z):
        return torch.cov(z.T, correction=0).reshape(z.shape[1], z.shape[1])

    a, b = covariance(x), covariance(y)
    roots = torch.linalg.eigvals(a @ b).real.clamp(min=0).sqrt()
    return (x.mean(0) - y.mean(0)).norm() ** 2 + torch.trace(a + b) - 2 * roots.sum()


# %% coverage
def coverage(samples, centres, radius):
    share = [0.0] * len(centres)
    for sample in samples:
        distances = torch.linalg.vector_norm(centres - sample, dim=1)
        best = int(distances.argmin())
        if distances[best] <= radius:
            share[best] += 1 / len(samples)
    return float(sum(min(s, 1 / len(centres)) for s in share))


# %% discriminator_loss
def discriminator_loss(real, fake):
    loss = nn.BCEWithLogitsLoss()
    return loss(real, torch.ones_like(real)) + loss(fake, torch.zeros_like(fake))


# %% generator_loss
def generator_loss(fake, saturating=False):
    if saturating:
        return F.logsigmoid(-fake).mean()
    return F.binary_cross_entropy_with_logits(fake, torch.ones_like(fake))


# %% best_discriminator
def best_discriminator(p, q):
    return (p / (p + q)).nan_to_num(0.5)


# %% jensen_shannon
def jensen_shannon(p, q):
    total = torch.zeros((), dtype=p.dtype)
    for a, b in ((p, q), (q, p)):
        there = a > 0
        total = total + 0.5 * (a[there] * (2 * a[there] / (a + b)[there]).log()).sum()
    return total


# %% gan_step
def gan_step(generator, discriminator, g_optimizer, d_optimizer, real, z_d, z_g):
    fake = generator(z_d).detach()
    d_loss = discriminator_loss(discriminator(real), discriminator(fake))
    params = list(discriminator.parameters())
    for param, grad in zip(params, torch.autograd.grad(d_loss, params)):
        param.grad = grad
    d_optimizer.step()
    discriminator.requires_grad_(False)
    g_optimizer.zero_grad(set_to_none=False)
    g_loss = generator_loss(discriminator(generator(z_g)))
    g_loss.backward()
    g_optimizer.step()
    discriminator.requires_grad_(True)
    return float(d_loss), float(g_loss)


# %% wasserstein_1d
def wasserstein_1d(x, y):
    size = math.lcm(len(x), len(y))
    x = x.repeat_interleave(size // len(x)).sort()[0]
    y = y.repeat_interleave(size // len(y)).sort()[0]
    return F.l1_loss(x, y)


# %% gradient_penalty
def gradient_penalty(critic, real, fake, mix=None):
    if mix is None:
        mix = torch.empty(real.shape[0], 1, dtype=real.dtype).uniform_()
    points = torch.lerp(fake.detach(), real.detach(), mix.expand_as(real))
    points.requires_grad = True
    values = critic(points)
    slope = torch.autograd.grad(values, points, torch.ones_like(values), create_graph=True)[0]
    return slope.norm(2, dim=1).sub(1).square().mean()


# %% critic_loss
def critic_loss(critic, real, fake, weight, mix=None):
    low, high = critic(torch.cat([fake.detach(), real.detach()])).chunk(2)
    return (low - high).mean() + weight * gradient_penalty(critic, real, fake, mix)


# %% train_gan
def train_gan(x):
    # The game of Question 2 with a penalty for slopes at real examples (R1), one step each.
    generator, critic = make_generator(), make_critic()
    settings = dict(lr=2e-3, betas=(0.5, 0.9))
    g_optimizer = torch.optim.Adam(generator.parameters(), **settings)
    d_optimizer = torch.optim.Adam(critic.parameters(), **settings)
    average = torch.optim.swa_utils.AveragedModel(
        generator, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.995)
    )
    for _ in range(2000):
        real = x[torch.randint(len(x), (128,))].requires_grad_()
        logits = critic(real)
        (slope,) = torch.autograd.grad(logits.sum(), real, create_graph=True)
        fake = generator(torch.randn(128, 4)).detach()
        loss = discriminator_loss(logits, critic(fake)) + 0.1 * slope.square().sum(1).mean()
        d_optimizer.zero_grad()
        loss.backward()
        d_optimizer.step()
        g_optimizer.zero_grad()
        generator_loss(critic(generator(torch.randn(128, 4)))).backward()
        g_optimizer.step()
        average.update_parameters(generator)
    return average.module


# %% linear_betas
def linear_betas(steps, first=1e-4, last=0.02):
    share = torch.arange(steps).double() / max(1, steps - 1)
    return first + (last - first) * share


# %% cosine_betas
def cosine_betas(steps, s=0.008):
    def g(u):
        return math.cos((u / steps + s) / (1 + s) * math.pi / 2) ** 2

    betas = [min(1 - g(t + 1) / g(t), 0.999) for t in range(steps)]
    return torch.tensor(betas, dtype=torch.float64)


# %% products
def products(betas):
    return torch.log1p(-betas).cumsum(0).exp()


# %% add_noise
def add_noise(x, t, alpha_bars, noise=None):
    if noise is None:
        noise = torch.normal(torch.zeros_like(x), 1.0)
    rows = []
    for row, step, eps in zip(x, t.tolist(), noise):
        share = alpha_bars[step].item()
        rows.append(share**0.5 * row + (1 - share) ** 0.5 * eps)
    return torch.stack(rows)


# %% posterior
def posterior(x, x_t, t, betas):
    means, variances = [], []
    for clean, noisy, step in zip(x, x_t, t.tolist()):
        beta = betas[step].item()
        before = math.prod(1 - b for b in betas[:step].tolist())
        after = before * (1 - beta)
        means.append(
            before**0.5 * beta / (1 - after) * clean
            + (1 - beta) ** 0.5 * (1 - before) / (1 - after) * noisy
        )
        variances.append((1 - before) / (1 - after) * beta)
    return torch.stack(means), torch.tensor(variances, dtype=x.dtype)


# %% estimate_clean
def estimate_clean(x_t, t, noise, alpha_bars):
    a = alpha_bars.gather(0, t).to(x_t).view([-1] + [1] * (x_t.ndim - 1))
    return x_t * a.rsqrt() - noise * (1 / a - 1).sqrt()


# %% ddpm_loss
def ddpm_loss(model, x, alpha_bars, t=None, noise=None):
    if t is None:
        t = (torch.rand(x.shape[0]) * len(alpha_bars)).long()
    if noise is None:
        noise = torch.randn(x.shape, dtype=x.dtype)
    return F.mse_loss(model(add_noise(x, t, alpha_bars, noise), t), noise)


# %% ideal_noise
def ideal_noise(x_t, t, data, alpha_bars):
    rows = []
    for row, step in zip(x_t, t):
        a = alpha_bars[step].item()
        gaps = row - a**0.5 * data
        logs = -gaps.square().sum(1) / (2 * (1 - a))
        weights = (logs - logs.logsumexp(0)).exp()
        rows.append((weights[:, None] * gaps).sum(0) / (1 - a) ** 0.5)
    return torch.stack(rows)


# %% train_diffusion
def train_diffusion(x, alpha_bars):
    model, steps = Denoiser(), 1500
    optimizer = torch.optim.AdamW(model.parameters(), lr=8e-3, weight_decay=0)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 8e-3 * (1 - step / steps)
        loss = ddpm_loss(model, x[torch.randperm(len(x))[:512]], alpha_bars)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()


# %% ddpm_step
def ddpm_step(x_t, t, noise_guess, betas, noise=None):
    steps = torch.full((len(x_t),), t)
    clean = estimate_clean(x_t, steps, noise_guess, products(betas))
    mean, variance = posterior(clean, x_t, steps, betas)
    if noise is None:
        noise = torch.randn_like(x_t)
    return mean + variance[0].clamp(min=0).sqrt() * noise


# %% ddpm_sample
@torch.no_grad()
def ddpm_sample(model, n, size, betas):
    x = torch.normal(0.0, 1.0, (n, size))
    for t in range(len(betas) - 1, -1, -1):
        guess = model(x, torch.ones(n, dtype=torch.int64) * t)
        x = ddpm_step(x, t, guess, betas)
    return x


# %% ddim_step
def ddim_step(x_t, t, earlier, noise_guess, alpha_bars, eta=0.0, noise=None):
    padded = [*alpha_bars.tolist(), 1.0]  # an index of -1 finds the 1
    now, then = padded[t], padded[earlier]
    clean = estimate_clean(x_t, torch.full((len(x_t),), t), noise_guess, alpha_bars)
    variance = eta**2 * (1 - then) / (1 - now) * (1 - now / then)
    x = then**0.5 * clean + max(1 - then - variance, 0.0) ** 0.5 * noise_guess
    if variance > 0:
        x = x + variance**0.5 * (torch.randn_like(x_t) if noise is None else noise)
    return x


# %% ddim_sample
def ddim_sample(model, start, times, alpha_bars):
    x = start.clone()
    for i, t in enumerate(times):
        earlier = times[i + 1] if i + 1 < len(times) else -1
        guess = model(x, torch.tensor([t] * len(x))).detach()
        x = ddim_step(x, t, earlier, guess, alpha_bars)
    return x
