"""The ledger: what a round changes, that events are only added, and that a case is what its events say."""

import os
import random
import sqlite3
from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import examples
from fupin_cli.cases import LedgerKey, open_key, open_ledger
from fupin_cli.cases.keys import read_case_id
from fupin_cli.cases.ledger import check_ledger, detail, replayed
from fupin_cli.cases.schema import MIGRATIONS
from fupin_cli.casework import book_round, dispatch, exempt
from fupin_cli.errors import BadDataError, InputMissingError
from loop_world import RULES, World

VH, RE = "CMP-VH1", "CMP-RE1"


def states(folder) -> dict[str, int]:
    with open_ledger(folder) as ledger:
        assert check_ledger(ledger) == []
        return dict(ledger.cases().group_by("state").len().rows())


def only_case(folder) -> dict:
    with open_ledger(folder) as ledger:
        return ledger.cases().row(0, named=True)


@pytest.fixture
def months(tmp_path):
    """A function that books a month of one person and one rule: 1 is evidence 1, None clear, "?" unknown."""
    world, folder = World(people=1), tmp_path / "cases"

    def month(said, **options):
        number = len(list(tmp_path.glob("r*")))
        world.said = {(0, VH): said}
        world.gone = {0} if said == "gone" else set()
        run = world.run(tmp_path / f"r{number}", date(2020, 1 + number, 28), **options)
        return book_round(folder, run, date(2020, 1 + number, 28)).figures

    month.folder = folder
    return month


# --- what a round changes ---------------------------------------------------------------------------------------------


def test_a_case_goes_on_while_it_is_found(months):
    """New once, continuing after that, whatever the row order."""
    assert months(1)["new"] == 1
    figures = months(1, shuffle=7)
    assert (figures["new"], figures["continuing"]) == (0, 1)


@pytest.mark.parametrize(
    ("said", "state", "figure"), [(None, "cleared", "cleared"), ("?", "new", "untold"), (2, "new", "changed")]
)
def test_only_a_clear_outcome_clears(months, said, state, figure):
    """clear → cleared; unknown → the case stays; another record → the same case with new evidence."""
    months(1)
    assert months(said)[figure] == 1
    assert states(months.folder) == {state: 1}


def test_a_case_that_comes_back_is_the_same_case(months):
    """Cleared, then found again: reopened under its old number."""
    months(1)
    number = only_case(months.folder)["case_id"]
    months(None)
    assert months(1)["reopened"] == 1
    assert only_case(months.folder)["case_id"] == number
    assert states(months.folder) == {"reopened": 1}


def test_whoever_left_the_register_takes_the_case_along(tmp_path):
    """A household that is gone from a village that the register still holds is gone; a village that is not there says nothing."""
    world, folder = World(people=8), tmp_path / "cases"
    world.said = {(0, VH): 1, (1, VH): 1}
    book_round(folder, world.run(tmp_path / "a", date(2020, 1, 1)), date(2020, 1, 1))
    world.gone = {0, 1, 5}  # 5 is of the same village as 1, and the last there
    world.people = 9  # 8 is of the village of 0
    figures = book_round(folder, world.run(tmp_path / "b", date(2020, 2, 1)), date(2020, 2, 1)).figures
    assert (figures["gone"], figures["untold"]) == (1, 1)


def test_a_county_round_does_not_clear_what_the_province_found(tmp_path):
    """Less evidence than the round that found a case cannot clear it."""
    world, folder = World(people=4, said={(0, VH): 1}), tmp_path / "cases"
    both = ("county", "province")
    assert (
        book_round(folder, world.run(tmp_path / "a", date(2020, 1, 1), stages=both), date(2020, 1, 2)).figures[
            "missed_before"
        ]
        == 1
    )
    world.said = {}
    assert book_round(folder, world.run(tmp_path / "b", date(2020, 2, 1)), date(2020, 2, 2)).figures["untold"] == 1
    assert (
        book_round(folder, world.run(tmp_path / "c", date(2020, 3, 1), stages=both), date(2020, 3, 2)).figures[
            "cleared"
        ]
        == 1
    )


