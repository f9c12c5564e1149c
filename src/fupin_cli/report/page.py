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
from dataclasses import asdict, replace
from importlib import resources
from pathlib import Path
from typing import Any

from markupsafe import Markup

from fupin_cli.language import clues, listed_on_paper, on_paper, pick_on_paper, report_language
from fupin_cli.report.book import write_private
from fupin_cli.report.digest import Digest, in_language_written, titled
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


@report_language()
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
    frames = replace(
        frames,
        findings=titled(frames.findings, digest),
        cleared=titled(frames.cleared, digest),
        ledger=[replace(one, rows=titled(one.rows, digest)) for one in frames.ledger],
    )
    digest = in_language_written(digest, frames.said)
    style, script = _asset("report.css"), _asset("report.js")
    roots = places(frames.findings, frames.households, frames.decided)
    cases = tell_cases(frames)
    shown, folded = sections(digest, frames), appendix(digest)
    return environment.get_template("report.html").render(
        digest=digest,
        frames=frames,
        clue=pick_on_paper(CLUE_NOTE),
        say=on_paper,
        language=pick_on_paper(("zh-CN", "en")),
        stages=listed_on_paper(stage_words(stage) for stage in digest.stages),
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
        cases_note=_cases_note(len(cases), digest.findings, digest.notes),
        rules=sorted({(case.rule, on_paper("{title} [{rule}]", title=case.title, rule=case.rule)) for case in cases}),
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
    parts = [("places", on_paper("Places"))] if roots else []
    parts += [(section.anchor, section.title) for section in shown]
    parts += [("cases", on_paper("Finding by finding"))] if cases else []
    return [{"anchor": anchor, "title": title} for anchor, title in (*parts, ("appendix", on_paper("Appendix")))]


def _numbers(digest: Digest, before: Before | None) -> list[Number]:
    told = five_numbers(asdict(digest))
    known = before.numbers if before else [None] * len(told)
    return [
        Number(name, count, beneath, None if then is None else count - then)
        for (name, count, beneath), then in zip(told, known, strict=True)
    ]


def _changes(frames: PageFrames) -> str:
    """How the clues moved since the round before, by their keys."""
    if frames.before is None:
        return ""
    clues = frames.findings.filter(~is_note())
    now, then = set(clues["finding_key"]), set(frames.before.keys)
    return on_paper(
        "Since the last round ({as_of}): new {count:,}, continuing {count_2:,}, gone {count_3:,}.",
        as_of=frames.before.as_of,
        count=len(now - then),
        count_2=len(now & then),
        count_3=len(then - now),
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
    note = on_paper(
        "Open a county or township to see the level below. Bars compare places of one level. "
        '"Notes" are for the county itself: they are no findings and touch no household.'
    )
    return (
        note
        if deep
        else on_paper(
            "{note} There are more than {MOST_VILLAGES:,} villages: this page stops at townships; "
            "villages stand in the checklists under workbooks.",
            note=note,
            MOST_VILLAGES=MOST_VILLAGES,
        )
    )


def _cases_note(shown: int, findings: int, notes: int) -> str:
    how = on_paper(
        "Open one to see what both sides say, where that stands, the basis of the link and the "
        "trace of the rule. Print shows what is open."
    )
    found = clues(findings, notes, on_paper)
    if shown == findings + notes:
        return on_paper("All: {found}. {how}", found=found, how=how)
    return on_paper(
        "{shown:,} shown of {found} (at most {MOST_CASES}: some of every rule, weighty ones first, "
        "notes last); the others stand in the counties' master lists under workbooks, or ask "
        "fupin explain. {how}",
        found=found,
        shown=shown,
        MOST_CASES=MOST_CASES,
        how=how,
    )


def _footer(*, unmask: bool) -> str:
    return (
        on_paper("This page holds personal data in full: store it as the rules demand, and do not pass it on.")
        if unmask
        else on_paper(
            "Names show their first character, numbers their ends; the workbooks have them in full. "
            "For the departments in charge only."
        )
    )
