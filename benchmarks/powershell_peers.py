"""Who else runs PowerShell from Python: pypsrp, a thread for each session, and psrpcore over asyncssh without more."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID
from xml.etree import ElementTree as ET

import asyncssh
import psrpcore
from psrpcore.types import RunspacePoolState

from benchmarks.powershell_hosts import PASSWORD, SCRIPT, USER, Hosts

_SESSION = "00000000-0000-0000-0000-000000000000"


class NaiveSession:
    """Each packet is written and its acknowledgement awaited; each line is read as XML."""

    def __init__(self, process: asyncssh.SSHClientProcess[bytes]) -> None:
        self._process = process
        self._pool = psrpcore.ClientRunspacePool()

    async def open(self) -> None:
        """Open the pool."""
        self._pool.open()
        await self._send()
        while self._pool.state is not RunspacePoolState.Opened:
            await self._event()

    async def run(self) -> list[Any]:
        """One script to its end."""
        shell = psrpcore.ClientPowerShell(self._pool)
        shell.add_script(SCRIPT)
        shell.add_argument("r1")
        shell.start()
        target, outputs = str(shell.pipeline_id), []
        await self._exchange(f"<Command PSGuid='{target}' />\n", "CommandAck")
        await self._send()
        while True:
            event = await self._event()
            if isinstance(event, psrpcore.PipelineOutputEvent):
                outputs.append(event.data)
            elif isinstance(event, psrpcore.PipelineStateEvent):
                break
        await self._exchange(f"<Close PSGuid='{target}' />\n", "CloseAck")
        shell.close()
        return outputs

    async def _send(self) -> None:
        while (payload := self._pool.data_to_send(32768)) is not None:
            target = payload.pipeline_id or _SESSION
            data = base64.b64encode(payload.data).decode()
            await self._exchange(f"<Data Stream='Default' PSGuid='{target}'>{data}</Data>\n", "DataAck")

    async def _exchange(self, line: str, acknowledgement: str) -> None:
        self._process.stdin.write(line.encode())
        while await self._packet() != acknowledgement:
            pass

    async def _event(self) -> Any:
        while (event := self._pool.next_event()) is None:
            await self._packet()
        return event

    async def _packet(self) -> str:
        packet = ET.fromstring(await self._process.stdout.readline())
        if packet.tag == "Data":
            target = UUID(packet.attrib["PSGuid"])
            data = base64.b64decode(packet.text or "")
            self._pool.receive_data(psrpcore.PSRPPayload(data, psrpcore.StreamType.default, target))
        return packet.tag


@asynccontextmanager
async def naive_ssh(hosts: Hosts) -> AsyncIterator[Callable[[], Awaitable[list[Any]]]]:
    """A session over a subsystem."""
    connecting = asyncssh.connect(
        "127.0.0.1",
        hosts.ssh,
        username=USER,
        client_keys=[str(hosts.folder / "id_ed25519")],
        known_hosts=str(hosts.folder / "known_hosts"),
        agent_path=None,
        config=None,
    )
    async with connecting as connection:
        process = await connection.create_process(subsystem="powershell", encoding=None)
        session = NaiveSession(process)
        await session.open()
        yield session.run
        process.stdin.write_eof()


@asynccontextmanager
async def pypsrp_session(hosts: Hosts, kind: str) -> AsyncIterator[Callable[[], Awaitable[list[Any]]]]:
    """A session of pypsrp in a thread of its own, as its users have it; ``kind`` is a name of the carriers."""
    from pypsrp.powershell import PowerShell, RunspacePool  # noqa: PLC0415 - of the peers' installation
    from pypsrp.wsman import WSMan  # noqa: PLC0415

    tls = kind.endswith("-tls")
    settings: dict[str, Any] = {
        "port": hosts.https if tls else hosts.http,
        "ssl": tls,
        "cert_validation": str(hosts.folder / "ca.pem") if tls else False,
        "auth": "negotiate" if kind.endswith("-ntlm") else "basic",
        "encryption": "auto" if kind.endswith("-ntlm") else "never",
        "no_proxy": True,
    }
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1) as thread:
        pool = RunspacePool(WSMan("127.0.0.1", username=USER, password=PASSWORD, **settings))
        await loop.run_in_executor(thread, pool.open)

        def run() -> list[Any]:
            shell = PowerShell(pool)
            shell.add_script(SCRIPT).add_argument("r1")
            return list(shell.invoke())

        yield lambda: loop.run_in_executor(thread, run)
        await loop.run_in_executor(thread, pool.close)
