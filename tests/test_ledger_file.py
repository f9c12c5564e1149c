"""The ledger's file when something is wrong with it, and cases told from what lies in it: no case is lost or taken for another."""

import errno
import hashlib
import os
import re
import sqlite3
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from fupin_cli.cases import open_key, open_ledger
from fupin_cli.cases.answers import PROBLEMS
from fupin_cli.cases.figures import in_words, statistics, trend, warnings
from fupin_cli.cases.history import DETAIL_WORDS, KIND_WORDS, history, kind_words, state_words
from fupin_cli.cases.ledger import case_of_finding, check_ledger, detail, nearest_case, next_link
from fupin_cli.cases.schema import OPEN, STATES
from fupin_cli.cases.signoff import contradicts, faults, settled
from fupin_cli.errors import BadDataError, BusyError, DiskError, InputMissingError, NoPermissionError
from fupin_cli.report.checklist import ACTIONS, REASONS, VERDICTS
from fupin_cli.report.dispatch_book import COUNTY_REASONS
from fupin_cli.rules.pack import Limits, SignOff

ROUND = {
    "project": "p", "jurisdiction": "99", "stage": "county", "day": "2020-01-01", "people": "1.parquet",
    **dict.fromkeys(("found", "new", "continuing", "changed", "reopened", "cleared", "gone", "untold", "missed_before",
                     "cleared_before", "not_compared"), 0),
}  # fmt: skip


@pytest.fixture
def ledger(tmp_path):
    """An open ledger of three cases that nobody has asked about, without a round."""
    with open_ledger(tmp_path / "cases", make=True) as opened:
        numbers = ("C0000000000000001", "C0000000000000002", "C9999999999999999")
        cases = pl.DataFrame({"case_id": numbers}).with_columns(
            pl.lit("x").alias(name)
            for name in ("rule_id", "severity", "department", "title", "county", "township", "village", "household")
        )
        opened.add_cases(cases)
        yield opened


def book(ledger, run="r1", **said):
    """A round that finds all three."""
    number = ledger.add("rounds", {**ROUND, "run": run, "as_of": "2020-01-01", **said})
    ids = ledger.rows("SELECT case_id FROM cases ORDER BY 1")
    found = [{"kind": "found", "day": "2020-01-01", "round": number, "evidence": "e", **row} for row in ids]
    ledger.add_events(pl.DataFrame(found))
    return number


# --- its key ----------------------------------------------------------------------------------------------------------


def test_a_key_that_cannot_be_read_is_told_from_one_that_is_gone(tmp_path, monkeypatch):
    """Not a key, no right to read it, no room to write a new one: each has its words, and none makes a second key."""
    path = tmp_path / "ledger.key"
    path.write_text("not hex\n")
    with pytest.raises(BadDataError, match="not a ledger's key"):
        open_key(tmp_path, None)
    assert path.read_text() == "not hex\n"
    with monkeypatch.context() as locked:
        locked.setattr(Path, "read_text", lambda *_, **__: (_ for _ in ()).throw(PermissionError(errno.EACCES, "no")))
        with pytest.raises(NoPermissionError, match="may not be read"):
            open_key(tmp_path, None)
    path.unlink()
    (tmp_path / ".ledger.key.partial").mkdir()  # nothing can be written there
    with pytest.raises(DiskError, match="key cannot be written"):
        open_key(tmp_path, None)
    assert not path.exists()


# --- its file ---------------------------------------------------------------------------------------------------------


def test_a_file_that_is_no_ledger_is_refused_with_what_to_do(tmp_path):
    """Any other file under the ledger's name is left as it is."""
    (tmp_path / "ledger.db").write_bytes(b"no database at all, but long enough to be looked at " * 40)
    with pytest.raises(BadDataError, match="cannot be read") as caught, open_ledger(tmp_path):
        pass
    assert "fupin cases verify" in caught.value.try_


def test_a_folder_that_may_not_be_entered_is_told(tmp_path, monkeypatch):
    """No right to the folder is its own error, not a bug of ours."""
    monkeypatch.setattr(Path, "mkdir", lambda *_, **__: (_ for _ in ()).throw(PermissionError(errno.EACCES, "no")))
    with pytest.raises(NoPermissionError, match="may not be opened"), open_ledger(tmp_path / "cases", make=True):
        pass


