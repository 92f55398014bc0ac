"""A university's sign-in: a real provider's is believed, and no lie of another."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from joserfc.jws import JWSRegistry
from joserfc.registry import HeaderParameter

from grader.desk.people import Role
from grader.desk.settings import Secret, SignIn
from grader.desk.university import id_token
from grader.desk.university.flow import begin, resumed
from grader.desk.university.provider import Provider
from tests.desk.conftest import Browser, Tables
from tests.helpers.openid.lying import LyingProvider, lying_provider, new_key
from tests.helpers.openid.real import RealProvider, real_provider, wait_until_gone

BACK = "http://desk.test/sign-in/with/uni/answer"
SECRET = "s3cret/with+odd chars"


def use(tables: Tables, issuer: str, name: str = "uni", **more: Any) -> None:
    """Have the desk know a provider."""
    said = {"claim": "email", "means": "email", **more}
    settings = SignIn(id=name, name="Example University", issuer=issuer, client_id="desk", **said)
    back = BACK.replace("/uni/", f"/{name}/")
    secret = Secret(env="GRADER_TEST_CLIENT_SECRET")
    tables.desk.providers[name] = Provider(settings, secret, back)


def begun(browser: Browser, wanted: str = "", name: str = "uni") -> str:
    """The question with which a browser is sent to the provider."""
    answer = browser.get(f"/sign-in/with/{name}", params={"next": wanted} if wanted else None)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def state_of(question: str) -> str:
    return parse_qs(urlsplit(question).query)["state"][0]


def came_back(browser: Browser, **said: str) -> Any:
    """The provider's answer, as the browser brings it."""
    return browser.get(f"/sign-in/with/uni/answer?{urlencode(said)}")


class World:
    """A desk whose provider lies as it is told."""

    def __init__(self, tables: Tables, lies: LyingProvider) -> None:
        self.tables, self.lies = tables, lies
        use(tables, lies.issuer)

    def sign_in(self, browser: Browser | None = None, wanted: str = "", **more: str) -> Any:
        browser = browser or self.tables.stranger()
        question = begun(browser, wanted)
        code = self.lies.authorise(question)
        return came_back(browser, **{"code": code, "state": state_of(question), **more})


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADER_TEST_CLIENT_SECRET", SECRET)


@pytest.fixture
def world(tables: Tables) -> Iterator[World]:
    tables.course.people.put("ada", name="Ada", email="ada@example.edu", role=Role.STUDENT)
    with lying_provider() as lies:
        yield World(tables, lies)


def test_who_the_provider_says_they_are_is_signed_in(world: World) -> None:
    browser = world.tables.stranger()
    answer = world.sign_in(browser, "/c/course/a/warm-up")
    assert (answer.status_code, answer.headers["location"]) == (303, "/c/course/a/warm-up")
    assert "Ada" in browser.get("/account").text
    assert "sign in" in world.tables.browser("ines").get("/c/course/audit").text


def test_the_question_has_pkce_and_tells_nobody_the_secret(world: World) -> None:
    asked = parse_qs(urlsplit(begun(world.tables.stranger())).query)
    assert asked["code_challenge_method"] == ["S256"] and asked["response_type"] == ["code"]
    assert asked["redirect_uri"] == [BACK] and "openid" in asked["scope"][0]
    again = parse_qs(urlsplit(begun(world.tables.stranger())).query)
    for name in ("state", "nonce", "code_challenge"):
        assert len(asked[name][0]) == 43 and asked[name] != again[name]
    assert SECRET not in str(asked) and SECRET not in repr(world.tables.desk)


HOUR = 3600
LIES: dict[str, dict[str, Any]] = {
    "another sign-in's nonce": {"nonce": "x" * 43},
    "no nonce": {"nonce": None},
    "another program's": {"aud": "lms"},
    "for several, asked for by nobody": {"aud": ["desk", "lms"]},
    "for several, asked for by another": {"aud": ["desk", "lms"], "azp": "lms"},
    "asked for by another": {"azp": "lms"},
    "for nobody": {"aud": None},
    "another provider's": {"iss": "https://login.evil.example"},
    "the issuer with a slash": {"iss": "/"},
    "over": {"exp": 1_000_000_000},
    "without an end": {"exp": None},
    "an end that is no number": {"exp": "never"},
    "an end that is true": {"exp": True},
    "of tomorrow": {"iat": 9_000_000_000},
    "of long ago": {"iat": 1_000_000_000},
    "not yet": {"nbf": 9_000_000_000},
    "nobody's": {"sub": None},
    "a number's": {"sub": 1},
    "with another's access token": {"at_hash": "x"},
    "with an e-mail that is not verified": {"email_verified": False},
    "with an e-mail of which nobody says": {"email_verified": None},
    "with two e-mails": {"email": ["ada@example.edu", "eve@example.edu"]},
    "with none": {"email": ""},
}


