"""PowerShell steps from a playbook to the engine and back: over a child process, an SSH subsystem and WinRM.

Each request was recorded with a real engine; where there is one it answers itself, else the replay of its answers.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.site import Finished, Site
from tests.support import openssh
from tests.support.engines import engine_command, engine_program, real_engine, subsystem
from tests.support.openssh import OpenSsh
from tests.support.winrm_lab import USER, child, front_end

PASSWORD = "Winter 2026!"

pytestmark = [pytest.mark.pwsh, pytest.mark.sshd]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenSsh]:
    """An sshd with the subsystem `powershell`."""
    folder = tmp_path_factory.mktemp("sshd")
    engine = folder / "pwsh"
    engine.write_text("")
    with openssh.running(folder, extra=subsystem(engine_command())) as running:
        yield running


@pytest.fixture(params=["local", "ssh", "winrm"])
async def site(
    request: pytest.FixtureRequest, tmp_path: Path, server: OpenSsh, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Site]:
    """A site with one host `win`, reached as the parameter says; `all` and the session `warm` are there."""
    empty = Site(tmp_path / "site", server)
    connections: dict[str, dict[str, Any]] = {
        "local": {"transport": "local", "interpreter": engine_program(tmp_path)},
        "ssh": {"transport": "ssh", "user_name": server.user, "port": server.port},
    }
    if request.param == "winrm":
        empty.environment["WIN_PASSWORD"] = PASSWORD
        users = tmp_path / "ntlm"  # the lab's acceptor reads NTLM's passwords from it
        users.write_text(f"LAB:{USER}:{PASSWORD}\n:{USER}:{PASSWORD}\n")
        monkeypatch.setenv("NTLM_USER_FILE", str(users))
        async with front_end(engine=child(empty.home)) as front:
            connection = {"transport": "winrm", "port": front.port, "credential": "win", "trusted_hosts": "*"}
            _write(empty, connection)
            yield empty
            await empty.close()
        return
    _write(empty, connections[request.param])
    yield empty
    await empty.close()


def _write(site: Site, connection: dict[str, Any]) -> None:
    inventory = {
        "version": 1,
        "connection": connection | {"shell": "powershell"},
        "hosts": {"win": {"address": "127.0.0.1"}},
    }
    site.write("inventory.yml", json.dumps(inventory))


HEAD = f"credentials: {{win: {{username: 'LAB\\{USER}', password: {{env: WIN_PASSWORD}}}}}}\n"


async def play(site: Site, steps: list[dict[str, Any]], *arguments: str) -> Finished:
    """Run steps, each on all hosts unless it says where."""
    placed = [step if "session" in step else {"target": "all", **step} for step in steps]
    site.book("".join(f"- {json.dumps(step)}\n" for step in placed), HEAD)
    return await site.run(*arguments)


async def test_output_keeps_its_types_and_order(site: Site) -> None:
    """Numbers come as numbers and in order; the result says over what they came."""
    finished = await play(site, [{"id": "a", "script": "1..3"}])
    result = finished.result("a", "win")
    assert (finished.code, result["status"], result["output"]) == (0, "ok", [1, 2, 3]), finished.stdout
    assert result["exit_code"] is None


async def test_streams_come_apart(site: Site) -> None:
    """Each stream has its records once, beside the output."""
    script = json.loads((Path(__file__).parents[1] / "recordings/server/21-streams.json").read_text())
    finished = await play(site, [{"id": "a", "script": script["runs"][0]["script"]}])
    result = finished.result("a", "win")
    streams = result["streams"]
    assert result["output"] == ["o"]
    assert (streams["verbose"], streams["debug"], streams["warnings"]) == (["v"], ["d"], ["w"])
    assert [entry["message"] for entry in streams["information"]] == ["h", "i"]
    assert streams["information"][0]["color"] == "Red"
    assert [error["message"] for error in result["errors"]] == ["e"]
    assert result["status"] == "ok"


async def test_throw_is_told_with_its_place_in_the_playbook(site: Site) -> None:
    """A throw fails the host with its message and the line of the playbook it stands in."""
    site.book("- id: a\n  target: all\n  script: |-\n    'before'\n    throw 'bad'\n", HEAD)
    finished = await site.run()
    result = finished.result("a", "win")
    (error,) = result["errors"]
    line = (site.folder / "book.yml").read_text().split("\n").index("    throw 'bad'") + 1
    assert (finished.code, result["status"], result["output"]) == (1, "failed", ["before"])
    assert error["message"] == "bad"
    assert error["line"] == 2
    assert result["failure"]["message"] == f"bad (book.yml:{line})"


async def test_error_records_do_not_fail(site: Site) -> None:
    """An error that does not end the script is in the errors, and the step is ok; `-ErrorAction Stop` ends it."""
    finished = await play(
        site,
        [
            {"id": "a", "session": "warm", "script": "Get-Item /nope\n'after'"},
            {"id": "b", "session": "warm", "script": "Get-Item /nope -ErrorAction Stop\n'after'"},
        ],
    )
    assert finished.output("a", "win") == ["after"]
    assert finished.result("a", "win")["errors"][0]["category"].startswith("ObjectNotFound")
    assert finished.statuses("b") == {"win": "failed"}


async def test_parse_error_runs_nothing_and_spares_the_session(site: Site) -> None:
    """A script that cannot be parsed fails, and its session goes on."""
    finished = await play(
        site,
        [
            {"id": "a", "session": "warm", "script": "'ran'; if (", "ignore_errors": True},
            {"id": "b", "session": "warm", "script": "'ok'"},
        ],
    )
    assert finished.result("a", "win")["output"] == []
    assert finished.output("b", "win") == ["ok"]


async def test_exit_is_the_exit_code(site: Site) -> None:
    """`exit 7` fails the step with 7; its session is usable afterwards."""
    finished = await play(
        site,
        [
            {"id": "a", "session": "warm", "script": "'x'; exit 7; 'y'", "ignore_errors": True},
            {"id": "b", "session": "warm", "script": "'still here'; $LASTEXITCODE"},
        ],
    )
    result = finished.result("a", "win")
    assert (result["exit_code"], result["status"], result["output"]) == (7, "failed", ["x"])
    assert finished.output("b", "win") == ["still here", None]


async def test_native_errors_are_no_failure(site: Site) -> None:
    """What a native program writes to standard error is error records, and its exit code is not the step's."""
    script = "sh -c 'echo out; echo err >&2; echo err2 >&2; exit 3'"
    finished = await play(site, [{"id": "a", "script": script}])
    result = finished.result("a", "win")
    assert (result["status"], result["output"]) == ("ok", ["out"])
    assert [error["message"] for error in result["errors"]] == ["err", "err2"]


