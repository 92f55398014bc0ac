# %%
for number in range(20_000):
    print("." * 100, "line", number, "of the flood")
