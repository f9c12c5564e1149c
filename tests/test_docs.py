"""The documents say what the program says."""

import re
import shutil
import subprocess
import sys

import pytest

from fupin_cli.cli.main import COMMANDS
from make_docs import DOCUMENTS, MANUAL, ROOT, as_printed, language_of, manual, rewritten

RUN = [name for name in DOCUMENTS if "```console\n" in (ROOT / name).read_text(encoding="utf-8")]


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if name not in RUN])
def test_made_blocks_are_as_the_program_prints_them(name):
    """Commands, help, glossary and checks; `make docs` writes them anew."""
    text = (ROOT / name).read_text(encoding="utf-8")
    assert rewritten(text, language_of(name)) == text


@pytest.mark.parametrize(
    "name", [name if name == "README.md" else pytest.param(name, marks=pytest.mark.slow) for name in RUN]
)
def test_what_a_page_shows_is_what_its_commands_answer(name):
    """Each command of the READMEs, the tutorial and the recipes is run, in order; `make docs` writes the answers anew."""
    assert as_printed(name) == (ROOT / name).read_text(encoding="utf-8")


def test_what_is_shown_is_run():
    """The READMEs, the tutorial and every recipe show commands that run: not one of them is only told."""
    recipes = {f"docs/recipes/{path.name}" for path in (ROOT / "docs" / "recipes").glob("*.md")}
    assert {"README.md", "README.zh-CN.md", "docs/tutorial.md"} | recipes <= set(RUN)


def test_every_command_in_the_documents_exists():
    """No document names a command that is not there."""
    for name in DOCUMENTS:
        blocks = re.findall(
            r"^```(?:console|sh)\n.*?^```", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
        )
        typed = re.findall(r"^(?:\$ )?fupin ([a-z]+)", "\n".join(blocks), flags=re.MULTILINE)
        assert set(typed) <= set(COMMANDS), name


def test_both_readmes_show_the_same():
    """The same commands, links and figures, each in its language, but for the page that each has in its own."""
    told = []
    for name in ("README.md", "README.zh-CN.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        links = [link.replace(".zh-CN", "") for link in re.findall(r"\]\(([^)]+)\)", text)]
        screens = "".join(re.findall(r"```console\n.*?```", text, flags=re.DOTALL))
        typed, figures = (
            re.findall(r"^\$ .*", screens, flags=re.MULTILINE),
            re.findall(r"[0-9]+(?:,[0-9]{3})*", screens),
        )
        told.append((links[1:], typed, sorted(figures), text.count("\n## ")))
    assert told[0] == told[1]


def test_links_in_the_documents_lead_somewhere():
    """Relative links point to files of the repository."""
    for name in DOCUMENTS:
        path = ROOT / name
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), f"{name} → {target}"


def test_the_manual_is_printed_from_the_commands():
    """`make docs` writes it anew."""
    assert (ROOT / MANUAL).read_text(encoding="utf-8") == manual()


@pytest.mark.skipif(shutil.which("man") is None, reason="no man here")
def test_man_shows_the_manual():
    """Without a warning, and with the hyphen of an option that can be copied."""
    done = subprocess.run(
        ["man", "-l", "--warnings", MANUAL], cwd=ROOT, capture_output=True, encoding="utf-8", check=True
    )
    assert not done.stderr
    assert "--due" in done.stdout
    assert "FUPIN CASES DISPATCH" in done.stdout


def test_the_site_builds_and_fetches_nothing(tmp_path):
    """Strictly: a page, link or anchor that is not there fails. No page asks another host for anything."""
    build = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    pages = list((tmp_path / "site").rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        asked = re.findall(
            r"<(?:script|link|img|iframe)[^>]+(?:src|href)=\"(?:https?:)?//", page.read_text(encoding="utf-8")
        )
        assert not asked, page.name


def test_every_promise_names_tests_that_are_there():
    """docs/promises.md has all ten, and each of the tests that it names is defined where it says."""
    rows = re.findall(r"^\| (\d+) \|(.*)$", (ROOT / "docs" / "promises.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert [number for number, _ in rows] == [str(number) for number in range(1, 11)]
    for number, row in rows:
        named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", row)
        assert named, f"promise {number} names no test"
        for file, test in named:
            assert f"\ndef {test}(" in (ROOT / "tests" / file).read_text(encoding="utf-8"), f"{file} has no {test}"
