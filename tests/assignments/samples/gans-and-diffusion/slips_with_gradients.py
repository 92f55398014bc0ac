# The numbers are right, and the gradients are not: they stay, they reach the generator, they are
# nan, they are missing.

# %% gan_step
def gan_step(generator, discriminator, g_optimizer, d_optimizer, real, z_d, z_g):
    d_loss = discriminator_loss(discriminator(real), discriminator(generator(z_d)))
    d_loss.backward()
    d_optimizer.step()
    d_optimizer.zero_grad()
    g_loss = generator_loss(discriminator(generator(z_g)))
    g_loss.backward()
    g_optimizer.step()
    g_optimizer.zero_grad()
    return d_loss.item(), g_loss.item()


# %% gradient_penalty
def gradient_penalty(critic, real, fake, mix=None):
    if mix is None:
        mix = torch.rand(len(real), 1, dtype=real.dtype)
    between = mix * real + (1 - mix) * fake
    if not between.requires_grad:
        between.requires_grad_()
    (slopes,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return ((slopes.square().sum(dim=1).sqrt() - 1) ** 2).mean()


# %% critic_loss
def critic_loss(critic, real, fake, weight, mix=None):
    penalty = gradient_penalty(critic, real, fake, mix)
    return critic(fake).mean() - critic(real).mean() + weight * penalty.detach()


# %% ddpm_loss
def ddpm_loss(model, x, alpha_bars, t=None, noise=None):
    t = torch.randint(len(alpha_bars), (len(x),)) if t is None else t
    noise = torch.randn_like(x) if noise is None else noise
    return ((model(add_noise(x, t, alpha_bars, noise), t) - noise) ** 2).sum()


# %% ddpm_sample
def ddpm_sample(model, n, size, betas):
    x = torch.randn(n, size)
    for t in reversed(range(len(betas))):
        x = ddpm_step(x, t, model(x, torch.full((n,), t)), betas)
    return x
