"""Words in the language of whoever reads them: English in the code, Chinese in a catalogue beside it (gettext).

A catalogue is `locale/zh/LC_MESSAGES/fupin.po`, made ready by `make messages`.

What is written to be read by others has a language of its own. It is Chinese, so that whoever runs the program on an English
system still writes what offices read; a run's own workbooks and its page are in English where somebody asked for English, by
FUPIN_REPORT_LANG, --lang or FUPIN_LANG. Forms that villages fill in are always in Chinese.
"""

from __future__ import annotations

import gettext
import locale
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TypeVar

Said = TypeVar("Said")
COMMA = ("、", ", ")
LANGUAGES = {"zh": "中文", "en": "English"}
VARIABLE = "FUPIN_LANG"
REPORTS = "FUPIN_REPORT_LANG"
_LOCALE = Path(__file__).parent / "locale"
_language = "en"
_asked = "zh"  # for reports: what somebody asked for, which a system's locale does not
_written = "zh"  # what is being written now
_spoken = gettext.NullTranslations()


def speak(language: str, *, asked: bool = False) -> None:
    """From now on messages are in this language; the code's own, English, where a message has no translation.

    Where somebody `asked` for it, reports are too.
    """
    global _language, _asked, _spoken  # noqa: PLW0603 - one process speaks to one person
    _language, _asked = language, language if asked else "zh"
    _spoken = gettext.translation("fupin", _LOCALE, [language], fallback=True)
    # click asks gettext by itself, and so do the programs that we start
    os.environ["LANGUAGE"] = os.environ[VARIABLE] = language
    gettext.bindtextdomain("fupin", str(_LOCALE))
    gettext.textdomain("fupin")


def preferred(environment: Mapping[str, str] = os.environ) -> str:
    """The language that the environment asks for: FUPIN_LANG, else the locale's; English where that is neither."""
    said = next(
        (environment[name] for name in (VARIABLE, "LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), ""
    )
    if not said and sys.platform == "win32":
        said = locale.getlocale()[0] or ""
    return "zh" if said.lower().startswith(("zh", "chinese")) else "en"


def tr(text: str, **values: object) -> str:
    """The message in the language spoken, with its values filled in."""
    said = _spoken.gettext(text)
    return said.format(**values) if values else said


@contextmanager
def report_language() -> Iterator[str]:
    """Meanwhile what is written is in the language asked for reports, not in Chinese; also around a whole function."""
    global _written  # noqa: PLW0603 - one report is written at a time
    before, _written = _written, os.environ.get(REPORTS) or _asked
    try:
        yield _written
    finally:
        _written = before


def on_paper(text: str, **values: object) -> str:
    """The text of a workbook or page in the language that it is written in, with its values filled in."""
    said = text if _written == "en" or not text else _chinese().gettext(text)
    return said.format(**values) if values else said


def later(text: str) -> str:
    """A text of a table of words: `on_paper` or `tr` says it when its time has come."""
    return text


def pick_on_paper(both: tuple[Said, Said]) -> Said:
    """Of the Chinese and the English the one in the language that is written."""
    return both[_written == "en"]


@cache
def _chinese() -> gettext.NullTranslations:
    return gettext.translation("fupin", _LOCALE, ["zh"])


def listed(names: Iterable[str]) -> str:
    """The names in a row, with commas as the language has them."""
    return pick(COMMA).join(names)


def clues(findings: int, notes: int, say: Callable[..., str] = tr) -> str:
    """So many findings and so many notes; what there is none of is left out, but findings where there are neither."""
    counts = ((later("findings: {count:,}"), findings), (later("notes: {count:,}"), notes))
    told = [say(text, count=count) for text, count in counts if count] or [say(counts[0][0], count=0)]
    return (pick_on_paper if say is on_paper else pick)(COMMA).join(told)


def listed_on_paper(names: Iterable[str]) -> str:
    """The same in the language that is written."""
    return pick_on_paper(COMMA).join(names)


def pick(both: tuple[Said, Said]) -> Said:
    """Of the Chinese and the English the one in the language spoken."""
    return both[_language == "en"]
