# Windows across sentences, shares of the most frequent word, words of the question as answers,
# pieces without brackets, and noise as it is counted.

# %% co_occurrences
def co_occurrences(tokens, sentences, n_words, window, harmonic=False):
    counts = torch.zeros(n_words, n_words, dtype=torch.float64)
    for distance in range(1, window + 1):
        left, right = tokens[:-distance], tokens[distance:]
        weight = torch.full(left.shape, 1 / distance if harmonic else 1.0, dtype=torch.float64)
        counts.index_put_((left, right), weight, accumulate=True)
    return counts + counts.T

# %% solve_analogies
def solve_analogies(vectors, asked):
    unit = F.normalize(vectors, dim=1)
    a, b, c = unit[asked].unbind(dim=1)
    return cosines(b - a + c, unit).argmax(dim=1)

# %% keep_probabilities
def keep_probabilities(counts, threshold):
    return (threshold / (counts / counts.max()).double()).sqrt().clamp(max=1)

# %% pairs
def pairs(tokens, sentences, window):
    found = []
    for distance in range(1, window + 1):
        near = sentences[:-distance] == sentences[distance:]
        found.append(torch.stack([tokens[:-distance][near], tokens[distance:][near]], dim=1))
    return torch.cat(found)

# %% noise_distribution
def noise_distribution(counts, power=0.75):
    return counts.double() / counts.sum()

# %% ngrams
def ngrams(word, shortest=3, longest=5):
    lengths = range(shortest, longest + 1)
    pieces = [word[i : i + n] for n in lengths for i in range(len(word) - n + 1)]
    return [*pieces, f"<{word}>"]


# %% train_skip_gram, train_glove, train_subwords: as released
