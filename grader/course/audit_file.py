"""The file `audit.toml` of an assignment: which mutants of its reference are no mistakes."""

from __future__ import annotations

from pathlib import Path

import msgspec

from grader.course.strict_toml import read_struct, wrong_key

AUDIT_NAME = "audit.toml"


class Equivalent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A mutant that does what the text asks for all the same, and why."""

    mutant: str
    reason: str


class AuditFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All of `audit.toml`.

    It lies beside `assignment.toml`, and apart from it: what it says changes no mark, so that no
    submission is graded anew for it.
    """

    equivalent: tuple[Equivalent, ...] = ()

    @property
    def reasons(self) -> dict[str, str]:
        """Why a mutant is no mistake, by its name."""
        return {entry.mutant: entry.reason for entry in self.equivalent}


def read_audit_file(folder: Path) -> AuditFile:
    """Read an assignment's `audit.toml`; it need not exist.

    Raises:
        SpecError: it can't be read, names a mutant twice or gives no reason; says where.
    """
    path = folder / AUDIT_NAME
    if not path.is_file():
        return AuditFile()
    read = read_struct(path, AuditFile)
    seen: set[str] = set()
    for index, entry in enumerate(read.equivalent):
        if not entry.reason.strip():
            raise wrong_key(path, f"equivalent[{index}].reason", "it must say why")
        if entry.mutant in seen:
            raise wrong_key(path, f"equivalent[{index}].mutant", "it is listed twice")
        seen.add(entry.mutant)
    return read
