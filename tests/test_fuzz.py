"""A few hundred damaged and hostile files, as `make fuzz` opens tens of thousands; and those that did harm once."""

from __future__ import annotations

import io
import struct
import time

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from xlwt.CompoundDoc import XlsDoc

import mutations
from conftest import examples, patient
from fupin_cli.errors import BadDataError
from fupin_cli.ingest import sandbox
from fupin_cli.ingest.headers import Header
from fupin_cli.ingest.readers import read_file
from fuzz_readers import FURTHER, NAMED, Fuzzer, main
from office_files import ods, repacked, write_xls, xlsx
from raw_files import zipped

HEADER = "姓名,身份证号,住址\n".encode()


@pytest.fixture(scope="module")
def fuzzer(tmp_path_factory):
    """Files of every kind, each opened in every way."""
    return Fuzzer(7, NAMED + FURTHER, tmp_path_factory.mktemp("fuzz"), every_step=True)


@examples(75)
@given(number=st.integers(0, 1 << 32))
def test_a_damaged_file_is_read_or_refused(fuzzer, number):
    """Nothing but FupinErrors that quote no cell, no hang, no memory beyond reason."""
    outcome = fuzzer.attempt(number)
    assert not outcome.fault, outcome


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_fifty_thousand_damaged_files(tmp_path, capsys):
    """The same for 50,000."""
    assert main(["--count", "50000", "--seed", "1", "--keep", str(tmp_path)]) == 0, capsys.readouterr().out


# --- files that took minutes or gigabytes, or the whole process along ----------------------------------------------------


