"""The many ways to write a forbidden name, and what only looks like it."""

from __future__ import annotations

import pytest

from tests.helpers.cost import linear_time
from tests.rules.readings import LINEAR, SOFTMAX, found, read

IMPORTS = """
import importlib, builtins, functools, inspect, operator, sys
import numpy as np
import torch
import torch as t
import torch.nn.functional as F
from torch import nn
from torch.nn import functional as fun
"""

BROKEN = {
    "full name": "def f(x): return torch.nn.functional.softmax(x, 1)",
    "alias of the module": "def f(x): return F.softmax(x, 1)",
    "alias of a parent": "def f(x): return nn.functional.softmax(x, 1)",
    "alias by from-import": "def f(x): return fun.softmax(x, 1)",
    "the other torch": "def f(x): return t.softmax(x, 1)",
    "method": "def f(x): return x.softmax(1)",
    "method of an expression": "def f(x): return (x - x.max()).softmax(-1)",
    "method, unbound": "def f(x): return torch.Tensor.softmax(x, 1)",
    "method of a call": "def f(x): return torch.tensor(x).softmax(0)",
    "special": "def f(x): return torch.special.softmax(x, 1)",
    "layer": "def f(x): return nn.Softmax(dim=1)(x)",
    "layer kept": "class A(nn.Module):\n  def __init__(self): self.s = nn.Softmax(1)\nf = A()",
    "operator": "def f(x): return torch.ops.aten._softmax(x, 1, False)",
    "operator, overload": "def f(x): return torch.ops.aten._softmax.default(x, 1, False)",
    "composite operator": "def f(x): return torch.ops.aten.softmax(x, 1)",
    "inner module": "def f(x): return torch._C._VariableFunctions.softmax(x, 1)",
    "module within a module": "def f(x): return torch.nn.modules.activation.F.softmax(x, 1)",
    "import in the function": "def f(x):\n  from torch.nn.functional import softmax as s\n"
    "  return s(x, 1)",
    "import of the module in the function": "def f(x):\n  import torch.nn.functional as G\n"
    "  return G.softmax(x, 1)",
    "import itself": "from torch.nn.functional import softmax as f",
    "star import": "from torch.nn.functional import *\ndef f(x): return softmax(x, 1)",
    "star import itself": "from torch.nn.functional import *\nf = softmax",
    "import under condition": "try:\n  from torch import softmax as s\nexcept ImportError:\n"
    "  s = None\ndef f(x): return s(x, 1)",
    "assignment": "f = torch.softmax",
    "assignment of an alias": "s = torch.softmax\ndef f(x): return s(x, 1)",
    "local alias": "def f(x):\n  s = F.softmax\n  return s(x, 1)",
    "alias of a module": "G = torch.nn.functional\ndef f(x): return G.softmax(x, 1)",
    "unpacking": "G, H = torch, np\ndef f(x): return G.softmax(x, 1)",
    "walrus": "def f(x): return (G := torch).softmax(x, 1)",
    "condition": "def f(x): return (F if x is None else t).softmax(x, 1)",
    "default": "def f(x, s=F.softmax): return s(x, 1)",
    "default module": "def f(x, G=torch.nn.functional): return G.softmax(x, 1)",
    "parameter": "def h(G, x): return G.softmax(x, 1)\ndef f(x): return h(torch, x)",
    "parameter by keyword": "def h(x, *, G): return G.softmax(x, 1)\n"
    "def f(x): return h(x, G=torch)",
    "what a function returns": "def h(): return F\ndef f(x): return h().softmax(x, 1)",
    "helper": "def h(x): return F.softmax(x, 1)\ndef f(x): return h(x)",
    "helper of a helper": "def g(x): return h(x)\ndef h(x): return F.softmax(x, 1)\n"
    "def f(x): return g(x)",
    "lambda": "f = lambda x: F.softmax(x, 1)",
    "partial": "f = functools.partial(F.softmax, dim=1)",
    "decorator": "@functools.wraps(F.softmax)\ndef f(x): return f.__wrapped__(x, 1)",
    "list": "s = [np, F]\ndef f(x): return s[1].softmax(x, 1)",
    "dict": "s = {'a': F.softmax}\ndef f(x): return s['a'](x, 1)",
    "list filled later": "s = []\ns.append(F.softmax)\ndef f(x): return s[0](x, 1)",
    "dict filled later": "s = {}\ns['a'] = F.softmax\ndef f(x): return s['a'](x, 1)",
    "loop": "for G in (torch,):\n  s = G.softmax\ndef f(x): return s(x, 1)",
    "comprehension": "s = [G.softmax for G in (torch,)]\ndef f(x): return s[0](x, 1)",
    "global in a function": "def h():\n  global s\n  s = F.softmax\nh()\ndef f(x): return s(x, 1)",
    "globals()": "globals()['s'] = F.softmax\ndef f(x): return s(x, 1)",
    "globals() itself": "globals()['f'] = F.softmax",
    "globals().update": "globals().update(s=F.softmax)\ndef f(x): return s(x, 1)",
    "globals() read": "def f(x): return globals()['F'].softmax(x, 1)",
    "class attribute": "class f:\n  G = torch\n  def a(self, x): return self.G.softmax(x, 1)",
    "attribute of self": "class A:\n  def __init__(self): self.G = torch\n"
    "  def a(self, x): return self.G.softmax(x, 1)\nf = A()",
    "attribute of torch": "torch.mine = F.softmax\ndef f(x): return torch.mine(x, 1)",
    "setattr": "setattr(np, 'mine', F.softmax)\ndef f(x): return np.mine(x, 1)",
    "method put on later": "class f: pass\nf.a = lambda self, x: F.softmax(x, 1)",
    "code swapped": "def f(x): pass\nf.__wrapped__ = F.softmax",
    "getattr": "def f(x): return getattr(torch, 'softmax')(x, 1)",
    "getattr of a sum": "def f(x): return getattr(F, 'soft' + 'max')(x, 1)",
    "getattr of a name": "n = 'softmax'\ndef f(x): return getattr(F, n)(x, 1)",
    "getattr of a slice": "def f(x): return getattr(F, 'xamtfos'[::-1])(x, 1)",
    "getattr of a join": "def f(x): return getattr(F, ''.join(['soft', 'max']))(x, 1)",
    "getattr of a format": "def f(x): return getattr(F, '{}max'.format('soft'))(x, 1)",
    "getattr of an f-string": "n = 'max'\ndef f(x): return getattr(F, f'soft{n}')(x, 1)",
    "getattr of percent": "def f(x): return getattr(F, 'soft%s' % 'max')(x, 1)",
    "getattr of bytes": "def f(x): return getattr(F, b'softmax'.decode())(x, 1)",
    "getattr of lower": "def f(x): return getattr(F, 'SOFTMAX'.lower())(x, 1)",
    "getattr renamed": "g = getattr\ndef f(x): return g(F, 'softmax')(x, 1)",
    "getattr of builtins": "def f(x): return builtins.getattr(F, 'softmax')(x, 1)",
    "getattr of an unknown": "def f(x): return getattr(x, 'softmax')(1)",
    "getattr twice": "def f(x): return getattr(getattr(torch.nn, 'functional'), 'softmax')(x, 1)",
    "__getattribute__": "def f(x): return torch.__getattribute__('softmax')(x, 1)",
    "object.__getattribute__": "def f(x): return object.__getattribute__(torch, 'softmax')(x, 1)",
    "getattr_static": "def f(x): return inspect.getattr_static(torch, 'softmax')(x, 1)",
    "vars": "def f(x): return vars(torch)['softmax'](x, 1)",
    "__dict__": "def f(x): return torch.__dict__['softmax'](x, 1)",
    "__dict__.get": "def f(x): return F.__dict__.get('softmax')(x, 1)",
    "attrgetter": "def f(x): return operator.attrgetter('softmax')(torch)(x, 1)",
    "attrgetter, dotted": "def f(x): return operator.attrgetter('nn.functional.softmax')(t)(x)",
    "methodcaller": "def f(x): return operator.methodcaller('softmax', 1)(x)",
    "import_module": "def f(x): return importlib.import_module('torch.nn.functional').softmax(x)",
    "__import__": "def f(x): return __import__('torch').softmax(x, 1)",
    "sys.modules": "def f(x): return sys.modules['torch'].softmax(x, 1)",
    "eval": "def f(x): return eval('F.softmax')(x, 1)",
    "eval of a call": "def f(x): return eval('torch.softmax(x, 1)')",
    "exec": "def f(x):\n  exec('y = torch.softmax(x, 1)')\n  return y",
    "exec of an import": "exec('from torch import softmax as s')\ndef f(x): return s(x, 1)",
    "exec of a definition": "exec('def f(x): return F.softmax(x, 1)')",
    "exec in exec": "exec(\"exec('s = F.softmax')\")\ndef f(x): return s(x, 1)",
    "cell run by IPython": "get_ipython().run_cell('s = F.softmax')\ndef f(x): return s(x, 1)",
    "magic": "%time s = F.softmax\ndef f(x): return s(x, 1)",
    "cell magic": "%%time\ndef f(x): return F.softmax(x, 1)",
    "with a magic beside": "%matplotlib inline\n!ls\ndef f(x): return F.softmax(x, 1)",
    "what only IPython reads": "/print 1\ndef f(x): return F.softmax(x, 1)",
    "async": "async def f(x): return F.softmax(x, 1)",
    "nested function": "def f(x):\n  def inner(y): return F.softmax(y, 1)\n  return inner(x)",
    "in a class within": "class f:\n  class G:\n    def h(self, x): return F.softmax(x, 1)",
    "subclass": "class f(nn.Linear): pass",
    "subclass, lazy": "def f(x): return nn.LazyLinear(3)(x)",
    "class of layers": "def f(x): return torch.nn.modules.linear.Linear(2, 3)(x)",
    "class by type": "L = nn.Linear\nclass f(L): pass",
    "last definition counts": "def f(x): return x\ndef f(x): return F.softmax(x, 1)",
    "definition under condition": "def f(x): pass\nif True:\n  def f(x): return F.softmax(x, 1)",
}

