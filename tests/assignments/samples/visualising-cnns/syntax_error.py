# A colon is missing in grad_cam.

# %% grad_cam
def grad_cam(model, layer, x, target)
    kept = []
    hook = layer.register_forward_hook(lambda _, __, out: kept.append(out))
