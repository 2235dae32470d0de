"""An endpoint's session options as WSMan needs them (remoting.md 3.1). Pure."""

from __future__ import annotations

from uuid import UUID

from runner.transport.endpoint import Endpoint, SessionOptions, WinrmSettings
from runner.wsman.client import ClientSettings
from runner.wsman.operations import ShellSettings

#: PowerShell's own where the author says nothing: seconds, hops.
_OPERATION_TIMEOUT = 180.0
_MAXIMUM_REDIRECTION = 5
_LANGUAGE = "en-US"
#: The longest time the protocol can say, in seconds: what a server's own limit is called when it has none.
_LONGEST_IDLE = 2147483.0

_BUFFERING = {"block": "Block", "drop": "Drop"}


def client_settings(endpoint: Endpoint, winrm: WinrmSettings, session: UUID) -> ClientSettings:
    """What all operations on a host share."""
    options = endpoint.session_options
    maximum = options.maximum_redirection
    return ClientSettings(
        host=endpoint.host,
        resource_uri=winrm.resource_uri,
        session=session,
        operation_timeout=_OPERATION_TIMEOUT
        if options.operation_timeout is None
        else options.operation_timeout,
        culture=options.culture or _LANGUAGE,
        ui_culture=options.ui_culture or options.culture or _LANGUAGE,
        allow_redirection=winrm.allow_redirection,
        maximum_redirection=_MAXIMUM_REDIRECTION if maximum is None else maximum,
        trusted_hosts=winrm.trusted_hosts,
    )


def shell_settings(options: SessionOptions, name: str | None) -> ShellSettings:
    """How a session's shell is asked for; ``name`` is the session's as the host shows it."""
    idle = options.idle_timeout
    return ShellSettings(
        name=name,
        idle_timeout=None if idle is None or idle < 0 else min(idle, _LONGEST_IDLE),
        no_machine_profile=options.no_machine_profile,
        buffering=_BUFFERING.get((options.output_buffering_mode or "").lower()),
    )
