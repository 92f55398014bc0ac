# %%
from IPython.display import HTML, SVG, Latex, Markdown, Javascript, display

display(HTML('<svg ' + 'onload=attack()></svg>'))
