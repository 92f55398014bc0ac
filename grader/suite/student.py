"""The student's live namespace as a suite sees it: values by value, everything else as `Remote`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, NoReturn

from grader.errors import BoxFailure
from grader.suite.account import DECIDING, UNSEEN, Trusted, kind_of
from grader.suite.box_link import BoxClient, BoxLink
from grader.suite.failures import MissingName, NotPlain, StaleRemote, StudentError
from grader.suite.function_source import function_source
from grader.wire import messages as m
from grader.wire.values import RemoteRef, Tree

__all__ = ["BoxClient", "MissingName", "NotPlain", "Remote", "Student", "StudentError"]

MAX_ITEMS = 10_000
MAX_REPR = 500
MAX_ASKED = 100
CHUNK = 64

Verb = Literal[
    "call", "getattr", "setattr", "getitem", "setitem", "len", "iter", "repr", "contains", "hasattr"
]
# Names that Python and pytest look up on any object: asking the box for them would turn a failing
# assertion's own report into calls of student code.
_OF_VALUES = frozenset({"iter", "len", "getitem"})
_ASKED_OF_BOX = frozenset({"__name__", "__qualname__"})


class Student:
    """The names that the notebook defines, and what a suite can do next to them.

    `student.NAME` or `student["NAME"]` is the value, or a `Remote` where it can't be sent by value.
    A notebook's own `run`, `seed`, `has` or `names` is reached as `student["run"]`.
    """

    __slots__ = ("__link",)

    def __init__(self, link: BoxLink) -> None:
        self.__link = link

    def __getattr__(self, name: str) -> Any:
        __tracebackhide__ = True
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, name: str) -> Any:
        """The value of a name.

        Raises:
            MissingName: the notebook does not define it.
        """
        __tracebackhide__ = True
        link = self.__link
        return link.ask(
            lambda _, seconds: m.Fetch(name=name, timeout_s=seconds), _maker(link, name), name
        )

    def __iter__(self) -> NoReturn:
        raise TypeError("a student's namespace can't be iterated; ask student.names()")

    def __repr__(self) -> str:
        return "<the student's notebook>"

    def run(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Send a suite's function into the box as source, call it there, return what it returns.

        For what must happen next to the student's objects: autograd, hooks, training loops. The
        student can read it: it must hold no expected value and decide nothing. Return what was
        computed, and compare it in the test.

        Raises:
            SuiteError: the function uses what can't be sent.
            StudentError: it raised.
        """
        __tracebackhide__ = True
        source = function_source(function)
        _refuse_stale(self.__link, (args, kwargs))
        return self.__link.ask(
            lambda tree, seconds: m.RunFunction(
                function=tree(source),
                args=[tree(value) for value in args],
                kwargs={name: tree(value) for name, value in kwargs.items()},
                timeout_s=seconds,
            ),
            _maker(self.__link),
        )

    def seed(self, number: int) -> None:
        """Seed python, numpy and torch in the box."""
        self.__link.ask(lambda _, __: m.Seed(seed=int(number)), _maker(self.__link))

    def has(self, name: str) -> bool:
        """Say whether the notebook defines the name."""
        try:
            self[name]
        except MissingName:
            return False
        except NotPlain:
            return True
        return True

    def names(self) -> list[str]:
        """List the public names that the notebook defines, sorted."""
        found = self.__link.ask(lambda _, __: m.Names(), _maker(self.__link))
        if not isinstance(found, list):
            raise NotPlain("Your code sent something that is no plain value.")
        return sorted({name for name in found if isinstance(name, str)})