@pytest.mark.parametrize("lie", LIES, ids=str)
def test_no_id_token_is_believed_that_is(world: World, lie: str) -> None:
    world.lies.claims = dict(LIES[lie])
    if lie == "the issuer with a slash":
        world.lies.claims = {"iss": world.lies.issuer + "/"}
    browser = world.tables.stranger()
    answer = world.sign_in(browser)
    assert answer.status_code == 403, answer.text
    assert "You are not signed in" in answer.text
    assert "<h1>Not signed in</h1>" in answer.text and 'href="/sign-in">Sign in' in answer.text
    assert browser.get("/account").status_code == 303


WALLS = {
    "_check_sign_in": ("another sign-in's nonce", "no nonce", "with another's access token"),
    "_check_whose": (
        "another program's",
        "for several, asked for by nobody",
        "for several, asked for by another",
        "asked for by another",
        "for nobody",
        "another provider's",
    ),
    "_check_when": (
        "over",
        "without an end",
        "an end that is no number",
        "an end that is true",
        "of tomorrow",
        "of long ago",
        "not yet",
    ),
}


@pytest.mark.parametrize("wall", WALLS)
def test_each_of_these_lies_succeeds_where_its_wall_is_missing(
    world: World, monkeypatch: pytest.MonkeyPatch, wall: str
) -> None:
    monkeypatch.setattr(id_token, wall, lambda *_: None)
    for lie in WALLS[wall]:
        world.lies.claims = dict(LIES[lie])
        assert world.sign_in().status_code == 303, lie


def unsigned(claims: dict[str, Any]) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'none'})}.{part(claims)}."


def test_no_signature_but_the_providers_own_is_believed(world: World) -> None:
    lies = world.lies
    right, ours = lies.signing, new_key("k1")
    lies.shown = [right]
    public = right.as_pem(private=False)
    forged = {
        "none": unsigned,
        "a swapped key": lambda claims: jwt.encode({"alg": "RS256", "kid": "k1"}, claims, ours),
        "the key in the header": lambda claims: jwt.encode(
            {"alg": "RS256", "kid": "k1", "jwk": ours.as_dict(private=False)}, claims, ours
        ),
        "the public key as a shared secret": lambda claims: jwt.encode(
            {"alg": "HS256", "kid": "k1"}, claims, OctKey.import_key(base64.b64encode(public))
        ),
        "the desk's own secret": lambda claims: jwt.encode(
            {"alg": "HS256"}, claims, OctKey.import_key(SECRET)
        ),
        "an unknown key": lambda claims: jwt.encode({"alg": "RS256", "kid": "k9"}, claims, ours),
        "cut off": lambda claims: lies.sign(claims)[:-10],
        "what must be understood": lambda claims: jwt.encode(
            {"alg": "RS256", "kid": "k1", "crit": ["x"], "x": 1},
            claims,
            right,
            registry=JWSRegistry(
                header_registry={"x": HeaderParameter("of a test", "int")}, algorithms=["RS256"]
            ),
        ),
        "no token": lambda claims: "x",
        "long": lambda claims: "x." * 200_000,
    }
    for how, forge in forged.items():
        lies.forge = forge
        assert world.sign_in().status_code == 403, how
    lies.forge = lambda claims: jwt.encode(
        {"alg": "RS256", "kid": "k1", "pi.atm": "x"},
        claims,
        right,
        registry=JWSRegistry(algorithms=["RS256"], strict_check_header=False),
    )
    assert world.sign_in().status_code == 303  # what need not be understood is left alone
    lies.forge = None
    assert world.sign_in().status_code == 303


