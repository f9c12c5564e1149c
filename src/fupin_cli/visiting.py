"""Must-visit lists on one page: a run directory → who must be visited, who was, who is left, and the coverage of every place."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from fupin_cli.audit.coverage import STATES, TO_DO, Coverage, MustVisit, cover, coverage_of, must_visit_rules
from fupin_cli.errors import UsageError
from fupin_cli.kept_rules import folders_for
from fupin_cli.language import tr
from fupin_cli.layout import DIGEST
from fupin_cli.manifest import no_run, refuse_changed
from fupin_cli.project import rules_folders
from fupin_cli.report.naming import file_names
from fupin_cli.report.table_book import Part
from fupin_cli.report.visit_book import COUNT_HEADERS, share_words, write_coverage, write_worklist
from fupin_cli.report.wording import place
from fupin_cli.rulebook import packs_of
from fupin_cli.rules import applies_to, binds_part, nearest
from fupin_cli.rundir import MANIFEST, VISITS, publish, sha256, write_manifest
from fupin_cli.vocabulary import PLACES

_READ = ("households", "outcomes", "findings")  # of a run, beside its digest
_COUNTS = ("must", "visited", "left", "untold", "unsure")


@dataclass(frozen=True)
class Visits:
    """The coverage of a run, by townships and over all; villages that must be visited though nobody there is registered."""

    as_of: date
    rules: tuple[tuple[str, str], ...]
    not_judged: Mapping[str, str]
    whole: Mapping[str, object]
    townships: pl.DataFrame
    villages: pl.DataFrame
    empty_villages: pl.DataFrame
    books: int


def must_visit(
    run: Path, *, only: Sequence[str] = (), target: Path | None = None, project: Path | None = None
) -> Visits:
    """Who must be visited by the rules of a run, and who was; with `target` worklists are written there, whole or not at all."""
    households, outcomes, findings, manifest, not_run = _opened(run)
    jurisdiction, as_of = manifest["judged_for"]["jurisdiction"], date.fromisoformat(manifest["as_of"])
    judged = set(outcomes["rule_id"].unique())
    folders, _ = folders_for(run, project, rules_folders(project / "rules" if project else None))
    packs = [pack for pack in packs_of(folders) if applies_to(pack, jurisdiction) or binds_part(pack, jurisdiction)]
    every = must_visit_rules(packs)
    asked = [rule for rule in every.rules if rule.id in judged]
    _refuse_unknown([rule.id for rule in asked], only, jurisdiction)
    must = MustVisit(tuple(rule for rule in asked if not only or rule.id in only), every.facts, every.villages)
    covered = cover(households, outcomes, must, not_run)
    empty = findings.filter(pl.col("rule_id").is_in([rule.id for rule in must.villages]))
    visits = Visits(
        as_of, tuple((rule.id, rule.title) for rule in must.rules), covered.not_judged,
        coverage_of(covered.households, []).row(0, named=True), _worded(coverage_of(covered.households, PLACES[:2])),
        _worded(coverage_of(covered.households, PLACES)), empty.select(*PLACES, "title").sort(*PLACES, nulls_last=True), 0,
    )  # fmt: skip
    if target is None:
        return visits
    with publish(target, kind=VISITS) as folder:
        books = _write(folder, visits, covered)
        write_manifest(folder, {"kind": VISITS, "run_sha256": sha256(run / MANIFEST), "as_of": as_of.isoformat(),
                                "rules": [rule for rule, _ in visits.rules]})  # fmt: skip
    return replace(visits, books=books)


def _opened(run: Path) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, dict[str, Any], dict[str, str]]:
    manifest = refuse_changed(run, (DIGEST, *(f"{name}.parquet" for name in _READ)))
    try:
        digest = json.loads((run / DIGEST).read_text(encoding="utf-8"))
        frames = [pl.read_parquet(run / f"{name}.parquet") for name in _READ]
        not_run = {rule["rule_id"]: rule["not_run"] for rule in digest["rules"] if rule["not_run"]}
        date.fromisoformat(manifest["as_of"])
    except (ValueError, KeyError, TypeError):
        raise no_run(run) from None
    return frames[0], frames[1], frames[2], manifest, not_run


def _refuse_unknown(known: Sequence[str], only: Sequence[str], jurisdiction: str) -> None:
    for name in only:
        if name not in known:
            raise UsageError(
                tr("{name} was not judged in this run, or does not ask who was visited", name=name),
                try_=tr("--rule {nearest}", nearest=nearest(name, known))
                if nearest(name, known)
                else tr("fupin rules list"),
            )
    if not known:
        raise UsageError(
            tr("no rule of this run asks who was visited (jurisdiction {jurisdiction})", jurisdiction=jurisdiction),
            why=tr("Henan's and Gansu's packs do; another place's can, with a fact of the extract visits"),
            try_=tr("fupin rules show HA-V1 shows how one is written"),
        )


def _worded(counts: pl.DataFrame) -> pl.DataFrame:
    """The counts with `share` in words."""
    words = [share_words(low, high) for low, high in counts.select("low", "high").rows()]
    return counts.with_columns(pl.Series("share", words, pl.String))


def _write(folder: Path, visits: Visits, covered: Coverage) -> int:
    """How many townships' workbooks were written beside the coverage."""
    rows = covered.households.with_columns(
        *(pl.col(level).fill_null(place(None, level)) for level in PLACES),
        state_words=pl.col("state").replace(STATES),
    )
    counts = visits.villages.with_columns(pl.col(level).fill_null(place(None, level)) for level in PLACES)
    lines = _lines(visits)
    parts = rows.partition_by(PLACES[:2], as_dict=True, maintain_order=True)
    names = file_names(f"{county}_{township}_必到户走访清单_{visits.as_of}" for county, township in parts)
    for name, ((county, township), part) in zip(names, parts.items(), strict=True):
        villages = [
            (str(village), own.filter(pl.col("state").is_in(TO_DO)), _counts_of(counts, county, township, village))
            for (village,), own in part.partition_by("village", as_dict=True, maintain_order=True).items()
        ]
        write_worklist(folder / f"{name}.xlsx", str(county), str(township), villages, lines, visits.as_of)
    heads = tuple((name, header, 13.0) for name, header in zip(_COUNTS, COUNT_HEADERS, strict=True))
    county, township, village = (
        ("county", "县（市、区）", 16.0),
        ("township", "乡镇", 16.0),
        ("village", "行政村", 16.0),
    )
    share = ("share", "覆盖率", 16.0)
    by_county = _worded(coverage_of(covered.households, PLACES[:1]))
    asked = pl.DataFrame(
        [(rule, title, visits.not_judged.get(rule, "")) for rule, title in visits.rules], orient="row",
        schema={"rule": pl.String, "title": pl.String, "why": pl.String},
    )  # fmt: skip
    tables = [
        Part("各县", "应到户的走访覆盖率；有无法判断的，给出上下限。", (county, *heads, share), by_county),
        Part("各乡镇", "同上。", (county, township, *heads, share), visits.townships),
        Part("各村", "同上。", (county, township, village, *heads, share), visits.villages),
        Part("没有登记人口的村", "按要求必到；走访记录以户编号相接，是否到访须另行核对。",
             (county, township, village, ("title", "依据", 40.0)), visits.empty_villages),
        Part("应到依据", "判断应到的规则；写明原因的没有计入。",
             (("rule", "规则", 14.0), ("title", "名称", 40.0), ("why", "未计入的原因", 50.0)), asked),
    ]  # fmt: skip
    told = {header: int(str(visits.whole[name])) for name, header in zip(_COUNTS, COUNT_HEADERS, strict=True)}
    write_coverage(folder / f"走访覆盖情况_{visits.as_of}.xlsx", "必到户走访覆盖情况", visits.as_of, tables,
                   {**told, **{part.name: part.rows.height for part in tables}})  # fmt: skip
    return len(names)


def _counts_of(counts: pl.DataFrame, county: object, township: object, village: object) -> dict[str, object]:
    here = (pl.col("county") == county) & (pl.col("township") == township) & (pl.col("village") == village)
    return counts.filter(here).row(0, named=True)


def _lines(visits: Visits) -> list[str]:
    judged = "、".join(title for rule, title in visits.rules if rule not in visits.not_judged)
    lost = [
        f"没有计入：{title}（{visits.not_judged[rule]}）。" for rule, title in visits.rules if rule in visits.not_judged
    ]
    return [
        f"应到的依据：{judged or '无'}。",
        *lost,
        "各村清单只列未到和无法判断的户；已到的不列。",
        "“是否到访不明”：走访记录没有报来，或不覆盖本县、本日期。“是否应到不明”：台账缺少判断应到所需的内容。",
        "覆盖率＝已到／应到；有不明的，下限按全不利算，上限按全有利算。",
        "本表含个人信息，只供核查使用，不得转发、张贴；用完按规定保管或销毁。",
    ]
