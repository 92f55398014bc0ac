# %%
raise type('<script>' + 'named()</script>', (Exception,), {})('x')
