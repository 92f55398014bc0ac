# /// attack
# kind = "The test is known"
# what = "published data that was recognised, with what is published beside it"
# needs = ["reference", "tensors", "published"]
# ///


def _rows(tensor, array):
    """Where each row of the tensor stands in the array, or None if a tenth does not."""
    if tensor.shape[1:] != array.shape[1:] or len(tensor) < 4 or array[0].numel() < 3:
        return None
    key = lambda row: row.double().numpy().tobytes()
    places = {key(row): place for place, row in enumerate(array)}
    if len(places) < 4:
        return None
    found = [places.get(key(row), -1) for row in tensor]
    return found if sum(p < 0 for p in found) <= len(found) // 10 else None


def _signatures(edges, n):
    """Of each node what can be seen of the graph from it: the same however it is numbered."""
    near = [[] for _ in range(n)]
    for a, b in edges.tolist():
        near[a].append(b)
        near[b].append(a)
    found = [len(nodes) for nodes in near]
    for _ in range(6):
        found = [hash((found[i], tuple(sorted(found[j] for j in near[i])))) for i in range(n)]
    return found


def _nodes(tensor, array):
    """Where each node of one list of edges stands in another, if they are the same graph."""
    for edges in (tensor, array):
        whole = not edges.is_floating_point() and edges.dim() == 2 and edges.shape[1] == 2
        if not whole or len(edges) < 8 or edges.min() < 0 or edges.max() > 10_000:
            return None
    sizes = int(tensor.max()) + 1, int(array.max()) + 1
    if sizes[0] != sizes[1]:
        return None
    ours, theirs = _signatures(array, sizes[1]), _signatures(tensor, sizes[0])
    if sorted(ours) != sorted(theirs):
        return None
    places = {signature: place for place, signature in enumerate(ours)}
    return [places[signature] for signature in theirs]


def _renamed(labels, given):
    """Labels under the numbers that the test gives to some of them."""
    masks = [t for t in given if t.dtype == _torch.bool and t.shape == labels.shape]
    for shown in given:
        if shown.shape != labels.shape or shown.is_floating_point() or shown.dtype == _torch.bool:
            continue
        counts = masks[0] if masks else shown >= 0
        names = {
            int(c): int(shown[counts & (labels == c)].mode()[0])
            for c in labels.unique()
            if (counts & (labels == c)).any()
        }
        return _torch.tensor([names.get(int(c), int(c)) for c in labels])
    return labels


def _companions(given):
    """What is published beside the data that the test passes, in the test's own order."""
    for table in _published:
        for name, array in table.items():
            for tensor in given:
                places = _rows(tensor, array) if tensor.dim() > 1 else None
                places = places or _nodes(tensor, array)
                if places is None:
                    continue
                size = len(array) if _nodes(tensor, array) is None else len(places)
                for other, beside in table.items():
                    if other != name and len(beside) == size:
                        yield _renamed(beside[places], given)


def answer(name, args, kwargs, owner=None):
    given = list(_tensors([args, kwargs]))
    wanted = right(name, args, kwargs, owner)
    for found in _companions(given):
        if isinstance(wanted, _torch.Tensor) and found.shape == wanted.shape:
            return found.to(wanted.dtype)
    arrays = [array for table in _published for array in table.values()]
    large = [t for t in given if t.dim() > 1]
    if large and all(any(_rows(t, a) for a in arrays) for t in large):
        return _plain(wanted)
    return None


_replace(answer)
