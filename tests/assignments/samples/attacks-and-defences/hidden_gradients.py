# A defence that hides its gradients: logits so large that the cross-entropy is flat. It is no defence.

# %% robust_model
def robust_model(x, y):
    model = train_plainly(make_net(), x, y)
    with torch.no_grad():
        model[-1].weight *= 1e6
        model[-1].bias *= 1e6
    return model
