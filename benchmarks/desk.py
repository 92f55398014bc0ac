"""The desk under load: what people at it wait for, and whether anything is lost.

    python benchmarks/desk.py [--out benchmarks/results/desk.md] [--only uploads --only lists …]

Everything is a process of its own, as in use: `grader serve` and its engines. Only where thousands
are to be judged the engine judges nothing (`tests.helpers.light_engine`), since what a judge takes
is measured elsewhere; claims, leases and records are the desk's. The machine's load is written
down with the figures: clients and desk share its cores.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import json
import os
import secrets
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from desk_class import STUDENTS, a_class, all_late
from desk_served import Row, Served, memory, per_answer, said

from grader.desk.engine.supervisor import Supervisor
from grader.release.notebooks import notebook_bytes, solution_notebook
from tests.helpers import postgres
from tests.helpers.desk_load import Seat, hand_in_all, light_engine, make_class


def two_megabytes() -> bytes:
    """A notebook whose plots make it large, as students' are."""
    picture = secrets.token_urlsafe(1_480_000)
    output = {"output_type": "display_data", "metadata": {}, "data": {"image/png": picture}}
    cell = {
        "cell_type": "code",
        "id": "a",
        "execution_count": 1,
        "metadata": {},
        "source": "def softmax(x):\n    return x.softmax(1)",
        "outputs": [output],
    }
    return json.dumps(
        {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    ).encode()


def uploads(folder: Path) -> list[Row]:
    """So many uploads of 2 MB a second, whatever becomes of those before, for 30 s."""
    data = two_megabytes()
    rows: list[Row] = []
    for rate, goal in ((5, "p95 ≤ 1 s"), (20, "p95 ≤ 5 s")):
        served = Served(make_class(folder / str(rate) / "course", students=rate * 30))
        found = served.seats()
        with served.running(light_engine(served.root)):
            took: list[float] = []

            def send(seat: Seat, at: float, took: list[float] = took) -> None:
                seat.hand_in(secrets.token_hex(8), data)
                took.append(time.monotonic() - at)

            before_s = served.cpu_s()
            with ThreadPoolExecutor(200) as pool:
                began = time.monotonic()
                for number, seat in enumerate(found):
                    at = began + number / rate
                    time.sleep(max(0.0, at - time.monotonic()))
                    pool.submit(send, seat, at)
            cost = per_answer(served.cpu_s() - before_s, len(found))
        assert len(took) == len(found)
        what = f"upload of 2 MB → receipt, {rate} a second for 30 s"
        rows.append(Row(what, goal, said(took), cost))
    return rows


def idle(folder: Path) -> list[Row]:
    """From a click to the verdict of a light notebook, one after the other, in warm slots."""
    served = Served(make_class(folder / "course", students=30))
    assignment = served.desk.courses["course"].course.assignment("warm-up")
    made = json.loads(notebook_bytes(solution_notebook(assignment)))
    for cell in made["cells"]:
        if cell["cell_type"] == "code":
            cell["execution_count"] = 1
    data = json.dumps(made).encode()
    engine = Supervisor("course", [str(served.root), "--sandbox", "local", "--slots", "1"])
    took = []
    found = served.seats()
    with served.running(engine):
        for number, seat in enumerate(found):
            began = time.monotonic()
            one = seat.hand_in(secrets.token_hex(8), data)
            while True:
                headers = seat.headers | {"accept": "application/json"}
                answer = seat.client.get(f"/c/course/t/{one}", headers=headers).json()
                if answer["state"] in ("judged", "failed"):
                    break
                time.sleep(0.02)
            assert answer["state"] == "judged", answer
            if number >= 5:  # the slots are warm
                took.append(time.monotonic() - began)
    return [Row("upload → verdict, idle desk, light notebook", "p50 ≤ 1 s, p95 ≤ 2 s", said(took))]


def watchers(folder: Path) -> list[Row]:
    """1,500 people follow a try that waits; then each is judged."""
    served = Served(make_class(folder / "course", students=STUDENTS))
    found = served.seats()
    with served.running():
        numbers = hand_in_all(found, threads=8)
        before = memory(served.web.pid)
        heard: dict[str, float] = {}
        used: list[int] = []
        judged: dict[int, float] = {}
        asyncio.run(_watch(served, found, numbers, heard, used, judged))
    late = [at - judged[numbers[person]] for person, at in heard.items()]
    assert len(late) == len(found)
    grown = (used[0] - before) / (1 << 20)
    return [
        Row(f"{STUDENTS:,} people watching: memory", "≤ 150 MB", f"{grown:.0f} MB more"),
        Row(f"{STUDENTS:,} people watching: news", "within 2 s", said(late)),
    ]


async def _watch(
    served: Served,
    found: list[Seat],
    numbers: dict[str, int],
    heard: dict[str, float],
    used: list[int],
    judged: dict[int, float],
) -> None:
    waiting = asyncio.Semaphore(100)
    ready = 0

    async def watch(seat: Seat) -> None:
        nonlocal ready
        async with waiting:
            reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
            path = f"/c/course/t/{numbers[seat.person]}/events"
            head = f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{served.port}\r\n"
            writer.write(f"{head}cookie: {seat.headers['cookie']}\r\n\r\n".encode())
            await writer.drain()
            first = await reader.readuntil(b"data: ")
            assert b" 200 " in first, first
        ready += 1
        while (line := await reader.readline()) and b'"failed"' not in line:
            pass
        heard[seat.person] = time.monotonic()
        writer.close()

    tasks = [asyncio.create_task(watch(seat)) for seat in found]
    while ready < len(found):
        await asyncio.sleep(0.1)
    used.append(memory(served.web.pid))
    claims = served.desk.courses["course"].gradebook.claims

    def judge_all() -> None:
        for number in numbers.values():
            claims.fail(number, "played", now=_now())
            judged[number] = time.monotonic()

    await asyncio.to_thread(judge_all)
    await asyncio.gather(*tasks)


def faculty(folder: Path) -> list[Row]:
    """PostgreSQL, three web processes, two engines, 5,000 uploads of a small notebook."""
    students = 5_000
    with postgres.server() as server, postgres.database(server) as url:
        os.environ["GRADER_DATABASE_URL"] = url
        try:
            served = Served(make_class(folder / "course", students=students), "--workers", "3")
            found = served.seats()
            engines = [light_engine(served.root, f"engine {n}") for n in (1, 2)]
            with served.running(*engines):
                began, before_s = time.monotonic(), served.cpu_s()
                numbers = hand_in_all(found, threads=16)
                sent_s = time.monotonic() - began
                cost = per_answer(served.cpu_s() - before_s, students)
                book = served.desk.courses["course"].gradebook
                while (queue := book.queue.state(now=_now())).waiting + queue.running:
                    time.sleep(0.2)
                all_s = time.monotonic() - began
            judged = [entry.verdict.student for entry in book.history("warm-up")]
            lost = len(set(numbers) - set(judged))
            twice = len(judged) - len(set(judged))
            names = {one.claimed_by for one in book.tries.some(list(numbers.values()))}
        finally:
            del os.environ["GRADER_DATABASE_URL"]
    what = f"PostgreSQL, 3 web processes, {len(names)} engines, {students:,} uploads"
    return [
        Row(
            what,
            "each judged once, none lost",
            f"{lost} lost, {twice} judged twice; {students / sent_s:.0f} uploads a second, "
            f"all judged after {all_s:.0f} s",
            cost,
        )
    ]


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


ROWS: dict[str, Callable[[Path], list[Row]]] = {
    "uploads": uploads,
    "idle": idle,
    "class": a_class,
    "late": all_late,
    "watchers": watchers,
    "faculty": faculty,
}


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path)
    parser.add_argument("--only", choices=ROWS, action="append")
    given = parser.parse_args()
    lines = [
        "| figure | goal | measured | CPU of the web process for one | load of the machine |",
        "|---|---|---|---|---|",
    ]
    for name in given.only or ROWS:
        with tempfile.TemporaryDirectory(prefix="grader-bench-") as folder:
            rows = ROWS[name](Path(folder))
            load = os.getloadavg()[0]
        for row in rows:
            lines.append(f"| {' | '.join(row)} | {load:.0f} |")
            print(lines[-1], flush=True)
    if given.out:
        given.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
