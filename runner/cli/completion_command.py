"""``runner completion``: completion scripts for bash, zsh and fish."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from runner.errors import ExitCode

EXAMPLES = """\b
Examples:
  runner completion bash > ~/.local/share/bash-completion/completions/runner
  runner completion zsh  > ~/.zfunc/_runner
  runner completion fish > ~/.config/fish/completions/runner.fish"""


@click.command(epilog=EXAMPLES)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> int:
    """Print the completion script of a shell; it asks `runner` itself, so it is always right."""
    from runner.cli.main import runner  # noqa: PLC0415 - main imports the commands, not the other way round

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"no completion for {shell}")
    click.echo(kind(runner, {}, "runner", "_RUNNER_COMPLETE").source())
    return ExitCode.SUCCESS