def test_keys_are_changed_while_the_desk_runs(world: World) -> None:
    assert world.sign_in().status_code == 303
    world.tables.desk.providers["uni"]._keys_at -= 60
    world.lies.signing = ECKey.generate_key("P-256", {"kid": "k2", "use": "sig"}, private=True)
    world.lies.header = {"alg": "ES256"}
    assert world.sign_in().status_code == 303
    assert world.lies.asked.count("/keys") == 2
    for _ in range(3):  # who sends unknown keys has nobody asked again and again
        world.lies.forge = lambda claims: jwt.encode(
            {"alg": "RS256", "kid": "k9"}, claims, new_key("k9")
        )
        assert world.sign_in().status_code == 403
    assert world.lies.asked.count("/keys") == 2


def test_a_key_for_encryption_or_a_shared_one_signs_nothing(world: World) -> None:
    key = RSAKey.generate_key(2048, {"kid": "e"}, private=True)
    world.lies.signing = key
    world.lies.shown = [RSAKey.import_key({**key.as_dict(private=False), "use": "enc"})]
    assert world.sign_in().status_code == 403


def test_a_code_is_used_once_and_by_the_browser_that_asked(world: World) -> None:
    ada, eve = world.tables.stranger(), world.tables.stranger()
    question = begun(ada)
    said = {"code": world.lies.authorise(question), "state": state_of(question)}
    begun(eve)
    assert came_back(eve, **said).status_code == 403
    assert came_back(world.tables.stranger(), **said).status_code == 403
    assert "/token" not in world.lies.asked  # nobody was even asked
    assert came_back(ada, **said).status_code == 303
    assert came_back(ada, **said).status_code == 403


def test_a_stolen_code_is_worth_nothing_in_another_sign_in(world: World) -> None:
    ada, eve = world.tables.stranger(), world.tables.stranger()
    stolen = world.lies.authorise(begun(ada))
    answer = came_back(eve, code=stolen, state=state_of(begun(eve)))
    assert answer.status_code == 403 and "used already" in answer.text


@pytest.mark.parametrize("state", ["", "x", "x" * 43, "é" * 43])
def test_an_answer_that_nobody_asked_for_is_not_taken(world: World, state: str) -> None:
    browser = world.tables.stranger()
    code = world.lies.authorise(begun(browser))
    assert came_back(browser, code=code, state=state).status_code == 403


def test_answers_of_two_providers_are_not_mixed_up(world: World) -> None:
    with lying_provider() as evil:
        use(world.tables, evil.issuer, "evil")
        browser = world.tables.stranger()
        question = begun(browser, name="evil")
        # The evil one sends the browser on to the honest one, whose code comes back to evil's
        # address: the desk would hand it over. The honest one has another address, and says so.
        honest = world.lies.authorise(question.replace(evil.issuer, world.lies.issuer))
        said = urlencode({"code": honest, "state": state_of(question)})
        assert came_back(browser, code=honest, state=state_of(question)).status_code == 403
        question = begun(browser, name="evil")
        said = urlencode({"code": honest, "state": state_of(question), "iss": world.lies.issuer})
        assert browser.get(f"/sign-in/with/evil/answer?{said}").status_code == 403
        assert "/token" not in evil.asked


def test_a_provider_that_names_itself_in_answers_must_do_so(world: World) -> None:
    world.lies.description = {"authorization_response_iss_parameter_supported": True}
    assert world.sign_in().status_code == 403
    assert world.sign_in(iss="https://login.evil.example").status_code == 403
    assert world.sign_in(iss=world.lies.issuer).status_code == 303


@pytest.mark.parametrize(
    "description",
    [
        {"issuer": "https://login.evil.example"},
        {"token_endpoint": "http://login.evil.example/token"},
        {"jwks_uri": "ftp://x/keys"},
        {"userinfo_endpoint": "http://login.evil.example/me"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": None},
    ],
    ids=str,
)
def test_a_description_that_can_not_be_true_leads_nobody_anywhere(
    world: World, description: dict[str, Any]
) -> None:
    world.lies.description = description
    answer = world.tables.stranger().get("/sign-in/with/uni")
    assert answer.status_code == 503 and "location" not in answer.headers
    assert "evil" not in answer.text


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/.well-known/openid-configuration", (500, b"")),
        ("/.well-known/openid-configuration", (302, b"http://127.0.0.1:1/")),
        ("/.well-known/openid-configuration", (200, b"<html>")),
        ("/.well-known/openid-configuration", (200, b"[" * 100_000)),
        ("/.well-known/openid-configuration", (200, b'"' + b"x" * (2 << 20) + b'"')),
        ("/token", (500, b"")),
        ("/token", (302, b"http://127.0.0.1:1/")),
        ("/token", (200, b"[]")),
        ("/token", (400, b'{"error": "invalid_client"}')),
        ("/token", (400, b"<html>")),
        ("/keys", (200, b'{"keys": []}')),
        ("/keys", (200, b'{"keys": [{"kty": "oct", "k": "eA"}]}')),
        ("/keys", (200, b'{"keys": [{"kty": "RSA", "n": 1}]}')),
        ("/keys", (404, b"")),
    ],
    ids=lambda value: str(value)[:40],
)
def test_whatever_a_provider_answers_there_is_a_sentence(
    world: World, path: str, answer: tuple[int, bytes]
) -> None:
    world.lies.answers[path] = answer
    browser = world.tables.stranger()
    asked = browser.get("/sign-in/with/uni")
    if asked.status_code == 303:
        question = asked.headers["location"]
        code = world.lies.authorise(question)
        asked = came_back(browser, code=code, state=state_of(question))
    assert asked.status_code in (403, 503)
    assert "Traceback" not in asked.text and "<h1>" in asked.text


