# %%
written = 0
try:
    for number in range(15):
        with open(f"/dev/shm/{number}.bin", "wb") as file:
            file.write(b"x" * 10_000_000)
        written += 10
except OSError as error:
    print(error)
print("shared:", written, "MB")
