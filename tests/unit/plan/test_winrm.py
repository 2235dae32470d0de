"""WinRM endpoints: every key and session option acts or is refused by name, and what logins and encryption need."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.x509 import load_pem_x509_certificate

from runner.plan.model import Placement
from runner.plan.session_options import ACTING
from runner.present.plan_document import plan_document
from runner.present.plan_view import plan_lines
from runner.problems import Severity
from runner.schema_files import schema_text
from runner.transport.endpoint import (
    LONGEST_TIMEOUT,
    Authentication,
    Endpoint,
    ProxySettings,
    SessionOptions,
    WinrmSettings,
)
from tests.support.planning import prepared

CREDENTIALS = """\
credentials:
  c: {username: 'D\\u', password: {env: P}}
  key: {username: u, private_key: {file: k}}
  pem: {username: u, certificate: {file: c.pem}, private_key: {file: k.pem}}
  nameless: {password: {env: P}}
"""
OPTIONS = json.loads(schema_text("playbook"))["$defs"]["session_option"]["properties"]


def written(target: str, *, step: str = "", head: str = "") -> str:
    """A playbook with one target and one step on it."""
    return (
        f"version: 1\nname: x\n{CREDENTIALS}{head}targets:\n  t: {{{target}}}\n"
        f"steps:\n  - {{id: s, target: t, script: Get-Date{step}}}\n"
    )


def placements(folder: Path, playbook: str, **given: object) -> tuple[Placement, ...]:
    """The placements of the first step of a playbook without errors."""
    result = prepared(folder, playbook, **given)  # type: ignore[arg-type]
    assert result.plan is not None, result.problems.sorted()
    return result.plan.steps[0].placements


def endpoint_of(folder: Path, target: str, **given: object) -> Endpoint:
    """The endpoint of the only host of a target."""
    (placement,) = placements(folder, written(target), **given)
    return placement.endpoint


def told(folder: Path, target: str, **given: object) -> list[tuple[str, str]]:
    """Severity and code of what is told of a target."""
    result = prepared(folder, written(target), **given)  # type: ignore[arg-type]
    return [(problem.severity.value, problem.code) for problem in result.problems.sorted()]


def errors(folder: Path, target: str, **given: object) -> list[str]:
    """The codes of the errors of a target."""
    return [code for severity, code in told(folder, target, **given) if severity == "error"]


@pytest.mark.parametrize(
    ("keys", "url"),
    [
        ("hosts: [web], transport: winrm", "http://web:5985/wsman"),
        ("hosts: [web], use_ssl: true", "https://web:5986/wsman"),
        ("hosts: [web], use_ssl: true, port: 8443", "https://web:8443/wsman"),
        ("hosts: [web], transport: WinRM, application_name: custom", "http://web:5985/custom"),
        ("connection_uri: 'https://m.example/PowerShell'", "https://m.example:443/PowerShell"),
        ("connection_uri: 'http://m.example:5985'", "http://m.example:5985/wsman"),
    ],
)
def test_the_url_is_what_the_reference_says(tmp_path: Path, keys: str, url: str) -> None:
    """5985 or 5986 for a host's name, 80 or 443 for a URI; the application's name is the path."""
    endpoint = endpoint_of(tmp_path, keys)

    assert endpoint.winrm is not None
    assert url == endpoint.winrm.url.partition("?")[0]
    assert f":{endpoint.port}/" in url


PLAIN = "hosts: [web], transport: winrm"
ACTS = {
    "authentication: kerberos": ("authentication", Authentication.KERBEROS),
    "authentication: Negotiate": ("authentication", Authentication.NEGOTIATE),
    "authentication: NegotiateWithImplicitCredential": (
        "authentication",
        Authentication.NEGOTIATE_WITH_IMPLICIT_CREDENTIAL,
    ),
    "authentication: CredSSP, credential: c": ("authentication", Authentication.CREDSSP),
    "authentication: basic, use_ssl: true, credential: c": ("authentication", Authentication.BASIC),
    "configuration_name: PowerShell.7": (
        "resource_uri",
        "http://schemas.microsoft.com/powershell/PowerShell.7",
    ),
    "configuration_name: 'http://other.example/x'": ("resource_uri", "http://other.example/x"),
    "trusted_hosts: ['*.lab', b]": ("trusted_hosts", ("*.lab", "b")),
}


@pytest.mark.parametrize("key", ACTS)
def test_each_key_of_winrm_acts(tmp_path: Path, key: str) -> None:
    """A key that is accepted arrives at the transport."""
    endpoint = endpoint_of(tmp_path, f"{PLAIN}, {key}")
    name, value = ACTS[key]

    assert endpoint.winrm is not None
    assert value == getattr(endpoint.winrm, name)


def test_redirection_is_for_uris(tmp_path: Path) -> None:
    """`allow_redirection` and `maximum_redirection` act together on a URI, and not alone."""
    uri = "connection_uri: 'https://m.example/PowerShell', session_option: {maximum_redirection: 1}"
    endpoint = endpoint_of(tmp_path, f"{uri}, allow_redirection: true")

    assert endpoint.winrm is not None
    assert endpoint.winrm.allow_redirection
    assert 1 == endpoint.session_options.maximum_redirection
    assert ["missing-companion"] == errors(tmp_path, uri)
    assert ["missing-companion"] == errors(tmp_path, f"{PLAIN}, session_option: {{maximum_redirection: 1}}")


VALUES: dict[str, tuple[str, object]] = {
    "maximum_redirection": ("2", 2),
    "no_compression": ("true", True),
    "no_machine_profile": ("true", True),
    "culture": ("de-DE", "de-DE"),
    "ui_culture": ("en-US", "en-US"),
    "maximum_received_data_size_per_command": ("50MiB", 50 << 20),
    "maximum_received_object_size": ("1KiB", 1024),
    "output_buffering_mode": ("Drop", "drop"),
    "max_connection_retry_count": ("3", 3),
    "application_arguments": ("{a: 1, b: [x, {c: true}]}", {"a": 1, "b": ["x", {"c": True}]}),
    "open_timeout": ("30s", 30.0),
    "operation_timeout": ("0s", LONGEST_TIMEOUT),
    "cancel_timeout": ("500ms", 0.5),
    "idle_timeout": ("12h", 43200.0),
    "proxy_access_type": ("IEConfig", ProxySettings(access="ieconfig")),
    "proxy_authentication": ("Basic", None),
    "proxy_credential": ("c", None),
    "skip_ca_check": ("true", True),
    "skip_cn_check": ("true", True),
    "skip_revocation_check": ("true", True),
    "no_encryption": ("true", True),
    "use_utf16": ("true", True),
    "include_port_in_spn": ("true", True),
}
OF_THE_PROXY = {"proxy_access_type", "proxy_authentication", "proxy_credential"}


def test_the_table_of_options_is_whole() -> None:
    """The schema, the table of this test and what a transport is given name the same options."""
    given = {field.name for field in fields(SessionOptions)} - {"proxy"}

    assert set(OPTIONS) == set(VALUES)
    assert set(OPTIONS) - OF_THE_PROXY == given


@pytest.mark.parametrize("option", sorted(VALUES))
@pytest.mark.parametrize("named", [False, True])
def test_each_session_option_acts_over_winrm(tmp_path: Path, option: str, *, named: bool) -> None:
    """Over WinRM every option arrives, in its unit, whether written there or by name."""
    text, value = VALUES[option]
    said = f"{option}: {text}" + (
        ", proxy_access_type: WinHttpConfig" if option in OF_THE_PROXY and value is None else ""
    )
    uri = "http" if option == "no_encryption" else "https"
    target = f"connection_uri: '{uri}://m.example/x', allow_redirection: true, session_option: "
    playbook = (
        written(f"{target}o", head=f"session_options: {{o: {{{said}}}}}\n")
        if named
        else written(f"{target}{{{said}}}")
    )
    (placement,) = placements(tmp_path, playbook)
    options = placement.endpoint.session_options

    if option == "application_arguments":
        assert value == options.arguments()
    elif option in OF_THE_PROXY:
        assert options.proxy is not None
        assert {"ieconfig": "negotiate"}.get(
            options.proxy.access, ""
        ) or options.proxy.access == "winhttpconfig"
        assert ("c" if option == "proxy_credential" else None) == options.proxy.credential
    else:
        assert value == getattr(options, option)
        assert {option} == {
            f.name for f in fields(options) if getattr(options, f.name) != getattr(SessionOptions(), f.name)
        }


@pytest.mark.parametrize("option", sorted(VALUES))
@pytest.mark.parametrize("transport", ["ssh", "local"])
def test_each_session_option_acts_elsewhere_or_is_refused_by_name(
    tmp_path: Path, transport: str, option: str
) -> None:
    """Over SSH and locally an option acts, or is an error that names it and the transport; none is without effect."""
    text, _ = VALUES[option]
    inventory = (
        f"version: 1\nconnection: {{session_option: {{{option}: {text}}}}}\n"
        f"hosts: {{web: {{connection: {{transport: {transport}}}}}}}\n"
    )
    playbook = "version: 1\nname: x\nsteps:\n  - {id: s, hosts: web, shell: powershell, script: Get-Date}\n"
    result = prepared(tmp_path, playbook, inventory=inventory)
    found = [(p.code, p.message) for p in result.problems.sorted() if p.code != "missing-companion"]

    if option in ACTING[transport]:
        assert result.plan is not None, result.problems.sorted()
        endpoint = result.plan.steps[0].placements[0].endpoint
        assert endpoint.session_options != SessionOptions()
        assert found == []
    elif option == "proxy_credential":
        assert result.plan is None
    else:
        assert ["option-not-for-transport"] == [code for code, _ in found]
        assert f"`{option}`" in found[0][1]
        assert ("over ssh" if transport == "ssh" else "locally") in found[0][1]


@pytest.mark.parametrize("option", ["{skip_ca_check: false}", "{output_buffering_mode: None}", "{}"])
def test_an_option_that_asks_for_nothing_goes_with_every_transport(tmp_path: Path, option: str) -> None:
    """A switch that is off and `none` are no wish that could be left unfulfilled."""
    assert [] == told(tmp_path, f"hosts: [web], transport: ssh, session_option: {option}")


RULES = [
    ("authentication: basic, use_ssl: true", ["missing-companion"]),
    ("authentication: credssp", ["missing-companion"]),
    ("authentication: basic, credential: c", ["basic-unencrypted"]),
    ("authentication: basic, credential: c, session_option: {no_encryption: true}", []),
    ("authentication: basic, credential: key, use_ssl: true", ["missing-companion"]),
    ("credential: key", ["missing-companion"]),
    ("credential: nameless", ["missing-companion"]),
    ("credential: pem", ["certificate-needs-https"]),
    ("credential: pem, use_ssl: true", []),
    ("credential: pem, use_ssl: true, authentication: kerberos", ["excluded-key"]),
    ("use_ssl: true, session_option: {no_encryption: true}", ["needs-http"]),
    ("session_option: {skip_ca_check: true}", ["needs-https"]),
    ("session_option: {skip_cn_check: true, skip_revocation_check: true}", ["needs-https", "needs-https"]),
    ("use_ssl: true, session_option: {skip_ca_check: true, skip_cn_check: true}", []),
    ("session_option: {idle_timeout: '{{ 59 }}s'}", ["setting-value"]),
    ("session_option: {idle_timeout: '{{ 25 }}d'}", ["setting-value"]),
    ("session_option: {open_timeout: '{{ 1 }}parsec'}", ["setting-value"]),
    ("session_option: {max_connection_retry_count: '{{ -1 }}'}", ["setting-value"]),
    (
        "session_option: {proxy_access_type: autodetect, proxy_authentication: digest}",
        ["digest-authentication"],
    ),
    ("session_option: {proxy_access_type: autodetect, proxy_credential: nobody}", ["unknown-credential"]),
    ("application_name: 'a?b'", ["setting-value"]),
    ("configuration_name: ' x'", ["setting-value"]),
]


@pytest.mark.parametrize(("keys", "codes"), RULES)
def test_rules_between_login_encryption_and_options(tmp_path: Path, keys: str, codes: list[str]) -> None:
    """What cannot work or would not be safe is refused by its rule; what is right has no error."""
    assert codes == errors(tmp_path, f"{PLAIN}, {keys}")


@pytest.mark.parametrize(("word", "code"), [("digest", "digest-authentication"), ("mutual", "setting-value")])
def test_a_mechanism_of_an_inventory_is_judged_too(tmp_path: Path, word: str, code: str) -> None:
    """What Ansible's variables ask for is refused for the same reasons."""
    inventory = (
        f"version: 1\nhosts: {{w: {{vars: {{ansible_connection: psrp, ansible_psrp_auth: {word}}}}}}}\n"
    )

    assert [code] == errors(tmp_path, "hosts: w", inventory=inventory)