KEPT = {
    "own mathematics": "def f(x): return x.exp() / x.exp().sum(1, keepdim=True)",
    "comment": "def f(x): return x  # not F.softmax(x, 1)",
    "docstring": 'def f(x):\n  """As torch.nn.functional.softmax(x) does."""\n  return x',
    "text": "def f(x): return 'torch.softmax'",
    "variable of that name": "def f(x):\n  softmax = x.exp()\n  return softmax / softmax.sum()",
    "argument of that name": "def f(x, softmax): return softmax(x)",
    "own function of that name": "def softmax(x): return x.exp()\ndef f(x): return softmax(x)",
    "own function after an import": "from torch import softmax\ndef softmax(x): return x.exp()\n"
    "def f(x): return softmax(x)",
    "own function after a star": "from torch.nn.functional import *\ndef softmax(x): return x\n"
    "def f(x): return softmax(x)",
    "own method": "class A:\n  def softmax(self, x): return x\n  def a(self, x):"
    " return self.softmax(x)\ndef f(x): return A().softmax(x)",
    "own function as attribute": "def mine(x): return x\nclass f:\n  def __init__(self):"
    " self.softmax = mine\n  def a(self, x): return self.softmax(x)",
    "own class of that name": "class Linear(nn.Module): pass\ndef f(x): return Linear()(x)",
    "key of that name": "def f(x): return {'softmax': x}['softmax']",
    "another library": "import scipy.special\ndef f(x): return scipy.special.softmax(x)",
    "another function": "def f(x): return F.log_softmax(x, 1)",
    "type hint": "def f(x: nn.Linear) -> nn.Softmax: return x",
    "isinstance": "def f(x): return isinstance(x, nn.Linear)",
    "hasattr": "def f(x): return hasattr(torch, 'softmax')",
    "alias of a module alone": "G = torch.nn.functional\ndef f(x): return G.relu(x)",
    "function of a forbidden layer": "def f(x, w): return F.linear(x, w)",
    "in another function": "def g(x): return F.softmax(x, 1)\ndef f(x): return x",
    "in a check of it": "def f(x): return x\nassert torch.equal(f(1), F.softmax(1))",
    "in a cell that checks": "def f(x): return x\nwanted = F.softmax(torch.ones(2, 2), 1)",
    "overwritten": "def f(x): return F.softmax(x, 1)\ndef f(x): return x",
    "in a broken cell": "def f(x): return F.softmax(x, 1",
    "loop over results": "s = []\nfor i in range(3):\n  s.append(i)\ndef f(x): return s",
}


