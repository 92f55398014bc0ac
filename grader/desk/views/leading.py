"""Lead the marking: who marks what, how far everybody is, and how far markers agree."""

from __future__ import annotations

from collections import Counter

from sqlalchemy.orm import Session
from starlette.responses import Response

from grader.api.marking_progress import marking_progress
from grader.desk.letters import News
from grader.desk.may import Action
from grader.desk.notices import tell
from grader.desk.people import User
from grader.desk.rendering import go, page
from grader.desk.routing import Page, Visit
from grader.desk.views.course import of_assignment
from grader.desk.views.mark_places import marking_of, second_looks
from grader.errors import UsageError
from grader.gradebook.splits import HOWS, Split


def show_marking(visit: Visit) -> Response:
    """Show who marks what, how far everybody is, and the second looks."""
    marking = marking_of(visit)
    seconds = second_looks(marking)
    looks = seconds.looks.of(marking.assignment.name)
    asked = Counter(one.question for one in looks)
    waiting = Counter(one.question for one in looks if one.waits)
    differing = Counter(one.question for one in looks if one.differs)
    progress = marking.progress()
    return page(
        visit,
        "marking",
        spec=marking.assignment.spec,
        split=marking.split,
        sections=sorted({s for s in marking.sections().values() if s}),
        staff=_staff(visit),
        progress=marking_progress(marking),
        questions=[
            {
                "question": question,
                "marked": progress.get(question.id, (0, 0))[0],
                "total": progress.get(question.id, (0, 0))[1],
                "asked": asked[question.id],
                "waiting": waiting[question.id],
                "differing": differing[question.id],
                "agreement": seconds.agreement(question),
            }
            for question in marking.questions()
        ],
        assignment=visit.named("assignment"),
    )


def divide(visit: Visit) -> Response:
    """Divide the answers among markers, or let everybody mark everything."""
    marking = marking_of(visit)
    split = _split(visit)
    before = _shares(marking.split)

    def tell_them(session: Session) -> None:
        """Tell those whose share is another one than before."""
        visit.note(
            "divide the marking",
            thing=marking.assignment.name,
            detail=f"by {split.how}" if split else "everybody marks everything",
            session=session,
        )
        title = marking.assignment.spec.title
        shares = _shares(split)
        tell(
            session,
            visit,
            [marker for marker, share in shares.items() if share != before.get(marker)],
            f"You have a share of the marking: {title}",
            f"/c/{visit.course.slug}/a/{visit.named('assignment')}/mark",
            news=News.SHARE,
            about=f"{marking.assignment.name} {visit.now.isoformat()}",
            assignment=title,
        )

    marking.divide(split, who=visit.me.person, now=visit.now, beside=tell_them)
    return go(f"/c/{visit.course.slug}/a/{visit.named('assignment')}/marking")


def _shares(split: Split | None) -> dict[str, tuple[str, list[str]]]:
    """What each marker marks: how that is said, and which questions or sections."""
    groups = split.groups if split else {}
    return {
        marker: (split.how, sorted(name for name, own in groups.items() if marker in own))
        for markers in groups.values()
        for marker in markers
        if split
    }


def _split(visit: Visit) -> Split | None:
    how = visit.said("how", 10)
    if how == "all":
        return None
    known = next((one for one in HOWS if one == how), None)
    if known is None:
        raise UsageError("say how the answers are divided", hint="Load the page again.")
    staff = {user.person: user.section for user in _staff(visit)}
    groups: dict[str, list[str]] = {}
    for value in visit.form.getlist(known):
        # MARKER at random; else MARKER, a tab and the question or section.
        marker, _, group = value.partition("\t") if isinstance(value, str) else ("", "", "")
        if marker in staff:
            groups.setdefault(group, []).append(marker)
    if not groups:
        raise UsageError("nobody is chosen to mark", hint="Tick who marks what.")
    limits = {marker: section for marker, section in staff.items() if section}
    return Split(how=known, groups=groups, limits=limits)


def _staff(visit: Visit) -> list[User]:
    return [user for user in visit.course.people.all() if user.role.is_staff]


_ADDRESS = "/c/{course}/a/{assignment}/marking"
PAGES = [
    Page(
        method="GET",
        path=_ADDRESS,
        view=show_marking,
        action=Action.LEAD_MARKING,
        thing=of_assignment,
    ),
    Page(
        method="POST",
        path=f"{_ADDRESS}/split",
        view=divide,
        action=Action.LEAD_MARKING,
        thing=of_assignment,
    ),
]
