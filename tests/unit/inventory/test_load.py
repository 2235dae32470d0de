"""Loading: forms, folders, several sources, variables in files, executables."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from runner.inventory.builder import InventoryBuilder
from runner.inventory.inventory import Inventory
from runner.inventory.load import load_inventory
from runner.inventory.model import UnreadVariableError, VaultedVariable
from runner.inventory.script import read_executable
from runner.inventory.values import plain
from runner.problems import Problem, Problems, Severity
from runner.values import Secret

VAULTED = "$ANSIBLE_VAULT;1.1;AES256\n3061\n"


def write(folder: Path, files: dict[str, str]) -> None:
    """Write files below a folder; one that begins with `#!` may be executed."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        if text.startswith("#!"):
            path.chmod(0o755)


def load(
    folder: Path, files: dict[str, str], *names: str, playbook: str | None = None
) -> tuple[Inventory, list[Problem]]:
    """The inventory of some files and its problems; the first file is the source where no names are given."""
    write(folder, files)
    problems = Problems()
    paths = [str(folder / name) for name in names or list(files)[:1]]
    inventory = load_inventory(paths, problems, playbook_dir=folder / playbook if playbook else None)
    return inventory, problems.sorted()


def values(inventory: Inventory, host: str) -> dict[str, object]:
    """The plain values of a host's variables."""
    return {name: plain(variable.value) for name, variable in inventory.variables(host).items()}


NATIVE = "version: 1\ngroups:\n  web:\n    hosts: {'web[1:2]': {vars: {a: 1}}}\n"
ANSIBLE = "all:\n  children:\n    web:\n      hosts:\n        web[1:2]:\n          a: 1\n"
INI = "[web]\nweb[1:2] a=1\n"
LISTING = json.dumps(
    {"web": {"hosts": ["web1", "web2"]}, "_meta": {"hostvars": {"web1": {"a": 1}, "web2": {"a": 1}}}}
)
SCRIPT = f"#!/bin/sh\ncat <<'END'\n{LISTING}\nEND\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("hosts.yml", NATIVE), ("hosts", NATIVE),
        ("hosts.yaml", ANSIBLE), ("hosts", ANSIBLE), ("hosts", f"---\n{ANSIBLE}"),
        ("hosts.ini", INI), ("hosts", INI), ("hosts", f"# x\n\n{INI}"), ("hosts.json", LISTING), ("hosts", LISTING),
        ("hosts.sh", SCRIPT), ("hosts", SCRIPT),
        ("hosts.json", json.dumps({"all": {"children": {"web": {"hosts": {"web1": {"a": 1}, "web2": {"a": 1}}}}}})),
        ("hosts.json", json.dumps({"version": 1, "groups": {"web": {"hosts": {"web[1:2]": {"vars": {"a": 1}}}}}})),
    ],
)  # fmt: skip
def test_every_form_is_told_by_its_content(tmp_path: Path, name: str, text: str) -> None:
    """The same fleet comes out of every form, whatever the file is called."""
    inventory, problems = load(tmp_path, {name: text})
    assert problems == []
    assert list(inventory.hosts) == ["web1", "web2"]
    assert inventory.group_hosts("web") == ("web1", "web2")
    assert [values(inventory, host) for host in inventory.hosts] == [{"a": 1}, {"a": 1}]


def test_names_with_a_comma_are_an_inventory() -> None:
    """`-i web1,web2:2222,` is an inventory of these hosts."""
    problems = Problems()
    inventory = load_inventory(["web1, web2:2222,"], problems)
    assert list(inventory.hosts) == ["web1", "web2"]
    assert values(inventory, "web2") == {"ansible_port": 2222}
    assert not problems.sorted()


def test_a_long_list_of_names_is_no_path() -> None:
    """A list of names longer than a file's name may be is an inventory like any other."""
    problems = Problems()
    inventory = load_inventory([",".join(f"web{number}" for number in range(2000))], problems)
    assert len(inventory.hosts) == 2000
    assert not problems.sorted()


def test_a_folder_is_read_as_ansible_does(tmp_path: Path) -> None:
    """All files of a folder count, sorted, folders too; what Ansible leaves out is left out."""
    ignored = [
        ".hidden",
        "a.bak",
        "a.orig",
        "a~",
        "a.cfg",
        "a.retry",
        "notes.md",
        "notes.txt",
        "vars_plugins/x",
    ]
    files = {f"inv/{name}": "ignored\n" for name in ignored}
    files |= {"inv/20-db": "[db]\ndb1\n", "inv/10-web.yml": NATIVE, "inv/sub/more": "other\n"}
    files |= {"inv/group_vars/web": "b: 2\n"}
    inventory, problems = load(tmp_path, files, "inv")
    assert problems == []
    assert list(inventory.hosts) == ["web1", "web2", "db1", "other"]
    assert values(inventory, "web1") == {"a": 1, "b": 2}


