"""nbgrader's formgrader beside the desk, with a class of the same size, in turns.

    python benchmarks/formgrader.py [--students 1500] [--assignments 8] [--rounds 12] [--out FILE]

Asked for are the list of an assignment's submissions and the next answer to mark: what the server
uses of the processor for one, and what the browser waits, as a ratio of both in turns. Everything
that a page of either asks its server for is counted, but for files that a browser keeps.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2 as httpx
from desk_class import fill, write_course_file
from desk_served import Served, cpu_of
from systems import HERE, Nbgrader

from tests.helpers.desk_load import Seat, free_port, make_class

WAIT_S = 900.0


class Formgrader:
    """nbgrader's server with a class."""

    def __init__(self, folder: Path, *, students: int, assignments: int) -> None:
        system = Nbgrader()
        system.install()
        self.folder, self.python = folder, system.python
        made = system.prepare("light", 0, folder)  # a course, with ps1's source
        self.env = {**os.environ, **made.env}
        with (folder / "nbgrader_config.py").open("a") as config:
            config.write(f"c.Exchange.root = {str(folder / 'exchange')!r}\n")
        (folder / "exchange").mkdir()
        names = ["ps1", *(f"ps{number}" for number in range(2, assignments + 1))]
        self._run("-m", "nbgrader", "generate_assignment", "ps1")
        self._run(str(HERE / "peers" / "fill_formgrader.py"), str(students), *names)
        self.port = free_port()
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=WAIT_S)
        self.ids: list[str] = []

    def _run(self, *command: str) -> None:
        subprocess.run(
            [self.python, *command], cwd=self.folder, env=self.env, check=True, capture_output=True
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        """The server, and nobody's kernel."""
        extensions = '{"nbgrader.server_extensions.formgrader": True}'
        options = ["--no-browser", "--allow-root", "--ServerApp.token=", "--ServerApp.password="]
        options += [f"--port={self.port}", f"--ServerApp.jpserver_extensions={extensions}"]
        options += ["--ServerApp.disable_check_xsrf=True", "--ServerApp.log_level=ERROR"]
        command = [self.python, "-m", "jupyter", "server", *options]
        with subprocess.Popen(command, cwd=self.folder, env=self.env) as self.process:
            try:
                self._wait()
                yield
            finally:
                self.process.terminate()

    def _wait(self) -> None:
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:
            try:
                if self.client.get("/api/status").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.5)
        raise TimeoutError("nbgrader's server does not answer")

    def cpu_s(self) -> float:
        """Processor seconds that the server has used so far."""
        return cpu_of(self.process.pid)

    def list_page(self) -> int:
        """The submissions of an assignment: the page, and what its script asks for."""
        self._get("/formgrader/manage_submissions/ps1")
        return len(self._get("/formgrader/api/submissions/ps1").json())

    def next_page(self) -> int:
        """From one answer to the next, with the grades and comments that its form shows."""
        if not self.ids:
            found = self._get("/formgrader/api/submitted_notebooks/ps1/ps1").json()
            self.ids = sorted(str(one["id"]) for one in found)
        page = self._get(f"/formgrader/submissions/{self.ids.pop(0)}/next", follow_redirects=True)
        here = str(page.url).partition("/submissions/")[2].strip("/").partition("?")[0]
        for what in ("grades", "comments"):
            self._get(f"/formgrader/api/{what}?submission_id={here}")
        return len(page.text)

    def _get(self, path: str, **how: bool) -> httpx.Response:
        answer = self.client.get(path, **how)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:500])
        return answer


class Ours:
    """The desk with a class."""

    def __init__(self, folder: Path, *, students: int, assignments: int) -> None:
        root = make_class(folder / "course", students=students, assignments=assignments)
        self.served = Served(root)
        write_course_file(root, self.served.desk.courses["course"].course.names())
        fill(self.served, students=students)
        self.marker: Seat = self.served.staff("marker-0")
        self.at = "/c/course/a/warm-up/mark/q3"

    def list_page(self) -> int:
        """All pages of the list: formgrader sends all lines at once."""
        path, lines = "/c/course/a/warm-up", 0
        while path:
            text = self.marker.get(path).text
            lines += text.count('<th scope="row">')
            more = re.search(r'<a href="(\?[^"]*from=\d+)">Next</a>', text)
            path = f"/c/course/a/warm-up{more[1].replace('&amp;', '&')}" if more else ""
        return lines

    def next_page(self) -> int:
        """From one answer to the next, with the student's work beside the form."""
        answer = self.marker.get(self.at)
        while answer.status_code == 303:
            path = answer.headers["location"]
            answer = self.marker.get(path)
        work = re.search(r'<iframe class="work" src="([^"]+)"', answer.text)
        assert work is not None, answer.text[:500]
        self.at = f"/c/course/a/warm-up/mark/q3?after={path.rpartition('/')[2]}"
        return len(self.marker.get(work[1]).text)


def compare(ours: Ours, theirs: Formgrader, rounds: int, students: int) -> list[str]:
    """Ask both in turns; the first round of each is not counted."""
    lines = ["| | formgrader: CPU | desk: CPU | ratio of the waiting |", "|---|---|---|---|"]
    with ours.served.running(), theirs.running():
        for what in ("list_page", "next_page"):
            used: dict[str, list[float]] = {"ours": [], "theirs": []}
            ratios = []
            for number in range(rounds + 1):
                took = {}
                for who, desk, cpu_s in (
                    ("theirs", theirs, theirs.cpu_s),
                    ("ours", ours, ours.served.cpu_s),
                ):
                    before, began = cpu_s(), time.monotonic()
                    size = getattr(desk, what)()
                    took[who] = time.monotonic() - began
                    assert what != "list_page" or size == students, (who, size)
                    if number:
                        used[who].append(cpu_s() - before)
                if number:
                    ratios.append(took["theirs"] / took["ours"])
            said = {"list_page": "the list of an assignment", "next_page": "the next answer"}[what]
            cells = [f"{1000 * statistics.mean(used[who]):,.0f} ms" for who in ("theirs", "ours")]
            low, middle, high = (sorted(ratios)[i] for i in (0, len(ratios) // 2, -1))
            lines.append(f"| {said} | {' | '.join(cells)} | {middle:.0f} ({low:.0f}–{high:.0f}) |")
    return lines


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--students", type=int, default=1_500)
    parser.add_argument("--assignments", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    size = {"students": given.students, "assignments": given.assignments}
    with tempfile.TemporaryDirectory(prefix="grader-bench-") as folder:
        (Path(folder) / "theirs").mkdir()
        theirs = Formgrader(Path(folder) / "theirs", **size)
        ours = Ours(Path(folder) / "ours", **size)
        lines = compare(ours, theirs, given.rounds, given.students)
    print("\n".join(lines))
    if given.out:
        given.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
