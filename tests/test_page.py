"""report.html: one file without script or outside address, aggregates only, every number as it is."""

import re
import stat
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from fupin_cli.report.digest import Digest, Problem, VerdictTally
from fupin_cli.report.page import render_page, write_page
from fupin_cli.report.source_account import Tally
from report_world import World, id_number, make_world


@pytest.fixture(scope="module")
def world() -> World:
    """One invented run."""
    return make_world()


@pytest.fixture(scope="module")
def digest(world: World) -> Digest:
    """The digest of that run."""
    return world.digest()


class Tags(HTMLParser):
    """Collects tags and attributes, and holds that what is opened is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Called by the parser."""
        self.seen.append((tag, dict(attrs)))
        if tag not in {"meta", "br"}:
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


def test_self_contained(digest: Digest):
    """No script, no address, no event handler; every tag that opens is closed."""
    page = render_page(digest)
    tags = _tags(page)
    assert not {"script", "link", "img", "iframe", "a", "form"} & {tag for tag, _ in tags.seen}
    assert not [
        name for _, attributes in tags.seen for name in attributes if name.startswith("on") or name in {"src", "href"}
    ]
    assert "http" not in page
    assert "url(" not in page


def test_written_private_and_repeatable(digest: Digest, world: World, tmp_path: Path):
    """The page is readable by its owner only, and shuffled frames give the same bytes."""
    write_page(tmp_path / "report.html", digest)
    write_page(tmp_path / "again.html", world.shuffled(7).digest())
    assert stat.S_IMODE((tmp_path / "report.html").stat().st_mode) == 0o600
    assert (tmp_path / "report.html").read_bytes() == (tmp_path / "again.html").read_bytes()


def test_no_person(digest: Digest, world: World):
    """No name and no ID of any frame is on the page."""
    page = render_page(digest)
    personal = (
        set(world.persons["name"]) | set(world.persons["id_number"].drop_nulls()) | set(world.persons["household_id"])
    )
    assert not [value for value in personal if value in page]


def test_labels_are_escaped_and_masked(digest: Digest):
    """A label that is markup shows as text, and an ID number typed into a header is masked."""
    nasty = Problem("unmapped_column", "a<b>.xlsx", "S&T", f'"><script>alert(1)</script> {id_number(3)}')
    page = render_page(replace(digest, problems=(nasty,), project="<i>x</i>"))
    assert "<script" not in page
    assert "<i>x</i>" not in page
    assert "a&lt;b&gt;.xlsx" in page
    assert id_number(3) not in page
    _tags(page)


def test_bars_and_numbers_tell_the_same(digest: Digest):
    """Every number is told as it is, and the verdict bar is in its proportion: 83 of 240 not met is no small red end."""
    verdict = VerdictTally("青禾县", 153, 83, 4, 0, (Tally("已脱贫", 22), Tally("未脱贫", 57), Tally(None, 4)))
    page = render_page(replace(digest, verdicts=(verdict,)))
    row = page.split("退出标准判定")[1].split("<tbody>")[1].split("</tr>")[0]
    assert re.findall(r'class="n"[^>]*>([^<]*)<', row) == ["240", "153", "83", "22", "57", "4", "4", "0"]
    widths = [float(width) for width in re.findall(r'<rect[^>]* width="([^"]*)"', row)]
    assert [round(width / 260 * 240) for width in widths] == [153, 83, 4]
    assert "其中已脱贫" in page
    assert "其中未注明" in page


def test_one_rule_of_disclosure(digest: Digest):
    """A count is told in every table where it stands, none is of a place below the township, and the page says so."""
    page = render_page(digest)
    assert "&lt;5" not in page
    assert "不按乡镇分列疑点类型" in page
    counts: dict[str, int] = {}
    for tally in digest.findings_by_rule:
        counts[tally.rule_id] = counts.get(tally.rule_id, 0) + tally.count
    section = page.split("各类疑点")[1].split("</section>")[0]
    for rule, count in counts.items():
        row = section.split(f"<code>{rule}</code>")[1].split("</tr>")[0]
        assert re.findall(r'class="n"[^>]*>([^<]*)<', row)[0] == f"{count:,}"


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
def test_problems_in_words(digest: Digest, kind: str, detail: str, said: str):
    """What is odd about a file is said in Chinese, with its field and its unit."""
    assert said in render_page(replace(digest, problems=(Problem(kind, "a.xlsx", None, detail),)))


def test_fits_a_narrow_window(digest: Digest):
    """Every cell that holds text carries its header, for the narrow layout that stacks them; names never break."""
    page = render_page(digest)
    assert "max-width: 760px" in page
    cells = re.findall(r"<td([^>]*)>(.)", page)
    assert all("data-h" in attributes for attributes, first in cells if first != "<")
    assert re.search(r'<td class="w" data-h="疑点类型">', page)


def test_what_was_not_run_is_said(digest: Digest):
    """A rule that was not run is named with its reason, and a sheet that does not balance is marked."""
    page = render_page(digest)
    assert "未运行：没有工商数据（companies）" in page
    off = replace(digest.accounts[0], rows_used=digest.accounts[0].rows_used - 1)
    assert "不符" in render_page(replace(digest, accounts=(off, *digest.accounts[1:])))


def test_every_less_than_sign_is_a_tag_or_escaped(digest: Digest):
    """No bare <5 stands in the markup."""
    assert not re.search(r"<[^a-zA-Z/!]", render_page(digest))


def test_every_sheet_is_accounted_for(digest: Digest):
    """file, sheet | read, used, set aside, footer | other reasons | hidden rows and columns | balance, and their sums."""
    section = render_page(digest).split("读入对账")[1].split("</section>")[0]
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in section.split("<tbody>")[1].split("</tr>")[:-1]]
    told = {(row[0], row[1]): row[2:] for row in rows}
    assert told["qinghe/register.xlsx", "台账"][2:] == [
        "6",
        "1",
        "表头 1；无户编号（或户编号末几位丢失） 2；无姓名且无证件号码 1；标题行 1",
        "3",
        "1",
        "相符",
    ]
    assert told["qinghe/公安.xlsx", "车辆"] == ["1,240", "1,240", "0", "0", "", "0", "2", "相符"]
    sums = [int(re.sub("[^0-9]", "", cell) or 0) for cell in told["<b>合计</b>", ""][:4]]
    assert sums == [digest.rows_read, digest.rows_used, digest.rows_set_aside, 2]
    assert f"{digest.rows_returned} 行退回报送单位更正" in section
