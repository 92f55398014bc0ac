# %%
raise SystemExit(0)
