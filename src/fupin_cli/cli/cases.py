"""fupin cases: what became of every finding. Each command's module is loaded when it is asked for: a list needs no rules."""

from __future__ import annotations

import importlib

import click

from fupin_cli.cli.groups import LazyGroup

COMMANDS = {  # name → module, function, what it does; in the order in which an office meets them
    "round": ("cases_moves", "round_", "book a run: what is new, goes on, was cleared"),
    "dispatch": ("cases_moves", "dispatch_", "send out what nobody was asked yet"),
    "import": ("cases_moves", "import_", "book the answers of returned workbooks"),
    "settle": ("cases_moves", "settle_", "decide between answers that contradict"),
    "reopen": ("cases_moves", "reopen_", "have a case asked again, and say why"),
    "sign": ("cases_moves", "sign_", "note a signature"),
    "file": ("cases_moves", "file_", "note a document beside a case"),
    "exempt": ("cases_moves", "exempt_", "set cases free of questions until a day"),
    "list": ("cases_list", "list_cases", "list cases"),
    "show": ("cases_list", "show_case", "one case and all that happened to it"),
    "stats": ("cases_shown", "stats", "statistics, ranking, precision"),
    "warn": ("cases_shown", "warn", "what cannot wait"),
    "trend": ("cases_shown", "show_trend", "the rounds in order"),
    "labels": ("cases_shown", "write_labels", "what answers say of links"),
    "verify": ("cases_shown", "verify", "is the ledger whole"),
}


def _load(name: str) -> click.Command:
    module, function, _ = COMMANDS[name]
    command: click.Command = getattr(importlib.import_module(f"fupin_cli.cli.{module}"), function)
    return command


@click.command("cases", cls=LazyGroup, words={name: words for name, (_, _, words) in COMMANDS.items()}, load=_load)
def command() -> None:
    """What became of every finding: sent out, answered, signed off, remembered.

    The ledger is a folder, best `cases` beside fupin.toml. It remembers every case by a keyed number: nobody is asked twice about
    the same evidence. Its key (ledger.key) never leaves the folder; without it no case is known again, so keep a copy apart.

    \b
    Examples:
      fupin run . -o runs/2019-11                            compare
      fupin cases round runs/2019-11                         what is new, what goes on, what the data cleared
      fupin cases dispatch --due 2019-12-10 --on 2019-12-01  a workbook for each township
      fupin cases import 报回/*.xlsx                          the answers; what is wrong with them goes back
    """
