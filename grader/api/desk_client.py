"""Hand in to a desk from a program: a terminal, Jupyter, Colab."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from grader.api.own_notebooks import leading, own_notebooks
from grader.api.unanswered import Sending
from grader.errors import GraderError, InfrastructureError, UsageError
from grader.intake.accepted_files import AcceptedFiles, AskedNotebook, beside_on_disk
from grader.intake.notebook import read_notebook
from grader.release.check_settings import released_spec

_TIMEOUT_S = 60.0
_LOOK_S = 0.5
PATIENCE_S = 180.0
"""So long a desk that does not answer is asked again while a try is followed."""
_LONGEST_PAUSE_S = 15.0
_SEND_AGAIN = (
    "Look at the address, and whether it opens in a browser. Then run the same command again: if "
    "the files arrived, they are the same try, and count once."
)
_ENDED = ("judged", "failed", "superseded")


@dataclass(frozen=True, kw_only=True)
class DeskAnswer:
    """What the desk says of a try, as JSON has it; `warnings` came before it counted."""

    said: dict[str, Any]
    warnings: tuple[str, ...] = ()


class DeskClient:
    """Talks to one desk for the owner of a token.

    Args:
        address: of the desk, or of a course of it: `https://desk.example.edu/c/comp541`.
        token: personal, as the desk's account page makes it.

    Raises:
        UsageError: from every method: the desk refuses, and says why.
        InfrastructureError: it can't be reached, or can't do it just now.
    """

    def __init__(self, address: str, token: str) -> None:
        parts = urlsplit(address)
        if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
            raise UsageError(
                "the token would go over the network in the clear",
                where=address,
                hint="Use the desk's https:// address.",
            )
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._course = parts.path.strip("/").removeprefix("c/").partition("/")[0]
        self._token = token

    def hand_in(
        self,
        notebook: Path,
        assignment: str | None,
        *,
        is_sure: Callable[[tuple[str, ...]], bool],
    ) -> DeskAnswer:
        """Hand in a notebook with what the assignment asks for beside it.

        Args:
            notebook: the file, or the folder in which it lies.
            assignment: default: what the released notebook says.
            is_sure: asked, with what the desk says of the files, whether they count all the same.
        """
        lead = leading(notebook)
        if not lead.is_file():
            raise UsageError("there is no such notebook", where=notebook)
        name = assignment or read_notebook(lead.read_bytes(), name=lead.name).assignment
        if not name:
            raise UsageError(
                "nothing says which assignment this is",
                where=notebook,
                hint="Name it: --assignment NAME.",
            )
        course = self._course or self._only_course()
        spec = released_spec(lead.resolve().parent)
        beside = beside_on_disk(lead, AcceptedFiles(spec.handin)) if spec else None
        asked = [AskedNotebook(n) for n in spec.notebooks] if spec else []
        own = own_notebooks(notebook, asked, name)
        files = [("files", (path.name, path.read_bytes())) for path in own.paths.values()]
        files += [("files", (n, c.read(n))) for n, c in (beside.files if beside else ())]
        where = f"/c/{quote(course)}/a/{quote(name)}"
        words = [self._origin, self._token, where, *(file for _, (file, _) in files)]
        sending = Sending([*(w.encode() for w in words), *(data for _, (_, data) in files)])
        said = self._ask("POST", f"{where}/hand-in", data={"key": sending.key}, files=files)
        warnings = tuple(dict.fromkeys([*own.notes, *map(str, said.get("warnings", ()))]))
        if "upload" in said:
            if not is_sure(warnings):
                raise UsageError("nothing was handed in", hint="Fix the notebook, then again.")
            form = {"upload": said["upload"], "key": said["key"]}
            said = self._ask("POST", f"{where}/confirm", data=form)
        if "page" not in said:
            raise InfrastructureError(
                "what answers there is no desk", where=self._origin, hint=_SEND_AGAIN
            )
        sending.answered()
        return DeskAnswer(said=said, warnings=warnings)

    def follow(self, one: DeskAnswer, told: Callable[[dict[str, Any]], None]) -> DeskAnswer:
        """Wait until a try has ended; `told` is given what the desk says meanwhile.

        Raises:
            GraderError: the desk does not answer any more, or refuses; the try is in all the same.
        """
        page = str(one.said["page"])
        said = one.said
        while said.get("state") not in _ENDED:
            time.sleep(_LOOK_S)
            try:
                said = self._ask_patiently(urlsplit(page).path)
            except GraderError as error:
                raise type(error)(
                    error.what,
                    where=page,
                    hint="Your try is in, and counts. Its page shows what becomes of it; don't "
                    "hand in again.",
                ) from error
            told(said)
        return DeskAnswer(said=said, warnings=one.warnings)

    def _ask_patiently(self, path: str) -> dict[str, Any]:
        """Ask again while the desk can't be reached, less and less often."""
        pause_s, until = _LOOK_S, time.monotonic() + PATIENCE_S
        while True:
            try:
                return self._ask("GET", path)
            except InfrastructureError:
                if time.monotonic() + pause_s > until:
                    raise
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _only_course(self) -> str:
        courses = self._ask("GET", "/").get("courses", [])
        if len(courses) != 1:
            raise UsageError(
                "the desk has several courses of yours" if courses else "you are in no course",
                where=self._origin,
                hint="Name one: --to " + " or ".join(f"{self._origin}/c/{c}" for c in courses[:5]),
            )
        return str(courses[0])

    def _ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        import requests  # half a second of imports that other commands need not pay

        headers = {"authorization": f"Bearer {self._token}", "accept": "application/json"}
        try:
            answer = requests.request(
                method,
                self._origin + path,
                headers=headers,
                timeout=_TIMEOUT_S,
                allow_redirects=False,
                **more,
            )
        except requests.RequestException as error:
            raise InfrastructureError(
                f"the desk can't be reached: {type(error).__name__}",
                where=self._origin,
                hint=_SEND_AGAIN,
            ) from error
        try:
            said = answer.json()
        except ValueError:
            said = {}
        if not isinstance(said, dict):
            said = {}
        if answer.status_code >= 300:
            what = str(said.get("error") or f"it answers {answer.status_code}")
            hint = str(said.get("hint") or "")
            if answer.status_code >= 500 or answer.status_code == 429:  # later it may
                raise InfrastructureError(what, where=self._origin, hint=hint or _SEND_AGAIN)
            raise UsageError(what, where=self._origin, hint=hint or None)
        return said
