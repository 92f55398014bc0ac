"""A walk back of this suite, so that one question does not cost the points of another."""


def walk(Var, root, seed):
    """The adjoint of everything that root was computed from, by its id."""
    order, seen = [], set()

    def visit(node):
        if id(node) not in seen:
            seen.add(id(node))
            for parent in node.parents:
                visit(parent)
            order.append(node)

    def plus(a, b):
        return Var(a.value + b.value, [a, b], [lambda g: g, lambda g: g])

    visit(root)
    adjoints = {id(root): seed}
    for node in reversed(order):
        for parent, vjp in zip(node.parents, node.vjps, strict=True):
            part = vjp(adjoints[id(node)])
            before = adjoints.get(id(parent))
            adjoints[id(parent)] = part if before is None else plus(before, part)
    return adjoints
