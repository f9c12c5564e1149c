"""Charts as SVG: real text, greys and hatches that survive a black-and-white printer, a number beside every bar.

matplotlib draws them and is only imported when a page is written. Its SVG is then made fit for a page: no style attributes (the
page's content security policy refuses them), no ids beside those that are referred to, coordinates to a tenth of a pixel. Text
is placed by its anchor alone, so the fonts of a machine change nothing, and the same numbers give the same bytes.
"""

from __future__ import annotations

import logging
import re
import unicodedata
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from markupsafe import Markup

from fupin_cli.language import later, on_paper

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 460  # pixels of the drawing; a telephone shows it at four fifths
_LABEL = 176  # the most room for words at the left
_ROW, _TALL, _LEGEND, _FONT, _SMALL = 27, 35, 30, 13, 12
_INK, _PALE = "#222222", "#5a6270"
_SVG = "{http://www.w3.org/2000/svg}"
_LINK = "{http://www.w3.org/1999/xlink}href"


@dataclass(frozen=True)
class Look:
    """How one series is drawn: its word in the legend, fill, hatch, and the colour of a number inside it."""

    word: str
    fill: str
    hatch: str = ""
    edge: str = "#1f3864"
    ink: str = "#ffffff"


LOOKS = {
    "accepted": Look(later("Sure"), "#1f3864"),
    "linked": Look(later("Accepted"), "#1f3864"),
    "review": Look(later("Review"), "#ffffff", "////", "#8a5a00", _INK),
    "notes": Look(later("County's own"), "#cdd3db", "", "#8b93a0", _INK),
    "met": Look(later("Met"), "#dcebdf", "", "#3f6f4b", _INK),
    "not_met": Look(later("Not met"), "#96300f", "", "#96300f"),
    "unknown": Look(later("Unknown"), "#ffffff", "----", "#4b5563", _INK),
    "not_applicable": Look(later("Not applicable"), "#eef1f5", "", "#a3abb8", _INK),
    "known": Look(later("County saw it"), "#7d8da8", "", "#1f3864"),
    "missed": Look(later("Province only"), "#1f3864"),
    "cleared": Look(later("Province cleared it"), "#ffffff", "\\\\\\\\", "#3f6f4b", _INK),
    "valid": Look(later("Valid number"), "#dcebdf", "", "#3f6f4b", _INK),
    "broken": Look(later("Wrong number"), "#96300f", "", "#96300f"),
    "absent": Look(later("Not filled in"), "#ffffff", "----", "#4b5563", _INK),
    "to_send": Look(later("To be sent"), "#ffffff", "----", "#4b5563", _INK),
    "out": Look(later("Sent"), "#cdd3db", "", "#8b93a0", _INK),
    "answered": Look(later("Answered"), "#7d8da8", "", "#1f3864", _INK),
    "closed": Look(later("Closed"), "#1f3864"),
    "settled": Look(later("Cleared or exempt"), "#dcebdf", "", "#3f6f4b", _INK),
    "so": Look(later("So"), "#96300f", "", "#96300f"),
    "partly": Look(later("Partly so"), "#ffffff", "////", "#96300f", _INK),
    "not_so": Look(later("Not so"), "#dcebdf", "", "#3f6f4b", _INK),
    "all": Look("", "#1f3864"),
}


def stacked(
    name: str,
    about: str,
    rows: Sequence[tuple[str, Sequence[int]]],
    looks: Sequence[str],
    ends: Sequence[str] = (),
) -> Markup:
    """Horizontal bars, one a row, each of parts in the order of `looks`; at its right end stand the words of `ends`, or its sum.

    `name` tells charts of one page apart, `about` says for those who do not see it what is drawn.
    """
    kinds = [LOOKS[look] for look in looks]
    ends = ends or [f"{sum(parts):,}" for _, parts in rows]
    labels = [_broken(label, _LABEL) for label, _ in rows]
    left = max((_wide(line, size) for lines, size in labels for line in lines), default=0) + 10
    right = max((_wide(end, _FONT) for end in ends), default=0) + 8
    legend = _LEGEND if len(kinds) > 1 else 4
    tops = list(accumulate((_ROW if len(lines) < 2 else _TALL for lines, _ in labels), initial=legend))
    with _drawing(name, about, tops[-1] + 4) as (axes, done):
        if len(kinds) > 1:
            _legend(axes, kinds)
        scale = (WIDTH - left - right) / (max((sum(parts) for _, parts in rows), default=0) or 1)
        for (_, parts), (lines, size), end, between in zip(rows, labels, ends, pairwise(tops), strict=True):
            y = sum(between) / 2
            for line, down in zip(lines, (-7.6, 7.6) if len(lines) > 1 else (0,), strict=True):
                axes.text(left - 8, y + down, line, ha="right", va="center_baseline", fontsize=size)
            at = left
            for count, kind in zip(parts, kinds, strict=True):
                _bar(axes, at, y, count * scale, kind)
                if len(kinds) > 1 and count * scale > 8 + _wide(f"{count:,}", _SMALL):
                    _number(axes, at + count * scale / 2, y, f"{count:,}", kind)
                at += count * scale
            axes.text(at + 6, y, end, va="center_baseline", fontsize=_FONT)
    return done[0]


