"""Small drawn worlds for the rules tests: a few invented people of region 99, what departments hold, and how it is linked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from fupin_cli.ingest.profile import load_profiles
from fupin_cli.rulebook import labels_of
from fupin_cli.rules import Inquiry, Judgement, Lines, Pack, inquire, load_lines, load_packs
from fupin_cli.vocabulary import EVIDENCE, EXTRACTS, HOUSEHOLDS, LINKS, PERSONS

RULES = Path(__file__).parents[1] / "rules"
AS_OF = date(2019, 11, 30)

_PERSON_FIELDS: dict[str, Any] = {
    "student_status": pl.String, "health": pl.String, "resident_medical": pl.Boolean, "employee_medical": pl.Boolean,
    "critical_illness_ins": pl.Boolean, "dibao": pl.Boolean, "tekun": pl.Boolean, "home_teaching": pl.Boolean,
    "education_exempt": pl.Boolean, "entered_on": pl.Date, "former_name": pl.String, "former_name_key": pl.String,
    "labour": pl.String, "work_months": pl.Float64, "disability_type": pl.String, "dropout_reason": pl.String,
}  # fmt: skip
_HOUSEHOLD_FIELDS: dict[str, Any] = {
    "exit_status": pl.String, "exit_year": pl.Int64, "first_identified_year": pl.Int64, "income_per_head_yuan": pl.Float64, "house_grade": pl.String,
    "dilapidated": pl.Boolean, "renovation_year": pl.Int64, "safe_water": pl.Boolean, "food_ok": pl.Boolean,
    "clothing_ok": pl.Boolean, "poverty_attr": pl.String, "income_wage_yuan": pl.Float64,
}  # fmt: skip
_KIND_FIELDS: dict[str, dict[str, Any]] = {
    "deaths": {"death_on": pl.Date, "cancel_kind": pl.String, "cancelled_on": pl.Date},
    "household_registration": {"hukou_no": pl.String, "hukou_status": pl.String, "former_name": pl.String, "former_name_key": pl.String},
    "vehicles": {"plate_no": pl.String, "vehicle_type": pl.String, "use": pl.String, "brand_model": pl.String,
                 "first_registered_on": pl.Date, "vehicle_status": pl.String},
    "real_estate": {"location": pl.String, "area": pl.Float64, "use": pl.String, "obtain_mode": pl.String, "registered_on": pl.Date},
    "housing_appraisals": {"house_grade": pl.String, "appraised_on": pl.Date, "renovated_on": pl.Date, "house_structure": pl.String},
    "companies": {"company_name": pl.String, "role": pl.String, "company_status": pl.String, "founded_on": pl.Date,
                  "capital_yuan": pl.Float64, "annual_report_year": pl.Int64, "credit_code": pl.String},
    "payroll": {"employer": pl.String, "post_kind": pl.String, "salary_month_yuan": pl.Float64},
    "dibao": {"welfare_cert_no": pl.String, "welfare_kind": pl.String, "covered": pl.Boolean, "start_month": pl.Date},
    "tekun": {"welfare_cert_no": pl.String, "welfare_kind": pl.String, "covered": pl.Boolean, "start_month": pl.Date},
    "disability": {"disability_no": pl.String, "disability_class": pl.String, "disability_level": pl.String, "cert_status": pl.String},
    "school_roll": {"student_no": pl.String, "school": pl.String, "grade": pl.String, "attendance": pl.String},
    "visits": {"household_id": pl.String, "visited_on": pl.Date},
    "household_documents": {"household_id": pl.String, "document": pl.String},
    "medical_insurance": {"insured_status": pl.String, "insurance_kind": pl.String, "insured_year": pl.Int64},
}  # fmt: skip
KNOWN = {kind: frozenset(fields) for kind, fields in _KIND_FIELDS.items()} | {
    "register": frozenset(_PERSON_FIELDS) | frozenset(_HOUSEHOLD_FIELDS)
}


@dataclass
class World:
    """A register, extracts and links under construction; `judge` says what the shipped rules find in it."""

    people: list[dict[str, Any]] = field(default_factory=list)
    homes: dict[str, dict[str, Any]] = field(default_factory=dict)
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    extracts: list[dict[str, Any]] = field(default_factory=list)
    links: list[dict[str, Any]] = field(default_factory=list)
    dropped: tuple[str, ...] = ()

    def person(self, household: str = "H1", **values: Any) -> int:
        """The register_row of a new person; whoever gets no ID number of their own has a usable one."""
        row = len(self.people)
        identity = {
            "register_row": row, "source": "台账.xlsx", "sheet": "Sheet1", "row": row + 2, "household_id": household,
            "person_id": f"P{row}", "name": f"人{row}", "name_key": f"人{row}", "id_number": f"9901211980010{row:05d}",
            "id_status": "valid", "id_sex": "男", "sex": "男", "id_birth_on": date(1980, 1, 5), "birth_on": date(1980, 1, 5),
            "county": "青禾县", "county_key": "青禾", "village": "幸福村", "relation": "户主",
        }  # fmt: skip
        self.people.append(identity | values)
        self.homes.setdefault(household, {})
        return row

    def home(self, household: str = "H1", **values: Any) -> None:
        """Set fields of a household."""
        self.homes.setdefault(household, {}).update(values)

    def extract(self, kind: str, name: str | None = None, *, empty: bool = False, **values: Any) -> str:
        """The id of an extract, made if it is new; it holds a stranger unless it is to be `empty`."""
        name = name or f"{kind}-1"
        if all(extract["extract"] != name for extract in self.extracts):
            entry = {"extract": name, "kind": kind, "department": "部门", "stage": "county", "as_of": AS_OF}
            self.extracts.append(entry | values)
            self.rows.setdefault(kind, [])
            if not empty:
                self.row(kind, extract=name)
        return name

    def row(
        self, kind: str, of: int | None = None, decision: str = "accepted", extract: str | None = None, **values: Any
    ) -> int:
        """The extract_row of a new row, linked to register row `of` where that is given."""
        name = self.extract(kind, extract, empty=True)
        extract_row = sum(row["extract"] == name for row in self.rows[kind])
        base = {
            "extract": name,
            "extract_row": extract_row,
            "kind": kind,
            "source": f"{name}.xlsx",
            "sheet": "S",
            "row": extract_row + 2,
        }
        self.rows[kind].append(
            base | {"id_number": f"X{kind}{extract_row}", "county": "青禾县", "county_key": "青禾"} | values
        )
        if of is not None:
            self.link(of, name, extract_row, decision, "exact_id" if decision == "accepted" else "name_birth")
        return extract_row

    def link(
        self, of: int, extract: str, extract_row: int, decision: str = "accepted", basis: str = "exact_id"
    ) -> None:
        """Link a register row with an extract row."""
        self.links.append(
            {
                "extract": extract,
                "register_row": of,
                "extract_row": extract_row,
                "decision": decision,
                "basis": basis,
                "match_weight": 20.0,
            }
        )

    def frames(self) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, pl.DataFrame], pl.DataFrame, pl.DataFrame]:
        """persons, households, evidence, links, extracts."""
        persons = _frame(self.people, PERSONS.schema, _PERSON_FIELDS)
        firsts = {person["household_id"]: person for person in reversed(self.people)}
        homes = [
            {
                "household_id": home,
                "head_name": firsts[home]["name"],
                "source": "台账.xlsx",
                "sheet": "Sheet1",
                "row": firsts[home]["row"],
                "county": firsts[home]["county"],
            }
            | values
            for home, values in self.homes.items()
        ]
        households = _frame(homes, HOUSEHOLDS.schema, _HOUSEHOLD_FIELDS)
        evidence = {kind: _frame(rows, EVIDENCE.schema, _KIND_FIELDS[kind]) for kind, rows in self.rows.items()}
        return (
            persons.drop(self.dropped, strict=False),
            households.drop(self.dropped, strict=False),
            evidence,
            _frame(self.links, LINKS.schema, {}),
            _frame(self.extracts, EXTRACTS.schema, {}),
        )

    def judge(self, *only: str, **values: Any) -> Judgement:
        """What the shipped rules, or only some of them, say; see `inquire`."""
        return self.inquire(*only, **values).judge()

    def inquire(
        self, *only: str, stages: Sequence[str] = ("county", "province"), shuffle: int | None = None, **values: Any
    ) -> Inquiry:
        """What the shipped rules, or only some of them, ask; frames shuffled where a seed is given."""
        frames = self.frames()
        if shuffle is not None:
            frames = tuple(_shuffled(part, shuffle) for part in frames)
        packs = keep(shipped()[0], only) if only else usual()
        arguments = {"as_of": AS_OF, "jurisdiction": "990121", "stages": stages} | values
        return inquire(*frames, arguments.pop("packs", packs), arguments.pop("lines", shipped()[1]), **arguments)

    def outcome(self, rule: str, **values: Any) -> list[str]:
        """The rule's outcome for every household, in the order of household IDs."""
        judged = self.judge(*_with_members(rule), **values).outcomes
        return judged.filter(pl.col("rule_id") == rule).sort("household_id")["outcome"].to_list()

    def found(self, rule: str, **values: Any) -> list[tuple[int | None, str]]:
        """(register_row, band) of the rule's findings."""
        judged = self.judge(*_with_members(rule), **values).findings.filter(pl.col("rule_id") == rule)
        return list(judged.select("register_row", "band").rows())


