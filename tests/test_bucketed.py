"""A list that was read in buckets, by programs that know nothing of each other, is linked as the list read at once."""

import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import examples, fupin
from fupin_cli.bucketed import join_buckets
from fupin_cli.errors import BadDataError, InputMissingError, UsageError
from fupin_cli.ingest.pieces import read_pieces
from fupin_cli.linkage import frequency, reach
from fupin_cli.pairing import link_files, read_one_bucket
from linkage_world import number
from list_world import LINKED, long_list


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A register and a list, and the links of both."""
    return long_list(tmp_path_factory.mktemp("world"))


def linked(world, extract, folder, buckets):
    """The bytes of links and model, where the list was read in these buckets and linked afterwards."""
    for nth, of in buckets:
        read_one_bucket(world / "register.parquet", extract, folder / "kept", nth, of)
    asked = {"buckets": folder / "kept", "save_model": folder / "model.toml"}
    link_files(world / "register.parquet", extract, folder / "links.parquet", **asked)
    return [(folder / name).read_bytes() for name in LINKED]


@pytest.mark.parametrize("of", [1, 3, 8])
def test_buckets_of_one_file_are_linked_as_the_file(world, tmp_path, of):
    """However many buckets of equally many rows, read in whatever order: links and model are the same bytes."""
    whole = [(world / name).read_bytes().replace(b"list.parquet", b"") for name in LINKED]
    buckets = [(nth, of) for nth in reversed(range(of))]
    assert [
        told.replace(b"list.parquet", b"") for told in linked(world, world / "list.parquet", tmp_path, buckets)
    ] == whole


@pytest.mark.parametrize("hive", [True, False], ids=["bucket=K", "plain files"])
def test_a_folder_is_linked_as_its_rows_in_order(world, tmp_path, hive):
    """Rows that a platform dealt out to buckets, by whatever it likes, some of them empty: as the same rows in one file."""
    rows = pl.read_parquet(world / "list.parquet").with_row_index("_n")
    rows = rows.with_columns((pl.col("_n") * 7919 % 1009 % 4).alias("_b")).sort("_b", "_n")
    extract = tmp_path / "list"
    for (bucket,), part in rows.drop("_n").partition_by("_b", as_dict=True, include_key=False).items():
        into = extract / (f"bucket={bucket + bucket // 2}" if hive else ".")  # there is no bucket 2
        into.mkdir(parents=True, exist_ok=True)
        for n, piece in enumerate(part.iter_slices(1 + part.height // 2)):
            piece.write_parquet(into / f"part-{bucket}-{n}.parquet")
    (extract / "_SUCCESS").touch()
    rows.drop("_n", "_b").write_parquet(tmp_path / "list.parquet")
    (tmp_path / "one").mkdir()
    register = world / "register.parquet"
    for of_what, into in ((tmp_path / "list.parquet", "one"), (extract, "one/folder")):
        (tmp_path / into).mkdir(exist_ok=True)
        link_files(register, of_what, tmp_path / into / "links.parquet")
    links = (tmp_path / "one" / "links.parquet").read_bytes()
    assert (tmp_path / "one" / "folder" / "links.parquet").read_bytes() == links
    assert linked(world, extract, tmp_path, [(nth, 5) for nth in range(5)])[0] == links


@examples(10)
@given(cuts=st.lists(st.integers(0, 40), max_size=4).map(sorted), most=st.sampled_from([7, 1000]))
def test_parts_of_any_size_are_linked_as_the_whole(cuts, most):
    """Also where names are counted in a sample only: the same near ones, strangers and sample, in the same order."""
    codes = pl.Series("code", [n * 37 % 101 for n in range(40)])
    people = pl.DataFrame(
        {"code": codes.cast(pl.Int64), "digits": [None] * 40, "birth": [None] * 40, "birth_in_id": [None] * 40}
    )
    people = (
        people.cast({"digits": pl.String, "birth": pl.Date, "birth_in_id": pl.Date})
        .with_row_index("at")
        .cast({"at": pl.Int64})
    )
    register = people.filter(pl.col("at") % 3 == 0)
    parts = [people[first:last] for first, last in zip([0, *cuts], [*cuts, 40], strict=True)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frequency, "COUNT_ALL", most)
        whole = reach.part_strangers(people, register)
        told = reach.part_buckets([lambda part=part: part for part in parts], 40, register)
    assert told.near.equals(whole.near)
    assert told.counted.equals(whole.counted)
    met = [pl.concat([call() for call in each.strangers])["row"] for each in (told, whole)]
    assert met[0].equals(met[1])


# --- what is refused -----------------------------------------------------------------------------------------------------


@pytest.fixture
def few(tmp_path):
    """A list of three people in one file, and the folder of its two buckets."""
    rows = {"姓名": ["张三", "李四", "王五"], "身份证号": [number(f"9901211985061530{n}") for n in range(3)]}
    pl.DataFrame(rows).write_parquet(tmp_path / "名单.parquet")
    for nth in range(2):
        read_one_bucket(tmp_path / "名单.parquet", tmp_path / "名单.parquet", tmp_path / "kept", nth, 2)
    return tmp_path


def joined(few):
    return join_buckets(few / "名单.parquet", few / "kept", ["fupin", "link", "台账.parquet", "名单.parquet"])


def test_a_bucket_that_is_not_there_is_named_with_its_command(few):
    """So that one task of many, which failed, can be done again."""
    (few / "kept" / "bucket-00001-of-00002.parquet").unlink()
    with pytest.raises(InputMissingError, match="--bucket 1/2"):
        joined(few)


def test_a_list_that_has_changed_is_not_linked_from_old_buckets(few):
    """One more row: every bucket is of another list."""
    pl.DataFrame(
        {"姓名": ["张三"], "身份证号": [None]}, schema={"姓名": pl.String, "身份证号": pl.String}
    ).write_parquet(few / "名单.parquet")
    with pytest.raises(BadDataError, match="the list has changed since"):
        joined(few)


def test_a_list_in_another_order_is_not_linked_from_old_buckets(few):
    """As many rows under the same name, which stand elsewhere now: links would lead to other people."""
    rows = pl.read_parquet(few / "名单.parquet")
    rows.reverse().write_parquet(few / "名单.parquet")
    with pytest.raises(BadDataError, match="the list has changed since") as told:
        joined(few)
    assert "to be made again: 0, 1 of 2" in str(told.value)


def test_only_buckets_whose_files_changed_are_made_again(tmp_path):
    """A platform has written one of its files anew; all that must be read again are named at once."""
    for n, names in enumerate((["张三"], ["李四", "王五"], ["赵六"])):
        (tmp_path / "list" / f"bucket={n}").mkdir(parents=True)
        pl.DataFrame({"姓名": names}).write_parquet(tmp_path / "list" / f"bucket={n}" / "a.parquet")
    for n in range(3):
        read_one_bucket(tmp_path / "list" / "bucket=0" / "a.parquet", tmp_path / "list", tmp_path / "kept", n, 3)
    pl.DataFrame({"姓名": ["王五", "李四"]}).write_parquet(tmp_path / "list" / "bucket=1" / "a.parquet")
    with pytest.raises(BadDataError, match="to be made again: 1 of 3"):
        join_buckets(tmp_path / "list", tmp_path / "kept", ["fupin"])
    for n in (0, 2):
        (tmp_path / "kept" / f"bucket-0000{n}-of-00003.parquet").unlink()
    with pytest.raises(InputMissingError, match="these are not there: 0, 2"):
        join_buckets(tmp_path / "list", tmp_path / "kept", ["fupin"])
    (tmp_path / "kept" / "bucket-00001-of-00003.parquet").unlink()
    with pytest.raises(InputMissingError, match="--bucket 0/3"):
        join_buckets(tmp_path / "list", tmp_path / "kept", ["fupin"])


def test_an_address_of_a_cluster_asks_for_the_engine(few):
    """No file of this computer begins so."""
    done = fupin("link", few / "名单.parquet", "hdfs:///data/hukou", "-o", few / "links.parquet")
    assert done.returncode == 2
    assert "--engine spark" in done.stderr


def test_buckets_of_another_program_are_made_again(few, monkeypatch):
    """Two programs need not clean a name alike."""
    monkeypatch.setattr("fupin_cli.bucketed._program", lambda: "fupin 9")
    with pytest.raises(BadDataError, match="another version of the program"):
        joined(few)


def test_buckets_of_two_profiles_are_not_mixed(few):
    """What one takes for a name the other may take for something else."""
    path = few / "kept" / "bucket-00001-of-00002.parquet"
    told = json.loads(pl.read_parquet_metadata(path)["fupin"]) | {"columns": [["name", "姓名"]]}
    pl.read_parquet(path).write_parquet(path, metadata={"fupin": json.dumps(told)})
    with pytest.raises(BadDataError, match="another profile than the first one"):
        joined(few)


def test_two_divisions_in_one_folder_are_refused(few):
    """Nobody can tell which is meant."""
    read_one_bucket(few / "名单.parquet", few / "名单.parquet", few / "kept", 0, 3)
    with pytest.raises(InputMissingError, match="several divisions"):
        joined(few)


def test_any_file_in_the_folder_is_no_bucket(few):
    """A file of that name that we have not written."""
    pl.DataFrame({"x": [1]}).write_parquet(few / "kept" / "bucket-00000-of-00002.parquet")
    with pytest.raises(BadDataError, match="this is no bucket of ours"):
        joined(few)


def test_more_folders_than_buckets_asked_for_are_refused(tmp_path):
    """Rows of bucket=4 would be in none of three buckets."""
    (tmp_path / "list" / "bucket=4").mkdir(parents=True)
    pl.DataFrame({"姓名": ["张三"]}).write_parquet(tmp_path / "list" / "bucket=4" / "a.parquet")
    with pytest.raises(UsageError, match="--bucket 0/5"):
        read_pieces(tmp_path / "list", None, (0, 3))
    pl.DataFrame({"姓名": ["张三"]}).write_parquet(tmp_path / "list" / "b.parquet")
    with pytest.raises(BadDataError, match="some files lie in folders bucket=K") as astray:
        read_pieces(tmp_path / "list", None)
    assert "list/b.parquet" in str(astray.value)
    (tmp_path / "list" / "bucket=5").mkdir()
    with pytest.raises(InputMissingError, match="no Parquet file") as empty:
        read_pieces(tmp_path / "list" / "bucket=5", None)
    assert "try: " in str(empty.value)


def test_every_table_in_the_folder_is_read_or_named(tmp_path):
    """Windows writes suffixes as it likes; a workbook among the files would be left out without a word; notes are none."""
    for name in ("a.parquet", "HUKOU.PARQUET"):
        pl.DataFrame({"姓名": ["张三"]}).write_parquet(tmp_path / name)
    for name in ("_SUCCESS", ".part.csv", "说明.md"):
        (tmp_path / name).touch()
    assert dict(read_pieces(tmp_path, None).files) == {"a.parquet": 1, "HUKOU.PARQUET": 1}
    (tmp_path / "二月.XLSX").touch()
    with pytest.raises(UsageError, match="which would not be read") as told:
        read_pieces(tmp_path, None)
    assert "二月.XLSX" in str(told.value)


def test_files_of_one_folder_have_the_same_columns(tmp_path):
    """A file without a column that the first one has is another kind of table."""
    pl.DataFrame({"姓名": ["张三"], "村": ["下村"]}).write_parquet(tmp_path / "a.parquet")
    pl.DataFrame({"姓名": ["张三"]}).write_parquet(tmp_path / "b.parquet")
    with pytest.raises(BadDataError, match="not the columns of the first one"):
        read_pieces(tmp_path, None)


def test_a_list_that_must_be_seen_at_once_is_not_read_in_buckets(tmp_path):
    """ID numbers printed from floats: which digits are lost is told from all of them."""
    rows = {"姓名": ["张三", "李四"], "身份证号": [f"{number('99012119850615301')}.0", "99012119850615302X"]}
    pl.DataFrame(rows).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(BadDataError, match="must be seen all at once"):
        read_one_bucket(tmp_path / "a.parquet", tmp_path / "a.parquet", tmp_path / "kept", 0, 1)
    (tmp_path / "a.csv").write_text("姓名,身份证号\n张三,1\n", encoding="utf-8")
    with pytest.raises(UsageError, match="only Parquet"):
        read_one_bucket(tmp_path / "a.parquet", tmp_path / "a.csv", tmp_path / "kept", 0, 1)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--bucket", "2/2"], "of 64 the first is --bucket 0/64"),
        (["--bucket", "0/2", "--json"], "--json does not go with --bucket"),
        (["--bucket", "0/2", "--buckets", "kept"], "--buckets does not go with --bucket"),
        (["--buckets", "kept", "--review", "r.xlsx"], "--review does not go with buckets"),
        (["--buckets", "kept", "--review", "r.xlsx"], "the same command without --buckets"),
        (["--buckets", "kept"], "there are no buckets here"),
    ],
)
def test_words_that_mean_nothing_are_refused(few, words, told):
    """What a bucket cannot give is not quietly left aside."""
    done = fupin("link", few / "名单.parquet", few / "名单.parquet", "-o", few / "links.parquet", *words)
    assert done.returncode in (2, 66)
    assert told in done.stderr


def test_a_register_typed_wrong_is_told_with_the_first_bucket(few):
    """Not when sixty-four of them are made."""
    done = fupin("link", few / "台帐.parquet", few / "名单.parquet", "-o", few / "again", "--bucket", "0/2")
    assert done.returncode == 66
    assert "台帐.parquet" in done.stderr
    assert not (few / "again").exists()


def test_the_commands_as_they_are_typed(few):
    """Two tasks and the one that links: who was read is told as ever."""
    register = few / "台账.parquet"
    pl.read_parquet(few / "名单.parquet").head(2).write_parquet(register)
    for nth in range(2):
        done = fupin("link", register, few / "名单.parquet", "--bucket", f"{nth}/2", "-o", few / "again")
        assert done.returncode == 0, done.stderr
        assert f"bucket-0000{nth}-of-00002.parquet" in done.stderr
    links = few / "links.parquet"
    done = fupin("link", register, few / "名单.parquet", "--buckets", few / "again", "-o", links, "--json", "-q")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["extract"] == {"file": "名单.parquet", "people": 3}
    assert pl.read_parquet(links).filter(pl.col("decision") == "accepted")["extract_row"].to_list() == [0, 1]
