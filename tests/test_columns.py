"""Typed cells as text: what a reader of the sheet would type, and a number that lost its last digits seen to have lost them."""

import datetime as dt

import polars as pl
import pytest

from fupin_cli.ingest.columns import as_text, trim, trimmed
from fupin_cli.ingest.workbook import _text

TYPED = [  # cells of one type, the text of each
    ([1.5, 3.0, None, float("nan"), -2.0], ["1.5", "3", None, None, "-2"]),
    ([990121194912310023.0, -990121194912310023.0, 1e22], ["9.90121194912310E+17", "-9.90121194912310E+17", "1.00000000000000E+22"]),
    ([dt.datetime.fromisoformat("2020-01-05"), dt.datetime.fromisoformat("2020-01-05 13:04:05")], ["2020-01-05", "2020-01-05 13:04:05"]),
    ([dt.date(2020, 1, 5), None], ["2020-01-05", None]),
    ([["a", "b"], []], ["a、b", None]),
    ([{"a": 1}], ['{"a":1}']),
    ([b"\x00\xff"], ["00ff"]),
    ([True, False], ["true", "false"]),
    ([990121194912310023], ["990121194912310023"]),
    (["  ", "", "x "], [None, None, "x "]),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "texts"), TYPED, ids=[str(row[0][0])[:12] for row in TYPED])
def test_a_typed_column_as_text(cells, texts):
    """Whole numbers without a point, days without their midnight, what a double cannot hold in exponent form."""
    assert as_text(pl.DataFrame({"a": cells})).to_series().to_list() == texts


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (True, "TRUE"), (3.0, "3"), (0.1, "0.1"), (-5, "-5"), (990121194912310023, "9.90121194912310E+17"), ("甲", "甲"),
        (dt.datetime.fromisoformat("2020-01-05"), "2020-01-05"), (dt.datetime.fromisoformat("2020-01-05 01:02:03"), "2020-01-05 01:02:03"),
        (dt.date(2020, 1, 5), "2020-01-05"), (dt.time(1, 2), "01:02:00"), (dt.timedelta(hours=1), "1:00:00"),
    ],
)  # fmt: skip
def test_a_cell_of_a_workbook_as_text(cell, text):
    """What stands in the cell is read as somebody would type it."""
    assert _text(cell) == text


def test_the_empty_tail_of_a_sheet_is_no_data():
    """Formatted rows without a word at the end are left out, in one frame or over several; those in the middle stay."""
    some, none = pl.DataFrame({"a": ["x", None, "y", None]}), pl.DataFrame({"a": [None, None]}, schema={"a": pl.String})
    assert trim(some)["a"].to_list() == ["x", None, "y"]
    assert trim(none).height == 0
    assert trim(pl.DataFrame()).height == 0
    assert [frame["a"].to_list() for frame in trimmed([some, none, none])] == [["x", None, "y"]]
    assert [frame.height for frame in trimmed([none, some, none, some])] == [2, 4, 2, 3]
    assert list(trimmed([])) == []
