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
_FOLD = {
    pair[0]: pair[1]
    for pair in (
        "國国 囯国 華华 麗丽 蘭兰 鳳凤 龍龙 慶庆 貴贵 軍军 衛卫 東东 紅红 傑杰 強强 偉伟 蓮莲 艷艳 豔艳 靜静 瑤瑶 寶宝 銀银 鐵铁 錦锦 興兴 萬万 義义 禮礼 學学 書书 開开 "
        "關关 雲云 爾尔 買买 馬马 張张 陳陈 劉刘 楊杨 趙赵 黃黄 吳吴 孫孙 鄭郑 馮冯 許许 鄧邓 葉叶 蔣蒋 韓韩 蕭萧 羅罗 謝谢 蘇苏 盧卢 賈贾 閻阎 闫阎 譚谭 鍾钟 鐘钟 陸陆 "
        "賀贺 龔龚 錢钱 湯汤 範范 龐庞 齊齐 嚴严 賴赖 藍蓝 顧顾 爲为 為为 髙高 峯峰 喆哲 昇升 堃坤 呉吴 栢柏 邨村 甯宁 寧宁 逹达 達达 靑青 祐佑 珎珍 瑠琉 淸清 眞真 曉晓 "
        "榮荣 勝胜 燦灿 輝辉 煒炜 緒绪 維维 綿绵 純纯 紹绍 績绩 繼继 經经 連连 進进 遠远 運运 適适 選选 遷迁 鄉乡 鎮镇 長长 門门 陽阳 陰阴 隨随 雙双 電电 順顺 領领 頭头 "
        "風风 飛飞 駿骏 鵬鹏 鴻鸿 鶴鹤 麥麦 樂乐 業业 極极 標标 樹树 橋桥 歡欢 歲岁 漢汉 潔洁 澤泽 灣湾 無无 環环 現现 當当 發发 監监 禎祯 種种 穩稳 節节 筆笔 競竞 聖圣 "
        "聰聪 聲声 膽胆 藝艺 蕓芸 號号 見见 規规 覺觉 觀观 計计 記记 訓训 詩诗 誠诚 語语 諾诺 變变 讓让 貞贞 財财 貿贸 賢贤 質质 贊赞 車车 軒轩 載载 鋒锋 鋼钢 鏡镜 龑䶮 "
    ).split()
}


def clean_names(raw: pl.Series) -> pl.DataFrame:
    """One row per input value: `name` (to print; null when nothing is left) and `name_key` (to compare)."""
    frame = pl.DataFrame({"raw": raw.cast(pl.String)})
    plain = frame.select(pl.col("raw").str.contains(r"^[\u{4E00}-\u{9FFF}]{2,4}$").fill_null(False)).to_series()
    odd = frame.filter(~plain).unique(maintain_order=True)
    cleaned = odd.with_columns(_printed(pl.col("raw")).alias("name"))
    names = (
        frame.join(cleaned, on="raw", how="left", maintain_order="left", nulls_equal=True).select(
            pl.when(plain).then(pl.col("raw")).otherwise(pl.col("name")).alias("name")
        )
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
