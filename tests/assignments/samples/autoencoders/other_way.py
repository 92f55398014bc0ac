# Everything is right, and nothing is done as in the reference.

# %% fit_pca
def fit_pca(x, k):
    mean = x.sum(dim=0) / x.shape[0]
    u, s, v = np.linalg.svd((x - mean).numpy().T, full_matrices=False)
    components = -torch.from_numpy(u.T.copy())[:k]  # the other sign
    return mean, components, torch.from_numpy(s.copy())[:k].square().div(x.shape[0])

# %% pca_encode
def pca_encode(x, mean, components):
    return torch.stack([(x - mean) @ v for v in components], dim=1)

# %% pca_decode
def pca_decode(codes, mean, components):
    return torch.einsum("nk,kd->nd", codes, components) + mean

# %% explained_variance
def explained_variance(x, x_hat):
    total = sum(float((row - x.mean(0)).square().sum()) for row in x)
    return 1 - sum(float(row.square().sum()) for row in x - x_hat) / total

# %% linear_autoencoder
def linear_autoencoder(x, encoder, decoder):
    product = encoder @ decoder - torch.eye(x.shape[1], dtype=x.dtype)
    c = x.T @ x / x.shape[0]
    slope = 2 * c @ product
    return torch.trace(product.T @ c @ product), slope @ decoder.T, encoder.T @ slope

# %% train_linear_autoencoder
def train_linear_autoencoder(x, encoder, decoder, lr, steps):
    encoder, decoder, losses = encoder.clone(), decoder.clone(), []
    for _ in range(steps):
        loss, *grads = linear_autoencoder(x, encoder, decoder)
        encoder -= lr * grads[0]
        decoder -= lr * grads[1]
        losses.append(float(loss))
    return encoder, decoder, losses

# %% subspace_distance
def subspace_distance(a, b):
    basis_a = torch.linalg.svd(a, full_matrices=False).Vh
    basis_b = torch.linalg.svd(b, full_matrices=True).Vh[len(b):]  # all that is orthogonal to b
    if not len(basis_b):
        return 0.0
    return float(torch.linalg.svdvals(basis_a @ basis_b.T).max())

# %% soft_threshold
def soft_threshold(v, t):
    return F.relu(v - t) - F.relu(-v - t)

# %% sparse_objective
def sparse_objective(x, codes, dictionary, lam):
    error = F.mse_loss(codes @ dictionary, x, reduction="sum") / 2
    return (error + lam * codes.norm(p=1)) / len(x)

# %% ista
def ista(x, dictionary, lam, steps, start=None):
    gram, match = dictionary @ dictionary.T, x @ dictionary.T
    rate = 1 / torch.linalg.eigvalsh(gram)[-1]
    codes = torch.zeros_like(match) if start is None else start
    for _ in range(steps):
        codes = soft_threshold(codes + rate * (match - codes @ gram), lam * rate)
    return codes + 0

# %% update_dictionary
def update_dictionary(x, codes, dictionary):
    atoms = list(dictionary)
    left = x - codes @ dictionary
    for k, code in enumerate(codes.T):
        power = code.square().sum()
        if power == 0:
            continue
        left = left + torch.outer(code, atoms[k])
        atom = left.T @ code / power
        if atom.norm() > 1:
            atom = atom / atom.norm()
        atoms[k] = atom
        left = left - torch.outer(code, atom)
    return torch.stack(atoms)

# %% learn_dictionary
def learn_dictionary(x, atoms, lam, rounds):
    # Least squares for the whole dictionary at once, all atoms scaled to length 1.
    dictionary = F.normalize(x[torch.randint(len(x), (atoms,))] + 1e-3 * torch.randn(atoms, x.shape[1]))
    for _ in range(rounds):
        codes = ista(x, dictionary, lam, 60)
        gram = codes.T @ codes + 1e-6 * torch.eye(atoms)
        fitted = torch.linalg.solve(gram, codes.T @ x)
        dictionary = F.normalize(torch.where(fitted.norm(dim=1, keepdim=True) > 1e-6, fitted, dictionary))
    return dictionary

