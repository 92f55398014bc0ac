# Right in another way: counters and loops, eigenvectors, products with one-hot tables, lists of
# pairs that met, Adam and plain gradient descent.

# %% vocabulary
def vocabulary(texts, min_count=1):
    from collections import Counter

    counts = Counter(word for sentence in texts for word in sentence)
    rows = sorted((-n, word) for word, n in counts.items() if n >= min_count)
    return [word for _, word in rows], torch.tensor([-n for n, _ in rows], dtype=torch.long)

# %% encode
def encode(texts, words):
    tokens, sentences = [], []
    for k, sentence in enumerate(texts):
        for word in sentence:
            if word in words:
                tokens.append(words.index(word))
                sentences.append(k)
    return torch.tensor(tokens).long(), torch.tensor(sentences).long()

# %% co_occurrences
def co_occurrences(tokens, sentences, n_words, window, harmonic=False):
    counts = torch.zeros(n_words * n_words, dtype=torch.float64)
    for distance in range(1, window + 1):
        left, right = tokens[: max(0, len(tokens) - distance)], tokens[distance:]
        near = sentences[: len(left)] == sentences[distance:]
        for a, b in ((left, right), (right, left)):
            places = a[near] * n_words + b[near]
            times = torch.bincount(places, minlength=n_words * n_words)
            counts += times / distance if harmonic else times
    return counts.reshape(n_words, n_words)

# %% ppmi
def ppmi(counts, alpha=1.0):
    contexts = counts.sum(0) ** alpha
    found = counts.log() + contexts.sum().log() - counts.sum(1, keepdim=True).log() - contexts.log()
    return torch.where(counts > 0, found, 0.0).clamp(min=0)

# %% factorise
def factorise(matrix, dim, power=0.5):
    values, right = torch.linalg.eigh(matrix.T @ matrix)
    values, right = values[-dim:].clamp(min=0).sqrt(), right[:, -dim:]
    return matrix @ right / values * values**power, right * values ** (1 - power)

# %% cosines
def cosines(a, b):
    sizes = a.norm(dim=1)[:, None] * b.norm(dim=1)
    return torch.where(sizes > 0, a @ b.T / sizes, 0.0)

# %% solve_analogies
def solve_analogies(vectors, asked):
    unit = torch.stack([v / v.norm() if v.any() else v for v in vectors])
    answers = []
    for a, b, c in asked.tolist():
        scores = unit @ (unit[b] - unit[a] + unit[c])
        scores[[a, b, c]] = -torch.inf
        answers.append(int(scores.argmax()))
    return torch.tensor(answers, dtype=torch.long)

# %% ranks
def ranks(values):
    _, place, times = values.unique(return_inverse=True, return_counts=True)
    last = times.cumsum(0).double()
    return (last - (times.double() - 1) / 2)[place]

# %% spearman
def spearman(a, b):
    if (a == a[0]).all() or (b == b[0]).all():
        return 0.0
    return torch.corrcoef(torch.stack([ranks(a), ranks(b)]))[0, 1].item()

# %% keep_probabilities
def keep_probabilities(counts, threshold):
    total = counts.sum().item()
    rows = [min(1, (threshold * total / n) ** 0.5) if n else 1 for n in counts.tolist()]
    return torch.tensor(rows, dtype=torch.float64)

# %% subsample
def subsample(tokens, sentences, keep):
    kept = torch.bernoulli(keep[tokens].double()).bool().nonzero()[:, 0]
    return tokens[kept], sentences[kept]

# %% pairs
def pairs(tokens, sentences, window):
    found = []
    for _, length in zip(*sentences.unique_consecutive(return_counts=True)):
        line, tokens = tokens[:length], tokens[length:]
        t = torch.arange(len(line))
        apart = (t[:, None] - t).abs()
        i, j = ((apart > 0) & (apart <= window)).nonzero(as_tuple=True)
        found.append(torch.stack([line[i], line[j]], dim=1))
    return torch.cat(found) if found else torch.empty(0, 2, dtype=torch.long)

