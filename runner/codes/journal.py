"""Codes of the area ``journal``: the record of a run, from its making to its removal."""

from __future__ import annotations

from runner.codes.page import CodePage

CODES: dict[str, CodePage] = {
    "journal-not-created": CodePage(
        summary="The directory of a run's journal cannot be made",
        explanation=(
            "Before anything connects a run makes its directory under `.runner/runs/` and writes there what it is about "
            "to do. Where that cannot be done the run is refused: what it did could not be told afterwards."
        ),
        wrong="runner run playbooks/site.yml          # in a checkout that only root can write\n",
        right="runner run playbooks/site.yml --record ~/runs\n",
    ),
    "journal-full": CodePage(
        summary="The disk with the run's journal is full",
        explanation=(
            "No step may act on a host before that is on disk, so nothing new was started and what was running came to "
            "its end. Everything recorded before is whole, and the ends are written into 1 MiB that the run has kept "
            "for them. Make room and go on with `runner resume`; steps whose output did not fit into that are unknown "
            "then."
        ),
        wrong="runner run playbooks/site.yml --record /small-disk\n",
        right="runner runs prune --keep 20\nrunner resume last\n",
    ),
    "journal-read-only": CodePage(
        summary="The disk with the run's journal has become read-only",
        explanation=(
            "Systems mount a disk read-only when it fails. Nothing new was started and what was running came to its "
            "end; what was recorded before is whole. Mend the disk, or copy the run's directory to another one, and go "
            "on with `runner resume`."
        ),
    ),
    "journal-not-written": CodePage(
        summary="The run's journal, or a file beside it, cannot be written",
        explanation=(
            "The system refused the write for the reason that the message ends with. Nothing new was started, and what "
            "was recorded before is whole."
        ),
    ),
    "journal-not-read": CodePage(
        summary="A run's journal cannot be opened or read",
        explanation="The file is not there, belongs to somebody else, or the disk failed. Nothing was run.",
    ),
    "journal-damaged": CodePage(
        summary="A line of a run's journal is not what the runner wrote",
        explanation=(
            "A last line that is not whole is normal after a crash and is left out. This line has others behind it, so "
            "the file was changed or the disk lost a part of it; the same is said where an output beside the journal is "
            "not there any more. What the line said may decide what must not run twice, so the run is not gone on with."
        ),
    ),
    "journal-version": CodePage(
        summary="A run's journal was written in a format of another version of the runner",
        explanation="A run is gone on with by the version that began it. Nothing was run.",
    ),
    "journal-not-removed": CodePage(
        summary="The directory of a run that was to be pruned cannot be removed",
        explanation="The message ends with the reason. Runs that were removed before it are gone, all others are whole.",
    ),
    "unknown-run": CodePage(
        summary="No run of that id is recorded, or several ids begin so",
        explanation=(
            "A run is named by its id, by as much of the id's beginning as no other run has, or by `last`. Runs are "
            "looked for in `.runner/` of the repository, else where `--record` says."
        ),
        wrong="runner resume 2026\n",
        right="runner runs list\nrunner resume 2026-11-21T015000Z-7f3a\n",
    ),
    "run-going-on": CodePage(
        summary="The run is going on in another process",
        explanation=(
            "A run's directory belongs to one process at a time. The lock ends with the process, also where that is "
            "killed, so this one lives."
        ),
        wrong="runner resume last   # while it runs in another terminal\n",
        right="runner runs watch last\n",
    ),
}
