"""The ``wait_for`` body: look until a port answers, a path exists, a URL answers or a condition holds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from runner.engine.observe import Waits
from runner.engine.result import Failure
from runner.errors import ConnectionLost, ExecutionFailed, Unreachable
from runner.execute import rendered
from runner.execute.bodies import wait_scripts, web
from runner.execute.bodies.conditions import ConditionRun
from runner.execute.bodies.talk import HostTalk, Said
from runner.execute.bodies.waiting import Waiting
from runner.execute.bodies.web import system_words
from runner.execute.done import Done
from runner.execute.site import Site
from runner.playbook.bodies import WaitForBody
from runner.units import format_duration

LONGEST_LOOK = 10.0
"""Seconds that one look may take; a host that drops packets answers nothing at all."""

_SHORTEST_LOOK = 1.0

_CONTROLLER = "controller"

_ELSEWHERE = (
    "the controller looked; where the host itself can see it and the controller cannot, write `from: host`"
)


class WaitForRun:
    """One ``wait_for`` on one host; a :class:`runner.execute.done.Body`.

    Between two looks it holds no throttle slot. A host that looks and cannot be reached does not see it yet.
    """

    def __init__(self, site: Site, body: WaitForBody) -> None:
        self._site = site
        self._body = body
        self._talk = HostTalk(site, in_session=False)
        self._condition = None if body.that is None else ConditionRun(site, body.that, "wait_for.that")
        self._what, self._look = self._prepared()

    async def open(self) -> None:
        """Connects when it looks: that a host does not answer yet is what may be waited for."""

    async def run(self) -> Done:
        """Look until it is so, or the time is over."""
        clock, body = self._site.services.clock, self._body
        begin, tries = clock.monotonic(), 0
        waiting = Waiting(self._site, Waits.CONDITION, body.timeout)
        while True:
            last, left = waiting.over, waiting.left or 0.0
            tries += 1
            missing = await self._look(max(_SHORTEST_LOOK, min(LONGEST_LOOK, left)))
            if missing is None:
                output = {"elapsed": round(clock.monotonic() - begin, 3), "tries": tries}
                return Done(output=output, waited=waiting.waited)
            if last:
                return self._timed_out(missing, tries, waiting)
            await waiting.pause(body.interval, f"{self._what}: {missing}")

    async def close(self) -> None:
        """Close what the host looked with."""
        await self._talk.close()
        if self._condition is not None:
            await self._condition.close()

    def partial(self) -> Done:
        """Nothing comes piece by piece."""
        return Done(judged=False)

    def _timed_out(self, missing: str, tries: int, waiting: Waiting) -> Done:
        limit, looked = format_duration(self._body.timeout), "look" if tries == 1 else "looks"
        message = f"{self._what} was waited for {limit} in vain ({tries} {looked}); last seen: {missing}"
        body = self._body
        seen_here = body.origin == _CONTROLLER and (body.port is not None or body.url is not None)
        failure = Failure("wait-timeout", message, hints=(_ELSEWHERE,) if seen_here else ())
        return Done(failure=failure, judged=False, waited=waiting.waited)

    def _prepared(self) -> tuple[str, Callable[[float], Awaitable[str | None]]]:
        """What is waited for in words, and a look at it: it may take so many seconds, and says what is missing."""
        body, scope, here = self._body, self._site.scope, self._body.origin == _CONTROLLER
        if body.port is not None:
            address, port = self._address() if here else "127.0.0.1", self._port()
            shown = f"port {port} of {self._site.placement.host}"
            if here:
                return shown, lambda limit: self._port_from_here(address, port, limit)
            return shown, lambda limit: self._port_from_host(address, port, limit)
        if body.path is not None:
            path = rendered.text(scope, body.path, "`path`")
            if not path:
                raise ExecutionFailed("wait-what", "`path` is empty", phase="plan")
            if here:
                local = rendered.controller_path(body.path, path)
                return f"`{path}` here", lambda _: _exists(local)
            return f"`{path}` on the host", lambda limit: self._path_on_host(path, limit)
        if body.url is not None:
            url = rendered.text(scope, body.url, "`url`")
            if not url:
                raise ExecutionFailed("wait-what", "`url` is empty", phase="plan")
            shown = web.WebRequest(url=url).shown
            if here:
                return shown, lambda limit: self._url_from_here(url, limit)
            return shown, lambda limit: self._url_from_host(url, limit)
        return "the condition", self._that

    def _address(self) -> str:
        endpoint = self._site.placement.endpoint
        return endpoint.address or ("localhost" if endpoint.transport == "local" else endpoint.host)

    def _port(self) -> int:
        text = rendered.text(self._site.scope, self._body.port, "`port`")
        if not text.isascii() or not text.isdecimal() or not 0 < int(text) < 65536:
            raise ExecutionFailed("wait-what", f"`port` is a number from 1 to 65535: `{text}`", phase="plan")
        return int(text)

    async def _that(self, limit: float) -> str | None:
        del limit  # a condition's script may take what it takes; the step's `timeout` bounds it
        return None if self._condition is None else await self._condition.missing()

    async def _port_from_here(self, address: str, port: int, limit: float) -> str | None:
        """From the controller, or from the jump host of a host that stands behind one."""
        services, endpoint = self._site.services, self._site.placement.endpoint
        try:
            async with asyncio.timeout(limit):
                if await services.connections.knock(endpoint, address, port):
                    return None
        except TimeoutError:
            return f"no answer within {format_duration(round(limit, 1))}"
        except Unreachable as error:
            return error.message.removesuffix("; nothing was run")
        return await _connect(address, port, limit)

    async def _port_from_host(self, address: str, port: int, limit: float) -> str | None:
        words = [address, str(port), f"{limit:.0f}"]
        said = await self._ask(wait_scripts.PORT, wait_scripts.PORT_POWERSHELL, words)
        return None if said.ok else _complaint(said)

    async def _path_on_host(self, path: str, limit: float) -> str | None:
        del limit
        said = await self._ask(wait_scripts.PATH, wait_scripts.PATH_POWERSHELL, [path])
        return None if said.ok else _complaint(said)

    async def _url_from_host(self, url: str, limit: float) -> str | None:
        said = await self._ask(wait_scripts.URL, wait_scripts.URL_POWERSHELL, [url, f"{limit:.0f}"])
        return self._status(int(said.output)) if said.ok and said.output.isdecimal() else _complaint(said)

    async def _url_from_here(self, url: str, limit: float) -> str | None:
        try:
            answer = await web.ask(web.WebRequest(url=url, timeout=limit))
        except web.WebFailed as error:
            return error.failure.message
        return self._status(answer.status)

    def _status(self, status: int) -> str | None:
        low, high = self._body.status
        return None if low <= status <= high else f"it was answered with {status}"

    async def _ask(self, script: str, powershell: str, words: list[str]) -> Said:
        try:
            return await self._talk.ask(script, powershell, words)
        except (Unreachable, ConnectionLost) as error:
            return Said(ok=False, complaint=error.message)


def _complaint(said: Said) -> str:
    lines = (said.complaint or said.output).splitlines()
    return lines[-1].strip() if lines else "it is not so"


async def _connect(address: str, port: int, limit: float) -> str | None:
    """None where the port answers, else why not."""
    try:
        async with asyncio.timeout(limit):
            _, writer = await asyncio.open_connection(address, port)
    except TimeoutError:
        return f"no answer within {format_duration(round(limit, 1))}"
    except OSError as error:
        return system_words(error)
    writer.transport.abort()  # nothing was said, so there is nothing to wait for
    return None


async def _exists(path: Path) -> str | None:
    return None if await asyncio.to_thread(path.exists) else "it is not there"
