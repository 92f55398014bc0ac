# %%
import time

from torch.utils.data import DataLoader, Dataset


class Slow(Dataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        time.sleep(1_000)


next(iter(DataLoader(Slow(), num_workers=2)))
