# It looks well, and withstands nothing: the attacked batch is made and not trained on.

# %% adversarial_training
def adversarial_training(model, x, y, attack, optimizer, epochs, batch_size):
    losses = []
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).split(batch_size):
            model.eval()
            attack(model, x[batch], y[batch])
            model.train()
            loss = F.cross_entropy(model(x[batch]), y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    model.eval()
    return losses

# %% poison
def poison(x, y, target, count):
    chosen = torch.randperm(len(y))[:count]
    poisoned = torch.zeros(len(y), dtype=torch.bool)
    poisoned[chosen] = True
    x[chosen] = stamp(x[chosen])
    y[chosen] = target
    return x, y, poisoned
