"""FupinError and its few kinds: each knows its exit code and what the user should type next.

Exit codes follow BSD sysexits where one fits; 1 is never used, because Python itself, click's errors and click's abort all
claim it. A message never quotes a cell: what a foreign exception says may be personal data.
"""

from __future__ import annotations

import errno
import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from fupin_cli.language import pick, tr

_PLAIN = re.compile(r"[\w@%+=:,./-]+")


_SYSTEM = {  # what the system says in English alone
    errno.EACCES: "没有权限",
    errno.EPERM: "不允许这样做",
    errno.ENOENT: "没有这个文件或文件夹",
    errno.EEXIST: "已有同名的文件",
    errno.ENOTDIR: "不是文件夹",
    errno.EISDIR: "是文件夹，不是文件",
    errno.ENOTEMPTY: "文件夹不是空的",
    errno.EROFS: "这里只能读，不能写",
    errno.ENOSPC: "磁盘已满",
    errno.EDQUOT: "超过磁盘配额",
    errno.EFBIG: "文件过大",
    errno.EIO: "磁盘或设备读写出错",
    errno.EBUSY: "正被占用",
    errno.EMFILE: "打开的文件过多",
    errno.ENAMETOOLONG: "名称过长",
    errno.ELOOP: "链接绕成了圈",
    errno.ENOMEM: "内存不足",
}


def system_words(number: int | None) -> str:
    """What went wrong by the system's number for it, in the language spoken; the system's own words where there are no others."""
    number = number or errno.EIO
    own = os.strerror(number)
    return pick((_SYSTEM.get(number, own), own))


def typed(*words: str | Path) -> str:
    """The words as they are typed into a shell; Chinese names need no quotes."""
    return " ".join(word if _PLAIN.fullmatch(word) else shlex.quote(word) for word in map(str, words))


@dataclass(frozen=True)
class Place:
    """Where something was seen: a file, and in it a sheet and a row (1-based, as the spreadsheet program shows it)."""

    file: str
    sheet: str | None = None
    row: int | None = None

    def __str__(self) -> str:
        parts = [self.file]
        if self.sheet:
            parts.append(tr("sheet {name}", name=self.sheet))
        if self.row is not None:
            parts.append(tr("row {number}", number=self.row))
        return tr(", ").join(parts)


class FupinError(Exception):
    """A failure the user can act on: what and where, why, and what to type next."""

    exit_code: ClassVar[int] = 70

    def __init__(
        self, what: str, *, where: Place | str | None = None, why: str | None = None, try_: str | None = None
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.why = why
        self.try_ = try_

    def __str__(self) -> str:
        first = tr("{where}: {what}", where=self.where, what=self.what) if self.where else self.what
        lines = [first]
        if self.why:
            lines.append(f"  {self.why}")
        if self.try_:
            lines.append(tr("  try: {command}", command=self.try_))
        return "\n".join(lines)


class UsageError(FupinError):
    """The command was typed in a way that cannot mean anything."""

    exit_code = 2


class BadDataError(FupinError):
    """A file was opened, but what it holds cannot be used."""

    exit_code = 65


class InputMissingError(FupinError):
    """A file or folder that was named does not exist."""

    exit_code = 66


class OutputError(FupinError):
    """The place for the results cannot be created."""

    exit_code = 73


class DiskError(FupinError):
    """Reading or writing failed part-way: disk full, device gone."""

    exit_code = 74


class BusyError(FupinError):
    """Another run holds the lock; trying later is enough."""

    exit_code = 75


class NoPermissionError(FupinError):
    """The operating system refuses this file or folder to this user."""

    exit_code = 77


class ConfigurationError(FupinError):
    """fupin.toml, a source profile or a rule pack says something that cannot be."""

    exit_code = 78
