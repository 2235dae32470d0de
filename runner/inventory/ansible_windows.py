"""Ansible's variables for its connection plugins ``winrm`` and ``psrp`` as settings of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from runner.inventory.ansible_said import Convert, Found, Said, is_true, made, nearest, setting
from runner.inventory.values import is_template

PLUGINS = ("winrm", "psrp")

_AUTHENTICATION = {"plaintext": "basic", "ssl": "basic", "ntlm": "negotiate", "certificate": "default"}
"""Ansible's words that are not Invoke-Command's; ``plaintext`` and ``ssl`` are Basic over http and https."""


def _authentication(text: str) -> str | None:
    """The first of the mechanisms, of which the plugin ``winrm`` may have a list."""
    first = text.strip("[]").replace(",", " ").split()
    word = first[0].strip("'\"").lower() if first else ""
    return _AUTHENTICATION.get(word, word) or None


def _path(text: str) -> str | None:
    return text.strip("/") or None


# Key of ours, Ansible's names, and what to make of the text; None keeps it.
_SETTINGS: tuple[tuple[str, tuple[str, ...], Convert | None], ...] = (
    ("authentication", ("ansible_winrm_transport", "ansible_psrp_auth"), _authentication),
    ("application_name", ("ansible_winrm_path", "ansible_psrp_path"), _path),
    ("configuration_name", ("ansible_psrp_configuration_name",), None),
    ("certificate_pem", ("ansible_winrm_cert_pem", "ansible_psrp_certificate_pem"), None),
    ("certificate_key_pem", ("ansible_winrm_cert_key_pem", "ansible_psrp_certificate_key_pem"), None),
)
_SCHEME = ("ansible_winrm_scheme", "ansible_psrp_protocol")
_PORT = ("ansible_port", "ansible_winrm_port", "ansible_psrp_port")
_CHECKED = ("ansible_winrm_server_cert_validation", "ansible_psrp_cert_validation")
_ENCRYPTION = ("ansible_winrm_message_encryption", "ansible_psrp_message_encryption")


def _ignored(text: str) -> Mapping[str, Any]:
    checks = ("skip_ca_check", "skip_cn_check", "skip_revocation_check")
    return dict.fromkeys(checks, True) if text.strip().lower() == "ignore" else {}


def _never(text: str) -> Mapping[str, Any]:
    return {"no_encryption": True} if text.strip().lower() == "never" else {}


def _seconds(text: str) -> Mapping[str, Any]:
    return {"operation_timeout": f"{text.strip()}s"}


def _retries(text: str) -> Mapping[str, Any]:
    return {"max_connection_retry_count": text.strip()}


def _no_proxy(text: str) -> Mapping[str, Any]:
    return {"proxy_access_type": "noproxyserver"} if is_true(text) else {}


# Ansible's names of what is a session option here, and what to make of the text.
_OPTIONS: tuple[tuple[tuple[str, ...], Callable[[str], Mapping[str, Any]]], ...] = (
    (("ansible_winrm_operation_timeout_sec", "ansible_psrp_operation_timeout"), _seconds),
    (("ansible_psrp_reconnection_retries",), _retries),
    (("ansible_psrp_ignore_proxy",), _no_proxy),
)

WINDOWS_NAMES = frozenset(
    {
        *(name for _, names, _ in _SETTINGS for name in names),
        *(name for names, _ in _OPTIONS for name in names),
        *(*_SCHEME, *_CHECKED, *_ENCRYPTION),
    }
)
"""The variables that are understood here."""


def windows_settings(found: Mapping[str, Said]) -> Iterator[Found]:
    """Each setting that the variables make for a host that is reached over WinRM."""
    for key, names, convert in _SETTINGS:
        said = nearest(found, names)
        if said is not None:
            yield from setting(key, said, convert)
    encrypted = _is_encrypted(found)
    scheme = nearest(found, _SCHEME) or found.get("ansible_connection")
    if scheme is not None:
        yield "use_ssl", scheme.rank, made(encrypted, scheme)
    yield from _session_option(found, encrypted=encrypted)


def _is_encrypted(found: Mapping[str, Said]) -> bool:
    """As in Ansible https, unless the scheme or a port of plain http says otherwise."""
    scheme, port = nearest(found, _SCHEME), nearest(found, _PORT)
    if scheme is not None:
        return (scheme.text or "").strip().lower() == "https"
    return port is None or port.text != "5985"


def _session_option(found: Mapping[str, Said], *, encrypted: bool) -> Iterator[Found]:
    """All that is a session option here in one; what http or https makes meaningless is left out, as in Ansible."""
    options = (*_OPTIONS, (_CHECKED, _ignored) if encrypted else (_ENCRYPTION, _never))
    value: dict[str, Any] = {}
    sources: list[Said] = []
    for names, convert in options:
        said = nearest(found, names)
        if said is None or said.text is None or is_template(said.text):
            continue
        converted = convert(said.text)
        if converted:
            value.update(converted)
            sources.append(said)
    if sources:
        source = max(sources, key=lambda one: one.rank)
        yield "session_option", source.rank, made(value, source)
