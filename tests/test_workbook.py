"""The workbooks, read back with another library: text stays text, places stay apart, the same run gives the same bytes."""

import re
import stat
import zipfile
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from openpyxl.utils import column_index_from_string, get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from fupin_cli.errors import FupinError
from fupin_cli.report.book import lines_needed
from fupin_cli.report.checklist import ACTIONS, REASONS, VERDICTS
from fupin_cli.report.naming import file_names, sheet_names
from fupin_cli.report.workbook import write_workbooks
from report_world import AS_OF, HOSTILE, World, make_world

COMPARED = [
    "序号",
    "组",
    "户主姓名",
    "户编号",
    "姓名",
    "证件号码",
    "与户主关系",
    "疑点类型",
    "可信度",
    "比对部门、截止日期",
    "系统登记内容",
    "部门数据内容",
    "疑点说明",
]
ANSWERS = ["是否属实", "情况说明", "处理意见", "佐证材料", "户主签字"]
BOOKED = [
    "疑点编号",
    "规则编号",
    "疑点性质",
    "匹配依据",
    "部门登记姓名",
    "部门登记证件号码",
    "部门登记住址",
    "台账来源",
    "部门数据来源",
]
SOURCES = ["部门数据", "对账"]  # of a master, last
HEADER, FIRST = 5, 6  # rows of a village sheet, as Excel counts


@pytest.fixture(scope="module")
def world() -> World:
    """One invented run."""
    return make_world()


