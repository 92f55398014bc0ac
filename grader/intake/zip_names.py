"""Names in a zip that does not say how they are written."""

from __future__ import annotations

import re
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from grader.intake.names import display_name

_UTF8_FLAG = 0x800
# Info-ZIP's Unicode path (APPNOTE.TXT 4.6.9): version 1, CRC-32 of the name in the header, UTF-8.
_UNICODE_PATH = 0x7075
_FAT = 0
_SHOWN = 3

_WESTERN = "äöüßÄÖÜáàâãåæéèêëíîïñóôõøœúùûçÁÀÂÃÅÆÉÈÊËÍÎÏÑÓÔÕØÚÙÛÇ"
_TURKISH = "çğıöşüâîûÇĞİÖŞÜ"
_CENTRAL = "ąćęłńóśźżáčďéěíňřšťúůýžäöüőűâîăşţđßĄĆĘŁŃÓŚŹŻÁČĎÉĚÍŇŘŠŤÚŮÝŽÄÖÜŐŰÂÎĂŞŢĐ"
# In the order in which they are preferred where nothing else tells; of zip tools on Windows in
# these languages. The letters are those of its languages that are not ASCII.
_LATIN = (
    ("cp437", _WESTERN),
    ("cp850", _WESTERN),
    ("cp857", _TURKISH),
    ("cp852", _CENTRAL),
    ("cp1252", _WESTERN),
    ("cp1254", _TURKISH),
    ("cp1250", _CENTRAL),
)
_OTHERS = (
    ("cp866", "CYRILLIC"),
    ("cp1251", "CYRILLIC"),
    ("cp737", "GREEK"),
    ("cp1253", "GREEK"),
    ("cp862", "HEBREW"),
    ("gbk", "CJK"),
    ("cp932", "KANA"),
    ("cp949", "HANGUL"),
    ("big5", "CJK"),
)
# The lead bytes of the characters that each of these standards has for daily use.
_COMMON_LEADS = {
    "gbk": range(0xB0, 0xD8),
    "big5": range(0xA4, 0xC7),
    "cp932": range(0x88, 0x98),
    "cp949": range(0xB0, 0xC9),
}


@dataclass
class Naming:
    """What helps to read names, and what is to be said of how they were read.

    Attributes:
        words: of the names of students, in lower case: an encoding that gives these is right.
        remarks: sentences.
    """

    words: Collection[str] = frozenset()
    remarks: list[str] = field(default_factory=list)


def names_of(infos: Sequence[zipfile.ZipInfo], naming: Naming, *, archive: str) -> list[str]:
    """Return the members' names as their author saw them, with ``/`` between folders.

    A name is in UTF-8 where its flag, its Unicode field or all of its bytes say so. The others of
    one archive were written by one program: one encoding is chosen for all, by the students'
    names and by which letters go together in words; the choice is always remarked.
    """
    raw = [_raw(info) for info in infos]
    names: list[str | None] = [_certain(info, r) for info, r in zip(infos, raw, strict=True)]
    open_ = [r for r, name in zip(raw, names, strict=True) if name is None]
    if open_:
        codec = _codec(open_, naming.words)
        shown = ", ".join(
            sorted({display_name(r.decode(codec, "replace")) for r in open_})[:_SHOWN]
        )
        naming.remarks.append(
            f"{archive}: it does not say how the names in it are written; {len(open_)} of them "
            f"were read as {codec}, such as {shown}. Look whether they are right."
        )
        names = [
            r.decode(codec, "replace") if n is None else n for r, n in zip(raw, names, strict=True)
        ]
    windows = not any("/" in (name or "") for name in names)
    return [_slashes(i, n or "", windows) for i, n in zip(infos, names, strict=True)]


def _raw(info: zipfile.ZipInfo) -> bytes:
    """Return the bytes of a name.

    zipfile cuts `filename` at a NUL, which hides the rest of a hostile name; `orig_filename` does
    not, and holds what has no UTF-8 flag as code page 437, which has a letter for every byte.
    """
    utf8 = info.flag_bits & _UTF8_FLAG
    return info.orig_filename.encode("utf-8" if utf8 else "cp437", "surrogatepass")


