"""What is wrong with a listener's certificate: one code for each reason, with words from the certificate itself."""

from __future__ import annotations

import ssl

from runner.errors import Unreachable
from runner.wsman.certificate import Certificate, said
from runner.wsman.http_errors import Attempt
from runner.wsman.tls import TlsChecks

# X509_V_ERR_* of OpenSSL's x509_vfy.h
_NOT_YET_VALID = 9
_EXPIRED = 10
_REVOKED = 23
_REVOCATION_UNKNOWN = frozenset(
    {3, 4, 6, 8, 11, 12, 33, 35, 36, 44}
)  # no list, an old one, one that is badly signed
_SELF_SIGNED = 18
_WRONG_NAME = frozenset({62, 64})


def check_unverified(attempt: Attempt, checks: TlsChecks, host: str, der: bytes | None) -> None:
    """Check name and dates where OpenSSL was told not to verify the certificate, nothing else otherwise.

    Raises:
        Unreachable: it is for another host, or not valid now.

    """
    if not checks.skip_authority:
        return
    certificate = Certificate.parse(der or b"")
    if certificate.expired():
        raise _expired(attempt, certificate)
    if certificate.not_yet_valid():
        raise _not_yet_valid(attempt, certificate)
    if not checks.skip_name and not certificate.is_for(host):
        raise _wrong_name(attempt, host, certificate)


def handshake_failed(
    attempt: Attempt, host: str, error: ssl.SSLError, certificate: Certificate | None
) -> Unreachable:
    """The error for a handshake that OpenSSL ended; ``certificate`` is the server's where it could be had."""
    if not isinstance(error, ssl.SSLCertVerificationError):
        return _no_tls(attempt, error)
    code = error.verify_code
    if code == _EXPIRED:
        return _expired(attempt, certificate)
    if code == _NOT_YET_VALID:
        return _not_yet_valid(attempt, certificate)
    if code in _WRONG_NAME:
        return _wrong_name(attempt, host, certificate)
    if code == _REVOKED:
        return attempt.unreachable(
            "tls-revoked",
            f"the certificate of `{attempt.host}` was revoked{_shown(certificate)}",
            "do not trust the host; have a new certificate made for its listener",
        )
    if code in _REVOCATION_UNKNOWN:
        return attempt.unreachable(
            "tls-revocation-unknown",
            f"whether the certificate of `{attempt.host}` was revoked cannot be known: "
            f"{error.verify_message}{_shown(certificate)}",
            "give a current list of its issuer in RUNNER_WINRM_CRL, or set `skip_revocation_check: true`",
        )
    if code == _SELF_SIGNED:
        return attempt.unreachable(
            "tls-self-signed",
            f"the certificate of `{attempt.host}` is signed by itself, not by an authority{_shown(certificate)}",
            "add it to SSL_CERT_FILE when its fingerprint is the host's, or set `skip_ca_check: true`",
        )
    return attempt.unreachable(
        "tls-untrusted",
        f"the certificate of `{attempt.host}` comes from no trusted authority: "
        f"{error.verify_message}{_shown(certificate)}",
        "name the file of your own authority in SSL_CERT_FILE, or set `skip_ca_check: true`",
    )


def _no_tls(attempt: Attempt, error: ssl.SSLError) -> Unreachable:
    reason = (error.reason or "no reason given").replace("_", " ").lower()
    hint = "check that the port is the one of https, and that the host allows TLS 1.2"
    if "alert" in reason and "certificate" in reason:
        hint = "the host refused the certificate that was presented: its issuer must be trusted there"
    return attempt.unreachable("tls-handshake-failed", f"TLS with `{attempt.host}` failed: {reason}", hint)


def _expired(attempt: Attempt, certificate: Certificate | None) -> Unreachable:
    when = f" on {certificate.not_after:%Y-%m-%d %H:%M} UTC" if certificate is not None else ""
    return attempt.unreachable(
        "tls-expired",
        f"the certificate of `{attempt.host}` expired{when}{_shown(certificate)}",
        "have a new certificate made for the listener, and check the controller's clock",
    )


def _not_yet_valid(attempt: Attempt, certificate: Certificate | None) -> Unreachable:
    when = f" before {certificate.not_before:%Y-%m-%d %H:%M} UTC" if certificate is not None else " yet"
    return attempt.unreachable(
        "tls-not-yet-valid",
        f"the certificate of `{attempt.host}` is not valid{when}{_shown(certificate)}",
        "check the clocks of the controller and of the host",
    )


def _wrong_name(attempt: Attempt, host: str, certificate: Certificate | None) -> Unreachable:
    names = f": it is for {said(certificate.names)}" if certificate is not None else ""
    return attempt.unreachable(
        "tls-wrong-name",
        f"the certificate of `{attempt.host}` is not for `{host}`{names}{_shown(certificate)}",
        "set `address:` to a name that the certificate is for, or set `skip_cn_check: true`",
    )


def _shown(certificate: Certificate | None) -> str:
    return f"; {certificate}" if certificate is not None else ""
