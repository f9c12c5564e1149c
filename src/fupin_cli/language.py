"""Words in the language of whoever reads them: English in the code, Chinese in a catalogue beside it (gettext).

A catalogue is `locale/zh/LC_MESSAGES/fupin.po`, made ready by `make messages`. Workbooks and pages have a language of their own.
"""

from __future__ import annotations

import gettext
import locale
import os
import sys
from collections.abc import Mapping
from pathlib import Path

LANGUAGES = {"zh": "中文", "en": "English"}
VARIABLE = "FUPIN_LANG"
_LOCALE = Path(__file__).parent / "locale"
_spoken = gettext.NullTranslations()


def speak(language: str) -> None:
    """From now on messages are in this language; the code's own, English, where a message has no translation."""
    global _spoken  # noqa: PLW0603 - one process speaks to one person
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
