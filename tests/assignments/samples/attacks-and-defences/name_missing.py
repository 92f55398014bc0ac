# certified_margin has another name.

# %% certified_margin
def certified_margins(weight, bias, x, y, eps, norm="linf"):
    apart = weight[y].unsqueeze(1) - weight
    margins = (apart * x.unsqueeze(1)).sum(dim=-1) + bias[y].unsqueeze(1) - bias
    margins = margins - eps * apart.norm(p=1 if norm == "linf" else 2, dim=-1)
    others = F.one_hot(y, len(weight)) == 0
    return margins.masked_fill(~others, math.inf).amin(dim=1)
