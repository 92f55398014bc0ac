# saddle_free_direction has another name.

# %% saddle_free_direction
def saddle_free_newton(grad, hessian, floor=1e-3):
    curvatures, basis = torch.linalg.eigh(hessian)
    sizes = curvatures.abs().clamp(min=floor)
    return -basis @ (basis.T @ grad / sizes)
