# %%
print(not_yet_defined)