@pytest.mark.parametrize(
    ("keys", "codes"),
    [
        ("authentication: credssp, credential: c", ["credssp-delegation"]),
        ("use_ssl: true, session_option: {skip_ca_check: true}", ["check-skipped"]),
        (
            "use_ssl: true, session_option: {skip_cn_check: true, skip_revocation_check: true}",
            ["check-skipped"],
        ),
        ("session_option: {no_encryption: true}", ["sent-unencrypted"]),
        ("enable_network_access: true", ["option-without-effect"]),
    ],
)
def test_what_is_allowed_and_dangerous_is_said_aloud(tmp_path: Path, keys: str, codes: list[str]) -> None:
    """The cautions of the reference are warnings, one a place."""
    assert [("warning", code) for code in codes] == told(tmp_path, f"{PLAIN.replace('web', 'a, b')}, {keys}")


@pytest.mark.parametrize(
    ("keys", "codes"),
    [
        ("", ["ip-address"]),
        ("use_ssl: true", ["ip-address"]),
        ("credential: c", ["ip-address"]),
        ("credential: c, use_ssl: true", []),
        ("credential: c, trusted_hosts: ['10.*']", []),
        ("credential: c, trusted_hosts: [10.0.0.5, 10.0.0.6]", []),
        ("credential: c, trusted_hosts: ['*']", []),
        ("credential: c, trusted_hosts: ['web*']", ["ip-address"]),
        ("credential: pem, use_ssl: true", []),
    ],
)
def test_an_ip_address_needs_a_credential_and_trust(tmp_path: Path, keys: str, codes: list[str]) -> None:
    """As the reference has it: a credential, and https or a place among the trusted hosts; told once for all hosts."""
    assert codes == errors(
        tmp_path, f"hosts: '10.0.0.5,10.0.0.6', transport: winrm{', ' if keys else ''}{keys}"
    )


