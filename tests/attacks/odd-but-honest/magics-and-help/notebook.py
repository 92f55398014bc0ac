# %%
# %time total = sum(range(10))

# %%
# !ls

# %%
# %load_ext autoreload
