"""A folder as one encrypted file, and back: runs and ledgers that lie on a disk, a stick or a backup.

The format is age (age-encryption.org): it is public, other programs open it, every piece is authenticated, and a machine that
only seals holds no key that opens. Nothing lies on the disk in between: the archive is encrypted while it is written.
"""

from __future__ import annotations

import io
import os
import stat
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from fupin_cli.errors import (
    BadDataError,
    ConfigurationError,
    DiskError,
    InputMissingError,
    NoPermissionError,
    OutputError,
    system_words,
    typed,
)
from fupin_cli.language import later, tr
from fupin_cli.locks import locked
from fupin_cli.rundir import flush, replace_file
from fupin_cli.unfinished import remove, settling, unfinished

SEALED = ".age"
KEY_VARIABLE = "FUPIN_SEAL_KEY"


def new_key(path: Path) -> str:
    """The public half of a new key, whose secret half now stands in the file, for its owner only.

    Raises OutputError where something is there already: a key that is overwritten opens nothing any more.
    """
    identity = _pyrage().x25519.Identity.generate()
    public = str(identity.to_public())
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise OutputError(
            tr("the key cannot be written here"), where=str(path), why=system_words(error.errno)
        ) from None
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"# public key: {public}\n{identity}\n")
        file.flush()
        os.fsync(file.fileno())
    return public


def seal(folder: Path, target: Path, public: str, *, gone: bool = False) -> int:
    """The bytes of `target`, which now holds the folder so that only the key whose public half this is opens it.

    With `gone` the folder is removed once that is on the disk. What opening would refuse, a link that leads out of the folder or
    something that is no file, is refused before anything is written. Raises BusyError while somebody writes in the folder.
    """
    age = _pyrage()
    if not folder.is_dir():
        raise InputMissingError(tr("no such folder"), where=str(folder))
    if folder.is_symlink():
        raise BadDataError(
            tr("this is a link to a folder, and only the link would be sealed"),
            where=str(folder),
            try_=typed("fupin", "seal", "close", os.path.realpath(folder), "--to", public),
        )
    try:
        recipient = age.x25519.Recipient.from_str(public.strip())
    except age.RecipientError:
        raise ConfigurationError(
            tr("this is no public key"), why=tr("one begins with age1"), try_=tr("fupin seal key FILE")
        ) from None
    inside = folder / ".lock"  # a ledger's; a run's lies beside it
    lock = inside if inside.exists() else folder.with_name(f".{folder.name}.lock")
    with locked(lock, folder, later("wait until it has finished")):
        held = _held(folder)
        went_in: dict[str, int | None] = {}

        def pack(stream: IO[bytes]) -> None:
            with (
                _read_aside(_members_into(went_in)) as aside,
                tarfile.open(fileobj=_Both(stream, aside), mode="w|") as archive,
            ):
                archive.add(folder, arcname=folder.name)

        with replace_file(target) as staged:
            try:
                with staged.open("wb") as written, _piped(pack) as plain:
                    age.encrypt_io(plain, written, [recipient])
            except tarfile.TarError:
                went_in.clear()  # something that opening would refuse came in after we looked
            if went_in != held:
                raise BadDataError(
                    tr("the folder changed while it was sealed; nothing was written"),
                    where=str(folder),
                    try_=tr("the same again, when nobody works in it"),
                )
        if gone:
            remove(folder)
    return target.stat().st_size


def unseal(sealed: Path, target: Path, key: str) -> None:
    """The folder that was sealed, under the name `target`; whole, or not there at all.

    Raises BadDataError for another key, a damaged file, or what leads out of the folder; OutputError where `target` is there.
    """
    age = _pyrage()
    if not sealed.is_file():
        raise InputMissingError(tr("no such file"), where=str(sealed))
    if target.exists():
        raise OutputError(tr("something is here already"), where=str(target), try_=tr("name a new folder with -o"))
    identity = _identity(key)
    target.parent.mkdir(parents=True, exist_ok=True)
    with unfinished(target.with_name(f".{target.name}.partial")) as staging:
        staging.mkdir(mode=0o700)
        try:
            with sealed.open("rb") as file, _read_aside(_unpacked_into(staging)) as plain:
                try:
                    age.decrypt_io(file, plain, [identity])
                except (age.DecryptError, OSError):
                    raise BadDataError(
                        tr("this key does not open it, or the file was damaged"),
                        where=str(sealed),
                        try_=tr("the key it was sealed for"),
                    ) from None
        except tarfile.FilterError as error:
            raise _refused(error, sealed) from None
        except tarfile.TarError:
            raise _no_folder(sealed) from None
        unpacked = list(staging.iterdir())
        if len(unpacked) != 1 or unpacked[0].is_symlink() or not unpacked[0].is_dir():
            raise _no_folder(sealed)
        inside = unpacked[0]
        flush(inside)
        with settling():
            inside.rename(target)


def secret_key(path: Path | None) -> str:
    """The secret key in a file that only its owner may read, or in the environment; never from the command line.

    Raises InputMissingError where there is none, NoPermissionError where others may read the file.
    """
    if path is None:
        if given := os.environ.get(KEY_VARIABLE):
            return given
        raise InputMissingError(
            tr("no key was given"), try_=tr("--key FILE, or the variable {key_variable}", key_variable=KEY_VARIABLE)
        )
    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise NoPermissionError(
                tr("others may read this key"), where=str(path), try_=tr("chmod 600 {path}", path=path)
            )
        lines = path.read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        raise InputMissingError(tr("no such file"), where=str(path)) from None
    except UnicodeDecodeError:
        lines = []
    return next((line for line in lines if line.startswith("AGE-SECRET-KEY-")), "")


