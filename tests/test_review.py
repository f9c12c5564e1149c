"""The review loop, as an office goes through it: link, ask people, read their answers, say how good the links are."""

import json
import math
import re

import openpyxl
import polars as pl
import pytest

from conftest import fupin
from fupin_cli.linkage.clusters import clusters
from fupin_cli.linkage.evaluation import audit, draw, expected_errors, wilson
from fupin_cli.linkage.labels import relearn
from fupin_cli.linkage.stages import link_and_learn
from fupin_cli.pairing import dedupe_file, link_files
from fupin_cli.report.link_words import waterfall
from fupin_cli.report.review_answers import read_answers
from fupin_cli.report.review_book import ANSWER, ANSWERS, CHECK, NO, ROWS, UNSURE, YES
from fupin_cli.synth import PRESETS, generate
from linkage_world import MODEL, extract, number, register

KIND = "household_registration"
PAIR = ["register_row", "extract_row"]


def world(folder, preset="bench", seed=5, persons=12_000):
    generate(
        folder, seed=seed, persons=persons, errors=PRESETS[preset], discrepancies=0.0, absent_share=0.2,
        unlisted_share=0.2, registered_share=0.25, kinds=[KIND],
    )  # fmt: skip
    return folder / "register.parquet", folder / f"{KIND}.parquet"


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """Two files, the links and the review workbook, and the truth."""
    folder = tmp_path_factory.mktemp("town")
    files = world(folder)
    linked = link_files(*files, folder / "links.parquet", review=folder / "核查.xlsx")
    return folder, files, linked, set(pl.read_parquet(folder / "truth.parquet").select(PAIR).rows())


def head_of(sheet):
    return {cell.value: cell.column for cell in sheet[4]}


def answer(source, target, say):
    """Fills in what `say(register_row, extract_row)` answers, sheet by sheet, as a person would."""
    workbook = openpyxl.load_workbook(source)
    for sheet in workbook.worksheets[1:]:
        head = head_of(sheet)
        for row in range(5, sheet.max_row + 1):
            rows = [sheet.cell(row, head[name]).value for name in ROWS]
            if rows[0] is not None:
                sheet.cell(row, head[ANSWER], say(*map(int, rows)))
    workbook.save(target)
    return target


def by(truth):
    return lambda r, e: YES if (r, e) in truth else NO


