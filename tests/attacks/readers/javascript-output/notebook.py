# %%
from IPython.display import HTML, SVG, Latex, Markdown, Javascript, display

display({'text/html': '<script>element.att' + 'ack()</script>'}, raw=True)
