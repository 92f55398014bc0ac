# Formulas that are nearly right: σ for σ², a threshold without L, an order by size, a lost root.

# %% subspace_distance
def subspace_distance(a, b):
    first, second = (torch.linalg.qr(rows.T).Q.T for rows in (a, b))
    cosine = torch.linalg.svdvals(first @ second.T).min().clamp(max=1)
    return (1 - cosine**2).sqrt().item()

# %% train_linear_autoencoder
def train_linear_autoencoder(x, encoder, decoder, lr, steps):
    losses = []
    for _ in range(steps):
        loss, grad_encoder, _ = linear_autoencoder(x, encoder, decoder)
        encoder = encoder - lr * grad_encoder
        _, _, grad_decoder = linear_autoencoder(x, encoder, decoder)
        decoder = decoder - lr * grad_decoder
        losses.append(loss.item())
    return encoder, decoder, losses

# %% ista
def ista(x, dictionary, lam, steps, start=None):
    codes = x.new_zeros(len(x), len(dictionary)) if start is None else start
    steepest = torch.linalg.matrix_norm(dictionary, 2) ** 2
    for _ in range(steps):
        codes = soft_threshold(codes - (codes @ dictionary - x) @ dictionary.T / steepest, lam)
    return codes

# %% update_dictionary
def update_dictionary(x, codes, dictionary):
    p, q = codes.T @ codes, codes.T @ x
    for k in range(len(dictionary)):
        if p[k, k] > 0:
            u = dictionary[k] + (q[k] - p[k] @ dictionary) / p[k, k]
            dictionary[k] = u / u.norm().clamp(min=1)  # in the caller's dictionary
    return dictionary

# %% top_k
def top_k(h, k):
    places = h.abs().topk(k, dim=1).indices
    return torch.zeros_like(h).scatter(1, places, h.gather(1, places))

# %% reparameterise
def reparameterise(mu, logvar, eps=None):
    eps = torch.randn_like(mu) if eps is None else eps
    return mu + logvar.exp() * eps

# %% normal_log_density
def normal_log_density(z, mu, logvar):
    terms = ((z - mu) / logvar.exp()) ** 2 + logvar + math.log(2 * math.pi)
    return -0.5 * terms.sum(dim=-1)

# %% importance_bound
def importance_bound(log_weights):
    return log_weights.exp().mean(dim=0).log()


# %% train_denoiser, train_vae: as released
