"""Which parts of a test need the student's objects themselves, and not copies of their values."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence

from grader.conversion.live import dotted
from grader.conversion.scope import DraftNames
from grader.conversion.source_text import Chunk
from grader.source.names import bound, taken, taken_names

_AUTOGRAD = frozenset(
    {
        *("grad", "backward", "grad_fn", "is_leaf", "retain_grad", "register_hook"),
        *("register_forward_hook", "register_full_backward_hook", "zero_grad"),
    }
)
_BESIDE = (
    *("torch.autograd.", "torch.func.", "torch.optim.", "torch.nn.utils."),
    # What a notebook reads lies beside it, in the box.
    *("numpy.load", "numpy.genfromtxt", "numpy.fromfile", "pandas.read_", "torch.load"),
)
OF_CLASSES = frozenset({"isinstance", "issubclass", "callable"})
# What an object of a class of the student's is asked for by its own methods, which stay with it.
_BY_THE_OBJECT = frozenset(
    {
        *("str", "repr", "format", "hash", "bool", "int", "float", "complex", "abs", "round"),
        *("sorted", "sum", "min", "max", "reversed", "divmod", "pow", "next"),
    }
)
# What is told of an object itself, and would be told of its copy or of what stands for it here.
_OF_THE_OBJECT = frozenset({"dir", "id"})
# Kinds of which a value that has crossed is still one.
_PLAIN_KINDS = ("numpy.", "pandas.", "numbers.")
_PLAIN_TYPES = frozenset(
    {
        *("bool", "int", "float", "complex", "str", "bytes", "list", "tuple", "dict", "set"),
        *("frozenset", "range", "slice", "object", "torch.Tensor", "torch.Size", "torch.dtype"),
        *("torch.device", "np.ndarray", "np.number", "np.integer", "np.floating"),
    }
)
_KINDS_OF_OBJECTS = ("torch.", "types.", "collections.", "typing.", "functools.", "itertools.")
_COPIES = frozenset({"clone", "copy", "deepcopy"})
# What a module has that is a value: a number, a type of numbers.
_VALUES = re.compile(
    r"pi|e|tau|inf|nan|newaxis|euler_gamma|bool_?|half|float|double|short|int|long|strided"
    r"|(?:u?int|b?float|complex)\d+"
)
_OF_ARRAYS = frozenset({"dtype", "device", "layout"})
_DISPLAYS = (ast.Tuple, ast.List, ast.Set)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp)


class Needs:
    """Which expressions of a test need the student's objects themselves, and not their values."""

    def __init__(self, scope: DraftNames, local: set[str]) -> None:
        self._scope = scope
        self._local = local
        self._theirs: set[str] = set()
        self._instances: set[str] = set()
        self._modules: set[str] = set()
        self._functions: set[str] = set()
        self._copied: set[str] = set()
        self.changed: set[str] = set()

    def touches(self, statement: ast.stmt) -> bool:
        """Say whether a statement has anything to do with the student's objects."""
        return (
            self._has_feature(statement)
            or self._uses_theirs(statement)
            or bool(bound(statement) & (self._modules | self._functions))
        )

    def box(self, statement: ast.stmt) -> bool:
        """Say whether a statement needs the box; to be asked in the order of the source."""
        return self._follow(statement) or self._only_changes(statement)

    def _follow(self, statement: ast.stmt, *, in_block: bool = False) -> bool:
        """Learn what a statement binds, block by block; say whether it needs the box."""
        needed = self._has_feature(statement)
        self._learn(statement, in_block=in_block)
        # Again for a loop: what its end binds, its beginning meets the next time.
        for _ in range(2 if isinstance(statement, ast.For | ast.While) else 1):
            for inner in _blocks(statement):
                needed |= self._follow(inner, in_block=True)
        return needed

    def beginning(self, chunks: Sequence[Chunk], marked: Sequence[int]) -> int:
        """Go back to where what the marked statements work on came from the student's code.

        A value that has crossed to the judge is a copy: it has no gradient to send back.
        """
        first = marked[0]
        wanted = {n for index in marked for n in taken_names(chunks[index].statement)}
        for index in range(marked[0] - 1, -1, -1):
            statement = chunks[index].statement
            if isinstance(statement, ast.Assert) or not bound(statement) & wanted:
                continue
            made_there = bound(statement) & (self._modules | self._functions)
            if made_there or any(map(self._is_their_call, _expressions(statement))):
                first = index
                wanted |= taken_names(statement)
        return first

    def _only_changes(self, statement: ast.stmt) -> bool:
        """Whether it calls the student's code for what that does to a value of the test's."""
        if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
            return False
        if not self._is_their_call(statement.value):
            return False
        names = {a.id for a in _arguments(statement.value) if isinstance(a, ast.Name)}
        given = names & (self._local - self._theirs)
        self.changed |= given
        return bool(given)

    def parts(self, node: ast.AST, *, calls: bool) -> Iterator[ast.expr]:
        """Yield the largest parts of an assertion that must be evaluated in the box.

        Args:
            node: what is asserted.
            calls: also what calls the student's objects, for those may change later on.
        """
        inner: Iterable[ast.AST] = ast.iter_child_nodes(node)
        match node:
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() if self._has_feature(node):
                yield node
                return
            case ast.expr() if not isinstance(node, COMPREHENSIONS) and (
                self._is_feature(node) or (calls and self._is_their_call(node))
            ):
                yield node
                return
            case ast.Attribute(value=value) if self._is_feature(value):
                yield node  # x.grad.shape
                return
            case ast.Call(func=ast.Attribute(value=value)):
                # x.grad.tolist(): the gradient is handed out, and the judge calls its method
                inner = [value, *_arguments(node)]
        for child in inner:
            yield from self.parts(child, calls=calls)

    def _has_feature(self, root: ast.AST) -> bool:
        return any(map(self._is_feature, ast.walk(root)))

    def _is_feature(self, node: ast.AST) -> bool:
        match node:
            case ast.Attribute(value=value, attr="__name__" | "__qualname__"):
                return _asked_type(value) is not None and self._is_object(value)
            case ast.Attribute(attr=attr):
                return attr in _AUTOGRAD
            case ast.Compare(left=left, comparators=others):
                return (
                    self._asks_for_type(node)
                    or self._asks_for_identity(node)
                    or self._asks_for_function(node)
                    or any(map(self.is_instance, (left, *others)))
                )
            case ast.BinOp(left=left, right=right):
                return self.is_instance(left) or self.is_instance(right)
            case ast.UnaryOp(operand=value) | ast.AugAssign(target=value):
                return self.is_instance(value)
            case ast.Delete(targets=targets):
                return any(isinstance(t, ast.Subscript) and self._is_theirs(t) for t in targets)
            case ast.With(items=items):
                return any(self._is_theirs(item.context_expr) for item in items)
            case ast.JoinedStr(values=values):
                return any(self._is_object(getattr(part, "value", part)) for part in values)
            case ast.Call():
                return self._is_feature_call(node)
        return False

    def _is_feature_call(self, node: ast.Call) -> bool:
        name = self._scope.resolved(node.func, self._local)
        if name == "next" and "next" not in self._local:
            return any(map(self._is_theirs, node.args))
        if name in _BY_THE_OBJECT and any(map(self._is_object, node.args)):
            return True
        if name in _OF_THE_OBJECT:
            return any(map(self._uses_theirs, node.args))
        if name in OF_CLASSES:
            return name == "callable" or self._asks_for_their_class(node)
        if name == "copy.deepcopy":
            return any(map(self._is_theirs, node.args))
        return name.startswith(_BESIDE) or (
            self._is_their_call(node) and any(map(self._must_be_made_there, _arguments(node)))
        )

    def _is_object(self, node: object) -> bool:
        """Whether it is an object of a class of the student's, or the type of what they return."""
        if not isinstance(node, ast.expr):
            return False
        asked = _asked_type(node)
        return self.is_instance(node) or (asked is not None and self._uses_theirs(asked))

    def _asks_for_their_class(self, call: ast.Call) -> bool:
        if len(call.args) != 2:
            return False
        kinds = call.args[1].elts if isinstance(call.args[1], ast.Tuple) else [call.args[1]]
        return any(not self._is_plain_kind(kind) for kind in kinds)

    def _asks_for_type(self, compared: ast.Compare) -> bool:
        """Say whether it is about the exact type of something that keeps its type in the box."""
        sides = [compared.left, *compared.comparators]
        asked = [side for side in sides if _asked_type(side) is not None]
        if not any(self._uses_theirs(side) for side in asked):
            return False
        kinds = [
            kind
            for side in sides
            if _asked_type(side) is None
            for kind in (side.elts if isinstance(side, ast.Tuple | ast.List) else [side])
        ]
        return any(not self._is_plain_kind(kind) for kind in kinds)

    def _asks_for_identity(self, compared: ast.Compare) -> bool:
        """Say whether it is about two names of one object, which a copy never is."""
        sides = [compared.left, *compared.comparators]
        return (
            any(isinstance(op, ast.Is | ast.IsNot) for op in compared.ops)
            and not any(isinstance(side, ast.Constant) or _asked_type(side) for side in sides)
            and any(map(self._uses_theirs, sides))
        )

    def _asks_for_function(self, compared: ast.Compare) -> bool:
        """Say whether something of the student's is compared with a function or class.

        It is that very object only in the box: what stands for it here equals none.
        """
        sides = [
            side
            for whole in (compared.left, *compared.comparators)
            for side in (whole.elts if isinstance(whole, _DISPLAYS) else [whole])
        ]
        asked = [side for side in sides if getattr(side, "attr", "") not in _OF_ARRAYS]
        return (
            any(isinstance(op, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for op in compared.ops)
            and any(map(self._is_function, sides))
            and any(self._uses_theirs(side) and not _asked_type(side) for side in asked)
        )

    def _is_function(self, node: ast.expr) -> bool:
        """Whether it is named as a function or class: one of the notebook, or of a module."""
        name = self._scope.resolved(node, self._local)
        root = dotted(node).partition(".")[0]
        if not root or root in self._local:
            return False
        if isinstance(node, ast.Name) and self._scope.is_defined(node.id):
            return True
        last = name.rpartition(".")[2]
        is_value = last.isupper() or _VALUES.fullmatch(last)
        return self._scope.home(root) == "import" and "." in name and not is_value

    def _is_plain_kind(self, kind: ast.expr) -> bool:
        name = self._scope.resolved(kind, self._local)
        if isinstance(kind, ast.Constant) or dotted(kind) in _PLAIN_TYPES or name in _PLAIN_TYPES:
            return True
        if not name or self._is_theirs(kind):
            # `type(None)`, or a class of the student's.
            return _asked_type(kind) is not None
        return name.startswith(_PLAIN_KINDS) or not name.startswith(_KINDS_OF_OBJECTS)

    def is_instance(self, node: ast.expr) -> bool:
        """Whether it is an object of a class that the student writes."""
        if isinstance(node, ast.Name):
            return node.id in self._instances
        if isinstance(node, ast.BinOp):
            return self.is_instance(node.left) or self.is_instance(node.right)
        return isinstance(node, ast.Call) and self._makes_instance(node)

    def _makes_instance(self, call: ast.Call) -> bool:
        if not isinstance(call.func, ast.Name) or call.func.id in self._local:
            return False
        found = self._scope.definitions(call.func.id)
        return bool(found) and isinstance(found[-1].statement, ast.ClassDef)

    def _must_be_made_there(self, argument: ast.expr) -> bool:
        """A network, a function that uses the student's names, a value that is compared later."""
        for node in ast.walk(argument):
            if isinstance(node, ast.Call) and self._makes_module(node):
                return True
            if isinstance(node, ast.Lambda) and self._uses_theirs(node):
                return True
        if not isinstance(argument, ast.Name):
            return False
        if argument.id in self._copied:
            self.changed.add(argument.id)
        return argument.id in self._modules | self._functions | self._copied

    def _makes_module(self, call: ast.Call) -> bool:
        name = self._scope.resolved(call.func, self._local)
        return name.startswith("torch.nn.") and name.rpartition(".")[2][:1].isupper()

    def _is_their_call(self, node: ast.AST) -> bool:
        return isinstance(node, ast.Call) and self._is_theirs(node.func)

    def _is_theirs(self, node: ast.expr) -> bool:
        while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
            node = node.func if isinstance(node, ast.Call) else node.value
        if not isinstance(node, ast.Name):
            return False
        if node.id in self._local:
            return node.id in self._theirs
        return self._scope.home(node.id) in ("student", "unknown")

    def _uses_theirs(self, node: ast.AST) -> bool:
        return any(self._is_theirs(name) for name in taken(node))

    def _learn(self, statement: ast.stmt, *, in_block: bool) -> None:
        """Follow what the test's own names hold; of a block what its first line binds."""
        if isinstance(statement, ast.FunctionDef):
            if self._uses_theirs(statement):
                self._functions.add(statement.name)
            return
        for names, value in _bindings(statement):
            self._learn_value(names, value)
            for node in ast.walk(value):
                if not isinstance(node, ast.Call) or not _is_copy(node):
                    continue
                # A block that asserts can't run in the box: there a copy counts if it is kept.
                if in_block and node is not value:
                    continue
                sources = [*node.args, getattr(node.func, "value", None)]
                self._copied |= {s.id for s in sources if isinstance(s, ast.Name)}

    def _learn_value(self, names: set[str], value: ast.expr) -> None:
        if any(self._is_their_call(n) or self._is_theirs(n) for n in _expressions(value)):
            self._theirs |= names
        if self.is_instance(value):
            self._instances |= names
        if any(isinstance(n, ast.Call) and self._makes_module(n) for n in ast.walk(value)):
            self._modules |= names
        if isinstance(value, ast.Lambda) and self._uses_theirs(value):
            self._functions |= names


def shown_instances(
    statements: Sequence[ast.stmt], scope: DraftNames, local: set[str]
) -> Iterator[int]:
    """Yield the lines where `shown(…)` is asked about an object of a class of the student's."""
    needs = Needs(scope, local)
    for statement in statements:
        needs.box(statement)
        for node in ast.walk(statement):
            shows = isinstance(node, ast.Call) and dotted(node.func) == "shown"
            if isinstance(node, ast.Call) and shows and any(map(needs.is_instance, node.args)):
                yield node.lineno


def _asked_type(node: ast.expr) -> ast.expr | None:
    """What `type(…)` or `….__class__` asks the type of."""
    if isinstance(node, ast.Call) and dotted(node.func) == "type" and len(node.args) == 1:
        return node.args[0]
    if isinstance(node, ast.Attribute) and node.attr == "__class__":
        return node.value
    return None


def _bindings(statement: ast.stmt) -> Iterator[tuple[set[str], ast.expr]]:
    """The names that a statement binds to each value; of a block those of its first line."""
    if isinstance(statement, ast.With):
        for item in statement.items:
            yield bound(item.optional_vars) if item.optional_vars else set(), item.context_expr
    elif isinstance(statement, ast.For):
        yield bound(statement.target), statement.iter
    elif isinstance(statement, ast.If | ast.While):
        yield bound(statement.test), statement.test
    elif isinstance(statement, ast.Match):
        patterns = (bound(case.pattern) for case in statement.cases)
        yield set().union(*patterns), statement.subject
    else:
        value = getattr(statement, "value", None)
        if isinstance(value, ast.expr):
            yield bound(statement), value


def _blocks(statement: ast.stmt) -> Iterator[ast.stmt]:
    """The statements of a loop's, a condition's and such bodies; a definition has its own names."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return
    for part in ast.iter_child_nodes(statement):
        if isinstance(part, ast.stmt):
            yield part
        elif isinstance(part, ast.ExceptHandler | ast.match_case):
            yield from part.body


def _is_copy(call: ast.Call) -> bool:
    return dotted(call.func).rpartition(".")[2] in _COPIES


def _arguments(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def _expressions(node: ast.AST) -> Iterator[ast.expr]:
    return (part for part in ast.walk(node) if isinstance(part, ast.expr))
