# What was done is right: Questions 1 and 2, untargeted attacks, the first half of Question 6.

# %% pgd
def pgd(model, x, y, eps, step, steps, norm="linf", random=True, targeted=False):
    moved = (x + random_start(x, eps, norm)).clamp(0, 1) if random else x
    for _ in range(steps):
        moved = moved + step * steepest(input_gradient(model, moved, y), norm)
        moved = (x + project(moved - x, eps, norm)).clamp(0, 1)
    return moved

# %% transfer, adversarial_training, robust_model, spectral_scores, cleanse: as released

# %% move_weights, worst_weights, random_weights: as released