def test_a_provider_that_is_away_is_a_sentence_and_links_work(world: World) -> None:
    use(world.tables, "http://127.0.0.1:1")
    answer = world.tables.stranger().get("/sign-in/with/uni")
    assert answer.status_code == 503
    assert "does not answer" in answer.text and "sign-in link" in answer.text
    assert world.tables.browser("ada").get("/account").status_code == 200


def test_a_slow_provider_takes_no_more_than_some_threads(world: World) -> None:
    provider = world.tables.desk.providers["uni"]
    while provider._places.acquire(blocking=False):
        pass
    assert world.tables.stranger().get("/sign-in/with/uni").status_code == 503


def test_who_is_on_no_roster_is_told_so_and_is_nobody(world: World) -> None:
    world.lies.claims = {"email": "guest@elsewhere.example<script>", "sub": "sub-guest"}
    browser = world.tables.stranger()
    answer = world.sign_in(browser)
    assert answer.status_code == 403
    assert "guest@elsewhere.example" in answer.text and "<script>alert" not in answer.text
    assert "roster" in answer.text and "Ada" not in answer.text
    assert browser.get("/account").status_code == 303


def test_claims_that_are_required_are_required(world: World) -> None:
    use(world.tables, world.lies.issuer, require={"hd": "example.edu"})
    assert world.sign_in().status_code == 403
    world.lies.claims = {"hd": "evil.example"}
    assert world.sign_in().status_code == 403
    world.lies.claims = {"hd": "example.edu"}
    assert world.sign_in().status_code == 303


def test_a_claim_beside_the_token_is_asked_for_and_must_be_of_the_same_person(
    world: World,
) -> None:
    use(world.tables, world.lies.issuer, claim="student", means="id")
    world.lies.userinfo = {"sub": "sub-eve", "student": "ada"}
    assert world.sign_in().status_code == 403
    world.lies.userinfo = {"sub": "sub-ada", "student": "ada"}
    assert world.sign_in().status_code == 303


def test_a_login_stays_its_persons_when_an_address_is_given_to_another(world: World) -> None:
    assert world.sign_in().status_code == 303
    world.lies.claims = {"sub": "sub-new"}  # the same address, another person
    answer = world.sign_in()
    assert answer.status_code == 403
    world.lies.claims = {"email": "ada.new@example.edu"}  # another address, the same person
    browser = world.tables.stranger()
    assert world.sign_in(browser).status_code == 303
    assert "Ada" in browser.get("/account").text


LED = {"sec-fetch-site": "same-origin"}


@pytest.mark.parametrize(
    "led",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": "cross-site", "referer": "http://desk.test/account"},
        {"referer": "http://evil.example/account"},
        {},
    ],
    ids=str,
)
def test_no_other_site_has_a_login_linked(world: World, led: dict[str, str]) -> None:
    """In the victim's browser the attacker may be signed in at the provider: it would be theirs."""
    world.lies.claims = {"email": "eve@elsewhere.example", "sub": "sub-eve"}
    mia = world.tables.browser("mia")
    question = mia.get("/account/link/uni", headers=led).headers["location"]
    assert question == "/account"
    assert "grader-asked" not in mia.client.cookies
    assert world.sign_in().status_code == 403
    old = {"referer": "http://desk.test/account"}
    asked = mia.get("/account/link/uni", headers=old).headers["location"]
    assert asked.startswith(world.lies.issuer)


