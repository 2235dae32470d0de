"""Size and use of every disk: one object a mounted device."""

import json
import subprocess

listed = subprocess.run(["df", "-P", "-k"], capture_output=True, text=True, check=False)
for line in listed.stdout.splitlines()[1:]:
    device, blocks, used, _, percent, mount = line.split(None, 5)
    if device.startswith("/dev/"):
        facts = {
            "mount": mount,
            "device": device,
            "size_gib": round(int(blocks) / 2**20, 1),
            "used_gib": round(int(used) / 2**20, 1),
            "used_percent": int(percent.rstrip("%")),
        }
        print(json.dumps(facts))
