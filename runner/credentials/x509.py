"""A credential's X.509 certificate and its key, checked before anything connects: 2,000 refused logins are none."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from runner.credentials.certificates import (
    CERTIFICATE_MARK,
    KEY_MARK,
    CertificateError,
    first_certificate,
    out_of_time,
)
from runner.values import Secret

_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----\n?", re.DOTALL)


def is_x509(certificate: str) -> bool:
    """Whether a certificate's text is X.509 in PEM; an OpenSSH certificate is one line."""
    return CERTIFICATE_MARK in certificate


def parted(certificate: str, key: Secret | None) -> tuple[str, Secret | None]:
    """Certificate and key apart: a PEM file may hold both, and a key is a secret."""
    if KEY_MARK not in certificate:
        return certificate, key
    inside = _KEY.search(certificate)
    own = Secret(inside[0]) if inside is not None else None
    return _KEY.sub("", certificate), key or own


def check(
    certificate: str, key: Secret | None, passphrase: Secret | None, now: datetime | None = None
) -> None:
    """Check that a certificate can log in now and that the key is its own.

    Raises:
        CertificateError: it cannot; the message goes on after the certificate's name.

    """
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - only certificates need it
        Encoding,
        PublicFormat,
        load_pem_private_key,
    )

    read = first_certificate(certificate)
    wrong = out_of_time(read.not_valid_before_utc, read.not_valid_after_utc, now or datetime.now(UTC))
    if wrong is not None:
        raise CertificateError(wrong)
    if key is None:
        raise CertificateError("has no private key: add `private_key`")
    password = passphrase.reveal().encode() if passphrase is not None else None
    try:
        loaded = load_pem_private_key(key.reveal().encode(), password)
    except TypeError:
        wanted = (
            "needs a passphrase: add `passphrase`" if password is None else "has none: leave `passphrase` out"
        )
        raise CertificateError(f"has a private key that {wanted}") from None
    except ValueError:
        raise CertificateError("has a private key that cannot be read, or another passphrase") from None
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if loaded.public_key().public_bytes(*form) != read.public_key().public_bytes(*form):
        raise CertificateError("does not belong to the private key")