@pytest.fixture(scope="module")
def folder(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workbooks of that run."""
    target = tmp_path_factory.mktemp("workbooks")
    _write(target, world)
    return target


def _write(folder: Path, world: World, **options: bool) -> list[Path]:
    frames = (world.findings, world.outcomes.lazy(), world.households)
    return write_workbooks(folder, world.digest(), *frames, world.titles, as_of=AS_OF, **options)


def _checklist(folder: Path):
    return load_workbook(folder / "青禾县" / "青禾县_河口镇_疑点核查表_2019-11-30.xlsx")


def _master(folder: Path):
    return load_workbook(folder / "青禾县" / "青禾县_疑点总表_2019-11-30.xlsx")


def _column(sheet: Worksheet, header: str, row: int = HEADER) -> int:
    return [cell.value for cell in sheet[row]].index(header) + 1


def _values(sheet: Worksheet, header: str, row: int = HEADER) -> list[object]:
    at = _column(sheet, header, row)
    keys = _column(sheet, "疑点编号", row)
    return [sheet.cell(r, at).value for r in range(row + 1, sheet.max_row + 1) if sheet.cell(r, keys).value]


def _cells(path: Path):
    book = load_workbook(path)
    return [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]


def test_one_master_and_one_book_per_township(folder: Path):
    """Each county has its folder with a master and one checklist per township that has findings."""
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.xlsx"))
    assert names == sorted(
        [
            "白石县/白石县_疑点总表_2019-11-30.xlsx",
            "白石县/白石县_白石镇_疑点核查表_2019-11-30.xlsx",
            "青禾县/青禾县_疑点总表_2019-11-30.xlsx",
            "青禾县/青禾县_云台乡_疑点核查表_2019-11-30.xlsx",
            "青禾县/青禾县_河口镇_疑点核查表_2019-11-30.xlsx",
        ]
    )


def test_files_are_private(folder: Path):
    """Only the owner may read a workbook."""
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*.xlsx")} == {0o600}


def test_an_older_open_file_becomes_private(world: World, tmp_path: Path):
    """A file that was there before, readable by all, is private afterwards."""
    old = tmp_path / "青禾县" / "青禾县_疑点总表_2019-11-30.xlsx"
    old.parent.mkdir()
    old.write_text("old")
    old.chmod(0o644)
    _write(tmp_path, world)
    assert stat.S_IMODE(old.stat().st_mode) == 0o600


def test_village_sheets_and_their_columns(folder: Path):
    """One sheet per village, the unknown village last, with the agreed columns in the agreed order."""
    book = _checklist(folder)
    assert book.sheetnames == ["填表说明", "上坪村", "下坪村", "石桥村", "未定村"]
    for name in book.sheetnames[1:]:
        headers = [cell.value for cell in book[name][HEADER]]
        assert headers == COMPARED + ANSWERS + BOOKED


def test_everything_is_text(folder: Path):
    """No formula, no link, no error, and no number but counts, rows and weights; IDs are text cells in a text format."""
    for path in folder.rglob("*.xlsx"):
        with zipfile.ZipFile(path) as package:
            inside = "".join(
                package.read(name).decode() for name in package.namelist() if name.endswith((".xml", ".rels"))
            )
        assert "<f>" not in inside
        assert "<hyperlink " not in inside
        assert "relationships/hyperlink" not in inside
        for cell in _cells(path):
            assert cell.data_type in {"s", "n"}
            assert cell.hyperlink is None
            if cell.data_type == "n":
                assert cell.number_format.startswith("#,##0") or cell.number_format == "General", cell.coordinate
            else:
                assert cell.number_format == "@"
    sheet = _checklist(folder)["上坪村"]
    for header in ("证件号码", "户编号", "疑点编号"):
        assert all(value is None or isinstance(value, str) for value in _values(sheet, header))


def test_what_people_sort_and_reckon_with_is_numbers(folder: Path):
    """Numbers of lines, of persons and of rows, and weights: Excel sorts 9 before 10 and adds them up."""
    book = _master(folder)
    for name, headers in {
        "疑点明细": ("序号", "匹配权重（比特）", "台账行号", "部门数据行号"),
        "户判定": ("人口数", "行号"),
    }.items():
        heads = [cell.value for cell in book[name][3]]
        for header in headers:
            column = [row[heads.index(header)] for row in book[name].iter_rows(min_row=4, values_only=True)]
            assert {type(value) for value in column} - {type(None)} <= {int, float}, (name, header)
            assert any(value is not None for value in column), (name, header)
    assert isinstance(_values(_checklist(folder)["上坪村"], "序号")[0], int)


def test_the_master_prints_what_is_read(folder: Path):
    """Of 疑点明细 the page holds who, what and both sides, wide enough for A4; where it stands is right of the page."""
    sheet = _master(folder)["疑点明细"]
    heads = [cell.value for cell in sheet[3]]
    last = sheet.print_area.split("$")[-2]
    printed = heads[: column_index_from_string(last)]
    assert (printed[0], printed[-1]) == ("序号", "可信度")
    assert {"系统登记内容", "部门数据内容", "疑点说明"} <= set(printed)
    assert "疑点编号" in heads[len(printed) :]
    width = sum(sheet.column_dimensions[get_column_letter(n)].width * 6 * 0.75 for n in range(1, len(printed) + 1))
    assert (297 - 2 * 0.24 * 25.4) / 25.4 * 72 / width * 9 >= 8  # points, as of the checklists


def test_hostile_cells_stay_as_they_were_typed(folder: Path):
    """=1+1, @SUM, a web address, +, -, a tag and an entity come back letter by letter."""
    for sheet, row in ((_checklist(folder)["上坪村"], HEADER), (_master(folder)["疑点明细"], 3)):
        at = _values(sheet, "疑点编号", row).index("odd-hostile")
        headers = ("姓名", "户主姓名", "系统登记内容", "部门数据内容", "疑点说明", "与户主关系")
        assert [_values(sheet, header, row)[at] for header in headers] == [
            HOSTILE[0],
            HOSTILE[1],
            HOSTILE[2],
            f"{HOSTILE[3]} {HOSTILE[5]}",
            HOSTILE[4],
            HOSTILE[6],
        ]


def test_dropdowns(folder: Path):
    """The three picklists cover every row of findings, and only the reason may be written freely."""
    sheet = _checklist(folder)["上坪村"]
    count = len(_values(sheet, "疑点编号"))
    rules = {rule.formula1.strip('"'): rule for rule in sheet.data_validations.dataValidation}
    assert set(rules) == {",".join(VERDICTS), ",".join(REASONS), ",".join(ACTIONS)}
    for header, choices in (("是否属实", VERDICTS), ("情况说明", REASONS), ("处理意见", ACTIONS)):
        rule = rules[",".join(choices)]
        assert rule.type == "list"
        assert next(iter(rule.sqref.ranges)).bounds == (
            *[_column(sheet, header), FIRST],
            *[_column(sheet, header), FIRST + count - 1],
        )
        assert (rule.errorStyle == "information") == (choices is REASONS)
        assert len(",".join(choices)) <= 255


def test_protection(folder: Path):
    """Answer cells are open, everything else is locked without a password, and filtering is allowed."""
    sheet = _checklist(folder)["上坪村"]
    assert sheet.protection.sheet
    assert sheet.protection.password is None
    assert not sheet.protection.autoFilter  # False: not forbidden
    for row in range(FIRST, FIRST + len(_values(sheet, "疑点编号"))):
        answers = {at for at in range(1, sheet.max_column + 1) if sheet.cell(HEADER, at).value in ANSWERS}
        signed = sheet.cell(row, _column(sheet, "户主签字")).value == "〃"
        open_cells = {at for at in range(1, sheet.max_column + 1) if not sheet.cell(row, at).protection.locked}
        assert open_cells == answers - ({_column(sheet, "户主签字")} if signed else set())
    assert sheet.auto_filter.ref.startswith("A5:")


def test_print_setup(folder: Path):
    """A4 landscape, one page wide, repeated header, page x of y; the columns of origin are not printed."""
    sheet = _checklist(folder)["上坪村"]
    assert (sheet.page_setup.paperSize, sheet.page_setup.orientation) == (9, "landscape")
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert sheet.page_setup.fitToWidth in {None, 1}  # 1 is what an absent attribute means
    assert sheet.page_setup.fitToHeight == 0
    assert sheet.print_title_rows == "$4:$5"
    assert "&P" in str(sheet.oddFooter.center.text) or "&N" in str(sheet.oddFooter.center.text)
    assert re.search(r"\$R\$\d+$", str(sheet.print_area))
    text = "".join(str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value)
    assert "签字" in text
    assert "疑点是线索，不是结论" in text
    assert "日期：" in text


def test_readable_on_paper(folder: Path):
    """The printed columns fit A4 landscape in the table's own 9 points, at 8 points or more, and 疑点编号 is beside them."""
    sheet = _checklist(folder)["上坪村"]
    printed = len(COMPARED + ANSWERS)
    # Excel: a unit is one digit of the default font (6 pixels at 9 points), a pixel is 0.75 points
    width = sum(sheet.column_dimensions[cell.column_letter].width * 6 * 0.75 for cell in sheet[HEADER][:printed])
    assert (297 - 2 * 0.24 * 25.4) / 25.4 * 72 / width * 9 >= 8
    assert _column(sheet, "疑点编号") > printed


def test_a_household_signs_once(folder: Path):
    """The first row of each household is for its signature, the others say ditto; the foot is signed once per village."""
    sheet = _checklist(folder)["上坪村"]
    homes, signs = _values(sheet, "户编号"), _values(sheet, "户主签字")
    assert [sign == "〃" for sign in signs] == [at > 0 and homes[at - 1] == home for at, home in enumerate(homes)]
    assert "〃" in signs
    foot = [str(cell.value) for row in sheet.iter_rows(min_row=FIRST + len(homes)) for cell in row if cell.value]
    for once in ("核查人（签字）", "联系电话", "核查时间", "村级（盖章）"):
        assert len([text for text in foot if text.startswith(once)]) == 1


def _one(world: World, **values: object) -> World:
    """The same run with one finding of 上坪村 alone, changed in the given columns."""
    one = world.findings.filter(finding_key="odd-hostile").with_columns(
        name=pl.lit("张三"),
        id_number=pl.lit("990121196001010012"),
        id_raw=pl.lit("990121196001010012"),
        register_value=pl.lit("危房等级：A"),
        department_value=pl.lit("鉴定等级：C"),
    )
    return replace(world, findings=one.with_columns(**{name: pl.lit(value) for name, value in values.items()}))


@pytest.mark.parametrize(
    ("name", "listed_id", "place", "band", "shown"),
    [
        ("张三", "990121196001010012", "青禾县河口镇上坪村", "accepted", [None, None, None]),
        (
            "张三",
            "99012119600101001242",
            "上坪村",
            "accepted",
            [None, None, None],
        ),  # a disability number, a short place
        (
            "张三",
            "'９９０１２１１９６００１０１００１２ ",
            None,
            "accepted",
            [None, None, None],
        ),  # the same digits, badly typed
        ("张山", "990121196001010012", "青禾县河口镇上坪村", "accepted", ["张山", None, None]),
        ("张三", "990121600101001", "白石县", "accepted", [None, "990121600101001", "白石县"]),
        ("张三", None, "", "accepted", [None, None, None]),
        ("张三", "990121196001010012", "上坪村", "review", ["张三", "990121196001010012", "上坪村"]),
    ],
)
def test_how_the_department_writes_the_person(
    world: World,
    tmp_path: Path,
    name: str,
    listed_id: str | None,
    place: str | None,
    band: str,
    shown: list[str | None],
):
    """name | ID | place | band || shown: what differs from the register, and everything where the link is under review."""
    _write(tmp_path, _one(world, listed_name=name, listed_id=listed_id, listed_place=place, band=band))
    headers = ("部门登记姓名", "部门登记证件号码", "部门登记住址")
    for sheet, row in ((_checklist(tmp_path)["上坪村"], HEADER), (_master(tmp_path)["疑点明细"], 3)):
        assert [_values(sheet, header, row)[0] for header in headers] == shown
    printed = str(_values(_checklist(tmp_path)["上坪村"], "部门数据内容")[0]).split("\n")
    told = [f"〔{header}：{value}〕" for header, value in zip(headers, shown, strict=True) if value]
    assert [line for line in printed if line.startswith("〔部门登记")] == told


@pytest.mark.parametrize(
    ("number", "raw", "plain", "masked"),
    [
        ("990121196001010012", "990121196001010012", "990121196001010012", "990***********0012"),
        (None, "9.90121196001E+17", "9.90121196001E+17（号码有误）", "9.9**********E+17（号码有误）"),
        (None, "12345", "12345（号码有误）", "***（号码有误）"),
        (None, " ", "（未填写）", "（未填写）"),
    ],
)
def test_an_unusable_number_is_shown_as_received(
    world: World, tmp_path: Path, number: str | None, raw: str, plain: str, masked: str
):
    """usable | received || plain, masked: the cell is never empty for a person of the register."""
    for shown, mask in ((plain, False), (masked, True)):
        _write(tmp_path, _one(world, id_number=number, id_raw=raw, listed_id="990121196001010029"), mask_ids=mask)
        for sheet, row in ((_checklist(tmp_path)["上坪村"], HEADER), (_master(tmp_path)["疑点明细"], 3)):
            assert _values(sheet, "证件号码", row) == [shown]
            assert _values(sheet, "部门登记证件号码", row) == ["990***********0029" if mask else "990121196001010029"]


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        (
            "台账登记：危房等级：A；住建数据（截至2019-11-10）：鉴定等级：C；匹配依据：证件号码一致。疑点：建议复核。",
            "建议复核。",
        ),
        (
            "台账登记：危房等级：A；住建数据（截至2019-11-10）：鉴定等级：C；匹配依据：证件号码一致；另有1条。疑点：建议复核。",
            "另有1条。建议复核。",
        ),
        ("台账登记：危房等级：A；未达标：NAT-H-2 不愁吃。疑点：建议复核。", "未达标：NAT-H-2 不愁吃。建议复核。"),
        ("完全另写的一句话。", "完全另写的一句话。"),
    ],
)
def test_nothing_is_said_twice(world: World, tmp_path: Path, evidence: str, said: str):
    """The explanation leaves out what stands in the two compared columns, and nothing else."""
    _write(tmp_path, _one(world, evidence=evidence))
    assert _values(_checklist(tmp_path)["上坪村"], "疑点说明") == [said]


