# %%
name = input("Your name: ")
