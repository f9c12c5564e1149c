"""fupin completion: the script that lets a shell complete commands, options, rules, packs, places and cases."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from fupin_cli.cli.groups import Choice
from fupin_cli.errors import UsageError
from fupin_cli.language import tr

SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=Choice(SHELLS))
def command(shell: str) -> int:
    """Print the completion script of a shell.

    Commands and options are completed, and what they ask for: rules, packs, stages, and from a ledger its counties, townships,
    villages and case numbers. Nobody's name is ever offered.

    \b
    Install, then open a new shell:
      bash   fupin completion bash > ~/.local/share/bash-completion/completions/fupin
      zsh    fupin completion zsh > ~/.zfunc/_fupin     with fpath+=~/.zfunc before compinit in ~/.zshrc
      fish   fupin completion fish > ~/.config/fish/completions/fupin.fish

    \b
    Examples:
      fupin completion bash > ~/.local/share/bash-completion/completions/fupin
      source <(fupin completion bash)
    """
    from fupin_cli.cli.main import COMPLETE, main  # noqa: PLC0415 - main lists this command

    kind = get_completion_class(shell)
    if kind is None:
        raise UsageError(tr("this click does not know {shell}", shell=shell), try_=tr("another shell"))
    click.echo(kind(main, {}, "fupin", COMPLETE).source())
    return 0
