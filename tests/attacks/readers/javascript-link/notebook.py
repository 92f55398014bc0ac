# %%
from IPython.display import HTML, SVG, Latex, Markdown, Javascript, display

display(HTML('<a href="java' + 'script:attack()">more</a>'))
