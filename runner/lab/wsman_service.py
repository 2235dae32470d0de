"""The operations of WSMan on shells of PowerShell (MS-WSMV 3.1.4, remoting.md 8): a request in, an envelope out."""

from __future__ import annotations

import asyncio
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4
from xml.sax.saxutils import escape

from runner.errors import HostError
from runner.lab.wsman_config import config_xml, shell_xml
from runner.lab.wsman_faults import (
    ACCESS_DENIED,
    ENVELOPE_TOO_LARGE,
    INVALID_PARAMETER,
    NO_COMMAND,
    NO_SHELL,
    REQUEST_TOO_LARGE,
    TIMED_OUT,
    no_configuration,
    not_supported,
    too_many_operations,
    too_many_shells,
    too_many_users,
)
from runner.lab.wsman_output import Output
from runner.lab.wsman_settings import Counters, Manners, ServiceSettings
from runner.lab.wsman_shell import Shell, ShellFacts
from runner.lab.wsman_soap import (
    IDENTIFY,
    SHELL,
    Fault,
    Faulted,
    Request,
    attribute,
    identity,
    response,
    seconds,
)

STOP = "powershell/signal/crtl_c"
"""The code that stops a pipeline, misspelt as PowerShell has it; every other one closes the command."""
Mangle = Callable[[list[bytes]], list[bytes]]
_RECEIVE = f"{SHELL}/Receive"
IDENTITY = identity("Microsoft Corporation", "OS: 10.0.20348 SP: 0.0 Stack: 3.0")
"""The answer to Identify: Windows Server 2022."""
_CONFIG = "http://schemas.microsoft.com/wbem/wsman/1/config"
_STATE = f"{SHELL}/CommandState"
_ENVELOPE_ROOM = 4096  # bytes of an answer that are not output: headers, namespaces, the state
_EARLY = 0.5  # seconds before its OperationTimeout that a poll is answered (remoting.md 8.3, 3)
_SWEEP = 1.0  # seconds between looks for idle shells


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a user that has logged in, and the address it comes from."""

    user: str
    address: str


class Service:
    """The shells of one host; :meth:`close` leaves no engine behind."""

    def __init__(self, settings: ServiceSettings, counters: Counters) -> None:
        self.settings = settings
        self.shells: dict[UUID, Shell] = {}
        self._counters = counters
        self._under_way: Counter[str] = Counter()
        self._sweeper: asyncio.Task[None] | None = None
        self._unfinished: set[asyncio.Task[str]] = set()
        self._ending: set[Shell] = set()
        self._operations = {
            f"{SHELL}/Command": self._command,
            f"{SHELL}/Send": self._send,
            f"{SHELL}/Signal": self._signal,
        }

    def start(self) -> None:
        """Look after idle shells from now on."""
        self._sweeper = asyncio.create_task(self._sweep())

    @property
    def open_shells(self) -> int:
        """How many shells have an engine that lives."""
        return sum(not shell.lost for shell in self.shells.values())

    async def close(self) -> None:
        """End every shell."""
        tasks: list[asyncio.Task[Any]] = [*self._unfinished, *([self._sweeper] if self._sweeper else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # A shell whose end was begun by one of the tasks still has an engine.
        shells = [*self.shells.values(), *self._ending]
        self.shells.clear()
        await asyncio.gather(*map(self._end, shells))

    async def answer(
        self, request: Request, caller: Caller, size: int, mangle: Mangle | None = None
    ) -> bytes:
        """The envelope that answers a request of ``size`` bytes; ``mangle`` spoils the fragments of a Receive.

        Raises:
            Faulted: it cannot be done.

        """
        self._counters.operations[request.operation] += 1
        if self.settings.watch is not None:
            self.settings.watch(request)
        if size > self.settings.quotas.max_envelope_size_kb * 1024:
            raise Faulted(REQUEST_TOO_LARGE)
        if request.operation == IDENTIFY:
            return IDENTITY
        with self._counted(caller.user):
            body = self._body(request, caller, mangle)
            if request.action == _RECEIVE:
                return response(request, await body)
            # What a client has begun is done to its end, though the client be gone; a poll is given up with it.
            return response(request, await asyncio.shield(self._to_its_end(body)))

    def _to_its_end(self, body: Coroutine[None, None, str]) -> asyncio.Task[str]:
        task = asyncio.create_task(body)
        self._unfinished.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[str]) -> None:
        self._unfinished.discard(task)
        if not task.cancelled():
            task.exception()  # told to the client, where it is still there

    def kill(self, request: Request, caller: Caller) -> None:
        """Let the engine of the shell that a request selects die.

        Raises:
            Faulted: it selects none.

        """
        self._shell(request, caller).abort()

    async def _body(self, request: Request, caller: Caller, mangle: Mangle | None) -> str:
        match request.action.rpartition("/transfer/")[2]:
            case "Create":
                return await self._create(request, caller)
            case "Delete":
                return await self._delete(self._shell(request, caller))
            case "Get":
                return self._get(request, caller)
        operation = self._operations.get(request.action)
        if operation is None and request.action != _RECEIVE:
            raise Faulted(not_supported(request.action))
        shell = self._shell(request, caller, though_lost=operation is None)
        shell.busy += 1
        try:
            if operation is None:
                return await self._receive(shell, request, mangle)
            return await operation(shell, request)
        finally:
            shell.busy -= 1
            shell.touch()

    async def _create(self, request: Request, caller: Caller) -> str:
        configuration = self.settings.configuration(request.resource_uri)
        if configuration is None:
            raise Faulted(no_configuration(request.resource_uri))
        asked = request.find("rsp:Shell")
        creation = request.find("rsp:Shell/pwsh:creationXml")
        if asked is None or creation is None:
            raise Faulted(INVALID_PARAMETER)
        opening = _decoded(creation.text)
        # The pool's id is in the head of its first message (MS-PSRP 2.2.1), behind the head of the fragment.
        wanted = asked.get("ShellId") or str(UUID(bytes_le=opening[29:45])).upper()
        identity = _uuid(wanted)
        if identity in self.shells:
            raise Faulted(INVALID_PARAMETER)
        self._check_quotas(caller.user)
        idle = seconds(asked.findtext(f"{{{SHELL}}}IdleTimeOut", ""), self.settings.quotas.idle_timeout)
        name = asked.findtext(f"{{{SHELL}}}Name", "")
        facts = ShellFacts(wanted, configuration.resource_uri, caller.user, caller.address, idle, name)
        shell = Shell(facts, configuration, self.settings.engine())
        self.shells[identity] = shell
        try:
            await shell.open(identity, opening)
        except BaseException as problem:
            del self.shells[identity]
            await self._end(shell)
            if isinstance(problem, HostError):
                raise Faulted(Fault(0x80070002, f"The engine did not start: {problem}")) from None
            raise
        self._counters.shells_opened += 1
        return (
            f"<x:ResourceCreated><a:Address>{escape(request.to)}</a:Address><a:ReferenceParameters>"
            f"<w:ResourceURI>{escape(configuration.resource_uri)}</w:ResourceURI><w:SelectorSet>"
            f'<w:Selector Name="ShellId">{wanted}</w:Selector></w:SelectorSet></a:ReferenceParameters>'
            f"</x:ResourceCreated>{shell_xml(facts, shell.idle_for)}"
        )

    def _check_quotas(self, user: str) -> None:
        quotas = self.settings.quotas
        owners = Counter(shell.facts.owner for shell in self.shells.values() if not shell.lost)
        if owners[user] >= quotas.max_shells_per_user:
            raise Faulted(too_many_shells(quotas.max_shells_per_user))
        if user not in owners and len(owners) >= quotas.max_concurrent_users:
            raise Faulted(too_many_users(quotas.max_concurrent_users))

    async def _delete(self, shell: Shell) -> str:
        del self.shells[_uuid(shell.facts.identity)]
        await self._end(shell)
        return ""

    async def _end(self, shell: Shell) -> None:
        """End a shell that is no longer among the others; one whose end was cut short is known to :meth:`close`."""
        self._ending.add(shell)
        await shell.close()
        self._ending.discard(shell)

    def _get(self, request: Request, caller: Caller) -> str:
        if request.resource_uri.rstrip("/") == _CONFIG:
            return config_xml(self.settings.quotas)
        if request.resource_uri == SHELL:
            shell = self._shell(request, caller)
            return shell_xml(shell.facts, shell.idle_for)
        raise Faulted(no_configuration(request.resource_uri))

    async def _command(self, shell: Shell, request: Request) -> str:
        line = request.find("rsp:CommandLine")
        if line is None:
            raise Faulted(INVALID_PARAMETER)
        name = line.get("CommandId") or str(uuid4()).upper()
        creation = _decoded(line.findtext(f"{{{SHELL}}}Arguments"))
        await shell.start(_uuid(name), name, creation)
        self._counters.pipelines += 1
        return f"<rsp:CommandResponse><rsp:CommandId>{name}</rsp:CommandId></rsp:CommandResponse>"

    async def _send(self, shell: Shell, request: Request) -> str:
        sent = request.find("rsp:Send")
        if sent is None:
            raise Faulted(INVALID_PARAMETER)
        for stream in sent.iterfind(f"{{{SHELL}}}Stream"):
            name = stream.get("CommandId")
            pipeline = _uuid(name) if name else None
            await shell.send(_decoded(stream.text), pipeline, prompt=stream.get("Name") == "pr")
        return "<rsp:SendResponse/>"

    async def _receive(self, shell: Shell, request: Request, mangle: Mangle | None) -> str:
        desired = request.find("rsp:Receive/rsp:DesiredStream")
        if desired is None:
            raise Faulted(INVALID_PARAMETER)
        name = desired.get("CommandId", "")
        output = shell.command(_uuid(name)).output if name else shell.output
        if self.settings.manners is Manners.OMI:
            return await self._received(name, output, request, mangle)
        if output.kept is not None and output.kept[0] == request.message_id:
            return output.kept[1]
        if output.done:
            raise Faulted(NO_COMMAND)
        body = await self._received(name, output, request, mangle)
        output.kept = request.message_id, body
        return body

    async def _received(self, name: str, output: Output, request: Request, mangle: Mangle | None) -> str:
        fragments = await self._take(output, request)
        if mangle is not None and fragments:
            fragments = mangle(fragments)
        streams = "".join(
            f'<rsp:Stream Name="stdout"{attribute("CommandId", name)}>{b64encode(each).decode()}</rsp:Stream>'
            for each in fragments
        )
        return f"<rsp:ReceiveResponse>{streams}{self._state(name, output)}</rsp:ReceiveResponse>"

    async def _take(self, output: Output, request: Request) -> list[bytes]:
        """Output for one answer; an idle poll is a fault with Windows and empty with OMI (remoting.md 12)."""
        limit = min(request.operation_timeout, self.settings.quotas.operation_timeout)
        if not await output.wait(max(limit - _EARLY, limit / 2)):
            if self.settings.manners is Manners.OMI:
                return []
            raise Faulted(TIMED_OUT)
        fragments = output.take(request.most_bytes - _ENVELOPE_ROOM)
        if not fragments and not output.done:
            raise Faulted(ENVELOPE_TOO_LARGE)
        return fragments

    def _state(self, name: str, output: Output) -> str:
        """Running, or Done in the answer that has the last output; OMI says Running to the end."""
        if not name:
            return ""
        done = output.done and self.settings.manners is Manners.WINDOWS
        code = "<rsp:ExitCode>0</rsp:ExitCode>" if done else ""
        state = "Done" if done else "Running"
        return f'<rsp:CommandState CommandId="{name}" State="{_STATE}/{state}">{code}</rsp:CommandState>'

    async def _signal(self, shell: Shell, request: Request) -> str:
        signal = request.find("rsp:Signal")
        if signal is None:
            raise Faulted(INVALID_PARAMETER)
        pipeline = _uuid(signal.get("CommandId", ""))
        if signal.findtext(f"{{{SHELL}}}Code", "").strip() == STOP:
            await shell.stop(pipeline)
        else:
            await shell.close_command(pipeline)
        return "<rsp:SignalResponse/>"

    def _shell(self, request: Request, caller: Caller, *, though_lost: bool = False) -> Shell:
        """The shell that a request selects; only who made it may use it.

        ``though_lost``: what an engine said before it died by itself can still be had; the output's end tells of it.
        """
        try:
            shell = self.shells[UUID(request.selectors.get("ShellId", ""))]
        except (KeyError, ValueError):
            raise Faulted(NO_SHELL) from None
        if shell.lost and not though_lost:
            raise Faulted(NO_SHELL)
        if shell.facts.owner != caller.user:
            raise Faulted(ACCESS_DENIED)
        return shell

    @contextmanager
    def _counted(self, user: str) -> Iterator[None]:
        limit = self.settings.quotas.max_concurrent_operations_per_user
        if self._under_way[user] >= limit:
            raise Faulted(too_many_operations(limit))
        self._under_way[user] += 1
        try:
            yield
        finally:
            self._under_way[user] -= 1

    async def _sweep(self) -> None:
        """End shells whose idle timeout has run out, and forget those whose engine has died."""
        while True:
            await asyncio.sleep(_SWEEP)
            over = [
                identity
                for identity, shell in self.shells.items()
                if shell.lost or shell.idle_for > shell.facts.idle_timeout
            ]
            await asyncio.gather(*[self._end(self.shells.pop(identity)) for identity in over])


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Faulted(INVALID_PARAMETER) from None


def _decoded(text: str | None) -> bytes:
    try:
        return b64decode(text or "", validate=True)
    except Base64Error:
        raise Faulted(INVALID_PARAMETER) from None
