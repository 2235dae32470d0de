"""Compares what hosts have told: one object a finding.

A host is odd where it has another value than most of the hosts that have the thing at all; with no majority, nobody is.
"""

import json
from collections import Counter, defaultdict

DISK_LIMIT = $Using:inputs.disk_limit
FACTS = {
    "system": $Using:results.system,
    "network": $Using:results.network,
    "disks": $Using:results.disks,
    "packages": $Using:results.packages,
    "services": $Using:results.services,
    "configuration": $Using:results.configuration,
}


def finding(severity, about, message, hosts):
    print(json.dumps({"severity": severity, "about": about, "finding": message, "hosts": sorted(hosts)}))


def odd_ones_out(about, thing, values):
    """values: host -> value. Tells the hosts whose value is not that of the majority."""
    [(usual, count)] = Counter(values.values()).most_common(1)
    if count * 2 <= len(values):
        return
    odd = defaultdict(list)
    for host, value in values.items():
        if value != usual:
            odd[value].append(host)
    for value, hosts in odd.items():
        finding("warning", about, f"{thing} is {value}, on {count} other hosts {usual}", hosts)


def by_name(fact, name, value):
    """name -> host -> value, for facts that are a list of named things."""
    table = defaultdict(dict)
    for host, result in FACTS[fact].items():
        for row in result["output"]:
            table[row[name]][host] = row[value]
    return table


missing = defaultdict(list)  # host and what became of it -> facts that it did not give
for fact, results in FACTS.items():
    for host, result in results.items():
        if result["status"] not in ("ok", "changed"):
            missing[host, result["status"]].append(fact)
alike = defaultdict(list)
for (host, status), facts in missing.items():
    alike[status, ", ".join(facts)].append(host)
for (status, facts), hosts in alike.items():
    finding("error", "hosts", f"{status}: no {facts}", hosts)

for key in ("os", "kernel", "machine", "python"):
    values = {host: row[key] for host, result in FACTS["system"].items() for row in result["output"]}
    if values:
        odd_ones_out("system", key, values)

for mount, used in by_name("disks", "mount", "used_percent").items():
    for host, percent in used.items():
        if percent > DISK_LIMIT:
            finding("error", "disks", f"{mount} is {percent}% full", [host])

for package, versions in by_name("packages", "package", "version").items():
    odd_ones_out("packages", package, versions)

for service, states in by_name("services", "service", "active").items():
    failed = [host for host, state in states.items() if state == "failed"]
    if failed:
        finding("error", "services", f"{service} has failed", failed)

for setting, values in by_name("configuration", "setting", "value").items():
    odd_ones_out("configuration", setting, values)
