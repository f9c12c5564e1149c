"""fupin link: two files, no project."""

from __future__ import annotations

from pathlib import Path

import click
from rich.table import Table

from fupin_cli.cli.console import password_from, progress, show
from fupin_cli.errors import UsageError
from fupin_cli.pipeline import link_files
from fupin_cli.vocabulary import BASES


@click.command("link")
@click.argument("register", type=click.Path(path_type=Path))
@click.argument("extract", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="结果文件 · links.parquet, or .csv to open in Excel",
)
@click.option(
    "--profile", "profiles", type=click.Path(path_type=Path), multiple=True,
    help="数据源配置 · source profile; twice: the register's, then the extract's",
)  # fmt: skip
@click.option("--model", type=click.Path(path_type=Path), help="权重文件 · match weights [shipped defaults]")
@click.option("-q", "--quiet", is_flag=True, help="不显示小结 · no summary")
def command(
    register: Path, extract: Path, output: Path, profiles: tuple[Path, ...], model: Path | None, *, quiet: bool
) -> int:
    """比对两个文件里的人。 Link the people of two files, without a project.

    Headers are recognised by the shipped profiles. Each row of the output is a pair: register_row and extract_row (0-based
    data rows after the header), match_weight in bits, match_probability, decision, basis, tied.

    \b
    Examples:
      fupin link 台账.xlsx 低保.xls -o links.parquet
      fupin link a.parquet b.parquet -o links.parquet --profile people.toml
    """
    if output.suffix.lower() not in (".parquet", ".csv"):
        raise UsageError(
            f"cannot write links as {output.suffix or 'a file without a suffix'}",
            where=output.name,
            try_=f"-o {output.stem}.parquet for programs, -o {output.stem}.csv for Excel",
        )
    with progress(quiet=quiet) as say:
        links = link_files(register, extract, output, profiles=profiles, model=model, say=say, ask=password_from())
    if not quiet:
        counts = links.group_by("decision", "basis").len().sort("decision", "basis")
        table = Table(title=f"{links.height} pairs → {output}", title_justify="left")
        for heading in ("结论 decision", "依据 basis", "对数 pairs"):
            table.add_column(heading, justify="right" if "pairs" in heading else "left")
        for decision, basis, pairs in counts.rows():
            words = {"accepted": "认定", "review": "待核", "rejected": "不认定"}[decision]
            table.add_row(f"{words} {decision}", f"{BASES[basis][0]} {basis}", f"{pairs:,}")
        show(table)
    return 0
