"""Why a login over WinRM failed: what the server offers, and what Kerberos is short of."""

from __future__ import annotations

from collections.abc import Sequence

from runner.errors import Unreachable
from runner.wsman.http_errors import Attempt

# Codes of MIT krb5 (krb5.h: ERROR_TABLE_BASE_krb5 is -1765328384).
_BASE = -1765328384
_CLIENT_UNKNOWN = _BASE + 6
_SERVICE_UNKNOWN = _BASE + 7
_CLIENT_REVOKED = _BASE + 18
_KEY_EXPIRED = _BASE + 23
_PREAUTH_FAILED = _BASE + 24
_TICKET_EXPIRED = _BASE + 32
_SKEW = _BASE + 37
_BAD_INTEGRITY = _BASE + 31
_NO_CACHE = frozenset(
    {_BASE + 141, _BASE + 195, 39756033}
)  # no such cache, no file of it, no default one (GSS)
_KDC_UNREACHABLE = frozenset({_BASE + 156, _BASE + 154, _BASE + 153})
_MUTUAL_FAILED = _BASE + 46
#: Major codes of GSS-API (RFC 2744 3.9.1), in their upper half.
_NO_CREDENTIAL, _EXPIRED = 7, frozenset({11, 12})  # of a credential, of the context made by it

#: NTSTATUS of a login that is refused (MS-ERREF 2.3.1): no such user, wrong password, restriction, hours, workstation,
#: expired password, disabled, no type of logon, expired account, password to be changed, locked.
_LOGON_REFUSED = frozenset(
    {
        0xC0000064,
        0xC000006A,
        *range(0xC000006D, 0xC0000073),
        0xC000015B,
        0xC0000193,
        0xC0000224,
        0xC0000234,
        0x8009030C,  # SEC_E_LOGON_DENIED
    }
)

_KERBEROS: dict[int, tuple[str, str, str]] = {
    _CLIENT_UNKNOWN: (
        "kerberos-principal-unknown",
        "the realm does not know the user",
        "write the user as `name@REALM`, the realm in capitals",
    ),
    _SERVICE_UNKNOWN: (
        "kerberos-service-unknown",
        "the realm does not know the host's service",
        "use the host's full name in `address:`; `setspn -L HOST` lists its names, `klist` the tickets",
    ),
    _SKEW: (
        "kerberos-clock-skew",
        "the clocks are more than five minutes apart",
        "set the clocks of the controller, the host and the domain controller by NTP",
    ),
    _TICKET_EXPIRED: (
        "kerberos-ticket-expired",
        "the ticket has expired",
        "get a new one with `kinit`, or give the step a credential",
    ),
    _PREAUTH_FAILED: ("login-refused", "the password is wrong", "check the password of the credential"),
    _BAD_INTEGRITY: ("login-refused", "the password is wrong", "check the password of the credential"),
    _KEY_EXPIRED: ("login-refused", "the password has expired", "have the password changed, then run again"),
    _CLIENT_REVOKED: (
        "login-refused",
        "the account is locked or disabled",
        "have the account unlocked in the directory",
    ),
}
_KERBEROS |= dict.fromkeys(
    _NO_CACHE,
    (
        "kerberos-no-ticket",
        "there is no ticket, and no credential to get one with",
        "get one with `kinit name@REALM`, or give the host a `credential:`",
    ),
)
_KERBEROS |= dict.fromkeys(
    _KDC_UNREACHABLE,
    (
        "kerberos-kdc-unreachable",
        "the realm's domain controller (KDC) cannot be found or does not answer",
        "check the realm's capitals, `/etc/krb5.conf`, DNS (`dig SRV _kerberos._tcp.REALM`) and port 88",
    ),
)


