"""fupin sample, end to end: drawn from the sample data, filled in as auditors do, sent back through other programs, estimated."""

import io
import json
import random
import shutil
import stat
import subprocess
import time
from pathlib import Path

import msoffcrypto
import polars as pl
import pytest
from openpyxl import load_workbook

from audit_world import fill, rows_of, shuffle, village_sheets
from conftest import FUPIN, ROOT, SAMPLE, fupin, fupin_process
from fupin_cli.rundir import sha256
from loop_world import OFFICE, resave

LIST = SAMPLE / "audit" / "未建档立卡农户名单.xlsx"
SEED = 20191201


@pytest.fixture(scope="module")
def drawn(demo, tmp_path_factory) -> Path:
    """The county plan drawn from the sample's run, with households outside the register."""
    folder = tmp_path_factory.mktemp("audit") / "sample"
    done = fupin("sample", "draw", "county", demo, "-o", folder, "--seed", SEED, "--list", LIST, "--on", "2019-12-01")
    assert done.returncode == 0, done.stderr
    return folder


def books(folder: Path) -> list[Path]:
    return sorted((folder / "workbooks").glob("*.xlsx"))


@pytest.fixture(scope="module")
def small_draw(demo, tmp_path_factory) -> tuple:
    """A sample of one county's villages, which is quick to draw, and the words that draw it."""
    home = tmp_path_factory.mktemp("small")
    plan = (ROOT / "rules" / "sampling" / "county.toml").read_text(encoding="utf-8")
    (home / "小样.toml").write_text(plan.replace("take = 5\nmethod", "take = 1\nmethod"), encoding="utf-8")
    return home / "calm", ("sample", "draw", home / "小样.toml", demo, "--seed", SEED, "--on", "2019-12-01")


def test_a_group_opens_its_workbook_with_its_own_password(small_draw, tmp_path):
    """Every group has one or nothing is drawn; the books are closed on disk, and come back closed."""
    _, words = small_draw
    passwords = tmp_path / "passwords.toml"
    passwords.write_text('"第1组" = "jia-7"\n', encoding="utf-8")
    passwords.chmod(0o600)
    refused = fupin(*words, "-o", tmp_path / "sample", "--passwords", passwords)
    assert refused.returncode == 2
    assert "第2组" in refused.stderr
    assert not (tmp_path / "sample").exists()
    passwords.write_text('"第1组" = "jia-7"\n"第2组" = "yi-9"\n', encoding="utf-8")
    assert fupin(*words, "-o", tmp_path / "sample", "--passwords", passwords).returncode == 0
    files = books(tmp_path / "sample")
    assert len(files) == 2
    for path, password in zip(files, ("jia-7", "yi-9"), strict=True):
        with path.open("rb") as stream:
            closed = msoffcrypto.OfficeFile(stream)
            assert closed.is_encrypted()
            closed.load_key(password=password)
            closed.decrypt(opened := io.BytesIO())
        assert load_workbook(opened).sheetnames
    told = fupin("sample", "estimate", "--sample", tmp_path / "sample", *files, "--passwords", passwords, "--json")
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["unreadable"] == 0
    assert "jia-7" not in (tmp_path / "sample" / "manifest.json").read_text(encoding="utf-8")


def whole(folder: Path) -> dict[str, str]:
    """Every file of a sample folder with its hash."""
    return {path.relative_to(folder).as_posix(): sha256(path) for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("times", [2, pytest.param(100, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])])
def test_killed_while_drawing(small_draw, tmp_path, times):
    """kill -9 at any moment leaves a whole sample or none; drawn again it is the one that an undisturbed draw gives."""
    calm, words = small_draw
    start = time.perf_counter()
    assert fupin_process(*words, "-o", calm).returncode == 0
    wanted, rnd, span = whole(calm), random.Random(6), time.perf_counter() - start
    for _ in range(times):
        child = subprocess.Popen([FUPIN, *map(str, words), "-o", tmp_path / "torn"], stdout=subprocess.DEVNULL)
        time.sleep(rnd.uniform(0.5, 1.0) * span)
        child.kill()
        child.wait()
        assert not (tmp_path / "torn").exists() or whole(tmp_path / "torn") == wanted
        assert fupin(*words, "-o", tmp_path / "torn").returncode == 0
        assert whole(tmp_path / "torn") == wanted
        assert not list(tmp_path.glob(".torn.p*"))
        shutil.rmtree(tmp_path / "torn")


def truth(number: str, header: str) -> str | None:
    """What every household says: one in ten wrongly exited, nobody missed, nineteen of twenty approve; a few are not at home."""
    luck = random.Random(number)
    if luck.random() < 0.05:
        return None
    return {
        "家庭基本情况": "现住3人，务工为主",
        "是否符合退出标准": "不符合" if luck.random() < 0.1 else "符合",
        "是否漏评": "否",
        "是否认可": "认可" if luck.random() < 0.95 else "不认可",
    }.get(header)


def estimated(folder: Path, *files: Path, output: Path | None = None) -> dict:
    told = fupin("sample", "estimate", "--sample", folder, *files, "--json", *(["-o", output] if output else []))
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)


