# ruff: noqa: INP001 - a program, not a package
"""Makes src/fupin_cli/characters/table.csv: what is known of each character that may stand in a Chinese name.

Run by hand when a source or a hand list changes. It needs pypinyin, opencc and fuzzychinese (none of them at run time) and the
Unihan files, which the Debian package `unicode-data` holds. Same sources, same bytes:

    pip install --no-deps pypinyin==0.55.0 opencc==1.4.2 fuzzychinese==0.1.5
    python tools/build_characters.py usr/share/unicode src/fupin_cli/characters/table.csv

Everything is looked up character by character and never by phrase: phrase rules "correct" names (沈靜 becomes 沉静).
"""

import bz2
import csv
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path

from opencc import OpenCC
from pypinyin import Style, pinyin

HAN = [(0x3007, 0x3007), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF)]
# Two forms of one character that no source joins, or that the standard list counts as two; the form to keep stands last.
SAME = (
    "甯寗寕宁 逹达 靑青 祐佑 囯囻国 髙高 喆嚞哲 閆闫閻阎 龑䶮 呉吴 栢柏 邨村 堃坤 昇陞升 淸清 眞真 甦苏 迺乃 犇奔 澂澄 珮佩 脩修 "
    "凃涂 貟贠员 仝同 珎珍 瑠琉 勣绩 菉绿 祕秘 讎雠 彥彦 凢凡 夲本 畧略 羣群 峯峰 炤照 朙明 竒奇 竝并 丗世 氷冰 冄冉 姸妍 娯娱 "
    "恵惠 徳德 強强 桒桑 産产 絶绝 絵绘 恆恒 鳯凤 鴈雁 鵞鹅 龢和 叡睿 濬浚 煕凞熈熙 勲勋 暁晓 静静 黒黑 呂吕 告吿 廉亷 仞仭 兪俞 "
    "戶户 別别 旣既 溫温 緖绪 郎郞 頴颖 顔颜 頼赖 妝妆 棊碁棋 斉齐 沢泽 桜樱 辺边 広广 渕渊 衞卫 隣邻 鄕鄊乡 敎教 尙尚 昻昂 荘庄 "
    "峩峨 嶋岛 栁柳 椘楚 锺钟 钜巨 翦剪 谿溪 蒐搜 椀碗 缐线 氾泛 袷夹"
)
# Written for one another by habit, or by the simplification of 1977 that was withdrawn: nearly the same, and scored lower.
LOOSE = "萧肖 傅付 戴代 丘邱 蓝兰 卢芦 豫予 停仃 算祘 信伩 龄令 舞午 橘桔 弟俤 圆园 雪彐"
# How a character is read as a surname, where that is not its first reading (the first one here is used for blocking).
SURNAMES = (
    "单shan 仇qiu 解xie 查zha,cha 曾zeng 区ou 盖ge,gai 乐yue,le 缪miao 翟zhai,di 覃qin,tan 朴piao,pu 繁po 员yun 折she 召shao "
    "隗wei,kui 薄bo 能nai 卜bu 阚kan 乜nie 句gou 都du 六lu 种chong 祭zhai 洗xian 冼xian 秘bi 黑he 逄pang 宁ning 郗xi,chi 纪ji "
    "燕yan 华hua 任ren 尉wei 万wan 钻zuan 车che 重chong 殷yin 不fou 适kuo 佴nai 牟mu,mou 尹yin 柏bai,bo 沈shen 石shi 夏xia 贾jia "
    "长zhang 朝chao 行xing 还huan 哈ha 莘shen,xin 相xiang 晟cheng,sheng 那na 谌chen,shen 费fei,bi 褚chu 訾zi 观guan 兴xing 应ying"
)
COLUMNS = ["character", "fold", "loose", "readings", "surname", "strokes", "cangjie"]


def main(unihan: Path, target: Path) -> None:
    """Write the table."""
    standard = {c for c, _, _ in fields(unihan, "OtherMappings", "kTGH")}
    sounds = {c: readings(c) for low, high in HAN for c in map(chr, range(low, high + 1))}
    assert standard <= set(sounds)
    folds, refused = fold_characters(unihan, standard, sounds)
    loose = loose_forms(folds, refused, sounds)
    strokes = stroke_orders()
    cangjie = {c: value.split()[0] for c, _, value in fields(unihan, "DictionaryLikeData", "kCangjie")}
    surname = {item[0]: item[1:].replace(",", " ") for item in SURNAMES.split()}
    kept = {c for c in sounds if c in standard or (sounds[c] and ord(c) < 0xA000)}
    kept |= {folds[c] for c in kept}
    kept |= {c for c, fold in folds.items() if fold in kept}
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for c in sorted(kept):
            if folds[c] != c:  # all else is asked of the form that it folds into
                writer.writerow([c, folds[c], "", "", "", "", ""])
            else:
                row = [
                    loose.get(c, ""),
                    " ".join(sounds[c]),
                    surname.get(c, ""),
                    strokes.get(c, ""),
                    cangjie.get(c, ""),
                ]
                writer.writerow([c, "", *row])


