"""Text → typed values, as drawn tables: what each spelling means, and which ones mean nothing."""

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import examples
from fupin_cli.normalise import values


def read(parse, text, **options):
    """What one cell becomes."""
    return pl.DataFrame({"t": [text]}, schema={"t": pl.String}).select(parse(pl.col("t"), **options)).item()


JAN_5 = date(1980, 1, 5)
DATES = """
1980-01-05          | 1980-01-05
1980-1-5            | 1980-01-05
1980.1.5            | 1980-01-05
1980/1/5            | 1980-01-05
19800105            | 1980-01-05
1980年1月5日        | 1980-01-05
1980年01月05号      | 1980-01-05
1980 年 1 月 5 日   | 1980-01-05
１９８０－０１－０５ | 1980-01-05
1980年元月5日       | 1980-01-05
1980/1/5 8:03       | 1980-01-05
1980/1/5 下午 3:02  | 1980-01-05
19800105083000      | 1980-01-05
19800105083000.0    | 1980-01-05
1980-01-05 00:00:00 | 1980-01-05
1980-01-05T12:00:00 | 1980-01-05
29225               | 1980-01-05
29225.0             | 1980-01-05
29225.75            | 1980-01-05
一九八〇年一月五日    | 1980-01-05
二〇一九年十二月二十五日 | 2019-12-25
二〇一九年十月三十一日 | 2019-10-31
202103              | 2021-03-01
202103.0            | 2021-03-01
2021-03             | 2021-03-01
2021年3月           | 2021-03-01
2021.03             | 2021-03-01
2021/3              | 2021-03-01
1980.10             | 1980-10-01
1980.1              | null
80-1-5              | null
2019                | null
2019-02-30          | null
20190230            | null
201913              | null
19811225.5          | null
1900-01-02          | 1900-01-02
1900-02-01          | 1900-02-01
1980-01-05止        | null
自1980-01-05        | null
1980-01-056         | null
6月                 | null
9999-12-31          | null
5/1/1980            | null
长期                | null
-                   | null
"""


@pytest.mark.parametrize("line", DATES.strip().splitlines())
def test_dates_are_read_in_every_spelling(line):
    """Every form of H32 is one date; what is ambiguous or impossible is null."""
    text, expected = (part.strip() for part in line.split("|"))
    found = read(values.to_date, text)
    assert (found.isoformat() if found else "null") == expected


SHORT_YEARS = """
80-1-5 80.1.5 80/01/05 80年1月5日 80年1月 80年 80年度 80-01 5/1/80 800105 191225 80.1.5 08:30 ８０年１月 | yes
1980-1-5 1980.1 191205 202103 19800105 80010512 8001051 1980-1-55 29225 16 12-25 5-3 长期 - 1980年1月5日 1980年度 19011355 | no
"""


@pytest.mark.parametrize("line", SHORT_YEARS.strip().splitlines())
def test_a_date_whose_century_nobody_wrote_is_seen_and_not_read(line):
    """Two digits of a year are never made four; a month of six digits and a day without a year are other things."""
    texts, answer = line.split("|")
    for text in texts.replace(" 08:30", "").split():
        assert read(values.has_two_digit_year, text) is (answer.strip() == "yes"), text
        assert answer.strip() == "no" or read(values.to_date, text) is None, text
    assert read(values.has_two_digit_year, None) is False


PHONES = """
13800000000                | 13800000000
13800000000.0              | 13800000000
13800000000.05             | 13800000000
１３８００００００００      | 13800000000
138-0000-0000              | 13800000000
138 0000 0000              | 13800000000
+86 13800000000            | 13800000000
8613800000000              | 13800000000
0851-1234567               | 08511234567
(0851)1234567              | 08511234567
0851 1234567               | 08511234567
010  12345678              | 01012345678
(010)12345678 0851-7654321 | 01012345678、08517654321
008613800000000            | 13800000000
12800000000                | 12800000000
1234567                    | 1234567
13900000000/13800000000    | 13800000000、13900000000
13900000000，13800000000   | 13800000000、13900000000
13800000000 13800000000    | 13800000000
13800000000(13900000000)   | 13800000000、13900000000
13800000000（儿子）        | 13800000000
138000000001               | 138000000001
123456                     | null
138****0000                | null
1.38E+10                   | null
1.3800000000E+10           | null
无                         | null
                           | null
"""


@pytest.mark.parametrize("line", PHONES.strip().splitlines())
def test_telephone_numbers_are_digits_and_several_are_a_set(line):
    """Marks, width, the .0 of a spreadsheet and the order of two numbers do not count; what is cut or hidden is none."""
    text, expected = (part.strip() for part in line.split("|"))
    assert read(values.to_phone, text) == (None if expected == "null" else expected)


