"""Quotas of a WinRM server told apart, each with the command that raises it on the host. Pure.

A server counts per user and per plugin; both kinds have codes of their own (wsmerror.h), and the remedies differ.
"""

from __future__ import annotations

from dataclasses import dataclass

from runner.transport.winrm_uris import configuration_name


@dataclass(frozen=True, slots=True)
class Quota:
    """One quota.

    Attributes:
        code: ours, for ``runner explain``.
        what: what there is too much of, as the end of a sentence.
        remedy: the command that raises it, to be run on the host as an administrator.
        other: what helps without raising it.

    """

    code: str
    what: str
    remedy: str
    other: str


_CLOSE = "or have fewer sessions of this user there at once: close old ones, or lower `throttle`"


def _service(setting: str, value: int, *, part: str = "winrs") -> str:
    return f"""winrm set winrm/config/{part} '@{{{setting}="{value}"}}'"""


_SHELLS = Quota(
    "quota-shells",
    "the user has as many sessions there as one user may have (MaxShellsPerUser)",
    _service("MaxShellsPerUser", 100),
    _CLOSE,
)
_USERS = Quota(
    "quota-users",
    "as many users have sessions there as may at once (MaxConcurrentUsers)",
    _service("MaxConcurrentUsers", 100),
    "or wait until another user has closed theirs",
)
_OPERATIONS = Quota(
    "quota-operations",
    "the user has as many requests open there as one user may have (MaxConcurrentOperationsPerUser)",
    _service("MaxConcurrentOperationsPerUser", 4294967295, part="service"),
    _CLOSE,
)
_PROCESSES = Quota(
    "quota-processes",
    "a session has started as many processes as one may (MaxProcessesPerShell)",
    _service("MaxProcessesPerShell", 100),
    "or have the script start fewer at once",
)
_MEMORY = Quota(
    "quota-memory",
    "there is not enough memory for the session (MaxMemoryPerShellMB, or the machine's own)",
    _service("MaxMemoryPerShellMB", 4096),
    "or have the script hold less at once: pipe objects instead of collecting them",
)

#: wsmerror.h: QUOTA_MAX_SHELLS, _MAX_OPERATIONS, _MAX_SHELLUSERS; winerror.h: OUTOFMEMORY, NOT_ENOUGH_QUOTA ...
_SERVICE_QUOTAS = {
    0x803381A5: _SHELLS,
    0x803381A6: _OPERATIONS,
    0x803381AB: _USERS,
    8: _MEMORY,
    14: _MEMORY,
    0x5AF: _MEMORY,
    0x718: _MEMORY,
    0x8007000E: _MEMORY,
    0x800705AF: _MEMORY,
}

#: The same counted for one plugin, that is for one session configuration: the codes ending in _PPQ.
_PLUGIN_QUOTAS = {
    0x803381E4: ("MaxShellsPerUser", _SHELLS),
    0x803381E5: ("MaxConcurrentUsers", _USERS),
    0x803381E6: ("MaxShells", _SHELLS),
    0x803381E7: ("MaxConcurrentOperations", _OPERATIONS),
    0x803381E8: ("MaxConcurrentOperationsPerUser", _OPERATIONS),
    0x803381E9: ("MaxConcurrentCommandsPerShell", _OPERATIONS),
}

#: What a quota's setting is called in the texts of servers that send no code of their own for it.
_SETTINGS = {
    "maxshellsperuser": _SHELLS,
    "maxconcurrentusers": _USERS,
    "maxconcurrentoperationsperuser": _OPERATIONS,
    "maxprocessespershell": _PROCESSES,
    "maxmemorypershellmb": _MEMORY,
    "number of concurrent shells": _SHELLS,
    "concurrent users": _USERS,
    "number of concurrent operations": _OPERATIONS,
    "maximum memory": _MEMORY,
}


def quota(code: int | None, subcode: str, text: str, resource_uri: str) -> Quota | None:
    """Which quota a fault is about, or None for none.

    Args:
        code: of the fault, unsigned.
        subcode: of SOAP; ``QuotaLimit`` without a code that is known is read from the text.
        text: what the server said.
        resource_uri: of the session configuration, whose own quotas may be meant.

    """
    if code in _SERVICE_QUOTAS:
        return _SERVICE_QUOTAS[code]
    if code in _PLUGIN_QUOTAS:
        setting, general = _PLUGIN_QUOTAS[code]
        plugin = configuration_name(resource_uri)
        return Quota(
            general.code,
            f"the session configuration `{plugin}` allows no more ({setting})",
            f"Set-Item 'WSMan:\\localhost\\Plugin\\{plugin}\\Quotas\\{setting}' 100; Restart-Service WinRM",
            general.other,
        )
    if subcode == "QuotaLimit":
        folded = text.casefold()
        return next((found for words, found in _SETTINGS.items() if words in folded), None)
    return None
