# %% [markdown]
# <a href="javascript:linked()">more</a>
