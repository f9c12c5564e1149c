"""Real files of every kind that a county office receives, written as small as they can be. Sheets are {name: rows of cells}.

A cell is text, a number, a Boolean, a date, None, an `Error` or a `Formula`; how a sheet looks beyond its cells is a `Look`.
Archives, text and xlsb, for which no library fits, are in `raw_files`.
"""

from __future__ import annotations

import io
import quopri
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

import xlsxwriter
import xlwt
from msoffcrypto.format.ooxml import OOXMLFile

ERRORS = {"#NULL!": 0x00, "#DIV/0!": 0x07, "#VALUE!": 0x0F, "#REF!": 0x17, "#NAME?": 0x1D, "#NUM!": 0x24, "#N/A": 0x2A}
_NO_VALUE = "there is no value here"


class Error(NamedTuple):
    """A cell that shows an error, such as #N/A."""

    text: str = "#N/A"


class Formula(NamedTuple):
    """A formula and the result that was stored with it; None: it was never calculated."""

    text: str
    value: str | float | None = None


@dataclass(frozen=True)
class Look:
    """What a sheet has besides cells; all numbers are 0-based. `state` is visible, hidden or very hidden."""

    merges: tuple[tuple[int, int, int, int], ...] = ()
    hidden_rows: tuple[int, ...] = ()
    hidden_columns: tuple[int, ...] = ()
    state: str = "visible"


PLAIN = Look()


def text_of(cell):
    """The cell as a web page or a text file shows it."""
    match cell:
        case None | Formula(_, None):
            return ""
        case bool():
            return str(cell).upper()
        case Error():
            return cell.text
        case Formula():
            return str(cell.value)
        case date():
            return cell.isoformat()
        case _:
            return str(cell)


def starts(rows, look):
    """Row by row, every cell that is not covered: (column, cell, rows it spans, columns it spans)."""
    spans = {(top, left): (bottom - top + 1, right - left + 1) for top, left, bottom, right in look.merges}
    covered = {
        (r, c)
        for top, left, bottom, right in look.merges
        for r in range(top, bottom + 1)
        for c in range(left, right + 1)
    } - set(spans)
    for r, row in enumerate(rows):
        yield [(c, cell, *spans.get((r, c), (1, 1))) for c, cell in enumerate(row) if (r, c) not in covered]


# --- xlsx, xlsm, encrypted ---------------------------------------------------------------------------------------------


def write_xlsx(path, sheets, looks: Mapping[str, Look] = {}, *, wrong_dimension=False):
    """The path of an .xlsx. With `wrong_dimension` every sheet claims to hold nothing but A1, as some exports do."""
    path.write_bytes(xlsx(sheets, looks, wrong_dimension=wrong_dimension))
    return path


def write_xlsm(path, sheets, looks: Mapping[str, Look] = {}):
    """The path of an .xlsm: an .xlsx that says it may hold macros."""
    plain = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    macros = b"application/vnd.ms-excel.sheet.macroEnabled.main+xml"
    path.write_bytes(repacked(xlsx(sheets, looks), {"[Content_Types].xml": lambda part: part.replace(plain, macros)}))
    return path


def write_encrypted(path, sheets, password):
    """The path of an .xlsx that opens with a password."""
    with path.open("wb") as file:
        OOXMLFile(io.BytesIO(xlsx(sheets))).encrypt(password, file)
    return path


