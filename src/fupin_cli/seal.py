"""A folder as one encrypted file, and back: runs and ledgers that lie on a disk, a stick or a backup.

The format is age (age-encryption.org): it is public, other programs open it, every piece is authenticated, and a machine that
only seals holds no key that opens. Nothing lies on the disk in between: the archive is encrypted while it is written.
"""

from __future__ import annotations

import os
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from fupin_cli.errors import (
    BadDataError,
    ConfigurationError,
    InputMissingError,
    NoPermissionError,
    OutputError,
    system_words,
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

    With `gone` the folder is removed once that is on the disk. Raises BusyError while somebody writes in the folder.
    """
    age = _pyrage()
    if not folder.is_dir():
        raise InputMissingError(tr("no such folder"), where=str(folder))
    try:
        recipient = age.x25519.Recipient.from_str(public.strip())
    except age.RecipientError:
        raise ConfigurationError(
            tr("this is no public key"), why=tr("one begins with age1"), try_=tr("fupin seal key FILE")
        ) from None

    def pack(stream: IO[bytes]) -> None:
        with tarfile.open(fileobj=stream, mode="w|") as archive:
            archive.add(folder, arcname=folder.name)

    inside = folder / ".lock"  # a ledger's; a run's lies beside it
    lock = inside if inside.exists() else folder.with_name(f".{folder.name}.lock")
    with locked(lock, folder, later("wait until it has finished")):
        with replace_file(target) as staged, staged.open("wb") as written, _piped(pack) as plain:
            age.encrypt_io(plain, written, [recipient])
        if gone:
            remove(folder)
    return target.stat().st_size


def unseal(sealed: Path, target: Path, key: str) -> None:
    """The folder that was sealed, under the name `target`; whole, or not there at all.

    Raises BadDataError for another key or a damaged file, OutputError where `target` is there already.
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
        with sealed.open("rb") as file, _extracted(staging) as plain:
            try:
                age.decrypt_io(file, plain, [identity])
            except (age.DecryptError, OSError):
                raise BadDataError(
                    tr("this key does not open it, or the file was damaged"),
                    where=str(sealed),
                    try_=tr("the key it was sealed for"),
                ) from None
        (inside,) = staging.iterdir()
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
def _extracted(folder: Path) -> Iterator[IO[bytes]]:
    """A stream for an archive, unpacked into the folder while it is written; nothing gets out of the folder."""
    failed: list[BaseException] = []
    from_writer, to_reader = os.pipe()

    def run() -> None:
        try:
            with os.fdopen(from_writer, "rb") as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
                archive.extractall(folder, filter="data")
                while stream.read(1 << 16):
                    pass
        except BaseException as error:  # noqa: BLE001 - told below
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        with os.fdopen(to_reader, "wb") as stream:
            yield stream
    finally:
        thread.join()
    if failed:
        raise BadDataError(tr("the sealed file holds no folder"), why=type(failed[0]).__name__)


def _pyrage() -> Any:
    try:
        import pyrage  # noqa: PLC0415 - only who seals needs it
    except ImportError:
        raise ConfigurationError(
            tr("sealing needs the library pyrage"), try_=tr("python3 -m pip install 'fupin-cli[seal]'")
        ) from None
    return pyrage