@pytest.mark.parametrize("source", BROKEN.values(), ids=BROKEN.keys())
def test_forbidden_name_is_found(source: str) -> None:
    violations = found(IMPORTS, source, names=("f",))
    assert {b.rule for b in violations} <= {SOFTMAX, LINEAR}
    assert violations, source
    assert all(b.cell == 2 and b.text for b in violations)


@pytest.mark.parametrize("source", KEPT.values(), ids=KEPT.keys())
def test_what_only_looks_like_it_is_left_alone(source: str) -> None:
    assert not read(IMPORTS, source, names=("f",)).violations


@pytest.mark.parametrize(
    "source",
    {
        "getattr": "def f(x, n): return getattr(F, n)(x)",
        "eval": "def f(x, n): return eval(n)(x)",
        "exec": "def f(x, n):\n  exec(n)\n  return x",
        "handed on": "def f(x, n): return functools.reduce(getattr, n, torch)",
        "import": "def f(x, n): return __import__(n)",
    }.values(),
)
def test_what_can_not_be_told_is_left_to_a_person(source: str) -> None:
    (violation,) = read(IMPORTS, source, names=("f",)).violations
    assert violation.unclear
    assert not violation.charges
    assert (violation.cell, violation.line) in {(2, 1), (2, 2)}