def _identity(key: str) -> Any:
    age = _pyrage()
    try:
        return age.x25519.Identity.from_str(key.strip())
    except age.IdentityError:
        raise ConfigurationError(tr("this is no secret key"), why=tr("one begins with AGE-SECRET-KEY-1")) from None


@contextmanager
def _piped(write: Callable[[IO[bytes]], None]) -> Iterator[IO[bytes]]:
    """What `write` writes, to be read meanwhile; its error is raised when the block ends."""
    failed: list[BaseException] = []
    from_writer, to_reader = os.pipe()

    def run() -> None:
        try:
            with os.fdopen(to_reader, "wb") as stream:
                write(stream)
        except BaseException as error:  # noqa: BLE001 - raised below, in the thread that waits
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    with os.fdopen(from_writer, "rb") as stream:
        thread.start()
        yield stream
        thread.join()
    if failed:
        raise failed[0]


@contextmanager
def _read_aside(read: Callable[[tarfile.TarFile], None]) -> Iterator[IO[bytes]]:
    """A stream for an archive, which `read` reads while it is written; its error is raised when the block ended well.

    Whatever becomes of `read`, everything is taken: the fault that is told is never that nobody took the rest.
    """
    failed: list[BaseException] = []
    from_writer, to_reader = os.pipe()

    def run() -> None:
        with os.fdopen(from_writer, "rb") as stream:
            try:
                with tarfile.open(fileobj=stream, mode="r|") as archive:
                    read(archive)
            except BaseException as error:  # noqa: BLE001 - raised below, in the thread that waits
                failed.append(error)
            while stream.read(1 << 16):
                pass

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        with os.fdopen(to_reader, "wb") as stream:
            yield stream
    finally:
        thread.join()
    if failed:
        raise failed[0]


def _unpacked_into(folder: Path) -> Callable[[tarfile.TarFile], None]:
    """Unpacks an archive into the folder; nothing gets out of it."""

    def read(archive: tarfile.TarFile) -> None:
        try:
            archive.extractall(folder, filter="data")
        except OSError as error:
            raise DiskError(
                tr("it cannot be unpacked here"), where=str(folder.parent), why=system_words(error.errno)
            ) from None

    return read


def _members_into(found: dict[str, int | None]) -> Callable[[tarfile.TarFile], None]:
    """Notes what an archive holds as `_held` does, and refuses what opening would."""

    def read(archive: tarfile.TarFile) -> None:
        for member in archive:
            tarfile.data_filter(member, os.devnull)  # a place where nothing lies: only the names count
            same = member.islnk()  # a second name of a file that came before
            found[member.name] = found[member.linkname] if same else member.size if member.isreg() else None

    return read


def _held(folder: Path) -> dict[str, int | None]:
    """What the folder holds by its name in the archive, itself included: bytes of files, None for folders and links.

    Raises BadDataError for what could not be opened again: a link that leads out, a pipe, a device.
    """
    held: dict[str, int | None] = {folder.name: None}
    for place, folders, files in os.walk(folder, onerror=_raised):
        for path in (Path(place) / name for name in (*folders, *files)):
            status = path.lstat()
            if stat.S_ISLNK(status.st_mode):
                _refuse_leading_out(path, folder)
            elif not (stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode)):
                raise BadDataError(
                    tr("this is neither a file nor a folder, and cannot be sealed; nothing was written"),
                    where=str(path),
                    try_=typed("rm", path),
                )
            held[f"{folder.name}/{path.relative_to(folder).as_posix()}"] = (
                status.st_size if stat.S_ISREG(status.st_mode) else None
            )
    return held


class _Both(io.RawIOBase):
    """Writes to two streams what is written to it."""

    def __init__(self, *streams: IO[bytes]) -> None:
        self._streams = streams

    def write(self, data: Any) -> int:
        for stream in self._streams:
            stream.write(data)
        return len(data)


def _raised(error: OSError) -> None:
    raise NoPermissionError(
        tr("this folder cannot be read"), where=error.filename, why=system_words(error.errno)
    ) from None


def _refuse_leading_out(link: Path, folder: Path) -> None:
    """Raises BadDataError for a link that leads out of the folder, by its words or by the other links on its way."""
    said = link.readlink()
    by_words = Path(os.path.normpath(link.parent / said))
    by_links = Path(os.path.realpath(link))
    if said.is_absolute() or not (by_words.is_relative_to(folder) and by_links.is_relative_to(folder.resolve())):
        raise BadDataError(
            tr("this link leads out of the folder, and what it leads to would not be sealed; nothing was written"),
            where=str(link),
            try_=tr("{remove}, or put a copy of what it leads to in its place", remove=typed("rm", link)),
        )


def _refused(error: tarfile.FilterError, sealed: Path) -> BadDataError:
    what = (
        tr("the sealed file holds something that is neither a file nor a folder; nothing was written")
        if isinstance(error, tarfile.SpecialFileError)
        else tr("the sealed file holds something that leads out of the folder; nothing was written")
    )
    return BadDataError(what, where=str(sealed), try_=_look(sealed))


def _no_folder(sealed: Path) -> BadDataError:
    return BadDataError(tr("the sealed file holds no folder"), where=str(sealed), try_=_look(sealed))


def _look(sealed: Path) -> str:
    """How to see what a sealed file holds that is not opened here: by the programs of others."""
    return f"{typed('age', '-d', '-i', 'KEY', sealed)} | tar -tv"


def _pyrage() -> Any:
    try:
        import pyrage  # noqa: PLC0415 - only who seals needs it
    except ImportError:
        raise ConfigurationError(
            tr("sealing needs the library pyrage"), try_=tr("python3 -m pip install 'fupin-cli[seal]'")
        ) from None
    return pyrage