def test_notes_stay_with_the_county(world: World, tmp_path: Path):
    """Findings of severity info are in no checklist; the master tells them per household, and every key is there."""
    severity = pl.when(pl.col("rule_id") == "CMP-ID3").then(pl.lit("info")).otherwise(pl.col("severity"))
    noted = replace(world, findings=world.findings.with_columns(severity=severity))
    own = noted.findings.filter(severity="info", county="青禾县")
    _write(tmp_path, noted)
    for path in tmp_path.rglob("*核查表*.xlsx"):
        assert "证件号码无效" not in {cell.value for cell in _cells(path)}
    book = _master(tmp_path)
    assert book.sheetnames == ["说明", "汇总", "疑点明细", "县级自查", "户判定", "规则", *SOURCES]
    keys = [key for cell in _values(book["县级自查"], "疑点编号", 3) for key in str(cell).split("、")]
    assert sorted(keys) == sorted(own["finding_key"])
    assert len(_values(book["县级自查"], "疑点编号", 3)) == own.n_unique(["household_id", "village"])
    assert not set(keys) & set(_values(book["疑点明细"], "疑点编号", 3))


def test_review_rows_are_marked(folder: Path, world: World):
    """A finding that rests on a link under review says 待核, in its own colour."""
    sheet = _checklist(folder)["下坪村"]
    here = (pl.col("township") == "河口镇") & (pl.col("village") == "下坪村") & (pl.col("band") == "review")
    assert _values(sheet, "可信度").count("▲待核") == world.findings.filter(here).height > 0
    at = _column(sheet, "可信度")
    fills = {
        sheet.cell(row, at).fill.fgColor.rgb
        for row in range(FIRST, sheet.max_row)
        if sheet.cell(row, at).value == "▲待核"
    }
    assert fills == {"FFFFE699"}


