#!/usr/bin/env python3
"""The hosts of the examples, as hosts of a lab: an inventory that prints Ansible's ``--list``.

Invoke-Command's reference names its computers Server01, S1, LinuxServer5 ...; here they are the hosts of the lab in
RUNNER_LAB_DIR (.runner/lab). Where an example names no credential, the lab's certificate and key log in.

    runner lab up 5 --windows 4
    runner run playbooks/invoke-command/06-one-command-on-several-computers.yml -i playbooks/invoke-command/lab.py

``lab.py uri HOST`` prints where a host of the lab that speaks https listens, for the examples with a URI.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

LAB = Path(os.environ.get("RUNNER_LAB_DIR", ".runner/lab")).absolute()

HTTPS = ("win-01", "win-03")  # a certificate cannot log in over http, which the even ones speak
WINDOWS = [
    "Server01",
    "Server02",
    "S1",
    "S2",
    "TST-0143",
    "localhost",
    *(f"Machine{n:03d}" for n in range(1, 201)),
]
LINUX = {"LinuxServer01": "web-01", "LinuxServer5": "web-02", "WinServer1": "app-01"}


def ports() -> dict[str, int]:
    """The port of each host of the lab, by its name there."""
    try:
        state = json.loads((LAB / "state.json").read_text(encoding="utf-8"))
    except OSError as error:
        sys.exit(f"no lab is up in {LAB}: runner lab up 5 --windows 4 ({error.strerror})")
    found = {host["name"]: host["port"] for host in state["hosts"]}
    if missing := sorted({*HTTPS, *LINUX.values()} - found.keys()):
        sys.exit(f"the lab has no {', '.join(missing)}: runner lab up 5 --windows 4")
    return found


def listing() -> dict[str, object]:
    """What ``--list`` prints."""
    port = ports()
    windows = {name: {"ansible_port": port[HTTPS[n % len(HTTPS)]]} for n, name in enumerate(WINDOWS)}
    linux = {name: {"ansible_port": port[host]} for name, host in LINUX.items()}
    return {
        "windows": {
            "hosts": list(windows),
            "vars": {
                "ansible_connection": "psrp",
                "ansible_psrp_auth": "certificate",
                "ansible_psrp_certificate_pem": str(LAB / "client.pem"),
                "ansible_host": "localhost",
            },
        },
        "linux": {
            "hosts": list(linux),
            "vars": {
                "ansible_connection": "ssh",
                "ansible_host": "127.0.0.1",
                "ansible_ssh_private_key_file": str(LAB / "id_ed25519"),
                "ansible_host_key_checking": False,  # on this machine, with new keys each time the lab starts
            },
        },
        "_meta": {"hostvars": windows | linux},
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["uri"]:
        print(f"https://localhost:{ports()[sys.argv[2]]}")
    else:
        print(json.dumps(listing(), indent=1))
