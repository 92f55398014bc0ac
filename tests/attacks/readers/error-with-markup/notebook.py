# %%
raise ValueError('<script>' + 'raised()</script>')
