# %%
from IPython.display import HTML, SVG, Latex, Markdown, Javascript, display

display(HTML('<style>' + 'body{display:none}</style>'))
