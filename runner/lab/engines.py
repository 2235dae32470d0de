"""The engine behind a Windows-like host: ``pwsh`` where there is one, else the replay of a real one's answers.

A child process for each shell, as WinRM has; or, for a thousand idle shells, the replay within this process.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import runner
from runner.lab.dotnet import engine_needs
from runner.lab.engine_channel import BadClient, EngineChannel
from runner.lab.replay import ReplaySession
from runner.lab.replay_recordings import Recordings
from runner.psrp.out_of_process import OutOfProcessCarrier
from runner.psrp.packet_lines import LineSplitter
from runner.psrp.packets import ACKS, NotAPacket, Packet, parse_packet
from runner.transport.carrier import Carrier
from runner.transport.endpoint import Endpoint
from runner.transport.local import LocalConnection
from runner.transport.port import Exit, Receiver, Stream

SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"
"""PATH of a lab host, behind its own programs."""
SOURCE = Path(runner.__file__).parents[1]
"""Where a child finds this very runner, also where it runs from a source tree."""


def engine_command(recordings: Path, *, mode: str = "-s", first: str = "") -> tuple[str, ...]:
    """What to start for a session: PowerShell, else the replay.

    Args:
        recordings: folder of the recordings for the replay.
        mode: ``-s``, or ``-sshs`` for a subsystem of sshd.
        first: script that PowerShell runs as a session opens (remoting.md 4.1); only with ``-s``.

    """
    found = shutil.which("pwsh")
    if found is not None:
        encoded = ("-EncodedCommand", b64encode(first.encode("utf-16-le")).decode()) if first else ()
        return (found, mode, "-NoLogo", "-NoProfile", *encoded)
    return (sys.executable, "-m", "runner.lab.replay", mode, "--recordings", str(recordings))


def engine_environment(home: Path, *, programs: Path | None = None, **more: str) -> dict[str, str]:
    """What a child's environment is: nothing of the one that this process has but :func:`engine_needs`.

    ``programs`` is a folder that comes first in PATH.
    """
    return {
        **engine_needs(),
        "PATH": f"{programs}:{SYSTEM_PATH}" if programs else SYSTEM_PATH,
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(SOURCE),
        "POWERSHELL_TELEMETRY_OPTOUT": "1",
        **more,
    }


def child_engine(command: Sequence[str], environment: Mapping[str, str]) -> Callable[[], Carrier]:
    """Carriers that start ``command`` with just this environment, in its HOME, for each pool."""
    here = LocalConnection(Endpoint(host="lab", transport="local"))
    assignments = [f"{name}={value}" for name, value in environment.items()]
    # sh changes the directory: `env --chdir` is of GNU alone.
    argv = ("env", "-i", *assignments, "sh", "-c", 'cd "$HOME" && exec "$@"', "engine", *command)

    def carrier() -> Carrier:
        return OutOfProcessCarrier(lambda receiver: here.start(argv, receiver), description=f"`{command[0]}`")

    return carrier


def in_process_engine(recordings: Recordings) -> Callable[[], Carrier]:
    """Carriers whose engine is a replay in this process: no child, a few kilobytes a session."""

    async def start(receiver: Receiver) -> LoopbackEngine:
        return LoopbackEngine(recordings, receiver)

    return lambda: OutOfProcessCarrier(start, description="the replay")


class LoopbackEngine(EngineChannel):
    """A replay that looks like a process: lines that are written to it are answered through its receiver."""

    def __init__(self, recordings: Recordings, receiver: Receiver) -> None:
        super().__init__()
        self._receiver = receiver
        self._splitter = LineSplitter()
        self._session = ReplaySession(recordings, self)
        self._over: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()

    async def write(self, data: bytes) -> None:
        """Take packets and answer them."""
        for line in self._splitter.feed(data):
            if self._over.done():
                return
            try:
                self._session.handle(parse_packet(line))
            except (BadClient, NotAPacket) as error:
                self._receiver.data_received(Stream.STDERR, f"{error}\n".encode())
                self._end(160)

    async def write_eof(self) -> None:
        """End, as an engine does with its input."""
        self._end(160)

    async def wait(self) -> Exit:
        """Wait for the end."""
        return await asyncio.shield(self._over)

    async def stop(self, grace: float) -> bool:
        """End at once."""
        del grace
        self._end(143)
        return True

    async def interrupt(self) -> bool:
        """An engine in server mode has no use for it."""
        return not self._over.done()

    def acknowledge(self, packet: Packet) -> None:
        """Answer what was received; here it is handled before the next one can come."""
        self.send(Packet(ACKS[packet.kind], packet.target))

    def send_raw(self, data: bytes) -> None:
        """Hand bytes to the receiver, from the loop: never within a call of the client's."""
        asyncio.get_running_loop().call_soon(self._deliver, data)

    def _deliver(self, data: bytes) -> None:
        if not self._over.done():
            self._receiver.data_received(Stream.STDOUT, data)

    def _end(self, code: int) -> None:
        if not self._over.done():
            self._over.set_result(Exit(code=code))
