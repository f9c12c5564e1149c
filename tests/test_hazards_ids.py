"""ID numbers as they arrive (H1 to H8, H10 to H13): what is mended, what is linked on what is left, what stays unknown."""

from datetime import date

import polars as pl
import pytest

from fupin_cli.cli.run import UNREADABLE_KINDS
from fupin_cli.normalise.identity import add_identity
from hazard_world import County, counted, household, number, somebody, table
from hazards import hazard
from office_files import write_html_xls, write_ods, write_xls, write_xlsx, write_xml2003
from raw_files import write_text
from rules_world import World

A, B, C = somebody(5), somebody(16, "19820202"), somebody(27, "19790909")
STRANGER = somebody(88, "19550505")
X = next(full for full in map(somebody, range(99)) if full.endswith("X"))
# a number whose first fifteen digits and 000 pass the check by chance
LUCKY = next(f for f in map(somebody, range(1000)) if number(f[:15] + "00") == f[:15] + "000" != f)
INSURED = "是否参加城乡居民基本医疗保险"
LISTS = ("medical_insurance-1", "dibao-2")
NOT_FOUND = ("CMP-YB1", "CMP-MZ1")  # the rules that speak of somebody who is not on a list


def cut(full):
    """What Excel leaves of a number."""
    return full[:15] + "000"


def through_float(full):
    """What a float leaves of a number, its check character read as a digit."""
    return str(int(float(full.replace("X", "0"))))


def as_csv(path, rows):
    return write_text(path.with_suffix(".csv"), rows, "gb18030")


def as_xlsx(path, rows):
    return write_xlsx(path.with_suffix(".xlsx"), {"名单": rows})


def read_ids(path, profile="people"):
    """(ID number, status, digits that are left) per row."""
    return add_identity(table(path, profile).rows).select("id_number", "id_status", "id_digits").rows()


def county(folder, register_id, *listed, name="王芳"):
    """A run: one person who is registered as insured and on dibao, and both lists, which hold `listed` and a stranger."""
    project = County(folder).registered(
        *household((name, register_id), insured="是", dibao="是"), columns=[INSURED, "是否享受低保"]
    )
    rows = [*listed, ("钱七", STRANGER)]
    insured = as_csv(folder / "医保", [["姓名", "身份证号", "参保状态"], *((*row, "正常参保") for row in rows)])
    dibao = as_xlsx(folder / "低保", [["姓名", "身份证号", "是否保障对象"], *((*row, "是") for row in rows)])
    return project.file(insured, "medical_insurance").file(dibao, "dibao").run()


# --- H1, H2 --------------------------------------------------------------------------------------------------------------

CUT = [
    # what happened                            register     list                 linked  outcome   said
    ("cut in the register", cut(A), ("王芳", A), True, "clear"),
    ("a number cell in the register", int(cut(A)), ("王芳", A), True, "clear"),
    ("cut on the lists", A, ("王芳", cut(A)), True, "clear"),
    ("cut on both sides", cut(A), ("王芳", cut(A)), True, "clear"),
    ("cut, and right by chance", cut(LUCKY), ("王芳", LUCKY), True, "clear"),
    ("right by chance on the lists", LUCKY, ("王芳", cut(LUCKY)), True, "clear"),
    ("cut in the register, another spelling listed", cut(A), ("王方", A), False, "unknown"),
    ("cut in the register, nobody listed", cut(A), ("李四", B), False, "unknown"),
    ("right by chance, nobody listed", cut(LUCKY), ("李四", B), False, "unknown"),
    ("cut on the lists under another spelling", A, ("王方", cut(A)), False, "unknown"),
    ("six digits left on the lists", A, ("王芳", "9.90121E+17"), False, "unknown"),
    ("whole everywhere, and not listed", A, ("李四", B), False, "hit"),
]


