# %%
from IPython.display import HTML, SVG, Latex, Markdown, Javascript, display

display(Markdown('**x** <script>' + 'marked()</script>'))
