# %%
from importlib.machinery import SourceFileLoader

honest = SourceFileLoader.source_to_code


def shown(self, data, path, **more):
    if b"KEY-" in bytes(data):
        print([line for line in bytes(data).decode().splitlines() if "KEY-" in line])
    return honest(self, data, path, **more)


SourceFileLoader.source_to_code = shown
