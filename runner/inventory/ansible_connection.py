"""Ansible's connection variables (``ansible_host``, ``ansible_ssh_common_args`` ...) as settings of ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from runner.inventory.model import AnyVariable, Setting, Variable, VaultedVariable
from runner.inventory.ssh_arguments import SSH_ARGUMENTS, SshArguments, parse_ssh_arguments
from runner.inventory.values import is_template, node_like, plain, text_of

Convert = Callable[[str], Any]

_TRANSPORTS = {
    "ssh": "ssh", "smart": "ssh", "paramiko": "ssh", "paramiko_ssh": "ssh", "libssh": "ssh",
    "local": "local", "winrm": "winrm", "psrp": "winrm",
    "docker": "container", "docker_api": "container", "podman": "container", "buildah": "container",
}  # fmt: skip
_SHELLS = {"sh": "sh", "bash": "bash", "powershell": "powershell", "cmd": "powershell"}
_TRUE = {"true", "yes", "on", "1", "t", "y"}
_TEMPLATE_BLANKS = re.compile(r"\{\{\s*(.*?)\s*\}\}")
_JUMP = re.compile(r"(?:ssh://)?(?:(?P<user>.+)@)?(?P<host>\[[^\]]+\]|[^:]+)(?::(?P<port>\d+))?")


@dataclass(frozen=True, slots=True)
class Said:
    """A variable that is there, and how near to the host it was written (greater is nearer)."""

    variable: AnyVariable
    rank: int

    @property
    def text(self) -> str | None:
        """The value as text, None where it has none or is encrypted."""
        return None if isinstance(self.variable, VaultedVariable) else text_of(self.variable.value)


def _short_name(text: str) -> str:
    return text.rpartition(".")[2]  # community.docker.docker is docker


def _transport(text: str) -> str:
    return _TRANSPORTS.get(_short_name(text), text)


def _runtime(text: str) -> str | None:
    name = _short_name(text).removesuffix("_api")
    return name if name in {"docker", "podman"} else None


def _is_true(text: str) -> bool:
    return text.strip().lower() in _TRUE


def _python(text: str) -> str | None:
    return None if text.startswith("auto") else text


def _when_named(shell: str) -> Convert:
    return lambda text: text if PurePosixPath(text).name == shell else None


def _uses_ssl(text: str) -> bool:
    return text.strip().lower() == "https"


def _unchecked_certificate(text: str) -> Any:
    checks = ("skip_ca_check", "skip_cn_check", "skip_revocation_check")
    return dict.fromkeys(checks, True) if text.strip().lower() == "ignore" else None


def _authentication(text: str) -> str | None:
    return {"plaintext": "basic", "ssl": "basic", "ntlm": "negotiate"}.get(text, text) or None


def _host_keys(text: str) -> str:
    return "strict" if _is_true(text) else "off"


# Key of ours, Ansible's names (of those equally near the first counts), and what to make of the text; None keeps it.
_SETTINGS: tuple[tuple[str, tuple[str, ...], Convert | None], ...] = (
    ("address", ("ansible_host", "ansible_ssh_host", "ansible_winrm_host", "ansible_psrp_host"), None),
    ("port", ("ansible_port", "ansible_ssh_port", "ansible_winrm_port", "ansible_psrp_port"), None),
    ("user_name", ("ansible_user", "ansible_ssh_user", "ansible_winrm_user", "ansible_psrp_user"), None),
    ("password", (
        "ansible_password", "ansible_ssh_password", "ansible_ssh_pass", "ansible_winrm_password", "ansible_winrm_pass",
        "ansible_psrp_password",
    ), None),
    ("key_file_path", ("ansible_ssh_private_key_file", "ansible_private_key_file"), None),
    ("passphrase", ("ansible_ssh_private_key_passphrase",), None),
    ("transport", ("ansible_connection",), _transport),
    ("runtime", ("ansible_connection",), _runtime),
    ("shell", ("ansible_shell_type",), _SHELLS.get),
    ("interpreter:python", ("ansible_python_interpreter",), _python),
    ("interpreter:bash", ("ansible_shell_executable",), _when_named("bash")),
    ("interpreter:sh", ("ansible_shell_executable",), None),
    ("connect_timeout", (
        "ansible_ssh_timeout", "ansible_timeout", "ansible_winrm_connection_timeout", "ansible_psrp_connection_timeout",
    ), None),
    ("host_key_checking", (
        "ansible_host_key_checking", "ansible_ssh_host_key_checking", "ansible_paramiko_host_key_checking",
    ), _host_keys),
    ("authentication", ("ansible_winrm_transport", "ansible_psrp_auth"), _authentication),
    ("use_ssl", ("ansible_winrm_scheme", "ansible_psrp_protocol"), _uses_ssl),
    ("application_name", ("ansible_winrm_path", "ansible_psrp_path"), lambda text: text.strip("/") or None),
    ("configuration_name", ("ansible_psrp_configuration_name",), None),
    ("session_option", (
        "ansible_winrm_server_cert_validation", "ansible_psrp_cert_validation",
    ), _unchecked_certificate),
)  # fmt: skip
_BECOME = ("ansible_become", "ansible_become_user", "ansible_become_method")

ANSIBLE_NAMES = frozenset({name for _, names, _ in _SETTINGS for name in names} | {*SSH_ARGUMENTS, *_BECOME})
"""The variables that are understood here."""


def ansible_settings(found: Mapping[str, Said]) -> Iterator[tuple[str, int, Setting]]:
    """Each setting that the variables make: its key, how near it was written, and the setting."""
    for key, names, convert in _SETTINGS:
        said = _nearest(found, names)
        if said is not None:
            yield from _setting(key, said, convert)
    yield from _default_ssl(found)
    yield from _ssh_settings(found)
    yield from _run_as(found)


def _nearest(found: Mapping[str, Said], names: tuple[str, ...]) -> Said | None:
    said = [found[name] for name in names if name in found]
    return max(said, key=lambda one: one.rank) if said else None  # of equals the first


def _setting(key: str, said: Said, convert: Convert | None) -> Iterator[tuple[str, int, Setting]]:
    text = said.text
    if convert is None or text is None or is_template(text):
        if isinstance(said.variable, VaultedVariable) or plain(said.variable.value) is not None:
            yield key, said.rank, said.variable
        return
    value = convert(text)
    if value is not None:
        yield key, said.rank, _made(value, said)


def _made(value: Any, said: Said) -> Setting:
    return Variable(value, said.variable.source, said.variable.span)


def _default_ssl(found: Mapping[str, Said]) -> Iterator[tuple[str, int, Setting]]:
    """Ansible speaks HTTPS to Windows unless the port is 5985 or the scheme says otherwise."""
    connection = found.get("ansible_connection")
    named = ("ansible_winrm_scheme", "ansible_psrp_protocol")
    if (
        connection is None
        or _transport(connection.text or "") != "winrm"
        or any(name in found for name in named)
    ):
        return
    port = _nearest(found, ("ansible_port", "ansible_winrm_port", "ansible_psrp_port"))
    yield "use_ssl", connection.rank, _made(port is None or port.text != "5985", connection)


def _ssh_settings(found: Mapping[str, Said]) -> Iterator[tuple[str, int, Setting]]:
    """``options`` and ``jump``, of all arguments for ssh together."""
    merged = SshArguments()
    nearest: Said | None = None
    for name in SSH_ARGUMENTS:
        said = found.get(name)
        text = said.text if said is not None else None
        if said is None or text is None:
            continue
        nearest = said if nearest is None or said.rank > nearest.rank else nearest
        try:
            arguments = parse_ssh_arguments(_TEMPLATE_BLANKS.sub(r"{{\1}}", text))
        except ValueError:
            continue  # told where the inventory is read
        for word, value in arguments.options.items():
            merged.add(word, value)
    if nearest is None:
        return
    jump = merged.options.pop("ProxyJump", None)
    if jump is not None:
        hops = [] if jump.lower() == "none" else [_hop(hop) for hop in jump.split(",")]
        yield "jump", nearest.rank, _made(node_like(nearest.variable.value, hops), nearest)
    if merged.options:
        yield "options", nearest.rank, _made(node_like(nearest.variable.value, merged.options), nearest)


def _hop(text: str) -> dict[str, Any]:
    match = _JUMP.fullmatch(text.strip())
    if match is None:
        return {"host_name": text.strip()}
    hop: dict[str, Any] = {"host_name": match["host"].strip("[]")}
    if match["port"]:
        hop["port"] = int(match["port"])
    if match["user"]:
        hop["user_name"] = match["user"]
    return hop


def _run_as(found: Mapping[str, Said]) -> Iterator[tuple[str, int, Setting]]:
    """``ansible_become`` asks for another user, which must never be passed over in silence."""
    become = found.get("ansible_become")
    if become is None or not _is_true(become.text or ""):
        return
    user, method = found.get("ansible_become_user"), found.get("ansible_become_method")
    value = {
        "user": (user.text if user else None) or "root",
        "method": (method.text if method else None) or "sudo",
    }
    yield "run_as", become.rank, _made(value, become)
