"""Files as departments make them (H14 to H23): headers, footers, merged and hidden cells, sheets, containers, encodings."""

import pytest

from fupin_cli.ingest import inspect_file
from hazard_world import counted, profiles, somebody, table
from hazards import hazard
from office_files import (
    Look,
    write_html_xls,
    write_mht,
    write_ods,
    write_xls,
    write_xlsx,
    write_xml2003,
)
from raw_files import write_text, write_xlsb

A, B, C, D = somebody(5), somebody(16, "19820202"), somebody(27, "19790909"), somebody(31, "19600101")
SHEETS = {
    "xlsx": write_xlsx, "xls": write_xls, "ods": write_ods, "xlsb": write_xlsb, "web page": write_html_xls, "XML": write_xml2003,
}  # fmt: skip
SHOW_HIDDEN = [name for name in SHEETS if name != "web page"]  # a web page of ours cannot hide a whole sheet
every_container = pytest.mark.parametrize("write", SHEETS.values(), ids=list(SHEETS))


def csv(path, sheets):
    """The only sheet as a csv in GB18030."""
    return write_text(path, *sheets.values(), "gb18030")


def names(source):
    return source.rows["name_raw"].to_list()


def aside(source):
    return source.set_aside.select("row", "set_aside_reason").rows()


@hazard("H14", "dibao xlsx", "dibao xls", "dibao ods", "dibao xlsb", "dibao web page", "dibao XML", "dibao csv GB18030")
@pytest.mark.parametrize("write", [*SHEETS.values(), csv], ids=[*SHEETS, "csv"])
def test_lines_above_the_header(tmp_path, write):
    """Title, unit line and a blank row: the header is on row 4, and the unit line counts."""
    rows = [
        ["青禾县2019年农村低保发放明细"], ["单位：万元", "", "", "填报日期：2019-11-30"], [None],
        ["姓名", "身份证号", "是否保障对象", "保障金额"], ["张三", A, "是", "0.03"], ["李四", B, "是", "0.12"],
    ]  # fmt: skip
    path = write(tmp_path / "a", {"低保": rows})
    source = table(path, "dibao")
    assert source.reports[0].header_rows == (4,)
    assert source.rows.select("name_raw", "row", "amount_month_yuan").rows() == [
        ("张三", 5, 300.0),
        ("李四", 6, 1200.0),
    ]
    assert aside(source) == [(1, "title"), (2, "title"), (3, "blank"), (4, "header")]
    (report,) = inspect_file("a", path, profiles())
    assert report.sheets[0].header_rows == (4,)


MERGED_HEADER = [
    ["农村低保名册"],
    ["序号", "户主姓名", "身份证号码", "保障人数", None, None, "领取金额", None],
    [None, None, None, "小计", "分解", None, "小计", "分解"],
    [None, None, None, None, "重点保障人数", "残疾人数", None, "家庭补差"],
    ["1", "张三", A, "3", "1", "1", "900", "800"],
]
HEADER_LOOK = Look(
    merges=(
        (0, 0, 0, 7),
        (1, 0, 3, 0),
        (1, 1, 3, 1),
        (1, 2, 3, 2),
        (1, 3, 1, 5),
        (2, 3, 3, 3),
        (2, 4, 2, 5),
        (1, 6, 1, 7),
        (2, 6, 3, 6),
    )
)


@hazard("H15", "three-level header in xlsx", "xls", "ods", "xlsb", "web page", "XML")
@every_container
def test_three_merged_header_rows(tmp_path, write):
    """保障人数/分解/残疾人数 is a label of its own; the total beside it is another."""
    source = table(write(tmp_path / "a", {"s": MERGED_HEADER}, {"s": HEADER_LOOK}), "dibao")
    assert source.reports[0].header_rows == (2, 3, 4)
    assert source.rows.select("covered_count", "covered_key_count", "covered_disabled_count", "amount_month_yuan").row(
        0
    ) == (3, 1, 1, 900.0)


def test_three_header_rows_without_merged_cells(tmp_path):
    """A csv has no merged cells: what two rows tell is read, the third is set aside, and nobody of it becomes a person."""
    source = table(csv(tmp_path / "a.csv", {"s": MERGED_HEADER}), "dibao")
    assert source.rows.select("name_raw", "covered_count", "covered_key_count").rows() == [("张三", 3, None)]
    assert aside(source)[-1] == (4, "no_identity")


