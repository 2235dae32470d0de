"""What is sent to be executed, and how the pid of the remote process group is learnt.

sshd gives an argv to the user's login shell as one text, and tells nobody the pid. The pid is needed to stop a
process with all it started: ssh's own ``signal`` request does nothing for root and under ForceCommand, and is never
confirmed. So the command says its pid as the first line of its output, which is taken out again on this side.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_SAFE = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
_SHELLS = frozenset({"sh", "bash", "dash", "ksh", "zsh", "/bin/sh", "/bin/bash"})
_SAY_PID = "echo :runner-pid:$$:;"
_PID_LINE = re.compile(rb":runner-pid:(\d+):\n")
#: More than a login shell's start-up files print before the command: the command is not ours then (ForceCommand).
_LONGEST_WELCOME = 65536

#: Signals a process group (``$1`` a signal's name or ``look``, ``$2`` its number) and says what is left of it. Dead
#: processes that nobody has fetched yet do not count. Runs in dash, busybox, bash and ksh; without /proc it asks ps.
_GROUP_SCRIPT = """\
[ "$1" = look ] || kill -s "$1" -- "-$2" 2>/dev/null || kill -s "$1" "$2" 2>/dev/null
if [ -r /proc/self/stat ]; then
  for f in /proc/[0-9]*/stat; do
    { read -r l < "$f"; } 2>/dev/null || continue
    set -- "$1" "$2" ${l##*\\) }
    [ "$5" = "$2" ] && [ "$3" != Z ] && [ "$3" != X ] && exec echo :runner-group:left:
  done
  echo :runner-group:gone:
else
  ps -A -o pgid= -o stat= | { while read -r g s; do
    case $g/$s in "$2"/Z*) ;; "$2"/*) exec echo :runner-group:left: ;; esac
  done; echo :runner-group:gone:; }
fi
"""


def quote(text: str) -> str:
    r"""The text as one word for sh and its kin, fish and csh.

    Inside single quotes fish alone takes a backslash for an escape, so backslashes and quotes stand outside of them.

    >>> print(quote("it's"))
    'it'\''s'
    """
    if _SAFE.fullmatch(text):
        return text
    return "'" + re.sub(r"['\\]", r"'\\\g<0>'", text) + "'"


def remote_command(command: Sequence[str]) -> str:
    """The text for ``exec``: ``command`` in place of the login shell, saying its pid first.

    A ``sh -c`` says it itself, which costs nothing; any other program is started by a ``sh`` that does.
    """
    if len(command) > 2 and command[0] in _SHELLS and command[1] == "-c":
        command = [*command[:2], _SAY_PID + command[2], *command[3:]]
    else:
        command = ["sh", "-c", _SAY_PID + 'exec "$@"', "sh", *command]
    return "exec " + " ".join(map(quote, command))


def group_command(signal: str, group: int) -> str:
    """The text that signals a process group, or only looks (``look``), and prints what :func:`group_left` reads."""
    return "exec " + " ".join(map(quote, ("sh", "-c", _GROUP_SCRIPT, "sh", signal, str(group))))


def group_left(output: bytes) -> bool | None:
    """Whether something of the group is left; None where the host did not say."""
    if b":runner-group:left:" in output:
        return True
    return False if b":runner-group:gone:" in output else None


class Preamble:
    """Takes the pid line, and what the login shell's start-up files printed before it, out of the output."""

    def __init__(self) -> None:
        self._held: bytearray | None = bytearray()
        self.pid: int | None = None

    @property
    def held(self) -> bool:
        """Whether the pid line is still awaited, and output held back for it."""
        return self._held is not None

    def feed(self, data: bytes) -> bytes:
        """The part of ``data`` that is the command's own output."""
        if self._held is None:
            return data
        self._held += data
        match = _PID_LINE.search(self._held)
        if match is not None:
            self.pid = int(match[1])
            return self._release(match.end())
        return self._release(0) if len(self._held) > _LONGEST_WELCOME else b""

    def end(self) -> bytes:
        """What was held back to the end: without a pid line all of it is output."""
        return self._release(0) if self._held is not None else b""

    def _release(self, start: int) -> bytes:
        held, self._held = self._held, None
        return bytes(held[start:]) if held else b""
