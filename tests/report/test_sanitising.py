"""Nothing that runs, loads from outside or covers the page gets through."""

from __future__ import annotations

import base64

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


# Of HTML, of its past, of MathML and SVG.
ELEMENTS = """
a abbr acronym address animate annotation annotation-xml applet area article aside audio b base
basefont bdi bdo bgsound big blink blockquote body br button canvas caption center circle cite code
col colgroup command content data datalist dd defs del details dfn dialog dir div dl dt element em
embed fencedframe fieldset figcaption figure font footer foreignObject form frame frameset g h1 h2
h3 h4 h5 h6 head header hgroup hr html i iframe image img input ins isindex kbd keygen label
legend li line link listing maction main map mark marquee math menclose menu menuitem merror meta
meter mfenced mfrac mglyph mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow ms
mspace msqrt mstyle msub msubsup msup mtable mtd mtext mtr multicol munder munderover nav nextid
nobr noembed noframes noscript object ol optgroup option output p param path picture plaintext
polygon portal pre progress q rb rect rp rt rtc ruby s samp script search section select
semantics set shadow slot small source spacer span strike strong style sub summary sup svg table
tbody td template text textarea tfoot th thead time title tr track tt u ul use var video wbr xmp
""".split()  # noqa: SIM905
MAY_STAY = """
a abbr b bdi blockquote br caption cite code col colgroup dd del details dfn div dl dt em
figcaption figure h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark math menclose mfrac mi
mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow ms mspace msqrt mstyle msub
msubsup msup mtable mtd mtext mtr munder munderover ol p pre q rp rt ruby s samp small span strong
sub summary sup table tbody td tfoot th thead tr tt u ul var
""".split()  # noqa: SIM905
WITHIN = {
    "caption": "table", "col": "table><colgroup", "colgroup": "table", "tbody": "table",
    "thead": "table", "tfoot": "table", "tr": "table><tbody", "td": "table><tbody><tr",
    "th": "table><tbody><tr",
}  # fmt: skip


def stays(tag: str) -> bool:
    """Whether an element does, where it may stand."""
    before = f"<{WITHIN[tag]}>" if tag in WITHIN else ""
    if tag.startswith("m") and tag not in ("mark", "math"):
        before = "<math>"
    return f"<{tag}" in str(sanitise_html(f"{before}<{tag}>x</{tag}>")).replace(before, "", 1)


def test_of_all_elements_only_those_of_text_tables_and_formulas_stay() -> None:
    assert [tag for tag in ELEMENTS if stays(tag)] == MAY_STAY


@pytest.mark.parametrize(
    "tag", ["script", "style", "template", "noscript", "title", "textarea", "xmp"]
)
def test_what_is_no_text_goes_with_all_that_is_in_it(tag: str) -> None:
    assert sanitise_html(f"a<{tag}>attack()</{tag}>b") == "ab"


@pytest.mark.parametrize(
    "html",
    [
        '<img width="20" height="30" alt="a plot">',
        "<table><tbody><tr>"
        '<th colspan="2" rowspan="3" scope="col">x</th><td colspan="2" rowspan="3">x</td>'
        "</tr></tbody></table>",
        '<table><colgroup><col span="2"></colgroup></table>',
        '<ol start="7"><li>x</li></ol>',
        '<details open=""><summary>x</summary></details>',
        '<abbr title="x">y</abbr>',
        '<math display="block"><mo stretchy="true" fence="true" form="prefix" minsize="1.2em" '
        'maxsize="12em" separator="true" lspace="-2px" rspace="3.1234ex">x</mo></math>',
        '<math><mi mathvariant="normal">x</mi><mspace width="2pt"></mspace></math>',
        '<math><mfrac linethickness="0px"><mi>x</mi><mi>y</mi></mfrac></math>',
        '<math><mstyle displaystyle="true" scriptlevel="1"><mi>x</mi></mstyle></math>',
        '<math><mtable displaystyle="true"><mtr><mtd columnalign="left">x</mtd></mtr></mtable>'
        "</math>",
        '<math><mover accent="true"><mi>x</mi><mo>^</mo></mover></math>',
        '<math><munder accentunder="true"><mi>x</mi><mo>_</mo></munder></math>',
        '<span class="k">def</span>',
    ],
)
def test_what_layout_and_formulas_need_stays(html: str) -> None:
    def parts(text: str) -> list[str]:
        return sorted(text.replace("<", " ").replace(">", " ").split())

    assert parts(str(sanitise_html(html))) == parts(html)


