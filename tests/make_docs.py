"""Writes what the program prints into the documents: python tests/make_docs.py (make docs).

A block between `<!-- made: NAME -->` and `<!-- end -->` is replaced by what NAME prints now; tests/test_docs.py fails when a
committed document differs.
"""

import inspect
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import click

from fupin_cli.cli.main import COMMANDS, main
from fupin_cli.cli.rule_packs import open_rules
from fupin_cli.language import speak, tr
from fupin_cli.report.wording import severity_words
from fupin_cli.rules import Level, Lines, Pack, Rule, bounds, derived, grouped, outcome
from fupin_cli.rules.lines import BASES, SERIES
from fupin_cli.rules.outcome import Kind
from fupin_cli.rules.pack import NATIONAL, OnUnknown, Provenance
from fupin_cli.vocabulary import COLUMNS
from hazards import table as hazards
from replay import replayed

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    "README.md",
    "README.zh-CN.md",
    *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")),
]
MANUAL = "docs/fupin.1"
WIDTH, MANUAL_WIDTH = 100, 72  # columns; man indents by seven
_BLOCK = re.compile(r"<!-- made: (\S+) -->\n.*?<!-- end -->", re.DOTALL)


def at_the_top(**settings: int) -> click.Context:
    """Where `fupin` alone stands: what main says of help holds below, too, and click keeps the first answer for good."""
    return click.Context(
        main, info_name="fupin", help_option_names=main.context_settings["help_option_names"], **settings
    )


def help_of(*names: str, width: int = WIDTH) -> str:
    """What `fupin NAMES --help` prints."""
    command, context = main, at_the_top(max_content_width=width, terminal_width=width)
    for name in names:
        command = command.get_command(context, name)
        context = click.Context(command, info_name=name, parent=context, max_content_width=width, terminal_width=width)
    return command.get_help(context)


def commands() -> str:
    """A line per command."""
    return "\n".join(["```", *(f"fupin {name:<12}{tr(words)}" for name, words in COMMANDS.items()), "```"])


def commands_in_chinese() -> str:
    """The same for the Chinese page."""
    speak("zh")
    told = commands()
    speak("en")
    return told


def help_texts() -> str:
    """Every command's help, subcommands too."""
    parts = []
    for name in COMMANDS:
        parts.append(f"## fupin {name}\n\n```\n{help_of(name)}\n```")
        command = main.get_command(at_the_top(), name)
        if isinstance(command, click.Group):
            parts += [
                f"### fupin {name} {sub}\n\n```\n{help_of(name, sub)}\n```" for sub in command.list_commands(None)
            ]
    return "\n\n".join(parts)


def glossary() -> str:
    """Every column that crosses a door, in three languages: code, Chinese, English."""
    rows = [f"| `{c.name}` | {c.zh} | {c.en} | {c.sensitivity.value} |" for c in COLUMNS.values()]
    return "\n".join(["| column | 中文 | English | privacy |", "| --- | --- | --- | --- |", *rows])


def checks() -> str:
    """All packs in a table, every pack with its rules, numbers and gaps, and the lines: weight, dates, citation and provenance."""
    rules = open_rules(None)
    return "\n\n".join([_overview(rules.packs), *(_pack(pack) for pack in rules.packs), _lines(rules.lines)])


_KINDS = {Kind.CHECK: "检查 check", Kind.CRITERION: "标准 criterion", Kind.VERDICT: "结论 verdict"}
_LEVELS = {
    Level.PERSON: "人 person", Level.HOUSEHOLD: "户 household", Level.VILLAGE: "村 village", Level.COUNTY: "县 county",
    Level.EXTRACT: "名单 list",
}  # fmt: skip


def _overview(packs: Sequence[Pack]) -> str:
    rows = [
        f"| [{pack.title}](#{pack.id}) | {_place(pack)} | {pack.regime} | {_use(pack)} "
        f"| {len(pack.rules)} | {' | '.join(str(_count(pack, source)) for source in Provenance)} | {len(pack.gaps)} |"
        for pack in packs
    ]
    head = f"| 规则包 pack | 地区 place | 时期 regime | 启用 | 规则 rules | {' | '.join(Provenance)} | 缺口 gaps |"
    return "\n".join([head, "| --- " * (6 + len(Provenance)) + "|", *rows])


def _lines(lines: Lines) -> str:
    rows = [
        f"| {line.table} | {line.place} | {line.year} | {SERIES.get(line.series, line.series)} | {BASES.get(line.basis, line.basis)} "
        f"| {line.yuan:g} | {line.citation}{'。' + line.note if line.note else ''} | {line.citation.provenance}{'' if line.enabled else '，停用 off'} |"
        for line in sorted(lines.rows, key=lambda line: (line.table, line.series, line.basis, line.year, line.place))
    ]
    head = (
        "| 表 table | 地区 place | 年度 year | 系列 series | 口径 basis | 元 yuan | 出处 citation | 来源 provenance |"
    )
    return "\n".join(["## 标准线 · Lines\n\n`lines.toml`\n", head, "| --- " * 8 + "|", *rows])


def _use(pack: Pack) -> str:
    return "有数据即用 when given" if pack.when_given else "点名启用 opt in" if pack.opt_in else "默认 default"


def _count(pack: Pack, source: Provenance) -> int:
    return sum(rule.citation.provenance is source for rule in pack.rules)


