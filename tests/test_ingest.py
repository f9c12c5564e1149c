"""Real files as departments send them → rows, and an account of every row that was read."""

import contextlib
import io
import zipfile
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter
import xlwt
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from conftest import examples
from fupin_cli.errors import BadDataError, InputMissingError, NoPermissionError
from fupin_cli.ingest import (
    household_conflicts,
    inspect_file,
    load_profiles,
    read_people,
    read_source,
    to_households,
    to_persons,
)
from fupin_cli.ingest.headers import header_key, unit_in
from fupin_cli.vocabulary import ACCOUNTS, SET_ASIDE, SET_ASIDE_REASONS, SOURCE_REF

PROFILES = load_profiles([Path(__file__).parents[1] / "rules" / "sources"])
ID_1, ID_2, ID_3 = "990121198001011234", "990121197502022345", "99012119900303345X"
PEOPLE = [["姓名", "身份证号"], ["张三", ID_1], ["李四", ID_2]]


def put(sheet, row, column, cell, day):
    """Writes a cell as what it is: text, number, Boolean or date."""
    if isinstance(cell, bool):
        sheet.write_boolean(row, column, cell)
    elif isinstance(cell, int | float):
        sheet.write_number(row, column, cell)
    elif isinstance(cell, date):
        sheet.write_datetime(row, column, datetime(cell.year, cell.month, cell.day), day)  # noqa: DTZ001
    elif cell:
        sheet.write_string(row, column, cell)


def book(path, sheets, merges=(), hidden=()):
    """An xlsx of {sheet: rows}; merges are (sheet, top, left, bottom, right)."""
    workbook = xlsxwriter.Workbook(str(path))
    day = workbook.add_format({"num_format": "yyyy-mm-dd"})
    for name, rows in sheets.items():
        sheet = workbook.add_worksheet(name)
        for r, row in enumerate(rows):
            for c, cell in enumerate(row):
                put(sheet, r, c, cell, day)
        for _, top, left, bottom, right in (merge for merge in merges if merge[0] == name):
            sheet.merge_range(top, left, bottom, right, rows[top][left])
        if name in hidden:
            sheet.hide()
    workbook.close()
    return path


def table(path, profile="people", name="a.xlsx"):
    return read_source([(name, path)], PROFILES[profile])


def reasons(source):
    return source.set_aside.select("row", "set_aside_reason").rows()


def balance(source):
    return source.accounts.select("source", "sheet", "rows_read", "rows_used", "rows_set_aside").rows()


def names(source):
    return source.rows["name_raw"].to_list()


# --- opening ---------------------------------------------------------------------------------------------------------


def as_xls(path):
    workbook = xlwt.Workbook()
    sheet = workbook.add_sheet("名单")
    for r, row in enumerate(PEOPLE):
        for c, cell in enumerate(row):
            sheet.write(r, c, cell)
    workbook.save(str(path))


def as_text(encoding, mark=","):
    def write(path):
        path.write_bytes("\r\n".join(mark.join(row) for row in PEOPLE).encode(encoding))

    return write


def as_parquet(path):
    pl.DataFrame(PEOPLE[1:], schema=PEOPLE[0], orient="row").write_parquet(path)


def as_ods(path):
    cells = lambda row: "".join(  # noqa: E731
        f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>' for cell in row
    )
    rows = "".join(f"<table:table-row>{cells(row)}</table:table-row>" for row in PEOPLE)
    content = (
        '<?xml version="1.0" encoding="UTF-8"?><office:document-content '
        'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>'
        f'<table:table table:name="名单">{rows}</table:table></office:spreadsheet></office:body></office:document-content>'
    )
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        package.writestr("content.xml", content)
        package.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )


def as_web_page(path):
    rows = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in PEOPLE)
    path.write_bytes(
        f"<html><head><style>td {{}}</style></head><body><table>{rows}</table></body></html>".encode("gb18030")
    )


def as_xml_spreadsheet(path):
    cells = lambda row: "".join(f'<Cell><Data ss:Type="String">{cell}</Data></Cell>' for cell in row)  # noqa: E731
    rows = "".join(f"<Row>{cells(row)}</Row>" for row in PEOPLE)
    path.write_text(
        '<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
        'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="名单"><Table>'
        f"{rows}</Table></Worksheet></Workbook>",
        encoding="utf-8",
    )


WAYS = {
    "web page": as_web_page,
    "xml spreadsheet": as_xml_spreadsheet,
    "xlsx": lambda path: book(path, {"名单": PEOPLE}),
    "xls": as_xls,
    "ods": as_ods,
    "csv utf-8": as_text("utf-8"),
    "csv utf-8 with bom": as_text("utf-8-sig"),
    "csv gb18030": as_text("gb18030"),
    "tsv gb18030": as_text("gb18030", "\t"),
    "txt utf-16": as_text("utf-16", "\t"),
    "semicolons": as_text("utf-8", ";"),
    "parquet": as_parquet,
}


@pytest.mark.parametrize("extension", ["xls", "xlsx", "csv", "dat"])
@pytest.mark.parametrize("way", WAYS.values(), ids=list(WAYS))
def test_a_file_is_what_its_bytes_say(tmp_path, way, extension):
    """Every container and encoding reads the same under every extension."""
    path = tmp_path / f"list.{extension}"
    way(path)
    source = table(path)
    assert source.rows.select("name_raw", "id_raw").rows() == [("张三", ID_1), ("李四", ID_2)]
    assert source.rows["data_row"].to_list() == [0, 1]


def test_rare_characters_survive_gb18030(tmp_path):
    """䶮 and 𬱖 are in no GBK table; a name must not lose them."""
    path = tmp_path / "a.csv"
    path.write_bytes(f"姓名,身份证号\n张䶮,{ID_1}\n𬱖三,{ID_2}\n".encode("gb18030"))
    assert names(table(path)) == ["张䶮", "𬱖三"]


