# %%
# %config InlineBackend.figure_format = "retina"
import matplotlib.pyplot as plt
from IPython.display import HTML, Latex, display

display(HTML("<table><tr><td>1</td></tr></table>"), Latex("$x^2$"))
plt.imshow([[1, 2], [3, 4]])
