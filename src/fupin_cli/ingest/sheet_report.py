"""How a sheet was read, in counts and headers: what a person should know about it, and never a cell."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

FIRST_ROWS = 5  # that a problem names
_SERIAL = ("序号", "序", "NO", "No.", "编号")  # a column that counts the rows; nobody misses it


def counted_cells(field: str, count: int, rows: Sequence[int] = ()) -> str:
    """The detail of a problem with cells of a field, as `death_on: 2; rows 3, 9`."""
    return f"{field}: {count}" + (f"; rows {', '.join(map(str, rows))}" if rows else "")


@dataclass(frozen=True)
class SheetReport:
    """What was made of one sheet; holds headers and counts only, never a cell.

    `counts` are (kind of problem, field, cells), in order; a field is empty where the problem is of the whole sheet. `odd_dates`
    are (kind, field, first rows) of those that are dates.
    """

    source: str
    sheet: str
    rows_read: int
    rows_used: int
    header_rows: tuple[int, ...] = ()
    headers: tuple[str, ...] = ()
    columns: tuple[tuple[str, str], ...] = ()
    duplicates: tuple[tuple[str, str], ...] = ()
    unmapped: tuple[tuple[str, str | None], ...] = ()
    missing: tuple[str, ...] = ()
    counts: tuple[tuple[str, str, int], ...] = ()
    odd_dates: tuple[tuple[str, str, tuple[int, ...]], ...] = ()
    visible: bool = True
    hidden_rows: int = 0
    hidden_columns: int = 0
    errors: int = 0
    empty_formulas: int = 0
    likely_cut: bool = False
    only_identity: bool = False
    other_table: bool = False
    not_asked: bool = False
    people_unread: int = 0
    other_headers: int = 0
    was_locked: bool = False
    others: tuple[str, ...] = ()

    @property
    def rows_set_aside(self) -> int:
        """Rows read but not used."""
        return self.rows_read - self.rows_used

    @property
    def rows_hidden(self) -> int:
        """Rows that the spreadsheet program does not show: all of a hidden sheet's."""
        return self.hidden_rows if self.visible else self.rows_read

    @property
    def incomplete(self) -> bool:
        """Whether people are surely or probably missing from what was read: nobody can be said to be absent from such a list."""
        return self.likely_cut or self.people_unread > 0 or self.other_headers > 0

    def counted(self, kind: str) -> dict[str, int]:
        """Field → cells of one kind of problem."""
        return {field: count for found, field, count in self.counts if found == kind}

    def problems(self, asked: Container[str] | None = None) -> list[tuple[str, str]]:
        """(kind, detail) of everything a person should know about how this sheet was read; headers and counts only.

        Of the fields it lacks only those in `asked` are missed, or all; a header that looks like one of them may well be it.
        """
        missed = {name for name in self.missing if asked is None or name in asked}
        found = [("missing_column", name) for name in self.missing if name in missed]
        found += [
            ("near_column" if near in missed else "unmapped_column", f"{header}（{near}?）" if near else header)
            for header, near in self.unmapped
            if header not in _SERIAL
        ]
        found += [("duplicate_column", f"{header} → {name}") for name, header in self.duplicates]
        rows = {(kind, field): at for kind, field, at in self.odd_dates}
        found += [
            (kind, counted_cells(field, count, rows.get((kind, field), ())) if field else str(count))
            for kind, field, count in self.counts
        ]
        counted = (
            ("hidden_rows", self.hidden_rows),
            ("hidden_columns", self.hidden_columns),
            ("error_cells", self.errors),
            ("empty_formulas", self.empty_formulas),
            ("hidden_sheet", 0 if self.visible else self.rows_read),
            ("only_identity", self.rows_used if self.only_identity else 0),
            ("not_a_table", self.rows_read if self.other_table else 0),
            ("sheet_not_asked", self.rows_read if self.not_asked else 0),
            ("likely_cut", self.rows_read if self.likely_cut else 0),
        )
        found += [(kind, str(count)) for kind, count in counted if count]
        found += [("other_file", other) for other in self.others]
        if self.was_locked:
            found.append(("password_used", ""))
        if self.other_headers:
            found.append(("unreadable", f"{self.other_headers} further header(s) with columns in another order"))
        if self.people_unread:
            found.append(("unreadable", f"no header; {self.people_unread} of {self.rows_read} rows look like people"))
        return found
