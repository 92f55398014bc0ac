# %%
from IPython.display import HTML, SVG, Latex, Markdown, Javascript, display

display(HTML('<img src="https://attack.' + 'example/beacon.png">'))