def test_numbers_in_a_workbook_show_their_damage(tmp_path):
    """An ID that Excel kept as a number has lost three digits, and looks like it; short numbers are plain digits."""
    rows = [["姓名", "身份证号", "联系电话", "出生日期"], ["张三", 990121198001011234, 13800000000, date(1980, 1, 1)]]
    source = table(book(tmp_path / "a.xlsx", {"s": rows}))
    assert source.rows.select("id_raw", "phone", "birth_on").row(0) == (
        "9.90121198001011E+17",
        "13800000000",
        date(1980, 1, 1),
    )
    assert source.reports[0].counted("numeric_id_column") == {"id_number": 1}


def test_typed_parquet_reads_like_a_workbook(tmp_path):
    """Integers keep all digits, floats of 16 digits show their damage, dates and Booleans are what they are."""
    frame = pl.DataFrame(
        {
            "name": ["张三", "李四"],
            "id_number": [int(ID_1), int(ID_2)],
            "birth_on": [date(1980, 1, 1), None],
            "covered": [True, False],
            "amount_month_yuan": [300.5, float("nan")],
            "welfare_cert_no": [9.90121198001011234e17, 12.0],
        }
    )
    frame.write_parquet(tmp_path / "a.parquet")
    source = table(tmp_path / "a.parquet", "dibao")
    fields = ["id_raw", "birth_on", "covered", "amount_month_yuan", "welfare_cert_no"]
    assert source.rows.select(fields).rows() == [
        (ID_1, date(1980, 1, 1), True, 300.5, "9.90121198001011E+17"),
        (ID_2, None, False, None, "12"),
    ]
    assert source.rows["row"].to_list() == [1, 2]


def test_digits_wrapped_by_other_tools_are_unwrapped(tmp_path):
    """`="…"`, as one cleaning tool writes every cell, is the cell."""
    path = tmp_path / "a.csv"
    path.write_text(f'="姓名",="身份证号"\n="张三",="{ID_1}"\n"=""李四""",{ID_2}\n', encoding="utf-8")
    assert table(path).rows.select("name_raw", "id_raw").rows() == [("张三", ID_1), ("李四", ID_2)]


CSV = {
    "sep line": ("sep=;\n姓名;身份证号\n张三;{id}\n", ["张三"]),
    "short title row": ("低保名单\n姓名,身份证号\n张三,{id}\n", ["张三"]),
    "row too long": ("姓名,身份证号\n张三,{id},多,余\n", ["张三"]),
    "row too short": ("姓名,身份证号,住址\n张三,{id}\n", ["张三"]),
    "newline in quotes": ('姓名,身份证号,住址\n张三,{id},"东村\n一组"\n李四,{id},\n', ["张三", "李四"]),
    "stray quote": ('姓名,身份证号,住址\n张三,{id},5"管\n李四,{id},"x"y\n', ["张三", "李四"]),
    "carriage returns only": ("姓名,身份证号\r张三,{id}\r李四,{id}", ["张三", "李四"]),
    "no final newline": ("姓名,身份证号\n张三,{id}", ["张三"]),
    "comma inside quotes": ('姓名,身份证号,住址\n张三,{id},"东村,一组"\n', ["张三"]),
}


@pytest.mark.parametrize(("text", "expected"), CSV.values(), ids=list(CSV))
def test_csv_as_people_write_it(tmp_path, text, expected):
    """Ragged rows, stray quotes, old line ends: every row is still there."""
    path = tmp_path / "a.csv"
    path.write_bytes(text.format(id=ID_1).encode())
    source = table(path)
    assert names(source) == expected
    assert source.rows["id_raw"].to_list() == [ID_1] * len(expected)


def bad(path, data):
    path.write_bytes(data)
    return path


def xlsx_bytes(tmp_path):
    return book(tmp_path / "whole.xlsx", {"名单": PEOPLE + [[f"张{n}", ID_1] for n in range(400)]}).read_bytes()


