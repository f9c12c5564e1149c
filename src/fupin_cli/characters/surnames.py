"""Surnames: one 汉字, or two in the compound ones."""

from __future__ import annotations

from typing import TypeVar

import polars as pl

from fupin_cli.characters.table import characters

Names = TypeVar("Names", pl.Series, pl.Expr)

_PAIRS = (
    "欧阳上官司马司徒司空诸葛皇甫尉迟公孙公冶慕容令狐轩辕长孙宇文鲜于闾丘东方东郭东里南宫南门"
    "西门北宫夏侯淳于单于濮阳澹台赫连钟离独孤拓跋拓拔纳兰申屠太史太叔仲孙叔孙季孙百里呼延端木"
    "宗政万俟闻人梁丘左丘羊舌微生第五乐正亓官壤驷漆雕巫马公西公羊公良谷梁宰父颛孙子车句龙段干"
    "仉督即墨达奚贺兰完颜哥舒耶律叶赫钮祜费莫"
)
COMPOUND = [_PAIRS[at : at + 2] for at in range(0, len(_PAIRS), 2)]


def surname_of(names: Names) -> Names:
    """The surname at the head of each name as written: two characters in a compound one; null where no 汉字 leads.

    A name of two characters that spells a compound surname (司马) has a surname of one. Minority names have none; what comes
    back for them is their first character.
    """
    if isinstance(names, pl.Series):
        return names.to_frame("name").select(surname_of(pl.col("name"))).to_series().alias(names.name)
    letters = set(_PAIRS)
    standard = {variant: fold for variant, fold in characters().folds.items() if fold in letters}
    head = names.str.slice(0, 2)
    compound = (names.str.len_chars() > 2) & head.str.replace_many(standard).is_in(COMPOUND)
    return pl.when(compound).then(head).when(head.str.contains(r"^\p{Han}")).then(head.str.slice(0, 1))
