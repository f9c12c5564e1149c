"""One link in words and bits: what agrees and how far, what each of it is worth, and how sure that makes us."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_FIELDS = {
    "prior": ("随便两人", "two people at random"),
    "id_number": ("证件号码", "ID number"),
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
        "repaired": ("差一位或相邻两位颠倒", "one wrong digit, or two swapped"),
        "slip": ("多一位或少一位", "one digit too many or too few"),
        "damaged": ("前15位一致，后三位丢失", "first 15 agree, the last three are lost"),
        "same_text": ("同样有误且相同", "wrong in the same way"),
        "partial": ("三段中两段一致", "two of three parts agree"),
        "disowned": ("其一已知属于他人", "one of them is known to be another's"),
        "unlike": ("其一有误，且相差较大", "one is wrong, and not near"),
        "different": ("均有效但不同", "both valid, and different"),
    },
    "name": {
        "exact": ("一致", "the same"),
        "former": ("曾用名一致", "a former name"),
        "alias": ("俗写相通", "an informal spelling"),
        "sound": ("同音", "sounds the same"),
        "near_sound": ("近音", "sounds alike"),
        "shape": ("形近", "looks alike"),
        "wildcard": ("可辨认的字一致", "agrees in all that could be written"),
        "swapped": ("名字两字颠倒", "given characters swapped"),
        "gap": ("多一字或少一字", "one character more or less"),
        "segments": ("译写相近", "another spelling of a long name"),
        "one_char": ("同姓，差一字", "same surname, one other character"),
        "surname": ("只有姓相同", "same surname only"),
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
        "village": ("同村不同组", "same village, another hamlet"),
        "in_village": ("同村", "same village"),
        "township": ("同乡镇不同村", "same township, another village"),
        "in_township": ("同乡镇", "same township"),
        "county": ("同县不同乡镇", "same county, another township"),
        "in_county": ("同县", "same county"),
        "elsewhere": ("不同县", "another county"),
    },
    "phone": {"equal": ("一致", "the same"), "different": ("不同", "different")},
    "household": {
        "joined": ("同户其他人也在该户", "others of the household are in that one"),
        "apart": ("同户其他人在别户", "others of the household are elsewhere"),
    },
}
_NOTHING = ("一方未填", "not given on one side")
_WIDEST, _BITS_A_BLOCK = 12, 2.0


def waterfall(link: Mapping[str, Any]) -> list[str]:
    """A line for each field that says something: Chinese and English words, bits, and a bar; then the sum and the probability.

    `link` has the columns of LINKS with levels and bits, as links.parquet holds them.
    """
    lines = []
    for field, (zh, en) in _FIELDS.items():
        bits, level = link.get(f"bits_{field}") or 0.0, link.get(f"{field}_level")
        if not bits and level is None:
            continue
        words = LEVEL_WORDS.get(field, {}).get(str(level), _NOTHING if field in LEVEL_WORDS else ("", ""))
        lines.append(
            f"{_padded(zh, 10)} {_padded(words[0], 24)} {bits:+6.1f} {_bar(bits)}  {en}{': ' if words[1] else ''}{words[1]}"
        )
    weight, sure = link["match_weight"], 100 * link["match_probability"]
    lines.append(f"{_padded('合计', 10)} {_padded(f'是同一人的把握 {_percent(sure)}', 24)} {weight:+6.1f} 比特 bits")
    return lines


def _percent(sure: float) -> str:
    return f"{sure:.1f} %" if 0.05 <= sure <= 99.95 else ("超过 99.9 %" if sure > 50 else "不到 0.1 %")


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
