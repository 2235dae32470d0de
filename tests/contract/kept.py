"""What a script in a kept interpreter may count on, over any transport: subclass with a fixture ``connection``."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from runner.errors import ConnectionLost, ExecutionFailed
from runner.shell.kept import KeptExit, KeptInterpreter
from runner.shell.request import ShellRequest
from runner.transport.port import Connection, Exit
from runner.using.model import Shell
from tests.contract.recorder import Recorder
from tests.contract.shells import TEXT, VALUES
from tests.contract.transports import processes_alive

# One suite for every transport: the same test runs in a class for each, on the connection of its fixture.
_SUITE = (HealthCheck.function_scoped_fixture, HealthCheck.differing_executors)
EXAMPLES = settings(max_examples=30, deadline=None, suppress_health_check=_SUITE)


class Session:
    """A kept interpreter with a short way to run a script in it."""

    def __init__(self, kept: KeptInterpreter, shell: Shell) -> None:
        self.kept = kept
        self.shell = shell

    async def run(self, script: str, stdin: bytes | None = None, **fields: Any) -> tuple[Any, str, str]:
        """Code (or the whole end where it is none), standard output and standard error."""
        recorder = Recorder()
        ended = await self.kept.run(ShellRequest(shell=self.shell, script=script, **fields), recorder, stdin)
        code = ended.exit.code if ended == KeptExit(Exit(code=ended.exit.code)) else ended
        return code, recorder.stdout.decode("utf-8", "backslashreplace"), recorder.stderr.decode()


class KeptContract:
    """What stays, what goes, how steps end and how interpreters do."""

    @pytest.fixture(params=["dash", "bash", "bash-as-sh", "busybox"])
    async def posix(
        self, request: pytest.FixtureRequest, tmp_path: Path, connection: Connection
    ) -> AsyncIterator[Session]:
        """A kept POSIX shell."""
        program = request.param.split("-")[0]
        found = shutil.which(program)
        if found is None:
            pytest.skip(f"{program} is not installed")
        if request.param in ("busybox", "bash-as-sh"):
            (tmp_path / "sh").symlink_to(found)
            found = str(tmp_path / "sh")
        shell = Shell.BASH if request.param == "bash" else Shell.SH
        session = Session(await KeptInterpreter.open(connection, shell, found), shell)
        yield session
        assert await session.kept.close(2.0)

    @pytest.fixture
    async def python(self, connection: Connection) -> AsyncIterator[Session]:
        """A kept Python."""
        session = Session(await KeptInterpreter.open(connection, Shell.PYTHON), Shell.PYTHON)
        yield session
        assert await session.kept.close(2.0)

    async def test_variables_functions_and_directory_stay(self, posix: Session) -> None:
        """The next step finds what this one set."""
        await posix.run("a='it''s'; f() { echo F$1; }; cd /usr")
        assert await posix.run("echo $a; f x; pwd") == (0, "its\nFx\n/usr\n", "")

    async def test_a_steps_own_things_go(self, posix: Session) -> None:
        """Values, arguments, environment, directory and standard input are of one step."""
        await posix.run("cd /; HOMEMADE=before; export E=old")
        step = await posix.run(
            "echo $1 $v $E $NEW; pwd; cat; env | grep -c '^NEW='",
            b"in\n",
            args=["x"],
            values={"v": "y"},
            environment={"E": "e", "NEW": "n"},
            working_directory="/usr",
        )
        assert step == (0, "x y e n\n/usr\nin\n1\n", "")
        assert await posix.run('echo "$#,${v-gone},$E,${NEW-gone}"; pwd; cat') == (
            0,
            "0,gone,old,gone\n/\n",
            "",
        )

    async def test_what_a_step_sets_with_its_own_environment_stays(self, posix: Session) -> None:
        """An environment for the step does not make the script's variables its own."""
        await posix.run("kept=1; other=$E", environment={"E": "e"})
        assert await posix.run("echo $kept $other") == (0, "1 e\n", "")

    async def test_what_must_not_stay_is_put_back(self, posix: Session) -> None:
        """Options, traps, umask and redirections are as they were, and do not show what we run."""
        before = await posix.run("echo $-; umask; trap; echo /proc/$$/fd/*")
        odd = await posix.run(
            "set -u -f -C; umask 077; trap 'echo T' USR1 TERM; exec 3>/dev/null 9>&1 2>/dev/null; IFS=:; echo odd"
        )
        assert odd == (0, "odd\n", "")
        assert (await posix.run("unset IFS"))[0] == 0
        assert await posix.run("echo $-; umask; trap; echo /proc/$$/fd/*") == before
        assert await posix.run("exec >/dev/null 2>&1") == (0, "", "")
        assert await posix.run("exec >&- 2>&- <&-") == (0, "", "")
        assert await posix.run("echo out; echo err >&2") == (0, "out\n", "err\n")
        code, _, trace = await posix.run("set -x; echo traced")
        assert (code, trace.replace("+", "")) == (0, " echo traced\n")
        assert await posix.run("echo quiet") == (0, "quiet\n", "")

    async def test_an_exit_trap_runs_once(self, posix: Session) -> None:
        """An EXIT trap runs at the step's end with the step's code, and not again in a later step."""
        step = await posix.run("trap 'echo \"bye $?\"' EXIT; echo hi; (exit 3)")
        after = await posix.run("echo next; exit 0")
        assert (step[:2], after[1]) == ((3, "hi\nbye 3\n"), "next\n")

    async def test_an_exit_trap_of_many_lines(self, posix: Session) -> None:
        """An EXIT trap with quotes and newlines runs whole, and what it prints is the step's."""
        step = await posix.run("trap 'echo \"it'\\''s\nover\"' EXIT; trap : USR1; echo hi")
        assert step[:2] == (0, "hi\nit's\nover\n")
        assert (await posix.run("trap"))[1] == ""

    async def test_steps_that_do_not_end_the_session(self, posix: Session) -> None:
        """Failures, syntax errors, stray loop words and overridden builtins leave it alive."""
        assert (await posix.run("false"))[0] == 1
        code, out, err = await posix.run("echo a\n\nif ; then")
        assert (code, out) == (2 if posix.shell is Shell.SH else code, "a\n")
        assert code != 0
        assert "3: " in err.splitlines()[0]
        assert (await posix.run("continue; :"))[0] == 0
        assert (await posix.run("break; :"))[0] == 0
        assert (await posix.run("set -e; :"))[0] == 0
        assert await posix.run("false; echo still") == (0, "still\n", "")
        await posix.run(
            "read() { echo bad; }; printf() { echo bad; }; cd() { echo bad; }; umask() { echo bad; }"
        )
        assert await posix.run("echo ok", working_directory="/usr") == (0, "ok\n", "")
        assert await posix.kept.probe(5.0)

    @pytest.mark.parametrize(
        ("script", "ended"),
        [
            ("exit 7", Exit(code=7)),
            ("exec sh -c 'exit 5'", Exit(code=5)),
            ("set -e; false; echo no", Exit(code=1)),
            ("kill -KILL $$", Exit(signal="KILL")),
            ("exit 127", Exit(code=127)),
        ],
    )
    async def test_steps_that_end_the_session(self, posix: Session, script: str, ended: Exit) -> None:
        """The code is the step's, the loss is told, and the next step is refused."""
        code, out, _ = await posix.run(f"echo before; {script}")
        assert (code, out) == (KeptExit(ended, lost=True), "before\n")
        assert posix.kept.lost
        assert not await posix.kept.probe(1.0)
        with pytest.raises(ConnectionLost) as caught:
            await posix.run(":")
        assert (caught.value.code, caught.value.may_have_run) == ("session-lost", False)

    async def test_output_is_whole(self, posix: Session) -> None:
        """A missing newline, words like ours, any byte and much output stay as printed."""
        assert await posix.run("printf 'a'; printf 'b' >&2") == (0, "a", "b")
        assert await posix.run("printf '@@0123456789abcdef@'; printf @ >&2") == (
            0,
            "@@0123456789abcdef@",
            "@",
        )
        assert (await posix.run(r"printf '\377\001\n'"))[1] == "\\xff\x01\n"
        _, out, _ = await posix.run("i=0; while [ $i -lt 20000 ]; do echo @$i; i=$((i+1)); done")
        assert out == "".join(f"@{i}\n" for i in range(20000))
        assert await posix.run("") == (0, "", "")

    async def test_a_background_process_does_not_hang_a_step(
        self, posix: Session, connection: Connection
    ) -> None:
        """A step ends though something it started still holds its output."""
        _, out, _ = await posix.run("sleep 300 & echo $!")
        assert await processes_alive(connection, [int(out)]) == [int(out)]
        assert (await posix.run(f"kill {int(out)}; echo done"))[:2] == (0, "done\n")

    @EXAMPLES
    @given(value=TEXT, text=TEXT)
    async def test_any_text_arrives(self, posix: Session, value: str, text: str) -> None:
        """A value and an argument arrive byte for byte; input is ended by a newline."""
        step = await posix.run(
            'printf "%s|%s|" "$v" "$1"; cat', text.encode(), values={"v": value}, args=[text]
        )
        ended = text if not text or text.endswith("\n") else text + "\n"
        assert step == (0, f"{value}|{text}|{ended}", "")

    async def test_no_line_of_input_loses_a_byte(self, posix: Session) -> None:
        """Whatever a line begins with, a byte beyond ASCII after it arrives (dash takes some for the input's end)."""
        starts = "".join(chr(code) for code in range(33, 127))
        text = "".join(f"{start}\x80\n{start}nd-é\n" for start in starts if start != "j")
        assert await posix.run("cat", text.encode()) == (0, text, "")

    async def test_long_scripts_and_inputs(self, posix: Session) -> None:
        """Where the way of reading changes with the length, nothing is lost."""
        for size in (*range(3950, 4010, 5), 4096, 8192, 300_000):
            step = await posix.run("echo ${#v}; wc -c", b"y" * size + b"\n", values={"v": "x" * size})
            assert (step[0], step[1].split()) == (0, [str(size), str(size + 1)])

    async def test_line_numbers_are_the_authors(self, posix: Session) -> None:
        """Errors and LINENO count from the script's first line in every step, with and without input."""
        for stdin in (None, b"x\n"):
            _, out, err = await posix.run("\n\nnosuch\necho ${LINENO:-4}", stdin)
            assert out == "4\n"
            assert "3: " in err

    async def test_refusals_leave_the_session_alone(self, posix: Session) -> None:
        """What cannot be sent or entered fails the step before it begins, and the session lives on."""
        for code, fields in (
            ("value-has-nul", {"values": {"v": "\0"}}),
            ("input-has-nul", {"stdin": b"\0"}),
            ("working-directory", {"working_directory": "/nowhere"}),
        ):
            with pytest.raises(ExecutionFailed) as caught:
                await posix.run("echo no", **fields)
            assert (caught.value.code, caught.value.may_have_run) == (code, False)
        assert await posix.run("echo $?") == (0, "0\n", "")

    async def test_a_missing_interpreter_is_told(self, connection: Connection) -> None:
        """An interpreter that the host does not have is told as that, at once or with the first step."""

        async def first_step() -> None:
            kept = await KeptInterpreter.open(connection, Shell.BASH, "/nowhere/bash")
            await Session(kept, Shell.BASH).run(":")

        with pytest.raises(ExecutionFailed) as caught:
            await first_step()
        assert (caught.value.code, caught.value.may_have_run) == ("interpreter-missing", False)

    async def test_closing_ends_what_runs(self, posix: Session, connection: Connection) -> None:
        """A step that is given up is ended with its interpreter, which says that it cannot be interrupted."""
        recorder = Recorder()
        request = ShellRequest(shell=posix.shell, script="sleep 300 & echo $$ $! ready; wait")
        running = asyncio.create_task(posix.kept.run(request, recorder))
        await recorder.until(b"ready\n")
        running.cancel()
        assert not await posix.kept.interrupt()
        assert not await posix.kept.probe(0.1)
        assert await posix.kept.close(2.0)
        assert await processes_alive(connection, [int(word) for word in recorder.stdout.split()[:2]]) == []

    async def test_bash_puts_its_own_options_back(self, connection: Connection) -> None:
        """What ``shopt`` and ``set -o`` change, and traps that only bash has, are of one step; arrays stay."""
        session = Session(await KeptInterpreter.open(connection, Shell.BASH), Shell.BASH)
        await session.run("declare -A m=([k]=v); l=(1 2)", environment={"E": "e"})
        before = await session.run("shopt -p; set +o; trap")
        await session.run(
            "shopt -s nullglob extglob; set -o pipefail -o noglob; trap 'echo D' DEBUG ERR RETURN"
        )
        assert await session.run("shopt -p; set +o; trap") == before
        assert await session.run('echo "${m[k]}" "${l[@]}"; echo "${w[@]}"', values={"w": ["a b", "c"]}) == (
            0,
            "v 1 2\na b c\n",
            "",
        )
        assert await session.kept.close(2.0)

    @EXAMPLES
    @given(value=VALUES)
    async def test_python_gets_values_with_their_types(self, python: Session, value: Any) -> None:
        """Any value is the same value of the same type."""
        assert await python.run("print(ascii(v))", values={"v": value}) == (0, ascii(value) + "\n", "")

    async def test_python_keeps_and_puts_back(self, python: Session) -> None:
        """Names and the directory stay; values, arguments, environment, streams, umask and handlers do not."""
        await python.run("import os, sys, signal\na = 1\nos.chdir('/usr')\ndef f():\n    return a")
        step = await python.run(
            "print(f(), v, args, sys.argv, os.environ['E'], os.getcwd(), input())",
            "é\n".encode(),
            values={"v": b"\xff"},
            args=[1],
            environment={"E": "e"},
            working_directory="/",
        )
        assert step == (0, "1 b'\\xff' [1] ['script', '1'] e / é\n", "")
        await python.run(
            "print('last', end='')\nsys.stdout = None\nos.close(2)\nos.umask(0o77)\n"
            "signal.signal(signal.SIGTERM, signal.SIG_IGN)"
        )
        code, out, err = await python.run(
            "print(os.getcwd(), 'v' in globals(), 'E' in os.environ, args, signal.getsignal(signal.SIGTERM).name)\n"
            "print(os.umask(0o22) == 0o77, sys.stdin.read() == '')\nsys.stderr.write('err')"
        )
        assert (code, out, err) == (0, "/usr False False [] SIG_DFL\nFalse True\n", "err")

    async def test_python_steps_that_do_not_end_the_session(self, python: Session) -> None:
        """``sys.exit``, exceptions and syntax errors end the step only, with the exit of a script in a file."""
        assert await python.run("import sys\nsys.exit(3)") == (3, "", "")
        assert await python.run("sys.exit('bad')") == (1, "", "bad\n")
        assert await python.run("sys.exit()") == (0, "", "")
        assert await python.run("print('a', end='')\n\n1/0") == (1, "a", (await python.run("\n\n1/0"))[2])
        assert 'File "<script>", line 3' in (await python.run("\n\n1/0"))[2]
        assert "on_host" not in (await python.run("\n\n1/0"))[2]
        assert (await python.run("a = = 1"))[0] == 1
        assert await python.run("import os\nos._exit(9)") == (KeptExit(Exit(code=9), lost=True), "", "")

    async def test_an_interrupt_keeps_python(self, python: Session, connection: Connection) -> None:
        """An interrupt ends the script and what it waits for; names set before stay, and idle it does nothing."""
        recorder = Recorder()
        script = "kept = 5\nimport subprocess\nprint('ready')\nsubprocess.run(['sleep', '300'])"
        running = asyncio.create_task(
            python.kept.run(ShellRequest(shell=Shell.PYTHON, script=script), recorder)
        )
        await recorder.until(b"ready\n")
        running.cancel()
        assert await python.kept.interrupt()
        assert await python.kept.probe(5.0)
        assert await python.kept.interrupt()
        assert await python.run("print(kept)") == (0, "5\n", "")
