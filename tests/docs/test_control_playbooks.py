"""Every playbook of playbooks/control/ is checked, planned and run over a lab, and does what its first lines say."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import socketserver
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from runner.lab.control import lab_down, lab_up
from runner.lab.state import LabState
from tests.docs.conftest import ROOT, runner
from tests.end_to_end.rebooting import rebooting, restarts
from tests.language.author import Ran
from tests.support.control_fleet import PATIENCE, Fleet, at_once, statuses, until
from tests.support.openssh import OpenSsh

PLAYBOOKS = sorted((ROOT / "playbooks" / "control").glob("*.yml"))
WEB = ("web-01", "web-02", "web-03")
HOSTS = (*WEB, "app-01", "db-01")


@pytest.fixture(scope="module")
def own_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabState]:
    """A lab of its own, for these playbooks mend what others look for."""
    directory = tmp_path_factory.mktemp("control") / "lab"
    yield lab_up(5, directory)
    lab_down(directory)


@pytest.fixture(scope="module")
def planted(own_lab: LabState, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the homes as the lab planted them."""
    copy = tmp_path_factory.mktemp("planted") / "hosts"
    shutil.copytree(own_lab.directory.path / "hosts", copy)
    return copy


@pytest.fixture
def fleet(own_lab: LabState, planted: Path, tmp_path: Path) -> Iterator[Fleet]:
    """The lab with its homes as planted, and copies of the playbooks."""
    homes = own_lab.directory.path / "hosts"
    for host in HOSTS:
        for path in (homes / host).iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(planted / host, homes / host, dirs_exist_ok=True)
    shutil.copytree(ROOT / "playbooks" / "control", tmp_path / "control")
    fleet = Fleet(own_lab.inventory, homes, tmp_path)
    yield fleet
    for process in fleet.going:
        if process.poll() is None:
            process.kill()
            process.wait()


def test_every_playbook_has_a_test_here() -> None:
    """A new playbook comes with what its run must show."""
    words = Path(__file__).read_text()
    assert [path.stem for path in PLAYBOOKS if f'"{path.stem}"' not in words] == []


def test_all_are_valid(own_lab: LabState, tmp_path: Path) -> None:
    """Together, without a warning."""
    done = runner("validate", *map(str, PLAYBOOKS), "-i", str(own_lab.inventory), home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.stem)
def test_a_playbook_plans_and_is_short(path: Path, own_lab: LabState, tmp_path: Path) -> None:
    """It can be planned as it stands, and read on one screen."""
    planned = runner("plan", str(path), "-i", str(own_lab.inventory), home=tmp_path)
    assert planned.returncode == 0, planned.stderr
    text = path.read_text()
    assert len(text.splitlines()) < 60
    assert f"#   runner run playbooks/control/{path.name} -i prod.yml" in text


def test_a_rolling_update_goes_host_by_host(fleet: Fleet) -> None:
    """Each wave is over before the next one begins, all have the release, and nothing is left drained."""
    ran = fleet.run("rolling-update")
    assert ran.code == 0, ran.stderr
    assert [ran.output("report", host) for host in WEB] == [[f"{host} has 2.5.0"] for host in WEB]
    begun = [result["host"] for result in ran.results if result["step"] in {"keep", "answers"}]
    assert begun == [host for host in WEB for _ in range(2)]
    assert [path.name for host in WEB for path in fleet.file(host, ".").glob("drained")] == []


def test_a_rolling_update_ends_at_the_first_bad_host(fleet: Fleet) -> None:
    """Exit code 4; the host has its old release back, the later waves never had another."""
    ran = fleet.run("rolling-update", "-e", "service=nothing")
    assert ran.code == 4, ran.stderr
    assert ran.status("put_back", "web-01") == "ok"
    assert "the old release is back" in ran.result("say_so", "web-01")["failure"]["message"]
    assert statuses(ran, "keep") == {"ok": 1, "skipped": 2}
    assert [ran.output("report", host)[0].split()[-1] for host in WEB] == ["2.4.1", "2.3.9", "2.4.1"]
    assert not fleet.file("web-01", "drained").exists()


def test_a_rolling_update_goes_on_when_the_host_is_mended(fleet: Fleet) -> None:
    """Resumed, the block of the host that was put back begins anew, and the later waves follow."""
    services = fleet.file("web-01", "etc/services")
    there = services.read_text()
    services.write_text("".join(line for line in there.splitlines(True) if "nginx" not in line))
    assert fleet.run("rolling-update").code == 4
    services.write_text(there)
    done = fleet.type("resume", "last", "--record", "rec", "-o", "json")
    assert done.returncode == 0, done.stderr + done.stdout
    ran = Ran(done.returncode, done.stdout, done.stderr)
    assert [ran.output("report", host) for host in WEB] == [[f"{host} has 2.5.0"] for host in WEB]