def test_the_second_writer_is_told_of_the_first(ledger, monkeypatch):
    """Whoever writes while another writes hears that it is busy, and books nothing."""
    monkeypatch.setattr("fupin_cli.cases.ledger._WAIT_SECONDS", 0.01)
    with ledger.writing(), open_ledger(ledger.folder) as other:
        with pytest.raises(BusyError, match="another fupin"), other.writing():
            raise AssertionError("nobody may write here")
        assert not other.connection.in_transaction


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("database or disk is full", DiskError),
        ("disk I/O error", DiskError),
        ("attempt to write a readonly database", DiskError),
        ("database disk image is malformed", BadDataError),
        ("unable to open database file", DiskError),
        ("database is locked", BusyError),
        ("no such table: cases", BadDataError),
    ],
)
def test_what_sqlite_says_becomes_an_error_of_ours(ledger, text, kind):
    """Full, locked, damaged: the words of SQLite decide what somebody is told to do; the transaction is gone."""
    with pytest.raises(kind), ledger.writing():
        ledger.connection.execute("DELETE FROM files")
        raise sqlite3.OperationalError(text)
    assert not ledger.connection.in_transaction


def test_a_row_that_the_ledger_refuses_is_a_bug_and_not_a_bad_file(tmp_path):
    """A broken constraint is nothing that an office can mend: it goes up as it is."""
    with pytest.raises(sqlite3.IntegrityError), open_ledger(tmp_path, make=True) as opened:
        opened.connection.execute("INSERT INTO cases (case_id, rule_id, severity) VALUES ('C1', NULL, 'lead')")


def test_many_rows_leave_the_indexes_as_they_were(ledger, monkeypatch):
    """A large round builds indexes after its rows; the same indexes are there, and the same cases."""
    monkeypatch.setattr("fupin_cli.cases.ledger._MANY", 1)

    def indexes():
        return ledger.rows("SELECT name, sql FROM sqlite_master WHERE type = 'index' ORDER BY name")

    before = indexes()
    book(ledger)
    assert indexes() == before
    assert ledger.cases()["state"].to_list() == ["new"] * 3
    assert check_ledger(ledger) == []


def test_what_cases_show_lies_in_the_file_of_the_last_round(ledger):
    """Before the first round there is none; where the file is gone that is said, for the ledger holds no person itself."""
    assert ledger.people() is None
    assert case_of_finding(ledger, "0" * 16) is None
    book(ledger)
    with pytest.raises(InputMissingError, match="of what the cases show is gone"):
        ledger.people()


def test_a_row_that_names_nothing_is_found_by_the_check(ledger):
    """An event of a case that is not there: told, and no chain or replay is asked beside it."""
    book(ledger)
    ledger.connection.execute("PRAGMA foreign_keys = OFF")
    ledger.add_events(
        pl.DataFrame([{"case_id": "CX", "kind": "found", "day": "2020-01-02", "round": 1, "evidence": "e"}])
    )
    assert check_ledger(ledger)[0] == "a row of events names a row that is not there"


def test_rounds_of_an_older_program_have_no_chain_and_later_ones_do(ledger):
    """A round without a link may only stand before the first that has one: after that it was put there by somebody."""
    book(ledger, "r1")
    before = dict(ledger.rows("SELECT * FROM rounds")[0])
    book(ledger, "r2", **next_link(ledger, before, {**ROUND, "run": "r2", "as_of": "2020-01-01"}))
    assert check_ledger(ledger) == []
    book(ledger, "r3")
    assert check_ledger(ledger)[0] == "round 3 does not follow from the rounds and events before it"


def test_a_link_of_an_older_program_holds_the_run_the_link_before_and_what_happened_since(ledger):
    """By a sum of the test's own: each event stands in one link, the very first in the first; a run alone makes another one."""
    before, links = None, []
    for run in ("r1", "r2"):
        since = ledger.last_event()
        book(ledger, run)
        events = ledger.rows("SELECT * FROM events WHERE seq > ? ORDER BY seq", (since,))
        text = f"{links[-1] if links else ''}\n{run}\n{''.join(repr(tuple(row.values())) for row in events)}"
        before = next_link(ledger, before, {"run": run, "holds": 1})
        links.append(before["chain"])
        assert links[-1] == hashlib.sha256(text.encode()).hexdigest()
    assert next_link(ledger, None, {"run": "r1", "holds": 1}, 3) == {"chain": links[0], "chained_until": 3, "holds": 1}
    assert next_link(ledger, None, {"run": "r9", "holds": 1}, 3)["chain"] != links[0]


