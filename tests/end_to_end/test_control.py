"""Stopping over OpenSSH: timeouts, signals and closed output end what runs on the hosts, and say what came of it."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path

import pytest

from tests.end_to_end.faults import listener
from tests.end_to_end.site import PATIENCE, Run, Site, nap, processes_with, until_gone

pytestmark = [pytest.mark.sshd]

SIGNALS = {
    signal.SIGINT: (130, "Ctrl-C"),
    signal.SIGTERM: (143, "termination (SIGTERM)"),
    signal.SIGHUP: (129, "hang-up (SIGHUP)"),
}


async def until_there(*paths: Path) -> None:
    """Wait until a script has written these files."""
    async with asyncio.timeout(PATIENCE):
        while not all(path.exists() for path in paths):
            await asyncio.sleep(0.05)


async def test_timeout_ends_the_whole_group(site: Site) -> None:
    """A timeout ends the script, its children, and what ignores TERM, in each shell, fresh and kept; and says so."""
    naps = {name: nap() for name in ("plain", "children", "stubborn", "snake", "kept", "keptsnake")}
    site.hosts(*naps, session_option={"cancel_timeout": "500ms"})
    shells = {"children": "bash", "snake": "python", "keptsnake": "python"}
    targets = {name: {"hosts": name, "shell": shells.get(name, "sh")} for name in naps}
    sessions = {"warm": {"target": "kept"}, "warmsnake": {"target": "keptsnake"}}
    done = await site.run_steps(
        f"""\
        - {{id: plain, needs: [], target: plain, timeout: 2s, script: 'echo begun; sleep {naps["plain"]}'}}
        - id: children
          needs: []
          target: children
          timeout: 2s
          script: |
            sleep {naps["children"]} & (sleep {naps["children"]}; true) & echo begun
            wait
        - id: stubborn
          needs: []
          target: stubborn
          timeout: 2s
          script: |
            trap '' TERM INT HUP
            echo begun
            sh -c "trap '' TERM; sleep {naps["stubborn"]}; sleep {naps["stubborn"]}"
        - id: snake
          needs: []
          target: snake
          timeout: 2s
          script: |
            import signal, subprocess
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            print("begun", flush=True)
            subprocess.run(["sleep", "{naps["snake"]}"])
        - {{id: kept, needs: [], session: warm, timeout: 2s, script: 'echo begun; sleep {naps["kept"]}'}}
        - id: keptsnake
          needs: []
          session: warmsnake
          timeout: 2s
          script: |
            import subprocess
            print("begun", flush=True)
            subprocess.run(["sleep", "{naps["keptsnake"]}"])
        """,
        head=f"targets: {json.dumps(targets)}\nsessions: {json.dumps(sessions)}\n",
    )
    assert done.code == 1
    for step, seconds in naps.items():
        result = done.result(step, step)
        assert (result["status"], result["output"]) == ("timed_out", ["begun"]), result
        assert result["failure"]["message"].endswith("was ended on the host"), result
        assert processes_with(seconds) == [], step
    assert done.document["summary"]["may_still_run"] == []


async def _started(site: Site, seconds: str, *, output: str) -> Run:
    """A run of a fresh and a kept script on two hosts, all four of them sleeping."""
    site.hosts("a", "b", session_option={"cancel_timeout": "1s"})
    marks = site.folder / "marks"
    marks.mkdir()
    site.book(f"""\
        - {{id: before, target: all, script: echo early}}
        - id: fresh
          target: all
          needs: [before]
          script: |
            echo begun; sleep {seconds} & touch {marks}/fresh-$Using:inventory_hostname
            wait
        - id: kept
          session: warm
          needs: [before]
          script: |
            echo begun; touch {marks}/kept-$Using:inventory_hostname
            sleep {seconds}
        - {{id: later, needs: [fresh, kept], target: all, script: echo never}}
        """)
    run = await site.start(output=output)
    await until_there(*(marks / f"{step}-{host}" for step in ("fresh", "kept") for host in "ab"))
    async with asyncio.timeout(PATIENCE):
        while len(processes_with(f"sleep {seconds}")) < 4:
            await asyncio.sleep(0.05)
    return run


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
async def test_signal_stops_what_runs(site: Site, number: signal.Signals) -> None:
    """A signal ends the groups on the hosts; the document is whole and valid, the exit code says which signal."""
    seconds = nap()
    run = await _started(site, seconds, output="json")
    run.signal(number)
    done = await run.finish()
    assert processes_with(seconds) == []
    code, reason = SIGNALS[number]
    assert done.code == code
    summary = done.document["summary"]
    assert (summary["stopped_because"], summary["exit_code"], summary["may_still_run"]) == (reason, code, [])
    assert done.statuses("before") == {"a": "ok", "b": "ok"}
    for step in ("fresh", "kept"):
        assert done.statuses(step) == {"a": "cancelled", "b": "cancelled"}
        result = done.result(step, "b")
        assert result["output"] == ["begun"]
        assert result["failure"]["may_have_run"] is True
        assert "it was ended on the host" in result["failure"]["message"]
    assert set(done.statuses("later").values()) <= {"skipped", "cancelled"}
    assert len(done.document["results"]) == 8


async def test_events_end_with_the_end_of_the_run(site: Site) -> None:
    """After Ctrl-C the stream of events is whole: every line valid, every assignment ended, ``run_ended`` last."""
    run = await _started(site, nap(), output="jsonl=events.jsonl")
    run.signal(signal.SIGINT)
    done = await run.finish()
    events = [json.loads(line) for line in (site.folder / "events.jsonl").read_text().splitlines()]
    assert done.code == 130
    assert [event["event"] for event in events].count("run_ended") == 1
    assert events[-1]["event"] == "run_ended"
    started = {(e["step"], e["host"]) for e in events if e["event"] == "assignment_started"}
    ended = [(e["result"]["step"], e["result"]["host"]) for e in events if e["event"] == "assignment_ended"]
    assert started <= set(ended)
    assert len(ended) == len(set(ended)) == 8


@pytest.mark.parametrize("output", ["jsonl", "plain"])
async def test_closed_output_stops_the_run(site: Site, output: str) -> None:
    """Who reads the output goes away, as `head` does: the hosts are left clean, and the exit code is 141."""
    seconds = nap()
    site.hosts("a", "b")
    steps = "".join(
        f"        - {{id: n{n}, target: all, script: 'echo more; sleep 0.3'}}\n" for n in range(30)
    )
    site.book(f"""\
        - {{id: begin, target: all, script: echo begun}}
        - id: talk
          target: all
          script: |
            while :; do echo more; sleep 0.2; done & sleep {seconds}
        - {{id: talks, needs: [], target: all, script: 'true'}}
{steps}        """)
    run = await site.start(output=output)
    await run.line("begun")
    run.process._transport.get_pipe_transport(1).close()  # type: ignore[attr-defined]
    done = await run.finish()
    assert done.code == 141
    assert "Traceback" not in done.stderr
    assert "resume with: runner resume " in done.stderr
    await until_gone(seconds)


async def test_second_interrupt_hurries(site: Site) -> None:
    """A script that ignores TERM gets a minute to end; a second Ctrl-C does not wait for it, and kills it."""
    seconds = nap()
    site.hosts("a", session_option={"cancel_timeout": "10m"})
    site.book(f"""\
        - id: stubborn
          target: all
          script: |
            trap 'touch {site.folder}/asked' TERM; touch {site.folder}/begun
            while :; do sleep {seconds} & wait; done
        """)
    run = await site.start()
    await until_there(site.folder / "begun")
    run.signal(signal.SIGINT)
    await until_there(site.folder / "asked")
    run.signal(signal.SIGINT)
    done = await run.finish()
    assert done.code == 130
    assert done.statuses("stubborn") == {"a": "cancelled"}
    assert processes_with(seconds) == []


async def test_interrupt_while_connecting(site: Site) -> None:
    """Ctrl-C while a host hangs before the login ends the run; nothing was run, and that is what is said."""
    async with listener() as port:
        site.hosts("a", port=port, connect_timeout="10m")
        site.book("- {id: x, target: all, script: echo never}")
        run = await site.start("-o", "jsonl=events.jsonl")
        async with asyncio.timeout(PATIENCE):
            while "assignment_started" not in _text(site.folder / "events.jsonl"):
                await asyncio.sleep(0.05)
        run.signal(signal.SIGINT)
        done = await run.finish()
    assert done.code == 130
    result = done.result("x", "a")
    assert result["status"] == "cancelled"
    assert result["failure"]["may_have_run"] is False
    assert "nothing was run" in result["failure"]["message"]


async def test_timeout_of_the_whole_run(site: Site) -> None:
    """``--timeout`` stops everything when it is over: what runs is ended, the rest does not begin."""
    seconds = nap()
    site.hosts("a", "b")
    done = await site.run_steps(
        f"""\
        - {{id: quick, target: all, script: echo fine}}
        - {{id: long, target: all, script: 'echo begun; sleep {seconds}'}}
        - {{id: later, target: all, script: echo never}}
        """,
        "--timeout",
        "4s",
    )
    assert processes_with(seconds) == []
    assert done.statuses("quick") == {"a": "ok", "b": "ok"}
    assert not {"ok", "changed"} & set(done.statuses("long").values())
    assert not {"ok", "changed"} & set(done.statuses("later").values())
    assert done.code != 0
    assert done.document["summary"]["stopped_because"]


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""
