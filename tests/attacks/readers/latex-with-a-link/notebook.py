# %%
from IPython.display import HTML, SVG, Latex, Markdown, Javascript, display

display(Latex(r'$\href{java' + 'script:formula()}{x}$'))
