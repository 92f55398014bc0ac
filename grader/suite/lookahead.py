"""What of a notebook will not run where it is graded, by its source alone, before it is handed in.

A student's own machine has libraries, files, a network and a GPU that the sandbox is without. These
are signals for the student, and decide over nothing.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from importlib import metadata

from grader.course.spec import AssignmentSpec
from grader.sandbox.wheels import BOX_LIBRARIES
from grader.source.cells import read_cell

MAX_SOURCE = 400_000
"""Characters; what no honest notebook reaches is not read."""
_NAMED = 4

_NETWORK = re.compile(r"^\s*[!%]\s*(wget|curl|gdown|git\s+clone|kaggle)\b", re.M)
_WRITES = re.compile(r"^\s*%%(?:writefile|file)\s+(?:-a\s+)?([\w./-]+)\.py\s*$", re.M)
_ELSEWHERE = re.compile(r"(?:/content|/kaggle|/Users|/home/\w+)/|[A-Za-z]:[\\/]")
_CUDA = re.compile(r"cuda(?::\d+)?")
_COLAB = "google"
# Projects whose module has another name, where the project itself is not installed here.
_MODULES = {
    "scikit-learn": "sklearn",
    "scikit-image": "skimage",
    "pillow": "PIL",
    "pyyaml": "yaml",
    "beautifulsoup4": "bs4",
    "opencv-python": "cv2",
    "opencv-python-headless": "cv2",
    "torch-geometric": "torch_geometric",
    "pytorch-lightning": "pytorch_lightning",
}
_PROJECTS = {module: project for project, module in _MODULES.items()} | {"cv2": "opencv-python"}
_LOGS = frozenset({"wandb", "mlflow", "comet_ml", "neptune", "clearml"})
_SHOWS = frozenset({"tqdm", "torchsummary", "torchinfo", "torchviz", "tensorboard", "ipywidgets"})


def look_ahead(
    sources: Sequence[str], spec: AssignmentSpec, *, beside: Collection[str] = ()
) -> tuple[str, ...]:
    """Say what will not run in the sandbox, in sentences, each kind once with its cells.

    Args:
        sources: of each cell, as `ReadNotebook.sources`.
        spec: what the assignment gives.
        beside: names of files that lie beside the notebook, which it may import.
    """
    if sum(map(len, sources)) > MAX_SOURCE:
        return ()
    try:
        return tuple(_Looking(sources, spec, beside).said())
    except RecursionError:  # a source that is made to be too deep to be read
        return ()


class _Looking:
    def __init__(
        self, sources: Sequence[str], spec: AssignmentSpec, beside: Collection[str]
    ) -> None:
        self._sources = sources
        self._spec = spec
        self._trees = [read_cell(source).tree for source in sources]
        written = (match[1] for source in sources for match in _WRITES.finditer(source))
        self._own = {name.partition("/")[0].removesuffix(".py") for name in (*beside, *written)}

    def said(self) -> Iterator[str]:
        yield from self._imports()
        yield from self._calls()
        yield from self._paths()
        for word, cells in _by_kind(
            (match[1].split()[0], number)
            for number, source in enumerate(self._sources, 1)
            for match in _NETWORK.finditer(source)
        ).items():
            yield f"{_cells(cells, 'runs', 'run')} `!{word}`: there is no network"

    def _imports(self) -> Iterator[str]:
        found = _by_kind(
            (module, number)
            for number, tree in enumerate(self._trees, 1)
            for module in _imported(tree)
        )
        absent = [m for m in found if m not in self._own and not _is_there(m, self._spec)]
        for module in absent:
            where = f"{_cells(found[module], 'imports', 'import')} `{module}`"
            if module in _LOGS:
                yield f"{where}: it logs over the network, but the sandbox has none; remove it"
                continue
            advice = "leave it out, or ask" if module in _SHOWS else "ask"
            project = _PROJECTS.get(module, module)
            yield (
                f"{where}, which this assignment does not give; {advice} the course staff for it "
                f'(libraries = ["{project}"])'
            )

    def _calls(self) -> Iterator[str]:
        kinds = _by_kind(
            (kind, number)
            for number, tree in enumerate(self._trees, 1)
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and (kind := _kind(node))
        )
        if cells := kinds.get("mount"):
            yield f"{_cells(cells, 'mounts', 'mount')} Google Drive: nothing lies there"
        if cells := kinds.get("upload"):
            yield f"{_cells(cells, 'asks', 'ask')} for an upload: nothing comes"
        if cells := kinds.get("input"):
            yield f"{_cells(cells, 'waits', 'wait')} for input: nobody can type any"
        cells = kinds.get("compile", [])
        if cells and not _COMPILERS.intersection(self._spec.box.packages):
            yield (
                f"{_cells(cells, 'calls', 'call')} `torch.compile`, which needs a C++ compiler; "
                'there may be none: `backend="eager"` needs none, or ask the course staff for one '
                '(packages = ["g++"])'
            )
        cells = kinds.get("cuda", [])
        resources = self._spec.resources
        asks = any("is_available" in source for source in self._sources)
        if cells and not (asks or resources.gpu is True or resources.cuda_as_cpu):
            yield (
                f"{_cells(cells, 'uses', 'use')} a GPU without asking "
                "`torch.cuda.is_available()`: there is none"
            )

    def _paths(self) -> Iterator[str]:
        found = _by_kind(
            (match[0], number)
            for number, tree in enumerate(self._trees, 1)
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
            if (match := _ELSEWHERE.match(node.value))
        )
        for start, cells in found.items():
            yield (
                f"{_cells(cells, 'names', 'name')} a file below `{start}`, which is not there; "
                "name it from the notebook's own folder, such as `data/…`"
            )


_COMPILERS = frozenset({"g++", "build-essential"})


def _kind(call: ast.Call) -> str:
    """What a call asks for that the sandbox does not have."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    base = call.func.value if isinstance(call.func, ast.Attribute) else None
    of = base.id if isinstance(base, ast.Name) else ""
    if isinstance(call.func, ast.Name) and call.func.id == "input":
        return "input"
    if (of, name) == ("drive", "mount"):
        return "mount"
    if (of, name) == ("files", "upload"):
        return "upload"
    if (of, name) == ("torch", "compile"):
        return "" if any(keyword.arg == "backend" for keyword in call.keywords) else "compile"
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    texts = (node.value for node in given if isinstance(node, ast.Constant))
    named = any(isinstance(text, str) and _CUDA.fullmatch(text) for text in texts)
    return "cuda" if name == "cuda" or named else ""


