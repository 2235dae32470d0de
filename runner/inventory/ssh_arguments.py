"""Reads arguments of OpenSSH's ``ssh``, as Ansible's inventories hold them (``ansible_ssh_common_args``)."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field

# ssh(1): options that take a value, and those that stand alone.
_WITH_VALUE = frozenset("BbcDEeFIiJLlmOoPpQRSWw")
# Terminals, forwarding and verbosity of a program that is not run here.
_NO_EFFECT = frozenset("afgGkKMnNqsTtvVxXyY")
_AS_OPTION = {"C": ("Compression", "yes"), "A": ("ForwardAgent", "yes"), "4": ("AddressFamily", "inet"),
              "6": ("AddressFamily", "inet6")}  # fmt: skip
_WORDS = {
    "p": "Port",
    "l": "User",
    "i": "IdentityFile",
    "J": "ProxyJump",
    "c": "Ciphers",
    "m": "MACs",
    "b": "BindAddress",
}
_MULTIPLEXING = frozenset({"controlmaster", "controlpersist", "controlpath"})


SSH_ARGUMENTS = ("ansible_ssh_args", "ansible_ssh_common_args", "ansible_ssh_extra_args")
"""In the order in which Ansible puts them on the command line of ``ssh``, where the first option of a kind counts."""


@dataclass(slots=True)
class SshArguments:
    """What ``ssh`` was told: options by their ``ssh_config`` words, the first of a kind, and what is not known."""

    options: dict[str, str] = field(default_factory=dict)
    destination: str | None = None
    forward_to: str | None = None
    unknown: list[str] = field(default_factory=list)

    def add(self, word: str, value: str) -> None:
        """Take an option unless it was given before; connections are shared here without OpenSSH's multiplexing."""
        if word.lower() not in {known.lower() for known in self.options} | _MULTIPLEXING:
            self.options[word] = value


def parse_ssh_arguments(text: str) -> SshArguments:
    """Read ``-o Word=value``, ``-J host``, ``-p 22``, ``-i file`` and the like.

    A ``ProxyCommand`` that is ``ssh -W %h:%p host`` becomes the ``ProxyJump`` it stands for.

    Raises:
        ValueError: a quote is not closed.

    """
    arguments = _parse(shlex.split(text))
    for word, value in list(arguments.options.items()):
        if word.lower() == "proxycommand" and (jump := _jump_of(value)) is not None:
            del arguments.options[word]
            arguments.options.setdefault("ProxyJump", jump)
    return arguments


def _parse(words: list[str]) -> SshArguments:
    arguments = SshArguments()
    rest = iter(words)
    for word in rest:
        if not word.startswith("-") or word == "-":
            if arguments.destination is None:
                arguments.destination = word
            continue
        _take_flags(word[1:], rest, arguments)
    return arguments


def _take_flags(flags: str, rest: Iterator[str], arguments: SshArguments) -> None:
    """One word after its dash: letters that stand alone, or one letter with its value joined or in the next word."""
    for at, flag in enumerate(flags):
        if flag in _WITH_VALUE:
            value = flags[at + 1 :] or next(rest, "")
            _take_value(flag, value, arguments)
            return
        if flag in _AS_OPTION:
            arguments.add(*_AS_OPTION[flag])
        elif flag not in _NO_EFFECT:
            arguments.unknown.append(f"-{flag}")


def _take_value(flag: str, value: str, arguments: SshArguments) -> None:
    if flag == "o":
        word, _, setting = value.strip().replace("=", " ", 1).partition(" ")
        arguments.add(word, setting.strip())
    elif flag == "W":
        arguments.forward_to = value
    elif flag in _WORDS:
        arguments.add(_WORDS[flag], value)
    else:
        arguments.unknown.append(f"-{flag} {value}")


def _jump_of(command: str) -> str | None:
    """The jump host of ``ssh -W %h:%p [-p port] [user@]host``; None for a command that does more."""
    try:
        words = shlex.split(command)
    except ValueError:
        return None
    if not words or words[0].rpartition("/")[2] != "ssh":
        return None
    inner = _parse(words[1:])
    user, port = inner.options.pop("User", None), inner.options.pop("Port", None)
    if inner.destination is None or inner.forward_to != "%h:%p" or inner.options or inner.unknown:
        return None
    host = inner.destination if user is None or "@" in inner.destination else f"{user}@{inner.destination}"
    return host if port is None else f"{host}:{port}"
