# %%
print("x" * 900_000, "the last of", "cell", 0)

# %%
print("x" * 900_000, "the last of", "cell", 1)

# %%
print("x" * 900_000, "the last of", "cell", 2)

# %%
print("x" * 900_000, "the last of", "cell", 3)

# %%
print("x" * 900_000, "the last of", "cell", 4)

# %%
print("x" * 900_000, "the last of", "cell", 5)

# %%
print("x" * 900_000, "the last of", "cell", 6)

# %%
print("x" * 900_000, "the last of", "cell", 7)

# %%
print("x" * 900_000, "the last of", "cell", 8)

# %%
print("x" * 900_000, "the last of", "cell", 9)

# %%
print("x" * 900_000, "the last of", "cell", 10)

# %%
print("x" * 900_000, "the last of", "cell", 11)
