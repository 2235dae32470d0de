"""Client certificates for logins over WinRM: the store that a thumbprint names one of, and checks of what is read.

A thumbprint is what Windows calls the SHA-1 of a certificate's DER. Windows keeps certificates in a store of its own;
here a store is a folder of PEM files, each with a certificate, its key in the same file or beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from runner.problems import Problems
from runner.values import Span

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

CERTIFICATE_MARK, KEY_MARK, ENCRYPTED_MARK = "BEGIN CERTIFICATE", "PRIVATE KEY-----", "ENCRYPTED"
_SUFFIXES = (".pem", ".crt", ".cer")
_KEY_NAMES = ("{stem}.key", "{stem}-key.pem", "{stem}.key.pem")
_LARGEST = 1 << 20
_SHOWN = 12


class CertificateError(ValueError):
    """A text is no certificate, or none that can log in now; the message is a sentence without a full stop."""


@dataclass(frozen=True, slots=True)
class StoredCertificate:
    """A certificate of the store: its files, and what tells it from others."""

    path: Path
    key: Path | None
    thumbprint: str
    subject: str
    expires: datetime
    begins: datetime

    def __str__(self) -> str:
        return f"`{self.thumbprint}` {self.subject}, until {self.expires:%Y-%m-%d}"


class CertificateStore:
    """A folder of client certificates, read when the first thumbprint is asked for."""

    def __init__(self, folder: Path | None, *, now: datetime | None = None) -> None:
        self._folder = folder
        self._now = now or datetime.now(UTC)
        self._found: dict[str, StoredCertificate] | None = None

    def paths(self, thumbprint: str, span: Span, problems: Problems) -> tuple[str, str] | None:
        """The PEM files of a certificate and of its key; None where there is none that can log in, which is noted."""
        if self._folder is None:
            problems.error(
                "certificate-store",
                "a thumbprint names a certificate of a store, and no store is set",
                span,
                "give the folder of your PEM files: `--certificates DIR`, or `certificates` in runner.toml",
                "or use a `credential` with `certificate` and `private_key`",
            )
            return None
        wanted = "".join(thumbprint.split()).upper()
        found = self._read(span, problems).get(wanted)
        if found is None:
            there = [str(one) for one in list((self._found or {}).values())[:_SHOWN]]
            hints = [f"there is {one}" for one in there] or ["the folder holds no certificate in a PEM file"]
            words = f"no certificate in `{self._folder}` has the thumbprint `{wanted}`"
            problems.error("unknown-certificate", words, span, *hints)
            return None
        return self._usable(found, span, problems)

    def _usable(self, found: StoredCertificate, span: Span, problems: Problems) -> tuple[str, str] | None:
        wrong = out_of_time(found.begins, found.expires, self._now)
        if wrong is not None:
            words = f"the certificate `{found.path.name}` {wrong}"
            problems.error(
                "certificate-expired", words, span, "ask for a new one, or correct this controller's clock"
            )
            return None
        if found.key is None:
            names = " or ".join(f"`{name.format(stem=found.path.stem)}`" for name in _KEY_NAMES[:2])
            words = f"the certificate `{found.path.name}` has no private key beside it"
            problems.error("certificate-key", words, span, f"put it into the same file, or into {names}")
            return None
        if ENCRYPTED_MARK in _text(found.key):
            words = f"the private key `{found.key.name}` is encrypted, and a thumbprint brings no passphrase"
            hint = "use a `credential` with `certificate`, `private_key` and `passphrase`"
            problems.error("certificate-key", words, span, hint)
            return None
        return str(found.path), str(found.key)

    def _read(self, span: Span, problems: Problems) -> dict[str, StoredCertificate]:
        if self._found is None:
            self._found = {}
            try:
                files = sorted(self._folder.iterdir()) if self._folder is not None else []
            except OSError as error:
                reason = (error.strerror or type(error).__name__).lower()
                words = f"the store of certificates `{self._folder}` cannot be read: {reason}"
                problems.error("certificate-store", words, span)
                files = []
            self._found = {one.thumbprint: one for one in _certificates(files)}
        return self._found


def _certificates(files: list[Path]) -> Iterator[StoredCertificate]:
    """The certificates among the files; what is none is passed over, for a folder may hold keys and notes too."""
    for path in files:
        if path.suffix.lower() not in _SUFFIXES:
            continue
        try:
            text = _text(path)
            certificate = first_certificate(text)
        except (OSError, CertificateError):
            continue
        beside = (path.with_name(name.format(stem=path.stem)) for name in _KEY_NAMES)
        key = path if KEY_MARK in text else next((one for one in beside if one.is_file()), None)
        yield StoredCertificate(
            path,
            key,
            thumbprint_of(certificate),
            certificate.subject.rfc4514_string(),
            certificate.not_valid_after_utc,
            certificate.not_valid_before_utc,
        )


def _text(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_LARGEST).decode(errors="replace")


def first_certificate(text: str) -> Certificate:
    """The first certificate of a PEM text, which is the client's own where a chain follows.

    Raises:
        CertificateError: there is none, or it cannot be read.

    """
    from cryptography import x509  # noqa: PLC0415 - a tenth of a second, for those who log in by certificate

    if CERTIFICATE_MARK not in text:
        raise CertificateError("holds no certificate in PEM")
    try:
        return x509.load_pem_x509_certificates(text.encode())[0]
    except ValueError as error:
        raise CertificateError("holds a certificate that cannot be read") from error


def thumbprint_of(certificate: Certificate) -> str:
    """40 hex digits in upper case, as Windows shows it."""
    from cryptography.hazmat.primitives.hashes import SHA1  # noqa: PLC0415 - see above

    return certificate.fingerprint(SHA1()).hex().upper()  # noqa: S303 - a name of the certificate, no proof


def out_of_time(begins: datetime, expires: datetime, now: datetime) -> str | None:
    """Why a certificate cannot log in now, after its name; None where it can."""
    if now > expires:
        return f"has expired on {expires:%Y-%m-%d}"
    return f"is valid from {begins:%Y-%m-%d %H:%M} UTC only" if now < begins else None
