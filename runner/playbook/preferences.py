"""PowerShell's words for what a step does at an error, a warning or an information record, and its strict mode."""

from __future__ import annotations

from runner.document.nodes import AnyNode, Scalar
from runner.playbook.model import Step
from runner.problems import Problems

_REFUSED = {
    "inquire": "it asks a person at each record, and a run has nobody to ask",
    "suspend": "it is for the workflows of Windows PowerShell alone",
    "break": "it opens a debugger that somebody types into, and a run has nobody to type",
}
_NEWEST_MAJOR = 7
"""The engine refuses a strict mode of a version it does not know; PowerShell 7 is the newest there is."""


def check_preferences(step: Step, problems: Problems) -> None:
    """Note words that no run can act on, and versions that no engine has."""
    for key in ("error_action", "warning_action", "information_action"):
        node = getattr(step, key)
        reason = _REFUSED.get(node.text.lower()) if isinstance(node, Scalar) else None
        if reason is not None:
            problems.error(
                "preference-refused",
                f"`{key}` cannot be `{node.text}`: {reason}",
                node.span,
                "use `Continue`, `SilentlyContinue`, `Ignore` or `Stop`",
            )
    _check_strict_mode(step.strict_mode, problems)


def _check_strict_mode(node: AnyNode | None, problems: Problems) -> None:
    if not isinstance(node, Scalar) or "{{" in node.text:
        return
    major = node.text.partition(".")[0]
    if major.isdigit() and not 1 <= int(major) <= _NEWEST_MAJOR:
        words = (
            f"`strict_mode` must be a version of PowerShell from 1.0 to {_NEWEST_MAJOR}, `latest` or `off`"
        )
        problems.error("wrong-value", f"{words}: `{node.text}`", node.span, "write `latest` or `3.0`")
