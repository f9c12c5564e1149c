"""Person names: as received → what we print, and a key for comparing.

The printed name keeps every character a person has; the key drops what differs only in typing (spaces, the separator inside
minority names, brackets with remarks, titles) and folds traditional and variant characters. The separator of record is
U+00B7 (民委发〔2016〕33号); files hold a dozen others, which NFKC does not unify.
"""

from __future__ import annotations

import polars as pl

from fupin_cli.normalise.spelling import once_per_spelling, replace_rows

_DOTS = r"[·•∙・●⋅᛫‧﹒．.｡。､]"
_INVISIBLE = r"[\p{Cc}\p{Cf}\p{Z}\s\u{FE00}-\u{FE0F}\u{E0100}-\u{E01EF}]"
_REMARK = r"[(\[{【<《].*$"
_COUNTER = r"[-—–_]*[0-9]+$"
# 莹加王旁, 石+羡, 左石右羡, or a bracket inside the name: one character is told by its parts
_SPELLED = r"[(\[{【<《][^()\[\]]*(?:加.{1,2}旁|旁加|[^+]\+[^+]|左.右.|上.下.|字头|字底)|[)\]】]\p{Han}"
_EDGES = "·'\"‘’“”,，;；:："
_TITLE = r"^[(\[【]?(?:户主|姓名|权利人|车主|所有人|申请人|本人)[)\]】]?[:：]?"
# Traditional and variant forms that names in registers really show; the key only, never what is printed.
_VARIANT = (
    "國囯華麗蘭鳳龍慶貴軍衛東紅傑強偉蓮艷豔靜瑤寶銀鐵錦興萬義禮學書開關雲爾買馬張陳劉楊趙黃吳孫鄭馮許"
    "鄧葉蔣韓蕭羅謝蘇盧賈閻闫譚鍾鐘陸賀龔錢湯範龐齊嚴賴藍顧爲為髙峯喆昇堃呉栢邨甯寧逹達靑祐珎瑠淸眞曉"
    "榮勝燦輝煒緒維綿純紹績繼經連進遠運適選遷鄉鎮長門陽陰隨雙電順領頭風飛駿鵬鴻鶴麥樂業極標樹橋歡歲漢"
    "潔澤灣無環現當發監禎種穩節筆競聖聰聲膽藝蕓號見規覺觀計記訓詩誠語諾變讓貞財貿賢質贊車軒載鋒鋼鏡龑"
)
_STANDARD = (
    "国国华丽兰凤龙庆贵军卫东红杰强伟莲艳艳静瑶宝银铁锦兴万义礼学书开关云尔买马张陈刘杨赵黄吴孙郑冯许"
    "邓叶蒋韩萧罗谢苏卢贾阎阎谭钟钟陆贺龚钱汤范庞齐严赖蓝顾为为高峰哲升坤吴柏村宁宁达达青佑珍琉清真晓"
    "荣胜灿辉炜绪维绵纯绍绩继经连进远运适选迁乡镇长门阳阴随双电顺领头风飞骏鹏鸿鹤麦乐业极标树桥欢岁汉"
    "洁泽湾无环现当发监祯种稳节笔竞圣聪声胆艺芸号见规觉观计记训诗诚语诺变让贞财贸贤质赞车轩载锋钢镜䶮"
)
_FOLD = dict(zip(_VARIANT, _STANDARD, strict=True))
_PLAIN = rf"^[\u{{4E00}}-\u{{9FFF}}&&[^{_VARIANT}]]{{2,4}}$"


def clean_names(raw: pl.Series) -> pl.DataFrame:
    """One row per input value: `name` (to print; null when nothing is left) and `name_key` (to compare).

    Two to four everyday characters, as most names are, stand for themselves; only the others are worked on.
    """
    text, odd, read = _odd_ones(raw)
    return replace_rows(pl.DataFrame({"name": text, "name_key": text}), odd, read)


def name_keys(raw: pl.Series) -> pl.Series:
    """Just the keys of `clean_names`."""
    text, odd, read = _odd_ones(raw)
    return replace_rows(text.to_frame("name_key"), odd, read).to_series()


def _odd_ones(raw: pl.Series) -> tuple[pl.Series, pl.Series, pl.DataFrame]:
    """The names as text, the positions of those that need work, and what the work makes of them."""
    text = raw.cast(pl.String)
    if text.null_count() > len(text) // 2:
        given = text.is_not_null().arg_true()
        _, odd, read = _odd_ones(text.gather(given))
        return text, given.gather(odd), read
    plain = pl.col("raw").str.contains(_PLAIN).fill_null(value=False)
    odd = text.to_frame("raw").lazy().select(~plain).collect().to_series().arg_true()
    return text, odd, once_per_spelling(text.gather(odd), _read)


def _read(spellings: pl.Series) -> pl.DataFrame:
    # each step is used by several later ones: as columns they are worked out once
    steps = spellings.to_frame("raw").lazy().select(_spelled_alike(pl.col("raw")).alias("text"))
    steps = steps.with_columns(_without_remarks(pl.col("text")).alias("bare")).select(_printed().alias("name"))
    return steps.with_columns(_key(pl.col("name")).alias("name_key")).collect()


def _spelled_alike(raw: pl.Expr) -> pl.Expr:
    return (
        raw.str.normalize("NFKC")
        .str.replace_all(_INVISIBLE, "")
        .str.replace(_TITLE, "")
        .str.replace_all(_DOTS, "·")
        .str.replace_all(r"·+", "·")
        .str.strip_chars(_EDGES)
    )


def _without_remarks(text: pl.Expr) -> pl.Expr:
    return text.str.replace(_REMARK, "").str.replace(_COUNTER, "").str.strip_chars(_EDGES)


def _printed() -> pl.Expr:
    # 张三(户主) loses its remark; 徐(莹加王旁) spells out a character the system lacked, and keeps it
    text, bare = pl.col("text"), pl.col("bare")
    text = pl.when((bare.str.len_chars() >= 2) & ~text.str.contains(_SPELLED)).then(bare).otherwise(text)
    return pl.when(text.str.contains(r"[\p{L}\p{Co}?□*]")).then(text)


def _key(name: pl.Expr) -> pl.Expr:
    return name.str.replace_all("·", "", literal=True).str.to_uppercase().str.replace_many(_FOLD)
