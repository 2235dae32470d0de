"""The pages that go from Invoke-Command's parameters to keys: parameters, parameter sets, session options.

What a key is and which keys exclude each other comes from the schema and from the rules; the names of parameters, and
what Invoke-Command itself allows, are its reference's (Windows PowerShell 5.1 and PowerShell 7) and stand here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from docs.generators.markdown import anchor, page, table
from docs.generators.schemas import fields_of, schema
from runner.document import parameter_sets
from runner.document.parameter_sets import KINDS, ParameterSet
from runner.plan.connection import TRANSPORTS
from runner.plan.session_options import ACTING

_LIFTED = "**lifted**: "
_REFUSED = "**refused**: "
_LATER = "not available yet"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of Invoke-Command.

    Attributes:
        name: without its dash; aliases behind it.
        keys: what to write, each with the part of the language that has it (``step``, ``target`` ...).
        differs: what is lifted, refused or else, in a sentence; empty where it is the same.

    """

    name: str
    keys: tuple[tuple[str, str], ...]
    differs: str = ""

    @property
    def shown(self) -> str:
        """``-KeyFilePath`` with its aliases."""
        return ", ".join(f"`-{each}`" for each in self.name.split())


def _p(name: str, keys: str, differs: str = "") -> Parameter:
    """``keys`` as ``target.hosts step.throttle``."""
    return Parameter(name, tuple((each.split(".")[1], each.split(".")[0]) for each in keys.split()), differs)


PARAMETERS = (
    _p(
        "AllowRedirection",
        "connection.allow_redirection",
        "never from https to http, and a warning for each hop",
    ),
    _p("ApplicationName", "connection.application_name"),
    _p("ArgumentList Args", "step.args", "`parameters` also binds by name, which Invoke-Command cannot"),
    _p("AsJob", "step.background", _LATER),
    _p(
        "Authentication",
        "connection.authentication",
        f"{_REFUSED}`digest`, since servers no longer offer it; `basic` over http needs `no_encryption`",
    ),
    _p(
        "CertificateThumbprint",
        "connection.certificate_thumbprint",
        f"{_LIFTED}goes with `file` too. Looked up in a folder of PEM files (`--certificates`); a credential may name"
        " the files instead",
    ),
    _p("ComputerName Cn", "target.hosts", "a pattern of the inventory, a list of names, or a file of them"),
    _p("ConfigurationName", "connection.configuration_name", "over SSH it means `subsystem`"),
    _p(
        "ConnectingTimeout", "connection.connect_timeout", "with a unit; 30 s where nothing says, not endless"
    ),
    _p("ConnectionUri URI CU", "target.connection_uri"),
    _p("ContainerId", "target.container_id", _LATER),
    _p(
        "Credential",
        "connection.credential",
        f"{_LIFTED}over SSH too. A name; the password comes from its source",
    ),
    _p(
        "EnableNetworkAccess",
        "connection.enable_network_access",
        "accepted, and does nothing: a warning says so",
    ),
    _p("FilePath PSPath", "step.file", "read once, and hashed into the plan"),
    _p("HideComputerName HCN", "step.hide_computer_name"),
    _p("HostName", "target.hosts target.ssh_connections", "`user@host:port` works too"),
    _p("InDisconnectedSession Disconnected", "step.disconnected", _LATER),
    _p("InputObject", "step.input_object"),
    _p("JobName", "step.job_name", _LATER),
    _p("KeyFilePath IdentityFilePath", "connection.key_file_path"),
    _p("NoNewScope", "step.no_new_scope"),
    _p("Options", "connection.options", "works with connections too, where Invoke-Command drops them"),
    _p("Port", "connection.port", f"{_LIFTED}a port for each host"),
    _p("RemoteDebug", "step.remote_debug", f"{_REFUSED}there is nobody to type into a debugger"),
    _p("RunAsAdministrator", "connection.run_as_administrator", _LATER),
    _p(
        "ScriptBlock Command",
        "step.script step.command",
        "without braces; `command` for endpoints that take no script",
    ),
    _p("Session", "step.session", "a busy session is waited for, never refused"),
    _p("SessionName", "step.session_name", _LATER),
    _p("SessionOption", "connection.session_option", "[each option](session-options.md)"),
    _p("SSHConnection", "target.ssh_connections"),
    _p("SSHTransport", "connection.ssh_transport", "`transport: ssh` says the same"),
    _p(
        "StrictMode",
        "step.strict_mode",
        f"{_LIFTED}on hosts too; in the syntax of PowerShell 7, in no release of it",
    ),
    _p("Subsystem", "connection.subsystem"),
    _p(
        "ThrottleLimit",
        "step.throttle",
        f"{_LIFTED}over SSH too; also of targets, groups, credentials, jump hosts and the run",
    ),
    _p("UserName", "connection.user_name"),
    _p("UseSSL", "connection.use_ssl"),
    _p("VMId VMGuid", "target.vm_id", _LATER),
    _p("VMName", "target.vm_name", _LATER),
    _p(
        "ErrorAction",
        "step.error_action",
        "`inquire`, `suspend` and `break` are refused: nobody can be asked",
    ),
    _p("WarningAction", "step.warning_action"),
    _p("InformationAction", "step.information_action"),
    _p("Verbose", "step.verbose"),
    _p("Debug", "step.debug"),
    _p(
        "ErrorVariable WarningVariable InformationVariable OutVariable",
        "step.register",
        "one result with every stream",
    ),
    _p("OutBuffer", "", "no meaning here: output is kept and shown as it comes"),
    _p("PipelineVariable", "", "no meaning here: a step is no part of a pipeline"),
)
"""Every parameter of both references, common ones at the end."""

