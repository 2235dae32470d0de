"""Reading ``ssh_config`` files as ssh does: first value wins, ``Host``, ``Match``, ``Include``, and where it came from.

asyncssh has a reader of its own, but it neither keeps StrictHostKeyChecking nor says which line gave a value, and it
looks into the home directory of the process. Tests hold this one to ``ssh -G``.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from runner.document.reader import written_path
from runner.transport.ssh_words import canonical_word

_KEYWORD = re.compile(r"\s*([A-Za-z0-9]+)(?:\s*=\s*|\s+|$)")
_RAW = frozenset({"proxycommand", "remotecommand", "localcommand", "knownhostscommand"})
_ACCUMULATE = frozenset({"IdentityFile", "CertificateFile", "SendEnv"})
#: ssh's own limit (READCONF_MAX_DEPTH).
_DEEPEST_INCLUDE = 16


class ConfigError(ValueError):
    """A configuration file cannot be read or understood; the text says which line and what was expected."""


@dataclass(frozen=True, slots=True)
class Value:
    """The arguments of one word, and where they were written (``options`` or ``path:line``)."""

    arguments: tuple[str, ...]
    source: str

    @property
    def text(self) -> str:
        """The arguments as one text."""
        return " ".join(self.arguments)


@dataclass(frozen=True, slots=True)
class Line:
    """One line with something on it: the keyword in lower case and its arguments, quotes taken away."""

    keyword: str
    arguments: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Question:
    """Whom the configuration is asked about; ``user`` is what stands above the configuration, or None."""

    host: str
    user: str | None
    local_user: str


def parse(text: str, path: str) -> list[Line]:
    """The lines of a file.

    Raises:
        ConfigError: a line has open quotes, or a word without a value.

    """
    lines = []
    for number, raw in enumerate(text.splitlines(), 1):
        stripped = raw.strip()
        if stripped and not stripped.startswith("#"):
            lines.append(_parse_line(stripped, f"{path}:{number}"))
    return lines


def _parse_line(text: str, source: str) -> Line:
    match = _KEYWORD.match(text)
    if match is None:
        raise ConfigError(f"{source}: expected a word of ssh_config and its value")
    keyword, rest = match[1].lower(), text[match.end() :].strip()
    if keyword in _RAW:
        arguments = [rest] if rest else []
    else:
        try:
            arguments = shlex.split(rest)
        except ValueError as error:
            raise ConfigError(f"{source}: quotes are not closed") from error
        comment = next((n for n, argument in enumerate(arguments) if argument.startswith("#")), None)
        arguments = arguments[:comment]
    if not arguments:
        raise ConfigError(f"{source}: `{match[1]}` has no value")
    return Line(keyword, tuple(arguments), source)


class ConfigFiles:
    """Reads configuration files once each, for as long as the object lives (a run sees one state of them)."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._lines: dict[Path, list[Line] | None] = {}

    def lines(self, path: Path) -> list[Line] | None:
        """The lines of a file, or None where there is none.

        Raises:
            ConfigError: it is there but cannot be read or understood.

        """
        if path not in self._lines:
            self._lines[path] = self._read(path)
        return self._lines[path]

    @staticmethod
    def _read(path: Path) -> list[Line] | None:
        try:
            return parse(path.read_text(encoding="utf-8", errors="surrogateescape"), str(path))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}") from error

    def included(self, pattern: str, base: Path) -> Iterator[Path]:
        """The files that one pattern of ``Include`` names; relative ones are looked up in ``base``."""
        path = expand_home(pattern, self._home)
        if not path.is_absolute():
            path = base / path
        if any(character in str(path) for character in "*?["):
            yield from sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor))))
        else:
            yield path


def expand_home(text: str, home: Path) -> Path:
    """``~`` and ``~/x`` under ``home``; ``~other/x`` by the user database; everything else as it is."""
    if text == "~" or text.startswith("~/"):
        return home / text[2:]
    return written_path(text)


