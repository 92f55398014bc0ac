# %% [markdown]
# Look: <script>celled()</script>
