"""A folder of photos and papers as rows: what names say, what they do not, and what becomes of odd files."""

import json

import polars as pl
import pytest

from conftest import fupin
from fupin_cli.errors import ConfigurationError, InputMissingError
from fupin_cli.ingest import declare_files, list_files
from fupin_cli.ingest.file_list import COPY, EMPTY, NO_HOUSEHOLD, STRANGE_HOUSEHOLD, UNPLACED
from office_files import write_xlsx
from test_intake import LI, ZHANG

PHOTOS = ("房前", "灶前", "主卧", "厅堂")
HOMES = pl.DataFrame({"household_id": ["6101240001", "6101240002", "6101240003"], "id_number": [ZHANG, LI, None]})
NAMES = ["{户编号}/{资料名称}", "{证件号码}_{资料名称}_{拍摄日期}", "*{证件号码}_{资料名称}"]


def put(folder, path, content=None):
    """A file of this path; its bytes are its own unless they are given."""
    place = folder / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(f"photo {path}".encode() if content is None else content)


def listed(folder, documents=PHOTOS):
    """Path → (household, paper, day, what is wrong) of every file."""
    cells = list_files(declare_files("照片", folder, NAMES, "fupin.toml"), documents, HOMES).cells()
    return {file: (home, paper, day, fault) for home, paper, day, file, fault in cells.rows()}


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("柳村/6101240001/房前.jpg", ("6101240001", "房前", None, None)),
        ("6101240001/房前照片(2).JPG", ("6101240001", "房前", None, None)),
        ("6101240001/1 主卧室_03.png", ("6101240001", "主卧", None, None)),
        (f"{LI}-厅堂-20171102.jpg", ("6101240002", "厅堂", "20171102", None)),
        (f"李四{LI}灶前.jpeg", ("6101240002", "灶前", None, None)),
        ("6101240001/卧室.jpg", ("6101240001", None, None, UNPLACED)),
        ("6101240001/房前和灶前.jpg", ("6101240001", None, None, UNPLACED)),
        ("6109999999/房前.jpg", (None, None, None, STRANGE_HOUSEHOLD)),
        ("IMG_2031.jpg", (None, None, None, NO_HOUSEHOLD)),
        ("张三家/房前.jpg", (None, None, None, STRANGE_HOUSEHOLD)),
    ],
)
def test_what_a_name_says(tmp_path, path, said):
    """Folders and separators of many kinds; two papers in one name, or none, are no paper."""
    put(tmp_path, path)
    (found,) = listed(tmp_path).values()
    assert found == (said if "张三家" not in path else (*said[:3], NO_HOUSEHOLD))


def test_an_empty_file_and_copies_show_nothing(tmp_path):
    """One photo for two places or two households shows neither; the same file twice shows it once."""
    home = "6101240001"
    put(tmp_path, f"{home}/房前.jpg", b"")
    put(tmp_path, f"{home}/灶前.jpg", b"one")
    put(tmp_path, f"{home}/主卧.jpg", b"one")
    put(tmp_path, f"{home}/厅堂.jpg", b"two")
    put(tmp_path, f"{home}/厅堂(2).jpg", b"two")
    put(tmp_path, "6101240003/厅堂.jpg", b"six")
    found = {path: (paper, fault) for path, (_, paper, _, fault) in listed(tmp_path).items()}
    assert found == {
        f"{home}/房前.jpg": (None, EMPTY),
        f"{home}/主卧.jpg": (None, f"{COPY}：{home}/灶前.jpg"),
        f"{home}/灶前.jpg": (None, f"{COPY}：{home}/主卧.jpg"),
        f"{home}/厅堂(2).jpg": ("厅堂", None),
        f"{home}/厅堂.jpg": (None, f"{COPY}：{home}/厅堂(2).jpg"),
        "6101240003/厅堂.jpg": ("厅堂", None),
    }


def test_what_systems_leave_behind_is_no_file(tmp_path):
    """Hidden files, Thumbs.db and lock files are not listed; papers that no rule asks for are taken as they are called."""
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", "~$房前.jpg", ".hidden/房前.jpg", "6101240001/承诺书.pdf"):
        put(tmp_path, name)
    assert listed(tmp_path, ()) == {"6101240001/承诺书.pdf": ("6101240001", "承诺书", None, None)}


@pytest.mark.parametrize("pattern", ["{户编码}/{资料名称}", "{资料名称}", "{户编号}{户编号}", "照片"])
def test_patterns_that_cannot_be(tmp_path, pattern):
    """An unknown part, no household, one part twice, none at all."""
    with pytest.raises(ConfigurationError, match="cannot be understood"):
        declare_files("照片", tmp_path, [pattern], "fupin.toml")
    with pytest.raises(ConfigurationError, match="never guessed"):
        declare_files("照片", tmp_path, [], "fupin.toml")
    with pytest.raises(InputMissingError):
        declare_files("照片", tmp_path / "nowhere", ["{户编号}"], "fupin.toml")


