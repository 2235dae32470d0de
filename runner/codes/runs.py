"""Codes of runs that are gone on with, looked at or compared."""

from __future__ import annotations

from runner.codes.page import CodePage

CODES: dict[str, CodePage] = {
    "run-without-status": CodePage(
        "`-l @RUN` names a run, and not which of its hosts",
        "A run has hosts of many kinds. `@RUN:failed` are those where something failed, `@RUN:bad` those where anything"
        " went wrong; `@RUN:ok` those where nothing worse happened.",
        "runner run patch.yml -i prod.yml -l @last",
        "runner run patch.yml -i prod.yml -l @last:failed",
    ),
    "unknown-run-status": CodePage(
        "`-l @RUN:WORD` asks for hosts with a status that there is not",
        "The words are those of results: ok, changed, failed, unreachable, timed_out, skipped, cancelled, unknown,"
        " detached; and bad for anything that went wrong.",
        "runner run patch.yml -i prod.yml -l @last:faild",
        "runner run patch.yml -i prod.yml -l @last:failed",
    ),
    "unknown-after-crash": CodePage(
        "a step had begun on a host when its run broke off, and nobody knows how it ended",
        "The start is on disk before anything is sent, the end after it came back. What lies between them when the"
        " process or its machine dies may have run wholly, in part or not at all. `runner resume` asks about it;"
        " without a terminal `--unknown rerun, skip` or `fail` says it, and fail is the default. A step with"
        " `rerun: safe` runs again without a question, one with `rerun: never` never does.",
    ),
    "run-changed": CodePage(
        "a run cannot be gone on with, because what it was made from is another thing now",
        "Playbook, scripts, inventory sources and inputs are compared by digest, each by its name. With"
        " `--allow-changed` the run goes on with what there is now: results of steps and hosts that are as they were"
        " are kept, the others are done again, and both are told.",
        "runner resume last   # the playbook was edited since",
        "runner resume last --allow-changed",
    ),
    "secret-not-given": CodePage(
        "a run cannot be gone on with without a secret that it was given with `-e`",
        "Secret inputs are not recorded. They are given again when the run is resumed.",
        "runner resume last",
        "runner resume last -e @token.yml",
    ),
    "rerun-never": CodePage(
        "`--rerun` names a step that says `rerun: never`",
        "What must never run twice does not, whatever the command line says. Take the word out of the step and resume"
        " with `--allow-changed`.",
    ),
    "resume-aborted": CodePage(
        "the question about what is unknown was answered with abort",
        "Nothing was run, and the run can be resumed as before.",
    ),
    "run-not-running": CodePage(
        "a run is to be stopped that is not going on",
        "It has come to its end, was stopped, or broke off; `runner runs show` says which.",
    ),
    "run-not-stopped": CodePage(
        "a run belongs to another user and cannot be told to stop",
        "Only its own user, or root, can signal its process.",
    ),
    "no-such-gate": CodePage(
        "`runs approve` names a gate that does not wait",
        "A run that goes on must have come to the gate; one that is over must have ended at it. `-l` of hosts and"
        " conditions can skip a gate.",
        "runner runs approve last golive",
        "runner runs approve last go_live",
    ),
    "prune-without-limit": CodePage(
        "`runs prune` is not told which runs to remove",
        "Runs are removed by number, by age, or by both: `--keep N` keeps the newest, `--older-than D` the young ones.",
        "runner runs prune",
        "runner runs prune --keep 100 --older-than 30d",
    ),
}
