"""The certificate that a client logs in with: read, checked against its key, handed to TLS without a file."""

from __future__ import annotations

import os
import ssl
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from runner.errors import Unreachable
from runner.transport.endpoint import WinrmSettings
from runner.transport.port import Login
from runner.values import Secret
from runner.wsman.certificate import Certificate

#: What goes into a pipe without a reader (pipe(7)), and is more than any chain takes.
_LONGEST_PEM = 60_000


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate with its chain and key, PEM texts; ``passphrase`` opens the key."""

    certificate: str
    key: Secret = field(repr=False)
    passphrase: Secret | None = field(default=None, repr=False)

    @classmethod
    def of(cls, login: Login | None, settings: WinrmSettings) -> ClientCertificate | None:
        """The one that a credential holds, else the one whose paths the settings have, else None.

        Raises:
            Unreachable: ``client-certificate-unusable``: no such file, no key, a wrong pair, a passphrase that is
                missing or wrong, or a time at which it is not valid.

        """
        passphrase = login.passphrase if login is not None else None
        if login is not None and login.certificate is not None:
            if login.private_key is None:
                raise _unusable("the credential has a certificate and no private key")
            found = cls(login.certificate, login.private_key, passphrase)
        elif settings.certificate is not None:
            key = settings.certificate_key or settings.certificate
            found = cls(_read(settings.certificate), Secret(_read(key)), passphrase)
        else:
            return None
        found.check()
        return found

    def check(self, now: datetime | None = None) -> None:
        """See that it can log in at ``now``, by default the present.

        Raises:
            Unreachable: ``client-certificate-unusable``.

        """
        try:
            parsed = x509.load_pem_x509_certificate(self.certificate.encode())
        except ValueError:
            raise _unusable("it is no PEM certificate") from None
        public = parsed.public_key().public_bytes(*_PUBLIC)
        if self._private_key_of() != public:
            raise _unusable("its private key belongs to another certificate")
        said = Certificate.parse(parsed.public_bytes(serialization.Encoding.DER))
        when = now or datetime.now(UTC)
        if said.expired(when):
            raise _unusable(f"it expired on {said.not_after:%Y-%m-%d}: {said}")
        if said.not_yet_valid(when):
            raise _unusable(f"it is not valid before {said.not_before:%Y-%m-%d}: {said}")

    def _private_key_of(self) -> bytes:
        passphrase = self.passphrase.reveal().encode() if self.passphrase is not None else None
        text = self.key.reveal().encode()
        try:
            key = serialization.load_pem_private_key(text, passphrase if b"ENCRYPTED" in text else None)
        except TypeError:
            raise _unusable("its private key is encrypted, and there is no passphrase") from None
        except ValueError:
            wrong = (
                "the passphrase does not open its private key"
                if passphrase
                else "its private key is no PEM key"
            )
            raise _unusable(wrong) from None
        return key.public_key().public_bytes(*_PUBLIC)

    def load_into(self, context: ssl.SSLContext) -> None:
        """Present it in handshakes of ``context``; it goes by pipes, for a key must not lie in a file.

        Raises:
            Unreachable: ``client-certificate-unusable``: OpenSSL does not take it.

        """
        passphrase = self.passphrase.reveal() if self.passphrase is not None else ""
        with closing(_Pipe(self.certificate)) as chain, closing(_Pipe(self.key.reveal())) as key:
            try:
                # A callback, for without one OpenSSL would ask on the terminal.
                context.load_cert_chain(chain.path, key.path, password=lambda: passphrase)
            except (ssl.SSLError, OSError):
                raise _unusable("TLS does not take it or its key") from None


class _Pipe:
    """A text that can be opened by a path once and is nowhere on a disk."""

    def __init__(self, text: str) -> None:
        data = text.encode()
        if len(data) > _LONGEST_PEM:
            raise _unusable("it is too long")
        self._reader, writer = os.pipe()
        os.write(writer, data)
        os.close(writer)
        self.path = f"/dev/fd/{self._reader}"

    def close(self) -> None:
        """Forget what was not read."""
        os.close(self._reader)


_PUBLIC = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _read(path: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="ascii")
    except OSError as error:
        raise _unusable(f"`{path}` cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise _unusable(f"`{path}` is no PEM file") from None


def _unusable(why: str) -> Unreachable:
    return Unreachable(
        "client-certificate-unusable",
        f"the certificate to log in with cannot be used: {why}; nothing was run",
        hints=("look at it with `openssl x509 -noout -text -in CERTIFICATE`",),
    )