def test_a_household_stands_together(folder: Path):
    """On every sheet the findings of one household are neighbours, and rows are numbered from 1."""
    book = _checklist(folder)
    for name in book.sheetnames[1:]:
        homes = _values(book[name], "户编号")
        runs = [home for at, home in enumerate(homes) if at == 0 or homes[at - 1] != home]
        assert len(runs) == len(set(runs))
        assert _values(book[name], "序号") == list(range(1, len(homes) + 1))


def test_jurisdictions_are_apart(folder: Path, world: World):
    """No book holds a person, household or place of another township, no master of another county."""
    everyone: dict[tuple[str, str], set[str]] = {}
    for county, township in world.persons.select("county", "township").unique().rows():
        own = world.persons.filter(county=county, township=township)
        everyone[county, township] = set(own["household_id"].drop_nulls()) | set(own["id_number"].drop_nulls())
    for path in folder.rglob("*.xlsx"):
        text = "\n".join(str(cell.value) for cell in _cells(path))
        county = path.parent.name
        for (other_county, other_township), values in everyone.items():
            same = other_county == county and (other_township in path.name or "总表" in path.name)
            if not same:
                assert not [value for value in values if value in text], path.name
                assert f"{other_township}" not in text, path.name


def test_nothing_is_lost(folder: Path, world: World):
    """Every finding is in its county's master, and every one with a township is in that township's book."""
    keys: list[object] = []
    for county in ("青禾县", "白石县"):
        keys += _values(
            load_workbook(folder / county / f"{county}_疑点总表_2019-11-30.xlsx")["疑点明细"], "疑点编号", 3
        )
    assert sorted(keys) == sorted(world.findings["finding_key"].to_list())
    sent: list[object] = []
    for path in folder.rglob("*核查表*.xlsx"):
        book = load_workbook(path)
        for name in book.sheetnames[1:]:
            sent += _values(book[name], "疑点编号")
    placed = world.findings.filter(pl.col("township").is_not_null())
    assert sorted(sent) == sorted(placed["finding_key"].to_list())


