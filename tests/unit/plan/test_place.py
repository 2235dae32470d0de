"""Who and how: hosts of targets, settings by the nearest layer, endpoints, limits as counters."""

from __future__ import annotations

from pathlib import Path

from runner.plan.model import Plan
from runner.transport.endpoint import HostKeyChecking
from runner.using.model import Shell
from tests.support.planning import INVENTORY, codes, found, prepared


def planned(folder: Path, playbook: str, **given: object) -> Plan:
    result = prepared(folder, playbook, **given)  # type: ignore[arg-type]
    assert result.plan is not None, result.problems.sorted()
    return result.plan


def test_hosts_come_in_inventory_order_each_once(tmp_path: Path) -> None:
    """Two targets that name the same host place it once."""
    plan = planned(
        tmp_path,
        """\
        version: 1
        name: x
        targets: {b: {hosts: "web02:db"}, a: {hosts: web}}
        steps:
          - {id: s, target: [b, a], script: 'true'}
        """,
        inventory=INVENTORY,
    )

    assert ["web02", "db01", "web01", "web03", "web04"] == [p.host for p in plan.steps[0].placements]
    assert ("web01", "web02", "web03", "web04", "db01") == plan.hosts


def test_the_nearest_setting_wins(tmp_path: Path) -> None:
    """Step over target over host over group over defaults."""
    plan = planned(
        tmp_path,
        """\
        version: 1
        name: x
        defaults: {connection: {user_name: from_defaults, port: 1, connect_timeout: 5s, known_hosts: kh}}
        targets: {t: {hosts: "a:b", connect_timeout: 7s, host_key_checking: Accept_New}}
        steps:
          - {id: s, target: t, shell: bash, script: 'true'}
        """,
        inventory="""\
        version: 1
        groups:
          g:
            hosts: {a: {address: 10.0.0.1, connection: {port: 3}}, b: {}}
            connection: {port: 2, user_name: "{{ inventory_hostname }}-user", shell: python}
        """,
    )
    a, b = (p.endpoint for p in plan.steps[0].placements)

    assert ("10.0.0.1", 3, "a-user", 7.0) == (a.address, a.port, a.user, a.connect_timeout)
    assert ("b", 2, "b-user") == (b.address, b.port, b.user)
    assert HostKeyChecking.ACCEPT_NEW is a.host_key_checking
    assert str(tmp_path / "kh") == a.known_hosts
    assert {Shell.BASH} == {p.shell for p in plan.steps[0].placements}


def test_jump_hosts_of_the_inventory_bring_their_own_settings(tmp_path: Path) -> None:
    """A jump host named in the inventory is reached as the inventory says, and never through itself."""
    plan = planned(
        tmp_path,
        """\
        version: 1
        name: x
        steps:
          - {id: s, hosts: all, script: 'true'}
        """,
        inventory="""\
        version: 1
        connection: {jump: [bastion, {host_name: inner, user_name: j}, 'x@y:99']}
        hosts:
          bastion: {address: b.example, connection: {port: 2222}}
          web: {}
          direct: {connection: {jump: []}}
        """,
    )
    endpoints = {p.host: p.endpoint for p in plan.steps[0].placements}
    jump = endpoints["web"].jump or ()

    assert [("b.example", 2222, None), ("inner", None, "j"), ("y", 99, "x")] == [
        (j.address, j.port, j.user) for j in jump
    ]
    assert () == endpoints["direct"].jump
    assert ["inner", "y"] == [j.address for j in endpoints["bastion"].jump or ()]


