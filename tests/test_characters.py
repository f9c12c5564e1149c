"""Characters and names: what is the same, sounds alike, looks alike or could not be written."""

import csv
import random
import unicodedata
from importlib.resources import files

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import examples
from fupin_cli.characters import NAME_LEVELS, NameTable, compare_names, folded, sound_key, surname_of
from fupin_cli.characters.sounds import near
from fupin_cli.characters.table import Kind
from fupin_cli.normalise.person_name import _FOLD

LEVELS = """
register      | extract        || level
张红          | 张宏           || sound
单雄          | 善雄           || sound        # shan as a surname, dan otherwise
解宏          | 谢红           || sound
章红          | 张宏           || sound        # all of it
覃芳          | 谭芳           || sound        # tan in one county, qin in the next
陈刚          | 程刚           || near_sound   # chen, cheng
刘兰英        | 牛兰英         || near_sound
黄强          | 方强           || near_sound   # before u, h and f are one sound in Hunan
周红          | 邹宏           || near_sound   # the weaker of two
王未          | 王末           || shape
陈晴          | 陈睛           || shape
李洁          | 李浩           || shape
张士红        | 张土宏         || shape        # the weaker of two
王晴末        | 王睛未         || surname      # two look-alikes are one too many
肖建国        | 萧建国         || alias
付强          | 傅强           || alias
代红          | 戴宏           || sound        # the weaker of two
刘建国        | 刘建囯         || exact
張麗華        | 张丽华         || exact
闫祐喆        | 阎佑哲         || exact
石龑          | 石䶮           || exact
徐□           | 徐莹           || wildcard
徐?           | 徐莹           || wildcard
徐\ue123      | 徐莹           || wildcard
徐😀          | 徐莹           || wildcard
徐(王+莹)     | 徐莹           || wildcard
徐(莹加王旁)  | 徐□           || wildcard
刘JIANGUO     | 刘建国         || wildcard     # letters stand for one character or more
刘J国         | 刘建国         || wildcard
张*           | 张建国         || wildcard
□建国         | 王建国         || wildcard     # no surname, but two characters
□莹           | 王莹           || null
□□            | 王莹           || null
???           | ??             || null
ZHANGWEI      | 张伟           || null
徐□国         | 徐小华         || surname
徐□国         | 王小国         || other
孙丽华        | 孙华丽         || swapped
欧阳建国      | 欧阳国建       || swapped
赵国强        | 赵强           || gap
欧阳建国      | 欧阳国         || gap
赵国强        | 赵伟           || surname
刘建国        | 刘建华         || one_char
刘国建        | 刘华建         || one_char
欧阳建国      | 欧阳建华       || one_char
欧阳国        | 欧阳华         || surname
张红          | 张兰           || surname
章丽华        | 张国强         || surname      # sounds the same
欧阳国        | 欧国强         || other        # two surnames
张三          | 李四           || other
买买提        | 麦麦提         || sound
买买提吐尔逊  | 麦麦提图尔荪   || segments
阿不都热合曼  | 阿卜杜热合曼   || sound
吐尔逊买买提  | 买买提吐尔逊   || segments     # parts in another order
买买提吐尔逊  | 买买提         || segments     # a part left out
古丽娜尔艾山  | 阿依古丽吾守尔 || other
阿依古丽买买提 | 阿不都热依木   || other        # a long name has no surname
JOHNSMITH     | JOHN SMITH     || exact
MUHAMMADALI   | MUHAMADALI     || near_sound
ALI HASSAN    | HASSANALI      || swapped
MARIAGARCIA   | MARIALOPEZ     || surname
JOHN          | MARY           || other
"""

