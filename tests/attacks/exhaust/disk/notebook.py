# %%
written = 0
try:
    for number in range(20):
        with open(f"{number}.bin", "wb") as file:
            file.write(b"x" * 5_000_000)
        written += 5
except OSError as error:
    print(error)
print("written:", written, "MB")
