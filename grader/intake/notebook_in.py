"""The notebook in a content, read once by whoever asks for it several times in a row.

Which of several files counts, whether it can be read, and what is to be said of it are asked one
after the other, of the same bytes.
"""

from __future__ import annotations

import threading
import weakref

from grader.intake.content import Content
from grader.intake.notebook import read_notebook
from grader.intake.notebook_cells import ReadNotebook


class _Last(threading.local):
    """What this thread has read last; the content itself may go."""

    content: weakref.ref[Content] | None = None
    notebook: ReadNotebook | None = None


_last = _Last()


def notebook_in(content: Content, *, name: str) -> ReadNotebook:
    """Return the notebook that a content holds.

    Args:
        content: as it was found.
        name: what to call the file in an error.

    Raises:
        SubmissionError: it can't be read; says why and what the student can do.
        InfrastructureError: the file was changed or removed since it was found.
    """
    known = _last.content() if _last.content is not None else None
    if known is content and _last.notebook is not None:
        return _last.notebook
    found = read_notebook(content.read(name), name=name)
    _last.content, _last.notebook = weakref.ref(content), found
    return found
