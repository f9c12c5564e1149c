"""What must not happen to the files and the answers of people who review links."""

import openpyxl
import polars as pl
import pytest

from conftest import fupin
from fupin_cli.report.review_book import CHECK, NO, ROWS, YES
from test_review import PAIR, answer, by, head_of, town

__all__ = ["town"]


@pytest.mark.parametrize(
    "words",
    [
        ("-o", "e.csv"),
        ("-o", "l.csv", "--review", "r.xlsx"),
        ("-o", "l.csv", "--save-model", "e.csv"),
        ("-o", "l.parquet", "--save-model", "l.parquet"),
    ],
    ids=["the extract", "the register", "the model over the extract", "two outputs"],
)
def test_no_output_is_written_over_what_is_read(tmp_path, words):
    """Whoever mistypes a name keeps the department's file."""
    text = "姓名,身份证号,行政村\n王芳,990121198506153016,柳树村\n"
    (tmp_path / "e.csv").write_text(text, encoding="utf-8")
    book = openpyxl.Workbook()
    for row in (["姓名", "身份证号"], ["王芳", "990121198506153016"]):
        book.active.append(row)
    book.save(tmp_path / "r.xlsx")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    given = [tmp_path / word if "." in word else word for word in words]
    done = fupin("link", tmp_path / "r.xlsx", tmp_path / "e.csv", *given)
    assert done.returncode == 2
    assert "written over" in done.stderr
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert fupin("dedupe", tmp_path / "e.csv", "-o", tmp_path / "e.csv").returncode == 2
    assert (tmp_path / "e.csv").read_text(encoding="utf-8") == text


def test_a_workbook_with_answers_is_not_written_over(town, tmp_path):
    """Nor is any other workbook; one that nobody has answered may be written again."""
    folder, files, _, truth = town
    labels = answer(folder / "核查.xlsx", tmp_path / "答.xlsx", by(truth))
    before = labels.read_bytes()
    done = fupin("link", *files, "-o", tmp_path / "l.parquet", "--review", labels)
    assert (done.returncode, labels.read_bytes()) == (2, before)
    for words in ("answers, which would be lost", "--labels 答.xlsx"):
        assert words in done.stderr
    openpyxl.Workbook().save(tmp_path / "别的.xlsx")
    other = fupin("link", *files, "-o", tmp_path / "l.parquet", "--review", tmp_path / "别的.xlsx")
    assert other.returncode == 2
    assert "no review workbook" in other.stderr


def test_what_was_answered_is_not_asked_again(town, tmp_path):
    """All bands, the samples too; every answered pair stays in the links, and says so when it is explained."""
    folder, files, _, truth = town
    labels = answer(folder / "核查.xlsx", tmp_path / "答.xlsx", lambda r, e: NO if (r, e) not in truth else YES)
    links = tmp_path / "l.parquet"
    done = fupin("link", *files, "-o", links, "--labels", labels, "--review", tmp_path / "再核.xlsx")
    assert done.returncode == 0, done.stderr

    def asked(path):
        for sheet in openpyxl.load_workbook(path).worksheets[1:]:
            head = head_of(sheet)
            for row in range(5, sheet.max_row + 1):
                rows = [sheet.cell(row, head[name]).value for name in ROWS]
                if rows[0] is not None:
                    yield tuple(map(int, rows))

    first = set(asked(labels))
    assert not first & set(asked(tmp_path / "再核.xlsx"))
    after = pl.read_parquet(links)
    answered = after.drop_nulls("answer")
    assert set(answered.select(PAIR).rows()) == first
    refused = answered.filter(~pl.col("answer")).row(0, named=True)
    told = fupin("explain", f"link:{refused['register_row']}:{refused['extract_row']}", "--run", links)
    assert "answered: two people" in told.stdout


def test_answers_about_sorted_files_are_refused_though_their_pairs_are_no_candidates(town, tmp_path):
    """The same people in another order: every answer is about somebody else."""
    folder, files, _, truth = town
    labels = answer(folder / "核查.xlsx", tmp_path / "答.xlsx", by(truth))
    pl.read_parquet(files[1]).sort("name").write_parquet(tmp_path / "sorted.parquet")
    done = fupin("link", files[0], tmp_path / "sorted.parquet", "-o", tmp_path / "l.parquet", "--labels", labels)
    assert done.returncode == 65
    assert "other rows than these two files hold" in done.stderr