_SECTIONS = {"target": "Targets", "connection": "Connection settings", "step": "Steps"}

# Invoke-Command's own sets: who -> the parameters that go with it, by key (remoting.md 3.2 of the design, A1).
_WINRM = (
    "authentication certificate_thumbprint configuration_name enable_network_access session_option credential"
)
_SSH = "user_name key_file_path subsystem options connect_timeout"
_OWN: dict[str, tuple[str, str, str]] = {
    "hosts": ("ComputerName", "`hosts` over WinRM", f"{_WINRM} port use_ssl application_name throttle"),
    "connection_uri": ("Uri", "`connection_uri`", f"{_WINRM} allow_redirection throttle"),
    "ssh_connections": ("SSHHost, SSHHostHashParam", "`ssh_connections`, `hosts` over SSH", f"{_SSH} port"),
    "container_id": (
        "ContainerId",
        "`container_id`",
        "configuration_name run_as_administrator throttle",
    ),
    "vm_name": ("VMId, VMName", "`vm_id`, `vm_name`", "credential configuration_name throttle"),
    "local": ("InProcess", "`local: true`, or nobody", ""),
}
# `hosts` say no transport of their own; the set that Invoke-Command has for them is WinRM's.
_OVER_WINRM = parameter_sets.TRANSPORTS["winrm"]
_HERE = {
    **KINDS,
    "hosts": replace(_OVER_WINRM, excluded=_OVER_WINRM.excluded | KINDS["hosts"].excluded),
}
_MATRIX = (
    *("credential", "port", "use_ssl", "application_name", "configuration_name", "authentication"),
    *("certificate_thumbprint", "session_option", "allow_redirection", "enable_network_access"),
    *(
        "user_name",
        "key_file_path",
        "subsystem",
        "options",
        "connect_timeout",
        "throttle",
        "run_as_administrator",
    ),
)

