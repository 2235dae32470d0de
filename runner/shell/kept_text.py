"""What is written to a kept sh or bash: lines of shell code, read by a loop in argv and run one after another.

A step is two lines. The first runs the script; the second puts back what a step may not leave behind and tells the
end on both streams. They are two, so that a ``continue`` or ``break`` outside a loop, which ends the first line, does
not take the second with it; and the script cannot read the second, which holds the word that marks its end.

``command eval`` keeps the interpreter alive where the script has a syntax error, takes the environment away again
after it, and, as the redirections are its own, the shell itself undoes what the script did to descriptors 0 to 9.
"""

from __future__ import annotations

import re
import secrets

from runner.shell.posix_text import (
    PRELUDE,
    argument_words,
    assignments,
    directory_word,
    environment_words,
    framed,
    quoted,
)
from runner.shell.refuse import refusal
from runner.shell.request import ShellRequest
from runner.shell.scalars import scalar_bytes

#: The code that says the working directory was refused: no process can end with it.
DIRECTORY_REFUSED = 999

#: Two loops: a ``break`` of the script leaves the inner one only.
LOOP = 'while :; do while IFS= command read -r __runner_r || exit; do eval "$__runner_r"; done; done'

#: The script's standard input but for an ``input_object``, and its descriptors: all its own.
_OWN_STREAMS = b" 3>&1 4>&2 1>&3 2>&4 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-"
_RUN = b'command eval "$__runner_l$__runner_s"' + _OWN_STREAMS
#: With what the end of a here-document may begin.
_FIRST = tuple(bytes([code]) for code in b"EQZXJ_%@+=:,./-" + bytes(range(ord("a"), ord("z") + 1)))
_CODE = b"{ __runner_code=$?;set +x;} >/dev/null 2>&1"

#: Sent once; what a step needs is defined here, so that its lines, which are read a byte at a time, stay short.
#: bash tells its options whole; a plain sh has a fixed set, and pipefail where it knows it. ``__runner_traps`` puts
#: the shell's traps into a variable: ``$(trap)`` shows them, but in dash, whose subshells forget them. There they are
#: written into the pipe of an empty here-document and read from it, which takes no process and no file.
START = (
    PRELUDE
    + b"__runner_umask=$(command umask);"
    + b"__runner_go="
    + quoted(_RUN + b" </dev/null;" + _CODE)
    + b";"
    + b'if [ -n "${BASH_VERSION-}" ];then __runner_quiet="trap - DEBUG ERR RETURN";'
    + b"__runner_as=$BASHOPTS:$SHELLOPTS;__runner_options=$(shopt -p;set +o);"
    + b'__runner_reset=\'[[ $BASHOPTS:$SHELLOPTS == "$__runner_as" ]]||eval "$__runner_options"\';'
    + b"else __runner_quiet=:;__runner_reset='set +abCefmuv';"
    + b'(set +o pipefail)2>/dev/null&&__runner_reset="$__runner_reset +o pipefail";fi;'
    + b"trap : EXIT;case $(trap) in *EXIT*)eval "
    + quoted(b"__runner_traps(){ __runner_t=$(trap);}")
    + b";;*)eval "
    + quoted(
        b"__runner_traps(){ { __runner_t=;command trap >/dev/fd/9;while IFS= command read -r __runner_r;"
        b"do __runner_t=$__runner_t$__runner_r$__runner_n;done <&9;} 9<<E 2>/dev/null\nE\n}"
    )
    + b";;esac;trap - EXIT;"
    + b"__runner_end="
    + quoted(
        b'eval "$__runner_reset";trap - HUP INT QUIT ALRM TERM USR1 USR2 PIPE CHLD;'
        b'command umask "$__runner_umask";set --'
    )
    + b';__runner_status(){ return "${__runner_code:-0}";};'
    # The word comes in two halves, so that a shell that shows what it runs does not show the word.
    + b'__runner_tell(){ command printf %s%s%03d "$1" "$2" "${__runner_code:-0}";'
    + b'command printf %s%s "$1" "$2" >&2;unset -v __runner_code;}\n'
)

