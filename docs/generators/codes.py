"""One page for each problem and error code, and the index of them."""

from __future__ import annotations

from importlib import import_module

from docs.generators.markdown import block, page, table
from runner.codes import AREAS, CodePage

_INTRODUCTION = """\
Every problem, failure and refusal has a code that does not change between versions. `runner explain CODE` prints the
same pages."""

_TITLES = {
    "document": "YAML and the shape of files",
    "playbook": "Playbooks",
    "inventory": "Inventories and patterns",
    "variables": "Variables, templates and inputs",
    "using": "`$Using:`",
    "plan": "Planning",
    "shell": "Values and interpreters",
    "transport": "Connecting",
    "psrp": "PowerShell's protocol",
    "carrier": "PowerShell in a process or over SSH",
    "objects": "Values to and from PowerShell",
    "wire": "HTTP and authentication",
    "wsman": "WinRM",
    "powershell": "PowerShell steps",
    "engine": "Running",
    "control": "Retries, conditions, gates and restarts",
    "journal": "The journal",
    "locks": "Locks",
    "runs": "Runs",
    "planfile": "Plan files",
    "present": "Showing results",
    "lab": "The lab",
    "cli": "The command line",
}


def pages() -> dict[str, str]:
    """``errors/index.md`` and ``errors/CODE.md``."""
    found: dict[str, str] = {}
    index = ["# Error codes", _INTRODUCTION]
    for area in AREAS:
        codes: dict[str, CodePage] = import_module(f"runner.codes.{area}").CODES
        index.append(f"## {_TITLES[area]}")
        index.append(
            table(
                ("code", "what it means"),
                ((f"[`{code}`]({code}.md)", one.summary) for code, one in sorted(codes.items())),
            )
        )
        found |= {f"errors/{code}.md": _page(code, one, area) for code, one in codes.items()}
    return {"errors/index.md": page(index), **found}


def _page(code: str, explained: CodePage, area: str) -> str:
    parts = [f"# {code}", f"{explained.summary[0].upper()}{explained.summary[1:]}.", explained.explanation]
    for title, example in (("Wrong", explained.wrong), ("Right", explained.right)):
        if example:
            language = "console" if example.startswith(("runner ", "$ ")) else ""
            parts.append(f"## {title}\n\n{block(example, language)}")
    parts.append(f"[All codes](index.md) · {_TITLES[area]}")
    return page(parts)
