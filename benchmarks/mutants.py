"""How many small faults, put into our own code on purpose, the tests of a room notice.

    python benchmarks/mutants.py wire                  # every mutant of the room, then the table
    python benchmarks/mutants.py wire --survivors      # once more those that survived
    python benchmarks/mutants.py lms --sample 400      # a random sample, named as one in the table
    python benchmarks/mutants.py lms --sample 400 --more    # as many of those not tried yet
    python benchmarks/mutants.py                       # the table of all rooms, as recorded

mutmut writes each mutant (a changed operator, a missing argument, another constant …) beside the
function that it comes from and runs the tests that reach it, in a fork. It mutates what is in
functions; tables and patterns at the top of a module are not mutated.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compare import RESULTS

ROOT = Path(__file__).parent.parent
WORK = ROOT / ".mutants"
RECORD = RESULTS / "mutants.json"
TABLE = RESULTS / "mutants.md"
EQUIVALENT = ROOT / "benchmarks" / "mutants_equivalent.toml"
HYPOTHESIS = ["--hypothesis-profile=mutants", "--hypothesis-seed=0"]
FINDINGS = {0: "survived", 1: "killed", 2: "killed", 3: "killed", 5: "untested", 33: "untested"}
"""pytest's exit codes, and mutmut's for what no test reaches. Any other is that of a child which
was stopped: it took too long, or crashed."""
ALIVE = ("survived", "untested")


@dataclass(frozen=True, kw_only=True)
class Room:
    """What is mutated, and the tests that have to notice."""

    sources: list[str]
    tests: list[str]
    without: tuple[str, ...] = ()
    """Tests that take too long to be run for each mutant that lives."""


ARCHIVE_TESTS = ("archive", "members", "tar_members", "zip_members", "zip_names")
ROOMS = {
    "totals": Room(
        sources=["grader/gradebook/totals/*"],
        tests=["tests/gradebook/totals"],
        without=(
            "tests/gradebook/totals/test_need.py"
            "::test_all_targets_at_once_are_what_trying_every_step_finds",
            "tests/gradebook/totals/test_need.py::test_the_need_is_enough_and_nothing_less_is",
            "tests/gradebook/totals/test_properties.py",
        ),
    ),
    "wire": Room(
        sources=["grader/wire/*"],
        tests=["tests/wire"],
        without=(
            "tests/wire/test_tables.py::test_a_table_is_bounded_like_any_value",
            "tests/wire/test_tables.py::test_pandas_is_not_imported_to_send_something_else",
            "tests/wire/test_hostile_trees.py::test_a_large_honest_set_is_no_such_set",
        ),
    ),
    "names": Room(sources=["grader/intake/names.py"], tests=["tests/intake/test_names.py"]),
    "archive": Room(
        sources=["grader/intake/archive.py", "grader/intake/*members.py"],
        tests=[f"tests/intake/test_{name}.py" for name in ARCHIVE_TESTS],
    ),
    "sanitising": Room(
        sources=["grader/report/sanitising.py"], tests=["tests/report/test_sanitising.py"]
    ),
    "lms": Room(sources=["grader/lms/*"], tests=["tests/lms"]),
    "stream": Room(
        sources=["grader/sandbox/link.py", "grader/sandbox/stream.py"],
        tests=[f"tests/sandbox/test_{name}.py" for name in ("link", "stream", "conversation")],
    ),
}


def lay_out(room: Room, folder: Path) -> None:
    """A folder in which mutmut runs: links to the repository, and a setting of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    shared = [path for path in ROOT.iterdir() if not path.name.startswith(".")]
    for path in shared:
        link = folder / path.name
        if path.name != "pyproject.toml" and not link.is_symlink():
            link.symlink_to(path)
    left_out = ["-m", "not slow and not docker and not browser"]
    left_out += [argument for test in room.without for argument in ("--deselect", test)]
    setting = {
        "source_paths": ["grader"],
        "only_mutate": room.sources,
        "also_copy": [path.name for path in shared if path.name not in ("grader", "tests")],
        "pytest_add_cli_args_test_selection": [*room.tests, *left_out],
        "pytest_add_cli_args": ["-p", "no:xdist", "-p", "benchmarks.whole_tests", *HYPOTHESIS],
        "timeout_constant": 5.0,
        "timeout_multiplier": 6.0,
        "use_git_change_detection": False,
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in setting.items()]
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    (folder / "pyproject.toml").write_text(
        project + "\n[tool.mutmut]\n" + "\n".join(lines) + "\n", "utf-8"
    )