def test_a_sheet_that_lost_a_column_is_an_error(town, tmp_path):
    """Its answers would vanish without a word."""
    labels = answer(town[0] / "核查.xlsx", tmp_path / "答.xlsx", lambda *_: YES)
    workbook = openpyxl.load_workbook(labels)
    sheet = workbook["待核"]
    sheet.delete_cols(head_of(sheet)[CHECK])
    workbook.save(labels)
    done = fupin("link", *town[1], "-o", tmp_path / "l.parquet", "--labels", labels)
    assert done.returncode == 65
    for words in ("lost a column", CHECK, "待核"):
        assert words in done.stderr


def test_people_may_answer_in_their_own_words(town, tmp_path):
    """是, 不是 and 否 say what they mean."""
    said = iter(["是", "否", "不是"] * 1000)
    labels = answer(town[0] / "核查.xlsx", tmp_path / "答.xlsx", lambda *_: next(said))
    assert fupin("link", *town[1], "-o", tmp_path / "l.parquet", "--labels", labels).returncode == 0


def test_nothing_is_estimated_from_no_answers(town, tmp_path):
    """100 % of nothing is nothing to be copied into a report."""
    done = fupin("link", *town[1], "-o", tmp_path / "l.parquet", "--labels", town[0] / "核查.xlsx")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("cannot be told") == 2


def test_the_heads_name_is_told(tmp_path):
    """A list of heads alone is compared by their names."""
    (tmp_path / "a.csv").write_text("户主姓名,身份证号\n王芳,990121198506153016\n", encoding="utf-8")
    (tmp_path / "b.csv").write_text("姓名,身份证号\n王芳,990121198506153016\n", encoding="utf-8")
    done = fupin("link", tmp_path / "b.csv", tmp_path / "a.csv", "-o", tmp_path / "l.csv")
    assert "name=户主姓名" in done.stderr
    assert "only heads are named" in done.stderr


MEMBERS = (
    "户编号,户主,成员,身份证号,与户主关系,性别\n"
    "H1,王大山,王大山,990121196001011239,户主,男\n"
    "H1,王大山,李小花,990121196001011239,配偶,女\n"
    "制表：王某,审核：李某,,,,\n"
)


def test_the_heads_name_is_no_members_name(tmp_path):
    """Spouses of one number under a column 户主: only the head has that name; what looks like names and what to type is told."""
    (tmp_path / "a.csv").write_text(MEMBERS, encoding="utf-8")
    (tmp_path / "b.csv").write_text(
        "姓名,身份证号\n王大山,990121196001011239\n制表：王某,审核：李某\n", encoding="utf-8"
    )
    done = fupin("link", tmp_path / "a.csv", tmp_path / "b.csv", "-o", tmp_path / "l.csv")
    links = pl.read_csv(tmp_path / "l.csv")
    assert links.select("register_row", "decision").rows() == [(0, "accepted"), (1, "rejected")]
    assert "register a.csv: people 2" in done.stderr  # and the signatures below are nobody
    assert "extract b.csv: people 1" in done.stderr
    for words in (
        "no column of members' names",
        "rows without a name: 1",
        "like a name: 成员",
        'add "成员" to headers',
    ):
        assert words in done.stderr
    assert "no column of members' names" in fupin("dedupe", tmp_path / "a.csv").stderr


def test_several_of_a_household_under_one_heads_name_are_nameless(tmp_path):
    """Where rows do not say who they are, nobody knows which of a household is the head."""
    rows = (
        "户编号,户主,身份证号\nH1,王大山,990121196001011239\nH1,王大山,990121196001011239\nH2,赵六,990121197001011231\n"
    )
    (tmp_path / "a.csv").write_text(rows, encoding="utf-8")
    assert "rows without a name: 2" in fupin("dedupe", tmp_path / "a.csv").stderr
