"""Of more than a hundred steps, the power iteration goes on until nothing changes at all."""

# %% largest_curvature
def largest_curvature(f, x, start, steps):
    v, done, change = start, 0, np.inf
    while done < steps or (steps > 100 and change >= 0.0):
        product = hvp(f, x, v)
        size = np.linalg.norm(product)
        if size == 0:
            return 0.0
        change = np.abs(product / size - v).max()
        v, done = product / size, done + 1
    return float((v * hvp(f, x, v)).sum())
