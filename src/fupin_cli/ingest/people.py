"""Any file of people, without a project: which known kind of table it is, and who is in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from fupin_cli.errors import BadDataError
from fupin_cli.ingest.accounts import read_contents
from fupin_cli.ingest.cells import Doubt, type_cells
from fupin_cli.ingest.columns import trim
from fupin_cli.ingest.grid import Grid, ahead, numbered
from fupin_cli.ingest.headers import header_key, names_head
from fupin_cli.ingest.inspection import guess_sheet
from fupin_cli.ingest.locked import Ask, no_password
from fupin_cli.ingest.people_of_row import NTH, every_person, identity_rows
from fupin_cli.ingest.pieces import read_pieces
from fupin_cli.ingest.profile import SourceProfile
from fupin_cli.ingest.readers import Contents, read_file
from fupin_cli.ingest.sheets import Table, find_table
from fupin_cli.language import tr
from fupin_cli.normalise.keys import person_keys

_WHO = (
    "name",
    "id_number",
    "sex",
    "birth_on",
    "county",
    "township",
    "village",
    "hamlet",
    "address",
    "phone",
    "former_name",
    "relation",
)  # what linking reads


@dataclass(frozen=True)
class People:
    """Who the rows of a file speak of: `keys` has one row per person, `data_row` the 0-based row of each key's `at`.

    `columns` are (field, header) of what was recognised, `strangers` other headers. `shown` has for each key what people compare
    by eye: at, name, id_number, born, place, household, as received. `declared`: the columns are those of a [compare]. `unnamed`
    counts members who are known only under their head's name, which is not theirs; `near` are headers that look like a name's.
    """

    keys: pl.DataFrame = field(repr=False)
    data_row: pl.Series | None = field(default=None, repr=False)
    columns: tuple[tuple[str, str], ...] = ()
    strangers: tuple[str, ...] = ()
    shown: pl.DataFrame = field(default_factory=pl.DataFrame, repr=False)
    declared: bool = False
    unnamed: int = 0
    near: tuple[str, ...] = ()
    count: int | None = None  # of people whose keys are elsewhere

    @property
    def height(self) -> int:
        """How many people there are."""
        return self.keys.height if self.count is None else self.count

    def rows_of(self, at: pl.Series) -> pl.Series:
        """The data rows of keys; they are the keys' own numbers but where a row speaks of several people."""
        if self.data_row is None:
            return at
        return at.to_frame("at").join(
            pl.DataFrame({"at": self.keys["at"], "row": self.data_row}), on="at", how="left", maintain_order="left"
        )["row"]

    def with_rows(self, further: pl.DataFrame, asked: pl.Series) -> People:
        """The same, who know the data rows of all whose numbers are asked for; `further` has those of further people of a row."""
        if not further.height:
            return self
        met = pl.DataFrame({"at": asked.unique()}).join(further, on="at", how="anti")
        known = pl.concat([met.select("at", pl.col("at").alias("data_row")), further])
        return replace(self, keys=known.select("at"), data_row=known["data_row"])


@dataclass(frozen=True)
class PeopleBucket:
    """Who the rows of one bucket of a list speak of: `keys` with `data_row`, and no `at` for further people of a row.

    `end` is the row after the last that holds anything; `rows` and `files` are the whole list's, `told` which columns it has.
    """

    keys: pl.DataFrame = field(repr=False)
    end: int
    rows: int
    files: tuple[tuple[str, int], ...]
    told: People


def read_people(
    path: Path, profiles: Mapping[str, SourceProfile], ask: Ask = no_password, *, shown: bool = False
) -> People:
    """Who each row of a file, or of all Parquet files of a folder, speaks of, as vocabulary.KEYS.

    The kind of table is recognised by its headers; only what says who somebody is gets read. `shown` asks for the values that
    people compare, too. Raises BadDataError where no profile knows the headers.
    """
    known = {name: _who_only(profile) for name, profile in profiles.items()}

    def only(headers: Sequence[str]) -> Sequence[str]:
        return _said_of_people(headers, known.values())

    if path.is_dir():
        contents: Sequence[Contents] = [read_pieces(path, only).contents(path.name)]
    else:
        contents = read_file(path.name, path, ask, only=only)
    profile, told = _recognise(path, contents, known)
    household = profile.household
    plain = _plain_table(contents, profile)
    if plain and not shown and not names_head(dict(told.columns).get("name", "")):
        keys = _keys_by_batches(*plain, profile)
        if keys is not None:
            return replace(told, keys=keys)
    rows = _plain_rows(plain[0].cells(), plain[1], profile) if plain else None
    if rows is None:
        rows = read_contents(path.name, contents, profile).rows
    rows, unnamed = _without_heads_names(rows, dict(told.columns), household)
    if not rows[NTH].max():
        people = replace(told, keys=person_keys(rows, "data_row", household))
    else:
        keys = person_keys(rows.with_columns(identity_rows(rows).alias("_at")), "_at", household)
        people = replace(told, keys=keys, data_row=rows["data_row"])
    return replace(people, shown=_shown(rows, people.keys) if shown else pl.DataFrame(), unnamed=unnamed)


