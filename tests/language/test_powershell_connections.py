"""language.md on how PowerShell hosts are reached: keys of WinRM, configurations, session options, combinations."""

from __future__ import annotations

from typing import Any

import pytest

from tests.language.author import Author

CREDENTIALS = "credentials: {ops: {username: 'D\\u', password: {env: OPS}}}\n"


def planned(author: Author, target: str, *, head: str = CREDENTIALS) -> dict[str, Any]:
    """The only assignment of a plan for a target."""
    author.write("hosts.yml", "version: 1\nhosts: {w: {}}\n")
    ran = author.plan(f"{head}targets: {{t: {{{target}}}}}\nsteps:\n  - {{target: t, script: Get-Date}}\n")
    assert ran.code == 0, ran.stdout
    assignment: dict[str, Any] = ran.document["steps"][0]["assignments"][0]
    return assignment


def refused(author: Author, target: str, *, step: str = "script: Get-Date", head: str = CREDENTIALS) -> str:
    """The words of the only problem of a plan for a target."""
    author.write("hosts.yml", "version: 1\nhosts: {w: {}}\n")
    text = f"{head}targets: {{t: {{{target}}}}}\nsteps:\n  - {{target: t, {step}}}\n"
    problem = author.plan(text).only_problem()
    return "\n".join([problem["message"], *problem["hints"]])


@pytest.mark.parametrize(
    ("keys", "url"),
    [
        ("hosts: w, transport: winrm", "http://w:5985/wsman"),
        ("hosts: w, use_ssl: true", "https://w:5986/wsman"),
        ("hosts: w, use_ssl: true, port: 8443, application_name: custom", "https://w:8443/custom"),
        ("connection_uri: 'https://ps.example.com/PowerShell'", "https://ps.example.com:443/PowerShell"),
        ("connection_uri: 'http://h:5985'", "http://h:5985/wsman"),
    ],
)
def test_the_url_is_that_of_the_reference(author: Author, keys: str, url: str) -> None:
    """Port, scheme and application name make the URL as Invoke-Command's do; a URI stands as it is written."""
    assert planned(author, keys)["url"].partition("?")[0] == url


@pytest.mark.parametrize(
    ("keys", "configuration"),
    [
        ("", "Microsoft.PowerShell"),
        (", configuration_name: PowerShell.7", "PowerShell.7"),
        (", configuration_name: 'http://schemas.microsoft.com/powershell/Own'", "Own"),
    ],
)
def test_configuration_names(author: Author, keys: str, configuration: str) -> None:
    """A bare name and a full resource URI mean the same; without one it is Microsoft.PowerShell."""
    assert planned(author, f"hosts: w, transport: winrm{keys}")["configuration"] == configuration


def test_over_ssh_a_configuration_is_a_subsystem(author: Author) -> None:
    """`configuration_name` means the subsystem over SSH; both is an error."""
    assert planned(author, "hosts: w, transport: ssh, configuration_name: jea")["subsystem"] == "jea"
    assert "`subsystem`" in refused(author, "hosts: w, transport: ssh, configuration_name: a, subsystem: b")


@pytest.mark.parametrize(
    "word", ["Default", "NEGOTIATE", "kerberos", "Credssp", "NegotiateWithImplicitCredential"]
)
def test_authentication_takes_the_words_of_the_reference(author: Author, word: str) -> None:
    """The words are read in any case."""
    login = "" if word.endswith("Credential") else ", credential: ops"
    keys = f"hosts: w, transport: winrm, authentication: {word}{login}"
    assert planned(author, keys)["authentication"] == word.lower()


def test_digest_is_refused(author: Author) -> None:
    """Digest: refused, with what to use."""
    words = refused(author, "hosts: w, transport: winrm, authentication: digest, credential: ops")
    assert "servers no longer offer it" in words
    assert "`negotiate`" in words


def test_basic_over_http_is_said_aloud(author: Author) -> None:
    """Basic over http needs `no_encryption`, and then it is warned of."""
    keys = "hosts: w, transport: winrm, authentication: basic, credential: ops"
    assert "clear text" in refused(author, keys)
    author.write("hosts.yml", "version: 1\nhosts: {w: {}}\n")
    step = "steps:\n  - {target: t, script: Get-Date}\n"
    said = f"targets: {{t: {{{keys}, session_option: {{no_encryption: true}}}}}}\n"
    assert author.validate(CREDENTIALS + said + step).warnings == ["sent-unencrypted"]


@pytest.mark.parametrize("key", ["open_timeout", "operation_timeout", "idle_timeout", "cancel_timeout"])
def test_bare_numbers_of_session_options_give_both_readings(author: Author, key: str) -> None:
    """Milliseconds in New-PSSessionOption, ticks in a hashtable: the hint has both, and no guess is made."""
    words = refused(author, f"hosts: w, transport: winrm, session_option: {{{key}: 43200000}}")
    assert "milliseconds, as in New-PSSessionOption: write `12h`" in words
    assert "ticks" in words


