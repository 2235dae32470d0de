"""PowerShell steps on hosts that are in this process: what reaches them, and what comes of their answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from psrpcore.types import PSCustomObject

from runner.engine.observe import OutputReceived
from runner.engine.result import Status
from runner.execute.run import RunControl
from runner.objects import PSObject
from runner.transport.port import Login
from runner.values import Secret
from tests.support.powershell_host import Call, FakeHost, FakeWinrm
from tests.unit.execute.powershell_running import HEAD, INVENTORY, answering, host, play
from tests.unit.execute.running import Seen, run


async def test_objects_come_typed(tmp_path: Path) -> None:
    """Outputs are the step's output, typed; the step succeeded and says how it reached the host."""
    win = host(scripts={"1..2": answering(1, None, PSCustomObject(Name="spooler"))})
    result = (await play(tmp_path, win, "- {id: a, target: all, script: 1..2}")).result("a", "win")
    assert result.status is Status.OK
    assert result.output == [1, None, {"Name": "spooler"}]
    assert isinstance(result.output[2], PSObject)
    assert (result.transport, result.session, result.exit_code) == ("winrm", None, None)


async def test_throw_fails_with_its_message_and_place(tmp_path: Path) -> None:
    """A terminating error fails the host with PowerShell's own message; the record is among the errors, once."""
    result = (await play(tmp_path, host(), "- {id: a, target: all, script: throw 'bad'}")).result("a", "win")
    assert result.status is Status.FAILED
    assert result.failure is not None
    assert result.failure.code == "powershell-failed"
    assert result.failure.message.startswith("bad")
    assert result.failure.may_have_run
    assert [error.message for error in result.errors] == ["bad"]


async def test_error_records_alone_are_no_failure(tmp_path: Path) -> None:
    """A script that writes errors and goes on is ok; the errors are kept in order and shown live."""

    def script(call: Call) -> None:
        call.error("first")
        call.write("after")
        call.error("second")

    seen = await play(tmp_path, host(scripts={"go": script}), "- {id: a, target: all, script: go}")
    result = seen.result("a", "win")
    assert result.status is Status.OK
    assert [error.message for error in result.errors] == ["first", "second"]
    shown = [(e.stream, e.text) for e in seen.events if isinstance(e, OutputReceived)]
    assert shown == [("error", "first\n"), ("stdout", "after\n"), ("error", "second\n")]


async def test_exit_code_decides_and_session_lives(tmp_path: Path) -> None:
    """`exit 7` fails the step with that code, `exit 0` does not; a session is usable after either."""
    scripts = {"exit 7": lambda call: call.exit(7), "exit 0": lambda call: call.exit(0)}
    seen = await play(
        tmp_path,
        host(scripts=scripts),
        """
- {id: bad, session: warm, script: exit 7, ignore_errors: true}
- {id: good, session: warm, script: exit 0}
- {id: after, session: warm, script: "'x'"}
""",
    )
    bad, good, after = (seen.result(step, "win") for step in ("bad", "good", "after"))
    assert (bad.exit_code, bad.status) == (7, Status.FAILED)
    assert bad.failure is not None
    assert bad.failure.code == "exit-code"
    assert (good.exit_code, good.status) == (0, Status.OK)
    assert after.output == ["x"]
    assert not bad.session_lost


async def test_values_reach_the_script(tmp_path: Path) -> None:
    """Arguments by position and by name, `$Using:` values and input arrive as they are, nulls and lists kept."""
    found: list[Call] = []
    script = "param($a) $Using:x.Tags[0]; $using:X"
    win = host(scripts={script: found.append})
    seen = await play(
        tmp_path,
        win,
        f"""
- id: a
  target: all
  script: '{script}'
  args: [null, [1, 2], text]
  parameters: {{Name: spooler, Force: true}}
  input_object: [{{k: 1}}, two]
  using: {{x: {{Tags: [t]}}}}
""",
    )
    assert seen.result("a", "win").status is Status.OK
    (call,) = found
    assert call.arguments == [None, [1, 2], "text"]
    assert {name: call.named[name] for name in ("Name", "Force")} == {"Name": "spooler", "Force": True}
    assert call.input == [{"k": 1}, "two"]
    assert sorted(map(str, call.named["--%"].values())) == ["t", "{'Tags': ['t']}"]


async def test_value_without_a_form_is_named_and_nothing_is_sent(tmp_path: Path) -> None:
    """A value that PowerShell has no form for fails the host by the variable's name before a pipeline is begun."""
    win = host()
    seen = await play(
        tmp_path,
        win,
        "- {id: a, target: all, script: $Using:big, using: {big: '{{ 2 ** 200 }}'}}",
    )
    failure = seen.result("a", "win").failure
    assert failure is not None
    assert failure.code == "value-not-sendable"
    assert "$Using:big" in failure.message
    assert not win.asked


async def test_old_engine_is_refused_for_using(tmp_path: Path) -> None:
    """An engine older than 5 does not find `$Using:` values, so nothing is run there; without them it is used."""
    win = host(version="4.0")
    seen = await play(
        tmp_path,
        win,
        """
- {id: a, target: all, script: $Using:x, using: {x: 1}}
- {id: b, target: all, script: "'x'", needs: []}
""",
    )
    failure = seen.result("a", "win").failure
    assert failure is not None
    assert failure.code == "using-needs-powershell-5"
    assert seen.result("b", "win").output == ["x"]