def xlsx(sheets, looks: Mapping[str, Look] = {}, *, wrong_dimension=False):
    """The bytes of an .xlsx."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for name, rows in sheets.items():
        look, sheet = looks.get(name, PLAIN), book.add_worksheet(name)
        for top, left, bottom, right in look.merges:
            sheet.merge_range(top, left, bottom, right, "")
        for r, cells in enumerate(starts(rows, look)):
            for c, cell, *_ in cells:
                _put_xlsx(sheet, r, c, cell, day)
        for r in look.hidden_rows:
            sheet.set_row(r, None, None, {"hidden": True})
        for c in look.hidden_columns:
            sheet.set_column(c, c, None, None, {"hidden": True})
        {"visible": lambda: None, "hidden": sheet.hide, "very hidden": sheet.very_hidden}[look.state]()
    book.close()

    def patch(part):
        part = re.sub(rb' t="str"(><f>[^<]*</f>)<v>' + _NO_VALUE.encode() + b"</v>", rb"\1", part)
        return re.sub(rb'<dimension ref="[^"]*"/>', b'<dimension ref="A1"/>', part) if wrong_dimension else part

    parts = {f"xl/worksheets/sheet{n}.xml": patch for n in range(1, len(sheets) + 1)}
    return repacked(file.getvalue(), parts)


def _put_xlsx(sheet, r, c, cell, day):
    match cell:
        case None:
            pass
        case bool():
            sheet.write_boolean(r, c, cell)
        case int() | float():
            sheet.write_number(r, c, cell)
        case date():
            sheet.write_datetime(r, c, datetime(cell.year, cell.month, cell.day), day)  # noqa: DTZ001
        case Error():
            sheet.write_formula(r, c, "=NA()", None, cell.text)
        case Formula():
            sheet.write_formula(r, c, "=" + cell.text, None, _NO_VALUE if cell.value is None else cell.value)
        case _:
            sheet.write_string(r, c, cell)


def repacked(package, changes):
    """A zip-based file with some of its parts changed: {part: what becomes of its bytes}."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            new.writestr(part, changes.get(part, bytes)(old.read(part)))
    return packed.getvalue()


# --- xls -----------------------------------------------------------------------------------------------------------------


def write_xls(path, sheets, looks: Mapping[str, Look] = {}):
    """The path of an .xls as Excel 97 to 2003 wrote it (BIFF8)."""
    book = xlwt.Workbook(encoding="utf-8")
    day = xlwt.easyxf(num_format_str="yyyy-mm-dd")
    for name, rows in sheets.items():
        look, sheet = looks.get(name, PLAIN), book.add_sheet(name)
        for r, cells in enumerate(starts(rows, look)):
            for c, cell, down, across in cells:
                if down * across > 1:
                    sheet.merge(r, r + down - 1, c, c + across - 1)
                _put_xls(sheet, r, c, cell, day)
        for r in look.hidden_rows:
            sheet.row(r).hidden = True
        for c in look.hidden_columns:
            sheet.col(c).hidden = True
        sheet.visibility = {"visible": 0, "hidden": 1, "very hidden": 2}[look.state]
    book.save(str(path))
    return path


def _put_xls(sheet, r, c, cell, day):
    match cell:
        case None:
            pass
        case Error():
            sheet.row(r).set_cell_error(c, ERRORS[cell.text])
        case Formula():
            sheet.write(r, c, xlwt.Formula(cell.text))
        case date():
            sheet.write(r, c, cell, day)
        case _:
            sheet.write(r, c, cell)


# --- ods -----------------------------------------------------------------------------------------------------------------

_NAMES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{prefix}:1.0"'
    for prefix in ("office", "table", "text", "style")
)
_ODS = "application/vnd.oasis.opendocument.spreadsheet"


def write_ods(path, sheets, looks: Mapping[str, Look] = {}, *, filtered=False):
    """The path of an .ods; equal neighbours are written once and repeated, as LibreOffice does."""
    tables = "".join(_ods_table(name, rows, looks.get(name, PLAIN), filtered=filtered) for name, rows in sheets.items())
    path.write_bytes(ods(f"<office:spreadsheet>{tables}</office:spreadsheet>"))
    return path