@pytest.mark.parametrize("text", ["202103", "202103.0", "2021年3月", "2021-03"])
def test_a_month_is_no_day_where_the_day_matters(text):
    """A birth month alone would disagree with every ID number: with whole_day it is null."""
    assert read(values.to_date, text) == date(2021, 3, 1)
    assert read(values.to_date, text, whole_day=True) is None


@given(st.dates(date(1930, 1, 1), date(2089, 12, 31)))
def test_a_date_survives_every_way_of_writing_it(day):
    """The same day, written in seven ways, is the same date."""
    serial = (day - date(1899, 12, 30)).days
    written = [
        day.isoformat(), f"{day:%Y%m%d}", f"{day.year}.{day.month}.{day.day}", f"{day.year}/{day.month}/{day.day}",
        f"{day.year}年{day.month}月{day.day}日", str(serial), f"{day} 00:00:00",
    ]  # fmt: skip
    frame = pl.DataFrame({"t": written})
    assert frame.select(values.to_date(pl.col("t"))).to_series().to_list() == [day] * len(written)


@examples(20)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=20))
def test_no_text_breaks_a_parser(texts):
    """Whatever a department typed, the answer is a value or null, never an error."""
    labels = {"男": ["1"]}
    frame = pl.DataFrame({"t": texts}, schema={"t": pl.String})
    cell = pl.col("t")
    frame.select(
        values.to_date(cell).alias("date"), values.to_month(cell).alias("month"), values.to_year(cell).alias("year"),
        values.to_integer(cell).alias("integer"), values.to_number(cell).alias("number"), values.to_money(cell, None).alias("money"),
        values.to_bool(cell).alias("bool"), values.to_code(cell, labels).alias("code"), values.to_multi(cell).alias("multi"),
        values.to_phone(cell).alias("phone"), values.has_two_digit_year(cell).alias("short_year"),
        values.is_one_of(cell, ["9"]).alias("listed"), values.character_at(cell, 19).alias("character"),
        values.to_text(cell).alias("text"), values.is_blank(cell).alias("blank"), values.is_lost(cell).alias("lost"),
    )  # fmt: skip


@given(st.text(max_size=30))
def test_cleaning_text_twice_is_cleaning_it_once(text):
    """to_text, to_multi and to_phone are idempotent."""
    for parse in (values.to_text, values.to_multi, values.to_phone):
        once = read(parse, text)
        assert read(parse, once) == once


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("2016", 2016),
        ("2016年", 2016),
        ("2016年度", 2016),
        ("2016.0", 2016),
        ("201612", 2016),
        ("2016-12-31", 2016),
        ("43831", 2020),
        ("16", None),
        ("0016", None),
        ("", None),
    ],
)
def test_years(text, year):
    """A year stands alone or inside a date; two digits are not a year."""
    assert read(values.to_year, text) == year


@pytest.mark.parametrize(
    ("text", "month"),
    [
        ("202103", date(2021, 3, 1)),
        ("2021-03-17", date(2021, 3, 1)),
        ("2021年3月", date(2021, 3, 1)),
        ("3月", None),
        ("约2021年3月", None),
        ("2021年3月起", None),
        ("2021-03x", None),
    ],
)
def test_months_are_their_first_day(text, month):
    """A month is a date, so that rules can compare it."""
    assert read(values.to_month, text) == month


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1,234.50", 1234.5),
        ("12个月", 12.0),
        ("3人", 3.0),
        ("120㎡", 120.0),
        ("-5", -5.0),
        ("１２", 12.0),
        ("1e3", 1000.0),
        ("1,2", None),
        ("3万", None),
        ("约10", None),
        ("3人5", None),
        ("1-2", None),
        ("inf", None),
        ("", None),
    ],
)
def test_numbers(text, number):
    """A comma counts only where it parts thousands; a word beside the number is no number."""
    assert read(values.to_number, text) == number


@pytest.mark.parametrize(("text", "integer"), [("3", 3), ("3.0", 3), ("3.5", None), ("1,000", 1000), ("5.2E+17", None)])
def test_integers(text, integer):
    """3.0 is 3; half a person is nobody, and a number without its last digits is no count."""
    assert read(values.to_integer, text) == integer


MONEY = """
cell      | unit | yuan
300       | 元   | 300
12,345.60 | 元   | 12345.6
300元     | 元   | 300
¥300      | 元   | 300
100元整   | 元   | 100
10万      | 元   | 100000
10万元    | 元   | 100000
5千元     | 元   | 5000
2百元     | 元   | 200
2百       | 万元 | 200
5百万     | 元   | 5000000
3十元     | 元   | 30
3十万元   | 元   | null
50        | 万元 | 500000
50万元    | 万元 | 500000
300元     | 万元 | 300
1.2       | 亿元 | 120000000
三百      | 元   | null
面议      | 万元 | null
300       | -    | null
300元     | -    | 300
1.5万元   | -    | 15000
1.5万     | -    | 15000
"""