def test_limits_are_counters_and_lanes_come_first(tmp_path: Path) -> None:
    """Each throttle is a counter of its own; a kept session's lane has a limit of one."""
    plan = planned(
        tmp_path,
        """\
        version: 1
        name: x
        throttle: 9
        targets: {t: {hosts: web, throttle: 4}}
        sessions: {warm: {target: t, throttle: 3}}
        steps:
          - {id: a, session: warm, script: 'true'}
          - {id: b, target: t, throttle: unlimited, script: 'true'}
        """,
        inventory="""\
        version: 1
        groups:
          web: {hosts: {w1: {}, w2: {}}, throttle: 2}
        """,
    )
    limits = plan.shape.limits
    first = [limits[number] for number, _ in plan.shape.steps[0].counters[0]]
    second = [limits[number] for number, _ in plan.shape.steps[1].counters[0]]

    assert [1, 32, 9, 4, 3, 2] == first
    assert [None, 9, 4, 2] == second


def test_names_written_out_are_hosts_without_an_inventory(tmp_path: Path) -> None:
    """A list of names, a lone name and a file of names need no inventory; a pattern does."""
    (tmp_path / "Machines.txt").write_text("server03\n# none\nserver04\n", encoding="utf-8")
    plan = planned(
        tmp_path,
        """\
        version: 1
        name: x
        targets: {t: {hosts: [server01, server02]}, f: {hosts: {file: Machines.txt}}}
        steps:
          - {id: s, target: [t, f], script: 'true'}
        """,
    )

    assert ("server01", "server02", "server03", "server04") == plan.hosts
    assert ["pattern-without-inventory", "no-assignments"] != codes(
        prepared(tmp_path, "version: 1\nname: x\nsteps: [{id: s, hosts: 'web*', script: x}]\n")
    )


def test_one_name_for_two_hosts_is_refused(tmp_path: Path) -> None:
    """Results could not be told apart."""
    result = prepared(
        tmp_path,
        """\
        version: 1
        name: x
        targets:
          t: {shell: sh, ssh_connections: [{host_name: w, port: 1}, {host_name: w, port: 2}]}
        steps:
          - {id: s, target: t, script: 'true'}
        """,
    )

    assert [("host-twice", 4, 61)] == found(result)


def test_what_is_not_available_yet_is_refused_by_name_at_plan_time_only(tmp_path: Path) -> None:
    """Later parts of the language validate, and a plan refuses them at their place."""
    text = """\
        version: 1
        name: x
        targets: {w: {container_id: [web-1]}}
        steps:
          - {id: a, target: w, script: date}
          - {id: b, script: 'true', job_name: nightly}
          - {id: c, receive: {job: b}}
        """

    assert [] == codes(prepared(tmp_path, text, validating=True))
    assert [
        ("transport-not-available", 3, 30),
        ("not-available-yet", 6, 29),
        ("not-available-yet", 7, 13),
    ] == found(prepared(tmp_path, text))


def test_limit_and_empty_groups_skip_steps_with_a_warning(tmp_path: Path) -> None:
    """Steps that lose all hosts are told; local steps stay; nothing at all is an error."""
    text = """\
        version: 1
        name: x
        steps:
          - {id: a, hosts: db, script: 'true'}
          - {id: b, hosts: empty, script: 'true'}
          - {id: c, hosts: web, script: 'true'}
        """
    result = prepared(tmp_path, text, inventory=INVENTORY, limit="web01")

    assert ["step-without-hosts", "step-without-hosts"] == codes(result)
    assert result.plan is not None
    assert ("web01",) == result.plan.hosts
    assert "no-assignments" in codes(prepared(tmp_path, text, inventory=INVENTORY, limit="bastion"))


def test_numbers_and_durations_of_steps_may_be_templates_of_inputs(tmp_path: Path) -> None:
    """They are computed when the plan is made; what only a host knows is refused where all hosts share it."""
    text = """\
        version: 1
        name: x
        inputs: {limit: {type: duration, default: 90s}, many: {type: integer, default: 3}}
        steps:
          - id: a
            script: "true"
            timeout: "{{ limit }}"
            throttle: "{{ inputs.many }}"
            hide_computer_name: "{{ many > 2 }}"
        """
    plan = planned(tmp_path, text)
    step = plan.steps[0].step

    assert (90.0, 3, True) == (step.timeout, step.throttle, step.hide_computer_name)
    assert [("unknown-variable", 8, 19)] == found(
        prepared(tmp_path, text.replace("{{ inputs.many }}", "{{ inventory_hostname }}"))
    )


