"""Several people on one row (H9): each an identity of its own, all tied to the row, under their own names."""

import polars as pl
import pytest

from fupin_cli.normalise.identity import add_identity
from fupin_cli.pairing import link_files
from hazard_world import County, counted, household, somebody, table
from hazards import hazard
from office_files import write_html_xls, write_xls, write_xlsx
from raw_files import write_text

A, B, C = somebody(5), somebody(16, "19820202"), somebody(27, "19790909")
OWNERS = ["权利人", "权利人证件号", "坐落", "用途"]
SHARED = ["权利人", "权利人证件号", "共有人", "共有人证件号", "坐落", "用途"]


def found_in(folder, name, number):
    """(name, ID number) of everybody whom one row of owners names, and how many rows were taken apart."""
    path = write_xlsx(folder / "a.xlsx", {"s": [OWNERS, [name, number, "某路1号", "住宅"]]})
    source = table(path, "real_estate")
    people = add_identity(source.rows).select("name", "id_number").rows()
    return people, counted(source).get("several_people")


CELLS = [
    # names              numbers                                          people
    ("张三", f"身份证号：{A}", [("张三", A)]),
    ("张三", f"居民身份证{A}（本人）", [("张三", A)]),
    ("张三", f"{A} 13800000000", [("张三", A)]),
    ("张三", f"{A[:6]}{A[8:17]}（{A}）", [("张三", A)]),
    ("张三", f"居民身份证{A}13800000000", [("张三", None)]),  # nobody can tell where the number ends
    ("张三、李四", f"身份证:{A}，身份证:{B}", [("张三", A), ("李四", B)]),
    ("张三/李四", f"{A}/{B}", [("张三", A), ("李四", B)]),
    ("张三\n李四", f"{A}\n{B}", [("张三", A), ("李四", B)]),
    ("张三 李四", f"{A} {B}", [("张三", A), ("李四", B)]),
    ("张三，李四，王五", f"{A}；{B}；{C}", [("张三", A), ("李四", B), ("王五", C)]),
    ("张三李四", A + B, [(None, A), (None, B)]),
    ("张三等3人", A + B + C, [(None, A), (None, B), (None, C)]),
    ("张三、李四、王五", f"{A}、{B}", [(None, A), (None, B)]),  # nobody can tell whose number is whose
    ("张三、李四", None, [("张三", None), ("李四", None)]),
]


@hazard("H9", "real estate xlsx, a row for each way to write several owners")
@pytest.mark.parametrize(("names", "numbers", "people"), CELLS)
def test_who_is_in_a_cell(tmp_path, names, numbers, people):
    """A drawn table: what the cells of name and number hold, and whom they name."""
    got, several = found_in(tmp_path, names, numbers)
    assert got == people
    assert several == ("1" if len(people) > 1 else None)


ROWS = {
    "several in one cell": [OWNERS, ["张三、李四", f"身份证:{A}，身份证:{B}", "某路1号", "住宅"]],
    "columns of their own": [SHARED, ["张三", A, "李四", B, "某路1号", "住宅"]],
}
WRITERS = {
    "xlsx": lambda path, rows: write_xlsx(path, {"s": rows}),
    "xls": lambda path, rows: write_xls(path, {"s": rows}),
    "csv GB18030": lambda path, rows: write_text(path, rows, "gb18030"),
    "web page": lambda path, rows: write_html_xls(path, {"s": rows}),
}


@hazard("H9", "real estate xlsx", "real estate xls", "real estate csv GB18030", "real estate web page")
@pytest.mark.parametrize("way", ROWS)
@pytest.mark.parametrize("write", WRITERS.values(), ids=list(WRITERS))
def test_every_owner_is_linked_to_the_one_row(tmp_path, write, way):
    """`fupin link` gives both owners the same data row."""
    register = write_xlsx(tmp_path / "r.xlsx", {"s": [["姓名", "身份证号"], ["王五", C], ["李四", B], ["张三", A]]})
    extract = write(tmp_path / "e.xls", [*ROWS[way], ["赵六", somebody(88), *[None] * (len(ROWS[way][0]) - 3), "住宅"]])
    links = link_files(register, extract, tmp_path / "links.parquet").links
    assert sorted(links.select("register_row", "extract_row", "decision").rows()) == [
        (1, 0, "accepted"),
        (2, 0, "accepted"),
    ]


def estate(folder, way):
    """A run: two spouses and a stranger; the spouses own one house together."""
    project = County(folder).registered(
        *household(("张三", A), ("李四", B, "配偶")), *household(("王五", C), home="H2")
    )
    return project.file(write_xlsx(folder / "房产.xlsx", {"登记": ROWS[way]}), "real_estate").run()


@hazard("H9", "real estate xlsx in a project run, both ways")
@pytest.mark.parametrize("way", ROWS)
def test_each_owner_is_a_finding_about_the_one_row(tmp_path, way):
    """Both spouses are judged, the stranger is not; both findings lead to row 2 of the sheet."""
    run = estate(tmp_path, way)
    assert run.person("CMP-RE1") == ["hit", "hit", "clear"]
    assert set(run.found("CMP-RE1").select("name", "extract_sheet", "extract_at").rows()) == {
        ("张三", "登记", 2),
        ("李四", "登记", 2),
    }


@pytest.mark.parametrize("way", ROWS)
def test_a_finding_shows_its_own_owner_once(tmp_path, way):
    """One finding for each owner, and in it the name and number that the department has for that owner."""
    found = estate(tmp_path, way).found("CMP-RE1")
    assert found.select("name", "listed_name", "listed_id").rows() == [("张三", "张三", A), ("李四", "李四", B)]
    assert found["finding_key"].n_unique() == found.height


@hazard("H9", "marriages csv GB18030: two people on each row")
def test_what_a_row_says_of_its_first_person_is_not_said_of_the_second(tmp_path):
    """Husband and wife are two people; the sex of the one is not the other's."""
    rows = [
        ["男姓名", "男身份证件号码", "女姓名", "女身份证件号码", "结婚登记日期"],
        ["张三", A, "李四", B, "2010-01-01"],
    ]
    source = table(write_text(tmp_path / "a.csv", rows, "gb18030"), "marriages")
    assert source.rows.select("row", "name_raw", "sex").rows() == [(2, "张三", "男"), (2, "李四", "女")]
    assert source.accounts.select(pl.col("rows_read", "rows_used")).row(0) == (2, 1)
