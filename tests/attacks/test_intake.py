"""Files and names by which a student would be on time, or be another: none is believed."""

from __future__ import annotations

import datetime as dt
import json
import re
import unicodedata
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest

from grader.course.matches import Matcher
from grader.course.roster import Person, Roster
from grader.intake.class_archives import CollectConfig
from grader.intake.collect import collect
from grader.intake.submission import Submission

FOLDER = Path(__file__).parent / "intake"
ROSTER = Roster(
    {
        "ada": Person(id="ada", name="Ada A", login="ada", email="ada@u.edu", canvas="800"),
        "bob": Person(
            id="bob", name="Bob Baker", login="bob", number="2002", email="bob@u.edu", canvas="900"
        ),
    }
)


class Attack(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One set of files; see times.toml."""

    name: str
    title: str
    source: Literal["folder", "zip"]
    files: dict[str, str]
    at: dict[str, str] = {}


def attacks(file: str) -> list[Any]:
    text = (FOLDER / f"{file}.toml").read_text()
    found = msgspec.toml.decode(text, type=dict[str, list[Attack]])["attack"]
    return [pytest.param(one, id=one.name) for one in found]


def content(text: str) -> bytes:
    """A notebook where the text says so, with what follows in its cell and in its metadata."""
    if not text.startswith("NOTEBOOK"):
        return text.encode()
    said = text.removeprefix("NOTEBOOK").strip()
    cell = {"cell_type": "code", "source": f"# {said}", "metadata": {}, "outputs": []}
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"handed_in_at": said}}
    return json.dumps(notebook | {"cells": [cell | {"execution_count": None, "id": "a"}]}).encode()


def write(attack: Attack, root: Path) -> Path:
    """What whoever collects has: a folder, or the zip of a system."""
    if attack.source == "zip":
        with zipfile.ZipFile(root / "class.zip", "w") as archive:
            for path, text in attack.files.items():
                archive.writestr(path, content(text))
        return root / "class.zip"
    for path, text in attack.files.items():
        outer, _, inner = path.partition("!")
        target = root / "class" / outer
        target.parent.mkdir(parents=True, exist_ok=True)
        if inner:
            with zipfile.ZipFile(target, "a") as archive:
                archive.writestr(inner, content(text))
        else:
            target.write_bytes(content(text))
    return root / "class"


def collected(attack: Attack, root: Path) -> list[Submission]:
    matcher = Matcher(ROSTER, root / "matches.csv")
    config = CollectConfig(matcher=matcher, assignments=("small",))
    return list(collect([write(attack, root)], assignment="small", config=config).submissions)


def believed(attack: Attack) -> dict[str, tuple[list[str], list[str]]]:
    """What whoever believes all would: by student the texts, in order, and the times.

    A student is whom any piece of the path names, however it is spelt (bob, if it names him);
    a time is whatever looks like one, wherever it stands.
    """
    found: dict[str, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    pieces = {"bob": "bob", "bobbaker": "bob", "bakerbob": "bob", "2002": "bob", "ada": "ada"}
    for path, text in attack.files.items():
        plain = unicodedata.normalize("NFKC", path.replace("!", "/").rpartition(".")[0]).casefold()
        plain = re.sub(r"\(\d\)|[\u200b ]|@u\.edu", "", plain)
        named = [pieces[p] for p in re.split(r"[/_+,()]|\.zip", plain) if p in pieces]
        student = "bob" if "bob" in named else "ada"
        texts, times = found[student]
        texts += [text] if text.startswith("NOTEBOOK") else []
        times += re.findall(r"2020-?01-?02|2 January 2020|Jan 2, 2020", f"{path} {text}")
    return found


@pytest.mark.parametrize("attack", attacks("times"))
def test_no_time_is_believed_that_a_student_wrote(attack: Attack, tmp_path: Path) -> None:
    found = {s.student: s.submitted_at for s in collected(attack, tmp_path)}
    wanted = {
        who: dt.datetime.fromisoformat(at).replace(tzinfo=dt.UTC) if at else None
        for who, at in attack.at.items()
    }
    assert {who: found[who] for who in wanted} == wanted
    assert all(at is None or at.year != 2020 for at in found.values())
    assert any(times for _, times in believed(attack).values()), "it would deceive nobody"


@pytest.mark.parametrize("attack", attacks("names"))
def test_no_name_hands_in_for_another(attack: Attack, tmp_path: Path) -> None:
    of_bob = [s for s in collected(attack, tmp_path) if s.student == "bob"]
    assert all(b"FORGED" not in one.read() for one in of_bob if not one.problem)
    assert believed(attack)["bob"][0][-1].endswith("FORGED"), "it would deceive nobody"
