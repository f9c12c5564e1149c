"""The digest: one result object whose counts add up, whose bytes repeat, and in which no person can be found."""

import json
from dataclasses import replace
from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fupin_cli.ingest.sheet_report import SheetReport
from fupin_cli.report.digest import RuleReport, build_digest, to_json
from fupin_cli.report.masking import mask_id, mask_name, mask_text, masked_id, masked_name, masked_text
from fupin_cli.report.wording import PROBLEM_LABELS, problem_count, problem_words
from fupin_cli.vocabulary import (
    ACCOUNTS,
    EXTRACTS,
    FINDINGS,
    HOUSEHOLDS,
    LINKS,
    OUTCOMES,
    PERSONS,
    SET_ASIDE,
)
from report_world import AS_OF, World, id_number, make_world


@pytest.fixture(scope="module")
def world() -> World:
    """One invented run."""
    return make_world()


def test_totals_add_up(world: World):
    """Every breakdown of the digest sums to the frame it was made from."""
    digest = world.digest()
    assert digest.persons == world.persons.height
    assert sum(tally.count for tally in digest.households_by_county) == digest.households == world.households.height
    assert sum(tally.count for tally in digest.findings_by_rule) == digest.findings == world.findings.height
    assert sum(tally.findings for tally in digest.findings_by_place) == digest.findings
    assert sum(tally.review for tally in digest.findings_by_place) == digest.findings_under_review
    judged = sum(v.met + v.not_met + v.unknown + v.not_applicable for v in digest.verdicts)
    assert judged == digest.households
    assert sum(link.links for extract in digest.extracts for link in extract.links) == world.links.height
    assert digest.rows_read == digest.rows_used + digest.rows_set_aside
    assert digest.unbalanced == ()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_row_order_changes_nothing(world: World, seed: int):
    """Shuffled frames give the same bytes of JSON."""
    assert to_json(world.shuffled(seed).digest()) == to_json(world.digest())


def test_json_holds_no_person(world: World):
    """No name, ID number, household or person ID of any frame stands in the JSON."""
    text = to_json(world.digest())
    columns = ("name", "id_number", "id_raw", "head_name", "household_id", "person_id")
    personal = {value for name in columns for value in world.persons[name].drop_nulls().to_list()}
    personal |= set(world.findings["name"].drop_nulls().to_list())
    assert not [value for value in personal if value in text]


def test_json_is_plain_and_sorted(world: World):
    """Keys are sorted, dates are ISO text, Chinese is readable, the text ends with a newline."""
    text = to_json(world.digest())
    loaded = json.loads(text)
    assert list(loaded) == sorted(loaded)
    assert loaded["as_of"] == "2019-11-30"
    assert "青禾县" in text
    assert text.endswith("}\n")


def test_stage_only_province(world: World):
    """county | province || found by the province only: a finding the county also has is not counted."""
    one = world.findings.filter(pl.col("stage") == "county").head(1)
    both = pl.concat([one, one.with_columns(stage=pl.lit("province"))])
    late = one.with_columns(stage=pl.lit("province"), household_id=pl.lit("other"))
    digest = replace(world, findings=pl.concat([both, late])).digest()
    assert [tally.count for tally in digest.missed_by_county] == [1]
    assert sum(tally.count for tally in digest.cleared_by_province) == world.cleared.height


@pytest.mark.parametrize(
    ("read", "used", "aside", "reasons", "balanced"),
    [
        (10, 8, 2, 2, True),
        (10, 8, 1, 1, False),  # a row is lost
        (10, 8, 2, 1, False),  # a row is set aside without a reason
        (10, 10, 0, 0, True),
    ],
)
def test_account_balance(read: int, used: int, aside: int, reasons: int, balanced: bool):
    """read = used + set aside = used + rows with a reason, or the account says that it does not balance."""
    accounts = pl.DataFrame([("a.xlsx", "s", read, used, aside, 0, 0)], schema=ACCOUNTS.schema, orient="row")
    rows = [{"source": "a.xlsx", "sheet": "s", "row": n, "set_aside_reason": "footer"} for n in range(reasons)]
    digest = _digest(accounts=accounts, set_aside=SET_ASIDE.conform(pl.DataFrame(rows, schema=SET_ASIDE.schema)))
    assert digest.accounts[0].balanced is balanced
    assert len(digest.unbalanced) == (not balanced)


def test_rows_set_aside_without_an_account_are_seen():
    """Rows set aside from a sheet that no account names get an account that does not balance."""
    lost = pl.DataFrame({"source": ["b.csv"], "sheet": [None], "row": [3], "set_aside_reason": ["blank"]})
    digest = _digest(set_aside=lost)
    assert [account.source for account in digest.unbalanced] == ["b.csv"]


