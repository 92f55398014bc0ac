"""What may reach a terminal, character by character."""

from __future__ import annotations

import io
import json
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.cli.output import console, plain, secho
from grader.printable import (
    PrintableStream,
    printable,
    printable_json,
    printable_line,
    printing_safely,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("\x9b2J", r"\x9b2J"),
        ("a\rb\bc", r"a\rb\x08c"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\u2066x\u2069\u200f\u061c", r"\u2066x\u2069\u200f\u061c"),
        ("caf\udce9", r"caf\udce9"),
        ("a\u2028b", r"a\u2028b"),
        ("\U000e0041", r"\U000e0041"),
        ("Şule 李 می‌خواهم 👩‍💻\ttab\n", "Şule 李 می‌خواهم 👩‍💻\ttab\n"),
    ],
)
def test_what_a_terminal_obeys_is_spelt_out_and_names_stay(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(shown) == shown


@given(st.text(st.characters()))
def test_no_control_or_bidirectional_character_is_left(text: str) -> None:
    shown = printable(text)
    assert not {unicodedata.category(c) for c in shown} & {"Cs", "Zl", "Zp"}
    assert all(c in "\n\t" for c in shown if unicodedata.category(c) == "Cc")
    directing = ("LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI")
    assert not any(unicodedata.bidirectional(c) in directing for c in shown)
    shown.encode()


@given(st.text(st.characters()))
def test_json_means_the_same_and_is_printable(text: str) -> None:
    document = printable_json(json.dumps({text: [text]}, ensure_ascii=False))
    assert printable(document) == document
    assert json.loads(document) == json.loads(json.dumps({text: [text]}))


def test_a_name_can_not_begin_a_line_of_its_own() -> None:
    assert printable_line("ada\n  ben  100\r\n") == "ada ben  100"


def test_a_stream_spells_out_what_its_encoding_lacks() -> None:
    raw = io.BytesIO()
    stream = PrintableStream(io.TextIOWrapper(raw, encoding="latin-1"))
    print("\x1b[1m✓ é \udcff", file=stream, flush=True)
    assert raw.getvalue() == b"\\x1b[1m\\u2713 \xe9 \\udcff\n"


def test_whoever_prints_passes_the_same_place(capsys: pytest.CaptureFixture[str]) -> None:
    with printing_safely(), printing_safely():
        print("\x1b[1mprint")
        print("\x1b[1merror", file=sys.stderr)
        secho("\x1b[1mstyled", fg="red")
        table = console()
        table.print("[red]\x1b[1mrich", plain("[b]\x1b[1mcell"))
    out, err = capsys.readouterr()
    assert err == "\\x1b[1merror\n"
    assert out == ("\\x1b[1mprint\n\\x1b[1mstyled\n[red]\\x1b[1mrich [b]\\x1b[1mcell\n")