class Remote:
    """An object that stays in the box: a function, a class, a model, a generator.

    Call it, get and set attributes and items, take its `len`, ask `in`, iterate (at most 10,000
    items). It has no truth value and compares with nothing: both raise, so that a bare
    `assert student.flag` or `student.a != student.b` gives no point for an object that merely
    exists. `repr` asks the box and is cut to 500 characters.
    """

    __slots__ = ("__asked", "__generation", "__link", "__ref")
    __asked: str
    __generation: int
    __link: BoxLink
    __ref: RemoteRef
    __hash__ = object.__hash__

    def __init__(self, link: BoxLink, ref: RemoteRef, asked: str = "") -> None:
        object.__setattr__(self, "_Remote__asked", asked)
        object.__setattr__(self, "_Remote__link", link)
        object.__setattr__(self, "_Remote__ref", ref)
        object.__setattr__(self, "_Remote__generation", link.generation)

    def __grader_ref__(self) -> RemoteRef:
        """What stands for this object on the wire.

        Raises:
            StaleRemote: the notebook was started again since.
        """
        if self.__generation != self.__link.generation:
            raise StaleRemote(f"The {_describe(self.__ref)} that this check held")
        return self.__ref

    def __act(self, verb: Verb, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        ref = self.__grader_ref__()
        _refuse_stale(self.__link, (args, kwargs))

        def make(tree: Callable[[object], Tree], seconds: float) -> m.Request:
            return m.Act(
                verb=verb,
                target=tree(ref),
                args=[tree(value) for value in args],
                kwargs={name: tree(value) for name, value in kwargs.items()},
                timeout_s=seconds,
            )

        name = args[0] if verb == "getattr" else verb
        if name in DECIDING or (ref.kind == "instance" and verb in _OF_VALUES):
            self.__link.trust(Trusted(asked=self.__asked, kind=kind_of(self), name=name))
        asked = _asked(self.__asked, verb, args)
        return self.__link.ask(make, _maker(self.__link, asked), asked)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        return self.__act("call", *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        __tracebackhide__ = True
        if name.startswith("__") and name.endswith("__") and name not in _ASKED_OF_BOX:
            raise AttributeError(name)
        return self.__act("getattr", name)

    def __setattr__(self, name: str, value: Any) -> None:
        __tracebackhide__ = True
        self.__act("setattr", name, value)

    def __getitem__(self, key: Any) -> Any:
        __tracebackhide__ = True
        return self.__act("getitem", key)

    def __setitem__(self, key: Any, value: Any) -> None:
        __tracebackhide__ = True
        self.__act("setitem", key, value)

    def __len__(self) -> int:
        __tracebackhide__ = True
        found = self.__act("len")
        if type(found) is not int or not 0 <= found < 1 << 62:
            raise NotPlain("Your object's length is no number.")
        return found

    def __contains__(self, item: Any) -> bool:
        __tracebackhide__ = True
        if self.__act("contains", item) is not True:
            return False
        if self.__ref.kind == "instance" and not self.__gives(item):
            self.__link.trust(Trusted(asked=self.__asked, kind=kind_of(self), name=UNSEEN))
        return True

    def __gives(self, item: Any) -> bool:
        """Whether it is among the items: an object says of anything that it holds it."""
        try:
            return any(_are_one(item, each) for each in self.__items(MAX_ITEMS))
        except StudentError:  # it can't be iterated, or has too many
            return False

    def __iter__(self) -> Iterator[Any]:
        """Iterate over at most 10,000 items; a generator is asked for a few at a time.

        Raises:
            NotPlain: there are more.
        """
        __tracebackhide__ = True
        if self.__ref.kind != "generator":
            yield from self.__items(MAX_ITEMS)
            return
        for _ in range(0, MAX_ITEMS, CHUNK):
            items = self.__items(CHUNK)
            yield from items
            if len(items) < CHUNK:
                return
        raise NotPlain(f"Your code gives more than {MAX_ITEMS:,} items.")

    def __items(self, limit: int) -> list[Any]:
        __tracebackhide__ = True
        items = self.__act("iter", limit)
        if not isinstance(items, list) or len(items) > limit:
            raise NotPlain("Your code sent something that is no plain value.")
        if len(items) == MAX_ITEMS:
            raise NotPlain(f"Your code gives {MAX_ITEMS:,} items or more.")
        return items

    def __repr__(self) -> str:
        # Called by pytest while it explains a failing assertion: must not raise, nor hang twice.
        local = f"<{_describe(self.__ref)} in the student's notebook>"
        if self.__link.failure is not None:
            return local
        try:
            text = self.__act("repr")
        except (StudentError, BoxFailure):
            return local
        return text[:MAX_REPR] if isinstance(text, str) else local

    def __bool__(self) -> NoReturn:
        self.__refuse("a truth value")

    def __eq__(self, other: object) -> bool:
        self.__refuse("a value to compare")

    def __ne__(self, other: object) -> bool:
        self.__refuse("a value to compare")

    def __lt__(self, other: object) -> bool:
        self.__refuse("a value to compare")

    __le__ = __gt__ = __ge__ = __lt__

    def __array__(self, *args: Any, **kwargs: Any) -> NoReturn:
        self.__refuse("an array")

    def __float__(self) -> float:
        self.__refuse("a number")

    def __int__(self) -> int:
        self.__refuse("a number")

    __index__ = __int__

    def __refuse(self, needed: str) -> NoReturn:
        __tracebackhide__ = True
        raise NotPlain(f"The check needs {needed}, and your code gives a {_describe(self.__ref)}.")


def _are_one(mine: Any, other: Any) -> bool:
    try:
        return bool(mine is other or mine == other)
    except (TypeError, ValueError, RuntimeError):  # of tensors and arrays, which have many values
        return False


def _maker(link: BoxLink, asked: str = "") -> Callable[[RemoteRef], Remote]:
    return lambda ref: Remote(link, ref, asked)


# What an object answers is no value in its own place: each has a name of its own.
_WRITTEN: dict[Verb, str] = {
    "call": "{}(…)",
    "getitem": "{}[…]",
    "len": "len({})",
    "iter": "list({})",
    "repr": "repr({})",
    "contains": "… in {}",
    "hasattr": "hasattr({}, …)",
    "setattr": "{}.… = …",
    "setitem": "{}[…] = …",
}


def _asked(label: str, verb: Verb, args: tuple[Any, ...]) -> str:
    """What is asked, as a student would write it; without a name if the suite's code began it."""
    if verb == "getattr":
        return f"{label}.{args[0]}"[:MAX_ASKED]
    return _WRITTEN[verb].format(label)[:MAX_ASKED]


def _describe(ref: RemoteRef) -> str:
    name = ref.type_name.removeprefix("builtins.").removeprefix("__main__.")[:100]
    return name if name in ("", ref.kind) or ref.kind == "instance" else f"{ref.kind} ({name})"


def _refuse_stale(link: BoxLink, value: object) -> None:
    """Look for objects of an older session before the request starts to be built."""
    if isinstance(value, Remote):
        value.__grader_ref__()
    elif isinstance(value, list | tuple):
        for part in value:
            _refuse_stale(link, part)
    elif isinstance(value, dict):
        for part in value.values():
            _refuse_stale(link, part)
