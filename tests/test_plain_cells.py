"""Cells that can be read at a glance: what is read so is what the careful reader reads, and anything else is left to that one."""

import datetime as dt

import polars as pl
import pytest

from fupin_cli.normalise import values

AT_A_GLANCE = [  # what reads it, the cell, what it is; null where the careful reader has to look
    ("plain_text", "甲 乙", "甲 乙"), ("plain_text", " 甲", None), ("plain_text", "甲 ", None), ("plain_text", "", None),
    ("plain_text", "甲\u200b", None), ("plain_text", "13800000000.0", None), ("plain_text", "1234.0", "1234.0"),
    ("plain_text", "a12345.0", "a12345.0"), ("plain_text", "12345.01", "12345.01"),
    ("plain_number", "12", 12.0), ("plain_number", "-1.5", -1.5), ("plain_number", "1,200", None), ("plain_number", "inf", None),
    ("plain_number", "nan", None), ("plain_number", "3元", None),
    ("plain_date", "1980-01-05", dt.date(1980, 1, 5)), ("plain_date", "1980-1-5", None), ("plain_date", "9999-12-31", None),
    ("plain_date", "1899-12-31", None), ("plain_date", "1850-01-01", dt.date(1850, 1, 1)), ("plain_date", "1849-12-31", None),
    ("plain_date", "2100-12-31", dt.date(2100, 12, 31)), ("plain_date", "2101-01-01", None), ("plain_date", "1980-02-30", None),
    ("plain_phone", "13800000000", "13800000000"), ("plain_phone", "013800000000", None), ("plain_phone", "138000000001", None),
    ("plain_phone", "12800000000", None), ("plain_phone", "19900000000", "19900000000"),
    ("is_bare_number", "12", True), ("is_bare_number", " 12.0", True), ("is_bare_number", "a12", False),
    ("is_bare_number", "12a", False), ("is_bare_number", None, False),
]  # fmt: skip


@pytest.mark.parametrize(("reader", "cell", "read"), AT_A_GLANCE)
def test_what_is_read_at_a_glance(reader, cell, read):
    """Only what needs no thought; the careful reader gives the same."""
    frame = pl.DataFrame({"x": [cell]}, schema={"x": pl.String})
    assert frame.select(getattr(values, reader)(pl.col("x"))).item() == read
    careful = getattr(values, reader.replace("plain_", "to_"))
    if read is not None and reader.startswith("plain_"):
        assert frame.select(careful(pl.col("x"))).item() == read


def test_a_unit_of_money_is_so_many_yuan():
    """Each unit by its name; no unit is no scale, and never one."""
    scales = {"元": 1, "十元": 10, "百元": 100, "千元": 1000, "万元": 10_000, "百万元": 1_000_000, "亿元": 100_000_000}
    assert {unit: values.scale_of(unit) for unit in scales} == scales
    assert values.scale_of(None) is None


EDGES = [  # reader, cell, what it is, options
    ("is_blank", "", True), ("is_blank", " - ", True), ("is_blank", "<na>", True), ("is_blank", "#N/A", True), ("is_blank", "无业", False),
    ("has_two_digit_year", "5/1/1980", False), ("has_two_digit_year", "5/1/80", True), ("has_two_digit_year", "80-1-5号院", False),
    ("has_two_digit_year", "5191225", False), ("to_multi", "类3", "类3"), ("to_multi", "3", None),
    ("to_date", "二〇一九年一月二十日", dt.date(2019, 1, 20)),
    ("is_lost", " 9.90121194912310E+17 ", True), ("is_lost", "9.9E+10", False), ("is_lost", None, False),
    ("to_phone", "1.3800000000e+10", None), ("to_phone", "9998613800000000", "9998613800000000"),
    ("to_phone", "008613800000000", "13800000000"),
    ("to_date", "公元一九八〇年一月五日", None), ("to_date", "一九八〇年一月五日", dt.date(1980, 1, 5)),
    ("to_date", "1850-01-01", dt.date(1850, 1, 1)), ("to_date", "1849-12-31", None),
]  # fmt: skip


@pytest.mark.parametrize(("reader", "cell", "read"), EDGES)
def test_cells_at_the_edges(reader, cell, read):
    """Just inside and just outside of what is understood."""
    frame = pl.DataFrame({"x": [cell]}, schema={"x": pl.String})
    assert frame.select(getattr(values, reader)(pl.col("x"))).item() == read


def test_money_and_labels_at_the_edges():
    """A currency stands before its amount; labels in capitals without their .0; characters are counted from one."""
    frame = pl.DataFrame({"x": ["500RMB", "RMB500", "500"], "n": ["A1", "ab12", "甲"]})
    assert frame.select(values.to_money(pl.col("x"), "元"))["x"].to_list() == [None, 500.0, 500.0]
    assert frame.select(values.character_at(pl.col("n"), 1))["n"].to_list() == ["A", "A", None]
    assert frame.select(values.character_at(pl.col("n"), 3))["n"].to_list() == [None, "1", None]
    none = pl.DataFrame({"x": [None]}, schema={"x": pl.String})
    assert none.select(values.is_one_of(pl.col("x"), ["甲"])).item() is False
    assert [values.label_key(label) for label in ("yes", "1.0", "1.0x", " 是 ")] == ["YES", "1", "1.0X", "是"]