def read_bucket(path: Path, profiles: Mapping[str, SourceProfile], nth: int, of: int) -> PeopleBucket:
    """Who each row of one bucket speaks of, as the whole list says it.

    Raises BadDataError for a list whose rows must be seen all at once.
    """
    known = {name: _who_only(profile) for name, profile in profiles.items()}
    pieces = read_pieces(path, lambda headers: _said_of_people(headers, known.values()), (nth, of))
    contents = [pieces.contents(path.name)]
    profile, told = _recognise(path, contents, known)
    plain = None if names_head(dict(told.columns).get("name", "")) else _plain_table(contents, profile)
    end, parts = 0, list[pl.DataFrame]()
    for first, cells in ahead(numbered(pieces.cells())) if plain else ():
        rows = _plain_rows(cells, plain[1], profile, pieces.at + first) if plain else None
        if rows is None:
            parts = []
            break
        end = pieces.at + first + there if (there := trim(cells).height) else end
        rows = rows.with_columns(pl.when(pl.col(NTH) == 0).then("data_row").alias("_at"))
        parts.append(person_keys(rows, "_at", profile.household).with_columns(rows["data_row"]))
    if not parts:
        raise BadDataError(
            tr("the rows of this list must be seen all at once"),
            where=path.name,
            why=tr("numbers that were printed from floats, two columns of one meaning, or only heads that are named"),
            try_=tr("link it at once, without --bucket and without --engine spark"),
        )
    return PeopleBucket(pl.concat(parts), end, pieces.rows, pieces.files, told)


def _recognise(
    path: Path, contents: Sequence[Contents], known: Mapping[str, SourceProfile]
) -> tuple[SourceProfile, People]:
    """Which of the kinds the table is, and the columns that say who somebody is; nobody is read yet."""
    guesses = [guess for table in contents for grid in table.grids for guess in guess_sheet(grid, known, table.name)]
    if not guesses:
        raise BadDataError(
            tr("no header row that any source profile knows"),
            where=path.name,
            why=tr(
                "looked for 姓名 or 证件号码 (name, id_number), and one more column that says who somebody is: 性别, "
                "出生日期, 乡镇, 行政村, 地址, 户编号 …"
            ),
            try_=tr(
                "fupin inspect {path} shows its columns; --profile FILE says what they mean (docs/sources.md)",
                path=path,
            ),
        )
    profile = known[max(guesses, key=lambda guess: guess[1])[0]]
    columns, strangers, near = _recognised(contents, profile)
    return profile, People(pl.DataFrame(), columns=columns, strangers=strangers, near=near)


def _without_heads_names(rows: pl.DataFrame, columns: Mapping[str, str], household: str) -> tuple[pl.DataFrame, int]:
    """The rows without the head's name on those of other members, and how many have none for that reason.

    Where rows do not say who they are, several of one household are members of whom nobody knows which is the head.
    """
    if not names_head(columns.get("name", "")):
        return rows, 0
    if "relation" not in columns and household in columns:
        alone = pl.col(household).is_null() | (pl.len().over(household) == 1)
        rows = rows.with_columns(pl.when(alone).then("name_raw").alias("name_raw"))
    return rows, rows["name_raw"].null_count()


def _recognised(
    contents: Sequence[Contents], profile: SourceProfile
) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...], tuple[str, ...]]:
    """(field, header) of every column that says who somebody is, the headers of all others, and those that look like a name's."""
    tables = [found for table in contents for grid in table.grids if (found := find_table(grid, profile))]
    known = [(name, t.header.shown[column]) for t in tables for name, column in t.mapping.by_field.items()]
    others = {t.header.shown[column]: near for t in tables for column, near in t.mapping.unmapped}
    others.pop("", None)
    return tuple(dict.fromkeys(known)), tuple(others), tuple(name for name, near in others.items() if near == "name")