HEADER = ["户编号", "姓名", "证件号码", "县", "行政村", "与户主关系", "脱贫属性", "脱贫年度"]
TOML = """
[project]
name = "试"
as_of = 2019-11-30
jurisdiction = "610124"
[register]
files = ["台账.xlsx"]
[[extract]]
id = "photos"
profile = "household_documents"
stage = "county"
coverage = ["周至县"]
as_of = 2019-11-30
folder = "照片"
names = ["{户编号}/{资料名称}"]
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A run in Shaanxi: five households, their photos in a folder, and some stray ones; the folder and what was said."""
    folder = tmp_path_factory.mktemp("shaanxi")
    people = [("6101240001", "张三丰", ZHANG), ("6101240002", "李四光", LI)]
    people += [(f"610124000{n}", f"王{n}麻子", "") for n in (3, 4, 5)]
    rows = [[home, name, number, "周至县", "柳村", "户主", "已脱贫", "2019"] for home, name, number in people]
    write_xlsx(folder / "台账.xlsx", {"s": [HEADER, *rows]})
    photos = folder / "照片"
    for home, names in (
        ("6101240001", PHOTOS), ("6101240002", PHOTOS[:3]), ("6101240003", ("房前", "灶前", "主卧", "客厅")), ("6101240005", PHOTOS),
    ):  # fmt: skip
        for name in names:
            put(photos, f"柳村/{home}/{name}.jpg")
    put(photos, "柳村/6101240005/房前.jpg", b"")
    put(photos, "王五麻子家/房前.jpg")
    (folder / "fupin.toml").write_text(TOML, encoding="utf-8")
    done = fupin("run", folder, "-o", folder / "run", COLUMNS="200")
    assert done.returncode == 0, done.stderr
    return folder / "run", done.stdout + done.stderr


def test_four_photos_from_a_folder(told):
    """All four: met; one absent: not met, and which; one that nobody can place, or empty: unknown; no folder at all: not met."""
    run, _ = told
    outcomes = pl.read_parquet(run / "outcomes.parquet").filter(pl.col("rule_id") == "SN-D1").sort("household_id")
    assert outcomes["outcome"].to_list() == ["met", "not_met", "unknown", "not_met", "unknown"]
    assert "厅堂" in outcomes["reason"][1]
    assert outcomes["reason"][2] == "缺少：厅堂（部门数据该项空着、看不懂或不可能）"
    assert outcomes["reason"][4] == "缺少：房前（部门数据该项空着、看不懂或不可能）"


def test_a_folder_of_photos_says_nothing_of_signatures(told):
    """Nobody lacks a signature because a photo is no signature: those rules did not run, and say what is missing."""
    run, _ = told
    digest = json.loads((run / "digest.json").read_text(encoding="utf-8"))
    rules = {rule["rule_id"]: rule for rule in digest["rules"]}
    assert rules["SN-D2"]["not_run"] == "户档案资料数据中没有贫困户、村支书、第一书记、乡镇干部"
    assert rules["SN-D2"]["hits"] == 0


def test_odd_files_are_findings_and_go_back(told):
    """An empty file and an unknown place are findings with the file; what is of no household is set aside."""
    run, _ = told
    found = pl.read_parquet(run / "findings.parquet").filter(pl.col("rule_id").str.starts_with("DOC")).sort("rule_id")
    assert found.select("rule_id", "household_id").rows() == [("DOC-F1", "6101240005"), ("DOC-F2", "6101240003")]
    assert found["department_value"][0] == "文件：柳村/6101240005/房前.jpg；文件问题：空文件"
    assert found["extract_source"].to_list() == ["照片", "照片"]
    aside = pl.read_parquet(run / "set_aside.parquet").filter(pl.col("source") == "照片")
    assert aside["set_aside_reason"].to_list() == ["unnamed_file"]
    assert "王五麻子家/房前.jpg" in aside["cells"][0].to_list()
    assert list((run / "workbooks" / "退回更正").glob("周至县乡村振兴*"))


def test_no_file_name_reaches_the_terminal(told):
    """Paths may hold names: neither the run nor an explanation shows one, unless asked to."""
    run, said = told
    assert ".jpg" not in said
    for words in (["explain", "6101240005"], ["rules", "explain", "6101240005"]):
        masked, full = (fupin(*words, "--run", run, *more, FUPIN_LANG="zh").stdout for more in ([], ["--unmask"]))
        assert ".jpg" not in masked
        assert "柳村/6101240005/房前.jpg" in full
        assert "照片，第" in masked


def test_the_list_is_an_input(told):
    """The manifest holds a hash of the list; an explanation tells each photo's row."""
    run, _ = told
    assert "photos 照片" in json.loads((run / "manifest.json").read_text(encoding="utf-8"))["inputs"]
    trace = fupin("rules", "explain", "6101240002", "--pack", "shaanxi", "--run", run).stdout
    assert "厅堂: none among the household's rows: 3" in trace
    assert trace.index("\nSN-D1") < trace.index("\nSN-H1"), "what is not met stands before what nobody knows"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ('folder = "照片"', 'names = ["{户编号}/{资料名称}"]'),
        ('folder = "照片"\nfiles = ["台账.xlsx"]', "files and folder: both are there"),
        ('files = ["台账.xlsx"]\nnames = ["{户编号}"]', "how the files of a folder are named"),
        ('folder = "图片"\nnames = ["{户编号}"]', "no folder 图片"),
    ],
)
def test_a_folder_declared_wrongly(tmp_path, wrong, said):
    """Each mistake in fupin.toml is named, with what to type."""
    write_xlsx(tmp_path / "台账.xlsx", {"s": [HEADER]})
    put(tmp_path / "照片", "1/房前.jpg")
    text = TOML.replace('folder = "照片"\nnames = ["{户编号}/{资料名称}"]', wrong)
    (tmp_path / "fupin.toml").write_text(text, encoding="utf-8")
    done = fupin("run", tmp_path)
    assert done.returncode in (66, 78)
    assert said in done.stderr
    assert "try:" in done.stderr
