"""The master's first sheet, how to use the book; and its last ones: the extracts compared, control totals, rule packs.

Each table has a sheet of its own, for only so is its header printed on every page.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from fupin_cli.language import later, listed_on_paper, on_paper, pick_on_paper
from fupin_cli.report import book
from fupin_cli.report.book import (
    LINE_HEIGHT,
    Book,
    Styles,
    lines_needed,
    put,
    put_across,
    put_count,
    put_heading,
    put_legend,
    put_paragraph,
    set_widths,
)
from fupin_cli.report.digest import Digest
from fupin_cli.report.source_account import SourceAccount
from fupin_cli.report.wording import (
    CLUE_NOTE,
    basis_words,
    coverage_words,
    decision_words,
    department_words,
    kind_words,
    reasons_words,
    stage_words,
)


def write_cover(written: Book, county: str, digest: Digest, as_of: date) -> None:
    """The first sheet: what the book is for, which lines were used, what its colours mean."""
    sheet, styles = written.sheet(on_paper("About")), written.styles
    set_widths(sheet, _WIDTHS)
    put_across(
        sheet,
        0,
        0,
        _LAST,
        on_paper("{county}: findings of the comparison of the register, master list", county=county),
        styles.title,
    )
    stages = listed_on_paper(stage_words(stage) for stage in digest.stages)
    about = on_paper(
        "{project} · as of {as_of} · rounds: {stages} · program {program_version}",
        project=digest.project,
        as_of=as_of,
        stages=stages,
        program_version=digest.program_version,
    )
    put_across(sheet, 1, 0, _LAST, about, styles.subtitle)
    put_across(sheet, 2, 0, _LAST, pick_on_paper(CLUE_NOTE), styles.note)
    sheet.set_row(0, 34)
    put_heading(sheet, 4, _LAST, on_paper("What this book holds and how to use it"), styles)
    for row, line in enumerate(_HOW_TO, 5):
        put_paragraph(sheet, row, _LAST, on_paper(line), styles, width=sum(_WIDTHS))
    row = _write_lines(sheet, styles, 6 + len(_HOW_TO), digest)
    row = put_legend(sheet, row, _LAST, _colours(styles), styles)
    put_heading(sheet, row + 1, _LAST, on_paper("Origin and checksums"), styles)
    put_paragraph(sheet, row + 2, _LAST, on_paper(_PROVENANCE), styles, width=sum(_WIDTHS))
    book.put_footer(sheet, on_paper("{county}: about", county=county))


def write_sources(written: Book, county: str, digest: Digest) -> None:
    """The last sheets: what was compared, the control totals of the county's files, and the packs that were used or not."""
    _write_extracts(written, county, digest)
    _write_accounts(written, county, digest)
    _write_packs(written, county, digest)


def _write_extracts(written: Book, county: str, digest: Digest) -> None:
    rows = []
    for extract in digest.extracts:
        if extract.coverage and county not in extract.coverage:
            continue
        how = on_paper("; ").join(
            on_paper(
                "{basis_words} ({decision_words}): {persons}",
                basis_words=basis_words(link.basis),
                decision_words=decision_words(link.decision),
                persons=link.persons,
            )
            + (on_paper(", tied: {tied}", tied=link.tied) if link.tied else "")
            for link in extract.links
        )
        covered = coverage_words(extract.coverage)
        what = on_paper(
            "{department}: {kind}", department=department_words(extract.department), kind=kind_words(extract.kind)
        )
        about = (what, extract.extract, str(extract.as_of or ""))
        rows.append((*about, covered, stage_words(extract.stage), how or on_paper("nobody linked")))
    title = on_paper("Departments' data: as-of dates, coverage and links (persons linked in all counties covered)")
    _write_table(written, county, on_paper("Data compared"), title, _EXTRACTS, rows)


def _write_table(
    written: Book,
    county: str,
    name: str,
    title: str,
    columns: Sequence[tuple[str, float]],
    rows: Sequence[Sequence[str | None]],
) -> None:
    """A sheet with one table of texts, the last column set left."""
    sheet, styles = written.sheet(name), written.styles
    book.put_table_top(sheet, styles, on_paper("{county}: {title}", county=county, title=title), columns, "")
    at = 2
    for at, values in enumerate(rows, 3):
        lines = 1
        for column, (value, (_, width)) in enumerate(zip(values, columns, strict=True)):
            put(sheet, at, column, value or "", styles.cell if column == len(columns) - 1 else styles.cell_centre)
            lines = max(lines, lines_needed(value, width))
        sheet.set_row(at, LINE_HEIGHT * lines + 6)
    sheet.freeze_panes(3, 0)
    book.finish_table(sheet, at, len(columns) - 1, on_paper("{county}: {title}", county=county, title=name))


