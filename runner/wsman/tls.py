"""TLS to a WinRM listener: three checks that can be left out apart, and one context for all hosts that share them.

Windows checks a listener's certificate three ways, and so does this: is it from an authority that is trusted
(``skip_ca_check``), is it for this name (``skip_cn_check``), was it revoked (``skip_revocation_check``). Its dates are
always checked, as WinHTTP does with any of the three left out. Authorities are the system's, or those of
``SSL_CERT_FILE`` and ``SSL_CERT_DIR``. Revocation lists are read from ``RUNNER_WINRM_CRL``, a PEM file or a directory
of them: without it nothing is known of revocations, for nothing is ever downloaded from an address in a certificate.
"""

from __future__ import annotations

import hashlib
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runner.errors import Unreachable
from runner.transport.endpoint import SessionOptions
from runner.wsman.certificate_login import ClientCertificate

#: Where revocation lists are: a PEM file, or a directory whose ``*.pem`` and ``*.crl`` are PEM.
REVOCATION_LISTS = "RUNNER_WINRM_CRL"
#: Where authorities are, in place of the system's: a PEM file, a directory of them.
TRUST = ("SSL_CERT_FILE", "SSL_CERT_DIR")


@dataclass(frozen=True, slots=True)
class TlsChecks:
    """Which of the three checks are left out."""

    skip_authority: bool = False
    skip_name: bool = False
    skip_revocation: bool = False

    @classmethod
    def of(cls, options: SessionOptions) -> TlsChecks:
        """As session options say."""
        return cls(options.skip_ca_check, options.skip_cn_check, options.skip_revocation_check)


class TlsContexts:
    """Contexts by what they check and whom they log in; a context of system authorities takes about a megabyte.

    Not for several threads. ``environment`` names authorities and revocation lists.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = os.environ if environment is None else environment
        self._made: dict[tuple[TlsChecks, str, str], ssl.SSLContext] = {}

    def get(self, checks: TlsChecks, certificate: ClientCertificate | None = None) -> ssl.SSLContext:
        """The context for ``checks``, presenting ``certificate``.

        Raises:
            Unreachable: ``crl-unusable``, ``client-certificate-unusable``.

        """
        lists = "" if checks.skip_revocation else self._environment.get(REVOCATION_LISTS, "")
        key = (checks, lists, _identity(certificate))
        if key not in self._made:
            self._made[key] = self._make(checks, lists, certificate)
        return self._made[key]

    def _make(self, checks: TlsChecks, lists: str, certificate: ClientCertificate | None) -> ssl.SSLContext:
        context = blind_context()
        if not checks.skip_authority:
            context.verify_mode = ssl.CERT_REQUIRED
            context.check_hostname = not checks.skip_name
            self._trust(context)
            if lists:
                _load_lists(context, Path(lists))
        if certificate is not None:
            certificate.load_into(context)
        return context

    def _trust(self, context: ssl.SSLContext) -> None:
        file, directory = (self._environment.get(name) or None for name in TRUST)
        if file is None and directory is None:
            context.load_default_certs()
            return
        try:
            context.load_verify_locations(file, directory)
        except (OSError, ssl.SSLError) as error:
            raise Unreachable(
                "authorities-unusable",
                f"the authorities of `{file or directory}` cannot be read: {_reason(error)}; nothing was run",
                hints=(
                    "SSL_CERT_FILE names a file of PEM certificates, SSL_CERT_DIR a directory of hashed ones",
                ),
            ) from None


def blind_context() -> ssl.SSLContext:
    """A context for TLS 1.2 and later that checks nothing: to look at a certificate, never to send anything."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _load_lists(context: ssl.SSLContext, place: Path) -> None:
    files = [place]
    if place.is_dir():
        files = sorted(path for path in place.iterdir() if path.suffix in {".pem", ".crl"})
    before = context.cert_store_stats()["crl"]
    for file in files:
        try:
            context.load_verify_locations(file)
        except (OSError, ssl.SSLError) as error:
            raise _unusable(file, _reason(error)) from None
    if context.cert_store_stats()["crl"] == before:
        raise _unusable(place, "no revocation list is in it")
    context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF


def _unusable(path: Path, why: str) -> Unreachable:
    return Unreachable(
        "crl-unusable",
        f"the revocation list `{path}` of {REVOCATION_LISTS} cannot be read: {why}; nothing was run",
        hints=(
            f"a list in DER becomes PEM by `openssl crl -inform DER -in {path.name} -out {path.stem}.pem`",
        ),
    )


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return "it is no PEM"
    return error.strerror or type(error).__name__


def _identity(certificate: ClientCertificate | None) -> str:
    if certificate is None:
        return ""
    return hashlib.sha256(f"{certificate.certificate}\0{certificate.key.reveal()}".encode()).hexdigest()
