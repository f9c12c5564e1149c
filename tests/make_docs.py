"""Writes the parts of the documents that the program prints: python tests/make_docs.py (make docs).

A block between `<!-- made: NAME -->` and `<!-- end -->` is replaced by what NAME prints now; tests/test_docs.py fails when a
committed document differs.
"""

import contextlib
import inspect
import io
import re
import tempfile
from pathlib import Path

import click
from rich.console import Console

from fupin_cli.cli.main import COMMANDS, main
from fupin_cli.cli.rule_packs import open_rules
from fupin_cli.pipeline import reconcile
from fupin_cli.project import load_project
from fupin_cli.report.terminal import summary
from fupin_cli.rules import Pack, bounds, derived, grouped, outcome
from fupin_cli.rules.pack import NATIONAL
from fupin_cli.vocabulary import COLUMNS
from hazards import table as hazards

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    "README.md",
    "README.zh-CN.md",
    "docs/commands.md",
    "docs/glossary.md",
    "docs/checks.md",
    "docs/rules.md",
    "docs/hazards.md",
    "docs/cases.md",
]
WIDTH = 100
_BLOCK = re.compile(r"<!-- made: (\S+) -->\n.*?<!-- end -->", re.DOTALL)


def help_of(*names: str) -> str:
    """What `fupin NAMES --help` prints."""
    command, context = main, click.Context(main, info_name="fupin", max_content_width=WIDTH, terminal_width=WIDTH)
    for name in names:
        command = command.get_command(context, name)
        context = click.Context(command, info_name=name, parent=context, max_content_width=WIDTH, terminal_width=WIDTH)
    return command.get_help(context)


def commands() -> str:
    """A line per command."""
    return "\n".join(["```", *(f"fupin {name:<9}{words}" for name, words in COMMANDS.items()), "```"])


def help_texts() -> str:
    """Every command's help, subcommands too."""
    parts = []
    for name in COMMANDS:
        parts.append(f"## fupin {name}\n\n```\n{help_of(name)}\n```")
        command = main.get_command(click.Context(main), name)
        if isinstance(command, click.Group):
            parts += [f"### fupin {name} {sub}\n\n```\n{help_of(name, sub)}\n```" for sub in command.commands]
    return "\n\n".join(parts)


def glossary() -> str:
    """Every column that crosses a door, in three languages: code, Chinese, English."""
    rows = [f"| `{c.name}` | {c.zh} | {c.en} | {c.sensitivity.value} |" for c in COLUMNS.values()]
    return "\n".join(["| column | 中文 | English | privacy |", "| --- | --- | --- | --- |", *rows])


def checks() -> str:
    """Every pack with its rules, numbers and gaps: weight, citation and provenance."""
    return "\n\n".join(_pack(pack) for pack in open_rules(None).packs)


def _pack(pack: Pack) -> str:
    asked = "，须项目点名 · opt in" if pack.opt_in else ""
    place = "全国" if pack.jurisdiction == NATIONAL else pack.jurisdiction
    parts = [f"## {pack.title} · {pack.title_en}\n\n`{pack.id}`，{place}，{pack.regime}{asked}"]
    rules = [
        f"| {rule.id} | {rule.official} | {rule.title} | {rule.title_en} | {rule.kind.value} | {rule.level.value} | {rule.severity.value} "
        f"| {rule.citation} | {rule.citation.provenance.value}{'' if rule.enabled else ', off'} |"
        for rule in pack.rules
    ]
    head = [
        "| rule | 官方编号 | 名称 | title | kind | level | severity | citation | provenance |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    parts += ["\n".join([*head, *rules])] if rules else []
    numbers = [
        f"- {number.zh} `{number.name}`：{value.value:g}，{value.start} 起；{value.citation} [{value.citation.provenance.value}]"
        for number in pack.parameters
        for value in number.values
    ]
    gaps = [f"- {gap.id} {gap.zh}：{gap.looked}" for gap in pack.gaps]
    parts += ["参数 parameters:\n\n" + "\n".join(numbers)] if numbers else []
    parts += ["未找到 not found:\n\n" + "\n".join(gaps)] if gaps else []
    return "\n\n".join(parts)


def truth() -> str:
    """The truth tables as they stand in the modules that the tests read."""
    texts = (inspect.getdoc(module) or "" for module in (outcome, derived, grouped, bounds))
    return "\n\n".join(f"```\n{text.split(chr(10), 2)[2].strip()}\n```" for text in texts)


def session() -> str:
    """What `fupin run sample_data -o demo` shows at its end."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
        digest = reconcile(load_project(ROOT / "sample_data"), Path(folder) / "demo")
    shown = io.StringIO()
    Console(file=shown, width=WIDTH).print(summary(digest, "demo"))
    text = "\n".join(line.rstrip() for line in shown.getvalue().splitlines())
    return f"```console\n$ fupin run sample_data -o demo\n{text}\n```"


def rewritten(text: str) -> str:
    """The document with every made block as the program prints it now."""
    makers = {
        "commands": commands, "help": help_texts, "glossary": glossary, "checks": checks, "hazards": hazards, "session": session,
        "truth": truth,
    }  # fmt: skip
    return _BLOCK.sub(lambda m: f"<!-- made: {m[1]} -->\n{makers[m[1]]()}\n<!-- end -->", text)


if __name__ == "__main__":
    for name in DOCUMENTS:
        path = ROOT / name
        path.write_text(rewritten(path.read_text(encoding="utf-8")), encoding="utf-8")