def test_a_step_may_say_its_own_connection(tmp_path: Path) -> None:
    """The step is the nearest layer of all."""
    plan = planned(
        tmp_path,
        """\
        version: 1
        name: x
        targets: {t: {hosts: [h], user_name: a, port: 1}}
        steps:
          - {id: s, target: t, script: 'true', connection: {user_name: b}}
          - {id: r, target: t, script: 'true'}
        """,
    )

    assert [("b", 1)] == [(p.endpoint.user, p.endpoint.port) for p in plan.steps[0].placements]
    assert [("a", 1)] == [(p.endpoint.user, p.endpoint.port) for p in plan.steps[1].placements]


def test_a_nearer_credential_brings_its_own_user_name(tmp_path: Path) -> None:
    """A user name of the inventory does not stand against the credential a target names."""
    text = """\
        version: 1
        name: x
        credentials: {ops: {username: deploy, password: {env: X}}, key: {private_key: {file: k}}}
        targets: {t: {hosts: web, credential: ops}, k: {hosts: db, credential: key}}
        steps:
          - {id: s, target: [t, k], script: 'true'}
        """
    inventory = (
        "version: 1\nconnection: {user_name: root}\ngroups: {web: {hosts: {a: {}}}, db: {hosts: {b: {}}}}\n"
    )
    plan = planned(tmp_path, text, inventory=inventory)

    assert [("a", None, "ops"), ("b", "root", "key")] == [
        (p.host, p.endpoint.user, p.endpoint.credential) for p in plan.steps[0].placements
    ]


def test_network_access_is_ignored_with_a_warning(tmp_path: Path) -> None:
    """It is for loopback sessions over WinRM; a playbook that says it is told, not refused."""
    text = """\
        version: 1
        name: x
        targets: {t: {hosts: [a], transport: winrm, enable_network_access: true}}
        steps: [{id: s, target: t, script: x}]
        """

    assert [("option-without-effect", 3, 68)] == found(prepared(tmp_path, text, validating=True))


def test_steps_that_say_the_same_share_their_placements(tmp_path: Path) -> None:
    """A plan of 100 steps on 10,000 hosts holds each host once; what differs in its connection does not mix."""
    plan = planned(
        tmp_path,
        """\
        version: 1
        name: x
        steps:
          - {id: a, hosts: [h1, h2], script: 'true'}
          - {id: b, hosts: [h1, h2], script: 'true'}
          - {id: c, hosts: [h1, h2], connection: {user_name: me}, block: [{id: s, script: 'true'}]}
          - {id: d, hosts: [h1, h2], connection: {user_name: you}, block: [{id: t, script: 'true'}]}
        """,
    )
    first, second, third, fourth = plan.steps

    assert all(one is other for one, other in zip(first.placements, second.placements, strict=True))
    assert [(None, "me", "you")] * 2 == [
        (a.endpoint.user, c.endpoint.user, d.endpoint.user)
        for a, c, d in zip(first.placements, third.placements, fourth.placements, strict=True)
    ]


def test_steps_of_kept_sessions_share_what_their_limits_are_made_of(tmp_path: Path) -> None:
    """A million assignments with a lane each hold a pair for each step and for each lane, not two of their own."""
    plan = planned(
        tmp_path,
        """\
        version: 1
        name: x
        targets: {t: {hosts: [h1, h2]}}
        sessions: {kept: {target: t}}
        steps:
          - {id: a, session: kept, script: 'true'}
          - {id: b, session: kept, script: 'true'}
        """,
    )
    pairs = [pair for step in plan.shape.steps for taken in step.counters for pair in taken]

    assert 4 + 4 == len(pairs)
    assert 2 + 2 == len(set(pairs)) == len({id(pair) for pair in pairs})
