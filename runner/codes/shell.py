"""Codes of the area ``shell``: what an interpreter cannot be given, cannot start with, or gave that cannot be read."""

from __future__ import annotations

from runner.codes.page import CodePage

CODES: dict[str, CodePage] = {
    "value-has-nul": CodePage(
        "A text with a NUL character was to be given to sh or bash",
        "No variable, argument or environment of a POSIX shell can hold a NUL character. The step fails on this host "
        "before anything is sent. Any other character arrives byte for byte.",
        wrong='- using: {key: "{{ raw }}"}      # raw holds a NUL\n  shell: sh\n  script: echo "$Using:key"',
        right='- using: {key: "{{ raw | b64encode }}"}\n  shell: sh\n  script: echo "$Using:key" | base64 -d',
    ),
    "value-not-unicode": CodePage(
        "A text holds half of a surrogate pair and cannot be sent",
        "Such a text is no Unicode and has no UTF-8 form; it mostly comes from a file name or a JSON escape "
        "(`\\ud800`) that was cut in two. The step fails on this host before anything is sent.",
    ),
    "value-type": CodePage(
        "A value is of a type that the interpreter cannot hold",
        "sh holds scalars; bash also lists and mappings of scalars; python any JSON-like value, and datetime, date, "
        "timedelta, Decimal and bytes. Arguments of sh and bash are scalars. The step fails on this host before "
        "anything is sent.",
        wrong="- shell: sh\n  using: {names: [a, b]}\n  script: echo $Using:names",
        right='- shell: bash\n  using: {names: [a, b]}\n  script: echo "${Using:names[@]}"',
    ),
    "environment-name": CodePage(
        "A name under `environment` is no name of an environment variable",
        "Names are letters, digits and `_` and do not begin with a digit; names that the shell keeps read-only "
        "(`UID`, `EUID`, `PPID`, `SHELLOPTS`, `BASHOPTS`, `BASH_VERSINFO`) cannot be set.",
        wrong="environment: {my-name: x}",
        right="environment: {MY_NAME: x}",
    ),
    "working-directory": CodePage(
        "The working directory cannot be entered on the host",
        "It is missing, is no directory, or the login may not enter it. The script did not begin. `~` and `~/...` are "
        "the login's home; a relative path starts from where the interpreter is.",
        wrong="working_directory: /srv/ap",
        right="working_directory: /srv/app",
    ),
    "interpreter-missing": CodePage(
        "The host has no such interpreter",
        "The program that `shell` or `interpreter` names is not on the host, or may not be executed by the login. The "
        "script did not begin.",
        wrong="shell: python                        # the host has only /opt/python3/bin/python3",
        right="shell: python\ninterpreter: /opt/python3/bin/python3",
    ),
    "session-lost": CodePage(
        "The kept interpreter of a session had ended before the step",
        "In sh and bash `exit`, `exec`, a fired `set -e` or a signal ends a session's interpreter together with the "
        "step, and its variables are gone; the result of that step says so. `on_loss: reopen` lets the next step "
        "begin with a new one.",
        wrong="sessions:\n  warm: {target: linux}",
        right="sessions:\n  warm: {target: linux, on_loss: reopen}",
    ),
    "input-has-nul": CodePage(
        "`input_object` with a NUL character was to be given to a kept sh or bash",
        "A kept shell hands standard input to the script as a here-document, which cannot hold a NUL. A fresh "
        "interpreter (`target` in place of `session`) and python take any byte.",
    ),
    "output-not-json": CodePage(
        "A step with `output: json`, `jsonl` or `objects` printed something else",
        "The script ran; what it printed on standard output cannot be read. The message says the line, the column and "
        "what stands there. Messages belong on standard error. NaN and Infinity are no JSON.",
        wrong="- output: json\n  script: |\n    echo reading...\n    cat facts.json",
        right="- output: json\n  script: |\n    echo reading... >&2\n    cat facts.json",
    ),
    "output-too-large": CodePage(
        "A step with `output: json`, `jsonl` or `objects` printed more than 64 MiB",
        "The script ran. So much is not read into memory as values; `output: lines` keeps all of it in a file.",
    ),
    "output-not-kept": CodePage(
        "A step's output could not be kept on this machine",
        "The script ran. Its output was more than is kept in memory, and writing it to a file failed: mostly a full "
        "disk.",
    ),
}
