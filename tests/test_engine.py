"""Stage functions say the same wherever they run; what travels to other computers arrives as it left."""

import pickle
import re
import sys
from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from conftest import examples, fupin
from fupin_cli import vocabulary
from fupin_cli.engine import Threads, packing, spark
from fupin_cli.engine.packing import as_rows, of_rows, pack, unpack
from fupin_cli.engine.place import Place
from fupin_cli.engine.troubles import in_words
from fupin_cli.engine.worker import FAILED, FILE, OTHER, REFUSED, SAID, Order, this_program
from fupin_cli.errors import BadDataError, ConfigurationError, InputMissingError
from fupin_cli.judged import judge_in_parts
from fupin_cli.language import speak, tr
from fupin_cli.rules.comparison import Comparison
from test_by_counties import packs, provinces

OF_EACH_KIND = {
    pl.String: ["张三", "", None], pl.Int64: [1, -(2**62), None], pl.Float64: [0.1, float("inf"), None], pl.Boolean: [True, False, None],
    pl.Date: [date(1900, 1, 1), date(2049, 12, 31), None], pl.Int8: [1, 2, None],
    pl.UInt32: [1, 2**32 - 1, None], pl.Binary: [b"\0", b"", None], pl.Null: [None, None, None],
}  # fmt: skip
SCHEMAS = [frame for frame in vars(vocabulary).values() if isinstance(frame, vocabulary.Frame)]


def filled(dtype: pl.DataType) -> pl.Series:
    """Three values of a type, one of them null."""
    if isinstance(dtype, pl.List):
        inner = filled(dtype.inner)
        return pl.Series([inner, inner.head(0), None], dtype=dtype)
    if isinstance(dtype, pl.Enum):
        return pl.Series([dtype.categories[0], dtype.categories[-1], None], dtype=dtype)
    if isinstance(dtype, pl.Struct):
        return pl.DataFrame({field.name: filled(field.dtype) for field in dtype.fields}).to_struct()
    if isinstance(dtype, pl.Categorical):
        return pl.Series(["柳树村", "下村", None], dtype=dtype)
    return pl.Series(OF_EACH_KIND[type(dtype)], dtype=dtype)


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda frame: frame.names[0])
def test_frames_of_every_vocabulary_arrive_as_they_left(schema):
    """Every dtype that a frame of ours may have, with nulls, and the same frame without a row."""
    frame = pl.DataFrame({name: filled(dtype) for name, dtype in schema.schema.items()})
    for each in (frame, frame.clear()):
        assert_frame_equal(unpack(pack(each)), each)
        assert unpack(pack(each)).schema == each.schema


def test_a_frame_travels_once_however_often_it_is_named():
    """What holds frames together is small, and two names of one frame are one frame again."""
    frame = pl.DataFrame({"x": range(10_000)})
    tagged = pack({"a": frame, "b": (frame, frame.head(3)), "none": pl.DataFrame()})
    assert sorted(tagged) == ["frame-0", "frame-1", "rest"]
    assert len(tagged["rest"]) < 500
    back = unpack(tagged)
    assert back["a"] is back["b"][0]
    assert back["none"].shape == (0, 0)


@given(rows=st.permutations(range(6)), sizes=st.lists(st.integers(0, 9), min_size=2, max_size=2))
@examples(20)
def test_rows_are_put_together_in_whatever_order_they_come(rows, sizes):
    """Two parts, cut into small pieces and shuffled, are what they were."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "CHUNK", 3)
        sent = {n: {"rest": bytes(range(size)), "frame-0": b""} for n, size in enumerate(sizes)}
        pieces = [row for n, tagged in sent.items() for row in as_rows(n, tagged.items())]
        assert all(len(data) <= 3 for *_, data in pieces)
        shuffled = sorted(pieces, key=lambda row: (rows[row[2]], row[1], -row[0]))
        assert of_rows(shuffled) == {n: dict(sorted(tagged.items())) for n, tagged in sent.items()}


class Elsewhere(Threads):
    """An engine as Spark is one, without Spark: parts, and what they say, are packed, and files are carried."""

    elsewhere = True

    def map(self, stage, shared, parts, folder):
        """What the executors' side makes of parts that share one partition, last part first."""
        order = Order(stage, Sent(pack(shared)), this_program())
        sent = [as_rows(nth, pack(part).items()) for nth, part in enumerate(parts)]
        told = carried(order, [row for rows in reversed(sent) for row in rows])
        for tagged in told.values():
            for name, data in tagged.items():
                if name.startswith(FILE):
                    (folder / name.removeprefix(FILE)).write_bytes(data)
            yield unpack({tag.removeprefix(SAID): data for tag, data in tagged.items() if tag.startswith(SAID)})