# %% kl_sparsity
def kl_sparsity(h, rho):
    q = torch.distributions.Bernoulli(h.mean(0).clamp(1e-6, 1 - 1e-6))
    p = torch.distributions.Bernoulli(torch.full_like(h[0], rho))
    return torch.distributions.kl_divergence(p, q).sum()

# %% top_k
def top_k(h, k):
    rank = h.argsort(dim=1, descending=True).argsort(dim=1)
    return torch.where(rank < k, h, torch.zeros_like(h))

# %% corrupt
def corrupt(x, sigma, p):
    noisy = x + torch.normal(torch.zeros_like(x), sigma)
    return noisy.masked_fill(torch.bernoulli(torch.full_like(x, p)).bool(), 0)

# %% ridge_denoiser
def ridge_denoiser(noisy, clean, lam):
    n, d = noisy.shape
    left, right = noisy - noisy.mean(0), clean - clean.mean(0)
    stacked = torch.cat([left, math.sqrt(n * lam) * torch.eye(d, dtype=noisy.dtype)])
    target = torch.cat([right, torch.zeros(d, clean.shape[1], dtype=clean.dtype)])
    weight = torch.linalg.lstsq(stacked, target).solution
    return weight, clean.mean(0) - noisy.mean(0) @ weight

# %% train_denoiser
def train_denoiser(x):
    # One wide layer that guesses what is to be added, and larger batches.
    class Denoiser(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.Sequential(nn.Linear(64, 512), nn.GELU(), nn.Linear(512, 64))

        def forward(self, spoilt):
            return spoilt + self.layers(spoilt)

    model = Denoiser()
    optimizer, epochs = torch.optim.AdamW(model.parameters(), lr=5e-3), 100
    for epoch in range(epochs):
        for group in optimizer.param_groups:
            group["lr"] = 5e-3 * (1 - epoch / epochs)
        for batch in torch.randperm(len(x)).split(96):
            loss = (model(corrupt(x[batch], 0.2, 0.3)) - x[batch]).square().sum(1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return lambda spoilt: model(spoilt).detach()

# %% reparameterise
def reparameterise(mu, logvar, eps=None):
    if eps is None:
        return torch.distributions.Normal(mu, logvar.exp().sqrt()).rsample()
    return torch.addcmul(mu, logvar.exp().sqrt(), eps)

# %% kl_to_standard_normal
def kl_to_standard_normal(mu, logvar):
    return -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp(), dim=-1)

# %% bernoulli_log_likelihood
def bernoulli_log_likelihood(x, logits):
    return (x * F.logsigmoid(logits) + (1 - x) * F.logsigmoid(-logits)).sum(-1)

# %% normal_log_density
def normal_log_density(z, mu, logvar):
    return torch.distributions.Normal(mu, (logvar / 2).exp()).log_prob(z).sum(-1)

# %% importance_bound
def importance_bound(log_weights):
    most = log_weights.max(dim=0).values
    return most + (log_weights - most).exp().mean(dim=0).log()

# %% draw_pictures
def draw_pictures(model, n):
    z = torch.normal(0.0, 1.0, (n, model.latents))
    return torch.sigmoid(model.decode(z)).detach()

# %% train_vae
def train_vae(x, latents=8):
    # The price of the code grows during the first epochs; smaller batches.
    model = VAE(latents=latents)
    optimizer, epochs = torch.optim.AdamW(model.parameters(), lr=2e-3), 70
    for epoch in range(epochs):
        weight = min(1.0, (epoch + 1) / 10)
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * min(1.0, 2 * (1 - epoch / epochs))
        for batch in torch.randperm(len(x)).split(32):
            mu, logvar = model.encode(x[batch])
            logits = model.decode(reparameterise(mu, logvar))
            gain = bernoulli_log_likelihood(x[batch], logits)
            loss = (weight * kl_to_standard_normal(mu, logvar) - gain).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model
