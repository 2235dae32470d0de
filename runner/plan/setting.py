"""A connection setting, and all of them for one host: what an endpoint is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.document.nodes import Mapping as MappingNode
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
    """One connection setting: a rendered value and where it was written; ``written`` is the mapping of one that is."""

    value: Any
    span: Span
    written: MappingNode | None = None

    def at(self, key: str) -> Span:
        """Where what is wrong with a value of the mapping is shown: at the value, else the whole setting."""
        node = self.written.get(key) if self.written is not None else None
        return self.span if node is None else node.span

    def at_key(self, key: str) -> Span:
        """Where a key of the mapping stands, else the whole setting."""
        found = self.written.entries.get(key) if self.written is not None else None
        return self.span if found is None else found[0].span

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

    def option_span(self, *options: str) -> Span:
        """Where the first of these session options that is there stands, else ``session_option``, else the host.

        Options under a name may be right for other targets: the place is where the name is used.
        """
        setting = self.settings.get("session_option")
        if setting is None:
            return self.host.span
        if setting.written is None or setting.written.span != setting.span:
            return setting.span
        return next(
            (setting.at_key(option) for option in options if option in setting.written.entries), setting.span
        )

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