FOOTED = [
    ["序号", "姓名", "身份证号"], ["1", "张三", A], [None, "小计", None], ["2", "李四", B], ["合计", None, None], ["总 计", "2人", None],
    ["制表人：王某某", None, "制表时间：2019-11-30"], ["备注：以上为全部人员", None, None], ["审核人", "赵某", "日期"],
    ["制表：王某　审核：李某", None, None], [None, "审核：李某", None], ["填报单位（盖章）", "某某镇", None],
    ["单位（盖章）：", None, None], ["负责人（签字）", None, None],
]  # fmt: skip


@hazard("H16", "totals and signatures in xlsx", "xls", "ods", "xlsb", "web page", "XML", "csv GB18030")
@pytest.mark.parametrize("write", [*SHEETS.values(), csv], ids=[*SHEETS, "csv"])
def test_totals_and_signatures(tmp_path, write):
    """They are nobody, wherever they stand; and they are counted and listed."""
    source = table(write(tmp_path / "a", {"s": FOOTED}))
    assert names(source) == ["张三", "李四"]
    assert aside(source) == [(1, "header"), (3, "footer"), *((row, "footer") for row in range(5, 15))]
    assert source.accounts.select("rows_read", "rows_used", "rows_set_aside").row(0) == (14, 2, 12)


MERGED_DATA = [
    ["户主姓名", "村", "姓名", "身份证号", "户编号"],
    ["张三", "柳树村", "张三", A, "H1"], [None, None, "李四", B, None], ["王五", "下村", "王五", C, "H2"], [None, None, "赵六", D, "H3"],
]  # fmt: skip


@hazard("H17", "merged 户主 in xlsx", "xls", "ods", "xlsb", "web page", "XML")
@every_container
def test_a_cell_merged_over_members(tmp_path, write):
    """It fills its range; the blank cell below the range stays blank: whose it is, nobody said."""
    look = Look(merges=((1, 0, 2, 0), (1, 1, 2, 1), (1, 4, 2, 4)))
    source = table(write(tmp_path / "a", {"s": MERGED_DATA}, {"s": look}))
    assert source.rows.select("head_name", "village", "household_id").rows() == [
        ("张三", "柳树村", "H1"), ("张三", "柳树村", "H1"), ("王五", "下村", "H2"), (None, None, "H3"),
    ]  # fmt: skip


def test_blank_cells_that_are_not_merged_are_not_filled(tmp_path):
    """The same sheet as a csv: the second person has no household, and is set aside by a register."""
    rows = [[row[4], row[2], row[3], row[0]] for row in MERGED_DATA]
    source = table(csv(tmp_path / "a.csv", {"s": [["户编号", "姓名", "证件号码", "户主姓名"], *rows[1:]]}), "register")
    assert aside(source) == [(1, "header"), (3, "no_household")]


HIDDEN = {
    "名单": [["姓名", "身份证号"], ["张三", A], ["李四", B], ["王五", C]],
    "旧": [["姓名", "身份证号"], ["赵六", D]],
}
HIDING = {"名单": Look(hidden_rows=(2,), hidden_columns=(1,)), "旧": Look(state="hidden")}


@hazard("H18", "hidden row, column and sheet in xlsx", "xls", "ods", "xlsb", "XML")
@pytest.mark.parametrize("write", [SHEETS[name] for name in SHOW_HIDDEN], ids=SHOW_HIDDEN)
def test_what_is_hidden_is_read_and_counted(tmp_path, write):
    """Nobody knows whether it was meant to be sent: it is used, and said."""
    source = table(write(tmp_path / "a", HIDDEN, HIDING))
    assert names(source) == ["张三", "李四", "王五", "赵六"]
    assert {"hidden_rows", "hidden_columns"} <= set(counted(source))
    assert dict(source.reports[1].problems())["hidden_sheet"] == "2"
    assert source.accounts.select("rows_hidden", "columns_hidden").rows() == [(1, 1), (2, 0)]


