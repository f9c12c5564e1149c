"""report.html in a real browser: nothing fetched, nothing complained of, filters and folds, keys, print on A4, accessibility.

Needs Chromium (Debian: apt-get install chromium; .ci/run does it) and is skipped where there is none. FUPIN_CHROMIUM names
another browser of that family.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from page_world import ledger_of_two_rounds, page_of
from report_world import make_world

CHROMIUM = os.environ.get("FUPIN_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium, or name one in FUPIN_CHROMIUM"
)
sync_api = pytest.importorskip("playwright.sync_api")
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
WIDTHS = {"telephone": 390, "laptop": 1366}
A4 = 695  # 210 mm without the margins, at 96 to the inch
OVERLAPS = """[...document.querySelectorAll('svg.chart')].flatMap(chart => {
        const boxes = [...chart.querySelectorAll('text')].map(one => [one.textContent, one.getBoundingClientRect()]);
        return boxes.flatMap(([a, p], n) => boxes.slice(n + 1).filter(([b, q]) => p.left + 1 < q.right && q.left + 1 < p.right
            && p.top + 3 < q.bottom && q.top + 3 < p.bottom).map(([b]) => `${a} / ${b}`));
    })"""


@pytest.fixture(scope="module")
def browser() -> Iterator["sync_api.Browser"]:
    """One headless Chromium; each page has a profile of its own."""
    with sync_api.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser, demo: Path, request: pytest.FixtureRequest) -> Iterator["sync_api.Page"]:
    """The page of the sample run, open; whoever asks for a width gets it. A complaint or a request fails the test."""
    width = WIDTHS[getattr(request, "param", "laptop")]
    context = browser.new_context(viewport={"width": width, "height": 900})
    context.set_default_timeout(120_000)  # a loaded machine is no fault of the page
    opened = context.new_page()
    heard: list[str] = []
    asked: list[str] = []
    opened.on("console", lambda message: heard.append(message.text))
    opened.on("pageerror", lambda error: heard.append(str(error)))
    opened.on("request", lambda sent: asked.append(sent.url))
    opened.goto((demo / "report.html").as_uri())
    yield opened
    assert heard == []
    assert asked == [(demo / "report.html").as_uri()]
    context.close()


@pytest.mark.parametrize("page", WIDTHS, indirect=True)
def test_fits_the_window(page):
    """Nothing sticks out at the side, on a telephone and on a laptop; every chart and every bar has a size."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    outside = """[...document.querySelectorAll('main *')].filter(one => !one.closest('.scroll') && one.getClientRects().length
        && one.getBoundingClientRect().right > innerWidth + 1).length"""
    assert page.evaluate(outside) == 0
    assert page.evaluate(
        "[...document.querySelectorAll('.chart')].every(one => one.getBoundingClientRect().height > 20)"
    )


def test_texts_of_charts_do_not_overlap(page):
    """In no chart do two texts lie over each other, with the fonts that this machine has."""
    assert page.evaluate(OVERLAPS) == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_with_a_ledger_and_in_either_language(browser, language, tmp_path: Path, monkeypatch):
    """Longer words and the rounds of a ledger: texts keep their distance, tables and paper their widths."""
    monkeypatch.setenv("FUPIN_REPORT_LANG", language)
    (tmp_path / "page.html").write_text(page_of(make_world(), ledger=ledger_of_two_rounds()), encoding="utf-8")
    opened = browser.new_page(viewport={"width": 390, "height": 900})
    opened.goto((tmp_path / "page.html").as_uri())
    assert opened.evaluate(OVERLAPS) == []
    assert opened.evaluate("document.documentElement.scrollWidth") <= 390
    opened.emulate_media(media="print")
    opened.set_viewport_size({"width": A4, "height": 1000})
    assert opened.evaluate("document.documentElement.scrollWidth") <= A4
    opened.close()


def test_filters_and_folds(page, demo: Path):
    """The list is sifted by text, kind, township and doubt, and says how many are left; a case opens and shows both sides."""
    cases = page.locator(".case:visible")
    everything = cases.count()
    page.select_option("#f-rule", "CMP-PS1")
    found = pl.read_parquet(demo / "findings.parquet")
    told = found.filter(pl.col("rule_id") == "CMP-PS1")
    assert cases.count() == told.height
    assert page.text_content("#f-count") == f"显示 {told.height} / {everything} 条"
    page.check("#f-review")
    assert cases.count() == told.filter(pl.col("band") == "review").height == 1
    page.click("button[type=reset]")
    page.wait_for_function("document.querySelector('#f-count').textContent.includes('显示 400 ')")
    key = told["finding_key"][0]
    page.fill("#f-text", f"{key} 死亡")
    assert cases.count() == 1
    cases.first.locator("summary").click()
    shown = cases.first.inner_text()
    assert "台账登记" in shown
    assert "公安数据" in shown
    assert "规则推演" in shown
    page.select_option("#f-town", index=1)
    page.click("button[type=reset]")
    page.click("#f-open")
    page.wait_for_function("[...document.querySelectorAll('.case')].every(one => one.open)")


def test_keyboard_alone(page):
    """Tab reaches a link over the contents first, then folds and filters; Enter opens what has the focus."""
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "跳到正文"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "top"
    page.focus("summary.place")
    was = page.evaluate("document.activeElement.parentElement.open")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.parentElement.open") != was
    page.focus("#f-text")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "f-rule"


def test_works_without_script(browser, demo: Path):
    """Without its script the page folds and unfolds all the same, and no dead filter is shown."""
    context = browser.new_context(java_script_enabled=False)
    opened = context.new_page()
    opened.goto((demo / "report.html").as_uri())
    assert not opened.locator("#filter").is_visible()
    case = opened.locator(".case").first
    case.locator("summary").click()
    assert case.locator(".sides").is_visible()
    context.close()


def test_prints_on_a4(page, tmp_path: Path):
    """Printed it is a handful of A4 sheets, without the list of cases, none of them cut at the side."""
    page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
    if shutil.which("pdfinfo"):
        told = subprocess.run(["pdfinfo", tmp_path / "report.pdf"], capture_output=True, text=True, check=True).stdout
        assert "A4" in told
        assert 3 <= int(told.split("Pages:")[1].split()[0]) <= 8
    page.emulate_media(media="print")
    page.set_viewport_size({"width": A4, "height": 1000})
    assert page.evaluate("document.documentElement.scrollWidth") <= A4
    assert page.locator(".case:visible").count() == 0


def test_accessible(page):
    """axe-core finds nothing against WCAG 2.2 A and AA, contrast included, with cases, tables and appendix unfolded."""
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415

    page.evaluate(
        "document.querySelectorAll('.behind, .folded, .case:nth-child(-n+12)').forEach(one => one.open = true)"
    )
    more_of_the_same = ".case:nth-child(n+16), tr:nth-child(n+12), .d1 + ul li:nth-child(n+3)"
    page.evaluate("these => document.querySelectorAll(these).forEach(one => one.remove())", more_of_the_same)
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    told = Axe().run(page, options={"runOnly": tags, "resultTypes": ["violations"]})
    assert len(told.response["passes"]) > 20
    found = [(one["id"], one["impact"], one["nodes"][0]["html"][:120]) for one in told.response["violations"]]
    assert found == []
