# %%
first_accuracy = accuracy


def accuracy(logits, labels):
    print("shapes:", logits.shape, labels.shape)
    return first_accuracy(logits, labels)


print("here we go")