@hazard(
    "H1", "register xlsx with text and number cells", "insured csv GB18030, cut and whole", "dibao xlsx, cut and whole"
)
@pytest.mark.parametrize(("case", "ours", "listed", "linked", "outcome"), CUT, ids=[c[0] for c in CUT])
def test_a_cut_number_is_linked_or_unknown_but_never_not_found(tmp_path, case, ours, listed, linked, outcome):
    """A drawn table: who cannot be searched for is no finding of absence, not even one under review."""
    run = county(tmp_path, ours, listed)
    for extract, rule in zip(LISTS, NOT_FOUND, strict=True):
        assert ((0, 0, "accepted", "damaged_id") in run.links(extract)) == linked
        assert run.person(rule) == [outcome]
        assert run.found(rule).height == (outcome == "hit")


ABSENT = [
    # the person's number   the row's number                                                            dibao, not found?
    ({"id_number": "990121198001010052"}, {}, "hit", "accepted"),
    ({"id_number": None, "id_status": "truncated", "id_digits": "990121198001010"}, {}, "unknown", None),
    ({"id_number": None, "id_status": "truncated", "id_digits": "990121"}, {}, "unknown", None),
    ({"id_number": None, "id_status": "bad_check_digit"}, {}, "unknown", "review"),
    ({"id_number": None, "id_status": "placeholder"}, {}, "unknown", "review"),
    ({"id_number": "990121198001010052"}, {"id_status": "truncated", "id_digits": "990121198001010"}, "unknown", None),
    ({"id_number": "990121198001010052"}, {"id_status": "truncated", "id_digits": "990121198001011"}, "hit", "accepted"),
    ({"id_number": "990121198001010052"}, {"id_status": "truncated", "id_digits": "990121"}, "hit", "accepted"),
    ({"id_number": "990121198001010052"}, {"id_status": "malformed", "id_digits": "990121198001010"}, "hit", "accepted"),
]  # fmt: skip


@pytest.mark.parametrize(("person", "row", "outcome", "band"), ABSENT)
def test_whom_a_list_may_hold_after_all(person, row, outcome, band):
    """A drawn table of rules/facts: the fifteen digits that are left decide who may be on the list, and nothing else does."""
    world = World()
    world.person(dibao=True, **person)
    world.extract("dibao")
    world.row("dibao", **{"id_number": None, "name_key": "别人"} | row)
    assert world.outcome("CMP-MZ1") == [outcome]
    assert world.found("CMP-MZ1") == ([(0, band)] if band else [])


def test_a_row_that_is_somebody_elses_is_no_doubt():
    """Of two people whose numbers begin alike, the cut row was linked to one: the other is not on the list."""
    world = World()
    world.person("H1", dibao=True, id_number="990121198001010052")
    other = world.person("H2", id_number="990121198001010079")
    cut_row = {"id_number": None, "id_status": "truncated", "id_digits": "990121198001010"}
    world.extract("dibao")
    world.row("dibao", other, name_key="人1", **cut_row)
    assert world.outcome("CMP-MZ1")[0] == "hit"


@hazard("H1", "register xlsx", "dibao xlsx and insured csv GB18030 whose row was cut")
@pytest.mark.parametrize("ours", [A, cut(A)], ids=["cut on the list", "cut in the register"])
def test_a_listed_person_whose_number_was_cut_is_not_missing_from_the_register(tmp_path, ours):
    """The same from the list's side: who may be the registered person is not 未在册, not even under review."""
    listed = ("王方", cut(A) if ours == A else A)
    found = county(tmp_path, ours, listed).found("CMP-UR1")
    assert found["name"].to_list() == ["钱七"]


NUMERIC = {
    "number cells of an xlsx": lambda path, ids: write_xlsx(path, {"s": [["姓名", "身份证号"], *(["张三", int(cut(i))] for i in ids)]}),
    "number cells of an xls": lambda path, ids: write_xls(path, {"s": [["姓名", "身份证号"], *(["张三", int(cut(i))] for i in ids)]}),
    "number cells of an ods": lambda path, ids: write_ods(path, {"s": [["姓名", "身份证号"], *(["张三", int(cut(i))] for i in ids)]}),
    "number cells of an XML sheet": lambda path, ids: write_xml2003(path, {"s": [["姓名", "身份证号"], *(["张三", int(cut(i))] for i in ids)]}),
    "a csv that Excel saved": lambda path, ids: write_text(path, [["姓名", "身份证号"], *(["张三", f"{int(cut(i)):.5E}"] for i in ids)], "gb18030"),
    "a csv with all eighteen places": lambda path, ids: write_text(path, [["姓名", "身份证号"], *(["张三", cut(i)] for i in ids)], "gb18030"),
    "a web page": lambda path, ids: write_html_xls(path, {"s": [["姓名", "身份证号"], *(["张三", cut(i)] for i in ids)]}),
}  # fmt: skip


