"""Troubles over HTTP: ``runner lab trouble`` tells a host of a running lab what is to go wrong."""

from __future__ import annotations

import hmac
import http.client
import json
import ssl
from dataclasses import asdict
from http import HTTPStatus
from pathlib import Path

from runner.errors import UsageError
from runner.lab.directory import LabDirectory, uses_tls
from runner.lab.fleet import WINDOWS
from runner.lab.http_server import HttpRequest, HttpResponse
from runner.lab.state import read_state
from runner.lab.troubles import Kind, Trouble, Troubles

CONTROL_PATH = "/runner-lab/troubles"
_TOKEN = "x-runner-lab-token"  # noqa: S105 - the name of a header
_TIMEOUT = 10.0  # seconds; the lab is on this machine


def answer_call(request: HttpRequest, token: str | None, troubles: Troubles) -> HttpResponse:
    """Add the trouble that a POST brings, or forget all of them with a DELETE; 404 for who has not the lab's token."""
    given = request.headers.get(_TOKEN, "")
    if token is None or not hmac.compare_digest(given.encode(), token.encode()):
        return HttpResponse(HTTPStatus.NOT_FOUND)
    if request.method == "DELETE":
        troubles.clear()
        return HttpResponse(HTTPStatus.NO_CONTENT)
    try:
        wanted = json.loads(request.body)
        troubles.add(Trouble(**{**wanted, "kind": Kind(wanted["kind"])}))
    except (ValueError, TypeError, KeyError) as error:
        return HttpResponse(HTTPStatus.BAD_REQUEST, str(error).encode())
    return HttpResponse(HTTPStatus.NO_CONTENT)


def lab_trouble(name: str, trouble: Trouble | None, directory: Path) -> None:
    """Have a Windows-like host of the lab in ``directory`` meet a trouble; None lets everything go well again.

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
    authority = state.directory.authority if uses_tls(served.host) else None
    try:
        _call(served.port, state.token, trouble, authority)
    except ValueError as error:
        raise UsageError(
            "lab-trouble-refused",
            f"`{name}` does not take that trouble: {error}",
            hints=("name the operation it befalls: `--on Receive`",),
        ) from error


def _call(port: int, token: str, trouble: Trouble | None, authority: Path | None) -> None:
    """Tell a host.

    Args:
        port: of 127.0.0.1.
        token: the lab's.
        trouble: None clears.
        authority: certificates to trust, of a host that speaks https; None is http.

    Raises:
        OSError: the host does not answer.
        ValueError: it does not take the trouble; the message says why.

    """
    connection: http.client.HTTPConnection
    if authority is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)
    else:
        context = ssl.create_default_context(cafile=str(authority))
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=_TIMEOUT, context=context)
    try:
        body = None if trouble is None else json.dumps(asdict(trouble))
        connection.request("DELETE" if body is None else "POST", CONTROL_PATH, body, {_TOKEN: token})
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    if answer.status != HTTPStatus.NO_CONTENT:
        raise ValueError(text or f"status {answer.status}")
