"""What one connection is made of: which place wins, word by word, and what is told where a value is wrong."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.transport.endpoint import Endpoint, HostKeyChecking
from runner.transport.ssh_config import ConfigError, host_matches
from runner.transport.ssh_explain import effective
from runner.transport.ssh_options import connect_arguments, environment_of
from runner.transport.ssh_settings import Places, Settings, SettingsReader, parse_jump


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A home and a system folder without files."""
    (tmp_path / "home" / ".ssh").mkdir(parents=True)
    (tmp_path / "etc").mkdir()
    return Places(tmp_path / "home", tmp_path / "etc")


def settings(
    places: Places, login_user: str | None = None, environment: dict[str, str] | None = None, **keys: Any
) -> Settings:
    words: dict[str, Any] = {"host": "web1", "transport": "ssh", "address": "web1"} | keys
    return SettingsReader(places, environment or {}).settings(Endpoint(**words), login_user)


def test_defaults(places: Places) -> None:
    """Where nothing is said: port 22, the controller's user, strict checking, the default keys, no agent."""
    found = settings(places)
    assert (found.address, found.port, found.user) == ("web1", 22, getpass.getuser())
    assert found.checking is HostKeyChecking.STRICT
    assert found.default_keys
    assert found.agent is None
    assert found.jump == ()
    assert found.timeout == 30.0
    assert found.known_hosts[0] == places.home / ".ssh" / "known_hosts"
    assert found.target == f"web1:22 as {getpass.getuser()}"


#: For each word: the endpoint's key, a value of options, of the user's file, of the system's, and how to see it.
PRECEDENCE: dict[str, tuple[dict[str, Any], str, str, str, Callable[[Settings], str]]] = {
    "Port": ({"port": 1}, "2", "3", "4", lambda found: str(found.port)),
    "User": ({"user": "1"}, "2", "3", "4", lambda found: found.user),
    "UserKnownHostsFile": ({"known_hosts": "/1"}, "/2", "/3", "/4", lambda found: str(found.known_hosts[0])[1:]),
    "ConnectTimeout": ({"connect_timeout": 1.0}, "2", "3", "4", lambda found: f"{found.timeout:g}"),
    "IdentityFile": ({"key_files": ("/1",)}, "/2", "/3", "/4", lambda found: str(found.identities[0])[1:]),
    "ServerAliveInterval": (
        {"keepalive": 1.0}, "2", "3", "4",
        lambda found: f"{connect_arguments(found, None)['keepalive_interval']:g}",
    ),
}  # fmt: skip


@pytest.mark.parametrize("word", PRECEDENCE)
@pytest.mark.parametrize("strongest", [1, 2, 3, 4])
def test_precedence(places: Places, word: str, strongest: int) -> None:
    """The endpoint's key beats options, options beat the user's file, and that the system's."""
    key, option, user, system, see = PRECEDENCE[word]
    keys: dict[str, Any] = dict(key) if strongest <= 1 else {}
    if strongest <= 2:
        keys["options"] = ((word.lower(), option),)
    if strongest <= 3:
        (places.home / ".ssh" / "config").write_text(f"Host web*\n  {word} {user}\n")
    (places.system / "ssh_config").write_text(f"{word} {system}\n")
    assert see(settings(places, **keys)) == str(strongest)


@pytest.mark.parametrize(
    ("key", "word", "wanted"),
    [
        (HostKeyChecking.ACCEPT_NEW, "no", HostKeyChecking.ACCEPT_NEW),
        (None, "accept-new", HostKeyChecking.ACCEPT_NEW),
        (None, "ask", HostKeyChecking.STRICT),
        (None, "no", HostKeyChecking.OFF),
    ],
)
def test_host_key_checking(
    places: Places, key: HostKeyChecking | None, word: str, wanted: HostKeyChecking
) -> None:
    """The key wins over StrictHostKeyChecking; a run cannot ask, so `ask` is strict."""
    options = (("StrictHostKeyChecking", word),)
    assert settings(places, host_key_checking=key, options=options).checking is wanted


def test_user_of_the_endpoint_beats_the_credential(places: Places) -> None:
    """The endpoint's user wins over the credential's, which wins over options."""
    options = (("User", "third"),)
    assert settings(places, "second", user="first", options=options).user == "first"
    assert settings(places, "second", options=options).user == "second"
    assert settings(places, options=options).user == "third"


def test_tokens_and_home_in_paths(places: Places) -> None:
    """``~``, ``%h`` and ``${NAME}`` in paths are expanded, under the home that was given."""
    options = (("IdentityFile", "~/.ssh/%h_%r_${TEAM}"), ("User", "ops"))
    found = settings(places, environment={"TEAM": "north"}, options=options)
    assert found.identities == (places.home / ".ssh" / "web1_ops_north",)


def test_hostname_is_where_to_connect_to(places: Places) -> None:
    """Hostname gives the address, the alias stays the name it was looked up by."""
    (places.home / ".ssh" / "config").write_text("Host web1\n  Hostname %h.example.com\n")
    found = settings(places)
    assert (found.address, found.name) == ("web1.example.com", "web1.example.com")


def test_agent(places: Places) -> None:
    """IdentityAgent wins over SSH_AUTH_SOCK, and `none` means none."""
    environment = {"SSH_AUTH_SOCK": "/a", "OTHER": "/b"}
    assert settings(places, environment=environment).agent == "/a"
    for text, wanted in [("none", None), ("SSH_AUTH_SOCK", "/a"), ("$OTHER", "/b"), ("/c", "/c")]:
        found = settings(places, environment=environment, options=(("IdentityAgent", text),))
        assert found.agent == wanted


