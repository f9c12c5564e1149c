"""People of other kinds: columns declared in [compare], invented Latin names, opaque numbers."""

import tomllib
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import examples, fupin
from fupin_cli.errors import BadDataError, ConfigurationError, UsageError
from fupin_cli.ingest import load_profiles, read_compared, refuse_other_comparison
from fupin_cli.linkage import find_declared_duplicates, link_declared
from fupin_cli.linkage.agreement import FIELD_LEVELS, compare_fields
from fupin_cli.linkage.candidates import candidates
from fupin_cli.linkage.rarity import log_frequency
from fupin_cli.normalise.compared import clean_compared
from fupin_cli.pairing import dedupe_file, link_files
from fupin_cli.report.link_words import FIELD_WORDS, waterfall
from fupin_cli.vocabulary import Compared
from linkage_world import MODEL

SHIPPED = Path(__file__).parents[1] / "rules" / "sources"
HEAD = 'profile = "members"\ndepartment = "d"\ntitle = "t"\ntitle_en = "t"\n[compare]\n'
LINES = """\
number = { as = "id", headers = ["member_no"] }
name = { as = "text", headers = ["given|first name", "surname"] }
birth = { as = "date", headers = ["born"] }
town = { as = "text", headers = ["town"] }
postcode = { as = "code", headers = ["postcode"], follows = "town" }
"""
FIELDS = (
    Compared("number", "id"),
    Compared("name", "text", 2),
    Compared("birth", "date"),
    Compared("town", "text"),
    Compared("postcode", "code", follows="town"),
)
PARTS = [part for field in FIELDS for part in field.parts]
PAIR = ["register_row", "extract_row"]
HEADERS = ["member_no", "given", "surname", "born", "town", "postcode"]


def words(draw, count: int, syllables: int) -> np.ndarray:
    """Invented names, a few of which are common."""
    parts = [a + b for a in "bdfgklmnprstv" for b in ("a", "e", "i", "o", "u", "an", "el", "or")]
    return np.array(["".join(draw.choice(parts, syllables)) for _ in range(count)])


@cache
def members(seed: int = 7, count: int = 400) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A list, and a copy of its even rows in another order in which one cell of eight is spoilt, with strangers among them."""
    draw = np.random.default_rng(seed)
    given_names, surnames, towns = (words(draw, n, k) for n, k in ((60, 2), (150, 3), (25, 3)))
    size = 2 * count

    def common(of):
        return of[np.minimum(draw.exponential(len(of) / 4, size).astype(int), len(of) - 1)]

    town = draw.integers(len(towns), size=size)
    born = np.datetime64("1930-01-01") + draw.integers(25_000, size=size)
    people = pl.DataFrame(
        {
            "number": draw.integers(10**6, 10**7, size=size).astype(str),
            "name_1": common(given_names),
            "name_2": common(surnames),
            "birth": [str(day).replace("-", "") for day in born],
            "town": towns[town],
            "postcode": (3000 + town).astype(str),
        }
    )
    ours = people.head(count)
    theirs = pl.concat([ours.gather_every(2), people.slice(count, count // 2)])
    order = draw.permutation(theirs.height)
    theirs = theirs[order]

    def spoilt(column):
        cell, chance = pl.col(column), pl.Series(draw.random(theirs.height))
        dropped = cell.str.slice(0, 2) + cell.str.slice(3)
        return pl.when(pl.lit(chance) < 0.06).then(None).when(pl.lit(chance) < 0.12).then(dropped).otherwise(cell)

    theirs = theirs.with_columns(spoilt(column).alias(column) for column in theirs.columns)
    swap = pl.Series(draw.random(theirs.height) < 0.05)
    theirs = theirs.with_columns(
        pl.when(swap).then("name_2").otherwise("name_1").alias("name_1"),
        pl.when(swap).then("name_1").otherwise("name_2").alias("name_2"),
    ).with_columns(truth=pl.Series(np.where(order < count // 2, 2 * order, -1)), swap=swap)
    return tuple(side.with_row_index("at").cast({"at": pl.Int64}) for side in (ours, theirs))


@cache
def linked() -> pl.DataFrame:
    """The links of these two lists, with `true`."""
    ours, theirs = members()
    links = link_declared(ours, theirs, FIELDS, MODEL)
    known = theirs.select(pl.col("at").alias("extract_row"), "truth", "swap")
    return links.join(known, on="extract_row", how="left").with_columns(true=pl.col("truth") == pl.col("register_row"))


def test_people_are_found_and_strangers_are_not():
    """Everybody whom half a dozen spoilt columns still tell, and nobody else; accepted pairs are right."""
    found = linked().filter(pl.col("match_probability") >= 0.5)
    assert found["true"].all()
    assert found.height >= 198, "of 200"
    accepted = linked().filter(pl.col("decision") == "accepted")
    assert accepted.height >= 190
    assert accepted["true"].all()


def test_swapped_names_are_found_and_told():
    """Given name and surname in each other's column: one level for both halves, and the pair is found."""
    swapped = linked().filter(pl.col("swap") & pl.col("true") & (pl.col("name_1_level") == "swapped"))
    assert swapped.height >= 5
    assert swapped["name_2_level"].null_count() == swapped.height
    assert (swapped["bits_name_1"] > 5).all()


