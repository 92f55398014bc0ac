# A colon is missing in pgd.

# %% pgd
def pgd(model, x, y, eps, step, steps, norm="linf", random=True, targeted=False)
    moved = (x + random_start(x, eps, norm)).clamp(0, 1) if random else x
    for _ in range(steps):
        moved = moved + step * steepest(input_gradient(model, moved, y), norm)
        moved = (x + project(moved - x, eps, norm)).clamp(0, 1)
    return moved