def test_rule_on_a_module_leaves_what_it_imported_for_itself_alone() -> None:
    module = ("torch.nn.functional",)
    source = "def f(x): return torch.Tensor([1.0]) + torch.Tensor.exp(x)"
    assert not read(IMPORTS, source, forbid=module).violations
    assert found(IMPORTS, "def f(x): return torch.conv1d(x, x)", forbid=module)
    assert found(IMPORTS, "def f(x): return F.gelu(x)", forbid=module)


def test_getattr_on_something_that_holds_nothing_forbidden_is_clear() -> None:
    source = "class A: pass\ndef f(a, n): return getattr(np, n), getattr(A, n), getattr(a, n)"
    assert not read(IMPORTS, source, names=("f",)).violations


def test_cell_and_line_and_text_say_where() -> None:
    source = "\ndef f(x):\n    y = x\n    return F.softmax(y, 1)\n"
    (violation,) = found(IMPORTS, "1", source, names=("f",))
    assert (violation.cell, violation.line, violation.function) == (3, 4, "f")
    assert violation.text == "return F.softmax(y, 1)"
    assert "cell 3, line 4" in violation.sentence


def test_cell_that_is_too_long_is_left_to_a_person() -> None:
    (violation,) = read(IMPORTS, "#" * 200_001 + "\ndef f(x): return F.softmax(x)").violations
    assert "too long" in violation.unclear


@pytest.mark.parametrize("terms", [300, 3_000])
def test_nesting_without_end_is_left_to_a_person(terms: int) -> None:
    deep = "def f(x): return " + "+".join(["x"] * terms) + "\ndef g(x): return F.softmax(x)"
    violations = read(IMPORTS, deep, names=("f", "g")).violations
    assert violations
    assert all(b.unclear or b.line == 2 for b in violations)


def test_thousands_of_statements_are_read_in_seconds() -> None:
    cells = ["\n".join(f"def f{i}(x): return f{i + 1}(x)" for i in range(500))] * 8
    with linear_time():
        assert found(IMPORTS, *cells, "def f500(x): return F.softmax(x)", names=("f0",))
        assert not found(IMPORTS, *cells, "def f500(x): return x", names=("f0",))