def test_what_is_missing_or_follows_moves_no_weight():
    """A null level is no bits; a postcode says nothing where the town agrees; bits add up to the weight."""
    links = linked()
    for part in PARTS:
        assert links.filter(pl.col(f"{part}_level").is_null())[f"bits_{part}"].abs().sum() == 0, part
    told = links.filter(pl.col("town_level") == "exact")
    assert told.height
    assert told["bits_postcode"].abs().sum() == 0
    bits = pl.sum_horizontal("bits_prior", "bits_rivals", *(f"bits_{part}" for part in PARTS))
    assert links.select((bits - pl.col("match_weight")).abs().max()).item() < 1e-4


def test_the_rare_says_more_than_the_common():
    """Two people of the commonest surname share less than two of a rare one, and a resemblance is never worth more."""
    links = linked().filter(pl.col("name_2_level") == "exact")
    counts = members()[0]["name_2"].value_counts(sort=True, name="n")
    names = members()[0]["name_2"].gather(links["register_row"])
    common, rare = (
        links.filter(names.is_in(counts.filter(which)["name_2"].implode()))["bits_name_2"]
        for which in (pl.col("n") > 10, pl.col("n") == 1)
    )
    assert common.max() < rare.min()
    near = linked().filter(pl.col("name_2_level") == "near")["bits_name_2"]
    assert near.max() <= links["bits_name_2"].max()


@examples(3)
@given(st.randoms(use_true_random=False))
def test_shuffled_rows_change_nothing(random):
    """The same links, weights and levels, whatever the order of rows in either file."""
    ours, theirs = members()
    shuffled = []
    for side in (ours, theirs):
        order = list(range(side.height))
        random.shuffle(order)
        shuffled.append(side[order])
    again = link_declared(*shuffled, FIELDS, MODEL)
    assert again.equals(link_declared(ours, theirs, FIELDS, MODEL))


def test_lists_that_share_nobody_are_not_linked():
    """Learning does not invent people: without a true pair nothing is accepted."""
    ours, theirs = members()[0], members(11)[0]
    assert not link_declared(ours, theirs, FIELDS, MODEL).filter(pl.col("decision") == "accepted").height


def test_lists_of_nothing():
    """Empty lists, and lists whose cells are all blank, have no links; the columns are there all the same."""
    ours, theirs = members()
    blank = theirs.with_columns(pl.lit(None, pl.String).alias(part) for part in PARTS)
    for side in (theirs.clear(), blank, theirs.head(1)):
        links = link_declared(ours, side, FIELDS, MODEL)
        assert links.columns == linked().columns[: len(links.columns)]
        assert links.height <= 1
    assert not find_declared_duplicates(ours.clear(), FIELDS, MODEL).height


def test_common_values_are_pairs_all_the_same():
    """One field, and a value that half of the people bear: nobody is left out, and nobody is certain."""
    fields = [Compared("number", "code")]
    ours = pl.DataFrame({"at": range(400), "number": [["A", "B"][n % 2] for n in range(400)]})
    assert candidates(ours, ours, fields).height == 2 * 200**2
    assert not link_declared(ours, ours, fields, MODEL).filter(pl.col("decision") == "accepted").height


