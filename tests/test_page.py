"""report.html: one file without script or outside address, aggregates only, small counts not told."""

import re
import stat
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from fupin_cli.report.digest import Digest, Problem
from fupin_cli.report.page import render_page, write_page
from report_world import World, id_number, make_world


@pytest.fixture(scope="module")
def world() -> World:
    """One invented run."""
    return make_world()


@pytest.fixture(scope="module")
def digest(world: World) -> Digest:
    """The digest of that run."""
    return world.digest()


class Tags(HTMLParser):
    """Collects tags and attributes, and holds that what is opened is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Called by the parser."""
        self.seen.append((tag, dict(attrs)))
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Called by the parser."""
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Called by the parser."""
        assert self.open.pop() == tag


def _tags(page: str) -> Tags:
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    return tags


def test_self_contained(digest: Digest):
    """No script, no address, no event handler; every tag that opens is closed."""
    page = render_page(digest)
    tags = _tags(page)
    assert not {"script", "link", "img", "iframe", "a", "form"} & {tag for tag, _ in tags.seen}
    assert not [
        name for _, attributes in tags.seen for name in attributes if name.startswith("on") or name in {"src", "href"}
    ]
    assert "http" not in page
    assert "url(" not in page


def test_written_private_and_repeatable(digest: Digest, world: World, tmp_path: Path):
    """The page is readable by its owner only, and shuffled frames give the same bytes."""
    write_page(tmp_path / "report.html", digest)
    write_page(tmp_path / "again.html", world.shuffled(7).digest())
    assert stat.S_IMODE((tmp_path / "report.html").stat().st_mode) == 0o600
    assert (tmp_path / "report.html").read_bytes() == (tmp_path / "again.html").read_bytes()


def test_no_person(digest: Digest, world: World):
    """No name and no ID of any frame is on the page."""
    page = render_page(digest)
    personal = (
        set(world.persons["name"]) | set(world.persons["id_number"].drop_nulls()) | set(world.persons["household_id"])
    )
    assert not [value for value in personal if value in page]


def test_labels_are_escaped_and_masked(digest: Digest):
    """A label that is markup shows as text, and an ID number typed into a header is masked."""
    nasty = Problem("unmapped_column", "a<b>.xlsx", "S&T", f'"><script>alert(1)</script> {id_number(3)}')
    page = render_page(replace(digest, problems=(nasty,), project="<i>x</i>"))
    assert "<script" not in page
    assert "<i>x</i>" not in page
    assert "a&lt;b&gt;.xlsx" in page
    assert id_number(3) not in page
    _tags(page)


def test_small_counts_are_not_told(digest: Digest):
    """Findings by kind below five appear as <5 only, and their bars have one length."""
    page = render_page(digest)
    section = page.split("各类疑点")[1].split("</section>")[0]
    counts: dict[str, int] = {}
    for tally in digest.findings_by_rule:
        counts[tally.rule_id] = counts.get(tally.rule_id, 0) + tally.count
    small = [rule for rule, count in counts.items() if count < 5]
    assert small
    for rule in small:
        row = section.split(f"<code>{rule}</code>")[1].split("</tr>")[0]
        assert "&lt;5" in row
        assert 'class="hidden"' in row
        assert len(re.findall("<rect", row)) == 1


def test_what_was_not_run_is_said(digest: Digest):
    """A rule that was not run is named with its reason, and a sheet that does not balance is marked."""
    page = render_page(digest)
    assert "未运行：没有工商数据（companies）" in page
    off = replace(digest.accounts[0], rows_used=digest.accounts[0].rows_used - 1)
    assert "不符" in render_page(replace(digest, accounts=(off, *digest.accounts[1:])))


def test_every_less_than_sign_is_a_tag_or_escaped(digest: Digest):
    """No bare <5 stands in the markup."""
    assert not re.search(r"<[^a-zA-Z/!]", render_page(digest))
