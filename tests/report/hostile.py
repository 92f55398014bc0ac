"""Strings that attack the reader of a page, and a parser that tells whether one got through."""

from __future__ import annotations

import html5lib

HTML = (
    "<script>attack()</script>",
    "<img src=x onerror=attack()>",
    "<svg onload=attack()><script>attack()</script></svg>",
    '<iframe srcdoc="<script>parent.attack()</script>"></iframe>',
    '<a href="javascript:attack()">link</a>',
    '<a href=" \tjava\nscript:attack()">link</a>',
    '<a href="data:text/html,<script>attack()</script>">link</a>',
    "<math><mtext><table><mglyph><style><img src=x onerror=attack()></style></mglyph></table>",
    '<math><annotation-xml encoding="text/html"><script>attack()</script></annotation-xml></math>',
    '<math href="javascript:attack()"><mi>x</mi></math>',
    "<style>body{display:none} @import 'https://attack.example/x.css';</style>",
    '<div style="position:fixed;inset:0;background:url(https://attack.example/x.png)">cover</div>',
    '<link rel=stylesheet href="https://attack.example/x.css">',
    '<meta http-equiv=refresh content="0;url=https://attack.example/">',
    '<base href="https://attack.example/">',
    '<form action="https://attack.example/"><input name=q autofocus onfocus=attack()></form>',
    '<object data="https://attack.example/x"></object><embed src="https://attack.example/x">',
    '<video autoplay src="https://attack.example/x" onplay=attack()></video>',
    "<details open ontoggle=attack()><summary>x</summary></details>",
    '<img src="https://attack.example/beacon.png">',
    '<img src="data:text/html;base64,PHNjcmlwdD5hdHRhY2soKTwvc2NyaXB0Pg==">',
    "</code></pre></main></body></html><script>attack()</script>",
    '"><script>attack()</script>',
    "' onmouseover='attack()",
    "--><script>attack()</script><!--",
    "]]><script>attack()</script>",
    "{{ 7*7 }}{% raw %}<script>attack()</script>",
    "<template><script>attack()</script></template><noscript><p title='</noscript><script>'>",
    '<p id="main" class="band" name="result">imitation</p>',
    "<marquee onstart=attack()>x</marquee><body onload=attack()>",
    "\x1b]8;;javascript:attack()\x07link\x1b]8;;\x07\x1b[31m<script>attack()</script>",
)
"""Every one of these goes into every field that a student or a box can fill."""

ALL = " ".join(HTML)

FORBIDDEN_TAGS = {
    "script", "iframe", "object", "embed", "form", "input", "base", "link", "video", "audio",
    "svg", "style", "meta", "template", "applet", "frame", "frameset", "marquee", "annotation-xml",
    "mglyph", "foreignobject", "textarea", "button", "select",
}  # fmt: skip


def dangers(fragment: str) -> list[str]:
    """What in a fragment could run, load or cover something, as a browser's parser reads it."""
    return [d for e in _elements(html5lib.parseFragment(fragment)) for d in _of_element(e)]


def _elements(tree: object) -> list[object]:
    return [e for e in tree.iter() if isinstance(e.tag, str)]  # type: ignore[attr-defined]


def _of_element(element: object) -> list[str]:
    tag = element.tag.rpartition("}")[2].lower()  # type: ignore[attr-defined]
    found = [f"<{tag}>"] if tag in FORBIDDEN_TAGS else []
    for name, value in element.attrib.items():  # type: ignore[attr-defined]
        scheme = "".join(c for c in value.lower() if c > " ").partition(":")[0]
        if name.lower().startswith("on") or name in ("style", "id", "name", "srcdoc", "srcset"):
            found.append(f"{tag} {name}")
        if name == "href" and scheme not in ("http", "https", "mailto"):
            found.append(f"{tag} {name}={value}")
        if name == "src" and not value.startswith("data:image/"):
            found.append(f"{tag} {name}={value}")
    return found
