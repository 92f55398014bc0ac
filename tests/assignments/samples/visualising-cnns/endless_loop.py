# total_variation counts rows up to the last but one, which a picture of one row does not have.

# %% total_variation
def total_variation(x):
    right = x[:, :, :, 1:] - x[:, :, :, :-1]
    total = (right**2).sum(dim=(1, 2, 3))
    row = 1
    while True:
        down = x[:, :, row : row + 1] - x[:, :, row - 1 : row]
        total = total + (down**2).sum(dim=(1, 2, 3))
        if row == x.shape[2] - 1:
            return total
        row += 1
