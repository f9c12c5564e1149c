"""fupin synth: invented people, for trying, testing and measuring."""

from __future__ import annotations

from pathlib import Path

import click
from click.core import ParameterSource

from fupin_cli.cli.groups import Choice
from fupin_cli.errors import UsageError
from fupin_cli.language import tr
from fupin_cli.synth import PRESETS, generate, write_office_files


@click.command("synth")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--seed", default=20191130, show_default=True, help="the same seed gives the same people")
@click.option("--persons", default=3000, show_default=True, help="how many people")
@click.option("--counties", default=2, show_default=True, help="in how many counties")
@click.option("--errors", type=Choice(["clean", "easy", "hard", "sample"]), default="sample", show_default=True,
              help="how much goes wrong when data are typed and exported")  # fmt: skip
@click.option("--office", is_flag=True, help="write Excel and CSV files as offices send them")
def command(folder: Path, seed: int, persons: int, counties: int, errors: str, *, office: bool) -> int:
    """Make invented people, a register and departmental extracts of them, and the truth.

    Every person is invented: region codes begin with 9901, which no county has. The truth lies beside the data:
    truth.parquet (who is who) and planted.parquet (what fupin must find).

    \b
    Examples:
      fupin synth --office sample_data
      fupin synth big --persons 1000000 --errors hard
    """
    if office:
        given = click.get_current_context().get_parameter_source
        if told := [name for name in ("counties", "errors") if given(name) is not ParameterSource.DEFAULT]:
            raise UsageError(
                tr("--{option} does not go with --office", option=told[0]),
                why=tr("that writes two counties, with the errors that offices make"),
                try_=f"fupin synth {folder} --office --persons {persons}",
            )
        write_office_files(folder, seed=seed, persons=persons)
        click.echo(f"→ {folder}", err=True)
        return 0
    report = generate(folder, seed=seed, persons=persons, counties=counties, errors=PRESETS[errors])
    for name, rows in report.rows.items():
        click.echo(f"{name}: {rows} rows", err=True)
    return 0