def ods(body, before=""):
    """The bytes of an .ods with this body; `before` stands before the root element."""
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?>{before}<office:document-content {_NAMES} '
        'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0" office:version="1.3">'
        '<office:automatic-styles><style:style style:name="shown" style:family="table"><style:table-properties '
        'table:display="true"/></style:style><style:style style:name="hidden" style:family="table">'
        '<style:table-properties table:display="false"/></style:style></office:automatic-styles>'
        f"<office:body>{body}</office:body></office:document-content>"
    )
    manifest = (
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.3">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{_ODS}"/>'
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr(zipfile.ZipInfo("mimetype"), _ODS)
        package.writestr("content.xml", content)
        package.writestr("META-INF/manifest.xml", manifest)
    return packed.getvalue()


def _ods_table(name, rows, look, *, filtered):
    width = max(map(len, rows), default=0)
    columns = _repeated(["collapse" if c in look.hidden_columns else "visible" for c in range(width)])
    head = "".join(
        f'<table:table-column table:number-columns-repeated="{n}" table:visibility="{how}"/>' for how, n in columns
    )
    how = "filter" if filtered else "collapse"
    written = []
    for r, cells in enumerate(starts(rows, look)):
        at, xml = 0, []
        for c, cell, down, across in cells:
            xml += ["<table:covered-table-cell/>"] * (c - at)
            spans = (
                f' table:number-rows-spanned="{down}" table:number-columns-spanned="{across}"'
                if down * across > 1
                else ""
            )
            xml.append(_ods_cell(cell, spans))
            at = c + 1
        xml += ["<table:covered-table-cell/>"] * (len(rows[r]) - at)
        inside = "".join(
            part.replace(" ", f' table:number-columns-repeated="{n}" ', 1) if n > 1 and " " in part else part * n
            for part, n in _repeated(xml)
        )
        written.append((f' table:visibility="{how}"' if r in look.hidden_rows else "", inside))
    body = "".join(
        f"<table:table-row{hidden}{f' table:number-rows-repeated={quoteattr(str(n))}' if n > 1 else ''}>{inside}</table:table-row>"
        for (hidden, inside), n in _repeated(written)
    )
    tail = '<table:table-row table:number-rows-repeated="1000"><table:table-cell table:number-columns-repeated="1024"/></table:table-row>'
    shown = "shown" if look.state == "visible" else "hidden"
    return f'<table:table table:name={quoteattr(name)} table:style-name="{shown}">{head}{body}{tail}</table:table>'


def _repeated(items):
    """Runs of equal neighbours: (item, how many)."""
    runs = []
    for item in items:
        if runs and runs[-1][0] == item:
            runs[-1][1] += 1
        else:
            runs.append([item, 1])
    return runs


def _ods_cell(cell, spans=""):
    match cell:
        case None:
            said, shown = "", None
        case bool():
            said, shown = f'office:value-type="boolean" office:boolean-value="{str(cell).lower()}"', text_of(cell)
        case int() | float():
            said, shown = f'office:value-type="float" office:value="{cell!r}"', text_of(cell)
        case date():
            said, shown = f'office:value-type="date" office:date-value="{cell.isoformat()}"', text_of(cell)
        case Error():
            said = (
                'table:formula="of:=NA()" office:value-type="string" office:string-value="" calcext:value-type="error"'
            )
            shown = cell.text
        case Formula(formula, None):
            said, shown = f"table:formula={quoteattr('of:=' + formula)}", None
        case Formula(formula, value):
            said, shown = f'table:formula={quoteattr("of:=" + formula)} office:value-type="string"', str(value)
        case _:
            said, shown = 'office:value-type="string"', cell
    inside = "" if shown is None else f"<text:p>{escape(shown)}</text:p>"
    return f"<table:table-cell {said}{spans}>{inside}</table:table-cell>"


# --- web pages and XML that are called .xls ------------------------------------------------------------------------------


def web_page(rows, look=PLAIN, encoding="gb18030"):
    """One sheet as a web page that Excel opens."""
    lines = []
    for r, cells in enumerate(starts(rows, look)):
        hidden = " style='display:none'" if r in look.hidden_rows else ""
        tds = "".join(
            f"<td{f' rowspan={down}' if down > 1 else ''}{f' colspan={across}' if across > 1 else ''}>{escape(text_of(cell))}</td>"
            for _, cell, down, across in cells
        )
        lines.append(f"<tr{hidden}>{tds}</tr>")
    columns = "".join(
        f"<col{' style=display:none' if c in look.hidden_columns else ''}>"
        for c in range(max(map(len, rows), default=0))
    )
    return (
        '<html xmlns:x="urn:schemas-microsoft-com:office:excel"><head>'
        f'<meta http-equiv=Content-Type content="text/html; charset={encoding}"><style>td {{mso-number-format:"\\@"}}</style>'
        f"</head><body><table border=1>{columns}{''.join(lines)}</table></body></html>"
    )


def write_html_xls(path, sheets, looks: Mapping[str, Look] = {}, encoding="gb18030"):
    """The path of an .xls that is a web page, one table for each sheet, as government systems export it."""
    pages = "\r\n".join(web_page(rows, looks.get(name, PLAIN), encoding) for name, rows in sheets.items())
    path.write_bytes(pages.encode(encoding))
    return path


def write_mht(path, sheets, looks: Mapping[str, Look] = {}, encoding="gb18030"):
    """The path of what Excel calls a single file web page: a mail whose parts are the sheets."""
    edge = "----=_NextPart_01DB.9901"
    parts = []
    for n, (name, rows) in enumerate(sheets.items(), 1):
        page = quopri.encodestring(web_page(rows, looks.get(name, PLAIN), encoding).encode(encoding)).decode("ascii")
        head = f'Content-Location: file:///C:/9901/sheet{n:03}.htm\nContent-Transfer-Encoding: quoted-printable\nContent-Type: text/html; charset="{encoding}"\n'
        parts.append(f"--{edge}\n{head}\n{page}\n")
    top = f'MIME-Version: 1.0\nX-Document-Type: Workbook\nContent-Type: multipart/related; boundary="{edge}"\n\nThis document is a web archive.\n\n'
    path.write_bytes((top + "".join(parts) + f"--{edge}--\n").replace("\n", "\r\n").encode("ascii"))
    return path


def write_xml2003(path, sheets, looks: Mapping[str, Look] = {}, encoding="utf-8"):
    """The path of an .xls that is an XML spreadsheet of 2003."""
    worksheets = []
    for name, rows in sheets.items():
        look = looks.get(name, PLAIN)
        columns = "".join(f'<Column ss:Index="{c + 1}" ss:Hidden="1"/>' for c in look.hidden_columns)
        lines = []
        for r, cells in enumerate(starts(rows, look)):
            inside = "".join(
                f'<Cell ss:Index="{c + 1}"{f" ss:MergeAcross={quoteattr(str(across - 1))}" if across > 1 else ""}'
                f"{f' ss:MergeDown={quoteattr(str(down - 1))}' if down > 1 else ''}>{_xml2003_data(cell)}</Cell>"
                for c, cell, down, across in cells
            )
            lines.append(
                f"<Row{' ss:Hidden=' + chr(34) + '1' + chr(34) if r in look.hidden_rows else ''}>{inside}</Row>"
            )
        state = {
            "visible": "",
            "hidden": "<Visible>SheetHidden</Visible>",
            "very hidden": "<Visible>SheetVeryHidden</Visible>",
        }
        options = (
            f'<WorksheetOptions xmlns="urn:schemas-microsoft-com:office:excel">{state[look.state]}</WorksheetOptions>'
        )
        worksheets.append(
            f"<Worksheet ss:Name={quoteattr(name)}><Table>{columns}{''.join(lines)}</Table>{options}</Worksheet>"
        )
    space = "urn:schemas-microsoft-com:office:spreadsheet"
    path.write_bytes(
        f'<?xml version="1.0" encoding="{encoding}"?>\n<?mso-application progid="Excel.Sheet"?>\n'
        f'<Workbook xmlns="{space}" xmlns:ss="{space}">{"".join(worksheets)}</Workbook>'.encode(encoding)
    )
    return path


def _xml2003_data(cell):
    match cell:
        case None | Formula(_, None):
            return ""
        case bool():
            return f'<Data ss:Type="Boolean">{int(cell)}</Data>'
        case int() | float():
            return f'<Data ss:Type="Number">{cell!r}</Data>'
        case date():
            return f'<Data ss:Type="DateTime">{cell.isoformat()}T00:00:00.000</Data>'
        case Error():
            return f'<Data ss:Type="Error">{cell.text}</Data>'
        case _:
            return f'<Data ss:Type="String">{escape(text_of(cell))}</Data>'
