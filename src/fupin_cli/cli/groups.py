"""Groups of commands that load a command's module only when it is called, and words that are offered for mistyped ones."""

from __future__ import annotations

import difflib
import inspect
import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from click.exceptions import NoSuchCommand

from fupin_cli.errors import UsageError
from fupin_cli.language import pick, tr

_AS_IT_STANDS = "\b\n"  # how click is told not to break a paragraph's lines anew
_NOTED = re.compile(r"(?P<typed> +(?:\S+ {2,})?fupin\b.*? {2,})(?P<note>\S.*)")  # an example and what is said beside it
_KINDS_OF_VALUE = {  # what click says of them stands in help and in its complaints
    "text": "文字", "integer": "整数", "integer range": "整数", "float": "数字", "float range": "数字", "date": "日期",
    "seconds": "秒数", "size": "大小",
}  # fmt: skip
_WIDTH = 88  # columns of a paragraph without blanks, which click cannot break
_PIECE = re.compile(r"[!-~]+[，。、；：）]?|.[，。、；：）]?")


class _Formatter(click.HelpFormatter):
    """Lists of options and commands whose second column stands straight also beside Chinese."""

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """As click does; a Chinese character takes two columns of a terminal."""
        rows = list(rows)
        if all(f"{term}{said}".isascii() for term, said in rows):
            super().write_dl(rows, col_max, col_spacing)
            return
        first = min(max(_columns(term) for term, _ in rows), col_max) + col_spacing
        indent = " " * self.current_indent
        for term, said in rows:
            gap = first - _columns(term)
            start = f"{term}{' ' * gap}" if gap >= col_spacing else f"{term}\n{indent}{' ' * first}"
            lines = _broken(said, max(self.width - first - 2, 10)).split("\n")
            self.write(f"{indent}{start}" + f"\n{indent}{' ' * first}".join(lines) + "\n")


class _Context(click.Context):
    formatter_class = _Formatter


class LazyGroup(click.Group):
    """A group that knows its commands by name and a line of words; `load` brings one when it is asked for."""

    context_class = _Context

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
        """The command, loaded, its help in the language spoken."""
        return in_words(self._load(cmd_name)) if cmd_name in self.words else None

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As click does, in the language spoken."""
        in_words(self)
        if (option := self.get_help_option(ctx)) and option.help:  # click made it before --lang was read
            option.help = tr(option.help)
        super().format_help(ctx, formatter)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does; a name that is none is told with the nearest that is."""
        if args[0] not in self.words and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise NoSuchCommand(args[0], possibilities=self.words, ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Name and words of each, without loading any."""
        with formatter.section(tr("Commands")):
            formatter.write_dl([(name, tr(words)) for name, words in self.words.items()])


def in_words(command: click.Command, say: Callable[[str], str] = tr) -> click.Command:
    """The command, and those in it, with help as `say` says it; what was said once is not said again."""
    command.context_class = _Context
    command.help = "\n\n".join(_said(inspect.cleandoc(command.help or ""), say)) or None
    for option in command.params:
        if isinstance(option, click.Option) and option.help:
            option.help = say(option.help)
        if option.type.name in _KINDS_OF_VALUE:
            option.type.name = pick((_KINDS_OF_VALUE[option.type.name], option.type.name))
    if isinstance(command, click.Group) and not isinstance(command, LazyGroup):
        for sub in command.commands.values():
            in_words(sub, say)
    return command


def _said(text: str, say: Callable[[str], str]) -> Iterator[str]:
    """Help by its paragraphs; of one whose lines stand as they are, only the heading and the notes are words."""
    for paragraph in text.split("\n\n"):
        if paragraph.startswith(_AS_IT_STANDS):
            yield _AS_IT_STANDS + "\n".join(_line(line, say) for line in paragraph.split("\n")[1:])
        elif paragraph:
            words = " ".join(paragraph.split())
            said = say(words)
            yield said if said.isascii() or said == words else _AS_IT_STANDS + _broken(said)


def _line(line: str, say: Callable[[str], str]) -> str:
    if line.endswith(":"):
        return say(line)
    noted = _NOTED.fullmatch(line)
    return noted["typed"] + say(noted["note"]) if noted else line


def _columns(text: str) -> int:
    return sum(1 + (unicodedata.east_asian_width(letter) in "WF") for letter in text)


def _broken(text: str, room: int = _WIDTH) -> str:
    """Chinese in lines of the terminal's width; a word of Latin letters stays whole, no line begins with a comma."""
    lines, width = [""], 0
    for piece in _PIECE.findall(text):
        wide = _columns(piece)
        if width + wide > room and piece != " ":
            lines.append("")
            width = 0
        lines[-1] += piece
        width += wide
    return "\n".join(line.strip() for line in lines)


class Choice(click.Choice[str]):
    """One of some words, or what it is `called` where people read it; a mistyped one is told with the nearest."""

    def __init__(self, choices: Iterable[str], called: Mapping[str, Iterable[str]] | None = None) -> None:
        super().__init__(list(choices))
        self._called = {word: choice for choice, words in (called or {}).items() for word in words}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The word itself."""
        return super().convert(self._called.get(value, value), param, ctx)

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """As click has it, and what was perhaps meant."""
        near = difflib.get_close_matches(str(value), [*map(str, self.choices), *self._called], 1)
        meant = tr(" Did you mean {name!r}?", name=near[0]) if near else ""
        return super().get_invalid_choice_message(value, ctx) + meant


class Workbook(click.Path):
    """Where a workbook goes."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path. Raises UsageError where the name promises another kind of file."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if path.suffix.lower() != ".xlsx":
            raise UsageError(
                tr("a workbook is an .xlsx file"),
                where=path.name,
                try_=tr("-o {stem}.xlsx; --json gives the figures to programs", stem=path.stem),
            )
        return path