def test_a_link_holds_what_the_round_says_and_what_its_cases_are_about(ledger):
    """Each figure of the round, the cases that were found since the link before, and no others."""
    said = {**ROUND, "run": "r1", "as_of": "2020-01-01"}
    first = next_link(ledger, None, said)
    book(ledger, "r1", **first)
    links = {next_link(ledger, first, said | {name: "other"})["chain"] for name in said}
    assert len(links) == len(said)
    assert next_link(ledger, first, said)["chain"] not in links
    second = next_link(ledger, first, said)
    ledger.connection.execute("DROP TRIGGER cases_stay_what_they_are_about")
    ledger.connection.execute("UPDATE cases SET village = 'y' WHERE case_id = 'C0000000000000001'")
    assert next_link(ledger, first, said)["chain"] != second["chain"]
    ledger.add("batches", {"batch": 1, "day": "2020-01-02", "due": "2020-02-01", "chain": "[]", "manifest": "m"})
    sent = {"case_id": "C0000000000000001", "kind": "dispatched", "day": "2020-01-02", "batch": 1}
    ledger.add_events(pl.DataFrame([sent]))
    third = next_link(ledger, second, said)
    ledger.connection.execute("UPDATE batches SET chain = '{}'")
    assert next_link(ledger, second, said)["chain"] != third["chain"]
    assert next_link(ledger, None, said, 0)["chain"] == first["chain"]  # before anything was found


def test_a_finding_is_known_by_its_number_however_it_is_typed(ledger, monkeypatch):
    """Capitals and blanks come with copying; a number that two cases have means neither."""
    people = pl.DataFrame({"finding_key": ["00ab" * 4, "00cd" * 4, "00cd" * 4], "case_id": ["C1", "C2", "C3"]})
    monkeypatch.setattr(type(ledger), "people", lambda _: people)
    assert [case_of_finding(ledger, key) for key in ("00ab" * 4, " 00AB00ab00Ab00aB ")] == ["C1", "C1"]
    assert [case_of_finding(ledger, key) for key in ("00cd" * 4, "00ef" * 4, "C0000000000000001")] == [None] * 3


# --- cases told from it -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("C9999999999999998", "C9999999999999999"),
        ("C0000000000000003", None),  # as near to one as to the other
        ("CAAAAAAAAAAAAAAAA", None),
    ],
)
def test_a_number_with_a_slip_means_the_only_case_that_is_near(ledger, typed, meant):
    """One case nearly so spelled is meant; of two nobody can say which."""
    book(ledger)
    assert nearest_case(ledger, typed) == meant


def test_every_event_and_state_has_its_words(ledger):
    """What happened is told in Chinese; what no word is known for stays as it is."""
    book(ledger)
    event = {"case_id": "C0000000000000001", "kind": "reopened", "day": "2020-01-03"}
    ledger.add_events(pl.DataFrame([{**event, "detail": detail(why="county", stage="county", by="甲")}]))
    told = history(ledger, "C0000000000000001")
    assert told["kind"].to_list() == ["found", "reopened"]
    assert told["what"].to_list() == ["", "比对环节：县级比对（录入前）；原因：县级；签字或经办：甲"]
    assert told.select(kind_words("kind"))["kind"].to_list() == [KIND_WORDS["found"], KIND_WORDS["reopened"]]
    assert (state_words("exempt"), state_words("nonsense")) == ("豁免", "nonsense")


def test_a_ledger_without_rounds_has_an_empty_trend(ledger):
    """No round is a table without rows, with all of its columns."""
    told = trend(ledger)
    assert told.rows.height == 0
    assert told.rows.columns == [name for name, _, _ in told.columns]
    assert in_words(told).height == 0


def test_rounds_say_their_stage_in_words(ledger):
    """As the documents call it; a table without stages is shown as it is."""
    for stage in ("county", "province"):
        book(ledger, run=stage, stage=stage)
    told = trend(ledger)
    assert in_words(told)["stage"].to_list() == ["县级比对（录入前）", "省级比对（录入后）"]
    assert in_words(replace(told, rows=told.rows.drop("stage"))).columns == told.rows.drop("stage").columns


def test_a_new_ledger_is_its_owners_alone(tmp_path):
    """Whatever the shell lets others read."""
    before = os.umask(0o022)
    try:
        with open_ledger(tmp_path / "cases", make=True):
            pass
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "cases").iterdir()}
    assert modes == dict.fromkeys(modes, 0o600)
    assert (tmp_path / "cases").stat().st_mode & 0o777 == 0o700


def test_what_an_event_tells_is_short_and_can_be_read():
    """In one order, in the letters that were typed; what is not said takes no room."""
    assert detail(why="county", by=None, verdict="属实") == '{"verdict": "属实", "why": "county"}'
    assert detail() == "{}"


# --- what tables are called -------------------------------------------------------------------------------------------


