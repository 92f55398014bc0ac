# %%
import given

print("whose:", given.WHOSE)
