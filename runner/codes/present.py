"""Codes of the area ``present``."""

from __future__ import annotations

from runner.codes.page import CodePage

CODES: dict[str, CodePage] = {
    "output-closed": CodePage(
        summary="Who read the output went away before the run had ended",
        explanation=(
            "The program after the `|` ended, or the terminal was closed. The run is stopped as by Ctrl-C: what was "
            "running on hosts is ended, and the exit code is 141. To see only the beginning of an output and let the "
            "run finish, write it to a file."
        ),
        wrong="runner run site.yml | head -1",
        right="runner run site.yml -o plain=site.log",
    ),
    "output-not-written": CodePage(
        summary="A file or stream of output cannot be written",
        explanation=(
            "The directory does not exist, permissions are missing, or the disk is full. A file named with "
            "`-o json=FILE` appears only when it is whole: what was there before is still there."
        ),
        wrong="runner run site.yml -o json=/no/such/directory/out.json",
        right="runner run site.yml -o json=out.json",
    ),
    "output-format-later": CodePage(
        summary="The output format is planned and not there yet",
        explanation="`junit`, `sarif` and `github` come with a later version; `json` holds everything they will.",
        wrong="runner run site.yml -o junit=report.xml",
        right="runner run site.yml -o json=report.json",
    ),
    "unknown-output-format": CodePage(
        summary="The output format is not known",
        explanation="`-o` takes `rich`, `plain`, `json`, `jsonl` and `quiet`, each alone or with `=FILE`.",
        wrong="runner run site.yml -o yaml",
        right="runner run site.yml -o json",
    ),
    "output-without-file": CodePage(
        summary="An output names no file after `=`",
        explanation="With `=` a file name must follow; without it the output goes to standard output.",
        wrong="runner run site.yml -o json=",
        right="runner run site.yml -o json=out.json",
    ),
    "output-twice": CodePage(
        summary="Two outputs go to the same place",
        explanation="Their lines would be mixed. One output may go to standard output, and each file takes one.",
        wrong="runner run site.yml -o json -o jsonl",
        right="runner run site.yml -o json -o jsonl=events.jsonl",
    ),
}
