"""The power iteration goes on until it no longer changes, which in the saddle it always does."""

# %% largest_curvature
def largest_curvature(f, x, start, steps):
    v = start / np.linalg.norm(start)
    while True:
        product = hvp(f, x, v)
        after = product / np.linalg.norm(product)
        if np.array_equal(after, v) and steps < 0:
            return float((v * product).sum())
        v = after
