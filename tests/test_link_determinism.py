"""The same people give the same links, byte for byte, in whatever order their rows stand and on however many threads."""

import polars as pl
import pytest

from conftest import fupin_process
from fupin_cli.synth import PRESETS, generate

PAIR = ["register_row", "extract_row"]
KIND = "household_registration"


@pytest.fixture(scope="module")
def linked(tmp_path_factory):
    """A folder with both files, their links, and the model that was learned from them."""
    folder = tmp_path_factory.mktemp("world")
    generate(
        folder, seed=77, persons=20_000, errors=PRESETS["bench"], registered_share=0.3, absent_share=0.2, unlisted_share=0.2,
        discrepancies=0.0, kinds=[KIND],
    )  # fmt: skip
    link(folder, folder, POLARS_MAX_THREADS="1", PYTHONHASHSEED="1")
    return folder


def link(files, into, **environment):
    """Links the two files of one folder into another, as a process."""
    done = fupin_process(
        "link", files / "register.parquet", files / f"{KIND}.parquet", "-o", into / "links.parquet",
        "--save-model", into / "model.toml", **environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("threads", ["2", pytest.param("5", marks=pytest.mark.slow)])
def test_threads_change_no_byte(linked, tmp_path, threads):
    """Sums in another order, tables in other pieces: the same links and the same model."""
    link(linked, tmp_path, POLARS_MAX_THREADS=threads, PYTHONHASHSEED="7")
    for name in ("links.parquet", "model.toml"):
        assert (tmp_path / name).read_bytes() == (linked / name).read_bytes()


def test_the_order_of_rows_changes_nothing(linked, tmp_path):
    """Both files shuffled: with rows numbered as before, every link is what it was, to the last digit of its weight."""
    orders = []
    for seed, name in enumerate(("register", KIND)):
        rows = (
            pl.read_parquet(linked / f"{name}.parquet")
            .with_row_index("_was")
            .sample(fraction=1, shuffle=True, seed=seed)
        )
        orders.append(rows["_was"].cast(pl.Int64))
        rows.drop("_was").write_parquet(tmp_path / f"{name}.parquet")
    link(tmp_path, tmp_path)
    shuffled = pl.read_parquet(tmp_path / "links.parquet")
    back = shuffled.with_columns(order[shuffled[row]].alias(row) for order, row in zip(orders, PAIR, strict=True)).sort(
        PAIR
    )
    assert back.equals(pl.read_parquet(linked / "links.parquet").sort(PAIR))
    assert (tmp_path / "model.toml").read_bytes() == (linked / "model.toml").read_bytes()
