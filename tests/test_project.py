"""fupin.toml: what it may say, and the words in which it is refused."""

import datetime as dt

import pytest

from fupin_cli.errors import ConfigurationError, InputMissingError
from fupin_cli.project import load_project, shipped_rules

GOOD = """
[project]
name = "试点"
as_of = 2019-11-30
jurisdiction = "99"

[register]
files = ["register/*.csv"]

[[extract]]
id = "dibao"
profile = "dibao"
stage = "county"
files = ["低保.csv"]
coverage = ["青禾县"]
as_of = 2019-11-10

[[extract]]
id = "vehicles"
profile = "vehicles"
stage = "province"
files = ["车辆.csv"]
as_of = 2019-11-20
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "register").mkdir()
    for name in ("register/b.csv", "register/a.csv", "低保.csv", "车辆.csv"):
        (tmp_path / name).write_text("姓名\n", encoding="utf-8")
    return tmp_path


def load(folder, text):
    (folder / "fupin.toml").write_text(text, encoding="utf-8")
    return load_project(folder)


def test_a_project_is_read_resolved_and_frozen(folder):
    """Globs in order, names as people see them, stages in the order in which rounds happen."""
    project = load(folder, GOOD)
    assert [name for name, _ in project.register.files] == ["register/a.csv", "register/b.csv"]
    assert project.stages == ("county", "province")
    assert project.extracts[0].coverage == ("青禾县",)
    assert project.as_of == dt.date(2019, 11, 30)
    assert project.rules_folders == (shipped_rules(),)
    assert project.linkage_model.name == "default.toml"


def test_the_projects_own_rules_come_last_and_so_win(folder):
    """A rules folder beside fupin.toml overrides the shipped one."""
    (folder / "rules").mkdir()
    assert load(folder, GOOD).rules_folders == (shipped_rules(), folder / "rules")


REFUSED = [
    ("as_of = 2019-11-30\njuris", "juris", "needs as_of = a date"),
    ('jurisdiction = "99"', 'jurisdicton = "99"', "unknown key 'jurisdicton'"),
    ('stage = "county"', 'stage = "village"', "no such stage 'village'"),
    ('coverage = ["青禾县"]', "", "needs coverage"),
    ('id = "vehicles"', 'id = "dibao"', "two sources are called 'dibao'"),
    ("as_of = 2019-11-20", "", "needs as_of = a date"),
    ("[register]", "[regster]", r"unknown key 'regster' in the file[\s\S]*try: \[register\]"),
    ("[[extract]]", "[[extracts]]", r"unknown key 'extracts' in the file[\s\S]*try: \[\[extract\]\]"),
    ("[register]", '[register]\nnames = "x"', r"unknown key 'names' in \[register\][\s\S]*one of: .*files"),
    ("[register]", '[register]\nzzz = "x"', r"unknown key 'zzz' in \[register\][\s\S]*one of: .*as_of.*table"),
    ('profile = "dibao"', 'profil = "dibao"', r"unknown key 'profil' in \[\[extract\]\][\s\S]*try: profile = "),
    ("[register]", "[rules]\npack = []\n[register]", r"unknown key 'pack' in \[rules\][\s\S]*try: packs = "),
    ('coverage = ["青禾县"]', 'coverage = "全县"', r'coverage is a list of counties[\s\S]*coverage = \["某某县"\]$'),
    ('stage = "province"', 'stage = "province"\ncoverage = "全县"', r'\["某某县"\]; or leave the line out'),
    ('name = "试点"', "name = 试点", "not readable as TOML"),
    ('[[extract]]\nid = "vehicles"', '[[extract]]\nid = "vehicles"\nsheets = "名单"', "sheets is a list of texts"),
    ('files = ["车辆.csv"]', "", "vehicles needs either files = .* or source = [\\s\\S]*neither"),
    (
        'files = ["车辆.csv"]',
        'files = ["车辆.csv"]\nsource = "postgresql://h/d"',
        "either files = .* or source = [\\s\\S]*both",
    ),
    ('files = ["车辆.csv"]', 'source = "postgresql://h/d"', "needs query = .* or table = [\\s\\S]*neither"),
    (
        'files = ["车辆.csv"]',
        'source = "postgresql://h/d"\ntable = "t"\nquery = "SELECT 1"',
        "needs query = [\\s\\S]*both",
    ),
    (
        'files = ["车辆.csv"]',
        'source = "postgresql://h/d"\nquery = "DELETE FROM t"',
        r"vehicles: query is not a single SELECT",
    ),
    ('files = ["车辆.csv"]', 'source = "mysql://h/d"\ntable = "t"', "vehicles: source is not an address"),
    ('files = ["车辆.csv"]', 'source = "postgresql://h/d"\ntable = "t"\nsheets = ["a"]', "sheets belongs to files"),
    ('files = ["车辆.csv"]', 'files = ["车辆.csv"]\ntable = "t"', "table is asked of a database"),
    (
        'files = ["车辆.csv"]',
        'files = ["车辆.csv"]\npassword_env = "S3cret!"',
        "password_env is the name of an environment",
    ),
    (
        'files = ["车辆.csv"]',
        'folder = "照片"\nnames = ["{户编号}/{资料名称}"]\nsheets = ["a"]',
        "sheets belongs to files, not to a folder of photos",
    ),
    ('id = "vehicles"', "id = 7", 'needs id = "…"'),
    (
        'jurisdiction = "99"',
        'jurisdiction = "99"\nline_series = "mine"',
        r"line_series = .mine. means nothing[\s\S]*one of",
    ),
    (
        'jurisdiction = "99"',
        'jurisdiction = "99"\nmask_ids = "yes"',
        r"mask_ids is true or false[\s\S]*mask_ids = true",
    ),
    ('jurisdiction = "99"', 'jurisdiction = "99"\n[rules]\nlinkage = "ours"', "no linkage model 'ours' under"),
    ("[register]", '[places.prefecture]\n"甲" = "乙"\n[register]', "unknown key 'prefecture'"),
    ("[register]", '[places]\ncounty = "甲"\n[register]', "county is a section"),
    ("[register]", '[places.county]\n"甲" = 1\n[register]', "'甲' needs its new name"),
    ("[register]", '[places.county]\n"甲" = "甲"\n[register]', "'甲' is renamed to itself"),
    ("[register]", '[places.village]\n"甲" = "乙"\n"乙" = "丙"\n[register]', "'甲' becomes '乙', which is an old name"),
]


@pytest.mark.parametrize(("old", "new", "words"), REFUSED, ids=[r[2] for r in REFUSED])
def test_what_cannot_be_is_refused_in_words(folder, old, new, words):
    """A drawn table: what is changed, what the error says."""
    assert old in GOOD
    with pytest.raises(ConfigurationError, match=words) as caught:
        load(folder, GOOD.replace(old, new, 1))
    assert "fupin.toml" in str(caught.value)
    assert "S3cret" not in str(caught.value)
    assert caught.value.exit_code == 78


def test_a_list_where_a_section_belongs(folder):
    """[[extract]] has two brackets, sections have names and keys."""
    with pytest.raises(ConfigurationError, match="with two brackets"):
        load(folder, GOOD[: GOOD.index("[[extract]]")] + "[extract]\n")
    with pytest.raises(ConfigurationError, match="rules is a section"):
        load(folder, 'rules = "here"\n' + GOOD)


def test_missing_files_and_folders(folder, tmp_path):
    """Code 66, and the pattern that matched nothing."""
    with pytest.raises(InputMissingError, match="no file matches 不存在.csv"):
        load(folder, GOOD.replace("低保.csv", "不存在.csv"))
    with pytest.raises(InputMissingError, match=r"nowhere: no such folder"):
        load_project(tmp_path / "nowhere")
    with pytest.raises(InputMissingError, match=r"regsiter: no such folder[\s\S]*did you mean: .*register"):
        load_project(tmp_path / "regsiter" / "fupin.toml")
    with pytest.raises(InputMissingError, match="no project file"):
        load_project(tmp_path / "register")


RECEIVED = [
    # path | read, where its folder is named
    ("收到/a镇/名单.xlsx", True),
    ("收到/a镇/名单.zip", True),  # whatever may hold a table is opened, so that none is passed over
    ("收到/a镇/名单.et", True),
    ("收到/a镇/没有后缀", True),
    ("收到/b镇/深/更深/名单.CSV", True),
    ("收到/a镇/~$名单.xlsx", False),
    ("收到/a镇/.名单.xlsx", False),
    ("收到/.隐藏/名单.xlsx", False),
    ("收到/a镇/说明.PDF", False),
    ("收到/a镇/照片.jpg", False),
    ("收到/a镇/Thumbs.db", False),
    ("runs/旧/findings.parquet", False),
    ("rules/checks/own.toml", False),
    ("rules/notes.txt", False),
]


@pytest.fixture
def received(folder):
    for path, _ in RECEIVED:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("姓名\n", encoding="utf-8")
    return folder


def names(folder, files):
    return [name for name, _ in load(folder, GOOD.replace('["register/*.csv"]', files)).register.files]


PATTERNS = [
    # files | what is read
    ('["收到"]', sorted(path for path, read in RECEIVED if read)),
    ('["收到/*镇"]', sorted(path for path, read in RECEIVED if read)),
    (
        '["."]',
        sorted(
            [*(path for path, read in RECEIVED if read), "register/a.csv", "register/b.csv", "低保.csv", "车辆.csv"]
        ),
    ),
    (
        '["*"]',
        sorted(
            [*(path for path, read in RECEIVED if read), "register/a.csv", "register/b.csv", "低保.csv", "车辆.csv"]
        ),
    ),
    ('["收到/a镇/*.xlsx"]', ["收到/a镇/名单.xlsx"]),
    ('["收到/**/*.CSV"]', ["收到/b镇/深/更深/名单.CSV"]),
    ('["register/b.csv", "register", "register/*.csv"]', ["register/b.csv", "register/a.csv"]),
    ('["收到/a镇/说明.PDF"]', ["收到/a镇/说明.PDF"]),  # named outright: reading it says what is wrong
]


@pytest.mark.parametrize(("files", "read"), PATTERNS, ids=[p[0] for p in PATTERNS])
def test_a_folder_means_every_table_below_it(received, files, read):
    """A drawn table. Each file once, in order; nothing hidden, no lock file, nothing of our own."""
    assert names(received, files) == read


def test_absolute_patterns_and_two_ways_to_one_file(received):
    """A link to a file is that file."""
    (received / "link.csv").symlink_to(received / "register" / "a.csv")
    assert names(received, f'["{received}/register/*.csv", "link.csv"]') == ["register/a.csv", "register/b.csv"]


def test_an_empty_folder_is_said(received):
    """A township that sent nothing is no township without people; nor is `runs` a source."""
    (received / "收到" / "c镇").mkdir()
    for files in ('["收到/c镇"]', '["收到/*镇"]'):
        with pytest.raises(InputMissingError, match="no table in the folder .*c镇"):
            names(received, files)
    for files in ('["runs"]', '["runs/*"]', '["收到/a镇/*.jpg"]'):
        with pytest.raises(InputMissingError, match="no file matches|no table in the folder"):
            names(received, files)


def test_a_database_sheets_and_a_password_as_source(folder):
    """What a source may say besides files; the defaults are all sheets and FUPIN_PASSWORD."""
    project = load(
        folder,
        GOOD.replace(
            'files = ["register/*.csv"]', 'source = "postgresql://u:${PW}@db.example:1/fupin"\nquery = "SELECT 1"'
        ).replace(
            'files = ["低保.csv"]', 'files = ["低保.csv"]\nsheets = ["*镇", "名单"]\npassword_env = "MZ_PASSWORD"'
        ),
    )
    register, (dibao, vehicles) = project.register, project.extracts
    assert register.files == ()
    assert (register.database.name, register.database.sheet) == ("postgresql://db.example/fupin", "query")
    assert register.database.folder == folder
    assert dibao.database is None
    assert (dibao.sheets, dibao.password_env) == (("*镇", "名单"), "MZ_PASSWORD")
    assert (vehicles.sheets, vehicles.password_env) == ((), "FUPIN_PASSWORD")


def test_places_that_were_renamed(folder):
    """Old name and new name of each level, in the order in which they are written."""
    places = '[places.township]\n"东乡" = "东镇"\n"西乡" = "东镇"\n[places.county]\n"青县" = "青禾县"\n'
    assert load(folder, GOOD + places).places == (
        ("township", "东乡", "东镇"),
        ("township", "西乡", "东镇"),
        ("county", "青县", "青禾县"),
    )
    assert load(folder, GOOD).places == ()