def flipped(data):
    """The workbook with one byte of its sheet changed, its directory left as it was."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        info = package.getinfo("xl/worksheets/sheet1.xml")
    at = info.header_offset + 30 + len(info.filename) + info.compress_size // 2
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


def stretched(tmp_path, row=1_048_575, column=16_383):
    """A workbook whose second cell stands in the last corner of the sheet: a reader would ask for 550 GB."""
    workbook = xlsxwriter.Workbook(str(tmp_path / "ghost.xlsx"))
    sheet = workbook.add_worksheet()
    sheet.write_string(0, 0, "姓名")
    sheet.write_string(row, column, "x")
    workbook.close()
    return (tmp_path / "ghost.xlsx").read_bytes()


BROKEN = {
    "empty": (lambda _: b"", "the file is empty"),
    "blank": (lambda _: b"\r\n \r\n", "the file is empty"),
    "truncated": (lambda tmp: xlsx_bytes(tmp)[:-200], "damaged"),
    "one byte flipped": (lambda tmp: flipped(xlsx_bytes(tmp)), "damaged"),
    "stray cell": (stretched, "stray cell"),
    "stray cell not quite so far": (lambda tmp: stretched(tmp, 900_000, 200), "stray cell"),
    "half an xls": (lambda _: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "cannot be read"),
    "web page": (lambda _: b"<html><p>404 not found</p></html>", "web page without a table"),
    "picture": (lambda _: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, "this is a picture, not a table"),
    "no encoding": (lambda _: "姓名,身份证号\n".encode() + b"\xff\xff\xff,1\n", "neither UTF-8 nor GB18030"),
    "open quote": (lambda _: f'姓名,身份证号\n张三,{ID_1}\n"李四,{ID_2}\n王五,{ID_3}\n'.encode(), "quotation mark"),
    "half a parquet": (lambda _: b"PAR1" + b"\x00" * 100, "cannot be read"),
    "no header": (lambda _: b"a,b\n1,2\n", "no header row"),
}


@pytest.mark.parametrize(("make", "message"), BROKEN.values(), ids=list(BROKEN))
def test_a_broken_file_is_refused_in_plain_words(tmp_path, make, message):
    """What cannot be read whole is not read in part; the message names the file and never a cell."""
    path = bad(tmp_path / "x.xlsx", make(tmp_path))
    with pytest.raises(BadDataError, match=message) as caught:
        table(path, name="民政.xlsx")
    text = str(caught.value)
    assert text.startswith("民政.xlsx")
    assert "张三" not in text
    assert "李四" not in text
    assert str(tmp_path) not in text
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_an_open_quote_is_named_with_its_row(tmp_path):
    """The row in which the mark stands, not the end of the file."""
    path = bad(tmp_path / "a.csv", f'姓名,身份证号\n张三,{ID_1}\n"李四,{ID_2}\n王五,{ID_3}\n'.encode())
    with pytest.raises(BadDataError) as caught:
        table(path)
    assert caught.value.where.row == 3


def test_a_missing_file_and_a_folder(tmp_path):
    """Neither is bad data: the input is missing, exit code 66."""
    for path in (tmp_path / "none.xlsx", tmp_path):
        with pytest.raises(InputMissingError):
            table(path)


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    """No permission is exit code 77 (root may read everything, so the refusal is staged)."""

    def refuse(self, mode):
        raise PermissionError(13, "Permission denied", str(self))

    path = book(tmp_path / "a.xlsx", {"s": PEOPLE})
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(NoPermissionError) as caught:
        table(path)
    assert str(tmp_path) not in str(caught.value)


@examples(60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(1, 5000), flip=st.integers(0, 5000))
def test_no_damage_goes_unnoticed(tmp_path, cut, flip):
    """A workbook that was cut or changed anywhere is refused, or gives exactly the rows it always gave."""
    whole = xlsx_bytes(tmp_path)
    expected = table(tmp_path / "whole.xlsx").rows
    changed = bytearray(whole)
    changed[flip % len(whole)] ^= 0x55
    for data in (whole[: len(whole) - cut % len(whole)], bytes(changed)):
        path = bad(tmp_path / "x.xlsx", data)
        with contextlib.suppress(BadDataError):
            assert table(path).rows.drop("source").equals(expected.drop("source"))


def test_a_web_page_keeps_its_merged_cells(tmp_path):
    """colspan and rowspan, character references, nested tables and missing end tags are read as a browser shows them."""
    page = (
        "<table border=1><tr><td colspan=3>名册<tr><td rowspan=2>户编号<td colspan=2>家庭成员<tr><td>姓&#21517;<td>证件号码"
        f"<tr><td rowspan=2>H1<td>张三<td>{ID_1}<tr><td>李四<br><table><tr><td>x</table><td>{ID_2}</table>"
    )
    source = table(bad(tmp_path / "a.xls", page.encode()), "register")
    assert source.rows.select("household_id", "name_raw", "id_raw", "row").rows() == [
        ("H1", "张三", ID_1, 4), ("H1", "李四 x", ID_2, 5),
    ]  # fmt: skip
    assert reasons(source) == [(1, "title"), (2, "header"), (3, "header")]


# --- headers ---------------------------------------------------------------------------------------------------------


def test_three_levels_of_merged_headers(tmp_path):
    """保障人数 → 分解 → 残疾人数 over merged cells, titles above, column numbers below, a total and a signature at the end."""
    rows = [
        ["云岭市农村低保名册", *[""] * 7],
        ["单位：元"],
        ["序号", "户主姓名", "身份证号码", "低保证号", "保障人数", "", "", "领取金额"],
        ["", "", "", "", "总数", "分解", "", ""],
        ["", "", "", "", "", "重点保障人数", "残疾人数", ""],
        ["1", "2", "3", "4", "5", "6", "7", "8"],
        ["1", "张三", ID_1, "D1", "3", "1", "1", "1,300.5"],
        [],
        ["合  计", "", "", "", "3"],
        ["制表人：王五", "", "", "审核人："],
    ]
    merges = [("s", 0, 0, 0, 7), ("s", 2, 4, 2, 6), ("s", 3, 5, 3, 6), ("s", 2, 7, 4, 7), ("s", 3, 4, 4, 4)]
    merges += [("s", 2, c, 4, c) for c in range(4)]
    source = table(book(tmp_path / "a.xlsx", {"s": rows}, merges), "dibao")
    report = source.reports[0]
    assert report.header_rows == (3, 4, 5)
    assert dict(report.columns) == {
        "name": "户主姓名", "head_name": "户主姓名", "id_number": "身份证号码", "welfare_cert_no": "低保证号",
        "amount_month_yuan": "领取金额", "covered_count": "保障人数/总数", "covered_key_count": "保障人数/分解/重点保障人数",
        "covered_disabled_count": "保障人数/分解/残疾人数",
    }  # fmt: skip
    assert source.rows.select("name_raw", "amount_month_yuan", "row", "data_row").rows() == [("张三", 1300.5, 7, 1)]
    assert reasons(source) == [
        (1, "title"), (2, "title"), (3, "header"), (4, "header"), (5, "header"), (6, "repeated_header"), (8, "blank"),
        (9, "footer"), (10, "footer"),
    ]  # fmt: skip


def test_a_child_header_matches_alone_and_with_its_parent(tmp_path):
    """Under 家庭成员 (merged over two columns) 姓名 is the name; the row of parents is part of the header."""
    rows = [["户编号", "家庭成员", ""], ["", "姓名", "证件号码"], ["H1", "张三", ID_1]]
    source = table(book(tmp_path / "a.xlsx", {"s": rows}, [("s", 0, 1, 0, 2), ("s", 0, 0, 1, 0)]), "register")
    assert source.reports[0].header_rows == (1, 2)
    assert dict(source.reports[0].columns)["name"] == "家庭成员/姓名"
    assert source.rows.select("household_id", "name_raw").rows() == [("H1", "张三")]


def test_two_header_rows_of_a_csv_have_no_merged_cells(tmp_path):
    """A second row that only fills in columns without a label belongs to the header."""
    path = tmp_path / "a.csv"
    path.write_text(f"姓名,身份证号,领取金额,\n,,,家庭补差\n张三,{ID_1},1,300\n", encoding="utf-8")
    source = table(path, "dibao")
    assert source.reports[0].header_rows == (1, 2)
    assert names(source) == ["张三"]


def test_headers_are_compared_without_what_does_not_count():
    """Width, brackets, blanks, line breaks and stars are how people print, not what they mean."""
    assert header_key(" 务工时间（月） ") == header_key("务工时间\n(月)")
    assert header_key("*姓　名：") == header_key("姓名")
    assert header_key("\ufeff车架号    ") == "车架号"


@pytest.mark.parametrize(
    ("header", "unit"),
    [
        ("注册资本（万元）", "万元"),
        ("保障金额(元)", "元"),
        ("注册资本", None),
        ("合计[单位：千元]", "千元"),
        ("元旦补助", None),
    ],
)
def test_a_header_may_name_its_unit(header, unit):
    """A unit counts only in brackets or after 单位."""
    assert unit_in(header) == unit


def test_a_unit_in_the_header_goes_before_the_declared_one(tmp_path):
    """注册资本 counts 万元 by default; 注册资本（元） counts yuan."""
    for header, yuan in (("注册资本", 500000.0), ("注册资本（元）", 50.0), ("注册资本(万元)", 500000.0)):
        rows = [["企业名称", "法定代表人", "身份证号", header], ["青禾甲公司", "张三", ID_1, "50"]]
        source = table(book(tmp_path / "a.xlsx", {"s": rows}), "companies")
        assert source.rows["capital_yuan"].to_list() == [yuan]
        assert source.rows["role"].to_list() == ["法定代表人"], "the header over the names says the role"


def test_typos_and_strangers_are_reported_with_the_nearest_field(tmp_path):
    """A header that nobody knows is listed with the field it looks like; two of a kind that disagree say nothing."""
    rows = [["姓名", "身份证号", "性别", "车辆类形", "性别"], ["张三", ID_1, "男", "小型汽车", "女"]]
    report = (source := table(book(tmp_path / "a.xlsx", {"s": rows}), "vehicles")).reports[0]
    assert report.unmapped == (("车辆类形", "vehicle_type"),)
    assert report.duplicates == (("sex", "性别"),)
    assert "plate_no" in report.missing
    assert source.rows["sex"].to_list() == [None]
    assert report.counted("conflicting_duplicate") == {"sex": 1}
    assert source.rows["vehicle_type"].to_list() == [None]


def test_a_header_may_leave_out_the_unit_that_the_profile_declares(tmp_path):
    """人均纯收入 is 人均纯收入（元）, and 月保障金额 is 月保障金额（元）: neither may be lost for want of two brackets."""
    rows = [["户编号", "姓名", "证件号码", "人均纯收入", "纯收入"], ["9901", "张三", ID_1, "5200", "15600"]]
    source = table(book(tmp_path / "台账.xlsx", {"s": rows}), "register")
    assert source.rows.select("income_per_head_yuan", "income_net_yuan").row(0) == (5200.0, 15600.0)
    rows = [["姓名", "身份证号", "月保障金额"], ["张三", ID_1, "420"]]
    assert table(book(tmp_path / "低保.xlsx", {"s": rows}), "dibao").rows["amount_month_yuan"].to_list() == [420.0]


def test_a_header_like_a_column_that_is_missed_is_told_apart(tmp_path):
    """Only where the field it looks like is missing and asked for: then it may well be that column, under another name."""
    rows = [["户编号", "姓名", "证件号码", "家庭人均纯收入数", "说明栏"], ["9901", "张三", ID_1, "5200", "x"]]
    report = table(book(tmp_path / "台账.xlsx", {"s": rows}), "register").reports[0]
    near = ("near_column", "家庭人均纯收入数（income_per_head_yuan?）")
    assert near in report.problems({"income_per_head_yuan"})
    assert ("unmapped_column", near[1]) in report.problems(())


def test_a_missing_required_column_says_what_was_looked_for(tmp_path):
    """File, sheet, row, the headers that would do, the nearest one here, and what to type next."""
    rows = [["户编码号", "姓名", "证件号码"], ["H1", "张三", ID_1]]
    with pytest.raises(BadDataError) as caught:
        table(book(tmp_path / "a.xlsx", {"一村": rows}), "register", "台账.xlsx")
    text = str(caught.value)
    assert text.splitlines()[0] == "台账.xlsx, sheet 一村, row 1: no column for 户编号"
    assert "贫困户编号" in text
    assert "nearest header here: 户编码号" in text
    assert "try: fupin inspect 台账.xlsx" in text


def test_the_header_message_reads_as_the_style_asks(tmp_path):
    """No header: what, what was looked for, under which profile, what to type."""
    with pytest.raises(BadDataError) as caught:
        table(book(tmp_path / "a.xlsx", {"Sheet1": [["a", "b"], ["1", "2"]]}), "dibao", "民政低保.xlsx")
    assert str(caught.value).splitlines() == [
        "民政低保.xlsx, sheet Sheet1: no header row in the first 30 rows",
        "  looked for 姓名 or 证件号码 (profile dibao)",
        "  try: fupin inspect 民政低保.xlsx",
    ]


def test_english_field_names_are_headers(tmp_path):
    """Our own Parquet and CSV files carry the canonical names."""
    path = tmp_path / "a.csv"
    path.write_text(
        f"household_id,name,id_number,exit_status,member_count\nH1,张三,{ID_1},已脱贫,3\n", encoding="utf-8"
    )
    source = table(path, "register")
    assert source.rows.select("household_id", "name_raw", "exit_status", "member_count").rows() == [
        ("H1", "张三", "已脱贫", 3)
    ]


# --- rows ------------------------------------------------------------------------------------------------------------


def test_every_field_is_a_typed_column(tmp_path):
    """All fields of the profile are there with their dtypes, null where the file has no such column; nothing is cleaned."""
    for profile in PROFILES.values():
        rows = [["姓名", "证件号码", "户编号", "县"], [" 张 三", ID_1, "H1", "青禾县"]]
        source = table(book(tmp_path / "a.xlsx", {"s": rows}), profile.name)
        expected = {**SOURCE_REF.schema, "person_of_row": pl.Int64(), "name_raw": pl.String(), "id_raw": pl.String()}
        expected |= {field.column: field.dtype for field in profile.fields}
        assert source.rows.schema == pl.Schema(expected), profile.name
        assert source.rows["name_raw"].to_list() == [" 张 三"]
        assert source.accounts.schema == ACCOUNTS.schema
        assert source.set_aside.schema == SET_ASIDE.schema


def test_sheets_and_files_of_one_source_are_one_table(tmp_path):
    """Columns may stand in another order on each sheet; data_row counts on over sheets and files, row stays Excel's."""
    first = book(
        tmp_path / "1.xlsx",
        {
            "东村": [["姓名", "身份证号"], ["张三", ID_1], [], ["李四", ID_2]],
            "西村": [["名单"], ["身份证号", "姓名"], [ID_3, "王五"]],
        },
    )
    second = tmp_path / "2.csv"
    second.write_text(f"身份证号,姓名\n{ID_1},赵六\n", encoding="utf-8")
    source = read_source([("1.xlsx", first), ("2.csv", second)], PROFILES["people"])
    assert source.rows.select("source", "sheet", "row", "data_row", "name_raw").rows() == [
        ("1.xlsx", "东村", 2, 0, "张三"),
        ("1.xlsx", "东村", 4, 2, "李四"),
        ("1.xlsx", "西村", 3, 3, "王五"),
        ("2.csv", "", 2, 4, "赵六"),
    ]
    assert balance(source) == [("1.xlsx", "东村", 4, 2, 2), ("1.xlsx", "西村", 3, 1, 2), ("2.csv", "", 2, 1, 1)]