def test_the_whole_way_there_and_back(drawn, tmp_path):
    """Every group's workbook filled in; one sorted, the others saved by LibreOffice where it is: the rates are those of the answers, weighted."""
    said, files = {}, []
    for n, path in enumerate(books(drawn)):
        target = tmp_path / "back" / path.name
        said |= fill(path, target, truth)
        if n == 0:
            shuffle(target, random.Random(1))
        files.append(target if n == 0 or not OFFICE else resave(target, "xlsx", tmp_path / "office"))
    told = estimated(drawn, *files, output=tmp_path / "估计.xlsx")
    rates = {(e["id"], e["place"]): e for e in told["estimates"]}
    sample = pl.read_parquet(drawn / "sample.parquet")
    own = sample.filter(pl.col("stratum") == "脱贫户").with_columns(
        says=pl.Series(
            [said.get(n, {}).get("是否符合退出标准") for n in sample.filter(pl.col("stratum") == "脱贫户")["sample_id"]]
        )
    )
    whole = rates["wrong_exit_rate", "全部"]
    assert whole["drawn"] == own.height
    assert whole["answered"] == own["says"].is_not_null().sum()
    assert whole["counted"] == (own["says"] == "不符合").sum()
    assert whole["low"] < whole["value"] < whole["high"]
    assert rates["missed_rate", "全部"]["value"] == 0
    assert rates["missed_rate", "全部"]["high"] > 0.01, "nobody of a hundred is not nobody at all"
    assert told["counts"]["改动的内容"] == told["counts"]["未采用的答案"] == told["counts"]["答复矛盾"] == 0
    assert told["counts"]["未反馈"] == sample.height - len(said)
    assert stat.S_IMODE((tmp_path / "估计.xlsx").stat().st_mode) == 0o600
    book = load_workbook(tmp_path / "估计.xlsx")
    assert [cell.value for cell in book["估计结果"][4]][:2] == ["错退率", "全部"]
    assert book["答复明细"].max_row == 3 + len(said)


def test_troubles_are_told_and_nobody_is_named(drawn, tmp_path, demo):
    """A damaged number, a second copy that disagrees, a strange word, a broken file: each is told; no name on the terminal."""
    path = books(drawn)[0]
    first, second = tmp_path / "甲.xlsx", tmp_path / "乙.xlsx"
    fill(path, first, truth)
    shutil.copyfile(first, second)
    book = load_workbook(second)
    sheet, heads = next(village_sheets(book))
    rows = list(rows_of(sheet, heads).values())
    cell = next(c for row in rows if (c := sheet.cell(row, heads["是否认可"])).value == "认可")
    cell.value = "不认可"
    other = next(c for row in reversed(rows) if (c := sheet.cell(row, heads["是否认可"])).value and c is not cell)
    other.value = "还可以"
    sheet.cell(rows[0], heads["户主姓名"]).value = "某某"
    book.save(second)
    broken = tmp_path / "坏.xlsx"
    broken.write_bytes(b"PK\x03\x04 nothing")
    done = fupin("sample", "estimate", "--sample", drawn, first, second, broken, "-o", tmp_path / "估计.xlsx")
    assert done.returncode == 3
    assert "坏.xlsx" in done.stderr
    assert "答复矛盾 1" in done.stdout
    assert "未采用的答案 1" in done.stdout
    assert "改动的内容 1" in done.stdout
    names = set(pl.read_parquet(drawn / "sample.parquet")["head_name"].drop_nulls())
    assert not [name for name in names if name in done.stdout + done.stderr]
    assert not [name for name in names if any(name in p.name for p in drawn.rglob("*"))]


def test_the_same_seed_draws_the_same_files(drawn, demo, tmp_path):
    """Byte for byte, workbooks too; what is about people is its owner's alone."""
    again = tmp_path / "again"
    fupin("sample", "draw", "county", demo, "-o", again, "--seed", SEED, "--list", LIST, "--on", "2019-12-01")
    files = {p.relative_to(drawn).as_posix(): sha256(p) for p in drawn.rglob("*") if p.is_file()}
    assert {p.relative_to(again).as_posix(): sha256(p) for p in again.rglob("*") if p.is_file()} == files
    assert {stat.S_IMODE(p.stat().st_mode) for p in drawn.rglob("*") if p.is_file()} == {0o600}


def test_a_seed_is_drawn_and_kept(demo, tmp_path):
    """Without --seed: what was drawn can be drawn again with the seed that the manifest holds."""
    first = json.loads(
        fupin("sample", "draw", "county", demo, "-o", tmp_path / "a", "--json", "--on", "2019-12-01").stdout
    )
    manifest = json.loads((tmp_path / "a" / "manifest.json").read_text(encoding="utf-8"))
    assert first["seed"] == manifest["seed"]
    second = fupin(
        "sample", "draw", "county", demo, "-o", tmp_path / "b", "--json", "--seed", first["seed"], "--on", "2019-12-01"
    )
    assert json.loads(second.stdout)["frame_sha256"] == manifest["frame_sha256"]
    assert sha256(tmp_path / "a" / "sample.parquet") == sha256(tmp_path / "b" / "sample.parquet")