def test_the_same_run_twice_is_one_round(tmp_path):
    """Booking a run again changes nothing, and an older run is refused."""
    world, folder = World(said={(0, VH): 1}), tmp_path / "cases"
    run = world.run(tmp_path / "a", date(2020, 2, 1))
    assert not book_round(folder, run, date(2020, 2, 1)).was_known
    assert book_round(folder, run, date(2020, 2, 9)).was_known
    with pytest.raises(BadDataError, match="has seen 2020-02-01"):
        book_round(folder, world.run(tmp_path / "b", date(2020, 1, 1)), date(2020, 2, 9))


def test_an_exemption_holds_until_its_day_and_for_its_evidence(months):
    """Exempt cases are not asked; new evidence or the day after brings them back."""
    months(1)
    number = only_case(months.folder)["case_id"]
    exempt(
        months.folder,
        [number],
        date(2020, 1, 29),
        reason="营运车辆",
        document="县办〔2020〕1号",
        until=date(2020, 3, 1),
    )
    months(1)
    assert states(months.folder) == {"exempt": 1}
    assert dispatch(months.folder, date(2020, 2, 1), date(2020, 2, 2)).books == ()
    months(2)
    assert states(months.folder) == {"reopened": 1}
    months(1)  # 28 April: the first evidence again, and the day is over
    assert states(months.folder) == {"reopened": 1}


# --- its file ---------------------------------------------------------------------------------------------------------


def test_nobody_stands_in_the_database(tmp_path):
    """Neither name nor number of anybody is in ledger.db; the key and everything else are their owner's alone."""
    folder = tmp_path / "cases"
    os.umask(0)
    book_round(folder, World(said={(0, VH): 1}).run(tmp_path / "a", date(2020, 1, 1)), date(2020, 1, 1))
    raw = b"".join(path.read_bytes() for path in folder.glob("ledger.db*"))
    for text in ("赵甲一", "990121196001010", "9901000000000000", "9902000000000000"):
        assert text.encode() not in raw
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in folder.rglob("*") if path.is_file()}
    assert set(modes.values()) == {"0o600"}, modes


def test_events_are_only_added(tmp_path):
    """UPDATE and DELETE are refused by the file itself."""
    folder = tmp_path / "cases"
    book_round(folder, World(said={(0, VH): 1}).run(tmp_path / "a", date(2020, 1, 1)), date(2020, 1, 1))
    with sqlite3.connect(folder / "ledger.db") as raw:
        for statement in ("UPDATE events SET day = '2000-01-01'", "DELETE FROM events", "DELETE FROM cases"):
            with pytest.raises(sqlite3.IntegrityError):
                raw.execute(statement)


def test_another_key_is_refused(tmp_path):
    """Without its key no case would be known again, so the ledger does not open."""
    folder = tmp_path / "cases"
    book_round(folder, World(said={(0, VH): 1}).run(tmp_path / "a", date(2020, 1, 1)), date(2020, 1, 1))
    (folder / "ledger.key").write_text("00" * 32)
    with pytest.raises(BadDataError, match="another ledger's key"), open_ledger(folder):
        pass
    (folder / "ledger.key").unlink()
    with pytest.raises(BadDataError, match="is missing"), open_ledger(folder):
        pass


def test_a_newer_ledger_is_left_alone(tmp_path):
    """A ledger of a later version is refused untouched; none at all is told apart from it."""
    folder = tmp_path / "cases"
    with pytest.raises(InputMissingError), open_ledger(folder):
        pass
    with open_ledger(folder, make=True) as ledger:
        ledger.connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    with pytest.raises(BadDataError, match="newer"), open_ledger(folder):
        pass