def mutant_names(room: Room, folder: Path) -> list[str]:
    """The name of each mutant of the room, as mutmut will write them."""
    from mutmut.mutation.file_mutation import mutate_file_contents
    from mutmut.utils.format_utils import get_mutant_name

    paths = sorted({path for pattern in room.sources for path in ROOT.glob(pattern)})
    with contextlib.chdir(folder):  # mutmut reads its setting from where it runs
        return [
            get_mutant_name(path.relative_to(ROOT), name)
            for path in paths
            if path.suffix == ".py"
            for name in mutate_file_contents(str(path), path.read_text("utf-8")).mutant_names
        ]


def run_mutmut(folder: Path, names: list[str]) -> None:
    """Try the mutants of these names or patterns, one at a time.

    Names are always given: mutmut then runs the tests by their names once without a mutant, so that
    a name which pytest can't find is an error here, not a mutant that looks killed.

    Raises SystemExit where mutmut fails, which says nothing about a mutant.
    """
    mutmut = Path(sys.executable).with_name("mutmut")
    log = folder / "mutmut.log"
    with log.open("wb") as file:
        shown = None if sys.stdout.isatty() else file
        # A fork of a process in which torch has started threads would wait for them for ever.
        alone = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        command = [mutmut, "run", "--max-children", "1", *names]
        run = subprocess.run(command, cwd=folder, env=alone, stdout=shown, stderr=shown)
    if run.returncode:
        raise SystemExit(f"mutmut ended with {run.returncode}: see {log}")


def read_findings(folder: Path) -> dict[str, str]:
    """What became of each mutant that was tried: killed, survived, untested or stopped."""
    found = {}
    for meta in sorted(folder.glob("mutants/grader/**/*.meta")):
        for name, code in json.loads(meta.read_text("utf-8"))["exit_code_by_key"].items():
            if code is not None:
                found[name] = FINDINGS.get(code, "stopped")
    return found


def read_changes(folder: Path, names: list[str]) -> list[dict[str, str]]:
    """What each of these mutants changes: its function, the lines before, and after."""
    from mutmut.mutation.diff_apply import get_diff_for_mutant
    from mutmut.utils.format_utils import mangled_name_from_mutant_name

    changes = []
    with contextlib.chdir(folder):
        for name in names:
            lines = get_diff_for_mutant(name).splitlines()[2:]
            module, _, function = mangled_name_from_mutant_name(name).rpartition(".")
            function = function.removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")
            changes.append(
                {
                    "function": f"{module.removeprefix('grader.')}.{function}",
                    "before": _side(lines, "-"),
                    "after": _side(lines, "+"),
                }
            )
    return changes


def _side(lines: list[str], sign: str) -> str:
    return " ".join(" ".join(line[1:].split()) for line in lines if line.startswith(sign))


def without_equivalent(changes: list[dict[str, str]]) -> list[dict[str, str]]:
    """Those that no test could notice are listed with the reason, by what they change."""
    listed = tomllib.loads(EQUIVALENT.read_text("utf-8"))

    def is_listed(change: dict[str, str]) -> bool:
        before, after = change["before"], change["after"]
        return any(
            all(entry[key] == change[key] for key in change) for entry in listed["mutant"]
        ) or any(
            rule["before"] in before and before.replace(rule["before"], rule["after"]) == after
            for rule in listed["everywhere"]
        )

    return [change for change in changes if not is_listed(change)]