def test_sources_reach_the_last_sheet(folder: Path, world: World):
    """File, sheet and row of register and extract stand in the master, and in the township's book beside the print."""
    finding = world.findings.filter(finding_key="odd-hostile").to_dicts()[0]
    sheet = _master(folder)["疑点明细"]
    at = _values(sheet, "疑点编号", 3).index("odd-hostile")
    assert _values(sheet, "台账来源", 3)[at] == finding["register_source"]
    assert _values(sheet, "部门数据行号", 3)[at] == finding["extract_at"]
    village = _checklist(folder)["上坪村"]
    at = _values(village, "疑点编号").index("odd-hostile")
    assert _values(village, "台账来源")[at] == f"{finding['register_source']}｜台账｜第 {finding['register_at']} 行"


def test_master_sheets(folder: Path, world: World):
    """The matrix sums to the findings, every household has a verdict, and a rule that was not run says so."""
    book = _master(folder)
    assert book.sheetnames == ["说明", "汇总", "疑点明细", "户判定", "规则", *SOURCES]
    matrix = [[cell.value for cell in row] for row in book["汇总"].iter_rows(min_row=3)]
    total = matrix[0].index("合计")
    assert matrix[0][3:total] == ["云台乡", "河口镇", "未定乡镇"]
    assert matrix[-1][total] == world.findings.filter(county="青禾县").height
    for at in range(3, total + 1):
        assert sum(row[at] for row in matrix[1:-1]) == matrix[-1][at]
    verdict = _column(book["户判定"], "综合判定", 3)
    verdicts = [book["户判定"].cell(row, verdict).value for row in range(4, book["户判定"].max_row + 1)]
    assert len(verdicts) == world.households.filter(county="青禾县").height
    assert set(verdicts) == {"达标", "未达标", "无法判断"}
    rules = {row[0].value: [cell.value for cell in row] for row in book["规则"].iter_rows(min_row=4)}
    assert rules["CMP-IC1"][4] == "未运行"
    assert rules["CMP-IC1"][-1] == "没有工商数据（companies）"
    assert [rules[rule][3] for rule in ("NAT-H-7", "CMP-UR1")] == ["户", "人"]
    here = world.outcomes.join(world.households.filter(county="青禾县"), on="household_id", how="semi")
    water = here.filter(rule_id="NAT-H-7")
    assert rules["NAT-H-7"][9:11] == [water.height, water.filter(outcome="not_met").height]