def test_the_workbook_asks_what_is_in_doubt_and_samples_the_rest(town):
    """Cover, 待核, and a sample of each other band; rows by keys, answers by dropdown, the rest locked, header frozen."""
    folder, _, linked, _ = town
    workbook = openpyxl.load_workbook(folder / "核查.xlsx")
    assert workbook.sheetnames == ["填写说明", "待核", "抽查_认定", "抽查_不认定"]
    bands = dict(linked.links.group_by("decision").len().rows())
    for name, decision in (("待核", "review"), ("抽查_认定", "accepted"), ("抽查_不认定", "rejected")):
        sheet = workbook[name]
        head = head_of(sheet)
        rows = {
            tuple(int(sheet.cell(row, head[key]).value) for key in ROWS) for row in range(5, sheet.max_row + 1)
        }  # fmt: skip
        assert len(rows) == (bands[decision] if decision == "review" else min(200, bands[decision]))
        assert rows <= set(linked.links.filter(pl.col("decision") == decision).select(PAIR).rows())
        assert (sheet.freeze_panes, sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("C5", "landscape", 9)
        assert sheet.protection.sheet
        assert not sheet.cell(5, head[ANSWER]).protection.locked
        assert sheet.cell(5, head[CHECK]).protection.locked
        assert sheet.data_validations.dataValidation[0].formula1 == f'"{",".join(ANSWERS)}"'
    assert (folder / "核查.xlsx").stat().st_mode & 0o777 == 0o600


def test_rivals_stand_together(town):
    """Pairs that share a row share a group, and a group's rows follow one another."""
    sheet = openpyxl.load_workbook(town[0] / "核查.xlsx")["待核"]
    head = head_of(sheet)
    rows = [tuple(sheet.cell(row, head[name]).value for name in ("组", *ROWS)) for row in range(5, sheet.max_row + 1)]
    groups = [int(group) for group, *_ in rows]
    assert groups == sorted(groups)
    for side in (1, 2):
        of = {}
        for row in rows:
            assert of.setdefault(row[side], row[0]) == row[0]


def test_the_same_pairs_make_the_same_workbook(town, tmp_path):
    """Byte for byte, the samples too."""
    folder, files, *_ = town
    link_files(*files, tmp_path / "links.parquet", review=tmp_path / "核查.xlsx")
    assert (tmp_path / "核查.xlsx").read_bytes() == (folder / "核查.xlsx").read_bytes()


def test_what_a_department_wrote_stays_text(tmp_path):
    """A name that is a formula is shown, and is none."""
    a = "姓名,身份证号,行政村\n=1+1,990121198506153016,柳树村\n@SUM(A1),,柳树村\n"
    b = "姓名,身份证号,行政村\n+cmd,990121198506153016,柳树村\n@SUM(A1),,柳树村\n"
    for name, text in (("a.csv", a), ("b.csv", b)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    done = fupin(
        "link", tmp_path / "a.csv", tmp_path / "b.csv", "-o", tmp_path / "l.csv", "--review", tmp_path / "r.xlsx"
    )
    assert done.returncode == 0, done.stderr
    cells = [cell for sheet in openpyxl.load_workbook(tmp_path / "r.xlsx") for row in sheet.iter_rows() for cell in row]
    assert {"=1+1", "+cmd"} & {cell.value for cell in cells}
    assert not [cell for cell in cells if cell.data_type == "f"]


def test_answers_decide_their_pairs_and_say_how_good_the_links_are(town, tmp_path):
    """Precision and recall cover the truth; answered pairs are decided; the numbers reach scripts as JSON."""
    folder, files, linked, truth = town
    labels = answer(folder / "核查.xlsx", tmp_path / "答.xlsx", by(truth))
    words = (
        "link",
        *files,
        "-o",
        tmp_path / "l.parquet",
        "--labels",
        labels,
        "--json",
        "--save-model",
        tmp_path / "m.toml",
    )
    done = fupin(*words)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)["answers"]
    accepted = set(linked.links.filter(pl.col("decision") == "accepted").select(PAIR).rows())
    among = set(linked.links.select(PAIR).rows()) & truth
    assert told["precision"]["low"] <= len(accepted & truth) / len(accepted) <= told["precision"]["high"]
    assert told["recall"]["low"] <= len(accepted & among) / len(among) <= told["recall"]["high"]
    assert told["recall"]["low"] > 0.9
    after = pl.read_parquet(tmp_path / "l.parquet")
    asked = set(linked.links.filter(pl.col("decision") == "review").select(PAIR).rows())
    decided = {(r, e): d for r, e, d in after.select(*PAIR, "decision").rows() if (r, e) in asked}
    assert {d for pair, d in decided.items() if pair in truth} == {"accepted"}
    assert {d for pair, d in decided.items() if pair not in truth} <= {"rejected"}
    for word in ("precision", "recall", "calibration"):
        assert word in done.stderr
    again = link_files(*files, tmp_path / "again.parquet", model=tmp_path / "m.toml").links
    assert again.filter(pl.col("decision") == "accepted").height >= len(accepted)


def test_answers_move_the_weights_of_pairs_nobody_was_asked_about(town):
    """Learned from half of the answers, the weights fit the other half better than before."""
    _, _, linked, truth = town
    keys = [people.keys for people in linked.people]
    links = link_and_learn(*keys, MODEL).links
    true = pl.Series([pair in truth for pair in links.select(PAIR).rows()])
    doubtful = links["match_probability"].is_between(0.02, 0.98)
    half = links["register_row"] % 2 == 0
    moved = relearn(
        links.with_columns(pl.select(pl.when(half & doubtful).then(true)).to_series().alias("answer")),
        *keys,
        linked.model,
    )
    after = links.select(PAIR).join(link_and_learn(*keys, moved).links, on=PAIR, how="left", maintain_order="left")

    def surprise(probability):
        p = probability.filter(doubtful & ~half).fill_null(0.001).clip(1e-6, 1 - 1e-6)
        y = true.filter(doubtful & ~half)
        return -sum(math.log2(a if b else 1 - a) for a, b in zip(p, y, strict=True))

    assert surprise(after["match_probability"]) < surprise(links["match_probability"])


def test_no_answer_moves_nothing():
    """Without labels the model stays, to the last figure that counts."""
    keys = register(("王芳", A, "柳树村")), extract(("王方", A, "柳树村"))
    linked = link_and_learn(*keys, MODEL)
    unasked = linked.links.with_columns(pl.lit(None, pl.Boolean).alias("answer"))
    again = link_and_learn(*keys, relearn(unasked, *keys, linked.model)).links
    assert abs(again["match_weight"][0] - linked.links["match_weight"][0]) < 1e-5


A = number("99012119850615301")


def test_answers_that_contradict_each_other_name_both_rows(town, tmp_path):
    """One colleague says yes, the other no: an error with both places, and no name or number of anybody."""
    folder, files, _, _ = town
    one = answer(folder / "核查.xlsx", tmp_path / "甲.xlsx", lambda *_: YES)
    other = answer(folder / "核查.xlsx", tmp_path / "乙.xlsx", lambda *_: NO)
    done = fupin("link", *files, "-o", tmp_path / "l.parquet", "--labels", one, "--labels", other)
    assert done.returncode == 65
    for word in ("甲.xlsx", "乙.xlsx", "row ", "contradict"):
        assert word in done.stderr
    assert not (tmp_path / "l.parquet").exists()


def test_whoever_is_unsure_contradicts_nobody(town, tmp_path):
    """无法确定 beside 是同一人 is 是同一人."""
    one = answer(town[0] / "核查.xlsx", tmp_path / "甲.xlsx", lambda *_: UNSURE)
    other = answer(town[0] / "核查.xlsx", tmp_path / "乙.xlsx", lambda *_: YES)
    assert read_answers([one, other])["answer"].all()
    assert read_answers([one])["answer"].null_count() > 0


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda sheet, head: sheet.cell(5, head[ANSWER], "大概是"), "an answer is none of"),
        (lambda sheet, head: (sheet.cell(5, head[ANSWER], YES), sheet.cell(5, head[CHECK], "00000000")), "other rows"),
        (lambda sheet, _: sheet.delete_rows(4), "no review workbook"),
    ],
    ids=["a word of one's own", "rows of other files", "no header"],
)
def test_what_cannot_be_an_answer_is_refused(town, tmp_path, spoil, says):
    """Where it stands, why, and what to do; nobody is named."""
    folder, files, *_ = town
    workbook = openpyxl.load_workbook(folder / "核查.xlsx")
    for name in workbook.sheetnames[2:]:
        del workbook[name]
    spoil(workbook["待核"], head_of(workbook["待核"]))
    workbook.save(tmp_path / "r.xlsx")
    done = fupin("link", *files, "-o", tmp_path / "l.parquet", "--labels", tmp_path / "r.xlsx")
    assert done.returncode == 65
    assert says in done.stderr
    assert "try:" in done.stderr


