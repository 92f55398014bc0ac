"""Every figure looks right, and yet a mistake stands in each question."""

# %% jvp
def jvp(f, xs, vs):
    out = f(*[Dual(x, v) for x, v in zip(xs, vs)])
    return out.value, out.tangent  # a constant has none


# %% topological_order
def topological_order(root):
    order, seen = [], set()

    def visit(node):  # as deep as the graph
        if node in seen:
            return
        seen.add(node)
        for parent in node.parents:
            visit(parent)
        order.append(node)

    visit(root)
    return order


# %% sum_to
def sum_to(x, shape):
    extra = x.value.ndim - len(shape)
    value = x.value.sum(axis=tuple(range(extra)))  # axes of length 1 are forgotten
    stretched = tuple(i for i, n in enumerate(shape) if n == 1)
    if stretched and value.shape != tuple(shape):
        value = value.mean(axis=stretched, keepdims=True)
    return Var(value, [x], [lambda g: broadcast_to(g, x.shape)])


# %% network_loss
def network_loss(params, x, y):
    hidden = (x @ params["w1"] + params["b1"]).tanh()
    scores = hidden @ params["w2"] + params["b2"]
    return (scores * -y[:, None]).softplus().sum()  # not the mean


# %% train
def train(params, x, y, steps, lr):
    losses = []
    for _ in range(steps):
        leaves = {name: Var(value) for name, value in params.items()}
        loss = network_loss(leaves, x, y)
        grads = gradients(loss, list(leaves.values()))
        for name, grad in zip(params, grads):
            params[name] = params[name] - lr / len(y) * grad.value  # in the caller's dict
        losses.append(float(loss.value) / len(y))
    return params, losses


# %% jacobian_forward
def jacobian_forward(f, x):
    columns = []
    for unit in np.eye(x.size):
        columns.append(jvp(f, [x], [unit.reshape(x.shape)])[1])
    return np.stack(columns).reshape(*columns[0].shape, *x.shape)  # columns come first


# %% jacobian_reverse
def jacobian_reverse(f, x):
    rows = []
    for unit in np.eye(f(Var(x)).value.size):
        leaf = Var(x)
        out = f(leaf)  # runs for each row
        rows.append(gradients(out, [leaf], unit.reshape(out.shape))[0].value)
    return np.stack(rows).reshape(*out.shape, *leaf.shape)


# %% largest_curvature
def largest_curvature(f, x, start, steps):
    v = start / np.linalg.norm(start)
    for _ in range(steps):
        product = hvp(f, x, v)
        size = np.linalg.norm(product)
        v = product / size
    return float(size)  # its sign is lost


# %% checkpointed_gradient
def checkpointed_gradient(layers, x, grad_out, every):
    inputs = [x]
    for layer in layers:
        inputs.append(layer.forward(inputs[-1]))  # keeps everything
    grad = grad_out
    for layer, given in zip(reversed(layers), reversed(inputs[:-1])):
        grad = layer.backward(given, grad)
    return inputs[-1], grad
