"""`desk.toml`: what a desk is told of the world: its courses, a university's sign-in, mail."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from grader.course.strict_toml import read_struct, wrong_key
from grader.errors import SpecError

DESK_FILE = "desk.toml"
_HERE = ("127.0.0.1", "::1", "localhost")
_PORTS = {"starttls": 587, "tls": 465, "none": 25}


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A university's sign-in, by OpenID Connect.

    Attributes:
        id: stands in the addresses of the desk, and so in the one that the provider is told.
        name: what people know it by, on the button.
        issuer: the provider's address, exactly as the provider writes it.
        claim: what of the provider's answer says who somebody is.
        means: what the claim is in the course: the roster's column, or the id.
        require: claims that must have these values, such as Google's `hd`.
        scopes: what is asked for.
    """

    id: str
    name: str
    issuer: str
    client_id: str
    client_secret_file: str | None = None
    client_secret_env: str | None = None
    claim: str = "email"
    means: Literal["id", "email", "login", "number"] = "email"
    require: dict[str, str] = {}
    scopes: tuple[str, ...] = ("openid", "email", "profile")


class MailServer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where mail is handed over, and from whom it comes.

    Attributes:
        security: "tls" from the first byte, "starttls", or "none", on this machine alone.
        sender: the address that mail comes from; `sender_name` stands before it.
        per_minute: how many are sent at most, since universities bound it.
        receipts: mail a receipt of every hand-in too.
        ca_file: the certificate authority of a server of one's own.
    """

    host: str
    port: int | None = None
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: str
    sender_name: str = ""
    reply_to: str | None = None
    user: str | None = None
    password_file: str | None = None
    password_env: str | None = None
    per_minute: int = 30
    receipts: bool = False
    ca_file: str | None = None

    @property
    def real_port(self) -> int:
        """The port, where none is named that of its kind."""
        return self.port or _PORTS[self.security]


class DeskFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All of `desk.toml`; paths in it are seen from its folder.

    `open_sections` names the courses, as in their addresses, in which a marker of one section sees
    the others too.
    """

    url: str = ""
    courses: tuple[str, ...] = ()
    open_sections: tuple[str, ...] = ()
    sign_in: tuple[SignIn, ...] = ()
    mail: MailServer | None = None


class Secret(msgspec.Struct, frozen=True, kw_only=True):
    """Where a secret is: read each time that it is needed, and shown nowhere."""

    file: Path | None = None
    env: str | None = None

    def __bool__(self) -> bool:
        return bool(self.file or self.env)

    def read(self) -> str:
        """Return the secret.

        Raises:
            SpecError: it is not there, or others can read it.
        """
        if self.env:
            value = os.environ.get(self.env, "")
            where: object = f"the environment's {self.env}"
        elif self.file is not None:
            value, where = _private_text(self.file), self.file
        else:
            return ""
        if not value.strip() or not value.strip().isprintable():
            raise SpecError("there is no secret here", where=where)
        return value.strip()


class DeskSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A `desk.toml` with the folder that it is in."""

    root: Path = Path()
    file: DeskFile = DeskFile()

    def courses(self) -> list[Path]:
        """The course directories."""
        return [self.root / name for name in self.file.courses]

    def client_secret(self, one: SignIn) -> Secret:
        """The secret that a provider knows this desk by; empty for a public client."""
        return self._secret(one.client_secret_file, one.client_secret_env)

    def mail_password(self, mail: MailServer) -> Secret:
        """The password for the mail server."""
        return self._secret(mail.password_file, mail.password_env)

    def _secret(self, file: str | None, env: str | None) -> Secret:
        return Secret(file=self.root / file if file else None, env=env)


def load_settings(path: Path) -> DeskSettings:
    """Read a `desk.toml`.

    Raises:
        SpecError: names the file, the key and what was expected; or a secret can't be read.
    """
    file = read_struct(path, DeskFile)
    settings = DeskSettings(root=path.parent, file=file)
    _check_addresses(file, path)
    seen: set[str] = set()
    for at, one in enumerate(file.sign_in):
        _check_sign_in(one, f"sign_in[{at}]", path, seen)
        settings.client_secret(one).read()
    if file.mail is not None:
        _check_mail(file.mail, path)
        settings.mail_password(file.mail).read()
    return settings


def is_secure_address(address: str) -> bool:
    """Say whether what goes to an address can't be read on the way: TLS, or this very machine."""
    parts = urlsplit(address)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _HERE)
    )


def _check_addresses(file: DeskFile, path: Path) -> None:
    if file.url and (
        urlsplit(file.url).scheme not in ("http", "https") or not urlsplit(file.url).hostname
    ):
        raise wrong_key(path, "url", "expected an address such as https://desk.example.edu")


def _check_sign_in(one: SignIn, key: str, path: Path, seen: set[str]) -> None:
    if not one.id.isascii() or not one.id.replace("-", "").isalnum() or one.id in seen:
        raise wrong_key(path, f"{key}.id", "expected letters, digits and -, and each id once")
    seen.add(one.id)
    parts = urlsplit(one.issuer)
    if not is_secure_address(one.issuer) or parts.query or parts.fragment or parts.username:
        raise wrong_key(path, f"{key}.issuer", "expected an https address")
    if one.client_secret_file and one.client_secret_env:
        raise wrong_key(path, f"{key}.client_secret_env", "the secret is in a file already")
    if "openid" not in one.scopes:
        raise wrong_key(path, f"{key}.scopes", 'expected "openid" among them')
    if one.claim == "email" and one.means != "email":
        raise wrong_key(path, f"{key}.means", 'the claim "email" can only mean "email"')


def _check_mail(mail: MailServer, path: Path) -> None:
    from grader.desk.addresses import plain_address

    for key in ("sender", "reply_to"):
        value = getattr(mail, key)
        if value is not None and plain_address(value) is None:
            raise wrong_key(path, f"mail.{key}", "expected an address such as desk@example.edu")
    if mail.security == "none" and mail.host not in _HERE:
        raise wrong_key(
            path,
            "mail.security",
            'expected "starttls" or "tls": sign-in links must not be read on the way',
        )
    if mail.user is not None and not (mail.password_file or mail.password_env):
        raise wrong_key(path, "mail.password_file", "this key is missing, or password_env")
    if mail.password_file and mail.password_env:
        raise wrong_key(path, "mail.password_env", "the password is in a file already")
    if not 1 <= mail.per_minute <= 10_000:
        raise wrong_key(path, "mail.per_minute", "expected 1 to 10000")


def _private_text(path: Path) -> str:
    try:
        if path.stat().st_mode & 0o077:
            raise SpecError(
                "others can read this secret", where=path, hint=f"chmod 600 {path.name}"
            )
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"the secret can't be read: {error}", where=path) from error