@pytest.mark.parametrize(
    ("preset", "seed"), [("bench", 901), ("bench", 902), ("hard", 903), ("hard", 904), ("easy", 905)]
)
def test_expected_errors_cover_the_truth_without_labels(tmp_path, preset, seed):
    """What the probabilities promise holds on invented people, borrowed numbers, movers and all."""
    files = world(tmp_path, preset, seed, 30_000)
    links = link_files(*files, tmp_path / "l.parquet")
    truth = pl.read_parquet(tmp_path / "truth.parquet").select(PAIR)
    accepted = links.links.filter(pl.col("decision") == "accepted")
    right = accepted.join(truth, on=PAIR, how="semi").height
    expected = links.expected
    assert expected.false_share.low <= 1 - right / accepted.height <= expected.false_share.high
    assert expected.missed_share.low <= 1 - right / truth.height <= expected.missed_share.high
    assert expected.false_share.high < 0.01
    assert expected.missed_share.high < 0.1


def test_intervals_of_wilson():
    """Textbook figures; all of many is everything, all of few is a sample, none of any is nothing."""
    share = wilson(81, 263)  # Newcombe 1998, table I
    assert (round(share.low, 4), round(share.high, 4)) == (0.2553, 0.3662)
    assert wilson(200, 200).low > 0.98
    assert (wilson(300, 300, 300).low, wilson(300, 300, 300).high) == (1.0, 1.0)
    assert wilson(3, 3, 3) == wilson(3, 3)
    assert round(wilson(3, 3, 3).low, 4) == 0.4385
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)
    assert wilson(50, 100, 120).low > wilson(50, 100).low


