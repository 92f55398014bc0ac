"""What the box is told to watch for, and whose evidence it is."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from grader.errors import BoxCrashed
from grader.suite.evidence import MAX_RAN, MAX_USED, Evidence, Witness
from grader.suite.executed_notebook import ExecutedNotebook
from grader.suite.randomness import Seeds
from grader.suite.running import CollectedSuite
from grader.wire import messages as m
from grader.wire import values
from tests.suite.fake_box import FakeBox
from tests.suite.workbench import Workbench

ONE = m.Watch(names=["softmax"])
TWO = m.Watch(prefixes=["torch.nn.modules.linear.Linear"])
ALL = m.Watch(names=["softmax"], prefixes=["torch.nn.modules.linear.Linear"])
NOTHING = m.Watch()
WATCHES = {"q1": ONE, "q2": TWO}
SOURCE = """
def softmax(x): return x
def other(x): return x
def ends(): raise Crash("gone")
class Model:
    def forward(self): return 1
"""


class WatchedBox(FakeBox):
    """A fake box that says of each call what it was watching for, as if that had run."""

    def __init__(self, source: str = SOURCE) -> None:
        self.told = NOTHING
        super().__init__(source)

    def _start(self) -> None:
        self.told = NOTHING
        super()._start()
        self.namespace["Crash"] = BoxCrashed

    def request(
        self, request: m.Request, blobs: Sequence[values.Blob] = ()
    ) -> tuple[m.Reply, list[memoryview]]:
        if isinstance(request, m.Watch):
            self.requests.append(request)
            self.told = request
            return m.Value(value=None), []
        reply, parts = super().request(request, blobs)
        if isinstance(reply, m.Value) and isinstance(request, m.Act | m.RunFunction):
            ran = [m.Ran(name=name) for name in (*self.told.names, *self.told.prefixes)]
            reply = m.Value(value=reply.value, ran=ran)
        return reply, parts

    @property
    def watches(self) -> list[m.Watch]:
        """What it was told, in order."""
        return [request for request in self.requests if isinstance(request, m.Watch)]


@pytest.fixture
def box() -> WatchedBox:
    return WatchedBox()


@pytest.fixture
def witness(box: WatchedBox) -> Witness:
    return Witness(box, WATCHES, ALL)


def fetch(witness: Witness, name: str) -> values.Tree:
    reply, _ = witness.request(m.Fetch(name=name, timeout_s=1))
    assert isinstance(reply, m.Value)
    return reply.value


def call(witness: Witness, target: values.Tree, *args: values.Tree) -> m.Reply:
    return witness.request(m.Act(verb="call", target=target, args=list(args)))[0]


def ran(evidence: Evidence) -> list[str]:
    return [one.name for one in evidence.ran]


def test_the_box_is_told_once_what_a_questions_calls_are_watched_for(
    box: WatchedBox, witness: Witness
) -> None:
    for _ in range(2):
        witness.begin("q1")
        softmax = fetch(witness, "softmax")
        call(witness, softmax, 1)
        call(witness, softmax, 2)
    assert box.watches == [ONE]
    assert ran(witness.evidence()) == ["softmax"]


def test_the_box_is_told_anew_when_another_question_begins(
    box: WatchedBox, witness: Witness
) -> None:
    for question in ("q1", "q2", "q1"):
        witness.begin(question)
        call(witness, fetch(witness, "softmax"), 1)
    assert box.watches == [ONE, TWO, ONE]


def test_tests_that_no_rule_concerns_are_not_watched(box: WatchedBox, witness: Witness) -> None:
    witness.begin("q3")
    call(witness, fetch(witness, "softmax"), 1)
    assert box.watches == []
    witness.begin("q1")
    call(witness, fetch(witness, "softmax"), 1)
    witness.begin("q3")
    call(witness, fetch(witness, "softmax"), 1)
    assert box.watches == [ONE, NOTHING]
    assert ran(witness.evidence()) == []


def test_looking_for_a_name_calls_nothing_and_so_watches_nothing(
    box: WatchedBox, witness: Witness
) -> None:
    witness.begin("q1")
    fetch(witness, "softmax")
    witness.request(m.Seed(seed=1))
    witness.request(m.Names())
    assert box.watches == []
    assert witness.evidence() == Evidence(used=("softmax",))


def test_a_suites_function_is_watched_as_a_call_is(box: WatchedBox, witness: Witness) -> None:
    witness.begin("q1")
    function = values.FunctionSource(name="f", source="def f(x): return x", globals={})
    witness.request(m.RunFunction(function=values.encode(function, []), args=[1]))
    assert box.watches == [ONE]
    assert ran(witness.evidence()) == ["softmax"]


def test_a_new_session_is_told_again(box: WatchedBox, witness: Witness) -> None:
    witness.begin("q1")
    with pytest.raises(BoxCrashed):
        call(witness, fetch(witness, "ends"))
    assert box.told == NOTHING
    witness.begin("q1")
    call(witness, fetch(witness, "softmax"), 1)
    assert box.watches == [ONE, ONE]
    assert ran(witness.evidence()) == ["softmax"]


def test_an_object_of_an_earlier_session_lends_its_name_to_none_of_the_next(
    box: WatchedBox, witness: Witness
) -> None:
    witness.begin("q1")
    fetch(witness, "softmax")  # the first object that the session holds
    with pytest.raises(BoxCrashed):
        call(witness, fetch(witness, "ends"))
    witness.begin("q1")
    call(witness, fetch(witness, "other"), 1)  # the first of the next
    assert witness.evidence().used == ("other",)


def test_what_a_call_gives_is_known_by_the_names_of_all_that_went_in(witness: Witness) -> None:
    witness.begin("q1")
    made = call(witness, fetch(witness, "Model"))
    assert isinstance(made, m.Value)
    other = fetch(witness, "other")
    witness.begin("q1")
    call(witness, other, made.value)
    assert witness.evidence().used == ("Model", "other")


def test_everything_is_watched_while_a_shared_fixture_is_set_up(
    box: WatchedBox, witness: Witness
) -> None:
    witness.begin("q3")
    with witness.setting_up("trained", shared=True):
        call(witness, fetch(witness, "softmax"), 1)
    assert box.watches == [ALL]
    call(witness, fetch(witness, "other"), 1)
    assert box.watches == [ALL, NOTHING]


def test_a_fixture_of_one_test_is_watched_as_the_test_is(box: WatchedBox, witness: Witness) -> None:
    witness.begin("q2")
    with witness.setting_up("model", shared=False):
        call(witness, fetch(witness, "softmax"), 1)
    assert box.watches == [TWO]


def test_a_shared_fixture_in_whose_setup_another_is_set_up_is_watched_to_its_end(
    box: WatchedBox, witness: Witness
) -> None:
    witness.begin("q1")
    with witness.setting_up("trained", shared=True):
        with witness.setting_up("model", shared=True):
            call(witness, fetch(witness, "Model"))
        call(witness, fetch(witness, "softmax"), 1)
    assert box.watches == [ALL]


def test_all_tests_that_have_a_fixture_have_its_evidence(box: WatchedBox, witness: Witness) -> None:
    name = "trained"
    witness.expect([name])
    witness.begin("q1")
    with witness.setting_up(name, shared=True):
        call(witness, fetch(witness, "softmax"), 1)
    for question in ("q1", "q2", "q3"):
        witness.expect([name])
        witness.begin(question)
        assert witness.evidence().used == ("softmax",)
        assert ran(witness.evidence()) == [*ALL.names, *ALL.prefixes]
    witness.expect([])
    witness.begin("q1")
    assert witness.evidence() == Evidence()


def test_a_fixture_that_fails_to_be_set_up_leaves_the_tests_own_watch(
    box: WatchedBox, witness: Witness
) -> None:
    witness.begin("q1")
    with pytest.raises(ValueError, match="no"), witness.setting_up("trained", shared=True):
        raise ValueError("no")
    call(witness, fetch(witness, "softmax"), 1)
    assert box.watches == [ONE]


def test_what_a_box_sends_without_end_is_kept_to_a_number() -> None:
    class Talkative(WatchedBox):
        def request(
            self, request: m.Request, blobs: Sequence[values.Blob] = ()
        ) -> tuple[m.Reply, list[memoryview]]:
            many = [m.Ran(name=f"softmax{n}") for n in range(2 * MAX_RAN)]
            return m.Value(value=None, ran=many), []

    witness = Witness(Talkative(), WATCHES, ALL)
    witness.begin("q1")
    for number in range(2 * MAX_USED):
        witness.request(m.Fetch(name=f"name{number}", timeout_s=1))
    found = witness.evidence()
    assert (len(found.used), len(found.ran)) == (MAX_USED, MAX_RAN)


SUITE = """
@pytest.fixture(scope="module")
def shared(student):
    return student.softmax(1)

