"""`make desk-demo`: what it makes is a course in the middle of its marking, and its links work."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from grader.desk.app import make_app
from grader.desk.courses import open_desk

DEMO = Path(__file__).parents[2] / ".ci/desk-demo"
PORT = "8123"
OWN = {"sec-fetch-site": "same-origin"}

pytestmark = [pytest.mark.local_box, pytest.mark.slow, pytest.mark.timeout(1800)]


def test_the_demo_of_the_desk_is_half_marked_and_its_links_sign_in(tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, DEMO, "--only-make"],
        cwd=tmp_path,
        env={**os.environ, "PATH": path, "PORT": PORT},
        capture_output=True,
        text=True,
        timeout=1500,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    origin = f"http://127.0.0.1:{PORT}"
    links = dict(re.findall(rf"(?m)^(\w+): {origin}(/s/\S+)$", done.stdout))
    assert set(links) == {"noah", "s01"}

    desk = open_desk([tmp_path / "demo-desk"], origin=origin)
    seen = {}
    with TestClient(make_app(desk), base_url=origin) as client:
        for person, link in links.items():
            client.cookies.clear()
            assert client.get(link).status_code == 200
            assert client.post(link, headers=OWN).status_code == 200  # led on to the course
            seen[person] = client.get("/c/demo-desk/a/mlp-backprop").text
            if person == "noah":
                marking = client.get("/c/demo-desk/a/mlp-backprop/mark").text
    desk.courses["demo-desk"].gradebook.close()
    assert "Zofia" in seen["noah"] and "Zofia" not in seen["s01"]
    assert "Your marks" in seen["s01"] and "counts</span>" in seen["s01"]
    counts = re.findall(r'<td class="num">(\d+) of (\d+)</td>', marking)
    assert len(counts) == 2
    for marked, answers in counts:
        assert 0 < int(marked) < int(answers) <= 25
