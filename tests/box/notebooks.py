"""The cells that `test_conformance` runs through a kernel and through the box."""

from __future__ import annotations

NOTEBOOKS: dict[str, list[str]] = {
    "prints": [
        "print('a')\nprint('b', end='')\nprint(1, 2, sep='-')",
        "print()",
        "print('')",
        "print('', end='')",
    ],
    "expressions": [
        "1 + 1",
        "1 + 1;",
        "None",
        "x = 5\nx",
        "'text'",
        "[1, 2]\n3",
        "if True:\n    7",
        "x;  # comment",
        "print('p'); 4",
        "{'a': [1]*40, 'b': list(range(30))}",
        "3  # c;",
    ],
    "streams": [
        "import sys\nprint('out')\nprint('err', file=sys.stderr)",
        "sys.stdout.write('x')",
        "sys.stderr.write('x');",
        "sys.stdout.writelines(['a', 'b'])",
        "print('a', flush=True)\nprint('b', file=sys.stderr, flush=True)\nprint('c', flush=True)",
    ],
    "interleaved": [
        "import sys\nfor i in range(3):\n    print('o', i)\n    print('e', i, file=sys.stderr)",
    ],
    "display": [
        "display(1, 'two', [3])",
        "from IPython.display import HTML, Markdown, Latex, JSON, SVG, Image\nHTML('<b>x</b>')",
        "display(HTML('a'), Markdown('*b*'))\nLatex('$x$')",
        "JSON({'a': 1})",
        "SVG('<svg xmlns=\"http://www.w3.org/2000/svg\"></svg>')",
        "display({'text/plain': 'raw', 'text/html': '<i>'}, raw=True)",
        "print('a'); display(1); print('b'); display(2)",
        "display()",
        "display(HTML('m', metadata={'isolated': True}))",
    ],
    "rich representations": [
        "class H:\n    def _repr_html_(self): return '<b>h</b>'\nH()",
        "class B:\n"
        "    def _repr_html_(self): return '<b>h</b>'\n"
        "    def __repr__(self): raise ValueError('no repr')\n"
        "B()",
        "class M:\n"
        "    def _repr_mimebundle_(self, include=None, exclude=None): return {\n"
        "        'text/plain': 'mime', 'application/x-own+json': {'k': [1]}}\n"
        "M()",
        "class L:\n"
        "    def _repr_latex_(self): return '$a$'\n"
        "    def _repr_markdown_(self): return '*a*'\n"
        "    def _repr_json_(self): return {'a': 1}\n"
        "L()",
        "class Meta:\n    def _repr_html_(self): return '<b>', {'w': 3}\nMeta()",
        "class R:\n    def __repr__(self): return 'multi\\nline'\nR()",
        "class E:\n"
        "    def _repr_html_(self): raise ValueError('bad html')\n"
        "    def __repr__(self): return 'ok'\n"
        "E()",
        "class D:\n    def _ipython_display_(self): print('self shown')\nD()",
        "class N:\n    def __repr__(self): return None\nN()",
    ],
    "pictures": [
        "import base64\n"
        "png = base64.b64decode('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+'\n"
        "                       'M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==')\n"
        "class P:\n"
        "    def _repr_png_(self): return png\n"
        "P()",
        "from IPython.display import Image\nImage(png)",
        "display(Image(png, width=20))",
        "class PM:\n    def _repr_png_(self): return png, {'width': 3}\nPM()",
    ],
    "updated displays": [
        "h = display('first', display_id=True)\nprint('x')",
        "h.update('second')",
        "display(1, display_id='own')\ndisplay(2, display_id='own')",
        "from IPython.display import update_display\nupdate_display('new', display_id='own')",
        "update_display('nowhere', display_id='unknown')",
        "h",
        "h2 = display(display_id=True)\n"
        "h2.display('a')\n"
        "h2.update('b')\n"
        "display('c', display_id='own', update=True)",
    ],
    "cleared outputs": [
        "from IPython.display import clear_output\nprint('a'); clear_output(); print('b')",
        "print('a'); clear_output(wait=True); print('b')",
        "print('a'); clear_output(wait=True)",
        "print('a'); clear_output()",
        "for i in range(3):\n    clear_output(wait=True)\n    print(i)\n    display(i)",
        "display(1); clear_output(wait=True); 5",
        "import sys\nprint('a', flush=True); clear_output(wait=True); print('e', file=sys.stderr)",
        "display('x', display_id='cl'); clear_output(); print('k')",
        "from IPython.display import update_display\nupdate_display('late', display_id='cl')",
    ],
    "errors": [
        "1/0",
        "def f(n):\n    return 1/n\ndef g(n):\n    return f(n)\ng(0)",
        "try:\n    {}['k']\nexcept KeyError as e:\n    raise ValueError('outer') from e",
        "try:\n    {}['k']\nexcept KeyError:\n    int('x')",
        "print('before')\nraise RuntimeError('multi\\nline')",
        "undefined",
        "raise ValueError",
        "raise KeyError('k')",
        "assert 1 == 2, 'msg'",
        "assert False",
        "class Own(Exception):\n    pass\nraise Own('a', 3)",
        "raise 'text'",
        "import no_such_module",
        "from math import nothing",
        "try:\n"
        "    raise ExceptionGroup('group', [ValueError(1), TypeError(2)])\n"
        "finally:\n"
        "    print('f')",
        "def r(n): return r(n+1)\n"
        "try:\n"
        "    r(0)\n"
        "except RecursionError as e:\n"
        "    print('recursion')",
        "raise SystemError('x') from None",
        "e = ValueError('noted'); e.add_note('a note'); raise e",
        "[1, 2][7]",
        "'a' + 1",
        "x: int = 'a'\nx.nothing",
    ],
    "syntax errors": [
        "x = = 3",
        "def f(:\n  pass",
        "for i in range(3):\nprint(i)",
        "print 'a'",
        "  x = 1",
        "if True:\n    x\n  y",
        "'unterminated",
        "return 3",
        "await_ = 1\nbreak",
        "x = (1,\n",
        "exec('a b')",
        "\ty = 1",
        "f'{'",
        "import ast; ast.parse('x =')",
        "%nosuchmagic",
        "%%nosuchcell\nx",
        "??print_",
        "x = 1\x00",
    ],
    "warnings": [
        "import warnings\nwarnings.warn('careful')",
        "warnings.warn('again', DeprecationWarning)",
        "def f():\n    warnings.warn('in f', UserWarning)\nf()",
        "x = 1\nx is 1",
        "'\\d'",
        "import numpy as np\nnp.array([1.0]) / 0",
        "assert (1, 'x')",
    ],
    "top-level await": [
        "import asyncio\nawait asyncio.sleep(0)\n5",
        "async def f():\n    await asyncio.sleep(0.01)\n    return 'done'\nawait f()",
        "async for x in (i async for i in f()): pass",
        "print(await f())",
        "t = asyncio.create_task(f())\nprint(await t)",
        "await asyncio.gather(f(), f())",
        "asyncio.get_event_loop().is_running()",
        # Closed, or the collector says that it was never awaited whenever it comes across it.
        "late = f()\ntry:\n    asyncio.run(late)\nfinally:\n    late.close()",
        "async def bad():\n    raise ValueError('async')\nawait bad()",
        "async with asyncio.Lock():\n    print('locked')",
    ],
    "shell": [
        "!echo hi",
        "x = !echo captured\nx",
        "!echo err 1>&2",
        "!exit 3",
        "_exit_code",
        "%%bash\necho from bash\necho again",
        "%%bash\nexit 3",
        "%%sh\necho sh",
        "%sx echo q",
        "name = 'v'\n!echo {name} $name $$HOME_NOT",
        "!printf 'no newline'",
        "%%script bash\necho s",
        "%%bash --out o\necho kept",
        "o",
        "!true\n!echo two",
        "%system echo hi",
    ],
    "captured output": [
        "%%capture cap\nprint('hidden'); 5",
        "cap.stdout",
        "cap.show()",
        "%%capture\nprint('a')\ndisplay(1)\n1/0",
        "from contextlib import redirect_stdout\n"
        "import io\n"
        "b = io.StringIO()\n"
        "with redirect_stdout(b):\n"
        "    print('in buffer')\n"
        "b.getvalue()",
        "from IPython.utils.capture import capture_output\n"
        "with capture_output() as c:\n"
        "    print('p'); display(3)\n"
        "c.stdout, len(c.outputs)",
        "c.outputs[0]",
    ],
    "other magics": [
        "%who",
        "a = 1\n%who",
        "%%writefile note.txt\nhello",
        "!cat note.txt",
        "%pwd;",
        "%precision 3\n3.14159265",
        "%precision\n3.14159265",
        "%env GRADER_X=1",
        "import os; os.environ['GRADER_X']",
        "%run note.txt",
        "%%javascript\nalert(1)",
        "%%html\n<b>x</b>",
        "%%latex\n$x$",
        "%%markdown\n*a*",
        "%load_ext autoreload\n%autoreload 2",
        "%xmode Minimal",
        "1/0",
        "%xmode Context",
        "%pdb off",
        "%cd -q .",
        "%alias_magic t timeit",
    ],
    "future imports": [
        "from __future__ import annotations\ndef f(x: nothing): return x\nf.__annotations__",
        "def g(y: other): pass\ng.__annotations__",
    ],
    "history names": [
        "5",
        "_ + 1",
        "_, __, ___",
        "Out[1]",
        "In[2]",
        "_1",
        "_i",
        "_ii",
        "len(In)",
        "sorted(Out)",
        "_oh is Out",
        "'hidden';",
        "_",
    ],
    "questions": [
        "input('name? ')",
        "import getpass\ngetpass.getpass()",
        "print('on')",
    ],
    "sys.exit": [
        "import sys\nsys.exit()",
        "sys.exit(3)",
        "sys.exit('message')",
        "raise SystemExit",
        "print('on')",
    ],
    "threads": [
        "import threading\n"
        "t = threading.Thread(target=print, args=('from a thread',)); t.start(); t.join()",
        "def bad(): 1/0\nt = threading.Thread(target=bad); t.start(); t.join()",
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(2) as p:\n"
        "    print(list(p.map(lambda x: x*x, range(3))))",
    ],
    "logging": [
        "import logging\nlogging.warning('w')",
        "logging.info('i')",
        "logging.basicConfig(level=logging.INFO, force=True)\nlogging.info('shown')",
        "logging.getLogger('x').error('e')",
        "import sys\n"
        "h = logging.StreamHandler(sys.stdout)\n"
        "l = logging.getLogger('y'); l.propagate=False; l.addHandler(h); l.setLevel(10)\n"
        "l.debug('d')",
    ],
    "the shell itself": [
        "get_ipython().user_ns is globals()",
        "'get_ipython' in globals()",
        "__name__",
        "get_ipython().run_line_magic('pwd', '') and 1",
        "get_ipython().run_cell('print(1); 2');",
        "get_ipython().system('echo sys')",
        "get_ipython().getoutput('echo out')",
        "__builtins__.__name__",
        "'display' in globals(), 'display' in dir(__builtins__)",
        "__file__",
        "import __main__\n__main__.__dict__ is globals()",
        "__IPYTHON__",
        "get_ipython().showtraceback()",
        "get_ipython().ex('z = 3')\nz",
        "get_ipython().execution_count",
    ],
    "text": [
        "print('é 😀 \\u2028 \\x1b[31mred\\x1b[0m')",
        "'é 😀'",
        "'''multi\nline'''",
        "print('\\r50%\\r100%')",
        "print('a\\bb')",
        "print('x' * 100_000)",
        "'x' * 5000",
        "print('\\x00nul')",
        "list(range(2000))",
        "'a\\tb'",
        "b'\\xff'",
        "print(*range(3000))",
    ],
    "cells with nothing": [
        "",
        "# only a comment",
        "   \n\n",
        "pass",
        "'''doc'''",
        "...",
        "\n\nprint('late')\n\n",
        "#%% x\n5",
    ],
    "plain representations": [
        "from dataclasses import dataclass\n"
        "@dataclass\n"
        "class P:\n"
        "    x: int\n"
        "    y: list\n"
        "P(1, [2])",
        "(i for i in range(3))",
        "lambda x: x",
        "def outer():\n    def inner(): pass\n    return inner\nouter()",
        "P",
        "print",
        "range(3)",
        "{3, 1}",
        "object()",
        "type('T', (), {})",
        "import math\nmath",
        "set()",
        "(1,)",
        "1_000.5, 1e-9, 1j",
        "float('nan')",
        "P.__init__",
        "[P(i, []) for i in range(3)]",
        "import collections\ncollections.OrderedDict(a=1)",
        "collections.Counter('aab')",
        "Ellipsis",
        "{'a': {'b': {'c': 1}}}",
        "sorted",
        "NotImplemented",
        "[].append",
        "type",
    ],
    "torch": [
        "import torch\ntorch.manual_seed(0)",
        "torch.arange(6).reshape(2, 3)",
        "torch.tensor(1.5, requires_grad=True)",
        "torch.zeros(2000)",
        "torch.nn.Linear(2, 3)",
        "x = torch.ones(2, requires_grad=True)\n(x * 2).sum()",
        "torch.randn(2, 2) @ torch.randn(3, 3)",
        "torch.nn.Sequential(torch.nn.Linear(1, 2), torch.nn.ReLU())",
        "torch.float32, torch.device('cpu'), torch.Size([1])",
        "import numpy as np\nnp.arange(3), np.float32(2)",
        "np.zeros((50, 50))",
        "torch.tensor([1]).backward()",
        "x.sum().backward()\nx.grad",
    ],
    "figures without matplotlib inline": [
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.title('t')",
        "plt.rcParams['figure.figsize']",
        "plt.show()",
        "plt.hist([1, 2, 2]);",
        "from IPython.display import clear_output\n"
        "for i in range(2):\n"
        "    clear_output(wait=True)\n"
        "    plt.plot([i]); plt.show()\n"
        "print('end')",
        "plt.ion(); plt.isinteractive()",
        "plt.ioff(); plt.plot([1])",
        "fig = plt.figure(); fig.savefig('f.png'); print('saved')",
        "%config InlineBackend.figure_format = 'svg'",
        "plt.plot([1]);",
        "%config InlineBackend.figure_formats = ['png']\nplt.plot([1]);",
    ],
    "figures after matplotlib inline": [
        "%matplotlib inline\nimport matplotlib.pyplot as plt",
        "plt.plot([1, 2])",
        "plt.plot([1, 2]);",
        "plt.plot([1]); plt.show()\nprint('between')\nplt.plot([2]); plt.show()",
        "fig, ax = plt.subplots()\nprint('text first')",
        "fig",
        "fig, ax = plt.subplots(); ax.plot([1]); plt.close()",
        "plt.figure(); plt.figure(); print('two')",
        "display(fig)",
        "plt.plot([1, 2]); 5",
        "plt.plot([1]); 1/0",
        "print('after error')",
        "plt.imshow([[1, 2]])",
        "ax.set_title('x')",
        "fig.show()",
        "plt.gcf()",
    ],
    "progress bars": [
        "from tqdm import tqdm\n"
        "for i in tqdm(range(3), bar_format='{n}/{total}', mininterval=0): pass",
    ],
    "classes": [
        "class A:\n"
        "    x = [i for i in range(3)]\n"
        "    def f(self):\n"
        "        return self.missing\n"
        "A().f()",
        "import pickle\npickle.loads(pickle.dumps(A)) is A",
        "import inspect\nprint(inspect.getsource(A.f))",
        "A.__module__",
        "repr(A())[:17]",
        "import copy; copy.deepcopy(A()).x",
        "def h():\n    '''Doc.'''\nhelp(h)",
        "h?",
        "inspect.getsource(h)",
        "import sys; sys.modules['__main__'].A is A",
        "print?",
    ],
    "interactivity": [
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "InteractiveShell.ast_node_interactivity = 'all'",
        "1\n2\nprint('p')\n3",
        "InteractiveShell.ast_node_interactivity = 'last_expr'",
        "1\n2",
    ],
    "the streams themselves": [
        "import sys\nsys.displayhook(5)",
        "import builtins; builtins._",
        "sys.stdout.isatty(), sys.stdout.encoding, sys.stdout.name",
        "sys.argv is not None",
        "sys.stdout.fileno() > -1",
        "sys.stdout.writable(), sys.stdout.readable(), sys.stdout.seekable()",
        "sys.stdout.write(5)",
        "sys.ps1",
        "sys.stdin.isatty()",
        "from IPython import get_ipython as gi; gi() is get_ipython()",
        "import traceback\ntry:\n    1/0\nexcept Exception:\n    traceback.print_exc()",
    ],
    "broken errors": [
        "class E2(Exception):\n    def __repr__(self): raise ValueError('in repr')\nraise E2('x')",
        "class Meta(type):\n"
        "    @property\n"
        "    def __name__(cls): return 'odd'\n"
        "class E4(Exception, metaclass=Meta): pass\n"
        "raise E4('m')",
        "class E5(BaseException): pass\nraise E5('base')",
        "print('alive')",
        "raise KeyboardInterrupt",
        "raise KeyboardInterrupt('why')",
        "raise GeneratorExit",
        "raise StopIteration(3)",
        "print('still')",
    ],
    "processes": [
        "import os, subprocess\nos.system('echo sys')",
        "subprocess.run(['echo', 'run'])",
        "subprocess.run('echo e 1>&2', shell=True);",
        "os.write(1, b'raw\\n')",
        "subprocess.check_output('echo co', shell=True)",
    ],
    "displays again": [
        "display(1, display_id='own')\ndisplay(2, display_id='own')",
    ],
    "flushes": [
        "import sys\n"
        "print('a', end='', flush=True)\n"
        "print('e', file=sys.stderr)\n"
        "print('b', flush=True)\n"
        "print('c')",
        "print('o'); print('e', file=sys.stderr); display(1); print('p')",
        "print('o'); print('e', file=sys.stderr); 1/0",
    ],
}