@pytest.mark.parametrize(
    ("uri", "warned"),
    [
        ("https://m.example", True),
        ("https://m.example/wsman", True),
        ("http://m.example/WSMan/", True),
        ("https://m.example:443/wsman", False),
        ("https://m.example/PowerShell", False),
    ],
)
def test_a_uri_without_a_port_is_told_where_a_listener_is_meant(
    tmp_path: Path, uri: str, *, warned: bool
) -> None:
    """80 and 443 are no ports where WinRM listens by default; Exchange's path says that they are meant."""
    assert [("warning", "uri-without-port")] * warned == told(tmp_path, f"connection_uri: '{uri}'")


def test_a_password_in_a_uri_is_never_shown(tmp_path: Path) -> None:
    """A URI with a user's name is refused, and what stands before the `@` is in no message and no host's name."""
    result = prepared(tmp_path, written("connection_uri: 'https://u:hunter2@m.example/x'"))

    assert ["setting-value"] == [p.code for p in result.problems.sorted()]
    assert "hunter2" not in "".join(f"{p.message}{p.hints}" for p in result.problems)


def test_the_nearest_login_wins_as_a_whole(tmp_path: Path) -> None:
    """A login of a target takes the place of another kind of login of a group, and does not clash with it."""
    inventory = (
        "version: 1\ngroups:\n"
        "  certs: {hosts: {a: {}}, connection: {transport: winrm, use_ssl: true, certificate_thumbprint:"
        " 9B1AEF0D2D4C3E8F7A6B5C4D3E2F1A0B9C8D7E6F}}\n"
        "  tickets: {hosts: {b: {}}, connection: {transport: winrm, authentication: NegotiateWithImplicitCredential}}\n"
        "  logins: {hosts: {d: {}}, connection: {transport: winrm, credential: c}}\n"
    )
    a, b = (
        p.endpoint
        for p in placements(tmp_path, written("hosts: 'certs:tickets', credential: c"), inventory=inventory)
    )
    (d,) = placements(
        tmp_path,
        written("hosts: logins, authentication: NegotiateWithImplicitCredential"),
        inventory=inventory,
    )

    assert (a.credential, b.credential, d.endpoint.credential) == ("c", "c", None)
    assert isinstance(b.winrm, WinrmSettings)
    assert b.winrm.authentication is Authentication.DEFAULT


