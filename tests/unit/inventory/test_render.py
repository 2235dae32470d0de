"""What `runner inventory` shows, and the example inventories."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.inventory.inventory import Inventory
from runner.inventory.load import load_inventory
from runner.inventory.patterns import select
from runner.inventory.render import graph_lines, host_details, host_lines, listing, listing_lines
from runner.problems import Problems

EXAMPLES = Path(__file__).parents[3] / "inventories"


def load(*names: str) -> Inventory:
    """An example inventory, which must have no problems."""
    problems = Problems()
    inventory = load_inventory([str(EXAMPLES / name) for name in names], problems)
    assert not problems.sorted()
    return inventory


@pytest.mark.parametrize("name", ["native.yml", "ansible/hosts.ini", "ansible/hosts.yml", "machines.txt"])
def test_example_inventories_load(name: str) -> None:
    """Every example loads without a problem and holds its hosts."""
    assert {"bastion", "bastion.example.com"} & set(load(name).hosts)
    assert select(load(name), "*.example.com", Problems())


def test_the_two_ansible_examples_are_one_fleet() -> None:
    """The INI and the YAML example say the same of the same hosts."""
    one, two = listing(load("ansible/hosts.ini")), listing(load("ansible/hosts.yml"))
    assert one["_meta"] == two["_meta"]
    assert {key: one[key] for key in ("web", "database", "canary", "production")} == {
        key: two[key] for key in ("web", "database", "canary", "production")
    }


def test_a_listing_can_be_loaded_again(tmp_path: Path) -> None:
    """What `list` shows as JSON is an inventory with the same hosts, groups and variables."""
    shown = listing(load("ansible/hosts.ini"))
    (tmp_path / "again.json").write_text(json.dumps(shown))
    again = load_inventory([str(tmp_path / "again.json")], Problems())
    assert listing(again) == shown


def test_a_listing_may_be_limited() -> None:
    """Only chosen hosts are shown, in groups and variables alike."""
    inventory = load("native.yml")
    hosts = select(inventory, "canary:&web", Problems())
    assert listing(inventory, hosts)["web"] == {"hosts": ["web01.example.com"]}
    assert listing_lines(inventory, hosts) == ["web01.example.com  web, production, canary"]


def test_a_graph_is_a_tree() -> None:
    """Groups stand with their children before their hosts."""
    assert graph_lines(load("native.yml"), "canary") == [
        "@canary:",
        "  |--web01.example.com",
        "  |--db-a.example.com",
    ]
    assert graph_lines(load("native.yml"))[:5] == [
        "@all:",
        "  |--@ungrouped:",
        "  |  |--bastion",
        "  |--@canary:",
        "  |  |--web01.example.com",
    ]


def test_a_host_is_shown_with_where_it_all_came_from() -> None:
    """Variables, settings and limits of a host are shown with their places."""
    inventory = load("native.yml")
    details = host_details(inventory, "web05.example.com")
    path = str(EXAMPLES / "native.yml")
    place = {"source": "host `web05.example.com`", "path": path, "line": 10, "column": 98}
    assert isinstance(details["variables"], dict)
    assert details["variables"]["weight"] == {"value": 2, **place}
    assert details["throttles"] == {"web": 2}
    assert f"  user_name: ops  (the whole inventory, {path}:5:41)" in host_lines(
        inventory, "web05.example.com"
    )


def test_secrets_are_masked_everywhere(tmp_path: Path) -> None:
    """A password of the inventory is in no output, an encrypted value is named as such."""
    (tmp_path / "hosts").write_text("web1 ansible_password=hunter2 user_id=7\n")
    (tmp_path / "host_vars").mkdir()
    (tmp_path / "host_vars" / "web1").write_text("key: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n")
    inventory = load_inventory([str(tmp_path / "hosts")], Problems())
    shown = json.dumps([listing(inventory), host_details(inventory, "web1"), host_lines(inventory, "web1")])
    assert "hunter2" not in shown
    assert "********" in shown
    assert "(encrypted with Ansible Vault)" in shown