def test_of_the_rules_only_what_was_found_or_could_not_run_is_printed(folder: Path, world: World):
    """They stand first; two hundred rules that found nothing are there to be looked up, and fill no pages."""
    sheet = _master(folder)["规则"]
    last = int(sheet.print_area.rsplit("$", 1)[1])
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=4)]
    telling = ["未运行" in row or bool(row[10]) or bool(row[12]) for row in rows]
    assert telling == sorted(telling, reverse=True)
    assert last == 3 + sum(telling) < 3 + len(rows)


def test_control_totals_have_a_sheet(folder: Path, world: World):
    """Every file and sheet of the county has its line, the lines sum up, and the folder of rows to mend is named."""
    lines = [[cell.value for cell in row] for row in _master(folder)["对账"].iter_rows()]
    top = next(at for at, line in enumerate(lines) if line[0] == "文件")
    assert lines[top] == [
        "文件",
        "工作表",
        "读入行数",
        "采用行数",
        "搁置行数",
        "其中表尾",
        "隐藏行",
        "隐藏列",
        "其余搁置原因",
        "对账",
    ]
    told = {(line[0], line[1]): line[2:] for line in lines[top + 1 :] if line[0] and line[9]}
    digest = world.digest()
    accounts = [account for account in digest.accounts if "白石县" not in account.counties]
    assert list(told) == [(account.source, account.sheet) for account in accounts]
    for account in accounts:
        counts = (account.rows_read, account.rows_used, account.rows_set_aside, account.rows_footer)
        hidden = [account.rows_hidden, account.columns_hidden]
        assert told[account.source, str(account.sheet)][:6] == [*counts, *hidden]
    total = next(line for line in lines[top:] if line[0] == "合计")
    assert total[2:5] == [sum(a.rows_read for a in accounts), sum(a.rows_used for a in accounts), 16]
    assert any("7 行缺少人员" in str(line[0]) and "退回更正" in str(line[0]) for line in lines)


