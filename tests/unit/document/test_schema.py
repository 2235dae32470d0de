"""Each mistake in a playbook, a steps file is one problem, at that mistake, in the author's words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.codes import code_pages
from runner.document.nodes import Document, Mapping, Sequence, Source
from runner.document.schema import check_playbook, check_steps_file
from runner.document.schema_validator import keys_of
from runner.document.yaml import load
from runner.problems import Problem, Problems

Check: TypeAlias = Callable[[Document, Problems], frozenset[int]]

MARK = "^"
"""Stands in the texts below right before the place of the problem."""


def problems_of(text: str, check: Check = check_playbook) -> list[Problem]:
    """All problems of a text, the loader's too."""
    problems = Problems()
    check(load(Source("playbook.yml", text), problems), problems)
    return problems.sorted()


def in_step(line: str) -> str:
    """A playbook with one step that has these keys beside its body."""
    return f"version: 1\nsteps:\n  - id: work\n    script: uptime\n    {line}\n"


def in_body(line: str) -> str:
    """A playbook with one step that has this body."""
    return f"version: 1\nsteps:\n  - id: work\n    {line}\n"


def in_target(line: str) -> str:
    """A playbook with one target that has these keys."""
    return f"version: 1\nsteps: []\ntargets:\n  web: {{{line}}}\n"


def in_playbook(line: str) -> str:
    """A playbook without steps and with this section."""
    return f"version: 1\nsteps: []\n{line}\n"


Case: TypeAlias = tuple[str, str, str, str]