def test_equal_rows_are_one_identity():
    """A row that stands twice in the extract is linked twice; it is no rival of itself."""
    ours, theirs = members()
    twice = pl.concat([theirs, theirs.with_columns(pl.col("at") + theirs.height)])
    links = link_declared(ours, twice, FIELDS, MODEL).filter(pl.col("decision") == "accepted")
    first = links.filter(pl.col("extract_row") < theirs.height)
    assert first.height * 2 == links.height
    assert first.height >= 190


def test_people_of_equal_evidence_tie():
    """Two register people who differ in nothing that the extract knows: a person must decide."""
    ours, theirs = members()
    row = linked().filter(pl.col("decision") == "accepted").row(0, named=True)
    twin = ours.filter(pl.col("at") == row["register_row"]).with_columns(at=pl.lit(9999, pl.Int64))
    twins = pl.concat([ours, twin.with_columns(number=pl.lit(None, pl.String))])
    known = theirs.with_columns(number=pl.lit(None, pl.String))
    of_row = link_declared(twins, known, FIELDS, MODEL).filter(pl.col("extract_row") == row["extract_row"])
    assert of_row["tied"].all()
    assert set(of_row["register_row"]) >= {row["register_row"], 9999}


LEVELS = """
kind | one      | other    || level
id   | 1234567  | 1234567  || exact
id   | 1234567  | 1234657  || one_edit
id   | 1234567  | 123467   || one_edit
id   | 1234567  | 1239967  || two_edits
id   | 1234567  | 7654321  || different
text | marten   | marten   || exact
text | marten   | marteen  || near
text | marten   | olivia   || different
date | 19850615 | 19850615 || exact
date | 19850615 | 19850625 || one_fault
date | 19850612 | 19851206 || one_fault
date | 19850615 | 19991231 || different
code | nsw      | vic      || different
code | nsw      |          ||
"""


@pytest.mark.parametrize("line", LEVELS.strip().splitlines()[1:])
def test_levels(line):
    """How far two values agree, by kind; a blank side is no level."""
    kind, one, other, _, level = (cell.strip() for cell in line.split("|"))
    sides = [pl.DataFrame({"x": [value or None]}, schema={"x": pl.String}) for value in (one, other)]
    pair = pl.DataFrame({row: [0] for row in PAIR}, schema=dict.fromkeys(PAIR, pl.Int64))
    assert compare_fields(pair, *sides, [Compared("x", kind)]).item() == (level or None)


CELLS = """
kind | cell        || compared
id   | 12-345 67 a || 1234567A
id   | 1234567.0   || 1234567
id   | -           ||
text | O'Brien     || obrien
text | Zoë  MÜLLER || zoe muller
text | N/A         ||
date | 1985-06-15  || 19850615
date | 15/06/1985  || 15061985
date | 19851399    || 19851399
code | N.S.W.      || NSW
"""


@pytest.mark.parametrize("line", CELLS.strip().splitlines()[1:])
def test_cells_as_they_are_compared(line):
    """Typing habits are taken away, faults stay; cleaning twice is cleaning once."""
    kind, cell, _, compared = (part.strip() for part in line.split("|"))
    clean = pl.DataFrame({"x": [cell]}).select(clean_compared(pl.col("x"), kind))
    assert clean.item() == (compared or None)
    assert clean.select(clean_compared(pl.col("x"), kind)).equals(clean)


def test_every_level_has_its_words():
    """All levels of all kinds are told in Chinese and English."""
    assert {level for levels in FIELD_LEVELS.values() for level in levels} == set(FIELD_WORDS)


def test_a_value_is_as_common_as_the_commoner_of_two():
    """A slip of a common name is as common as that name."""
    ours = pl.DataFrame({"x": ["smith"] * 50 + [f"n{n}" for n in range(50)]})
    theirs = pl.DataFrame({"x": ["smiht", "smith", "n1"]})
    pairs = pl.DataFrame({"register_row": [0, 0, 51], "extract_row": [0, 1, 2]})
    slip, same, rare = log_frequency(pairs, ours, theirs, "x")
    assert slip == same
    assert rare < same - 4