def _certain(info: zipfile.ZipInfo, raw: bytes) -> str | None:
    if info.flag_bits & _UTF8_FLAG or raw.isascii():
        return info.orig_filename
    if named := _unicode_path(info.extra, raw):
        return named
    try:
        return raw.decode("utf-8")  # many programs write it without saying so
    except UnicodeDecodeError:
        return None


def _unicode_path(extra: bytes, raw: bytes) -> str | None:
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<HH", extra)
        data, extra = extra[4 : 4 + size], extra[4 + size :]
        if kind == _UNICODE_PATH and len(data) == size > 5 and data[0] == 1:
            # One that is of another name is out of date, or made to show one name and hold another.
            if struct.unpack_from("<I", data, 1)[0] != zlib.crc32(raw):
                return None
            try:
                return data[5:].decode("utf-8")
            except UnicodeDecodeError:
                return None
    return None


def _slashes(info: zipfile.ZipInfo, name: str, windows: bool) -> str:
    """Read backslashes as unzip tools do: as what is between folders, in a zip of Windows'.

    In a zip that has slashes one is a letter that a student chose, and is refused as before.
    """
    separates = windows or (info.create_system == _FAT and "/" not in name)
    return name.replace("\\", "/") if separates else name


def _codec(names: Sequence[bytes], words: Collection[str]) -> str:
    """Return the encoding in which the names read best; code page 437 where none is plausible."""
    best, codec = (0, 0.0), "cp437"
    for candidate in [c for c, _ in (*_LATIN, *_OTHERS)]:
        try:
            texts = [name.decode(candidate) for name in names]
        except UnicodeDecodeError:
            continue
        known = sum(
            word in words for text in texts for word in words_of(text) if not word.isascii()
        )
        score = (known, _plausibility(candidate, names, texts))
        if score > best:
            best, codec = score, candidate
    return codec


@lru_cache(maxsize=1 << 14)  # a server asks for all names of a class with each hand-in
def words_of(text: str) -> frozenset[str]:
    """Return the words of a text, in lower case."""
    lowered = unicodedata.normalize("NFC", text).casefold()
    return frozenset(re.findall(r"[^\W\d_]{2,}", lowered))


def _plausibility(codec: str, raw: Iterable[bytes], texts: Sequence[str]) -> float:
    """Return from 0 to 1 how much of what is not ASCII reads as words of the codec's languages."""
    strange = [c for text in texts for c in text if not c.isascii()]
    if not strange:
        return 0.0
    letters = dict(_LATIN).get(codec)
    if letters is None:
        return _plausible_script(codec, raw, strange, texts)
    good = 0.0
    for word in re.findall(r"\w+", " ".join(texts)):
        ours = [c for c in word if not c.isascii()]
        # A capital inside a word, or a word without any ASCII letter, is another alphabet's.
        plain = any(c.isascii() and c.isalpha() for c in word)
        if _cased(word) and plain:
            good += sum(c in letters for c in ours)
    return good / len(strange)


def _cased(word: str) -> bool:
    """Say whether capitals are where a name has them; other alphabets' letters are neither."""
    return word.upper() == word.lower() or word.islower() or word.isupper() or word.istitle()


def _plausible_script(
    codec: str, raw: Iterable[bytes], strange: Sequence[str], texts: Sequence[str]
) -> float:
    script = dict(_OTHERS)[codec]
    leads = _COMMON_LEADS.get(codec)
    if leads is None:
        # Words of one alphabet, without Latin letters between or capitals inside.
        words = [w for text in texts for w in re.findall(r"[^\W\d_]+", text) if not w.isascii()]
        odd = any(re.search("[A-Za-z]", word) or not _cased(word) for word in words)
        fits = sum(unicodedata.name(c, "").startswith(script) for c in strange)
        return 0.0 if odd else 0.9 * fits / len(strange)
    daily = sum(unicodedata.category(c) == "Lo" and c.encode(codec)[0] in leads for c in strange)
    kana = sum("HIRAGANA" in (n := unicodedata.name(c, "")) or "KATAKANA" in n for c in strange)
    return 0.8 * (daily + (kana if script == "KANA" else 0)) / len(strange)
