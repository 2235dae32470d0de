"""Invoke-Command's parameter sets: each key goes with the ways to say who that allow it, and with no other."""

from __future__ import annotations

import pytest

from runner.codes import code_pages
from runner.document.nodes import Source
from runner.document.schema import check_playbook
from runner.document.yaml import load
from runner.problems import Problem, Problems

KINDS = {
    "hosts": "hosts: web",
    "connection_uri": "connection_uri: 'https://mail.example.com/PowerShell'",
    "ssh_connections": "ssh_connections: [{host_name: web}]",
    "vm_name": "vm_name: win-a, credential: c",
    "vm_id": "vm_id: 4c4c4544-0034-4b10-8052-b2c04f4d3332, credential: c",
    "container_id": "container_id: web-1",
    "local": "local: true",
}
REMOTE = {"hosts", "connection_uri", "ssh_connections", "vm_name", "vm_id", "container_id"}
WINRM = {"hosts", "connection_uri"}
SSH = {"hosts", "ssh_connections"}

# remoting.md 3.2, row by row; credential and throttle are lifted on SSH and containers (language.md).
TABLE = {
    "credential: c": REMOTE,
    "port: 2222": SSH,
    "use_ssl: true": {"hosts"},
    "configuration_name: x": REMOTE,
    "application_name: x": {"hosts"},
    "throttle: 5": REMOTE,
    "session_option: {culture: de-DE}": {"hosts", "connection_uri", "ssh_connections"},
    "authentication: kerberos": WINRM,
    "certificate_thumbprint: 9B1AEF0D2D4C3E8F7A6B5C4D3E2F1A0B9C8D7E6F": WINRM,
    "enable_network_access: true": WINRM,
    "allow_redirection: true": {"connection_uri"},
    "trusted_hosts: [a]": WINRM,
    "user_name: u": SSH,
    "key_file_path: k": SSH,
    "identity_file_path: k": SSH,
    "subsystem: powershell": SSH,
    "connecting_timeout: 5s": SSH,
    "options: {Compression: yes}": SSH,
    "ssh_transport: true": SSH,
    "jump: [bastion]": SSH,
    "known_hosts: k": SSH,
    "host_key_checking: strict": SSH,
    "run_as_administrator: true": {"hosts", "container_id"},
    "runtime: podman": {"hosts", "container_id"},
    "via: hyperv01": {"hosts", "vm_name", "vm_id"},
    "interpreter: /opt/pwsh": set(KINDS) - {"connection_uri"},
}


def problems_of(text: str) -> list[Problem]:
    """All problems of a playbook."""
    problems = Problems()
    check_playbook(load(Source("playbook.yml", text), problems), problems)
    return problems.sorted()


def of_target(keys: str) -> list[Problem]:
    """The problems of a target with these keys."""
    return problems_of(f"version: 1\nsteps: []\ntargets:\n  t: {{{keys}}}\n")


def of_step(*lines: str) -> list[Problem]:
    """The problems of a step with these keys, beside targets of both kinds."""
    keys = "".join(f"    {line}\n" for line in lines)
    targets = "targets: {here: {local: true}, there: {hosts: web}}\n"
    return problems_of(f"version: 1\n{targets}steps:\n  - id: work\n{keys}")


ROWS = [(kind, key) for key in TABLE for kind in KINDS if key.partition(":")[0] not in KINDS[kind]]


@pytest.mark.parametrize(("kind", "key"), ROWS)
def test_each_row_of_the_table(kind: str, key: str) -> None:
    """A key is taken by the kinds of target that have it, and refused at the key by all others."""
    name = key.partition(":")[0]
    keys = f"{KINDS[kind]}, {key}"
    found = of_target(keys)
    if kind in TABLE[key]:
        assert found == []
        return
    assert [problem.code for problem in found] == ["excluded-key"]
    assert found[0].span is not None
    assert found[0].span.column == len("  t: {") + keys.rindex(f" {name}:") + 2
    assert f"`{name}` of target `t` does not go with `{kind}`" in found[0].message


