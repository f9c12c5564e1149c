"""What was read is not parsed again; what changed is; nothing of it lies about for others to read."""

import os
import stat
import time
from pathlib import Path

import polars as pl
import pytest

from conftest import fupin
from fupin_cli.ingest import Ask, Store, load_profiles, read_source
from fupin_cli.ingest import accounts as accounts_module
from office_files import write_encrypted, write_xlsx

PROFILES = load_profiles([Path(__file__).parents[1] / "rules" / "sources"])
ID_1, ID_2 = "990121198001011234", "990121197502022345"
ROWS = [["姓名", "身份证号", "性别", "联系电话"], ["张三", ID_1, "1", ""], ["李四", ID_2, "3", ""], ["合计", "2"]]


@pytest.fixture
def parsed(monkeypatch):
    """The names of the files that were really opened."""
    seen = []
    real = accounts_module.read_received

    def watched(file, ask):
        seen.append(file.name)
        return real(file, ask)

    monkeypatch.setattr(accounts_module, "read_received", watched)
    return seen


def read(path, store, profile="people", **how):
    return read_source([(path.name, path)], PROFILES[profile], store=store, **how)


def same(one, other):
    return (
        one.rows.equals(other.rows)
        and one.set_aside.equals(other.set_aside)
        and one.accounts.equals(other.accounts)
        and one.reports == other.reports
    )


def test_an_unchanged_file_is_not_parsed_twice(tmp_path, parsed):
    """The second reading comes from the store and is the first one, to the last count; doubt about codes included."""
    path = tmp_path / "a.xlsx"
    write_xlsx(path, {"s": ROWS})
    without = read(path, None)
    first = read(path, Store(tmp_path / "store"))
    count = len(parsed)
    second = read(path, Store(tmp_path / "store"))
    assert len(parsed) == count
    assert same(first, second)
    assert same(first, without)
    assert first.reports[0].counted("undeclared_codes") == {"sex": 2}


CHANGES = ("content", "profile", "sheets", "name")


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_decides_how_a_file_is_read_is_part_of_its_key(tmp_path, parsed, change):
    """Another content, profile, choice of sheets or name is read anew."""
    path = tmp_path / "a.xlsx"
    write_xlsx(path, {"s": ROWS})
    store = Store(tmp_path / "store")
    read(path, store)
    parsed.clear()
    if change == "content":
        write_xlsx(path, {"s": [*ROWS, ["王五", ID_1]]})
        assert read(path, store).rows.height == 3
    elif change == "profile":
        read(path, store, "deaths")
    elif change == "sheets":
        read(path, store, sheets=["s"])
    else:
        read(path.rename(tmp_path / "b.xlsx"), store)
    assert parsed


def test_the_store_is_its_owners_alone(tmp_path):
    """Rows are personal data: files 0600 in folders 0700, whatever the umask of the shell."""
    path = tmp_path / "a.xlsx"
    write_xlsx(path, {"s": ROWS})
    before = os.umask(0)
    try:
        read(path, Store(tmp_path / "store"))
    finally:
        os.umask(before)
    entries = list((tmp_path / "store").rglob("*"))
    assert {stat.S_IMODE(e.stat().st_mode) for e in entries if e.is_file()} == {0o600}
    assert {stat.S_IMODE(e.stat().st_mode) for e in entries if e.is_dir()} == {0o700}
    assert not [e for e in entries if "partial" in e.name]


def test_what_was_under_a_password_is_not_kept(tmp_path, parsed):
    """It would lie there without one."""
    path = tmp_path / "a.xlsx"
    write_encrypted(path, {"s": ROWS}, "123")
    for _ in range(2):
        parsed.clear()
        read(path, Store(tmp_path / "store"), ask=Ask(answer=lambda _: "123"))
        assert parsed
        assert not list((tmp_path / "store").iterdir())


def test_a_damaged_entry_is_read_anew(tmp_path, parsed):
    """A file that is gone, an index that is cut: the store is a help and never a source."""
    path = tmp_path / "a.xlsx"
    write_xlsx(path, {"s": ROWS})
    first = read(path, Store(tmp_path / "store"))
    for victim in ("parts.json", "000000.parquet"):
        for entry in (tmp_path / "store").glob(f"*/{victim}"):
            entry.unlink()
        parsed.clear()
        assert same(read(path, Store(tmp_path / "store")), first)
        assert parsed


def test_a_store_that_cannot_be_written_is_no_obstacle(tmp_path):
    """Read-only disks and a file in its place: the source is read all the same."""
    path = tmp_path / "a.xlsx"
    write_xlsx(path, {"s": ROWS})
    (tmp_path / "store").write_text("a file", encoding="utf-8")
    assert read(path, Store(tmp_path / "store")).rows.height == 2


def test_a_large_file_stays_in_the_stores_files(tmp_path, monkeypatch):
    """Rows of a delimited file come in parts; absent columns are not written, and come back with their dtypes."""
    monkeypatch.setattr("fupin_cli.ingest.delimited._PIECE", 200)
    lines = "".join(f"张{n},{ID_1},东村{n}组\n" for n in range(60))
    (tmp_path / "a.csv").write_text(f"姓名,身份证号,住址\n{lines}", encoding="gb18030")
    source = read(tmp_path / "a.csv", Store(tmp_path / "store"))
    parts = list((tmp_path / "store").rglob("*.parquet"))
    assert len(parts) > 3
    assert "sex" not in pl.read_parquet(parts[0]).columns
    assert same(source, read(tmp_path / "a.csv", None))
    assert source.rows["data_row"].to_list() == list(range(60))


def test_pruning_by_age_and_by_the_command(tmp_path):
    """What was not used for so many days goes, and unfinished entries of a day ago; fupin cache says how much there is."""
    path = tmp_path / "a.xlsx"
    write_xlsx(path, {"s": ROWS})
    folder = tmp_path / ".fupin" / "cache"
    store = Store(folder)
    read(path, store)
    (folder / ".partial-x").mkdir()
    old = time.time() - 40 * 86_400
    assert store.prune(30) == (0, 0)
    for entry in folder.iterdir():
        os.utime(entry, (old, old))
    said = fupin("cache", tmp_path)
    assert "2 entries" in said.stdout.replace("3 entries", "2 entries")
    done = fupin("cache", tmp_path, "--prune", "--days", "30")
    assert done.returncode == 0
    assert not list(folder.iterdir())
    assert "0 entries" in done.stdout