@pytest.mark.parametrize(
    ("keys", "refused"),
    [
        ("use_ssl: true", "use_ssl"),
        ("authentication: kerberos", "authentication"),
        ("trusted_hosts: [a]", "trusted_hosts"),
        ("enable_network_access: true", "enable_network_access"),
        ("run_as_administrator: true", "run_as_administrator"),
        ("via: a", "via"),
    ],
)
def test_a_key_that_fits_none_of_a_targets_hosts_is_refused(tmp_path: Path, keys: str, refused: str) -> None:
    """Where the inventory says the transport, a key of another one is refused by name; of mixed hosts one may fit."""
    inventory = (
        "version: 1\nhosts: {l: {connection: {transport: ssh}}, w: {connection: {transport: winrm}}}\n"
    )
    result = prepared(tmp_path, written(f"hosts: l, {keys}"), inventory=inventory)
    (problem,) = (p for p in result.problems if p.severity is Severity.ERROR)

    assert "excluded-key" == problem.code
    assert f"`{refused}`" in problem.message
    assert "(parameter set SSHHost)" in problem.message
    mixed = errors(tmp_path, f"hosts: 'l:w', {keys}", inventory=inventory)
    assert ([] if refused not in {"run_as_administrator", "via"} else ["excluded-key"]) == mixed


