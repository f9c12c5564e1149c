"""fupin seal: runs and ledgers as encrypted files."""

from __future__ import annotations

import os
from pathlib import Path

import click

from fupin_cli.errors import UsageError
from fupin_cli.language import tr
from fupin_cli.seal import SEALED, new_key, seal, secret_key, unseal


@click.group("seal")
def command() -> None:
    """Keep runs and ledgers as encrypted files, for a backup or after the work is done.

    A key has two halves. The public one (age1…) only closes and is no secret; the secret one opens, stands in a file or an
    environment variable, and belongs on another machine or in a safe. Without it nobody opens the files, we neither.

    \b
    Examples:
      fupin seal key 县级.key                                  once; note the public half
      fupin seal close runs/2019-11-30 --to age1… --remove
      fupin seal open runs/2019-11-30.age --key 县级.key
    """


@command.command("key")
@click.argument("file", type=click.Path(path_type=Path))
def key_(file: Path) -> int:
    """Make a key: the secret half into FILE, the public half on the terminal.

    \b
    Examples:
      fupin seal key office.key
    """
    click.echo(tr("public key: {new_key}\nsecret key → {file} (keep a copy apart)", new_key=new_key(file), file=file))
    return 0


@command.command("close")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--to", "public", required=True, help="the public key, age1…")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="the encrypted file [FOLDER.age]")
@click.option("--remove", "gone", is_flag=True, help="delete the folder afterwards")
def close_(folder: Path, public: str, output: Path | None, *, gone: bool) -> int:
    """Encrypt a folder into one file; with --remove the folder is deleted once that is on the disk.

    \b
    Examples:
      fupin seal close runs/2019-11-30 --to age1…
    """
    folder = Path(os.path.normpath(folder.absolute()))
    target = output or folder.with_name(folder.name + SEALED)
    if target.absolute().is_relative_to(folder):
        raise UsageError(tr("a folder cannot be sealed into itself"), try_=tr("-o with a file outside it"))
    size = seal(folder, target, public, gone=gone)
    click.echo(tr("sealed → {target} ({size:,} bytes)", target=target, size=size))
    return 0


@command.command("open")
@click.argument("sealed", type=click.Path(path_type=Path))
@click.option("--key", type=click.Path(path_type=Path), help="file of the secret key [FUPIN_SEAL_KEY]")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="the folder [SEALED without .age]")
def open_(sealed: Path, key: Path | None, output: Path | None) -> int:
    """Decrypt a sealed file into a folder that is not there yet.

    \b
    Examples:
      fupin seal open 2019-11-30.age --key office.key
    """
    target = output or sealed.with_suffix("")
    if target == sealed:
        raise UsageError(tr("this name does not end in .age"), try_=tr("-o with the name of a new folder"))
    unseal(sealed, target, secret_key(key))
    click.echo(tr("opened → {target}", target=target))
    return 0
