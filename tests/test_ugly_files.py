"""Files as a tired clerk sends them: nobody may be called absent, dead or listed because of how a file was read."""

import subprocess
from datetime import date

import polars as pl
import pytest

from conftest import FUPIN, fupin
from fupin_cli.errors import BadDataError
from hazard_world import County, household, profiles, somebody, table
from office_files import Look, write_xlsx
from raw_files import write_text

A, B, C, D = (somebody(n) for n in range(1, 5))
HOME = household(("张三", A), ("李四", B, "配偶"), ("王五", C, "之子"), ("赵六", D, "之女"))
DIBAO = ["姓名", "身份证号", "救助类别"]


def accused(folder, rows, profile="dibao", rule="CMP-MZ1", sheets=None, text=None, more=()):
    """The names of those who are surely found by a rule, the whole household being registered as on dibao."""
    if text is None:
        path = folder / "名单.xlsx"
        write_xlsx(path, sheets or {"s": rows})
    else:
        path = folder / "名单.csv"
        path.write_bytes(text)
    told = [[*row, "是", "是"] for row in HOME]
    project = County(folder).registered(*told, columns=["是否享受低保", "是否参加城乡居民基本医疗保险"])
    found = project.file(path, profile).run().found(rule)
    return sorted(found.filter(pl.col("band") == "accepted")["name"].to_list())


LISTS = {  # what stands in the file; 赵六 alone is nowhere in it
    "a second table below, in another order": {
        "s": [DIBAO, ["张三", A, "低保"], ["李四", B, "低保"], ["身份证号", "姓名", "救助类别"], [C, "王五", "低保"]]
    },
    "a second sheet that only says who": {
        "东乡": [DIBAO, ["张三", A, "低保"], ["李四", B, "低保"]], "西乡": [["姓名", "身份证号"], ["王五", C]]
    },
    "a second sheet without a header": {"东乡": [DIBAO, ["张三", A, "低保"], ["李四", B, "低保"]], "西乡": [["王五", C, "低保"]]},
    "two people a row, side by side": {"s": [[*DIBAO, *DIBAO], ["张三", A, "低保", "王五", C, "低保"], ["李四", B, "低保"]]},
    "name and number exchanged": {"s": [DIBAO, ["张三", A, "低保"], ["李四", B, "低保"], [C, "王五", "低保"]]},
    "the number in the cell of the name": {"s": [DIBAO, ["张三", A, "低保"], ["李四", B, "低保"], [f"王五{C}", None, "低保"]]},
    "members' numbers in a column of their own": {
        "s": [
            ["户主姓名", "户主身份证号", "成员姓名", "成员身份证号", "救助类别"],
            ["张三", A, "张三", A, "低保"], ["张三", A, "李四", B, "低保"], ["张三", A, "王五", C, "低保"],
        ]
    },
}  # fmt: skip


@pytest.mark.parametrize("sheets", LISTS.values(), ids=list(LISTS))
def test_whose_number_stands_anywhere_in_the_file_is_not_missing_from_the_list(tmp_path, sheets):
    """Whatever goes wrong in reading: who is somewhere in the file is not called absent; who is nowhere may be."""
    assert set(accused(tmp_path, None, sheets=sheets)) <= {"赵六"}


def test_three_names_beside_one_number(tmp_path):
    """The number is the head's and the names are three people: none of them is absent."""
    rows = [["户主姓名", "身份证号码", "保障对象姓名", "救助类别"], ["张三", A, "张三、李四、王五", "低保"]]
    assert set(accused(tmp_path, rows)) <= {"赵六"}


def test_a_text_that_stops_in_its_middle_proves_no_absence(tmp_path):
    """The last line has no end and too few fields: the rest of the list is somewhere else."""
    text = f"姓名,身份证号,参保状态,参保年度\n张三,{A},正常,2019\n李四,{B},正常,2019\n王五,{C[:9]}".encode("gb18030")
    assert accused(tmp_path, None, profile="medical_insurance", rule="CMP-YB1", text=text) == []
    source = table(tmp_path / "名单.csv", "medical_insurance")
    assert ("likely_cut", "4") in source.reports[0].problems()


DECLARANTS = {
    "two-level header": (
        [["申报人信息", None, "死者信息", None, None], ["姓名", "身份证号", "姓名", "身份证号", "死亡日期"],
         ["李四", B, "张三", A, date(2019, 3, 5)]], [(0, 0, 0, 1), (0, 2, 0, 4)],
    ),
    "one row": ([["申报人", "身份证号", "死者姓名", "身份证号", "死亡日期"], ["李四", B, "张三", A, date(2019, 3, 5)]], []),
}  # fmt: skip


