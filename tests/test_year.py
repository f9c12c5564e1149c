"""A year of the loop: twelve rounds over changing data, workbooks answered well, badly, twice, late or never."""

import random
import shutil
from datetime import date, timedelta

import pytest
from openpyxl import load_workbook

from fupin_cli.cases import open_ledger
from fupin_cli.cases.ledger import check_ledger
from fupin_cli.casework import book_round, dispatch
from fupin_cli.feedback import take_back
from loop_world import OFFICE, World, answer, case_rows, resave, sort_rows, village_sheets

VERDICTS = ("属实", "不属实", "部分属实")


def damage(path, rnd) -> set[str]:
    """A few rows lose their number, or are deleted: the cases whose answers are lost."""
    book, lost = load_workbook(path), set()
    for sheet, heads in village_sheets(book):
        rows = case_rows(sheet, heads)
        for case in rnd.sample(sorted(rows), len(rows) // 5):
            lost.add(case)
            sheet.cell(rows[case], heads["核查件编号"]).value = rnd.choice([None, "C123"])
    book.save(path)
    return lost


class Clerks:
    """Answer a batch's workbooks, each in one of the ways in which they come back; remember what was said and not lost."""

    def __init__(self, rnd, folder):
        self.rnd, self.folder, self.said, self.disputed = rnd, folder, {}, set()

    def return_batch(self, books, month, due):
        """[(day, files)] to be imported, in order."""
        back, late = [], []
        for path in books:
            way = self.rnd.choice(
                ["whole", "whole", "sorted", "damaged", "doubled", "late", "lost", "contradicting", "resaved", "partly"]
            )
            target = self.folder / f"{month}" / path.name
            if way == "lost":
                continue
            said = answer(
                path,
                target,
                lambda _, way=way: None if way == "partly" and self.rnd.random() < 0.5 else self.rnd.choice(VERDICTS),
                sign=(due - timedelta(5)).isoformat(),
            )
            files = [target]
            if way == "sorted":
                sort_rows(target, self.rnd)
            if way == "damaged":
                lost = damage(target, self.rnd)
                said = {case: verdict for case, verdict in said.items() if case not in lost}
            if way == "doubled":
                files.append(target.with_name(f"副本 {path.name}"))
                shutil.copy(target, files[-1])
            if way == "contradicting":
                other = target.with_name(f"另一份 {path.name}")
                second = answer(
                    path,
                    other,
                    lambda case, said=said: said[case] if self.rnd.random() < 0.7 else self.rnd.choice(VERDICTS),
                    sign=(due - timedelta(5)).isoformat(),
                )
                files.append(other)
                self.disputed |= {case for case in said if said[case] != second[case]}
            if way == "resaved" and OFFICE:
                files = [resave(target, self.rnd.choice(["xlsx", "xls", "ods"]), self.folder / f"lo{month}")]
            self.said |= said
            self.disputed -= said.keys() if way != "contradicting" else set()
            (late if way == "late" else back).append(files)
        self.rnd.shuffle(back)
        return [(due - timedelta(3), files) for files in back] + [(due + timedelta(5), files) for files in late]


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)])
def test_a_year(tmp_path, seed):
    """Every case is accounted for, no answer is lost or put elsewhere, nobody is asked twice about the same evidence."""
    rnd, world, folder = random.Random(seed), World(people=16), tmp_path / "cases"
    clerks = Clerks(rnd, tmp_path / "back")
    for month in range(1, 13):
        world.turn(rnd, 0.25)
        start = date(2020, month, 1)
        book_round(folder, world.run(tmp_path / f"r{month}", start, shuffle=month), start)
        due = start + timedelta(18)
        sent = dispatch(folder, start + timedelta(1), due)
        books = sorted(sent.folder.glob("*.xlsx")) if sent.books else []
        for day, files in clerks.return_batch(books, month, due):
            take_back(folder, files, day)
            if rnd.random() < 0.2:
                take_back(folder, files, day)
    with open_ledger(folder) as ledger:
        assert check_ledger(ledger) == []
        cases = {row["case_id"]: row for row in ledger.cases().to_dicts()}
        sent = ledger.rows("SELECT case_id, evidence, batch FROM events WHERE kind = 'dispatched' ORDER BY seq")
    hits = {
        (person, rule)
        for (person, rule), said in world.said.items()
        if isinstance(said, int) and person not in world.gone
    }
    assert sum(case["present"] for case in cases.values()) >= len(hits)
    last = {}
    for event in sent:
        assert last.get(event["case_id"]) != event["evidence"], "asked twice about the same evidence"
        last[event["case_id"]] = event["evidence"]
    for number, case in cases.items():
        assert case["sent_batch"] is not None or case["state"] in ("new", "cleared", "reopened")
        if case["state"] in ("new", "reopened"):
            assert case["sent_evidence"] != case["evidence"]
        if number in clerks.disputed:
            assert case["disputed"]
        elif number in clerks.said and not case["disputed"]:
            assert case["verdict"] == clerks.said[number]
        elif number not in clerks.said:
            assert case["verdict"] is None
    assert {case["state"] for case in cases.values()} >= {"closed", "cleared", "dispatched"}
