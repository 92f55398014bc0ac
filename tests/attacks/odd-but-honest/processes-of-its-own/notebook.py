# %%
# !nproc
from torch.utils.data import DataLoader, TensorDataset

loader = DataLoader(TensorDataset(torch.ones(8)), batch_size=2, num_workers=2)
print("batches", len(list(loader)))
