"""A page that follows a try says when it can't, and goes on by itself once the desk is back."""

from __future__ import annotations

import pytest

from tests.browser.serving import Served

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    "status", [502, pytest.param(None, marks=pytest.mark.slow)], ids=["a proxy", "no connection"]
)
def test_a_page_that_lost_its_desk_says_so_and_asks_again(
    served: Served, status: int | None
) -> None:
    one = served.tables.tried("ada", key="more")
    claims = served.tables.course.gradebook.claims
    ada = served.sign_in("ada")
    asked = []

    def lost(route: object) -> None:
        asked.append(1)
        route.fulfill(status=status) if status else route.abort()  # type: ignore[attr-defined]

    ada.route("**/events", lost)
    ada.goto(f"{served.origin}/c/course/t/{one.id}")
    ada.wait_for_selector("[data-stale]")
    assert "not up to date" in ada.inner_text("[data-stale]")
    assert not ada.is_visible("text=This page updates itself")
    while len(asked) < 2:
        ada.wait_for_timeout(50)

    ada.unroute("**/events")
    ada.wait_for_selector("text=This page updates itself")
    assert not ada.is_visible("[data-stale]")
    claims.fail(one.id, "A check is broken.", now=served.tables.now)
    ada.wait_for_selector("text=It could not be judged")
    assert served.complaints == []
