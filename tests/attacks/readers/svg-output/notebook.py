# %%
from IPython.display import HTML, SVG, Latex, Markdown, Javascript, display

display({'text/html': '<svg xmlns="http://www.w3.org/2000/svg" ' + 'onload=attack()></svg>'}, raw=True)
