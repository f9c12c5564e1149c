"""report.html as text: one file that asks nobody for anything, the same bytes twice, persons masked, every number as it is."""

import base64
import hashlib
import json
import re
import stat
from dataclasses import asdict, replace
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest

from conftest import SAMPLE, fupin_process
from fupin_cli.report import charts, page_cases, page_places
from fupin_cli.report.digest import Digest, LinkTally, Problem, VerdictTally
from fupin_cli.report.link_words import steps
from fupin_cli.report.page import render_page, write_page
from fupin_cli.report.page_parts import five_numbers
from fupin_cli.report.source_account import Tally
from page_world import frames_of, ledger_of_two_rounds, page_of, round_before
from report_world import HOSTILE, World, id_number, make_world


@pytest.fixture(scope="module")
def world() -> World:
    """One invented run."""
    return make_world()


@pytest.fixture(scope="module")
def digest(world: World) -> Digest:
    """The digest of that run."""
    return world.digest()


@pytest.fixture(scope="module")
def page(world: World) -> str:
    """Its page."""
    return page_of(world)


class Tags(HTMLParser):
    """Collects tags and attributes, and holds that what is opened is closed."""

    VOID = frozenset({"meta", "br", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Called by the parser."""
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Called by the parser."""
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Called by the parser."""
        assert self.open.pop() == tag


def _tags(page: str) -> Tags:
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    return tags


def _section(page: str, name: str) -> str:
    return page.split(f'<section id="{name}"')[1].split("</section>", maxsplit=1)[0]


def _rows(part: str) -> list[list[str]]:
    return [
        re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)
        for row in part.split("<tbody>")[1].split("</tbody>", maxsplit=1)[0].split("</tr>")[:-1]
    ]


def test_self_contained(page: str):
    """Nothing is fetched and nothing leads out: addresses are anchors of this page; no handlers, no styles beside the sheet."""
    tags = _tags(page)
    assert not {"link", "img", "iframe", "object", "embed", "base"} & {tag for tag, _ in tags.seen}
    attributes = [(name, value or "") for _, found in tags.seen for name, value in found.items()]
    assert not [name for name, _ in attributes if name.startswith("on") or name in {"src", "style", "action"}]
    assert all(value.startswith("#") for name, value in attributes if name == "href")
    outside = re.sub(r"http-equiv|http://example.invalid/x", "", page)  # what an extract's cell says is text
    assert "http" not in outside
    assert set(re.findall(r"url\((.)", page)) == {"#"}


def test_policy_allows_only_what_stands_inside(page: str):
    """The content security policy names the hashes of the very sheet and script, and nothing else may load."""
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    for tag, rule in (("style", "style-src"), ("script", "script-src")):
        text = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{rule} 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


def test_written_private_and_repeatable(world: World, tmp_path: Path):
    """The page is readable by its owner only, and shuffled frames give the same bytes."""
    for name, one in (("report.html", world), ("again.html", world.shuffled(7))):
        write_page(
            tmp_path / name, one.digest(), frames_of(one, ledger=ledger_of_two_rounds(), before=round_before(world))
        )
    assert stat.S_IMODE((tmp_path / "report.html").stat().st_mode) == 0o600
    assert (tmp_path / "report.html").read_bytes() == (tmp_path / "again.html").read_bytes()


def test_persons_are_masked_unless_asked_for(world: World, page: str):
    """No whole name, ID or household number of any frame is on the page; unmasked they are, and the page says so."""
    personal = (
        set(world.persons["name"]) | set(world.persons["id_number"].drop_nulls()) | set(world.persons["household_id"])
    )
    assert not [value for value in personal if value in page]
    whole = page_of(world, unmask=True)
    shown = world.findings.filter(pl.col("name").str.starts_with("=").not_()).row(0, named=True)
    assert all(shown[column] in whole for column in ("name", "id_number", "household_id"))
    assert "本页含完整姓名和证件号码" in whole
    assert "本页含完整姓名和证件号码" not in page


def test_labels_are_escaped_and_masked(world: World, digest: Digest):
    """A label that is markup shows as text, an ID number typed into a header is masked, hostile cells stay text."""
    nasty = Problem("unmapped_column", "a<b>.xlsx", "S&T", f'"><script>alert(1)</script> {id_number(3)}')
    page = render_page(replace(digest, problems=(nasty,), project="<i>x</i>"), frames_of(world))
    assert "<script>alert" not in page
    assert "<i>x</i>" not in page
    assert "a&lt;b&gt;.xlsx" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert id_number(3) not in page
    assert HOSTILE[2] in _section(page, "cases")
    _tags(page)


def test_charts_escape_labels(world: World):
    """A kind of finding or a place that is markup stays text in the charts."""
    found = world.findings.with_columns(title=pl.lit("<b>&"), department=pl.lit("<u>"))
    page = page_of(world, findings=found)
    assert "&lt;b&gt;&amp;</text>" in page
    assert "<u>" not in page


def test_five_numbers_and_their_change(world: World):
    """Five numbers; where a round before is known, each with its change, and the findings new, kept and gone."""
    assert "较上轮" not in page_of(world)
    before = round_before(world)
    page = _section(page_of(world, before=before), "numbers")
    assert page.count("<li>") == 5
    assert "较上轮 +12" in page
    assert f"较上轮 +{world.findings.height - before.numbers[1]}" in page
    kept = before.keys.n_unique() - 3
    assert f"新增疑点 {world.findings['finding_key'].n_unique() - kept:,} 条，延续 {kept:,} 条，消除 3 条" in page


def test_notes_are_no_clues(world: World):
    """Notes accuse nobody: headline, tree and terminal count the clues, tell the notes apart, and together they are all."""
    noted = world.findings["rule_id"][0]
    note = pl.col("rule_id") == noted
    marked = world.findings.with_columns(severity=pl.when(note).then(pl.lit("info")).otherwise("severity"))
    clues = marked.filter(~note)
    told = replace(world, findings=marked).digest()
    numbers = {name: (count, beneath) for name, count, beneath in five_numbers(asdict(told))}
    assert numbers["疑点"][0] == clues.height == told.findings
    assert f"另有提示 {marked.height - clues.height:,} 条" in numbers["疑点"][1]
    assert numbers["涉及户"][0] == clues["household_id"].drop_nulls().n_unique()
    roots = page_places.places(marked, world.households, frames_of(world).decided)
    assert sum(root.counts["findings"] for root in roots) == clues.height
    assert sum(root.counts["notes"] for root in roots) == told.notes
    assert sum(root.counts["touched"] for root in roots) == numbers["涉及户"][0]


def test_tree_sums_up(world: World, digest: Digest):
    """Every finding stands in one county, township and village; parts add up to their whole at each branch."""
    roots = page_places.places(world.findings, world.households, frames_of(world).decided)
    assert sum(root.counts["findings"] for root in roots) == digest.findings
    assert sum(root.counts["notes"] for root in roots) == digest.notes
    assert sum(root.counts["not_met"] for root in roots) == sum(verdict.not_met for verdict in digest.verdicts)
    for branch in (*roots, *(town for root in roots for town in root.below)):
        if branch.below:
            for count in ("findings", "review", "notes", "homes", "not_met", "unknown"):
                assert branch.counts[count] == sum(one.counts[count] for one in branch.below)


def test_too_many_villages_are_said(world: World, monkeypatch: pytest.MonkeyPatch):
    """A province's thousands of villages are left to the workbooks, and the page says so."""
    monkeypatch.setattr(page_places, "MOST_VILLAGES", 3)
    page = page_of(world)
    assert "本页只列到乡镇" in page
    assert "上坪村" not in _section(page, "places")


def test_criteria_tell_the_unknown(world: World, digest: Digest):
    """Of each criterion stand met, not met, unknown and not applicable, and they add up to the households judged."""
    verdict = VerdictTally("青禾县", 153, 83, 4, 0, (Tally("已脱贫", 22), Tally("未脱贫", 57), Tally(None, 4)))
    page = _section(render_page(replace(digest, verdicts=(verdict,)), frames_of(world)), "verdicts")
    assert "未达标 83　无法判断 4" in page
    row = next(row for table in page.split("<table>")[1:] for row in _rows(table) if row[0] == "青禾县")
    assert row[1:] == ["240", "153", "83", "22", "57", "4", "4", "0"]
    assert "其中未注明" in page


def test_tables_behind_charts_tell_every_finding(page: str, digest: Digest):
    """Behind each chart stands a table; the kinds' table tells every rule as the digest does, in each band."""
    figures = re.findall(r"<figure>(.*?)</figure>", page, re.DOTALL)
    assert len(figures) >= 5
    assert all('role="img"' in figure and "<table>" in figure for figure in figures)
    rows = {row[1]: [int(cell.replace(",", "")) for cell in row[3:]] for row in _rows(_section(page, "kinds"))}
    counts: dict[str, int] = {}
    for tally in digest.findings_by_rule:
        counts[tally.rule_id] = counts.get(tally.rule_id, 0) + tally.count
    assert {rule: row[0] for rule, row in rows.items()} == counts
    assert all(row[0] == sum(row[1:]) for row in rows.values())


def test_cases_are_capped_and_it_is_said(world: World, monkeypatch: pytest.MonkeyPatch):
    """A large round shows some of every rule, weightier rules first, and says how many there are and where they stand."""
    monkeypatch.setattr(page_cases, "MOST_CASES", 20)
    page = page_of(world)
    assert page.count('<details class="case"') == 20
    assert f"共疑点 {world.findings.height} 条，本页列 20 条" in page
    assert "疑点总表" in page
    kept = page_cases.chosen(world.findings)
    assert set(kept["rule_id"]) == set(world.findings["rule_id"])
    assert kept["severity"][0] == "veto"
    assert page_cases.chosen(world.findings.reverse()).equals(kept)


def test_a_case_shows_both_sides(world: World, page: str):
    """Register and department stand side by side, each with its source, sheet and row, and the day of the department's data."""
    found = world.findings.filter(pl.col("department").is_not_null(), pl.col("extract_source").is_not_null()).row(
        0, named=True
    )
    case = page.split(f'id="c-{found["finding_key"]}"')[1].split("</details>", maxsplit=1)[0]
    for told in ("register_source", "department_value", "extract_source"):
        assert found[told] in case
    assert f"第 {found['register_at']} 行" in case
    assert f"{found['as_of']}" in case


def test_waterfall_adds_up():
    """The steps of a link are its weight, and each bar begins where the one before it ended."""
    link = {
        "basis": "exact_id", "match_weight": 19.9, "match_probability": 0.999999, "bits_prior": -13.0, "bits_id_number": 22.0,
        "id_number_level": "exact", "bits_name": 10.9, "name_level": "exact", "bits_birth": 0.0, "birth_level": "equal",
        "decision": "accepted",
    }  # fmt: skip
    falls = page_cases._waterfall(link, "证件号码一致")
    assert round(sum(step.bits for step in steps(link)), 1) == link["match_weight"]
    assert [round(fall.x + fall.wide, 6) for fall in falls.steps[1:3]] == [round(22 / 32.9 * 100, 6), 100]
    assert round(falls.zero, 6) == round(13 / 32.9 * 100, 6)


def test_a_long_label_of_a_bar_stands_on_two_lines():
    """Broken at a blank or before a bracket, in Chinese anywhere; what two lines do not hold is cut."""
    assert charts._broken("Runs a company", 176)[0] == ["Runs a company"]
    assert charts._broken("Exited without reaching the standard", 176)[0] == ["Exited without reaching", "the standard"]
    assert charts._broken("市场监管企业和个体工商户（省级）", 176)[0] == ["市场监管企业和个体工商户", "（省级）"]
    assert "".join(charts._broken("台账登记参保而医保名单未见当年在保", 176)[0]) == "台账登记参保而医保名单未见当年在保"
    assert charts._broken("字" * 40, 176)[0][1].endswith("…")


def test_ledger_and_trend(world: World):
    """What the ledger knows stands in a section of its own; without a ledger there is none."""
    assert 'id="ledger"' not in page_of(world)
    part = _section(page_of(world, ledger=ledger_of_two_rounds()), "ledger")
    assert part.count('role="img"') == 2
    assert "2019-10-31" in part
    assert "消除或豁免" in part


@pytest.mark.parametrize(
    ("kind", "detail", "said"),
    [
        ("lost_digits", "id_number: 23", "被截断的长号码：证件号码 23 个"),
        ("hidden_rows", "3", "隐藏的行（已读入）：3 行"),
        ("hidden_columns", "3", "隐藏的列（已读入）：3 列"),
        ("unmatched_place", "上坪村、东沟村 等: 12", "台账中没有的地名（未猜测）：上坪村、东沟村 等 12 个"),
        ("other_file", "说明.doc", "压缩包中不是表格的文件（未读）：说明.doc"),
        ("password_used", "", ">用密码打开<"),
        ("missing_column", "township", "缺少的列：乡镇"),
        ("duplicate_column", "电话 → village", "重复的列：电话 → 行政村"),
        ("unmapped_column", "姓名1（name?）", "未识别的列（未使用）：姓名1（疑为姓名）"),
        ("unmapped_column", "2019", "未识别的列（未使用）：2019"),
        ("likely_cut", "65536", "可能被截断（行数恰为表格上限，或末行不完整）：65,536 行"),
        ("unreadable", "no header; 3 of 9 rows look like people", "无法读取：没有表头；9 行中有 3 行像是人员"),
    ],
)
def test_problems_in_words(world: World, digest: Digest, kind: str, detail: str, said: str):
    """What is odd about a file is said in Chinese, with its field and its unit."""
    assert said in render_page(replace(digest, problems=(Problem(kind, "a.xlsx", None, detail),)), frames_of(world))


def test_what_was_not_run_is_said(world: World, digest: Digest, page: str):
    """A rule that was not run is named with its reason, and a sheet that does not balance is marked."""
    assert "未运行：没有工商数据（companies）" in page
    off = replace(digest.accounts[0], rows_used=digest.accounts[0].rows_used - 1)
    assert "不符" in render_page(replace(digest, accounts=(off, *digest.accounts[1:])), frames_of(world))


def test_every_sheet_is_accounted_for(digest: Digest, page: str):
    """file, sheet | read, used, set aside, footer | other reasons | hidden rows and columns | balance, and their sums."""
    section = page.split('id="accounts"')[1].split("</details>", maxsplit=1)[0]
    told = {(row[0], row[1]): row[2:] for row in _rows(section)}
    assert told["qinghe/register.xlsx", "台账"][2:] == [
        "6",
        "1",
        "表头 1；无户编号（或户编号末几位丢失） 2；无姓名且无证件号码 1；标题行 1",
        "3",
        "1",
        "相符",
    ]
    assert told["qinghe/公安.xlsx", "车辆"] == ["1,240", "1,240", "0", "0", "", "0", "2", "相符"]
    sums = [int(re.sub("[^0-9]", "", cell) or 0) for cell in told["合计", ""][:4]]
    assert sums == [digest.rows_read, digest.rows_used, digest.rows_set_aside, 2]
    assert f"{digest.rows_returned} 行退回报送单位更正" in section


def test_sources_know_their_numbers(world: World):
    """A source's valid, faulty and absent ID numbers are the rows that name somebody; a row without a person is none."""
    one = frames_of(world).sources.filter(pl.col("extract") == "qinghe-dibao").row(0, named=True)
    assert (one["people"], one["valid"], one["broken"], one["absent"]) == (3, 1, 1, 1)


@pytest.mark.slow  # two whole runs of the sample; test_privacy holds the record itself
def test_unmasking_is_asked_for_and_kept_on_record(demo: Path, tmp_path: Path):
    """`fupin run --unmask --previous` writes whole names, the change since then, and both facts into the manifest."""
    done = fupin_process("run", SAMPLE, "--unmask", "--previous", demo, "-o", tmp_path / "run", "-q")
    assert done.returncode == 0, done.stderr
    told, masked = (
        json.loads((run / "manifest.json").read_text(encoding="utf-8"))["report"] for run in (tmp_path / "run", demo)
    )
    assert told["unmasked"] is True
    assert masked == {"unmasked": False}
    assert told["previous"] == hashlib.sha256((demo / "manifest.json").read_bytes()).hexdigest()
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    names = pl.read_parquet(demo / "findings.parquet").filter(pl.col("rule_id") == "CMP-PS1")["name"].to_list()
    assert all(name in page for name in names)
    assert not [name for name in names if name in (demo / "report.html").read_text(encoding="utf-8")]
    assert "较上轮 持平" in page
    refused = fupin_process("run", SAMPLE, "--previous", tmp_path, "-o", tmp_path / "no")
    assert refused.returncode == 66
    assert "--previous" in refused.stderr


def test_sources_of_links_are_told_apart(world: World, digest: Digest):
    """By county, and two of one county by their own names; each basis once, and nothing of candidates that were dismissed."""
    dismissed = LinkTally("name_place", "rejected", links=9, persons=9, tied=1)
    waiting = LinkTally("exact_id", "review", links=2, persons=2, tied=1)
    first = next(one for one in digest.extracts if one.extract == "qinghe-dibao")
    first = replace(first, links=(*first.links, waiting, dismissed))
    twice = replace(digest, extracts=(first, replace(first, extract="qinghe-dibao-2"), *digest.extracts[2:]))
    for told, names in (
        (digest, ["民政低保（青禾县）"]),
        (twice, ["民政低保（青禾县） qinghe-dibao", "民政低保（青禾县） qinghe-dibao-2"]),
    ):
        page = render_page(told, frames_of(world, links=world.links.with_columns(match_weight=9.0)))
        rows = _rows(page.split("<figcaption>逐份数据的关联")[1])
        assert [row for row in rows if row[0] in names and row[2] == "证件号码一致"] == [
            [name, "县级比对（录入前）", "证件号码一致", "57", *(["2", "1"] if told is twice else ["0", "0"])]
            for name in names
        ]
        assert not [row for row in rows if row[0] in names and row[2] == "姓名、村一致"]


def test_a_page_in_english(world: World, monkeypatch: pytest.MonkeyPatch):
    """Headings, legends, heads of tables and the filter are English where that was asked for; what data say stays."""
    more = {"ledger": ledger_of_two_rounds(), "before": round_before(world)}
    chinese = page_of(world, **more)
    monkeypatch.setenv("FUPIN_REPORT_LANG", "en")
    page = page_of(world, **more)
    assert '<html lang="en">' in page
    assert '<html lang="zh-CN">' in chinese
    for words in (r"<h2>(.*?)</h2>", r"<th [^>]*>(.*?)</th>", r"<figcaption>(.*?)</figcaption>", r"<label[^>]*>(.*?)<"):
        told = re.findall(words, page)
        assert told
        assert len(told) == len(re.findall(words, chinese))
        assert not [text for text in told if re.search("[\u4e00-\u9fff]", text)]
    assert "since the last round: +12" in page
    assert "<small" not in page + chinese  # one language at a time