@cache
def shipped() -> tuple[tuple[Pack, ...], Lines]:
    profiles = load_profiles([RULES / "sources"])
    known = {name: frozenset(f.name for f in profile.fields) for name, profile in profiles.items()}
    return load_packs([RULES], known), load_lines([RULES])


@cache
def called() -> dict[str, str]:
    """What people call the columns of each kind of source."""
    return dict(labels_of(load_profiles([RULES / "sources"])))


def usual() -> tuple[Pack, ...]:
    """The packs that every project is judged by."""
    return tuple(pack for pack in shipped()[0] if not pack.opt_in)


def keep(packs: Sequence[Pack], only: Sequence[str]) -> tuple[Pack, ...]:
    return tuple(replace(pack, rules=tuple(rule for rule in pack.rules if rule.id in only)) for pack in packs)


def _with_members(rule: str) -> tuple[str, ...]:
    """The rule and those whose outcomes it reads."""
    return (*tuple(f"NAT-H-{n}" for n in range(8)), rule) if rule in ("NAT-H-0", "CMP-EX1") else (rule,)


def _frame(rows: Sequence[Mapping[str, Any]], schema: Mapping[str, Any], extra: Mapping[str, Any]) -> pl.DataFrame:
    columns = {**extra, **schema}
    return pl.DataFrame({name: [row.get(name) for row in rows] for name in columns}, schema=columns)


def _shuffled(part: Any, seed: int) -> Any:
    if isinstance(part, dict):
        return {kind: frame.sample(fraction=1, shuffle=True, seed=seed) for kind, frame in reversed(part.items())}
    return part.sample(fraction=1, shuffle=True, seed=seed)