class Sent:
    """A broadcast."""

    def __init__(self, value):
        self.value = pickle.loads(pickle.dumps(value))


def carried(order, rows):
    """What an executor answers to these rows, by part and tag."""
    batches = (
        pl.DataFrame(rows, schema=packing.ROWS, orient="row")
        .to_arrow(compat_level=pl.CompatLevel.oldest())
        .to_batches()
    )
    answered = list(order(iter(batches)))
    assert all([str(t) for t in batch.schema.types] == ["int64", "string", "int64", "binary"] for batch in answered)
    return of_rows(tuple(row.values()) for batch in answered for row in batch.to_pylist())


@examples(2)
@given(world=provinces())
def test_judged_elsewhere_counties_say_what_they_say_here(world, tmp_path_factory):
    """The first part is judged here and every other one from what was packed for it: reports, findings, files are the same."""
    results = []
    for at_once, engine in ((10_000, Threads()), (1, Elsewhere())):
        folder = tmp_path_factory.mktemp("judged")
        inquiry = world.inquire(packs=packs(), jurisdiction="450121")
        results.append(judge_in_parts(inquiry, folder / "parts", at_once, keep=True, engine=engine))
        results[-1].write(folder)
    here, there = results
    assert (there.reports, there.lines) == (here.reports, here.lines)
    assert_frame_equal(there.findings, here.findings)
    for name in ("outcomes", "person_outcomes", "persons", "households"):
        one, other = ((judged.folder.parent / f"{name}.parquet").read_bytes() for judged in results)
        assert one == other, name


def test_what_nobody_asked_before_is_not_answered_from_nothing():
    """A part that is judged elsewhere has no rows of the others: to find out something of everybody there is refused."""
    empty = pl.DataFrame()
    whole = Comparison({}, empty, empty, empty, empty, frozenset(), empty, date(2019, 11, 30), ())
    assert whole.once("asked", lambda _: 1) == 1
    there = pickle.loads(pickle.dumps(whole.without_rows()))
    assert there.once("asked", lambda _: 2) == 1
    with pytest.raises(LookupError):
        there.once("not asked", lambda _: 2)


def spoiled(shared, part, folder):
    """A stage that fails, with a name in its words."""
    raise part(shared)


def doubled(shared, part, folder):
    """A stage that says something and leaves a file."""
    (folder / f"{part}.txt").write_text(f"{shared}{part}", encoding="utf-8")
    return 2 * part


def test_threads_keep_the_order_of_parts(tmp_path):
    """As many parts as there are, in their order, with their files."""
    assert list(Threads().map(doubled, "x", range(5), tmp_path)) == [0, 2, 4, 6, 8]
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{n}.txt" for n in range(5)]


@pytest.mark.parametrize("kind", [ValueError, TypeError, KeyError])
def test_a_failed_stage_is_told_without_its_words(kind):
    """The type and the line of ours come back, not what a cell said."""
    told = carried(
        Order(spoiled, Sent(pack("张三 990121198506153019")), this_program()), as_rows(0, pack(kind).items())
    )
    assert re.fullmatch(rf"{kind.__name__} \(engine/worker.py, \d+\)", told[0][FAILED].decode())


def test_what_we_refuse_there_is_refused_here_in_the_same_words():
    """A list that no profile knows: what, where and what to try, in the language of whoever typed the command."""
    refused = carried(Order(refusing, Sent(pack("名单.parquet")), this_program(), "zh"), as_rows(0, pack(None).items()))
    error = unpack({tag.removeprefix(REFUSED): data for tag, data in refused[0].items()})
    assert (type(error), error.where, error.try_) == (BadDataError, "名单.parquet", "人")
    speak("en")


def refusing(shared, part, folder):
    """A stage that refuses its part."""
    raise BadDataError("no", where=shared, try_=tr("persons"))


