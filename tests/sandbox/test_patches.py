"""Known holes by version number, and the warning about them."""

from __future__ import annotations

import pytest

from grader.sandbox.doctor import _patch_check
from grader.sandbox.patches import HOLES, holes, parse

MASKED = ["CVE-2025-31133", "CVE-2025-52565", "CVE-2025-52881"]


@pytest.mark.parametrize(
    ("component", "version", "expected"),
    [
        ("runc", "1.1.5+ds1-1+deb12u1", ["CVE-2024-21626", *MASKED]),
        ("runc", "1.1.11", ["CVE-2024-21626", *MASKED]),
        ("runc", "1.1.12", MASKED),
        ("runc", "1.2.7", MASKED),
        ("runc", "v1.2.8", []),
        ("runc", "1.3.0", MASKED),
        ("runc", "1.3.3", []),
        ("runc", "1.4.0-rc.2", MASKED),
        ("runc", "1.4.0-rc.3", []),
        ("runc", "1.4.0", []),
        ("runc", "2.0.0", []),
        ("nvidia-container-toolkit", "1.16.1", ["CVE-2024-0132", "CVE-2025-23266"]),
        ("nvidia-container-toolkit", "1.17.7", ["CVE-2025-23266"]),
        ("nvidia-container-toolkit", "1.17.8", []),
        ("runc", "unknown", []),
    ],
)
def test_a_version_has_the_holes_that_it_was_released_with(
    component: str, version: str, expected: list[str]
) -> None:
    assert holes(component, version) == expected


def test_every_fix_is_a_version() -> None:
    assert all(parse(fix) for hole in HOLES for fix in hole.fixed)


def test_doctor_warns_about_a_hole_and_fails_for_none() -> None:
    old, new = _patch_check("runc", "1.1.5"), _patch_check("runc", "1.4.2")
    assert (old.ok, new.ok) == (None, True)
    assert "CVE-2024-21626" in old.found
    assert "Update runc" in old.fix
    assert not new.fix
