"""The WSMan carrier keeps the contract of all carriers, over http and https, in front of the scripted engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from runner.lab.certificates import Flaw
from runner.lab.wsman_settings import Manners
from runner.transport.carrier import Carrier
from runner.transport.endpoint import Authentication, Endpoint, SessionOptions, WinrmSettings
from runner.transport.port import Login
from runner.transport.winrm_uris import resource_uri
from runner.values import Secret
from runner.wsman.transport import WinrmTransport
from tests.contract.carriers import CarrierContract, CarrierMaker
from tests.support.engines import scripted_command
from tests.support.winrm_lab import child, front_end


@pytest.fixture
async def carrier_maker(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[CarrierMaker]:
    """Carriers over a front end whose engine is started with the options of the last one; no shell stays there."""
    tls, manners = request.param
    options: list[str] = []

    def engine() -> Carrier:
        return child(tmp_path, scripted_command(*options))()

    async with front_end(engine=engine, tls=tls, manners=manners) as host:
        if tls is not None:
            monkeypatch.setenv("SSL_CERT_FILE", str(host.ca_file))
        transport = WinrmTransport()
        endpoint = Endpoint(
            host="web01",
            transport="winrm",
            session_options=SessionOptions(no_encryption=tls is None),
            winrm=WinrmSettings(
                url=host.url, resource_uri=resource_uri(), authentication=Authentication.BASIC
            ),
        )
        link = await transport.connect(endpoint, Login(username=host.user, password=Secret(host.password)))

        def make(*given: str) -> Carrier:
            options[:] = given
            return link.carrier()

        yield make
        await link.close()
        await transport.close()
        assert host.shells == 0


@pytest.mark.parametrize(
    "carrier_maker",
    [(None, Manners.OMI), (Flaw.NONE, Manners.WINDOWS)],
    indirect=True,
    ids=["http-omi", "https-windows"],
)
class TestWsman(CarrierContract):
    """Everything a pool does, over WinRM."""
