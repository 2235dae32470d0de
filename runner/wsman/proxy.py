"""The proxy of a WinRM connection: which one, and how it is asked to connect us through.

Every proxy is asked to CONNECT, for http too: a login by Negotiate or CredSSP belongs to one connection from end to
end, which a proxy that forwards single requests does not give.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

import spnego

from runner.transport.endpoint import ProxySettings
from runner.transport.port import Login
from runner.values import Secret
from runner.wsman.authentication_steps import context_errors, offers, step, token_of
from runner.wsman.http_answer import Response
from runner.wsman.http_connection import HttpBroken, HttpConnection
from runner.wsman.http_errors import Attempt

_DEFAULT_PORT = 8080  # WinHTTP's, where an address has none
_PROXY_AUTHENTICATION_REQUIRED = 407


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy; as a text it is its address alone.

    ``authentication`` is ``basic``, ``negotiate`` or ``digest``; only used where the proxy asks for a login.
    """

    host: str
    port: int
    authentication: str = "negotiate"
    username: str | None = None
    password: Secret | None = field(default=None, repr=False)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def proxy_for(
    url: str,
    settings: ProxySettings | None,
    login: Login | None,
    environment: Mapping[str, str],
    attempt: Attempt,
) -> Proxy | None:
    """The proxy for ``url``, None for none.

    ``ieconfig``, ``winhttpconfig`` and ``autodetect`` name stores of Windows; their meaning here is what the
    environment says: HTTPS_PROXY or HTTP_PROXY by the scheme, ALL_PROXY, and NO_PROXY; small letters win.

    Raises:
        Unreachable: ``proxy-unsupported``.

    """
    if settings is None or settings.access.replace("_", "").lower() in {"none", "noproxyserver"}:
        return None
    parts = urlsplit(url)
    proxies = {name: value for key, value in environment.items() if (name := _scheme(key)) and value}
    proxies |= {name: value for key, value in environment.items() if key.islower() and (name := _scheme(key))}
    address = proxies.get(parts.scheme) or proxies.get("all")
    if not address or _goes_direct(parts.hostname or "", parts.port, proxies.get("no", "")):
        return None
    there = urlsplit(address if "://" in address else f"http://{address}")
    if there.scheme != "http" or not there.hostname:
        raise attempt.unreachable(
            "proxy-unsupported",
            f"the proxy for `{attempt.host}` is reached by `{there.scheme}`, which the runner cannot do",
            "name an http:// proxy in HTTPS_PROXY or HTTP_PROXY",
        )
    port = there.port or _DEFAULT_PORT
    if login is not None and login.username is not None:
        return Proxy(there.hostname, port, settings.authentication.lower(), login.username, login.password)
    if there.username is not None:  # in the address itself, which only Basic knows
        password = Secret(unquote(there.password or ""))
        return Proxy(there.hostname, port, "basic", unquote(there.username), password)
    return Proxy(there.hostname, port, settings.authentication.lower())


def _scheme(variable: str) -> str:
    name, underscore, rest = variable.lower().rpartition("_")
    return name if underscore and rest == "proxy" else ""


def _goes_direct(host: str, port: int | None, exceptions: str) -> bool:
    """Whether NO_PROXY names the host: itself, a domain it is in, either with a port, or ``*`` for all."""
    for exception in exceptions.replace(",", " ").lower().split():
        name, _, only = exception.rpartition(":") if exception.count(":") == 1 else (exception, "", "")
        name = name.lstrip("*").lstrip(".").strip("[]")
        if only and only != str(port):
            continue
        if not name or host.lower() == name or host.lower().endswith(f".{name}"):
            return True
    return False


async def connect_through(connection: HttpConnection, proxy: Proxy, target: str, attempt: Attempt) -> None:
    """Have ``proxy`` connect us with ``target`` (``host:port``).

    Raises:
        Unreachable: it does not.
        HttpBroken: the connection broke.

    """
    response = await _ask(connection, target)
    if response.status == _PROXY_AUTHENTICATION_REQUIRED:
        response = await _log_in(connection, proxy, target, response, attempt)
    if response.status // 100 != 2:
        raise attempt.unreachable(
            "proxy-refused",
            f"the proxy `{proxy}` does not connect to `{target}`: it answered {response.status}",
            "proxies often allow CONNECT to port 443 only; add the host to NO_PROXY where it can be reached directly",
        )


async def _ask(connection: HttpConnection, target: str, authorization: str = "") -> Response:
    headers = [("Host", target), ("User-Agent", "runner")]
    if authorization:
        headers.append(("Proxy-Authorization", authorization))
    return await connection.request("CONNECT", target, headers)


async def _log_in(
    connection: HttpConnection, proxy: Proxy, target: str, challenge: Response, attempt: Attempt
) -> Response:
    offered = offers(challenge, "proxy-authenticate")
    if proxy.authentication == "digest":
        raise _refused(attempt, proxy, offered, "`proxy_authentication: digest` is not supported")
    if proxy.username is None or proxy.password is None:
        raise _refused(attempt, proxy, offered, "no credential is given for it")
    if not connection.usable:
        raise HttpBroken("the proxy closed the connection when it asked for a login")
    if proxy.authentication == "basic":
        word = base64.b64encode(f"{proxy.username}:{proxy.password.reveal()}".encode()).decode("ascii")
        response = await _ask(connection, target, f"Basic {word}")
    else:
        response = await _negotiate(connection, proxy, target, attempt)
    if response.status == _PROXY_AUTHENTICATION_REQUIRED:
        raise _refused(
            attempt, proxy, offers(response, "proxy-authenticate") or offered, "it refused the login"
        )
    return response


async def _negotiate(connection: HttpConnection, proxy: Proxy, target: str, attempt: Attempt) -> Response:
    with context_errors(attempt, f"the proxy `{proxy}`"):
        password = proxy.password.reveal() if proxy.password is not None else None
        context = spnego.client(proxy.username, password, hostname=proxy.host, service="HTTP")
        token = await step(context, None)
        while True:
            word = base64.b64encode(token or b"").decode("ascii")
            response = await _ask(connection, target, f"Negotiate {word}")
            incoming = token_of(response, "Negotiate", "proxy-authenticate")
            if response.status != _PROXY_AUTHENTICATION_REQUIRED or not incoming:
                return response
            token = await step(context, incoming)
            if not token:
                return response


def _refused(attempt: Attempt, proxy: Proxy, offered: list[str], why: str) -> Exception:
    return attempt.unreachable(
        "proxy-login-refused",
        f"the proxy `{proxy}` wants a login, and {why}; it offers {', '.join(offered) or 'nothing'}",
        "set `proxy_credential:` and `proxy_authentication:` (basic or negotiate) of the session options",
    )