# %% noise_distribution
def noise_distribution(counts, power=0.75):
    logs = power * counts.double().log()
    return torch.where(counts > 0, logs, -torch.inf).softmax(dim=0)

# %% draw_negatives
def draw_negatives(noise, n, k):
    ends = noise.cumsum(0)
    drawn = torch.searchsorted(ends, torch.rand(n, k, dtype=ends.dtype) * ends[-1], right=True)
    return drawn.clamp(max=len(noise) - 1)

# %% negative_sampling
def negative_sampling(W, C, centres, contexts, negatives):
    here = F.one_hot(centres, len(W)).to(W.dtype)
    true = F.one_hot(contexts, len(C)).to(C.dtype)
    false = F.one_hot(negatives, len(C)).to(C.dtype).sum(dim=1)
    scores = here @ W @ C.T
    softplus = F.softplus(-scores) * true + F.softplus(scores) * false
    slopes = (torch.sigmoid(scores) * (true + false) - true) / len(centres)
    return softplus.sum() / len(centres), here.T @ (slopes @ C), slopes.T @ (here @ W)

# %% train_skip_gram
def train_skip_gram(tokens, sentences, n_words, dim=24):
    counts = torch.bincount(tokens, minlength=n_words)
    keep, noise = keep_probabilities(counts, 0.01), noise_distribution(counts)
    W, C = torch.randn(n_words, dim) / 10, torch.zeros(n_words, dim)
    optimizer = torch.optim.Adam([W, C], lr=0.005)
    for _ in range(2):
        examples = pairs(*subsample(tokens, sentences, keep), 5)
        for batch in examples[torch.randperm(len(examples))].split(256):
            false = draw_negatives(noise, len(batch), 5)
            _, W.grad, C.grad = negative_sampling(W, C, batch[:, 0], batch[:, 1], false)
            optimizer.step()
    return W, C

# %% glove
def glove(counts, W, C, b, e, x_max=100.0, alpha=0.75):
    i, j = counts.nonzero(as_tuple=True)
    x = counts[i, j]
    errors = (W[i] * C[j]).sum(dim=1) + b[i] + e[j] - x.log()
    weights = torch.where(x < x_max, (x / x_max) ** alpha, 1.0)
    slopes = 2 * weights * errors
    grads = [torch.zeros_like(table) for table in (W, C, b, e)]
    grads[0].index_add_(0, i, slopes[:, None] * C[j])
    grads[1].index_add_(0, j, slopes[:, None] * W[i])
    grads[2].index_add_(0, i, slopes)
    grads[3].index_add_(0, j, slopes)
    return (weights * errors**2).sum(), tuple(grads)

# %% train_glove
def train_glove(counts, dim=24):
    n = len(counts)
    tables = [0.1 * torch.randn(n, dim).double(), 0.1 * torch.randn(n, dim).double()]
    tables += [torch.zeros(n).double(), torch.zeros(n).double()]
    optimizer = torch.optim.Adam(tables, lr=0.03)
    for _ in range(150):
        for table, grad in zip(tables, glove(counts, *tables)[1]):
            table.grad = grad
        optimizer.step()
    return tables

# %% ngrams
def ngrams(word, shortest=3, longest=5):
    text = "<" + word + ">"
    pieces = []
    for length in range(shortest, min(longest, len(text)) + 1):
        for start in range(len(text)):
            if start + length <= len(text):
                pieces.append(text[start : start + length])
    if text not in pieces:
        pieces.append(text)
    return pieces

# %% membership
def membership(words, known, shortest=3, longest=5):
    from collections import Counter

    rows = []
    for word in words:
        times = Counter(ngrams(word, shortest, longest))
        row = torch.tensor([times[piece] for piece in known], dtype=torch.float64)
        rows.append(row / row.sum() if row.any() else row)
    return torch.stack(rows)
