"""Troubles over HTTP: ``runner lab trouble`` and ``certificate`` tell a host of a running lab what is to go wrong."""

from __future__ import annotations

import hmac
import http.client
import json
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from runner.errors import UsageError
from runner.lab.certificates import Flaw
from runner.lab.directory import LabDirectory, uses_tls
from runner.lab.fleet import WINDOWS
from runner.lab.http_server import HttpRequest, HttpResponse
from runner.lab.state import read_state
from runner.lab.troubles import Kind, Trouble, Troubles

CONTROL_PATH = "/runner-lab/troubles"
_TOKEN = "x-runner-lab-token"  # noqa: S105 - the name of a header


def _word(text: str) -> str:
    if not text:
        raise ValueError("it has no value")
    return text


_DETAILS: Mapping[str, Callable[[str], object]] = MappingProxyType(
    {"on": _word, "skip": int, "times": int, "seconds": float, "location": _word, "code": int}
)
_TIMEOUT = 10.0  # seconds; the lab is on this machine


def read_trouble(kind: str, details: Sequence[str]) -> Trouble:
    """A trouble as a command line says it: ``on=Receive seconds=2``; ``times=0`` is always.

    Raises:
        UsageError: a detail is no ``key=value``, has an unknown key or no number where one is needed.

    """
    given: dict[str, Any] = {}
    for detail in details:
        key, _, value = detail.partition("=")
        try:
            given[key] = _DETAILS.get(key, _unknown)(value)
        except ValueError as error:
            raise UsageError(
                "lab-trouble-refused",
                f"`{detail}` says nothing about a trouble: {error}",
                hints=("write `runner lab trouble win-01 delay on=Receive seconds=2`",),
            ) from None
    if given.get("times") == 0:
        given["times"] = None
    return Trouble(kind=Kind(kind), **given)


def _unknown(value: str) -> object:
    raise ValueError(f"known are {', '.join(_DETAILS)}")


class Troubled(Protocol):
    """A host that can be told what is to go wrong."""

    @property
    def troubles(self) -> Troubles:
        """What befalls its requests."""

    def present(self, flaw: Flaw) -> None:
        """Have a certificate with a flaw; ValueError where it has none at all."""


def answer_call(request: HttpRequest, token: str | None, host: Troubled) -> HttpResponse:
    """Add the trouble that a POST brings, or change the certificate; a DELETE makes all good again.

    Who has not the lab's token is told that there is nothing.
    """
    given = request.headers.get(_TOKEN, "")
    if token is None or not hmac.compare_digest(given.encode(), token.encode()):
        return HttpResponse(HTTPStatus.NOT_FOUND)
    if request.method == "DELETE":
        host.troubles.clear()
        return HttpResponse(HTTPStatus.NO_CONTENT)
    try:
        wanted = json.loads(request.body)
        if "certificate" in wanted:
            host.present(Flaw(wanted["certificate"]))
        else:
            host.troubles.add(Trouble(**{**wanted, "kind": Kind(wanted["kind"])}))
    except (ValueError, TypeError, KeyError) as error:
        return HttpResponse(HTTPStatus.BAD_REQUEST, str(error).encode())
    return HttpResponse(HTTPStatus.NO_CONTENT)


def lab_trouble(name: str, trouble: Trouble | None, directory: Path) -> None:
    """Have a Windows-like host of the lab in ``directory`` meet a trouble; None takes back all that are still to come.

    Raises:
        UsageError: no lab is up there, it has no such host, or the host does not take the trouble.

    """
    _tell(name, None if trouble is None else asdict(trouble), directory)


def lab_certificate(name: str, flaw: Flaw, directory: Path) -> None:
    """Have a Windows-like host that speaks https present a certificate with a flaw, or a good one.

    Raises:
        UsageError: no lab is up there, it has no such host, or that one speaks http.

    """
    _tell(name, {"certificate": flaw}, directory)


def _tell(name: str, wanted: Mapping[str, object] | None, directory: Path) -> None:
    """Tell a host.

    Raises:
        UsageError: no lab is up there, it has no such host, or the host does not take the trouble.

    """
    state = read_state(LabDirectory(directory.absolute()))
    served = next((each for each in state.hosts if each.host.name == name), None)
    if served is None or served.host.group != WINDOWS:
        known = ", ".join(each.host.name for each in state.hosts if each.host.group == WINDOWS)
        raise UsageError(
            "lab-no-such-host",
            f"the lab has no Windows-like host `{name}`",
            hints=(f"it has {known}" if known else "start them: `runner lab up 5 --windows 4`",),
        )
    try:
        _call(served.port, state.token, wanted, tls=uses_tls(served.host))
    except ValueError as error:
        raise UsageError(
            "lab-trouble-refused",
            f"`{name}` does not take that trouble: {error}",
            hints=("`runner lab trouble --help` says what befalls what",),
        ) from error


def _call(port: int, token: str, wanted: Mapping[str, object] | None, *, tls: bool) -> None:
    """Tell a host at a port of 127.0.0.1, or have it forget its troubles where ``wanted`` is None.

    Raises:
        OSError: the host does not answer.
        ValueError: it does not take what is wanted; the message says why.

    """
    connection: http.client.HTTPConnection
    if tls:
        # Its certificate may be a bad one by now, which is the point of it; the port is that of the lab's own state.
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=_TIMEOUT, context=context)
    else:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)
    try:
        body = None if wanted is None else json.dumps(wanted)
        connection.request("DELETE" if body is None else "POST", CONTROL_PATH, body, {_TOKEN: token})
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    if answer.status != HTTPStatus.NO_CONTENT:
        raise ValueError(text or f"status {answer.status}")
