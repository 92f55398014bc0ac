"""Lists of a class that somebody wrote, with the columns of `roster.csv`."""

from __future__ import annotations

from typing import ClassVar

from grader.lms.system import Columns, System


class PlainList(System):
    """Any table with such columns; no archives."""

    name = "csv"
    title = "a plain table"
    columns: ClassVar[Columns] = {
        "id": ("id", "student"),
        "name": ("name", "full name"),
        "email": ("email", "e-mail", "email address"),
        "section": ("section", "group"),
        "login": ("login", "username"),
        "number": ("number", "student number", "student id", "sid"),
        "canvas": ("canvas",),
    }

    time_columns = ("submitted_at", "submitted at", "handed_in", "handed in", "submission time")

    def exported(self, columns: frozenset[str]) -> bool:
        return bool(columns & {"id", "student", "email", "name"})