def _imported(tree: ast.Module) -> Iterator[str]:
    """The modules that a cell imports and can't do without: not those that it tries."""
    tried = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.Try) and node.handlers
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if id(node) in tried:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def _is_there(module: str, spec: AssignmentSpec) -> bool:
    if module in sys.stdlib_module_names or module in {*BOX_LIBRARIES, "IPython", _COLAB}:
        return True
    return module in _given(tuple(spec.box.libraries))


@cache
def _given(libraries: tuple[str, ...]) -> frozenset[str]:
    """The modules of the box's libraries, and of all that they need, as far as it is known here."""
    owners = metadata.packages_distributions()
    modules: dict[str, set[str]] = {}
    for module, projects in owners.items():
        for project in projects:
            modules.setdefault(_plain(project), set()).add(module)
    waiting = [_plain(name) for name in (*BOX_LIBRARIES, *map(_project, libraries))]
    seen: set[str] = set()
    found: set[str] = set()
    while waiting:
        project = waiting.pop()
        if project in seen:
            continue
        seen.add(project)
        guess = _MODULES.get(project, project.replace("-", "_"))
        found |= modules.get(project, {guess})
        try:
            needs = metadata.requires(project) or []
        except metadata.PackageNotFoundError:
            continue
        waiting += [_plain(_project(need)) for need in needs if "extra ==" not in need]
    return frozenset(found)


def _project(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", requirement)
    return match[0] if match else requirement


def _plain(project: str) -> str:
    return re.sub(r"[-_.]+", "-", project).lower()


def _by_kind(found: Iterator[tuple[str, int]]) -> dict[str, list[int]]:
    kinds: dict[str, list[int]] = {}
    for kind, number in found:
        cells = kinds.setdefault(kind, [])
        if number not in cells:
            cells.append(number)
    return kinds


def _cells(numbers: Sequence[int], one: str, several: str) -> str:
    if len(numbers) == 1:
        return f"cell {numbers[0]} {one}"
    named = ", ".join(map(str, numbers[:_NAMED]))
    return f"cells {named}{', …' if numbers[_NAMED:] else ''} {several}"