def login_failed(attempt: Attempt, peer: str, mechanism: str, error: Exception) -> Unreachable:
    """The error for a step of a security context that failed; ``peer`` is whom it was for, in words."""
    if _status(error) in _LOGON_REFUSED:
        return attempt.unreachable(
            "login-refused",
            f"{peer} refused the login by {mechanism}",
            "check user name and password, and that the account is neither locked nor expired",
        )
    for number in _numbers(error):
        if number in _KERBEROS:
            code, why, hint = _KERBEROS[number]
            return attempt.unreachable(code, f"cannot log in to {peer} by {mechanism}: {why}", hint)
    return attempt.unreachable(
        "login-failed",
        f"the login to {peer} by {mechanism} broke off: {_words(error)}",
        "see that the clocks agree, and that user name and realm are right",
    )


def _status(error: Exception) -> int | None:
    """The NTSTATUS that a CredSSP server refuses with (MS-CSSP 2.2.1, errorCode); None where there is none."""
    status = getattr(getattr(error, "base_error", None), "winerror", None)
    return status & 0xFFFFFFFF if isinstance(status, int) else None


def _numbers(error: BaseException) -> list[int]:
    """The codes of krb5 and GSS-API in an error and in what caused it; GSS-API counts them without a sign."""
    found: list[int] = []
    cause: BaseException | None = error
    while cause is not None:
        for name in ("err_code", "min_code"):
            number = getattr(cause, name, None)
            if isinstance(number, int) and number:
                found.append(number - (1 << 32) if number >= 1 << 31 else number)
        major = (getattr(cause, "maj_code", 0) or 0) >> 16 & 0xFF
        if major in _EXPIRED:
            found.append(_TICKET_EXPIRED)
        elif major == _NO_CREDENTIAL:
            found.append(_BASE + 141)
        cause = getattr(cause, "base_error", None) or cause.__cause__
    return found


def _words(error: Exception) -> str:
    text = getattr(error, "message", None) or str(error) or type(error).__name__
    return text if isinstance(text, str) else type(error).__name__


def kerberos_missing(attempt: Attempt) -> Unreachable:
    """Kerberos is asked for, and its library is not installed."""
    return attempt.unreachable(
        "kerberos-missing",
        f"`{attempt.host}` is to be logged in to by Kerberos, and this installation has no Kerberos",
        "install it with `pip install 'runner[kerberos]'`; it needs the headers of MIT Kerberos (libkrb5-dev)",
    )


def not_offered(attempt: Attempt, mechanism: str, offered: Sequence[str]) -> Unreachable:
    """The server has no listener for the mechanism."""
    return attempt.unreachable(
        "login-not-offered",
        f"`{attempt.host}` lets nobody in by {mechanism}: it offers {_list(offered)}",
        f"set `authentication:` to what it offers, or on the host run `winrm set winrm/config/service/auth "
        f'@{{{mechanism}="true"}}`',
    )


def refused(attempt: Attempt, user: str, mechanism: str, offered: Sequence[str]) -> Unreachable:
    """The server knows the mechanism and turned the user down; nothing tries the same password again."""
    return attempt.unreachable(
        "login-refused",
        f"`{attempt.host}` refused the login of {user} by {mechanism}; it offers {_list(offered)}",
        "check user name and password, and that the user is an administrator or in Remote Management Users there",
    )


def incomplete(attempt: Attempt, mechanism: str) -> Unreachable:
    """The server answers as if the login were over, and has not proved who it is."""
    return attempt.unreachable(
        "login-incomplete",
        f"`{attempt.host}` ended the login by {mechanism} without proving who it is",
        "something between the controller and the host may answer in its place",
    )


def untrusted_host(attempt: Attempt) -> Unreachable:
    """NTLM over http would show a proof of the password to whoever answers under the host's name."""
    return attempt.unreachable(
        "ntlm-untrusted-host",
        f"`{attempt.host}` can only be logged in to by NTLM, which does not prove who the host is, and over http "
        "nothing else does",
        "use https (`use_ssl: true`), or Kerberos with the host's full name",
        f"or name the host in `trusted_hosts: [{attempt.host}]`",
    )


def _list(offered: Sequence[str]) -> str:
    return ", ".join(offered) or "nothing"
