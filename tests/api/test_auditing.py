"""`grader audit` on a small assignment, through the real sandbox."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner
from nbformat import v4

from grader.api.auditing import audit, audit_run
from grader.audit.draws import many_draws
from grader.audit.luck import flips
from grader.cli import cli
from grader.course.directory import Course
from grader.errors import SpecError, SuiteError
from grader.grading.job import BatchConfig, Job, Judged
from tests.helpers.assignments import HIDDEN, REFERENCE, make_assignment

pytestmark = pytest.mark.local_box

ROWS = "assert_close(student.softmax(torch.randn(5, 7)).sum(1), torch.ones(5))"
COIN = HIDDEN.replace(
    ROWS,
    "x = 100 * torch.randn(1, 2)\n"
    "    assert_close(student.softmax(x)[0, 0].round(), (x[0, 0] > x[0, 1]).float())",
)
LAX = HIDDEN.replace("assert_close(student.softmax(x), reference.softmax(x))", "student.softmax(x)")


@pytest.mark.slow
def test_a_suite_that_looks_at_little_lets_mistakes_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_assignment(tmp_path, "warm-up", hidden=LAX)
    runner = CliRunner()
    arguments = ["audit", "warm-up", "--course", str(tmp_path), "--sandbox", "local", "--json"]
    arguments += ["--only", "mutants", "--only", "tests", "--budget", "12"]
    done = runner.invoke(cli, arguments)
    assert done.exit_code == 1, done.output
    found = json.loads(done.stdout)
    unseen = {m["id"] for m in found["mutants"] if not m["failed"]}
    # Rows that sum to one are all that is asked for.
    assert any("softmax" in name for name in unseen)
    assert any("column_means" in m["id"] for m in found["mutants"] if m["failed"])
    assert found["noticed"] < found["mistakes"]
    assert "go unseen" in found["faults"][0]
    page = Path(found["page"]).read_text(encoding="utf-8")
    assert "Mistakes that no test notices" in page
    assert "<script" not in page
    # What is kept is not run again, and says the same.
    ran: list[str] = []
    monkeypatch.setattr(
        "grader.audit.mutants.judge_trials",
        lambda config, jobs, _: ran.extend(job.student for job in jobs) or {},
    )
    again = json.loads(runner.invoke(cli, arguments).stdout)
    assert ran == []
    assert again["mutants"] == found["mutants"]


@pytest.mark.slow
def test_every_part_of_a_good_suite(tmp_path: Path) -> None:
    make_assignment(tmp_path, "warm-up")
    made = audit(Course(tmp_path), "warm-up", sandbox="local", isolation="warm", seeds=3)
    assert made.share > 0.9
    assert made.luck == ()
    assert {one.limit for one in made.room} >= {"suite_s"}
    assert any(one.test.startswith("test_softmax_matches") for one in made.tolerances)
    assert made.attacks_tried > 20


@pytest.mark.slow
def test_a_listed_mutant_is_no_mistake_and_one_that_is_gone_is_said(tmp_path: Path) -> None:
    make_assignment(tmp_path, "warm-up")
    course = Course(tmp_path)
    audited = audit(course, "warm-up", parts=["mutants"], sandbox="local", budget=10)
    noticed = next(m.id for m in audited.mutants if m.noticed)
    path = course.assignment("warm-up").folder / "audit.toml"
    entries = {noticed: "Wrongly listed.", "softmax:sign:000000": "Gone."}
    entries |= {m.id: "For this test." for m in audited.mutants if m.unseen}
    path.write_text(
        "".join(f'[[equivalent]]\nmutant = "{m}"\nreason = "{r}"\n' for m, r in entries.items()),
        encoding="utf-8",
    )
    again = audit(course, "warm-up", parts=["mutants"], sandbox="local", budget=10)
    assert again.share == 1.0
    assert len(again.outdated) == 2
    assert any("softmax:sign:000000 is no mutant" in text for text in again.outdated)


@pytest.mark.slow
def test_no_sample_is_run_where_mutants_alone_are_asked_for(tmp_path: Path) -> None:
    make_assignment(tmp_path, "warm-up")
    course = Course(tmp_path)
    samples = course.assignment("warm-up").folder / "samples"
    samples.mkdir()
    endless = v4.new_notebook(cells=[v4.new_code_cell("while True: pass")])
    (samples / "endless.ipynb").write_text(nbformat.writes(endless), encoding="utf-8")
    ran: list[str] = []
    audit(
        course,
        "warm-up",
        parts=["mutants"],
        budget=2,
        sandbox="local",
        on_step=lambda done, total, name: ran.append(name),
    )
    assert ran[0] == "reference"
    assert "endless" not in ran


def test_a_reference_that_does_not_pass_is_said_first(tmp_path: Path) -> None:
    wrong = REFERENCE.replace("tensor(rows).mean(dim=0)", "tensor(rows).mean(dim=1)")
    make_assignment(tmp_path, "warm-up", reference=wrong)
    with pytest.raises(SpecError, match="does not pass test_column_means"):
        audit(Course(tmp_path), "warm-up", parts=["mutants"], sandbox="local")


@pytest.mark.slow
def test_whole_runs_are_kept_and_more_seeds_cost_what_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = make_assignment(tmp_path, "warm-up")
    ran: list[str] = []
    judge = audit_run.judge_trials

    def noted(
        config: BatchConfig, jobs: Sequence[Job], on_judged: Callable[[Judged], None]
    ) -> dict[str, Judged]:
        ran.extend(job.student for job in jobs)
        return judge(config, jobs, on_judged)

    monkeypatch.setattr(audit_run, "judge_trials", noted)

    def asked(seeds: int) -> list[str]:
        ran.clear()
        audit(Course(tmp_path), "warm-up", parts=["luck"], sandbox="local", seeds=seeds)
        return [*ran]

    guesses = {
        "attack replays-an-answer",
        "attack returns-noise",
        "attack returns-ones",
        "attack returns-zeros",
        "attack takes-the-largest",
    }
    first = asked(2)
    assert set(first) == {"reference", "reference, seed 1"} | {
        f"{name}, seed {n}" for name in guesses for n in (0, 1)
    }
    assert asked(2) == []
    assert set(asked(3)) == {f"{name}, seed 2" for name in ("reference", *guesses)}
    (suite,) = chosen.hidden_dir.glob("test_*.py")
    suite.write_text(suite.read_text() + "\n# changed\nCHANGED = 1\n")
    assert asked(2) == first


@pytest.mark.slow
def test_a_guess_that_is_right_with_some_seeds_is_luck(tmp_path: Path) -> None:
    make_assignment(tmp_path, "warm-up", hidden=COIN)
    made = audit(Course(tmp_path), "warm-up", parts=["luck"], sandbox="local", seeds=12)
    assert {(one.notebook, one.test) for one in made.luck} >= {
        ("attack returns-zeros", "test_rows_sum_to_one")
    }
    assert not any(one.notebook == "reference" for one in made.luck)
    spec = tmp_path / "assignments" / "warm-up" / "assignment.toml"
    accepted = (
        '\n[[accepted]]\nattack = "returns-zeros"\ntest = "test_rows_sum_to_one"\nreason = "x"\n'
    )
    spec.write_text(spec.read_text() + accepted)
    made = audit(Course(tmp_path), "warm-up", parts=["luck"], sandbox="local", seeds=12)
    assert "attack returns-zeros" not in {one.notebook for one in made.luck}


RARE = HIDDEN.replace(
    "x = scale * torch.randn(5, 7)",
    "x = scale * torch.randn(5, 7)\n    assert x[0, 0] > -2 * scale  # one draw in 44 is below",
)


@pytest.mark.slow
def test_a_draw_that_seldom_takes_a_right_solutions_points_is_found_in_the_judges_process(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    chosen = make_assignment(tmp_path, "warm-up", hidden="print('said')\n" + RARE)
    drawn = many_draws(chosen, 400, cpu_s=1000)
    assert len(drawn) == 400
    found = {one.test: one for one in flips({"reference": drawn})}
    assert set(found) == {"test_softmax_matches[1.0]", "test_softmax_matches[10000.0]"}
    assert all(0 < one.rate < 0.1 for one in found.values())
    assert "said" not in capfd.readouterr().out
    (suite,) = chosen.hidden_dir.glob("test_*.py")
    suite.write_text(suite.read_text() + "\nimport nothing_of_that_name\n")
    with pytest.raises(SuiteError, match="can't be run"):
        many_draws(chosen, 2, cpu_s=10)


@pytest.mark.slow
def test_what_needs_a_notebook_is_left_to_the_sandbox(tmp_path: Path) -> None:
    needs = HIDDEN.replace("student.softmax(torch.randn(5, 7))", "student.trained")
    chosen = make_assignment(tmp_path, "warm-up", hidden=needs)
    drawn = many_draws(chosen, 5, cpu_s=100)
    assert {test.name for tests in drawn for test in tests} == {
        "test_softmax_matches[1.0]",
        "test_softmax_matches[10000.0]",
        "test_column_means",
    }
    assert many_draws(chosen, 5, cpu_s=0.0) == []
