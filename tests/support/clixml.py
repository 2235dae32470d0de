"""CLIXML through psrpcore's own serializer, as it goes over the wire: always by way of text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID
from xml.etree import ElementTree as ET

from psrpcore import PSRPEvent
from psrpcore.types import PSCryptoProvider, PSRPMessageType, deserialize, serialize

from runner.psrp.from_ps import from_ps
from runner.psrp.to_ps import to_ps

RECORDINGS = Path(__file__).parents[1] / "recordings"


class Reversing(PSCryptoProvider):
    """Stands for the session key: what it encrypts cannot be read by looking at it, and comes back."""

    def encrypt(self, value: str) -> str:
        """The text backwards, in hexadecimal."""
        return value[::-1].encode("utf-16-le", "surrogatepass").hex()

    def decrypt(self, value: str) -> str:
        """What was encrypted."""
        return bytes.fromhex(value).decode("utf-16-le", "surrogatepass")[::-1]


def written(value: Any) -> str:
    """The CLIXML in which a Python value is sent."""
    return ET.tostring(serialize(to_ps(value), Reversing()), encoding="unicode")


def read(clixml: str) -> Any:
    """What psrpcore makes of CLIXML."""
    return deserialize(ET.fromstring(clixml.lstrip("\ufeff")), Reversing())


def there_and_back(value: Any) -> Any:
    """A value sent, and sent back as it was."""
    return from_ps(read(written(value)), lambda secret: secret.decrypt())


def server_records(recording: str, *names: str) -> Iterator[Any]:
    """The records that psrpcore gives of a recording's messages of these names; of a pipeline's state its reason."""
    document = json.loads((RECORDINGS / "server" / f"{recording}.json").read_text(encoding="utf-8"))
    nobody = UUID(int=0)
    for packet in document["transcript"]:
        for message in packet.get("messages") or ():
            if packet["dir"] == "S" and message["name"] in names:
                kind = PSRPMessageType(int(message["type"], 16))
                event: Any = PSRPEvent.create(kind, read(message["clixml"]), nobody, nobody)
                record = event.reason if kind is PSRPMessageType.PipelineState else event.record
                if record is not None:
                    yield record
