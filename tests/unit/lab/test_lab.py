"""A lab that is really up: logins, commands, signals, the end of everything it started."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncssh
import pytest
import yaml

from runner.errors import UsageError
from runner.lab.control import lab_down, lab_status, lab_up, render_lab
from runner.lab.directory import ServedHost
from runner.lab.state import LabCondition, LabState, marked_processes, process_start


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabState]:
    """Five hosts for the tests that only use them."""
    directory = tmp_path_factory.mktemp("lab")
    yield lab_up(5, directory)
    lab_down(directory)


@asynccontextmanager
async def login(lab: LabState, name: str) -> AsyncIterator[asyncssh.SSHClientConnection]:
    """A connection as the inventory describes it."""
    document = yaml.safe_load(lab.inventory.read_text(encoding="utf-8"))
    group = next(group for group in document["groups"].values() if name in group["hosts"])
    host = group["hosts"][name]
    async with asyncssh.connect(
        host["address"],
        host["connection"]["port"],
        username=group["connection"]["user_name"],
        client_keys=[document["connection"]["key_file_path"]],
        known_hosts=document["connection"]["known_hosts"],
        config=[],
        agent_path=None,
    ) as connection:
        yield connection


async def until(is_so: Callable[[], bool]) -> None:
    """Wait, ten seconds at most, for something that another process does."""
    async with asyncio.timeout(10):
        while not is_so():
            await asyncio.sleep(0.02)


def ended(pid: int) -> bool:
    """Whether a process is gone."""
    return process_start(pid) is None


@pytest.mark.parametrize("name", ["web-01", "web-03", "app-01", "db-01"])
async def test_a_host_is_itself(lab: LabState, name: str) -> None:
    """Its own name, login, home and files, and nothing of the environment of who started the lab."""
    async with login(lab, name) as connection:
        said = await connection.run(
            'hostname; uname -n; echo "$USER"; pwd; echo "$HOME"; env | cut -d= -f1 | sort'
        )
    home = str(lab.directory.path / "hosts" / name)
    host, node, user, directory, variable, *names = str(said.stdout).split("\n")
    assert [host, node, user, directory, variable] == [
        name,
        name,
        "dba" if name == "db-01" else "deploy",
        home,
        home,
    ]
    assert set(filter(None, names)) <= {
        "HOME", "LANG", "LOGNAME", "PATH", "PWD", "RUNNER_LAB", "SHELL", "SHLVL", "USER", "_", "OLDPWD",
    }  # fmt: skip


async def test_output_exit_code_and_standard_error_stay_apart(lab: LabState) -> None:
    """As from OpenSSH."""
    async with login(lab, "web-01") as connection:
        said = await connection.run("echo out; echo err >&2; exit 7", encoding=None)
    assert (said.stdout, said.stderr, said.exit_status) == (b"out\n", b"err\n", 7)


async def test_ten_megabytes_come_back_byte_for_byte(lab: LabState) -> None:
    """Both ways at once, binary, with an end of the input."""
    data = bytes(range(256)) * 40_960
    async with login(lab, "web-01") as connection:
        said = await connection.run("cat", input=data, encoding=None)
    assert said.stdout == data
    assert said.exit_status == 0


async def test_a_program_that_reads_no_input_ends_well(lab: LabState) -> None:
    """Input that nobody wants is no error."""
    async with login(lab, "web-01") as connection:
        said = await connection.run("exec true", input=b"x" * 1_000_000, encoding=None)
    assert said.exit_status == 0


async def test_a_program_that_a_signal_ends_is_told_as_that(lab: LabState) -> None:
    """The name of the signal, no exit status."""
    async with login(lab, "web-01") as connection:
        said = await connection.run("kill -TERM $$")
    assert said.exit_signal is not None
    assert said.exit_signal[0] == "TERM"


async def test_python_and_bash_are_real(lab: LabState) -> None:
    """The interpreters of the machine."""
    async with login(lab, "app-01") as connection:
        python = await connection.run("python3 -c 'import os; print(os.path.basename(os.getcwd()))'")
        bash = await connection.run("bash -c 'a=(1 2 3); echo ${#a[@]}'")
    assert (python.stdout, bash.stdout) == ("app-01\n", "3\n")


async def test_a_signal_reaches_the_whole_process_group(lab: LabState) -> None:
    """Also what the command started."""
    async with login(lab, "web-01") as connection:
        process = await connection.create_process("sleep 600 & echo $!; wait")
        child = int(await process.stdout.readline())
        process.send_signal("TERM")
        await process.wait()
    await until(lambda: ended(child))


async def test_a_closed_channel_leaves_no_process(lab: LabState) -> None:
    """Even one that does not care about being hung up on."""
    async with login(lab, "web-01") as connection:
        process = await connection.create_process("trap '' HUP TERM; sleep 600 & echo $$ $!; wait")
        leader, child = map(int, (await process.stdout.readline()).split())
        process.close()
    await until(lambda: ended(leader) and ended(child))


async def test_what_a_command_left_behind_on_purpose_stays(lab: LabState) -> None:
    """A daemon survives the end of the command and of the connection, as with OpenSSH."""
    async with login(lab, "web-01") as connection:
        said = await connection.run("sleep 600 >/dev/null 2>&1 </dev/null & echo $!")
    pid = int(str(said.stdout))
    async with login(lab, "web-01") as connection:
        again = await connection.run(f"kill -0 {pid} && kill {pid}")
    assert again.exit_status == 0
    await until(lambda: ended(pid))


async def test_several_commands_run_over_one_connection(lab: LabState) -> None:
    """At the same time, each with its own output."""
    async with login(lab, "web-02") as connection:
        said = await asyncio.gather(*(connection.run(f"sleep 0.0{n % 5}; echo {n}") for n in range(20)))
    assert [process.stdout for process in said] == [f"{n}\n" for n in range(20)]


async def test_only_the_key_of_the_lab_and_the_login_of_the_host_are_taken(lab: LabState) -> None:
    """Another key, or another name, is refused."""
    port = lab.hosts[0].port
    known = str(lab.directory.known_hosts)
    stranger = asyncssh.generate_private_key("ssh-ed25519")
    for user, key in (("deploy", stranger), ("root", str(lab.directory.private_key))):
        with pytest.raises(asyncssh.PermissionDenied):
            await asyncssh.connect(
                "127.0.0.1",
                port,
                username=user,
                client_keys=[key],
                known_hosts=known,
                config=[],
                agent_path=None,
            )


async def test_every_host_has_a_key_of_its_own(lab: LabState) -> None:
    """A mixed-up port would be noticed."""
    keys = [text.split()[2] for text in lab.directory.known_hosts.read_text(encoding="utf-8").splitlines()]
    assert len(set(keys)) == 5


def test_nothing_listens_beyond_loopback(lab: LabState) -> None:
    """Every listening socket of the server is one of 127.0.0.1."""
    sockets = {str(entry.readlink()) for entry in Path(f"/proc/{lab.pid}/fd").iterdir()}
    rows = [
        row.split()
        for name in ("tcp", "tcp6")
        for row in Path(f"/proc/net/{name}").read_text().splitlines()[1:]
    ]
    listening = [row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in sockets]
    assert len(listening) == 5
    assert {address.split(":")[0] for address in listening} == {"0100007F"}


async def test_a_service_can_be_looked_at_and_restarted(lab: LabState) -> None:
    """The stand-in of systemctl keeps what was done."""
    async with login(lab, "web-03") as connection:
        before = await connection.run("systemctl is-active nginx")
        await connection.run("systemctl restart nginx", check=True)
        after = await connection.run("systemctl is-active nginx")
        unknown = await connection.run("systemctl restart nothing")
    assert (before.stdout, before.exit_status) == ("failed\n", 1)
    assert (after.stdout, after.exit_status) == ("active\n", 0)
    assert unknown.exit_status == 5


def test_up_again_changes_nothing(lab: LabState) -> None:
    """Same size, same process, same ports."""
    again = lab_up(5, lab.directory.path)
    assert again.condition is LabCondition.RUNNING
    assert (again.pid, again.hosts) == (lab.pid, lab.hosts)
    assert lab_status(lab.directory.path) == again


def test_another_size_starts_anew(tmp_path: Path) -> None:
    """The old process ends, the new one has as many hosts as asked for, and the key stays."""
    first = lab_up(2, tmp_path)
    key = first.directory.private_key.read_text(encoding="utf-8")
    try:
        second = lab_up(3, tmp_path)
        assert second.condition is LabCondition.RESTARTED
        assert len(second.hosts) == 3
        assert first.pid is not None
        assert ended(first.pid)
        assert second.directory.private_key.read_text(encoding="utf-8") == key
    finally:
        lab_down(tmp_path)
    assert not lab_status(tmp_path).running


async def test_down_ends_what_runs_on_hosts(tmp_path: Path) -> None:
    """Also what went into a session of its own and ignores signals."""
    lab = lab_up(1, tmp_path)
    async with login(lab, "web-01") as connection:
        stubborn = 'trap "" HUP TERM; echo $$; exec >/dev/null 2>&1 </dev/null; while :; do sleep 1; done'
        command = f"setsid sh -c '{stubborn}'"
        process = await connection.create_process(command)
        daemon = int(await process.stdout.readline())
        before = await asyncio.to_thread(lab_down, tmp_path)
    assert before.running
    assert ended(daemon)
    assert marked_processes(lab.token) == []
    assert lab_down(tmp_path).condition is LabCondition.STOPPED


async def test_a_killed_server_leaves_a_lab_that_can_be_started_again(tmp_path: Path) -> None:
    """Stale state is seen as such, and what the dead server left on hosts is ended."""
    lab = lab_up(1, tmp_path)
    assert lab.pid is not None
    async with login(lab, "web-01") as connection:
        process = await connection.create_process("setsid sleep 600 & echo $!; wait")
        orphan = int(await process.stdout.readline())
        os.kill(lab.pid, signal.SIGKILL)
        await until(lambda: not lab_status(tmp_path).running)
    again = lab_up(1, tmp_path)
    assert again.condition is LabCondition.STARTED
    assert ended(orphan)
    lab_down(tmp_path)


def test_a_pid_of_somebody_else_is_not_touched(tmp_path: Path) -> None:
    """A state file that names this very process, which started at another time, is stale."""
    lab = lab_up(1, tmp_path)
    state = lab.directory.state.read_text(encoding="utf-8")
    lab_down(tmp_path)
    lab.directory.state.write_text(state.replace(str(lab.pid), str(os.getpid())), encoding="utf-8")
    assert not lab_status(tmp_path).running
    assert lab_down(tmp_path).condition is LabCondition.STOPPED


async def test_a_deleted_directory_ends_the_server(tmp_path: Path) -> None:
    """No process outlives the files it belongs to."""
    lab = lab_up(1, tmp_path / "lab")
    assert lab.pid is not None
    pid = lab.pid
    shutil.rmtree(tmp_path / "lab")
    await until(lambda: ended(pid))


def test_the_lab_outlives_who_started_it(tmp_path: Path) -> None:
    """It is a process of its own, not a child."""
    program = (
        f"from pathlib import Path; from runner.lab.control import lab_up; lab_up(1, Path({str(tmp_path)!r}))"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    assert lab_status(tmp_path).running
    lab_down(tmp_path)


def test_wrong_sizes_and_taken_directories_are_refused(tmp_path: Path) -> None:
    """Nothing is started, and nothing of a person is overwritten."""
    for count in (0, 501):
        with pytest.raises(UsageError, match="from 1 to 500"):
            lab_up(count, tmp_path)
    (tmp_path / "inventory.yml").write_text("version: 1\n", encoding="utf-8")
    with pytest.raises(UsageError, match="was not written by a lab"):
        lab_up(1, tmp_path)
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match="cannot use the directory"):
        lab_up(1, tmp_path / "file")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "inventory.yml"]


def test_a_lab_tells_how_to_use_it(lab: LabState) -> None:
    """What is up, how to try it, how to end it."""
    path = lab.directory.path
    assert render_lab(lab_status(path)) == (
        f"lab running: 5 hosts on 127.0.0.1 (3 web, 1 app, 1 db), process {lab.pid}\n"
        f"try it:  runner run PLAYBOOK -i {path}/inventory.yml\n"
        f"end it:  runner lab down --dir {path}\n"
    )
    assert all(isinstance(served, ServedHost) for served in lab.hosts)
    assert render_lab(lab_status(path / "none")).startswith("no lab is up in ")