def test_recall_counts_every_band_for_what_it_is():
    """A sample of the accepted stands for all of them: 1,000 of 1,000 right, and 50 of 100 in doubt are true."""
    bands = [("accepted", 1000, 200, 200), ("review", 100, 100, 50), ("rejected", 0, 0, 0)]
    links = pl.concat(
        pl.DataFrame({"decision": [name] * pairs}, schema={"decision": pl.String}).with_columns(
            pl.Series(
                "answer", [True] * right + [False] * (answered - right) + [None] * (pairs - answered), pl.Boolean
            ),
            pl.lit(0.9).alias("match_probability"),
        )
        for name, pairs, answered, right in bands
    )
    checked = audit(links)
    assert checked.precision.value == 1
    assert math.isclose(checked.recall.value, 1000 / 1050)
    assert 0.94 < checked.recall.low < checked.recall.value <= checked.recall.high < 0.96


def test_nothing_accepted_promises_nothing():
    """No share of none."""
    assert expected_errors(link_and_learn(register((None, None)), extract((None, None)), MODEL).links) is None


def test_samples_are_drawn_by_chance_and_keep_the_order():
    """The same rows each time, spread over the band."""
    band = pl.DataFrame({"n": range(10_000)})
    drawn = draw(band, 200)["n"]
    assert drawn.equals(draw(band, 200)["n"])
    assert drawn.is_sorted()
    assert 3000 < drawn.mean() < 7000
    assert draw(band.head(5), 200).height == 5


def test_clusters_are_connected_components():
    """A chain in any order is one; who is alone stays so."""
    pairs = pl.DataFrame({"a": [8, 2, 5, 0], "b": [9, 5, 8, 1]})
    found = clusters(pairs["a"].to_numpy(), pairs["b"].to_numpy(), 11)
    assert found.tolist() == [0, 0, 2, 3, 4, 2, 6, 7, 2, 2, 10]


def test_dedupe_finds_who_stands_twice(tmp_path):
    """Three rows of one person are one cluster; a number on two names is for a person to judge."""
    d = number("99012120010203456")
    rows = [("王芳", A), ("赵六", d), ("王芳", A), ("王芳", A), ("李国强", d), ("钱七", None)]
    (tmp_path / "a.csv").write_text(
        "姓名,身份证号,行政村\n" + "".join(f"{name},{code or ''},柳树村\n" for name, code in rows), encoding="utf-8"
    )
    done = fupin("dedupe", tmp_path / "a.csv", "-o", tmp_path / "d.parquet", "--review", tmp_path / "d.xlsx")
    assert done.returncode == 0, done.stderr
    found = pl.read_parquet(tmp_path / "d.parquet")
    assert found.select("row", "other_row", "decision", "cluster").rows() == [
        (0, 2, "accepted", 0), (0, 3, "accepted", 0), (1, 4, "review", None), (2, 3, "accepted", 0),
    ]  # fmt: skip
    assert "王芳" not in done.stderr + done.stdout
    assert openpyxl.load_workbook(tmp_path / "d.xlsx").sheetnames[1] == "待核"
    assert dedupe_file(tmp_path / "a.csv", None)[0].equals(found)
    shown = fupin("explain", "link:1:4", "--run", tmp_path / "d.parquet")
    assert re.search("name +different", shown.stdout)


