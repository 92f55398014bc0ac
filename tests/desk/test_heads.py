"""On a real socket: what comes too slowly or is too large holds no connection and is not read."""

from __future__ import annotations

import datetime as dt
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn

from grader.desk import app, bodies, heads, web
from tests.desk.conftest import HOMEWORK, Tables

WAIT_S = 120.0
GET = b"GET /healthz/live HTTP/1.1\r\nhost: desk.test\r\n\r\n"


@pytest.fixture
def port(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Where the desk listens, as `grader serve` has it, with heads that must come at once."""
    monkeypatch.setattr(heads, "HEAD_S", 0.2)
    servers: list[uvicorn.Server] = []

    class Server(uvicorn.Server):
        def __init__(self, config: uvicorn.Config) -> None:
            super().__init__(config)
            servers.append(self)

    monkeypatch.setattr(uvicorn, "Server", Server)
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=web.run, args=(tables.desk, listening))
    thread.start()
    end = time.monotonic() + WAIT_S
    while not (servers and servers[0].started):
        assert time.monotonic() < end
        time.sleep(0.02)
    yield listening.getsockname()[1]
    servers[0].should_exit = True
    thread.join(WAIT_S)
    listening.close()


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=WAIT_S)


def to_its_end(connection: socket.socket) -> bytes:
    """All that comes until the desk closes the connection."""
    found = b""
    while piece := connection.recv(1 << 16):
        found += piece
    return found


def test_a_connection_that_says_nothing_is_closed(port: int) -> None:
    with connected(port) as silent:
        assert to_its_end(silent) == b""


def test_a_head_that_is_never_whole_is_closed_also_after_a_request(port: int) -> None:
    with connected(port) as slow:
        slow.sendall(GET[:20])
        assert to_its_end(slow) == b""
    with connected(port) as slow:
        slow.sendall(GET + GET[:20])
        assert to_its_end(slow).endswith(b"ok\n")


def test_two_gigabytes_are_refused_before_they_come(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "QUIET_S", 0.2)  # nothing follows
    head = b"POST /c/course/a/warm-up/hand-in HTTP/1.1\r\nhost: desk.test\r\ncookie: grader=x\r\n"
    for expects in (b"", b"expect: 100-continue\r\n"):
        with connected(port) as large:
            large.sendall(head + b"content-length: 2147483648\r\n" + expects + b"\r\n")
            said = to_its_end(large)
            assert said.startswith(b"HTTP/1.1 413"), said
            assert b"larger than 100 MB" in said


def test_who_is_refused_while_still_sending_reads_why(port: int) -> None:
    """A connection closed at once would be reset, and the answer lost with it."""
    with connected(port) as large:
        large.sendall(
            b"POST /c/course/a/warm-up/hand-in HTTP/1.1\r\nhost: desk.test\r\n"
            b"cookie: grader=x\r\ncontent-length: 150000000\r\n\r\n"
        )
        for _ in range(150):
            large.sendall(bytes(1_000_000))
        said = to_its_end(large)
        assert said.startswith(b"HTTP/1.1 413"), said
        assert b"larger than 100 MB" in said


def test_an_upload_that_is_cut_off_is_nothing(port: int, tables: Tables) -> None:
    with connected(port) as cut:
        cut.sendall(begun_hand_in(tables, 100_000))
        cut.shutdown(socket.SHUT_WR)
        to_its_end(cut)
    assert tables.course.gradebook.tries.receiving() == []
    assert list(tables.desk.uploads.iterdir()) == []
    assert not (tables.course.course.submissions_dir / "warm-up" / "ada").exists()


def test_what_is_handed_in_is_received_when_all_of_it_is_there(port: int, tables: Tables) -> None:
    """Else an upload that was begun on time could go on for hours, and be written meanwhile."""
    rest = HOMEWORK[1:] + b"\r\n--b--\r\n"
    with connected(port) as slow:
        slow.sendall(begun_hand_in(tables, len(rest)))
        time.sleep(0.2)  # its head has been read, whatever it waits for
        before_the_rest = dt.datetime.now(dt.UTC)
        slow.sendall(rest)
        assert slow.recv(1 << 16).startswith(b"HTTP/1.1 303")
    (one,) = tables.course.gradebook.tries.of("ada")
    assert one.received_at >= before_the_rest


def test_who_is_taken_out_while_sending_does_nothing_any_more(
    port: int, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "_KNOWN", dt.timedelta())
    rest = HOMEWORK[1:] + b"\r\n--b--\r\n"
    with connected(port) as slow:
        slow.sendall(begun_hand_in(tables, len(rest)))
        time.sleep(0.2)
        ada = tables.course.people.named("ada")
        assert ada is not None
        tables.course.people.remove(ada.account)
        slow.sendall(rest)
        assert slow.recv(1 << 16).startswith(b"HTTP/1.1 404")
    assert tables.course.gradebook.tries.of("ada") == []


def begun_hand_in(tables: Tables, more: int) -> bytes:
    """How a student's request begins, up to the first byte of the notebook; `more` bytes follow."""
    browser = tables.browser("ada")
    form = browser.form("/account")["form"]
    cookie = browser.client.cookies[tables.desk.cookie]
    body = (
        '--b\r\ncontent-disposition: form-data; name="form"\r\n\r\n'
        f'{form}\r\n--b\r\ncontent-disposition: form-data; name="key"\r\n\r\nk1\r\n'
        '--b\r\ncontent-disposition: form-data; name="sure"\r\n\r\n1\r\n'
        '--b\r\ncontent-disposition: form-data; name="files"; filename="a.ipynb"\r\n\r\n{'
    ).encode()
    head = (
        "POST /c/course/a/warm-up/hand-in HTTP/1.1\r\nhost: desk.test\r\n"
        f"cookie: {tables.desk.cookie}={cookie}\r\nsec-fetch-site: same-origin\r\n"
        "content-type: multipart/form-data; boundary=b\r\n"
        f"content-length: {len(body) + more}\r\n\r\n"
    ).encode()
    return head + body