def test_numbers_tell_nothing_without_the_key(tmp_path):
    """Two keys give unrelated numbers; one key gives unrelated ones for each purpose; a number survives how people type it."""
    one, other = LedgerKey(b"1" * 32), LedgerKey(b"2" * 32)
    number = one.case_ids(["x"])[0]
    assert other.case_ids(["x"])[0] != number
    assert one.codes("evidence", ["x"]) != one.codes("household", ["x"])
    assert read_case_id(f" {number[:5].lower()} {number[5:].replace('0', 'O')}\n") == number
    assert [read_case_id(text) for text in ("", None, "C123", number[:-1] + "U", "9" * 17)] == [None] * 5
    assert open_key(tmp_path, None).secret == open_key(tmp_path, None).secret


# --- invariants -------------------------------------------------------------------------------------------------------

ANSWERS = st.sampled_from(["属实", "不属实", "部分属实", None])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("found"), st.integers(1, 2)),
        st.tuples(st.just("cleared"), st.none()),
        st.tuples(st.just("dispatched"), st.none()),
        st.tuples(st.just("answered"), st.tuples(ANSWERS, ANSWERS)),
        st.tuples(st.just("closed"), st.none()),
        st.tuples(st.just("exempted"), st.none()),
        st.tuples(st.just("lapsed"), st.none()),
    ),
    max_size=14,
)


def model(steps):
    """The state of a case, told a second time, without SQL."""
    now = {
        "present": False,
        "back": False,
        "evidence": None,
        "sent": [],
        "answers": {},
        "exempt": None,
        "was_exempt": False,
        "closed": None,
    }
    for kind, said in steps:
        if kind == "found":
            now["back"] |= now["evidence"] is not None and not now["present"]
            now |= {"present": True, "evidence": said}
        elif now["evidence"] is None:
            continue
        elif kind == "cleared":
            now["present"] = False
        elif kind == "dispatched":
            now["sent"].append(now["evidence"])
        elif kind == "answered" and now["sent"]:
            now["answers"].setdefault(len(now["sent"]), []).append(said)
        elif kind == "closed" and now["answers"]:
            now["closed"] = now["sent"][max(now["answers"]) - 1]
        elif kind == "exempted":
            now |= {"exempt": now["evidence"], "was_exempt": True}
        elif kind == "lapsed":
            now["exempt"] = None
            now["was_exempt"] = True
    if now["evidence"] is None:
        return None
    last = max(now["answers"], default=0)
    answered = now["sent"][last - 1] if last else None
    filled = [{part for part in column if part} for column in zip(*now["answers"].get(last, []), strict=True)]
    disputed = answered == now["evidence"] and any(len(texts) > 1 for texts in filled)
    if disputed and now["present"] and now["exempt"] != now["evidence"]:
        return "disputed"
    if now["closed"] == now["evidence"]:
        return "closed"
    if not now["present"]:
        return "cleared"
    if now["exempt"] == now["evidence"]:
        return "exempt"
    if answered == now["evidence"]:
        return "answered"
    if len(now["sent"]) > last:
        return "dispatched"
    return "reopened" if now["back"] or last or now["was_exempt"] else "new"


