"""Which redirections are followed: only where the link they came over can be trusted to name a target."""

from __future__ import annotations

import pytest

from runner.errors import HostError
from runner.wsman.fault_errors import Asked
from runner.wsman.redirect import Redirections
from tests.unit.wsman.scripted_wire import CONFIGURATION

HTTPS = "https://a.example:443/wsman?PSVersion=5.1"
HTTP = "http://a.example:80/wsman?PSVersion=5.1"


def asked(url: str) -> Asked:
    """An opening at a URL."""
    return Asked("a", url, CONFIGURATION, "open a session", opening=True)


@pytest.mark.parametrize(
    ("url", "location", "target"),
    [
        (HTTPS, "https://b.example/PowerShell", "https://b.example:443/PowerShell?PSVersion=5.1"),
        (HTTPS, "/elsewhere", "https://a.example:443/elsewhere?PSVersion=5.1"),
        (HTTP, "http://a.example:5985/wsman", "http://a.example:5985/wsman?PSVersion=5.1"),
        (HTTP, "https://a.example/wsman", "https://a.example:443/wsman?PSVersion=5.1"),
    ],
)
def test_a_redirection_that_can_be_trusted_is_followed(url: str, location: str, target: str) -> None:
    """https may name any https, http only the same host; a path alone is completed."""
    assert Redirections(allowed=True).follow(location, asked(url)) == target


@pytest.mark.parametrize(
    ("url", "location", "says"),
    [
        (HTTPS, "http://a.example:5985/wsman", "unprotected"),
        (HTTP, "http://b.example/wsman", "another host"),
        (HTTP, "https://b.example/wsman", "another host"),
        (HTTPS, "ftp://b.example/", "not to an address"),
        (HTTPS, "https://me:secret@b.example/", "not to an address"),
    ],
)
def test_a_redirection_that_cannot_is_refused(url: str, location: str, says: str) -> None:
    """The message says why, names the target, and never shows what stood before an @."""
    with pytest.raises(HostError, match=says) as caught:
        Redirections(allowed=True).follow(location, asked(url))

    assert caught.value.code == "redirect-refused"
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("names", [("b.example",), ("B.Example",), ("*",)])
def test_a_trusted_host_may_be_named_over_http(names: tuple[str, ...]) -> None:
    """The author has said that the login may go there unproved."""
    follow = Redirections(allowed=True, trusted_hosts=names).follow("http://b.example/wsman", asked(HTTP))

    assert follow == "http://b.example:80/wsman?PSVersion=5.1"


def test_without_leave_nothing_is_followed() -> None:
    """The message names the target, and both ways out."""
    with pytest.raises(HostError, match=r"b\.example") as caught:
        Redirections(allowed=False).follow("https://b.example/x", asked(HTTPS))

    assert "allow_redirection" in "\n".join(caught.value.hints)


@pytest.mark.parametrize(("maximum", "hops"), [(0, 0), (1, 1), (5, 5)])
def test_only_so_many_are_followed(maximum: int, hops: int) -> None:
    """The count is of hops; 0 follows none."""
    redirections = Redirections(allowed=True, maximum=maximum)
    url = HTTPS
    for number in range(hops):
        url = redirections.follow(f"https://h{number}.example/", asked(url))

    with pytest.raises(HostError, match="no more are allowed"):
        redirections.follow("https://last.example/", asked(url))


def test_a_negative_maximum_is_none() -> None:
    """As the reference has it."""
    redirections = Redirections(allowed=True, maximum=-1)
    url = HTTPS
    for number in range(100):
        url = redirections.follow(f"https://h{number}.example/", asked(url))

    assert url.startswith("https://h99.example")


def test_a_circle_ends() -> None:
    """Coming back to where we were is never of use, however many hops are allowed."""
    redirections = Redirections(allowed=True, maximum=-1)
    there = redirections.follow("https://b.example/wsman", asked(HTTPS))

    with pytest.raises(HostError, match="circle"):
        redirections.follow(HTTPS, asked(there))
