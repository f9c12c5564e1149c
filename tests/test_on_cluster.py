"""A list that is read file by file where it lies is linked as the list read at once; only rows that matter come here."""

from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest

from conftest import fupin
from fupin_cli.engine.master import refuse_wrong_master
from fupin_cli.engine.packing import as_rows, pack, unpack
from fupin_cli.engine.worker import FILE, SAID, Order, this_program
from fupin_cli.errors import BadDataError, UsageError
from fupin_cli.ingest import load_profiles
from fupin_cli.on_cluster import read_there
from fupin_cli.pairing import link_on_cluster
from fupin_cli.project import shipped_rules
from linkage_world import number
from list_world import long_list
from test_engine import Sent, carried


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A register and a list, and the links of both."""
    return long_list(tmp_path_factory.mktemp("world"))


KINDS = load_profiles([shipped_rules() / "sources"])


class There:
    """A cluster without Spark: files are carried to an executor's side, which keeps what it made of them."""

    def __init__(self):
        self.came = 0

    def list_there(self, uri):
        """As Hadoop calls them, in no order."""
        root = Path(uri.removeprefix("file://"))
        return (
            [f"file:{path}" for path in sorted(root.rglob("*.parquet"), reverse=True)]
            if root.is_dir()
            else [f"file:{root}"]
        )

    @contextmanager
    def keep(self, stage, shared, files, folder):
        """The first stage on every file, all of them in one partition."""
        paths = [(Path(path.removeprefix("file:")), name) for path, name in files.names.items()]
        rows = [(nth, FILE + name, 0, path.read_bytes()) for nth, (path, name) in enumerate(paths)]
        kept = carried(Order(stage, Sent(pack(shared)), this_program()), rows)
        yield Left(self, kept)

    def said(self, kept):
        """What comes back of each part."""
        told = [
            {tag.removeprefix(SAID): data for tag, data in tagged.items() if tag.startswith(SAID)}
            for tagged in kept.values()
        ]
        said = [unpack(tagged) for tagged in told]
        self.came += sum(rows.height for each in said for rows in (each if isinstance(each, tuple) else [each.near]))
        return said


class Left:
    """What the first stage left."""

    def __init__(self, there, kept):
        self._there, self._kept, self.said = there, kept, there.said(kept)

    def map(self, stage, shared):
        """The second stage, on the files alone."""
        rows = [
            row
            for nth, tagged in self._kept.items()
            for row in as_rows(nth, [(t, d) for t, d in tagged.items() if t.startswith(FILE)])
        ]
        return self._there.said(carried(Order(stage, Sent(pack(shared)), this_program()), rows))


def linked(there, world, root, target):
    link_on_cluster(world / "register.parquet", f"file://{root}", target, there, save_model=target.with_suffix(".toml"))
    return target.read_bytes()


def test_files_that_stay_where_they_are_are_linked_as_the_list(world, tmp_path):
    """Files of three buckets and the same rows in one file, empty rows at the end and two people in a row: the same links."""
    rows = pl.read_parquet(world / "list.parquet")
    for n, (bucket, part) in enumerate([("10", rows[3000:]), ("2", rows[500:3000]), ("0", rows[:500])]):
        (tmp_path / "户籍" / f"bucket={bucket}").mkdir(parents=True)
        part.write_parquet(tmp_path / "户籍" / f"bucket={bucket}" / f"{n}.parquet")
    whole = (world / "links.parquet").read_bytes()
    assert linked(There(), world, world / "list.parquet", tmp_path / "a.parquet") == whole
    assert linked(There(), world, tmp_path / "户籍", tmp_path / "b.parquet") == whole
    assert (tmp_path / "a.toml").read_bytes() == (world / "model.toml").read_bytes()


def test_of_a_long_list_of_strangers_little_comes_back(world, tmp_path, monkeypatch):
    """Of people of another province one in twenty has a birth date and an order in common with somebody, or is in the sample."""
    monkeypatch.setattr("fupin_cli.linkage.frequency.COUNT_ALL", 1000)
    rows = pl.read_parquet(world / "list.parquet").drop_nulls("id_number")
    rows = rows.filter(pl.col("id_number").str.contains(r"^\d{17}[\dX]$"))
    ids = pl.Series("id_number", [number(f"65{known[2:17]}") for known in rows["id_number"]])
    far = rows.with_columns(ids, pl.lit("买买提·艾力").alias("name"))
    came = []
    for times in (1, 10):
        folder = tmp_path / str(times)
        folder.mkdir()
        rows.write_parquet(folder / "0.parquet")
        for n in range(times):
            far.with_columns(
                pl.lit(f"新疆{n}村").alias("address"), pl.lit(None, pl.String).alias("hukou_no")
            ).write_parquet(folder / f"{n + 1}.parquet")
        there = There()
        linked(there, world, folder, tmp_path / f"{times}.parquet")
        came.append(there.came)
    assert came[1] - came[0] < 9 * far.height / 20


def test_files_of_two_kinds_are_refused(tmp_path):
    """Where one has a column by which people are known, and the other has not."""
    pl.DataFrame({"姓名": ["张三"], "身份证号": ["1"]}).write_parquet(tmp_path / "a.parquet")
    pl.DataFrame({"姓名": ["张三"], "身份证号": ["1"], "性别": ["男"]}).write_parquet(tmp_path / "b.parquet")
    asked = (There(), f"file://{tmp_path}", KINDS, pl.DataFrame(schema={"code": pl.Int64}), tmp_path)
    with pytest.raises(BadDataError, match="not the columns of the first one"), read_there(*asked):
        pass


@pytest.mark.parametrize("option", ["--buckets", "--review", "--labels", "--bucket"])
def test_what_a_list_elsewhere_cannot_give_is_refused(tmp_path, monkeypatch, option):
    """People compare by eye what is here; buckets are another way."""
    value = {"--bucket": "0/2", "--review": "r.xlsx"}.get(option, tmp_path)
    done = fupin(
        "link", tmp_path / "a.parquet", "hdfs:///b", "-o", tmp_path / "l.parquet", "--engine", "spark", option, value
    )
    assert done.returncode == 2
    assert "does not go with" in done.stderr


@pytest.mark.parametrize("master", ["sprak://host:7077", "spark://host", "spark://", "loacl[2]", "local[", "YARN"])
def test_an_address_typed_wrong_is_told_before_anything_is_read(master):
    """By its form; whether anybody answers there shows when the session begins."""
    with pytest.raises(UsageError, match=r"--master with one of"):
        refuse_wrong_master(master)


@pytest.mark.parametrize(
    "master",
    [
        "local",
        "local[*]",
        "local-cluster[2,1,1024]",
        "yarn",
        "k8s://https://host:1",
        "spark://a:7077",
        "spark://a:1,[::1]:2",
    ],
)
def test_every_address_that_spark_knows_is_taken(master):
    """One computer, a standby master, other people's clusters."""
    refuse_wrong_master(master)