def test_a_sample_that_may_be_out_is_not_drawn_over(demo, tmp_path):
    """The same one may be drawn again; another one, or one over a run's results, is refused and changes nothing."""
    words = ("sample", "draw", "county", demo, "-o", tmp_path / "audit")
    assert fupin(*words, "--seed", 1).returncode == 0
    before = sha256(tmp_path / "audit" / "sample.parquet")
    assert fupin(*words, "--seed", 1).returncode == 0
    for other in (("--seed", 2), (), ("--seed", 1, "--list", LIST)):
        refused = fupin(*words, *other)
        assert refused.returncode == 73
        assert "another sample lies here" in refused.stderr
        assert "--seed 1 draws this one again" in refused.stderr
    assert sha256(tmp_path / "audit" / "sample.parquet") == before
    shutil.copytree(demo, tmp_path / "run")
    assert "the results of a run lies here" in fupin(*words[:-1], tmp_path / "run").stderr


def test_a_project_and_its_run_are_one_frame(demo, tmp_path):
    """Drawn before the run or after it: the same households."""
    project = fupin("sample", "draw", "county", SAMPLE, "-o", tmp_path / "a", "--seed", 1, "--json")
    run = fupin("sample", "draw", "county", demo, "-o", tmp_path / "b", "--seed", 1, "--json")
    assert json.loads(project.stdout)["frame_sha256"] == json.loads(run.stdout)["frame_sha256"]


def test_workbooks_are_fit_for_the_door(drawn):
    """A4 across, header on each page, locked but for the answers, lists where answers are counted, a line to sign on."""
    book = load_workbook(books(drawn)[0])
    assert book.sheetnames[0] == "填表说明"
    for sheet, heads in village_sheets(book):
        assert (sheet.page_setup.paperSize, sheet.page_setup.orientation) == (
            "9",
            "landscape",
        ) or sheet.page_setup.paperSize == 9
        assert sheet.print_title_rows == "$4:$5"
        assert sheet.protection.sheet
        lists = {str(rule.sqref).split(":")[0] for rule in sheet.data_validations.dataValidation}
        assert len(lists) == 3
        for row in rows_of(sheet, heads).values():
            assert sheet.cell(row, heads["户主姓名"]).protection.locked
            assert sheet.cell(row, heads["样本编号"]).protection.locked
            stratum, asked = sheet.cell(row, heads["抽样类别"]).value, sheet.cell(row, heads["是否漏评"])
            assert asked.protection.locked == (stratum != "未建档立卡农户")
            assert not sheet.cell(row, heads["是否认可"]).protection.locked
        assert any("签字" in str(cell.value) for cell in sheet[sheet.max_row])


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["draw", "countty", "DEMO", "-o", "x"], 2, "fupin sample draw county"),
        (["draw", "jiangsu", "DEMO", "-o", "x"], 2, "--villages FILE"),
        (["draw", "county", "nowhere", "-o", "x"], 66, "fupin run PROJECT"),
        (["draw", "county", "DEMO", "-o", "x", "--list", "nowhere.xlsx"], 66, "no such list"),
        (["estimate", "--sample", "DEMO", "BOOK"], 66, "fupin sample draw wrote it"),
        (["estimate", "--sample", "DRAWN", "nowhere.xlsx"], 66, "no such file"),
    ],
)
def test_bad_use_says_what_to_type(words, code, told, demo, drawn, tmp_path):
    """Each error names the next step, and writes nothing."""
    names = {"DEMO": demo, "DRAWN": drawn, "BOOK": books(drawn)[0], "x": tmp_path / "x"}
    done = fupin("sample", *(names.get(word, word) for word in words))
    assert done.returncode == code
    assert told in done.stderr
    assert not (tmp_path / "x").exists()


def test_a_sample_that_was_touched_is_refused(drawn, tmp_path):
    """Nobody adds a household to what was drawn."""
    copy = tmp_path / "sample"
    shutil.copytree(drawn, copy)
    rows = pl.read_parquet(copy / "sample.parquet")
    rows.head(rows.height - 1).write_parquet(copy / "sample.parquet")
    done = fupin("sample", "estimate", "--sample", copy, books(copy)[0])
    assert done.returncode == 65
    assert "not as it was drawn" in done.stderr


def test_plans_are_listed():
    """With their documents."""
    told = json.loads(fupin("sample", "plans", "--json").stdout)
    assert [plan["plan"] for plan in told] == ["county", "jiangsu", "jilin"]


def test_plans_are_shown_with_what_they_are_cited_from():
    """Each plan by its id; as JSON with its levels and rates."""
    shown = fupin("sample", "plans")
    assert shown.returncode == 0
    told = json.loads(fupin("sample", "plans", "--json").stdout)
    assert all(plan["plan"] in shown.stdout for plan in told)
    assert shown.stdout.count("cited:") == len(told)
