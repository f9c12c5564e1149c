"""A project's sources, read by the command as a user types it: databases, sheets, renamed places, rows sent back."""

import json
import sqlite3
from datetime import datetime
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from conftest import PROJECT, SAMPLE, fupin
from fupin_cli.ingest import read_source, to_evidence, to_persons
from fupin_cli.intake import nobody_knows, read_extracts, read_register
from fupin_cli.normalise.id_number import check_character
from fupin_cli.progress import silent
from fupin_cli.project import load_project
from fupin_cli.rulebook import open_rule_book
from office_files import Look, write_encrypted, write_xlsx
from raw_files import write_text, write_zip


def number(born, order):
    """An invented ID number of region 9901 with its own check character."""
    code = int(f"990121{born}{order:03d}")
    return f"{code}{pl.select(check_character(pl.lit(code))).item()}"


ZHANG, LI, WANG, SUN = (
    number("19800101", 111),
    number("19750202", 222),
    number("19990303", 333),
    number("19660606", 666),
)
NOBODY = number("19510505", 777)
WHO = (("张三", ZHANG), ("孙七", SUN), ("周八", NOBODY))
HEADER = ["户编号", "姓名", "证件号码", "县", "乡镇", "行政村", "与户主关系", "是否享受低保", "联系电话"]
REGISTER = [
    HEADER,
    ["H1", "张三", ZHANG, "青禾县", "平川镇", "柳树村", "户主", "是", "13800000001"],
    ["H1", "李四", LI, "青禾县", "平川镇", "柳树村", "配偶", "是", "13800000001"],
    ["H2", "王五", WANG, "青禾县", "平川镇", "东村", "户主", "是", "13800000001"],
]
DIBAO = [["姓名", "身份证号", "县", "乡镇", "村", "低保证号"], ["张三", ZHANG, "青禾县", "平川镇", "杨树村", "D1"]]
TOML = PROJECT.format(as_of="2019-11-30", place="99")


@pytest.fixture
def project(tmp_path):
    write_xlsx(tmp_path / "台账.xlsx", {"s": REGISTER})
    return tmp_path


def run(project, source, *words, more="", **environment):
    """The digest of a run with this source of the one extract; standard error stands in `said`."""
    (project / "fupin.toml").write_text(TOML + source + "\n" + more, encoding="utf-8")
    done = fupin("run", project, "-o", project / "out", "--json", *words, **environment)
    return done, json.loads(done.stdout) if done.stdout else None


def findings(project):
    return pl.read_parquet(project / "out" / "findings.parquet")


def problems(digest, kind):
    return [p["detail"] for p in digest["problems"] if p["kind"] == kind]


