"""``runner explain winrm --host HOST``: what a host will be reached with over WinRM, and where each of it came from."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import fields
from uuid import UUID

from runner.cli.explain_ssh import planned_host
from runner.cli.prepare import Given
from runner.errors import UsageError
from runner.inventory.connection import connection_settings
from runner.inventory.model import Setting
from runner.psrp.request import PoolSettings
from runner.transport.endpoint import Authentication, Endpoint, SessionOptions, WinrmSettings
from runner.transport.winrm_uris import configuration_name, uses_tls
from runner.units import format_duration, format_size
from runner.wsman.session_settings import client_settings
from runner.wsman.tls import REVOCATION_LISTS, TRUST

Row = tuple[str, str, str]
"""A word, its value, and where that came from."""

_DEFAULT = "default"
_NONE = SessionOptions()
_TOLD_BEFORE = frozenset({"skip_ca_check", "skip_cn_check", "skip_revocation_check", "no_encryption"})


def winrm_rows(host: str, given: Given) -> list[Row]:
    """Rows of word, value and source, in the order in which a connection needs them.

    Raises:
        DocumentError: the inventory is wrong, or has no such host.
        UsageError: the host is not reached over WinRM.

    """
    endpoint, inventory = planned_host(host, given)
    if endpoint.winrm is None:
        raise UsageError(
            "nothing-to-explain", f"`{host}` is reached over {endpoint.transport}, not over WinRM"
        )
    said = connection_settings(inventory, host)
    return [
        *_place(endpoint, endpoint.winrm, said),
        *_login(endpoint, endpoint.winrm, said),
        *_trust(endpoint, endpoint.winrm, said),
        *_options(endpoint, endpoint.winrm, said),
    ]


def _place(endpoint: Endpoint, winrm: WinrmSettings, said: Mapping[str, Setting]) -> Iterator[Row]:
    parts = ("use_ssl", "port", "application_name", "address")
    yield "url", winrm.url.partition("?")[0], _source(said, *parts)
    name = configuration_name(winrm.resource_uri)
    yield "configuration_name", name, _source(said, "configuration_name")
    yield "connect_timeout", format_duration(endpoint.connect_timeout), _source(said, "connect_timeout")


def _login(endpoint: Endpoint, winrm: WinrmSettings, said: Mapping[str, Setting]) -> Iterator[Row]:
    if winrm.certificate is not None:
        yield "certificate", winrm.certificate, _source(said, "certificate_thumbprint", "certificate_pem")
        return
    yield "authentication", winrm.authentication.value, _source(said, "authentication")
    own = "none: the ticket of whoever runs this"
    yield "credential", endpoint.credential or own, _source(said, "credential", "password")
    if endpoint.user is not None:
        yield "user_name", endpoint.user, _source(said, "user_name")


def _trust(endpoint: Endpoint, winrm: WinrmSettings, said: Mapping[str, Setting]) -> Iterator[Row]:
    """What keeps others from reading, and what proves who answers."""
    options = endpoint.session_options
    if not uses_tls(winrm.url):
        clear = options.no_encryption or winrm.authentication is Authentication.BASIC
        how = "none: all is sent in clear text" if clear else "of each message, with the login's keys"
        yield "encryption", how, _source(said, "session_option") if clear else _DEFAULT
        yield "trusted_hosts", " ".join(winrm.trusted_hosts) or "none", _source(said, "trusted_hosts")
        return
    yield "encryption", "TLS", _source(said, "use_ssl")
    skipped = [key for key in sorted(_TOLD_BEFORE) if getattr(options, key)]
    checked = f"all but {', '.join(skipped)}" if skipped else "authority, name, revocation"
    yield "checks", checked, _source(said, "session_option") if skipped else _DEFAULT
    trust = next((name for name in TRUST if os.environ.get(name)), None)
    yield "authorities", os.environ[trust] if trust else "the system's", trust or _DEFAULT
    lists = os.environ.get(REVOCATION_LISTS)
    yield "revocation lists", lists or "none", REVOCATION_LISTS if lists else _DEFAULT


def _options(endpoint: Endpoint, winrm: WinrmSettings, said: Mapping[str, Setting]) -> Iterator[Row]:
    """The session options that were said, and the limits that hold anyhow."""
    options, pool = endpoint.session_options, PoolSettings()
    client = client_settings(endpoint, winrm, UUID(int=0))
    limits: Mapping[str, object] = {
        "open_timeout": pool.open_timeout,
        "operation_timeout": client.operation_timeout,
        "cancel_timeout": pool.cancel_timeout,
        "maximum_received_object_size": pool.maximum_object_size,
    }
    for key in (field.name for field in fields(SessionOptions) if field.name not in _TOLD_BEFORE):
        value = getattr(options, key)
        if value != getattr(_NONE, key):
            yield key, _shown(key, options), _source(said, "session_option")
        elif key in limits:
            yield key, _text(key, limits[key]), _DEFAULT


def _shown(key: str, options: SessionOptions) -> str:
    if key == "application_arguments":
        return ", ".join(options.arguments())
    if key == "proxy" and options.proxy is not None:
        named = f", credential {options.proxy.credential}" if options.proxy.credential else ""
        return f"{options.proxy.access}, {options.proxy.authentication}{named}"
    return _text(key, getattr(options, key))


def _text(key: str, value: object) -> str:
    if key.endswith("_timeout") and isinstance(value, float):
        return format_duration(value)
    if key.startswith("maximum_received") and isinstance(value, int):
        return format_size(value)
    return "yes" if value is True else str(value)


def _source(said: Mapping[str, Setting], *keys: str) -> str:
    """Who said the first of these that is said: ``group `windows` hosts.yml:12``."""
    setting = next((said[key] for key in keys if key in said), None)
    if setting is None:
        return _DEFAULT
    place = f"  {setting.span.path}:{setting.span.line}" if setting.span is not None else ""
    return f"{setting.source}{place}"