@pytest.mark.parametrize(
    ("option", "where"), [("skip_ca_check: true", "over ssh"), ("idle_timeout: 2h", "over ssh")]
)
def test_an_option_that_does_not_act_is_refused_by_name(author: Author, option: str, where: str) -> None:
    """Every session option acts or is refused for that transport by name, with those that act there."""
    words = refused(author, f"hosts: w, transport: ssh, subsystem: powershell, session_option: {{{option}}}")
    assert f"`{option.partition(':')[0]}`" in words
    assert where in words or "parameter set" in words


@pytest.mark.parametrize(
    "keys",
    [
        "hosts: w, transport: ssh, subsystem: powershell, credential: ops, throttle: 3",
        "ssh_connections: [{host_name: a, port: 22}, {host_name: b, port: 2222, credential: ops}]",
        "hosts: w, use_ssl: true, certificate_thumbprint: AAAABBBBCCCCDDDDEEEEFFFF0000111122223333",
    ],
)
def test_limits_that_are_lifted(author: Author, keys: str) -> None:
    """Throttle and credential on SSH, a port per host, a certificate with a file: valid here."""
    author.write("hosts.yml", "version: 1\nhosts: {w: {}}\n")
    author.write("x.ps1", "Get-Date\n")
    text = f"{CREDENTIALS}targets: {{t: {{{keys}}}}}\nsteps:\n  - {{target: t, file: x.ps1}}\n"
    assert author.validate(text).codes == []


def test_enable_network_access_is_ignored_with_a_warning(author: Author) -> None:
    """It is for loopback sessions of Windows; the run goes on."""
    author.write("hosts.yml", "version: 1\nhosts: {w: {}}\n")
    text = (
        "targets: {t: {hosts: w, enable_network_access: true}}\nsteps:\n  - {target: t, script: Get-Date}\n"
    )
    ran = author.validate(text)
    assert (ran.codes, ran.warnings) == ([], ["option-without-effect"])


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        ("ssh_connections: [{host_name: 'UserB@Linux5:2222'}]", "Linux5"),
        ("connection_uri: 'https://ps.example.com:5986/wsman'", "ps.example.com:5986"),
        ("ssh_connections: [{computer_name: a, name: mine}]", "mine"),
    ],
)
def test_names_of_hosts(author: Author, keys: str, name: str) -> None:
    """A host's name is HostName without user and port, or the URI's authority; `name:` overrides."""
    assert planned(author, keys)["host"] == name


def test_the_nearest_key_wins(author: Author) -> None:
    """Step, target, host, group, defaults: a connection key of the nearest place holds."""
    author.write(
        "hosts.yml",
        "version: 1\nconnection: {transport: winrm, port: 1}\n"
        "groups: {g: {hosts: {w: {connection: {port: 3}}, v: {}}, connection: {port: 2}}}\n",
    )
    step = "steps:\n  - {target: t, script: Get-Date}\n"
    ports = []
    for target in ("hosts: g", "hosts: w, port: 4"):
        document = author.plan(f"targets: {{t: {{{target}}}}}\n{step}").document
        ports.append({a["host"]: a["port"] for a in document["steps"][0]["assignments"]})
    assert ports == [{"w": 3, "v": 2}, {"w": 4}]


BY_SITE = """\
credentials:
  ops_north: {username: 'D\\u', password: {env: OPS}}
session_options: {slow_north: {open_timeout: 90s}}
targets:
  t: {hosts: w, transport: winrm, credential: "ops_{{ site }}", session_option: "slow_{{ site }}"}
steps:
  - {target: t, script: Get-Date}
"""


def test_credentials_and_session_options_are_named_by_templates(author: Author) -> None:
    """A variable of the inventory says which of them a host has; the credential brings its user name."""
    author.write(
        "hosts.yml", "version: 1\nhosts: {w: {vars: {site: north}, connection: {user_name: someone}}}\n"
    )
    ran = author.plan(BY_SITE)
    assert ran.code == 0, ran.stdout
    (assignment,) = ran.document["steps"][0]["assignments"]
    assert assignment["user"] is None  # that of the credential counts, not the inventory's


def test_a_template_that_names_nothing_is_refused(author: Author) -> None:
    """What a template comes to must be declared, told at the template."""
    author.write("hosts.yml", "version: 1\nhosts: {w: {vars: {site: south}}}\n")
    ran = author.plan(BY_SITE)
    assert ran.codes == ["unknown-credential", "unknown-session-option"]
    assert "no credential is named `ops_south`" in ran.words
    assert "did you mean `slow_north`?" in ran.words


def test_a_session_option_may_come_whole_from_a_variable(author: Author) -> None:
    """`session_option: "{{ options }}"` takes a mapping, whose keys are checked as written ones are."""
    head = CREDENTIALS + "vars: {options: {open_timeout: 9s, KEY: 1}}\n"
    target = 'hosts: w, transport: winrm, credential: ops, session_option: "{{ options }}"'
    author.write("hosts.yml", "version: 1\nhosts: {w: {}}\n")
    planned(author, target, head=head.replace(", KEY: 1", ""))
    assert "there is no session option `idel_timeout`" in refused(
        author, target, head=head.replace("KEY", "idel_timeout")
    )
