# %%
print("x" * 3_000_000 + " and the " + "end of it")
