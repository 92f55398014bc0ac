"""The examples of how to run the desk are what nginx, systemd and YAML accept, and they work."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import select
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
    """Stands behind a proxy: a stream that waits after its first word; and no room for uploads."""

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

    def do_POST(self) -> None:
        self.send_response(413)  # as the desk does, before it reads anything; then it listens
        self.send_header("content-length", "0")
        self.end_headers()
        self.close_connection = True
        self.connection.settimeout(2)
        with contextlib.suppress(OSError):
            while self.rfile.read1(1 << 20):
                pass

    def log_message(self, *_: object) -> None:
        pass


def _nginx(folder: Path, port: int, behind: int) -> list[str]:
    (example,) = examples("nginx")
    example = re.sub(r" *ssl_certificate.*\n", "", example)
    example = example.replace("listen 443 ssl", f"listen 127.0.0.1:{port}")
    example = example.replace("127.0.0.1:8000", f"127.0.0.1:{behind}")
    folders = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off;\nmaster_process off;\npid {folder}/pid;\nerror_log {folder}/log;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{folders}{example}}}\n"
    )
    return ["-c", str(config)]


def _caddy(folder: Path, port: int, behind: int) -> list[str]:
    (example,) = (text for text in examples("text") if "reverse_proxy" in text)
    site = example.replace("desk.example.edu", f"http://desk.example.edu:{port}")
    site = site.replace("127.0.0.1:8000", f"127.0.0.1:{behind}")
    config = folder / "Caddyfile"
    config.write_text(f"{{\nadmin off\nauto_https off\ndefault_bind 127.0.0.1\n}}\n{site}")
    return ["run", "--adapter", "caddyfile", "--config", str(config)]


PROXIES = {"nginx": (_nginx, "nginx-light"), "caddy": (_caddy, "caddy")}


@pytest.fixture(params=PROXIES)
def origin(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A proxy with the page's example, without TLS and on a free port, before a server of ours."""
    name = request.param
    program = shutil.which(name) or shutil.which(f"/usr/sbin/{name}")
    configured, package = PROXIES[name]
    if program is None:
        pytest.skip(f"{name} is not installed: apt-get install {package}")
    behind = ThreadingHTTPServer(("127.0.0.1", 0), Behind)
    threading.Thread(target=behind.serve_forever, daemon=True).start()
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    args = configured(tmp_path, port, behind.server_address[1])
    home = {**os.environ, "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    log = tmp_path / "said"
    with log.open("wb") as said, subprocess.Popen([program, *args], stderr=said, env=home) as ran:
        end = time.monotonic() + WAIT_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                assert ran.poll() is None and time.monotonic() < end, log.read_text()
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
        ran.terminate()
    behind.shutdown()


def test_a_proxy_lets_a_stream_through_and_says_who_asks(origin: str) -> None:
    Behind.more.clear()
    lies = {"x-forwarded-for": "6.6.6.6", "host": "desk.example.edu"}
    with httpx.stream("GET", f"{origin}/events", headers=lies, timeout=WAIT_S) as answer:
        assert next(answer.iter_lines()) == "first"
        Behind.more.set()
    heads = {name.lower(): value for name, value in Behind.heads.items()}
    assert heads["x-forwarded-for"] == "127.0.0.1"
    assert heads["host"] == "desk.example.edu"


def test_a_proxy_refuses_what_the_desk_would(origin: str) -> None:
    port = int(origin.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=WAIT_S) as large:
        large.sendall(
            b"POST / HTTP/1.1\r\nhost: desk.example.edu\r\ncontent-length: 2147483648\r\n"
        )
        large.sendall(b"\r\n")
        with contextlib.suppress(OSError):  # it may close before everything is sent
            while not select.select([large], [], [], 0)[0]:
                large.sendall(bytes(1 << 16))
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
    (pool,) = compose["networks"]["default"]["ipam"]["config"]
    assert ipaddress.ip_address(address) in ipaddress.ip_network(pool["subnet"])
    assert ipaddress.ip_address(address) not in ipaddress.ip_network(pool["ip_range"])
    assert prometheus["scrape_configs"][0]["authorization"]
