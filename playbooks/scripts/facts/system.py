"""Operating system, kernel, processors, memory: one object."""

import json
import os
import platform
import subprocess

memory = {}
with open("/proc/meminfo", encoding="utf-8") as meminfo:
    for line in meminfo:
        name, _, value = line.partition(":")
        memory[name] = int(value.split()[0])  # KiB

release = platform.freedesktop_os_release()
facts = {
    "os": f"{release['NAME']} {release.get('VERSION_ID', '')}".strip(),
    "kernel": subprocess.run(["uname", "-r"], capture_output=True, text=True, check=True).stdout.strip(),
    "machine": platform.machine(),
    "cpus": os.cpu_count(),
    "memory_gib": round(memory["MemTotal"] / 2**20, 1),
    "python": platform.python_version(),
}
print(json.dumps(facts))
