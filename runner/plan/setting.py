"""A connection setting, and all of them for one host: what an endpoint is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.document.reader import written_path
from runner.plan.hosts import LOCALHOST, NamedHost
from runner.using.model import Shell
from runner.values import Span

_WINRM_KEYS = frozenset(
    {
        *("authentication", "use_ssl", "configuration_name", "application_name", "certificate_thumbprint"),
        *("allow_redirection", "enable_network_access", "trusted_hosts"),
    }
)


@dataclass(frozen=True, slots=True)
class Setting:
    """One connection setting: a rendered value and where it was written."""

    value: Any
    span: Span

    def path(self, text: str) -> str:
        """A path in this setting as the author meant it: ``~`` expanded, relative to the file it is written in."""
        path = written_path(text)
        return str(path if path.is_absolute() else Path(self.span.path).parent / path)


@dataclass(frozen=True, slots=True)
class Reach:
    """What is known of reaching one host, before it is an endpoint."""

    host: NamedHost
    settings: Mapping[str, Setting]

    def text(self, key: str) -> str | None:
        """A setting as text."""
        setting = self.settings.get(key)
        return None if setting is None or setting.value is None else str(setting.value)

    def word(self, key: str) -> str | None:
        """A setting as a word of an enumeration: in lower case."""
        text = self.text(key)
        return None if text is None else text.strip().lower()

    def flag(self, key: str) -> bool:
        """A setting that is on; what a template gives as text counts too."""
        return self.word(key) == "true"

    def path(self, key: str) -> str | None:
        """A path as the author meant it: ``~`` expanded, relative to the file it is written in."""
        setting = self.settings.get(key)
        return None if setting is None or setting.value is None else setting.path(str(setting.value))

    def span(self, *keys: str) -> Span:
        """Where the first of these settings stands that is there, else the host's name."""
        return next((self.settings[key].span for key in keys if key in self.settings), self.host.span)

    @property
    def transport(self) -> str:
        """Said, or told by the other settings: ``localhost`` is local, WinRM's keys mean WinRM, else SSH."""
        said = self.word("transport")
        if said is not None:
            return said
        if self.host.name == LOCALHOST and not self.settings:
            return "local"
        if "ssh_transport" in self.settings:
            return "ssh"
        return "winrm" if _WINRM_KEYS & set(self.settings) else "ssh"

    @property
    def shell(self) -> Shell | None:
        """What the settings say; None where they say nothing."""
        said = self.word("shell")
        return next((shell for shell in Shell if shell.value == said), None)

    @property
    def default_shell(self) -> Shell:
        """Where nothing says: PowerShell for WinRM, VMs and PowerShell's subsystem, else sh (language.md, "Bodies")."""
        speaks = self.transport in {"winrm", "vm"} or (self.transport == "ssh" and self.subsystem is not None)
        return Shell.POWERSHELL if speaks else Shell.SH

    @property
    def subsystem(self) -> str | None:
        """The SSH subsystem: ``configuration_name`` means it there (Invoke-Command, -ConfigurationName)."""
        return self.text("subsystem") or self.text("configuration_name")