@dataclass(slots=True)
class _Pass:
    """One walk over the files; values gathered so far are what ``Match`` sees."""

    files: ConfigFiles
    question: Question
    execute: Callable[[str], bool]
    values: dict[str, list[Value]]
    final: bool = False
    wants_final: bool = field(default=False)

    def walk(self, path: Path, base: Path, active: bool = True, depth: int = 0) -> None:
        if depth > _DEEPEST_INCLUDE:
            raise ConfigError(f"{path}: files include each other more than {_DEEPEST_INCLUDE} deep")
        within = active
        for line in self.files.lines(path) or ():
            if line.keyword == "host":
                within = active and host_matches(self.question.host, line.arguments)
            elif line.keyword == "match":
                within = self._match(line, active)
            elif line.keyword == "include":
                for pattern in line.arguments if within else ():
                    for included in self.files.included(pattern, base):
                        self.walk(included, base, within, depth + 1)
            elif within and (word := canonical_word(line.keyword)):
                keep(self.values, word, Value(line.arguments, line.source))

    def _match(self, line: Line, active: bool) -> bool:
        arguments, matched = list(line.arguments), active
        while arguments:
            word = arguments.pop(0).lower()
            negated, word = word.startswith("!"), word.lstrip("!")
            word, equals, inline = word.partition("=")
            if word in {"all", "canonical", "final"}:
                self.wants_final |= word == "final"
                result = word == "all" or self.final
            elif equals or arguments:
                argument = inline or arguments.pop(0)
                result = matched and self._criterion(word, argument, line)
            else:
                raise ConfigError(f"{line.source}: `Match {word}` has no value")
            matched = matched and result is not negated
        return matched

    def _criterion(self, word: str, argument: str, line: Line) -> bool:
        if word == "exec":
            return self.execute(expand_tokens(argument, self._tokens(), line.source))
        seen = {
            "host": first(self.values, "Hostname") or self.question.host,
            "originalhost": self.question.host,
            "user": self.question.user or first(self.values, "User") or self.question.local_user,
            "localuser": self.question.local_user,
            "tagged": first(self.values, "Tag") or "",
        }.get(word)
        if seen is None:
            raise ConfigError(f"{line.source}: `Match {word}` is not supported here")
        return host_matches(seen, tuple(argument.split(",")))

    def _tokens(self) -> Mapping[str, str]:
        host = first(self.values, "Hostname") or self.question.host
        user = self.question.user or first(self.values, "User") or self.question.local_user
        port = first(self.values, "Port") or "22"
        return {"h": host, "n": self.question.host, "p": port, "r": user, "u": self.question.local_user}


def resolve(
    files: ConfigFiles,
    places: Sequence[tuple[Path, Path]],
    question: Question,
    values: Mapping[str, Sequence[Value]],
    execute: Callable[[str], bool],
) -> dict[str, list[Value]]:
    """What the files say for one host, below ``values`` that stand above them.

    ``places`` are files with the folder their relative includes are looked up in, strongest first. ``execute`` runs
    the command of a ``Match exec`` and says whether it ended with 0.

    Raises:
        ConfigError: a file cannot be read or understood.

    """
    walk = _Pass(files, question, execute, {word: list(given) for word, given in values.items()})
    for path, base in places:
        walk.walk(path, base)
    if walk.wants_final:
        walk.final = True
        for path, base in places:
            walk.walk(path, base)
    return walk.values


def keep(values: dict[str, list[Value]], word: str, value: Value) -> None:
    """Add a value under ssh's rule: the first one stands, but keys, certificates and SendEnv gather."""
    held = values.setdefault(word, [])
    if not held or (word in _ACCUMULATE and all(value.arguments != other.arguments for other in held)):
        held.append(value)


def first(values: Mapping[str, Sequence[Value]], word: str) -> str | None:
    """The text of a word's first value."""
    held = values.get(word)
    return held[0].text if held else None


def host_matches(name: str, patterns: Sequence[str]) -> bool:
    """Whether a name matches one of the patterns (``*``, ``?``) and none that begins with ``!``."""
    matched = False
    for pattern in patterns:
        plain = pattern.removeprefix("!").lower().replace("[", "[[]")
        if fnmatchcase(name.lower(), plain):
            if pattern.startswith("!"):
                return False
            matched = True
    return matched


def expand_tokens(text: str, tokens: Mapping[str, str], source: str) -> str:
    """Replace ``%h`` and its kin (ssh_config(5), TOKENS).

    Raises:
        ConfigError: a token is not known here.

    """

    def replace(match: re.Match[str]) -> str:
        if match[1] == "%":
            return "%"
        if match[1] not in tokens:
            raise ConfigError(f"{source}: `%{match[1]}` is not known here")
        return tokens[match[1]]

    return re.sub(r"%(.)", replace, text)
