"""The words invented people are made of: surnames, given names, places, look-alike characters.

Surnames and given-name characters follow common frequency lists; every place is invented.
"""
# ruff: noqa: E501, SIM905  (lists of characters, which count double, read better as unbroken text)

from __future__ import annotations

from itertools import product


def _weighted(text: str) -> list[str]:
    """`王7 李7 欧阳1` → each word as many times as its number says."""
    words: list[str] = []
    for item in text.split():
        word = item.rstrip("0123456789")
        words += [word] * int(item[len(word) :])
    return words


def _pairs(text: str) -> dict[str, str]:
    return {pair[0]: pair[1] for pair in text.split()}


def _both_ways(text: str) -> dict[str, str]:
    table = _pairs(text)
    return {other: one for one, other in table.items()} | table


SURNAMES = _weighted(
    "王36 李35 张34 刘26 陈22 杨16 黄11 赵11 吴10 周10 徐8 孙7 马6 朱6 胡6 郭6 何6 高5 林5 罗5 郑5 梁4 谢4 宋4 唐4 许3 韩3 冯3 邓3 曹3 彭3 "
    "曾3 肖3 田3 董3 袁3 潘3 于3 蒋2 蔡2 余2 杜2 叶2 程2 苏2 魏2 吕2 丁2 任2 沈2 姚2 卢2 姜2 崔2 钟2 谭2 陆1 汪1 范1 金1 石1 廖1 贾1 夏1 韦1 付1 "
    "方1 白1 邹1 孟1 熊1 秦1 邱1 江1 尹1 薛1 闫1 段1 雷1 侯1 龙1 史1 陶1 黎1 贺1 顾1 毛1 郝1 龚1 邵1 万1 钱1 覃1 武1 单1 仇1 解1 查1 区1 朴1 "
    "欧阳2 司马1 诸葛1 上官1 尉迟1 慕容1"
)
CLANS = "吉克 阿尔 马海 沙马 吉木 曲比 阿苏 海来 罗洪 尔古 的日 俄木".split()  # 彝族 family names
YI_GIVEN = {
    "男": "木呷 伍机 拉且 尔布 古哈 日火 子黑 曲者 石布 依呷 阿木 干哈".split(),
    "女": "阿依 依洛 阿牛 果果 友色 木果 阿果 伍呷 子洛 日各 阿西 布西".split(),
}
UYGHUR_GIVEN = {
    "男": "买买提 吐尔逊 阿不都热合曼 艾山 玉素甫 艾合买提 卡德尔 热合曼 图尔荪 麦麦提".split(),
    "女": "阿依古丽 古丽巴哈尔 热依汗 帕提古丽 布麦尔耶姆 努尔古丽 阿米娜 祖丽胡玛尔 麦尔哈巴 赛丽曼".split(),
}
COMMON_GIVEN = {
    "男": "伟 强 磊 军 勇 杰 涛 明 超 刚 平 辉 鹏 斌 波 建国 建华 志强 建军 国强".split(),
    "女": "芳 娜 敏 静 丽 艳 娟 霞 秀英 秀兰 桂英 玉兰 桂兰 玉梅 红 燕 玲 秀珍 婷 凤英".split(),
}
COMMONEST = {"男": "张伟 王伟 李伟 刘伟".split(), "女": "王芳 李娜 张敏 李静 王静 王秀英".split()}
GIVEN_OLD = {
    "男": list("国建华明德福成生文光荣富贵春林海云清祥根发水金兴顺保全忠正启世永万才昌学义仁庆和平友长"),
    "女": list("秀英兰芳珍玉桂花梅香莲凤翠云霞菊芝琴素清淑仙巧春荣碧群先琼会华金银美红彩月"),
}
GIVEN_YOUNG = {
    "男": list("伟强杰浩宇鑫鹏涛俊豪轩磊超波辉斌凯阳博文晨旭龙飞洋帆航睿哲思源嘉乐志勇江松峰亮军亚东"),
    "女": list("婷静敏丽娟艳燕欣怡悦雨佳慧颖梦琪雪洁倩文思瑶诗涵晓雅莉娜蕾萍玲媛璐琳菲丹晶心妍"),
}
GENERATION = list("国建志文德光明永世家正天学开兴朝大少云金玉春秀小晓佳子思嘉")
RARE = list("䶮㼆𬱖𬭎堃淼翀婧犇")

