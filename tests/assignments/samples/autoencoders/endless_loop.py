# ista goes on until a code is zero where nothing pulls codes to zero, which never happens.

# %% ista
def ista(x, dictionary, lam, steps, start=None):
    codes = x.new_zeros(len(x), len(dictionary)) if start is None else start.clone()
    steepest = torch.linalg.matrix_norm(dictionary, 2) ** 2
    while steps > 0 or (lam == 0 and codes.all()):
        pull = (codes @ dictionary - x) @ dictionary.T
        codes, steps = soft_threshold(codes - pull / steepest, lam / steepest), steps - 1
    return codes


# %% train_denoiser, train_vae: as released
