"""The documents say what the program says."""

import re

import pytest

from fupin_cli.cli.main import COMMANDS
from make_docs import DOCUMENTS, ROOT, rewritten


@pytest.mark.parametrize("name", DOCUMENTS)
def test_made_blocks_are_as_the_program_prints_them(name):
    """Commands, help, glossary, checks and the session of the README; `make docs` writes them anew."""
    text = (ROOT / name).read_text(encoding="utf-8")
    assert rewritten(text) == text


def test_every_command_in_the_readmes_exists():
    """No document names a command that is not there."""
    for name in ("README.md", "README.zh-CN.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert set(re.findall(r"^\$ fupin ([a-z]+)", text, flags=re.MULTILINE)) <= set(COMMANDS)


def test_links_in_the_documents_lead_somewhere():
    """Relative links point to files of the repository."""
    for name in DOCUMENTS:
        path = ROOT / name
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), f"{name} → {target}"