def test_one_workbook_for_two_extracts():
    """Each extract's account of the same sheet has its own reasons, where the frames say whose they are."""
    accounts = pl.DataFrame(
        {
            "source": ["民政.xlsx"] * 2,
            "sheet": ["名单"] * 2,
            "rows_read": [10, 10],
            "rows_used": [9, 7],
            "rows_set_aside": [1, 3],
            "rows_hidden": [0, 0],
            "columns_hidden": [0, 0],
            "extract": ["dibao", "tekun"],
        }
    )
    rows = [("民政.xlsx", "名单", n, "blank", "dibao" if n == 0 else "tekun") for n in range(4)]
    aside = pl.DataFrame(rows, schema=["source", "sheet", "row", "set_aside_reason", "extract"], orient="row")
    digest = _digest(accounts=accounts, set_aside=aside)
    assert digest.unbalanced == ()
    assert [(a.extract, a.reasons[0].count) for a in digest.accounts] == [("dibao", 1), ("tekun", 3)]
    lost = _digest(accounts=accounts.head(1), set_aside=aside)
    assert [(a.extract, a.balanced) for a in lost.accounts] == [("dibao", True), ("tekun", False)]


def test_hidden_footer_and_returned_rows_are_told(world: World):
    """file, sheet || hidden rows, hidden columns, footer rows, rows given back: the account of each sheet says so."""
    told = {
        (a.source, a.sheet): (a.rows_hidden, a.columns_hidden, a.rows_footer, a.rows_returned)
        for a in world.digest().accounts
    }
    assert told == {
        ("qinghe/register.xlsx", "台账"): (3, 1, 1, 3),
        ("qinghe/register.xlsx", "旧台账"): (4, 0, 0, 3),  # a blank row is nothing to mend
        ("qinghe/民政低保.xlsx", "Sheet1"): (0, 0, 1, 1),
        ("qinghe/民政低保.xlsx", "说明"): (0, 0, 0, 0),  # a sheet without people
        ("qinghe/公安.xlsx", "车辆"): (0, 2, 0, 0),
        ("baishi/register.xls", "台账"): (0, 0, 0, 0),
    }
    for account in world.digest().accounts:
        others = sum(reason.count for reason in account.other_reasons)
        assert account.rows_set_aside == account.rows_footer + others
    loaded = json.loads(to_json(world.digest()))
    assert loaded["digest_version"] == 3
    assert sum(account["rows_hidden"] for account in loaded["accounts"]) == 7


@pytest.mark.parametrize(
    ("kind", "detail", "count"),
    [
        ("unmapped_column", "2019", 1),
        ("unmapped_column", "备注: 5", 1),
        ("hidden_columns", "3", 3),
        ("hidden_rows", "1204", 1204),
        ("numeric_id_column", "id_number: 500", 500),
        ("unmatched_place", "上坪村、东沟村 等: 12", 12),
        ("other_file", "说明: 2", 1),
        ("password_used", "", 1),
        ("unreadable", "no header; 3 of 9 rows look like people", 1),
    ],
)
def test_problems_are_counted(kind: str, detail: str, count: int):
    """kind | detail || count: what is named by a header or a file is one, whatever digits stand in the name."""
    assert problem_count(kind, detail) == count


def test_every_problem_has_words():
    """Each kind of problem that reading can tell of has Chinese words and a unit."""
    told = SheetReport(
        source="a.xlsx",
        sheet="s",
        rows_read=9,
        rows_used=9,
        duplicates=(("name", "姓名"),),
        unmapped=(("备注", None),),
        missing=("name",),
        visible=False,
        hidden_rows=1,
        hidden_columns=1,
        errors=1,
        empty_formulas=1,
        likely_cut=True,
        only_identity=True,
        other_table=True,
        not_asked=True,
        people_unread=1,
        was_locked=True,
        others=("说明.doc",),
    )
    for kind, _ in told.problems():
        assert problem_words(kind) != kind
        assert kind in PROBLEM_LABELS


def test_notes_of_a_township_are_counted(world: World):
    """Findings of severity info are counted apart, since nobody in the township is asked about them."""
    findings = world.findings.with_columns(severity=pl.lit("info"))
    noted, found = replace(world, findings=findings).digest(), world.digest()
    assert (noted.findings, noted.notes, noted.findings_under_review) == (0, findings.height, 0)
    assert [(t.findings, t.notes) for t in noted.findings_by_place] == [
        (0, t.findings) for t in found.findings_by_place
    ]
    assert (found.findings, found.notes) == (findings.height, 0)
    assert not any(tally.notes for tally in world.digest().findings_by_place)


