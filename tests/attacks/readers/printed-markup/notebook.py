# %%
print('<script>' + 'printed()</script>')
