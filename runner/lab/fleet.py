"""The hosts of a lab and what is on them: names, logins and the files that make them differ a little. Pure.

On real hosts `df`, `systemctl`, `dpkg-query` and `ip` say what is the case. All hosts of a lab are one machine, so each
has stand-ins of these programs in its own ``bin``, which print the host's own files. A playbook that asks them works on
a lab as on a fleet, and finds here what an administrator would look for: a drifted configuration, a stopped
service, a full disk, an old package, a reboot that was forgotten.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from runner.lab.restarts import COUNT, ON_LINUX, ON_WINDOWS


@dataclass(frozen=True, slots=True)
class LabHost:
    """A host before it has a port; ``number`` counts within the group from 1."""

    name: str
    group: str
    user: str
    number: int


WINDOWS = "windows"
"""The group of the hosts that speak WinRM."""
WINDOWS_USER = "Administrator"
WINDOWS_GUESTS = ("Domain01\\User01", "Domain01\\Admin01", "server01\\user01", "admin@exchangelabs.com")
"""Who logs in to Windows in the examples of Invoke-Command's reference; all have the password of the lab's user."""
GUESTS = frozenset({"UserA", "UserB", "Domain\\UserA"})
"""Who logs in over SSH there; every host takes them beside its own login, with the lab's key."""
LOGINS: Mapping[str, str] = MappingProxyType({"web": "deploy", "app": "deploy", "db": "dba"})
WITHOUT_POWERSHELL = frozenset({"db"})
"""Groups of Linux hosts whose sshd has no subsystem ``powershell``, as most have none."""
MOST_HOSTS = 500
MOST_WINDOWS_HOSTS = 50

_SERVICES = {"web": "nginx", "app": "gunicorn", "db": "postgresql"}
_PACKAGES = {
    "web": ("nginx", "1.24.0-2"),
    "app": ("gunicorn", "20.1.0-6"),
    "db": ("postgresql-15", "15.8-0+deb12u1"),
}
_NETWORKS = {"web": "10.20.1", "app": "10.20.2", "db": "10.20.3"}
_KERNEL, _OLD_KERNEL = "6.1.0-28-amd64", "6.1.0-25-amd64"


