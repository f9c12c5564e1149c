"""Mandarin syllables without tones, and what ears and dialects make of them."""

from __future__ import annotations

_INITIAL = {"zh": "z", "ch": "c", "sh": "s", "n": "l", "r": "l"}
# Where h and f are one sound, it is before u: 胡 and 符, 黄 and 方, 红 and 冯; 韩 and 樊 stay apart.
_AS_H = {"fa": "hua", "fan": "huan", "fang": "huang", "fei": "hui", "fen": "hun", "feng": "hong", "fu": "hu"}
# Xinjiang's spellings move between these (买买提 and 麦麦提, 肉孜 and 若孜, 阿不都 and 阿卜杜).
_SKELETON = str.maketrans({"q": "k", "h": "k", "g": "k", "d": "t", "b": "p", "r": "l", "n": "l", "u": "o", "e": "a"})


def near(syllable: str) -> str:
    """The syllable with zh/z, ch/c, sh/s, n/l/r, h/f and the endings n/ng after a, e and i made one."""
    syllable = _AS_H.get(syllable, syllable)
    for initial in (syllable[:2], syllable[:1]):
        if initial in _INITIAL:
            syllable = _INITIAL[initial] + syllable[len(initial) :]
            break
    return syllable[:-1] if syllable.endswith(("ang", "eng", "ing")) else syllable


def skeleton(syllable: str) -> str:
    """What is left of a syllable in a minority name: consonants by their place in the mouth, the open vowels, no w and y."""
    syllable = near(syllable).replace("ng", "n").replace("v", "u").translate(_SKELETON)
    return syllable.replace("w", "").replace("y", "").replace("oo", "o").replace("ao", "o")
