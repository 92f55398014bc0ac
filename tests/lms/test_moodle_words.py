"""Moodle's worksheet in the languages of its sites: read, or refused with what was not read."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.lms.lms_table import table_from
from grader.lms.moodle_words import AmbiguousDateError, check_worksheet, column_of, moodle_time
from tests.intake.archives import NOTEBOOK
from tests.intake.test_class_archives import at, taken

ZONE = ZoneInfo("Europe/Istanbul")
WANT = dt.datetime(2024, 3, 5, 20, 59, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "text",
    [
        "Tuesday, 5 March 2024, 11:59 PM",
        "Tuesday, 5 March 2024, 23:59",
        "Dienstag, 5. März 2024, 23:59",
        "mardi 5 mars 2024, 23:59",
        "martes, 5 de marzo de 2024, 23:59",
        "martedì, 5 marzo 2024, 23:59",
        "terça-feira, 5 de março de 2024 às 23:59",
        "dinsdag 5 maart 2024, 23:59",
        "tisdag, 5 mars 2024, 23:59",
        "wtorek, 5 marca 2024, 23:59",
        "úterý, 5. března 2024, 23.59".replace("23.59", "23:59"),
        "вторник, 5 марта 2024, 23:59",
        "5 Mart 2024, Salı, 23:59",
        "2024年03月5日 星期二 23:59",
        "2024年03月5日(星期二) 下午 11:59",
        "2024年 03月 5日(火曜日) 23:59",
        "2024년 3월 5일 화요일 오후 11:59",
        "2024-03-05 23:59",
        "05.03.2024 23:59",
    ],
)
def test_dates_of_the_language_packs_are_read(text: str) -> None:
    assert moodle_time(text, ZONE) == WANT


def test_a_date_that_could_be_of_two_months_needs_to_be_told() -> None:
    with pytest.raises(AmbiguousDateError):
        moodle_time("05/03/2024 23:59", ZONE)
    assert moodle_time("05/03/2024 23:59", ZONE, "day-first") == WANT
    assert moodle_time("03/05/2024 23:59", ZONE, "month-first") == WANT
    assert moodle_time("13/03/2024 23:59", ZONE) == WANT + dt.timedelta(days=8)


@pytest.mark.parametrize("text", ["-", "", "gestern", "5 Foo 2024, 23:59", "5 March 2024", "25:99"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert moodle_time(text, ZONE) is None


@given(st.text(max_size=60))
def test_no_text_breaks_the_reading_of_dates(text: str) -> None:
    try:
        found = moodle_time(text, ZONE)
    except AmbiguousDateError:
        return
    assert found is None or found.tzinfo is dt.UTC


@given(st.datetimes(dt.datetime(2000, 1, 1), dt.datetime(2099, 1, 1)))
def test_every_minute_comes_back_from_moodles_own_form(moment: dt.datetime) -> None:
    moment = moment.replace(second=0, microsecond=0, tzinfo=dt.UTC)
    assert moodle_time(f"{moment:%A, %d %B %Y, %I:%M %p}", dt.UTC) == moment


SHEETS = {
    "de": ("ID", "Vollständiger Name", "Bewertung", "Zuletzt geändert (Abgabe)",
           "Zuletzt geändert (Bewertung)", "Teilnehmer/in"),
    "fr": ("Identifiant", "Nom complet", "Note", "Dernière modification (travail remis)",
           "Dernière modification (note)", "Participant"),
    "es": ("Identificador", "Nombre completo", "Calificación", "Última modificación (entrega)",
           "Última modificación (calificación)", "Participante"),
    "it": ("Identificatore", "Nome completo", "Valutazione", "Ultima modifica (consegna)",
           "Ultima modifica (valutazione)", "Partecipante"),
    "pt": ("Identificador", "Nome", "Avaliação", "Última atualização (submissão)",
           "Última atualização (avaliação)", "Participante"),
    "pt_br": ("Identificador", "Nome completo", "Nota", "Última modificação (envio)",
              "Última modificação (nota)", "Participante"),
    "nl": ("ID", "Volledige naam", "Beoordeling", "Laatst gewijzigd (inzending)",
           "Laatst gewijzigd (beoordeling)", "Deelnemer"),
    "tr": ("Kimlik", "Tam ad", "Not", "Son düzenleme (gönderim)", "Son düzenleme (not)",
           "Katılımcı"),
    "ru": ("Идентификатор", "Полное имя", "Оценка", "Последнее изменение работы",
           "Последнее изменение оценки", "Участник"),
    "pl": ("Identyfikator", "Imię i nazwisko", "Ocena", "Ostatnia modyfikacja (zadanie)",
           "Ostatnia modyfikacja (ocena)", "Uczestnik"),
    "sv": ("A title of theirs", "Fullständigt namn", "Betyg", "Senast modifierat (inlämning)",
           "Senast modifierat (betyg)", "Deltagare"),
    "cs": ("Identifikátor", "Celé jméno", "Hodnocení", "Poslední změna (odevzdaný úkol)",
           "Poslední změna (hodnocení)", "Účastník"),
    "zh_cn": ("编号", "全名", "成绩", "最后修改（学生）", "最后修改（教师）", "参与者"),
    "zh_tw": ("編號", "全名", "成績", "最後修改的(作業)", "最後修改的(得分)", "參與者"),
    "ja": ("ID", "フルネーム", "評定", "最終更新日時 (提出)", "最終更新日時 (評定)", "参加者"),
}  # fmt: skip
MEMBERS = [("Participant_11_assignsubmission_file_/hw1.ipynb", NOTEBOOK)]


def sheet(language: str, time: str = "2024-10-09 23:59") -> str:
    identifier, name, grade, submission, graded, word = SHEETS[language]
    return f"{identifier},{name},{grade},{submission},{graded}\n{word} 11,Ada Lovelace,,{time},-\n"


@pytest.mark.parametrize("language", SHEETS)
def test_the_worksheet_of_a_site_in_another_language_tells_who_and_when(
    language: str, tmp_path: Path
) -> None:
    got = taken(tmp_path, *MEMBERS, worksheet=sheet(language))
    assert at(got) == {"ada": "09 20:59 UTC"}
    word = SHEETS[language][5]
    # Of a file name Moodle takes out what no name of a file may have (clean_filename).
    blind = (f"{word.replace('/', '')}_12_assignsubmission_file_/hw1.ipynb", NOTEBOOK)
    assert set(at(taken(tmp_path, blind))) == {"Participant 12"}


def test_a_worksheet_without_the_columns_is_refused_with_what_was_read(tmp_path: Path) -> None:
    strange = "Identifier,Full name,Grade,Muokattu viimeksi\nParticipant 11,Ada,,-\n"
    with pytest.raises(UsageError) as refused:
        taken(tmp_path, *MEMBERS, worksheet=strange)
    said = str(refused.value)
    assert "no column that is known for Last modified (submission)" in said
    assert "read: Identifier (Identifier); not read: Muokattu viimeksi" in said


def test_a_time_that_is_there_is_read_or_the_worksheet_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"1 of 1 times of the worksheet can't be read"):
        taken(tmp_path, *MEMBERS, worksheet=sheet("de", "heute früh"))
    with pytest.raises(UsageError, match="could be of two months"):
        taken(tmp_path, *MEMBERS, worksheet=sheet("de", "03/04/2024 10:00"))


def test_what_a_refused_worksheet_lacks_holds_and_needs_is_said_in_full() -> None:
    table = table_from(("Uno,Due," + "x" * 400 + "\nParticipant,1,a\n").encode())
    with pytest.raises(UsageError) as refused:
        check_worksheet(table, "sheet.csv")
    error = refused.value
    assert error.what == (
        "the worksheet has no column that is known for Identifier and Last modified (submission); "
        f"read: none; not read: Uno, Due, {'x' * 290}"
    )
    assert error.where == "sheet.csv"
    assert error.hint == (
        "Take it as Moodle exports it (the assignment, Download grading worksheet), in another "
        "language if need be, or write these titles into its first line."
    )


def test_a_participant_is_told_by_one_word_and_a_number_in_each_cell() -> None:
    def place(*cells: str) -> int | None:
        lines = "".join(f"x,{cell}\n" for cell in cells)
        return column_of(table_from(f"A,B\n{lines}".encode()), "identifier")

    assert place("Osallistuja 11", "Osallistuja 12") == 1
    assert place("Osallistuja 11", "Toinen 12") is None
    assert place("Osallistuja 11", "Osallistuja") is None


def test_a_worksheet_of_which_all_is_known_is_taken() -> None:
    table = table_from(b"Identifier,Last modified (submission)\nParticipant 1,-\n")
    check_worksheet(table)
    with pytest.raises(UsageError, match=r"read: Identifier \(Identifier\); not read: none"):
        check_worksheet(table_from(b"Identifier,Full name\nParticipant 1,Ada\n"))


def test_the_twelfth_month_may_stand_first_and_seconds_count() -> None:
    zone = dt.UTC
    assert moodle_time("12/03/2024, 10:00", zone, "month-first") == dt.datetime(
        2024, 12, 3, 10, tzinfo=dt.UTC
    )
    assert moodle_time("3 March 2024, 10:00:59", zone) == dt.datetime(
        2024, 3, 3, 10, 0, 59, tzinfo=dt.UTC
    )
    assert moodle_time("10:00 3 March 2024", zone) == dt.datetime(2024, 3, 3, 10, tzinfo=dt.UTC)
    assert moodle_time("Sunday, 3rd March 2024, 10:00", zone) is not None