def test_the_reason_is_said() -> None:
    """A refusal names the reason and the parameter set."""
    (problem,) = of_target("connection_uri: 'https://a/b', use_ssl: true")
    assert problem.message == (
        "`use_ssl` of target `t` does not go with `connection_uri`: the scheme of the URI says it (parameter set Uri)"
    )


@pytest.mark.parametrize(
    ("keys", "refused"),
    [
        ("hosts: a, transport: ssh, use_ssl: true", "use_ssl"),
        ("hosts: a, ssh_transport: true, use_ssl: true", "use_ssl"),
        ("hosts: a, transport: winrm, user_name: u", "user_name"),
        ("hosts: a, transport: winrm, interpreter: pwsh", "interpreter"),
        ("hosts: a, transport: winrm, ssh_transport: true", "ssh_transport"),
        ("hosts: a, transport: local, credential: c", "credential"),
        ("hosts: a, transport: container, port: 1", "port"),
        ("connection_uri: 'https://a', transport: ssh", "transport"),
        ("ssh_connections: [{host_name: a}], transport: winrm", "transport"),
        ("local: true, transport: ssh", "transport"),
        (
            "hosts: a, certificate_thumbprint: 9B1AEF0D2D4C3E8F7A6B5C4D3E2F1A0B9C8D7E6F, credential: c",
            "credential",
        ),
        (
            "hosts: a, certificate_thumbprint: 9B1AEF0D2D4C3E8F7A6B5C4D3E2F1A0B9C8D7E6F, authentication: kerberos",
            "authentication",
        ),
        ("hosts: a, authentication: NegotiateWithImplicitCredential, credential: c", "credential"),
    ],
)
def test_keys_that_exclude_each_other(keys: str, refused: str) -> None:
    """What an explicit transport or a login excludes is refused, once and at the key."""
    (problem,) = of_target(keys)
    assert problem.code == "excluded-key"
    assert problem.message.startswith(f"`{refused}` of target `t` does not go with")
    assert problem.span is not None
    assert problem.span.column == len("  t: {") + keys.rindex(f" {refused}:") + 2


@pytest.mark.parametrize(
    "keys",
    [
        "hosts: a, transport: ssh, user_name: u, port: 1, credential: c, throttle: 3",
        "hosts: a, transport: winrm, use_ssl: true, port: 1",
        "hosts: a, use_ssl: true, user_name: u",  # hosts of both kinds: the inventory says which
        "hosts: a, certificate_thumbprint: 9B1AEF0D2D4C3E8F7A6B5C4D3E2F1A0B9C8D7E6F, authentication: default",
        "hosts: a, transport: ssh, configuration_name: x",
        "ssh_connections: [{host_name: a, port: 1}], port: 2",
    ],
)
def test_keys_that_go_together(keys: str) -> None:
    """What the table allows, or what is lifted on purpose, has no problem."""
    assert of_target(keys) == []


@pytest.mark.parametrize(
    ("keys", "code", "words"),
    [
        (
            "hosts: a, connect_timeout: 1s, connecting_timeout: 1s",
            "alias-twice",
            "`connecting_timeout` of target `t`",
        ),
        (
            "hosts: a, key_file_path: k, identity_file_path: k",
            "alias-twice",
            "`identity_file_path` of target `t`",
        ),
        ("ssh_connections: {host_name: a, computer_name: b}", "alias-twice", "`computer_name`"),
        (
            "ssh_connections: [{host_name: a, key_file_path: k, identity_file_path: k}]",
            "alias-twice",
            "`identity_file_path`",
        ),
        (
            "vm_id: 4c4c4544-0034-4b10-8052-b2c04f4d3332, vm_guid: 4c4c4544-0034-4b10-8052-b2c04f4d3332, credential: c",
            "alias-twice",
            "`vm_guid` of target `t`",
        ),
        ("vm_name: a", "missing-companion", "`vm_name` of target `t` needs `credential`"),
        ("hosts: a, authentication: Digest", "digest-authentication", "cannot be `digest`"),
        (
            "ssh_connections: {host_name: a}, subsystem: a, configuration_name: b",
            "subsystem-twice",
            "over SSH",
        ),
        ("hosts: a, transport: ssh, subsystem: a, configuration_name: b", "subsystem-twice", "over SSH"),
        ("hosts: a, session_option: {proxy_credential: c}", "missing-companion", "`proxy_access_type`"),
    ],
)
def test_other_rules_of_targets(keys: str, code: str, words: str) -> None:
    """Names of one key, companions and forms that are not offered are one problem each."""
    (problem,) = of_target(keys)
    assert problem.code == code
    assert words in problem.message
    assert code in code_pages()


