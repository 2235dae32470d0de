"""``runner explain winrm --host HOST``: what reaches a Windows host, and who said so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.command_line import Typed

INVENTORY = """\
version: 1
connection: {transport: winrm, credential: ops}
groups:
  secure:
    hosts: {win: {address: 192.0.2.1, connection: {port: 5999}}}
    connection:
      {use_ssl: true, configuration_name: PowerShell.7, session_option: {skip_cn_check: true, open_timeout: 9s}}
hosts:
  plain: {connection: {trusted_hosts: '*', authentication: kerberos}}
  quick:
    connection:
      session_option: {no_encryption: true, application_arguments: {run: 1}, proxy_access_type: autodetect}
  there: {connection: {transport: ssh}}
"""


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    """Three hosts over WinRM, and one that is not."""
    path = tmp_path / "hosts.yml"
    path.write_text(INVENTORY, encoding="utf-8")
    return path


def told(typed: Typed, inventory: Path, host: str) -> dict[str, tuple[str, str]]:
    """Word to value and source."""
    answer = typed("explain", "winrm", "--host", host, "-i", str(inventory), "-o", "json").out
    return {row["word"]: (row["value"], row["source"]) for row in json.loads(answer)["winrm"]}


def test_each_word_has_its_source(typed: Typed, inventory: Path) -> None:
    """URL, configuration, login and options with the host or group and the line that said them."""
    rows = told(typed, inventory, "win")
    group = f"group `secure`  {inventory}:7"

    assert rows["url"] == ("https://192.0.2.1:5999/wsman", group)
    assert rows["configuration_name"] == ("PowerShell.7", group)
    assert rows["credential"] == ("ops", f"the whole inventory  {inventory}:2")
    assert rows["authentication"] == ("default", "default")
    assert rows["checks"] == ("all but skip_cn_check", group)
    assert rows["open_timeout"] == ("9.0s", group)
    assert rows["operation_timeout"][1] == "default"


def test_what_protects_http_is_said(typed: Typed, inventory: Path) -> None:
    """Over http the login's keys encrypt, unless the option takes that away; trusted hosts are told."""
    plain, quick = told(typed, inventory, "plain"), told(typed, inventory, "quick")

    assert "of each message" in plain["encryption"][0]
    assert plain["trusted_hosts"][0] == "*"
    assert "clear text" in quick["encryption"][0]
    assert quick["application_arguments"][0] == "run"
    assert quick["proxy"][0] == "autodetect, negotiate"


def test_the_table_is_for_people(typed: Typed, inventory: Path) -> None:
    """Words, values and sources stand in columns; no value of a secret is among them."""
    lines = typed("explain", "winrm", "--host", "plain", "-i", str(inventory)).out.splitlines()

    assert lines[0].split()[:2] == ["url", "http://plain:5985/wsman"]
    assert len({line.index(line.split()[1]) for line in lines}) == 1


def test_authorities_are_those_of_the_environment(
    typed: Typed, inventory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file that is trusted is named, with the variable that names it."""
    monkeypatch.setenv("SSL_CERT_FILE", "/etc/own-ca.pem")

    assert told(typed, inventory, "win")["authorities"] == ("/etc/own-ca.pem", "SSL_CERT_FILE")


@pytest.mark.parametrize(("host", "words"), [("there", "reached over ssh"), ("nobody", "`nobody`")])
def test_other_hosts_are_refused(typed: Typed, inventory: Path, host: str, words: str) -> None:
    """A host that is not reached over WinRM, or is not there, is named."""
    refused = typed("explain", "winrm", "--host", host, "-i", str(inventory))

    assert refused.code == 2
    assert words in refused.err
