"""fupin dedupe: one file, no project."""

from __future__ import annotations

import json
from pathlib import Path

import click

from fupin_cli.cli.console import password_from, progress
from fupin_cli.cli.pairs_refused import refuse_no_workbook, refuse_overwriting, refuse_suffix
from fupin_cli.cli.pairs_shown import duplicates_summary, show_pairs, show_people
from fupin_cli.pairing import dedupe_file


@click.command("dedupe")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="duplicates.parquet, or .csv for Excel")
@click.option("--profile", type=click.Path(path_type=Path), help="source profile")
@click.option("--model", type=click.Path(path_type=Path), help="match weights [shipped defaults]")
@click.option("--review", type=click.Path(path_type=Path), help="write the pairs as a workbook for people (.xlsx)")
@click.option("--json", "as_json", is_flag=True, help="print the summary to stdout as JSON")
@click.option("-q", "--quiet", is_flag=True, help="no summary")
def command(
    file: Path, output: Path | None, profile: Path | None, model: Path | None, review: Path | None, *, as_json: bool,
    quiet: bool,
) -> int:  # fmt: skip
    """Find people who stand twice in one file, and numbers that several people bear.

    Each row of the output is a pair: row and other_row (0-based data rows after the header), match_weight in bits,
    match_probability, decision, basis, and cluster: the first row of all whom accepted pairs make one person.

    \b
    Examples:
      fupin dedupe 台账.xlsx
      fupin dedupe 台账.xlsx -o duplicates.csv --review 疑似重复.xlsx
      fupin dedupe 台账.xlsx --json | jq .pairs
    """
    if output:
        refuse_suffix(output)
    refuse_no_workbook(review)
    refuse_overwriting([file, profile, model], [output, review])
    with progress(quiet=quiet) as say:
        pairs, people = dedupe_file(
            file, output, profile=profile, model=model, review=review, say=say, ask=password_from()
        )
    if as_json:
        click.echo(json.dumps(duplicates_summary(pairs, file, people, output), ensure_ascii=False, indent=2))
    elif not quiet:
        show_people("文件 file", file, people)
        show_pairs(pairs, output)
        click.echo(f"重复的人 people who stand twice or more: {pairs['cluster'].drop_nulls().n_unique():,}", err=True)
        if review is None and pairs.height:
            click.echo("逐一查看 who they are: --review 疑似重复.xlsx", err=True)
    return 0
