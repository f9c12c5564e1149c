"""Bad input: a clear error with file, sheet and row, the right exit code, no traceback, earlier results untouched."""

import shutil

import pytest

from conftest import fupin
from fupin_cli.rundir import sha256

DIBAO = "county/青禾县/青禾县民政局_农村低保发放明细_201910.xlsx"
HOUSING = "county/青禾县/青禾县住建局_农房鉴定台账.csv"


def empty(project):
    (project / DIBAO).write_bytes(b"")


def cut(project):
    path = project / DIBAO
    path.write_bytes(path.read_bytes()[:-4000])


def garbage(project):
    (project / DIBAO).write_bytes(bytes(range(256)) * 40)


def lost_column(project):
    text = (project / HOUSING).read_bytes().decode("gb18030")
    (project / HOUSING).write_bytes(
        text.replace("户主姓名", "某甲", 1).replace("户主身份证号", "某乙", 1).encode("gb18030")
    )


def no_header(project):
    (project / HOUSING).write_text("一,二\n三,四\n", encoding="utf-8")


def absent(project):
    (project / HOUSING).unlink()


def unknown_department(project):
    replace(project, 'profile = "housing_appraisals"', 'profile = "housing_apraisals"')


def wrong_kind(project):
    replace(project, 'profile = "dibao"', 'profile = "vehicles"')


def coverage_that_reaches_nobody(project):
    replace(project, 'coverage = ["青禾县"]', 'coverage = ["青木县"]')


def stray_quote(project):
    text = (project / HOUSING).read_bytes().decode("gb18030").splitlines()
    text[40] = '"' + text[40]
    text[60] = text[60].replace(",", ',"', 1).replace(",", '",', 2).replace('",', ",", 1)
    (project / HOUSING).write_bytes("\n".join(text).encode("gb18030"))


def bad_date(project):
    replace(project, "as_of = 2019-11-30\njurisdiction", "as_of = 2019-13-30\njurisdiction")


def broken_pack(project):
    (project / "rules" / "checks").mkdir(parents=True)
    (project / "rules" / "checks" / "mine.toml").write_text(
        '[pack]\nid = "mine"\ntitle = "我的"\ntitle_en = "mine"\njurisdiction = "00"\nregime = "any"\n[defaults]\non_unknown = "unknown"\n'
        '[[rule]]\nid = "X-1"\ntitle = "x"\ntitle_en = "x"\nkind = "check"\nlevel = "person"\nseverity = "lead"\n'
        'hit = "helth = \'残疾\'"\nadvice = "疑点"\n[rule.citation]\ntitle = "t"\nprovenance = "V"\n',
        encoding="utf-8",
    )


def replace(project, old, new):
    path = project / "fupin.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


CASES = [
    (empty, 65, ["青禾县民政局_农村低保发放明细_201910.xlsx", "empty"]),
    (cut, 65, ["青禾县民政局_农村低保发放明细_201910.xlsx", "try:"]),
    (garbage, 65, ["青禾县民政局_农村低保发放明细_201910.xlsx", "try:"]),
    (lost_column, 65, ["青禾县住建局_农房鉴定台账.csv", "try: fupin inspect"]),
    (no_header, 65, ["青禾县住建局_农房鉴定台账.csv", "no header row", "try: fupin inspect"]),
    (absent, 66, ["fupin.toml", "no file matches", "青禾县住建局_农房鉴定台账.csv"]),
    (unknown_department, 78, ["housing_apraisals", "one of:", "housing_appraisals"]),
    (wrong_kind, 78, ["has no column of vehicles", 'profile = "dibao"']),
    (coverage_that_reaches_nobody, 78, ["青木县", "青禾县"]),
    (stray_quote, 65, ["青禾县住建局_农房鉴定台账.csv", "row 41", "quotation mark"]),
    (bad_date, 78, ["fupin.toml", "not readable as TOML"]),
    (broken_pack, 78, ["mine.toml", "X-1", "helth", "health"]),
]


@pytest.mark.parametrize(("damage", "code", "words"), CASES, ids=[case[0].__name__ for case in CASES])
def test_bad_input_is_explained_and_harms_nothing(sample, demo, tmp_path, damage, code, words):
    """A drawn table: what is broken, the exit code, the words that must be there."""
    target = tmp_path / "results"
    shutil.copytree(demo, target)
    before = {path: sha256(path) for path in target.rglob("*") if path.is_file()}
    damage(sample)
    done = fupin("run", sample, "-o", target)
    assert done.returncode == code, done.stderr
    for word in words:
        assert word in done.stderr
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert {path: sha256(path) for path in target.rglob("*") if path.is_file()} == before


def test_an_output_place_that_cannot_be(small, tmp_path):
    """A file where the run directory should be: 73, and what to type."""
    (tmp_path / "file").write_text("x", encoding="utf-8")
    done = fupin("run", small, "-o", tmp_path / "file")
    assert done.returncode == 73
    assert "-o" in done.stderr
    done = fupin("run", small, "-o", tmp_path / "file" / "deeper")
    assert done.returncode == 73
    assert "Traceback" not in done.stderr


def test_words_typed_wrong(sample):
    """Usage errors are 2: an unknown stage, option or command."""
    assert fupin("run", sample, "--stage", "village").returncode == 2
    assert fupin("run", sample, "--fast").returncode == 2
    assert fupin("runn").returncode == 2
    assert fupin("run", sample / "nowhere").returncode == 66