@hazard("H18", "hidden row and column in a web page", "filtered rows in ods", "very hidden sheet in xlsx")
def test_hidden_in_other_ways(tmp_path):
    """display:none, a filter, and a sheet that Excel does not even list."""
    page = table(write_html_xls(tmp_path / "a.xls", HIDDEN, HIDING))
    assert (counted(page)["hidden_rows"], counted(page)["hidden_columns"]) == ("1", "1")
    filtered = table(write_ods(tmp_path / "a.ods", HIDDEN, HIDING, filtered=True))
    assert counted(filtered)["hidden_rows"] == "1"
    book = table(write_xlsx(tmp_path / "a.xlsx", HIDDEN, HIDING | {"旧": Look(state="very hidden")}))
    assert dict(book.reports[1].problems())["hidden_sheet"] == "2"


TOWNSHIPS = {
    "说明": [["本表由医保局填报"]],
    "平川镇": [["姓名", "身份证号", "参保状态"], ["张三", A, "正常"]],
    "东山镇": [["序号", "参保状态", "身份证号", "姓名"], ["1", "停保", B, "李四"]],
    "汇总": [["乡镇", "人数"], ["平川镇", "1"]],
}


@hazard("H19", "a sheet for each township in xlsx", "xls", "ods", "xlsb", "web page", "XML")
@every_container
def test_every_sheet_by_its_own_header(tmp_path, write):
    """Columns in another order are read right; sheets that are no such table are set aside, row by row."""
    source = table(write(tmp_path / "a", TOWNSHIPS), "medical_insurance")
    assert source.rows.select("name_raw", "id_raw", "insured_status").rows() == [
        ("张三", A, "正常"),
        ("李四", B, "停保"),
    ]
    assert source.rows["sheet"].n_unique() == 2
    assert source.set_aside["set_aside_reason"].to_list() == [
        "not_a_table",
        "header",
        "header",
        "not_a_table",
        "not_a_table",
    ]


@hazard("H20", "xlsx of one sheet that claims to be A1", "xlsx of two such sheets")
@pytest.mark.parametrize("sheets", [{"一": MERGED_DATA}, {"一": MERGED_DATA, "二": HIDDEN["旧"]}], ids=["one", "two"])
def test_a_sheet_that_claims_to_end_at_its_first_cell(tmp_path, sheets):
    """All rows are read, whatever the sheet says of its size."""
    source = table(write_xlsx(tmp_path / "a.xlsx", sheets, wrong_dimension=True))
    assert len(names(source)) == sum(len(rows) - 1 for rows in sheets.values())


PEOPLE = [["姓名", "身份证号"], ["张三", A], ["李四", B]]
INSIDE = {
    "web page": lambda path: write_html_xls(path, {"s": PEOPLE}),
    "mail of web pages": lambda path: write_mht(path, {"s": PEOPLE}),
    "XML of 2003": lambda path: write_xml2003(path, {"s": PEOPLE}),
    "tab-separated GB18030": lambda path: write_text(path, PEOPLE, "gb18030", "\t"),
    "csv with BOM": lambda path: write_text(path, PEOPLE, "utf-8-sig"),
    "tabs in UTF-16": lambda path: write_text(path, PEOPLE, "utf-16", "\t"),
    "xlsx": lambda path: write_xlsx(path, {"s": PEOPLE}),
    "xlsb": lambda path: write_xlsb(path, {"s": PEOPLE}),
}


@hazard("H21", *(f"{name} called .xls" for name in INSIDE))
@pytest.mark.parametrize("write", INSIDE.values(), ids=list(INSIDE))
def test_what_is_called_xls_is_read_as_what_it_is(tmp_path, write):
    """Half of the .xls files of a county are something else."""
    assert table(write(tmp_path / "名单.xls")).rows.select("name_raw", "id_raw").rows() == [("张三", A), ("李四", B)]


FULL = [["姓名", "身份证号"], *(["张三", A] for _ in range(65_535))]


@hazard("H22", "xls with 65,536 rows", "tab-separated text of as many rows")
@pytest.mark.parametrize(
    "write", [write_xls, lambda path, sheets: write_text(path, *sheets.values(), "gb18030", "\t")], ids=["xls", "text"]
)
def test_a_sheet_that_ends_where_excel_ends(tmp_path, write):
    """Exactly 65,536 rows were probably more; one row less is no sign of anything."""
    assert counted(table(write(tmp_path / "a.xls", {"s": FULL})))["likely_cut"] == "65536"
    assert "likely_cut" not in counted(table(write(tmp_path / "b.xls", {"s": FULL[:-1]})))


RARE = ["张䶮", "㼆三", "𬱖四", "阿依古丽·买买提"]
ENCODINGS = ["gb18030", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]