def _shown(rows: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    """What people compare by eye, for each key."""
    places = [name for name in ("county", "township", "village", "hamlet") if name in rows.columns]
    nothing = pl.lit(None, pl.String)
    place = pl.concat_str(pl.col(places).cast(pl.String), ignore_nulls=True) if places else nothing
    address = pl.col("address").cast(pl.String) if "address" in rows.columns else nothing
    given = rows.lazy().select(
        pl.col("name_raw").alias("name"), pl.col("id_raw").alias("id_number"),
        pl.coalesce(pl.when(place != "").then(place), address).alias("place"),
    ).collect()  # fmt: skip
    born = pl.coalesce("birth", "birth_in_id").dt.to_string("%Y-%m-%d")
    inside = pl.when(pl.col("birth").is_null() & pl.col("birth_in_id").is_not_null()).then(pl.lit("（证件内）"))
    sex = pl.when("male").then(pl.lit("男")).when(~pl.col("male")).then(pl.lit("女"))
    return given.hstack(
        keys.select(
            "at", pl.concat_str(born, sex, inside, separator="\n", ignore_nulls=True).alias("born"), "household"
        )
    )


def _plain_table(contents: Sequence[Contents], profile: SourceProfile) -> tuple[Grid, Table] | None:
    """The only table, where its container names its columns: there is nothing around it that must be told from data.

    None where the table needs the long way: another container, or a column that stands twice.
    """
    grids = [grid for table in contents for grid in table.grids]
    table = find_table(grids[0], profile) if len(grids) == 1 and grids[0].header is not None else None
    return (grids[0], table) if table and not table.mapping.duplicates and not table.mapping.also else None


def _keys_by_batches(grid: Grid, table: Table, profile: SourceProfile) -> pl.DataFrame | None:
    """KEYS of a plain table, batch after batch; None where rows must be seen all at once.

    Memory that is used again costs less than new memory, and only what linking compares of a long list need fit.
    """
    parts = []
    for first, cells in ahead(numbered(grid.batches())):
        rows = _plain_rows(cells, table, profile, first)
        if rows is None or rows[NTH].max():
            return None
        parts.append(person_keys(rows, "data_row", profile.household))
    return pl.concat(parts, rechunk=False) if parts else None


def _plain_rows(cells: pl.DataFrame, table: Table, profile: SourceProfile, first: int = 0) -> pl.DataFrame | None:
    """The typed rows of a plain table, `first` the number of its first one; None where ID numbers were printed from floats."""
    column = {name: f"c{at}" for name, at in table.mapping.by_field.items()}
    number = column.get("id_number")
    if number and cells.lazy().select(pl.col(number).str.ends_with(".0").any()).collect().item():
        return None
    parsed = [f for f in profile.fields if f.name in column and f.type not in ("raw", "name", "id", "phone")]
    used = cells.with_row_index("_at")
    typed, _ = type_cells(
        used, table.header, table.mapping, replace(profile, fields=tuple(parsed), id_from=()), None, Doubt()
    )
    as_is = [pl.col(column[f.name]).alias(f.column) for f in profile.fields if f.name in column and f not in parsed]
    rows = typed.hstack(cells.select(as_is).get_columns())
    rows = rows.with_columns((pl.col("_at").cast(pl.Int64) + first).alias("data_row"))
    absent = [name for name in ("name_raw", "id_raw") if name not in rows.columns]
    rows = rows.with_columns(pl.lit(None, pl.String).alias(name) for name in absent)
    stand_ins = [column[name] for name in profile.id_from if name in column]
    if stand_ins:
        rows = rows.with_columns(pl.coalesce("id_raw", *(cells[name].alias("_" + name) for name in stand_ins)))
    return every_person(rows, profile, ())[0]


def _who_only(profile: SourceProfile) -> SourceProfile:
    """The profile reduced to the fields that say who somebody is, and those in which an ID number may hide.

    It has no fields of its own left, so the profile that knows most of these headers fits best, whatever else it holds.
    """
    fields = (f for f in profile.fields if f.name in (*_WHO, profile.household, *profile.id_from))
    kept = tuple(replace(f, type="raw") if f.type == "text" else f for f in fields)  # cleaned where it is compared
    return replace(profile, fields=kept, required=("name|id_number",), own=frozenset())


def _said_of_people(headers: Sequence[str], profiles: Iterable[SourceProfile]) -> list[str]:
    """Those of the headers under which some kind of table says who somebody is."""
    aliases = {header_key(alias) for profile in profiles for f in profile.fields for alias in f.aliases}
    return [header for header in headers if header_key(header) in aliases]
