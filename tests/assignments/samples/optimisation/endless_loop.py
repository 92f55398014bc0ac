# inverse_root looks for the power of the warm-up that is past the step: of 1 there is none.

# %% inverse_root
def inverse_root(t, warmup, peak):
    power, rises = 1, (t + 1) / warmup
    while power <= t:
        power *= warmup
    return peak * min(rises, math.sqrt(1 / rises))
