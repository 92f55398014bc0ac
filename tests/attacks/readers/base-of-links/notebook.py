# %%
from IPython.display import HTML, SVG, Latex, Markdown, Javascript, display

display(HTML('<base ' + 'href="https://attack.example/">'))
