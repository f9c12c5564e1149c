"""What a word may be completed to: rules and packs from their files, places and cases from a ledger.

Quick, bounded and silent: nothing is judged or checked, a file that cannot be read offers nothing, and no person is named. A
case's number is a keyed hash.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from fupin_cli.layout import CASES, LEDGER_FILE
from fupin_cli.project import rules_folders

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]
LEVELS = ("county", "township", "village")
MOST = 50  # more than that nobody reads
_TABLE = re.compile(r"^\[\[?([a-z_.]+)\]\]?", re.MULTILINE)
_NAMED = re.compile(r'^(id|title) = "([^"\n]+)"', re.MULTILINE)


def rules(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """IDs of rules, with their titles."""
    return _offered(_told(ctx, "rule"), incomplete.upper())


def packs(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """IDs of rule packs, with their titles."""
    return _offered(_told(ctx, "pack"), incomplete)


def cases(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Numbers of cases in the ledger, with the rule that each is about."""
    query = "SELECT case_id, rule_id FROM cases WHERE first_round IS NOT NULL AND case_id >= ? ORDER BY case_id LIMIT ?"
    return _offered(_asked(ctx, query, (incomplete.upper(), MOST)), incomplete.upper())


def places(level: str) -> Completer:
    """Names of counties, townships or villages in the ledger."""

    def complete(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
        names = _asked(ctx, "SELECT DISTINCT county, township, village FROM cases")
        return _offered(((name[LEVELS.index(level)] or "", "") for name in names), incomplete)

    return complete


def _offered(pairs: Iterable[tuple[str, ...]], incomplete: str) -> list[CompletionItem]:
    found = sorted({pair for pair in pairs if pair[0] and pair[0].startswith(incomplete)})
    return [CompletionItem(word, help=words or None) for word, words, *_ in found[:MOST]]


def _told(ctx: click.Context, table: str) -> Iterator[tuple[str, str]]:
    """(id, title) of each [table] in the rule files; read as lines, for a whole reading takes longer than a keystroke may."""
    project = ctx.params.get("project")
    for folder in rules_folders(Path(project) / "rules" if project else None):
        for path in folder.glob("*/*.toml"):
            try:
                text = path.read_text(encoding="utf-8-sig")
            except (OSError, UnicodeDecodeError):
                continue
            _, *parts = _TABLE.split(text)  # name, body, name, body …
            for name, body in zip(parts[::2], parts[1::2], strict=True):
                if name == table:
                    named = dict(_NAMED.findall(body))
                    yield named.get("id", ""), named.get("title", "")


def _asked(ctx: click.Context, query: str, values: tuple[Any, ...] = ()) -> list[tuple[str, ...]]:
    path = Path(ctx.params.get("ledger") or CASES) / LEDGER_FILE
    if not path.is_file():
        return []
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=0.1)) as opened:
            return opened.execute(query, values).fetchall()
    except sqlite3.Error:
        return []