def test_what_is_busy_is_tried_again(fleet: Fleet) -> None:
    """The third attempt gets through on every host, and the service is ready at once."""
    fleet.change("retry-until", ("delay: 2s", "delay: 10ms"))
    ran = fleet.run("retry-until")
    assert ran.code == 0, ran.stderr
    assert [ran.result("refresh", host)["attempt"] for host in WEB] == [3, 3, 3]
    assert [ran.output("ready", host) for host in WEB] == [["active"]] * 3


class Door(socketserver.ThreadingTCPServer):
    """A port of loopback that hangs up on everybody until it is opened; then all of it goes to another port."""

    daemon_threads = True

    def __init__(self, to: int) -> None:
        super().__init__(("127.0.0.1", 0), Visit)
        self.to = to
        self.opened = threading.Event()
        self.turned_away = 0


class Visit(socketserver.BaseRequestHandler):
    """One connection to a door."""

    server: Door

    def handle(self) -> None:
        """Hang up, or copy both ways until either end is closed."""
        if not self.server.opened.is_set():
            self.server.turned_away += 1
            return
        with socket.create_connection(("127.0.0.1", self.server.to)) as host:
            back = threading.Thread(target=_copy, args=(host, self.request), daemon=True)
            back.start()
            _copy(self.request, host)
            back.join(PATIENCE)


