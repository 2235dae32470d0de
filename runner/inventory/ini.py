"""Ansible's INI inventories, and plain text files with a name a line, which are INI without sections."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from runner.document.nodes import Source
from runner.document.positions import LINE_BREAK
from runner.inventory.builder import GroupDraft, InventoryBuilder
from runner.inventory.literal import parse_literal
from runner.inventory.model import UNGROUPED, AnyVariable, Host
from runner.inventory.names import RANGE_HINT, RangeError, expand, split_port
from runner.inventory.values import VariableMaker, names_secret
from runner.problems import Problems, suggestion
from runner.values import Span

_SECTION = re.compile(r"\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?")
_CHILD = re.compile(r"([^:\]\s]+)\s*(?:#.*)?")
_NEEDS_QUOTING_RULES = re.compile(r"['\"\\#]")
_KINDS = ("hosts", "children", "vars")


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a host line after quotes and escapes are taken away, and where it stands in the line."""

    text: str
    start: int
    end: int


class TokenError(ValueError):
    """A quote is not closed, or a backslash ends the line; ``at`` is its offset in the line."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.at = at


def split_words(line: str) -> list[Token]:
    """Split as a POSIX shell does, ``#`` beginning a comment anywhere outside quotes (Python's ``shlex``, as Ansible).

    Raises:
        TokenError: a quote is not closed.

    """
    if not _NEEDS_QUOTING_RULES.search(line):
        tokens, end = [], 0
        for word in line.split():
            start = line.index(word, end)
            end = start + len(word)
            tokens.append(Token(word, start, end))
        return tokens
    return list(_split_quoted(line))


def _split_quoted(line: str) -> Iterable[Token]:
    at, length = 0, len(line)
    while at < length:
        if line[at].isspace():
            at += 1
            continue
        if line[at] == "#":
            return
        start = at
        text: list[str] = []
        while at < length and not line[at].isspace() and line[at] != "#":
            if line[at] in "'\"":
                part, at = _quoted(line, at)
                text.append(part)
            elif line[at] == "\\":
                if at + 1 == length:
                    raise TokenError("a backslash ends the line", at)
                text.append(line[at + 1])
                at += 2
            else:
                text.append(line[at])
                at += 1
        yield Token("".join(text), start, at)


def _quoted(line: str, start: int) -> tuple[str, int]:
    quote, at = line[start], start + 1
    text: list[str] = []
    while at < len(line):
        if line[at] == quote:
            return "".join(text), at + 1
        if line[at] == "\\" and quote == '"' and line[at + 1 : at + 2] in {'"', "\\"}:
            at += 1
        text.append(line[at])
        at += 1
    raise TokenError(f"the quote `{quote}` is not closed", start)


def read_ini(source: Source, builder: InventoryBuilder, problems: Problems) -> None:
    """Add the hosts and groups of an INI or text inventory.

    Host lines take a range, a port and variables (``web[01:20]:2222 weight=2``); values are read by
    :func:`parse_literal`, both beside hosts and in ``[group:vars]``.
    """
    _Reader(source, builder, problems).read()


class _Reader:
    def __init__(self, source: Source, builder: InventoryBuilder, problems: Problems) -> None:
        self._source = source
        self._builder = builder
        self._problems = problems
        self._make = VariableMaker(source, problems)
        self._group = builder.group(UNGROUPED)
        self._kind = "hosts"
        self._undeclared: dict[str, tuple[str, Span]] = {}
        self._line = 0
        self._offset = 0

    def read(self) -> None:
        handlers = {"hosts": self._host_line, "children": self._child_line, "vars": self._variable_line}
        text = self._source.text
        lines = LINE_BREAK.split(text) if "\r" in text else text.split("\n")
        width = 2 if "\r\n" in text else 1
        for self._line, raw in enumerate(lines, 1):
            line = raw.strip()
            if line and line[0] not in "#;":
                start = raw.index(line[0])
                if line[0] == "[" and self._section(line, start):
                    pass
                else:
                    handlers[self._kind](line, start)
            self._offset += len(raw) + width
        for name, (section, span) in self._undeclared.items():
            self._problems.error(
                "unknown-group",
                f"`[{section}]` names the group `{name}`, which is not declared anywhere",
                span,
                *suggestion(name, self._builder.groups.keys() - self._undeclared.keys()),
                f"write `[{name}]` before its hosts, even where it has none",
            )

    # --- sections ---------------------------------------------------------------------------------------------------

    def _section(self, line: str, start: int) -> bool:
        match = _SECTION.fullmatch(line)
        if match is None:
            if "]" in line and ("]:" in line or not line.endswith("]")):
                return False  # a host line: `[2001:db8::1]:22`, `[a:c].example`
            self._error("ini-syntax", f"`{line}` is no section header", start, len(line), _SECTION_HINT)
            return True
        name, kind = match[1], match[2] or "hosts"
        span = self._span(start, start + len(line))
        if kind not in _KINDS:
            self._problems.error(
                "ini-syntax",
                f"unknown kind of section: `:{kind}`",
                span,
                *suggestion(kind, _KINDS),
                _SECTION_HINT,
            )
            kind = "vars" if kind.startswith("var") else "hosts"
        known = name in self._builder.groups
        self._group = self._builder.group(name, span)
        self._kind = kind
        if kind == "vars" and not known:
            self._undeclared[name] = (f"{name}:vars", span)
        elif kind != "vars":
            self._undeclared.pop(name, None)
        return True

    def _child_line(self, line: str, start: int) -> None:
        match = _CHILD.fullmatch(line)
        if match is None:
            self._error(
                "ini-syntax", f"expected the name of a group, got `{line}`", start, len(line),
                f"`[{self._group.name}:children]` holds names of groups, one a line",
            )  # fmt: skip
            return
        child = match[1]
        span = self._span(start, start + len(child))
        if child not in self._builder.groups:
            self._undeclared[child] = (f"{self._group.name}:children", span)
        self._builder.group(child, span)
        self._group.children.setdefault(child, span)

    def _variable_line(self, line: str, start: int) -> None:
        name, equals, value = line.partition("=")
        name = name.rstrip()
        if not equals or not name:
            self._error(
                "ini-syntax", f"expected `name=value`, got `{line}`", start, len(line),
                f"`[{self._group.name}:vars]` holds variables, one a line",
            )  # fmt: skip
            return
        value_start = start + line.index("=") + 1 + len(value) - len(value.lstrip())
        owner = f"group `{self._group.name}`"
        self._group.vars[name] = self._variable(name, value.strip(), owner, value_start, start + len(line))

    # --- hosts ------------------------------------------------------------------------------------------------------

    def _host_line(self, line: str, start: int) -> None:
        try:
            tokens = split_words(line)
        except TokenError as error:
            self._error(
                "ini-syntax",
                str(error),
                start + error.at,
                len(line) - error.at,
                "close the quote on the same line",
            )
            return
        if not tokens:
            return
        spec, port = split_port(tokens[0].text)
        span = self._span(start + tokens[0].start, start + tokens[0].end)
        if spec.endswith(":") and spec.count(":") == 1:
            self._problems.error(
                "ini-syntax", f"`{spec}` ends in a colon and no port follows", span,
                "write the port, or leave the colon out; a YAML inventory needs the ending `.yml`",
            )  # fmt: skip
            return
        try:
            names = expand(spec)
        except RangeError as error:
            self._problems.error("host-range", str(error), span, RANGE_HINT)
            return
        hosts = self._hosts(names, span, self._group)
        if port is not None:
            for host in hosts:
                host.vars["ansible_port"] = self._make.from_plain(
                    "ansible_port", port, f"host `{host.name}`", span
                )
        for token in tokens[1:]:
            if not self._host_variable(token, hosts, start):
                return  # the rest of the line is probably prose, and one mistake is told once

    def _hosts(self, names: Iterable[str], span: Span, group: GroupDraft) -> list[Host]:
        hosts = [self._builder.host(name, span) for name in names]
        for host in hosts:
            group.hosts[host.name] = None
        return hosts

    def _host_variable(self, token: Token, hosts: list[Host], start: int) -> bool:
        """Give the hosts a variable; False where the token is none."""
        name, equals, value = token.text.partition("=")
        if not equals or not name:
            self._error(
                "ini-syntax", f"expected `name=value` after the host, got `{token.text}`",
                start + token.start, token.end - token.start,
                "write one host a line, variables after it as `name=value`",
                "quote a value that has blanks: `name='a b'`",
            )  # fmt: skip
            return False
        begin = start + token.start + len(name) + 1
        for host in hosts:
            host.vars[name] = self._variable(name, value, f"host `{host.name}`", begin, start + token.end)
        return True

    # --- places -----------------------------------------------------------------------------------------------------

    def _variable(self, name: str, text: str, owner: str, start: int, end: int) -> AnyVariable:
        span = self._span(start, end)
        value = parse_literal(text)
        if names_secret(name) and not isinstance(value, str):
            value = text  # a password of digits stays as written
        return self._make.from_plain(name, value, owner, span, self._offset + start)

    def _span(self, start: int, end: int) -> Span:
        return Span(self._source.path, self._line, start + 1, self._line, end + 1)

    def _error(self, code: str, message: str, start: int, length: int, *hints: str) -> None:
        self._problems.error(code, message, self._span(start, start + length), *hints)


_SECTION_HINT = "write `[group]`, `[group:children]` or `[group:vars]`, without blanks"
