"""fupin link: two files, no project."""

from __future__ import annotations

import json
from pathlib import Path

import click

from fupin_cli.cli.console import password_from, progress
from fupin_cli.cli.pairs_refused import refuse_no_workbook, refuse_overwriting, refuse_suffix
from fupin_cli.pairing import link_files


@click.command("link")
@click.argument("register", type=click.Path(path_type=Path))
@click.argument("extract", type=click.Path(path_type=Path))
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
@click.option("--json", "as_json", is_flag=True, help="print the summary to stdout as JSON")
@click.option("-q", "--quiet", is_flag=True, help="no summary")
def command(
    register: Path, extract: Path, output: Path, profiles: tuple[Path, ...], model: Path | None, save_model: Path | None,
    review: Path | None, labels: tuple[Path, ...], *, as_json: bool, quiet: bool,
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
    """
    refuse_suffix(output)
    refuse_no_workbook(review)
    refuse_overwriting([register, extract, *profiles, model, *labels], [output, review, save_model])
    with progress(quiet=quiet) as say:
        linked = link_files(
            register, extract, output, profiles=profiles, model=model, labels=labels, review=review, save_model=save_model,
            say=say, ask=password_from(),
        )  # fmt: skip
    if quiet and not as_json:
        return 0
    from fupin_cli.cli import pairs_shown as shown  # noqa: PLC0415 - tables load slower than a small file is linked

    if as_json:
        click.echo(json.dumps(shown.summary(linked, register, extract, output), ensure_ascii=False, indent=2))
    if not quiet:
        shown.show_people("台账 register", register, linked.people[0])
        shown.show_people("部门数据 extract", extract, linked.people[1])
        if register.exists() and extract.exists() and register.samefile(extract):
            click.echo("两边是同一个文件；查重请用 one file twice; to find duplicates: fupin dedupe", err=True)
        shown.show_pairs(linked.links, output)
        shown.show_quality(linked)
        if review:
            click.echo(f"人工核查表 to be answered: {review}", err=True)
    return 0