def test_merged_cells_are_filled_inside_the_merge_only(tmp_path):
    """A household merged down over two members is theirs; the third row, blank without a merge, stays without one."""
    rows = [
        ["户编号", "姓名", "证件号码"],
        ["H1", "张三", ID_1],
        ["", "李四", ID_2],
        ["", "王五", ID_3],
    ]
    source = table(book(tmp_path / "a.xlsx", {"s": rows}, [("s", 1, 0, 2, 0)]), "register")
    assert source.rows.select("household_id", "name_raw").rows() == [("H1", "张三"), ("H1", "李四")]
    assert reasons(source) == [(1, "header"), (4, "no_household")]


def test_rows_that_are_no_data_are_set_aside_with_a_reason(tmp_path):
    """Village lines, repeated headers, sub-totals, nobodies and signatures, each by its name."""
    rows = [
        ["序号", "姓名", "身份证号", "住址"],
        ["东村", "", "", ""],
        ["1", "张三", ID_1, ""],
        ["", "小计", "", "1"],
        ["序号", "姓 名", "身份证号", "住址"],
        ["2", "", "", "西村"],
        ["3", "李四", "", "无证"],
        ["4", "", ID_2, "有证无名"],
        ["西村合计", "", "", "2"],
        ["填表日期：2019年11月", "", "", ""],
        ["备注：户主外出", "", "", ""],
    ]
    source = table(book(tmp_path / "a.xlsx", {"s": rows}, [("s", 1, 0, 1, 3)]))
    assert reasons(source) == [
        (1, "header"), (2, "title"), (4, "footer"), (5, "repeated_header"), (6, "no_identity"), (9, "footer"),
        (10, "footer"), (11, "footer"),
    ]  # fmt: skip
    assert names(source) == ["张三", "李四", None]
    assert set(source.set_aside["set_aside_reason"]) <= set(SET_ASIDE_REASONS)


