# %%
import mmap

pieces = []
for number in range(30):
    pieces.append(mmap.mmap(-1, 64 << 20))
    pieces[-1].write(bytes(64 << 20))
    pieces[-1].madvise(mmap.MADV_DONTNEED)
print("held and not mapped:", 30 * 64, "MB", flush=True)
