"""The hosts of a lab: a realistic mix with differences worth finding."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.lab.directory import LabDirectory
from runner.lab.fleet import MOST_HOSTS, lab_hosts, seed_files, seed_programs


@pytest.mark.parametrize(
    ("count", "sizes"),
    [
        (1, {"web": 1}),
        (2, {"web": 1, "app": 1}),
        (5, {"web": 3, "app": 1, "db": 1}),
        (20, {"web": 10, "app": 6, "db": 4}),
        (MOST_HOSTS, {"web": 250, "app": 150, "db": 100}),
    ],
)
def test_there_are_as_many_hosts_as_asked_for(count: int, sizes: dict[str, int]) -> None:
    """Half of them web servers, a fifth databases; every name once."""
    hosts = lab_hosts(count)
    assert len({host.name for host in hosts}) == count
    assert {group: sum(host.group == group for host in hosts) for group in {h.group for h in hosts}} == sizes


def test_five_hosts_are_enough_to_find_something() -> None:
    """A drifted configuration, a stopped service, a full disk, an old package and an old kernel."""
    files = {host.name: seed_files(host) for host in lab_hosts(5)}
    assert {text["etc/app.conf"] for text in files.values()} == {
        files["web-01"]["etc/app.conf"],
        files["web-02"]["etc/app.conf"],
    }
    assert [name for name, text in files.items() if "failed" in text["etc/services"]] == ["web-03"]
    assert [name for name, text in files.items() if "93%" in text["etc/df"]] == ["db-01"]
    assert [name for name, text in files.items() if "3.0.11-1" in text["etc/packages"]] == ["app-01"]
    assert [name for name, text in files.items() if "6.1.0-25" in text["etc/kernel"]] == ["web-01"]


def test_every_host_has_the_same_programs() -> None:
    """A playbook finds the same commands everywhere; only `hostname` says something else."""
    first, second = (seed_programs(host) for host in lab_hosts(2))
    assert first.keys() == second.keys()
    assert {name for name in first if first[name] != second[name]} == {"hostname"}


def test_an_inventory_of_somebody_else_is_known(tmp_path: Path) -> None:
    """A lab overwrites its own inventory only."""
    directory = LabDirectory(tmp_path)
    assert not directory.is_taken
    directory.inventory.write_text(directory.inventory_text([]), encoding="utf-8")
    assert not directory.is_taken
    directory.inventory.write_text("version: 1\n", encoding="utf-8")
    assert directory.is_taken