def lab_hosts(count: int, windows: int = 0) -> tuple[LabHost, ...]:
    """``count`` hosts: half of them web servers, a fifth databases, the others applications; then Windows-like ones."""
    databases = count // 5
    webs = -(-count // 2)
    sizes = {"web": webs, "app": count - webs - databases, "db": databases}
    linux = tuple(
        LabHost(f"{group}-{number:02d}", group, LOGINS[group], number)
        for group, size in sizes.items()
        for number in range(1, size + 1)
    )
    return linux + tuple(
        LabHost(f"win-{number:02d}", WINDOWS, WINDOWS_USER, number) for number in range(1, windows + 1)
    )


def seed_files(host: LabHost) -> dict[str, str]:
    """Files of a home, relative path -> text."""
    if host.group == WINDOWS:
        return {}
    return {
        "etc/app.conf": _app_conf(host),
        "etc/services": "".join(_services(host)),
        "etc/packages": "".join(f"{name} {version}\n" for name, version in _packages(host)),
        "etc/df": _df(host),
        "etc/addresses.json": json.dumps(_addresses(host), indent=1) + "\n",
        "etc/kernel": (_OLD_KERNEL if (host.group, host.number) == ("web", 1) else _KERNEL) + "\n",
        COUNT: _restarts(host, 0),
    }


def restarted_files(host: LabHost, times: int) -> dict[str, str]:
    """Files that a restart changes, the one that makes it so many ``times``: it comes up with the newest kernel."""
    return {"etc/kernel": f"{_KERNEL}\n", COUNT: _restarts(host, times)}


def _restarts(host: LabHost, times: int) -> str:
    """No number alone, so that no lab host is taken for the machine that it is, which may have a count of its own."""
    return f"{host.name}:{times}\n"


def seed_programs(host: LabHost) -> dict[str, str]:
    """Programs of a host's ``bin``: name -> text of a sh script."""
    if host.group == WINDOWS:
        return ON_WINDOWS
    etc = '"$HOME/etc/%s"'
    return ON_LINUX | {
        "hostname": f"#!/bin/sh\necho {host.name}\n",
        "df": f"#!/bin/sh\nexec cat {etc % 'df'}\n",
        "dpkg-query": f"#!/bin/sh\nexec cat {etc % 'packages'}\n",
        "ip": f"#!/bin/sh\nexec cat {etc % 'addresses.json'}\n",
        "systemctl": _SYSTEMCTL,
        "uname": _UNAME,
    }


_SYSTEMCTL = """#!/bin/sh
# list-units prints every service; is-active NAME says and exits as systemd's does; show knows how often it restarted
list="$HOME/etc/services"
case "$*" in
  reboot|"reboot "*|-*" reboot") exec "${0%/*}/reboot" ;;
  "show "*SoftRebootsCount*) exec cat "$HOME/etc/restarts" ;;
esac
case "$1" in
  list-units) exec cat "$list" ;;
  is-active)
    state=$(awk -v unit="${2%.service}.service" '$1 == unit { print $3 }' "$list")
    echo "${state:-inactive}"
    [ "$state" = active ] ;;
  restart|start)
    unit="${2%.service}.service"
    grep -q "^$unit " "$list" || { echo "Failed to $1 $unit: Unit $unit not found." >&2; exit 5; }
    sed "s/^$unit .*/$unit loaded active running ${unit%.service}/" "$list" > "$list.new" && mv "$list.new" "$list" ;;
  *) echo "systemctl: this lab knows list-units, is-active, start, restart and reboot" >&2; exit 1 ;;
esac
"""

_UNAME = """#!/bin/sh
case "$1" in
  -r) exec cat "$HOME/etc/kernel" ;;
  -n) exec hostname ;;
  *) command -p uname "$@" ;;
esac
"""


def _app_conf(host: LabHost) -> str:
    drifted = (host.group, host.number) == ("web", 2)
    workers, level = (2, "debug") if drifted else (4, "info")
    version = "2.3.9" if drifted else "2.4.1"
    return f"version = {version}\nworkers = {workers}\nlog_level = {level}\nlisten = 0.0.0.0:8080\n"


def _services(host: LabHost) -> Iterator[str]:
    stopped = (host.group, host.number) == ("web", 3)
    for name in sorted(("cron", "node-exporter", "ssh", _SERVICES[host.group])):
        down = stopped and name == _SERVICES[host.group]
        yield f"{name}.service loaded {'failed failed' if down else 'active running'} {name}\n"


def _packages(host: LabHost) -> list[tuple[str, str]]:
    old = (host.group, host.number) == ("app", 1)
    openssl = "3.0.11-1~deb12u2" if old else "3.0.15-1~deb12u1"
    return sorted(
        [("bash", "5.2.15-2"), ("openssl", openssl), ("python3", "3.11.2-1"), _PACKAGES[host.group]]
    )


def _df(host: LabHost) -> str:
    """The form of ``df -P``: sizes in KiB; every disk is filled a little differently, one nearly to the brim."""
    full = (host.group, host.number) == ("db", 1)
    disks = [("/dev/vda1", 41_152_832, 31 + host.number % 7, "/")]
    if host.group == "db":
        disks.append(("/dev/vdb1", 103_081_248, 93 if full else 52 + host.number, "/var/lib/postgresql"))
    lines = ["Filesystem     1024-blocks      Used Available Capacity Mounted on\n"]
    for device, size, percent, mount in disks:
        used = size * percent // 100
        lines.append(f"{device:<14} {size:>11} {used:>9} {size - used:>9} {percent:>7}% {mount}\n")
    return "".join(lines)


def _addresses(host: LabHost) -> list[dict[str, object]]:
    """The form of ``ip -j address``."""
    local = {"family": "inet", "local": "127.0.0.1", "prefixlen": 8}
    inet = {"family": "inet", "local": f"{_NETWORKS[host.group]}.{10 + host.number}", "prefixlen": 24}
    return [
        {"ifname": "lo", "operstate": "UNKNOWN", "mtu": 65536, "addr_info": [local]},
        {"ifname": "eth0", "operstate": "UP", "mtu": 1500, "addr_info": [inet]},
    ]
