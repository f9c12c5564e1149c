"""Planted discrepancies: every finding that a perfect reconciliation would make, and no other.

Findings that follow from how a row was written (an ID that cannot be read, a sex that contradicts it) are read off the written
rows; all others follow from the plans.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from fupin_cli.synth.extracts import Source
from fupin_cli.synth.plans import is_target

SCHEMA = pl.Schema(
    {
        "rule_id": pl.String(),
        "stage": pl.String(),
        "household_id": pl.String(),
        "person_id": pl.String(),
        "register_row": pl.Int64(),
        "extract": pl.String(),
        "extract_row": pl.Int64(),
        "note": pl.String(),
        "uid": pl.Int64(),
    }
)
TRUTH_SCHEMA = pl.Schema(
    {
        "uid": pl.Int64(),
        "register_row": pl.Int64(),
        "extract": pl.String(),
        "extract_row": pl.Int64(),
        "register_errors": pl.List(pl.String()),
        "extract_errors": pl.List(pl.String()),
    }
)
# which kind of extract shows it; an absence is shown by the first extract that ought to hold the person
SHOWN_BY = {
    "CMP-PS1": "deaths", "CMP-PS2": "household_registration", "CMP-VH1": "vehicles", "CMP-RE1": "real_estate",
    "CMP-RE2": "housing_appraisals", "CMP-IC1": "companies", "CMP-CZ1": "payroll", "CMP-MZ2": "dibao", "CMP-CL2": "disability",
}  # fmt: skip
ABSENT_FROM = {"CMP-MZ1": "dibao", "CMP-CL1": "disability", "CMP-ED1": "school_roll", "CMP-YB1": "medical_insurance"}
_ORDER = ["rule_id", "register_row", "extract", "extract_row"]
OF_HOUSEHOLD = ("CMP-RE2", "CMP-EX1", "REG-F03")  # findings about a household: no person_id


def truth_links(register: pl.DataFrame, extracts: Sequence[tuple[Source, pl.DataFrame]]) -> pl.DataFrame:
    """Every true pair of register row and extract row, with what is wrong on either side."""
    sides = register.select("uid", "register_row", register_errors="errors")
    links = [
        sides.join(
            rows.select("uid", "extract_row", extract_errors="errors"),
            on="uid",
            how="inner",
            maintain_order="left_right",
        )
        .with_columns(extract=pl.lit(source.id))
        .select(TRUTH_SCHEMA.names())
        for source, rows in extracts
    ]
    return pl.concat([pl.DataFrame(schema=TRUTH_SCHEMA), *links])


def faulty_rows(register: pl.DataFrame, extracts: Sequence[tuple[Source, pl.DataFrame]]) -> pl.DataFrame:
    """Every row of any file with something wrong in it, and what."""
    files = [("register", "register_row", register), *((source.id, "extract_row", rows) for source, rows in extracts)]
    return pl.concat(
        rows.filter(pl.col("errors").list.len() > 0).select("uid", "errors", file=pl.lit(file), row=row)
        for file, row, rows in files
    )


def planted_rows(register: pl.DataFrame, extracts: Sequence[tuple[Source, pl.DataFrame]]) -> pl.DataFrame:
    """One row per planted finding, sorted by rule and register row; those about unregistered people have no register_row."""
    parts = [
        *_in_the_register(register),
        *_shown(register, extracts),
        *_absent(register, extracts),
        _other_name(register, extracts),
        *_unregistered(extracts),
    ]
    rows = pl.concat([_conform(part) for part in parts])
    rows = rows.with_columns(person_id=pl.when(~pl.col("rule_id").is_in(OF_HOUSEHOLD)).then("person_id"))
    return rows.sort(_ORDER, nulls_last=True, maintain_order=True)


def with_others(rows: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """The planted findings together with some that no table of people shows."""
    return pl.concat([rows, _conform(others)]).sort(_ORDER, nulls_last=True, maintain_order=True)


def _conform(part: pl.DataFrame) -> pl.DataFrame:
    """The part in SCHEMA; a note says what else is wrong with the register row, where the rule has no note of its own."""
    spoilt = pl.col("errors").list.join(";") if "errors" in part.columns else pl.lit(None, pl.String)
    if "note" not in part.columns:
        part = part.with_columns(note=pl.when(spoilt != "").then(spoilt))
    return part.select(
        (pl.col(name) if name in part.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in SCHEMA.items()
    )


def _in_the_register(register: pl.DataFrame) -> list[pl.DataFrame]:
    """What the register alone shows."""
    kept = pl.col("id_kept")
    sex_in_id = pl.when(kept.str.slice(16, 1).is_in(list("13579"))).then(pl.lit("男")).otherwise(pl.lit("女"))
    birth_in_id = kept.str.slice(6, 8).str.to_date("%Y%m%d", strict=False)
    per_number = kept.is_not_null() & (pl.col("name_kept").n_unique().over("id_kept") > 1)
    again = pl.col("copy").max().over("uid") == 1
    female, male = ["之女", "之母", "之儿媳", "之孙女", "之外孙女"], ["之子", "之父", "之女婿", "之孙子", "之外孙子"]
    head, spouse = pl.col("relation") == "户主", pl.col("relation") == "配偶"
    out_of_school = pl.col("pupil") & (pl.col("student_status") == "非在校生")
    checks = {
        ("CMP-ID1", "county"): kept.is_not_null() & (pl.col("sex") != sex_in_id),
        ("CMP-ID2", "county"): kept.is_not_null() & (pl.col("birth_on") != birth_in_id),
        ("CMP-ID3", "county"): kept.is_null(),
        ("CMP-ID4", "county"): per_number,
        ("CMP-MZ3", "county"): is_target("CMP-MZ3"),
        ("CMP-MZ6", "county"): is_target("CMP-MZ3"),  # whom the register has twice over, 民政 has on both lists
        ("REG-M02", "county"): (pl.col("resident_medical") == "否") & (pl.col("employee_medical") == "否"),
        ("REG-S09", "county"): out_of_school & ~pl.col("home_teaching") & ~pl.col("education_exempt"),
        ("REG-F03", "county"): head
        & (pl.col("sex") == pl.col("sex").filter(spouse).first().over("household_id"))
        & spouse.any().over("household_id"),
        ("REG-F04", "county"): pl.col("relation").is_in(female) & (pl.col("sex") == "男"),
        ("REG-F05", "county"): pl.col("relation").is_in(male) & (pl.col("sex") == "女"),
        ("REG-F17", "county"): ~head & (pl.col("name_kept") == pl.col("head_name")),
        ("CMP-DUP1", "county"): is_target("CMP-DUP1") & again,
        ("CMP-DUP2", "province"): is_target("CMP-DUP2") & again,
    }
    parts = [
        register.filter(condition).with_columns(rule_id=pl.lit(rule), stage=pl.lit(stage))
        for (rule, stage), condition in checks.items()
    ]
    early = register.filter("entered_early").with_columns(
        rule_id=pl.lit("CMP-ST1"), stage=pl.lit("province"), note=pl.col("entered_on").cast(pl.String)
    )
    wrongly_exited = register.filter(pl.col("plan").str.starts_with("EX1") & pl.col("target")).with_columns(
        rule_id=pl.lit("CMP-EX1"), stage=pl.lit("county"), note=pl.col("plan").str.strip_prefix("EX1:")
    )
    return [*parts, early, wrongly_exited]


def _shown(register: pl.DataFrame, extracts: Sequence[tuple[Source, pl.DataFrame]]) -> list[pl.DataFrame]:
    """What a row on a department's list shows, at the first stage that has it."""
    parts = []
    for rule, kind in SHOWN_BY.items():
        evidence = [
            rows.select("uid", "extract_row", extract=pl.lit(source.id), stage=pl.lit(source.stage))
            for source, rows in extracts
            if source.kind == kind
        ]
        if not evidence:
            continue
        # county extracts come first in the list of sources, so the first row of a person is the first evidence
        first = pl.concat(evidence).unique("uid", keep="first", maintain_order=True)
        targets = register.filter(is_target(rule))
        parts.append(
            targets.join(first, on="uid", how="inner", maintain_order="left").with_columns(rule_id=pl.lit(rule))
        )
    return parts