def test_latin_headers_say_what_was_not_understood(tmp_path):
    """A column called id is not guessed to be an ID number; the summary says so, and what to type."""
    (tmp_path / "a.csv").write_text("name,id,sex,birth\nZhang Wei,1,M,1985-06-15\n", encoding="utf-8")
    done = fupin("link", tmp_path / "a.csv", tmp_path / "a.csv", "-o", tmp_path / "l.parquet")
    assert done.returncode == 0, done.stderr
    for words in ("name=name", "no column of ID numbers", "id, birth", "--profile FILE"):
        assert words in done.stderr
    (tmp_path / "b.csv").write_text("surname,given,dob\nZhang,Wei,1985-06-15\n", encoding="utf-8")
    done = fupin("link", tmp_path / "b.csv", tmp_path / "a.csv", "-o", tmp_path / "l.parquet")
    assert done.returncode == 65
    for words in ("姓名", "docs/sources.md", "fupin inspect"):
        assert words in done.stderr


def test_explain_a_link_of_a_file(town):
    """Field by field, in 80 columns, without colour and without anybody's name."""
    folder, _, linked, _ = town
    link = linked.links.filter(pl.col("basis") == "repaired_id").row(0, named=True)
    target = f"link:{link['register_row']}:{link['extract_row']}"
    done = fupin("explain", target, "--run", folder / "links.parquet", NO_COLOR="1")
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    for words in ("one fault away, by its check digit", "sum", "sure to be one person", "two at random", "█"):
        assert words in done.stdout
    wide = max(sum(2 if ord(c) > 0x2E7F else 1 for c in line) for line in done.stdout.splitlines())
    assert wide <= 80
    nobody = fupin("explain", "link:99999999:1", "--run", folder / "links.parquet")
    assert nobody.returncode == 2
    assert "no such pair" in nobody.stderr
    assert fupin("explain", "row:1", "--run", folder / "links.parquet").returncode == 2
    unmasked = fupin("explain", target, "--run", folder / "links.parquet", "--unmask")
    assert (unmasked.returncode, unmasked.stdout) == (2, ""), "there is nothing to unmask, and that is said"


def test_every_line_of_every_explanation_fits_a_terminal(town):
    """All links of a town, indented by four as `explain` does."""
    lines = {line for link in town[2].links.to_dicts() for line in waterfall(link)}
    assert max(sum(2 if ord(c) > 0x2E7F else 1 for c in line) for line in lines) <= 76


def test_explain_a_link_of_a_run(demo):
    """Both sides masked, whose row it is, and the sum."""
    link = pl.read_parquet(demo / "links.parquet").filter(pl.col("basis") == "repaired_id").row(0, named=True)
    done = fupin("explain", f"link:{link['register_row']}:{link['extract']}:{link['extract_row']}", "--run", demo)
    assert done.returncode == 0, done.stderr
    person = pl.read_parquet(demo / "persons.parquet").row(link["register_row"], named=True)
    assert person["name"] not in done.stdout
    assert f"{person['name'][0]}*" in done.stdout
    assert "sure to be one person" in done.stdout
    other = fupin("explain", f"link:{link['register_row']}:nowhere:1", "--run", demo)
    assert other.returncode == 2
    assert f"link:{link['register_row']}:" in other.stderr


def test_a_handful_of_answers_is_no_certainty(tmp_path):
    """Two pairs, both right: the shares have the width that two pairs have, and the words beside them say why."""
    people = (("王芳", "990121198506153016"), ("李伟", "990121197001011231"))
    for name in ("a.csv", "b.csv"):
        rows = "".join(f"{who},{number}\n" for who, number in people)
        (tmp_path / name).write_text("姓名,身份证号\n" + rows, encoding="utf-8")
    words = ("link", tmp_path / "a.csv", tmp_path / "b.csv", "-o", tmp_path / "l.csv")
    assert fupin(*words, "--review", tmp_path / "核查.xlsx").returncode == 0
    labels = answer(tmp_path / "核查.xlsx", tmp_path / "答.xlsx", lambda *_: YES)
    done = fupin(*words, "--labels", labels, "--json")
    told = json.loads(done.stdout)
    assert (told["answers"]["precision"]["value"], round(told["answers"]["precision"]["low"], 2)) == (1.0, 0.34)
    assert told["expected"]["false_share"]["high"] > 0.5
    assert done.stderr.count("so few say little") == 3
