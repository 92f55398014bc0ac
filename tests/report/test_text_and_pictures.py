"""Hostile text, pictures and formulas are bounded, and honest ones are shown."""

from __future__ import annotations

import base64
import struct

import pytest

from grader.report.formulas import formula_html
from grader.report.highlighting import highlight_code
from grader.report.markdown import MAX_MARKDOWN, markdown_html
from grader.report.pictures import raster_url, svg_url
from grader.report.text import clean, show_terminal
from tests.helpers.cost import linear_time
from tests.helpers.notebooks import png


def test_text_that_turns_its_direction_is_made_plain() -> None:
    assert clean("hw\u202egpj.ipynb\x00\ud800") == "hw\ufffdgpj.ipynb\ufffd\ufffd"


def test_a_long_text_keeps_its_beginning_and_its_end() -> None:
    text = clean("a" * 50_000 + "END")
    assert len(text) < 21_000 and text.endswith("END")
    assert "30,003 more characters are not shown" in text


def test_a_progress_bar_shows_its_last_state() -> None:
    assert show_terminal("epoch 1\n 10%\r 50%\r100%\ndone") == "epoch 1\n100%\ndone"


def test_colours_become_classes_and_never_styles() -> None:
    html = show_terminal('\x1b[1;31mred\x1b[0m \x1b[38;5;231munseen\x1b[0m style="x" &')
    assert '<span class="ansi-red-intense-fg ansi-bold">red</span>' in html
    assert "</span> unseen style" in html
    assert "style=&#34;x&#34; &amp;" in html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("\x1b[38mx", "x"),
        ("\x1b[48;5mx", "x"),
        ("\x1b[38;2;1mx", "x"),
        ("\x1b[31;999999999999mx", '<span class="ansi-red-fg">x</span>'),
        ("\x1b[9;?mx\x1b[2Ky", "xy"),
        ("\x1b[38;5;9mx", '<span class="ansi-red-intense-fg">x</span>'),
        ("\x1b[97;44mx", '<span class="ansi-white-intense-fg ansi-blue-bg">x</span>'),
        (
            "\x1b[7mx\x1b[27my",
            '<span class="ansi-default-inverse-fg ansi-default-inverse-bg">x</span>y',
        ),
        (
            "\x1b[4;32mx\x1b[24my\x1b[39mz",
            '<span class="ansi-green-fg ansi-underline">x</span>'
            '<span class="ansi-green-fg">y</span>z',
        ),
    ],
)
def test_colours_are_shown_and_what_is_none_is_dropped(text: str, html: str) -> None:
    assert show_terminal(text) == html


def test_an_ansi_bomb_makes_no_elements() -> None:
    assert "<span" not in show_terminal("\x1b[31mx" * 4_000)


def test_a_png_is_shown_and_a_picture_that_lies_about_its_kind_is_not() -> None:
    assert raster_url("image/png", png(8, 8)) == f"data:image/png;base64,{png(8, 8)}"
    assert raster_url("image/jpeg", png(8, 8)) is None
    assert raster_url("image/png", base64.b64encode(b"<svg onload=x>").decode()) is None
    assert raster_url("image/png", "not base64 \N{SNOWMAN}") is None
    assert raster_url("text/html", png(8, 8)) is None


def test_a_gigapixel_in_a_few_bytes_is_refused() -> None:
    raw = bytearray(base64.b64decode(png(8, 8)))
    raw[16:24] = struct.pack(">II", 60_000, 60_000)
    assert raster_url("image/png", base64.b64encode(bytes(raw)).decode()) is None


def test_an_svg_becomes_a_picture_that_cannot_run() -> None:
    url = svg_url('<svg xmlns="http://www.w3.org/2000/svg"><circle r="3"/></svg>')
    assert url is not None and url.startswith("data:image/svg+xml;base64,")


@pytest.mark.parametrize(
    "text",
    [
        "no svg",
        "<html/>",
        '<!DOCTYPE svg [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><svg>&b;</svg>',
        '<svg><g id="a"><use href="#a"/></g></svg>',
        "<svg>"
        + "".join(f'<g id="g{i}">' + f'<use href="#g{i + 1}"/>' * 10 + "</g>" for i in range(12))
        + '<g id="g12"><path/></g></svg>',
    ],
    ids=["text", "html", "entities", "itself", "laughs"],
)
def test_an_svg_that_is_none_or_grows_without_end_is_refused(text: str) -> None:
    assert svg_url(text) is None


def test_an_svg_that_reuses_its_glyphs_is_shown() -> None:
    uses = '<use href="#glyph" x="1"/>' * 500
    assert svg_url(f'<svg><defs><path id="glyph" d="M0 0"/></defs>{uses}</svg>') is not None


def test_a_formula_becomes_mathml() -> None:
    html = markdown_html(r"With $\frac{\partial L}{\partial W} = \delta^\top x$ we get")
    assert "<math" in html and "<mfrac>" in html and "$" not in html


def test_aligned_equations_become_a_table() -> None:
    html = markdown_html("\\begin{aligned} a &= b \\\\ c &= d \\end{aligned}")
    assert html.count("<mtr>") == 2


@pytest.mark.parametrize("latex", [r"\frac{", r"\nosuchcommand{x}", "", "x" * 5_000, "{" * 1500])
def test_a_formula_that_cannot_be_read_is_shown_as_its_source(latex: str) -> None:
    html = formula_html(latex, block=False)
    assert html.startswith("<code>") and "<math" not in html


def test_headings_of_a_notebook_stand_below_those_of_the_page() -> None:
    assert markdown_html("# One") == "<h3>One</h3>"


def test_a_picture_attached_to_a_cell_is_shown() -> None:
    html = markdown_html("![plot](attachment:a.png)", {"a.png": {"image/png": png(4, 4)}})
    assert f"data:image/png;base64,{png(4, 4)}" in html


def test_a_picture_that_is_not_attached_is_no_error() -> None:
    assert "src" not in markdown_html("![x](attachment:gone.png)", {"a.png": {}})


def test_code_is_highlighted_and_escaped() -> None:
    html = highlight_code("def f(): return '<b>'")
    assert '<span class="k">def</span>' in html and "&lt;b&gt;" in html


def test_very_long_code_is_escaped_without_highlighting() -> None:
    assert "<" not in highlight_code("x = '<'\n" * 5_000)


@pytest.mark.parametrize(
    "unit",
    ["[", "*a ", "`", "![](", "<", "> ", "$", "- ", "\\begin{a}", "a**b", "~~a", "<!--", "[[a]"],
)
def test_markdown_made_to_be_slow_is_not(unit: str) -> None:
    with linear_time():
        markdown_html(unit * (MAX_MARKDOWN // len(unit)))