def record(name: str, folder: Path, of: int, seeds: list[int]) -> None:
    """Write what was found of a room into the record, and list the survivors.

    What was noticed at first is kept beside it: tests written for the survivors of a sample say
    little of the rest.
    """
    found = read_findings(folder)
    counts = Counter(found.values())
    alive = [mutant for mutant, what in found.items() if what in ALIVE]
    survivors = without_equivalent(read_changes(folder, alive))
    drawn = f" (random, seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))})"
    entry: dict[str, Any] = {
        "mutants": of,
        "tried": len(found),
        "sample": drawn if len(found) < of else "",
        "killed": counts["killed"],
        "stopped": counts["stopped"],
        "equivalent": len(alive) - len(survivors),
        "survivors": survivors,
    }
    first = first_findings(folder, found)
    missed = sum(what in ALIVE for what in first.values()) - entry["equivalent"]
    entry["at_first"] = 1 - missed / max(len(first) - entry["equivalent"], 1)
    recorded: dict[str, Any] = json.loads(RECORD.read_text("utf-8")) if RECORD.exists() else {}
    recorded[name] = entry
    ordered = {room: recorded[room] for room in ROOMS if room in recorded}
    RECORD.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n", "utf-8")
    for change in survivors:
        print(f"\n{change['function']}\n- {change['before']}\n+ {change['after']}")


def first_findings(folder: Path, found: dict[str, str]) -> dict[str, str]:
    """What became of each mutant when it was first tried, kept in the room's folder."""
    note = folder / "first.json"
    first: dict[str, str] = json.loads(note.read_text("utf-8")) if note.exists() else {}
    first = found | first
    note.write_text(json.dumps(first), "utf-8")
    return first


def share_of(entry: dict[str, Any]) -> float:
    """How much was noticed of what could be."""
    return (entry["killed"] + entry["stopped"]) / max(entry["tried"] - entry["equivalent"], 1)


def write_table() -> None:
    """The table of the record: a share is of those tried that are not equivalent."""
    rows = [
        "| room | mutants | tried | killed | timeouts | equivalent | survivors | noticed "
        "| at first |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, entry in json.loads(RECORD.read_text("utf-8")).items():
        tried = f"{entry['tried']}{entry['sample']}"
        rows.append(
            f"| {name} | {entry['mutants']} | {tried} | {entry['killed']} | {entry['stopped']} "
            f"| {entry['equivalent']} | {len(entry['survivors'])} | {share_of(entry):.1%} "
            f"| {entry['at_first']:.1%} |"
        )
    TABLE.write_text("\n".join(rows) + "\n", "utf-8")
    print("\n".join(rows))


def try_room(name: str, *, again: bool, more: bool, sample: int, seed: int) -> None:
    """Try the mutants of a room, or once more those that survived, and record the findings."""
    room, folder = ROOMS[name], WORK / name
    note = folder / "seeds.json"
    if not (again or more):
        shutil.rmtree(folder, ignore_errors=True)
    lay_out(room, folder)
    names = mutant_names(room, folder)
    found = read_findings(folder)
    seeds: list[int] = json.loads(note.read_text("utf-8")) if note.exists() else []
    if again:
        drawn = [mutant for mutant in names if found.get(mutant) in ALIVE]
    else:
        left = [mutant for mutant in names if mutant not in found]
        drawn = random.Random(seed).sample(left, min(sample or len(left), len(left)))
        seeds = [*seeds, seed]
        note.write_text(json.dumps(seeds), "utf-8")
    if drawn:
        run_mutmut(folder, drawn)
    record(name, folder, len(names), seeds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("room", nargs="?", choices=sorted(ROOMS))
    parser.add_argument("--survivors", action="store_true", help="once more those that survived")
    parser.add_argument("--more", action="store_true", help="beside those that were tried before")
    parser.add_argument("--sample", type=int, default=0, help="so many of the mutants, at random")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.room:
        try_room(
            options.room,
            again=options.survivors,
            more=options.more,
            sample=options.sample,
            seed=options.seed,
        )
    write_table()


if __name__ == "__main__":
    main()
