"""Processes at one PostgreSQL database tell each other what is new; a file tells nobody."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from grader.gradebook import notices
from grader.gradebook.database import writing
from grader.gradebook.notices import CELLS, WORK, Listener, Teller, has_notices, notify
from grader.gradebook.schema import open_engine

WAIT_S = 120.0


def repeated(what: Callable[[], None], heard: threading.Event) -> None:
    """Do something until it was heard: who begins to listen may miss the first."""
    end = time.monotonic() + WAIT_S
    while not heard.wait(0.2):
        assert time.monotonic() < end, "nothing was heard"
        what()


def committed(engine: Engine, said: str, *, channel: str = WORK) -> None:
    with writing(engine) as session:
        notify(session, channel, said)


def test_who_listens_hears_what_was_committed(postgres_url: str) -> None:
    engine = open_engine(postgres_url)
    said: list[str] = []
    heard = threading.Event()
    listener = Listener(engine, WORK, lambda one: (said.append(one), heard.set())[0])
    try:
        repeated(lambda: committed(engine, "come"), heard)
        assert set(said) == {"come"}
    finally:
        listener.stop()
        engine.dispose()


def test_both_go_on_when_their_connections_were_cut(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "_AGAIN_S", 0.05)
    engine = open_engine(postgres_url)
    heard = threading.Event()
    listener = Listener(engine, CELLS, lambda _: heard.set())
    teller = Teller(engine, CELLS)
    try:
        repeated(lambda: teller.tell("3"), heard)
        with engine.begin() as connection:
            cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> "
            connection.execute(text(f"{cut}pg_backend_pid() AND datname = current_database()"))
        heard.clear()
        repeated(lambda: teller.tell("4"), heard)
    finally:
        teller.stop()
        listener.stop()
        engine.dispose()


def test_a_file_has_no_notices(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/gradebook.db")
    assert not has_notices(engine)
    committed(engine, "nobody hears this, and nothing is wrong")
    engine.dispose()
