"""A certificate authority for labs: certificates of hosts and users, good ones and bad ones, and a revocation list.

EC keys, as they cost a hundredth of what RSA keys cost to make.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha1, sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAY = dt.timedelta(days=1)
_YEARS = 3650 * _DAY


class Flaw(StrEnum):
    """What may be wrong with a host's certificate."""

    NONE = "none"
    EXPIRED = "expired"
    WRONG_NAME = "wrong-name"
    WRONG_CA = "wrong-ca"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate with its key, both in PEM; ``issuers`` is the chain above it, in PEM."""

    certificate: x509.Certificate
    key: bytes
    issuers: bytes = b""

    @property
    def pem(self) -> bytes:
        """The certificate and the chain above it."""
        return self.certificate.public_bytes(serialization.Encoding.PEM) + self.issuers

    @property
    def der(self) -> bytes:
        """The certificate alone, in DER."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def thumbprint(self) -> str:
        """SHA-1 of the DER, as Windows names certificates, in upper-case hexadecimal digits."""
        return sha1(self.der, usedforsecurity=False).hexdigest().upper()

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the DER, in lower-case hexadecimal digits."""
        return sha256(self.der).hexdigest()


class Authority:
    """Issues certificates and revokes them."""

    def __init__(self, name: str = "runner lab CA") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        self._revoked: list[int] = []
        self.certificate = (
            _builder(self._name, self._name, self._key.public_key(), expired=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_SIGNS, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    @property
    def pem(self) -> bytes:
        """The authority's certificate: what a client is to trust."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def host(self, *names: str, expired: bool = False) -> Certificate:
        """A certificate of a server for DNS names and IP addresses."""
        return self._issue(names[0], names, ExtendedKeyUsageOID.SERVER_AUTH, expired=expired)

    def user(self, name: str) -> Certificate:
        """A certificate that a user logs in with."""
        return self._issue(name, (), ExtendedKeyUsageOID.CLIENT_AUTH, expired=False)

    def revoke(self, certificate: Certificate) -> None:
        """Put a certificate on the revocation list."""
        self._revoked.append(certificate.certificate.serial_number)

    def revocations(self) -> bytes:
        """The revocation list in PEM, as it is now."""
        now = dt.datetime.now(dt.UTC)
        builder = x509.CertificateRevocationListBuilder(self._name, now - _DAY, now + _YEARS)
        for number in self._revoked:
            entry = x509.RevokedCertificateBuilder(number, now - _DAY).build()
            builder = builder.add_revoked_certificate(entry)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def _issue(
        self, subject: str, names: Iterable[str], usage: x509.ObjectIdentifier, *, expired: bool
    ) -> Certificate:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            _builder(_named(subject), self._name, key.public_key(), expired=expired)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
        )
        if alternatives := [_alternative(name) for name in names]:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        return Certificate(
            builder.sign(self._key, hashes.SHA256()),
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
            self.pem,
        )


def flawed_host(authority: Authority, flaw: Flaw, *names: str) -> Certificate:
    """A certificate for a host with these names, or one with a flaw."""
    match flaw:
        case Flaw.EXPIRED:
            return authority.host(*names, expired=True)
        case Flaw.WRONG_NAME:
            return authority.host("elsewhere.example")
        case Flaw.WRONG_CA:
            return Authority("another CA").host(*names)
        case Flaw.REVOKED:
            revoked = authority.host(*names)
            authority.revoke(revoked)
            return revoked
    return authority.host(*names)


def server_context(clients: Authority) -> ssl.SSLContext:
    """TLS for a server that takes client certificates of an authority; its own one is still to be loaded."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_verify_locations(cadata=clients.pem.decode())
    return context


def load(context: ssl.SSLContext, host: Certificate, directory: Path) -> None:
    """Have a server present a certificate to whoever connects from now on.

    It is written to ``directory`` with its key, in a file of mode 0600, as ``ssl`` reads files only.
    """
    path = directory / f"{host.thumbprint}.pem"
    path.touch(mode=0o600)
    path.write_bytes(host.key + host.pem)
    context.load_cert_chain(path)


_SIGNS = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def _named(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, *, expired: bool
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 30 * _DAY)
        .not_valid_after(now - _DAY if expired else now + _YEARS)
    )


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
