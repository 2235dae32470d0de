"""``python -m benchmarks`` runs all of them, ``python -m benchmarks ssh --runs 5`` one, with its own options."""

from __future__ import annotations

import subprocess
import sys

BENCHMARKS = {
    "start": "what `runner --help` and the first sign of a run take",
    "inventory": "loading 50,000 hosts and choosing among them, beside ansible-inventory",
    "scale": "the engine and its driver alone",
    "locks": "50 runs at once over one set of hosts: one holder of each at a time, none left",
    "control": "what the journal costs 50 hosts x 10 steps over one real OpenSSH, with it and without in turns",
    "journal": "the journal alone: time, bytes and memory of an assignment, and reading it again",
    "whole": "from playbook and inventory to the summary, over a transport that answers at once",
    "ssh": "50 hosts x 10 echoes over one real OpenSSH, beside asyncssh alone and beside peers",
    "powershell": "a step on a kept PowerShell session over every carrier, beside psrpcore alone and beside peers",
    "powershell_fleet": "200 PowerShell sessions x 10 steps, 64 at once, from the plan to the summary",
    "powershell_held": "1,000 WinRM sessions held open by one controller: memory, threads, connections",
    "powershell_values": "100,000 objects read, beside psrpcore alone, and 100,000 items sent as input",
    "winrm_wire": "one WinRM envelope and its answer, and a thousand held polls, beside other HTTP clients",
}


def main(arguments: list[str]) -> int:
    """Run what is named, each in a process of its own; gives the last exit code that is not 0."""
    if arguments and arguments[0] not in BENCHMARKS:
        wanted = f"unknown benchmark: `{arguments[0]}`\n" if arguments[0] not in {"-h", "--help"} else ""
        print(wanted + "\n".join(f"{name:17} {about}" for name, about in BENCHMARKS.items()))
        return 2 if wanted else 0
    code = 0
    for name in arguments[:1] or BENCHMARKS:
        print(f"\n== {name}: {BENCHMARKS[name]}\n", flush=True)
        code = subprocess.call([sys.executable, "-m", f"benchmarks.{name}", *arguments[1:]]) or code
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
