"""One open carrier of each kind to the hosts of :mod:`benchmarks.powershell_hosts`, by name."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

from benchmarks.powershell_hosts import PASSWORD, USER, Hosts
from runner.psrp.out_of_process import OutOfProcessCarrier
from runner.transport.carrier import Carrier
from runner.transport.endpoint import Authentication, Endpoint, SessionOptions, WinrmSettings
from runner.transport.local import LocalConnection
from runner.transport.port import Login, Process, Receiver
from runner.transport.ssh import SshTransport
from runner.transport.winrm_uris import resource_uri
from runner.values import Secret
from runner.wsman.transport import WinrmTransport

LOGIN = Login(username=USER, password=Secret(PASSWORD))
Opener = Callable[[Hosts], AbstractAsyncContextManager[Callable[[], Carrier]]]


@asynccontextmanager
async def process(hosts: Hosts) -> AsyncIterator[Callable[[], Carrier]]:
    """A child process for each carrier."""
    os.environ["RECORDINGS"] = str(hosts.folder / "recordings")
    here = LocalConnection(Endpoint(host="here", transport="local"))
    argv = (sys.executable, "-m", "benchmarks.powershell_hosts", "-s")
    yield lambda: OutOfProcessCarrier(lambda receiver: here.start(argv, receiver), description="the endpoint")


@asynccontextmanager
async def ssh(hosts: Hosts) -> AsyncIterator[Callable[[], Carrier]]:
    """A subsystem for each carrier, over one connection."""
    transport = SshTransport(environment={})
    endpoint = Endpoint(
        host="here",
        transport="ssh",
        address="127.0.0.1",
        port=hosts.ssh,
        user=USER,
        key_files=(str(hosts.folder / "id_ed25519"),),
        known_hosts=str(hosts.folder / "known_hosts"),
    )
    connection = await transport.connect(endpoint, None)

    async def start(receiver: Receiver) -> Process:
        return await connection.start_subsystem("powershell", receiver)

    yield lambda: OutOfProcessCarrier(start, description="the subsystem")
    await connection.close()
    await transport.close()


@asynccontextmanager
async def winrm(
    hosts: Hosts, *, tls: bool = False, authentication: Authentication = Authentication.BASIC
) -> AsyncIterator[Callable[[], Carrier]]:
    """A shell for each carrier, each over a wire of its own, as each host has one."""
    transport = WinrmTransport()
    endpoint = winrm_endpoint(hosts, tls=tls, authentication=authentication)
    link = await transport.connect(endpoint, LOGIN)
    yield link.carrier
    await link.close()
    await transport.close()


def winrm_endpoint(hosts: Hosts, *, tls: bool, authentication: Authentication) -> Endpoint:
    """The endpoint over http or https; Basic goes bare over http."""
    os.environ["SSL_CERT_FILE"] = str(hosts.folder / "ca.pem")
    scheme, port = ("https", hosts.https) if tls else ("http", hosts.http)
    bare = not tls and authentication is Authentication.BASIC
    return Endpoint(
        host="here",
        transport="winrm",
        address="127.0.0.1",
        port=port,
        session_options=SessionOptions(no_encryption=bare),
        winrm=WinrmSettings(
            url=f"{scheme}://127.0.0.1:{port}/wsman",
            resource_uri=resource_uri(),
            authentication=authentication,
            trusted_hosts=("*",),
        ),
    )


CARRIERS: dict[str, Opener] = {
    "process": process,
    "ssh": ssh,
    "winrm": winrm,
    "winrm-tls": partial(winrm, tls=True),
    "winrm-ntlm": partial(winrm, authentication=Authentication.NEGOTIATE),
}