@pytest.mark.parametrize(("above", "own"), [("户主", ["张三", None]), ("户主及家庭成员", ["张三", "张三"])])
def test_the_heads_name_is_the_heads_row_alone(tmp_path, above, own):
    """A list that names heads only and says who each row is: a member has no name there; a title over both takes none away."""
    header = [above + "姓名", "身份证号", "与户主关系", "低保证号"]
    rows = [header, ["张三", ID_1, "户主", "D1"], ["张三", ID_2, "配偶", "D1"]]
    if own[1]:
        rows = [[above, above, above, "低保证号"], ["姓名", "身份证号", "与户主关系", ""], *rows[1:]]
    source = table(book(tmp_path / "a.xlsx", {"s": rows}), "dibao")
    assert names(source) == own
    assert [detail for _, kind, detail in problems(source) if kind == "heads_name"] == ([] if own[1] else ["name: 1"])


def test_a_person_is_not_taken_for_a_footer(tmp_path):
    """Whoever has an ID number is a person, whatever the first cells say."""
    source = table(book(tmp_path / "a.xlsx", {"s": [["村", "姓名", "身份证号"], ["合计", "张三", ID_1]]}))
    assert names(source) == ["张三"]


def test_sheets_that_are_no_table_are_set_aside_and_hidden_ones_are_read_and_counted(tmp_path):
    """A notes sheet is set aside row by row; a hidden sheet is part of what was sent: read, and loudly so."""
    sheets = {"名单": PEOPLE, "说明": [["填报说明"], ["一、…"]], "旧": PEOPLE, "选项": [["是"], ["否"]]}
    source = table(book(tmp_path / "a.xlsx", sheets, hidden=["旧", "选项"]))
    assert source.accounts.drop("source", "columns_hidden").rows() == [
        ("名单", 3, 2, 1, 0), ("说明", 2, 0, 2, 0), ("旧", 3, 2, 1, 3), ("选项", 2, 0, 2, 2),
    ]  # fmt: skip
    assert [(r.sheet, r.visible) for r in source.reports] == [
        ("名单", True), ("说明", True), ("旧", False), ("选项", False),
    ]  # fmt: skip
    assert source.set_aside.group_by("set_aside_reason").len().sort("set_aside_reason").rows() == [
        ("header", 2), ("hidden_sheet", 2), ("not_a_table", 2),
    ]  # fmt: skip
    assert ("旧", "hidden_sheet", "3") in problems(source)


def test_a_list_of_helpers_beside_the_register_does_not_stop_it(tmp_path):
    """A sheet that meets hardly any requirement is another table; one that lacks a single column is an error."""
    register = [["户编号", "姓名", "证件号码"], ["H1", "张三", ID_1]]
    helpers = [["姓名", "联系电话"], ["王五", "13800000000"]]
    source = table(book(tmp_path / "a.xlsx", {"台账": register, "帮扶人": helpers}), "register")
    assert names(source) == ["张三"]
    with pytest.raises(BadDataError, match="户编号"):
        table(book(tmp_path / "b.xlsx", {"台账": register, "二": [["姓名", "证件号码"], ["李四", ID_2]]}), "register")


