# %%
from IPython.display import HTML, SVG, Latex, Markdown, Javascript, display

display(HTML('<object ' + 'data="https://attack.example"></object>'))