# Read alike (homophones) and look alike (shapes): both ways round. None of them is a traditional or variant form.
SOUNDS_LIKE = _both_ways(
    "伟玮 芳方 娜纳 敏闽 静净 军均 勇咏 艳燕 杰洁 涛滔 明铭 超朝 秀绣 霞侠 平萍 刚钢 桂贵 英瑛 华桦 玉钰 红宏 兰岚 建健 文雯 辉晖 梅玫 云芸 "
    "强墙 磊垒 鹏朋 斌彬 波播 丽莉 娟捐 珍真 婷廷 凤奉 国果 德得 福富 成城 生升 光广 荣容 春椿 林琳 海害 清青 祥翔 根跟 发法 水睡 金今 "
    "兴星 顺舜 保宝 全泉 忠中 正政 启起 世士 永泳 万腕 才财 昌畅 学雪 义易 仁任 庆清 和河 友有 长常 花画 香湘 莲连 翠脆 菊桔 芝枝 琴勤 素速 "
    "淑叔 仙先 巧乔 碧必 群裙 琼穷 会慧 银吟 美每 彩采 月悦 浩昊 宇雨 鑫新 俊峻 豪毫 轩萱 凯楷 阳扬 博伯 晨辰 旭续 龙隆 飞菲 洋羊 帆凡 航杭 睿瑞 "
    "哲折 思丝 源元 嘉佳 乐月 志智 江姜 松淞 峰锋 亮谅 亚雅 东冬 欣心 怡宜 颖影 梦孟 琪琦 倩茜 瑶谣 诗师 涵函 晓小 蕾累 玲铃 媛愿 璐露 丹单 晶精 妍言"
)
LOOKS_LIKE = _both_ways(
    "伟伸 芳芬 娜挪 敏梅 静睁 军车 勇男 艳绝 杰烈 涛祷 明朋 秀季 霞震 平乎 刚则 桂挂 英莫 华毕 玉王 红江 兰半 建律 文交 辉挥 云去 强弹 磊品 斌赋 波坡 "
    "丽两 娟捐 珍诊 凤风 国图 德得 福副 成戍 生主 光先 荣荧 春看 林材 海悔 清晴 祥详 根银 发友 水永 金全 顺须 保堡 全金 忠患 正止 启后 世也 "
    "万方 才寸 昌冒 义又 仁江 庆厌 和利 友反 长张 花芜 香杳 莲蓬 菊萄 芝芒 琴瑟 素紊 淑椒 仙伽 巧朽 碧磐 群郡 琼惊 会合 美姜 彩彬 月目 浩洁 宇字 鑫森 "
    "俊唆 豪毫 轩轲 凯剀 阳阴 博搏 晨震 旭晃 龙尤 飞乙 洋样 帆帜 航舫 睿眷 哲誓 思恩 源愿 嘉喜 乐东 志忘 江红 松柏 峰蜂 亮壳 亚业 东车 婷停 慧彗 颖颍 "
    "琪棋 雪雷 洁浩 倩债 瑶摇 诗待 涵函 雅稚 莉荆 蕾雷 萍苹 玲伶 媛援 璐潞 琳淋 菲韭 丹舟 晶品 心必 妍研 桦华 铭洛 晓绕"
)
TRADITIONAL = _pairs(
    "张張 陈陳 刘劉 杨楊 黄黃 赵趙 吴吳 孙孫 马馬 罗羅 谢謝 许許 韩韓 冯馮 邓鄧 叶葉 苏蘇 卢盧 钟鍾 谭譚 贾賈 国國 华華 丽麗 兰蘭 凤鳳 龙龍 "
    "庆慶 军軍 东東 红紅 杰傑 强強 伟偉 莲蓮 艳艷 静靜 荣榮 兴興 义義 学學 云雲 长長 万萬 贵貴 银銀 飞飛 鹏鵬"
)
DOTS = [".", "．", "•", "∙", "・", "●", " ", "　", ""]  # what files hold where U+00B7 should stand

_FRONT = "平柳石清东西大双龙马金白红青高新北南长永"
COUNTIES = ["青禾县", "白石县", *(f"{a}{b}县" for a, b in product("云岚溪松枫桐柏梧桂棠", "川陵阳山水原台平安"))]
TOWNSHIPS = ["平川", "柳河", "石桥", *(front + back for back, front in product("塘沟湾坪岭溪坝岗林泉寨冲", _FRONT))]
VILLAGES = [
    *"幸福 柳树 新华 红星 前进 大湾".split(),
    *(front + back for back, front in product("家庄树井坡垭垅洞背窝", "陈李王杨周双三上下中前后小")),
]
