"""What a browser sends is bounded, in size and in silence, whatever it says of itself."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import Receive, Scope, Send

from grader.desk import bodies
from grader.desk.bodies import Bodies
from tests.desk.conftest import run_async

SCOPE: dict[str, Any] = {"type": "http", "headers": [(b"cookie", b"grader=x")]}
MAX = 2 << 20


def plainly(scope: Scope, status: int, said: str) -> PlainTextResponse:
    return PlainTextResponse(said, status)


async def reads_all(scope: Scope, receive: Receive, send: Send) -> None:
    size = 0
    while True:
        message = await receive()
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


def answer(
    *pieces: bytes | None, scope: dict[str, Any] = SCOPE, taken: list[int] | None = None
) -> tuple[int, str]:
    """What comes of a body in pieces, which are noted in `taken`; after None nothing more comes."""
    sent: list[Any] = []
    left = list(pieces)

    async def receive() -> Any:
        piece = left.pop(0) if left else None
        if piece is None:
            await asyncio.Event().wait()
        if taken is not None:
            taken.append(len(taken))
        await asyncio.sleep(0)
        return {"type": "http.request", "body": piece, "more_body": bool(left)}

    async def send(message: Any) -> None:
        sent.append(message)

    app = Bodies(reads_all, max_bytes=MAX, idle_s=0.05, page=plainly)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bodies, "QUIET_S", 0.05)
        run_async(app(scope, receive, send))
    return sent[0]["status"], b"".join(m.get("body", b"") for m in sent[1:]).decode()


def test_a_body_within_its_bound_passes() -> None:
    assert answer(b"x" * (1 << 20), b"y" * (1 << 20)) == (200, str(MAX))


def test_one_that_grows_beyond_it_is_stopped_and_told_what_to_do() -> None:
    status, said = answer(*[b"x" * (1 << 20)] * 3)
    assert status == 413
    assert "larger than 1 MB" in said and "Nothing was handed in" in said


def test_one_that_says_that_it_is_too_large_is_not_read() -> None:
    for declared in (b"99999999999", b"many", b"-1"):
        scope = {"type": "http", "headers": [(b"content-length", declared)]}
        assert answer(b"", scope=scope)[0] == 413


def test_who_goes_on_sending_is_listened_to_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []

    def heard(lingers_s: float) -> int:
        """How many of ten pieces are taken in, of which the third is too much."""
        taken.clear()
        monkeypatch.setattr(bodies, "LINGERS_S", lingers_s)
        assert answer(*[b"x" * (1 << 20)] * 10, taken=taken)[0] == 413
        return len(taken)

    assert heard(20.0) == 10
    assert heard(0.0) < 10


async def signs_in(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers without a look at the body, as where a session has ended."""
    await RedirectResponse("/sign-in", 303)(scope, receive, send)


@pytest.fixture
def port() -> Iterator[int]:
    """Of a server that answers before it has read."""
    listener = socket.create_server(("127.0.0.1", 0))
    app = Bodies(signs_in, max_bytes=64 << 20, page=plainly)
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join()


@pytest.mark.parametrize("connection", ["close", "keep-alive"])
def test_an_answer_that_comes_before_the_whole_body_is_read_by_who_sends(
    port: int, connection: str
) -> None:
    size = 48 << 20  # more than the buffers between the two hold
    head = f"POST / HTTP/1.1\r\nhost: x\r\ncookie: x\r\ncontent-length: {size}\r\n"
    with socket.create_connection(("127.0.0.1", port)) as sender:
        sender.sendall(f"{head}connection: {connection}\r\n\r\n".encode())
        for _ in range(size >> 20):  # a browser that reads the answer only when it has sent all
            sender.sendall(bytes(1 << 20))
        said = b"".join(iter(lambda: sender.recv(65536), b""))
    assert said.startswith(b"HTTP/1.1 303")
    assert b"location: /sign-in" in said and b"connection: close" in said.lower()


def test_an_answer_to_a_whole_request_keeps_its_connection(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as sender:
        for _ in range(2):
            sender.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            said = sender.recv(65536)
            assert said.startswith(b"HTTP/1.1 303") and b"close" not in said


def test_one_that_stalls_is_given_up() -> None:
    status, said = answer(b"x", None)
    assert status == 408
    assert "Nothing was handed in" in said


def test_one_that_hardly_goes_on_is_given_up() -> None:
    class Slow:
        """A clock that a byte moves by a minute."""

        now = 0.0

        def monotonic(self) -> float:
            self.now += 60.0
            return self.now

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bodies, "time", Slow())
        assert answer(*[b"x"] * 5)[0] == 408
        assert answer(*[b"x" * 200_000] * 5)[0] == 200


def test_a_stranger_sends_no_files() -> None:
    scope = {"type": "http", "headers": []}
    assert answer(b"x" * (1 << 20), scope=scope)[0] == 200
    assert answer(b"x" * (1 << 20), b"y", scope=scope)[0] == 413
    declared = {"type": "http", "headers": [(b"content-length", b"1048577")]}
    assert answer(b"", scope=declared)[0] == 413
