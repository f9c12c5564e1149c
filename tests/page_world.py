"""The page of the invented world of the report tests: what the page reads beside the digest."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import polars as pl

from fupin_cli.report.page import render_page
from fupin_cli.report.page_parts import Before, LedgerTable, PageFrames
from fupin_cli.report.page_sources import sources_shown
from report_world import AS_OF, World


def frames_of(world: World, **more: object) -> PageFrames:
    """The page's frames of a world; `more` replaces some of them."""
    evidence = pl.DataFrame(
        {
            "extract": ["qinghe-dibao"] * 4,
            "name": ["甲", "乙", None, "丙"],
            "id_raw": ["1", None, None, "3"],
            "id_status": ["valid", "missing", "missing", "bad_check_digit"],
        }
    )
    people = world.persons.select(pl.lit("register").alias("extract"), "name", "id_raw", "id_status")
    frames = PageFrames(
        findings=world.findings,
        cleared=world.cleared,
        decided=world.outcomes.filter(pl.col("rule_id") == "NAT-H-0"),
        households=world.households,
        links=world.links,
        sources=sources_shown(
            AS_OF,
            world.extracts,
            world.accounts.with_columns(extract=pl.lit("register")),
            [people, evidence],
            world.links,
        ),
        accept_bits=4.2,
        review_bits=-3.2,
    )
    return replace(frames, **more)


def page_of(world: World, **more: object) -> str:
    """The page of a world."""
    return render_page(world.digest(), frames_of(world, **more))


def ledger_of_two_rounds() -> list[LedgerTable]:
    """A ledger that has seen two rounds and one county's answers."""
    rounds = pl.DataFrame(
        {"round": [1, 2], "as_of": ["2019-09-30", "2019-10-31"], "found": [90, 70], "new": [90, 10], "cleared": [0, 30]}
    )
    heads = [("round", "轮次", "round"), ("as_of", "比对日期", "as of"), ("found", "疑点", "found")]
    heads += [("new", "新增", "new"), ("cleared", "数据消除", "cleared")]
    names = ("cases", "to_send", "out", "overdue", "answered", "disputed", "closed", "cleared", "exempt")
    states = pl.DataFrame([("青禾县", 100, 10, 20, 5, 30, 1, 20, 15, 4)], schema=["county", *names], orient="row")
    return [
        LedgerTable("trend", ("历轮比对", "rounds"), heads, rounds),
        LedgerTable(
            "by_county",
            ("各县疑点办理情况", "findings by county"),
            [("county", "县", "county"), *((name, name, name) for name in names)],
            states,
        ),
    ]


def round_before(world: World) -> Before:
    """An earlier round that had fewer people, and whose findings are half of those of today and three others."""
    half = world.findings.sort("finding_key")["finding_key"].head(world.findings.height // 2)
    numbers = (world.persons.height - 12, half.len() + 3, 0, 0, 0)
    return Before(date(2019, 9, 30).isoformat(), numbers, pl.concat([half, pl.Series(["x1", "x2", "x3"])]))