def test_a_login_is_linked_by_who_is_signed_in_and_can_be_unlinked(world: World) -> None:
    world.lies.claims = {"email": "private@elsewhere.example", "sub": "sub-mia"}
    assert world.sign_in().status_code == 403
    mia = world.tables.browser("mia")
    question = mia.get("/account/link/uni", headers=LED).headers["location"]
    code = world.lies.authorise(question)
    assert came_back(mia, code=code, state=state_of(question)).headers["location"] == "/account"
    assert "private@elsewhere.example" in mia.get("/account").text
    later = world.tables.stranger()
    assert world.sign_in(later).status_code == 303
    assert "mia" in later.get("/account").text
    max_ = world.tables.browser("max")
    question = max_.get("/account/link/uni", headers=LED).headers["location"]
    code = world.lies.authorise(question)
    assert came_back(max_, code=code, state=state_of(question)).status_code == 409
    assert mia.post("/account/unlink").status_code == 303
    assert world.sign_in().status_code == 403
    assert later.get("/account").status_code == 303  # what it had signed in has ended
    assert mia.get("/account").status_code == 200


def test_a_question_to_link_is_no_answer_to_one_to_sign_in(world: World) -> None:
    mia = world.tables.browser("mia")
    question = mia.get("/account/link/uni", headers=LED).headers["location"]
    cookie = str(mia.client.cookies["grader-asked"]).strip('"')
    flow = resumed(cookie, "uni")
    assert flow is not None and flow.linking and flow.state == state_of(question)
    forged = resumed(cookie.replace("~1~", "~0~"), "uni")
    assert forged is not None and forged.state != flow.state


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "/\tx",
        "/%0d\x00",
        "javascript:x",
    ],
    ids=ascii,
)
def test_nobody_is_led_elsewhere_after_it(world: World, wanted: str) -> None:
    if "\0" not in wanted:  # the desk refuses an address with a null before anything else
        assert world.sign_in(wanted=wanted).headers["location"] in ("/", "/%0d")
    assert begin("uni", linking=False, wanted=wanted).wanted == "/"
    planted = resumed(f"uni~{'x' * 43}~0~{wanted}", "uni")
    assert planted is not None and planted.wanted == "/"


def test_one_sign_in_opens_each_course_that_knows_the_login_and_no_other(world: World) -> None:
    desk = world.tables.desk
    desk.courses["other"].people.put(
        "adalovelace", name="A. L.", email="ADA@example.edu", role=Role.MARKER, section="B"
    )
    browser = world.tables.stranger()
    assert world.sign_in(browser).status_code == 303
    assert browser.get("/c/course/").status_code == 200
    assert browser.get("/c/other/queue").status_code == 200
    assert browser.get("/c/course/queue").status_code == 404
    home = browser.get("/").text
    assert "student" in home and "marker, section B" in home
    desk.courses["course"].people.remove(
        next(u.account for u in desk.courses["course"].people.all() if u.person == "ada")
    )
    assert browser.get("/c/course/").status_code == 404
    assert browser.get("/c/other/queue").status_code == 200


def test_a_course_whose_roster_is_broken_keeps_nobody_out_of_the_others(world: World) -> None:
    use(world.tables, world.lies.issuer, claim="number", means="number")
    world.lies.claims = {"number": "1001"}
    roster = world.tables.course.course.root / "roster.csv"
    roster.write_text("id,number\nada,1001\n")
    (world.tables.desk.courses["other"].course.root / "roster.csv").write_text("no,such\n1,2\n")
    assert world.sign_in().status_code == 303


def test_two_of_one_address_are_nobody(world: World) -> None:
    world.tables.course.people.put("ben", name="B", email="ada@example.edu", role=Role.STUDENT)
    assert world.sign_in().status_code == 403


@pytest.mark.parametrize(
    ("means", "ours", "value"),
    [
        ("email", "kes@example.edu", "\u212aes@example.edu"),  # the sign for Kelvin
        ("login", "kes", "\u212aes"),
        ("login", "kes", "ke\u017f"),  # the long s
        ("number", "k1", "\u212a1"),
    ],
)
def test_no_letter_of_another_alphabet_makes_a_login_anothers(
    world: World, means: str, ours: str, value: str
) -> None:
    use(world.tables, world.lies.issuer, claim=means, means=means)
    course = world.tables.course
    (course.course.root / "roster.csv").write_text(f"id,{means}\nada,{ours}\n")
    course.people.take_students(course.roster.people.values())
    world.lies.claims = {means: value, "email_verified": True}
    assert world.sign_in().status_code == 403
    world.lies.claims = {means: ours.upper(), "email_verified": True}
    assert world.sign_in().status_code == 303


