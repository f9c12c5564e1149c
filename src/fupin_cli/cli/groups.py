"""Groups of commands that load a command's module only when it is called, and words that are offered for mistyped ones."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import Any

import click
from click.exceptions import NoSuchCommand


class LazyGroup(click.Group):
    """A group that knows its commands by name and a line of words; `load` brings one when it is asked for."""

    def __init__(
        self, *args: Any, words: Mapping[str, str], load: Callable[[str], click.Command], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.words = words
        self._load = load

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which they are met."""
        return list(self.words)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, loaded."""
        return self._load(cmd_name) if cmd_name in self.words else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does; a name that is none is told with the nearest that is."""
        if args[0] not in self.words and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise NoSuchCommand(args[0], possibilities=self.words, ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Name and words of each, without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self.words.items()))


class Choice(click.Choice[str]):
    """One of some words; a mistyped one is told with the nearest."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """As click has it, and what was perhaps meant."""
        near = difflib.get_close_matches(str(value), [str(choice) for choice in self.choices], 1)
        return super().get_invalid_choice_message(value, ctx) + (f" Did you mean {near[0]!r}?" if near else "")
