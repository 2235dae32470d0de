"""Codes of the area ``playbook``: what is wrong with the shape of a playbook, a steps file or an inventory."""

from __future__ import annotations

from runner.codes.page import CodePage

CODES: dict[str, CodePage] = {
    "alias-twice": CodePage(
        summary="A key is given under both of its names",
        explanation=(
            "Some keys have a second name that Invoke-Command uses: `connect_timeout` is also `connecting_timeout`, "
            "`vm_id` is `vm_guid`, `host_name` is `computer_name`, `key_file_path` is `identity_file_path`. Where both "
            "are given nobody can tell which one counts."
        ),
        wrong="targets:\n  web: {hosts: web, connect_timeout: 5s, connecting_timeout: 10s}",
        right="targets:\n  web: {hosts: web, connect_timeout: 5s}",
    ),
    "bare-number": CodePage(
        summary="A duration is written without its unit where units are read in more than one way",
        explanation=(
            "New-PSSessionOption reads a bare number as milliseconds, a hashtable given to -SessionOption as ticks of "
            "100 ns, and most people as seconds. In `session_options`, `session_option` and `connecting_timeout` the "
            "unit must therefore be written; the hints show both of PowerShell's readings."
        ),
        wrong="session_options:\n  overnight: {idle_timeout: 43200000}",
        right="session_options:\n  overnight: {idle_timeout: 12h}",
    ),
    "command-blanks": CodePage(
        "the name under `command` holds blanks",
        "`command` runs one program as argv, without a shell, so nothing splits a line into words.",
        "command: systemctl restart nginx",
        "command: systemctl\nargs: [restart, nginx]",
    ),
    "control-misplaced": CodePage(
        "a control key stands where it has no meaning",
        "`waves`, `health`, `max_fail` and `max_unreachable` count hosts, so a local step and a gate have none of them;"
        " a gate, `wait_for` and `reboot` wait by themselves; what would come to the same each time is not tried again;"
        " a block is entered once. A key that a step has from `defaults` or its block and cannot use is left out without"
        " a word; one that is written on it is refused.",
        "{target: local, script: date, waves: [1, 100%]}",
        "{target: web, script: date, waves: [1, 100%]}",
    ),
    "digest-authentication": CodePage(
        summary="Digest authentication is not offered",
        explanation="Servers no longer offer it, and it protects a password badly. Use negotiate, kerberos or credssp.",
        wrong="targets:\n  web: {hosts: web, authentication: digest}",
        right="targets:\n  web: {hosts: web, authentication: negotiate}",
    ),
    "duplicate-register": CodePage(
        "two steps register their results under the same name",
        "A reader of the name could not know whose result it gets.",
        "steps: [{id: a, script: x, register: r}, {id: b, script: y, register: r}]",
        "steps: [{id: a, script: x, register: r}, {id: b, script: y, register: s}]",
    ),
    "duplicate-step": CodePage(
        "two steps have the same id",
        "`needs`, results and the command line know a step by its id. A step without one gets it from its `name`.",
        "steps: [{id: a, script: x}, {id: a, script: y}]",
        "steps: [{id: a, script: x}, {id: b, script: y}]",
    ),
    "empty-value": CodePage(
        summary="A list or a mapping is empty, or an item has no value, where something must stand",
        explanation="Write the value, or take the key or the line out.",
        wrong="steps:\n  - script: uptime\n    target: []",
        right="steps:\n  - script: uptime\n    target: [web]",
    ),
    "excluded-key": CodePage(
        summary="Two keys do not go together",
        explanation=(
            "One of them says what the other one says too, or has no meaning beside it. Where the message names a "
            "parameter set, the rule is Invoke-Command's: that way to say who does not take the key."
        ),
        wrong="targets:\n  mail: {connection_uri: 'https://mail/PowerShell', use_ssl: true}",
        right="targets:\n  mail: {connection_uri: 'https://mail/PowerShell'}",
    ),
    "file-shell": CodePage(
        "the name of a script file contradicts the shell that would run it",
        "`.ps1` is for powershell, `.sh` for sh and bash, `.py` for python. The shell comes from the step, the target or"
        " the inventory, never from the file's name.",
        "file: collect.py",
        "file: collect.py\nshell: python",
    ),
    "include-too-deep": CodePage(
        "files include each other in a circle or more than twenty deep",
        "An `include` is replaced by the steps of its file, so a circle would have no end.",
    ),
    "key-without-body": CodePage(
        "`args` or `input_object` stands on a step that runs no script or command",
        "They are given to a program; `copy`, `fetch` and `assert` run none of the author's.",
        "{assert: {that: x == 1}, args: [a]}",
        "{assert: {that: x == 1}}",
    ),
    "language-version": CodePage(
        summary="The file is written in a version of the language that this runner does not read",
        explanation="`version` says how the file is to be read. This runner reads version 1.",
        wrong="version: 2",
        right="version: 1",
    ),
    "missing-companion": CodePage(
        summary="A key stands without another one that it needs",
        explanation="The key has a meaning only beside the other one that the message names.",
        wrong="steps:\n  - script: hostname\n    session_name: inventory",
        right="steps:\n  - script: hostname\n    session_name: inventory\n    disconnected: true",
    ),
    "missing-key": CodePage(
        summary="A key that must be there is missing",
        explanation="The place shown is the mapping that lacks the key.",
        wrong="steps:\n  - copy: {src: app.conf}",
        right="steps:\n  - copy: {src: app.conf, dest: /etc/app.conf}",
    ),
    "need-across-block": CodePage(
        "`needs` crosses the border of a block",
        "A host goes through a block as a whole, and what failed in it may be rescued. So what stands outside needs the"
        " block by its id, what the block's steps wait for is a need of the block, and the steps of `rescue` and"
        " `always` follow by themselves.",
        "steps: [{id: roll, block: [{id: stop, script: x}]}, {id: after, needs: [stop], script: y}]",
        "steps: [{id: roll, block: [{id: stop, script: x}]}, {id: after, needs: [roll], script: y}]",
    ),
    "no-body": CodePage(
        summary="A step does not say what it does",
        explanation="Every step has exactly one body: `script`, `file`, `command`, `copy` and so on.",
        wrong="steps:\n  - id: look\n    target: web",
        right="steps:\n  - id: look\n    target: web\n    script: uptime",
    ),
    "no-who": CodePage(
        summary="A target does not say who",
        explanation=(
            "A target names its hosts with exactly one of `hosts`, `ssh_connections`, `connection_uri`, "
            "`container_id`, `vm_name`, `vm_id` and `local: true`."
        ),
        wrong="targets:\n  web: {transport: ssh}",
        right="targets:\n  web: {hosts: web, transport: ssh}",
    ),
    "not-a-playbook": CodePage(
        summary="The file is not a playbook, nor a list of steps where one is included",
        explanation=(
            "A playbook is a mapping with `version` and `steps`. A file with a list at its top is perhaps a playbook of "
            "Ansible, or a steps file that `include` is for."
        ),
        wrong="- hosts: web\n  tasks: []",
        right="version: 1\nsteps:\n  - hosts: web\n    script: uptime",
    ),
    "not-an-inventory": CodePage(
        summary="The file is not an inventory in the native form",
        explanation="An inventory is a mapping with `version`, `hosts` and `groups`.",
        wrong="- web01\n- web02",
        right="version: 1\nhosts:\n  web01: {}\n  web02: {}",
    ),
    "parameters-shell": CodePage(
        "`parameters` are given to a shell that has none",
        "Parameters bind by name, which is PowerShell's. sh, bash and python take `args` by position and `$Using:`.",
        "{shell: sh, script: x, parameters: {Name: spooler}}",
        "{shell: sh, script: x, args: [spooler]}",
    ),
    "plain-secret": CodePage(
        summary="A secret is written in plain text",
        explanation=(
            "Playbooks are kept in version control and shown to many people. A secret is named by where it comes from: "
            "`env`, `file`, `command`, `prompt`, `keyring`, `vault`, `age` or `ansible_vault`. The message does not "
            "repeat the text; change the secret if the file has been shared."
        ),
        wrong="credentials:\n  ops: {username: ops, password: hunter2}",
        right="credentials:\n  ops: {username: ops, password: {env: OPS_PASSWORD}}",
    ),
    "preference-refused": CodePage(
        "`error_action` or its kin has a word that no run can act on",
        "Inquire asks a person at each record, Break opens a debugger, Suspend is for the workflows of Windows PowerShell:"
        " a run has nobody to ask and no workflow.",
        "error_action: Inquire",
        "error_action: Stop",
    ),
    "reboot-in-session": CodePage(
        "a step restarts hosts inside a kept session that fails when it is lost",
        "A restart ends every interpreter on the host, the session's too, with its variables. `on_loss: reopen` says that"
        " this is wanted.",
        "{session: warm, reboot: {}}",
        "{session: warm, reboot: {}, on_loss: reopen}",
    ),
    "reboot-local": CodePage(
        "a step would restart this controller",
        "The run would end with it. Where no `target`, `session` or `hosts` is said, a step is local.",
        "{reboot: {timeout: 10m}}",
        "{target: web, reboot: {timeout: 10m}}",
    ),
    "requires-form": CodePage(
        "`requires` does not name versions",
        "It takes version specifiers as Python packages do: `>=0.1`, `>=0.1,<2`, `==0.3.*`.",
        "requires: newest",
        "requires: '>=0.1'",
    ),
    "reserved-name": CodePage(
        "a variable, input, result or target has a name that the language keeps for itself",
        "Reserved are `results`, `inputs`, `host`, `hosts`, `groups`, `facts`, `item`, `loop`, `run`, `failure`,"
        " `secrets` and `credentials`, and the target `local`.",
        "vars: {hosts: 3}",
        "vars: {host_count: 3}",
    ),
    "rescue-without-effect": CodePage(
        "`rescue` of a block never runs",
        "A step with `ignore_errors: true` counts as a success whatever happens, so a block of such steps cannot fail.",
        "{block: [{script: x, ignore_errors: true}], rescue: [{script: y}]}",
        "{block: [{script: x}], rescue: [{script: y}]}",
    ),
    "runner-version": CodePage(
        "the playbook asks for another version of runner",
        "`requires` keeps a playbook from being run by a version it was not written for.",
    ),
    "session-shells": CodePage(
        "steps with different shells use the same session",
        "A session is one kept interpreter on each host, so it has one shell.",
        "{session: warm, shell: python, script: x}",
        "{session: warm_python, shell: python, script: x}",
    ),
    "subsystem-twice": CodePage(
        summary="Over SSH `configuration_name` and `subsystem` say the same thing, and both are given",
        explanation="Invoke-Command's -ConfigurationName names the subsystem when the transport is SSH.",
        wrong="targets:\n  web: {hosts: web, transport: ssh, configuration_name: powershell, subsystem: pwsh}",
        right="targets:\n  web: {hosts: web, transport: ssh, subsystem: pwsh}",
    ),
    "template-not-here": CodePage(
        summary="A template stands where the value is needed before any host is known",
        explanation=(
            "Who runs a step and when is decided before variables of hosts exist, so keys like `target`, `hosts`, "
            "`needs`, `waves` and `id`, names of declared things and words of an enumeration are written out."
        ),
        wrong="steps:\n  - target: '{{ site }}_web'\n    script: uptime",
        right="steps:\n  - target: north_web\n    script: uptime",
    ),
    "two-bodies": CodePage(
        summary="A step says in more than one way what it does",
        explanation="Every step has exactly one body. Two things to do are two steps.",
        wrong="steps:\n  - script: uptime\n    file: scripts/more.sh",
        right="steps:\n  - script: uptime\n  - file: scripts/more.sh",
    ),
    "two-whos": CodePage(
        summary="A step or a target says in more than one way who is meant",
        explanation="A step has one of `target`, `session` and `hosts`; a target has one way to say who.",
        wrong="steps:\n  - target: web\n    hosts: db\n    script: uptime",
        right="steps:\n  - hosts: web,db\n    script: uptime",
    ),
    "unknown-credential": CodePage(
        "a credential is named that the playbook does not declare", "Credentials stand under `credentials:`."
    ),
    "unknown-key": CodePage(
        summary="A key is not part of the language at this place",
        explanation=(
            "Everything but variables is closed, so that a misspelt key is not silently ignored. The hint names the near "
            "key, the right word for one of Ansible's or Invoke-Command's, or the place where the key belongs."
        ),
        wrong="steps:\n  - script: uptime\n    regsiter: load",
        right="steps:\n  - script: uptime\n    register: load",
    ),
    "unknown-failure-code": CodePage(
        "`retry.on` names a failure's code that nobody knows",
        "A failure that was misspelt would never be tried again, and nobody would see why. Words with a dash are codes,"
        " `failed`, `unreachable` and `timed_out` are statuses, and anything else is an expression on `result`.",
        "retry: {attempts: 3, on: [conection-refused]}",
        "retry: {attempts: 3, on: [connection-refused]}",
    ),
    "unknown-script": CodePage(
        "`script: {ref: NAME}` names a script that the playbook does not have",
        "Scripts with names stand under `scripts:`.",
        "script: {ref: recnt}",
        "script: {ref: recent}",
    ),
    "unknown-session": CodePage(
        "a step names a session that the playbook does not declare",
        "Sessions stand under `sessions:`, each on a target. To run without a kept interpreter, name the target.",
        "{session: web, script: x}",
        "{target: web, script: x}",
    ),
    "unknown-session-option": CodePage(
        "a session option is named that the playbook does not declare",
        "Named session options stand under `session_options:`; a mapping may also stand in place of the name.",
    ),
    "unknown-step": CodePage(
        "a step is named that the playbook does not have",
        "`needs`, `--only` and `--start-at` name steps by their id.",
        "needs: [colect]",
        "needs: [collect]",
    ),
    "unknown-target": CodePage(
        "a step or session names a target that the playbook does not declare",
        "Targets stand under `targets:`; `local` is always there. To name hosts in the step itself, write `hosts:`.",
        "{target: wbe, script: x}",
        "{target: web, script: x}",
    ),
    "vars-file": CodePage(
        "a file of variables is no mapping",
        "`vars_files` and `-e @file` take files of names with values.",
        "- a\n- b",
        "a: 1\nb: 2",
    ),
    "wait-for-shell": CodePage(
        "`wait_for` looks from a host whose step says `shell: python`",
        "What looks at a port, a path or a URL on a host is a short script, which exists for sh, bash and powershell.",
        "{target: web, shell: python, wait_for: {path: /run/app.pid}}",
        "{target: web, shell: sh, wait_for: {path: /run/app.pid}}",
    ),
    "wave-without-next": CodePage(
        "`pause` or `health` stands where no wave follows",
        "They are asked between two waves. A wave of `100%` holds all hosts that are left, so nothing comes after it.",
        "waves: [{size: 100%, pause: 5m}]",
        "waves: [{size: 10%, pause: 5m}, 100%]",
    ),
    "waves-in-waves": CodePage(
        "a step or block has waves inside of a block that has waves",
        "The inner wave could wait for hosts that the outer one does not let in yet, and both for ever. A host goes"
        " through the whole block in its wave.",
        "{waves: [1, 100%], block: [{script: x, waves: [1, 100%]}]}",
        "{waves: [1, 100%], block: [{script: x}]}",
    ),
    "wrong-name": CodePage(
        summary="A name has characters that names cannot have",
        explanation=(
            "Ids, registered names and inputs are used in expressions, so they are made of letters, digits and `_` and do "
            "not start with a digit."
        ),
        wrong="steps:\n  - id: restart-iis\n    script: iisreset",
        right="steps:\n  - id: restart_iis\n    script: iisreset",
    ),
    "wrong-type": CodePage(
        summary="A value is of another kind than the key takes",
        explanation="A list stands where a text is due, a text where a mapping is due, and the like.",
        wrong="steps:\n  - script: uptime\n    args: {a: 1}",
        right="steps:\n  - script: uptime\n    args: [1]",
    ),
    "wrong-value": CodePage(
        summary="A value is not one that the key takes",
        explanation="The message says what is due and, last, what was written.",
        wrong="steps:\n  - script: uptime\n    timeout: soon",
        right="steps:\n  - script: uptime\n    timeout: 90s",
    ),
}