def _absent(register: pl.DataFrame, extracts: Sequence[tuple[Source, pl.DataFrame]]) -> list[pl.DataFrame]:
    """What a missing row shows, at the first stage whose extract should have had it."""
    parts = []
    for rule, kind in ABSENT_FROM.items():
        plans = (rule, "EX1:NAT-H-4") if rule == "CMP-ED1" else (rule,)
        covering = [source for source, _ in extracts if source.kind == kind]
        if not covering:
            continue
        here = [pl.lit(s.county_no).is_null() | (pl.lit(s.county_no) == pl.col("county_no")) for s in covering]
        extract = pl.coalesce(pl.when(is_in).then(pl.lit(s.id)) for s, is_in in zip(covering, here, strict=True))
        stage = pl.coalesce(pl.when(is_in).then(pl.lit(s.stage)) for s, is_in in zip(covering, here, strict=True))
        missing = register.filter(is_target(*plans)).with_columns(rule_id=pl.lit(rule), extract=extract, stage=stage)
        parts.append(missing.filter(pl.col("extract").is_not_null()))
    return parts


def _other_name(register: pl.DataFrame, extracts: Sequence[tuple[Source, pl.DataFrame]]) -> pl.DataFrame:
    """NM1: under the number as written, the police know another name, which is not a former one either."""
    parts = [pl.DataFrame(schema=SCHEMA)]
    for source, rows in extracts:
        if source.kind != "household_registration":
            continue
        police = rows.filter(pl.col("id_kept").is_not_null()).select(
            "id_kept", "extract_row", police_name="name_kept", police_former="former_name"
        )
        same_number = register.join(police, on="id_kept", how="inner", maintain_order="left_right")
        other = (pl.col("name_kept") != pl.col("police_name")) & pl.col("name_kept").ne_missing(pl.col("police_former"))
        found = same_number.filter(other).unique("register_row", keep="first", maintain_order=True)
        note = pl.col("errors").list.join(";")
        parts.append(
            _conform(
                found.with_columns(
                    rule_id=pl.lit("CMP-NM1"), stage=pl.lit(source.stage), extract=pl.lit(source.id), note=note
                )
            )
        )
    return pl.concat(parts).unique("register_row", keep="first", maintain_order=True)


def _unregistered(extracts: Sequence[tuple[Source, pl.DataFrame]]) -> list[pl.DataFrame]:
    """UR1 and UR2: people on a list who are not in the register."""
    parts = []
    for rule, kinds in {"CMP-UR1": ("dibao", "tekun"), "CMP-UR2": ("disability",)}.items():
        rows = [
            rows.filter(is_target(rule)).select(
                "uid",
                "extract_row",
                "errors",
                rule_id=pl.lit(rule),
                extract=pl.lit(source.id),
                stage=pl.lit(source.stage),
            )
            for source, rows in extracts
            if source.kind in kinds
        ]
        if rows:
            parts.append(pl.concat(rows).unique("uid", keep="first", maintain_order=True))
    return parts
