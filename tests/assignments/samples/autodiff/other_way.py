"""Fully right in another way: Kahn's order, adjoints by id, operations composed of others, einsum."""

# %% Dual
class Dual:
    """A pair, whose rules are those of first-order expansions."""

    __array_ufunc__ = None

    def __init__(self, value, tangent):
        self.value = np.array(value, dtype=float)
        self.tangent = np.array(tangent, dtype=float)

    def _of(self, value, slope):
        return Dual(value, slope * self.tangent)

    def __add__(self, other):
        b = as_dual(other)
        value = np.add(self.value, b.value)
        return Dual(value, np.broadcast_to(self.tangent, value.shape) + b.tangent)

    def __sub__(self, other):
        return self + (-as_dual(other))

    def __neg__(self):
        return Dual(-self.value, -self.tangent)

    def __mul__(self, other):
        b = as_dual(other)
        return Dual(self.value * b.value, b.value * self.tangent + b.tangent * self.value)

    def __truediv__(self, other):
        b = as_dual(other)
        quotient = self.value / b.value
        return Dual(quotient, (self.tangent - quotient * b.tangent) / b.value)

    def __pow__(self, n):
        return self._of(np.power(self.value, n), n * np.power(self.value, n - 1))

    def __matmul__(self, other):
        b = as_dual(other)
        dot = np.matmul
        return Dual(dot(self.value, b.value), dot(self.tangent, b.value) + dot(self.value, b.tangent))

    def exp(self):
        return self._of(np.exp(self.value), np.exp(self.value))

    def log(self):
        return self._of(np.log(self.value), 1 / self.value)

    def tanh(self):
        return self._of(np.tanh(self.value), 1 / np.cosh(self.value) ** 2)

    def sum(self):
        return Dual(np.sum(self.value), np.sum(self.tangent))

    def __radd__(self, other):
        return self + other

    def __rsub__(self, other):
        return as_dual(other) - self

    def __rmul__(self, other):
        return self * other

    def __rtruediv__(self, other):
        return as_dual(other) / self

    def __rmatmul__(self, other):
        return as_dual(other) @ self


# %% jvp
def jvp(f, xs, vs):
    result = f(*map(Dual, xs, vs))
    if not isinstance(result, Dual):
        result = np.asarray(result, dtype=float)
        return result, np.zeros_like(result)
    return result.value, result.tangent


# %% topological_order
def topological_order(root):
    children, waiting = {root: 0}, [root]
    while waiting:
        for parent in waiting.pop().parents:
            if parent not in children:
                children[parent] = 0
                waiting.append(parent)
            children[parent] += 1
    order, ready = [], [root]
    while ready:
        node = ready.pop()
        order.append(node)
        for parent in node.parents:
            children[parent] -= 1
            if children[parent] == 0:
                ready.append(parent)
    return order[::-1]


# %% gradients
def gradients(root, inputs, seed=None):
    received = {}
    received[id(root)] = [as_var(np.ones(root.shape) if seed is None else seed)]
    total = {}
    for node in topological_order(root)[::-1]:
        parts = received[id(node)]
        total[id(node)] = parts[0]
        for part in parts[1:]:
            total[id(node)] = total[id(node)] + part
        for parent, vjp in zip(node.parents, node.vjps):
            received.setdefault(id(parent), []).append(vjp(total[id(node)]))
    return [total.get(id(x), Var(np.zeros(x.shape))) for x in inputs]


# %% sum_to
def sum_to(x, shape):
    while len(x.shape) > len(shape):
        x = reduce_sum(x, 0)
    for axis, length in enumerate(shape):
        if length == 1 and x.shape[axis] > 1:
            before = x.shape
            x = reshape(reduce_sum(x, axis), before[:axis] + (1,) + before[axis + 1 :])
    return x


# %% mul
def mul(a, b):
    if a.shape != b.shape:
        shape = np.broadcast_shapes(a.shape, b.shape)
        return mul(broadcast_to(a, shape), broadcast_to(b, shape))
    return Var(a.value * b.value, [a, b], [lambda g: mul(g, b), lambda g: mul(g, a)])


# %% tanh
def tanh(x):
    two = exp(mul(Var(2.0), x))
    return 1.0 - 2.0 * power(two + 1.0, -1.0)


# %% power
def power(x, n):
    def vjp(g):
        return g * n if n == 1 else g * (power(x, n - 1) * n)

    return Var(np.power(x.value, n), [x], [vjp])


# %% matmul
def matmul(a, b):
    value = np.einsum("ik,kj->ij", a.value, b.value)
    return Var(value, (a, b), (lambda g: matmul(g, transpose(b)), lambda g: matmul(transpose(a), g)))


# %% softplus
def softplus(x):
    value = np.maximum(x.value, 0) + np.log1p(np.exp(-np.abs(x.value)))
    return Var(value, [x], [lambda g: g * (0.5 + 0.5 * half_tanh(x))])


def half_tanh(x):
    out = Var(np.tanh(x.value / 2), [x], [lambda g: g * (1.0 - out * out) * 0.5])
    return out


# %% jacobian_forward
def jacobian_forward(f, x):
    x = np.asarray(x, dtype=float)
    jacobian = None
    for place in np.ndindex(x.shape):
        direction = np.zeros(x.shape)
        direction[place] = 1
        value, column = jvp(f, [x], [direction])
        if jacobian is None:
            jacobian = np.empty(value.shape + x.shape)
        jacobian[(...,) + place] = column
    return jacobian


# %% jacobian_reverse
def jacobian_reverse(f, x):
    x = Var(x)
    y = f(x)
    jacobian = np.empty(y.shape + x.shape)
    for place in np.ndindex(y.shape):
        seed = np.zeros(y.shape)
        seed[place] = 1
        jacobian[place] = gradients(y, [x], Var(seed))[0].value
    return jacobian


# %% hvp
def hvp(f, x, v):
    leaf, direction = Var(x), Var(v)
    slope = gradients(f(leaf), [leaf])[0]
    return gradients(slope, [leaf], direction)[0].value


# %% checkpointed_gradient
def checkpointed_gradient(layers, x, grad_out, every):
    def recompute(start, stop):
        held = [starts[start // every]]
        for i in range(start, stop - 1):
            held.append(layers[i].forward(held[-1]))
        return held

    starts = []
    for number, layer in enumerate(layers):
        if number % every == 0:
            starts.append(x)
        x = layer.forward(x)
    last = (len(layers) - 1) // every * every
    for start in range(last, -1, -every) if layers else ():
        stop = min(len(layers), start + every)
        held = recompute(start, stop)
        for i in range(stop - 1, start - 1, -1):
            grad_out = layers[i].backward(held[i - start], grad_out)
            del held[i - start]
        starts.pop()
    return x, grad_out
