"""Requests for sh and bash as one line of shell code, which the interpreter reads from standard input.

Everything is data in single quotes, where a shell changes nothing; a newline becomes a reference to the variable
``__runner_n``, so the line has none. A bootstrap in argv can then be the same few words for every script, and the
interpreter reads exactly this line with ``read``: what follows on standard input is the script's own.

``read`` costs a system call a byte on a pipe, so a long line goes through ``dd`` in whole blocks instead. Measured
on Linux with dash and bash: reading costs 0.3 ms a KiB, starting dd 1 ms once, which meet at about 4 KiB.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from runner.shell.refuse import encoded, refusal
from runner.shell.scalars import scalar_bytes
from runner.using.model import Shell

#: Always the first words of a payload: a newline, cut out of the default IFS (blank, tab, newline), and busybox's
#: count of lines, which starts at 0 where all others start at 1.
PRELUDE = b"__runner_n=${IFS#??};__runner_l=;case ${LINENO-} in 0)__runner_l=$__runner_n;;esac;"

BLOCK = 4096

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: Variables that bash keeps read-only: setting one would end the shell in POSIX mode.
_READ_ONLY = frozenset({"BASHOPTS", "BASH_VERSINFO", "EUID", "PPID", "SHELLOPTS", "UID"})


def quoted(data: bytes) -> bytes:
    r"""``data`` as one word of shell code without a newline; needs ``__runner_n``.

    >>> print(quoted(b"it's").decode())
    'it'\''s'
    """
    return b"'" + data.replace(b"'", b"'\\''").replace(b"\n", b"'\"$__runner_n\"'") + b"'"


def script_word(script: str) -> bytes:
    """The author's script as one word for ``eval``.

    Raises:
        ExecutionFailed: it holds a NUL or half of a surrogate pair.

    """
    return b'"$__runner_l"' + quoted(scalar_bytes(script, "the script"))


def argument_words(args: Sequence[Any], shell: Shell) -> bytes:
    """The command that sets ``$1 ...``.

    Raises:
        ExecutionFailed: an argument is no scalar or cannot be held.

    """
    words = [quoted(scalar_bytes(arg, f"`args[{n}]`", holder=shell)) for n, arg in enumerate(args)]
    return b" ".join([b"set --", *words]) + b";"


def assignments(values: Mapping[str, Any], shell: Shell) -> bytes:
    """Commands that set the variables of ``$Using:``; in bash a list is an array, a mapping an associative array.

    Raises:
        ExecutionFailed: a value is of a type that the shell cannot hold, or holds what it cannot.

    """
    return b"".join(_assignment(name, value, shell) for name, value in values.items())


def _assignment(name: str, value: Any, shell: Shell) -> bytes:
    what = "the value of a `$Using:` expression"
    variable = name.encode()
    if shell is Shell.BASH and isinstance(value, list | tuple):
        words = [
            quoted(scalar_bytes(item, f"{what} (`[{n}]`)", holder=shell)) for n, item in enumerate(value)
        ]
        return b"unset -v %s;%s=(%s);" % (variable, variable, b" ".join(words))
    if shell is Shell.BASH and isinstance(value, Mapping):
        pairs = [_pair(key, item, what) for key, item in value.items()]
        return b"unset -v %s;declare -A %s=(%s);" % (variable, variable, b" ".join(pairs))
    return variable + b"=" + quoted(scalar_bytes(value, what, holder=shell)) + b";"


def _pair(key: Any, item: Any, what: str) -> bytes:
    name = scalar_bytes(key, f"a key of {what}", holder="bash")
    if not name:
        raise refusal("value-type", f"{what} has an empty key, which no associative array of bash can hold")
    return b"[%s]=%s" % (quoted(name), quoted(scalar_bytes(item, f"{what} (a member)", holder="bash")))


def environment_words(environment: Mapping[str, str], shell: Shell) -> bytes:
    """``NAME='value' ...`` for the environment, with a blank after each.

    Raises:
        ExecutionFailed: a name is none or read-only (``environment-name``), or a value cannot be held.

    """
    return b"".join(
        environment_name(name).encode()
        + b"="
        + quoted(scalar_bytes(value, f"`environment.{name}`", holder=shell))
        + b" "
        for name, value in environment.items()
    )


def environment_name(name: str) -> str:
    """``name`` when a shell can export it.

    Raises:
        ExecutionFailed: it is not made of letters, digits and ``_``, or bash keeps it read-only.

    """
    if not _NAME.fullmatch(name):
        raise refusal(
            "environment-name",
            f"`{name}` is no name of an environment variable",
            "write letters, digits and `_`, not beginning with a digit",
        )
    if name in _READ_ONLY:
        raise refusal(
            "environment-name", f"`{name}` is read-only in the shell and cannot be set by `environment`"
        )
    return name


def directory_word(path: str) -> bytes:
    """A directory as one word for ``cd --``; ``~`` is ``$HOME``, and neither ``-`` nor CDPATH has a meaning.

    Raises:
        ExecutionFailed: it is empty, or cannot be written.

    """
    data = scalar_bytes(path, "`working_directory`")
    if not data:
        raise refusal(
            "working-directory", "`working_directory` is empty", "leave it out to begin where the login does"
        )
    if data == b"~" or data.startswith(b"~/"):
        return b'"$HOME"' + quoted(data[1:])
    return quoted(data if data.startswith(b"/") else b"./" + data)


def framed(line: bytes) -> bytes:
    """``line`` as what is written to standard input: itself, or where it is long a line that reads it in blocks."""
    if len(line) < BLOCK:
        return line + b"\n"
    blocks = -(-len(line) // BLOCK)
    header = (
        b"__runner_r=$(command dd bs=%d count=%d iflag=fullblock 2>/dev/null);"
        b'eval "${__runner_r:?long scripts need a dd that knows iflag=fullblock}"\n'
    ) % (BLOCK, blocks)
    return header + line.ljust(blocks * BLOCK, b"\n")


def checked_program(program: str) -> str:
    """An interpreter's name or path as it may stand in argv.

    Raises:
        ExecutionFailed: it is empty or cannot be written.

    """
    if not program or b"\0" in encoded(program, "`interpreter`"):
        raise refusal("interpreter-missing", "`interpreter` must be the name or path of a program")
    return program