def test_a_register_row_whose_household_number_lost_digits_is_set_aside(tmp_path):
    """Ten households would become one."""
    rows = [["户编号", "姓名", "证件号码"], [9901210010010001, "张三", ID_1], ["9901210010010002", "李四", ID_2]]
    source = table(book(tmp_path / "a.xlsx", {"s": rows}), "register")
    assert source.rows["household_id"].to_list() == ["9901210010010002"]
    assert reasons(source) == [(1, "header"), (2, "no_household")]


def test_the_disability_number_stands_in_for_a_missing_id(tmp_path):
    """Without an ID column, or with a blank cell in it, the ID is read from the certificate number."""
    without = [["姓名", "残疾人证号"], ["张三", ID_1 + "41"]]
    source = table(book(tmp_path / "a.xlsx", {"s": without}), "disability")
    assert source.rows.select("id_raw", "disability_no").rows() == [(ID_1 + "41", ID_1 + "41")]
    beside = [["姓名", "身份证号", "残疾人证号"], ["张三", "", ID_1 + "41"], ["李四", ID_2, ID_2 + "12"]]
    source = table(book(tmp_path / "b.xlsx", {"s": beside}), "disability")
    assert source.rows["id_raw"].to_list() == [ID_1 + "41", ID_2]


def test_values_that_mean_nothing_are_counted_per_field(tmp_path):
    """An unreadable date and an unknown label are null and counted; a blank or a dash is not."""
    rows = [
        ["户编号", "姓名", "证件号码", "出生日期", "脱贫属性", "脱贫年度"],
        ["H1", "张三", ID_1, "1980.1", "4", "2016"],
        ["H1", "李四", ID_2, "-", "已脱贫（享受政策）", ""],
    ]
    source = table(book(tmp_path / "a.xlsx", {"s": rows}), "register")
    report = source.reports[0]
    assert report.counted("unparsed_cells") == {"birth_on": 1}
    assert report.counted("undeclared_codes") == {"exit_status": 1}
    assert source.rows.select("birth_on", "exit_status", "exit_year").rows() == [
        (None, None, 2016),
        (None, "已脱贫", None),
    ]


def test_hidden_rows_errors_and_empty_formulas_are_counted(tmp_path):
    """Cells alone do not show them, so the package is asked."""
    workbook = xlsxwriter.Workbook(str(tmp_path / "a.xlsx"))
    sheet = workbook.add_worksheet("s")
    for r, row in enumerate([*PEOPLE, ["王五", ID_3]]):
        for c, cell in enumerate(row):
            sheet.write_string(r, c, cell)
    sheet.set_row(2, None, None, {"hidden": True})
    sheet.write_formula(1, 2, "=1/0", None, "#DIV/0!")
    sheet.write_formula(2, 2, "=A1", None, "")
    workbook.close()
    report = table(tmp_path / "a.xlsx").reports[0]
    assert (report.hidden_rows, report.hidden_columns) == (1, 0)
    assert (report.errors, report.empty_formulas, report.rows_used) == (1, 1, 3)


CELL = st.sampled_from(
    ["", "", "张三", "李四", ID_1, ID_2, "合计", "姓名", "身份证号", "制表人：王五", "12", " ", "东村"]
)


@examples(150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    above=st.lists(st.lists(st.sampled_from(["", "名单", "单位：元"]), min_size=3, max_size=3), max_size=3),
    below=st.lists(st.lists(CELL, min_size=3, max_size=3), max_size=12),
)
def test_read_is_used_plus_set_aside(tmp_path, above, below):
    """Whatever stands above and below a header, each row of the sheet is in exactly one of the two."""
    rows = [*above, ["姓名", "身份证号", "住址"], *below]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(",".join(row) for row in rows) + "\n", encoding="utf-8")
    source = table(path)
    filled = max(n for n, row in enumerate(rows, 1) if any(cell.strip() for cell in row))
    seen = sorted([*source.rows["row"], *source.set_aside["row"]])
    assert seen == list(range(1, filled + 1))
    read, used, aside = source.accounts.select("rows_read", "rows_used", "rows_set_aside").row(0)
    assert (read, used, aside) == (filled, source.rows.height, source.set_aside.height)
    assert not source.rows.filter(pl.col("name_raw").is_null() & pl.col("id_raw").is_null()).height


def test_repeated_spellings_parse_like_single_ones(tmp_path):
    """Large columns are parsed once for each spelling; the values stay on their rows."""
    days = ["1980年1月5日", "1990.2.3", "", "错", "20010101"] * 40
    path = tmp_path / "a.csv"
    path.write_text(
        "姓名,出生日期,性别\n" + "".join(f"张{n},{d},{1 + n % 2}\n" for n, d in enumerate(days)), encoding="utf-8"
    )
    source = table(path)
    assert source.rows["birth_on"].to_list() == [date(1980, 1, 5), date(1990, 2, 3), None, None, date(2001, 1, 1)] * 40
    assert source.rows["sex"].to_list() == ["男", "女"] * 100
    assert source.reports[0].counted("unparsed_cells") == {"birth_on": 40}


# --- several sheets, doubtful headers ----------------------------------------------------------------------------------


def problems(source):
    """(sheet, kind, detail) of everything but absent columns."""
    return [(r.sheet, *found) for r in source.reports for found in r.problems() if found[0] != "missing_column"]


def test_a_list_of_contacts_beside_the_dead_is_no_list_of_the_dead(tmp_path):
    """A sheet that only says who people are is set aside, and said, where another sheet of the file shows what is meant."""
    sheets = {
        "死亡人员": [["姓名", "身份证号", "死亡日期"], ["张三", ID_1, "2019-01-05"]],
        "村组联系人": [["姓名", "身份证号", "联系电话"], ["李四", ID_2, "13800000000"]],
    }
    source = table(book(tmp_path / "a.xlsx", sheets), "deaths")
    assert names(source) == ["张三"]
    assert balance(source) == [("a.xlsx", "死亡人员", 2, 1, 1), ("a.xlsx", "村组联系人", 2, 0, 2)]
    assert problems(source) == [("村组联系人", "not_a_table", "2")]