# Pairs that clerks and scanners take for one another, written down for this test and taken from no table of the score.
LOOK_ALIKE = (
    "未末 已己 侯候 粱梁 杨扬 晴睛 洁浩 土士 日曰 田由 甲申 今令 兔免 戊戌 茶荼 冼洗 赢嬴 徽微 拨拔 沫沬 刺剌 辨辩 暮幕 清情 "
    "桂娃 玲铃 锋峰 柏拍 莲连 娟捐 梅海 婷停 荣萦 车军 传伟 秀季 崇祟 由甲 天夭 千干 又叉 析折"
)
SOUND_ALIKE = "红宏 建健 华花 丽莉 英瑛 伟玮 军君 明铭 志智 国帼 芳方 霞侠 燕艳 平萍 文闻 春椿 玉钰 佳嘉 静敬 杰洁"
SAME_CHARACTER = "甯宁 逹达 靑青 祐佑 囯国 髙高 喆哲 闫阎 龑䶮 鐘钟 鍾钟 葉叶 範范 雲云 堃坤 昇升 峯峰 蘭兰 瀋沈"
TWO_CHARACTERS = "沈沉 谈谭 于於 彬斌 忻欣 玟玫 肖萧 付傅 九玖"
FEW_NAMES = st.lists(
    st.tuples(*[st.text("张章红宏丽华国囯肖萧王未末□?*(+)A 欧阳買买", max_size=6)] * 2), min_size=1, max_size=30
)


