"""What is wrong in a TOML file that somebody wrote is said in their words, with the line, the column and what to type next."""

import re

import pytest

from conftest import fupin
from fupin_cli.errors import ConfigurationError
from fupin_cli.toml_text import read_toml

FAULTS = [  # a file, the place, what is wrong, how it is mended
    ("a = 1\na = 2\n", "2:6", "this key or table is there already", "leave one of the two"),
    ("[x]\n[x]\n", "2:3", "this key or table is there already", "leave one of the two"),
    ("a = {x=1, x=2}\n", "1:14", "this key or table is there already", "leave one of the two"),
    ('a = "b\n', "1:7", "a text has no closing quote", "the same quote at both ends"),
    ('b = 1\na = "b', "2:7", "a text has no closing quote", "the same quote at both ends"),
    ("a = 'b\n", "1:7", "a text has no closing quote", "the same quote at both ends"),
    ('a = ["x", "y"\nb = 2\n', "2:1", "a bracket is not closed", "close it"),
    ("a = [1,\n", "1:8", "a bracket is not closed", "close it"),
    ("a = {x = 1\n", "1:11", "a bracket is not closed", "close it"),
    ('a = ["x" "y"]\n', "1:10", "or a comma is missing", "close it"),
    ("[[extract]\n", "1:10", "a bracket is not closed", "close it"),
    ("name = 试点\n", "1:8", "a text without quotes", 'name = "试点"'),
    ("files = [台账.xlsx]\n", "1:10", "a text without quotes", '["台账.xlsx"]'),
    ("income = 3元\n", "1:11", "a text without quotes", 'income = "3元"'),
    ("mask_ids = True\n", "1:12", "true and false are written small", "mask_ids = true"),
    ('姓名 = "a"\n', "1:1", "a Chinese key without quotes", '"姓名" = …'),
    ("as_of = 2019-11-31\n", "1:9", "no date of the calendar", "as_of = 2019-11-30"),
    ("as_of = 2019-13-40\n", "1:13", "no date of the calendar", "as_of = 2019-11-30"),
    ("as_of = 2019年11月30日\n", "1:13", "no date of the calendar", "as_of = 2019-11-30"),
    ("name = “试点”\n", "1:8", "the full-width sign “", 'write " instead'),
    ('a = ["x"，"y"]\n', "1:9", "the full-width sign ，", "write , instead"),
    ('a = "C:\\data"\n', "1:10", "a backslash", "write / instead"),
    ("a = \n", "1:5", "nothing stands behind the =", 'key = "text"'),
    ('a "x"\n', "1:3", "no = behind the key", 'key = "text"'),
]


@pytest.mark.parametrize(("text", "place", "fault", "remedy"), FAULTS)
def test_a_fault_is_named_with_its_place_and_its_remedy(tmp_path, text, place, fault, remedy):
    """File, line and column; the fault; the line as it stands, with tomllib's own words; what is written instead, and the check."""
    path = tmp_path / "rules" / "x.toml"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        read_toml(path)
    what, why, try_ = str(caught.value).splitlines()
    assert what.startswith(f"{path}:{place}: not readable as TOML: ")
    assert fault in what
    assert text.splitlines()[int(place.split(":")[0]) - 1].strip() in why
    assert re.search(r"\([A-Z].*\)$", why)  # tomllib's
    assert remedy in try_
    assert try_.endswith(f"; then fupin rules check --project {tmp_path}")


def test_an_address_with_a_password_is_not_repeated(tmp_path):
    """The line of a database's address is not shown."""
    path = tmp_path / "fupin.toml"
    path.write_text('source = "postgresql://u:geheim@h/d\n', encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        read_toml(path)
    assert "geheim" not in str(caught.value)
    assert f"then fupin run {tmp_path}" in str(caught.value)


def test_a_project_a_pack_and_a_profile_are_told_in_chinese(small):
    """The same words wherever the file is read, in the reader's language."""
    whole = (small / "fupin.toml").read_text(encoding="utf-8")
    (small / "fupin.toml").write_text(whole.replace('name = "试"', "name = 试"), encoding="utf-8")
    said = fupin("run", small, FUPIN_LANG="zh").stderr
    assert f"{small / 'fupin.toml'}:3:8" in said
    assert "文字没有加引号" in said
    assert 'name = "试"，引号用半角；再运行：fupin run' in said
    (small / "rules" / "sources").mkdir(parents=True)
    own = small / "rules" / "sources" / "own.toml"
    own.write_text('profile = "own"\nprofile = "own"\n', encoding="utf-8")
    said = fupin("rules", "check", "--project", small, FUPIN_LANG="zh").stderr
    assert f"{own}:2:" in said
    assert "已经写过" in said
    assert f"fupin rules check --project {small}" in said