def test_the_order_of_sheets_does_not_decide_which_one_is_meant(tmp_path):
    """The contacts are set aside in front of the dead as well, and data rows count on as if they were not there."""
    sheets = {
        "村组联系人": [["姓名", "身份证号"], ["李四", ID_2]],
        "死亡人员": [["姓名", "身份证号", "死亡日期"], ["张三", ID_1, "2019-01-05"]],
    }
    source = table(book(tmp_path / "a.xlsx", sheets), "deaths")
    assert source.rows.select("name_raw", "data_row").rows() == [("张三", 0)]


def test_a_file_of_which_only_people_are_known_is_read_with_a_loud_word(tmp_path):
    """Nothing tells the kind of such a list, so it is taken at its sender's word, and the summary says so."""
    source = table(book(tmp_path / "a.xlsx", {"一": PEOPLE, "二": PEOPLE}), "deaths")
    assert source.rows.height == 4
    assert problems(source) == [("一", "only_identity", "2"), ("二", "only_identity", "2")]
    assert not problems(table(tmp_path / "a.xlsx", "people")), "a list of people is nothing more"


def test_a_continued_sheet_without_a_header_is_unreadable_not_silent(tmp_path):
    """Its rows hold ID numbers, so people would go missing: the run ends with 3; a sheet of notes says nothing."""
    sheets = {
        "低保": [["姓名", "身份证号", "低保证号"], ["张三", ID_1, "1"]],
        "续表": [["李四", ID_2, "2"], ["王五", "9.90121197502022E+17", "3"], ["合计", "", "2"]],
        "说明": [[f"示例：身份证号填写 {ID_3}", "电话 09990001111"]],
    }
    source = table(book(tmp_path / "a.xlsx", sheets), "dibao")
    assert problems(source) == [("续表", "unreadable", "no header; 2 of 3 rows look like people")]
    assert source.accounts["rows_set_aside"].to_list() == [1, 3, 1]


SWALLOWED = {
    "a label of another field": "姓名,关系,村,救助类别\n张三,户主,柳树村,农村低保\n李四,配偶,柳树村,农村低保\n",
    "under a column without label": "姓名,关系,村,\n张三,户主,柳树村,李四\n李四,配偶,柳树村,王五\n",
    "a single name column": "姓名,\n张三,户主\n李四,户主\n",
    "two name columns": "姓名,姓名,村\n张三,户主,\n李四,户主,柳树村\n",
}


@pytest.mark.parametrize("text", SWALLOWED.values(), ids=list(SWALLOWED))
def test_a_person_is_not_swallowed_by_the_header(tmp_path, text):
    """户主 in the first row of data is a value, though it is a header elsewhere: a filled name above it ends the header."""
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8")
    source = table(path, "dibao")
    assert source.reports[0].header_rows == (1,)
    assert names(source) == ["张三", "李四"]


def test_a_person_under_a_merged_label_is_not_swallowed(tmp_path):
    """家庭住址 merged over two columns has no sub-headers where the row below holds a name."""
    rows = [["姓名", "家庭住址", "", "备注"], ["张三", "柳树村", "一组", "无"], ["李四", "柳树村", "二组", "无"]]
    source = table(book(tmp_path / "a.xlsx", {"s": rows}, [("s", 0, 1, 0, 2)]), "dibao")
    assert source.reports[0].header_rows == (1,)
    assert names(source) == ["张三", "李四"]


def test_what_may_be_a_name_is_never_shown_as_a_header(tmp_path):
    """A lower row without merged cells is only probably a header, so neither reports nor inspect print its labels."""
    path = tmp_path / "a.csv"
    path.write_text(f"姓名,身份证号,领取金额,\n,,,赵敏敏\n张三,{ID_1},1,300\n", encoding="utf-8")
    source = table(path, "dibao")
    assert source.reports[0].header_rows == (1, 2)
    assert source.reports[0].unmapped == (("…", None),)
    assert "赵敏敏" not in repr(source.reports)
    assert "赵敏敏" not in repr(inspect_file("a.csv", path, PROFILES))


def test_labels_under_merged_cells_and_above_the_names_are_shown(tmp_path):
    """A header of two rows stays readable where merged cells tie them together, or where the lower row is the main one."""
    rows = [["", "家庭成员", "", ""], ["户编号", "姓名", "证件号码", "帮扶单位"], ["H1", "张三", ID_1, "某局"]]
    source = table(book(tmp_path / "a.xlsx", {"s": rows}, [("s", 0, 1, 0, 2)]), "register")
    assert source.reports[0].header_rows == (1, 2)
    assert dict(source.reports[0].columns) == {
        "household_id": "户编号", "name": "家庭成员/姓名", "id_number": "家庭成员/证件号码",
    }  # fmt: skip
    assert [header for header, _ in source.reports[0].unmapped] == ["帮扶单位"]


@pytest.mark.parametrize("number", ["无", "-", "不详", "暂无", "0", "000", "　"])
def test_a_household_number_that_says_nothing_is_none(tmp_path, number):
    """All people without a number would become one household."""
    rows = [["户编号", "姓名", "证件号码"], [number, "张三", ID_1], ["10", "李四", ID_2]]
    source = table(book(tmp_path / "a.xlsx", {"s": rows}), "register")
    assert names(source) == ["李四"]
    assert reasons(source) == [(1, "header"), (2, "no_household")]


def test_a_dropped_sep_line_does_not_shift_rows(tmp_path):
    """Row 3 is row 3 in Excel's eyes, whether or not the first line only named the separator."""
    body = f"姓名,身份证号\n\n张三,{ID_1}\n李四,{ID_2}\n"
    for first, row in (("", 3), ("sep=,\n", 4), ("sep=,\r\n", 4)):
        path = bad(tmp_path / "a.csv", (first + body).encode())
        source = table(path)
        assert source.rows.select("row", "data_row", "name_raw").rows() == [(row, 1, "张三"), (row + 1, 2, "李四")]


# --- persons and households --------------------------------------------------------------------------------------------