@hazard("H23", *(f"csv {encoding}" for encoding in ENCODINGS))
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_rare_characters_and_the_dot_survive(tmp_path, encoding):
    """䶮, 㼆 and 𬱖 are in no GBK table, and A1A4 is U+00B7: the name is what the department wrote."""
    marked = {"utf-16-le": "\ufeff", "utf-16-be": "\ufeff"}.get(encoding, "")
    rows = [[marked + "姓名", "身份证号"], *([name, A] for name in RARE)]
    assert names(table(write_text(tmp_path / "a.csv", rows, encoding))) == RARE


@hazard("H23", "web page in GB18030 that calls itself gb2312", "web page in UTF-8")
def test_a_web_page_that_names_a_smaller_table(tmp_path):
    """gb2312 and GBK are read as GB18030, which holds both."""
    rows = {"s": [["姓名", "身份证号"], *([name, A] for name in RARE)]}
    path = write_html_xls(tmp_path / "a.xls", rows)
    path.write_bytes(path.read_bytes().replace(b"charset=gb18030", b"charset=gb2312"))
    assert names(table(path)) == RARE
    assert names(table(write_html_xls(tmp_path / "b.xls", rows, encoding="utf-8"))) == RARE


SHIFTED = [
    ["姓名", "证件号码", "地址", "低保证号"],
    ["张三", A, "平川镇柳树村", "D1"],
    ["李四", B, "平川镇", "柳树村3组", "D2"],
    ["王五", C, "平川镇东村", "D3"],
]


@hazard("H39", "dibao csv with a comma in an address", "dibao tsv with a tab in an address")
@pytest.mark.parametrize("mark", [",", "\t"], ids=["csv", "tsv"])
def test_a_row_with_a_cell_too_many_is_given_back(tmp_path, mark):
    """Whatever stands behind the unquoted sign is one column too far to the right: the row is not read, and its number is kept."""
    rows = [mark.join(row) for row in SHIFTED]
    (tmp_path / "a.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    source = table(tmp_path / "a.csv")
    assert names(source) == ["张三", "王五"]
    assert aside(source) == [(1, "header"), (3, "too_long")]
    assert source.mentioned.to_list() == [B]


@hazard("H39", "dibao csv with a column without a header", "dibao xlsx with a remark beside the table")
def test_a_column_that_nobody_named_is_no_fault(tmp_path):
    """Where most rows have such a cell it is a column, and in a workbook a cell is where it stands."""
    rows = [SHIFTED[0], *([*row, "已核"][:5] for row in SHIFTED[1:])]
    assert names(table(write_text(tmp_path / "a.csv", rows))) == ["张三", "李四", "王五"]
    beside = [SHIFTED[0], [*SHIFTED[1], "", "已核"], SHIFTED[3]]
    assert names(table(write_xlsx(tmp_path / "a.xlsx", {"s": beside}))) == ["张三", "王五"]


@hazard("H30", "register csv GB18030 with blank and cut household numbers", "register xlsx with number cells")
def test_a_register_row_without_a_household_is_set_aside(tmp_path):
    """Which household a person belongs to is never guessed, and a number without its last digits is none."""
    head = ["户编号", "姓名", "证件号码"]
    text = csv(
        tmp_path / "a.csv",
        {"s": [head, ["H1", "张三", A], ["", "李四", B], ["9.90121E+15", "王五", C], ["无", "赵六", D]]},
    )
    assert aside(table(text, "register")) == [(1, "header"), *((row, "no_household") for row in (3, 4, 5))]
    cells = write_xlsx(
        tmp_path / "a.xlsx", {"s": [head, [9901210000010012, "张三", A], ["9901210000010012", "李四", B]]}
    )
    assert aside(table(cells, "register")) == [(1, "header"), (2, "no_household")]


@hazard("H30", "insured xlsx and csv GB18030 without household numbers")
@pytest.mark.parametrize("write", [write_xlsx, csv], ids=["xlsx", "csv"])
def test_a_departments_list_needs_no_household(tmp_path, write):
    """Its rows are compared person by person; no household is rebuilt."""
    source = table(
        write(tmp_path / "a", {"s": [["户主姓名", "姓名", "身份证号", "参保状态"], ["张三", "李四", B, "正常"]]}),
        "medical_insurance",
    )
    assert source.rows.select("name_raw", "head_name", "household_id").rows() == [("李四", "张三", None)]