CASES: list[Case] = [
    # text, code, words of the message, words of the hints
    # -- unknown keys
    (in_step("^regsiter: x"), "unknown-key", "step `work` has no key `regsiter`", "did you mean `register`?"),
    (in_step("^become: true"), "unknown-key", "`become`", "write `run_as`"),
    (in_step("^become_user: root"), "unknown-key", "`become_user`", "write `run_as`"),
    (in_step("^with_items: [1]"), "unknown-key", "`with_items`", "write `loop`"),
    (in_step("^depends_on: [a]"), "unknown-key", "`depends_on`", "write `needs`"),
    (in_step("^after: [a]"), "unknown-key", "`after`", "write `needs`"),
    (in_step("^notify: restart"), "unknown-key", "`notify`", "when: NAME.changed"),
    (in_step("^serial: 1"), "unknown-key", "`serial`", "write `waves`"),
    (in_step("^async: 10"), "unknown-key", "`async`", "write `background`"),
    (in_step("^ArgumentList: [1]"), "unknown-key", "`ArgumentList`", "write `args`"),
    (in_step("^ThrottleLimit: 5"), "unknown-key", "`ThrottleLimit`", "write `throttle`"),
    (in_step("^ComputerName: web"), "unknown-key", "`ComputerName`", "write `hosts`"),
    (
        in_step("^InDisconnectedSession: true"),
        "unknown-key",
        "`InDisconnectedSession`",
        "write `disconnected`",
    ),
    (in_step("^HideComputerName: true"), "unknown-key", "`HideComputerName`", "write `hide_computer_name`"),
    (in_step("^use_ssl: true"), "unknown-key", "`use_ssl`", "is a key of a target"),
    (in_step("^inputs: {}"), "unknown-key", "`inputs`", "is a key of the playbook"),
    (in_body("^ScriptBlock: uptime"), "unknown-key", "`ScriptBlock`", "write `script`"),
    (in_body("^apt: {name: nginx}"), "unknown-key", "`apt`", ""),
    (in_body("script: {sh: ls, ^zsh: ls}"), "unknown-key", "`script` of step `work`", "did you mean `sh`?"),
    (in_body("copy: {^source: a, dest: /b}"), "unknown-key", "`copy` of step `work`", "write `src`"),
    (in_step("retry: {^retries: 3}"), "unknown-key", "`retry` of step `work`", "write `attempts`"),
    (
        in_step("waves: [1, {size: 2, ^paus: 1m}]"),
        "unknown-key",
        "an entry of `waves`",
        "did you mean `pause`?",
    ),
    (in_playbook("^tasks: []"), "unknown-key", "a playbook has no key `tasks`", "write `steps`"),
    (in_playbook("^hosts: web"), "unknown-key", "`hosts`", "write `targets`"),
    (in_playbook("^gather_facts: false"), "unknown-key", "`gather_facts`", "leave the key out"),
    (in_playbook("^handlers: []"), "unknown-key", "`handlers`", "when: NAME.changed"),
    (in_playbook("^output: json"), "unknown-key", "`output`", "is a key of a step"),
    ("^tasks: []\nversion: 1\n", "unknown-key", "`tasks`", "write `steps`"),
    (in_target("hosts: a, ^user: x"), "unknown-key", "target `web` has no key `user`", "write `user_name`"),
    (in_target("hosts: a, ^password: x"), "unknown-key", "`password`", "credential: NAME"),
    (in_target("^host: a"), "unknown-key", "`host`", "write `hosts`"),
    (in_target("^ComputerName: a"), "unknown-key", "`ComputerName`", "write `hosts`"),
    (in_target("hosts: a, ^UseSSL: true"), "unknown-key", "`UseSSL`", "write `use_ssl`"),
    (in_target("hosts: a, ^timeout: 5s"), "unknown-key", "`timeout`", "write `connect_timeout`"),
    (
        in_target("hosts: a, options: {^Compresion: yes}"),
        "unknown-key",
        "`options`",
        "did you mean `Compression`?",
    ),
    (in_target("ssh_connections: [{host_name: a, ^prt: 3}]"), "unknown-key", "`prt`", "did you mean `port`?"),
    (in_playbook("defaults: {^script: ls}"), "unknown-key", "`script`", "has no default"),
    (
        in_playbook("session_options: {o: {^OpenTimeout: 3s}}"),
        "unknown-key",
        "`OpenTimeout`",
        "write `open_timeout`",
    ),
    # -- missing keys, bodies, who
    ("^version: 1\n", "missing-key", "a playbook needs `steps`", "add `steps`"),
    ("^steps: []\n", "missing-key", "a playbook needs `version`", "write `version: 1`"),
    (in_body("copy: {^src: a}"), "missing-key", "`copy` of step `work` needs `dest`", "add `dest`"),
    (in_body("copy: {^dest: /a}"), "missing-key", "needs `src` or `content`", "add `src` or `content`"),
    (in_step("collect: {^key: [a]}"), "missing-key", "`collect` of step `work` needs `dataset`", ""),
    (in_playbook("sessions: {s: {^reset: step}}"), "missing-key", "session `s` needs `target`", ""),
    (
        "version: 1\nsteps:\n  - ^id: work\n    target: local\n",
        "no-body",
        "step `work` has no body",
        "`script`",
    ),
    (
        in_step("^file: a.sh"),
        "two-bodies",
        "`file` of step `work` does not go with `script`",
        "step of its own",
    ),
    (in_target("^transport: ssh"), "no-who", "target `web` does not say who", "`hosts`"),
    (in_target("hosts: a, ^vm_name: b"), "two-whos", "`vm_name` of target `web`", "target of its own"),
    (in_step("target: a\n    ^hosts: b"), "two-whos", "`hosts` of step `work` does not go with `target`", ""),
    (
        in_step("session: a\n    ^target: b"),
        "two-whos",
        "`target` of step `work` does not go with `session`",
        "",
    ),
    (
        in_step("^rescue: []"),
        "missing-companion",
        "`rescue` of step `work` goes with `block` only",
        "`block`",
    ),
    (in_body("script: {ref: a, ^sh: ls}"), "excluded-key", "does not go with `ref`", ""),
    (in_body("http: {url: a, json: 1, ^body: b}"), "excluded-key", "does not go with `json`", ""),
    (
        in_body("wait_for: {port: 1, ^path: /a}"),
        "excluded-key",
        "does not go with `port`",
        "keep `port` or `path`",
    ),
    # -- wrong values
    (in_step("timeout: ^soon"), "wrong-value", "`timeout` of step `work` must be a duration", ""),
    (in_step("timeout: ^[1]"), "wrong-type", "`timeout` of step `work` must be a duration like", ""),
    (in_step("throttle: ^-1"), "wrong-value", "must be at least 0: `-1`", ""),
    (in_step("throttle: ^lots"), "wrong-value", "must be a number or `unlimited`: `lots`", ""),
    (in_step("max_fail: ^half"), "wrong-value", "must be a number or a percent like `5%`: `half`", ""),
    (in_step("max_fail: ^200%"), "wrong-value", "percent like `5%`: `200%`", ""),
    (in_step("output: ^jsn"), "wrong-value", "must be `objects`, `lines`", "did you mean `json`?"),
    (
        in_step("run_if: ^sometimes"),
        "wrong-value",
        "must be `success`, `failure` or `always`: `sometimes`",
        "",
    ),
    (in_step("shell: ^echo hi"), "wrong-value", "`shell` of step `work` must be", "`script: |`"),
    (in_step("args: ^{a: 1}"), "wrong-type", "`args` of step `work` must be a list", "`parameters`"),
    (in_step("name: ^true"), "wrong-type", "`name` of step `work` must be text: `true`", '`"true"`'),
    (in_step("name: ^[a]"), "wrong-type", "`name` of step `work` must be text, not a list", ""),
    (
        in_step("register: ^last-run"),
        "wrong-name",
        "`register` of step `work` must be a name",
        "write `last_run`",
    ),
    (in_step("needs: [^a b]"), "wrong-name", "an entry of `needs` of step `work`", "write `a_b`"),
    (in_step("needs: [{step: a, wait: ^every}]"), "wrong-value", "`needs.wait`", ""),
    (in_step("when: ^{a: b}"), "wrong-type", "`when` of step `work` must be an expression", ""),
    (
        in_step("retry: {attempts: ^0}"),
        "wrong-value",
        "`retry.attempts` of step `work` must be at least 1: `0`",
        "",
    ),
    (in_step("retry: {on: [failed, ^3]}"), "wrong-type", "an entry of `retry.on` of step `work`", ""),
    (in_step("when: ^''"), "wrong-type", "`when` of step `work` must be an expression or a list", ""),
    (in_step("tags: ^{a: b}"), "wrong-type", "`tags` of step `work` must be text or a list of texts", ""),
    (
        in_step("target: ^'{{ site }}'"),
        "template-not-here",
        "`target` of step `work` cannot be a template",
        "",
    ),
    (in_step("waves: [^'{{ n }}']"), "template-not-here", "cannot be a template", "write the value itself"),
    (in_step("output: ^'{{ o }}'"), "template-not-here", "cannot be a template", ""),
    (in_step("template: ^yes"), "yes-no", "`template` is true or false", "write `template: true`"),
    (
        in_step("timeout:^"),
        "missing-value",
        "`timeout` needs a value",
        "",
    ),
    (in_step("target: ^[]"), "empty-value", "`target` of step `work` is an empty list", ""),
    (in_body("script: ^{Get-Culture}"), "script-braces", "braces", "drop the braces"),
    (in_body("fetch: {src: a, dest: b, max_size: ^big}"), "wrong-value", "must be a size like", ""),
    (in_body("http: {url: a, status: [^99]}"), "wrong-value", "an entry of `http.status`", ""),
    ("version: 1\nsteps:\n  - ^uptime\n", "wrong-type", "step 1 must be a mapping with a body", ""),
    (
        "version: 1\nsteps: ^{script: ls}\n",
        "wrong-type",
        "`steps` must be a list of steps, not a mapping",
        "",
    ),
    ("version: ^2\nsteps: []\n", "language-version", "this runner reads version 1: `2`", "update the runner"),
    ("version: ^'1'\nsteps: []\n", "wrong-value", "`version` must be 1: `1`", "write `version: 1`"),
    ("^- hosts: web\n  tasks: []\n", "not-a-playbook", "not a list", "below `steps:`"),
    (
        in_target("hosts: a, port: ^70000"),
        "wrong-value",
        "`port` of target `web` must be at most 65535: `70000`",
        "",
    ),
    (in_target("hosts: a, transport: ^psrp"), "wrong-value", "must be `ssh`", "write `transport: winrm`"),
    (in_target("hosts: a, host_key_checking: ^false"), "wrong-value", "`host_key_checking`", "write `off`"),
    (in_target("local: ^false"), "wrong-value", "`local` of target `web` must be `true`: `false`", ""),
    (in_target("connection_uri: ^mail.example.com"), "wrong-value", "must be a URI that begins with", ""),
    (in_target("vm_id: ^win-a, credential: c"), "wrong-value", "must be a GUID: `win-a`", ""),
    (in_target("hosts: a, certificate_thumbprint: ^abc"), "wrong-value", "40 hex digits: `abc`", ""),
    (in_target("hosts: a, connecting_timeout: ^5"), "bare-number", "must say its unit: `5`", "`5ms`"),
    (
        in_playbook("session_options: {o: {idle_timeout: ^43200000}}"),
        "bare-number",
        "`idle_timeout` of session option `o` must say its unit: `43200000`",
        "milliseconds, as in New-PSSessionOption: write `12h`",
    ),
    (
        in_playbook("session_options: {o: {open_timeout: ^'90'}}"),
        "bare-number",
        "its unit: `90`",
        "write `90ms`",
    ),
    (in_target("hosts: a, connecting_timeout: ^1.2e31"), "bare-number", "its unit: `1.2e31`", "like `30s`"),
    (in_playbook("session_options: {o: {open_timeout: ^soon}}"), "wrong-value", "with a unit", ""),
    (
        in_playbook("session_options: {o: {idle_timeout: ^30s}}"),
        "wrong-value",
        "at least 1 minute: `30s`",
        "`1m`",
    ),
    (in_playbook("inputs: {^a-b: string}"), "wrong-name", "a name in `inputs` must be a name", "write `a_b`"),
    (
        in_playbook("inputs: {a: {type: ^text}}"),
        "wrong-value",
        "`type` of input `a` must be one of `string`",
        "",
    ),
    (in_playbook("inputs: {a: {pattern: ^'('}}"), "wrong-value", "must be a regular expression: `(`", ""),
    # -- secrets
    (
        in_playbook("credentials: {c: {password: ^hunter2}}"),
        "plain-secret",
        "`password` of credential `c`",
        "{env:",
    ),
    (in_playbook("credentials: {c: {password: ^12345}}"), "plain-secret", "plain text", "{env:"),
    (in_playbook("credentials: {c: {password: ^{hunter2}}}"), "plain-secret", "plain text", ""),
    (
        in_playbook("secrets: {okta: ^hunter2}"),
        "plain-secret",
        "secret `okta` is a secret written in plain text",
        "",
    ),
    (
        in_playbook("credentials: {c: {password: {env: A, ^file: b}}}"),
        "excluded-key",
        "does not go with `env`",
        "",
    ),
]


