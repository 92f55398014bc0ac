"""Marks on their way out, in the browser: a system's own file filled in, a plain table, pages."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from starlette.responses import Response

from grader.api.exporting import FilledTable, Wish, export_table, filled_table
from grader.api.feedback import FOLDER, write_feedback
from grader.api.pages import report
from grader.course.scheme import load_scheme
from grader.desk.may import Action
from grader.desk.rendering import file_answer, page
from grader.desk.routing import Page, Visit
from grader.desk.uploads import Upload
from grader.desk.views.lists import paged
from grader.desk.views.tables import keep_table, kept_table, look, table_in
from grader.errors import GraderError, UsageError
from grader.lms.lms_table import read_table
from grader.lms.registry import export_systems, feedback_systems, named, system_of
from grader.lms.system import MarkColumn

_PURPOSE, _FEEDBACK = "marks for a system", "pages for a system"
_TOTALS, _ALL = "=totals", "=all"
_KINDS = {"csv": "text/csv", "xlsx": "application/octet-stream"}


def show_export(visit: Visit) -> Response:
    """Show the ways out: each system's file, a plain table, the students' pages."""
    items, problem = [], ""
    try:
        items = [(item.id, item.title) for item in load_scheme(visit.course.course).items]
    except GraderError as error:
        problem = error.what
    return page(
        visit,
        "export",
        items=items,
        problem=problem,
        chosen=visit.request.query_params.get("item", ""),
        systems=[named(name) for name in export_systems()],
        takes_pages=[named(name) for name in feedback_systems()],
        assignments=visit.course.course.names(),
    )


def look_at_file(visit: Visit) -> Response:
    """Say which marks would go into a system's file, before it is made."""
    kept = keep_table(visit, _PURPOSE)
    try:
        _preview(visit, kept)
    except GraderError as error:
        kept.forget()
        raise UsageError(error.what, hint=error.hint) from error
    asked = {name: visit.said(name, 300) for name in ("item", "scale", "comments")}
    return look(visit, "export/look", kept, **asked)


def show_file(visit: Visit) -> Response:
    """Show which marks would go into a system's file, into which column, on which scale."""
    try:
        return _preview(visit, kept_table(visit, _PURPOSE))
    except GraderError as error:
        raise UsageError(error.what, hint=error.hint) from error


def send_file(visit: Visit) -> Response:
    """Send a system's file with marks in it."""
    kept = kept_table(visit, _PURPOSE)
    filled, path = _filled(visit, kept), table_in(kept)
    # Here as below: what goes out goes after its line.
    visit.note("export", thing=visit.said("item", 200), detail=f"{filled.done.filled} marks")
    filled.matcher.save()
    name = f"{path.stem}-filled{path.suffix}"
    return file_answer(filled.data, name, "application/octet-stream")


def send_table(visit: Visit) -> Response:
    """Send a plain table of marks or totals."""
    kind = visit.said("kind", 10)
    if kind not in _KINDS:
        raise UsageError("choose CSV or a workbook")
    wish = _wish(visit)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{'totals' if wish.totals else 'marks'}.{kind}"
        done = export_table(visit.course.course, wish, kind=kind, out=path)
        data = path.read_bytes()
    visit.note("export", thing=visit.said("item", 200), detail=f"{done.filled} marks, {kind}")
    return file_answer(data, f"{visit.course.slug}-{path.name}", _KINDS[kind])


def send_feedback(visit: Visit) -> Response:
    """Send the students' pages of an assignment, named as a system's upload expects them."""
    assignment, system = visit.said("assignment", 200), visit.said("system", 40)
    course = visit.course.course
    if system != FOLDER and system not in feedback_systems():
        raise UsageError("choose where the pages go")
    kept = None if system == FOLDER else keep_table(visit, _FEEDBACK)
    try:
        report(course, assignment)
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / ("pages" if system == FOLDER else "pages.zip")
            into = table_in(kept) if kept else None
            done = write_feedback(course, assignment, system, into, out=out)
            data = _zipped(out) if out.is_dir() else out.read_bytes()
    except GraderError as error:
        raise UsageError(error.what, hint=error.hint) from error
    finally:
        if kept is not None:
            kept.forget()
    visit.note("export pages", thing=assignment, detail=f"{done.pages} pages for {system}")
    return file_answer(data, f"{assignment}-feedback-{system}.zip", "application/zip")


def _zipped(folder: Path) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder).as_posix())
    return packed.getvalue()


def _preview(visit: Visit, kept: Upload) -> Response:
    table = read_table(table_in(kept))
    system = system_of(table)
    if system.name not in export_systems():
        raise UsageError(
            f"{system.title} takes no marks in such a file",
            hint=f"Of these a file does: {', '.join(export_systems())}.",
        )
    targets: Sequence[MarkColumn] = system.targets(table)
    problem, filled = "", None
    try:
        filled = _filled(visit, kept)
    except UsageError as error:  # mostly: no column is for the item; then one is chosen
        problem = error.what
    cells = filled.done.cells if filled else []
    return page(
        visit,
        "export_preview",
        system=system,
        upload=kept.name,
        item=visit.asked("item", 200),
        scale=bool(visit.asked("scale")),
        comments=bool(visit.asked("comments")),
        column=visit.asked("column", 300),
        targets=[] if system.one_item else targets,
        problem=problem,
        done=filled.done if filled else None,
        cells=paged(visit, sorted(cells, key=lambda cell: (not cell.before, cell.student))),
        warnings=paged(visit, filled.done.warnings if filled else [], step=60, name="warnings"),
        names={p.id: p.name or p.id for p in visit.course.roster.people.values()},
    )


def _filled(visit: Visit, kept: Upload) -> FilledTable:
    path = table_in(kept)
    system = system_of(read_table(path))
    return filled_table(visit.course.course, system.name, path, _wish(visit))


def _wish(visit: Visit) -> Wish:
    item, column = visit.asked("item", 200), visit.asked("column", 300)
    totals = item == _TOTALS
    items = () if totals or item in ("", _ALL) else (item,)
    named_as = {items[0] if items else "total": column} if column and (items or totals) else {}
    return Wish(
        items=items,
        totals=totals,
        columns=named_as,
        scale=bool(visit.asked("scale")),
        comments=bool(visit.asked("comments")),
    )


_EXPORT = "/c/{course}/export"
PAGES = [
    Page(method="GET", path=_EXPORT, view=show_export, action=Action.EXPORT),
    Page(method="GET", path=f"{_EXPORT}/look", view=show_file, action=Action.EXPORT),
    *(
        Page(method="POST", path=f"{_EXPORT}/{name}", view=view, action=Action.EXPORT)
        for name, view in (
            ("look", look_at_file),
            ("file", send_file),
            ("table", send_table),
            ("feedback", send_feedback),
        )
    ),
]
