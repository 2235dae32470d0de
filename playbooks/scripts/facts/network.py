"""Host name, and addresses of every interface but the loopback: one object an address."""

import json
import subprocess

hostname = subprocess.run(["hostname"], capture_output=True, text=True, check=True).stdout.strip()
listed = subprocess.run(["ip", "-j", "address"], capture_output=True, text=True, check=True)
for interface in json.loads(listed.stdout):
    if interface["ifname"] == "lo":
        continue
    for address in interface["addr_info"]:
        facts = {
            "hostname": hostname,
            "interface": interface["ifname"],
            "state": interface["operstate"].lower(),
            "address": f"{address['local']}/{address['prefixlen']}",
            "mtu": interface["mtu"],
        }
        print(json.dumps(facts))