def biting_its_own_tail(folder):
    """An .xls whose list of sectors leads back to itself, as long as it says."""
    data = bytearray(write_xls(folder / "seed", {"s": [["姓名"]]}).read_bytes())
    data += bytes(-len(data) % 512)
    sector = len(data) // 512 - 1
    data += struct.pack("<128I", *[0] * 127, sector)
    struct.pack_into("<I", data, 44, 100_000)
    struct.pack_into("<2I", data, 68, sector, (100_000 - 109 + 126) // 127)
    return bytes(data)


def a_lock_of_tags(folder):
    """A container whose note on its encryption is nothing but tags."""
    packed, names = io.BytesIO(), ("Workbook", "EncryptionInfo")
    XlsDoc().save(packed, struct.pack("<2HI", 4, 4, 0x40) + b"<a>" * 1_000_000)
    old, new = (
        (name + "\0").encode("utf-16-le").ljust(64, b"\0") + struct.pack("<H", 2 * len(name) + 2) for name in names
    )
    assert old in packed.getvalue()
    return packed.getvalue().replace(old, new)


def nested_parquet(folder):
    """A footer that nests a type in a type, a hundred thousand times: a stack overflow for its reader."""

    def number(n):
        return bytes([n & 0x7F | 0x80]) + number(n >> 7) if n > 0x7F else bytes([n])

    def group(children, *, leaf=False):
        type_ = b"\x15\x0c\x25" if leaf else b"\x35"  # repetition is the third field, from the first or from none
        return type_ + b"\x02\x18\x01a" + (b"" if leaf else b"\x15" + number(children << 1)) + b"\x00"

    depth = 100_000
    schema = b"\xfc" + number(depth + 1) + group(1) * depth + group(0, leaf=True)
    footer = b"\x15\x04\x19" + schema + b"\x16\x00\x19\x0c\x00"
    return b"PAR1" + footer + struct.pack("<I", len(footer)) + b"PAR1"


def one_text_a_thousand_times(folder):
    """A Parquet file of a kilobyte: a long text, stored once and shown 20,000 times."""
    places = pa.array(np.zeros(20_000, dtype="int32"))
    table = pa.table({"姓名": pa.DictionaryArray.from_arrays(places, pa.array(["长" * 300_000]))})
    pq.write_table(table, folder / "seed", compression="zstd")
    return (folder / "seed").read_bytes()


def rows_for_nothing(folder):
    """A Parquet file of some kilobytes that holds 50 million rows."""
    pl.DataFrame({"姓名": ["张"]}).select(pl.col("姓名").repeat_by(50_000_000).explode()).write_parquet(folder / "seed")
    return (folder / "seed").read_bytes()


def part_with(part, old, new):
    """An .xlsx in one of whose parts something else stands."""
    book = xlsx({"s": [["姓名"]] * 9})
    return lambda _: repacked(book, {f"xl/{part}.xml": lambda xml: xml.replace(old, new, 1)})


MERGES = b'<mergeCells count="20000">' + b'<mergeCell ref="A2:F1048576"/>' * 20_000 + b"</mergeCells>"
PAGE = b"<html><table>"
HARMFUL = {
    "a chain of sectors without end": (biting_its_own_tail, "claims to be longer than it is"),
    "a lock of nothing but tags": (a_lock_of_tags, "claims to be longer than it is"),
    "types in types": (nested_parquet, "memory"),
    "a long text many times": (one_text_a_thousand_times, "memory"),
    "rows that take no space": (rows_for_nothing, "memory"),
    "merged cells over each other": (
        part_with("worksheets/sheet1", b"</sheetData>", b"</sheetData>" + MERGES),
        "stretches",
    ),
    "a cell of 50 MB": (part_with("sharedStrings", b"<t>", b"<t>" + b"9" * 50_000_000), "stretch"),
    "a book of nothing but tags": (part_with("workbook", b"<sheets>", b"<sheets>" + b"<a>" * 7_000_000), "damaged"),
    "tags in tags": (lambda _: ods("<office:spreadsheet>" + "<a>" * 2_000_000), "nests its parts deeper"),
    "comments that never end": (lambda _: PAGE + b"<!--" * 250_000, "damaged"),
    "tags that never end": (lambda _: PAGE + b'<a b="' * 150_000, "damaged"),
    "a page cut off in its table": (lambda _: PAGE + b"<tr><td>x</td></tr>", "damaged"),
    "tables without number": (lambda _: b"<html>" + b"<table><tr><td>x</table>" * 1_001, "more than 1,000 sheets"),
    "spans over spans": (
        lambda _: PAGE + b"<tr>" + b"<td rowspan=999 colspan=16384>x" * 30_000 + b"</table>",
        "stretches",
    ),
    "a row of 500,000 fields": (lambda _: b"," * 500_000, "far longer than the others"),
    "a wide row over many short ones": (
        lambda _: HEADER + b"," * 4_000 + b"\n" + b"a\n" * 400_000,
        "far longer than the others",
    ),
    "a wide row after many short ones": (
        lambda _: HEADER + b"a\n" * 400_000 + b"," * 4_000 + b"\n",
        "far longer than the others",
    ),
    "members without number": (lambda _: zipped({f"{n}.csv": b"" for n in range(20_000)}), "unreasonable size"),
}


@pytest.mark.parametrize(("make", "message"), HARMFUL.values(), ids=list(HARMFUL))
def test_what_would_harm_its_reader_is_refused_at_once(tmp_path, make, message):
    """Each of these hung, ended the process or asked for gigabytes."""
    path = tmp_path / "a"
    path.write_bytes(make(tmp_path))
    start = time.perf_counter()
    with pytest.raises(BadDataError, match=message):
        read_file("a", path)
    assert time.perf_counter() - start < patient(20)


# --- what must go on working ---------------------------------------------------------------------------------------------


def cells(path):
    return [grid.cells().rows() for table in read_file("a", path) for grid in table.grids]


def test_a_refused_file_does_not_cost_the_parser(tmp_path):
    """It answers the next file, too: a new process would take longer than to read a hundred files."""
    path = tmp_path / "a"
    path.write_bytes(xlsx({"s": [["姓名"]]}))
    read_file("a", path)
    parser = sandbox._idle[-1]._process.pid
    path.write_bytes(PAGE)
    with pytest.raises(BadDataError):
        read_file("a", path)
    assert [child._process.pid for child in sandbox._idle if child.alive].count(parser) == 1


def test_a_parser_that_read_a_large_file_is_not_used_again(tmp_path, monkeypatch):
    """The memory that it keeps would count against the next one."""
    path = tmp_path / "a"
    path.write_bytes(xlsx({"s": [["姓名"]]}))
    read_file("a", path)
    parser = sandbox._idle[-1]._process.pid
    monkeypatch.setattr(sandbox, "_LARGE", 1)
    read_file("a", path)
    assert parser not in [child._process.pid for child in sandbox._idle]


def test_text_in_a_cdata_section_is_text(tmp_path):
    """A cell of an XML spreadsheet may be written so."""
    path = tmp_path / "a.xls"
    path.write_text(
        "<?xml version='1.0'?><Workbook><Worksheet><Table><Row><Cell><Data><![CDATA[张<三]]></Data></Cell></Row></Table></Worksheet></Workbook>"
    )
    assert cells(path) == [[("张<三",)]]


def test_two_members_of_one_name_are_two_tables(tmp_path):
    """As some programs pack them."""
    path = tmp_path / "a.zip"
    path.write_bytes(mutations._packed([("a.csv", b"x,y\n"), ("a.csv", b"z,y\n")], 0))
    assert sorted(cells(path)) == [[("x", "y")], [("z", "y")]]


def test_a_wide_header_is_shown_in_no_time():
    """It is asked for once a column."""
    header = Header(0, 1, tuple((f"列{n}",) for n in range(4_000)))
    start = time.perf_counter()
    assert all(header.shown[n] == header.texts[n] for n in range(4_000))
    assert time.perf_counter() - start < patient(5)