def profile(tmp_path, lines, name="p.toml"):
    path = tmp_path / name
    path.write_text(HEAD + lines, encoding="utf-8")
    return path


def fields_of(path):
    return load_profiles([SHIPPED / "_identity.toml", path])["members"].compare


def write(folder) -> tuple[Path, Path]:
    """The two lists as an office would send them: a title above one, other headers in the other."""
    ours, theirs = (side.select(PARTS) for side in members())
    a, b = folder / "a.csv", folder / "b.parquet"
    table = ours.rename(dict(zip(PARTS, HEADERS, strict=True))).write_csv()
    a.write_text("Members of the club,,,,,\n" + table, encoding="utf-8")
    theirs.rename(dict(zip(PARTS, ["member_no", "First Name", *HEADERS[2:]], strict=True))).write_parquet(b)
    return a, b


def test_two_files_linked_and_explained(tmp_path):
    """The command: contract columns, the columns that were compared, and a waterfall of 76 columns at most."""
    a, b = write(tmp_path)
    out = tmp_path / "l.parquet"
    done = fupin("link", a, b, "-o", out, "--profile", profile(tmp_path, LINES))
    assert done.returncode == 0, done.stderr
    assert "name_1=given" in done.stderr
    assert "name_1=First Name" in done.stderr
    links = pl.read_parquet(out)
    assert links.columns[:7] == [*PAIR, "match_weight", "match_probability", "decision", "basis", "tied"]
    assert links.equals(linked().select(links.columns))
    row = links.row(0, named=True)
    shown = fupin("explain", f"link:{row['register_row']}:{row['extract_row']}", "--run", out)
    assert shown.returncode == 0, shown.stderr
    for said in ("how far the columns of [compare] agree", "two at random", "postcode", "sum"):
        assert said in shown.stdout
    lines = {line for link in links.to_dicts() for line in waterfall(link)}
    assert max(sum(2 if ord(c) > 0x2E7F else 1 for c in line) for line in lines) <= 76


def test_a_profile_for_each_file(tmp_path):
    """Headers may differ from file to file; what is compared may not."""
    a, b = write(tmp_path)
    renamed = tmp_path / "c.parquet"
    pl.read_parquet(b).rename({"town": "Ort"}).write_parquet(renamed)
    mine, yours = profile(tmp_path, LINES), profile(tmp_path, LINES.replace('["town"]', '["Ort"]'), "q.toml")
    out = tmp_path / "l.parquet"
    links = link_files(a, renamed, out, profiles=[mine, yours]).links
    assert links.equals(link_files(a, b, out, profiles=[mine]).links)
    other = fields_of(profile(tmp_path, LINES.replace('"date"', '"id"'), "r.toml"))
    with pytest.raises(ConfigurationError, match=r"compare\.birth(?s:.)*try: "):
        refuse_other_comparison(fields_of(mine), other, "r.toml")
    people = SHIPPED / "people.toml"
    with pytest.raises(ConfigurationError, match=r"the other one has not"):
        link_files(a, b, out, profiles=[mine, people])


def test_dedupe_by_declared_columns(tmp_path):
    """Who stands twice in one list, once as a spoilt copy; a third row of the same person is in the same cluster."""
    ours, theirs = (side.select(PARTS) for side in members())
    true = members()[1].filter(pl.col("truth") >= 0)["at"]
    both = pl.concat([ours, theirs[true], ours.head(1)]).rename(dict(zip(PARTS, HEADERS, strict=True)))
    both.write_csv(tmp_path / "a.csv")
    found, _ = dedupe_file(tmp_path / "a.csv", None, profile=profile(tmp_path, LINES))
    accepted = found.filter(pl.col("decision") == "accepted")
    truth = pl.DataFrame(
        {"row": members()[1]["truth"].gather(true), "other_row": np.arange(ours.height, both.height - 1)}
    )
    right = accepted.join(truth.cast(pl.Int64), on=["row", "other_row"])
    assert right.height >= 185
    assert accepted.height <= right.height + 3, "the first row stands there three times"
    assert (0, both.height - 1) in accepted.select("row", "other_row").rows()
    assert (found["row"] < found["other_row"]).all()