@pytest.fixture
def own(student):
    return student.other(1)

@pytest.mark.question("q3")
def test_first(student, shared): student.other(1)

@pytest.mark.question("q2")
def test_second(student, own): pass

@pytest.mark.question("q1")
def test_third(shared): pass

@pytest.mark.question("q3")
def test_alone(student): student.other(1)
"""


def evidence_of(bench: Workbench, box: WatchedBox) -> dict[str, Evidence]:
    """What each test of the bench's suite has used and run."""
    found: dict[str, Evidence] = {}
    witness = Witness(box, WATCHES, ALL)

    def run(suite: CollectedSuite) -> None:
        questions = {test.name: test.question for test in suite.plan.tests}
        suite.run(
            witness,
            ExecutedNotebook({}, {}),
            seeds=Seeds(1),
            on_begin=lambda name: witness.begin(questions[name]),
            on_result=lambda result, _: found.update({result.name: witness.evidence()}),
        )

    bench.collect(run)
    return found


def test_a_suites_fixtures_are_watched_by_their_scope(bench: Workbench, box: WatchedBox) -> None:
    bench.suite(SUITE)
    found = evidence_of(bench, box)
    assert box.watches == [ALL, NOTHING, TWO, NOTHING]
    everything = [*ALL.names, *ALL.prefixes]
    assert {name: (list(e.used), ran(e)) for name, e in found.items()} == {
        "test_first": (["softmax", "other"], everything),
        "test_second": (["other"], TWO.prefixes),
        "test_third": (["softmax"], everything),
        "test_alone": (["other"], []),
    }


def test_a_fixture_that_another_takes_the_place_of_is_not_of_its_tests(
    bench: Workbench, box: WatchedBox
) -> None:
    bench.suite(
        """
        @pytest.fixture(scope="module")
        def made(student): return student.softmax(1)
        @pytest.mark.question("q1")
        def test_base(made): pass

        @pytest.mark.question("q2")
        class TestOther:
            @pytest.fixture
            def made(self, student): return student.other(1)
            def test_replaced(self, made): pass

        @pytest.mark.question("q2")
        class TestMore:
            @pytest.fixture
            def made(self, made): return made
            def test_built_on(self, made): pass
        """
    )
    found = {name.rpartition("::")[2]: e.used for name, e in evidence_of(bench, box).items()}
    assert found == {
        "test_base": ("softmax",),
        "test_replaced": ("other",),
        "test_built_on": ("softmax",),
    }
