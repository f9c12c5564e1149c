"""A folder of files, such as photos of households, as a table: a row per file, told by its name alone; none is looked into.

Patterns say how people named them, and the first that fits a path counts:

    pattern                                fits
    {户编号}/{资料名称}                     …/9901211002000011/房前.jpg, …/9901211002000011/房前照片(2).jpg
    {户编号}_{资料名称}_{拍摄日期}           …/9901211002000011_灶前_20171102.jpg, 9901211002000011-灶前-20171102.png
    {证件号码}/{资料名称}                   …/<ID number of any member>/厅堂.jpg

`_` is any of _ - · and blanks, or nothing at all; `*` any text without a slash; folders above what a pattern names do not count.
What a name does not say stays blank, and a blank paper is unknown: a file that nobody can place may be the one that is missing.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from fupin_cli.errors import ConfigurationError, InputMissingError
from fupin_cli.ingest.grid import Grid
from fupin_cli.language import tr

FAULT_LABELS = {  # what we say of a file, in Chinese and in English
    "空文件": "empty",
    "看不出是哪一份资料": "its name does not tell which paper it is",
    "内容与另一文件相同": "the same bytes as another file",
    "无法打开": "cannot be opened",
    "文件名中没有户编号或证件号码": "its name holds no household ID or ID number",
    "台账中没有此户编号或证件号码": "the register has no such household ID or ID number",
}
EMPTY, UNPLACED, COPY, UNREADABLE, NO_HOUSEHOLD, STRANGE_HOUSEHOLD = FAULT_LABELS
_PARTS = {
    "户编号": r"(?P<household>[0-9A-Za-z]{2,})",
    "证件号码": r"(?P<id>[0-9]{17}[0-9Xx]|[0-9]{15})",
    "资料名称": r"(?P<document>[^/]*?)",
    "拍摄日期": r"(?P<day>[0-9]{4}[-.年]?[0-9]{1,2}[-.月]?[0-9]{1,2}日?)",
}
_TOKEN = re.compile(r"\{([^{}]*)\}|(\*)|(_)|([^{}*_]+)")
_SPACE, _ANY = r"[_\-－—–·\s]*", r"[^/]*?"
_TAIL = r"[_\-－\s]*(?:[(（]?[0-9]{1,3}[)）]?|副本|- ?副本)?"  # what a camera or a second copy adds
_SYSTEM = re.compile(r"(?i)thumbs\.db|desktop\.ini")
_HEADER = ("户编号", "资料名称", "拍摄日期", "文件", "文件问题")


@dataclass(frozen=True)
class FileList:
    """A folder whose files are listed; `name` is what people see, `patterns` how its files are named, as regular expressions."""

    name: str
    folder: Path
    patterns: tuple[str, ...]


def declare_files(name: str, folder: Path, patterns: Sequence[str], where: str) -> FileList:
    """The folder with its patterns understood; nothing is read.

    Raises InputMissingError for no folder, ConfigurationError for no pattern, or one that names no household or unknown parts.
    """
    if not folder.is_dir():
        raise InputMissingError(
            tr("{where}: no folder {name}", where=where, name=name), where=str(folder), try_=tr('folder = "照片"')
        )
    if not patterns:
        raise ConfigurationError(
            tr("a folder of files needs names = […]"),
            where=where,
            why=tr("how its files are named is said, never guessed"),
            try_=tr('names = ["{户编号}/{资料名称}"]'),
        )
    return FileList(name, folder, tuple(_expression(pattern, where) for pattern in patterns))


def _expression(pattern: str, where: str) -> str:
    """A pattern as a regular expression for the end of a path without its suffix."""
    tokens = _TOKEN.findall(pattern)
    strange = [part for part, *_ in tokens if part and part not in _PARTS]
    named = [part for part, *_ in tokens if part]
    if strange or not {"户编号", "证件号码"} & set(named) or len(named) > len(set(named)) or "{}" in pattern:
        raise ConfigurationError(
            tr("names: {pattern!r} cannot be understood", pattern=pattern),
            where=where,
            why=tr(
                "parts are {names}, each once; one of the first two must be there",
                names="、".join(f"{{{part}}}" for part in _PARTS),
            ),
            try_=tr('names = ["{户编号}/{资料名称}"]'),
        )
    parts = [
        _PARTS[part] if part else _ANY if star else _SPACE if space else re.escape(text)
        for part, star, space, text in tokens
    ]
    return f"(?:^|/){''.join(parts)}{_TAIL}$"


def list_files(files: FileList, documents: Sequence[str], homes: pl.DataFrame) -> Grid:
    """A row per file in the order of paths: household, paper, day, path, and what is wrong with the file.

    `documents` are the papers that rules ask for: a name must hold exactly one of them (房前照片 holds 房前). Without any, what
    the pattern found is taken as it is. `homes` has `household_id` and `id_number` of the register's people. Files of one
    content are copies of each other: whatever they are called, at most one of them shows what its name says.
    """
    found = _walk(files.folder)
    if not found:
        raise InputMissingError(tr("no file in the folder"), where=str(files.folder), try_=tr("name another folder"))
    rows = pl.DataFrame(found, schema={"file": pl.String, "size": pl.Int64}, orient="row").sort("file")
    rows = _named(rows, files.patterns)
    rows = _with_household(rows, homes)
    rows = rows.with_columns(_placed(documents).alias("paper"))
    rows = _with_copies(rows, files.folder)
    fault = (
        pl.when(pl.col("household").is_null())
        .then(pl.when(pl.col("told").is_null()).then(pl.lit(NO_HOUSEHOLD)).otherwise(pl.lit(STRANGE_HOUSEHOLD)))
        .when(pl.col("size") < 0)
        .then(pl.lit(UNREADABLE))
        .when(pl.col("size") == 0)
        .then(pl.lit(EMPTY))
        .when(pl.col("copy_of").is_not_null())
        .then(pl.format(COPY + "：{}", "copy_of"))
        .when(pl.col("paper").is_null())
        .then(pl.lit(UNPLACED))
    )
    rows = rows.with_columns(fault.alias("fault"))
    paper = pl.when(pl.col("fault").is_null()).then("paper")
    cells = rows.select(c0="household", c1=paper, c2="day", c3="file", c4="fault")
    return Grid.of("", cells, header=_HEADER)


def _walk(folder: Path) -> list[tuple[str, int]]:
    """(path from the folder, bytes) of every file below it that is not hidden; -1 bytes for what cannot be asked."""
    found = []
    for top, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if not name.startswith((".", "~$")) and not _SYSTEM.fullmatch(name):
                path = Path(top, name)
                try:
                    size = path.stat().st_size
                except OSError:
                    size = -1
                found.append((path.relative_to(folder).as_posix(), size))
    return found


def _named(rows: pl.DataFrame, patterns: Sequence[str]) -> pl.DataFrame:
    """The rows with what the first pattern that fits reads off their path: household, id, document and day, or nothing."""
    stem = pl.col("file").str.replace(r"\.[0-9A-Za-z]{1,5}$", "")
    read = rows.select(stem.str.extract_groups(pattern).alias(f"p{n}") for n, pattern in enumerate(patterns))
    wanted = ("household", "id", "document", "day")
    fits = [pl.any_horizontal(pl.col(name).struct.field("*").is_not_null()) for name in read.columns]
    for name in wanted:
        value = pl.lit(None, pl.String)
        for column, fit in reversed(list(zip(read.columns, fits, strict=True))):
            has = name in [field.name for field in read.schema[column].fields]  # type: ignore[attr-defined]
            value = pl.when(fit).then(pl.col(column).struct.field(name) if has else None).otherwise(value)
        rows = rows.with_columns(read.select(value.alias(name)).to_series())
    return rows


def _with_household(rows: pl.DataFrame, homes: pl.DataFrame) -> pl.DataFrame:
    """The rows with the register's household that they are of, null for a stranger's, and `told`, what the name said."""
    of_id = homes.drop_nulls().unique().group_by("id_number").agg(
        pl.col("household_id").first(), pl.col("household_id").n_unique().alias("n")
    )  # fmt: skip
    of_id = of_id.filter(pl.col("n") == 1).select(id="id_number", _by_id="household_id")
    known = homes["household_id"].drop_nulls().unique().implode()
    rows = rows.with_columns(pl.col("id").str.to_uppercase()).join(of_id, on="id", how="left", maintain_order="left")
    own = pl.when(pl.col("household").is_in(known)).then("household")
    return rows.with_columns(
        pl.coalesce(own, "_by_id").alias("household"), pl.coalesce("household", "id").alias("told")
    )


def _placed(documents: Sequence[str]) -> pl.Expr:
    """The one paper of `documents` that a name holds; null where it holds none or several."""
    said = pl.col("document").str.strip_chars(" _-·－—")
    if not documents:
        return pl.when(said != "").then(said)
    held = [pl.when(said.str.contains(word, literal=True)).then(pl.lit(word)) for word in documents]
    one = pl.sum_horizontal(word.is_not_null() for word in held) == 1
    return pl.when(said.is_in(list(documents))).then(said).when(one).then(pl.coalesce(held))


def _with_copies(rows: pl.DataFrame, folder: Path) -> pl.DataFrame:
    """The rows with `copy_of`, another file of the same bytes, where a file shows nothing that the other does not.

    Of copies that all say one household and one paper the first counts; where they say different things nobody can tell.
    """
    alike = rows.filter((pl.col("size") > 0) & (pl.len().over("size") > 1))["file"].to_list()
    hashed = pl.DataFrame(
        {"file": alike, "hash": [_hash(folder / name) for name in alike]}, {"file": pl.String, "hash": pl.String}
    )
    rows = rows.join(hashed, on="file", how="left", maintain_order="left")
    same = pl.col("hash").is_not_null() & (pl.len().over("hash") > 1)
    first, second = pl.col("file").first().over("hash"), pl.col("file").get(1, null_on_oob=True).over("hash")
    says_one = pl.struct("household", "paper").n_unique().over("hash") == 1
    other = pl.when(pl.col("file") != first).then(first).when(~says_one).then(second)
    return rows.with_columns(pl.when(same).then(other).alias("copy_of"))


def _hash(path: Path) -> str | None:
    """What tells the file's bytes from others; null where it cannot be opened."""
    try:
        with path.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError:
        return None
