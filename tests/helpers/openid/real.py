"""npm's oidc-provider, and a browser's way through its pages."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import requests
from joserfc.jwk import RSAKey

HERE = Path(__file__).parent
PACKAGE = Path(__file__).parents[3] / ".venv/node/node_modules/oidc-provider"
PEOPLE: dict[str, dict[str, Any]] = {
    "sub-ada": {
        "email": "Ada@Example.edu",
        "email_verified": True,
        "preferred_username": "ada",
        "student_number": "1001",
    },
    "sub-eve": {"email": "ada@example.edu", "email_verified": False, "preferred_username": "eve"},
    "sub-guest": {
        "email": "guest@elsewhere.example",
        "email_verified": True,
        "preferred_username": "guest",
    },
}


def needed() -> None:
    """Skip a test where node or the package is not there; fail where they must be."""
    why = ""
    if shutil.which("node") is None:
        why = "node is not installed"
    elif not PACKAGE.is_dir():
        why = "npm's oidc-provider is not installed: make .venv/.node"
    if why and os.environ.get("GRADER_REQUIRE_OIDC") == "1":
        pytest.fail(why)
    if why:
        pytest.skip(why)


def new_key(name: str) -> dict[str, Any]:
    """A private key to sign with."""
    key = RSAKey.generate_key(2048, {"kid": name, "use": "sig", "alg": "RS256"}, private=True)
    return dict(key.as_dict(private=True))


@dataclass
class RealProvider:
    """Where it is, and what it was started with."""

    redirect_uri: str
    port: int
    keys: list[dict[str, Any]] = field(default_factory=lambda: [new_key("first")])
    conform: bool = True
    _process: subprocess.Popen[str] | None = None

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it listens."""
        client = {
            "client_id": "desk",
            "client_secret": "s3cret/with+odd chars",
            "redirect_uris": [self.redirect_uri],
            "response_types": ["code"],
        }
        given = {
            "port": self.port,
            "keys": self.keys,
            "clients": [client],
            "people": PEOPLE,
            "conform": self.conform,
        }
        self._process = subprocess.Popen(
            ["node", str(HERE / "provider.mjs"), str(PACKAGE), json.dumps(given)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if "ready" in line:
                return
        raise AssertionError("the provider did not start")

    def stop(self) -> None:
        """Stop it."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def signed_in(self, question: str, login: str) -> str:
        """Go through the provider's pages as a person does; return where it sends the browser."""
        browser = requests.Session()
        address = question
        for _ in range(12):
            answer = browser.get(address, allow_redirects=False, timeout=60)
            while answer.is_redirect:
                address = urljoin(address, answer.headers["location"])
                if address.startswith(self.redirect_uri):
                    return address
                answer = browser.get(address, allow_redirects=False, timeout=60)
            assert answer.status_code == 200, answer.text
            prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
            action = re.search(r'<form[^>]* action="([^"]+)"', answer.text)
            assert prompt and action, answer.text
            form = {"prompt": prompt[1], "login": login, "password": "any"}
            sent = browser.post(
                urljoin(address, action[1]), data=form, allow_redirects=False, timeout=60
            )
            address = urljoin(address, sent.headers["location"])
        raise AssertionError("the provider asks without end")


@contextmanager
def real_provider(redirect_uri: str, **more: Any) -> Iterator[RealProvider]:
    """Run a provider that sends browsers to `redirect_uri`."""
    needed()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    provider = RealProvider(redirect_uri=redirect_uri, port=port, **more)
    provider.start()
    try:
        yield provider
    finally:
        provider.stop()


def wait_until_gone(port: int) -> None:
    """Wait until nothing listens on a port."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return
        time.sleep(0.05)
    raise AssertionError("it is still there")
