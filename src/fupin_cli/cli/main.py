"""The commands, listed; each lives in a module of its own, loaded when it is called, so that --help answers at once."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from fupin_cli import __version__
from fupin_cli.cli.boundary import run_guarded
from fupin_cli.cli.groups import LazyGroup
from fupin_cli.language import LANGUAGES, VARIABLE, preferred, speak

COMPLETE = "_FUPIN_COMPLETE"  # set by the script of `fupin completion`
COMMANDS = {  # in the order in which an analyst meets them
    "init": "look at a folder, draft a project",
    "inspect": "show how a file would be read",
    "run": "reconcile a project",
    "link": "link the people of two files",
    "dedupe": "find duplicates inside one file",
    "rules": "the rules: list, show, check, test",
    "explain": "explain a person, household, finding or link",
    "cases": "cases: dispatch, answers, sign-off, memory",
    "visits": "must-visit lists and their coverage",
    "sample": "audits: draw, send, estimate",
    "verify": "check that a run and a ledger are what was written",
    "seal": "keep runs and ledgers as encrypted files",
    "purge": "delete what retention no longer allows",
    "completion": "completion for bash, zsh, fish",
    "cache": "what was read before: show, prune",
    "synth": "make invented people",
}


# polars' allocator gives memory back after half a second and asks for it again, cleared page by page: a tenth of the time.
# It reads this when polars is loaded.
os.environ.setdefault("_RJEM_MALLOC_CONF", f"dirty_decay_ms:1500,narenas:{os.cpu_count()}")
# numpy's library for matrices, of which there are none here, starts a thread per core that waits by spinning.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Modules are for good: looking for garbage among them while they are loaded, and ever after, costs a twentieth of the time.
gc.disable()


def _load(name: str) -> click.Command:
    module = importlib.import_module(f"fupin_cli.cli.{name}")
    gc.freeze()
    gc.enable()
    command: click.Command = module.command
    return command


def _speak(ctx: click.Context, _: click.Parameter, language: str | None) -> None:
    if language and not ctx.resilient_parsing:
        speak(language, asked=True)


@click.command(
    cls=LazyGroup,
    words=COMMANDS,
    load=_load,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="fupin")
@click.option(
    "--lang", type=click.Choice(LANGUAGES), expose_value=False, is_eager=True, callback=_speak,
    help="the language of messages and help [FUPIN_LANG, or the system's]",
)  # fmt: skip
@click.pass_context
def main(ctx: click.Context) -> None:
    """Reconcile household registers with what departments hold, judge by policy, and ask the villages.

    fupin compares a register (建档立卡) with what the departments hold about the same people, judges every household against
    dated, cited rules, and writes Excel lists for the villages that can check.

    \b
    The first time:
      fupin                      where you are, and what to type next
      fupin init FOLDER          look at the files, write fupin.toml
      fupin run FOLDER           reconcile; results in FOLDER/runs/
      fupin explain HOUSEHOLD    why a household got its result

    \b
    Examples:
      fupin run sample_data -o demo
      fupin explain CMP-PS1 --run demo
    """
    if ctx.invoked_subcommand is None:
        from fupin_cli.cli.here import whereabouts  # noqa: PLC0415 - what other commands do not need

        click.echo("\n".join(whereabouts(Path.cwd(), datetime.now(tz=UTC).astimezone().date())))


def entry() -> None:
    """Runs the command line and exits with its code.

    While a shell asks what a word could be completed to, nothing is said of what goes wrong: it would stand in the line that is
    being typed.
    """
    if COMPLETE in os.environ:
        with contextlib.suppress(Exception):
            main(prog_name="fupin")
        sys.exit(0)
    speak(preferred(), asked=bool(os.environ.get(VARIABLE)))
    sys.exit(run_guarded(lambda: main(standalone_mode=False)))
