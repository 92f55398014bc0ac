"""Tables that staff upload: kept for an hour, shown for what they would change, then taken."""

from __future__ import annotations

import secrets
from pathlib import Path
from urllib.parse import urlencode

from starlette.datastructures import UploadFile
from starlette.responses import Response

from grader.desk.rendering import go
from grader.desk.routing import Visit
from grader.desk.uploads import Upload, UploadRecord, find_upload, forget_old, keep_upload
from grader.errors import UsageError

_FOLDER = "table"
MAX_BYTES = 32 << 20


def keep_table(visit: Visit, purpose: str) -> Upload:
    """Keep the file of a form until its owner says that it counts.

    Raises:
        UsageError: no file was chosen, or it is too large.
    """
    forget_old(visit.desk.uploads)
    found = visit.form.getlist("file")
    files = [(f.filename or "", f.file) for f in found if isinstance(f, UploadFile) and f.filename]
    if len(files) != 1:
        raise UsageError("no file was chosen", hint="Choose the file that the system exported.")
    record = UploadRecord(
        account=visit.me.account,
        course=visit.course.slug,
        assignment=purpose,
        student=_FOLDER,
        key=secrets.token_hex(16),
        at=visit.now,
    )
    return keep_upload(visit.desk.uploads, record, files, max_bytes=MAX_BYTES)


def kept_table(visit: Visit, purpose: str) -> Upload:
    """Return the file that a form names, or an address.

    Raises:
        UsageError: it is not there any more, or was uploaded for something else.
    """
    kept = find_upload(visit.desk.uploads, visit.asked("upload", 60), account=visit.me.account)
    if kept is None or (kept.record.course, kept.record.assignment) != (
        visit.course.slug,
        purpose,
    ):
        raise UsageError("the file is not here any more", hint="Choose it again.")
    return kept


def table_in(kept: Upload) -> Path:
    """Return the file of an upload, which holds one."""
    found = [path for path in kept.files.rglob("*") if path.is_file()]
    if len(found) != 1:
        raise UsageError("the file is not here any more", hint="Choose it again.")
    return found[0]


def look(visit: Visit, path: str, kept: Upload, **asked: str) -> Response:
    """Lead to the page that shows what a file would change.

    It has an address of its own: to reload it, or to go back to it, sends no file anew.
    """
    query = {"upload": kept.name, **{name: value for name, value in asked.items() if value}}
    return go(f"/c/{visit.course.slug}/{path}?{urlencode(query)}")