def _copy(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    with suppress(OSError):
        other.shutdown(socket.SHUT_WR)


@pytest.fixture
def door(own_lab: LabState) -> Iterator[Door]:
    """A door to web-03."""
    (port,) = (each.port for each in own_lab.hosts if each.host.name == "web-03")
    with Door(port) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_a_late_host_is_patched_when_it_is_up(fleet: Fleet, door: Door) -> None:
    """The other hosts are through meanwhile; it is tried again until it answers, and the report counts it."""
    text = fleet.inventory.read_text().replace(f"port: {door.to}", f"port: {door.server_address[1]}")
    inventory = fleet.folder / "late.yml"
    inventory.write_text(text.replace("host_key_checking: strict", "host_key_checking: off"))
    fleet.change("late-hosts", ("retry_after: 5m", "retry_after: 200ms"), ('"fine"', '"fine" > checked'))
    run = fleet.start("late-hosts", inventory=inventory)
    until(
        lambda: (
            door.turned_away > 1
            and all(fleet.file(host, "checked").exists() for host in HOSTS if host != "web-03")
        )
    )
    door.opened.set()
    ran = fleet.finish(run)
    assert ran.code == 0, ran.stderr
    assert ran.output("report") == ["5 of 5 hosts patched"]
    assert [result["host"] for result in ran.results if result["step"] == "patch"][-1] == "web-03"


def test_a_host_that_stays_away_is_given_up(fleet: Fleet) -> None:
    """Exit code 3, the others are done, the report is made; next time only that host is asked for."""
    text = fleet.inventory.read_text()
    broken = fleet.folder / "broken.yml"
    broken.write_text(re.sub(r"(web-03:\n.*\n.*\n +port: )\d+", r"\g<1>1", text))
    fleet.change(
        "late-hosts", ("retry_after: 5m", "retry_after: 100ms"), ("give_up_after: 1h", "give_up_after: 1s")
    )
    ran = fleet.run("late-hosts", inventory=broken)
    assert ran.code == 3, ran.stderr
    assert statuses(ran, "patch") == {"ok": 4, "unreachable": 1}
    assert ran.output("report") == ["4 of 5 hosts patched"]
    again = fleet.run("late-hosts", "-l", "@last:unreachable")
    assert {result["host"] for result in again.results if result["step"] == "patch"} == {"web-03"}


def test_a_gate_is_answered_from_another_terminal(fleet: Fleet) -> None:
    """It names the hosts it is about; once approved, only those are touched."""
    run = fleet.start("gate")
    until(lambda: "Restart stopped services on web-03?" in fleet.told())
    approved = fleet.type("runs", "approve", "last", "go_live", "--record", "rec")
    assert approved.returncode == 0, approved.stderr
    ran = fleet.finish(run)
    assert ran.code == 0, ran.stderr
    assert {host for host in HOSTS if ran.status("restart", host) == "changed"} == {"web-03"}


def test_a_gate_that_is_rejected_stops_the_run(fleet: Fleet) -> None:
    """Exit code 4, and nothing was restarted."""
    run = fleet.start("gate")
    until(lambda: "Restart stopped services on web-03?" in fleet.told())
    assert fleet.type("runs", "approve", "last", "go_live", "--reject", "--record", "rec").returncode == 0
    ran = fleet.finish(run)
    assert ran.code == 4, ran.stderr
    assert statuses(ran, "restart") == {"cancelled": 5}
    assert "nginx.service loaded failed" in fleet.file("web-03", "etc/services").read_text()


def test_drift_is_told_and_then_mended(fleet: Fleet) -> None:
    """Exit code 5 and a difference, nothing changed; a run mends it; after that nothing would change."""
    before = fleet.file("web-03", "etc/app.conf").read_text()
    told = fleet.run("ensure-drift", "--check", "--diff")
    assert told.code == 5, told.stderr
    assert fleet.file("web-03", "etc/app.conf").read_text() == before
    assert {host for host in WEB if told.result("web_server", host)["would_change"]} == {"web-03"}
    book = str(fleet.folder / "control" / "ensure-drift.yml")
    asked = fleet.type("plan", book, "-i", str(fleet.inventory), "--check", "--diff", "-o", "plain")
    assert asked.returncode == 5, asked.stderr
    assert "+workers = 8" in asked.stdout
    mended = fleet.run("ensure-drift")
    assert mended.code == 0, mended.stderr
    assert [mended.status("web_server", host) for host in WEB] == ["ok", "ok", "changed"]
    assert statuses(mended, "workers") == {"changed": 3}
    assert "workers = 8\n" in fleet.file("web-03", "etc/app.conf").read_text()
    assert fleet.run("ensure-drift", "--check").code == 0


def test_a_second_run_is_refused_or_waits(fleet: Fleet) -> None:
    """Exit code 2 with who is at work; with `--lock-wait` it follows, and nothing is left held."""
    fleet.change("locks", ('sleep "$Using:takes"', "touch begun; until [ -e go ]; do sleep 0.05; done"))
    first = fleet.start("locks")
    until(lambda: all(fleet.file(host, "begun").exists() for host in HOSTS))
    refused = fleet.run("locks")
    assert refused.code == 2, refused.stdout
    assert refused.codes == ["lock-held"] * len(refused.codes)
    assert refused.codes
    for host in HOSTS:
        fleet.file(host, "go").touch()
    second = fleet.run("locks", "--lock-wait", "1m")
    assert (fleet.finish(first).code, second.code) == (0, 0)
    assert statuses(second, "check") == {"ok": 5}
    assert "web-01" not in fleet.type("locks", "list").stdout


def test_pools_are_never_overdrawn(fleet: Fleet) -> None:
    """Two downloads at once, one deep scan at once, four seats at most for both kinds of scans together."""
    ran = fleet.run("pools")
    assert ran.code == 0, ran.stderr
    assert at_once(ran, ("download", 1)) <= 2
    assert at_once(ran, ("deep_scan", 1)) == 1
    assert at_once(ran, ("quick_scan", 1), ("deep_scan", 3)) <= 4


@pytest.fixture
def restarting(tmp_path: Path) -> Iterator[OpenSsh]:
    """A host that can be restarted without this machine."""
    with rebooting(tmp_path / "host") as server:
        yield server


@pytest.mark.sshd
def test_a_host_is_restarted_and_waited_for(fleet: Fleet, restarting: OpenSsh) -> None:
    """Once, and the run goes on when it is back."""
    connection = {
        "transport": "ssh",
        "user_name": restarting.user,
        "port": restarting.port,
        "key_file_path": str(restarting.client_key),
        "host_key_checking": "off",
        "connect_timeout": "5s",
    }
    inventory = fleet.folder / "one.yml"
    hosts = {"web": {"address": "127.0.0.1"}}
    inventory.write_text(json.dumps({"version": 1, "connection": connection, "hosts": hosts}))
    ran = fleet.run("reboot-and-wait", "-e", "test=true", inventory=inventory)
    assert ran.code == 0, ran.stderr
    assert ran.output("reboot", "web")["rebooted"] is True
    assert (ran.status("settled", "web"), ran.status("kernel", "web")) == ("ok", "ok")
    assert restarts(restarting) == 1


def test_once_and_elsewhere(fleet: Fleet) -> None:
    """The migration ran once and all saw it; the balancer did the draining, and has nobody drained at the end."""
    ran = fleet.run("run-once-and-delegate")
    assert ran.code == 0, ran.stderr
    assert [fleet.file(host, "migrations").exists() for host in WEB] == [True, False, False]
    assert [ran.output("deploy", host) for host in WEB] == [[f"{host} runs with schema 42"] for host in WEB]
    assert [ran.output("drain", host) for host in WEB] == [[f"{host} is drained on app-01"] for host in WEB]
    assert fleet.file("app-01", "drained").read_text() == ""


class Service(BaseHTTPRequestHandler):
    """What the playbook asks: all hosts but web-01 are outdated, db-01 is frozen."""

    told: dict[str, Any]

    def do_GET(self) -> None:
        """A host's state."""
        host = self.path.rpartition("/")[2]
        release = "2.5.0" if host == "web-01" else "2.4.1"
        self.answer({"release": release, "frozen": host == "db-01"})

    def do_POST(self) -> None:
        """How it went with a host."""
        size = int(self.headers["Content-Length"])
        self.told[self.path] = json.loads(self.rfile.read(size))
        self.answer({})

    def answer(self, document: Any) -> None:
        """Answer with a document."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(document).encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def service() -> Iterator[tuple[str, dict[str, Any]]]:
    """Its address, and what it was told."""
    told: dict[str, Any] = {}
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Told", (Service,), {"told": told})) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", told
        server.shutdown()


def test_a_service_is_asked_and_told(fleet: Fleet, service: tuple[str, dict[str, Any]]) -> None:
    """What it says of a host is that host's variable; the frozen host is left alone, and reported as bad."""
    address, told = service
    ran = fleet.run("set-vars-and-http", "-e", f"api={address}")
    assert ran.code == 1, ran.stderr
    assert ran.status("update", "web-01") == "skipped"
    assert ran.output("update", "web-02") == ["from 2.4.1 to 2.5.0"]
    assert "db-01 is frozen" in ran.result("guard", "db-01")["failure"]["message"]
    assert told == {f"/hosts/{host}": {"state": "bad" if host == "db-01" else "good"} for host in HOSTS}


def test_what_takes_too_long_is_ended(fleet: Fleet) -> None:
    """The nearest limit counts, the rescue sees it, and `always` tidies."""
    ran = fleet.run("deadlines", "-e", "takes=600", "-e", "limit=1s", "-l", "app-01")
    assert ran.code == 1, ran.stderr
    assert ran.status("long", "app-01") == "timed_out"
    assert "it ran longer than" in ran.output("note", "app-01")[0]
    assert ran.status("tidy", "app-01") == "ok"
    assert not fleet.file("app-01", "working").exists()


def test_what_is_in_time_is_left_alone(fleet: Fleet) -> None:
    """No limit is in the way of what is done in time."""
    ran = fleet.run("deadlines")
    assert ran.code == 0, ran.stderr
    assert statuses(ran, "long") == {"ok": 5}


def test_a_killed_run_goes_on(fleet: Fleet) -> None:
    """What was done before ran once; the step that may run twice did so where it was cut off, and nowhere else."""
    one_at_a_time = ("-f", "1", "-l", "web", "-e", "seconds=600")
    run = fleet.start("resume-after-a-crash", *one_at_a_time)
    until(lambda: any("upgrade" in _did(fleet, host) for host in WEB))
    run.kill()
    run.wait()
    (cut,) = (host for host in WEB if "upgrade" in _did(fleet, host))
    fleet.change("resume-after-a-crash", ('sleep "$Using:seconds"', "true"))
    changed = fleet.type("resume", "last", "--record", "rec", "-o", "json")
    assert changed.returncode != 0
    assert "resume-after-a-crash.yml" in changed.stdout
    done = fleet.type("resume", "last", "--record", "rec", "--allow-changed", "-o", "json")
    assert done.returncode == 0, done.stdout
    wanted = Counter({"drain": 1, "upgrade": 1, "check": 1})
    assert {host: _did(fleet, host) for host in WEB} == {
        host: wanted + Counter({"upgrade": int(host == cut)}) for host in WEB
    }


def test_the_script_of_the_demo_kills_and_resumes(fleet: Fleet) -> None:
    """A newcomer sees that the run broke off, how to go on, and that only what was cut off began anew."""
    program = fleet.folder / "runner"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m runner "$@"\n')
    program.chmod(0o755)
    needs = {"PATH": os.environ["PATH"], "HOME": str(fleet.folder), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["sh", "control/kill-and-resume.sh"],
        capture_output=True,
        text=True,
        check=False,
        cwd=fleet.folder,
        env=needs | {"RUNNER": str(program), "LAB": str(fleet.homes.parent)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for words in (
        "crashed",
        "began, and nobody knows how it ended",
        "$ runner resume last",
        "what was done stayed",
    ):
        assert words in done.stdout
    assert [_did(fleet, host)["drain"] for host in HOSTS] == [1] * 5
    assert [_did(fleet, host)["check"] for host in HOSTS] == [1] * 5


def _did(fleet: Fleet, host: str) -> Counter[str]:
    path = fleet.file(host, "did")
    return Counter(path.read_text().split() if path.exists() else ())
