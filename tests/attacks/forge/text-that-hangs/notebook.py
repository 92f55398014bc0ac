# %%
class Endless:
    def __repr__(self):
        while True:
            pass

    def __eq__(self, other):
        return False


def accuracy(logits, labels):
    return Endless()
