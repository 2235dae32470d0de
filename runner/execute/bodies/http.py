"""The ``http`` body: a request from the controller; nothing is sent to the host."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from runner.engine.result import Failure
from runner.errors import ExecutionFailed
from runner.execute import rendered
from runner.execute.bodies import web
from runner.execute.done import Done
from runner.execute.site import Site
from runner.playbook.bodies import HttpBody
from runner.values import Secret
from runner.variables.filters import plain_json

TIMEOUT = 30.0
"""Seconds that a request may take where the author says nothing."""

_EXCERPT = 200


class HttpRun:
    """One request for one host; a :class:`runner.execute.done.Body`."""

    def __init__(self, site: Site, body: HttpBody) -> None:
        self._site = site
        self._body = body
        self._request = _request(site, body)

    async def open(self) -> None:
        """Connects when it sends."""

    async def run(self) -> Done:
        """Send it and judge the answer's status."""
        self._site.guard.progress.sent = True
        try:
            answer = await web.ask(self._request)
        except web.WebFailed as error:
            return Done(failure=error.failure, judged=False)
        if any(low <= answer.status <= high for low, high in self._body.statuses):
            return Done(output=answer.output)
        accepted = ", ".join(
            str(low) if low == high else f"{low}-{high}" for low, high in self._body.statuses
        )
        message = f"{self._request.shown} was answered with {answer.status}, accepted is {accepted}"
        failure = Failure("http-status", message + _said(answer), may_have_run=True, hints=_hints(answer))
        return Done(output=answer.output, failure=failure)

    async def close(self) -> None:
        """Holds nothing."""

    def partial(self) -> Done:
        """An answer counts when all of it is there."""
        return Done(judged=False)


def _request(site: Site, body: HttpBody) -> web.WebRequest:
    scope = site.scope
    url = rendered.text(scope, body.url, "`url`")
    if not url:
        raise ExecutionFailed("http-failed", "`url` is empty", phase="plan")
    headers = rendered.mapping_of_texts(scope, body.headers, "headers")
    content: bytes | None = None
    if body.json is not None:
        content = _json(scope.render(body.json))
        if not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = "application/json"
    elif body.body is not None:
        content = rendered.text(scope, body.body, "`body`").encode(errors="surrogateescape")
    for name, value in headers.items():
        if any(character in name + value for character in "\r\n\0"):
            message = f"`headers.{name}` holds a line break or a NUL, which no header may"
            raise ExecutionFailed("value-type", message, phase="plan")
    return web.WebRequest(
        url=url,
        method=body.method.upper(),
        headers=headers,
        content=content,
        timeout=TIMEOUT if body.timeout is None else body.timeout,
    )


def _json(value: Any) -> bytes:
    try:
        return json.dumps(value, default=_plain, ensure_ascii=False).encode(errors="surrogateescape")
    except (TypeError, ValueError) as error:
        raise ExecutionFailed("value-type", f"`json` has no JSON form: {error}", phase="plan") from error


def _plain(value: object) -> object:
    return value.reveal() if isinstance(value, Secret) else plain_json(value)


def _said(answer: web.WebAnswer) -> str:
    """The beginning of what the answer says of the reason."""
    body: object = answer.document if answer.is_json else answer.body
    if isinstance(body, bytes) or body in ("", None):
        return ""
    text = json.dumps(body, ensure_ascii=False) if isinstance(body, Mapping | list) else str(body)
    line = " ".join(text.split())
    return f": {line[:_EXCERPT]}{'…' if len(line) > _EXCERPT else ''}"


def _hints(answer: web.WebAnswer) -> tuple[str, ...]:
    location = answer.headers.get("location")
    if location is None:
        return ()
    return (f"it is redirected to `{location}`; only GET and HEAD follow, so write that URL",)
