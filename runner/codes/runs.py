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
}
