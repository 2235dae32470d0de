"""Codes of the command line itself."""

from __future__ import annotations

from runner.codes.page import CodePage

CODES: dict[str, CodePage] = {
    "cannot-write": CodePage(
        "a file cannot be written",
        "The folder may be missing, full or not yours; the message has the reason.",
    ),
    "extra-form": CodePage(
        "an `-e` value has none of the forms it can have",
        "`-e name=value` is text; `-e '{name: value}'` and `-e @file.yml` keep types.",
        "runner run deploy.yml -e 2.1",
        "runner run deploy.yml -e version=2.1",
    ),
    "internal": CodePage(
        "a bug of runner",
        "The process ends with exit code 70 and names a report file. The report holds the program's own call stack, no"
        " values of variables.",
    ),
    "command-line": CodePage(
        "The words of the command line cannot be understood",
        "A command or an option that does not exist, a value that does not fit, or an argument that is missing. For "
        "people this is told with the usage of the command; `-o json` tells it as a problem without a place.",
    ),
    "inventory-missing": CodePage(
        "a command needs an inventory and none is given",
        "`-i` names it; `inventory = [...]` in runner.toml names it for every command.",
        "runner inventory list",
        "runner inventory list -i inventories/prod.yml",
    ),
    "no-terminal": CodePage(
        "a question cannot be asked, because there is no terminal",
        "`--ask-password` and `prompt` ask a person. In pipelines take the secret from `env`, `file` or `command`.",
    ),
    "nothing-to-explain": CodePage(
        "`runner explain` is asked about a variable without being told where to look",
        "A variable comes from a playbook or an inventory.",
        "runner explain log --host web01",
        "runner explain log --host web01 -i inventories/prod.yml",
    ),
    "settings-file": CodePage(
        "runner.toml (or `[tool.runner]` of pyproject.toml) cannot be read",
        "Settings are defaults for the options of every command, under the options' long names.",
        "inventory = inventories/prod.yml",
        'inventory = ["inventories/prod.yml"]',
    ),
    "unknown-setting": CodePage(
        "A settings file names an option that there is not",
        "Settings in `runner.toml`, or below `[tool.runner]` in pyproject.toml, have the long names of options, with "
        "`_` or `-` between words.",
        'inventroy = ["hosts.yml"]\n',
        'inventory = ["hosts.yml"]\n',
    ),
    "unknown-code": CodePage(
        "`runner explain` is asked about a code that does not exist",
        "With `--host`, the name is taken for a variable or a connection setting of that host.",
    ),
    "unknown-schema": CodePage(
        "`runner schema` is asked for a schema that does not exist",
        "Without a name it lists those there are.",
    ),
}
