# %%
print("see what lies beside it")