@pytest.mark.parametrize(
    "attribute",
    ["style", "id", "name", "class", "onclick", "srcdoc", "srcset", "tabindex", "slot"],
)
@pytest.mark.parametrize("tag", ["p", "a", "img", "span", "details", "math", "mi"])
def test_no_element_keeps_what_could_cover_the_page_or_catch_its_links(
    tag: str, attribute: str
) -> None:
    assert f'{attribute}="x' not in sanitise_html(f'<{tag} {attribute}="x">y</{tag}>')


@pytest.mark.parametrize(
    "html",
    [
        '<img width="12345">',
        '<img height="1e9">',
        '<table><tbody><tr><td colspan="-1">x</td></tr></tbody></table>',
        '<table><tbody><tr><td rowspan="99999">x</td></tr></tbody></table>',
        '<table><colgroup><col span="99999"></colgroup></table>',
        '<ol start="99999"><li>x</li></ol>',
        '<math><mstyle scriptlevel="-1"><mi>x</mi></mstyle></math>',
        '<math><mspace width="100em"></mspace></math>',
        '<math><mspace width="20"></mspace></math>',
        '<math><mo minsize="100em">x</mo></math>',
        '<math><mo maxsize="9e9em">x</mo></math>',
        '<math><mo rspace="-100em">x</mo></math>',
        '<math><mfrac linethickness="100vh"><mi>x</mi></mfrac></math>',
    ],
)
def test_a_number_that_would_break_the_page_goes_and_the_element_stays(html: str) -> None:
    assert "=" in html and "=" not in sanitise_html(html)


HIGHLIGHT = """
bp c c1 ch cm cs err fm k kc kd kn kp kr kt mf mh mi mo n na nb nc nd ne nf nn nv o ow p s s1 s2 sa
sb sd se sf si sr
""".split()  # noqa: SIM905


def test_of_all_classes_only_those_of_highlighted_code_and_of_tables_stay() -> None:
    for name in HIGHLIGHT:
        assert f'<span class="{name}">' in sanitise_html(f'<span class="big {name}">x</span>')
    assert 'class="dataframe"' in sanitise_html('<table class="dataframe"></table>')
    for tag, name in (("span", "dataframe"), ("span", "s3"), ("table", "k"), ("p", "k")):
        assert f'"{name}"' not in sanitise_html(f'<{tag} class="{name}">x</{tag}>')


@pytest.mark.parametrize("link", ["https://a.org/x", "HTTP://a.org", "mailto:a@b.org"])
def test_links_to_the_web_and_to_a_mailbox_stay(link: str) -> None:
    assert f'href="{link}"' in sanitise_html(f'<a href="{link}">x</a>')


def svg_link(svg: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


PLOT = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0L9 9"/></svg>'


def test_a_sound_svg_in_a_picture_stays_a_picture() -> None:
    html = sanitise_html(f'<img src="{svg_link(PLOT)}">')
    assert 'src="data:image/svg+xml;base64,' in html
    shown = base64.b64decode(html.partition("base64,")[2].partition('"')[0])
    assert b"M0 0L9 9" in shown


@pytest.mark.parametrize(
    "source",
    [
        svg_link("<svg xmlns='http://www.w3.org/2000/svg'><script>attack()</script>"),
        svg_link("no svg"),
        "data:image/svg+xml;base64,?" + svg_link(PLOT).partition(",")[2],
        "data:image/svg+xml;base64,abc",
        "data:image/svg+xml," + PLOT.replace('"', "'"),
        f"data:text/html;base64,{png(4, 4)}",
        f"data:image/tiff;base64,{png(4, 4)}",
        "https://a.org/x.png",
        "",
    ],
)
def test_what_is_no_sound_picture_is_not_loaded(source: str) -> None:
    assert "src" not in sanitise_html(f'<img src="{source}">')


def test_bytes_of_an_svg_that_are_no_text_are_replaced() -> None:
    damaged = PLOT.encode().replace(b"</svg>", b"<text>\xff</text></svg>")
    source = "data:image/svg+xml;base64," + base64.b64encode(damaged).decode()
    assert 'src="data:image/svg+xml;base64,' in sanitise_html(f'<img src="{source}">')


def test_html_is_cut_off_at_its_limit() -> None:
    assert sanitise_html("x" * 400_001) == "x" * 400_000
    assert sanitise_html("abcdef", limit=3) == "abc"


@pytest.mark.parametrize(
    "tag",
    ["script", "iframe", "object", "embed", "applet", "form", "video", "audio", "canvas"],
)
def test_each_element_that_runs_or_loads_is_recognised(tag: str) -> None:
    assert is_interactive(f"x <{tag.upper()}\nsrc=y>")
    assert not is_interactive(f"<p>{tag}</p><{tag}x>")
