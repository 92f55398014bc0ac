"""An account without a name, as in a container that runs under a bare number."""

from __future__ import annotations

import getpass
import grp
import pwd
from pathlib import Path
from typing import Any, NoReturn

import pytest

from grader.account import account_name, login_of
from grader.api.marking import MARKER_VARIABLE, marker
from grader.errors import UsageError
from grader.intake.inbox import make_inbox


@pytest.fixture(params=[KeyError("getpwuid(): uid not found: 995"), OSError("No username")])
def nameless(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_: Any) -> NoReturn:
        raise request.param

    monkeypatch.setattr(getpass, "getuser", nobody)


@pytest.mark.usefixtures("nameless")
def test_it_is_told_how_to_say_who_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(MARKER_VARIABLE, raising=False)
    with pytest.raises(UsageError, match="has no name") as caught:
        account_name(instead="Say so.")
    assert caught.value.hint == "Say so."
    with pytest.raises(UsageError) as caught:
        marker()
    assert MARKER_VARIABLE in (caught.value.hint or "")


@pytest.mark.usefixtures("nameless")
def test_who_says_it_needs_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert marker("mia") == "mia"
    monkeypatch.setenv(MARKER_VARIABLE, "hana")
    assert marker() == "hana"


@pytest.mark.parametrize("module, name", [(pwd, "getpwuid"), (grp, "getgrgid")])
def test_an_inbox_needs_a_group_that_somebody_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: Any, name: str
) -> None:
    def unknown(number: int) -> NoReturn:
        raise KeyError(f"not found: {number}")

    monkeypatch.setattr(module, name, unknown)
    with pytest.raises(UsageError, match="has no name") as caught:
        make_inbox(tmp_path / "inbox", assignments=["warm-up"])
    assert "--group" in (caught.value.hint or "")


def test_a_number_that_nobody_has_is_nobodys() -> None:
    assert login_of(0) == pwd.getpwuid(0).pw_name
    assert login_of(4_000_000_123) is None
    assert login_of(2**70) is None  # as in an archive, where a number may be anything