def register(rows):
    """Persons and households of a register given as (household_id, name, county, relation, exit_status, income)."""
    columns = ["household_id", "name_raw", "county", "relation", "exit_status", "income_net_yuan"]
    types = dict.fromkeys(columns, pl.String) | {"income_net_yuan": pl.Float64}
    frame = pl.DataFrame(rows, schema=types, orient="row").with_columns(
        pl.lit("a.csv").alias("source"), pl.lit("").alias("sheet"), pl.int_range(pl.len()).alias("data_row"),
        (pl.int_range(pl.len()) + 2).alias("row"),
    )  # fmt: skip
    persons = to_persons(frame)
    return persons, to_households(persons, PROFILES["register"])


def test_one_number_in_two_counties_is_two_households():
    """001 is every county's first household; a number that one county uses alone, however it is spelled, stays as it is."""
    persons, homes = register(
        [
            ("001", "张三", "青禾县", "户主", "已脱贫", 1.0), ("001", "李四", "白石县", "户主", "未脱贫", 2.0),
            ("001", "王五", "青禾", "配偶", None, None), ("001", "赵六", None, "户主", None, None),
            ("002", "孙七", "青禾县", "户主", None, 3.0), ("002", "周八", "青禾", "配偶", None, None),
        ]
    )  # fmt: skip
    assert persons["household_id"].to_list() == ["青禾-001", "白石-001", "青禾-001", "001", "002", "002"]
    assert homes.select("household_id", "head_name", "exit_status", "member_count_actual").rows() == [
        ("001", "赵六", None, 1), ("002", "孙七", None, 2), ("白石-001", "李四", "未脱贫", 1), ("青禾-001", "张三", "已脱贫", 2),
    ]  # fmt: skip


AGREEMENT = """
head | spouse | child | value
1    | 2      | 3     | 1
1    | null   | null  | 1
null | 2      | 2     | 2
null | 2      | null  | 2
null | 2      | 3     | null
null | null   | null  | null
"""


@pytest.mark.parametrize("line", AGREEMENT.strip().splitlines()[1:])
def test_a_household_value_is_the_heads_or_what_the_others_agree_on(line):
    """Where the head's row is blank and the others disagree, nobody knows."""
    *told, expected = [None if cell.strip() == "null" else float(cell) for cell in line.split("|")]
    who = zip(("户主", "配偶", "之子"), told, strict=True)
    _, homes = register([("H1", f"张{n}", "青禾县", relation, None, value) for n, (relation, value) in enumerate(who)])
    assert homes["income_net_yuan"].to_list() == [expected]


def test_two_heads_who_disagree_decide_nothing():
    """Which of them is the head is not known either; the name is the same one in any order."""
    rows = [("H1", "张三", "青禾县", "户主", None, 1.0), ("H1", "李四", "青禾县", "户主", None, 2.0)]
    for order in (rows, rows[::-1]):
        persons, homes = register(order)
        assert homes.select("head_name", "income_net_yuan").rows() == [("张三", None)]
        assert household_conflicts(persons, PROFILES["register"]) == [("income_net_yuan", 1)]


MEMBER = st.tuples(
    st.sampled_from(["001", "002"]), st.sampled_from(["张三", "李四", "王五"]),
    st.sampled_from(["青禾县", "青禾", "白石县", None]), st.sampled_from(["户主", "配偶", None]),
    st.sampled_from(["已脱贫", "未脱贫", None]), st.sampled_from([1.0, 2.0, None]),
)  # fmt: skip


@examples(150)
@given(rows=st.lists(MEMBER, min_size=1, max_size=8), data=st.data())
def test_shuffled_rows_give_the_same_households(rows, data):
    """Only the place in the file may differ."""
    _, expected = register(rows)
    persons, homes = register(data.draw(st.permutations(rows)))
    assert homes.drop("row").equals(expected.drop("row"))
    assert homes["member_count_actual"].sum() == persons.height == len(rows)


# --- lists of people ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header", ["姓名,身份证号,住址", "所有人,身份证号码,住址", "死者姓名,身份证号,备注", "户主姓名,户主身份证号,户编号"]
)
def test_linking_finds_the_name_under_any_departments_header(tmp_path, header):
    """Without a project the profile that knows most of who-headers reads the file, also where nothing else of it is there."""
    path = tmp_path / "a.csv"
    path.write_text(f"{header}\n张三,{ID_1},东村\n李四,{ID_2},西村\n", encoding="utf-8")
    people = read_people(path, PROFILES).keys
    assert people.select("at", "name").null_count().row(0) == (0, 0)
    assert people["at"].to_list() == [0, 1]


# --- inspect ---------------------------------------------------------------------------------------------------------


def test_inspect_says_what_a_file_seems_to_be(tmp_path):
    """Container, header row, likeliest profile and fill rates, without a single cell in what it prints of itself."""
    rows = [
        ["机动车登记"],
        ["机动车所有人", "身份证明号码", "号牌号码", "车辆类型", "备注"],
        ["张三", ID_1, "云A12345", "小型汽车", ""],
    ]
    (report,) = inspect_file("x.xls", book(tmp_path / "x.xls", {"s": rows, "空": []}), PROFILES)
    assert (report.container, report.encoding) == ("xlsx", None)
    sheet, empty = report.sheets
    assert sheet.guesses[0][0] == "vehicles"
    assert sheet.header_rows == (2,)
    assert [(c.header, c.field, c.filled, c.rows) for c in sheet.columns] == [
        ("机动车所有人", "name", 1, 1), ("身份证明号码", "id_number", 1, 1), ("号牌号码", "plate_no", 1, 1),
        ("车辆类型", "vehicle_type", 1, 1), ("备注", None, 0, 1),
    ]  # fmt: skip
    assert sheet.columns[0].cells.to_list() == ["张三"]
    assert empty.guesses == ()
    assert "张三" not in repr(report)
    assert ID_1 not in repr(report)


def test_no_record_of_a_table_prints_a_cell(tmp_path):
    """A SourceTable that ends up in a log or traceback shows counts and headers only."""
    source = table(book(tmp_path / "a.xlsx", {"s": [*PEOPLE, ["合计", "赵六"]]}))
    for secret in ("张三", ID_1, "赵六"):
        assert secret not in repr(source)
        assert secret not in repr(source.reports)
