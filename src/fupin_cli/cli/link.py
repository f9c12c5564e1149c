"""fupin link: two files, no project."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from fupin_cli.cli.console import password_from, progress
from fupin_cli.cli.engines import cluster, engine_options
from fupin_cli.cli.pairs_refused import refuse_no_workbook, refuse_overwriting, refuse_suffix
from fupin_cli.engine.place import uri_of
from fupin_cli.errors import UsageError
from fupin_cli.language import tr
from fupin_cli.pairing import link_files, link_on_cluster, read_one_bucket


class Part(click.ParamType[tuple[int, int]]):
    """K/N: one bucket of so many, counted from 0."""

    name = "K/N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Both numbers, or a complaint that says how they are written."""
        if isinstance(value, tuple):
            return value
        told = re.fullmatch(r"(\d{1,5})/(\d{1,5})", str(value).strip())
        if told is None or not int(told[1]) < int(told[2]):
            self.fail(
                tr("{value!r} is no bucket; of 64 the first is --bucket 0/64, the last 63/64", value=value), param, ctx
            )
        return int(told[1]), int(told[2])


@click.command("link")
@click.argument("register", type=click.Path(path_type=Path))
@click.argument("extract", type=click.Path())
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="links.parquet, or .csv to open in Excel",
)
@click.option(
    "--profile", "profiles", type=click.Path(path_type=Path), multiple=True,
    help="source profile; twice: the register's, then the extract's",
)  # fmt: skip
@click.option("--model", type=click.Path(path_type=Path), help="match weights [shipped defaults]")
@click.option("--save-model", type=click.Path(path_type=Path), help="write what was learned, for --model")
@click.option("--review", type=click.Path(path_type=Path), help="write the workbook for people to answer (.xlsx)")
@click.option(
    "--labels", type=click.Path(path_type=Path), multiple=True,
    help="an answered review workbook; may be repeated",
)  # fmt: skip
@click.option("--bucket", type=Part(), help="only read bucket K of N, from 0 on, into the folder -o")
@click.option("--buckets", type=click.Path(path_type=Path), help="link the buckets in this folder")
@engine_options
@click.option("--json", "as_json", is_flag=True, help="print the summary to stdout as JSON")
@click.option("-q", "--quiet", is_flag=True, help="no summary")
def command(
    register: Path, extract: str, output: Path, profiles: tuple[Path, ...], model: Path | None, save_model: Path | None,
    review: Path | None, labels: tuple[Path, ...], bucket: tuple[int, int] | None, buckets: Path | None,
    engine: str, master: str | None, scratch: str | None, *, as_json: bool, quiet: bool,
) -> int:  # fmt: skip
    """Link the people of two files, without a project.

    Headers are recognised by the shipped profiles. Each row of the output is a pair: register_row and extract_row (0-based
    data rows after the header), match_weight in bits, match_probability, decision, basis, tied, and what each field adds.

    Pairs in doubt are for people to decide: --review writes them as a workbook, with samples of the others; --labels reads
    it back. The answers decide their pairs, move the weights, and say how good the links are: precision, recall, calibration.

    \b
    Examples:
      fupin link 台账.xlsx 低保.xls -o links.parquet
      fupin link 台账.xlsx 低保.xls -o links.parquet --review 核查.xlsx
      fupin link 台账.xlsx 低保.xls -o links.parquet --labels 核查.xlsx --save-model 本县.toml
      fupin link a.parquet b.parquet -o links.parquet --profile people.toml

    EXTRACT may be a folder of Parquet files, as a platform writes them. Such a list can be read in buckets, by as many programs
    on as many computers, and linked when all are there; links are the same (docs/spark.md).

    \b
      fupin link 台账.parquet 户籍/ --bucket 0/64 -o 分桶     and so on, to 63/64
      fupin link 台账.parquet 户籍/ --buckets 分桶 -o links.parquet
      fupin link 台账.parquet hdfs:///户籍 --engine spark --master yarn -o links.parquet
    """
    theirs, there = Path(extract), cluster(engine, master, scratch)
    if there is None and "://" in extract:
        raise UsageError(
            tr("only a cluster knows such an address"), where=extract, try_=tr("the same command with --engine spark")
        )
    elsewhere = {"--buckets": buckets, "--review": review, "--labels": labels}
    if bucket:
        _refuse(
            elsewhere | {"--engine": there, "--model": model, "--save-model": save_model, "--json": as_json}, "--bucket"
        )
        with progress(quiet=quiet) as say:
            kept = read_one_bucket(register, theirs, output, *bucket, profiles=profiles, say=say)
        if not quiet:
            click.echo(f"→ {kept}", err=True)
            click.echo(
                tr("next: the other buckets; then the same command with --buckets {folder}", folder=output), err=True
            )
        return 0
    refuse_suffix(output)
    refuse_no_workbook(review)
    refuse_overwriting([register, theirs, *profiles, model, *labels], [output, review, save_model])
    if there is None:
        with progress(quiet=quiet) as say:
            linked = link_files(
                register, theirs, output, profiles=profiles, model=model, labels=labels, review=review,
                save_model=save_model, buckets=buckets, say=say, ask=password_from(),
            )  # fmt: skip
    else:
        _refuse(elsewhere, "--engine spark")
        with there as spark, progress(quiet=quiet) as say:
            linked = link_on_cluster(
                register, extract if "://" in extract else uri_of(theirs), output, spark, profiles=profiles, model=model,
                save_model=save_model, say=say, ask=password_from(),
            )  # fmt: skip
    if quiet and not as_json:
        return 0
    from fupin_cli.cli import pairs_shown as shown  # noqa: PLC0415 - tables load slower than a small file is linked

    if as_json:
        click.echo(json.dumps(shown.summary(linked, register, theirs, output), ensure_ascii=False, indent=2))
    if not quiet:
        shown.show_people(tr("register"), register, linked.people[0])
        shown.show_people(tr("extract"), theirs, linked.people[1])
        if register.exists() and theirs.exists() and register.samefile(theirs):
            click.echo(tr("this is one file twice; to find duplicates: fupin dedupe"), err=True)
        shown.show_pairs(linked.links, output)
        shown.show_quality(linked)
        if review:
            click.echo(tr("to be answered: {review}", review=review), err=True)
    return 0


def _refuse(options: Mapping[str, object], with_: str) -> None:
    """What a bucket alone, or a list that lies elsewhere, cannot give is not quietly left aside."""
    for option, value in options.items():
        if value:
            raise UsageError(
                tr("{option} does not go with {other}", option=option, other=with_),
                try_=tr("the same command without {option}", option=option),
            )