def _place(pack: Pack) -> str:
    return "全国" if pack.jurisdiction == NATIONAL else pack.jurisdiction


def _pack(pack: Pack) -> str:
    asked = _asked(pack)
    name = (
        f'## {pack.title} · {pack.title_en}\n\n<a id="{pack.id}"></a>`{pack.id}`，{_place(pack)}，{pack.regime}{asked}'
    )
    shared = _shared(pack)
    parts = [name]
    if shared:
        parts.append(f"出处（下表未写文件名的）cited unless another is named：{shared}")
    if pack.rules:
        head = (
            "| 规则 rule | 名称 title | 类别 kind | 性质 severity | 适用期 in force | 出处 citation | 来源 provenance |"
        )
        parts.append("\n".join([head, "| --- " * 7 + "|", *(_rule(rule, shared) for rule in pack.rules)]))
    numbers = [
        f"- {number.zh} `{number.name}`：{value.value:g}，{_period(value.start, value.end)}；{value.citation} "
        f"[{value.citation.provenance}{'' if value.enabled else '，停用 off'}]"
        for number in pack.parameters
        for value in number.values
    ]
    gaps = [f"- {gap.id} {gap.zh}：{gap.looked}" for gap in pack.gaps]
    parts += ["参数 parameters:\n\n" + "\n".join(numbers)] if numbers else []
    parts += ["缺口 not found, or not judged:\n\n" + "\n".join(gaps)] if gaps else []
    return "\n\n".join(parts)


def _asked(pack: Pack) -> str:
    if pack.when_given:
        return f"，有 {' 或 '.join(pack.when_given)} 时自动启用 · by itself where these are"
    return "，须项目点名 · opt in" if pack.opt_in else ""


def _rule(rule: Rule, shared: str) -> str:
    official = f"<br>官方 {rule.official}" if rule.official else ""
    listed = "，无法判断的也列出 unknown listed" if rule.on_unknown is OnUnknown.REVIEW else ""
    cited = rule.citation.locator if _document(rule) == shared else str(rule.citation)
    off = "" if rule.enabled else "，停用 off"
    return (
        f"| {rule.id}{official} | {rule.title}<br>{rule.title_en} | {_KINDS[rule.kind]}<br>{_LEVELS[rule.level]} "
        f"| {severity_words(rule.severity)} {rule.severity}{listed} | {_period(rule.effective_from, rule.effective_to)} "
        f"| {cited} | {rule.citation.provenance}{off} |"
    )


def _shared(pack: Pack) -> str:
    """The document that most rules of a pack cite; empty where they cite many."""
    counted = Counter(_document(rule) for rule in pack.rules).most_common(1)
    return counted[0][0] if counted and counted[0][1] > len(pack.rules) / 2 else ""


def _document(rule: Rule) -> str:
    return str(replace(rule.citation, locator=""))


def _period(start: date | None, end: date | None) -> str:
    return f"{start or ''} 至 {end or '今'}"


def truth() -> str:
    """The truth tables as they stand in the modules that the tests read."""
    texts = (inspect.getdoc(module) or "" for module in (outcome, derived, grouped, bounds))
    return "\n\n".join(f"```\n{text.split(chr(10), 2)[2].strip()}\n```" for text in texts)


def manual() -> str:
    """The manual page: what every command's help says, in the markup of man."""
    lines = [
        '.\\" Printed by tests/make_docs.py from the commands themselves.',
        '.TH FUPIN 1 "" "fupin" "User Commands"',
        ".SH NAME",
        "fupin \\- compare a household register with departmental extracts",
        ".SH SYNOPSIS",
        *_manual_of("fupin"),
    ]
    for name in COMMANDS:
        command = main.get_command(at_the_top(), name)
        subs = (
            command.list_commands(click.Context(command, parent=at_the_top()))
            if isinstance(command, click.Group)
            else ()
        )
        for names in ((name,), *((name, sub) for sub in subs)):
            lines += [f".SH FUPIN {' '.join(names).upper()}", *_manual_of(f"fupin {' '.join(names)}", *names)]
    return "\n".join(lines) + "\n"


def _manual_of(title: str, *names: str) -> list[str]:
    """One command's help, line by line as it is printed."""
    kept = (line.replace("\\", "\\e").replace("-", "\\-") for line in help_of(*names, width=MANUAL_WIDTH).splitlines())
    return [f".B {title}", ".PP", ".nf", *(f"\\&{line}" if line[:1] in (".", "'") else line for line in kept), ".fi"]


def rewritten(text: str) -> str:
    """The document with every made block as the program prints it now."""
    makers = {
        "commands": commands, "commands-zh": commands_in_chinese, "help": help_texts, "glossary": glossary, "checks": checks, "hazards": hazards, "truth": truth,
    }  # fmt: skip
    return _BLOCK.sub(lambda m: f"<!-- made: {m[1]} -->\n{makers[m[1]]()}\n<!-- end -->", text)


def as_printed(name: str) -> str:
    """The document as the program makes it now: blocks that it prints, and what the commands in it answer."""
    return replayed(rewritten((ROOT / name).read_text(encoding="utf-8")))


if __name__ == "__main__":
    for name in DOCUMENTS:
        path = ROOT / name
        path.write_text(as_printed(name), encoding="utf-8")
    (ROOT / MANUAL).write_text(manual(), encoding="utf-8")
