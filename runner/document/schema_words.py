"""Words from Ansible, Invoke-Command and everyday habit that people type as keys here, and the right word for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from runner.problems import suggestion

_STEP = {
    "action": "script",
    "approval": "gate",
    "after": "needs",
    "argumentlist": "args",
    "arguments": "args",
    "asjob": "background",
    "batchsize": "waves",
    "async": "background",
    "become": "run_as",
    "becomemethod": "run_as",
    "becomeuser": "run_as",
    "catch": "rescue",
    "cmd": "script",
    "computername": "hosts",
    "condition": "when",
    "continueonerror": "ignore_errors",
    "cwd": "working_directory",
    "chdir": "working_directory",
    "dependson": "needs",
    "env": "environment",
    "filepath": "file",
    "finally": "always",
    "forks": "throttle",
    "if": "when",
    "indisconnectedsession": "disconnected",
    "localaction": "delegate_to",
    "maxattempts": "retry",
    "maxfailpercentage": "max_fail",
    "order": "order_by",
    "parallel": "throttle",
    "requires": "needs",
    "retries": "retry",
    "run": "script",
    "runonly": "run_once",
    "scriptblock": "script",
    "serial": "waves",
    "throttlelimit": "throttle",
    "try": "block",
    "winreboot": "reboot",
    "with": "loop",
    "withdict": "loop",
    "withitems": "loop",
    "withlist": "loop",
    "pause": "gate",
    "raw": "script",
    "setfact": "set_vars",
    "uri": "http",
    "winshell": "script",
    **{f"ansible.builtin.{word}": word for word in ("assert", "command", "copy", "fail", "fetch", "reboot")},
    "ansible.builtin.pause": "gate",
    "ansible.builtin.script": "file",
    "ansible.builtin.setfact": "set_vars",
    "ansible.builtin.shell": "script",
    "ansible.builtin.uri": "http",
    "ansible.builtin.waitfor": "wait_for",
    "ansible.windows.winreboot": "reboot",
}
_CONNECTION = {
    "ansiblehost": "hosts",
    "ansibleport": "port",
    "ansibleuser": "user_name",
    "auth": "authentication",
    "identityfile": "key_file_path",
    "keyfile": "key_file_path",
    "loginuser": "user_name",
    "privatekey": "key_file_path",
    "proxyjump": "jump",
    "remoteuser": "user_name",
    "become": "run_as",
    "ssl": "use_ssl",
    "timeout": "connect_timeout",
    "user": "user_name",
    "username": "user_name",
    "throttlelimit": "throttle",
    "forks": "throttle",
}
_WHO = {
    "cn": "hosts",
    "computername": "hosts",
    "computernames": "hosts",
    "container": "container_id",
    "host": "hosts",
    "hostname": "hosts",
    "sshconnection": "ssh_connections",
    "uri": "connection_uri",
    "vm": "vm_name",
}
_FILES = {"source": "src", "destination": "dest", "path": "dest", "permissions": "mode", "text": "content"}

RENAMED: Mapping[str, Mapping[str, str]] = {
    "playbook": {
        "deadline": "deadlines",
        "environments": "targets",
        "forks": "throttle",
        "hosts": "targets",
        "host": "targets",
        "jobs": "steps",
        "locks": "lock",
        "maxfailpercentage": "max_fail",
        "parameters": "inputs",
        "params": "inputs",
        "plays": "steps",
        "pretasks": "steps",
        "pool": "pools",
        "stages": "steps",
        "tasks": "steps",
        "throttlelimit": "throttle",
        "timeouts": "deadlines",
        "varsprompt": "inputs",
        "variables": "vars",
    },
    "steps": {"tasks": "steps"},
    "step": _STEP,
    "target": {**_CONNECTION, **_WHO},
    "connection": _CONNECTION,
    "ssh_connections": {
        **_CONNECTION,
        "host": "host_name",
        "keyfilepath": "key_file_path",
        "address": "host_name",
    },
    "jump": {"host": "host_name", "address": "host_name", "user": "user_name", "username": "user_name"},
    "inventory": {"children": "groups", "all": "groups", "variables": "vars", "pool": "pools"},
    "group": {"children": "groups", "variables": "vars", "pools": "pool"},
    "host": {
        "ansiblehost": "address",
        "hostname": "address",
        "ip": "address",
        "variables": "vars",
        "pools": "pool",
    },
    "copy": _FILES,
    "fetch": {"source": "src", "destination": "dest", "failonmissing": "missing"},
    "retry": {
        "codes": "on",
        "count": "attempts",
        "factor": "backoff",
        "interval": "delay",
        "maxattempts": "attempts",
        "maxinterval": "max_delay",
        "multiplier": "backoff",
        "retries": "attempts",
        "status": "on",
        "times": "attempts",
        "wait": "delay",
    },
    "unreachable": {
        "after": "retry_after",
        "delay": "retry_after",
        "interval": "retry_after",
        "for": "give_up_after",
        "timeout": "give_up_after",
    },
    "waves": {
        "count": "size",
        "delay": "pause",
        "hosts": "size",
        "maxfailpercentage": "max_fail",
        "percent": "size",
        "wait": "pause",
    },
    "pool": {"limit": "throttle", "max": "throttle", "size": "throttle", "slots": "throttle"},
    "deadlines": {"connecttimeout": "connect", "timeout": "run", "total": "run"},
    "ensure": {"apply": "set", "check": "test", "get": "test"},
    "credential": {"user": "username", "userid": "username", "login": "username", "key": "private_key"},
    "session option": {"maximumconnectionredirectioncount": "maximum_redirection"},
    "assert": {"msg": "message", "failmsg": "message"},
    "gate": {"msg": "message", "prompt": "message", "until": "that", "when": "that"},
    "wait_for": {"sleep": "interval", "file": "path", "uri": "url", "statuscode": "status", "until": "that"},
    "reboot": {"reboottimeout": "timeout", "msg": "message", "testcommand": "test"},
    "http": {"uri": "url", "data": "body", "statuscode": "status"},
    "loop": {"items": "over", "parallel": "throttle", "loopvar": "item", "indexvar": "index"},
    "needs": {"id": "step", "name": "step"},
    "run_as": {"name": "user", "username": "user", "becomeuser": "user", "becomemethod": "method"},
    "include": {"path": "file", "src": "file", "steps": "file"},
}

_DOTS = 2
"""In the full name of a module: ``ansible.builtin.apt``."""
_MODULE = "modules of Ansible are not run here: write `script`, or `ensure` with `test` and `set`"
_LIST = "write `loop` with a list, or with an expression that gives one"
_ROOT = "write `run_as: {user: NAME, method: sudo}`"
_MODULES = (
    *(
        "add_host",
        "apt",
        "apt_key",
        "apt_repository",
        "async_status",
        "blockinfile",
        "cron",
        "dnf",
        "firewalld",
    ),
    *("get_url", "git", "group", "group_by", "include_vars", "iptables", "known_hosts", "lineinfile", "meta"),
    *(
        "mount",
        "package",
        "ping",
        "pip",
        "replace",
        "service",
        "service_facts",
        "setup",
        "stat",
        "synchronize",
    ),
    *("sysctl", "systemd", "systemd_service", "unarchive", "user", "win_feature", "win_file", "win_ping"),
    *("win_package", "win_regedit", "win_service", "win_template", "win_updates", "win_user", "yum"),
)

ADVICE: Mapping[str, Mapping[str, str]] = {
    "playbook": {
        "anyerrorsfatal": "write `max_fail: 0`, or `any_errors: stop` under `defaults`",
        "become": f"{_ROOT} under `defaults`, or in a step",
        "becomeuser": f"{_ROOT} under `defaults`, or in a step",
        "collections": "there are no modules to look up; leave the key out",
        "forcehandlers": "a step with `run_if: always` runs after a failure too",
        "gatherfacts": "facts are collected by a step with `collect`; leave the key out",
        "handlers": "write a step with `when: NAME.changed`, where NAME is what the other step registers",
        "importplaybook": "put the steps into a file and name it with `include: FILE` in a step",
        "moduledefaults": "write keys of all steps under `defaults`",
        "posttasks": "write them as the last of `steps`",
        "remoteuser": "write `connection: {user_name: NAME}` under `defaults`, or `user_name` in a target",
        "retries": "write `retry` under `defaults`, or in a step",
        "ignoreunreachable": "write `unreachable: ignore` under `defaults`, or in a step",
        "order": "write `order_by` under `defaults`, or in a step",
        "roles": "put the steps into a file and name it with `include: steps/NAME.yml`",
        "serial": "write `waves: [1, 10%, 100%]` on a step, or on a `block` that hosts go through as a whole",
        "strategy": "a host goes on when what a step needs is done there; `needs` with `wait: all` makes it wait",
    },
    "step": {
        **{module.replace("_", ""): _MODULE for module in _MODULES},
        "anyerrorsfatal": "write `any_errors: stop`",
        "becomeexe": _ROOT,
        "becomeflags": _ROOT,
        "sudo": _ROOT,
        "sudouser": _ROOT,
        "collections": "there are no modules to look up; leave the key out",
        "debugger": "leave the key out; `runner resume` goes on after a failure",
        "diff": "`--diff` of the command line shows differences; leave the key out",
        "firstavailablefile": _LIST,
        "gatherfacts": "facts are collected by a step with `collect`; leave the key out",
        "importplaybook": "write `include: FILE`",
        "moduledefaults": "write keys of all steps under `defaults`",
        "remoteuser": "write `connection: {user_name: NAME}`, or `user_name` in the target",
        "tasks": "write the steps below `block`",
        "winpowershell": "write `script`, with `shell: powershell` where the hosts do not speak it anyway",
        "withcartesian": _LIST,
        "withfileglob": "write `loop` with the names, or with what a step before it registered",
        "withflattened": _LIST,
        "withindexeditems": "write `loop: {over: LIST, index: NAME}`",
        "withlines": "register the output of a step and write `loop: NAME.output`",
        "withnested": _LIST,
        "withrandomchoice": 'write `loop: ["{{ LIST | random }}"]`',
        "withsequence": "write `loop: range(1, 11)`",
        "withsubelements": _LIST,
        "withtogether": _LIST,
        "checkmode": "write `read_only: true` for a step that runs under --check too",
        "delay": "write it in `retry`: `retry: {attempts: 3, delay: 5s}`",
        "delegatefacts": "results and `set_vars` belong to the host, wherever the body runs; leave the key out",
        "ignoreunreachable": "write `unreachable: ignore`",
        "loopcontrol": "write `loop: {over: LIST, item: NAME, index: NAME}`",
        "waitforconnection": "write `wait_for: {port: 22}`; `reboot` waits for the host by itself",
        "notify": "write a later step with `when: NAME.changed`, where NAME is what this step registers",
        "handlers": "write a step with `when: NAME.changed`, where NAME is what the other step registers",
        "listen": "write `when: NAME.changed`, where NAME is what the other step registers",
        "nolog": "take the value from `credentials`, `secrets` or an input with `secret: true`: those are masked",
        "poll": "write `background: true`, and a later step with `receive`",
        "sessionoption": "it stands in a target, or in the step under `connection`",
        "importtasks": "write `include: FILE`",
        "includetasks": "write `include: FILE`",
        "importrole": "write `include: FILE`",
        "includerole": "write `include: FILE`",
    },
    "retry": {"until": "it stands in the step itself, beside `retry`"},
    "loop": {"label": "results name their items by themselves; leave the key out"},
    "copy": {"remotesrc": "`src` is on this controller; copy within a host by a `script`"},
    "command": {
        "cmd": "write the program as `command` and its words as `args` of the step",
        "argv": "write the program as `command` and its words as `args` of the step",
        "chdir": "write `working_directory` in the step",
        "creates": "write `when`, or `ensure` with `test` and `set`",
    },
    "gate": {"seconds": "write `timeout: 30s`", "minutes": "write `timeout: 5m`"},
    "wait_for": {
        "delay": "what waits looks at once; put a pause into a step before it, or leave the key out",
        "host": "the port and the URL are those of each host of the step; delegate the step for another one",
        "searchregex": "write `that`, with an expression or a script",
        "state": "it waits until something is there; write `that` with a script for anything else",
    },
    "http": {"bodyformat": "write the value under `json`, or the text under `body`"},
    "target": {
        "connection": "its keys stand in the target itself: `transport`, `port`, `user_name` and so on",
        "password": "put the login into `credentials` and name it: `credential: NAME`",
        "ansiblepassword": "put the login into `credentials` and name it: `credential: NAME`",
    },
    "connection": {
        "address": "it stands beside `connection`, not in it",
        "host": "a host's `address` stands beside `connection`, not in it",
        "password": "put the login into the playbook's `credentials` and name it: `credential: NAME`",
    },
}


@dataclass(frozen=True, slots=True)
class Correction:
    """What was probably meant: the right key where there is one, and hints."""

    key: str | None
    hints: tuple[str, ...]


def correct(
    scope: str, word: str, known: Iterable[str], elsewhere: Mapping[str, Iterable[str]]
) -> Correction:
    """What to say of an unknown key.

    Args:
        scope: what the mapping is (:attr:`Place.scope`).
        word: the key as written.
        known: the keys that may stand there.
        elsewhere: keys that stand in other places, by how to say where: ``{"a target": [...]}``.

    """
    names = sorted(known)
    squashed = _squash(word)
    same = next((name for name in names if _squash(name) == squashed), None)
    renamed = RENAMED.get(scope, {}).get(squashed)
    if same or (renamed in names and renamed):
        key = same or renamed
        return Correction(key, (f"write `{key}`",))
    advice = ADVICE.get(scope, {}).get(squashed)
    if advice is None and scope == "step" and word.count(".") >= _DOTS:
        advice = ADVICE[scope].get(_squash(word.rpartition(".")[2]), _MODULE)
    if advice:
        return Correction(None, (advice,))
    for where, keys in elsewhere.items():
        if word in keys:
            return Correction(None, (f"`{word}` is a key of {where}",))
    hints = suggestion(word, names)
    near = hints[0].split("`")[1] if hints and hints[0].startswith("did you mean") else None
    return Correction(near, hints)


def _squash(word: str) -> str:
    """Without case, blanks and joints: ``KeyFilePath``, ``key-file-path`` and ``key_file_path`` are one word."""
    return word.lower().replace("_", "").replace("-", "").replace(" ", "")
