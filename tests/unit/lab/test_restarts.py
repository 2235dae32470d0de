"""What would restart the machine that a lab runs on meets a stand-in; a Linux host of a lab restarts alone.

Each program is called with a PATH of nothing but the stand-ins and a folder of harmless tools, by a host of no lab.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from runner.lab.control import lab_down, lab_up
from runner.lab.directory import LabDirectory
from runner.lab.fleet import LabHost, lab_hosts
from tests.support.command_line import in_a_process

WEB, WIN = lab_hosts(1, 1)
TOOLS = ("sh", "cat", "env")

RESTARTS = (
    "reboot", "reboot -f", "shutdown -r now", "shutdown --reboot +5", "systemctl reboot", "systemctl reboot -i",
    "systemctl --no-wall reboot", "init 6", "telinit 6", "sudo reboot", "sudo -n -u root FOO=1 systemctl reboot",
    "doas -u root shutdown -r now", "pkexec --user root reboot",
)  # fmt: skip
POWER = (
    "halt", "poweroff", "poweroff -f", "shutdown", "shutdown -h now", "shutdown -P now", "init 0", "telinit 0",
    "systemctl poweroff", "systemctl halt", "systemctl kexec", "systemctl suspend", "kexec -e", "sudo poweroff",
)  # fmt: skip


def call(folder: Path, host: LabHost, command: str) -> tuple[subprocess.CompletedProcess[str], bool]:
    """How it ended, and whether a restart of the host was ordered."""
    directory = LabDirectory(folder)
    directory.seed([host])
    tools = folder / "tools"
    tools.mkdir()
    for name in TOOLS:
        (tools / name).symlink_to(Path("/bin") / name if name != "env" else "/usr/bin/env")
    environment = {"HOME": str(directory.home(host)), "PATH": f"{directory.programs(host)}:{tools}"}
    ended = subprocess.run(
        ["/bin/sh", "-c", command], env=environment, capture_output=True, text=True, check=False, cwd=folder
    )
    return ended, directory.restart_order(host).exists()


@pytest.mark.parametrize("command", RESTARTS)
def test_a_linux_host_orders_its_own_restart(tmp_path: Path, command: str) -> None:
    """However it is asked for, by name."""
    ended, ordered = call(tmp_path, WEB, command)
    assert (ended.returncode, ended.stderr, ordered) == (0, "", True)


@pytest.mark.parametrize("command", POWER)
def test_nothing_is_powered_off(tmp_path: Path, command: str) -> None:
    """It is refused in a sentence."""
    ended, ordered = call(tmp_path, WEB, command)
    assert (ended.returncode, ordered) == (1, False)
    assert " lab " in ended.stderr


@pytest.mark.parametrize("command", [*RESTARTS, *POWER, "shutdown.exe /r /t 2"])
def test_a_windows_like_host_refuses_both(tmp_path: Path, command: str) -> None:
    """Its engine may be a PowerShell on Linux, which then looks for the programs of Linux."""
    ended, ordered = call(tmp_path, WIN, command)
    assert (ended.returncode, ordered) == (1, False)
    assert "does not restart" in ended.stderr


def test_every_program_of_this_machine_that_could_is_stood_in_for(tmp_path: Path) -> None:
    """Names that systemd and sysvinit install for it, on both kinds of hosts."""
    names = {
        "systemctl", "reboot", "shutdown", "halt", "poweroff", "init", "telinit", "kexec", "sudo", "doas", "pkexec"
    }  # fmt: skip
    directory = LabDirectory(tmp_path)
    directory.seed([WEB, WIN])
    for host in (WEB, WIN):
        assert names <= {path.name for path in directory.programs(host).iterdir() if os.access(path, os.X_OK)}


def test_a_reboot_step_restarts_a_lab_host(tmp_path: Path) -> None:
    """What ran there has ended, the address and the host key are the same, and the newest kernel runs."""
    book = """\
version: 1
name: Restart
steps:
  - {id: before, hosts: web-01, script: "uname -r; sleep 600 >/dev/null 2>&1 & echo $! >pid"}
  - {id: restart, hosts: web-01, reboot: {timeout: 2m, message: soon}}
  - {id: after, hosts: web-01, script: 'uname -r; kill -0 "$(cat pid)" 2>/dev/null || echo ended'}
"""
    (tmp_path / "book.yml").write_text(book)
    state = lab_up(1, tmp_path / "lab")
    try:
        done = in_a_process("run", "book.yml", "-i", str(state.inventory), "-o", "json", folder=tmp_path)
    finally:
        lab_down(tmp_path / "lab")
    assert done.code == 0, done.err
    said = {result["step"]: result["output"] for result in json.loads(done.out)["results"]}
    assert said["before"] == ["6.1.0-25-amd64"]
    assert said["after"] == ["6.1.0-28-amd64", "ended"]
    assert said["restart"]["rebooted"] is True
