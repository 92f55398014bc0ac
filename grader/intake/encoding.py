"""From the bytes of a file to JSON text in UTF-8, or the reason why that cannot be."""

from __future__ import annotations

import codecs
import re
import unicodedata

from grader.errors import SubmissionError

DOWNLOAD_HINT = (
    "In Jupyter choose File > Save, in Colab File > Download > Download .ipynb, "
    "and hand in that file."
)

# Longer marks first: UTF-32-LE begins with the two bytes of UTF-16-LE.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8 with a byte order mark"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)

_SIGNATURES = (
    (b"%PDF-", "a PDF", "Hand in the notebook itself, not a print of it. " + DOWNLOAD_HINT),
    (
        b"PK\x03\x04",
        "a zip archive (or an office document)",
        "Unpack it and hand in the .ipynb file that is inside.",
    ),
    (b"\x1f\x8b", "a gzip archive", "Unpack it and hand in the .ipynb file that is inside."),
    (b"Rar!", "a RAR archive", "Unpack it and hand in the .ipynb file that is inside."),
    (b"7z\xbc\xaf", "a 7-Zip archive", "Unpack it and hand in the .ipynb file that is inside."),
    (b"\x89PNG", "a picture", "Hand in the notebook itself. " + DOWNLOAD_HINT),
    (b"\xff\xd8\xff", "a picture", "Hand in the notebook itself. " + DOWNLOAD_HINT),
    (
        b"{\\rtf",
        "a rich text document",
        "An editor has converted the notebook. " + DOWNLOAD_HINT,
    ),
    (
        b"version https://git-lfs",
        "a Git LFS pointer, not the notebook that it points to",
        "Run `git lfs pull` and hand in the file again.",
    ),
)

# Looked for as they are: a pattern with `^` takes fifty times as long in a notebook full of plots.
_CONFLICT = (b"\n<<<<<<< ", b"\n>>>>>>> ", b"\n=======\n")
_CONFLICT_END = b"\n======="
_PYTHON_LINE = re.compile(
    r"^(?:import |from \w[\w.]* import |def \w|class \w|@\w|#|\"\"\"|'''|[A-Za-z_]\w* ?=|print\()"
)


def to_utf8(data: bytes, *, name: str) -> tuple[bytes, tuple[str, ...]]:
    """Return the file's text as UTF-8 without a byte order mark, and what had to be mended.

    Raises:
        SubmissionError: the file is empty, of another kind, or in no encoding that is certain.
    """
    if not data.strip(b" \t\r\n\x00"):
        what = "The file is empty." if not data.strip() else "The file holds only NUL bytes."
        raise SubmissionError(
            what,
            where=name,
            hint="The upload or the synchronised folder lost its content. " + DOWNLOAD_HINT,
        )
    _refuse_other_kinds(data, name)
    for mark, codec, title in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _decode(data, codec, title, name)
    if data[:2] == b"{\x00":
        return _decode(data, "utf-16-le", "UTF-16", name)
    if data[:2] == b"\x00{":
        return _decode(data, "utf-16-be", "UTF-16", name)
    if data.isascii():
        return data, ()
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return _from_windows_1252(data, name)
    return data, ()


def refuse_text_of_another_kind(text: bytes, *, name: str) -> None:
    """Raise SubmissionError for text that cannot be a notebook: HTML, Python."""
    start = text[:4096].lstrip().decode("utf-8", "replace")
    if start.startswith("{"):
        return
    if start.startswith("<"):
        raise SubmissionError(
            "The file is a web page or XML, not a notebook.", where=name, hint=DOWNLOAD_HINT
        )
    if name.lower().endswith(".py") or _PYTHON_LINE.match(start):
        raise SubmissionError(
            "The file is a Python script, not a notebook.",
            where=name,
            hint="Hand in the .ipynb notebook. " + DOWNLOAD_HINT,
        )
    raise SubmissionError(
        "The file is not a notebook: it does not hold JSON.", where=name, hint=DOWNLOAD_HINT
    )


def refuse_conflict(text: bytes, *, name: str) -> None:
    """Raise SubmissionError for text with the marks of a git conflict; it is never JSON."""
    if any(mark in text for mark in _CONFLICT) or text.endswith(_CONFLICT_END):
        raise SubmissionError(
            "The notebook holds the marks of a git merge conflict (<<<<<<<, >>>>>>>).",
            where=name,
            hint="Resolve the conflict, open the notebook once to see that it loads, "
            "and hand it in again.",
        )


def _refuse_other_kinds(data: bytes, name: str) -> None:
    for signature, kind, hint in _SIGNATURES:
        if data.startswith(signature):
            raise SubmissionError(f"The file is {kind}, not a notebook.", where=name, hint=hint)


def _decode(data: bytes, codec: str, title: str, name: str) -> tuple[bytes, tuple[str, ...]]:
    try:
        text = data.decode(codec)
        return text.encode(), (f"The file was {title}; it was read as such.",)
    except UnicodeError as error:
        raise SubmissionError(
            f"The file starts like {title}, but its text is damaged.",
            where=name,
            hint=DOWNLOAD_HINT,
        ) from error


def _from_windows_1252(data: bytes, name: str) -> tuple[bytes, tuple[str, ...]]:
    """Read Latin-1 as Windows writes it, where nothing speaks against it.

    Clear means: it starts like a notebook, every byte has a meaning there, the bytes above ASCII
    stand for printable characters, and none of them form UTF-8 (which would be a damaged or mixed
    file, of which half would turn into wrong letters).
    """
    damaged = SubmissionError(
        "The text of the file is damaged: it is neither UTF-8 nor clearly Latin-1.",
        where=name,
        hint=DOWNLOAD_HINT,
    )
    if not data.lstrip().startswith(b"{") or b"\x00" in data:
        raise damaged
    if re.search(rb"[\xc3-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}", data):
        raise damaged
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        raise damaged from None
    if any(unicodedata.category(c) in {"Cc", "Cn"} for c in set(text) - set("\t\r\n")):
        raise damaged
    return text.encode(), ("The file was not UTF-8; it was read as Latin-1 (Windows-1252).",)
