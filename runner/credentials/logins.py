"""Credentials of a playbook made into logins, all that a plan needs before the first connection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from runner.credentials.certificates import CertificateError
from runner.credentials.sources import SecretReader
from runner.credentials.x509 import check, is_x509, parted
from runner.errors import CredentialError, DocumentError
from runner.playbook.model import Credential, SecretSource
from runner.problems import Problems
from runner.transport.port import Login
from runner.values import Secret


class SeveralCredentialsError(DocumentError, CredentialError):
    """Several sources gave nothing; all of them are told."""


def read_logins(
    credentials: Mapping[str, Credential], needed: Iterable[str], reader: SecretReader
) -> dict[str, Login]:
    """The logins of the credentials a plan needs, by name; the others are not touched.

    Raises:
        SeveralCredentialsError: some sources gave nothing; every one that did is in ``problems``.

    """
    problems = Problems()
    logins: dict[str, Login] = {}
    for name in sorted(set(needed) & set(credentials)):
        credential = credentials[name]
        values: dict[str, Secret | None] = {}
        for part in ("username", "password", "private_key", "passphrase", "certificate"):
            source = getattr(credential, part)
            try:
                values[part] = _read(source, f"the {part.replace('_', ' ')} of credential `{name}`", reader)
            except CredentialError as error:
                problems.extend(error.problems)
        if not problems.has_errors:
            logins[name] = login = _login(credential, values)
            _check_certificate(credential, login, problems)
    if problems.has_errors:
        raise SeveralCredentialsError(problems.sorted())
    return logins


def secrets_of(login: Login) -> Iterable[Secret]:
    """What of a login must never be shown."""
    return (secret for secret in (login.password, login.private_key, login.passphrase) if secret is not None)


def _read(source: SecretSource | str | None, what: str, reader: SecretReader) -> Secret | None:
    return (
        Secret(source) if isinstance(source, str) else None if source is None else reader.read(source, what)
    )


def _login(credential: Credential, values: Mapping[str, Secret | None]) -> Login:
    username = values["username"]
    key = values["private_key"]
    certificate = values["certificate"].reveal() if values["certificate"] else None
    if certificate is not None and is_x509(certificate):
        certificate, key = parted(certificate, key)
    return Login(
        username=username.reveal() if username else None,
        password=values["password"],
        # A key file ends in a line end, and readers of PEM want it.
        private_key=Secret(key.reveal().rstrip("\n") + "\n") if key else None,
        passphrase=values["passphrase"],
        certificate=certificate,
        agent=credential.agent,
    )


def _check_certificate(credential: Credential, login: Login, problems: Problems) -> None:
    if login.certificate is None or not is_x509(login.certificate):
        return
    try:
        check(login.certificate, login.private_key, login.passphrase)
    except CertificateError as error:
        span = credential.certificate.span if credential.certificate is not None else credential.span
        words = f"the certificate of credential `{credential.name}` {error}"
        problems.error("certificate-unusable", words, span)
