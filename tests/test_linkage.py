"""Who is the same person: drawn cases, then what must always hold."""

import datetime as dt

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import examples
from fupin_cli.errors import ConfigurationError, InputMissingError
from fupin_cli.linkage import find_duplicates, link_people, load_model
from fupin_cli.project import shipped_rules
from linkage_world import MODEL, extract, number, register, swapped, wrong_digit

A, B, C, D = (number(n) for n in ("99012119850615301", "99012119900101122", "99012119700505117", "99012120010203456"))
# The register's Wang Fang of Liushu village, and the extract row beside it.
CASES = [
    # what happened                       register id        extract name, id           decision    basis
    ("the same number and name", A, ("王芳", A), "accepted", "exact_id"),
    ("fifteen digits in the extract", A, ("王芳", A[:6] + A[8:17]), "accepted", "exact_id"),
    ("a disability number", A, ("王芳", A + "44"), "accepted", "exact_id"),
    ("one digit wrong in the extract", A, ("王芳", wrong_digit(A)), "accepted", "repaired_id"),
    ("one digit wrong in the register", wrong_digit(A), ("王芳", A), "accepted", "repaired_id"),
    ("two digits exchanged", A, ("王芳", swapped(A)), "accepted", "repaired_id"),
    ("only the check character wrong", A, ("王芳", A[:17] + ("0" if A[17] != "0" else "1")), "accepted", "repaired_id"),
    ("cut by Excel in the extract", A, ("王芳", A[:15] + "000"), "accepted", "damaged_id"),
    ("cut by Excel in the register", A[:15] + "000", ("王芳", A), "accepted", "damaged_id"),
    ("cut on both sides", A[:15] + "000", ("王芳", A[:15] + "000"), "accepted", "damaged_id"),
    ("the same number, another name", A, ("李国强", A), "review", "exact_id"),
    ("the same number, the name spelled by ear", A, ("王方", A), "accepted", "exact_id"),
    ("the same number, one character differs", A, ("王强", A), "review", "exact_id"),
    ("a repaired number, another name, the same village", A, ("李国强", wrong_digit(A)), "review", "repaired_id"),
    ("a cut number, another name", A, ("李国强", A[:15] + "000"), None, None),
    ("a repaired number, one character differs", A, ("王强", wrong_digit(A)), "review", "repaired_id"),
    ("a digit dropped", A, ("王芳", A[:7] + A[8:]), "accepted", "repaired_id"),
    ("a digit too many", A, ("王芳", A[:9] + "4" + A[9:]), "accepted", "repaired_id"),
    ("another number, the same name", A, ("王芳", B), None, None),
]


@pytest.mark.parametrize(("case", "register_id", "row", "decision", "basis"), CASES, ids=[c[0] for c in CASES])
def test_how_a_pair_is_decided(case, register_id, row, decision, basis):
    """A drawn table: number in the register, row in the extract, decision and basis."""
    links = link_people(
        register(("王芳", register_id, "柳树村"), ("赵六", D, "柳树村")), extract((*row, "柳树村"), ("钱七", C)), MODEL
    )
    found = links.filter(
        (pl.col("register_row") == 0) & (pl.col("extract_row") == 0) & (pl.col("decision") != "rejected")
    )
    assert found.select("decision", "basis").rows() == ([(decision, basis)] if decision else [])


def test_a_repaired_number_that_leads_to_a_stranger_is_no_candidate():
    """Another name and another village: one repair in twenty hits somebody else."""
    links = link_people(register(("王芳", A, "柳树村")), extract(("李国强", wrong_digit(A), "下村")), MODEL)
    assert set(links["decision"]) <= {"rejected"}


def test_no_number_but_name_birth_and_village():
    """(c) of the design: no usable ID on one side, everything else agrees."""
    birth = dt.date(1985, 6, 15)
    links = link_people(
        register(("王芳", None, "柳树村", birth), ("赵六", D, "下村")),
        extract(("王芳", A, "柳树村"), ("钱七", C, "下村")),
        MODEL,
    )
    assert links.filter(pl.col("decision") == "accepted").select("register_row", "extract_row", "basis").rows() == [
        (0, 0, "name_birth")
    ]


