"""Control keys that cannot go together, or not where they stand: told at their place before anything connects."""

from __future__ import annotations

from runner.document.nodes import Mapping, Scalar
from runner.playbook.bodies import RebootBody, SetVarsBody, WaitForBody
from runner.playbook.check import RESERVED
from runner.playbook.fitting import ONE_HOST, has, is_local, misfits
from runner.playbook.model import Block, Playbook, Step
from runner.playbook.read import flag_of
from runner.problems import Problems
from runner.using.model import Shell

_OR_HOSTS = ", or give the step a `target` or `hosts`"
_TOLD_LATER = ("waves", "lock")
"""What the plan refuses on a local step, where it knows all hosts that are this controller."""


def check_control(playbook: Playbook, problems: Problems) -> None:
    """Note every combination of control keys that no inventory can make right."""
    _check_limits(playbook, problems)
    for step in playbook.steps:
        _check_misfits(playbook, step, problems)
        _check_beside(step, problems)
        _check_names(step, problems)
        _check_reboot(playbook, step, problems)
        _check_shell(step, problems)
    units: list[Step | Block] = [*playbook.blocks.values(), *playbook.steps]
    for each in units:
        _check_waves(each, problems)


def _check_limits(playbook: Playbook, problems: Problems) -> None:
    """The whole run has one limit of time."""
    root = playbook.document.root
    deadlines = root.get("deadlines") if isinstance(root, Mapping) else None
    if (
        isinstance(root, Mapping)
        and isinstance(deadlines, Mapping)
        and "run" in deadlines
        and "timeout" in root
    ):
        problems.error(
            "excluded-key",
            "`deadlines.run` does not go with the playbook's `timeout`: both limit the whole run",
            deadlines.key("run").span,
            "keep one of them",
        )


def _check_misfits(playbook: Playbook, step: Step, problems: Problems) -> None:
    local = is_local(step, playbook.targets, playbook.sessions)
    told: set[str] = set()
    for key, reason in misfits(step, local=local):
        if key not in step.node or key in told or not has(step, key) or (local and key in _TOLD_LATER):
            continue
        if key == "health" and not step.waves:
            continue  # it is told that there are none
        told.add(key)
        problems.error(
            "control-misplaced",
            f"step `{step.id}` cannot have `{key}`: {reason}",
            step.node.key(key).span,
            f"take `{key}` out" + (_OR_HOSTS if reason is ONE_HOST else ""),
        )


def _check_beside(step: Step, problems: Problems) -> None:
    ignored = flag_of(step.ignore_errors)
    if step.any_errors and ignored:
        key = "any_errors" if "any_errors" in step.node else "ignore_errors"
        problems.error(
            "excluded-key",
            f"step `{step.id}` has both `any_errors: stop` and `ignore_errors`: a failure that counts as success"
            " stops nobody",
            step.node.key(key).span if key in step.node else step.span,
            "keep one of them",
        )


def _check_names(step: Step, problems: Problems) -> None:
    """Names that a loop or ``set_vars`` gives are the author's own."""
    named: list[tuple[str, Scalar]] = []
    if isinstance(step.body, SetVarsBody):
        node = step.node.get("set_vars")
        named += [(name, key) for name, (key, _) in node.entries.items()] if isinstance(node, Mapping) else []
    loop = step.node.get("loop")
    given = [loop.get(key) if isinstance(loop, Mapping) else None for key in ("item", "index")]
    named += [(each.text, each) for each in given if isinstance(each, Scalar)]
    for name, key in named:
        if name in RESERVED:
            problems.error(
                "reserved-name",
                f"`{name}` is a reserved name and cannot name a variable",
                key.span,
                "choose another name",
            )
    item, index = given
    if isinstance(item, Scalar) and isinstance(index, Scalar) and item.text == index.text:
        problems.error(
            "excluded-key",
            f"`loop.item` and `loop.index` have the same name `{item.text}`",
            index.span,
            "give one of them another name",
        )


def _check_reboot(playbook: Playbook, step: Step, problems: Problems) -> None:
    if not isinstance(step.body, RebootBody):
        return
    for session in step.sessions:
        declared = playbook.sessions.get(session.text)
        if declared is not None and (step.on_loss or declared.on_loss) == "fail":
            problems.error(
                "reboot-in-session",
                f"step `{step.id}` restarts hosts inside session `{session.text}`, which fails when it is lost",
                session.span,
                "say `on_loss: reopen` on the session or on this step; its variables are lost then",
                "or name the hosts with `target`",
            )


def _check_shell(step: Step, problems: Problems) -> None:
    """What waits on a host is a few lines of script, which exist in sh, bash and powershell."""
    body = step.body
    if (
        isinstance(body, WaitForBody)
        and body.origin == "host"
        and body.that is None
        and step.shell is Shell.PYTHON
    ):
        node = step.node.get("shell") or step.node.key("wait_for")
        problems.error(
            "wait-for-shell",
            f"step `{step.id}`: `wait_for` on a host is done in `sh`, `bash` or `powershell`, not in `python`",
            node.span,
            "say `shell: sh`, or look from here with `from: controller`",
        )


def _check_waves(each: Step | Block, problems: Problems) -> None:
    node, noun = each.node, "block" if isinstance(each, Block) else "step"
    if "health" in node and not each.waves:
        problems.error(
            "missing-companion",
            f"{noun} `{each.id}` has `health` and no `waves`: there is no next wave to wait for it",
            node.key("health").span,
            "add `waves: [1, 100%]`, or check in a step of its own",
        )
    if "waves" not in node or not each.waves:
        return
    last = each.waves[-1]
    alone = last.size is not None and last.size.percent and last.size.amount >= 100
    if alone and last.pause > 0:
        problems.error(
            "wave-without-next",
            f"`pause` after the last wave of {noun} `{each.id}` has no wave to hold back",
            last.span,
            "move it to an earlier wave",
        )
    if alone and len(each.waves) == 1 and "health" in node:
        problems.error(
            "wave-without-next",
            f"`health` of {noun} `{each.id}` is never asked: its one wave holds all hosts",
            node.key("health").span,
            "write several waves, as `waves: [1, 10%, 100%]`",
        )
