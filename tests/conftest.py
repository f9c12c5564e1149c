"""What several test files share: the sample run once, and the command line as a user types it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "sample_data"
FUPIN = Path(sys.executable).with_name("fupin")

os.environ["FUPIN_LANG"] = "en"  # tests look for the words of the code, whatever the tester speaks

settings.register_profile("ci", derandomize=True, deadline=None)
settings.load_profile("ci")


def fupin(*words, **environment) -> subprocess.CompletedProcess:
    """Runs the installed command in a process of its own."""
    return subprocess.run(
        [str(FUPIN), *map(str, words)],
        capture_output=True,
        encoding="utf-8",
        timeout=240,
        env={**os.environ, **environment},
        check=False,
    )


@pytest.fixture(scope="session")
def demo(tmp_path_factory) -> Path:
    """The run directory of the sample data, made by the command line."""
    folder = tmp_path_factory.mktemp("demo") / "run"
    done = fupin("run", SAMPLE, "-o", folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def sample(tmp_path) -> Path:
    """A copy of the sample project that a test may damage."""
    kept = shutil.ignore_patterns(".fupin", "runs", "cases")  # of somebody who followed the tutorial
    shutil.copytree(SAMPLE, tmp_path / "project", ignore=kept)
    return tmp_path / "project"
