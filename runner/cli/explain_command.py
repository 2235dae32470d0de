"""``runner explain``: what an error code means, or where a variable or a setting of a host came from."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping

import click

from runner.cli.complain import complain
from runner.cli.completing import complete_codes
from runner.cli.options import extra_option, inventory_option, option, problem_output_option
from runner.cli.prepare import Given, Prepared, prepare
from runner.codes import CodePage, code_pages
from runner.errors import ExitCode, UsageError
from runner.inventory.connection import connection_settings
from runner.inventory.load import load_inventory
from runner.problems import Problems, suggestion
from runner.variables.filters import plain_json
from runner.variables.scope import Defined, VariableError

EXAMPLES = """\b
Examples:
  runner explain unknown-using                             what a code means
  runner explain log --host web01 --playbook patch.yml -i prod.yml
  runner explain user_name --host web01 -i prod.yml        a connection setting
  runner explain ssh --host web01 -i prod.yml              all of ssh's words for a host
  runner explain winrm --host win01 -i prod.yml            URL, login, checks and limits"""


@click.command(epilog=EXAMPLES)
@click.argument("name", shell_complete=complete_codes)
@option("--host", metavar="HOST", help="The host whose variable is meant.")
@option("--playbook", metavar="PATH", help="The playbook whose variables count too.")
@inventory_option
@extra_option
@problem_output_option
def command(
    name: str,
    host: str | None,
    playbook: str | None,
    inventory: tuple[str, ...],
    extra: tuple[str, ...],
    output: str,
) -> int:
    """Say where a variable or setting of a host came from, or what an error code means."""
    page = code_pages().get(name)
    if page is not None and host is None:
        click.echo(_page_text(name, page), nl=False)
        return ExitCode.SUCCESS
    if host is None:
        raise UsageError(
            "unknown-code",
            f"no error code is named `{name}`",
            hints=(*suggestion(name, code_pages(), limit=0), "for a variable, say which host: `--host NAME`"),
        )
    given = Given(inventory=inventory, extra=extra)
    if name in _OVERVIEWS and inventory:
        return _overview(name, host, given, output)
    return _explain_variable(name, host, playbook, given, output)


def _overview(transport: str, host: str, given: Given, output: str) -> int:
    rows = _OVERVIEWS[transport](host, given)
    if output == "json":
        document = {"host": host, transport: [{"word": w, "value": v, "source": s} for w, v, s in rows]}
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return ExitCode.SUCCESS
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for word, value, source in rows:
        click.echo(f"{word:<{widths[0]}}  {value:<{widths[1]}}  {source}")
    return ExitCode.SUCCESS


def _ssh_rows(host: str, given: Given) -> list[tuple[str, str, str]]:
    from runner.cli.explain_ssh import ssh_rows  # noqa: PLC0415 - only this question needs it

    return ssh_rows(host, given)


def _winrm_rows(host: str, given: Given) -> list[tuple[str, str, str]]:
    from runner.cli.explain_winrm import winrm_rows  # noqa: PLC0415 - only this question needs it

    return winrm_rows(host, given)


_OVERVIEWS: Mapping[str, Callable[[str, Given], list[tuple[str, str, str]]]] = {
    "ssh": _ssh_rows,
    "winrm": _winrm_rows,
}
"""All that a host will be reached with, by transport."""


def _page_text(name: str, page: CodePage) -> str:
    parts = [f"{name}: {page.summary}", page.explanation]
    if page.wrong:
        parts.append("Wrong:\n\n" + _indented(page.wrong))
    if page.right:
        parts.append("Right:\n\n" + _indented(page.right))
    return "\n\n".join(parts) + "\n"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.rstrip().splitlines())


def _explain_variable(name: str, host: str, playbook: str | None, given: Given, output: str) -> int:
    if playbook is None and not given.inventory:
        message = "a variable comes from a playbook or an inventory, and neither is given"
        raise UsageError("nothing-to-explain", message, hints=("give `--playbook` or `-i`",))
    found = list(_definitions(name, host, playbook, given))
    if not found:
        raise UsageError("unknown-variable", f"`{name}` is not defined for host `{host}`")
    if output == "json":
        document = {
            "name": name,
            "host": host,
            "definitions": [_document(shown, one) for shown, one in found],
        }
        click.echo(json.dumps(document, indent=2, default=plain_json, ensure_ascii=False))
        return ExitCode.SUCCESS
    click.echo(f"{name} on {host}")
    for number, (shown, one) in enumerate(found):
        place = f"  {one.span}" if one.span is not None else ""
        click.echo(f"  {'=' if number == 0 else '-'} {shown}")
        click.echo(f"      from {one.source}{place}" + ("" if number == 0 else "  (hidden)"))
    return ExitCode.SUCCESS


def _document(shown: str, one: Defined) -> dict[str, object]:
    span = one.span
    return {
        "value": shown,
        "source": one.source,
        "path": span.path if span else None,
        "line": span.line if span else None,
        "column": span.column if span else None,
    }


def _definitions(name: str, host: str, playbook: str | None, given: Given) -> Iterator[tuple[str, Defined]]:
    """Each definition with how its value is shown, the one that counts first."""
    prepared = prepare(playbook, given, validating=True) if playbook else _inventory_only(given)
    if prepared.problems.has_errors:
        complain(prepared.problems.sorted(), prepared.sources)
    inventory = prepared.inventory
    if inventory is not None and host not in inventory.hosts and host != "localhost":
        raise UsageError(
            "unknown-host", f"no host is named `{host}`", hints=suggestion(host, inventory.hosts)
        )
    declared = prepared.playbook.inputs.get(name) if prepared.playbook else None
    secret = declared is not None and declared.secret
    if prepared.plan is not None:
        scope = prepared.plan.scopes.of(host)
        for number, one in enumerate(scope.origins(name)):
            try:
                value = scope.lookup(name) if number == 0 else scope.render(one.value)
            except VariableError as error:
                value = f"error: {error.message}"
            yield ("********" if secret else json.dumps(value, default=plain_json, ensure_ascii=False)), one
    elif inventory is not None:
        variable = inventory.variables(host).get(name)
        if variable is not None:
            yield str(getattr(variable.value, "text", variable.value)), variable
    if inventory is not None:
        setting = connection_settings(inventory, host).get(name)
        if setting is not None:
            yield str(getattr(setting.value, "text", setting.value)), setting


def _inventory_only(given: Given) -> Prepared:
    problems = Problems()
    return Prepared(problems, inventory=load_inventory(list(given.inventory), problems))
