"""Ansible's connection variables (``ansible_host``, ``ansible_ssh_common_args`` ...) as settings of ours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from runner.inventory.ansible_said import Convert, Found, Said, is_true, made, nearest, setting
from runner.inventory.ansible_windows import PLUGINS, WINDOWS_NAMES, windows_settings
from runner.inventory.ssh_arguments import SSH_ARGUMENTS, SshArguments, parse_ssh_arguments
from runner.inventory.values import node_like

_TRANSPORTS = {
    "ssh": "ssh", "smart": "ssh", "paramiko": "ssh", "paramiko_ssh": "ssh", "libssh": "ssh",
    "local": "local", "winrm": "winrm", "psrp": "winrm",
    "docker": "container", "docker_api": "container", "podman": "container", "buildah": "container",
}  # fmt: skip
_SHELLS = {"sh": "sh", "bash": "bash", "powershell": "powershell", "cmd": "powershell"}
_TEMPLATE_BLANKS = re.compile(r"\{\{\s*(.*?)\s*\}\}")
_JUMP = re.compile(r"(?:ssh://)?(?:(?P<user>.+)@)?(?P<host>\[[^\]]+\]|[^:]+)(?::(?P<port>\d+))?")


def _short_name(text: str) -> str:
    return text.rpartition(".")[2]  # community.docker.docker is docker


def _transport(text: str) -> str:
    return _TRANSPORTS.get(_short_name(text), text)


def _runtime(text: str) -> str | None:
    name = _short_name(text).removesuffix("_api")
    return name if name in {"docker", "podman"} else None


def _python(text: str) -> str | None:
    return None if text.startswith("auto") else text


def _when_named(shell: str) -> Convert:
    return lambda text: text if PurePosixPath(text).name == shell else None


def _host_keys(text: str) -> str:
    return "strict" if is_true(text) else "off"


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
)  # fmt: skip
_BECOME = ("ansible_become", "ansible_become_user", "ansible_become_method")

ANSIBLE_NAMES = frozenset(
    {name for _, names, _ in _SETTINGS for name in names} | {*SSH_ARGUMENTS, *_BECOME, *WINDOWS_NAMES}
)
"""The variables that are understood here."""


def ansible_settings(found: Mapping[str, Said], native: tuple[int, str] | None = None) -> Iterator[Found]:
    """Each setting that the variables make: its key, how near it was written, and the setting.

    ``native`` is the transport that ``connection:`` says, and how near. The variables of a connection plugin count
    where the host is reached by it, as in Ansible: ``ansible_winrm_transport`` for all hosts is nothing to a host that
    is reached over SSH.
    """
    said = found.get("ansible_connection")
    plugin = _short_name(said.text or "") if said is not None else "ssh"
    if native is not None and (said is None or native[0] >= said.rank):
        plugin = native[1]
    windows = _TRANSPORTS.get(plugin) == "winrm"
    plugins = PLUGINS if said is None or plugin not in PLUGINS else (plugin,)
    others = tuple(f"ansible_{name}_" for name in PLUGINS if not windows or name not in plugins)
    found = {name: one for name, one in found.items() if not name.startswith(others)}
    for key, names, convert in _SETTINGS:
        one = nearest(found, names)
        if one is not None:
            yield from setting(key, one, convert)
    if windows:
        yield from windows_settings(found)
    yield from _ssh_settings(found)
    yield from _run_as(found)


def _ssh_settings(found: Mapping[str, Said]) -> Iterator[Found]:
    """``options`` and ``jump``, of all arguments for ssh together."""
    merged = SshArguments()
    closest: Said | None = None
    for name in SSH_ARGUMENTS:
        said = found.get(name)
        text = said.text if said is not None else None
        if said is None or text is None:
            continue
        closest = said if closest is None or said.rank > closest.rank else closest
        try:
            arguments = parse_ssh_arguments(_TEMPLATE_BLANKS.sub(r"{{\1}}", text))
        except ValueError:
            continue  # told where the inventory is read
        for word, value in arguments.options.items():
            merged.add(word, value)
    if closest is None:
        return
    jump = merged.options.pop("ProxyJump", None)
    if jump is not None:
        hops = [] if jump.lower() == "none" else [_hop(hop) for hop in jump.split(",")]
        yield "jump", closest.rank, made(node_like(closest.variable.value, hops), closest)
    if merged.options:
        yield "options", closest.rank, made(node_like(closest.variable.value, merged.options), closest)


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


def _run_as(found: Mapping[str, Said]) -> Iterator[Found]:
    """``ansible_become`` asks for another user, which must never be passed over in silence."""
    become = found.get("ansible_become")
    if become is None or not is_true(become.text or ""):
        return
    user, method = found.get("ansible_become_user"), found.get("ansible_become_method")
    value = {
        "user": (user.text if user else None) or "root",
        "method": (method.text if method else None) or "sudo",
    }
    yield "run_as", become.rank, made(value, become)