def test_a_key_of_ssh_over_winrm_is_refused(tmp_path: Path) -> None:
    """The other way round too, on a target and in the `connection` of a step."""
    inventory = "version: 1\nhosts: {w: {connection: {transport: winrm}}}\n"

    assert ["excluded-key"] == errors(tmp_path, "hosts: w, user_name: u", inventory=inventory)
    result = prepared(
        tmp_path, written("hosts: w", step=", connection: {known_hosts: k}"), inventory=inventory
    )
    assert ["excluded-key"] == [p.code for p in result.problems]


def test_placements_know_their_session(tmp_path: Path) -> None:
    """A session's name is told to the host, evaluated for it; a stop may take as long as the reference has it."""
    playbook = (
        "version: 1\nname: x\ntargets: {t: {hosts: [a, b], transport: winrm}, l: {hosts: [c], transport: ssh}}\n"
        "sessions: {s: {target: [t, l], name: 'nightly {{ inventory_hostname }}'}}\n"
        "steps:\n  - {id: s, session: s, shell: powershell, script: Get-Date}\n"
    )
    found = placements(tmp_path, playbook)

    assert ["nightly a", "nightly b", "nightly c"] == [p.session_label for p in found]
    assert [60.0, 60.0, 10.0] == [p.cancel_timeout for p in found]


def test_over_ssh_a_configuration_is_a_subsystem(tmp_path: Path) -> None:
    """`configuration_name` over SSH names the subsystem, as in Invoke-Command."""
    (placement,) = placements(tmp_path, written("hosts: [a], transport: ssh, configuration_name: jea"))

    assert ("jea", "powershell") == (placement.endpoint.subsystem, placement.shell)