def _write_accounts(written: Book, county: str, digest: Digest) -> None:
    """The control totals of every file and sheet, their sum, and where the rows are that can be mended."""
    name = on_paper("Control totals")
    sheet, styles = written.sheet(name), written.styles
    accounts = [account for account in digest.accounts if _concerns(account, county)]
    title = on_paper(
        "Control totals: read = used + set aside (by file and sheet; hidden rows and columns are read all the same)"
    )
    widths = [width for _, width in _ACCOUNTS]
    end = len(widths) - 1
    book.put_table_top(sheet, styles, on_paper("{county}: {title}", county=county, title=title), _ACCOUNTS, "")
    for at, account in enumerate(accounts, 3):
        reasons = reasons_words(account.other_reasons)
        put(sheet, at, 0, account.source, styles.cell)
        put(sheet, at, 1, account.sheet, styles.cell_centre)
        for column, count in enumerate(_counts(account), 2):
            put_count(sheet, at, column, count, styles.number)
        put(sheet, at, end - 1, reasons, styles.cell)
        state, style = (
            (on_paper("agrees"), styles.cell_centre) if account.balanced else (on_paper("differs"), styles.bad)
        )
        put(sheet, at, end, state, style)
        lines = max(lines_needed(reasons, widths[-2] - 2), lines_needed(account.source, widths[0] - 2))
        sheet.set_row(at, LINE_HEIGHT * max(lines, lines_needed(account.sheet, widths[1] - 2)) + 6)
    row = 3 + len(accounts)
    put_across(sheet, row, 0, 1, on_paper("Total"), styles.total)
    for column, counts in enumerate(zip(*map(_counts, accounts), strict=True), 2):
        put_count(sheet, row, column, sum(counts), styles.number_total)
    put_across(sheet, row, end - 1, end, "", styles.total)
    sheet.set_row(row, LINE_HEIGHT + 6)
    if returned := sum(account.rows_returned for account in accounts):
        told = on_paper(_RETURNED, rows=f"{returned:,}")
        put_paragraph(sheet, row + 1, end, told, styles, width=sum(widths))
    sheet.freeze_panes(3, 0)
    book.finish_table(sheet, row - 1, end, on_paper("{county}: {title}", county=county, title=name))


def _counts(account: SourceAccount) -> tuple[int, ...]:
    aside = (account.rows_set_aside, account.rows_footer)
    return (account.rows_read, account.rows_used, *aside, account.rows_hidden, account.columns_hidden)


def _concerns(account: SourceAccount, county: str) -> bool:
    """Whether a file may be named in this county's book: it holds this county's rows, or no county is known for it."""
    return account.counties == () or county in account.counties


def _write_lines(sheet: Worksheet, styles: Styles, row: int, digest: Digest) -> int:
    """The row after the lines of the policy that households were held against."""
    if not digest.lines:
        return row
    put_heading(sheet, row, _LAST, on_paper("Lines that were used"), styles)
    for header, first, last in _LINES:
        put_across(sheet, row + 1, first, last, on_paper(header), styles.header)
    for at, line in enumerate(digest.lines, row + 2):
        year, yuan = on_paper("{year}", year=line.year), on_paper("{yuan:,.0f} yuan", yuan=line.yuan)
        for value, (_, first, last) in zip((line.name, year, yuan, line.citation), _LINES, strict=True):
            put_across(sheet, at, first, last, value, styles.cell if last == _LAST else styles.cell_centre)
        room = sum(_WIDTHS[_LINES[-1][1] :]) - 2
        sheet.set_row(
            at, LINE_HEIGHT * max(lines_needed(line.citation, room), lines_needed(line.name, _WIDTHS[0] - 2)) + 6
        )
    return row + 3 + len(digest.lines)


def _write_packs(written: Book, county: str, digest: Digest) -> None:
    """The packs of the place, used or not, and why."""
    rows = [
        (
            on_paper("{title} ({pack})", title=pack.title, pack=pack.pack),
            on_paper("rules: {rules}", rules=pack.rules) if pack.judged else on_paper("not used"),
            pack.why,
        )
        for pack in digest.packs
    ]
    title = on_paper("Rule packs: used or not, and why")
    if rows:
        _write_table(written, county, on_paper("Rule packs"), title, _PACKS, rows)


