"""The keys of `$Using:` values: as PowerShell's own client makes them."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.using.keys import invariant_lower, keyed, keys_of
from runner.using.model import Shell, UsingReference
from runner.using.scan import scan

RECORDINGS = Path(__file__).parents[2] / "recordings"


def keys(text: str) -> list[str]:
    return [key for key, _ in keyed(scan(text, Shell.POWERSHELL))]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("$using:x", "JAB1AHMAaQBuAGcAOgB4AA=="),
        ("$Using:X", "JAB1AHMAaQBuAGcAOgB4AA=="),
        ("${using:x}", "JAB7AHUAcwBpAG4AZwA6AHgAfQA="),
        ("${using:x y}", "JAB7AHUAcwBpAG4AZwA6AHgAIAB5AH0A"),
        ("Get-Item @using:p", "QAB1AHMAaQBuAGcAOgBwAA=="),
        ("$using:x.Prop", "JAB1AHMAaQBuAGcAOgB4AC4AUAByAG8AcAA="),
        ("$using:x[0]", "JAB1AHMAaQBuAGcAOgB4AFsAMABdAA=="),
        ("$using:h['k']", "JAB1AHMAaQBuAGcAOgBoAFsAJwBrACcAXQA="),
        ("$using:env:PATH", "JAB1AHMAaQBuAGcAOgBlAG4AdgA6AHAAYQB0AGgA"),
        ("$using:Foo.Bar", "JAB1AHMAaQBuAGcAOgBGAG8AbwAuAEIAYQByAA=="),
    ],
)
def test_key_of_each_form(text: str, key: str) -> None:
    """Each form of an expression has the key that remoting.md 1.4 lists for it."""
    assert keys(text) == [key]


def test_one_key_for_spellings_of_one_name() -> None:
    """A name in several cases is one key; with braces it is another; a chain keeps its case and is a third."""
    assert len(keys("$using:x; $Using:X; $USING:x")) == 1
    assert len(keys("$using:x; ${using:x}")) == 2
    assert len(keys("$using:x.Prop; $using:X.Prop")) == 2


def test_name_beyond_ascii_has_both_keys() -> None:
    """A bare name beyond ASCII is sent lowered and as written, because engines lower it differently."""
    lowered, written = keys("$Using:Größe")
    assert base64.b64decode(lowered).decode("utf-16-le") == "$using:größe"
    assert base64.b64decode(written).decode("utf-16-le") == "$Using:Größe"


def test_lower_case_is_of_single_characters() -> None:
    """A final sigma is lowered as any sigma, and a dotted capital I stays, as in .NET."""
    assert invariant_lower("ΟΔΟΣ") == "οδοσ"
    assert invariant_lower("İ") == "İ"


@given(st.text())
def test_lowering_keeps_the_length(text: str) -> None:
    """Lowering never changes how many characters a key's text has, and a second time changes nothing."""
    lowered = invariant_lower(text)
    assert len(lowered) == len(text)
    assert invariant_lower(lowered) == lowered


@given(st.text(min_size=1))
def test_chain_keeps_its_case(name: str) -> None:
    """The key of an expression with a chain is the base64 of its text, whatever the text."""
    reference = UsingReference(name, "x", scan("$using:x.A", Shell.POWERSHELL).references[0].chain, 0, 1)
    (key,) = keys_of(reference)
    assert base64.b64decode(key).decode("utf-16-le", "surrogatepass") == name


def _sent_keys(path: Path) -> list[tuple[str, set[str]]]:
    """Each script of a recording with the keys of the dictionary that went with it."""
    sent = []
    for packet in json.loads(path.read_text())["transcript"]:
        for message in packet.get("messages", []):
            if packet["dir"] != "C" or message["name"] != "CreatePipeline":
                continue
            for fields in ET.fromstring(message["clixml"]).iter("MS"):
                command, dictionary = fields.find("S[@N='Cmd']"), fields.find(".//DCT")
                if fields.findtext("B[@N='IsScript']") == "true" and command is not None:
                    found = (
                        set() if dictionary is None else {e.findtext("S[@N='Key']") or "" for e in dictionary}
                    )
                    sent.append((command.text or "", found))
    return sent


@pytest.mark.parametrize("name", sorted(path.stem for path in (RECORDINGS / "client").glob("*.json")))
def test_keys_of_the_real_client(name: str) -> None:
    """For each script that PowerShell's own client was seen to send, our keys are the client's."""
    for script, sent in _sent_keys(RECORDINGS / "client" / f"{name}.json"):
        assert set(keys(script)) == sent, script
