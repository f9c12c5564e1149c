"""Person names: as received → what we print, and a key for comparing.

The printed name keeps every character a person has; the key drops what differs only in typing (spaces, the separator inside
minority names, brackets with remarks, titles) and folds traditional and variant characters. The separator of record is
U+00B7 (民委发〔2016〕33号); files hold a dozen others, which NFKC does not unify.
"""

from __future__ import annotations

import polars as pl

SCHEMA = pl.Schema({"name": pl.String(), "name_key": pl.String()})

_DOTS = r"[·•∙・●⋅᛫‧﹒．.｡。､]"
_INVISIBLE = r"[\p{Cc}\p{Cf}\p{Z}\s\u{FE00}-\u{FE0F}\u{E0100}-\u{E01EF}]"
_REMARK = r"[(\[{【<《].*$"
_EDGES = "·'\"‘’“”,，;；:："
_TITLE = r"^(?:户主|姓名|权利人|车主|所有人|申请人|本人)[:：]?"
# Traditional and variant forms that names in registers really show; the key only, never what is printed.
_FOLD = dict(
    pair.split()
    for pair in (
        "國 国,囯 国,華 华,麗 丽,蘭 兰,鳳 凤,龍 龙,慶 庆,貴 贵,軍 军,衛 卫,東 东,紅 红,傑 杰,強 强,偉 伟,蓮 莲,鳳 凤,艷 艳,豔 艳,靜 静,瑤 瑶,"
        "玲 玲,寶 宝,銀 银,鐵 铁,錦 锦,鑫 鑫,興 兴,萬 万,義 义,禮 礼,學 学,書 书,開 开,關 关,雲 云,爾 尔,買 买,馬 马,張 张,陳 陈,劉 刘,楊 杨,"
        "趙 赵,黃 黄,吳 吴,孫 孙,鄭 郑,馮 冯,許 许,鄧 邓,葉 叶,蔣 蒋,韓 韩,蕭 萧,羅 罗,謝 谢,蘇 苏,盧 卢,賈 贾,閻 阎,闫 阎,譚 谭,鍾 钟,鐘 钟,"
        "陸 陆,賀 贺,龔 龚,錢 钱,湯 汤,範 范,龐 庞,樊 樊,齊 齐,嚴 严,賴 赖,藍 蓝,顧 顾,爲 为,為 为,髙 高,峯 峰,喆 哲,昇 升,堃 坤,淼 淼,呉 吴,"
        "栢 柏,邨 村,甯 宁,寧 宁,逹 达,達 达,靑 青,祐 佑,珎 珍,珍 珍,瑠 琉,淸 清,眞 真,曉 晓,榮 荣,勝 胜,榕 榕,燦 灿,輝 辉,煒 炜,緒 绪,維 维,"
        "綿 绵,純 纯,紹 绍,績 绩,繼 继,經 经,連 连,進 进,遠 远,運 运,適 适,選 选,遷 迁,鄉 乡,鎮 镇,長 长,門 门,陽 阳,陰 阴,隨 随,雙 双,電 电,"
        "順 顺,領 领,頭 头,風 风,飛 飞,駿 骏,鵬 鹏,鴻 鸿,鶴 鹤,麥 麦,樂 乐,業 业,極 极,標 标,樹 树,橋 桥,歡 欢,歲 岁,漢 汉,潔 洁,澤 泽,灣 湾,"
        "無 无,環 环,現 现,當 当,發 发,監 监,禎 祯,種 种,穩 稳,節 节,筆 笔,競 竞,聖 圣,聰 聪,聲 声,膽 胆,興 兴,藝 艺,蕓 芸,號 号,見 见,規 规,"
        "覺 觉,觀 观,計 计,記 记,訓 训,詩 诗,誠 诚,語 语,諾 诺,變 变,讓 让,貞 贞,財 财,貿 贸,賢 贤,質 质,贊 赞,車 车,軒 轩,載 载,鋒 锋,鋼 钢,"
        "鏡 镜,龑 䶮"
    ).split(",")
    if len(set(pair.split())) == 2
)


def clean_names(raw: pl.Series) -> pl.DataFrame:
    """One row per input value: `name` (to print; null when nothing is left) and `name_key` (to compare)."""
    frame = pl.DataFrame({"raw": raw.cast(pl.String)})
    plain = frame.select(pl.col("raw").str.contains(r"^[\u{4E00}-\u{9FFF}]{2,4}$").fill_null(False)).to_series()
    odd = frame.filter(~plain).unique(maintain_order=True)
    cleaned = odd.with_columns(_printed(pl.col("raw")).alias("name"))
    names = (
        frame.join(cleaned, on="raw", how="left", maintain_order="left", nulls_equal=True)
        .select(pl.when(plain).then(pl.col("raw")).otherwise(pl.col("name")).alias("name"))
        if odd.height
        else frame.rename({"raw": "name"})
    )
    return names.with_columns(_key(pl.col("name")).alias("name_key"))


def _printed(raw: pl.Expr) -> pl.Expr:
    text = (
        raw.str.normalize("NFKC")
        .str.replace_all(_INVISIBLE, "")
        .str.replace(_TITLE, "")
        .str.replace_all(_DOTS, "·")
        .str.replace_all(r"·+", "·")
        .str.strip_chars(_EDGES)
    )
    # 张三(户主) loses its remark; 徐(莹加王旁) spells out a character the system lacked, and keeps it
    bare = text.str.replace(_REMARK, "").str.replace(r"\d+$", "").str.strip_chars(_EDGES)
    text = pl.when(bare.str.len_chars() >= 2).then(bare).otherwise(text)
    return pl.when(text.str.contains(r"[\p{L}\p{Co}?□*]")).then(text)


def _key(name: pl.Expr) -> pl.Expr:
    return name.str.replace_all("·", "", literal=True).str.to_uppercase().str.replace_many(_FOLD)
