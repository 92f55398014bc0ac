"""Nothing that runs, loads from outside or covers the page gets through."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.report.markdown import markdown_html
from grader.report.sanitising import is_interactive, sanitise_html
from grader.report.text import show_terminal
from tests.helpers.notebooks import png
from tests.report import hostile
from tests.report.hostile import dangers

PIECES = st.sampled_from(
    [
        *hostile.HTML,
        *"<>\"'=/&;` \n\t$*_[]()!#|\\",
        "<math>", "</math>", "<mi>", "<svg>", "<style>", "</style>", "<table>", "<td ", "<a href=",
        "javascript:", "onerror=", "style=", "src=", "data:", "<!--", "-->", "<![CDATA[", "```",
        "$$", "\\text{", "\\href{", "\\class{", "\\style{", "}", "](", "&#x3c;", "\x00", "\ud800",
    ]
)  # fmt: skip
SOUP = st.lists(PIECES | st.text(max_size=5), max_size=30).map("".join)


def test_the_measure_itself_sees_every_attack() -> None:
    blind = [h for h in hostile.HTML if not dangers(h)]
    harmless_as_html = {"' onmouseover='attack()"}
    assert set(blind) <= harmless_as_html


@pytest.mark.parametrize("attack", hostile.HTML)
def test_an_attack_does_not_survive(attack: str) -> None:
    assert dangers(sanitise_html(attack)) == []
    assert dangers(markdown_html(attack)) == []
    assert dangers(show_terminal(attack)) == []


@given(SOUP)
@settings(max_examples=300, deadline=None)
def test_no_mixture_of_pieces_survives_as_html(soup: str) -> None:
    assert dangers(sanitise_html(soup.replace("\ud800", ""))) == []


@given(SOUP)
@settings(max_examples=200, deadline=None)
def test_no_mixture_of_pieces_survives_as_markdown(soup: str) -> None:
    assert dangers(markdown_html(soup)) == []


@given(st.lists(st.sampled_from(["\x1b[", "\x1b", "31m", ";", "38;5;", "9" * 30]) | PIECES))
@settings(max_examples=200, deadline=None)
def test_no_mixture_of_pieces_survives_as_terminal_text(pieces: list[str]) -> None:
    html = show_terminal("".join(pieces))
    assert dangers(html) == []
    assert "\x1b" not in html and "\x00" not in html


def test_links_open_elsewhere_and_tell_nothing() -> None:
    html = sanitise_html('<a href="https://pytorch.org" onclick="x">docs</a>')
    for part in ('href="https://pytorch.org"', 'rel="noopener noreferrer nofollow"', "_blank"):
        assert part in html


def test_a_relative_link_is_dropped() -> None:
    assert "href" not in sanitise_html('<a href="../../other-student.html">x</a>')


def test_tables_and_sound_pictures_stay() -> None:
    html = sanitise_html(
        f'<table class="dataframe big"><tr><td colspan="2">1</td></tr></table>'
        f'<img src="data:image/png;base64,{png(4, 4)}">'
    )
    assert '<table class="dataframe">' in html and 'colspan="2"' in html
    assert 'src="data:image/png;base64,' in html


def test_a_symbol_is_not_lifted_over_the_page() -> None:
    html = sanitise_html('<math><mo lspace="-1000em" rspace="2em">x</mo><mi>y</mi></math>')
    assert "1000" not in html and 'rspace="2em"' in html


@pytest.mark.parametrize("html", ["<SCRIPT src=x>", "< iframe >", "<canvas id=x>"])
def test_what_wants_to_run_is_recognised(html: str) -> None:
    assert is_interactive(html)
    assert not is_interactive("<table><tr><td>script</td></tr></table>")
