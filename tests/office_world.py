"""One workbook in every format that offices send, and what it does not show."""

from __future__ import annotations

import io
import struct
from datetime import date

import python_calamine as calamine

from fupin_cli.ingest.biff import xls_notes
from fupin_cli.ingest.grid import Merge, SheetNotes
from fupin_cli.ingest.package import check_package
from office_files import Error, Formula, Look, write_ods, write_xls, write_xlsm, write_xlsx
from raw_files import write_xlsb

ID_1, ID_2 = "990121198001011234", "99012119750202234X"
ROWS = [
    ["姓名", "身份证号", "年龄", "低保", "出生日期", "金额"],
    ["张三", ID_1, 44, True, date(1980, 1, 1), Error("#N/A")],
    [None, ID_2, 3.5, False, None, Error("#REF!")],
    ["李四", "x", 990121198001011234, None, None, Formula("C2+1")],
    ["王五", None, None, None, None, None],
]
SHEETS = {"名单": ROWS, "说明": [["无"]], "旧表": [["无"]]}
LOOKS = {
    "名单": Look(merges=((1, 0, 2, 0),), hidden_rows=(2, 4, 30), hidden_columns=(1, 3, 40)),
    "说明": Look(state="hidden"),
    "旧表": Look(state="very hidden"),
}
WRITERS = {
    "xlsx": write_xlsx,
    "xlsm": write_xlsm,
    "xls": write_xls,
    "ods": write_ods,
    "xlsb": write_xlsb,
    "xlsb shared": lambda *what: write_xlsb(*what, shared=True),
}


def opened(data):
    return calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))


def notes_of(data):
    return xls_notes("a", data) if data.startswith(b"\xd0\xcf") else check_package("a", data)[1]


MERGED = (Merge(1, 0, 2, 0),)
# hidden rows and columns beyond the table do not count; calamine tells the merged ranges of xlsx and xls
NOTES = {
    #              hidden rows, columns, errors, formulas without a value
    "xlsx": SheetNotes(2, 2, 2, 1),
    "xlsm": SheetNotes(2, 2, 2, 1),
    "xls": SheetNotes(2, 2, 2, 1),
    "ods": SheetNotes(2, 2, 2, 1, MERGED),
    "xlsb": SheetNotes(2, 2, 2, 0, MERGED),
    "xlsb shared": SheetNotes(2, 2, 2, 0, MERGED),
}


def biff(kind, payload=b""):
    return struct.pack("<HH", kind, len(payload)) + payload
