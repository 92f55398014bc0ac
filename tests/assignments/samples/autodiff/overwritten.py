"""Adjoints overwrite each other where a variable was used several times; checkpoints are right."""

# %% gradients
def gradients(root, inputs, seed=None):
    adjoints = {root: as_var(np.ones(root.shape) if seed is None else seed)}
    for node in reversed(topological_order(root)):
        for parent, vjp in zip(node.parents, node.vjps):
            adjoints[parent] = vjp(adjoints[node])
    return [adjoints[x] if x in adjoints else Var(np.zeros(x.shape)) for x in inputs]
