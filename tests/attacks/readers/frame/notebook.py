# %%
from IPython.display import HTML, SVG, Latex, Markdown, Javascript, display

display({'text/html': '<iframe ' + 'srcdoc="x"></iframe>'}, raw=True)
