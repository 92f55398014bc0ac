# %%
from IPython.display import HTML, display

for number in range(3_000):
    display(HTML("<b>x</b>" * 100 + f"shown {number} times"))