def test_later_sources_add_and_override(tmp_path: Path) -> None:
    """Several `-i` are merged: hosts and groups add up, the later value of a variable counts."""
    files = {"one": "[web]\nweb1 a=1 b=1\n", "two": "[web]\nweb1 b=2\nweb2\n[db]\nweb1\n"}
    inventory, problems = load(tmp_path, files, "one", "two")
    assert problems == []
    assert inventory.groups["web"].hosts == ("web1", "web2")
    assert inventory.direct_groups("web1") == ("web", "db")
    assert values(inventory, "web1") == {"a": 1, "b": 2}


def test_variables_stand_in_files_and_folders(tmp_path: Path) -> None:
    """group_vars/ and host_vars/ count beside the inventory and beside the playbook, files and folders of files."""
    files = {
        "inv/hosts": "[web]\nweb1\nweb2.corp\n",
        "inv/group_vars/all.yml": "a: all\nb: all\nyes_is: yes\n",
        "inv/group_vars/web/1.yml": "b: web\nc: one\n",
        "inv/group_vars/web/2.json": '{"c": "two"}',
        "inv/group_vars/web/deep/3": "d: deep\n",
        "inv/group_vars/web/.4.yml": "c: hidden\n",
        "inv/group_vars/web/5.yml~": "c: backup\n",
        "inv/group_vars/web/6.txt": "c: text\n",
        "inv/host_vars/web2.corp.yaml": "e: host\n",
        "inv/host_vars/unknown.yml": "e: nobody\n",
        "play/group_vars/web.yml": "d: playbook\n",
        "play/host_vars/web1": "c: playbook host\n",
    }
    inventory, problems = load(tmp_path, files, "inv/hosts", playbook="play")
    assert problems == []
    shared = {"a": "all", "b": "web", "yes_is": True, "d": "playbook"}
    assert values(inventory, "web1") == {**shared, "c": "playbook host"}
    assert values(inventory, "web2.corp") == {**shared, "c": "two", "e": "host"}
    c = inventory.variables("web2.corp")["c"]
    assert c.source == "group `web`, `web/2.json`"
    assert c.span is not None
    assert (Path(c.span.path).name, c.span.line, c.span.column) == ("2.json", 1, 7)


def test_vaulted_files_are_refused_by_name(tmp_path: Path) -> None:
    """A file encrypted as a whole is an error at its first line."""
    _, problems = load(tmp_path, {"hosts": "web1\n", "group_vars/all/vault.yml": VAULTED})
    assert [(p.code, p.severity, p.span and p.span.line) for p in problems] == [
        ("vaulted-file", Severity.ERROR, 1)
    ]
    _, problems = load(tmp_path / "other", {"secret.yml": VAULTED})
    assert [p.code for p in problems] == ["vaulted-file"]


def test_vaulted_values_are_an_error_where_used(tmp_path: Path) -> None:
    """A `!vault` value loads with a warning at its place; asking for it is an error that names it."""
    text = "a: 1\nkey:\n  deep: !vault |\n    $ANSIBLE_VAULT;1.1;AES256\n    3061\n"
    inventory, problems = load(tmp_path, {"hosts": "web1\n", "group_vars/all.yml": text})
    assert [(p.code, p.severity) for p in problems] == [("vaulted-value", Severity.WARNING)]
    assert problems[0].span is not None
    assert problems[0].span.line == 3
    variable = inventory.variables("web1")["key"]
    assert isinstance(variable, VaultedVariable)
    with pytest.raises(UnreadVariableError, match="`key` of group `all`"):
        _ = variable.value


def test_unsafe_values_are_no_templates(tmp_path: Path) -> None:
    """A value marked `!unsafe` is taken as it is, braces and all."""
    inventory, problems = load(tmp_path, {"hosts": "web1\n", "host_vars/web1.yml": "x: !unsafe '{{ y }}'\n"})
    assert problems == []
    assert inventory.variables("web1")["x"].value == "{{ y }}"


