# Slips with autograd: a mean over the batch, backward on the model itself, downhill where it should
# be uphill, gradients of the attack that stay in the step, weights that move in place.

# %% input_gradient
def input_gradient(model, x, y):
    x = x.clone().requires_grad_()
    F.cross_entropy(model(x), y).backward()
    return x.grad

# %% pgd
def pgd(model, x, y, eps, step, steps, norm="linf", random=True, targeted=False):
    moved = (x + random_start(x, eps, norm)).clamp(0, 1) if random else x
    for _ in range(steps):
        way = steepest(input_gradient(model, moved, y), norm)
        moved = moved + step * way if targeted else moved + step * way
        moved = (x + project(moved - x, eps, norm)).clamp(0, 1)
    return moved

# %% adversarial_training
def adversarial_training(model, x, y, attack, optimizer, epochs, batch_size):
    losses = []
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).split(batch_size):
            optimizer.zero_grad()
            moved = attack(model, x[batch], y[batch])
            loss = F.cross_entropy(model(moved), y[batch])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses

# %% move_weights
def move_weights(model, directions, rho):
    with torch.no_grad():
        for param, way in zip(model.parameters(), directions):
            param += rho * param.norm() * way / way.norm().clamp(min=1e-30)
    return model