@hazard("H1", *NUMERIC)
@pytest.mark.parametrize("write", NUMERIC.values(), ids=list(NUMERIC))
def test_a_numeric_id_column_is_named(tmp_path, write):
    """However the numbers lost their digits, the column is reported, and the run ends with exit code 3."""
    path = write(tmp_path / "a", [A, B, C])
    assert {status for _, status, _ in read_ids(path)} == {"truncated"}
    assert counted(table(path))["numeric_id_column"] == "id_number: 3"
    assert "numeric_id_column" in UNREADABLE_KINDS


def many():
    """Forty numbers of all regions of a year."""
    return [somebody(n, f"{1950 + n}{1 + n % 12:02}{1 + n % 28:02}") for n in range(40)]


FLOATS = {
    "csv GB18030": lambda path, ids: write_text(path, [["姓名", "身份证号"], *(["张三", i] for i in ids)], "gb18030"),
    "xlsx, text cells": lambda path, ids: write_xlsx(path, {"s": [["姓名", "身份证号"], *(["张三", i] for i in ids)]}),
    "csv UTF-8 with a .0 tail": lambda path, ids: write_text(
        path, [["姓名", "身份证号"], *(["张三", i + ".0"] for i in ids)]
    ),
    "tsv in exponents": lambda path, ids: write_text(
        path, [["姓名", "身份证号"], *(["张三", repr(float(i))] for i in ids)], "gb18030", "\t"
    ),
}


