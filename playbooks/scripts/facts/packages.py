"""Installed packages and their versions, by dpkg or rpm: one object a package."""

import json
import shutil
import subprocess

if shutil.which("dpkg-query"):
    command = ["dpkg-query", "-W", "-f", "${Package} ${Version}\\n"]
else:
    command = ["rpm", "-qa", "--queryformat", "%{NAME} %{VERSION}-%{RELEASE}\\n"]
listed = subprocess.run(command, capture_output=True, text=True, check=True)
for line in sorted(listed.stdout.splitlines()):
    name, _, version = line.partition(" ")
    print(json.dumps({"package": name, "version": version}))