def test_jump_of_the_endpoint_wins(places: Places) -> None:
    """The endpoint's jump hosts win over ProxyJump and ProxyCommand, the empty tuple included."""
    options = (("ProxyJump", "gate"),)
    gate = Endpoint(host="other", transport="ssh", address="other")
    assert [hop.host for hop in settings(places, options=options).jump] == ["gate"]
    assert settings(places, options=options, jump=(gate,)).jump == (gate,)
    assert settings(places, options=(("ProxyCommand", "nc %h %p"),), jump=()).proxy_command is None


def test_first_of_proxy_jump_and_proxy_command_wins(places: Places) -> None:
    """As in ssh, whichever of the two stands first is used."""
    config = places.home / ".ssh" / "config"
    config.write_text("ProxyCommand nc %h %p\nProxyJump gate\n")
    assert settings(places).proxy_command == "nc web1 22"
    config.write_text("ProxyJump gate\nProxyCommand nc %h %p\n")
    found = settings(places)
    assert (found.proxy_command, [hop.host for hop in found.jump]) == (None, ["gate"])


def test_a_host_is_not_its_own_jump_host(places: Places) -> None:
    """``Host *`` with ProxyJump goes directly to the jump host itself."""
    (places.home / ".ssh" / "config").write_text("ProxyJump gate\n")
    assert settings(places, address="gate").jump == ()
    assert len(settings(places).jump) == 1


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("gate", [("gate", None, None)]),
        ("ops@gate:2222,inner", [("gate", 2222, "ops"), ("inner", None, None)]),
        ("ssh://ops@gate:22/", [("gate", 22, "ops")]),
        ("[::1]:2222", [("::1", 2222, None)]),
        ("DOM\\ops@gate", [("gate", None, "DOM\\ops")]),
        ("none", []),
    ],
)
def test_proxy_jump(text: str, wanted: list[tuple[str, int | None, str | None]]) -> None:
    """ProxyJump is a list of ``[user@]host[:port]``, with IPv6 in brackets."""
    hops = parse_jump(text, "options", Endpoint(host="web1", transport="ssh"))
    assert [(hop.address, hop.port, hop.user) for hop in hops] == wanted


@pytest.mark.parametrize(
    ("word", "text", "message"),
    [
        ("Port", "ssh", "options: `Port` must be a number: `ssh`"),
        ("IdentitiesOnly", "maybe", "`IdentitiesOnly` must be `yes` or `no`"),
        ("StrictHostKeyChecking", "never", "must be one of"),
        ("ConnectTimeout", "soon", "expected a duration"),
        ("ProxyJump", "a:b:c", "must be `\\[user@\\]host\\[:port\\]`"),
        ("IdentityFile", "%q", "`%q` is not known here"),
        ("IdentityFile", "${NO_SUCH}", "the environment has no `NO_SUCH`"),
        ("Colour", "red", "ssh_config has no such word"),
        ("LocalForward", "1 a:2", "forwards nothing"),
    ],
)
def test_wrong_value(places: Places, word: str, text: str, message: str) -> None:
    """A wrong value is told with where it stands and what is expected."""
    with pytest.raises(ConfigError, match=message):
        settings(places, options=((word, text),)).enabled("IdentitiesOnly", False)


def test_revoked_keys_are_not_silently_ignored(places: Places) -> None:
    """A word whose absence would make things less safe is refused in the files too; others are passed over."""
    config = places.home / ".ssh" / "config"
    config.write_text("ControlMaster auto\nVisualHostKey yes\nNoSuchWord x\n")
    settings(places)
    config.write_text("RevokedHostKeys /etc/ssh/revoked\n")
    with pytest.raises(ConfigError, match="RevokedHostKeys"):
        settings(places)


def test_compression(places: Places) -> None:
    """Compression is off until it is asked for, and the key wins over the option."""

    def algorithms(**keys: Any) -> Any:
        return connect_arguments(settings(places, **keys), None)["compression_algs"][0]

    assert algorithms() == "none"
    assert algorithms(options=(("Compression", "yes"),)) == "zlib@openssh.com"
    assert algorithms(options=(("Compression", "yes"),), compression=False) == "none"


def test_variables(places: Places) -> None:
    """SendEnv takes what matches of the environment, SetEnv adds its own."""
    found = settings(places, options=(("SendEnv", "LC_* TEAM"), ("SetEnv", "FLEET=north")))
    environment = {"LC_ALL": "C", "TEAM": "a", "HOME": "/root"}
    assert environment_of(found, environment, host_matches) == {"LC_ALL": "C", "TEAM": "a", "FLEET": "north"}


def test_effective(places: Places) -> None:
    """Each value is shown with the place it came from."""
    config = places.home / ".ssh" / "config"
    config.write_text("Host web*\n  User ops\n  IdentityFile ~/.ssh/fleet\n")
    endpoint = Endpoint(
        host="web1", transport="ssh", address="web1", port=2201, options=(("Compression", "yes"),)
    )
    rows = effective(endpoint, places.home, system=places.system)
    assert ("Port", "2201", "port") in rows
    assert ("Compression", "yes", "options") in rows
    assert ("User", "ops", f"{config}:2") in rows
    assert ("IdentityFile", "~/.ssh/fleet", f"{config}:3") in rows
    assert ("Hostname", "web1", "address") in rows
    assert ("StrictHostKeyChecking", "yes", "default") in rows