# Keys of a session option -> New-PSSessionOption's parameter, and its default where the schema has none.
_OPTIONS: dict[str, tuple[str, str]] = {
    "maximum_redirection": ("MaximumRedirection", ""),
    "no_compression": ("NoCompression", ""),
    "no_machine_profile": ("NoMachineProfile", ""),
    "culture": ("Culture", "`en-US`"),
    "ui_culture": ("UICulture", "`en-US`"),
    "maximum_received_data_size_per_command": ("MaximumReceivedDataSizePerCommand", "no limit"),
    "maximum_received_object_size": ("MaximumReceivedObjectSize", "200 MiB"),
    "output_buffering_mode": ("OutputBufferingMode", ""),
    "max_connection_retry_count": ("MaxConnectionRetryCount", ""),
    "application_arguments": ("ApplicationArguments", "none"),
    "open_timeout": ("OpenTimeout", "3m"),
    "operation_timeout": ("OperationTimeout", "3m"),
    "cancel_timeout": ("CancelTimeout", "1m"),
    "idle_timeout": ("IdleTimeout", "the host's, mostly 2h"),
    "proxy_access_type": ("ProxyAccessType", ""),
    "proxy_authentication": ("ProxyAuthentication", ""),
    "proxy_credential": ("ProxyCredential", "none"),
    "skip_ca_check": ("SkipCACheck", ""),
    "skip_cn_check": ("SkipCNCheck", ""),
    "skip_revocation_check": ("SkipRevocationCheck", ""),
    "no_encryption": ("NoEncryption", ""),
    "use_utf16": ("UseUTF16", ""),
    "include_port_in_spn": ("IncludePortInSPN", ""),
}
_UNITS = {
    "duration_with_unit": "a duration with its unit: `500ms`, `30s`, `3m`, `12h`",
    "size": "bytes, or with a unit: `50MiB`",
    "flag": "`true` or `false`",
    "text": "a text",
}

_INTRODUCTION = """\
# From Invoke-Command to keys

Names are Invoke-Command's in snake_case. This page goes from each parameter of both references (Windows PowerShell 5.1
and PowerShell 7) to what to write, and says where a limit is lifted, or something is refused, and why."""

_WHO = """\
A step says who runs it, and the parameter set follows from that, as it does there."""

_WHO_ROWS = (
    ("nothing, or `-NoNewScope`", "nothing, or `target: local`", "InProcess", "here"),
    ("`-ComputerName`", "`hosts`, with `transport: winrm`", "ComputerName, FilePathComputerName", "winrm"),
    ("`-ConnectionUri`", "`connection_uri`", "Uri, FilePathUri", "winrm"),
    ("`-Session`", "`session`", "Session, FilePathRunspace", "here"),
    ("`-HostName`", "`hosts`, with `subsystem`", "SSHHost, FilePathSSHHost", "ssh"),
    ("`-SSHConnection`", "`ssh_connections`", "SSHHostHashParam, FilePathSSHHostHash", "ssh"),
    ("`-ContainerId`", "`container_id`", "ContainerId, FilePathContainerId", "container"),
    ("`-VMId`, `-VMName`", "`vm_id`, `vm_name`", "VMId, VMName and their FilePath twins", "vm"),
)

_MATRIX_WORDS = """\
`yes`: goes with it, there and here. **lifted**: goes with it here, and not with Invoke-Command. `-`: neither; a problem
names the parameter set. For `hosts` over SSH the column of SSH counts."""

_SESSION_OPTIONS = """\
# Session options

New-PSSessionOption's parameters. They stand in `session_options` under a name, which targets use, or in
`session_option` of a target itself.

```yaml
session_options:
  overnight: {open_timeout: 30s, idle_timeout: 12h}

targets:
  windows: {hosts: windows, session_option: overnight}
```

Durations carry a unit. A bare number is refused: it is milliseconds in New-PSSessionOption and, cast from a hashtable,
ticks: `@{IdleTimeout=43200000}` of the reference's own example is 4.3 seconds, not twelve hours. A timeout of `0s` is
none.

An option that would not act over a transport is refused there by name
([`option-not-for-transport`](errors/option-not-for-transport.md)). None of them limits a script: that is the step's
`timeout`."""

_REST = """\
Everything else that Invoke-Command's sets exclude is refused here too: [`excluded-key`](errors/excluded-key.md),
[`missing-companion`](errors/missing-companion.md).

## Examples

Each example of the two references, as a playbook that runs against the lab:
[playbooks/invoke-command/](../../playbooks/invoke-command)."""