@pytest.mark.parametrize(
    ("script", "items", "output"),
    [
        ("$input | % { $_ * 2 }", [1, 2, 3, 4, 5], [2, 4, 6, 8, 10]),
        ("process { \"<$_>\" } end { 'end' }", ["a", "b"], ["<a>", "<b>", "end"]),
        ('"n=$(@($input).Count)"', [], ["n=0"]),
        ("'ignores input'", [1, 2], ["ignores input"]),
    ],
)
async def test_input_goes_item_by_item(site: Site, script: str, items: list[Any], output: list[Any]) -> None:
    """`input_object` is the pipeline's input, an item a list entry, ended also where it is empty or ignored."""
    finished = await play(site, [{"id": "a", "script": script, "input_object": items}])
    assert finished.output("a", "win") == output


@pytest.mark.parametrize(
    ("step", "output"),
    [
        (
            {
                "script": 'param($param1, $param2, [switch]$s) "$param1|$param2|$s|$($args -join ",")"',
                "args": ["a", "b", "c"],
            },
            ["a|b|False|c"],
        ),
        (
            {
                "script": 'param($param1, $param2, [switch]$s) "$param1|$param2|$s"',
                "parameters": {"param2": "two", "s": True},
            },
            ["|two|True"],
        ),
        ({"script": '"$($args[0]) $($args[1]) $($args.Count)"', "args": [None, ["x", "y"]]}, [" x y 2"]),
        (
            {
                "script": 'param($a, $b = $using:x) "$a-$b-$($args.Count)-$($PSBoundParameters.Keys)"',
                "args": ["A"],
                "using": {"x": "X"},
            },
            ["A-X-0-a"],
        ),
        ({"command": [{"name": "Write-Output", "args": [[3, 1, 2]]}, {"name": "Sort-Object"}]}, [1, 2, 3]),
    ],
)
async def test_arguments_bind_as_in_powershell(site: Site, step: dict[str, Any], output: list[Any]) -> None:
    """By position and by name, switches, nulls and lists, `$Using:` beside them, and commands without a script."""
    finished = await play(site, [{"id": "a", **step}])
    assert finished.output("a", "win") == output, finished.stderr