def test_signing_out_offers_to_sign_out_there_too(world: World) -> None:
    world.lies.description = {"end_session_endpoint": f"{world.lies.issuer}/out"}
    browser = world.tables.stranger()
    world.sign_in(browser)
    assert browser.post("/sign-out").headers["location"] == "/sign-in?out=uni"
    assert f"{world.lies.issuer}/out?client_id=desk" in browser.get("/sign-in?out=uni").text


def test_answers_are_counted_so_that_nobody_has_the_provider_asked_for_ever(world: World) -> None:
    stranger = world.tables.stranger()
    codes = {came_back(stranger, code="x", state="y").status_code for _ in range(250)}
    assert codes == {403, 429}


# -- npm's oidc-provider ----------------------------------------------------------------------


@pytest.fixture
def real(tables: Tables) -> Iterator[RealProvider]:
    tables.course.people.put("ada", name="Ada", email="ada@example.edu", role=Role.STUDENT)
    with real_provider(BACK) as provider:
        use(tables, provider.issuer)
        yield provider


def test_a_real_provider_signs_a_student_in(tables: Tables, real: RealProvider) -> None:
    browser = tables.stranger()
    back = real.signed_in(begun(browser, "/c/course/a/warm-up"), "sub-ada")
    assert browser.get(back).headers["location"] == "/c/course/a/warm-up"
    assert "Ada" in browser.get("/account").text
    again = browser.get(back)
    assert again.status_code == 403
    unverified = tables.stranger()
    answer = unverified.get(real.signed_in(begun(unverified), "sub-eve"))
    assert answer.status_code == 403 and "not verified" in answer.text
    guest = tables.stranger()
    answer = guest.get(real.signed_in(begun(guest), "sub-guest"))
    assert answer.status_code == 403 and "roster" in answer.text


def test_a_real_providers_claims_and_refusals_are_understood(
    tables: Tables, real: RealProvider
) -> None:
    roster = tables.course.course.root / "roster.csv"
    roster.write_text("id,number,login\nada,1001,ada\nben,1002,ben\n")
    for claim, means in (("student_number", "number"), ("preferred_username", "login")):
        use(tables, real.issuer, claim=claim, means=means)
        browser = tables.stranger()
        assert browser.get(real.signed_in(begun(browser), "sub-ada")).status_code == 303
        assert "Ada" in browser.get("/account").text
    ben = tables.stranger()
    stolen = real.signed_in(begun(tables.stranger()), "sub-ada")
    assert ben.get(stolen).status_code == 403
    provider = tables.desk.providers["uni"]
    browser, flow = tables.stranger(), begin("uni", linking=False, wanted="/")
    question = begun(browser)
    back = real.signed_in(question, "sub-ada")
    code = parse_qs(urlsplit(back).query)["code"][0]
    from grader.desk.university.errors import NotBelievedError

    with pytest.raises(NotBelievedError, match="used already"):  # the real one checks PKCE
        provider.login(flow, code=code, now=dt.datetime.now(dt.UTC))


def test_a_real_provider_may_change_its_keys_and_may_be_away(
    tables: Tables, real: RealProvider
) -> None:
    browser = tables.stranger()
    assert browser.get(real.signed_in(begun(browser), "sub-ada")).status_code == 303
    real.stop()
    wait_until_gone(real.port)
    browser = tables.stranger()
    assert browser.get("/sign-in/with/uni/answer?code=x&state=y").status_code == 403
    from tests.helpers.openid.real import new_key as new_real_key

    real.keys = [new_real_key("second")]
    real.start()
    tables.desk.providers["uni"]._keys_at -= 60
    assert browser.get(real.signed_in(begun(browser), "sub-ada")).status_code == 303


def test_the_settings_can_be_replaced_and_show_no_secret() -> None:
    one = SignIn(id="uni", name="U", issuer="https://x.example", client_id="desk")
    assert msgspec.structs.replace(one, claim="sub").claim == "sub"
    secret = Secret(env="GRADER_TEST_CLIENT_SECRET")
    assert SECRET not in repr(Provider(one, secret, BACK)) and SECRET not in repr(secret)
