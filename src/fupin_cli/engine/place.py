"""The folder by which parts are handed over: on this computer's disk, or on any filesystem that Spark reads."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4


def uri_of(path: Path) -> str:
    """How Hadoop calls a path of this computer: as it stands, Chinese names and all."""
    return f"file://{path.resolve()}"


@dataclass(frozen=True)
class Place:
    """The folder by which parts are handed over: on this computer's disk, or on any filesystem that Spark reads."""

    root: str
    local: Path | None
    session: Any = field(repr=False)

    @staticmethod
    def of(session: Any, scratch: str | None, here: Path) -> Place:
        """A folder of this run alone under `scratch`; without one, `here`."""
        if scratch is None:
            return Place(uri_of(here), here, session)
        local = Path(scratch.removeprefix("file://")) if scratch.startswith(("/", "file://")) else None
        name = f"fupin-{uuid4().hex}"
        if local is not None:
            return Place(uri_of(local / name), local / name, session)
        return Place(f"{scratch.rstrip('/')}/{name}", None, session)

    def name(self, folder: str) -> str:
        """How Spark calls a folder in it."""
        return f"{self.root}/{folder}"

    def put(self, ours: Path, folder: str) -> None:
        """Files of ours are there under this name."""
        if self.local is None:
            files, to = self._opened(folder)
            files.copyFromLocalFile(False, True, self._path(uri_of(ours)), to)
        elif self.local / folder != ours:
            shutil.copytree(ours, self.local / folder)

    def get(self, folder: str, ours: Path) -> None:
        """What lies there under this name is in a folder of ours."""
        if self.local is None:
            files, there = self._opened(folder)
            files.copyToLocalFile(False, there, self._path(uri_of(ours)), True)
        elif self.local / folder != ours:
            shutil.copytree(self.local / folder, ours)

    def remove(self) -> None:
        """Nothing of this run is left there; what cannot be reached any more is left to whoever owns it."""
        if self.local is None:
            in_time(lambda: self._opened("")[0].delete(self._path(self.root), True), 20.0)
        elif self.local.name.startswith("fupin-"):
            shutil.rmtree(self.local, ignore_errors=True)

    def _path(self, name: str) -> Any:
        return self.session.sparkContext._jvm.org.apache.hadoop.fs.Path(name)  # noqa: SLF001 - no other way to a filesystem

    def _opened(self, folder: str) -> tuple[Any, Any]:
        path = self._path(f"{self.root}/{folder}".rstrip("/"))
        return path.getFileSystem(self.session.sparkContext._jsc.hadoopConfiguration()), path  # noqa: SLF001


def in_time(ask: Callable[[], Any], seconds: float) -> Any:
    """What is answered; None where nobody answers in time: a JVM that is gone, or busy with its own end, may never do."""
    answered: list[Any] = []

    def work() -> None:
        try:
            answered.append(ask())
        except Exception:  # noqa: BLE001 - no answer
            answered.append(None)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    return answered[0] if answered else None
