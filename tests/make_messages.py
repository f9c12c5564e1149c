"""Collects every message of the program, and click's, into the Chinese catalogue, and makes it ready: make messages.

New messages come without a translation, which a test notices; translations of messages that are gone go with them.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

import click
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from fupin_cli.cli.groups import LazyGroup, in_words
from fupin_cli.cli.main import main as fupin

ROOT = Path(__file__).parents[1]
CATALOGUE = ROOT / "src" / "fupin_cli" / "locale" / "zh" / "LC_MESSAGES" / "fupin.po"
ALWAYS = datetime(2020, 1, 1, tzinfo=UTC)  # the same messages make the same bytes


def help_texts() -> list[str]:
    """What the help of all commands says, piece by piece."""
    said: list[str] = []

    def keep(text: str) -> str:
        said.append(text)
        return text

    waiting: list[click.Command] = [fupin]
    for command in waiting:
        in_words(command, keep)
        if isinstance(command, LazyGroup):
            said.extend(command.words.values())
            waiting += [command.get_command(click.Context(command), name) for name in command.words]
    return said


def collected() -> Catalog:
    """All messages, without translations."""
    catalogue = Catalog("zh", project="fupin", charset="utf-8", creation_date=ALWAYS, revision_date=ALWAYS)
    for folder, keywords in (
        (ROOT / "src" / "fupin_cli", {"tr": None, "on_paper": None, "later": None}),
        (Path(click.__file__).parent, None),
    ):
        how = {"keywords": keywords} if keywords else {}
        for _, _, message, _, _ in extract_from_dir(folder, method_map=[("**.py", "python")], **how):
            catalogue.add(message)
    page = extract_from_dir(
        ROOT / "src" / "fupin_cli" / "report", method_map=[("**.html", "jinja2")], keywords={"say": None}
    )
    for _, _, message, _, _ in page:
        catalogue.add(message)
    for text in help_texts():
        catalogue.add(text)
    return catalogue


def updated() -> Catalog:
    """The catalogue as it stands, brought up to the messages."""
    catalogue = collected()
    if CATALOGUE.exists():
        with CATALOGUE.open("rb") as stream:
            known = read_po(stream, locale="zh")
        for message in catalogue:
            if message.id and (old := known.get(message.id)):
                message.string = old.string
    return catalogue


def main() -> None:
    """Writes the catalogue twice: for people, and for gettext."""
    catalogue = updated()
    CATALOGUE.parent.mkdir(parents=True, exist_ok=True)
    with CATALOGUE.open("wb") as stream:
        write_po(stream, catalogue, no_location=True, sort_output=True, width=120)
    with CATALOGUE.with_suffix(".mo").open("wb") as stream:
        write_mo(stream, catalogue)
    lacking = [message.id for message in catalogue if message.id and not message.string]
    print(f"{len(catalogue)} messages, {len(lacking)} without a translation")
    for text in lacking:
        print(f"  {text!r}")
    sys.exit(bool(lacking))


if __name__ == "__main__":
    main()
