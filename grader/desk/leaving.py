"""Somebody leaves a course, or a device of theirs was lost: what opened the course ends."""

from __future__ import annotations

from grader.desk.people import User
from grader.desk.routing import Visit


def end_sessions(visit: Visit, user: User) -> None:
    """End a person's sessions, tokens and links in the visitor's course, and in no other."""
    own = visit.course.slug
    others = [slug for slug in visit.desk.courses if slug != own]
    visit.desk.credentials.end_in(user.account, own, others=others, now=visit.now)


def take_out(visit: Visit, user: User) -> None:
    """Take a person out of the visitor's course; what they did stays in the record."""
    visit.course.people.remove(user.account)
    visit.desk.identities.unlink(visit.course.slug, user.account)
    end_sessions(visit, user)