async def test_variables_stay_in_a_session(site: Site) -> None:
    """What a step defines is there for the next one in its session, functions too."""
    finished = await play(
        site,
        [
            {"id": "a", "session": "warm", "script": "param($p) $p", "args": ["one"]},
            {"id": "b", "session": "warm", "script": '"[$p]"'},
            {"id": "c", "session": "warm", "script": "$v = 5; function g { 'g' }"},
            {"id": "d", "session": "warm", "script": "$v; g"},
        ],
    )
    assert finished.output("b", "win") == ["[one]"]
    assert finished.output("d", "win") == [5, "g"]


async def test_timeout_stops_the_pipeline_and_keeps_the_session(site: Site) -> None:
    """A step that sleeps is stopped, its `finally` runs and its output arrives; the session takes the next step."""
    script = "1; try { Start-Sleep 300 } finally { 'finally' }; 2"
    # The first script of an engine loads modules, and is to get to its `try` before it is stopped.
    timeout = "10s" if real_engine() else "3s"
    finished = await play(
        site,
        [
            {"id": "a", "session": "warm", "script": script, "timeout": timeout, "ignore_errors": True},
            {"id": "b", "session": "warm", "script": "'usable'"},
        ],
    )
    result = finished.result("a", "win")
    assert (result["status"], result["output"]) == ("timed_out", [1, "finally"])
    assert "was ended on the host" in result["failure"]["message"]
    assert not result["session_lost"]
    assert finished.output("b", "win") == ["usable"]


async def test_steps_side_by_side_share_a_session_in_turn(site: Site) -> None:
    """Two steps that need nothing of each other run one after the other in one session; neither is refused as busy."""
    steps = [{"id": f"s{n}", "needs": [], "session": "warm", "script": "1..3"} for n in range(4)]
    finished = await play(site, steps)
    assert finished.code == 0
    assert all(finished.output(f"s{n}", "win") == [1, 2, 3] for n in range(4))


async def test_formatted_output_is_told(site: Site) -> None:
    """`Format-Table` gives no data; the warning names it and the way out, which works."""
    finished = await play(
        site,
        [
            {"id": "a", "script": "Get-Item / | Format-Table Name"},
            {"id": "b", "script": "Get-Item / | Format-Table Name | Out-String -Width 40", "output": "text"},
        ],
    )
    result = finished.result("a", "win")
    assert result["output"] == []
    assert "`Format-Table` in line 1" in result["streams"]["warnings"][0]
    assert finished.output("b", "win").split() == ["Name", "----", "/"]


async def test_progress_is_shown_and_the_last_is_kept(site: Site) -> None:
    """A burst of progress ends with the step; the result keeps the last of each activity."""
    script = "1..200 | % { Write-Progress -Activity a -Status $_ -PercentComplete ($_ / 2) }; 'done'"
    finished = await play(site, [{"id": "a", "script": script}])
    result = finished.result("a", "win")
    assert result["output"] == ["done"]
    assert [entry["status"] for entry in result["streams"]["progress"]] == ["200"]


@pytest.mark.pwsh(real=True)
async def test_secrets_arrive_and_are_never_shown(site: Site) -> None:
    """A secure string and a credential reach the script as such, and what it prints of them is masked."""
    site.environment["OPS_PASSWORD"] = "s3 crét"
    script = (
        "($using:ss).Length; ($using:credentials.ops).UserName; "
        "($using:credentials.ops).GetNetworkCredential().Password; $using:ss"
    )
    head = (
        "inputs: {ss: {type: secure_string}}\n"
        f"credentials:\n  win: {{username: 'LAB\\{USER}', password: {{env: WIN_PASSWORD}}}}\n"
        "  ops: {username: 'DOMAIN01\\User01', password: {env: OPS_PASSWORD}}\n"
    )
    site.book("- " + json.dumps({"id": "a", "target": "all", "script": script}), head)
    site.write("given.json", json.dumps({"ss": "p@ßw0rt"}))
    finished = await site.run("-e", "@given.json")
    assert finished.output("a", "win") == [7, "DOMAIN01\\User01", "********", "********"]
    assert "p@ßw0rt" not in finished.stdout + finished.stderr
    assert "s3 crét" not in finished.stdout + finished.stderr