def test_colours_are_explained_and_follow(folder: Path):
    """The cover shows each colour beside its meaning as the sheets have it; in the matrix shade and amber follow the counts."""
    book = _master(folder)
    cover = list(book["说明"].iter_rows())
    top = next(at for at, row in enumerate(cover) if row[0].value == "颜色")
    legend = {row[0].value: row[0].fill.fgColor.rgb for row in cover[top + 1 : top + 6]}
    assert all(row[1].value for row in cover[top + 1 : top + 6])
    marked = next(row for row in book["疑点明细"].iter_rows(min_row=4) if any(cell.value == "▲待核" for cell in row))
    assert legend["▲待核"] == next(cell for cell in marked if cell.value == "▲待核").fill.fgColor.rgb
    assert any("manifest.json" in str(row[0].value) for row in cover)
    rules = book["汇总"].conditional_formatting
    assert sorted(rule.type for marks in rules for rule in marks.rules) == ["cellIs", "colorScale"]
    total = [cell.value for cell in book["汇总"][3]].index("合计")
    shaded = next(str(marks.sqref) for marks in rules if marks.rules[0].type == "colorScale")
    assert shaded.startswith(f"{get_column_letter(total + 1)}4:")


def test_no_folder_is_named_where_nothing_goes_back(world: World, tmp_path: Path):
    """Without rows to mend nothing speaks of a folder that is not there, and a loss of a row is called 不符."""
    furniture = world.set_aside.filter(set_aside_reason="header")
    _write(tmp_path, replace(world, set_aside=furniture))
    text = [str(cell.value) for row in _master(tmp_path)["对账"].iter_rows() for cell in row if cell.value]
    assert not [line for line in text if "退回更正" in line]
    assert "不符" in text


@pytest.mark.parametrize("seed", [1, 2])
def test_same_bytes(world: World, folder: Path, tmp_path: Path, seed: int):
    """Another run over shuffled frames writes the same bytes."""
    for path in _write(tmp_path, world.shuffled(seed)):
        assert path.read_bytes() == (folder / path.relative_to(tmp_path)).read_bytes(), path.name


def test_masked_books(world: World, tmp_path: Path):
    """With mask_ids no full ID number is in any book, not even inside a text."""
    number = world.findings["id_number"].drop_nulls()[0]
    told = world.findings.with_columns(evidence=pl.lit(f"同号 {number} 另有一人"))
    for path in write_workbooks(
        tmp_path,
        world.digest(),
        told,
        world.outcomes.lazy(),
        world.households,
        world.titles,
        as_of=AS_OF,
        mask_ids=True,
    ):
        text = "\n".join(str(cell.value) for cell in _cells(path))
        assert not re.search(r"\d{17}[\dXx]", text)
    assert re.search(r"990\*{11}\d{4}", text)


def test_no_findings(world: World, tmp_path: Path):
    """A county without findings still gets its master, with all its households, and no checklist."""
    paths = write_workbooks(
        tmp_path,
        world.digest(),
        world.findings.clear(),
        world.outcomes.lazy(),
        world.households,
        world.titles,
        as_of=AS_OF,
    )
    assert [path.name for path in paths] == ["白石县_疑点总表_2019-11-30.xlsx", "青禾县_疑点总表_2019-11-30.xlsx"]


def test_unwritable_folder_is_our_error(world: World, tmp_path: Path):
    """A file where the folder should be is an error that says where, not a traceback."""
    (tmp_path / "workbooks").write_text("")
    with pytest.raises(FupinError) as caught:
        _write(tmp_path / "workbooks", world)
    assert caught.value.where
    assert caught.value.try_


def test_long_and_odd_texts(world: World, tmp_path: Path):
    """Control characters, escapes and a text beyond Excel's limit are written; what is cut says so."""
    odd = (
        world.findings.filter(county="白石县")
        .head(1)
        .with_columns(evidence=pl.lit("长" * 40_000), name=pl.lit("a\x00b_x000D_\ufffe"))
    )
    write_workbooks(tmp_path, world.digest(), odd, world.outcomes.lazy(), world.households, world.titles, as_of=AS_OF)
    book = load_workbook(tmp_path / "白石县" / "白石县_白石镇_疑点核查表_2019-11-30.xlsx")
    assert _values(book.worksheets[1], "疑点说明")[0].endswith("已截断）")


