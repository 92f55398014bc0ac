"""The columns and dates of Moodle's grading worksheet, in the languages of its sites.

Column titles are strings of the language packs (lang.moodle.org): `assign:recordid`,
`moodle:fullname`, `moodle:idnumber`, `moodle:email`, `moodle:grade` (`grades:grade`),
`assign:gradecanbechanged`, `assign:lastmodifiedsubmission`, `assign:lastmodifiedgrade`, as
`mod/assign/gradingtable.php` puts them together. Dates are `langconfig:strftimedaydatetime`.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from typing import Literal

from grader.errors import UsageError
from grader.lms.lms_table import LmsTable

DateOrder = Literal["day-first", "month-first"]

# en, de, fr, es, it, pt, pt_br, nl, sv, pl, cs, ru, tr, zh_cn, zh_tw, ja, ko.
COLUMNS: dict[str, tuple[str, ...]] = {
    "identifier": (
        "identifier", "kennung", "id", "identifiant", "identificador", "identificatore",
        "identificativo", "identificatie", "identifierare", "identyfikator", "identifikátor",
        "идентификатор", "tanımlayıcı", "kimlik", "标识符", "编号",
        "識別碼", "編號", "識別子", "식별자",
    ),
    "name": (
        "full name", "vollständiger name", "nom complet", "nombre completo", "nome completo",
        "nome", "volledige naam", "fullständigt namn", "imię i nazwisko", "pełna nazwa",
        "celé jméno", "полное имя", "имя / фамилия", "tam ad", "adı soyadı", "ad soyad", "全名",
        "姓名", "フルネーム", "氏名", "성명", "전체 이름",
    ),
    "number": (
        "id number", "id-nummer", "numéro d'identification", "número de id", "numero id",
        "codice identificativo", "número de identificação", "numer id", "id nummer", "id číslo",
        "индивидуальный номер", "kimlik numarası", "id号", "學號", "idナンバー", "id 번호",
    ),
    "email": (
        "email address", "email", "e-mail-adresse", "adresse de courriel", "dirección de correo",
        "correo electrónico", "indirizzo email", "endereço de e-mail", "endereço de email",
        "e-mailadres", "e-postadress", "adres e-mail", "e-mail", "e-mailová adresa",
        "адрес электронной почты", "e-posta adresi", "电子邮件地址", "email地址", "電子郵件信箱",
        "メールアドレス", "이메일 주소", "이메일",
    ),
    "grade": (
        "grade", "bewertung", "note", "calificación", "valutazione", "nota", "avaliação",
        "beoordeling", "cijfer", "betyg", "ocena", "známka", "hodnocení", "оценка", "not", "成绩",
        "成績", "得分", "評定", "評点", "성적", "점수",
    ),
    "maximum": (
        "maximum grade", "beste bewertung", "maximalbewertung", "note maximale",
        "calificación máxima", "valutazione massima", "nota máxima", "avaliação máxima",
        "maximumcijfer", "maximale beoordeling", "högsta betyg", "maksymalna ocena",
        "maximální známka", "maximální hodnocení", "максимальная оценка", "en yüksek not", "最高分",
        "最高成績", "最大評点", "최고 성적", "최대 성적",
    ),
    "changeable": (
        "grade can be changed", "bewertung kann geändert werden", "la note peut être modifiée",
        "la calificación puede ser cambiada", "la calificación se puede cambiar",
        "la valutazione può essere modificata", "a nota pode ser alterada",
        "a avaliação pode ser alterada", "cijfer kan gewijzigd worden",
        "beoordeling kan gewijzigd worden", "betyget kan ändras", "ocena może zostać zmieniona",
        "známku lze měnit", "оценка может быть изменена", "not değiştirilebilir", "成绩可以更改",
        "成績可以更改", "評点を変更できる", "성적 변경 가능",
    ),
    "handed_in": (
        "last modified (submission)", "zuletzt geändert (abgabe)",
        "dernière modification (travail remis)", "dernière modification (envoi)",
        "última modificación (entrega)", "última modificación (envío)",
        "ultima modifica (consegna)", "ultima modifica (invio)", "última atualização (submissão)",
        "última modificação (envio)", "laatst gewijzigd (inzending)",
        "senast modifierat (inlämning)", "ostatnia modyfikacja (zadanie)",
        "ostatnio modyfikowane (przesłane zadanie)", "poslední změna (odevzdaný úkol)",
        "последнее изменение работы", "последнее изменение (ответ)", "son düzenleme (gönderim)",
        "son değiştirme (gönderim)", "最后修改（学生）", "最后修改（提交）", "最後修改（學生）",
        "最後修改的(作業)", "最終更新日時 (提出)", "최종 수정 (제출)", "최종 수정(제출)",
    ),
    "graded": (
        "last modified (grade)", "zuletzt geändert (bewertung)", "dernière modification (note)",
        "dernière modification (évaluation)", "última modificación (calificación)",
        "ultima modifica (valutazione)", "última atualização (avaliação)",
        "última modificação (nota)", "laatst gewijzigd (beoordeling)", "laatst gewijzigd (cijfer)",
        "senast modifierat (betyg)", "ostatnia modyfikacja (ocena)",
        "ostatnio modyfikowane (ocena)", "poslední změna (hodnocení)",
        "последнее изменение оценки", "son düzenleme (not)", "son değiştirme (not)",
        "最后修改（教师）", "最后修改（成绩）", "最後修改（老師）", "最後修改的(得分)",
        "最終更新日時 (評定)", "최종 수정 (성적)", "최종 수정(성적)",
    ),
}  # fmt: skip

_MONTHS = (
    "january januar janvier enero gennaio janeiro januari "
    "styczeń stycznia leden ledna январь января ocak",
    "february februar février febrero febbraio fevereiro februari "
    "luty lutego únor února февраль февраля şubat",
    "march märz mars marzo março maart marzec marca březen března март марта mart",
    "april avril abril aprile kwiecień kwietnia duben dubna апрель апреля nisan",
    "may mai mayo maggio maio mei maj maja květen května май мая mayıs",
    "june juni juin junio giugno junho czerwiec czerwca červen června июнь июня haziran",
    "july juli juillet julio luglio julho lipiec lipca červenec července июль июля temmuz",
    "august août agosto augustus augusti sierpień sierpnia srpen srpna август августа ağustos",
    "september septembre septiembre settembre setembro wrzesień września "
    "září сентябрь сентября eylül",
    "october oktober octobre octubre ottobre outubro październik "
    "października říjen října октябрь октября ekim",
    "november novembre noviembre novembro listopad listopada listopadu ноябрь ноября kasım",
    "december dezember décembre diciembre dicembre dezembro grudzień "
    "grudnia prosinec prosince декабрь декабря aralık",
)
_MONTH = {word: number for number, words in enumerate(_MONTHS, start=1) for word in words.split()}
_MORNING = ("am", "a.m.", "a. m.", "上午", "午前", "오전")
_EVENING = ("pm", "p.m.", "p. m.", "下午", "午後", "오후")
_HALF = "|".join(re.escape(word) for word in (*_MORNING, *_EVENING))
_CLOCK = re.compile(rf"(?:({_HALF})\s*)?\b(\d{{1,2}})[:h](\d\d)(?::(\d\d))?\s*({_HALF})?")
_CJK = re.compile(r"(\d{4})\s*[年년]\s*(\d{1,2})\s*[月월]\s*(\d{1,2})\s*[日일]")
_NUMBERS = re.compile(r"\b(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})\b")
NO_TIME = frozenset({"", "-", "–"})


class AmbiguousDateError(ValueError):
    """Day and month could be either way round."""


def moodle_time(text: str, zone: dt.tzinfo, order: DateOrder | None = None) -> dt.datetime | None:
    """Read a time as Moodle writes it in the languages above, local to the site.

    None for what is none of them, or not certain.

    Raises:
        AmbiguousDateError: such as 03/04/2024, where `order` doesn't tell.
    """
    plain = " ".join(unicodedata.normalize("NFKC", text).casefold().replace("\u0307", "").split())
    clock = _CLOCK.search(plain)
    if clock is None:
        return None
    hour, half = int(clock[2]), clock[1] or clock[5]
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half in _EVENING else 0)
    date = _date(plain[: clock.start()] + " " + plain[clock.end() :], order)
    if date is None:
        return None
    try:
        local = dt.datetime(*date, hour, int(clock[3]), int(clock[4] or 0), tzinfo=zone)
        return local.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def _date(text: str, order: DateOrder | None) -> tuple[int, int, int] | None:
    if cjk := _CJK.search(text):
        return int(cjk[1]), int(cjk[2]), int(cjk[3])
    if numbers := _NUMBERS.search(text):
        return _numeric(numbers, order)
    months = {_MONTH[word] for word in re.findall(r"[^\W\d_]+", text) if word in _MONTH}
    years = re.findall(r"\b(\d{4})\b", text)
    days = re.findall(r"\b(\d{1,2})(?:st|nd|rd|th|er|\.|º)?(?!\d)", re.sub(r"\b\d{4}\b", " ", text))
    if len(months) != 1 or len(years) != 1 or len(days) != 1:
        return None
    return int(years[0]), months.pop(), int(days[0])


def _numeric(found: re.Match[str], order: DateOrder | None) -> tuple[int, int, int] | None:
    first, second, third = int(found[1]), int(found[3]), int(found[4])
    if len(found[1]) == 4:
        return first, second, third
    if len(found[4]) != 4:
        return None
    if found[2] == "." or first > 12 or first == second or order == "day-first":
        return third, second, first
    if second > 12 or order == "month-first":
        return third, first, second
    raise AmbiguousDateError(found[0])


def column_of(table: LmsTable, piece: str) -> int | None:
    """Return the place of a column of the worksheet, in whichever language it is.

    The participants' column is also told by its cells: a word of the site's, and a number.
    """
    found = table.column(*COLUMNS[piece])
    if found is None and piece == "identifier":
        for place in range(len(table.columns)):
            cells = [cell for line in table.lines if (cell := line.cell(place))]
            words = {re.sub(r"\d+$", "", cell) for cell in cells}
            if len(words) == 1 and all(re.fullmatch(r"\D+\d+", cell) for cell in cells):
                return place
    return found


def check_worksheet(table: LmsTable, where: object = None) -> None:
    """Refuse a worksheet that doesn't tell who handed in when.

    Raises:
        UsageError: names what was read and what was not.
    """
    needed = {"identifier": "Identifier", "handed_in": "Last modified (submission)"}
    places = {piece: column_of(table, piece) for piece in needed}
    read = [f"{needed[p]} ({table.columns[i]})" for p, i in places.items() if i is not None]
    missing = [needed[p] for p, i in places.items() if i is None]
    if missing:
        taken = {place for p in COLUMNS if (place := column_of(table, p)) is not None}
        others = [name for i, name in enumerate(table.columns) if i not in taken]
        raise UsageError(
            f"the worksheet has no column that is known for {' and '.join(missing)}; read: "
            f"{', '.join(read) or 'none'}; not read: {', '.join(others)[:300] or 'none'}",
            where=where,
            hint="Take it as Moodle exports it (the assignment, Download grading worksheet), in "
            "another language if need be, or write these titles into its first line.",
        )