def test_equal_hosts_are_equal_endpoints(tmp_path: Path) -> None:
    """Two targets that say the same share one connection; another session option does not."""
    head = "version: 1\nname: x\ntargets:\n"
    same = "{hosts: [a], transport: winrm, session_option: {application_arguments: {x: [1]}}}"
    other = same.replace("[1]", "[2]")
    steps = "steps:\n  - {id: s, target: t, script: x}\n  - {id: r, target: u, script: x}\n"
    for second, equal in ((same, True), (other, False)):
        result = prepared(tmp_path, f"{head}  t: {same}\n  u: {second}\n{steps}")
        assert result.plan is not None, result.problems.sorted()
        first, last = (step.placements[0].endpoint for step in result.plan.steps)
        assert equal == (first == last)


def test_the_credential_of_a_proxy_is_needed(tmp_path: Path) -> None:
    """Its secret is read before the first connection, like every other."""
    target = f"{PLAIN}, session_option: {{proxy_access_type: AutoDetect, proxy_credential: c}}"
    result = prepared(tmp_path, written(target))

    assert result.plan is not None, result.problems.sorted()
    assert {"c"} == result.plan.credentials_needed


def test_names_of_uri_hosts_are_their_authority_unless_named(tmp_path: Path) -> None:
    """Two paths at one place are two hosts, so one of them wants a name."""
    uris = "connection_uri: ['https://m.example:444/a', 'https://m.example:444/b']"
    assert ["host-twice"] == errors(tmp_path, uris)
    (placement,) = placements(tmp_path, written("connection_uri: 'https://m.example:444/a', name: mail"))
    assert ("mail", "m.example") == (placement.host, placement.endpoint.address)
    (plain,) = placements(tmp_path, written("connection_uri: 'https://m.example:444/a'"))
    assert "m.example:444" == plain.host


def test_a_thumbprint_finds_its_files(tmp_path: Path) -> None:
    """The certificate of the store is what the transport logs in with; validation looks nothing up."""
    issued = trustme.CA().issue_cert("ops@example.com")
    issued.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "ops.pem"))
    thumbprint = load_pem_x509_certificate((tmp_path / "ops.pem").read_bytes()).fingerprint(SHA1()).hex()
    target = f"{PLAIN}, use_ssl: true, certificate_thumbprint: '{thumbprint}'"
    endpoint = endpoint_of(tmp_path, target, certificates=str(tmp_path))

    assert endpoint.winrm is not None
    assert str(tmp_path / "ops.pem") == endpoint.winrm.certificate == endpoint.winrm.certificate_key
    assert ["certificate-store"] == errors(tmp_path, target)
    assert [] == errors(tmp_path, target, validating=True)


def test_certificates_of_an_ansible_inventory(tmp_path: Path) -> None:
    """Ansible names the files; they are relative to the inventory."""
    inventory = (
        "version: 1\nhosts: {w: {vars: {ansible_connection: winrm, ansible_winrm_transport: certificate,"
        " ansible_winrm_cert_pem: c.pem, ansible_winrm_cert_key_pem: keys/k.pem}}}\n"
    )
    endpoint = endpoint_of(tmp_path, "hosts: w", inventory=inventory)

    assert endpoint.winrm is not None
    assert Authentication.DEFAULT is endpoint.winrm.authentication
    found = endpoint.winrm.certificate, endpoint.winrm.certificate_key
    assert (str(tmp_path / "c.pem"), str(tmp_path / "keys/k.pem")) == found
    assert ["certificate-needs-https"] == errors(tmp_path, "hosts: w, use_ssl: false", inventory=inventory)


def test_a_plan_shows_how_windows_hosts_are_reached(tmp_path: Path) -> None:
    """URL, login and session configuration, once for hosts that differ in their names alone; no secret is there."""
    playbook = written("hosts: [a, b], use_ssl: true, credential: c, configuration_name: PowerShell.7")
    result = prepared(tmp_path, playbook)
    assert result.plan is not None
    text = "\n".join("".join(piece.text for piece in line) for line in plan_lines(result.plan))
    (first, _) = plan_document(result.plan)["steps"][0]["assignments"]

    assert 1 == text.count("over   https://HOST:5986/wsman  default  PowerShell.7")
    assert "https://a:5986/wsman?PSVersion=5.1" == first["url"]
    assert ("default", "PowerShell.7") == (first["authentication"], first["configuration"])
