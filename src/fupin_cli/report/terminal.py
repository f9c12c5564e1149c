"""The end-of-run summary as rich renderables: counts and places only.

What it says is in the language of whoever reads it. What rules alone say (why one did not run, a title without an English one)
stands as they say it, in Chinese, and so do the register's own words.

Names of files and labels are shown as plain text, never as markup, and digit runs that could be a person's are masked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from fupin_cli.language import COMMA, listed, pick, tr
from fupin_cli.report.digest import Digest
from fupin_cli.report.masking import mask_text
from fupin_cli.report.source_account import SourceAccount
from fupin_cli.report.wording import (
    CLUE_NOTE,
    exit_status_words,
    id_status_words,
    place,
    problem_detail,
    problem_totals,
    problem_words,
    reason_words,
    reasons_words,
    severity_words,
    stage_words,
    standards_words,
)
from fupin_cli.rules.choosing import ASK_BY_NAME
from fupin_cli.vocabulary import BASES, Band, Decision, Severity

_WIDE = 80
_NAMED = (
    "unreadable",
    "near_column",
    "uncovered_township",
    "sheet_not_asked",
)  # problems that are told one by one: people may be lost, or what a rule asks for
_LONGEST = 40  # rows of one table; a province has thousands of sheets
_ON_A_SCREEN = 12  # kinds of findings
_NO_LOSS = {"header", "other_header", "repeated_header", "title", "footer", "blank"}  # rows in which nobody stands


def summary(digest: Digest, where: str | None = None, *, every: bool = False, then: Sequence[str] = ()) -> Group:
    """The end-of-run summary, one screen, in reading order; with `every` each file, pack and kind of finding.

    `where` is the folder to look at next, `then` the lines that say what to type next.
    """
    parts: list[RenderableType] = [heading(digest), accounts(digest, every=every)]
    if every:
        told = (links, packs, findings, stages, verdicts, on_the_line, without_line, not_run, problems)
        parts += [part for part in (tell(digest) for tell in told) if part is not None]
    else:
        parts += [linked(digest), packs_counted(digest), findings(digest, _ON_A_SCREEN)]
        parts += [
            part
            for part in (tell(digest) for tell in (stages, verdicts, on_the_line, without_line, problems))
            if part is not None
        ]
    parts.append(Text(pick(CLUE_NOTE), style="yellow"))
    if where is not None:
        parts.append(_whole(tr("look at: {where}", where=where), "bold"))
    return Group(*parts, *(_whole(line) for line in then))


def heading(digest: Digest) -> RenderableType:
    """Project, date, stages and the size of the register."""
    names = listed(stage_words(stage, pick) for stage in digest.stages)
    size = tr("households: {households:,}, persons: {persons:,}", households=digest.households, persons=digest.persons)
    without = pick(("；", "; ")).join(
        f"{id_status_words(tally.label, pick)} {tally.count:,}" for tally in digest.persons_without_id
    )
    lines = [_line(f"{digest.project}　{digest.as_of}　{names}", "bold"), _line(size)]
    if without:
        lines.append(_line(tr("no usable ID: {without}", without=without), "yellow"))
    return Group(*lines)


def accounts(digest: Digest, *, every: bool = True) -> RenderableType:
    """Rows read = used + set aside over all sheets, and the same for each; where there are many, what needs a look is first.

    Without `every`, sheets that balance and lost nothing but headings, totals and blank rows are counted in one line.
    """
    why = Counter[str]()
    for account in digest.accounts:
        why.update({reason_words(reason.label, pick): reason.count for reason in account.reasons})
    reasons = listed(f"{label} {count:,}" for label, count in sorted(why.items(), key=lambda item: (-item[1], item[0])))
    total = tr(
        "rows: read {rows_read:,} = used {rows_used:,} + set aside {rows_set_aside:,}",
        rows_read=digest.rows_read,
        rows_used=digest.rows_used,
        rows_set_aside=digest.rows_set_aside,
    ) + (tr(" ({reasons})", reasons=reasons) if reasons else "")
    lines = [_line(total)]
    lines += [
        _line(
            tr(
                "DOES NOT BALANCE: {source} {sheet} {extract}",
                source=a.source,
                sheet=a.sheet or "",
                extract=a.extract or "",
            ).rstrip(),
            "bold red",
        )
        for a in digest.unbalanced
    ]
    if digest.rows_returned:
        back = tr(
            "rows to be mended by whoever sent them: {rows_returned:,}  (workbooks/退回更正)",
            rows_returned=digest.rows_returned,
        )
        lines.append(_line(back, "yellow"))
    if every:
        return Group(*lines, _sheets(digest.accounts))
    odd = [account for account in digest.accounts if not _lost_nothing(account)]
    fine = tr("sheets that balance, and lost nothing: {count:,}", count=len(digest.accounts) - len(odd))
    lines.append(_line(tr("{fine}  (--files lists them)", fine=fine)))
    lines += [
        _line(
            f"  {a.source}　{a.sheet or ''}".rstrip("　")
            + f": {a.rows_read:,} = {a.rows_used:,} + {a.rows_set_aside:,}"
            + tr(" ({reasons})", reasons=reasons_words(a.reasons, pick))
        )
        for a in odd[:_ON_A_SCREEN]
    ]
    lines += (
        [_line(tr("  … {count:,} more sheets (--files)", count=len(odd) - _ON_A_SCREEN))]
        if len(odd) > _ON_A_SCREEN
        else []
    )
    return Group(*lines)


def _lost_nothing(account: SourceAccount) -> bool:
    return account.balanced and {reason.label for reason in account.reasons} <= _NO_LOSS


def _sheets(accounts: Sequence[SourceAccount]) -> Table:
    """A row per sheet; the reasons stand below its name, so that the numbers have room on a narrow terminal."""
    first = sorted(accounts, key=lambda account: (account.balanced, not account.rows_returned))
    rows = []
    for account in first if len(accounts) > _LONGEST else accounts:
        name = f"{account.source}　{account.sheet or ''}".strip("　")
        reasons = reasons_words(account.other_reasons, pick)
        counts = (account.rows_read, account.rows_used, account.rows_set_aside, account.rows_footer)
        hidden = f"{account.rows_hidden:,}/{account.columns_hidden:,}"
        state = pick(("相符", "yes") if account.balanced else ("不符", "NO"))
        rows.append((f"{name}\n  {reasons}" if reasons else name, *(f"{n:,}" for n in counts), hidden, state))
    numbers = (tr("read"), tr("used"), tr("aside"), tr("footer"), tr("hidden"))
    headers = (tr("file, sheet, why set aside"), *numbers, tr("balance"))
    return _table(tr("files and sheets"), headers, rows, set(range(1, 6)))


def linked(digest: Digest) -> RenderableType:
    """Persons linked over all extracts: accepted, of those by an equal ID number, under review, ties."""
    bases = _linked_by_basis(digest)
    accepted, review, tied = (sum(counts[at] for counts in bases.values()) for at in range(3))
    same = bases.get("exact_id", [0])[0]
    return _line(
        tr(
            "links (persons, extracts: {count}): accepted {accepted:,} (same ID {same:,}), review "
            "{review:,}, of those tied {tied:,}",
            count=len(digest.extracts),
            accepted=accepted,
            same=same,
            review=review,
            tied=tied,
        )
    )


def links(digest: Digest) -> RenderableType:
    """Persons linked, by basis, over all extracts: accepted, under review, and how many of those are ties."""
    bases = _linked_by_basis(digest)
    known = [basis for basis in BASES if basis in bases]
    rows = [(pick(BASES[basis]), *(f"{n:,}" for n in bases[basis])) for basis in known]
    headers = (tr("basis"), tr("accepted"), tr("review"), tr("of those tied"))
    return _table(tr("links (persons, extracts: {count})", count=len(digest.extracts)), headers, rows, {1, 2, 3})


def _linked_by_basis(digest: Digest) -> dict[str, list[int]]:
    """Basis → persons accepted, under review, and tied among those."""
    bases: dict[str, list[int]] = {}
    for extract in digest.extracts:
        for link in extract.links:
            sums = bases.setdefault(link.basis, [0, 0, 0])
            if link.decision != Decision.REJECTED:
                sums[link.decision == Decision.REVIEW] += link.persons
                sums[2] += link.tied
    return bases


def packs_counted(digest: Digest) -> RenderableType:
    """How many packs and rules judged the round, how many did not, and what could not run."""
    used = [pack for pack in digest.packs if pack.judged and pack.rules]
    left = sum(1 for pack in digest.packs if not pack.judged and pack.rules)
    idle = [rule.rule_id for rule in digest.not_run]
    idle += [tr("self-checks {count}", count=len(digest.self_checks_not_run))] if digest.self_checks_not_run else []
    lines = [
        _line(
            tr(
                "{rules} rules of {count} packs judged, packs not judged: {left}  (--files says why)",
                count=len(used),
                rules=sum(pack.rules for pack in used),
                left=left,
            )
        )
    ]
    lines += _listed(tr("not run for want of data: "), idle) if idle else []
    return Group(*lines)


def packs(digest: Digest) -> RenderableType | None:
    """Which rule packs of this place judged the round, which did not, and why; nothing where none was chosen among."""
    if not digest.packs:
        return None
    reasons: dict[tuple[bool, str], list[str]] = {}
    for pack in digest.packs:
        if pack.rules:
            named = (
                tr("{title} ({pack}, rules: {rules})", title=pack.title, pack=pack.pack, rules=pack.rules)
                if pack.judged
                else pack.pack
            )
            reasons.setdefault((pack.judged, pack.why), []).append(named)
    lines = []
    for judged, heading in ((True, tr("rule packs that judged")), (False, tr("rule packs that did not judge"))):
        told = [(why, named) for (used, why), named in reasons.items() if used == judged]
        lines += [_line(heading, "bold")] if told else []
        for why, packs_of in told:
            lines.append(_line(f"  {why}{pick(('：', ':'))}"))
            if why == ASK_BY_NAME:  # as it is pasted, line by line; quotes and commas as TOML has them
                quoted = [f'"{name}"' for name in packs_of]
                lines += [_line("[rules]"), *_filled(quoted, "", ", ", "packs = [", "]")]
            else:
                lines += _filled(packs_of, "    ", pick(COMMA))
    return Group(*lines)


def _filled(
    names: Sequence[str], indent: str, joint: str, before: str = "", after: str = "", style: str = ""
) -> list[Text]:
    """The names on lines of at most 80 cells, broken between names only."""
    full, now = list[str](), before
    for n, name in enumerate(names):
        piece = name + (joint if n < len(names) - 1 else after)
        if now not in ("", before) and cell_len(indent + now + piece.rstrip()) > _WIDE:
            full.append(now)
            now = ""
        now += piece
    return [_whole((indent + line).rstrip(), style) for line in (*full, now)]


def findings(digest: Digest, most: int | None = None) -> RenderableType:
    """Clues by kind, accepted and under review, those beyond the `most` frequent kinds in one line; then the notes."""
    titles = _titles(digest)
    kinds: dict[str, tuple[str, str, list[int]]] = {}
    notes: dict[str, tuple[str, str, list[int]]] = {}
    for tally in digest.findings_by_rule:
        title = titles.get(tally.rule_id) or tally.title or tally.rule_id
        named = (title, severity_words(tally.severity, pick), [0, 0])
        (notes if tally.severity == Severity.INFO else kinds).setdefault(tally.rule_id, named)[2][
            tally.band == Band.REVIEW
        ] += tally.count
    order = sorted(kinds.items(), key=lambda item: (-sum(item[1][2]), item[0]))
    shown = order[: most if most is not None and len(order) > most + 1 else None]
    rows = [(rule, title, severity, f"{bands[0]:,}", f"{bands[1]:,}") for rule, (title, severity, bands) in shown]
    if rest := order[len(shown) :]:
        sums = [sum(bands[at] for _, (_, _, bands) in rest) for at in (0, 1)]
        rows.append(("……", tr("{count} more kinds (--files)", count=len(rest)), "", f"{sums[0]:,}", f"{sums[1]:,}"))
    clues = [sum(bands[at] for _, _, bands in kinds.values()) for at in (0, 1)]
    rows.append((tr("findings, total"), "", "", f"{clues[0]:,}", f"{clues[1]:,}"))
    if notes:
        rows += [
            (rule, title, severity, f"{bands[0]:,}", f"{bands[1]:,}")
            for rule, (title, severity, bands) in sorted(notes.items())
        ]
    headers = (tr("rule"), tr("kind"), tr("severity"), tr("accepted"), tr("review"))
    return _table(tr("findings (clues, not conclusions)"), headers, rows, {3, 4}, whole={0})


def stages(digest: Digest) -> RenderableType | None:
    """What the province found beyond the county and what it cleared; nothing where there was no province stage."""
    if "province" not in digest.stages:
        return None
    missed, cleared = (
        sum(t.count for t in tallies) for tallies in (digest.missed_by_county, digest.cleared_by_province)
    )
    return _line(
        tr("found by the province only: {missed:,}, cleared by it: {cleared:,}", missed=missed, cleared=cleared)
    )


def verdicts(digest: Digest) -> RenderableType | None:
    """Household verdicts per county, those not met also by exit status; nothing where no verdict was asked for."""
    if not digest.verdicts:
        return None
    statuses = digest.exit_statuses
    rows = []
    for verdict in digest.verdicts:
        split = {tally.label: tally.count for tally in verdict.not_met_by_status}
        counts = (verdict.met, verdict.not_met, *(split.get(status, 0) for status in statuses))
        told = (f"{n:,}" for n in (*counts, verdict.unknown, verdict.not_applicable))
        rows.append((place(verdict.county, "county", pick), *told))
    of_those = (tr("of those {status}", status=exit_status_words(status, pick)) for status in statuses)
    headers = (tr("county"), tr("met"), tr("not met"), *of_those, tr("unknown"), tr("n/a"))
    table = _table(tr("verdicts on exit standards (households)"), headers, rows, set(range(1, len(headers))))
    titles = _titles(digest)
    used = ((use.rule_id, titles.get(use.rule_id, use.title), use.households) for use in digest.standards)
    return Group(table, _line(tr("by {standards}", standards=standards_words(used, pick))))


def on_the_line(digest: Digest) -> RenderableType | None:
    """Households whose outcome hangs on which series of income lines the project chose; nothing where there are none."""
    told = [f"{rule.rule_id} {rule.line_dependent:,}" for rule in digest.rules if rule.line_dependent]
    if not told:
        return None
    return Group(*_listed(tr("households whose outcome hangs on the series of lines chosen: "), told))


def without_line(digest: Digest) -> RenderableType | None:
    """Households that were held against no line, because none of their year is enabled; nothing where there are none."""
    told = [
        tr("{rule_id} {year}: {count:,}", rule_id=rule.rule_id, year=year, count=count)
        for rule in digest.rules
        if not rule.brief
        for year, count in rule.years_without_line
    ]
    if not told:
        return None
    years = "、".join(dict.fromkeys(str(y) for r in digest.rules if not r.brief for y, _ in r.years_without_line))
    return Group(
        *_listed(tr("households not judged by income, no line of their year is enabled in lines.toml: "), told),
        _line(
            tr(
                "  try: once you hold the document, a [[line]] with year = {years} in rules/lines.toml beside fupin.toml "
                "(docs/rules.md, Income lines); or line_series under [project] of fupin.toml, if your place uses another series",
                years=years,
            )
        ),
    )


def not_run(digest: Digest) -> RenderableType | None:
    """Rules that looked at nobody, and why; nothing where all ran."""
    titles = _titles(digest)
    rows = [(rule.rule_id, titles[rule.rule_id], rule.not_run) for rule in digest.not_run]
    if few := digest.self_checks_not_run:
        rows.append(
            ("REG-…", tr("self-checks: {count}", count=len(few)), tr("the register has no columns that these read"))
        )
    if not rows:
        return None
    return _table(tr("rules that did not run"), (tr("rule"), tr("title"), tr("why")), rows, whole={0})


def problems(digest: Digest) -> RenderableType | None:
    """What is odd about the sources; nothing where nothing is."""
    if not digest.problems:
        return None
    lines = [
        _line(
            tr(
                "problems of files: {names}  (see report.html)",
                names=pick(("、", "; ")).join(problem_totals(digest.problems, pick)),
            ),
            "yellow",
        )
    ]
    lines += [
        _line(
            f"  {problem_words(p.kind, pick)}: {p.source} {p.sheet or ''} {problem_detail(p.kind, p.detail, pick)}",
            "bold red",
        )
        for p in digest.problems
        if p.kind in _NAMED
    ][:_LONGEST]
    return Group(*lines)


def _titles(digest: Digest) -> dict[str, str]:
    """Rule → its title in the language spoken; the Chinese one where it has no other."""
    return {rule.rule_id: pick((rule.title, rule.title_en or rule.title)) for rule in digest.rules}


def _line(text: str, style: str = "") -> Text:
    return Text(mask_text(text), style=style)


def _whole(text: str, style: str = "") -> Text:
    """A line that is copied: it is never broken, least of all inside a path or a code."""
    return Text(mask_text(text), style=style, no_wrap=True, overflow="ignore")


def _listed(heading: str, names: Sequence[str]) -> list[Text]:
    """The names after their heading, on as many lines as they need, broken between names only."""
    return _filled(names, "", pick(COMMA), heading, style="yellow")


def _table(
    title: str,
    headers: Sequence[str],
    rows: Iterable[Sequence[str | None]],
    numbers: frozenset[int] | set[int] = frozenset(),
    whole: frozenset[int] | set[int] = frozenset(),
) -> Table:
    """A table; columns of `numbers` stand at the right, those that are `whole` are never broken."""
    table = Table(title=Text(title, style="bold"), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for at, header in enumerate(headers):
        table.add_column(
            Text(header), justify="right" if at in numbers else "left", overflow="fold", no_wrap=at in whole
        )
    told = list(rows)
    for row in told[:_LONGEST]:
        table.add_row(*(_line(cell or "") for cell in row))
    if len(told) > _LONGEST:
        table.add_row(
            _line(tr("… {count} more rows, see report.html and digest.json", count=len(told) - _LONGEST), "dim")
        )
    return table
