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
    ("[register]", "[regster]", "unknown key 'regster'"),
    ('name = "试点"', "name = 试点", "not readable as TOML"),
]


@pytest.mark.parametrize(("old", "new", "words"), REFUSED, ids=[r[2] for r in REFUSED])
def test_what_cannot_be_is_refused_in_words(folder, old, new, words):
    """A drawn table: what is changed, what the error says."""
    with pytest.raises(ConfigurationError, match=words) as caught:
        load(folder, GOOD.replace(old, new, 1))
    assert "fupin.toml" in str(caught.value)
    assert caught.value.exit_code == 78


def test_missing_files_and_folders(folder, tmp_path):
    """Code 66, and the pattern that matched nothing."""
    with pytest.raises(InputMissingError, match="no file matches 不存在.csv"):
        load(folder, GOOD.replace("低保.csv", "不存在.csv"))
    with pytest.raises(InputMissingError, match="no project file"):
        load_project(tmp_path / "nowhere")
