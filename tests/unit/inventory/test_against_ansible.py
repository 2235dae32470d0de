"""The same inventories and patterns, read by Ansible itself; skipped where ansible-core is not installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runner.inventory.inventory import Inventory
from runner.inventory.load import load_inventory
from runner.inventory.patterns import select
from runner.inventory.render import listing
from runner.problems import Problems

EXAMPLES = Path(__file__).parents[3] / "inventories" / "ansible"
PROGRAM = shutil.which(
    "ansible-inventory", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
)
pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="ansible-inventory (pip install ansible-core) is not installed"
)

FLEET = """
bastion:2200
[web]
web[01:05] http=80 name='a b' deep="{'x': [1, 2]}"
[db]
db[a:c].corp weight=010
[canary]
web02
dba.corp
[prod:children]
web
db
[prod:vars]
tier=prod
flag=True
[web:vars]
tier=web
[db:vars]
ansible_group_priority=5
tier=db
[canary:vars]
tier=canary
"""
FILES = {
    "group_vars/all.yml": "site: north\nhttp: 1\nanswer: yes\nwhen: 12:30:00\nmode: 0644\n",
    "group_vars/prod/1.yml": "tier: prod file\n",
    "group_vars/canary": "tier: canary file\n",
    "host_vars/web03.yml": "http: 8080\n",
    "host_vars/web04/a.json": '{"http": [1]}',
}
PATTERNS = [
    "all", "*", "web", "prod:&canary", "prod:!canary", "!web", "&canary", "web,db", "w*", "*.corp", "~web0[12]", "~.*b",
    "web[0]", "web[-1]", "web[1:3]", "web[3:]", "w*[0]", "prod:!web[0]", "web01:web05:!canary", "d*:&~db[ab]",
    "ungrouped", "web0?", "web0[!12]", "canary:bastion",
]  # fmt: skip


def ansible(source: Path, *arguments: str) -> Any:
    """What `ansible-inventory` says of a source, as JSON."""
    environment = {
        **os.environ,
        "ANSIBLE_HOST_PATTERN_MISMATCH": "ignore",
        "ANSIBLE_LOCALHOST_WARNING": "false",
    }
    command = [str(PROGRAM), "-i", str(source), "--list", *arguments]
    finished = subprocess.run(
        command, capture_output=True, text=True, check=True, env=environment, cwd=source.parent
    )
    return json.loads(finished.stdout)


def ours(source: Path) -> Inventory:
    """Our inventory of a source, which must have no errors."""
    problems = Problems()
    inventory = load_inventory([str(source)], problems)
    assert not problems.has_errors, problems.sorted()
    return inventory


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An INI inventory with variables in files."""
    folder = tmp_path_factory.mktemp("fleet")
    for name, text in {"hosts": FLEET, **FILES}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder / "hosts"


def compare(source: Path) -> None:
    """Hold our listing against Ansible's: members and children of groups, and every variable of every host."""
    expected, found = ansible(source), json.loads(json.dumps(listing(ours(source))))
    for shown in (expected, found):
        shown["_meta"].pop("profile", None)
        for group in shown.values():
            for key in {"hosts", "children"} & group.keys():
                group[key] = sorted(group[key])
    assert found == expected


@pytest.mark.parametrize("name", ["hosts.ini", "hosts.yml"])
def test_examples_say_what_ansible_reads(name: str) -> None:
    """The example inventories have the hosts, groups and variables that Ansible finds in them."""
    compare(EXAMPLES / name)


def test_precedence_and_types_are_ansibles(fleet: Path) -> None:
    """Groups, priorities, files and INI values give each host the variables that Ansible gives it."""
    compare(fleet)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_choose_what_ansible_chooses(fleet: Path, pattern: str) -> None:
    """A pattern chooses the hosts that Ansible chooses."""
    expected = ansible(fleet, "--limit", pattern)["_meta"]["hostvars"].keys()
    problems = Problems()
    assert set(select(ours(fleet), pattern, problems)) == set(expected)
    assert not problems.sorted()
