# %%
# %matplotlib inline
import matplotlib.pyplot as plt

plt.plot([3, 2, 1])
plt.show()
