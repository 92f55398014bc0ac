# ddim_sample walks on until it is at step -1, which it never reaches.

# %% ddim_sample
def ddim_sample(model, start, times, alpha_bars):
    x, i = start, 0
    while times[i] != -1:
        earlier = times[min(i + 1, len(times) - 1)]
        x = ddim_step(
            x, times[i], earlier, model(x, torch.full((len(x),), times[i])).detach(), alpha_bars
        )
        i = min(i + 1, len(times) - 1)
    return x
