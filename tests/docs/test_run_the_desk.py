"""The examples of how to run the desk are what nginx, systemd and YAML accept, and they work."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2 as httpx
import pytest
import yaml

PAGE = Path(__file__).parents[2] / "docs/how-to/run-the-desk.md"
WAIT_S = 60.0


def examples(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)


class Behind(BaseHTTPRequestHandler):
    """What stands behind nginx: a stream that waits after its first word, and what it was told."""

    protocol_version = "HTTP/1.1"
    more = threading.Event()
    heads: dict[str, str] = {}  # noqa: RUF012 - one server in this test

    def do_GET(self) -> None:
        type(self).heads = dict(self.headers)
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("x-accel-buffering", "no")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"7\r\nfirst\n\n\r\n")
        self.more.wait(WAIT_S)
        self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[tuple[str, ThreadingHTTPServer]]:
    """Nginx with the page's example, without TLS and on a free port, before a server of ours."""
    program = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if program is None:
        pytest.skip("nginx is not installed: apt-get install nginx-light")
    (example,) = examples("nginx")
    behind = ThreadingHTTPServer(("127.0.0.1", 0), Behind)
    threading.Thread(target=behind.serve_forever, daemon=True).start()
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    example = re.sub(r" *ssl_certificate.*\n", "", example)
    example = example.replace("listen 443 ssl", f"listen 127.0.0.1:{port}")
    example = example.replace("127.0.0.1:8000", f"127.0.0.1:{behind.server_address[1]}")
    folders = "".join(
        f"{kind}_temp_path {tmp_path}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config = tmp_path / "nginx.conf"
    config.write_text(
        f"daemon off;\nmaster_process off;\npid {tmp_path}/pid;\nerror_log {tmp_path}/log;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{folders}{example}}}\n"
    )
    with subprocess.Popen([program, "-c", str(config)], stderr=subprocess.PIPE) as process:
        end = time.monotonic() + WAIT_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < end, process.stderr
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}", behind
        process.terminate()
    behind.shutdown()


def test_nginx_lets_a_stream_through_and_says_who_asks(
    nginx: tuple[str, ThreadingHTTPServer],
) -> None:
    origin, _ = nginx
    Behind.more.clear()
    lies = {"x-forwarded-for": "6.6.6.6", "host": "desk.example.edu"}
    with httpx.stream("GET", f"{origin}/events", headers=lies, timeout=WAIT_S) as answer:
        assert next(answer.iter_lines()) == "first"
        Behind.more.set()
    heads = {name.lower(): value for name, value in Behind.heads.items()}
    assert heads["x-forwarded-for"] == "127.0.0.1"
    assert heads["host"] == "desk.example.edu"


def test_nginx_refuses_what_the_desk_would(nginx: tuple[str, ThreadingHTTPServer]) -> None:
    origin, _ = nginx
    port = int(origin.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=WAIT_S) as large:
        large.sendall(
            b"POST / HTTP/1.1\r\nhost: desk.example.edu\r\ncontent-length: 2147483648\r\n"
        )
        large.sendall(b"\r\n")
        assert b" 413 " in large.recv(4096)


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd is not installed")
    units = examples("ini")
    assert len(units) == 2
    for name, unit in zip(("grader-desk", "grader-engine"), units, strict=True):
        path = tmp_path / f"{name}.service"
        path.write_text(unit.replace("/opt/grader/bin/grader", "/bin/true"))
        done = subprocess.run([program, "verify", str(path)], capture_output=True, text=True)
        said = [line for line in done.stderr.splitlines() if path.name in line]
        assert said == []


def test_the_containers_are_described_whole() -> None:
    compose, prometheus = map(yaml.safe_load, examples("yaml"))
    services = compose["services"]
    assert set(services) == {"database", "desk", "caddy"}
    named = {secret for one in services.values() for secret in one.get("secrets", [])}
    assert named == set(compose["secrets"])
    address = services["caddy"]["networks"]["default"]["ipv4_address"]
    assert f"--proxy {address}" in services["desk"]["command"]
    assert prometheus["scrape_configs"][0]["authorization"]