@given(st.lists(st.text(min_size=0, max_size=40), max_size=8))
def test_sheet_names_are_legal(names: list[str]):
    """Any list of names gives as many legal, unique sheet names of at most 31 UTF-16 units."""
    made = sheet_names(names)
    assert len(made) == len(names)
    assert len({name.casefold() for name in made}) == len(made)
    for name in made:
        assert 1 <= len(name.encode("utf-16-le")) // 2 <= 31
        assert not set(name) & set("[]:*?/\\")
        assert not name.startswith("'")
        assert not name.endswith("'")
        assert name.casefold() != "history"


@given(st.lists(st.text(min_size=0, max_size=80), max_size=8))
def test_file_names_are_safe(names: list[str]):
    """Any list of names gives as many file names that Windows takes, unique whatever the case, without long digit runs."""
    made = file_names(names)
    assert len({name.casefold() for name in made}) == len(made) == len(names)
    for name in made:
        assert name
        assert not set(name) & set('<>:"/\\|?* \t\n')
        assert name not in {".", ".."}
        assert name.casefold() not in {"con", "nul", "com1"}
        assert not re.search(r"[0-9]{15}", name)


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        (None, 10, 1),
        ("柳树村", 6, 1),
        ("柳树村委", 6, 2),
        ("a\nb", 6, 2),
        ("户编号：9901212022015329", 22, 2),  # a number goes to the next line whole
        ("9" * 18, 16, 2),  # unless it is longer than one
        ("户编号：9901212022015329；姓名：柳树；证件号码：990121195008152922", 22, 4),
    ],
)
def test_a_row_is_as_high_as_its_text(text, width, lines):
    """No printed row is cut: Chinese breaks anywhere, a number at its ends only."""
    assert lines_needed(text, width) == lines


def test_a_master_in_english_and_village_forms_as_they_were(world: World, folder: Path, tmp_path: Path, monkeypatch):
    """Sheets, headers, outcomes and kinds are English where that was asked for; what a village fills in stays Chinese."""
    monkeypatch.setenv("FUPIN_REPORT_LANG", "en")
    paths = _write(tmp_path, world)
    monkeypatch.setenv("FUPIN_REPORT_LANG", "zh")
    master, checklists = _master(tmp_path), [path for path in paths if "核查表" in path.name]
    assert master.sheetnames == [
        "About",
        "Summary",
        "All findings",
        "Households",
        "Rules",
        "Data compared",
        "Control totals",
    ]
    assert checklists
    for path in checklists:
        assert path.read_bytes() == (folder / path.relative_to(tmp_path)).read_bytes()
    named = {*world.households["township"].drop_nulls(), *world.titles.values()}
    for name in master.sheetnames[1:]:
        headers = [str(cell.value) for cell in master[name][3]]
        assert not [header for header in headers if re.search("[\u4e00-\u9fff]", header) and header not in named]
    homes = master["Households"]
    verdict = len([cell for cell in homes[3] if cell.value]) - 4
    assert {homes.cell(row, verdict).value for row in range(4, homes.max_row + 1)} <= {"met", "not met", "cannot tell"}
    chinese = _master(folder)
    for ours, theirs in zip(master.worksheets, chinese.worksheets, strict=True):
        assert (ours.max_row, ours.max_column) == (theirs.max_row, theirs.max_column)


def test_households_to_look_at_come_first_and_are_printed(folder: Path):
    """Who falls short, or of whom nobody can tell, stands above all others; the print area ends with them."""
    sheet = _master(folder)["户判定"]
    why = _column(sheet, "判定说明", 3)
    first, last = _column(sheet, "人口数", 3) + 1, why - 1
    telling = [
        any(sheet.cell(row, at).value in {"未达标", "无法判断"} for at in range(first, last + 1))
        for row in range(4, sheet.max_row + 1)
    ]
    assert telling == sorted(telling, reverse=True)
    assert set(telling) == {True, False}
    assert sheet.print_area.endswith(f"${3 + sum(telling)}")
    assert sheet.print_title_rows == "$3:$3"
