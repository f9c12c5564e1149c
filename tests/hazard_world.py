"""A small project of invented people, made of the very files that a test is about, and run as a county runs it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import polars as pl

from fupin_cli.ingest import load_profiles, read_source
from fupin_cli.normalise.id_number import check_character
from fupin_cli.pipeline import reconcile
from fupin_cli.project import load_project
from office_files import write_xlsx

SOURCES = Path(__file__).parents[1] / "rules" / "sources"
PLACE = ("青禾县", "平川镇", "柳树村")
HEAD = ["户编号", "姓名", "证件号码", "与户主关系", "县", "乡镇", "村"]


def number(seventeen: str) -> str:
    """A valid 18-character number from its first 17 digits."""
    return seventeen + pl.select(check_character(pl.lit(int(seventeen), pl.Int64))).item()


def somebody(nth: int, born: str = "19800101") -> str:
    """The nth number of region 990121 with that birth date."""
    return number(f"990121{born}{nth:03}")


@cache
def profiles():
    return load_profiles([SOURCES])


def table(path: Path, profile: str = "people", name: str | None = None, **options):
    """A file read as a source of one profile."""
    return read_source([(name or path.name, path)], profiles()[profile], **options)


def counted(source) -> dict[str, str]:
    """Kind → detail of everything that is odd about the first sheet."""
    return dict(source.reports[0].problems())


def household(*members, home: str = "H1", place=PLACE, **further):
    """Register rows: (name, ID number[, relation]) each, with `further` columns by header."""
    return [[home, m[0], m[1], m[2] if len(m) > 2 else "户主", *place, *further.values()] for m in members]


@dataclass
class County:
    """A project under construction: `file` adds an extract that was written into its folder, `run` runs it."""

    folder: Path
    register: list[str] = field(default_factory=list)
    extracts: list[str] = field(default_factory=list)
    more: str = ""

    def registered(self, *rows, columns=(), name="台账.xlsx"):
        """Writes the register as a workbook; `columns` are headers beyond HEAD."""
        write_xlsx(self.folder / name, {"台账": [[*HEAD, *columns], *rows]})
        self.register.append(name)
        return self

    def file(self, path: Path, profile: str, **keys):
        """Declares a written file as an extract of this profile."""
        told = {"stage": "county", "as_of": "2019-11-20", "coverage": '["青禾县"]'} | keys
        number = len(self.extracts) + 1
        self.extracts.append(
            f'[[extract]]\nid = "{profile}-{number}"\nprofile = "{profile}"\nfiles = ["{path.name}"]\n'
            f'stage = "{told["stage"]}"\nas_of = {told["as_of"]}\ncoverage = {told["coverage"]}\n'
        )
        return self

    def run(self) -> Outcome:
        """Runs the project in this process."""
        files = json.dumps(self.register, ensure_ascii=False)
        head = f'[project]\nname = "试"\nas_of = 2019-11-30\njurisdiction = "99"\n\n[register]\nfiles = {files}\n\n'
        # what is tested here is who is whom: the register's checks of itself ask nothing of that
        rules = '[rules]\nwithout = ["self-households", "self-people"]\n'
        (self.folder / "fupin.toml").write_text("\n".join([head, *self.extracts, rules, self.more]), encoding="utf-8")
        target = self.folder / "runs"
        digest = reconcile(load_project(self.folder), target)
        return Outcome(target, digest)


@dataclass(frozen=True)
class Outcome:
    """What a run left behind."""

    folder: Path
    digest: object

    def frame(self, name: str) -> pl.DataFrame:
        """One of its Parquet outputs."""
        return pl.read_parquet(self.folder / f"{name}.parquet")

    def found(self, rule: str) -> pl.DataFrame:
        """The findings of one rule."""
        return self.frame("findings").filter(pl.col("rule_id") == rule)

    def person(self, rule: str) -> list[str]:
        """The outcome of a rule for every register person, in the order of the register."""
        judged = self.frame("person_outcomes").filter(pl.col("rule_id") == rule)
        return judged.sort("register_row")["outcome"].to_list()

    def problems(self) -> set[tuple[str, str]]:
        """(kind, detail) of everything that is odd about its sources."""
        return {(p.kind, p.detail) for p in self.digest.problems}

    def links(self, extract: str) -> list[tuple]:
        """(register row, extract row, decision, basis) of one extract."""
        links = self.frame("links").filter(pl.col("extract") == extract)
        return links.select("register_row", "extract_row", "decision", "basis").rows()