@pytest.mark.parametrize(
    ("name", "text", "code", "line"),
    [
        ("aws_ec2.yml", "plugin: amazon.aws.aws_ec2\nregions: [x]\n", "inventory-plugin", 1),
        ("hosts.toml", "[web]\n", "inventory-form", 1),
        ("hosts.yml", "web:\n  hosts:\n    - web1\n", "inventory-shape", 3),
        ("hosts.yml", "- web1\n- web2\n", "inventory-shape", 1),
        ("hosts.yml", "all:\n  web:\n    hosts: {web1: }\n", "unknown-inventory-key", 2),
        ("hosts.yml", "web:\n  hosts:\n    web[1-2]:\n", "host-range", 3),
        ("hosts.yml", "web:\n  hosts:\n    web1: 5\n", "inventory-shape", 3),
        ("hosts.yml", "web:\n  children:\n    web:\n", "group-cycle", 3),
        (
            "hosts.yml",
            "version: 1\ngroups:\n  p: {groups: [wbe]}\n  web: {hosts: {w: }}\n",
            "unknown-group",
            3,
        ),
        ("hosts.yml", "version: 1\nhosts: {'web[3:1]': {}}\n", "host-range", 2),
        ("hosts.json", '{"web": {"hosts": "web1", "children": []}}', "inventory-shape", 1),
        ("hosts.json", '{"web": {"hosts": [1]}, "_meta": {"hostvars": {}}}', "inventory-shape", 1),
    ],
)
def test_mistakes_are_told(tmp_path: Path, name: str, text: str, code: str, line: int) -> None:
    """Each kind of broken inventory gets its code at its line."""
    _, problems = load(tmp_path, {name: text})
    assert [(p.code, p.span and p.span.line) for p in problems] == [(code, line)]
    assert problems[0].hints or code in {"inventory-shape", "unknown-inventory-key"}


def test_a_missing_inventory_is_told() -> None:
    """A path that is not there is an error with both ways out."""
    problems = Problems()
    load_inventory(["no/such/file"], problems)
    assert [p.code for p in problems] == ["inventory-not-found"]


def test_an_executable_without_meta_is_asked_for_each_host(tmp_path: Path) -> None:
    """Without `_meta` the variables come from `--host`, an empty answer being none."""
    script = (
        "#!/bin/sh\n"
        'case "$1$2" in\n'
        '--list) echo \'{"web": ["web1", "web2"], "web2": {"b": 2},'
        ' "prod": {"children": ["web"], "vars": {"p": 1}}}\';;\n'
        '--hostweb1) echo \'{"a": {"__ansible_unsafe": "{{ x }}"}}\';;\n'
        "esac\n"
    )
    inventory, problems = load(tmp_path, {"hosts": script})
    assert [p.code for p in problems] == ["host-and-group"]
    assert inventory.variables("web1")["a"].value == "{{ x }}"
    assert values(inventory, "web2") == {"p": 1, "b": 2}


def test_values_of_json_may_be_templates_vaults_and_secrets(tmp_path: Path) -> None:
    """JSON's templates become nodes, encrypted values stay unread, passwords are masked."""
    variables = {"t": ["{{ x }}"], "v": {"__ansible_vault": "x"}, "ansible_password": "p", "n": {"a": [1]}}
    listing = {"web": {"hosts": ["w"]}, "_meta": {"hostvars": {"w": variables}}}
    inventory, problems = load(tmp_path, {"hosts.json": json.dumps(listing)})
    assert [p.code for p in problems] == ["plain-text-secret", "vaulted-value"]
    found = inventory.variables("w")
    assert plain(found["t"].value) == ["{{ x }}"]
    assert found["t"].value != ["{{ x }}"]
    assert isinstance(found["v"], VaultedVariable)
    assert found["ansible_password"].value == Secret("p")
    assert found["n"].value == {"a": [1]}


@pytest.mark.parametrize(
    ("script", "code", "words"),
    [
        ("#!/bin/sh\necho no route >&2; exit 3\n", "inventory-script-failed", "exit code 3"),
        ("#!/bin/sh\necho nonsense\n", "inventory-script-output", "no JSON"),
        ("#!/bin/sh\necho '[1]'\n", "inventory-script-output", "no object"),
        ("#!/bin/sh\nprintf '\\377'\n", "inventory-script-output", "UTF-8"),
        ("#!/no/such/program\n", "inventory-script-failed", "could not be started"),
        ("#!/bin/sh\nsleep 60 & wait\n", "inventory-script-timeout", "within 0.2 s"),
    ],
)
def test_broken_executables_are_told(tmp_path: Path, script: str, code: str, words: str) -> None:
    """A failed start, a bad exit (with what it said), bad output and a hang each have their problem."""
    write(tmp_path, {"hosts": script})
    problems = Problems()
    read_executable(
        tmp_path / "hosts", InventoryBuilder(), problems, timeout=0.2 if "sleep" in script else 10
    )
    assert [p.code for p in problems] == [code]
    (problem,) = problems
    assert words in problem.message
    assert "no route" not in script or problem.hints == ("it said: no route",)


def test_a_program_without_the_mode_is_told(tmp_path: Path) -> None:
    """A script that may not be executed gets the hint to allow it."""
    (tmp_path / "hosts").write_text(SCRIPT)
    os.chmod(tmp_path / "hosts", 0o644)  # noqa: PTH101 - the mode is what is tested
    _, problems = load(tmp_path, {}, "hosts")
    assert [p.code for p in problems] == ["inventory-script-failed"]
    assert problems[0].hints[0].startswith("run `chmod +x ")
