"""The reference solution, imported on the judge's side."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType

from grader.errors import SuiteError

REFERENCE_MODULE = "reference_solution"


def load_reference(path: Path, notebook: str = "") -> ModuleType:
    """Import the reference solution as the module `reference_solution`.

    What it imports of the course's own is made importable before, see `suite.helpers`.

    Args:
        path: the file.
        notebook: whose solution it is where there are several; its name joins the module's.

    Raises:
        SuiteError: it can't be imported: file, line and what was raised.
    """
    name = f"{REFERENCE_MODULE}_{notebook.replace('-', '_')}" if notebook else REFERENCE_MODULE
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise SuiteError("the reference solution is missing", where=path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    writes_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise SuiteError(
            f"the reference solution can't be imported: {type(error).__name__}: {error}",
            where=f"{path}:{_line(error, path)}",
            hint='It is imported when a suite is loaded: mark demos `# %% active="ipynb"`.',
        ) from error
    finally:
        sys.dont_write_bytecode = writes_bytecode
    return module


def _line(error: BaseException, path: Path) -> int:
    if isinstance(error, SyntaxError) and error.filename == str(path) and error.lineno:
        return error.lineno
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    return next((line for line in reversed(lines) if line), 1)
