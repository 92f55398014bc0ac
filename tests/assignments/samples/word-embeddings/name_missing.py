# solve_analogies has another name.

# %% solve_analogies
def analogies(vectors, asked):
    unit = F.normalize(vectors, dim=1, eps=1e-30)
    a, b, c = unit[asked].unbind(dim=1)
    return cosines(b - a + c, unit).scatter(1, asked, -math.inf).argmax(dim=1)


# %% train_skip_gram, train_glove, train_subwords: as released
