"""hvp is called hessian_vector_product, and used by that name."""

# %% hvp
def hessian_vector_product(f, x, v):
    leaf = Var(x)
    (gradient,) = gradients(f(leaf), [leaf])
    (product,) = gradients((gradient * v).sum(), [leaf])
    return product.value


# %% largest_curvature
def largest_curvature(f, x, start, steps):
    v = start / np.linalg.norm(start)
    for _ in range(steps):
        product = hessian_vector_product(f, x, v)
        size = np.linalg.norm(product)
        if size == 0:
            return 0.0
        v = product / size
    return float((v * hessian_vector_product(f, x, v)).sum())
