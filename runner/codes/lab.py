"""Codes of the area ``lab``."""

from __future__ import annotations

from runner.codes.page import CodePage

CODES: dict[str, CodePage] = {
    "lab-size": CodePage(
        summary="A lab cannot have that many hosts",
        explanation=(
            "Every host listens on a port of its own of 127.0.0.1 and all are served by one process; from 1 to 500 are "
            "possible. Five are enough to try something, twenty look like a fleet."
        ),
        wrong="runner lab up 5000",
        right="runner lab up 20",
    ),
    "lab-windows-size": CodePage(
        summary="A lab cannot have that many Windows-like hosts",
        explanation=(
            "Each one starts an engine for every session that is open on it, `pwsh` where there is one: a few are enough "
            "to try WinRM, and 50 keep a machine busy."
        ),
        wrong="runner lab up 20 --windows 100",
        right="runner lab up 20 --windows 4",
    ),
    "lab-directory-taken": CodePage(
        summary="The lab's directory holds an inventory that no lab has written",
        explanation="A lab writes `inventory.yml` into its directory and does not overwrite one that a person wrote.",
        wrong="runner lab up 20 --dir inventories",
        right="runner lab up 20 --dir .runner/lab",
    ),
    "lab-directory-unusable": CodePage(
        summary="The lab cannot write into its directory",
        explanation="The directory cannot be made, is not yours, or the disk is full.",
        wrong="runner lab up 20 --dir /proc/lab",
        right="runner lab up 20 --dir .runner/lab",
    ),
    "lab-not-started": CodePage(
        summary="The lab's server did not start",
        explanation="The message has the last line of `lab.log` in the lab's directory; the file has all of it.",
    ),
    "lab-not-ended": CodePage(
        summary="Processes of the lab could not be ended",
        explanation="They hang in the kernel, or belong to another user. The message names them by their pid.",
    ),
    "lab-no-such-host": CodePage(
        summary="The lab has no such Windows-like host, or is not up",
        explanation="Troubles befall the Windows-like hosts of a lab that is up; `runner lab status -o json` names them.",
        wrong="runner lab trouble web-01 delay seconds=2",
        right="runner lab trouble win-01 delay seconds=2",
    ),
    "lab-trouble-refused": CodePage(
        summary="A host of the lab does not take that trouble",
        explanation=(
            "Faults, dying engines and spoilt fragments befall an operation, which `on=` names: `Create`, `Command`, "
            "`Send`, `Receive`, `Signal`, `Delete` or `Get`. Details are `key=value`. A host that speaks http has no certificate that could go bad."
        ),
        wrong="runner lab trouble win-01 kill",
        right="runner lab trouble win-01 kill on=Receive",
    ),
}
