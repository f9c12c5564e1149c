# ruff: noqa: INP001, T201 - a program, not a package
"""Makes the folder that is carried to a computer without network: bundle/fupin-VERSION-PLATFORM-pyXY.

    bundle.py linux-x86_64 3.11      or windows-amd64; one folder serves one version of Python, which keeps it small

Wheels come from wherever pip is set up to look, and only those whose hash stands in constraints.txt. The same checkout gives the
same folder.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from parts import closure, parts_in, refused, sbom

ROOT = Path(__file__).parents[1]
PROGRAM = "fupin-cli"

# The oldest C library that the wheels ask for: Debian 10, Kylin V10, UOS 20 and newer have glibc 2.28.
GLIBC = [f"manylinux_2_{minor}_x86_64" for minor in range(28, 16, -1)] + ["manylinux2014_x86_64"]
TARGETS = {
    "linux-x86_64": (
        GLIBC,
        {"os_name": "posix", "sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64"},
        ["install.sh"],
    ),
    "windows-amd64": (
        ["win_amd64"],
        {"os_name": "nt", "sys_platform": "win32", "platform_system": "Windows", "platform_machine": "AMD64"},
        ["install.cmd"],
    ),
}
# What pip and mkdocs would otherwise put in from this machine: where the index is, and what time it is.
STEADY = {**os.environ, "SOURCE_DATE_EPOCH": "1580601600", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def make_bundle(target: str, python: str, folder: Path) -> Path:
    """The finished bundle below `folder`; an older one of the same name is replaced."""
    platforms, system, scripts = TARGETS[target]
    environment = {
        **system,
        "python_version": python,
        "python_full_version": f"{python}.0",
        "implementation_name": "cpython",
        "implementation_version": f"{python}.0",
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_version": "",
    }
    begun = folder / f".{target}.begun"
    shutil.rmtree(begun, ignore_errors=True)
    wheels = begun / "wheels"
    wheels.mkdir(parents=True)
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", wheels, ROOT)
    parts = fetch_wheels(
        wheels, environment, ["--python-version", python, *(f"--platform={name}" for name in platforms)]
    )
    if not_allowed := refused(parts, shipped=parts):
        raise SystemExit("not allowed in a bundle: " + "; ".join(not_allowed))
    files = {name: wheel_of(wheels, name, part.version) for name, part in parts.items()}
    lines = [f"{name}=={part.version} --hash=sha256:{digest(files[name])}" for name, part in sorted(parts.items())]
    write(begun / "requirements.txt", lines)
    (begun / "sbom.cdx.json").write_text(sbom(parts, environment, files), encoding="utf-8")
    copy_papers(begun)
    for name in (*scripts, "check_files.py", "先读我 READ ME.txt"):
        text = (ROOT / "tools" / "bundle_files" / name).read_text(encoding="utf-8").replace("@PYTHON@", python)
        ending = "\r\n" if name.endswith((".cmd", ".txt")) else "\n"
        (begun / name).write_text(text, encoding="utf-8", newline=ending)
    for name in scripts:
        (begun / name).chmod(0o755)
    listed = sorted(path for path in begun.rglob("*") if path.is_file())
    write(begun / "SHA256SUMS", [f"{digest(path)}  {path.relative_to(begun).as_posix()}" for path in listed])
    finished = folder / f"fupin-{parts[PROGRAM].version}-{target}-py{python.replace('.', '')}"
    shutil.rmtree(finished, ignore_errors=True)
    return begun.rename(finished)


def fetch_wheels(wheels: Path, environment: dict[str, str], where: list[str]) -> dict:
    """Name → part of everything that the program needs there, brought level by level.

    pip asks the markers of the machine it runs on; here they are asked of the machine that the bundle goes to.
    """
    pinned = pins()
    while True:
        parts = parts_in(*wheels.glob("*.whl"))
        _, missing = closure(parts, environment)
        if not missing:
            return dict(parts)
        if unpinned := missing - set(pinned):
            names = ", ".join(sorted(unpinned))
            raise SystemExit(
                f"constraints.txt lacks {names}: add it beside editables in the Makefile; make constraints"
            )
        wanted = wheels.parent / "wanted.txt"
        write(wanted, [pinned[name] for name in sorted(missing)])
        pip(
            "download",
            "--no-deps",
            "--only-binary=:all:",
            "--require-hashes",
            "--requirement",
            wanted,
            "--dest",
            wheels,
            *where,
        )
        wanted.unlink()


def pins() -> dict[str, str]:
    """Name → its lines of constraints.txt: the version, and the hash of every file that may be it."""
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    blocks = re.findall(r"^[a-z0-9-]+==(?:.*\\\n)*.*$", text, re.MULTILINE)
    return {block.partition("==")[0]: block for block in blocks}


def copy_papers(bundle: Path) -> None:
    """The sample data, the documents as pages that open from a disk, the licence."""
    shutil.copytree(
        ROOT / "sample_data", bundle / "sample_data", ignore=shutil.ignore_patterns("runs", "cases", ".fupin")
    )
    build = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(bundle / "docs")]
    subprocess.run(build, cwd=ROOT, env=STEADY, check=True)  # noqa: S603 - our own words
    for name in ("sitemap.xml", "sitemap.xml.gz"):  # for search engines, and with today's date
        (bundle / "docs" / name).unlink(missing_ok=True)
    shutil.copy(ROOT / "LICENSE", bundle)


def wheel_of(wheels: Path, name: str, version: str) -> Path:
    """The one file of that part."""
    return next(
        path for path in wheels.glob("*.whl") if path.name.lower().replace("_", "-").startswith(f"{name}-{version}-")
    )


def pip(*words: object) -> None:
    """Runs pip, quietly, as this machine has it set up."""
    command = [sys.executable, "-m", "pip", *map(str, words), "--quiet", "--quiet"]
    subprocess.run(command, cwd=ROOT, env=STEADY, check=True)  # noqa: S603 - our own words


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    return sha256(path.read_bytes()).hexdigest()


def write(path: Path, lines: Iterable[str]) -> None:
    """Lines, with the line ends that every system reads."""
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    made = make_bundle(sys.argv[1], sys.argv[2], ROOT / "bundle")
    size = sum(path.stat().st_size for path in made.rglob("*") if path.is_file())
    print(f"{made.relative_to(ROOT)}: {len(list(made.glob('wheels/*')))} wheels, {size / 1e6:.0f} MB")
