"""A link told in words and bits."""

from pathlib import Path

import polars as pl

from conftest import fupin
from fupin_cli.linkage import link_people
from fupin_cli.linkage.assignment import _may_be_accepted
from fupin_cli.linkage.comparison import LEVELS
from fupin_cli.report.link_words import LEVEL_WORDS, waterfall, why_review
from linkage_world import MODEL, extract, number, register, wrong_digit

A, D = number("99012119850615301"), number("99012120010203456")


def test_every_level_has_its_words():
    """A level that comparison knows is told in words, Chinese and English, and no word is left without its level."""
    assert {field: set(levels) for field, levels in LEVELS.items()} == {
        f: set(words) for f, words in LEVEL_WORDS.items()
    }


def test_the_bits_told_add_up_to_the_weight():
    """What speaks for a pair, what speaks against it, and the sum."""
    links = link_people(
        register(("王芳", A, "柳树村"), ("赵六", D, "下村")),
        extract(("王方", wrong_digit(A), "柳树村"), ("赵六", D)),
        MODEL,
    )
    lines = waterfall(links.filter(pl.col("register_row") == 0).to_dicts()[0])
    assert any("one fault away" in line for line in lines)
    assert any("sounds the same" in line and "同音" not in line for line in lines)
    told = [float(word) for line in lines for word in line.split() if word[0] in "+-" and word[1:2].isdigit()]
    assert abs(sum(told[:-1]) - told[-1]) < 0.5


def test_what_waits_for_review_says_why(demo: Path):
    """However certain it looks: what no weight outvotes is named by its own words, and only a weight between the lines is not."""
    links = pl.read_parquet(demo / "links.parquet").with_columns(_may_be_accepted().alias("may"))
    why = {True: set[str](), False: set[str]()}
    for link in links.to_dicts():
        told = why_review(link)
        assert bool(told) == (link["decision"] == "review")
        if told and not link["tied"]:
            why[link["may"]].add(told.partition(":")[0])
    assert why[True] == {"the weight lies between the two lines"}
    assert {
        "the names contradict",
        "the number belongs to somebody else, and nobody of the household vouches for this one",
    } <= why[False]
    assert not why[True] & why[False]
    one = links.filter(pl.col("decision") == "review", pl.col("name_level") == "surname").row(0, named=True)
    target = f"link:{one['register_row']}:{one['extract']}:{one['extract_row']}"
    assert "waits for review: the names contradict" in fupin("explain", target, "--run", demo).stdout
    assert "需人工确认：姓名互相矛盾" in fupin("explain", target, "--run", demo, FUPIN_LANG="zh").stdout