@pytest.mark.parametrize(("rows", "merges"), DECLARANTS.values(), ids=list(DECLARANTS))
def test_whoever_reports_a_death_is_not_dead(tmp_path, rows, merges):
    """The declarant's columns stand before those of the dead."""
    write_xlsx(tmp_path / "死亡.xlsx", {"s": rows}, {"s": Look(merges=tuple(merges))})
    source = table(tmp_path / "死亡.xlsx", "deaths")
    assert source.rows.select("name_raw", "id_raw").rows() == [("张三", A)]


def test_whoever_was_stopped_is_not_covered(tmp_path):
    """停保年月 before the day of comparison: on the list, and no longer on dibao."""
    path = tmp_path / "名单.xlsx"
    write_xlsx(
        path,
        {
            "s": [
                ["姓名", "身份证号", "救助类别", "停保年月"],
                ["张三", A, "低保", "2019年3月"],
                ["李四", B, "低保", None],
            ]
        },
    )
    told = [[*row, "否"] for row in HOME]
    found = County(tmp_path).registered(*told, columns=["是否享受低保"]).file(path, "dibao").run().found("CMP-MZ2")
    assert found["name"].to_list() == ["李四"]


def test_the_same_file_twice_is_refused(tmp_path):
    """register.xlsx and register(1).xlsx: everybody would count twice."""
    for name in ("a.csv", "a(1).csv"):
        write_text(tmp_path / name, [["姓名", "身份证号"], ["张三", A]])
    with pytest.raises(BadDataError, match="have the same content"):
        from fupin_cli.ingest import read_source  # noqa: PLC0415

        read_source([(name, tmp_path / name) for name in ("a.csv", "a(1).csv")], profiles()["people"])


def test_a_register_of_which_nothing_can_be_used_is_an_error(tmp_path):
    """Household numbers that Excel cut: no run without a household ends well."""
    write_xlsx(tmp_path / "台账.xlsx", {"s": [["户编号", "姓名", "证件号码"], [9.90121001000001e15, "张三", A]]})
    write_xlsx(tmp_path / "低保.xlsx", {"s": [DIBAO, ["张三", A, "低保"]]})
    (tmp_path / "fupin.toml").write_text(
        '[project]\nname = "x"\nas_of = 2019-11-30\njurisdiction = "99"\n[register]\nfiles = ["台账.xlsx"]\n'
        '[[extract]]\nid = "d"\nprofile = "dibao"\nstage = "province"\nfiles = ["低保.xlsx"]\nas_of = 2019-11-30\n',
        encoding="utf-8",
    )
    done = fupin("run", tmp_path)
    assert done.returncode == 65
    assert "no row of the register can be used" in done.stderr
    assert "no_household 1" in done.stderr


def test_a_register_without_a_county_says_what_to_type(tmp_path):
    """Without it nobody knows whom a county's list covers; with county = in fupin.toml everything is judged."""
    write_xlsx(
        tmp_path / "台账.xlsx",
        {"s": [["户编号", "姓名", "证件号码", "与户主关系", "是否享受低保"], ["H1", "张三", A, "户主", "是"]]},
    )
    write_xlsx(tmp_path / "低保.xlsx", {"s": [DIBAO, ["李四", B, "低保"]]})
    toml = (
        '[project]\nname = "x"\nas_of = 2019-11-30\njurisdiction = "99"\n[register]\nfiles = ["台账.xlsx"]\n{}'
        '[[extract]]\nid = "d"\nprofile = "dibao"\nstage = "county"\ncoverage = ["青禾县"]\nfiles = ["低保.xlsx"]\nas_of = 2019-11-30\n'
    )
    for county, hits in (("", 0), ('county = "青禾县"\n', 1)):
        (tmp_path / "fupin.toml").write_text(toml.format(county), encoding="utf-8")
        done = fupin("run", tmp_path, "-o", tmp_path / "out")
        assert ("register without counties" in " ".join(done.stdout.split())) == (not county)
        found = pl.read_parquet(tmp_path / "out" / "findings.parquet").filter(pl.col("rule_id") == "CMP-MZ1")
        assert found.height == hits


def test_a_reader_that_has_enough_is_no_fault(tmp_path):
    """fupin inspect … | head: the pipe closes, and that is all."""
    write_xlsx(tmp_path / "a.xlsx", {f"s{n}": [DIBAO, ["张三", A, "低保"]] for n in range(40)})
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; '{FUPIN}' inspect '{tmp_path}/a.xlsx' | head -1"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "bug" not in done.stderr
