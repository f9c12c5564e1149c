"""report.html: one round as one page, for a county head and for an analyst; to look at, to print and to pass on.

One file that asks nobody for anything: styles and a small script stand inside, named by their hashes in a content security
policy that allows nothing else; the script only sifts what is there already. Every value is escaped by the template engine,
digit runs that could be numbers of persons are masked once more on the way, and persons are masked unless `unmask` says
otherwise. The same inputs give the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import Any

from markupsafe import Markup

from fupin_cli.report.book import write_private
from fupin_cli.report.digest import Digest
from fupin_cli.report.masking import mask_text
from fupin_cli.report.page_cases import MOST_CASES, Case, tell_cases
from fupin_cli.report.page_parts import Before, Number, PageFrames, five_numbers
from fupin_cli.report.page_places import MOST_VILLAGES, Place, places
from fupin_cli.report.page_sections import appendix, sections
from fupin_cli.report.wording import CLUE_NOTE, stage_words
from fupin_cli.vocabulary import is_note

_MOST_OPEN = 60  # places that are shown unfolded


def write_page(path: Path, digest: Digest, frames: PageFrames) -> None:
    """Write report.html, readable by its owner only."""
    write_private(path, render_page(digest, frames).encode())


def render_page(digest: Digest, frames: PageFrames) -> str:
    """The whole page as text; the same digest and frames give the same page, whatever the order of their rows."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415  only a page needs it

    environment = Environment(
        loader=PackageLoader("fupin_cli.report"),
        autoescape=True,
        finalize=None if frames.unmask else _masked,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = _asset("report.css"), _asset("report.js")
    roots = places(frames.findings, frames.households, frames.decided)
    cases = tell_cases(frames)
    shown, folded = sections(digest, frames), appendix(digest)
    return environment.get_template("report.html").render(
        digest=digest,
        frames=frames,
        clue=CLUE_NOTE,
        stages="、".join(stage_words(stage) for stage in digest.stages),
        style=Markup(style),  # noqa: S704  our own
        script=Markup(script),  # noqa: S704
        style_hash=_hash(style),
        script_hash=_hash(script),
        contents=_contents(roots, shown, cases),
        numbers=_numbers(digest, frames.before),
        changes=_changes(frames),
        roots=roots,
        longest=_longest(roots),
        open_depth=_open_depth(roots),
        places_note=_places_note(roots),
        sections=shown,
        appendix=folded,
        cases=cases,
        cases_note=_cases_note(len(cases), frames.findings.height),
        rules=sorted({(case.rule, f"{case.title}（{case.rule}）") for case in cases}),
        severities=list(dict.fromkeys((case.severity, case.severity_words) for case in cases)),
        towns=sorted({case.township for case in cases}),
        footer=_footer(unmask=frames.unmask),
    )


def _masked(value: object) -> object:
    return mask_text(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _asset(name: str) -> str:
    return (resources.files("fupin_cli.report") / "templates" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _contents(roots: Sequence[Place], shown: Sequence[Any], cases: Sequence[Case]) -> list[dict[str, str]]:
    parts = [("places", "各地情况")] if roots else []
    parts += [(section.anchor, section.title) for section in shown]
    parts += [("cases", "逐条疑点")] if cases else []
    return [{"anchor": anchor, "title": title} for anchor, title in (*parts, ("appendix", "附表"))]


def _numbers(digest: Digest, before: Before | None) -> list[Number]:
    known = before.numbers if before else {}
    return [
        Number(name, count, beneath, count - known[name] if name in known else None)
        for name, count, beneath in five_numbers(asdict(digest))
    ]


def _changes(frames: PageFrames) -> str:
    """How the clues moved since the round before, by their keys."""
    if frames.before is None:
        return ""
    clues = frames.findings.filter(~is_note())
    now, then = set(clues["finding_key"]), set(frames.before.keys)
    return (
        f"与上轮（{frames.before.as_of}）相比：新增疑点 {len(now - then):,} 条，延续 {len(now & then):,} 条，"
        f"消除 {len(then - now):,} 条。"
    )


def _longest(roots: Sequence[Place]) -> list[int]:
    """The most clues of a place at each depth: bars compare places of one kind."""
    levels: list[int] = []
    row = list(roots)
    while row:
        levels.append(max(1, *(one.counts["findings"] for one in row), 1))
        row = [below for one in row for below in one.below]
    return levels


def _open_depth(roots: Sequence[Place]) -> int:
    towns = sum(len(one.below) for one in roots)
    villages = sum(len(town.below) for one in roots for town in one.below)
    return 2 if len(roots) + towns + villages <= _MOST_OPEN else 1 if len(roots) + towns <= _MOST_OPEN else 0


def _places_note(roots: Sequence[Place]) -> str:
    deep = any(town.below for one in roots for town in one.below)
    note = "点开县、乡镇，看下一级。条形在同级之间比较长短。“另有提示”由县级自查，不算疑点，不计入涉及户。"
    return note if deep else f"{note}村超过 {MOST_VILLAGES:,} 个，本页只列到乡镇；各村见 workbooks 内各乡镇的核查表。"


def _cases_note(shown: int, found: int) -> str:
    how = "点开一条，看两边的登记内容、来源、匹配依据和规则推演。打印时只印展开的各条。"
    if shown == found:
        return f"全部 {found:,} 条。{how}"
    return (
        f"共 {found:,} 条，本页列 {shown:,} 条（至多 {MOST_CASES} 条，每条规则都有，重的在前，提示类在后）；"
        f"其余见 workbooks 内各县的疑点总表，或用 fupin explain 疑点编号。{how}"
    )


def _footer(*, unmask: bool) -> str:
    return (
        "本页含完整的个人信息，按规定保管、不得外传。"
        if unmask
        else "姓名只留首字，号码只留首尾；完整信息见 workbooks。供主管部门内部使用。"
    )
