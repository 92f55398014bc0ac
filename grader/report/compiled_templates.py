"""Templates as they were compiled before: to compile those of a page takes as long as to fill it.

They lie in the user's own cache folder, as Python keeps its modules. What is read from there is
run, so it must be a file that this user wrote and that nobody else may write.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import sys
from contextlib import suppress
from pathlib import Path

import jinja2.compiler
from jinja2 import Environment
from jinja2.bccache import Bucket, BytecodeCache

from grader import __version__
from grader.storage import write_atomically

_STAMP_BYTES = hashlib.sha256().digest_size
_OTHERS_WRITE = 0o022
_COMPILED_IN = (
    "autoescape",
    "sandboxed",
    "is_async",
    "optimized",
    "finalize",
    "policies",
    "block_start_string",
    "block_end_string",
    "variable_start_string",
    "variable_end_string",
    "comment_start_string",
    "comment_end_string",
    "line_statement_prefix",
    "line_comment_prefix",
    "trim_blocks",
    "lstrip_blocks",
    "newline_sequence",
    "keep_trailing_newline",
)
"""What of an environment decides which code a template becomes."""


def compiled_templates() -> BytecodeCache | None:
    """Return where compiled templates are kept; None where the user has no such folder."""
    try:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = base / "grader" / "templates"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # `Path.home` of a user who has none
        return None
    return _CompiledTemplates(folder)


class _CompiledTemplates(BytecodeCache):
    """One file for each template: a stamp of all that it was made of, and the code."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        compiler = Path(jinja2.compiler.__file__).stat()
        facts = (__version__, sys.version, compiler.st_size, compiler.st_mtime_ns)
        self._made_by = repr(facts).encode()

    def get_bucket(
        self, environment: Environment, name: str, filename: str | None, source: str
    ) -> Bucket:
        """Ask for a template as this environment compiles it.

        The same template without autoescape is other code, which must never stand in for this: to
        Jinja a template is known by its name and source alone.
        """
        options = repr([_named(getattr(environment, option)) for option in _COMPILED_IN])
        extensions = repr(sorted(environment.extensions))
        return super().get_bucket(
            environment, name, filename, "\0".join((source, options, extensions))
        )

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give the bucket its code if the template, and all that compiled it, are the same."""
        try:
            descriptor = os.open(self._folder / bucket.key, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:
            return
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if found.st_uid != os.geteuid() or found.st_mode & _OTHERS_WRITE:
                return
            content = file.read()
        stamp, code = content[:_STAMP_BYTES], content[_STAMP_BYTES:]
        if stamp == self._stamp(bucket, code):
            bucket.code = marshal.loads(code)  # noqa: S302 - a file of this user alone

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the bucket's code; where that can't be done, it is compiled again next time."""
        code = marshal.dumps(bucket.code)
        with suppress(OSError):
            path = self._folder / bucket.key
            write_atomically(path, self._stamp(bucket, code) + code, mode=0o600)

    def _stamp(self, bucket: Bucket, code: bytes) -> bytes:
        parts = (self._made_by, bucket.checksum.encode(), code)
        return hashlib.sha256(b"\0".join(parts)).digest()


def _named(option: object) -> str:
    """A function by its name, as it has another address in each process."""
    name = getattr(option, "__qualname__", None)
    return repr(option) if name is None else f"{option.__module__}.{name}"
