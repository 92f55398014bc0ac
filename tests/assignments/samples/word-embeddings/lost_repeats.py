# x[i] += y with the same number i many times: one of them is kept.

# %% co_occurrences
def co_occurrences(tokens, sentences, n_words, window, harmonic=False):
    counts = torch.zeros(n_words, n_words, dtype=torch.float64)
    for distance in range(1, min(window, len(tokens) - 1) + 1):
        near = sentences[:-distance] == sentences[distance:]
        left, right = tokens[:-distance][near], tokens[distance:][near]
        counts[left, right] += 1 / distance if harmonic else 1
    return counts + counts.T

# %% negative_sampling
def negative_sampling(W, C, centres, contexts, negatives):
    w, true, false = W[centres], C[contexts], C[negatives]
    s, t = (w * true).sum(dim=1), (w[:, None] * false).sum(dim=2)
    loss = -F.logsigmoid(s).mean() - F.logsigmoid(-t).sum(dim=1).mean()
    a, b = (torch.sigmoid(s) - 1)[:, None] / len(w), torch.sigmoid(t)[:, :, None] / len(w)
    grad_W, grad_C = torch.zeros_like(W), torch.zeros_like(C)
    grad_W[centres] += a * true + (b * false).sum(dim=1)
    grad_C[contexts] += a * w
    grad_C[negatives] += b * w[:, None]
    return loss, grad_W, grad_C

# %% membership
def membership(words, known, shortest=3, longest=5):
    shares = torch.zeros(len(words), len(known), dtype=torch.float64)
    for i, word in enumerate(words):
        found = set(ngrams(word, shortest, longest))
        for p, piece in enumerate(known):
            shares[i, p] = piece in found
    return shares / shares.sum(dim=1, keepdim=True).clamp(min=1)


# %% train_skip_gram, train_glove, train_subwords: as released
