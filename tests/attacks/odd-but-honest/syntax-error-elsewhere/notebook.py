# %%
# !true

# %%
def half_an_idea(x:
    return