BROKEN = [
    ("x = 1", r"compare\.x is a table"),
    ('x = { headers = ["a"] }', r'compare\.x: as = "…" is missing'),
    ('x = { as = "txt", headers = ["a"] }', r'means nothing(?s:.)*try: as = "text"'),
    ('x = { as = "id" }', r"compare\.x\.headers is a list(?s:.)*try: headers"),
    ('x = { as = "id", headers = ["|"] }', r"compare\.x\.headers"),
    ('x = { as = "id", header = ["a"] }', r"unknown key 'header' in compare\.x(?s:.)*try: headers = "),
    ('x = { as = "id", headers = ["a", "b"] }', r"too many headers(?s:.)*try: headers = "),
    ('x = { as = "text", headers = ["a", "b", "c"] }', r"too many headers"),
    ('x = { as = "id", headers = ["a"] }\ny = { as = "id", headers = ["A "] }', r"'A ' is a header of x already"),
    ('x = { as = "id", headers = ["a"], follows = "z" }', r"follows 'z'(?s:.)*try: leave follows out"),
    ('town = { as = "id", headers = ["a"] }\ny = { as = "id", headers = ["b"], follows = "twon" }', r'try: follows = "town"'),
    ('town = { as = "id", headers = ["a"], follows = 1 }', r"follows is the name of a field"),
    ('prior = { as = "id", headers = ["a"] }', r"compare\.prior cannot be the name"),
    ('x_1 = { as = "id", headers = ["a"] }\nx = { as = "text", headers = ["b", "c"] }', r"both make a column x_1"),
    ("", r"\[compare\] holds one line for each field(?s:.)*try: "),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "message"), BROKEN)
def test_a_broken_section_is_refused_with_file_and_key(tmp_path, lines, message):
    """What is wrong, in which file, and what to write instead."""
    path = profile(tmp_path, lines)
    with pytest.raises(ConfigurationError, match=message) as caught:
        fields_of(path)
    assert str(path) in str(caught.value)


def test_a_file_without_a_declared_column_names_the_nearest(tmp_path):
    """File, what was looked for, what stands there instead; and a file that has none of them."""
    (tmp_path / "a.csv").write_text("member_no,given,surnames,born,town,postcode\n1,a,b,1985-06-15,x,1\n", "utf-8")
    fields = fields_of(profile(tmp_path, LINES))
    with pytest.raises(BadDataError, match=r"a\.csv, row 1: no column for name_2(?s:.)*nearest header here: surnames"):
        read_compared(tmp_path / "a.csv", fields)
    (tmp_path / "b.csv").write_text("x,y\n1,2\n", "utf-8")
    with pytest.raises(
        BadDataError, match=r"b\.csv: no header row(?s:.)*looked for member_no(?s:.)*try: fupin inspect"
    ):
        read_compared(tmp_path / "b.csv", fields)


def test_options_about_resident_ids_are_refused_and_not_ignored(tmp_path):
    """Review workbooks and weights are about names and resident IDs."""
    a, b = write(tmp_path)
    for option in ({"review": tmp_path / "r.xlsx"}, {"model": tmp_path / "m.toml"}):
        with pytest.raises(UsageError, match=r"does not go with a profile that has \[compare\](?s:.)*without --"):
            link_files(a, b, tmp_path / "l.parquet", profiles=[profile(tmp_path, LINES)], **option)


def test_the_examples_of_the_pages_load(tmp_path):
    """docs/sources.md shows a [compare] that loads and uses every key and kind."""
    page = (Path(__file__).parents[1] / "docs" / "sources.md").read_text(encoding="utf-8")
    example = next(block for block in page.split("```toml\n") if "[compare]" in block.split("```")[0]).split("```")[0]
    data = tomllib.loads(example)["compare"]
    assert {field["as"] for field in data.values()} == {"id", "text", "date", "code"}
    assert {key for field in data.values() for key in field} == {"as", "headers", "follows"}
    path = tmp_path / "p.toml"
    path.write_text(example, encoding="utf-8")
    assert len(next(iter(load_profiles([SHIPPED / "_identity.toml", path]).values())).compare) == len(data)