_PROXIES = """\
`ieconfig`, `winhttpconfig` and `autodetect` name stores of Windows: here they mean the environment's `HTTPS_PROXY`,
`HTTP_PROXY` and `NO_PROXY`. Certificates and proxies: [WinRM](../how-to/winrm.md)."""


def pages() -> dict[str, str]:
    """``invoke-command.md`` and ``session-options.md``."""
    return {"invoke-command.md": _parameters(), "session-options.md": _session_options()}


def parameters_of(section: str, key: str) -> str:
    """Invoke-Command's parameters for a key of a section of the language; empty where it has none."""
    part = {title: name for name, title in _SECTIONS.items()}.get(section, "")
    if section == "Session options" and key in _OPTIONS:
        return f"`New-PSSessionOption -{_OPTIONS[key][0]}`"
    return ", ".join(each.shown for each in PARAMETERS if (key, part) in each.keys)


def _parameters() -> str:
    return page(
        [
            _INTRODUCTION,
            "## Who",
            _WHO,
            table(("Invoke-Command", "here", "parameter set", ""), map(_who_row, _WHO_ROWS)),
            "## Parameters",
            table(("parameter", "key", "what differs"), map(_parameter_row, PARAMETERS)),
            "## What goes with what",
            _MATRIX_WORDS,
            table(("key", *(own[0] for own in _OWN.values())), _matrix()),
            _REST,
        ]
    )


def _who_row(row: tuple[str, str, str, str]) -> tuple[str, str, str, str]:
    *words, transport = row
    later = transport != "here" and transport not in TRANSPORTS
    return words[0], words[1], words[2], _LATER if later else ""


def _parameter_row(parameter: Parameter) -> tuple[str, str, str]:
    keys = ", ".join(_link(key, part) for key, part in parameter.keys)
    return parameter.shown, keys or "none", parameter.differs


def _link(key: str, part: str) -> str:
    return f"[`{key}`](language.md#{anchor(key)}) of a {'step' if part == 'step' else 'target'}"


def _matrix() -> Iterator[tuple[str, ...]]:
    for key in _MATRIX:
        cells = (_cell(key, _HERE[kind], own[2].split()) for kind, own in _OWN.items())
        yield (f"`{key}`", *cells)


def _cell(key: str, here: ParameterSet, there: list[str]) -> str:
    if key in here.excluded:
        return "-"
    return "yes" if key in there else "**lifted**"


def _session_options() -> str:
    definition = schema("playbook")["$defs"]["session_option"]
    fields = fields_of(definition, "playbook")
    if set(fields) != set(_OPTIONS):
        raise ValueError(f"session options without a parameter: {sorted(set(fields) ^ set(_OPTIONS))}")
    rows = (
        (
            f"`{key}`",
            f"`-{_OPTIONS[key][0]}`",
            _unit(definition["properties"][key]),
            _default(key, fields[key][0]),
            ", ".join(_acts(key)),
            str(fields[key][0].get("description", "")),
        )
        for key in fields
    )
    return page(
        [
            _SESSION_OPTIONS,
            table(("key", "New-PSSessionOption", "takes", "default", "acts over", "what it is"), rows),
            _PROXIES,
        ]
    )


def _unit(part: Mapping[str, object]) -> str:
    named = str(part.get("$ref", "")).rpartition("/")[2]
    if named:
        return _UNITS[named]
    if isinstance(words := part.get("enum"), list):
        return ", ".join(dict.fromkeys(f"`{str(word).lower()}`" for word in words))
    return str(part.get("title", ""))


def _default(key: str, part: Mapping[str, object]) -> str:
    if _OPTIONS[key][1]:
        return _OPTIONS[key][1]
    value = part.get("default", "")
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _acts(key: str) -> Iterator[str]:
    for transport in ("winrm", "ssh", "local"):
        acting = ACTING.get(transport)
        if acting is None or key in acting:
            yield transport