async def test_credential_is_a_pscredential(tmp_path: Path) -> None:
    """Members of `$Using:credentials.NAME` are text; the user name is found in any case."""
    found: list[Call] = []
    win = host(scripts={"$Using:credentials.ops.username": found.append})
    playbook = "- {id: a, target: all, script: $Using:credentials.ops.username}"
    text = HEAD.replace("steps:", "credentials: {ops: {username: DOMAIN\\u, password: {env: OPS}}}\nsteps:")
    hosts = {"win": win, "other": FakeHost()}
    seen = await run(
        tmp_path,
        text + f"  {playbook}\n",
        inventory=INVENTORY,
        transports={"winrm": FakeWinrm(hosts)},
        logins={"ops": Login(username="DOMAIN\\u", password=Secret("hunter2!"))},
    )
    assert seen.result("a", "win").status is Status.OK
    assert list(found[0].named["--%"].values()) == ["DOMAIN\\u"]


async def test_settings_go_before_the_script(tmp_path: Path) -> None:
    """In a pool of the step's own the settings are statements before the script and nothing is put back."""
    win = host()
    await play(
        tmp_path,
        win,
        """
- id: a
  target: all
  script: "'x'"
  strict_mode: latest
  error_action: stop
  verbose: true
  environment: {LAB: x y}
  working_directory: /tmp
""",
    )
    assert win.texts() == [
        "Test-Path -LiteralPath /tmp -PathType Container",
        "Set-Location -LiteralPath /tmp",
        "Set-Item -LiteralPath Env:LAB -Value x y",
        "Set-StrictMode -Version Latest",
        "Set-Variable -Name ErrorActionPreference -Value Stop",
        "Set-Variable -Name VerbosePreference -Value Continue",
        "'x'",
    ]


@pytest.mark.parametrize("where", ["target: all", "session: warm"])
async def test_missing_directory_keeps_the_script_from_running(tmp_path: Path, where: str) -> None:
    """A working directory that is not there fails the step, and its script runs nowhere."""
    win = host()
    seen = await play(tmp_path, win, f"- {{id: a, {where}, script: \"'x'\", working_directory: /nope}}")
    failure = seen.result("a", "win").failure
    assert failure is not None
    assert failure.code == "working-directory"
    assert "'x'" not in win.asked


async def test_one_host_failing_leaves_the_others(tmp_path: Path) -> None:
    """A failure is that host's alone."""
    other = host(scripts={"throw 'bad'": answering("fine")})
    seen = await play(tmp_path, host(), "- {id: a, target: both, script: throw 'bad'}", other=other)
    assert seen.result("a", "win").status is Status.FAILED
    assert seen.result("a", "other").output == ["fine"]


async def test_interrupted_run_stops_the_pipeline(tmp_path: Path) -> None:
    """Ctrl-C stops what runs and says that it was ended."""
    control = RunControl()
    seen = Seen(on_output=lambda _: control.request_stop("Ctrl-C"))
    await play(tmp_path, host(), "- {id: a, target: all, script: hang}", seen=seen, control=control)
    result = seen.result("a", "win")
    assert result.status is Status.CANCELLED
    assert result.failure is not None
    assert "was ended on the host" in result.failure.message


async def test_commands_are_sent_without_a_script(tmp_path: Path) -> None:
    """`command` is a pipeline of commands; the common parameters go to each, and no script is sent."""
    found: list[Call] = []
    win = host(scripts={"Get-Thing": found.append, "Sort-Object": found.append})
    await play(
        tmp_path,
        win,
        """
- id: a
  target: all
  command: [{name: Get-Thing, args: [1], parameters: {Name: x}}, {name: Sort-Object}]
  error_action: stop
""",
    )
    assert win.asked == ["Get-Thing 1 -Name x -ErrorAction Stop", "Sort-Object -ErrorAction Stop"]


async def test_native_exit_code_is_read_afterwards(tmp_path: Path) -> None:
    """`native_exit_code` forgets an old code before the script and reads the new one after it."""

    def native(call: Call) -> None:
        call.host.carriers[-1].runspace.last_exit_code = 3

    win = host(scripts={"native": native})
    seen = await play(
        tmp_path,
        win,
        """
- {id: a, session: warm, script: native, native_exit_code: true}
- {id: b, session: warm, script: "'x'", native_exit_code: true}
""",
    )
    assert (seen.result("a", "win").exit_code, seen.result("a", "win").status) == (3, Status.OK)
    assert seen.result("b", "win").exit_code is None


async def test_formatted_objects_are_told(tmp_path: Path) -> None:
    """Drawing instructions are no output; the warning names the command and its line, and the way out."""
    entry = PSCustomObject(ClassId="x")
    entry.PSObject.type_names = ["Microsoft.PowerShell.Commands.Internal.Format.FormatEntryData"]
    text = "Get-Item /\nGet-Item / | Format-Table Name"
    seen = await play(
        tmp_path,
        host(scripts={text + "\n": answering("data", entry)}),
        "- id: a\n  target: all\n  script: |\n    Get-Item /\n    Get-Item / | Format-Table Name",
    )
    result = seen.result("a", "win")
    assert result.output == ["data"]
    (warning,) = result.streams.warnings
    assert "`Format-Table` in line 2" in warning
    assert "Out-String" in warning
