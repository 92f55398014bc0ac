# %%
print('paid \u202e' + '01/01')