def test_a_name_and_a_village_alone_are_for_a_person_to_judge():
    """Same name in the same village without number or birth date: review, never accepted."""
    links = link_people(
        register(("王芳", None, "柳树村"), ("赵六", D, "下村")),
        extract(("王芳", None, "柳树村"), ("钱七", C, "下村")),
        MODEL,
    )
    assert links.filter(pl.col("extract_row") == 0)["decision"].to_list() == ["review"]


def test_two_namesakes_tie_and_nobody_is_chosen_by_luck():
    """Two register persons fit one extract row equally: both tied, both to review."""
    birth = dt.date(1985, 6, 15)
    twins = register(("王芳", None, "柳树村", birth), ("王芳", None, "柳树村", birth))
    links = link_people(twins, extract(("王芳", A, "柳树村")), MODEL)
    assert links.select("decision", "tied").rows() == [("review", True), ("review", True)]


def test_one_person_on_two_register_rows_is_linked_on_both():
    """Same number and same name in two households is one person: not a tie, and a finding of its own elsewhere."""
    links = link_people(register(("王芳", A, "柳树村"), ("王芳", A, "下村")), extract(("王芳", A, "柳树村")), MODEL)
    assert links.select("register_row", "decision", "tied").rows() == [(0, "accepted", False), (1, "accepted", False)]


def test_one_person_with_three_vehicles_keeps_all_three():
    """Rows of one extract identity stand together."""
    links = link_people(
        register(("王芳", A, "柳树村")), extract(("王芳", A), ("王芳", A), ("王芳", wrong_digit(A))), MODEL
    )
    assert links["decision"].to_list() == ["accepted"] * 3


def test_a_namesake_without_number_is_not_taken_for_a_person_already_found():
    """The number settled who it is; the row without one may be anybody."""
    links = link_people(
        register(("王芳", A, "柳树村")), extract(("王芳", A, "柳树村"), ("王芳", None, "柳树村")), MODEL
    )
    assert links.filter(pl.col("decision") == "accepted")["extract_row"].to_list() == [0]


def test_a_relatives_number_does_not_hide_the_person():
    """Somebody else's ID typed in: the wrong owner goes to review, and the person is still looked for by name and birth."""
    birth = dt.date(1985, 6, 15)
    links = link_people(
        register(("王芳", C, "柳树村", birth), ("赵六", D, "下村")),
        extract(("李国强", C, "柳树村"), ("王芳", A, "柳树村")),
        MODEL,
    ).filter(pl.col("decision") != "rejected")
    assert (0, 0, "review") in links.select("register_row", "extract_row", "decision").rows()
    assert 1 in links.filter(pl.col("register_row") == 0)["extract_row"].to_list()


def test_people_without_any_key_are_unlinked():
    """Null meets null nowhere."""
    assert link_people(register((None, None), (None, None)), extract((None, None)), MODEL).height == 0


def test_duplicates_inside_the_register():
    """One number on two rows: accepted where the names agree, review where they do not; both directions are given."""
    r = register(
        ("王芳", A, "柳树村"), ("王芳", A, "下村"), ("李国强", A, "上村"), ("赵六", wrong_digit(D)), ("赵六", D)
    )
    pairs = {
        (a, b): d for a, b, d in find_duplicates(r, MODEL).select("register_row", "extract_row", "decision").rows()
    }
    assert pairs[0, 1] == pairs[1, 0] == "accepted"
    assert pairs[0, 2] == pairs[2, 0] == "review"
    assert pairs[3, 4] == "accepted"


def test_bits_add_up():
    """The match weight is the sum of the prior and of each field's bits: the explanation is the calculation."""
    links = link_people(
        register(("王芳", A, "柳树村"), ("赵六", wrong_digit(D))), extract(("王芳", A, "柳树村"), ("赵六", D)), MODEL
    )
    total = links.select(pl.sum_horizontal(pl.selectors.starts_with("bits_"))).to_series()
    assert (total - links["match_weight"]).abs().max() < 1e-5


