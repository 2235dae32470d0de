"""What a script in a fresh interpreter may count on, over any transport: subclass with a fixture ``connection``."""

from __future__ import annotations

import asyncio
import shutil
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.errors import ExecutionFailed
from runner.shell.fresh import start_fresh
from runner.shell.request import ShellRequest, program_request
from runner.transport.port import Connection, Exit
from runner.using.model import Shell
from tests.contract.recorder import Ran, Recorder, run_command, run_script
from tests.contract.transports import TEN_MEBIBYTES, processes_alive

# One suite for every transport: the same test runs in a class for each, on the connection of its fixture.
_SUITE = (HealthCheck.function_scoped_fixture, HealthCheck.differing_executors)
EXAMPLES = settings(max_examples=40, deadline=None, suppress_health_check=_SUITE)
NAME = "__runner_using_0"
TRACEBACK = b"""Traceback (most recent call last):
  File "<script>", line 4, in <module>
    f()
  File "<script>", line 2, in f
    raise ValueError('x')
ValueError: x
"""

TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60
) | st.sampled_from(
    [
        "",
        "'",
        '"',
        "\n",
        "a\n\n",
        "$(id)",
        "`id`",
        "$HOME",
        "\\",
        "\\n",
        "!x",
        "-n",
        "-e",
        "*",
        "~",
        "\r\n",
        "\x01\x7f",
        "𝄞",
    ]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | TEXT
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    | st.binary(max_size=20)
    | st.decimals(allow_nan=False)
    | st.dates()
    | st.timedeltas()
    | st.datetimes()
    | st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-3, minutes=-30))]))
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


def said(ran: Ran) -> str:
    """Standard output of a run that went well."""
    assert (ran.exit, ran.stderr) == (Exit(code=0), b"")
    return ran.stdout.decode()