def _colours(styles: Styles) -> list[tuple[str, Format, str]]:
    """Every colour of the book that means something: its word, its look, its meaning."""
    return [
        (
            on_paper("▲review"),
            styles.review,
            on_paper(
                "Whether the department's record is of the same person is not settled: settle that first "
                '(All findings); the same colour where "of which under review" is above zero'
            ),
        ),
        (
            on_paper("not met · finding · differs · not run"),
            styles.bad,
            on_paper(
                "Standard not met, a finding, totals that differ, or a rule that did not run "
                "(Households, Rules, Control totals)"
            ),
        ),
        (
            on_paper("cannot tell · not applicable"),
            styles.unsure,
            on_paper(
                "Facts are missing, so nobody can tell; or the rule does not ask this household (Households, Rules)"
            ),
        ),
        (
            on_paper("alternating shades"),
            styles.cell_alt,
            on_paper(
                "Findings of one household share a shade, the next household has the other (All "
                "findings); it means nothing else"
            ),
        ),
        (
            on_paper("light to dark"),
            styles.group,
            on_paper('The column "Total" of the summary: the more findings, the darker'),
        ),
    ]


_WIDTHS = (32, 20, 10, 10, 10, 8, 8, 8, 34, 10)  # 150 in all, which A4 takes in letters of some 9 points
_LAST = len(_WIDTHS) - 1
_LINES = (  # header, first and last column of the sheet
    (later("Title"), 0, 0),
    (later("Year"), 1, 1),
    (later("Amount"), 2, 3),
    (later("Source of the rule"), 4, _LAST),
)
_EXTRACTS = (
    (later("Department and kind"), 26),
    (later("Extract"), 20),
    (later("Data as of"), 12),
    (later("Counties covered"), 16),
    (later("Comparison round"), 17),
    (later("Bases of links and persons"), 60),
)
_ACCOUNTS = (
    (later("File"), 32),
    (later("Sheet"), 20),
    (later("Rows read"), 10),
    (later("Rows used"), 10),
    (later("Rows set aside"), 10),
    (later("of which footers"), 8),
    (later("Hidden rows"), 8),
    (later("Hidden columns"), 8),
    (later("Other reasons for setting aside"), 34),
    (later("Balance"), 10),
)
_PACKS = ((later("Rule pack"), 52), (later("Rule"), 20), (later("Reason"), 78))
_RETURNED = later(
    "Of the rows set aside, {rows} lack the person, the household or a header and could not "
    "be used. They are listed by sender in the folder 退回更正 beside this county's, each with "
    "its file, sheet, row, reason and remedy: please pass them to the sender to be corrected."
)
_PROVENANCE = later(
    "The program made this book from the data and rules that it lists; it holds no external links. "
    "The checksums (SHA-256) of every input, rule file and of this book stand in "
    "manifest.json of the same run; each finding's file, sheet and row stand in the last "
    'columns of "All findings".'
)
_HOW_TO = (
    later(
        "1. This book is for the county. Each township has a checklist of its own (疑点核查表, in "
        'Chinese), a sheet for each village, to be printed. The column "Finding" is what fupin '
        "explain asks for."
    ),
    later(
        "2. A finding is a disagreement between the register and a department's data. Both "
        "sides, the as-of date and the basis of the link stand side by side; only checking on "
        "the spot decides."
    ),
    later(
        '3. Where "▲review" stands, it is not settled whether the department\'s record is of the '
        "same person: settle that first."
    ),
    later(
        '4. "Cannot tell" means that a fact is missing: not filled in, no data of the department, or '
        "data that do not cover the county. It is neither met nor not met."
    ),
    later(
        '5. A rule that did "not run" looked at nobody; why is said in "Rules". It does not mean '
        "that there is nothing to find."
    ),
    later(
        "6. Findings without a village stand on the township's sheet 未定村; those without a "
        "township (such as people on a department's list who are not on the register) stand in "
        "this book only, and the county finds their village first."
    ),
    later(
        "7. To collect answers and to close cases, send out the workbooks of fupin cases round "
        "and fupin cases dispatch; their case numbers are what counts."
    ),
)