def table_rows() -> list[dict[str, str]]:
    text = (files("fupin_cli.characters") / "table.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def levels(pairs: list[tuple[str | None, str | None]]) -> list[str | None]:
    r, e = ([pair[side] for pair in pairs] for side in (0, 1))
    return compare_names(pl.Series(r, dtype=pl.String), pl.Series(e, dtype=pl.String)).to_list()


def drawn() -> list[tuple[str, str, str | None]]:
    rows = []
    for line in LEVELS.strip().splitlines()[1:]:
        names, _, said = line.partition("||")
        r, e = (name.strip().replace(r"\ue123", "\ue123") for name in names.split("|"))
        level = said.partition("#")[0].strip()
        rows.append((r, e, None if level == "null" else level))
    return rows


@pytest.mark.parametrize(("register", "extract", "level"), drawn())
def test_levels(register: str, extract: str, level: str | None):
    """Each drawn pair has its level, from either side."""
    assert levels([(register, extract), (extract, register)]) == [level, level]


def test_levels_together():
    """A pair's level does not depend on the company it keeps, nor on a table made for more names."""
    rows = drawn()
    random.Random(7).shuffle(rows)
    assert levels([(r, e) for r, e, _ in rows]) == [level for *_, level in rows]
    r, e = (pl.Series([row[side] for row in rows]) for side in (0, 1))
    table = NameTable.of(r, e, pl.Series(["甲乙丙丁", "鱼"]))
    assert compare_names(r, e, table).to_list() == [level for *_, level in rows]


def test_every_level_is_drawn():
    """The table above shows each level at least once."""
    assert {level for *_, level in drawn()} - {None} == set(NAME_LEVELS)


def test_missing_names_have_no_level():
    """Null and nothing speak neither for nor against."""
    assert levels([(None, "张三"), ("张三", None), ("", "张三"), (None, None)]) == [None] * 4
    assert levels([]) == []


def test_other_table_is_refused():
    """A table that was made for other names would read a character as the end of a name."""
    with pytest.raises(ValueError, match="other names"):
        compare_names(pl.Series(["张三"]), pl.Series(["李四"]), NameTable.of(pl.Series(["王五"])))


@given(FEW_NAMES, st.randoms(use_true_random=False))
def test_order_means_nothing(pairs: list[tuple[str, str]], chance: random.Random):
    """Sides exchanged or rows shuffled give the same levels."""
    found = levels(pairs)
    assert levels([(e, r) for r, e in pairs]) == found
    order = list(range(len(pairs)))
    chance.shuffle(order)
    assert levels([pairs[at] for at in order]) == [found[at] for at in order]


@given(st.lists(st.tuples(*[st.text("张章红宏丽华国囯肖萧王未末買买晴睛", min_size=1, max_size=9)] * 2), min_size=1))
def test_exact_is_equal_when_folded(pairs: list[tuple[str, str]]):
    """exact means the same after folding, and nothing else does."""
    r, e = (folded(pl.Series([pair[side] for pair in pairs])) for side in (0, 1))
    assert [level == "exact" for level in levels(pairs)] == (r == e).to_list()


@examples(30)
@given(st.lists(st.tuples(st.none() | st.text(max_size=20), st.none() | st.text(max_size=20))))
def test_any_text_is_compared(pairs: list[tuple[str | None, str | None]]):
    """Whatever a department writes, there is a level or none, from both sides the same, and a key or none."""
    assert levels(pairs) == levels([(e, r) for r, e in pairs])
    names = pl.Series([r for r, _ in pairs], dtype=pl.String)
    assert len(sound_key(names)) == len(surname_of(names)) == len(pairs)


def test_endless_names():
    """A name of a hundred thousand characters costs itself only."""
    long = "国" * 100_000
    assert levels([(long, long), (long, "张三"), ("张红", "张宏")]) == ["exact", "other", "sound"]


def test_recall_of_look_alikes():
    """Strokes, keys and sounds find three in four of the pairs that were written down by hand (32 of 42)."""
    found = levels([(f"王建{a}", f"王建{b}") for a, b in LOOK_ALIKE.split()])
    assert sum(level in ("sound", "near_sound", "shape") for level in found) / len(found) >= 0.75
    assert set(found) <= {"sound", "near_sound", "shape", "one_char"}


def test_recall_of_sounds():
    """Characters that a keyboard offers for one another all share a reading."""
    assert set(levels([(f"王{a}", f"王{b}") for a, b in SOUND_ALIKE.split()])) <= {"sound", "alias"}


def test_siblings_are_kept_apart():
    """Of brothers and sisters that differ in one everyday character, one pair in fifty at most counts as a misspelling."""
    given_names = "建国华军强英梅兰芳秀玉平勇伟明海龙凤春花桂林生福贵金银宝山川水火木土天地东南西北"
    pairs = [(f"刘建{a}", f"刘建{b}") for a in given_names for b in given_names if a < b]
    found = levels(pairs)
    assert sum(level != "one_char" for level in found) / len(found) <= 0.02


def test_spellings_of_minority_names():
    """Spellings of one name are told from other names, but for the closest."""
    same = (
        "买买提艾力 麦麦提艾力, 阿不都拉吐尔逊 阿卜杜拉图尔荪, 肉孜买买提 若孜麦麦提, 艾合买提江 艾合麦提江, 阿布力孜吐尔地 阿卜力孜图尔迪, "
        "努尔买买提 努尔麦麦提, 古丽巴哈尔 古力巴哈尔, 依马木托合提 伊马木托合提, 帕提古丽吐尔逊 帕提古力图尔荪, 热孜万古丽 热孜万古力"
    )
    other = (
        "买买提艾力 吐尔逊江, 阿不都拉吐尔逊 阿依古丽买买提, 古丽巴哈尔 帕提古丽, 努尔买买提 艾合买提江, 热孜万古丽 古丽娜尔, "
        "扎西次仁 扎西顿珠旺姆, 阿卜杜外力 阿卜杜热西提江"
    )
    pairs = [tuple(pair.split()) for pair in same.split(", ")]
    assert all(NAME_LEVELS.index(level) <= NAME_LEVELS.index("segments") for level in levels(pairs))
    assert set(levels([tuple(pair.split()) for pair in other.split(", ")])) <= {"other", "one_char"}


def test_near_sounds():
    """What dialects make one is one, and syllables that nobody confuses stay apart."""
    for pair in (
        "zhang zan",
        "chen ceng",
        "shi si",
        "ning lin",
        "ren leng",
        "huang fan",
        "fu hu",
        "feng hong",
        "lv nv",
    ):
        a, b = pair.split()
        assert near(a) == near(b), pair
    for pair in ("han fan", "dong dun", "wang wan x", "ji qi", "li lu"):
        a, b, *alike = pair.split()
        assert (near(a) == near(b)) == bool(alike), pair


def test_sound_keys_meet():
    """Homophones, near sounds, variants and exchanged given characters share a key; strangers and unknown characters do not."""
    for group in (
        "张红 章宏 張紅",
        "孙丽华 孙华丽 孙莉花",
        "单雄 善雄",
        "陈刚 程刚 陈港",
        "黄强 方强",
        "欧阳建国 歐陽國建",
    ):
        assert sound_key(pl.Series(group.split())).n_unique() == 1, group
    assert sound_key(pl.Series(["张红", "红张", "张红红", "李红", "ALI", "BOB"])).n_unique() == 6
    assert sound_key(pl.Series(["徐□", "徐(莹加王旁)", "刘J国", "", None])).null_count() == 5


def test_surnames():
    """Compound surnames are two characters, as written."""
    names = pl.Series("name", ["欧阳建国", "歐陽建国", "王五", "司马", "SMITH", "", None])
    assert surname_of(names).to_list() == ["欧阳", "歐陽", "王", "司", None, None, None]
    assert names.to_frame().select(surname_of(pl.col("name"))).to_series().equals(surname_of(names))


def test_kinds_have_two_sides():
    """A pair of characters differs as much from either side, and a character is itself."""
    table = NameTable.of(pl.Series([row["character"] for row in table_rows()[:3000]] + ["王?□*A"]))
    assert np.array_equal(table.kinds, table.kinds.T)
    assert (np.diag(table.kinds)[3:-1] == Kind.SAME).all()


def test_table_covers_characters_of_names():
    """Everyday characters (GB 2312) and rare ones of names have a reading and nearly always a shape; the build holds 通用规范汉字表."""
    rows = {row["character"]: row for row in table_rows()}
    assert list(rows) == sorted(rows)
    everyday = [bytes([high, low]).decode("gb2312") for high in range(0xB0, 0xF8) for low in range(0xA1, 0xFF)
                if (high, low) < (0xD7, 0xFA) or high > 0xD7]  # fmt: skip
    assert len(everyday) == 6763
    own = [rows[rows[c]["fold"] or c] for c in everyday]
    assert all(row["readings"] for row in own)
    assert sum(bool(row["strokes"] and row["cangjie"]) for row in own) / len(own) > 0.99
    assert all(row in rows for row in "䶮㼆𬭎𬍛𬸚")


def test_folds_end():
    """A form that stands for others stands for itself, and the cleaning of names never disagrees."""
    rows = {row["character"]: row for row in table_rows()}
    assert all(not rows[row["fold"]]["fold"] for row in rows.values() if row["fold"])
    assert all(not rows[row["loose"]]["loose"] for row in rows.values() if row["loose"])
    once = folded(pl.Series(list(rows)))
    assert folded(once).equals(once)
    assert folded(pl.Series(list(_FOLD))).equals(folded(pl.Series(list(_FOLD.values()))))
    assert all(unicodedata.normalize("NFC", row["fold"]) == row["fold"] for row in rows.values())


def test_names_that_must_stay_apart():
    """No dictionary's shared meaning makes one surname or given name of two."""
    for a, b in TWO_CHARACTERS.split():
        assert folded(pl.Series([a]))[0] != folded(pl.Series([b]))[0]
    for a, b in SAME_CHARACTER.split():
        assert folded(pl.Series([a]))[0] == folded(pl.Series([b]))[0]


def test_sources_are_named():
    """The table ships with the licences of what it was made from."""
    notice = (files("fupin_cli.characters") / "NOTICE.md").read_text(encoding="utf-8")
    for source in ("pypinyin", "OpenCC", "Unihan", "fuzzychinese", "MIT", "Apache-2.0", "Unicode", "BSD"):
        assert source in notice
