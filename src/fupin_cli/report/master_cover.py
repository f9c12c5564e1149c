"""The master's first sheet: how to use the book, which extracts were compared, control totals, lines of the policy."""

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
    kind_words,
    reasons_words,
    stage_words,
)


def write_cover(written: Book, county: str, digest: Digest, as_of: date) -> None:
    """The first sheet: what the book is for, what was compared, and the control totals of the county's files."""
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
    row = _write_extracts(sheet, styles, 6 + len(_HOW_TO), county, digest)
    row = _write_accounts(sheet, styles, row + 1, county, digest)
    row = _write_lines(sheet, styles, row + 1, digest)
    row = _write_packs(sheet, styles, row, digest)
    row = put_legend(sheet, row, _LAST, _colours(styles), styles)
    put_heading(sheet, row + 1, _LAST, on_paper("Origin and checksums"), styles)
    put_paragraph(sheet, row + 2, _LAST, on_paper(_PROVENANCE), styles, width=sum(_WIDTHS))
    book.put_footer(sheet, on_paper("{county}: about", county=county))


def _write_extracts(sheet: Worksheet, styles: Styles, row: int, county: str, digest: Digest) -> int:
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
        about = (f"{extract.department or ''}　{kind_words(extract.kind)}", extract.extract, str(extract.as_of or ""))
        rows.append((*about, covered, stage_words(extract.stage), how or on_paper("nobody linked")))
    title = on_paper("Departments' data: as-of dates, coverage and links (persons linked in all counties covered)")
    return _write_table(sheet, styles, row, title, _EXTRACTS, rows)


def _write_table(
    sheet: Worksheet,
    styles: Styles,
    row: int,
    title: str,
    columns: Sequence[tuple[str, int, int]],
    rows: Sequence[Sequence[str | None]],
) -> int:
    """The row after a heading and a table; each of its columns spans some of the sheet's, and the last is set left."""
    put_heading(sheet, row, _LAST, title, styles)
    for header, first, last in columns:
        put_across(sheet, row + 1, first, last, on_paper(header), styles.header)
    for at, values in enumerate(rows, row + 2):
        lines = 1
        for value, (header, first, last) in zip(values, columns, strict=True):
            style = styles.cell if header == columns[-1][0] else styles.cell_centre
            put_across(sheet, at, first, last, value or "", style)
            lines = max(lines, lines_needed(value, sum(_WIDTHS[first : last + 1]) - 2))
        sheet.set_row(at, LINE_HEIGHT * lines + 6)
    return row + 2 + len(rows)


def _write_accounts(sheet: Worksheet, styles: Styles, row: int, county: str, digest: Digest) -> int:
    """The row after the control totals of every file and sheet, their sum, and where the rows are that can be mended."""
    accounts = [account for account in digest.accounts if _concerns(account, county)]
    title = on_paper(
        "Control totals: read = used + set aside (by file and sheet; hidden rows and columns are read all the same)"
    )
    put_heading(sheet, row, _LAST, title, styles)
    for column, header in enumerate(_ACCOUNTS):
        put(sheet, row + 1, column, on_paper(header), styles.header)
    sheet.set_row(row + 1, LINE_HEIGHT + 8)
    for at, account in enumerate(accounts, row + 2):
        reasons = reasons_words(account.other_reasons)
        put(sheet, at, 0, account.source, styles.cell)
        put(sheet, at, 1, account.sheet, styles.cell_centre)
        for column, count in enumerate(_counts(account), 2):
            put_count(sheet, at, column, count, styles.number)
        put(sheet, at, _LAST - 1, reasons, styles.cell)
        state, style = (
            (on_paper("agrees"), styles.cell_centre) if account.balanced else (on_paper("differs"), styles.bad)
        )
        put(sheet, at, _LAST, state, style)
        lines = max(lines_needed(reasons, _WIDTHS[-2] - 2), lines_needed(account.source, _WIDTHS[0] - 2))
        sheet.set_row(at, LINE_HEIGHT * max(lines, lines_needed(account.sheet, _WIDTHS[1] - 2)) + 6)
    row += 2 + len(accounts)
    put_across(sheet, row, 0, 1, on_paper("Total"), styles.total)
    for column, counts in enumerate(zip(*map(_counts, accounts), strict=True), 2):
        put_count(sheet, row, column, sum(counts), styles.number_total)
    put_across(sheet, row, _LAST - 1, _LAST, "", styles.total)
    sheet.set_row(row, LINE_HEIGHT + 6)
    if returned := sum(account.rows_returned for account in accounts):
        told = on_paper(_RETURNED, rows=f"{returned:,}")
        put_paragraph(sheet, row + 1, _LAST, told, styles, width=sum(_WIDTHS))
        row += 1
    return row + 1


def _counts(account: SourceAccount) -> tuple[int, ...]:
    aside = (account.rows_set_aside, account.rows_footer)
    return (account.rows_read, account.rows_used, *aside, account.rows_hidden, account.columns_hidden)


def _concerns(account: SourceAccount, county: str) -> bool:
    """Whether a file may be named in this county's book: it holds this county's rows, or no county is known for it."""
    return account.counties == () or county in account.counties


def _write_lines(sheet: Worksheet, styles: Styles, row: int, digest: Digest) -> int:
    """The row after the lines of the policy that households were held against."""
    rows = [
        (line.name, on_paper("{year}", year=line.year), on_paper("{yuan:,.0f} yuan", yuan=line.yuan), line.citation)
        for line in digest.lines
    ]
    return _write_table(sheet, styles, row, on_paper("Lines that were used"), _LINES, rows) + 1 if rows else row


def _write_packs(sheet: Worksheet, styles: Styles, row: int, digest: Digest) -> int:
    """The row after the packs of the place, used or not, and why."""
    rows = [
        (
            on_paper("{title} ({pack})", title=pack.title, pack=pack.pack),
            on_paper("{rules} rules", rules=pack.rules) if pack.judged else on_paper("not used"),
            pack.why,
        )
        for pack in digest.packs
    ]
    title = on_paper("Rule packs: used or not, and why")
    return _write_table(sheet, styles, row, title, _PACKS, rows) + 1 if rows else row


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
                "(Households, Rules, this sheet)"
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
_ACCOUNTS = (
    later("File"),
    later("Sheet"),
    later("Rows read"),
    later("Rows used"),
    later("Rows set aside"),
    later("of which footers"),
    later("Hidden rows"),
    later("Hidden columns"),
    later("Other reasons for setting aside"),
    later("Balance"),
)
_EXTRACTS = (  # header, first and last column of the sheet
    (later("Department and kind"), 0, 0),
    (later("Extract"), 1, 1),
    (later("Data as of"), 2, 3),
    (later("Counties covered"), 4, 5),
    (later("Comparison round"), 6, 7),
    (later("Bases of links and persons"), 8, _LAST),
)
_LINES = (
    (later("Title"), 0, 0),
    (later("Year"), 1, 1),
    (later("Amount"), 2, 3),
    (later("Source of the rule"), 4, _LAST),
)
_PACKS = ((later("Rule pack"), 0, 1), (later("Rule"), 2, 3), (later("Reason"), 4, _LAST))
_RETURNED = later(
    "Of the rows set aside, {rows} lack the person, the household or a header and could not "
    "be used. They are listed by sender in the folder 退回更正 beside this county's, each with "
    "its file, sheet, row, reason and remedy: please pass them to the sender to be corrected."
)
_PROVENANCE = later(
    "The program made this book from the data and rules above; it holds no external links. "
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