@pytest.mark.parametrize("line", MONEY.strip().splitlines()[1:])
def test_money_in_the_unit_that_the_cell_or_the_column_names(line):
    """A unit in the cell goes before the unit of its column; without either a number is no amount."""
    cell, unit, yuan = (part.strip() for part in line.split("|"))
    found = read(values.to_money, cell, unit=None if unit == "-" else unit)
    assert found == (None if yuan == "null" else pytest.approx(float(yuan)))


BOOLS = """
是 有 参加 已参加 享受 已享受 √ ✓ ✔ ☑ 对 Y yes T TRUE  | true
否 无 没有 没参加 未参加 没有参加 不享受 未享受 × ✗ ✘ N no F FALSE | false
1 0 2 不清楚 -                  | null
"""


@pytest.mark.parametrize("line", BOOLS.strip().splitlines())
def test_yes_and_no(line):
    """1 and 0 mean nothing until a profile says so; a blank is unknown, not no."""
    cells, meaning = line.split("|")
    for cell in cells.split():
        assert read(values.to_bool, cell) is {"true": True, "false": False, "null": None}[meaning.strip()], cell
    assert read(values.to_bool, "") is None
    assert read(values.to_bool, None) is None


def test_a_profile_may_give_its_own_words_for_yes():
    """农村低保 is yes to 是否享受低保 where the profile says so."""
    assert read(values.to_bool, "农村低保", true=["农村低保", "1"], false=["0"]) is True
    assert read(values.to_bool, "1", true=["农村低保", "1"], false=["0"]) is True
    assert read(values.to_bool, "0", true=["农村低保", "1"], false=["0"]) is False


def test_codes_follow_the_declared_table_only():
    """Width, case and blanks do not count; a label that nobody declared is null."""
    labels = {"男": ["1", "M"], "女": ["2", "F"]}
    told = {
        "男": "男",
        " 男 ": "男",
        "１": "男",
        "m": "男",
        "2": "女",
        "1.0": "男",
        "3": None,
        "1.05": None,
        "": None,
        None: None,
    }
    assert {text: read(values.to_code, text, labels=labels) for text in told} == told
    typed = {"在校": ["在\u200b 校生", "10"], "已毕业": ["毕\t业", "105"]}  # as a profile was typed
    assert [read(values.to_code, text, labels=typed) for text in ("在校生", "毕业", "1.05", "10.5")] == [
        "在校",
        "已毕业",
        None,
        None,
    ]


def test_multi_select_cells_compare_as_sets():
    """Order, repetition and kind of comma do not count."""
    for cell in ("其他,技能培训", "技能培训，其他", "技能培训、其他、技能培训", " 其他 ; 技能培训 "):
        assert read(values.to_multi, cell) == "其他、技能培训"
    assert read(values.to_multi, "，") is None
    assert read(values.to_multi, "大病,残疾", labels={"患有大病": ["大病"]}) == "患有大病、残疾"


def test_an_opposite_question_turns_yes_and_no_but_not_the_thing_itself():
    """Under 是否未参保, 是 is not insured and 参保 is insured."""
    labels = {"true": ["1", "参保"], "false": ["0", "未参保"]}
    told = {"是": False, "否": True, "1": False, "0": True, "参保": True, "未参保": False, "参加": True, "": None}
    assert {text: read(values.to_bool, text, **labels, opposite=True) for text in told} == told


def test_a_number_among_labels_means_nothing_until_it_is_declared():
    """1、4 of a multi-select cell may be anything; with a table they are its labels."""
    assert read(values.to_multi, "1,4") is None
    assert read(values.to_multi, "3级残疾,1人户") == "1人户、3级残疾"
    assert read(values.to_multi, "残疾,4") is None
    assert read(values.to_multi, "1,4", labels={"患有大病": ["1"], "残疾": ["4"]}) == "患有大病、残疾"


def test_text_loses_only_what_nobody_sees():
    """Zero-width characters, outer blanks and the .0 of a telephone go; everything else stays."""
    told = {" a\u200bb ": "ab", "13800000000.0": "13800000000", "1.0": "1.0", "　": None, "张 三": "张 三"}
    assert {text: read(values.to_text, text) for text in told} == told


def test_numbers_that_lost_their_last_digits_are_seen():
    """Exponent text of 16 digits and more is a code that went through a spreadsheet."""
    told = {"5.22401198506153E+17": True, "5.22e+17": True, "1e3": False, "522401198506153": False, None: False}
    assert {text: read(values.is_lost, text) for text in told} == told


@pytest.mark.parametrize("text", ["1899-12-30", "1899-12-31 00:00:00", "1900-01-01", "19000101", "1900年1月1日"])
def test_a_spreadsheets_zero_is_no_date(text):
    """What 0 and 1 become in a column of dates is null in every way to read a date, and told apart from nonsense."""
    assert (read(values.to_date, text), read(values.to_year, text), read(values.plain_date, text)) == (None, None, None)
    assert read(values.is_excel_zero, text) is True
    assert read(values.is_excel_zero, "1900-01-02") is False
