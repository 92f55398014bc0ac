# %%
print('\x1b]8;;java' + 'script:attack()\x07link\x1b]8;;\x07')
