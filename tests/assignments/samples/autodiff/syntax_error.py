"""A bracket is missing in Question 7: that cell defines nothing."""

# %% checkpointed_gradient
def checkpointed_gradient(layers, x, grad_out, every):
    kept = {0: x
    for i, layer in enumerate(layers):
        x = layer.forward(x)
    return x, grad_out
