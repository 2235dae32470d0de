"""What a certificate says, in words for messages, and what a login is bound to."""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True)
class Certificate:
    """The parts of a certificate that a check or a message needs; times are UTC.

    ``names`` are those it is for: DNS names and addresses of the extension, else the common name (RFC 2818 3.1).
    """

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    fingerprint: str

    @classmethod
    def parse(cls, der: bytes) -> Certificate:
        """Read a certificate.

        Raises:
            ValueError: it is none.

        """
        certificate = x509.load_der_x509_certificate(der)
        return cls(
            subject=certificate.subject.rfc4514_string(),
            issuer=certificate.issuer.rfc4514_string(),
            names=_names(certificate),
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
            fingerprint=hashlib.sha256(der).hexdigest(),
        )

    def is_for(self, host: str) -> bool:
        """Whether one of its names is ``host``; ``*`` stands for the whole first label (RFC 9525 6.3)."""
        address = _address(host)
        if address is not None:
            return any(_address(name) == address for name in self.names)
        wanted = host.rstrip(".").lower()
        rest = wanted.partition(".")[2]
        return any(
            name.lower() == wanted or (name.startswith("*.") and "." in rest and name[2:].lower() == rest)
            for name in self.names
        )

    def expired(self, now: datetime | None = None) -> bool:
        """Whether it is over at ``now``, by default the present."""
        return (now or datetime.now(UTC)) > self.not_after

    def not_yet_valid(self, now: datetime | None = None) -> bool:
        """Whether it begins after ``now``, by default the present."""
        return (now or datetime.now(UTC)) < self.not_before

    def __str__(self) -> str:
        return (
            f"certificate of {self.subject or 'nobody'}, issued by {self.issuer or 'nobody'}, for {said(self.names)}, "
            f"valid {self.not_before:%Y-%m-%d} to {self.not_after:%Y-%m-%d}, SHA-256 {self.fingerprint}"
        )


def said(names: tuple[str, ...]) -> str:
    """Names for a message, the first five of them."""
    shown = ", ".join(f"`{name}`" for name in names[:5]) or "no name"
    return shown + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        alternative = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        alternative = None
    found: list[str] = []
    if alternative is not None:
        found += alternative.get_values_for_type(x509.DNSName)
        found += [str(address) for address in alternative.get_values_for_type(x509.IPAddress)]
    if found:
        return tuple(found)
    return tuple(str(part.value) for part in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME))


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None


def channel_binding(der: bytes) -> bytes:
    """The channel binding ``tls-server-end-point`` of a server's certificate (RFC 5929 4.1).

    The hash is the one of the certificate's signature, SHA-256 where that is MD5, SHA-1, or has none of its own.
    """
    certificate = x509.load_der_x509_certificate(der)
    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        algorithm = None
    if algorithm is None or algorithm.name in {"md5", "sha1"}:
        algorithm = hashes.SHA256()
    digest = hashes.Hash(algorithm)
    digest.update(der)
    return b"tls-server-end-point:" + digest.finalize()
