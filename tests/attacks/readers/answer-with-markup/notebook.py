# %% [markdown]
# **Answer q5.**
#
# <script>answered()</script> because it overflows.
