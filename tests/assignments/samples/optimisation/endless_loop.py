# inverse_root counts its steps down, and never gets below zero.

# %% inverse_root
def inverse_root(t, warmup, peak):
    rate = 0.0
    while t >= 0:
        rate = rate + peak / warmup
        t = max(t - 1, 0)
    return min(rate, peak * math.sqrt(warmup / (t + 1)))
