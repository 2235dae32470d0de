"""Codes of the area ``engine``: what a run itself says, from reading its secrets to its end."""

from __future__ import annotations

from runner.codes.page import CodePage

CODES: dict[str, CodePage] = {
    "run-stopped": CodePage(
        summary="The run was stopped before or while this step ran on this host",
        explanation=(
            "Ctrl-C, a termination signal or the run's `--timeout` stopped the run. What was running was ended on its "
            "host; what had not started was not started. The message says which of the two it is, and a step that "
            "may have run wholly or in part is marked so."
        ),
    ),
    "step-stopped": CodePage(
        summary="The step was stopped on this host because another host of it failed",
        explanation=(
            "`any_errors: stop` ends what a step runs on all of its hosts with the first failure. What was running was "
            "ended on its host, and the message says whether anything of it may have run."
        ),
        wrong="- {id: migrate, target: web, any_errors: stop, script: ./migrate}   # it fails on one of them\n",
        right="- {id: migrate, target: web, script: ./migrate}   # every host is for itself\n",
    ),
    "secret-source": CodePage(
        summary="The source of a secret is of an unknown kind, or what it gives cannot be a secret",
        explanation="Secrets are text without NUL bytes. Everything a plan needs is read before the first connection.",
    ),
    "secret-env": CodePage(
        summary="A secret comes from an environment variable that is not set or is empty",
        explanation="Nothing was run: all secrets a plan needs are read before the first connection.",
        wrong="credentials:\n  ops: {username: ops, password: {env: OPS_PASSWORD}}   # OPS_PASSWORD is not set\n",
        right="read -rs OPS_PASSWORD && export OPS_PASSWORD\n",
    ),
    "secret-file": CodePage(
        summary="A secret comes from a file that cannot be read, is empty or is no text",
        explanation=(
            "A path is relative to the file it is written in, `~` is your home directory. The file's last line end is "
            "no part of the secret; at most 1 MiB is taken."
        ),
        wrong="password: {file: secrets/ops}   # there is no such file beside the playbook\n",
        right="password: {file: ~/.config/fleet/ops}\n",
    ),
    "secret-command": CodePage(
        summary="A secret comes from a program that cannot be started, fails or prints nothing",
        explanation=(
            "The program is run without a shell, with the terminal as its standard input and error, and may take a "
            "minute. Its output without the last line end is the secret."
        ),
        wrong="password: {command: 'pass show ops | head -1'}\n",
        right="password: {command: [sh, -c, 'pass show ops | head -1']}\n",
    ),
    "secret-prompt": CodePage(
        summary="A secret is asked for at a terminal, and there is none or nothing was typed",
        explanation="In a pipeline nobody can answer, so the run is refused before anything connects.",
        wrong="password: {prompt: Password of ops}   # in a pipeline\n",
        right="password: {env: OPS_PASSWORD}\n",
    ),
    "exit-code": CodePage(
        summary="The script or program ended with an exit code other than 0",
        explanation=(
            "sh, bash and python fail on any exit code but 0. `errors` of the result has the lines of "
            "standard error that say why, with line numbers of the script as it was written. "
            "`failed_when` replaces this rule."
        ),
        wrong="- script: grep -q needle haystack   # 1 means not found, and fails the step\n",
        right="- script: grep -q needle haystack\n  failed_when: result.exit_code > 1\n",
    ),
    "killed-by-signal": CodePage(
        summary="The script or program was ended by a signal",
        explanation=(
            "It did not end by itself: somebody or the system (out of memory: `KILL`) ended it. It "
            "may have done part of its work."
        ),
    ),
    "failed-when": CodePage(
        summary="The step's `failed_when` holds",
        explanation=(
            "The expressions of `failed_when`, all of them where it is a list, are true for this "
            "host's `result`."
        ),
        wrong="failed_when: \"'error' in result.output\"   # looks for a whole line that is `error`\n",
        right="failed_when: result.output | select('search', 'error') | list | length > 0\n",
    ),
    "step-timeout": CodePage(
        summary="The step ran longer than its `timeout` on this host",
        explanation=(
            "Time is counted from sending the script; connecting and waiting are not in it. What ran "
            "was ended with everything it had started, or the message says that it may still run. The stop has a time of "
            "its own beyond the `timeout`: `cancel_timeout` of the session option (10 s over SSH, 60 s over WinRM), then "
            "some seconds for an answer of the host."
        ),
        wrong="- script: ./long-job\n  timeout: 10s\n",
        right="- script: ./long-job\n  timeout: 30m\n",
    ),
    "assertion-failed": CodePage(
        summary="An expression of `assert` does not hold on this host",
        explanation=(
            "All expressions are evaluated; those that do not hold are named, after the step's "
            "`message` where it has one."
        ),
    ),
    "loop-not-a-list": CodePage(
        summary="`loop` gives something else than a list",
        explanation="A loop goes over a list. A mapping can be made one with `items()`, a text with `split`.",
        wrong="loop: \"{{ {'a': 1} }}\"\n",
        right="loop: \"{{ {'a': 1}.items() | list }}\"\n",
    ),
    "command-name": CodePage(
        summary="`command` names no program",
        explanation="The template that gives the program's name is empty on this host.",
        wrong='command: "{{ none }}"\n',
        right="command: systemctl\n",
    ),
    "transport-unknown": CodePage(
        summary="No transport of this name is available in this run",
        explanation="The plan names a transport that the caller of the run did not provide.",
    ),
    "copy-source": CodePage(
        summary="The file that `src` of `copy` names cannot be read on the controller",
        explanation="The path is relative to the file it is written in. Nothing was sent to the host.",
        wrong="copy: {src: motd.txt, dest: /etc/motd}   # there is no motd.txt beside the playbook\n",
        right="copy: {src: files/motd.txt, dest: /etc/motd}\n",
    ),
    "copy-directory": CodePage(
        summary="`src` of `copy` is a directory",
        explanation=(
            "`copy` puts one file in place, whole or not at all, which a tree of files cannot be. "
            "Loop over the files."
        ),
        wrong="copy: {src: conf.d, dest: /etc/app/conf.d}\n",
        right='loop: [a.conf, b.conf]\ncopy: {src: "conf.d/{{ item }}", dest: /etc/app/conf.d/}\n',
    ),
    "copy-destination": CodePage(
        summary="`dest` of `copy` is empty",
        explanation="The template that gives the path is empty on this host.",
        wrong='copy: {content: x, dest: ""}\n',
        right="copy: {content: x, dest: /etc/motd}\n",
    ),
    "copy-mode": CodePage(
        summary="`mode` of `copy` is neither octal nor symbolic",
        explanation="Write permission bits as `chmod` takes them, or `preserve` for those of the source file.",
        wrong="copy: {src: motd, dest: /etc/motd, mode: rw-r--r--}\n",
        right="copy: {src: motd, dest: /etc/motd, mode: 0644}\n",
    ),
    "destination-directory": CodePage(
        summary="The destination of `copy` is a directory",
        explanation=(
            "A file goes into a directory under its own name; a text has none, and a directory of the "
            "very name cannot be replaced."
        ),
        wrong="copy: {content: hello, dest: /etc}\n",
        right="copy: {content: hello, dest: /etc/motd}\n",
    ),
    "destination-link": CodePage(
        summary="The destination of `copy` is a link that leads nowhere",
        explanation=(
            "Links are followed, so that a link stays a link. This one has no end that a file could stand at."
        ),
    ),
    "destination-parent": CodePage(
        summary="The directory that the file should stand in is not there",
        explanation="`copy` makes no directories. Make it in a step before.",
        wrong="copy: {src: a, dest: /opt/app/etc/a}   # there is no /opt/app/etc\n",
        right="- script: mkdir -p /opt/app/etc\n- copy: {src: a, dest: /opt/app/etc/a}\n",
    ),
    "destination-unreadable": CodePage(
        summary="The file at the destination of `copy` cannot be read to compare it",
        explanation=(
            "The login may not read it, so whether anything must change is not known. Log in as "
            "somebody who may."
        ),
    ),
    "destination-special": CodePage(
        summary="The destination of `copy` is no regular file",
        explanation="A device, a pipe or a socket stands there; only a regular file is replaced.",
    ),
    "destination-write": CodePage(
        summary="The new file cannot be written on the host",
        explanation=(
            "The reason is the host's own: no permission, no space, a read-only file system. What "
            "stood there still does."
        ),
    ),
    "digest-missing": CodePage(
        summary="The host has no program that computes SHA-256",
        explanation=(
            "`copy` and `fetch` compare and check files by SHA-256 with one of `sha256sum`, `sha256`, "
            "`shasum` and `openssl`."
        ),
    ),
    "digest-differs": CodePage(
        summary="The file arrived damaged, or changed while it was sent",
        explanation=(
            "What the host received is not what was hashed on the controller. What stood there before "
            "still does; run the step again."
        ),
    ),
    "owner-refused": CodePage(
        summary="The owner or group of a file cannot be set on the host",
        explanation=(
            "There is no such user or group, or the login may not give files away. A file that is "
            "replaced keeps its owner, which needs the same right where somebody else owns it."
        ),
    ),
    "mode-refused": CodePage(
        summary="The mode of a file cannot be set on the host",
        explanation="The reason is the host's own.",
    ),
    "validation-failed": CodePage(
        summary="The new file was refused by the step's `validate`",
        explanation=(
            "The command got the new file's name and ended with a code other than 0; its words are in "
            "the message. The old file stays."
        ),
    ),
    "backup-failed": CodePage(
        summary="The backup of the old file cannot be written",
        explanation="The new file was not put in place either.",
    ),
    "file-script": CodePage(
        summary="The host's answer about a file cannot be understood",
        explanation=(
            "The host's sh failed or printed something else than our script prints: a login script "
            "that writes to standard output does that."
        ),
    ),
    "fetch-source": CodePage(
        summary="`src` or `dest` of `fetch` is empty",
        explanation="Both must name something on every host.",
        wrong='fetch: {src: "", dest: logs}\n',
        right="fetch: {src: /var/log/app.log, dest: logs}\n",
    ),
    "fetch-missing": CodePage(
        summary="There is no such file on the host",
        explanation="A path does not exist, or a pattern matches nothing. `missing: ok` takes that for fine.",
        wrong="fetch: {src: /var/log/app.log, dest: logs}   # not on this host\n",
        right="fetch: {src: /var/log/app.log, dest: logs, missing: ok}\n",
    ),
    "fetch-directory": CodePage(
        summary="What `fetch` should take is a directory",
        explanation="`fetch` takes files. Name them with a pattern.",
        wrong="fetch: {src: /var/log/app, dest: logs}\n",
        right='fetch: {src: "/var/log/app/*.log", dest: logs}\n',
    ),
    "fetch-unreadable": CodePage(
        summary="What `fetch` should take cannot be read, or is no regular file",
        explanation="The login may not read it, or it is a device, a pipe or a socket.",
    ),
    "fetch-too-large": CodePage(
        summary="A file is larger than `max_size` of `fetch` allows",
        explanation="Nothing was taken from this host.",
        wrong="fetch: {src: /var/log/big.log, dest: logs, max_size: 1MiB}\n",
        right="fetch: {src: /var/log/big.log, dest: logs, max_size: 1GiB}\n",
    ),
    "fetch-collision": CodePage(
        summary="Two files would go to the same path on the controller",
        explanation=(
            "With `flat` all files of all hosts go to one directory under their own names. Nothing "
            "was overwritten."
        ),
        wrong="fetch: {src: /etc/hostname, dest: names, flat: true}   # on two hosts\n",
        right="fetch: {src: /etc/hostname, dest: names}\n",
    ),
    "fetch-path": CodePage(
        summary="The host names a file that cannot be kept below a directory",
        explanation=(
            "A path with `..` in it would lead out of the directory the author named; no honest host "
            "answers that for a path that has none. Write paths without `..`."
        ),
        wrong="fetch: {src: /var/log/../app.log, dest: logs}\n",
        right="fetch: {src: /var/app.log, dest: logs}\n",
    ),
    "fetch-damaged": CodePage(
        summary="A file changed while it was fetched, or arrived damaged",
        explanation=(
            "Its SHA-256 is not the one that the host announced. Nothing was written; run the step again."
        ),
    ),
    "fetch-write": CodePage(
        summary="A fetched file cannot be written on the controller",
        explanation="The reason is the system's own. Files fetched before it are complete.",
    ),
    "until-not-held": CodePage(
        summary="`until` did not hold after the last attempt on this host",
        explanation=(
            "The step ran as often as `retry` allows (3 attempts, 5 s apart, where nothing says more), each attempt "
            "ended well, and the expression was never true. An attempt that failed fails with its own reason."
        ),
        wrong="- script: ./state\n  until: \"'ready' in result.output\"   # it takes a minute\n",
        right=(
            "- script: ./state\n  until: \"'ready' in result.output\"\n  retry: {attempts: 30, delay: 10s}\n"
        ),
    ),
    "resumed-secret": CodePage(
        summary="A value is read that held a secret, and the run was resumed since",
        explanation=(
            "Secrets are never recorded, so a result that held one comes back from the journal without what was put "
            "out. A step that reads it fails before anything is sent: stars must not be taken for a password."
        ),
        wrong="runner resume last   # a later step reads what `login` registered\n",
        right="runner resume last --rerun login\n",
    ),
    "resumed-unseen": CodePage(
        summary="A value is read of a step that was taken for done, though nobody saw its end",
        explanation=(
            "The step had begun when the run broke off, and `rerun: never` or `--unknown skip` took it for done: it has "
            "no result. A step that reads what it registers fails before anything is sent, as emptiness must not be "
            "taken for its output. Its status is known (`skipped`), and a template may ask for the rest with "
            "`is defined` and `default`."
        ),
        wrong="- script: echo ${Using:created.output[0]}   # `created` is taken for done\n",
        right='- script: echo $Using:id\n  using: {id: "{{ created.output[0] if created.output is defined else 0 }}"}\n',
    ),
}
