"""Bodies from YAML: every field arrives, and what is left out has the default that the reference says."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.document.nodes import to_plain
from runner.playbook.bodies import (
    EnsureBody,
    FailBody,
    GateBody,
    HttpBody,
    RebootBody,
    SetVarsBody,
    WaitForBody,
)
from tests.support.playbooks import loaded, only_step


def test_ensure_has_a_script_for_each_half(tmp_path: Path) -> None:
    """A text, one for each shell and a named script are all read."""
    playbook, problems = loaded(
        tmp_path,
        """\
        scripts: {make: mkdir x}
        steps: [{ensure: {test: {sh: test -d x, powershell: Test-Path x}, set: {ref: make}}}]
        """,
    )
    body = playbook.steps[0].body

    assert problems.sorted() == []
    assert isinstance(body, EnsureBody)
    assert [("sh", "test -d x"), ("powershell", "Test-Path x")] == [(s.shell, s.text) for s in body.test]
    assert [(None, "mkdir x")] == [(s.shell, s.text) for s in body.set]


def test_set_vars_and_fail_keep_their_templates(tmp_path: Path) -> None:
    """Values are nodes, to be rendered a host at a time."""
    variables = only_step(tmp_path, "set_vars: {free: '{{ x }}', n: 3}, vars: {x: 1}").body
    failure = only_step(tmp_path, "fail: 'no {{ x }}', vars: {x: 1}").body

    assert isinstance(variables, SetVarsBody)
    assert isinstance(failure, FailBody)
    assert {"free": "{{ x }}", "n": 3} == {name: to_plain(v) for name, v in variables.variables.items()}
    assert to_plain(failure.message) == "no {{ x }}"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("", ((200, 299),)),
        (", status: 204", ((204, 204),)),
        (", status: 200-204", ((200, 204),)),
        (", status: [200, '300-399']", ((200, 200), (300, 399))),
    ],
)
def test_accepted_statuses_are_ranges(
    tmp_path: Path, status: str, expected: tuple[tuple[int, int], ...]
) -> None:
    """A status is a range of one; both ends are in it; without a word all of 2xx are accepted."""
    body = only_step(tmp_path, f"http: {{url: 'https://x.example'{status}}}").body

    assert isinstance(body, HttpBody)
    assert (expected, "GET", None) == (body.statuses, body.method, body.timeout)


def test_a_request_has_all_it_sends(tmp_path: Path) -> None:
    """Method in upper case, headers, a body, a limit in seconds."""
    body = only_step(
        tmp_path, "http: {url: 'https://x.example', method: post, headers: {A: b}, json: {a: 1}, timeout: 5s}"
    ).body

    assert isinstance(body, HttpBody)
    assert ("POST", {"A": "b"}, {"a": 1}, None, 5.0) == (
        body.method,
        to_plain(body.headers),
        to_plain(body.json),
        body.body,
        body.timeout,
    )


def test_a_gate_is_a_message_or_rules(tmp_path: Path) -> None:
    """A lone text asks; nothing is said then of what happens without an answer."""
    short = only_step(tmp_path, "gate: Go on?").body
    long = only_step(
        tmp_path, "gate: {message: Go?, that: {script: 'true', shell: bash}, timeout: 2h, default: go}"
    ).body

    assert isinstance(short, GateBody)
    assert isinstance(long, GateBody)
    assert ("Go on?", None, None, None) == (to_plain(short.message), short.that, short.timeout, short.default)
    assert long.that is not None
    assert (["true"], "bash", 7200.0, "go") == (
        [script.text for script in long.that.scripts],
        long.that.shell,
        long.timeout,
        long.default,
    )


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("port: 22", (300.0, 1.0, "controller", (200, 200))),
        ("path: /run/x", (300.0, 1.0, "host", (200, 200))),
        ("path: /run/x, from: controller", (300.0, 1.0, "controller", (200, 200))),
        ("port: 22, from: host, timeout: 2m, interval: 5s", (120.0, 5.0, "host", (200, 200))),
        ("url: 'http://localhost/', status: 200-299", (300.0, 1.0, "controller", (200, 299))),
    ],
)
def test_what_is_waited_for_says_who_looks(tmp_path: Path, keys: str, expected: tuple[object, ...]) -> None:
    """The controller looks unless said otherwise; for a path the host does."""
    body = only_step(tmp_path, f"target: web, wait_for: {{{keys}}}").body

    assert isinstance(body, WaitForBody)
    assert expected == (body.timeout, body.interval, body.origin, body.status)


def test_an_expression_can_be_waited_for(tmp_path: Path) -> None:
    """``that`` takes one expression or a list of them."""
    body = only_step(tmp_path, "wait_for: {that: [1 == 1, 2 == 2]}").body

    assert isinstance(body, WaitForBody)
    assert body.that is not None
    assert ["1 == 1", "2 == 2"] == [each.text for each in body.that.expressions]


@pytest.mark.parametrize("written", ["", "{}"])
def test_a_reboot_may_say_nothing(tmp_path: Path, written: str) -> None:
    """``reboot:`` alone waits ten minutes and tests nothing."""
    body = only_step(tmp_path, f"target: web, reboot: {written}").body

    assert body == RebootBody()


def test_a_reboot_has_a_limit_and_a_test(tmp_path: Path) -> None:
    """The test is a script as any other."""
    body = only_step(tmp_path, "target: web, reboot: {timeout: 5m, test: uptime, message: soon}").body

    assert isinstance(body, RebootBody)
    assert (300.0, ["uptime"], "soon") == (body.timeout, [s.text for s in body.test], to_plain(body.message))
