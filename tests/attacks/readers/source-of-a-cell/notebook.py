# %%
text = '<script>sourced()</script>'
