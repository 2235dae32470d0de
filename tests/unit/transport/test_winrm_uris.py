"""Addresses of WinRM: URLs of listeners, what a ``connection_uri`` means, URIs of session configurations."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.transport.winrm_uris import (
    configuration_name,
    connection_url,
    endpoint_url,
    resource_uri,
    uri_host,
    uses_tls,
)


@pytest.mark.parametrize(
    ("arguments", "url"),
    [
        ({"address": "web01"}, "http://web01:5985/wsman?PSVersion=5.1"),
        ({"address": "web01", "use_ssl": True}, "https://web01:5986/wsman?PSVersion=5.1"),
        ({"address": "web01", "port": 0}, "http://web01:5985/wsman?PSVersion=5.1"),
        ({"address": "10.0.0.7", "use_ssl": True, "port": 443}, "https://10.0.0.7:443/wsman?PSVersion=5.1"),
        (
            {"address": "web01", "application_name": "PowerShell"},
            "http://web01:5985/PowerShell?PSVersion=5.1",
        ),
        ({"address": "web01", "application_name": "/a b/"}, "http://web01:5985/a%20b?PSVersion=5.1"),
        ({"address": "web01", "application_name": "/"}, "http://web01:5985/wsman?PSVersion=5.1"),
        ({"address": "fe80::1"}, "http://[fe80::1]:5985/wsman?PSVersion=5.1"),
        ({"address": "[::1]"}, "http://[::1]:5985/wsman?PSVersion=5.1"),
        ({"address": "fe80::1%eth0"}, "http://[fe80::1%25eth0]:5985/wsman?PSVersion=5.1"),
        ({"address": "fe80::1%25eth0"}, "http://[fe80::1%25eth0]:5985/wsman?PSVersion=5.1"),
        ({"address": "fe80::1%25"}, "http://[fe80::1%2525]:5985/wsman?PSVersion=5.1"),
    ],
)
def test_a_listener_has_the_url_the_reference_says(arguments: dict[str, object], url: str) -> None:
    """Scheme, default ports, brackets and the application's name are remoting.md 3.3."""
    assert endpoint_url(**arguments) == url  # type: ignore[arg-type]


@pytest.mark.parametrize("address", ["", "web01:5985", "a/b", "me@web01", "web 01", "fe80::x", "[::1"])
def test_what_is_no_address_is_refused(address: str) -> None:
    """A port, a path or a user's name is not taken for a part of the name."""
    with pytest.raises(ValueError, match="is no host name"):
        endpoint_url(address)


def test_an_application_name_is_a_path_only() -> None:
    """A query in it would silently become another URL."""
    with pytest.raises(ValueError, match="can have no"):
        endpoint_url("web01", application_name="wsman?x")


@pytest.mark.parametrize(
    ("uri", "url"),
    [
        ("http://web01", "http://web01:80/wsman?PSVersion=5.1"),
        ("https://web01/", "https://web01:443/wsman?PSVersion=5.1"),
        ("http://localhost:5985/WSMAN", "http://localhost:5985/WSMAN?PSVersion=5.1"),
        ("HTTPS://ps.example.com/PowerShell/", "https://ps.example.com:443/PowerShell?PSVersion=5.1"),
        ("https://ps.example.com/PowerShell?a=b", "https://ps.example.com:443/PowerShell?a=b;PSVersion=5.1"),
        ("https://ps.example.com/?a=b", "https://ps.example.com:443/?a=b;PSVersion=5.1"),
        ("https://ps.example.com/x?PSVersion=7.4", "https://ps.example.com:443/x?PSVersion=7.4"),
        ("http://[::1]:5985", "http://[::1]:5985/wsman?PSVersion=5.1"),
        (" https://web01 ", "https://web01:443/wsman?PSVersion=5.1"),
    ],
)
def test_a_connection_uri_means_what_the_reference_says(uri: str, url: str) -> None:
    """Without a port it is 80 or 443, an empty path is /wsman, any other path and query are kept."""
    assert connection_url(uri) == url


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("web01", "must begin with"),
        ("ftp://web01", "must begin with"),
        ("http://", "names no host"),
        ("http://web01:0", "port 0"),
        ("http://web01:70000", "is no URL"),
        ("http://[::1", "is no URL"),
        ("http://web01/wsman#x", "fragment"),
        ("http://me:hunter2@web01", "credential"),
    ],
)
def test_an_impossible_connection_uri_is_refused(uri: str, reason: str) -> None:
    """The sentence names the address and the reason, and never a password that stood in it."""
    with pytest.raises(ValueError, match=reason) as caught:
        connection_url(uri)

    assert "hunter2" not in str(caught.value)


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_with_a_reason(text: str) -> None:
    """Whatever an author writes, only ValueError comes out, and what is read is a URL with a port."""
    for uri in (text, "http://" + text, "https://web01/" + text):
        with suppress(ValueError):
            assert urlsplit(connection_url(uri)).port


def test_the_host_of_a_connection_uri_has_no_brackets() -> None:
    """It is the name the run shows."""
    assert [uri_host("http://[::1]:5985"), uri_host("https://Web01/x")] == ["::1", "web01"]


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        (None, "http://schemas.microsoft.com/powershell/Microsoft.PowerShell"),
        ("", "http://schemas.microsoft.com/powershell/Microsoft.PowerShell"),
        ("PowerShell.7", "http://schemas.microsoft.com/powershell/PowerShell.7"),
        ("http://schemas.microsoft.com/powershell/jea", "http://schemas.microsoft.com/powershell/jea"),
        ("http://example.com/own", "http://example.com/own"),
    ],
)
def test_a_configuration_name_becomes_a_resource_uri(name: str | None, uri: str) -> None:
    """Plain names get the prefix, whole URIs are kept."""
    assert resource_uri(name) == uri


@pytest.mark.parametrize("name", [" jea", "jea\n", "a\0b"])
def test_a_configuration_name_that_cannot_be_meant_is_refused(name: str) -> None:
    """A name with white space around it would be looked up as it stands and never be found."""
    with pytest.raises(ValueError, match="configuration name"):
        resource_uri(name)


def test_a_configuration_is_shown_by_its_plain_name() -> None:
    """The prefix says nothing to a person."""
    assert configuration_name(resource_uri("PowerShell.7")) == "PowerShell.7"
    assert configuration_name("http://example.com/own") == "http://example.com/own"


def test_https_is_told_from_http() -> None:
    """What may be followed or sent depends on it."""
    assert uses_tls("HTTPS://web01/")
    assert not uses_tls("http://web01/")
