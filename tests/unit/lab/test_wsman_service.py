"""The service leaves no engine behind, whatever it was about to do as it is closed."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from runner.lab.engines import in_process_engine
from runner.lab.wsman_configurations import CONFIGURATIONS
from runner.lab.wsman_service import Caller, Service
from runner.lab.wsman_settings import Counters, ServiceSettings
from runner.lab.wsman_shell import Shell, ShellFacts
from runner.lab.wsman_soap import NAMESPACES, read_request
from tests.support.winrm_lab import recordings

SHELL = UUID("11111111-2222-3333-4444-555555555555")
DELETE = f"""\
<s:Envelope xmlns:s="{NAMESPACES["s"]}" xmlns:a="{NAMESPACES["a"]}" xmlns:w="{NAMESPACES["w"]}"><s:Header>
<a:Action>http://schemas.xmlsoap.org/ws/2004/09/transfer/Delete</a:Action><a:MessageID>uuid:1</a:MessageID>
<w:ResourceURI>{CONFIGURATIONS[0].resource_uri}</w:ResourceURI>
<w:SelectorSet><w:Selector Name="ShellId">{SHELL}</w:Selector></w:SelectorSet></s:Header><s:Body/></s:Envelope>
"""


class Slow(Shell):
    """A shell whose engine takes its time to end, whoever waits for it."""

    def __init__(self) -> None:
        facts = ShellFacts(str(SHELL), CONFIGURATIONS[0].resource_uri, "ops", "127.0.0.1", 60.0)
        super().__init__(facts, CONFIGURATIONS[0], in_process_engine(recordings())())
        self.may_end = asyncio.Event()
        self.closing: asyncio.Task[None] | None = None

    async def close(self) -> None:
        self.closing = self.closing or asyncio.create_task(self._take_time())
        await asyncio.shield(self.closing)

    async def _take_time(self) -> None:
        await self.may_end.wait()
        await super().close()


async def test_a_shell_that_is_being_ended_is_waited_for() -> None:
    """A Delete that is cut short by the end of the service has its engine ended all the same."""
    service, shell = Service(ServiceSettings(engine=in_process_engine(recordings())), Counters()), Slow()
    service.shells[SHELL] = shell
    deleting = asyncio.create_task(
        service.answer(read_request(DELETE.encode()), Caller("ops", "127.0.0.1"), 1)
    )
    while shell.closing is None:
        await asyncio.sleep(0)
    ending = asyncio.create_task(service.close())
    with pytest.raises(asyncio.CancelledError):
        await deleting
    assert not ending.done()
    shell.may_end.set()
    await asyncio.wait_for(ending, 60)
    assert shell.closing.done()
