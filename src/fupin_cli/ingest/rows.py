"""What kind of row each row of a sheet is: data, or something that people wrote around the data.

The many rows with a plausible ID number and a name are data at once; only the rest are looked at closely.
"""

from __future__ import annotations

import polars as pl

from fupin_cli.ingest.grid import Grid
from fupin_cli.ingest.headers import Header, Mapping, header_key
from fupin_cli.ingest.profile import SourceProfile
from fupin_cli.normalise.values import is_blank, is_lost

_FIRST_CELLS = 4
_MOST = 0.5  # of the rows
_LOOKS_LIKE_ID = r"\d{14}[\dXx]|\d\.\d+[eE]\+?1\d"
_NOTHING_BUT_ID = r"^\s*(?:\d{17}[\dXx]|\d{15}|\d\.\d+[eE]\+?1\d)\s*$"
_TOTAL = r"^(?:本页|本表|全[省市县乡镇村]|[^\s\d]{0,12})?(?:合计|总计|小计|共计)(?:[:：(（\d].*)?$"
_WORK = "(?:制表|填表|填报|审核|审定|复核|审批|经办|统计|报送|上报|打印|导出|录入|校对)"
_SIGNATURE = (
    rf"^{_WORK}(?:人|单位|部门|日期|时间|员)(?:及|和|签[字章名])?(?:[:：(（/].*)?$"
    rf"|^{_WORK}(?:签[字章名])?[:：].*$"  # a bare 审核 may be anything, 审核：李某 is a signature
    r"|^(?:单位)?(?:负责人|领导|公章|盖章|联系电话|日期|备注|说明|注)(?:签[字章名])?[:：].*$"
    r"|^[^\s\d:：]{0,12}(?:单位|负责人|领导)[(（](?:公章|盖章|签[字章名])[)）](?:[:：].*)?$"
)
_NUMBERED = r"^(?:\d{1,3}|[甲乙丙丁戊己庚辛壬癸])$"


def classify(
    cells: pl.DataFrame, grid: Grid, header: Header, mapping: Mapping, profile: SourceProfile, offset: int = 0
) -> pl.Series:
    """Why each row is set aside, or null where it is used; the reasons are the keys of vocabulary.SET_ASIDE_REASONS.

    `offset` is the sheet's row (0-based) of the first of these cells.
    """
    at = pl.col("_at")
    frame = cells.with_row_index("_at", offset)
    blank = pl.all_horizontal(pl.col(cells.columns).is_null())
    who = [f"c{column}" for column in dict.fromkeys(_identity_columns(mapping, profile))]
    nobody = pl.all_horizontal(pl.col(column).is_null() for column in who)
    id_column = mapping.by_field.get("id_number")
    certain = pl.col(f"c{id_column}").str.contains(_LOOKS_LIKE_ID) if id_column is not None else pl.lit(value=False)
    certain = certain.fill_null(value=False)
    in_data = at >= header.end
    doubtful = frame.filter(in_data & ~certain)
    # lazy, so that what several questions ask of a cell is worked out once
    reasons = (
        doubtful.lazy()
        .select(
            "_at",
            pl.when(blank)
            .then(pl.lit("blank"))
            .when(_is_repeated_header(mapping, profile) | _is_column_numbers(header, cells))
            .then(pl.lit("repeated_header"))
            .when(_is_other_header(cells, profile))
            .then(pl.lit("other_header"))
            .when(_is_footer(cells))
            .then(pl.lit("footer"))
            .when(_is_title(grid, header, mapping, at))
            .then(pl.lit("title"))
            .when(nobody)
            .then(pl.lit("no_identity"))
            .alias("reason"),
        )
        .drop_nulls("reason")
        .collect()
    )
    above = (
        pl.when(blank).then(pl.lit("blank")).when(at >= header.first).then(pl.lit("header")).otherwise(pl.lit("title"))
    )
    top = frame.filter(~in_data).select("_at", above.alias("reason"))
    known = pl.concat([top, reasons])
    result = pl.repeat(None, cells.height, dtype=pl.String, eager=True).alias("reason")
    result = result.scatter(known["_at"] - offset, known["reason"])
    if beyond := _beyond_the_header(grid, header, cells):
        longer = in_data & pl.lit(result).is_null() & pl.any_horizontal(pl.col(beyond).is_not_null())
        result = result.scatter(frame.filter(longer)["_at"] - offset, "too_long")
    if not profile.needs_household:
        return result
    household = pl.col(f"c{mapping.by_field['household_id']}")
    nowhere = is_blank(household) | is_lost(household) | household.str.contains(r"^[\s0０]+$")
    # a plain long number is one; only what is short or holds a letter is looked at closely
    odd = household.is_null() | ~household.str.contains(r"^[0-9]{5,}$")
    doubtful = frame.lazy().select("_at", household).filter(odd & pl.lit(result).is_null()).collect()
    homeless = doubtful.filter(nowhere)["_at"]
    return result.scatter(homeless - offset, "no_household") if len(homeless) else result