def fields(unihan: Path, file: str, *wanted: str) -> Iterator[tuple[str, str, str]]:
    """Character, field and value of each Unihan line with one of these fields."""
    with bz2.open(unihan / f"Unihan_{file}.txt.bz2", "rt", encoding="utf-8") as lines:
        for line in lines:
            code, _, rest = line.rstrip("\n").partition("\t")
            field, _, value = rest.partition("\t")
            if field in wanted and code.startswith("U+"):
                yield chr(int(code.removeprefix("U+"), 16)), field, value


def readings(character: str) -> list[str]:
    """The toneless readings, commonest first; ü is written v."""
    found = pinyin(character, style=Style.NORMAL, heteronym=True, errors="ignore")
    return list(dict.fromkeys(reading for reading in found[0] if reading.isascii())) if found else []


def stroke_orders() -> dict[str, str]:
    """The strokes of each character in writing order, one letter per kind of stroke."""
    spec = find_spec("fuzzychinese")
    assert spec is not None, "fuzzychinese is not installed"
    assert spec.origin is not None
    lines = Path(spec.origin).with_name("dict_chinese_stroke.txt").read_text(encoding="utf-8").splitlines()
    orders = dict(line.split() for line in lines)
    kinds = sorted(set("".join(orders.values())))
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"[: len(kinds)]
    return {c: order.translate(str.maketrans("".join(kinds), letters)) for c, order in orders.items()}


def fold_characters(
    unihan: Path, standard: set[str], sounds: dict[str, list[str]]
) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """The form that stands for each character, and the unions refused.

    Two characters of the standard list are two characters, whatever a dictionary joins, unless SAME says otherwise: 彬 and 斌,
    玟 and 玫 are different names. What is refused is handed back.
    """
    parent: dict[str, str] = {}
    refused = []

    def root(c: str) -> str:
        while (up := parent.get(c, c)) != c:
            c = up
        return c

    for group in SAME.split():
        keep = max(group, key=lambda c: (c in standard, group.index(c)))
        for c in group:
            parent[c] = keep
    for a, b in joined(unihan):
        x, y = root(a), root(b)
        if x != y and x in standard and y in standard:
            refused.append((x, y))
        elif x != y:
            up, down = (x, y) if x in standard else (y, x)
            parent[down] = up
    classes: dict[str, list[str]] = defaultdict(list)
    for c in sounds:
        classes[root(c)].append(c)
    folds = {}
    for keep, forms in classes.items():
        # outside the list the form of which more is known: the simplified one is often too new to have a reading
        best = keep if keep in standard else min(forms, key=lambda c: (not sounds[c], c))
        folds |= dict.fromkeys(forms, best)
    return folds, refused


def joined(unihan: Path) -> Iterator[tuple[str, str]]:
    """Pairs of forms, the surest source first: OpenCC, simplified, compatibility and z-variants, then shared meanings.

    A shared meaning counts if two dictionaries say so or Hong Kong's glyph standard does; with one dictionary 谈 would be 谭.
    """
    simplified = OpenCC("t2s")
    for low, high in HAN:
        for c in map(chr, range(low, high + 1)):
            yield c, simplified.convert(c)
    for file, wanted in (
        ("Variants", ["kSimplifiedVariant"]),
        ("IRGSources", ["kCompatibilityVariant"]),
        ("Variants", ["kTraditionalVariant", "kZVariant"]),
        ("Variants", ["kSemanticVariant"]),
    ):
        for c, field, value in fields(unihan, file, *wanted):
            for item in value.split():
                code, _, said_by = item.partition("<")
                sources = {source.partition(":")[0] for source in said_by.split(",")}
                if field != "kSemanticVariant" or len(sources) > 1 or "kHKGlyph" in sources:
                    yield c, chr(int(code.removeprefix("U+"), 16))


def loose_forms(
    folds: dict[str, str], refused: Iterable[tuple[str, str]], sounds: dict[str, list[str]]
) -> dict[str, str]:
    """A common form for characters written for one another: the hand list, and refused unions that share a reading."""
    groups: dict[str, set[str]] = defaultdict(set)
    pairs = [pair for group in LOOSE.split() for pair in combinations(group, 2)]
    pairs += [(a, b) for a, b in refused if set(sounds[a]) & set(sounds[b])]
    for a, b in pairs:
        x, y = folds[a], folds[b]
        both = groups[x] | groups[y] | {x, y}
        for c in both:
            groups[c] = both
    return {c: min(group) for c, group in groups.items() if c != min(group)}


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
