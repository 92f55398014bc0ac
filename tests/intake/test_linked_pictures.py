"""Pictures that a written answer shows: pasted, linked to, or in the text itself."""

from __future__ import annotations

import base64

import pytest

from grader.intake.linked_pictures import (
    linked_targets,
    plain_target,
    with_linked_pictures,
    with_quoted_links,
)
from grader.intake.notebook_cells import Cell, ReadNotebook
from grader.report.markdown import markdown_html
from tests.helpers.cost import linear_time
from tests.report.test_text_and_pictures import png

PICTURE = base64.b64decode(png(4, 4))


def shown(source: str, files: dict[str, bytes] | None = None, **pasted: str) -> str:
    attachments = {name: {"image/png": data} for name, data in pasted.items()}
    notebook = ReadNotebook((Cell("markdown", source, "a", attachments=attachments),))
    [cell] = with_linked_pictures(notebook, files or {}).cells
    return markdown_html(cell.source, cell.attachments)


@pytest.mark.parametrize(
    ("link", "name"),
    [
        ("fig.png", "fig.png"),
        ("./fig.png", "fig.png"),
        ("FIG.PNG", "fig.png"),
        ("my%20fig.png", "my fig.png"),
        ("my fig.png", "my fig.png"),
        ("<my fig.png>", "my fig.png"),
        ("fig (1).png", "fig (1).png"),
        ("figs/a.png", "figs/a.png"),
        ("figs\\a.png", "figs/a.png"),
        ("Übung.png", "U\u0308bung.png"),
        ("%C3%9Cbung.png", "Übung.png"),
        ('fig.png "A title"', "fig.png"),
        ("C:/Users/ada/fig.png", "fig.png"),
    ],
)
def test_a_linked_picture_is_shown_whatever_its_name(link: str, name: str) -> None:
    if link.startswith("C:"):  # a path of another machine is no file beside
        assert "<img" not in shown(f"![]({link})", {name: PICTURE})
    else:
        assert 'src="data:image/png;base64,' in shown(f"See ![]({link}) there.", {name: PICTURE})


@pytest.mark.parametrize("tag", ['<img src="fig.png" width="40">', "<IMG SRC='fig.png'>"])
def test_a_picture_in_html_is_shown(tag: str) -> None:
    assert 'src="data:image/png;base64,' in shown(tag, {"fig.png": PICTURE})
    assert 'src="data:image/png;base64,' in shown(f"In a line {tag}.", {"fig.png": PICTURE})


@pytest.mark.parametrize(
    ("link", "name"),
    [
        ("image (1).png", "image (1).png"),
        ("image%20(1).png", "image (1).png"),
        ("Bild+Ü.png", "Bild+Ü.png"),
        ("a.png", "a.png"),
    ],
)
def test_a_pasted_picture_is_shown_whatever_its_name(link: str, name: str) -> None:
    assert "<img" in shown(f"![{name}](attachment:{link})", **{name: png(4, 4)})


def test_a_picture_in_the_text_becomes_one_of_the_cell() -> None:
    cell = Cell("markdown", f"![x](data:image/png;base64,{png(4, 4)}) So.", "a")
    [made] = with_linked_pictures(ReadNotebook((cell,)), {}).cells
    assert len(made.source) < 80 and made.source.endswith(" So.")
    assert "<img" in markdown_html(made.source, made.attachments)


def test_a_large_picture_is_shown_smaller_and_never_cut_off() -> None:
    import io
    import random

    from PIL import Image

    buffer = io.BytesIO()
    noise = random.Random(1).randbytes(900 * 900 * 3)
    Image.frombytes("RGB", (900, 900), noise).save(buffer, "PNG")
    assert len(buffer.getvalue()) > 2_000_000
    html = shown("![](fig.png)", {"fig.png": buffer.getvalue()})
    assert 'src="data:image/webp;base64,' in html and len(html) < 1_500_000


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("![](gone.png)", "A picture is not there, or damaged: gone.png"),
        ("![a](attachment:gone.png)", "A picture is not there, or damaged: gone.png"),
        ("<img src='gone.png'>", "A picture is not there, or damaged: gone.png"),
        ("![](https://example.org/a.png)", "A picture from another place is not loaded"),
        ("![](../../etc/a.png)", "A picture is not there, or damaged"),
        ("![](data:image/png;base64,AAAA)", "A picture is not there, or damaged"),
    ],
)
def test_a_picture_that_is_not_there_is_said_in_its_place(source: str, said: str) -> None:
    html = shown(source, {"other.png": PICTURE})
    assert said in html and "<img" not in html


def test_no_link_leads_out_of_the_folder() -> None:
    assert plain_target("../a.png") == plain_target("https://x/a.png") == plain_target("//x") == ""


@pytest.mark.parametrize(
    "hostile", ["![" * 10**5, "![](" * 10**5, "<img src=" * 10**5, "(" * 10**6]
)
def test_hostile_text_costs_linear_time(hostile: str) -> None:
    with linear_time():
        list(linked_targets(hostile))
        with_quoted_links(hostile)