def left_of(full):
    """The digits of a number through a float that are certain: of those near a thousand the fifteenth is not, nor the day."""
    value = int(through_float(full))
    low, high = (value - 64) // 1000, (value + 64) // 1000
    return str(value)[: 15 if low // 10 == high // 10 else 12]


@hazard("H2", *FLOATS)
@pytest.mark.parametrize("write", FLOATS.values(), ids=list(FLOATS))
def test_numbers_that_went_through_a_float_keep_what_is_certain(tmp_path, write):
    """No digit that a float made is believed, though one such number in eleven passes the check; nor a birth date off by a day."""
    whole = many()
    path = write(tmp_path / "a", [through_float(full) for full in whole])
    ids = read_ids(path)
    assert {(full, status) for full, status, _ in ids} == {(None, "truncated")}
    in_exponents = path.read_bytes().count(b"e+17") > 0
    rounded = [f"{int(through_float(full)):.14e}" for full in whole]
    expected = [text[0] + text[2:16] for text in rounded] if in_exponents else [left_of(full) for full in whole]
    assert [left for *_, left in ids] == expected
    assert sum(left[:14] == full[:14] or len(left) == 12 for full, (*_, left) in zip(whole, ids, strict=True)) >= 38
    said = [detail for kind, detail in counted(table(path)).items() if kind in ("float_ids", "numeric_id_column")]
    assert set(said) == {"id_number: 40"}, "as damaged numbers, and as a column to export anew"


@hazard("H2", "xlsx numbers of fifteen digits that a program read as floats and wrote to a csv")
def test_numbers_that_excel_cut_and_a_float_changed_keep_fifteen_digits(tmp_path):
    """990121195102020000 is 990121195102019968 as a float: a column of such numbers is rounded, not cut once more."""
    whole = [full for full in many() if through_float(cut(full)) != cut(full)]
    path = FLOATS["csv GB18030"](tmp_path / "a.csv", [through_float(cut(full)) for full in whole])
    assert [left for *_, left in read_ids(path)] == [full[:15] for full in whole]


@hazard("H2", "parquet with a float column")
def test_a_typed_float_column_keeps_the_digits_that_excel_kept(tmp_path):
    """The same number in a typed column: the fifteen digits, and not a birth date off by a day."""
    pl.DataFrame({"name": ["张三"], "id_number": [9.90121195102020e17]}).write_parquet(tmp_path / "a.parquet")
    assert [left for *_, left in read_ids(tmp_path / "a.parquet")] == ["990121195102020"]


@hazard("H2", "one damaged number with a .0 tail in a csv")
def test_a_tail_tells_of_a_float_without_any_count(tmp_path):
    """`.0` after 18 digits that a float can hold is damage, even where one row alone shows it; digits that it cannot hold stand."""
    damaged = map(through_float, map(somebody, range(300, 999)))
    full = next(d for d in damaged if number(d[:17]) == d and not d.endswith("000"))
    path = write_text(tmp_path / "a.csv", [["姓名", "身份证号"], ["张三", f"{full}.0"], ["李四", f"{A}.0"]])
    assert read_ids(path) == [(None, "truncated", full[:15]), (A, "valid", A)]


@hazard("H2", "a whole register xlsx through a float", "insured csv GB18030 with whole numbers")
def test_a_register_through_a_float_is_linked_by_name(tmp_path):
    """Everybody is found on fifteen digits and the name; nobody is found by a number that the float made up."""
    people = [(f"张{'一二三四五六七八九十'[n % 10]}{'甲乙丙丁'[n // 10]}", full) for n, full in enumerate(many())]
    rows = [
        row for n, (name, full) in enumerate(people) for row in household((name, through_float(full)), home=f"H{n}")
    ]
    listed = as_csv(tmp_path / "医保", [["姓名", "身份证号", "参保状态"], *((*who, "正常参保") for who in people)])
    run = County(tmp_path).registered(*rows).file(listed, "medical_insurance").run()
    links = [link for link in run.links("medical_insurance-1") if link[2] != "rejected"]
    assert all(ours == theirs for ours, theirs, *_ in links)
    assert len([basis for *_, basis in links if basis == "damaged_id"]) >= 30
    assert run.found("CMP-ID2").height == 0


@hazard("H2", "csv GB18030 of which every number went through a float")
def test_a_column_through_a_float_is_named_as_numeric(tmp_path):
    """The whole column is of no use: who sent it should export it as text, and the run ends with exit code 3."""
    path = FLOATS["csv GB18030"](tmp_path / "a.csv", [through_float(full) for full in many()])
    assert "numeric_id_column" in counted(table(path))


def test_an_undamaged_column_is_not_suspected(tmp_path):
    """One number in a hundred could be from a float; where they pass the check, nobody doubts them."""
    ids = [somebody(n % 1000, f"{1930 + n // 1000}0315") for n in range(0, 60_000, 40)]
    path = FLOATS["csv GB18030"](tmp_path / "a.csv", ids)
    odd = [row for full, row in zip(ids, read_ids(path), strict=True) if row[1] != "valid" and not full.endswith("000")]
    assert odd == []
    assert "float_ids" not in counted(table(path))


# --- H3 to H8, H10: one spelling after another ---------------------------------------------------------------------------

UPGRADED = A[:6] + A[8:17]
FULL_WIDTH = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")
SPELLINGS = [
    ("H3", A + "44", A, "from_disability"), ("H3", A + "44B1", A, "from_disability"), ("H3", X + "1101", X, "from_disability"),
    ("H3", cut(A) + "00", None, "truncated"), ("H3", A + "4", None, "malformed"),
    ("H4", UPGRADED, A, "from_15"), ("H4", UPGRADED + ".0", A, "from_15"), ("H4", A[:6] + "991331001", None, "malformed"),
    *(("H5", X[:17] + sign, X, "valid") for sign in "xＸｘХхΧχⅩⅹ×✕"), ("H5", X[:17] + "*", None, "malformed"),
    ("H6", A.translate(FULL_WIDTH), A, "valid"), ("H6", X.translate(FULL_WIDTH), X, "valid"),
    *(("H7", mark + A + mark, A, "valid") for mark in "\t\u00a0\u3000\u200b\ufeff\u202a\u200e\u2060\u00ad"),
    ("H7", A[:6] + "\u200e" + A[6:], A, "valid"), ("H7", f"{A[:6]} {A[6:14]} {A[14:]}", A, "valid"),
    ("H8", "'" + A, A, "valid"), ("H8", f'="{A}"', A, "valid"), ("H8", f'"{A}"', A, "valid"), ("H8", f'"\t{A}\t"', A, "valid"),
    ("H8", f"‘{A}’", A, "valid"), ("H8", f"`{A}", A, "valid"),
    *(("H10", text, None, "placeholder") for text in
      ("99999919800101001X", "无", "暂无", "不详", "0" * 18, "1" * 18, "待补办", "身份证丢失", "无身份证", "未办理", "/", "-")),
    ("H10", None, None, "missing"), ("H10", "123456789012345678", None, "bad_date"),
]  # fmt: skip


@hazard("H3", "xlsx with text cells", "csv GB18030")
@hazard("H4", "xlsx with text cells", "csv GB18030")
@hazard("H5", "xlsx with text cells", "csv GB18030")
@hazard("H6", "xlsx with text cells", "csv GB18030")
@hazard("H7", "xlsx with text cells", "csv GB18030")
@hazard("H8", "xlsx with text cells", "csv GB18030")
@hazard("H10", "xlsx with text cells", "csv GB18030")
@pytest.mark.parametrize("write", [as_xlsx, as_csv])
def test_how_each_spelling_of_a_number_is_read(tmp_path, write):
    """A drawn table: as received, the number, and what it turned out to be. What was received is kept."""
    rows = [[f"张三{n}", text] for n, (_, text, _, _) in enumerate(SPELLINGS)]
    path = write(tmp_path / "a", [["姓名", "身份证号"], *rows])
    got = [(spelling[:2], *found[:2]) for spelling, found in zip(SPELLINGS, read_ids(path), strict=True)]
    assert got == [((hazard_of, text), full, status) for hazard_of, text, full, status in SPELLINGS]
    if write is as_xlsx:
        assert table(path).rows["id_raw"].to_list() == [text for _, text, _, _ in SPELLINGS]


@hazard("H3", "disability csv GB18030 with 残疾人证号 alone", "disability xlsx with both columns")
@pytest.mark.parametrize("write", [as_xlsx, as_csv])
def test_class_and_level_come_out_of_the_number(tmp_path, write):
    """The 19th and 20th character say what the list itself does not."""
    path = write(tmp_path / "a", [["姓名", "残疾人证号"], ["张三", A + "44"], ["李四", B + "11B1"]])
    rows = table(path, "disability").rows
    assert rows.select("disability_class", "disability_level").rows() == [("肢体", "四级"), ("视力", "一级")]
    assert [full for full, *_ in read_ids(path, "disability")] == [A, B]


@hazard("H10", "register xlsx with 无 and 999999…", "insured csv GB18030 with names and villages")
@pytest.mark.parametrize("nothing", ["无", "99999919800101001X"])
def test_a_placeholder_is_linked_by_name_and_birth_and_listed(tmp_path, nothing):
    """Name, birth date and village find the person; the number itself is a finding."""
    rows = household(("张三", nothing), born="1980-01-01")
    listed = [["姓名", "身份证号", "县", "乡镇", "村", "参保状态"], ["张三", A, *rows[0][4:7], "正常参保"]]
    project = County(tmp_path).registered(*rows, columns=["出生日期"])
    run = project.file(as_csv(tmp_path / "医保", listed), "medical_insurance").run()
    assert run.links("medical_insurance-1") == [(0, 0, "accepted", "name_birth")]
    assert run.found("CMP-ID3")["name"].to_list() == ["张三"]


# --- H11 to H13: the register against itself -----------------------------------------------------------------------------


def registered(folder, *rows, columns=(), **files):
    """A run of a register beside a list of vehicles, which holds a stranger."""
    other = as_csv(folder / "车辆", [["车主", "身份证明号码", "号牌号码"], ["钱七", STRANGER, "南A00001"]])
    return County(folder).registered(*rows, columns=columns, **files).file(other, "vehicles").run()


@hazard("H11", "register xlsx with sex and birth date", "register xlsx with one digit wrong")
def test_a_wrong_number_shows_in_sex_birth_date_and_check_digit(tmp_path):
    """Three findings of data quality, each with what both sides hold."""
    wrong = B[:9] + "9" + B[10:]
    run = registered(
        tmp_path, *household(("张三", A), sex="女", born="1990-01-01"),
        *household(("李四", wrong), home="H2", sex="女", born="1982-02-02"), columns=["性别", "出生日期"],
    )  # fmt: skip
    assert run.found("CMP-ID1")["name"].to_list() == ["张三"]
    assert run.found("CMP-ID2")["name"].to_list() == ["张三", "李四"]
    assert run.found("CMP-ID3")["name"].to_list() == ["李四"]


SLIPS = [
    ("one digit wrong", A[:9] + "9" + A[10:], "王芳", ("accepted", "repaired_id"), "clear"),
    ("neighbours exchanged", A[:15] + A[16] + A[15] + A[17:], "王芳", ("accepted", "repaired_id"), "clear"),
    ("somebody else's number", A, "李国强", ("review", "exact_id"), "unknown"),
]


@hazard("H11", "register xlsx", "insured csv GB18030 with a slip or under another name")
@pytest.mark.parametrize(("case", "listed", "name", "link", "outcome"), SLIPS, ids=[s[0] for s in SLIPS])
def test_a_slip_is_mended_and_a_borrowed_number_is_for_people_to_judge(tmp_path, case, listed, name, link, outcome):
    """The check digit finds the one fault; that the number is another's, only the name can tell."""
    run = county(tmp_path, A, (name, listed))
    assert run.links("medical_insurance-1") == [(0, 0, *link)]
    assert run.person("CMP-YB1") == [outcome]


TWICE = [
    # who is on the second row                       the finding, about both
    ("same number and name, two households", ("张三", A), "H2", "CMP-DUP1"),
    ("an old and a new number", ("张三", UPGRADED), "H2", "CMP-DUP1"),
    ("a cut and a whole number", ("张三", cut(A)), "H2", "CMP-DUP1"),
    ("with and without a number", ("张三", "无"), "H2", "CMP-DUP1"),
    ("one number, two names", ("李四", A), "H2", "CMP-ID4"),
    ("one number, two names, one household", ("李四", A, "配偶"), "H1", "CMP-ID4"),
    ("one number, one of the names unreadable", ("张□", A), "H2", "CMP-DUP1"),
]


@hazard("H12", "register xlsx: one number in two households", "register xlsx: one number on two names")
@hazard("H13", "register xlsx: an old and a new number", "register xlsx: a cut one", "register xlsx: none")
@pytest.mark.parametrize(("case", "second", "home", "rule"), TWICE, ids=[c[0] for c in TWICE])
def test_one_person_or_number_twice(tmp_path, case, second, home, rule):
    """A finding about each of the two rows, which names the other; and no finding of the other kind."""
    rows = [*household(("张三", A), born="1980-01-01"), *household(second, home=home, born="1980-01-01")]
    run = registered(tmp_path, *rows, columns=["出生日期"])
    found = run.found(rule)
    assert found["register_row"].to_list() == [0, 1]
    assert found["extract_at"].to_list() == [3, 2]
    other = "CMP-ID4" if rule == "CMP-DUP1" else "CMP-DUP1"
    assert run.found(other).height == 0


@hazard("H13", "register xlsx: two whole numbers of one person")
def test_one_person_under_two_whole_numbers(tmp_path):
    """重号或变更: name, birth date and village agree, and both numbers are valid."""
    rows = [
        *household(("张三", A), born=date(1980, 1, 1)),
        *household(("张三", somebody(9)), home="H2", born=date(1980, 1, 1)),
    ]
    assert registered(tmp_path, *rows, columns=["出生日期"]).found("CMP-DUP1").height == 2