def test_a_disk_that_is_full_is_tried_again_elsewhere():
    """OSError goes to Spark, which runs the part on another executor; its words stay behind."""
    with pytest.raises(OSError, match="a part could not be worked on here"):
        carried(Order(spoiled, Sent(pack("张三")), this_program()), as_rows(0, pack(OSError).items()))


def test_another_program_works_on_nothing():
    """Executors with another version of fupin or Polars say which they have, and nothing else."""
    told = carried(Order(doubled, Sent(b""), "fupin 0.0.1"), as_rows(0, [("rest", b"no pickle")]))
    assert told == {0: {OTHER: this_program().encode()}}


# --- the command ---------------------------------------------------------------------------------------------------------


def test_without_pyspark_the_command_says_what_to_install(small, tmp_path, monkeypatch):
    """Exit code 78 and the extra's name, before anything is read."""
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    done = fupin("run", small, "-o", tmp_path / "run", "--engine", "spark")
    assert done.returncode == 78
    assert "pip install 'fupin-cli[spark]'" in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("version", "words"), [("3.2.4", "it takes 3.3 at least"), ("3.3.0", "Spark needs Java")])
def test_what_spark_needs_is_looked_for_first(monkeypatch, version, words):
    """A PySpark that has no mapInArrow, and a computer without Java."""
    monkeypatch.setattr(spark.importlib, "import_module", lambda _: type("Module", (), {"__version__": version}))
    monkeypatch.setattr(spark.shutil, "which", lambda _: None)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(ConfigurationError, match=words), spark.Spark("local[2]"):
        pass


@pytest.mark.parametrize("option", ["--master", "--scratch"])
def test_options_of_spark_need_spark(small, option):
    """Quietly to judge here what was meant for a cluster would be worse than to say so."""
    done = fupin("run", small, option, "local[2]")
    assert done.returncode == 2
    assert "--engine spark" in done.stderr


def said(text):
    return str(in_words(RuntimeError(text), "yarn"))


def test_what_spark_says_is_told_in_words_of_ours():
    """Each failure that a user can mend has its own words; of all others the kind is told, and no text of theirs."""
    assert "not installed where the executors' Python is" in said("ModuleNotFoundError: No module named 'fupin_cli'")
    assert "another version of Python" in said("[PYTHON_VERSION_MISMATCH] Python in worker has different version")
    assert "--scratch" in said("java.io.FileNotFoundException: File file:/tmp/x does not exist")
    asked = in_words(RuntimeError("[PATH_NOT_FOUND] Path does not exist: hdfs:/x"), "yarn", "hdfs:///x")
    assert (type(asked), asked.where) == (InputMissingError, "hdfs:///x")
    other = said("张三 990121198506153019")
    assert "RuntimeError" in other
    assert "张三" not in other


@pytest.mark.parametrize(("told", "seconds"), [(None, 120.0), ("600", 600.0), ("30s", 30.0)])
def test_how_long_nobody_need_work_is_spark_s_to_say(told, seconds):
    """A number of seconds in spark-defaults.conf; anything else is refused before it is waited for."""
    assert spark._seconds(told) == seconds
    with pytest.raises(ConfigurationError, match=r"try: spark\.fupin\.patience 600"):
        spark._seconds("an hour")


def test_a_disk_of_ours_or_any_other_hands_parts_over(tmp_path):
    """Without --scratch the run's own folder; a local one gets a folder of this run, removed with all that is in it."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.parquet").write_bytes(b"PAR1")
    beside = Place.of(None, None, tmp_path)
    beside.put(tmp_path / "in", "in")
    beside.get("in", tmp_path / "in")
    beside.remove()
    assert (tmp_path / "in" / "a.parquet").exists()
    shared = Place.of(None, f"file://{tmp_path}/shared", tmp_path)
    shared.put(tmp_path / "in", "in")
    shared.get("in", tmp_path / "back")
    assert (tmp_path / "back" / "a.parquet").read_bytes() == b"PAR1"
    assert shared.name("out").startswith(f"file://{tmp_path}/shared/fupin-")
    shared.remove()
    assert not any((tmp_path / "shared").iterdir())
    assert Place.of(None, "hdfs:///tmp/", tmp_path).name("in").startswith("hdfs:///tmp/fupin-")