class ShellContract:
    """Scripts, values, arguments, environment, directory and standard input."""

    @pytest.fixture(params=["dash", "sh", "bash", "busybox"])
    def posix(self, request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
        """A POSIX shell: what of a request names it."""
        found = shutil.which(request.param)
        if found is None:
            pytest.skip(f"{request.param} is not installed")
        if request.param == "busybox":
            found = str(tmp_path / "sh")
            Path(found).symlink_to(str(shutil.which("busybox")))
        return {"shell": Shell.BASH if request.param == "bash" else Shell.SH, "interpreter": found}

    @EXAMPLES
    @given(value=TEXT)
    async def test_any_text_arrives_in_a_shell(
        self, connection: Connection, posix: dict[str, Any], value: str
    ) -> None:
        """A text arrives byte for byte as a value, an argument and an environment variable."""
        script = f'printf "%s|%s|%s" "${NAME}" "$1" "$E"'
        request = ShellRequest(
            script=script, values={NAME: value}, args=[value], environment={"E": value}, **posix
        )
        ran = await run_script(connection, request)
        assert ran.stdout == "|".join([value] * 3).encode()
        assert (ran.exit, ran.stderr) == (Exit(code=0), b"")

    @EXAMPLES
    @given(items=st.lists(TEXT, max_size=4), pairs=st.dictionaries(TEXT.filter(bool), TEXT, max_size=4))
    async def test_bash_holds_lists_and_mappings(
        self, connection: Connection, items: list[str], pairs: dict[str, str]
    ) -> None:
        """A list is an array and a mapping an associative array, byte for byte."""
        script = 'printf "%s\\0" "${#v[@]}" "${v[@]}";'
        script += ' for k in "${!m[@]}"; do printf "%s\\0%s\\0" "$k" "${m[$k]}"; done'
        request = ShellRequest(shell=Shell.BASH, script=script, values={"v": items, "m": pairs})
        ran = await run_script(connection, request)
        count, *rest = ran.stdout.decode().split("\0")[:-1]
        assert (int(count), rest[: len(items)]) == (len(items), items)
        found = rest[len(items) :]
        assert dict(zip(found[::2], found[1::2], strict=True)) == pairs

    @EXAMPLES
    @given(value=VALUES)
    async def test_python_gets_values_with_their_types(self, connection: Connection, value: Any) -> None:
        """Any value is the same value of the same type in python."""
        request = ShellRequest(
            shell=Shell.PYTHON, script="print(ascii(v))", values={"v": value}, args=[value]
        )
        assert said(await run_script(connection, request)) == ascii(value) + "\n"

    @pytest.mark.parametrize("shell", [Shell.SH, Shell.BASH, Shell.PYTHON])
    async def test_a_mebibyte_arrives(self, connection: Connection, shell: Shell) -> None:
        """A value of 1 MiB with every kind of character arrives, and standard input begins after it."""
        value = ('it\'s "$(x)" `y` \\ \n é𝄞' * 50000)[: 1 << 20]
        script = (
            "import sys\nsys.stdout.write(v + sys.stdin.read())"
            if shell is Shell.PYTHON
            else 'printf %s "$v"; cat'
        )
        ran = await run_script(
            connection, ShellRequest(shell=shell, script=script, values={"v": value}), b"input\n"
        )
        assert ran.stdout == value.encode() + b"input\n"

    @pytest.mark.parametrize("size", [*range(3990, 4030), 4096, 8192, 12288])
    async def test_any_length_meets_its_input(
        self, connection: Connection, posix: dict[str, Any], size: int
    ) -> None:
        """Where the way of reading changes with the length, not a byte of standard input is lost or added."""
        request = ShellRequest(script='echo "${#v}"; cat', values={"v": "x" * size}, **posix)
        assert said(await run_script(connection, request, b"first\nsecond")) == f"{size}\nfirst\nsecond"

    async def test_scalars_in_a_shell(self, connection: Connection, posix: dict[str, Any]) -> None:
        """Null is empty, booleans are words, moments are ISO 8601 UTC, durations are seconds."""
        zone = timezone(timedelta(hours=1))
        values: list[Any] = [
            None,
            True,
            False,
            7,
            1.5,
            Decimal("1.10"),
            datetime(2026, 11, 21, 1, 50, tzinfo=zone),
        ]
        values += [date(2026, 11, 21), timedelta(hours=2), timedelta(milliseconds=1500)]
        ran = await run_script(connection, ShellRequest(script='printf "[%s]" "$@"', args=values, **posix))
        assert said(ran) == "[][true][false][7][1.5][1.10][2026-11-21T00:50:00Z][2026-11-21][7200][1.5]"

    async def test_bytes_in_a_shell(self, connection: Connection, posix: dict[str, Any]) -> None:
        """Bytes without NUL arrive as they are, whatever their encoding."""
        value = bytes(range(1, 256))
        ran = await run_script(
            connection, ShellRequest(script='printf %s "$v"', values={"v": value}, **posix)
        )
        assert ran.stdout == value

    @pytest.mark.parametrize(
        ("code", "fields"),
        [
            ("value-has-nul", {"values": {"v": "a\0b"}}),
            ("value-has-nul", {"args": ["\0"]}),
            ("value-has-nul", {"environment": {"E": "\0"}}),
            ("value-not-unicode", {"values": {"v": "\ud800"}}),
            ("value-type", {"values": {"v": [1]}}),
            ("value-type", {"args": [{"a": 1}]}),
            ("value-type", {"values": {"v": object()}}),
            ("environment-name", {"environment": {"a b": "x"}}),
            ("environment-name", {"environment": {"UID": "0"}}),
            ("working-directory", {"working_directory": ""}),
        ],
    )
    async def test_what_sh_cannot_hold_is_refused(
        self, connection: Connection, code: str, fields: dict[str, Any]
    ) -> None:
        """Refused before anything is sent, with a code, and the error says that nothing ran."""
        with pytest.raises(ExecutionFailed) as caught:
            await start_fresh(connection, ShellRequest(shell=Shell.SH, script=":", **fields), Recorder())
        assert (caught.value.code, caught.value.phase, caught.value.may_have_run) == (code, "send", False)

    async def test_where_a_script_runs(
        self, connection: Connection, posix: dict[str, Any], tmp_path: Path
    ) -> None:
        """The working directory may have any name, a tilde is the home, and a missing one is no script's failure."""
        odd = tmp_path / "it's -a\n$(dir)"
        odd.mkdir()
        assert (
            said(
                await run_script(connection, ShellRequest(script="pwd", working_directory=str(odd), **posix))
            )
            == f"{odd}\n"
        )
        home = await run_script(
            connection, ShellRequest(script='[ "$PWD" = "$HOME" ]', working_directory="~", **posix)
        )
        assert home.exit == Exit(code=0)
        for shell in (posix, {"shell": Shell.PYTHON}):
            recorder = Recorder()
            request = ShellRequest(script="exit(0)", working_directory="/nowhere", **shell)
            process = await start_fresh(connection, request, recorder)
            await process.write_eof()
            with pytest.raises(ExecutionFailed) as caught:
                await process.wait()
            assert (caught.value.code, caught.value.may_have_run) == ("working-directory", False)
            assert bytes(recorder.stdout + recorder.stderr) == b""

    async def test_a_missing_interpreter_is_no_scripts_failure(self, connection: Connection) -> None:
        """A missing interpreter has a code of its own; a script that ends with 127 or 126 keeps its code."""
        with pytest.raises(ExecutionFailed) as caught:
            await run_script(
                connection, ShellRequest(shell=Shell.BASH, script=":", interpreter="/nowhere/bash")
            )
        assert (caught.value.code, caught.value.may_have_run) == ("interpreter-missing", False)
        for code in (126, 127):
            ran = await run_script(connection, ShellRequest(shell=Shell.SH, script=f"exit {code}"))
            assert ran.exit == Exit(code=code)

    async def test_scripts_end_as_they_like(self, connection: Connection, posix: dict[str, Any]) -> None:
        """The exit is the script's: its last command, ``exit``, ``set -e``, a signal, an EXIT trap, a syntax error."""
        for script, ended, stdout in (
            ("", Exit(code=0), b""),
            ("echo a\nfalse", Exit(code=1), b"a\n"),
            ("exit 7", Exit(code=7), b""),
            ("set -e\nfalse\necho no", Exit(code=1), b""),
            ("kill -KILL $$", Exit(signal="KILL"), b""),
            ("trap 'echo bye' EXIT\necho hi\nexit 3", Exit(code=3), b"hi\nbye\n"),
            ("echo a\nif ; then", Exit(code=2), b"a\n"),
            ("echo a # the end", Exit(code=0), b"a\n"),
            ("cat <<E\nx $((1 + 1))\nE", Exit(code=0), b"x 2\n"),
            ("cat <<'E'\nit's\nE\n", Exit(code=0), b"it's\n"),
            ("set -- a b; shift; echo $1 $#", Exit(code=0), b"b 1\n"),
            ("exec echo replaced", Exit(code=0), b"replaced\n"),
        ):
            ran = await run_script(connection, ShellRequest(script=script, **posix))
            assert (ran.exit, ran.stdout) == (ended, stdout), script

    async def test_line_numbers_are_the_authors(self, connection: Connection, posix: dict[str, Any]) -> None:
        """Errors at run time and of syntax name the author's line; so does LINENO where the shell has it."""
        ran = await run_script(
            connection, ShellRequest(script="\n\nnosuch\necho ${LINENO:-4}\n\nif ; then", **posix)
        )
        first, second = ran.stderr.decode().splitlines()[:2]
        assert ran.stdout == b"4\n"
        assert "3: " in first
        assert "6: " in second

    async def test_python_scripts_end_as_they_like(self, connection: Connection) -> None:
        """The exit and the traceback are those of a script in a file, without a frame of ours."""
        for script, ended, stderr in (
            ("", Exit(code=0), b""),
            ("import sys\nsys.exit(4)", Exit(code=4), b""),
            ("raise SystemExit('bad')", Exit(code=1), b"bad\n"),
            ("import os\nos._exit(9)", Exit(code=9), b""),
            ("def f():\n    raise ValueError('x')\n\nf()", Exit(code=1), TRACEBACK),
        ):
            ran = await run_script(connection, ShellRequest(shell=Shell.PYTHON, script=script))
            assert (ran.exit, ran.stderr) == (ended, stderr), script
        broken = await run_script(connection, ShellRequest(shell=Shell.PYTHON, script="a = 1\nb = = 2"))
        assert broken.stderr.startswith(b'  File "<script>", line 2\n    b = = 2\n')

    async def test_python_is_the_main_module(self, connection: Connection) -> None:
        """A script is ``__main__``, has its arguments as text and typed, and pickles what it defines."""
        script = (
            "import sys, pickle\nclass C:\n    pass\nassert type(pickle.loads(pickle.dumps(C()))) is C\n"
            "print(__name__, sys.argv, args, sorted(n for n in globals() if not n.startswith('__')))"
        )
        ran = await run_script(
            connection, ShellRequest(shell=Shell.PYTHON, script=script, args=[1, "b", None])
        )
        assert (
            said(ran) == "__main__ ['script', '1', 'b', ''] [1, 'b', None] ['C', 'args', 'pickle', 'sys']\n"
        )

    async def test_python_speaks_utf_8(self, connection: Connection) -> None:
        """Text is UTF-8 in and out whatever the locale, and bytes that are none pass through."""
        request = ShellRequest(shell=Shell.PYTHON, script="print('é' + input())", environment={"LC_ALL": "C"})
        assert (await run_script(connection, request, b"\xff\xc3\xa9\n")).stdout == b"\xc3\xa9\xff\xc3\xa9\n"

    async def test_output_streams_as_lines(self, connection: Connection) -> None:
        """A line is seen when it is printed, not when the script ends."""
        script = "print('line')\ninput()"
        recorder = Recorder()
        process = await start_fresh(connection, ShellRequest(shell=Shell.PYTHON, script=script), recorder)
        await recorder.until(b"line\n")
        await process.write(b"\n")
        assert await process.wait() == Exit(code=0)

    @pytest.mark.parametrize("shell", [Shell.SH, Shell.BASH, Shell.PYTHON])
    async def test_nothing_of_it_can_be_seen(self, connection: Connection, shell: Shell) -> None:
        """Neither script nor values nor input stand in a process list, an environment or a file of TMPDIR."""
        words = {"values": "4f1d" + "aa" * 8, "args": "4f1d" + "bb" * 8, "script": "4f1d" + "cc" * 8}
        script = (
            "print('ready', flush=True)\ninput() # " if shell is Shell.PYTHON else "echo ready; read x # "
        )
        recorder = Recorder()
        request = ShellRequest(
            shell=shell, script=script + words["script"], values={"v": words["values"]}, args=[words["args"]]
        )
        process = await start_fresh(connection, request, recorder)
        await recorder.until(b"ready\n")
        look = (
            "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep -c '4f1d[a-c]\\{16\\}';"
            ' find "${TMPDIR:-/tmp}" -maxdepth 2 -type f -mmin -2 -size -2048 '
            "-exec grep -l '4f1d[a-c]\\{16\\}' {} + 2>/dev/null"
        )
        seen = await run_command(connection, ["sh"], look.encode())
        await process.write(b"\n")
        assert await process.wait() == Exit(code=0)
        assert seen.stdout == b"0\n"

    async def test_giving_up_while_sending_leaves_nothing(
        self, connection: Connection, tmp_path: Path
    ) -> None:
        """A start that is cancelled before all of the script is sent ends the interpreter that was started."""
        stuck = tmp_path / "stuck"
        stuck.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nsleep 300\n")
        stuck.chmod(0o755)
        request = ShellRequest(shell=Shell.SH, interpreter=str(stuck), script=":" * TEN_MEBIBYTES)
        starting = asyncio.create_task(start_fresh(connection, request, Recorder()))
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            await asyncio.sleep(0.01)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        assert await processes_alive(connection, [int((tmp_path / "pid").read_text())]) == []

    async def test_a_program_with_a_directory(self, connection: Connection) -> None:
        """``program_request`` runs argv without a shell reading it."""
        request = program_request(["printf", "%s|%s", "$(x)", "a b"], working_directory="/usr")
        assert said(await run_script(connection, request)) == "$(x)|a b"
