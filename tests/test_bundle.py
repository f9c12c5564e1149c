"""What is given on: parts whose licence allows it, a bill of materials that repeats, and a folder that installs without network."""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement

from conftest import ROOT

sys.path.insert(0, str(ROOT / "tools"))
from bounds import lowest
from bundle import TARGETS, make_bundle
from parts import EXTRAS, PROGRAM, closure, is_allowed, parts_in, refused, sbom

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
OFFLINE = ["unshare", "--map-root-user", "--net"]  # a network of its own, with nobody in it


def test_every_licence_is_allowed():
    """Nothing that is installed here, for running, testing or building, says a licence that is not on its list."""
    parts = parts_in()
    assert refused(parts, closure(parts, default_environment())[0]) == []


ALLOWED = frozenset({"MIT", "Zlib"})
LICENCES = """
expression              || allowed
MIT                     || yes
GPL-3.0-only            || no
GPL-2.0-only OR MIT     || yes
MIT AND GPL-2.0-only    || no
MIT AND (Zlib OR GPL-2.0-only) || yes
MIT WITH some-exception || no
                        || no
"""


@pytest.mark.parametrize("row", LICENCES.strip().splitlines()[1:])
def test_licence_expressions(row):
    """One OR is enough, every AND must be allowed, and silence is not leave."""
    expression, told = (cell.strip() for cell in row.split("||"))
    assert is_allowed(expression, ALLOWED) == (told == "yes")


def test_the_bill_of_materials_repeats():
    """Twice the same text: no time, no serial number, no address; each part with its version and licence."""
    parts = parts_in()
    text = sbom(parts, default_environment(), {})
    assert text == sbom(dict(reversed(parts.items())), default_environment(), {})
    bill = json.loads(text)
    assert "serialNumber" not in bill
    assert "timestamp" not in bill["metadata"]
    assert "://" not in text
    listed = {part["name"] for part in bill["components"]}
    # a cluster brings its own Spark: that extra is in no bundle
    asked = [Requirement(line).name for line in requires(PROGRAM) if 'extra == "spark"' not in line.replace("'", '"')]
    assert set(asked) <= listed
    assert not {"pytest", "ruff", "mkdocs"} & listed
    assert all(part["version"] and part["licenses"] for part in bill["components"])
    refs = {part["bom-ref"] for part in [*bill["components"], bill["metadata"]["component"]]}
    assert {ref["ref"] for ref in bill["dependencies"]} == refs


def test_every_dependency_is_bounded_and_argued():
    """Each has a lowest and a highest version, and a row in docs/dependencies.md with the same bounds."""
    told = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| ([a-z0-9-]+) \| `([^`]+)` \|", told, re.MULTILINE))
    asked = [Requirement(line) for line in requires(PROGRAM)]
    assert {
        one.name: f">={lowest(one)},{next(str(s) for s in one.specifier if s.operator == '<')}" for one in asked
    } == rows


@pytest.fixture(scope="module")
def bundles(tmp_path_factory) -> dict[str, Path]:
    """A bundle for each system, of the Python that runs here."""
    folder = tmp_path_factory.mktemp("bundle")
    return {target: make_bundle(target, PYTHON, folder) for target in TARGETS}


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_linux_bundle_installs_and_runs_without_network(bundles, demo, tmp_path):
    """In a network of its own: installed, the sample reconciled, and its digest is the one of this checkout."""
    if not shutil.which("unshare") or subprocess.run([*OFFLINE, "true"], check=False).returncode:
        pytest.skip("this machine gives no network namespace, so there is no proof that none is needed")
    home = tmp_path / "县 办公室"
    plain = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8", "PYTHON": sys.executable}
    install = [*OFFLINE, "sh", bundles["linux-x86_64"] / "install.sh", home]
    subprocess.run(install, env=plain, check=True, capture_output=True)
    run = [*OFFLINE, home / ".venv/bin/fupin", "run", home / "sample_data", "-o", home / "demo", "--quiet"]
    subprocess.run(run, env=plain, check=True)
    assert (home / "demo" / "digest.json").read_bytes() == (demo / "digest.json").read_bytes()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_changed_missing_or_foreign_file_is_refused(bundles, tmp_path):
    """The script names the file and installs nothing."""
    folder = tmp_path / "bundle"
    shutil.copytree(bundles["linux-x86_64"], folder)
    (folder / "wheels" / "foreign-1-py3-none-any.whl").write_bytes(b"")
    (folder / "LICENSE").unlink()
    with (folder / "requirements.txt").open("a") as file:
        file.write("\n")
    done = subprocess.run(
        ["sh", folder / "install.sh", tmp_path / "fupin"],
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 1
    assert [line.rsplit(": ", 1)[1] for line in done.stderr.splitlines()] == [
        "LICENSE",
        "requirements.txt",
        "wheels/foreign-1-py3-none-any.whl",
    ]
    assert not (tmp_path / "fupin").exists()


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("target", "platform"), [("linux-x86_64", "manylinux_2_28_x86_64"), ("windows-amd64", "win_amd64")]
)
def test_every_wheel_that_the_other_machine_needs_is_in_the_folder(bundles, target, platform, tmp_path):
    """pip finds all of it there and nowhere else, for that system and that Python, by the hashes that the folder lists."""
    platforms = [f"--platform={name}" for name in ([platform] if "win" in platform else TARGETS[target][0])]
    command = [
        *(sys.executable, "-m", "pip", "--isolated", "install", "--dry-run", "--no-index", "--only-binary=:all:"),
        *("--find-links", bundles[target] / "wheels", "--python-version", PYTHON, *platforms),
        *("--target", tmp_path / "nowhere", "--require-hashes", "--requirement", bundles[target] / "requirements.txt"),
    ]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    assert f"fupin-cli-{parts_in(*bundles[target].glob('wheels/*.whl'))[PROGRAM].version}" in done.stdout


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_bundle_says_what_it_is_made_of(bundles):
    """Its SBOM has the hash of every wheel; no script, list or bill names an address."""
    for folder in bundles.values():
        bill = json.loads((folder / "sbom.cdx.json").read_text(encoding="utf-8"))
        hashes = {part["hashes"][0]["content"] for part in [*bill["components"], bill["metadata"]["component"]]}
        sums = dict(
            line.split("  ", 1)[::-1] for line in (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
        )
        assert hashes == {digest for name, digest in sums.items() if name.startswith("wheels/")}
        papers = [path for path in folder.iterdir() if path.is_file() and path.name != "LICENSE"]
        assert not [path.name for path in papers if "://" in path.read_text(encoding="utf-8")]
        assert set(EXTRAS) <= {"database", "seal", "synth"}
