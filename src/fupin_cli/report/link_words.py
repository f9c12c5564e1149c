"""One link in words and bits: what agrees and how far, what each of it is worth, and how sure that makes us."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from fupin_cli.language import later, pick, tr
from fupin_cli.linkage.assignment import CONTRADICTS
from fupin_cli.vocabulary import Decision

_FIELDS = {
    "prior": ("随便两人", "two at random"),
    "id_number": ("证件号码", "ID number"),
    "masked": ("证件号段", "what is seen of the ID"),
    "name": ("姓名", "name"),
    "birth": ("出生日期", "birth date"),
    "sex": ("性别", "sex"),
    "place": ("住址", "place"),
    "phone": ("电话", "telephone"),
    "household": ("同户成员", "household"),
    "rivals": ("其他候选人", "other candidates"),
}
LEVEL_WORDS = {
    "id_number": {
        "exact": ("一致", "the same"),
        "repaired": ("差一位或相邻两位颠倒", "one fault away"),
        "slip": ("多一位或少一位", "a digit more or less"),
        "damaged": ("前15位一致，后三位丢失", "last three lost"),
        "same_text": ("同样有误且相同", "same wrong number"),
        "partial": ("三段中两段一致", "two parts of three"),
        "disowned": ("其一已知属于他人", "another's number"),
        "unlike": ("其一有误，且相差较大", "one wrong, not near"),
        "different": ("均有效但不同", "two valid numbers"),
    },
    "masked": {
        "agrees": ("未遮盖的数字一致", "what is seen agrees"),
        "differs": ("未遮盖的数字不同", "what is seen differs"),
    },
    "name": {
        "exact": ("一致", "the same"),
        "former": ("曾用名一致", "a former name"),
        "alias": ("俗写相通", "informal spelling"),
        "sound": ("同音", "sounds the same"),
        "near_sound": ("近音", "sounds alike"),
        "shape": ("形近", "looks alike"),
        "wildcard": ("可辨认的字一致", "agrees as written"),
        "swapped": ("名字两字颠倒", "characters swapped"),
        "gap": ("多一字或少一字", "one character gap"),
        "segments": ("译写相近", "another spelling"),
        "one_char": ("同姓，差一字", "one other character"),
        "surname": ("只有姓相同", "surname only"),
        "other": ("不同", "different"),
    },
    "birth": {
        "equal": ("一致", "the same"),
        "one_fault": ("差一处", "one part differs"),
        "different": ("不同", "different"),
    },
    "sex": {"equal": ("一致", "the same"), "different": ("不同", "different")},
    "place": {
        "hamlet": ("同村同组", "same hamlet"),
        "village": ("同村不同组", "another hamlet"),
        "in_village": ("同村", "same village"),
        "township": ("同乡镇不同村", "another village"),
        "in_township": ("同乡镇", "same township"),
        "county": ("同县不同乡镇", "another township"),
        "in_county": ("同县", "same county"),
        "elsewhere": ("不同县", "another county"),
    },
    "phone": {"equal": ("一致", "the same"), "different": ("不同", "different")},
    "household": {
        "joined": ("同户其他人也在该户", "others found there"),
        "apart": ("同户其他人在别户", "others elsewhere"),
    },
}
FIELD_WORDS = {  # of the columns of a profile's [compare], whatever they hold
    "exact": ("一致", "the same"),
    "swapped": ("两栏互换", "columns exchanged"),
    "near": ("相近", "nearly the same"),
    "one_edit": ("差一位或相邻两位颠倒", "one fault away"),
    "one_fault": ("差一处", "one part differs"),
    "alike": ("略相近", "somewhat alike"),
    "two_edits": ("差两位", "two faults away"),
    "different": ("不同", "different"),
}
_NOTHING = ("一方未填", "not given")
_COUNTED = ("不另计", "  none")
_BY_FIELDS = "fields"  # the basis of links by [compare]
_FIELD = (10, 22)  # columns for its name in Chinese, in English
_WORDS = 22  # columns; a line has room in 80, even when it is indented by four
_WIDEST, _BITS_A_BLOCK = 12, 2.0


@dataclass(frozen=True)
class Step:
    """What one field adds to a link: its name and what agrees, in Chinese and in English, and the bits."""

    field: str
    words: str
    name: str
    english: str
    bits: float


def steps(link: Mapping[str, Any]) -> list[Step]:
    """The fields of a link that say something, in the order of telling; their bits are its weight.

    `link` has the columns of LINKS with levels and bits, as links.parquet holds them.
    """
    found = []
    for field, (zh, en) in _fields_of(link).items():
        bits, level = round(link.get(f"bits_{field}") or 0.0, 1), link.get(f"{field}_level")
        if not bits and level is None:
            continue
        known = (FIELD_WORDS if link.get("basis") == _BY_FIELDS else LEVEL_WORDS.get(field, {})).get(str(level))
        words, english = known or (_NOTHING if f"{field}_level" in link else ("", ""))
        found.append(Step(zh, words, en, english, bits))
    return found


def waterfall(link: Mapping[str, Any]) -> list[str]:
    """A line of at most 76 columns for each step: words, bits and a bar; then the sum and the probability."""
    lines, width = [], pick(_FIELD)
    for step in steps(link):
        # what agrees because something else does (the birth date inside an ID number) is not counted a second time
        told = f"{step.bits:+6.1f}" if step.bits else pick(_COUNTED)
        field, words = pick(((step.field, step.words), (step.name, step.english)))
        lines.append(f"{_padded(field, width)} {_padded(words, _WORDS)} {told} {_bar(step.bits)}".rstrip())
    weight, sure = link["match_weight"], percent(100 * link["match_probability"], tr("over"), tr("under"))
    certain = _padded(tr("sure to be one person: {sure}", sure=sure), _WORDS + 4)
    total, bits = tr("sum"), tr("bits")
    lines.append(f"{_padded(total, width)} {certain} {weight:+.1f} {bits}")
    return lines


def why_review(link: Mapping[str, Any]) -> str:
    """Why a person must decide on a link: what no weight outvotes, a rival as near, or a weight between the two lines.

    In English, for `tr` or `on_paper` to say; empty of a link that does not wait.
    """
    if link["decision"] != Decision.REVIEW:
        return ""
    number, name = link.get("id_number_level"), link.get("name_level")
    alone = number == "disowned" and link.get("household_level") != "joined"
    two_numbers = number == "different" or link.get("masked_level") == "differs"
    whys = (
        (link["tied"], later("another candidate is as near: which of them it is, nobody can tell")),
        (link["basis"] == _BY_FIELDS, later("the weight lies between the two lines, or what must agree does not")),
        (
            name in CONTRADICTS,
            later("the names contradict: that is never outvoted, for a borrowed or mistyped number agrees, too"),
        ),
        (two_numbers, later("both have a number, and the numbers differ")),
        (alone, later("the number belongs to somebody else, and nobody of the household vouches for this one")),
        (name is None and number != "exact", later("there is no name to compare, and no equal number")),
    )
    between = later("the weight lies between the two lines: too little for a link, too much to dismiss")
    return next((why for holds, why in whys if holds), between)


def _fields_of(link: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """What the bits of a link belong to, in the order of telling, with their names; columns of [compare] have their own."""
    if link.get("basis") != _BY_FIELDS:
        return _FIELDS
    declared = [name.removesuffix("_level") for name in link if name.endswith("_level")]
    return {
        "prior": _FIELDS["prior"],
        **{name: (_short(name), _short(name)) for name in declared},
        "rivals": _FIELDS["rivals"],
    }


def _short(name: str) -> str:
    return name if len(name) <= _FIELD[0] else f"{name[: _FIELD[0] - 1]}…"


def agreement(field: str) -> pl.Expr:
    """What the level of a field says, in Chinese words with the field before them; null where a side says nothing."""
    named = "" if field == "household" else _FIELDS[field][0]  # its words name it
    words = {level: f"{named}{zh}" for level, (zh, _) in LEVEL_WORDS[field].items()}
    return pl.col(f"{field}_level").cast(pl.String).replace_strict(words, default=None, return_dtype=pl.String)


def percent(sure: float, over: str = "超过", under: str = "不到") -> str:
    """How sure that makes us; nobody is ever sure beyond 99.9 %."""
    return f"{sure:.1f} %" if 0.05 <= sure <= 99.95 else (f"{over} 99.9 %" if sure > 50 else f"{under} 0.1 %")


def _bar(bits: float) -> str:
    """Blocks to the right of a line for what speaks for the pair, to its left for what speaks against."""
    blocks = min(round(abs(bits) / _BITS_A_BLOCK), _WIDEST // 2 * 2)
    half = _WIDEST // 2
    return (
        ("░" * min(blocks, half)).rjust(half) + "│" + " " * half
        if bits < 0
        else " " * half + "│" + ("█" * min(blocks, half)).ljust(half)
    )


def _padded(text: str, width: int) -> str:
    """The text filled up to this many columns of a terminal, on which 汉字 take two."""
    wide = sum(2 if ord(character) > 0x2E7F else 1 for character in text)
    return text + " " * max(width - wide, 0)