def test_empty_run():
    """A run without rows has a digest: zeros, and rules that were not run."""
    digest = _digest(
        rules=[RuleReport("CMP-VH1", "名下有车辆", "check", "lead", 0, 0, 0, 0, 0, not_run="没有车辆数据")]
    )
    assert (digest.persons, digest.findings, digest.verdicts) == (0, 0, ())
    assert digest.not_run[0].not_run == "没有车辆数据"
    assert json.loads(to_json(digest))["findings"] == 0


def test_counties_of_a_file(world: World):
    """A register file is known by its persons' counties; an extract's file by its coverage, where accounts name it."""
    accounts = world.accounts.with_columns(
        extract=pl.when(pl.col("source") == "qinghe/公安.xlsx").then(pl.lit("qinghe-vehicles"))
    )
    counties = {account.source: account.counties for account in replace(world, accounts=accounts).digest().accounts}
    assert counties["baishi/register.xls"] == ("白石县",)
    assert counties["qinghe/公安.xlsx"] == ("青禾县",)
    assert counties["qinghe/民政低保.xlsx"] == ()


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("990121196003010019", "990***********0019"),
        ("990121600301001", "990********1001"),
        ("12345678", "***"),
        ("9.90121197012077E+17", "9.9*************E+17"),
        ("", "***"),
        (None, None),
    ],
)
def test_mask_id(text: str | None, masked: str | None):
    """First 3 and last 4 stay; what is too short to hide in that way is hidden whole; both forms agree."""
    assert mask_id(text) == masked
    assert pl.DataFrame({"x": [text]}, schema={"x": pl.String}).select(masked_id("x")).item() == masked


@pytest.mark.parametrize(("text", "masked"), [("张三", "张*"), ("欧阳小梅", "欧*"), ("", ""), (None, None)])
def test_mask_name(text: str | None, masked: str | None):
    """One character and one star, whatever the length; both forms agree."""
    assert mask_name(text) == masked
    assert pl.DataFrame({"x": [text]}, schema={"x": pl.String}).select(masked_name("x")).item() == masked


@given(st.text(max_size=6), st.from_regex(r"[0-9]{14}[0-9]{0,10}[0-9Xx]", fullmatch=True), st.text(max_size=6))
def test_mask_text_hides_long_digit_runs(before: str, digits: str, after: str):
    """No run of 15 or more digits survives, and both forms agree."""
    masked = mask_text(before + digits + after)
    assert digits not in masked
    assert pl.DataFrame({"x": [before + digits + after]}).select(masked_text("x")).item() == masked
    assert mask_text("证件号码：9.90121197012077E+17") == "证件号码：9.90***E+17"
    assert mask_text("2019-11-30 共 1,240 行") == "2019-11-30 共 1,240 行"


def _digest(**frames: object):
    """A digest of empty frames, but for those given."""
    empty = {
        "persons": PERSONS.empty(),
        "households": HOUSEHOLDS.empty(),
        "accounts": ACCOUNTS.empty(),
        "set_aside": SET_ASIDE.empty(),
        "extracts": EXTRACTS.empty(),
        "links": LINKS.empty(),
        "outcomes": OUTCOMES.empty(),
        "findings": FINDINGS.empty(),
        "rules": (),
        "standards": ("NAT-H-0",),
    }
    about = {"project": "空", "as_of": AS_OF, "stages": ("county",), "program_version": "0"}
    return build_digest(**about, **(empty | frames))  # type: ignore[arg-type]


def test_invented_numbers_belong_to_nobody():
    """The IDs of these tests begin with 99, which is no region."""
    assert id_number(5).startswith("99")
    assert isinstance(AS_OF, date)


def test_each_household_is_counted_by_the_standard_that_applies():
    """The province's where it applies, else the nation's; and how many fell to which."""
    told = [
        ("H1", "SN-H-0", "not_met"), ("H1", "NAT-H-0", "met"),
        ("H2", "SN-H-0", "not_applicable"), ("H2", "NAT-H-0", "met"),
        ("H3", "SN-H-0", "not_applicable"), ("H3", "NAT-H-0", "not_applicable"),
    ]  # fmt: skip
    outcomes = OUTCOMES.conform(pl.DataFrame(told, schema=["household_id", "rule_id", "outcome"], orient="row"))
    homes = HOUSEHOLDS.conform(pl.DataFrame({"household_id": ["H1", "H2", "H3"], "county": ["青禾县"] * 3}))
    digest = _digest(outcomes=outcomes, households=homes, standards=("SN-H-0", "NAT-H-0"))
    (verdict,) = digest.verdicts
    assert (verdict.met, verdict.not_met, verdict.unknown, verdict.not_applicable) == (1, 1, 0, 1)
    assert [(use.rule_id, use.households) for use in digest.standards] == [("SN-H-0", 1), ("NAT-H-0", 1)]
