"""A long table is what the same cells written one by one are: values, types, styles and heights, read back by another program."""

import datetime as dt
import io

import polars as pl
import pytest
from openpyxl import load_workbook

from fupin_cli.errors import OutputError
from fupin_cli.report.book import Book, lines_of, put, put_count, put_long_table, row_heights
from fupin_cli.report.long_table import Cells

TEXTS = ["=1+1", "http://a.example/", "", None, "第一行\n第二行", "张三", " 空 ", "<b>&\x07", "长" * 40_000, "0012"]
COUNTS = [0, None, 3, 12, 5, 6, 7, 8, 9, 10]


def read_back(book, tmp_path):
    """The saved book as openpyxl reads it."""
    return load_workbook(io.BytesIO(book.save(tmp_path / "a.xlsx").read_bytes()))


def test_the_same_as_cell_by_cell(tmp_path):
    """Texts of every kind, blanks and counts; rows of two looks; other rows above and below."""
    told = []
    for long in (True, False):
        book = Book("试", dt.date(2019, 11, 30))
        sheet, styles = book.sheet("甲"), book.styles
        put(sheet, 0, 0, "张三", styles.title)
        texts, counts = pl.Series("t", TEXTS), pl.Series("n", COUNTS)
        looks = [styles.cell_centre if n % 3 else styles.bad for n in range(len(TEXTS))]
        heights = row_heights([texts, counts], [8, 8])
        if long:
            which = pl.Series([0 if n % 3 else 1 for n in range(len(TEXTS))])
            columns = [Cells(texts, styles.cell_centre, (styles.bad,), which), Cells(counts, styles.number)]
            last = put_long_table(sheet, 2, columns, heights)
        else:
            for last, (text, count) in enumerate(zip(TEXTS, COUNTS, strict=True), 2):
                put(sheet, last, 0, text, looks[last - 2])
                put_count(sheet, last, 1, count, styles.number) if count is not None else put(
                    sheet, last, 1, None, styles.number
                )
                sheet.set_row(last, heights[last - 2])
        put(sheet, last + 1, 1, "合计", styles.total)
        read = read_back(book, tmp_path)["甲"]
        told.append(
            [
                [(cell.value, cell.data_type, cell.has_style and cell._style, cell.number_format) for cell in row]
                for row in read.iter_rows()
            ]
            + [[read.row_dimensions[n].height for n in range(1, read.max_row + 1)]]
        )
    assert told[0] == told[1]
    assert told[0][2][0][:2] == ("=1+1", "s")


@pytest.mark.parametrize("at_once", [1, 7, 20_000])
def test_in_pieces(tmp_path, monkeypatch, at_once):
    """However many rows become XML together, none is lost and each has its number."""
    monkeypatch.setattr("fupin_cli.report.long_table._AT_ONCE", at_once)
    book = Book("试", dt.date(2019, 11, 30))
    sheet = book.sheet("甲")
    values = pl.Series([f"行{n}" for n in range(23)])
    assert put_long_table(sheet, 3, [Cells(values, book.styles.cell)], row_heights([values], [8])) == 25
    read = read_back(book, tmp_path)["甲"]
    assert [read.cell(n, 1).value for n in range(4, 27)] == values.to_list()


def test_nothing_is_no_table(tmp_path):
    """No rows: the sheet is as it was, and the last row is the one above."""
    book = Book("试", dt.date(2019, 11, 30))
    nothing = pl.Series([], dtype=pl.String)
    assert put_long_table(book.sheet("甲"), 3, [Cells(nothing, book.styles.cell)], row_heights([nothing], [8])) == 2
    assert read_back(book, tmp_path)["甲"].max_row == 1


def test_more_rows_than_a_sheet_holds_are_refused():
    """Not cut: somebody on the rows that are left out would be lost."""
    book = Book("试", dt.date(2019, 11, 30))
    values = pl.repeat("a", 1_048_574, eager=True)
    with pytest.raises(OutputError, match="limit of Excel"):
        put_long_table(book.sheet("甲"), 3, [Cells(values, book.styles.cell)], values.str.len_chars())


def test_lines_of_a_column():
    """As many as of each text by itself; nothing takes a line."""
    values = pl.Series(["短", None, "这是很长的一句话要分成几行", "a\nb", "123456789012345678"])
    assert lines_of(values, 10).to_list() == [1, 1, 3, 2, 2]