def test_each_name_of_a_key_is_taken_alone() -> None:
    """Every alias stands for its key."""
    guid = "4c4c4544-0034-4b10-8052-b2c04f4d3332"
    for keys in (
        "hosts: a, connect_timeout: 5",
        "hosts: a, connecting_timeout: 5s",
        "ssh_connections: {computer_name: a, identity_file_path: k}",
        f"vm_guid: '{{{guid}}}', credential: c",
    ):
        assert of_target(keys) == []


def test_a_vm_may_have_its_credential_from_the_defaults() -> None:
    """The credential that VM targets need may stand in `defaults.connection`."""
    text = "version: 1\nsteps: []\ntargets: {t: {vm_name: a}}\ndefaults: {connection: {credential: c}}\n"
    assert problems_of(text) == []


@pytest.mark.parametrize(
    ("lines", "code", "key"),
    [
        (["script: ls", "session: s", "disconnected: true"], "excluded-key", "disconnected"),
        (["script: ls", "disconnected: true", "background: true"], "excluded-key", "background"),
        (["script: ls", "disconnected: true", "job_name: j"], "excluded-key", "job_name"),
        (["script: ls", "session_name: n"], "missing-companion", "session_name"),
        (["script: ls", "session: s", "connection: {port: 1}"], "excluded-key", "connection"),
        (["script: ls", "target: there", "no_new_scope: true"], "excluded-key", "no_new_scope"),
        (["script: ls", "session: s", "no_new_scope: true"], "excluded-key", "no_new_scope"),
        (["command: ls", "native_exit_code: true"], "excluded-key", "native_exit_code"),
        (["command: ls", "strict_mode: latest"], "excluded-key", "strict_mode"),
    ],
)
def test_rules_of_steps(lines: list[str], code: str, key: str) -> None:
    """Modes and keys of a step that exclude or need others are refused at the key."""
    (problem,) = of_step(*lines)
    assert problem.code == code
    assert problem.message.startswith(f"`{key}` of step `work` ")
    assert problem.span is not None
    at = next(index for index, line in enumerate(lines) if line.startswith(f"{key}:"))
    assert (problem.span.line, problem.span.column) == (5 + at, 5)


@pytest.mark.parametrize(
    "lines",
    [
        ["script: ls", "target: here", "no_new_scope: true"],
        ["script: ls", "no_new_scope: true"],
        ["file: a.sh", "target: there", "job_name: j"],
        ["script: ls", "target: there", "disconnected: true", "session_name: [a, b]"],
        ["script: ls", "session: s", "disconnected: false"],
        ["script: ls", "session: s", "background: true"],
    ],
)
def test_steps_that_are_right(lines: list[str]) -> None:
    """The same keys have no problem where they fit."""
    assert of_step(*lines) == []


def test_a_step_without_who_takes_that_of_the_defaults() -> None:
    """`no_new_scope` looks at the target that the defaults give."""
    text = "version: 1\ntargets: {there: {hosts: web}}\ndefaults: {target: there}\n"
    (problem,) = problems_of(text + "steps:\n  - {script: ls, no_new_scope: true}\n")
    assert problem.code == "excluded-key"


def test_rules_hold_in_connections_of_steps_and_defaults() -> None:
    """A `connection` mapping is held to the same rules, and the message says whose it is."""
    (problem,) = of_step("script: ls", "connection: {transport: ssh, use_ssl: true}")
    assert problem.message.startswith(
        "`use_ssl` of `connection` of step `work` does not go with `transport: ssh`"
    )
    text = "version: 1\nsteps: []\ndefaults: {connection: {transport: winrm, user_name: u}}\n"
    (problem,) = problems_of(text)
    assert problem.message.startswith(
        "`user_name` of `defaults.connection` does not go with `transport: winrm`"
    )
