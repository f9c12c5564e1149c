"""ID numbers of which part was hidden: read as such, partial evidence, never another number."""

from functools import cache

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import examples, fupin_process
from fupin_cli.linkage import find_duplicates, link_people
from fupin_cli.normalise.id_number import clean_id_numbers
from fupin_cli.report.link_words import waterfall
from fupin_cli.report.masking import mask_sentence
from linkage_world import MODEL, extract, number, register

A, B = number("99012119850615301"), number("99012120010203456")
TOWN = [
    (f"钱{chr(0x4E00 + 7 * n)}", number(f"99012119{60 + n % 40}0{1 + n % 9}1{n % 9}{100 + 97 * n % 900}"), "下村")
    for n in range(80)
]


@cache
def everybody():
    return register(("王芳", A, "柳树村"), ("赵六", B, "下村"), *TOWN)


def tail(full):
    """The middle hidden, as payment lists do."""
    return full[:6] + "*" * 8 + full[14:]


ARRIVES = """
990121********3016  || 990121********3016 |
990121****3016      || 990121********3016 |
990121××××××××3●●● || 990121********3*** |
990121××××××××301X  || 990121********301X |
990121xxxxxxxx3016  || 990121********3016 |
９９０１２１＊＊＊＊＊＊＊＊3016 || 990121********3016 |
9901**19850615****  || 9901**19850615**** | 1985-06-15
**************3016  || **************3016 |
"""


@pytest.mark.parametrize("line", ARRIVES.strip().splitlines())
def test_how_hidden_numbers_arrive(line):
    """As received, what is left of it in eighteen places, and the birth date where it can be seen."""
    raw, _, digits, birth = (part.strip() for part in line.split("|"))
    row = clean_id_numbers(pl.Series([raw])).row(0, named=True)
    assert (row["id_status"], row["id_number"], row["id_digits"]) == ("masked", None, digits)
    assert str(row["id_birth_on"] or "") == birth


@pytest.mark.parametrize(
    "raw", ["990121******301", "990***************", "99012119850615301*", "XXXXXXXXXXXXXXXXXX", "***"]
)
def test_what_says_too_little_is_not_taken_for_one(raw):
    """An old number whose digits stand elsewhere, fewer than four digits, one missing place, no number at all."""
    assert clean_id_numbers(pl.Series([raw]))["id_status"].item() in ("malformed", "placeholder")


DECIDED = """
name | number                                | village || level   | decision
王芳 | 990121********3016                    | 柳树村  || agrees  | accepted
王芳 | 990121********3016                    |         || agrees  | accepted
王方 | 990121********3016                    | 柳树村  || agrees  | review
王芳 | 9901**19850615****                    |         || agrees  | accepted
王芳 | 990121********9999                    | 柳树村  || differs | review
李四 | 990121********3016                    | 柳树村  || agrees  | review
李四 | 990121********3016                    |         ||         |
"""


@pytest.mark.parametrize("line", DECIDED.strip().splitlines()[1:])
def test_how_a_pair_is_decided(line):
    """What is seen agrees: evidence beside the name. It differs: never accepted. Another name: a relative at most."""
    name, hidden, village, _, level, decision = (part.strip() for part in line.split("|"))
    links = link_people(everybody(), extract((name, hidden, village or None)), MODEL)
    links = links.filter(pl.col("register_row") == 0)
    assert links.height == bool(level)
    if level:
        assert links.select("masked_level", "decision").row(0) == (level, decision)
        assert links["id_number_level"].item() is None, "never a different number"


def test_more_that_is_seen_is_worth_more():
    """Four places at the end say more than two, and a county's region code next to nothing."""
    bits = {}
    for hidden in (tail(A), "*" * 14 + A[14:], "990121" + "*" * 8 + "**" + A[16:], A[:6] + "*" * 12):
        links = link_people(everybody(), extract(("王芳", hidden, "柳树村")), MODEL)
        bits[hidden] = links.filter(pl.col("register_row") == 0)["bits_masked"].item()
    whole_tail, tail_alone, half, region = bits.values()
    assert whole_tail == tail_alone > half + 4 > region + 4
    assert 8 < whole_tail < 14
    assert region < 0.1


def test_both_sides_hidden():
    """Only what both show is held against each other; with nothing in common nothing is said."""
    ours = register(("王芳", tail(A), "柳树村"), *TOWN)
    both = link_people(ours, extract(("王芳", tail(A), "柳树村")), MODEL).row(0, named=True)
    assert both["masked_level"] == "agrees"
    assert both["id_number_level"] is None, "equal stars are no equal numbers"
    apart = link_people(ours, extract(("王芳", "******1985****" + "****", "柳树村")), MODEL).row(0, named=True)
    assert apart["masked_level"] is None
    assert apart["bits_masked"] == 0


def test_hidden_twice_in_one_list():
    """One person with a whole and a hidden number is found; bits add up, and the waterfall tells what was seen."""
    people = register(("王芳", A, "柳树村"), ("王芳", tail(A), "柳树村"), *TOWN)
    pair = find_duplicates(people, MODEL).filter(pl.col("register_row") == 0).row(0, named=True)
    assert (pair["extract_row"], pair["masked_level"]) == (1, "agrees")
    assert pair["bits_masked"] > 8
    assert any("what is seen agrees" in line for line in waterfall(pair))
    total = sum(value for name, value in pair.items() if name.startswith("bits_"))
    assert abs(total - pair["match_weight"]) < 1e-4


@examples(6)
@given(st.permutations([*range(12)]))
def test_shuffled_rows_change_nothing(order):
    """Order is no evidence."""
    people = [(name, tail(full), village) for name, full, village in TOWN[:12]]
    links = link_people(everybody(), extract(*people), MODEL)
    shuffled = link_people(everybody(), extract(*(people[n] for n in order)), MODEL)
    back = pl.DataFrame(
        {"extract_row": range(12), "was": order}, schema=dict.fromkeys(["extract_row", "was"], pl.Int64)
    )
    told = shuffled.join(back, on="extract_row").drop("extract_row").rename({"was": "extract_row"})
    kept = ["register_row", "extract_row", "match_weight", "decision", "masked_level", "bits_masked"]
    assert told.select(kept).sort(kept[:2]).equals(links.select(kept).sort(kept[:2]))


def test_two_files_by_the_command(tmp_path):
    """A list with hidden numbers beside a register with whole ones."""
    rows = [f"{name},{full},{village}\n" for name, full, village in TOWN]
    hidden = [f"{name},{tail(full)},{village}\n" for name, full, village in TOWN]
    for file, lines in (("a.csv", rows), ("b.csv", hidden)):
        (tmp_path / file).write_text("姓名,身份证号,行政村\n" + "".join(lines), encoding="utf-8")
    done = fupin_process("link", tmp_path / "a.csv", tmp_path / "b.csv", "-o", tmp_path / "l.parquet")
    assert done.returncode == 0, done.stderr
    links = pl.read_parquet(tmp_path / "l.parquet").filter(pl.col("decision") == "accepted")
    assert links.height >= 75
    assert (links["register_row"] == links["extract_row"]).all()


def test_a_relation_is_no_name():
    """与户主关系 begins like 户主, and hides nobody: which of the family somebody is may be read."""
    told = mask_sentence("姓名：张三；户主姓名：李四；与户主关系：之母")
    assert told == "姓名：张*；户主姓名：李*；与户主关系：之母"
