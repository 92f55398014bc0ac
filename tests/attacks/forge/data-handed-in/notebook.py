# %%
with open("data/numbers.csv") as file:
    print("first:", file.read().partition(",")[0])