names = st.sampled_from(["王芳", "王方", "李国强", "张伟", "赵六"])
ids = st.sampled_from([A, B, C, wrong_digit(A), A[:15] + "000", "", "无"])
villages = st.sampled_from(["柳树村", "下村", None])
births = st.sampled_from([None, dt.date(1985, 6, 15), dt.date(1990, 1, 1)])
rows = st.lists(st.tuples(names, ids, villages, births), min_size=1, max_size=7)


@examples(25)
@given(rows, rows, st.randoms(use_true_random=False))
def test_shuffled_rows_change_nothing(register_rows, extract_rows, random):
    """Whatever order the rows come in, the same pairs get the same weight and decision."""

    def linked(r_order, e_order):
        r = register(*[register_rows[i] for i in r_order]).with_columns(at=pl.Series(r_order, dtype=pl.Int64))
        e = extract(*[extract_rows[i] for i in e_order]).with_columns(at=pl.Series(e_order, dtype=pl.Int64))
        return link_people(r, e, MODEL)

    plain = linked(list(range(len(register_rows))), list(range(len(extract_rows))))
    shuffled = linked(
        random.sample(range(len(register_rows)), len(register_rows)),
        random.sample(range(len(extract_rows)), len(extract_rows)),
    )
    assert plain.equals(shuffled)


@examples(25)
@given(rows, rows)
def test_an_extract_row_has_one_person_at_most(register_rows, extract_rows):
    """Accepted links of one extract row lead to one register identity: one number and one name, or one row."""
    r, e = register(*register_rows), extract(*extract_rows)
    accepted = (
        link_people(r, e, MODEL).filter(pl.col("decision") == "accepted").join(r, left_on="register_row", right_on="at")
    )
    identity = (
        pl.when(pl.col("code").is_null())
        .then(pl.col("register_row").cast(pl.String))
        .otherwise(pl.col("code").cast(pl.String) + pl.col("name"))
    )
    people = accepted.group_by("extract_row").agg(identity.n_unique().alias("people"))
    assert (people["people"] == 1).all()


def test_a_broken_model_says_which_key(tmp_path):
    """Configuration errors name the file and the level."""
    path = tmp_path / "m.toml"
    path.write_text("[model]\nid='x'\nversion=1\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"\[id_number\] exact is missing"):
        load_model(path)
    with pytest.raises(InputMissingError, match="no such linkage model"):
        load_model(tmp_path / "absent.toml")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[name]\nexact ", "[name]\nequal ", r"\[name\] exact is missing"),
        ("{ m = 0.99, u = 0.5 }", "{ n = 0.99, u = 0.5 }", r"\[sex\] equal has no m"),
        ("accept_probability =", "accept_probability = 2 #", "accept_probability must lie above 0 and not above 1"),
    ],
)
def test_a_model_that_lacks_something_says_what(tmp_path, old, new, words):
    """The shipped model with one thing taken away."""
    text = (shipped_rules() / "linkage" / "default.toml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "m.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=words):
        load_model(tmp_path / "m.toml")


@pytest.mark.parametrize(
    ("born_r", "born_e", "level"),
    [
        (None, None, "equal"),
        (dt.date(1985, 6, 15), dt.date(1985, 6, 15), "equal"),
        (dt.date(1985, 6, 15), dt.date(1985, 6, 16), "one_fault"),
        (dt.date(1985, 6, 15), dt.date(1971, 2, 3), "one_fault"),
        (dt.date(1990, 1, 2), dt.date(1971, 2, 3), "different"),
    ],
    ids=["only inside the number", "all the same", "a day apart", "one of them as in the number", "neither"],
)
def test_birth_columns_that_differ_are_never_equal(born_r, born_e, level):
    """Though both rows bear the number of somebody born on 15 June 1985: one of them may have borrowed it."""
    links = link_people(register(("王芳", A, "柳树村", born_r)), extract(("王芳", A, "柳树村", born_e)), MODEL)
    assert links["birth_level"][0] == level
    assert links["decision"][0] == "accepted"