def test_every_column_of_a_table_has_a_name_in_both_languages(ledger):
    """Code, Chinese, English; rows have these columns, and no two are called alike."""
    book(ledger)
    tables = [
        *statistics(ledger, date(2020, 1, 2), Limits()),
        trend(ledger),
        *warnings(ledger, date(2020, 1, 2), Limits()),
    ]
    for table in tables:
        codes, chinese, english = zip(*table.columns, strict=True)
        assert sorted(table.rows.columns) == sorted(codes), table.name
        assert all(re.search("[\u4e00-\u9fff]", name) for name in chinese), table.name
        assert all(re.fullmatch("[ -~]+", name) for name in english), table.name
        assert len(set(chinese)) == len(set(english)) == len(codes), table.name


def test_every_word_of_ours_has_both_languages():
    """What an event tells, how a case stands, what is wrong with a row, what keeps a case open, what a form offers."""
    for words in (DETAIL_WORDS, STATES, PROBLEMS):
        for chinese, english in words.values():
            assert re.search("[\u4e00-\u9fff]", chinese), chinese
            assert re.search("[a-z]", english), chinese
    assert set(OPEN) == set(STATES) - {"closed", "cleared", "exempt"}


@pytest.mark.parametrize("english", [False, True])
def test_what_a_form_offers_is_told_in_the_language_spoken(ledger, english):
    """Each choice, the county's own among them; what somebody wrote otherwise stays."""
    offered = {"verdict": VERDICTS, "reason": (*REASONS, *COUNTY_REASONS), "action": ACTIONS}
    said = [(name, choice) for name, choices in offered.items() for choice in choices]
    case = {"case_id": "C0000000000000001", "kind": "answered", "day": "2020-01-03"}
    ledger.add_events(pl.DataFrame([{**case, "detail": detail(**{name: choice})} for name, choice in said]))
    told = history(ledger, case["case_id"], english=english)["what"].to_list()
    assert len(told) == len(said)
    for words, (_, choice) in zip(told, said, strict=True):
        assert re.fullmatch("[ -~]+: [ -~]+", words) if english else words.endswith(f"：{choice}")


# --- may it be closed -------------------------------------------------------------------------------------------------


def chain(**more):
    said = {"title": "签", "steps": ("村", "乡"), "ordered": True, "material_for": ("属实",), "documents": ("照片",)}
    return SignOff(**{**said, "enabled": True, "citation": None, **more})


def signed(*told):
    return [dict(zip(("step", "by", "on"), one, strict=True)) for one in told]


VILLAGE, TOWN = ("村", "甲", "2020-01-01"), ("乡", "乙", "2020-01-02")
CLOSING = [
    # verdict | action | material | signatures                      || what still keeps it open
    ("属实", "已修改", "照片", (VILLAGE, TOWN), []),
    ("属实", "已修改", "照片", (VILLAGE,), ["缺乡签字"]),
    ("属实", "已修改", "照片", (), ["缺村签字", "缺乡签字"]),
    ("属实", "已修改", None, (VILLAGE, TOWN), ["缺照片", "缺佐证材料"]),
    ("不属实", None, None, (VILLAGE, TOWN), ["缺照片"]),
    ("不属实", "已修改", "照片", (VILLAGE, TOWN), ["“是否属实”与“处理意见”矛盾"]),
    ("属实", "已修改", "照片", (VILLAGE, ("乡", "乙", "2019-12-31")), ["签字未逐级（日期倒序）"]),
    ("属实", "已修改", "照片", (VILLAGE, ("乡", " 甲", "2020-01-02")), ["一人签了多个环节"]),
    ("属实", "已修改", "照片", (VILLAGE, ("乡", "乙", "")), []),
]


@pytest.mark.parametrize(("verdict", "action", "material", "signatures", "lacking"), CLOSING)
def test_what_keeps_an_answer_open(verdict, action, material, signatures, lacking):
    """Everybody of the chain has signed, in order, each for themselves, and what must lie beside the answer does."""
    case = {"verdict": verdict, "action": action, "material": material}
    assert settled(chain(), case, signed(*signatures), []) == lacking
    if material is None and verdict == "属实":
        assert settled(chain(), case, signed(*signatures), ["照片"]) == []


def test_a_chain_asks_only_what_it_says():
    """Days out of order and one hand twice stand where the chain allows it; the first signature of a step counts."""
    twice = signed(("村", "甲", "2020-01-02"), ("乡", "甲", "2020-01-01"))
    assert faults(chain(ordered=False, same_signer=True), twice) == []
    assert faults(chain(), signed(VILLAGE, TOWN, ("村", "丙", "2020-02-01"))) == []
    assert contradicts("不属实", "拟修改")
    assert not contradicts("属实", "已修改")