@pytest.mark.parametrize(("text", "code", "words", "hint"), CASES, ids=[f"{c[1]}-{c[2][:40]}" for c in CASES])
def test_one_mistake_is_one_problem_at_its_place(text: str, code: str, words: str, hint: str) -> None:
    """A mistake gives one problem with the right code, place, words and hint, and never the validator's own words."""
    before, _, after = text.partition(MARK)
    found = problems_of(before + after)
    assert [problem.code for problem in found] == [code]
    problem = found[0]
    assert problem.span is not None
    place = (before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
    assert (problem.span.line, problem.span.column) == place
    assert words in problem.message
    assert hint in " ".join(problem.hints)
    assert "hunter2" not in problem.message + " ".join(problem.hints)
    assert "given schemas" not in problem.message
    assert code in code_pages()


def test_there_are_many_cases() -> None:
    """The table stays large and every case has a place."""
    assert len(CASES) >= 100
    assert all(text.count(MARK) == 1 for text, *_ in CASES)


BIG = """
version: 1
name: Collect event logs and restart what is stuck
inputs:
  newest: {type: integer, default: 10, minimum: 1}
  window: {type: duration, default: 2h}
  token:  {type: string, secret: true}
  short: boolean
vars:
  log: PowerShellCore/Operational
  since: "{{ now() - inputs.window }}"
credentials:
  ops:   {username: 'DOMAIN01\\User01', password: {env: OPS_PASSWORD}}
  linux: {username: usera, private_key: {file: ~/.ssh/id_ed25519}, passphrase: {keyring: fleet/usera}}
session_options:
  overnight: {open_timeout: 30s, operation_timeout: 3m, idle_timeout: 12h, output_buffering_mode: Drop}
targets:
  windows:
    hosts: "windows:&prod:!canary"
    transport: WinRM
    credential: ops
    authentication: Negotiate
    use_ssl: true
    configuration_name: MySession.PowerShell
    session_option: overnight
  exchange:
    connection_uri: [https://ps.exchangelabs.com/PowerShell]
    configuration_name: Microsoft.Exchange
    authentication: basic
    allow_redirection: true
    session_option: {maximum_redirection: 1}
  linux:
    ssh_connections:
      - {host_name: WinServer1, user_name: 'Domain\\UserA', key_file_path: ~/.ssh/id_rsa}
      - {host_name: UserB@LinuxServer5, options: {compression: "yes", Port: 22}}
    subsystem: powershell
  boxes:  {container_id: [web-1, web-2], run_as_administrator: true}
  guests: {vm_name: win-a, via: hyperv01, credential: ops}
  file: {hosts: {file: Machines.txt}, jump: [bastion, {host_name: b, port: 2222}], connecting_timeout: 5s}
sessions:
  warm: {target: windows, idle_close: 10m, on_loss: Reopen}
scripts:
  recent: |
    Get-WinEvent -LogName $Using:log -MaxEvents $Using:inputs.newest
pools: {database: 4, licences: {throttle: 2}}
defaults: {connection: {user_name: ops}, timeout: 5m, target: linux}
throttle: unlimited
steps:
  - id: events
    session: warm
    script: {ref: recent}
    register: events
    collect: {dataset: events, key: [RecordId]}
  - id: restart
    needs: [events]
    session: [warm]
    when: events.output | length > 0
    file: scripts/Sample.ps1
    args: [Process, Service, null, {a: 1}]
    throttle: 5
    timeout: 10m
    retry: {attempts: 3, delay: 5s, backoff: 2, on: [unreachable, timed_out]}
    waves: [1, 10%, 100%]
    max_fail: 5%
  - id: report
    needs: [{step: restart, wait: All}]
    run_if: always
    target: local
    shell: python
    script: |
      print(len($Using:results.events))
  - name: 1.10
    copy: {src: a, dest: /b, mode: 0644}
    ignore_errors: "{{ lenient }}"
    timeout: "{{ patience }}"
    throttle: "{{ width }}"
  - block:
      - {script: {sh: ls, powershell: dir}, loop: [1, 2]}
      - {command: [{name: Get-Mailbox}, Sort-Object], loop: {over: x, throttle: 2}}
    rescue: [{fail: lost}]
    always: [{set_vars: {a: 1}}]
    health: {script: curl -f localhost}
  - {assert: [a > 1, b], pool: {database: 2}, unreachable: {retry_after: 5m}}
  - {ensure: {test: "true", set: "true"}, lock: run, strict_mode: 3.0, any_errors: stop}
  - {receive: {job: nightly, keep: true}, needs: events}
  - {http: {url: "https://a", status: [200, 204-206], json: [1]}}
  - {gate: Go on?, run_once: true}
  - {wait_for: {port: 443, timeout: 5m}}
  - {reboot: }
  - {include: steps/x.yml, vars: {a: b}}
  - {script: ls, disconnected: true, session_name: nightly, error_action: silentlyContinue}
"""


def test_a_playbook_with_everything_is_right() -> None:
    """A playbook that uses most of the language has no problem, words of enumerations in any case included."""
    assert problems_of(BIG) == []


@pytest.mark.parametrize(
    "text",
    [
        "- script: uptime\n",
        "version: 1\nsteps:\n  - script: uptime\n",
        "steps:\n  - file: a.sh\n",
    ],
)
def test_a_steps_file_is_a_list_or_a_mapping(text: str) -> None:
    """An included file is a list of steps, or a mapping with them, the version being optional."""
    assert problems_of(text, check_steps_file) == []


def test_mistakes_in_a_steps_file_name_the_step() -> None:
    """In a steps file, too, a problem stands at the mistake and names the step."""
    (problem,) = problems_of("- id: a\n  script: ls\n  timeout: soon\n", check_steps_file)
    assert problem.message.startswith("`timeout` of step `a` must be a duration")
    (problem,) = problems_of("uptime\n", check_steps_file)
    assert problem.code == "not-a-playbook"


def test_steps_inside_blocks_are_named() -> None:
    """A mistake in a step of a block names that step and not the block."""
    (problem,) = problems_of(in_body("block:\n      - {id: inner, script: ls, timeout: soon}"))
    assert problem.message.startswith("`timeout` of step `inner`")


def test_all_mistakes_are_told_at_once() -> None:
    """Several mistakes give as many problems, sorted by place."""
    text = in_step("regsiter: x\n    timeout: soon\n    file: b") + "tasks: []\n"
    assert [p.code for p in problems_of(text)] == ["unknown-key", "wrong-value", "two-bodies", "unknown-key"]


def test_wrong_nodes_are_given_back() -> None:
    """The ids given back are those of the nodes that have a problem, and no others."""
    problems = Problems()
    document = load(Source("p.yml", in_step("timeout: soon")), problems)
    wrong = check_playbook(document, problems)
    assert isinstance(document.root, Mapping)
    steps = document.root.get("steps")
    assert isinstance(steps, Sequence)
    step = steps.items[0]
    assert isinstance(step, Mapping)
    assert wrong == {id(step.get("timeout"))}


WORDS = st.sampled_from(
    sorted({*keys_of("step"), *keys_of("target"), *keys_of("playbook"), "ref", "env", "x"})
)
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text("a{}%: -1s", max_size=5), WORDS
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


@given(
    st.dictionaries(WORDS, VALUES, max_size=4),
    st.dictionaries(WORDS, VALUES, max_size=6),
    st.dictionaries(WORDS, VALUES, max_size=4),
)
def test_any_tree_is_checked_without_a_failure(
    playbook: dict[str, object], step: dict[str, object], target: dict[str, object]
) -> None:
    """Whatever stands where, the check ends, and every problem has a page, a place and no words of the validator."""
    whole = {"version": 1, "targets": {"t": target}, **playbook, "steps": [step, {"block": [step]}]}
    for problem in problems_of(json.dumps(whole)):
        assert problem.code in code_pages()
        assert problem.span is not None
        assert "given schemas" not in problem.message
        assert re.search(r"must be( at least| at most)?(:|, not|$)", problem.message) is None


def test_a_document_without_a_tree_has_no_further_problem() -> None:
    """Where the loader could not make a tree, the schema says nothing."""
    assert check_playbook(Document(Source("p.yml", ""), None), Problems()) == frozenset()