def test_a_database_is_a_source_like_any_other(project):
    """The table's rows are linked and judged; findings name table and row; the manifest holds a hash and no credential."""
    with sqlite3.connect(project / "mz.db") as base:
        base.execute("create table dibao (姓名 text, 身份证号 text, 县 text, 低保证号 text)")
        base.executemany(
            "insert into dibao values (?, ?, ?, ?)", [("孙七", SUN, "青禾县", "D9"), ("张三", ZHANG, "青禾县", "D1")]
        )
    done, digest = run(project, 'source = "sqlite:///mz.db"\ntable = "dibao"')
    assert done.returncode == 0, done.stderr
    account = next(a for a in digest["accounts"] if a["extract"] == "dibao")
    assert (account["rows_read"], account["rows_used"]) == (2, 2)
    found = findings(project).filter(pl.col("rule_id") == "CMP-UR1")
    assert found["extract_sheet"].to_list() == ["dibao"]
    manifest = json.loads((project / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert any(name.startswith("dibao sqlite:///mz.db") for name in manifest["inputs"])


def test_nobody_on_a_row_that_could_not_be_used_is_missing_from_the_register(project):
    """A register row without its household is given back; whoever stands on it is unknown to the list's rule, not absent."""
    write_xlsx(
        project / "台账.xlsx", {"s": [*REGISTER, ["", "孙七", SUN, "青禾县", "平川镇", "东村", "户主", "是", ""]]}
    )
    write_xlsx(project / "低保.xlsx", {"s": [DIBAO[0], *([n, i, "青禾县", "平川镇", "东村", "D"] for n, i in WHO)]})
    done, digest = run(project, 'files = ["低保.xlsx"]')
    assert done.returncode == 0, done.stderr
    assert findings(project).filter(pl.col("rule_id") == "CMP-UR1")["id_number"].to_list() == [NOBODY]
    (report,) = (rule for rule in digest["rules"] if rule["rule_id"] == "CMP-UR1")
    assert (report["hits"], report["clears"], report["unknowns"]) == (1, 1, 1)


def test_a_folder_is_one_source_and_an_archive_in_it_too(project):
    """files = ["民政"]: everything below it, whatever its kind."""
    (project / "民政").mkdir()
    write_xlsx(project / "民政" / "一.xlsx", {"s": DIBAO})
    text = project / "二.csv"
    write_text(text, [DIBAO[0], ["李四", LI, "青禾县", "平川镇", "柳树村", "D2"]], "gb18030")
    write_zip(project / "民政" / "二.zip", {"二.csv": text.read_bytes(), "说明.docx": b"x"})
    text.unlink()
    (project / "民政" / "~$一.xlsx").write_bytes(b"lock")
    done, digest = run(project, 'files = ["民政"]')
    assert done.returncode == 0, done.stderr
    sources = [a["source"] for a in digest["accounts"] if a["extract"] == "dibao"]
    assert sources == ["民政/一.xlsx", "民政/二.zip/二.csv"]
    assert problems(digest, "other_file") == ["民政/二.zip/说明.docx"]


def test_renamed_villages_are_told_and_then_known(project):
    """杨树村 is in no register: said and not guessed; with [places] it is 柳树村."""
    write_xlsx(project / "低保.xlsx", {"s": DIBAO})
    _, digest = run(project, 'files = ["低保.xlsx"]')
    assert problems(digest, "unmatched_place") == ["杨树村: 1"]
    _, digest = run(project, 'files = ["低保.xlsx"]', more='[places.village]\n"平川镇/杨树村" = "柳树村"\n')
    assert not problems(digest, "unmatched_place")
    assert pl.read_parquet(project / "out" / "evidence.parquet")["village"].to_list() == ["柳树村"]


def test_one_telephone_in_several_households_is_said(project):
    """Two households gave the same number."""
    write_xlsx(project / "低保.xlsx", {"s": DIBAO})
    _, digest = run(project, 'files = ["低保.xlsx"]')
    assert problems(digest, "shared_phone") == ["2"]


def test_a_whole_column_of_damaged_numbers_ends_with_3_and_says_how_to_export(project):
    """The run goes on with 15 digits and names; the summary says which column, and what to do about it."""
    rows = [
        DIBAO[0],
        *([name, float(n), "青禾县", "平川镇", "柳树村", "D"] for name, n in (("张三", ZHANG), ("李四", LI))),
    ]
    write_xlsx(project / "低保.xlsx", {"s": rows})
    done, digest = run(project, 'files = ["低保.xlsx"]')
    assert done.returncode == 3
    assert problems(digest, "numeric_id_column") == ["证件号码: 2"]
    assert "make it text and export again" in " ".join(done.stderr.split())
    assert (
        "exit code 3: done, but of some source not everything may have been read: ID numbers in a column" in done.stderr
    )
    links = pl.read_parquet(project / "out" / "links.parquet").filter(pl.col("extract") == "dibao")
    assert set(links["basis"]) == {"damaged_id"}


def test_what_could_not_be_used_goes_back_to_its_sender(project):
    """A workbook per office, with reason, file, sheet and row, and the cells under their own headers as text."""
    rows = [*DIBAO, ["", "", "青禾县", "平川镇", "柳树村", "D7"], ["合计", "", "", "", "", "2"]]
    write_xlsx(project / "低保.xlsx", {"名单": rows})
    run(project, 'files = ["低保.xlsx"]')
    (path,) = (project / "out" / "workbooks" / "退回更正").iterdir()
    assert path.name == "青禾县民政_退回更正_2019-11-30.xlsx"
    sheet = openpyxl.load_workbook(path).worksheets[1]
    cells = [[cell.value for cell in row] for row in sheet.iter_rows()]
    row = next(row for row in cells if "D7" in row)
    assert "3" in row
    assert any("无姓名且无证件号码" in str(cell) for cell in row)


def test_a_password_from_the_variable_that_the_source_names(project):
    """Neither on the command line nor in fupin.toml; without it the error names the file and the variable to set."""
    write_encrypted(project / "低保.xlsx", {"s": DIBAO}, "暗号9")
    source = 'files = ["低保.xlsx"]\npassword_env = "MZ_PASSWORD"'
    done, digest = run(project, source, MZ_PASSWORD="暗号9")
    assert done.returncode == 0, done.stderr
    assert problems(digest, "password_used") == [""]
    done, _ = run(project, source)
    assert done.returncode == 65
    assert "MZ_PASSWORD" in done.stderr
    assert "暗号9" not in done.stderr + (project / "out" / "digest.json").read_text(encoding="utf-8")
    assert not [
        p
        for p in (project / ".fupin").rglob("*.parquet")
        if "张三" in str(pl.read_parquet(p).to_dicts()) and "D1" in str(pl.read_parquet(p).to_dicts())
    ]


def test_a_second_run_reads_nothing_and_says_the_same(project):
    """The same bytes of digest and Parquet from the store as from the files."""
    write_xlsx(project / "低保.xlsx", {"s": DIBAO}, {"s": Look(hidden_rows=(1,))})
    run(project, 'files = ["低保.xlsx"]')
    names = ("digest.json", "findings.parquet", "set_aside.parquet", "evidence.parquet", "manifest.json")
    first = {name: (project / "out" / name).read_bytes() for name in names}
    entries = sorted(p.name for p in (project / ".fupin" / "cache").iterdir())
    assert len(entries) == 2
    run(project, 'files = ["低保.xlsx"]')
    assert {name: (project / "out" / name).read_bytes() for name in names} == first
    assert sorted(p.name for p in (project / ".fupin" / "cache").iterdir()) == entries


# --- fupin inspect -----------------------------------------------------------------------------------------------------------


def test_inspect_tells_how_a_file_is_read(tmp_path):
    """Container, notes, what became of rows, the nearest field of an unknown header, ID health; no cell in full."""
    rows = [
        ["低保名单"],
        ["姓名", "身份证号", "低保证号", "起始保障年"],
        ["张三丰", ZHANG, "D1", "秘密"],
        ["李四", float(LI), "", ""],
        ["合计", "2"],
    ]
    write_xlsx(tmp_path / "a.xls", {"东乡": rows}, {"东乡": Look(hidden_rows=(3,))})
    done = fupin("inspect", tmp_path / "a.xls", "--rows", "3", COLUMNS="200")
    assert done.returncode == 0, done.stderr
    for words in ("xlsx", "header in row 2", "dibao 民政 民政低保对象", "near start_month", "title above the header 1", "totals and signatures below the table 1",
                  "1 hidden rows", "last three digits lost in a spreadsheet 1", "张＊ (3)", "read 5 = used 2 + set aside 3"):  # fmt: skip
        assert words in done.stdout, words
    for secret in ("张三丰", ZHANG, "秘密", str(LI)[:15]):
        assert secret not in done.stdout


def test_inspect_takes_the_password_from_the_environment(tmp_path):
    """And says that the workbook was locked."""
    write_encrypted(tmp_path / "a.xlsx", {"s": DIBAO}, "123")
    done = fupin("inspect", tmp_path / "a.xlsx", FUPIN_PASSWORD="123")
    assert "under a password" in done.stdout
    assert fupin("inspect", tmp_path / "a.xlsx").returncode == 65


def test_init_says_what_it_could_not_place(tmp_path):
    """Department, kind and how sure; what is no table or unknown is named with the reason, in the draft as well."""
    write_xlsx(tmp_path / "台账.xlsx", {"s": REGISTER})
    write_xlsx(tmp_path / "民政低保_青禾县_201910.xlsx", {"s": DIBAO, "填表说明": [["一、…"]]})
    write_xlsx(tmp_path / "会议.xlsx", {"s": [["时间", "地点"], ["周一", "三楼"]]})
    (tmp_path / "扫描件.dat").write_bytes(b"%PDF-1.4")
    done = fupin("init", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "民政 民政低保对象 dibao (100%) — sheets not placed: 填表说明" in done.stdout
    assert "会议.xlsx: not placed" in done.stdout
    assert "扫描件.dat: not placed — this is a PDF document" in done.stdout
    assert "placed 2 of 4" in done.stdout
    draft = (tmp_path / "fupin.toml").read_text(encoding="utf-8")
    assert "as_of = 2019-10-31" in draft
    assert 'coverage = ["青禾县"]' in draft
    assert "#   会议.xlsx" in draft


def test_init_names_columns_that_look_like_a_missed_field(tmp_path):
    """Per file, with what it looks like and how to declare it; in the draft as well. One county, no 省 in the name: its round."""
    write_xlsx(tmp_path / "台账.xlsx", {"s": REGISTER})
    odd = [["姓名", "身份证号", "低保证号", "保障的类别"], ["张三", ZHANG, "D1", "A类"]]
    write_xlsx(tmp_path / "民政低保_201910.xlsx", {"s": odd})
    write_xlsx(tmp_path / "省民政厅低保_201911.xlsx", {"s": DIBAO})
    done = fupin("init", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "unknown column: 保障的类别 (like kind of aid)" in done.stdout
    assert f"fupin rules copy {tmp_path / 'rules'}" in done.stdout
    assert "[fields.welfare_kind]" in done.stdout
    draft = (tmp_path / "fupin.toml").read_text(encoding="utf-8")
    assert "# unknown column: 保障的类别" in draft
    assert 'stage = "county"\nfiles = ["民政低保_201910.xlsx"]\nas_of = 2019-10-31\ncoverage = ["青禾县"]' in draft
    assert 'files = ["省民政厅低保_201911.xlsx"]\nas_of = 2019-11-30\n# coverage = ["青禾县"]' in draft
    ran = fupin("run", tmp_path, "-o", tmp_path / "out")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert f"look at: {tmp_path / 'out'}" in ran.stdout.splitlines()  # the summary is the answer
    (tmp_path / "fupin.toml").write_text("# mine", encoding="utf-8")
    again = fupin("init", tmp_path, "--force")
    assert f"the old one is kept: {tmp_path / 'fupin.toml.bak'}" in again.stdout
    assert (tmp_path / "fupin.toml.bak").read_text(encoding="utf-8") == "# mine"


def test_no_process_is_left_behind(tmp_path):
    """The parser ends with the program that asked it."""
    write_xlsx(tmp_path / "a.xlsx", {"s": DIBAO})
    assert fupin("inspect", tmp_path / "a.xlsx").returncode == 0
    for entry in Path("/proc").glob("[0-9]*/cmdline") if Path("/proc").is_dir() else ():
        try:
            line = entry.read_bytes()
            parent = int(entry.with_name("stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
        assert not (b"fupin_cli.ingest.parser" in line and parent == 1), "an orphan parser"


DEATHS = TOML.replace("dibao", "deaths") + 'files = ["死亡.xlsx"]\n'
IMPOSSIBLE = {
    "2019-12-05": "impossible_dates",  # after the day of the list
    "1979-12-31": "impossible_dates",  # before birth
    "1899-12-30": "impossible_dates",  # a spreadsheet's zero
    "1900-01-01": "impossible_dates",
    "20190230": "unparsed_cells",
    "80-1-5": "two_digit_year",
}


def found_dead(project, dates):
    """(name, rule) of what a list of deaths says of as many people, all born in 1980; and the digest."""
    people = [[f"H{n}", f"张{n}", number("19800101", n), *REGISTER[1][3:]] for n in range(len(dates))]
    write_xlsx(project / "台账.xlsx", {"s": [HEADER, *people]})
    rows = [[*person[1:3], on] for person, on in zip(people, dates, strict=True)]
    write_xlsx(project / "死亡.xlsx", {"s": [["姓名", "身份证号", "死亡日期"], *rows]})
    (project / "fupin.toml").write_text(DEATHS, encoding="utf-8")
    done = fupin("run", project, "-o", project / "out", "--json")
    assert done.returncode == 0, done.stderr
    told = findings(project).filter(pl.col("rule_id").is_in(["CMP-PS1", "CMP-PS8"])).select("name", "rule_id")
    return sorted(told.rows()), json.loads(done.stdout)


def test_nobody_is_dead_by_a_date_that_cannot_be(project):
    """A drawn table: a death whose date cannot be is unknown, and asked of the police; cell and row are told."""
    dead, digest = found_dead(project, list(IMPOSSIBLE))
    assert dead == [(f"张{n}", "CMP-PS8") for n in range(len(IMPOSSIBLE))]
    assert problems(digest, "unparsed_cells") == ["死亡日期: 1; rows 6"]
    assert problems(digest, "two_digit_year") == ["死亡日期: 1; rows 7"]
    assert sorted(problems(digest, "impossible_dates")) == ["死亡日期: 2; rows 2, 3", "死亡日期: 2; rows 4, 5"]
    at = findings(project).filter(rule_id="CMP-PS8").select("extract_source", "extract_sheet", "extract_at")
    assert sorted(at.rows()) == [("死亡.xlsx", "s", row) for row in range(2, 8)]
    why = pl.read_parquet(project / "out" / "outcomes.parquet").filter(rule_id="CMP-PS1")
    assert set(why["outcome"]) == {"unknown"}
    assert all("看不懂或不可能" in reason for reason in why["reason"])


@pytest.mark.parametrize("at_once", [1, 3, 500_000])
def test_a_list_read_in_pieces_says_the_same(project, monkeypatch, at_once):
    """Dates that cannot be, places that nobody knows and the rows' numbers are those of the whole list, over sheets and pieces."""
    head = ["姓名", "身份证号", "县", "乡镇", "村", "死亡日期", "注销日期"]
    sheets = {
        sheet: [head, *([f"张{n}", number("19800101", n), "青禾县", town, "东村", "1979-12-31", on] for n in rows)]
        for sheet, rows, town, on in (
            ("一", range(3), "平川镇", "2019-05-05"),
            ("二", range(3, 6), "白沙镇", "1979-01-01"),
            ("三", range(6, 8), "安乐镇", "2020-01-01"),
        )
    }
    write_xlsx(project / "死亡.xlsx", sheets)
    (project / "fupin.toml").write_text(DEATHS, encoding="utf-8")
    monkeypatch.setattr("fupin_cli.ingest.accounts._AT_ONCE", at_once)
    loaded = load_project(project)
    book = open_rule_book(loaded)
    register = read_register(loaded, book, silent)
    (extract,) = read_extracts(loaded, book, register, ["county"], silent)
    assert extract.evidence["extract_row"].to_list() == list(range(8))
    assert extract.strange_places == (("township", ("安乐镇", "白沙镇"), 5),)
    assert extract.impossible_dates == (
        ("死亡.xlsx", "一", "death_on", 3, [2, 3, 4]), ("死亡.xlsx", "二", "death_on", 3, [2, 3, 4]),
        ("死亡.xlsx", "三", "death_on", 2, [2, 3]),
        ("死亡.xlsx", "二", "cancelled_on", 3, [2, 3, 4]), ("死亡.xlsx", "三", "cancelled_on", 2, [2, 3]),
    )  # fmt: skip


def test_further_people_of_a_row_are_numbered_behind_everybody(project, monkeypatch):
    """Where a row speaks of several people, a list is one piece however small pieces are: each has a number of its own."""
    head = ["企业名称", "法定代表人", "身份证号", "投资人姓名", "投资人证件号码"]
    rows = [[f"企业{n}", "张三", ZHANG, "李四", LI] for n in range(3)]
    write_xlsx(project / "企业.xlsx", {"一": [head, *rows], "二": [head, *rows]})
    (project / "fupin.toml").write_text(
        TOML.replace("dibao", "companies") + 'files = ["企业.xlsx"]\n', encoding="utf-8"
    )
    monkeypatch.setattr("fupin_cli.ingest.accounts._AT_ONCE", 1)
    loaded = load_project(project)
    book = open_rule_book(loaded)
    (extract,) = read_extracts(loaded, book, read_register(loaded, book, silent), ["county"], silent)
    numbers = extract.evidence["extract_row"]
    assert sorted(numbers) == list(range(len(numbers)))
    assert len(numbers) > 2 * 3


def test_a_death_is_dated_or_its_whole_list_is_not(project):
    """A date that can be is believed, a blank beside it is unknown; where the list dates nobody, to be on it is enough."""
    assert found_dead(project, ["2019-03-05", ""])[0] == [("张0", "CMP-PS1"), ("张1", "CMP-PS8")]
    assert found_dead(project, ["", ""])[0] == [("张0", "CMP-PS1"), ("张1", "CMP-PS1")]


def test_columns_like_a_township_and_a_village_are_named(tmp_path):
    """Everyday headers are known; of those that are not, what looks like a place is told by init, inspect and run."""
    header = ["户编号", "家庭成员", "男/女", "身份证号", "与户主关系", "户籍乡镇", "居住村", "是否参加城乡居民医保"]
    row = ["H1", "张三", "男", ZHANG, "户主", "平川镇", "柳树村", "是"]
    write_xlsx(tmp_path / "台账.xlsx", {"s": [header, row]})
    write_xlsx(tmp_path / "低保.xlsx", {"s": DIBAO})
    told = fupin("init", tmp_path).stdout
    assert "unknown column: 户籍乡镇 (like township)" in told
    assert "unknown column: 居住村 (like village)" in told
    sheet = json.loads(fupin("inspect", tmp_path / "台账.xlsx", "--json").stdout)[0]["sheets"][0]
    known = {column["header"]: column["field"] for column in sheet["columns"]}
    assert [known[name] for name in ("家庭成员", "男/女", "是否参加城乡居民医保")] == [
        "name",
        "sex",
        "resident_medical",
    ]
    looked = fupin("inspect", tmp_path / "台账.xlsx").stdout
    assert "near village" in looked
    assert "near township" in looked
    _, digest = run(tmp_path, 'files = ["低保.xlsx"]')
    assert problems(digest, "near_column") == ["居住村（行政村?）", "户籍乡镇（乡镇?）"]


@pytest.mark.parametrize(("name", "title", "as_of", "whence"), [
    ("台账2019年度.xlsx", "台账", "2019-12-31", "from 台账2019年度.xlsx"),
    ("台账2099年度.xlsx", "台账", None, None),
    ("台账.xlsx", "某县2018年12月台账", "2018-12-31", "from a title in 台账.xlsx"),
])  # fmt: skip
def test_init_drafts_the_newest_day_that_is_told(tmp_path, name, title, as_of, whence):
    """From the files' names, else from titles, never a day ahead; otherwise today, which the draft says."""
    write_xlsx(tmp_path / name, {"s": [[title], *REGISTER]})
    assert fupin("init", tmp_path).returncode == 0
    draft = (tmp_path / "fupin.toml").read_text(encoding="utf-8")
    today = datetime.now().date().isoformat()  # noqa: DTZ005 as the program asks
    assert f"as_of = {as_of or today} " in draft
    assert (whence or "today: no file name and no title") in draft


def test_a_day_ahead_is_told(project):
    """A comparison of a day in the future runs, and says so."""
    write_xlsx(project / "低保.xlsx", {"s": DIBAO})
    (project / "fupin.toml").write_text(
        PROJECT.format(as_of="2099-11-30", place="99") + 'files = ["低保.xlsx"]\n', encoding="utf-8"
    )
    done = fupin("run", project, "-o", project / "out")
    assert done.returncode == 0
    assert "[project]: as_of = 2099-11-30 lies in the future" in done.stderr
    assert "[[extract]] dibao: as_of = 2099-11-30" in done.stderr
    assert fupin("run", project, "-o", project / "out", "--quiet").stderr == ""


def test_no_column_is_lost_on_the_way():
    """Whatever of the sample's files is read arrives with the persons and the evidence: 组 was once lost beside an address."""
    loaded = load_project(SAMPLE)
    profiles = open_rule_book(loaded).profiles
    for source in (loaded.register, *loaded.extracts):
        profile = profiles[source.profile]
        if source.listing:
            continue
        rows = read_source(source.files, profile, sheets=source.sheets, ask=nobody_knows(source.password_env)).rows
        made = to_persons(rows) if source is loaded.register else to_evidence(rows, {})
        lost = [
            name
            for name in set(rows.columns) & set(made.columns)
            if rows[name].is_not_null().any() and not made[name].is_not_null().any()
        ]
        assert not lost, source.profile


def test_a_folder_of_files_is_of_papers_only(project):
    """Photographs say which papers a household has, and nothing of 低保."""
    (project / "照片").mkdir()
    done, _ = run(project, 'folder = "照片"\nnames = ["{户编号}/{资料名称}"]')
    assert done.returncode == 78
    assert 'profile = "household_documents"' in done.stderr
