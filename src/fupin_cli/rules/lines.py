"""Income lines by place, year, series and basis, as `lines.toml` holds them; the most specific place wins.

Two series compete (the statistics office's current-price line, and the working line of local exit teams), and one family
may pass by one and fail by the other. So every look-up names its series, and the outcome prints the row that it used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from fupin_cli.errors import ConfigurationError
from fupin_cli.language import tr
from fupin_cli.rules.pack import NATIONAL, Citation, significant, within
from fupin_cli.rules.rule_loading import citation, confirmation, division, refuse_recalled
from fupin_cli.rules.toml import Table, open_toml

LINES_FILE = "lines.toml"
_YEARS = range(2010, 2051)  # the constant-price line is of 2010; what lies a generation ahead is a slip of the pen


SERIES = {"nbs": "国家统计局现价标准", "working": "地方退出工作标准"}
BASES = {"net_income": "人均纯收入", "disposable_income": "人均可支配收入"}


@dataclass(frozen=True)
class Line:
    """One row of lines.toml. A row that is not enabled is never used; it only explains why there is no line."""

    table: str
    jurisdiction: str
    year: int
    series: str
    basis: str
    yuan: float
    citation: Citation
    note: str
    enabled: bool

    @property
    def place(self) -> str:
        """Where the line holds: 全国, or a division code."""
        return "全国" if self.jurisdiction == NATIONAL else self.jurisdiction

    def __str__(self) -> str:
        series, basis = SERIES.get(self.series, self.series), BASES.get(self.basis, self.basis)
        return f"{self.year}年标准线{self.yuan:g}元（{self.place}，{series}，{basis}；{self.citation}）"


@dataclass(frozen=True)
class Lines:
    """All lines that were read."""

    rows: tuple[Line, ...]

    def find(self, table: str, jurisdiction: str, year: int, series: str, basis: str) -> Line | None:
        """The enabled line of the most specific place that holds this one, or None."""
        found = [line for line in self._of(table, jurisdiction, series, basis) if line.year == year and line.enabled]
        return max(
            found, key=lambda line: (line.jurisdiction != NATIONAL, len(significant(line.jurisdiction))), default=None
        )

    def why_not(self, table: str, jurisdiction: str, year: int, series: str, basis: str) -> str:
        """Why `find` gave none: names the year and the series."""
        idle = any(line.year == year for line in self._of(table, jurisdiction, series, basis))
        reason = "有一行尚未核实，未启用" if idle else "没有这一行"
        row = (
            f'table = "{table}"，jurisdiction = "{jurisdiction}"，year = {year}，series = "{series}"，basis = "{basis}"'
        )
        others = [s for s in SERIES if s != series and self.find(table, jurisdiction, year, s, basis)]
        other = "".join(f'；或在 fupin.toml 的 [project] 写 line_series = "{s}"（如本地采用该系列）' for s in others)
        return (
            f"{year}年标准线未知：lines.toml 中 {series} 系列（{basis}）{reason}；"
            f"查到文件后，在项目的 rules/lines.toml 写 [[line]]：{row}，yuan = 金额，citation = 出处{other}"
        )

    def series(self, table: str, jurisdiction: str, basis: str) -> tuple[str, ...]:
        """The series that have an enabled line for this place."""
        rows = [line for line in self.rows if line.table == table and line.basis == basis and line.enabled]
        return tuple(sorted({line.series for line in rows if _binds(line, jurisdiction)}))

    def by_year(self, table: str, jurisdiction: str, years: Sequence[int], series: str, basis: str) -> pl.DataFrame:
        """year, yuan (null where there is no line) and text: the line used, or why there is none."""
        rows = []
        for year in sorted(set(years)):
            line = self.find(table, jurisdiction, year, series, basis)
            text = str(line) if line else self.why_not(table, jurisdiction, year, series, basis)
            rows.append((year, line.yuan if line else None, text))
        return pl.DataFrame(rows, schema={"year": pl.Int64, "yuan": pl.Float64, "text": pl.String}, orient="row")

    def _of(self, table: str, jurisdiction: str, series: str, basis: str) -> list[Line]:
        return [
            line
            for line in self.rows
            if (line.table, line.series, line.basis) == (table, series, basis) and _binds(line, jurisdiction)
        ]


def load_lines(folders: Sequence[Path]) -> Lines:
    """The lines of every folder's lines.toml; a row of a later folder replaces the same row of an earlier one."""
    rows: dict[tuple[str, str, int, str, str], Line] = {}
    for folder in folders:
        path = folder / LINES_FILE
        if path.is_file():
            rows |= _read(path)
    return Lines(tuple(rows[key] for key in sorted(rows)))


def _read(path: Path) -> dict[tuple[str, str, int, str, str], Line]:
    top = open_toml(path, path.name)
    top.allow("line")
    rows: dict[tuple[str, str, int, str, str], Line] = {}
    for entry in top.tables("line"):
        line = _line(entry)
        key = (line.table, line.jurisdiction, line.year, line.series, line.basis)
        if key in rows:
            raise ConfigurationError(tr("this line is given twice"), where=entry.where)
        rows[key] = line
    return rows


def _line(entry: Table) -> Line:
    entry.allow("table", "jurisdiction", "year", "series", "basis", "yuan", "note", "enabled", "citation", "confirmed")
    source = citation(entry.table("citation"))
    enabled = entry.flag("enabled", default=True)
    refuse_recalled(source, confirmation(entry), entry.where, enabled=enabled)
    year = entry.integer("year")
    if year is None:
        raise ConfigurationError(tr("year must be a whole number"), where=entry.where)
    if year not in _YEARS:
        raise ConfigurationError(
            tr("there is no income line of {year}", year=year),
            where=entry.at("year"),
            why=tr(
                "lines are of the years {start} to {what}; a row of any other would never be used",
                start=_YEARS.start,
                what=_YEARS.stop - 1,
            ),
            try_=tr("year = 2019"),
        )
    return Line(
        table=entry.text("table"),
        jurisdiction=division(entry),
        year=year,
        series=entry.text("series"),
        basis=entry.one_of("basis", ("net_income", "disposable_income")),
        yuan=entry.number("yuan"),
        citation=source,
        note=entry.text("note", required=False),
        enabled=enabled,
    )


def _binds(line: Line, jurisdiction: str) -> bool:
    return line.jurisdiction == NATIONAL or within(jurisdiction, line.jurisdiction)
