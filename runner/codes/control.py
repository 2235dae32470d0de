"""Codes of the area ``control``: what bodies that wait, ask, restart and settle say of a host."""

from __future__ import annotations

from runner.codes.page import CodePage

CODES: dict[str, CodePage] = {
    "fail-step": CodePage(
        summary="A `fail` step was reached, and failed the host with the author's message",
        explanation=(
            "`fail` is for what only the author knows to be wrong: behind a `when`, or in a `rescue` that mends the "
            "host and is still to count as a failure."
        ),
        right='- fail: "{{ disk.output[0] }} % of the disk is used"\n  when: disk.output[0] | int > 90\n',
    ),
    "ensure-test": CodePage(
        summary="The `test` of an `ensure` says neither that it is so nor that it is not",
        explanation=(
            "sh and bash say it by their exit code: 0 is so, 1 is not so, everything else is a failure of the test "
            "itself. powershell and python say it by the last value they give: true, false, or a mapping with `ok` "
            "(and with `before` and `after`, which are shown by `--diff`). Where the first test fails, `set` is not run."
        ),
        wrong="ensure:\n  test: systemctl is-active nginx   # ends with 3 where it is not active\n  set: systemctl start nginx\n",
        right="ensure:\n  test: systemctl is-active nginx || exit 1\n  set: systemctl start nginx\n",
    ),
    "ensure-not-reached": CodePage(
        summary="`set` of an `ensure` succeeded, and `test` still says that it is not so",
        explanation=(
            "The host was changed, but not into what the test looks for: `set` does something else, or what it starts "
            "takes longer than `set` waits. The output of the step is what `set` printed."
        ),
        wrong="ensure:\n  test: curl -fs localhost/health || exit 1\n  set: systemctl start app   # answers seconds later\n",
        right=(
            "ensure:\n  test: curl -fs localhost/health || exit 1\n"
            "  set: systemctl start app && curl -fs --retry 10 --retry-all-errors localhost/health\n"
        ),
    ),
    "http-failed": CodePage(
        summary="An `http` request got no answer",
        explanation=(
            "Nothing answered in time (30 s unless `timeout` says otherwise), the name or the certificate is wrong, "
            "the answer is longer than 16 MiB, or a redirect leads from https to http. Certificates are checked by "
            "the authorities of this machine; `SSL_CERT_FILE` names others. Whether the other side may have acted on "
            "it is in `may_have_run`."
        ),
        wrong="- http: {url: api.example.com/health}\n",
        right="- http: {url: https://api.example.com/health}\n",
    ),
    "http-status": CodePage(
        summary="An `http` request was answered with a status that the step does not accept",
        explanation=(
            "Accepted is 200 to 299 unless `status` says otherwise. The answer is the step's output all the same, and "
            "`failed_when` may judge it. Redirects are followed for GET and HEAD alone."
        ),
        wrong="- http: {url: https://api.example.com/items/7, method: delete}   # 404 where it is gone already\n",
        right="- http: {url: https://api.example.com/items/7, method: delete, status: [200-299, 404]}\n",
    ),
    "gate-rejected": CodePage(
        summary="Somebody answered a gate with no",
        explanation=(
            "The run ends with exit code 4, and nothing behind the gate was run. `runner resume` asks again."
        ),
    ),
    "gate-timeout": CodePage(
        summary="A gate stayed shut until its `timeout`",
        explanation=(
            "Nobody answered, or what the gate waits for did not come to hold; the message says what was seen last. "
            "The run ends with exit code 4 and can be resumed; with `default: go` it would go on."
        ),
        right="- gate: {message: Go on?, timeout: 2h, default: go}\n",
    ),
    "gate-unattended": CodePage(
        summary="A gate needs an answer, and nobody can give one",
        explanation=(
            "There is no terminal, and the run has no directory into which `runner runs approve` could write an "
            "answer. `--yes` never answers a gate. The run ends with exit code 4 and can be resumed."
        ),
        wrong="runner run site.yml --no-input   # with a gate that says no default\n",
        right="- gate: {message: Go on?, default: stop, timeout: 2h}\n",
    ),
    "wait-timeout": CodePage(
        summary="What a `wait_for` step waits for did not come within its `timeout`",
        explanation=(
            "The message says what the last look saw. `from: controller` looks from this machine and `from: host` "
            "from the host itself; a firewall between the two makes the difference. The port of a host that stands behind "
            "a jump host is tried from the jump host; a `url` is asked for from this machine always."
        ),
        wrong="- wait_for: {port: 8080}   # the application listens on the host's loopback alone\n",
        right="- wait_for: {port: 8080, from: host, timeout: 10m}\n",
    ),
    "wait-what": CodePage(
        summary="What a `wait_for` step looks for makes no sense on this host",
        explanation="Its template gives an empty text, or a port that is no number from 1 to 65535.",
        wrong='- wait_for: {port: "{{ service }}"}   # which is `https` on this host\n',
        right="- wait_for: {port: 443}\n",
    ),
    "reboot-unknown": CodePage(
        summary="The host does not tell one start from another, so it was not restarted",
        explanation=(
            "A restart is known by what only a start changes: `/proc/sys/kernel/random/boot_id`, the start of the "
            "first process and systemd's count of restarts of user space, else `uptime -s` or `kern.boottime`; on "
            "Windows `LastBootUpTime`. A host that tells none of them could be restarted, but not waited for."
        ),
        right="- script: reboot &\n- wait_for: {port: 22, timeout: 10m}\n",
    ),
    "reboot-controller": CodePage(
        summary="The host is the machine that the run runs on, so it was not restarted",
        explanation=(
            "However it is reached, it tells the start that this machine tells of itself. The run would end in the "
            "middle of what it does on the other hosts."
        ),
        right="- hosts: all:!controller\n  reboot: {}\n",
    ),
    "reboot-refused": CodePage(
        summary="The host does not let this user restart it",
        explanation=(
            "On Linux `systemctl reboot`, `shutdown -r now` and `reboot` are tried, on Windows `shutdown.exe /r`. The "
            "message has what they said. Nothing was restarted."
        ),
        right="targets:\n  web: {hosts: web, user_name: root}\n",
    ),
    "reboot-not-down": CodePage(
        summary="The host took the order to restart and did not go down",
        explanation=(
            "Until the step's `timeout` it answered as the same start as before: something holds the restart back "
            "(`systemd-inhibit --list`, an update that is being installed), or it is a container whose restart does "
            "nothing."
        ),
        right="- reboot: {timeout: 30m}\n",
    ),
    "reboot-not-back": CodePage(
        summary="The host went down and did not come back within the step's `timeout`",
        explanation=(
            "The message says what the last try to reach it saw. It may still come: `runner run` with "
            "`--limit @last:failed` goes on there."
        ),
        right="- reboot: {timeout: 30m}\n",
    ),
    "reboot-test": CodePage(
        summary="The host was restarted and is back, and the `test` of the step does not pass",
        explanation=(
            "The test is run again every few seconds until the step's `timeout`, which is counted from the order to "
            "restart. The message has what it said last."
        ),
        right="- reboot: {timeout: 20m, test: systemctl is-system-running --wait}\n",
    ),
}