def histogram(
    name: str,
    about: str,
    bins: Sequence[tuple[float, Sequence[int]]],
    looks: Sequence[str],
    width: float,
    marks: Sequence[tuple[float, str]],
) -> Markup:
    """Upright bars over bins of one `width`, side by side for each look, on a scale of tenfolds; `marks` are lines with words."""
    kinds = [LOOKS[look] for look in looks]
    left, right, top, bottom = 34, 8, _LEGEND + 34, 44
    height = 280
    with _drawing(name, about, height) as (axes, done):
        _legend(axes, kinds)
        edges = [start for start, _ in bins] + [value for value, _ in marks]
        low = min(edges, default=0)
        high = max([*edges, low], default=0) + width
        across = (WIDTH - left - right) / (high - low)
        most = max((count for _, counts in bins for count in counts), default=1)
        tens = max(len(str(most)), 1)
        base, up = height - bottom, (height - bottom - top) / tens

        def tall(count: int) -> float:
            return 0.0 if not count else (_log10(count) + 0.25) / (tens + 0.25) * up * tens

        for power in range(tens):
            y = base - tall(10**power)
            axes.plot([left, WIDTH - right], [y, y], color="#d5dae2", linewidth=0.7, zorder=0)
            axes.text(left - 5, y, f"{10**power:,}", ha="right", va="center_baseline", fontsize=_SMALL, color=_PALE)
        for start, counts in bins:
            each = width * across / len(kinds)
            for n, (count, kind) in enumerate(zip(counts, kinds, strict=True)):
                x = left + (start - low) * across + n * each
                if count:
                    _box(axes, x + 0.6, base - tall(count), each - 1.2, tall(count), kind)
        axes.plot([left, WIDTH - right], [base, base], color=_INK, linewidth=1)
        for tick in range(round(low // 10 * 10), round(high) + 1, 10):
            if tick >= low:
                x = left + (tick - low) * across
                axes.text(x, base + 13, f"{tick}", ha="center", va="center_baseline", fontsize=_SMALL, color=_PALE)
        axes.text(
            WIDTH - right,
            base + 33,
            on_paper("Bits (more: likelier one person)"),
            ha="right",
            va="center_baseline",
            fontsize=_SMALL,
            color=_PALE,
        )
        for n, (value, word) in enumerate(marks):
            x, y = left + (value - low) * across, _LEGEND + 8 + 15 * n
            axes.plot([x, x], [y + 6, base], color=_INK, linewidth=1.2, dashes=(4, 3))
            axes.text(x + 4, y + 2, word, va="center_baseline", fontsize=_SMALL)
    return done[0]


def lines(name: str, about: str, xs: Sequence[str], series: Sequence[tuple[str, Sequence[int]]]) -> Markup:
    """Lines over rounds, told apart by dash and mark, each with its word and last number at its end."""
    height, left, right, top, bottom = 240, 14, 118, 16, 30
    dashes, marks = ((), (6, 3), (2, 2), (8, 3, 2, 3)), ("o", "s", "^", "D")
    with _drawing(name, about, height) as (axes, done):
        most = max((value for _, values in series for value in values), default=1) or 1
        step = (WIDTH - left - right) / max(len(xs) - 1, 1)

        def point(n: int, value: int) -> tuple[float, float]:
            return left + n * step, height - bottom - value / most * (height - bottom - top)

        axes.plot([left, WIDTH - right], [height - bottom, height - bottom], color=_INK, linewidth=1)
        every = -(-len(xs) // 4)
        for n, x in enumerate(xs):
            if (len(xs) - 1 - n) % every == 0:
                where = "left" if n == 0 else "right" if n == len(xs) - 1 else "center"
                axes.text(point(n, 0)[0], height - 12, x, ha=where, va="center_baseline", fontsize=_SMALL, color=_PALE)
        order = sorted(enumerate(series), key=lambda one: -one[1][1][-1])
        # words that would stand below the axis move up
        room = [height - bottom - 18 * n for n in reversed(range(len(order)))]
        taken = 0.0
        for (n, (word, values)), lowest in zip(order, room, strict=True):
            points = [point(at, value) for at, value in enumerate(values)]
            (line,) = axes.plot(
                *zip(*points, strict=True), color="#1f3864", linewidth=1.6, marker=marks[n % 4], markersize=5
            )
            if dashes[n % 4]:
                line.set_dashes(dashes[n % 4])
            taken = min(max(points[-1][1], taken + 18), lowest)
            axes.text(WIDTH - right + 10, taken, f"{word} {values[-1]:,}", va="center_baseline", fontsize=_FONT)
    return done[0]


@contextmanager
def _drawing(name: str, about: str, height: float) -> Iterator[tuple[Axes, list[Markup]]]:
    """Axes in pixels from the top left; when the block ends, the list holds the SVG."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # where it keeps its cache is nobody's business here
    import matplotlib as mpl  # noqa: PLC0415  half a second that only a page needs
    from matplotlib.backends.backend_svg import FigureCanvasSVG  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    done: list[Markup] = []
    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()  # whatever a matplotlibrc on this machine says
        mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": name, "hatch.linewidth": 1.0, "text.color": _INK})
        warnings.simplefilter("ignore")  # its own fonts have no 汉字; the browser's have, and measure them
        figure = Figure(figsize=(WIDTH / 72, height / 72), dpi=72)
        canvas = FigureCanvasSVG(figure)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, WIDTH), ylim=(height, 0))
        axes.axis("off")
        yield axes, done
        written = StringIO()
        canvas.print_svg(written, metadata={"Date": None})  # type: ignore[no-untyped-call]
    done.append(_for_page(written.getvalue(), name, about))


def _bar(axes: Axes, x: float, y: float, width: float, kind: Look) -> None:
    if width:
        _box(axes, x, y - 9, max(width, 0.8), 18, kind)


def _box(axes: Axes, x: float, y: float, width: float, height: float, kind: Look) -> None:
    axes.bar(
        x, height, width, y, align="edge", color=kind.fill, edgecolor=kind.edge, linewidth=0.8, hatch=kind.hatch or None
    )


def _number(axes: Axes, x: float, y: float, text: str, kind: Look) -> None:
    box = {"facecolor": "#ffffff", "edgecolor": "none", "pad": 1.2} if kind.hatch else None
    axes.text(x, y, text, ha="center", va="center_baseline", fontsize=_SMALL, color=kind.ink, bbox=box)


def _legend(axes: Axes, kinds: Sequence[Look]) -> None:
    x = 2.0
    for kind in kinds:
        word = on_paper(kind.word)
        _box(axes, x, 5, 16, 12, kind)
        axes.text(x + 21, 11.5, word, va="center_baseline", fontsize=_SMALL)
        x += 21 + _wide(word, _SMALL) + 14


def _wide(text: str, size: float) -> float:
    """About how many pixels a text takes: 汉字 are square, everything else is half as wide."""
    return sum(size if unicodedata.east_asian_width(letter) in "WFA" else 0.58 * size for letter in text)


def _broken(label: str, room: float) -> tuple[list[str], float]:
    """The label on a line, or on two small ones where it is too long, and its size."""
    if _wide(label, _FONT) <= room:
        return [label], _FONT
    fits = next(n for n in range(len(label), 0, -1) if _wide(label[:n].rstrip(), _SMALL) <= room)
    at = max(label.rfind(mark, 1, fits + 1) for mark in " （(")
    # Chinese breaks anywhere, and so does a word that is longer than a line
    at = at if at > fits // 2 else fits
    return [label[:at], _cut(label[at:].lstrip(), room, _SMALL)] if label[at:].strip() else [label], _SMALL


def _cut(text: str, room: float, size: float) -> str:
    """The text, cut with … where it does not fit; the table behind the chart has it whole."""
    while _wide(text, size) > room:
        text = f"{text.rstrip('…')[:-1]}…"
    return text


def _log10(count: int) -> float:
    from math import log10  # noqa: PLC0415

    return log10(count)


def _for_page(svg: str, name: str, about: str) -> Markup:
    """The drawing as an element of a page."""
    ET.register_namespace("", _SVG.strip("{}"))
    root = ET.fromstring(svg)  # noqa: S314  written a moment ago by matplotlib
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{_SVG}metadata", f"{_SVG}style"):
                parent.remove(child)
    used = {
        found for element in root.iter() for value in element.attrib.values() for found in re.findall(r"#(\w+)", value)
    }
    for element in root.iter():
        _plain(element, used)
    view = root.attrib["viewBox"]
    root.attrib.clear()
    root.attrib.update({"class": "chart", "viewBox": view, "role": "img", "aria-label": about, "id": f"chart-{name}"})
    text = ET.tostring(root, encoding="unicode")
    text = re.sub(
        r">\s+<", "><", text.replace(f' xmlns="{_SVG.strip("{}")}"', "")
    )  # a page knows svg without a namespace
    return Markup(re.sub(r"-?\d+\.\d{2,}", lambda found: f"{float(found[0]):.1f}".removesuffix(".0"), text))  # noqa: S704


def _plain(element: Any, used: set[str]) -> None:
    """One element with presentation attributes for its style, and an id only where something refers to it."""
    for part in filter(None, element.attrib.pop("style", "").split(";")):
        key, value = (word.strip() for word in part.split(":", 1))
        if key == "font":
            element.set("font-size", re.findall(r"([\d.]+)px", value)[0])
        elif key not in ("font-family", "font-variant", "font-stretch"):
            element.set(key, value)
    if element.attrib.get("id") not in used:
        element.attrib.pop("id", None)
    if _LINK in element.attrib:
        element.set("href", element.attrib.pop(_LINK))
    if element.attrib.get("transform", "").startswith("rotate(-0"):
        element.attrib.pop("transform")