_QUIET = b'{ set +ex;eval "$__runner_quiet";} >/dev/null 2>&1;'
#: An EXIT trap runs at the step's end, as at the end of any script; ``trap`` names EXIT first.
_EXIT_TRAP = (
    b'__runner_traps;eval "set -- $__runner_t";trap - EXIT;if [ "${4-}" = EXIT ];then '
    b'__runner_status;eval "$3" </dev/null;fi;'
)
_MAY_TRAP = re.compile(r"\btrap\b|\bsource\b|(?:^|[\s;&|(])\.\s")


def may_trap(script: str) -> bool:
    """Whether a script may set a trap, itself or by what it sources; asking the shell costs a fork."""
    return _MAY_TRAP.search(script) is not None


def step_lines(request: ShellRequest, nonce: bytes, stdin: bytes | None, *, traps: bool) -> bytes:
    """Both lines of a step.

    ``stdin`` None is an empty standard input; a shell's here-document ends every input with a newline. ``traps``
    asks for an EXIT trap to be run at the end.

    Raises:
        ExecutionFailed: something of the request or of ``stdin`` cannot be sent.

    """
    return framed(_script_line(request, stdin)) + framed(_end_line(request, nonce, traps=traps))


def _script_line(request: ShellRequest, stdin: bytes | None) -> bytes:
    environment = environment_words(request.environment, request.shell)
    if environment or stdin is not None:
        source = b" </dev/null;" if stdin is None else _here_document(stdin)
        run = b"eval " + quoted(environment + _RUN + source + _CODE) + b";"
    else:
        run = b'eval "$__runner_go";'
    if request.working_directory is not None:
        entered = b"command cd -- %s >/dev/null 2>&1" % directory_word(request.working_directory)
        run = b"__runner_d=$PWD;if %s;then %s else __runner_code=%d;fi;" % (entered, run, DIRECTORY_REFUSED)
    if request.args:
        run = argument_words(request.args, request.shell) + run
    script = b"__runner_s=" + quoted(scalar_bytes(request.script, "the script")) + b";"
    return assignments(request.values, request.shell) + script + run


def _here_document(stdin: bytes) -> bytes:
    if b"\0" in stdin:
        raise refusal(
            "input-has-nul",
            "`input_object` holds a NUL character, which a kept sh or bash cannot take as standard input",
            "run the step with `target` instead of `session`, or with `shell: python`",
        )
    end = _end_of(stdin)
    newline = b"" if not stdin or stdin.endswith(b"\n") else b"\n"
    return b" <<'" + end + b"'\n" + stdin + newline + end + b"\n"


def _end_of(stdin: bytes) -> bytes:
    """The line that ends a document: dash 0.5.12 loses a byte beyond ASCII after what begins a line as the end does."""
    odd = [] if stdin.isascii() else [line for line in stdin.split(b"\n") if not line.isascii()]
    end = b""
    for first in _FIRST:
        end = first + secrets.token_hex(16).encode()
        if not any(_begins_like(end, line) for line in odd):
            break
    return end


def _begins_like(end: bytes, line: bytes) -> bool:
    """Whether the line has a byte beyond ASCII right after one character or more of ``end``."""
    like = 0
    while like < min(len(end), len(line)) and line[like] == end[like]:
        like += 1
    return 0 < like < len(line) and line[like] >= 0x80


def _end_line(request: ShellRequest, nonce: bytes, *, traps: bool) -> bytes:
    line = _QUIET + (_EXIT_TRAP if traps else b"") + b'eval "$__runner_end";'
    if request.values:
        line += b"unset -v " + b" ".join(name.encode() for name in request.values) + b";"
    if request.working_directory is not None:
        line += b'command cd -- "$__runner_d" >/dev/null 2>&1;'
    half = len(nonce) // 2
    return line + b"__runner_tell %s %s" % (nonce[:half], nonce[half:])
