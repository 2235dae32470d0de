"""Services that systemd has loaded, and how they are: one object a service."""

import json
import subprocess

command = ["systemctl", "list-units", "--type=service", "--all", "--plain", "--no-legend", "--no-pager"]
listed = subprocess.run(command, capture_output=True, text=True, check=True)
for line in sorted(listed.stdout.splitlines()):
    unit, loaded, active, state, *_ = line.split(None, 4)
    if loaded == "loaded":
        print(json.dumps({"service": unit.removesuffix(".service"), "active": active, "state": state}))
