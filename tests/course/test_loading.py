"""`assignment.toml` is read strictly: each fault names file, key and what was expected."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from grader.course.loading import load_spec
from grader.errors import SpecError
from tests.helpers.assignments import SPEC, write_assignment


def refused(folder: Path, old: str, new: str) -> SpecError:
    """Write the spec with one change and return the error that it meets."""
    assert old in SPEC
    path = write_assignment(folder, spec=SPEC.replace(old, new, 1)) / "assignment.toml"
    with pytest.raises(SpecError) as caught:
        load_spec(path)
    assert str(path) in str(caught.value.where)
    return caught.value


def test_a_spec_is_read_with_points_and_defaults(tmp_path: Path) -> None:
    spec = load_spec(write_assignment(tmp_path) / "assignment.toml")
    assert spec.points == 10
    assert spec.machine_points == 8
    assert spec.manual_points == 2
    assert [q.id for q in spec.questions] == ["q1", "q2", "q3"]
    assert spec.resources.notebook_s == 300
    assert spec.resources.suite_s == 300
    assert spec.attempts.counts == "last"
    assert spec.dates.due is not None
    assert spec.dates.due.tzname() == "UTC+03:00"


def test_points_in_tenths_add_up_exactly(tmp_path: Path) -> None:
    spec = (
        SPEC.replace("points = 10", "points = 0.3")
        .replace("points = 5", "points = 0.1")
        .replace("points = 3", 'points = "0.1"')
        .replace("manual = 2", "manual = 0.1")
    )
    read = load_spec(write_assignment(tmp_path, spec=spec) / "assignment.toml")
    assert read.points == Decimal("0.30")
    assert [q.points for q in read.questions] == [Decimal("0.10"), Decimal("0.10"), 0]


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = write_assignment(tmp_path, spec="\ufeff" + SPEC) / "assignment.toml"
    assert load_spec(path).title.startswith("Warm-up")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('title = "W', 'titel = "W', "titel: no such key\n  Did you mean title"),
        ("[resources]", "[resorces]", "resorces: no such key\n  Did you mean resources"),
        (
            "points = 5\n",
            "ponits = 5\n",
            "questions[0].ponits: no such key\n  Did you mean points",
        ),
        ("cell_s = 60", "zzz = 5", "resources.zzz: no such key\n  There are: "),
        ('id = "q2"\n', "", "questions[1].id: this key is missing"),
    ],
)
def test_a_wrong_key_is_named_with_the_nearest_right_one(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert message in str(refused(tmp_path, old, new))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('id = "q2"', "id = 2", "questions[1].id: expected a text in quotes, got a whole number"),
        ("notebook_s = 300", 'notebook_s = "300"', "resources.notebook_s: expected a number"),
        ("1024", "1024.5", "resources.memory_mb: expected a whole number"),
        ("memory_mb = 1024", 'gpu = "maybe"', 'gpu: expected true or false or "optional"'),
        ("memory_mb = 1024", "gpu = 3", 'gpu: expected true or false or "optional"'),
        (
            "memory_mb = 1024",
            '[attempts]\ncounts = "bset"',
            'attempts.counts: expected "last" or "best"',
        ),
        (
            "2024-10-09T23:59:00+03:00",
            "2024-10-09",
            "dates.due: expected a date and time such as",
        ),
        ("[dates]", "[[dates]]", "dates: expected a table, got a list"),
        ("points = 10", 'points = "ten"', "points: expected a number with at most two decimals"),
        ("points = 10", "points = true", "points: expected a number with at most two decimals"),
        ("points = 10", "points = inf", "points: expected a number with at most two decimals"),
        ("points = 10", "points = nan", "points: expected a number with at most two decimals"),
        ("points = 3", "points = 3.005", "questions[1].points: expected at most two decimals"),
    ],
)
def test_a_wrong_type_says_what_was_expected(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert message in refused(tmp_path, old, new).what


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("points = 10", "points = 11", "points: the questions add up to 10 (8 from the suite"),
        ('id = "q2"', 'id = "q1"', "questions[1].id: 'q1' is the id of two questions"),
        ('id = "q2"', 'id = "question two"', "questions[1].id: expected letters"),
        ("points = 3", "points = -3", "questions[1].points: expected 0 or more, got -3"),
        ("manual = 2", "manual = -2", "questions[2].manual: expected 0 or more, got -2"),
        ("manual = 2", "", "questions[2].points: question 'q3' gives no points"),
        ('title = "Softmax"', 'title = " "', "questions[0].title: expected a text"),
        ("call_s = 30", "call_s = 0", "resources.call_s: expected a positive number, got 0"),
        ("call_s = 30", "call_s = inf", "resources.call_s: expected a positive number, got inf"),
        ("call_s = 30", "cpus = -1.5", "resources.cpus: expected a positive number, got -1.5"),
        ("call_s = 30", "gpu = true\ngpu_memory_mb = -1", "gpu_memory_mb: expected a positive"),
        ("call_s = 30", "gpu_memory_mb = 8000", "resources.gpu_memory_mb: no GPU is asked for"),
        ("call_s = 30", "gpu = true\ncuda_as_cpu = true", "resources.cuda_as_cpu: every notebook"),
        ("cell_s = 60", "cell_s = 301", "resources.cell_s: one cell may take 301 s"),
        ("2024-10-09", "2024-10-01", "dates.due: due 2024-10-01"),
        ("23:59:00+03:00", "23:59:00", "dates: give both dates a UTC offset, or neither"),
        ("[dates]", "[attempts]\nlimit = -1\n[dates]", "attempts.limit: expected 0"),
        ("points = 10", 'points = 10\ncourse = "../x"', "course: expected a name"),
        ("points = 10", 'points = 10\nreference = "../x.py"', "reference: expected the name"),
    ],
)
def test_values_that_do_not_fit_are_refused(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert message in refused(tmp_path, old, new).what


def test_an_assignment_without_questions_is_refused(tmp_path: Path) -> None:
    head = SPEC.partition("[dates]")[0]
    path = write_assignment(tmp_path, spec=head + "questions = []\n") / "assignment.toml"
    with pytest.raises(SpecError, match="at least one"):
        load_spec(path)


@pytest.mark.parametrize(
    "library",
    [
        "--index-url=http://evil",
        "-r x",
        "a @ http://evil/a.whl",
        "./local",
        "scikit learn",
        "scikit-learn; os_name",
        "scikit-learn>=",
        "",
        "scikit-learn\n--pre",
    ],
)
def test_a_library_that_is_no_package_name_is_refused(tmp_path: Path, library: str) -> None:
    box = f"[box]\nlibraries = [{library!a}]\n[[questions]]"
    assert "box.libraries[0]: expected" in refused(tmp_path, "[[questions]]", box).what


@pytest.mark.parametrize(
    "package",
    ["", "-y", "g++-", "./a.deb", "g++ git", "g++;true", "$(id)", "G++", "g++=12", "a\nb"],
)
def test_a_package_that_is_no_name_of_debians_is_refused(tmp_path: Path, package: str) -> None:
    box = f"[box]\npackages = [{package!a}]\n[[questions]]"
    assert "box.packages[0]: expected" in refused(tmp_path, "[[questions]]", box).what


def test_a_package_listed_twice_is_refused(tmp_path: Path) -> None:
    box = '[box]\npackages = ["g++", "git", "g++"]\n[[questions]]'
    assert "box.packages[2]: g++ is listed twice" in refused(tmp_path, "[[questions]]", box).what


@pytest.mark.parametrize("package", ["g++", "git", "fonts-noto-cjk", "libc++1-16", "7zip"])
def test_a_package_of_debian_is_taken(tmp_path: Path, package: str) -> None:
    spec = SPEC.replace("[[questions]]", f"[box]\npackages = ['{package}']\n[[questions]]", 1)
    read = load_spec(write_assignment(tmp_path, spec=spec) / "assignment.toml")
    assert read.box.packages == (package,)


def test_a_library_listed_twice_is_refused(tmp_path: Path) -> None:
    box = '[box]\nlibraries = ["scikit-learn", "Scikit_Learn>=1.4"]\n[[questions]]'
    assert "listed twice" in refused(tmp_path, "[[questions]]", box).what


def test_a_library_with_versions_is_taken(tmp_path: Path) -> None:
    box = '[box]\nlibraries = ["scikit-learn >=1.4, <2", "networkx"]\n[[questions]]'
    spec = SPEC.replace("[[questions]]", box, 1)
    read = load_spec(write_assignment(tmp_path, spec=spec) / "assignment.toml")
    assert read.box.libraries == ("scikit-learn >=1.4, <2", "networkx")


@pytest.mark.parametrize("glob", ["*.parquet", "../assignment.toml", "/etc/*", ""])
def test_a_data_pattern_without_a_file_of_its_own_is_refused(tmp_path: Path, glob: str) -> None:
    new = f"points = 10\ndata = ['numbers.csv', {glob!r}]"
    assert refused(tmp_path, "points = 10", new).what.startswith("data[1]: ")


def test_bad_toml_is_refused_with_its_line(tmp_path: Path) -> None:
    error = refused(tmp_path, "points = 10", "points = = 10")
    assert str(error.where).endswith("assignment.toml:3")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="cannot read"):
        load_spec(tmp_path / "assignment.toml")


def test_lists_nested_without_end_are_refused_and_no_recursion_error(tmp_path: Path) -> None:
    path = tmp_path / "assignment.toml"
    path.write_text(f"title = {'[' * 5000}")
    with pytest.raises(SpecError, match="nested too deep"):
        load_spec(path)
