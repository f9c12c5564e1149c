"""The table of hazards is whole: each of the 39 has a class, words, and tests that build at least two files."""

import re

import pytest

from conftest import ROOT
from hazards import CLASSES, HAZARDS, shown, table


def test_every_hazard_is_there():
    """H1 to H39, in order."""
    assert list(HAZARDS) == [f"H{n}" for n in range(1, 40)]


@pytest.mark.parametrize("name", HAZARDS)
def test_every_hazard_has_a_class_words_and_two_files(name):
    """What goes wrong, what fupin does, and the files that show it."""
    what, kind, does = HAZARDS[name]
    assert what
    assert does
    assert kind in CLASSES
    assert "|" not in what + does
    files = {(one.test, file) for one in shown() if one.hazard == name for file in one.files}
    assert len(files) >= 2


def test_no_test_shows_a_hazard_that_nobody_knows():
    """A mistyped number would leave a hazard without its test."""
    assert {one.hazard for one in shown()} == set(HAZARDS)
    assert table().count("\n") == len(HAZARDS) + 1


def test_the_documents_count_as_the_table_does():
    """Wherever a page says how many there are."""
    for name in ("docs/hazards.md", "docs/project.md", "docs/project.zh-CN.md", "README.md", "README.zh-CN.md"):
        told = re.findall(
            r"Each of the (\d+) ways|lists (\d+) of them|(\d+) hazards|(\d+) 种情形",
            (ROOT / name).read_text(encoding="utf-8"),
        )
        assert {int(number) for found in told for number in found if number} == {len(HAZARDS)}, name
