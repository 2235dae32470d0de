"""How fast inventories load and patterns resolve: 50,000 hosts in 200 groups, beside `ansible-inventory --list`.

Run with ``python benchmarks/inventory.py``. Each number is the median of five, with the lowest and highest of them as
the machine's noise. `ansible-inventory` comes from ansible-core in a virtual environment of its own below the temporary
folder; ``--peer PROGRAM`` names one that is there, ``--no-peer`` leaves it out. Ansible lists the INI form as JSON, its
start included, and so does our library in this process.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from pathlib import Path

from runner.inventory.inventory import Inventory
from runner.inventory.load import load_inventory
from runner.inventory.patterns import select
from runner.inventory.render import listing
from runner.problems import Problems

HOSTS, GROUPS, ROUNDS = 50_000, 200, 5
# Seconds allowed, from issue 3 ("Inventory").
ALLOWED = {"INI": 1.0, "text": 1.0, "executable": 1.0, "YAML": 2.5}
PATTERN_ALLOWED = 0.050
PATTERNS = ("all", "g1*:&g12:!host001*", r"~host\d+5", "g12[3]", "host00017", "*", "host[00001:00500]")


def members() -> dict[str, list[str]]:
    """Hosts of each group, dealt out in turn."""
    groups: dict[str, list[str]] = {f"g{number}": [] for number in range(GROUPS)}
    for number in range(HOSTS):
        groups[f"g{number % GROUPS}"].append(f"host{number:05}")
    return groups


def write_forms(folder: Path) -> dict[str, Path]:
    """The same fleet in every form, with one variable a host (none in the text file, which cannot)."""
    groups = members()
    ini = "".join(
        f"[{name}]\n" + "".join(f"{h} rack={h[-3:]}\n" for h in hosts) for name, hosts in groups.items()
    )
    text = "".join(f"{host}\n" for hosts in groups.values() for host in hosts)
    native = "version: 1\ngroups:\n" + "".join(
        f"  {name}:\n    hosts:\n" + "".join(f"      {h}: {{vars: {{rack: r{h[-3:]}}}}}\n" for h in hosts)
        for name, hosts in groups.items()
    )
    variables = {host: {"rack": f"r{host[-3:]}"} for hosts in groups.values() for host in hosts}
    listing = {**{name: {"hosts": hosts} for name, hosts in groups.items()}, "_meta": {"hostvars": variables}}
    (folder / "listing.json").write_text(json.dumps(listing))
    script = f"#!/bin/sh\nexec cat '{folder / 'listing.json'}'\n"
    forms = {"INI": ("hosts.ini", ini), "text": ("hosts.txt", text), "executable": ("hosts.sh", script)}
    forms["YAML"] = ("hosts.yml", native)
    for name, content in forms.values():
        (folder / name).write_text(content)
    (folder / "hosts.sh").chmod(0o755)
    return {form: folder / name for form, (name, _) in forms.items()}


def timed(action: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """Seconds of each round."""
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        action()
        taken.append(time.perf_counter() - start)
    return taken


def shown(taken: list[float]) -> str:
    """The median and the noise in milliseconds."""
    return f"{statistics.median(taken) * 1000:8.1f} ms  ({min(taken) * 1000:.1f}..{max(taken) * 1000:.1f})"


def load(path: Path) -> Inventory:
    """Load one form; it must hold every host and have no problem."""
    problems = Problems()
    inventory = load_inventory([str(path)], problems)
    if len(inventory.hosts) != HOSTS or problems.has_errors:
        raise SystemExit(f"{path} did not load: {problems.sorted()[:3]}")
    return inventory


def peer(folder: Path) -> str | None:
    """The path of `ansible-inventory` in a fresh virtual environment, or None with the reason said."""
    home = folder / "ansible"
    venv.create(home, with_pip=True)
    install = [str(home / "bin" / "pip"), "install", "--quiet", "ansible-core"]
    finished = subprocess.run(install, capture_output=True, text=True, check=False)
    if finished.returncode != 0:
        print(f"ansible-core cannot be installed: {finished.stderr.strip().splitlines()[-1:]}")
        return None
    return str(home / "bin" / "ansible-inventory")


def run_peer(program: str, path: Path) -> None:
    """`ansible-inventory --list` over one form, its output read and thrown away."""
    subprocess.run([program, "-i", str(path), "--list"], capture_output=True, check=True)


def main() -> int:
    """Measure, print, and say with the exit code whether everything was within what the issue allows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--peer", help="an ansible-inventory that is there")
    parser.add_argument("--no-peer", action="store_true")
    options = parser.parse_args()
    slow = False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        forms = write_forms(folder)
        medians: dict[str, float] = {}
        print(f"{HOSTS:,} hosts in {GROUPS} groups, median of {ROUNDS} (lowest..highest)")
        for form, path in forms.items():
            taken = timed(lambda path=path: load(path))  # type: ignore[misc]
            medians[form] = statistics.median(taken)
            slow |= medians[form] > ALLOWED[form]
            print(f"  load {form:<11}{shown(taken)}   {medians[form] / ALLOWED[form]:.2f} of what is allowed")
        inventory = load_inventory([str(forms["INI"])], Problems())
        for pattern in PATTERNS:
            taken = timed(lambda pattern=pattern: select(inventory, pattern, Problems()))  # type: ignore[misc]
            slow |= statistics.median(taken) > PATTERN_ALLOWED
            print(
                f"  choose {pattern:<24}{shown(taken)}   {len(select(inventory, pattern, Problems()))} hosts"
            )
        program = None if options.no_peer else options.peer or peer(folder)
        if program is not None:
            ours = timed(lambda: json.dumps(listing(load(forms["INI"]))))
            theirs = timed(lambda: run_peer(program, forms["INI"]))
            print(f"  list as JSON, ours       {shown(ours)}")
            print(f"  ansible-inventory --list {shown(theirs)}")
            print(f"  ratio                    {statistics.median(theirs) / statistics.median(ours):8.1f} x")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
