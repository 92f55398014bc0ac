"""`desk.toml` is read strictly, and its secrets are shown nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.desk.addresses import plain_address
from grader.desk.settings import load_settings
from grader.errors import SpecError

SIGN_IN = """\
url = "https://desk.example.edu"
courses = ["comp541", "ce7454"]
[[sign_in]]
id = "uni"
name = "Example University"
issuer = "https://login.example.edu/realms/uni"
client_id = "desk"
client_secret_file = "client.secret"
"""
MAIL = """\
[mail]
host = "smtp.example.edu"
sender = "desk@example.edu"
user = "desk"
password_env = "GRADER_TEST_MAIL_PASSWORD"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADER_TEST_MAIL_PASSWORD", "hunter2 hunter2")
    secret = tmp_path / "client.secret"
    secret.write_text("s3cret\n")
    secret.chmod(0o600)
    return tmp_path


def written(folder: Path, text: str) -> Path:
    path = folder / "desk.toml"
    path.write_text(text)
    return path


def test_all_of_it_is_read_and_no_secret_is_kept(folder: Path) -> None:
    settings = load_settings(written(folder, SIGN_IN + MAIL))
    (one,) = settings.file.sign_in
    assert settings.courses() == [folder / "comp541", folder / "ce7454"]
    assert (one.claim, one.means) == ("email", "email")
    assert settings.client_secret(one).read() == "s3cret"
    mail = settings.file.mail
    assert mail is not None and (mail.real_port, mail.security) == (587, "starttls")
    assert settings.mail_password(mail).read() == "hunter2 hunter2"
    for secret in ("s3cret", "hunter2"):
        assert secret not in repr(settings)


@pytest.mark.parametrize(
    ("was", "is_", "says"),
    [
        ('issuer = "https', 'issuer = "http', "https address"),
        ('realms/uni"', 'realms/uni?x=1"', "https address"),
        ('id = "uni"', 'id = "a/b"', "letters, digits"),
        ('id = "uni"', 'id = ""', "letters, digits"),
        ('client_id = "desk"', 'client_ids = "desk"', "client_id"),
        ('client_id = "desk"', 'client_id = "desk"\nclaim = 1', "claim"),
        ('client_id = "desk"', 'client_id = "desk"\nmeans = "name"', "means"),
        ('client_id = "desk"', 'client_id = "desk"\nmeans = "id"', "means"),
        ('client_id = "desk"', 'client_id = "desk"\nscopes = ["email"]', "scopes"),
        ('client_id = "desk"', 'client_id = "desk"\nclient_secret_env = "X"', "already"),
        ("client.secret", "no.secret", "can't be read"),
        ("https://desk.example.edu", "desk.example.edu", "an address such as"),
        ('host = "smtp', 'security = "none"\nhost = "smtp', "on the way"),
        ("desk@example.edu", "desk@example.edu\\nBcc: x@y.z", "an address such as"),
        ('password_env = "GRADER_TEST_MAIL_PASSWORD"', "", "password_file"),
        ("GRADER_TEST_MAIL_PASSWORD", "GRADER_TEST_NOT_THERE", "no secret"),
        ("[mail]", "[mail]\nper_minute = 0", "1 to 10000"),
        ("[mail]", "[mail]\nport = 'x'", "port"),
        ("[mail]", "[[mail]]", "mail"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_key(
    folder: Path, was: str, is_: str, says: str
) -> None:
    text = SIGN_IN + MAIL
    assert was in text
    with pytest.raises(SpecError) as caught:
        load_settings(written(folder, text.replace(was, is_, 1)))
    assert says in str(caught.value)
    assert "s3cret" not in str(caught.value) and "hunter2" not in str(caught.value)


def test_a_secret_that_others_can_read_is_none(folder: Path) -> None:
    (folder / "client.secret").chmod(0o644)
    with pytest.raises(SpecError, match="others can read this secret") as caught:
        load_settings(written(folder, SIGN_IN))
    assert "chmod 600" in str(caught.value)


def test_two_providers_have_two_ids(folder: Path) -> None:
    twice = SIGN_IN + SIGN_IN[SIGN_IN.index("[[") :]
    with pytest.raises(SpecError, match="each id once"):
        load_settings(written(folder, twice))


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("ada@example.edu", "ada@example.edu"),
        (" ada.b+c@ku.edu.tr ", "ada.b+c@ku.edu.tr"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@localhost", "ada@localhost"),
        ("ada", None),
        ("@example.edu", None),
        ("ada@", None),
        ("ada@example..edu", None),
        ("a" * 300 + "@example.edu", None),
        ("çağ@example.edu", None),
        ("ada@example.edu\r\nBcc: x@y.z", None),
    ],
)
def test_only_a_plain_address_is_one(text: str, plain: str | None) -> None:
    assert plain_address(text) == plain