def _beyond_the_header(grid: Grid, header: Header, cells: pl.DataFrame) -> list[str]:
    """Columns of a delimited text in which a cell means that a row was cut into too many: a comma stood in a text, unquoted.

    Everything behind it is one column too far to the right, so such a row says wrong things under every header. None where
    most rows have such a cell: that is a column nobody named.
    """
    if not grid.notes.delimited:
        return []
    named = max((at for at, text in enumerate(header.texts) if text), default=-1)
    beyond = [column for column in cells.columns if int(column[1:]) > named]
    seen = grid.head[header.end :].select(column for column in beyond if column in grid.head.columns)
    usual = seen.width and seen.select(pl.any_horizontal(pl.all().is_not_null()).mean()).item()
    return [] if usual and usual >= _MOST else beyond


def count_people(cells: pl.DataFrame) -> int:
    """How many rows hold a cell that is an ID number and nothing else."""
    if not cells.width:
        return 0
    like_id = pl.all().str.contains(_NOTHING_BUT_ID).fill_null(value=False)
    return int(cells.select(pl.any_horizontal(like_id).sum()).item())


def _identity_columns(mapping: Mapping, profile: SourceProfile) -> list[int]:
    entries = [entry.split("|") for entry in profile.required]
    who = {"name", "id_number"}
    naming = [entry for entry in entries if who & set(entry)]
    beside = [name for entry in naming for name in entry if name not in who]  # a visit is known by its household alone
    nobody = entries and not naming  # a table of places names nobody
    fields = (
        [name for entry in entries for name in entry] if nobody else ["name", "id_number", *beside, *profile.id_from]
    )
    further = [column for _, *pair in mapping.also for column in pair if column is not None]
    return [mapping.by_field[name] for name in fields if name in mapping.by_field] + further


def _tidy(column: str) -> pl.Expr:
    return pl.col(column).str.replace_all(r"[\s\p{Cf}\p{Cc}]", "")


def _is_repeated_header(mapping: Mapping, profile: SourceProfile) -> pl.Expr:
    """Two or more cells (or the only one) hold a header word of the field that their column holds."""
    hits = []
    for name, column in mapping.columns:
        aliases = [header_key(alias) for alias in profile.field(name).aliases]
        key = _tidy(f"c{column}").str.normalize("NFKC").str.to_lowercase()
        hits.append(key.is_in(aliases).fill_null(value=False).cast(pl.Int32))
    return pl.sum_horizontal(hits) >= min(2, mapping.hits)


def _is_other_header(cells: pl.DataFrame, profile: SourceProfile) -> pl.Expr:
    """A name's header word in one cell and a number's in another, though not where this table has them: a second table."""
    found = []
    for name in ("name", "id_number"):
        aliases = [header_key(alias) for alias in profile.field(name).aliases]
        keys = (_tidy(column).str.normalize("NFKC").str.to_lowercase() for column in cells.columns)
        found.append(pl.any_horizontal(key.is_in(aliases).fill_null(value=False) for key in keys))
    return found[0] & found[1]


def _is_column_numbers(header: Header, cells: pl.DataFrame) -> pl.Expr:
    """The row straight below a header that numbers the columns: 1 2 3 …, or 甲 乙 1 2 …."""
    filled = [pl.col(c).is_null() | _tidy(c).str.contains(_NUMBERED) for c in cells.columns]
    return (pl.col("_at") == header.end) & (len(filled) > 1) & pl.all_horizontal(filled)


def _is_footer(cells: pl.DataFrame) -> pl.Expr:
    first = [_tidy(column) for column in cells.columns[:_FIRST_CELLS]]
    total = pl.any_horizontal(cell.str.contains(_TOTAL).fill_null(value=False) for cell in first)
    return total | pl.coalesce(first).str.contains(_SIGNATURE).fill_null(value=False)


def _is_title(grid: Grid, header: Header, mapping: Mapping, at: pl.Expr) -> pl.Expr:
    """A line merged across the columns of name and ID number: a village's name over its people."""
    columns = {mapping.by_field[name] for name in ("name", "id_number") if name in mapping.by_field}
    rows = [
        row
        for top, left, bottom, right in grid.merged
        if top >= header.end and left < right and all(left <= column <= right for column in columns)
        for row in range(top, bottom + 1)
    ]
    return at.is_in(rows) if len(columns) > 1 and rows else pl.lit(value=False)