@given(STEPS)
@examples(100)
def test_a_case_is_what_its_events_say(tmp_path_factory, steps):
    """Any order of events folds to the state that a second telling in Python gives; told again they give the same cases."""
    folder = tmp_path_factory.mktemp("ledger")
    with open_ledger(folder, make=True) as ledger:
        rounds = dict.fromkeys(
            (
                "found",
                "new",
                "continuing",
                "changed",
                "reopened",
                "cleared",
                "gone",
                "untold",
                "missed_before",
                "cleared_before",
                "not_compared",
            ),
            0,
        )
        ledger.add(
            "rounds",
            {
                "round": 1,
                "run": "r",
                "project": "p",
                "jurisdiction": "99",
                "stage": "county",
                "as_of": "2020-01-01",
                "day": "2020-01-01",
                "people": "-",
                **rounds,
            },
        )
        names = ("rule_id", "severity", "department", "title", "county", "township", "village", "household")
        ledger.add_cases(pl.DataFrame({"case_id": ["C1"], **{name: ["x"] for name in names}}))
        evidence, batch, present, sent, answered = None, 0, False, {}, 0
        for kind, said in steps:
            event = {"case_id": "C1", "kind": kind, "day": "2020-01-02"}
            if kind == "found":
                event |= {
                    "kind": "found" if evidence is None else "changed" if present else "returned",
                    "round": 1,
                    "evidence": str(said),
                }
                evidence, present = str(said), True
            elif evidence is None:
                continue
            elif kind == "cleared":
                present = False
            elif kind == "dispatched":
                batch += 1
                ledger.add(
                    "batches",
                    {"batch": batch, "day": "2020-01-02", "due": "2020-01-09", "chain": "{}", "manifest": "-"},
                )
                sent[batch] = evidence
                event |= {"batch": batch, "evidence": evidence}
            elif kind == "answered":
                if not batch:
                    continue
                answered = batch
                event |= {"batch": batch, "evidence": sent[batch], "detail": detail(verdict=said[0], action=said[1])}
            elif kind == "closed":
                if not answered:
                    continue
                event |= {"evidence": sent[answered]}
            elif kind == "exempted":
                event |= {"evidence": evidence, "detail": detail(until="2030-01-01")}
            ledger.add_events(pl.DataFrame([event]))
        state = ledger.cases()["state"].to_list()
        assert state == ([] if evidence is None else [model(steps)])
        assert replayed(ledger).equals(ledger.cases())
        assert check_ledger(ledger) == []


@given(st.lists(st.tuples(ANSWERS, ANSWERS, ANSWERS), min_size=1, max_size=4), st.randoms())
@examples(30)
def test_copies_join_in_any_order(tmp_path_factory, copies, rnd):
    """Answers of one batch give the same case in whatever order they come."""

    def told(order):
        with open_ledger(tmp_path_factory.mktemp("l"), make=True) as ledger:
            ledger.connection.execute("PRAGMA foreign_keys = OFF")
            ledger.connection.execute("INSERT INTO cases (case_id, rule_id, severity) VALUES ('C1', 'x', 'lead')")
            first = {"case_id": "C1", "day": "2020-01-01", "round": 1, "evidence": "e"}
            events = [{**first, "kind": "found"}, {**first, "kind": "dispatched", "batch": 1}]
            events += [
                {**first, "kind": "answered", "batch": 1, "detail": detail(verdict=a, reason=b, checker=c)}
                for a, b, c in order
            ]
            ledger.add_events(pl.DataFrame(events, infer_schema_length=None))
            return ledger.cases().drop("case_id").rows()

    other = list(copies)
    rnd.shuffle(other)
    assert told(copies) == told(other)


@given(st.integers(0, 1000))
@examples(3)
def test_every_case_is_accounted_for_in_every_round(tmp_path_factory, seed):
    """found = new + continuing + changed + returned; present before and not found = cleared + gone + untold."""
    folder, rnd, world = tmp_path_factory.mktemp("loop"), random.Random(seed), World(people=16)
    for month in range(1, 5):
        world.turn(rnd, 0.5)
        before = {}
        if month > 1:
            with open_ledger(folder / "cases") as ledger:
                before = dict(ledger.cases(columns=("case_id", "present")).rows())
        run = world.run(folder / f"r{month}", date(2020, month, 1), shuffle=rnd.randrange(99))
        figures = book_round(folder / "cases", run, date(2020, month, 1)).figures
        with open_ledger(folder / "cases") as ledger:
            after = dict(ledger.cases(columns=("case_id", "present")).rows())
            assert check_ledger(ledger) == []
        hits = sum(person not in world.gone and isinstance(said, int) for (person, _), said in world.said.items())
        assert figures["found"] == hits
        assert figures["new"] == len(after) - len(before)
        assert sum(before.values()) + figures["new"] - figures["cleared"] - figures["gone"] + sum(
            not before[case] and after[case] for case in before
        ) == sum(after.values())
        assert sum(after.values()) == figures["found"] + figures["untold"]
        assert len(RULES) == 3
