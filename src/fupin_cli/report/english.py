"""What rules say in Chinese, said in English: sentences of findings and reasons are put together of labels, values and phrases.

They are written in Chinese once, so that the same inputs give the same bytes whoever reads them, and said in English where they
are shown. What a register or a department wrote itself, citations, and whatever else has no English words, stand as they are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from fupin_cli.ingest import SourceProfile
from fupin_cli.ingest.file_list import FAULT_LABELS
from fupin_cli.language import pick, pick_on_paper, report_language
from fupin_cli.report.rule_words import facts_by_name
from fupin_cli.report.wording import DEPARTMENT_LABELS, KIND_LABELS
from fupin_cli.rules import Pack, Rule
from fupin_cli.rules.pack import AREA_FACTS, EXTRACT_FACTS, HOUSEHOLD_FACTS, LINK_FACTS, LIST_FACTS, PERSON_FACTS
from fupin_cli.vocabulary import (
    BASES,
    CODED,
    COLUMNS,
    EXIT_STATUS_LABELS,
    ID_STATUS_LABELS,
    OUTCOME_LABELS,
    RELATION_LABELS,
    SEVERITY_LABELS,
)

_MARKS = {
    " ": " ",
    "\n": "\n",
    "(": "(",
    ")": ")",
    "；": "; ",
    "，": ", ",
    "。": ". ",
    "、": ", ",
    "：": ": ",
    "（": " (",
    "）": ")",
    "“": "“",
    "”": "”",
}
# a document's title, with its day, and a path stay whole
_MARK = re.compile(rf"《[^》]*》(?:（[^）]*）)?|[^\s，；：]*/[^，；：]*\.[a-z]{{2,5}}\b|[{''.join(_MARKS)}]")
_BLANK = (" ", "(", ")")
_ASCII = re.compile(r"[ -~]*")
# what we say where a register or department gave yes or no, a sex, or nothing
_ANSWERS = {"是": "yes", "否": "no", "不详": "unknown", "未填": "not filled in", "男": "male", "女": "female"}
_PHRASES = {
    **_ANSWERS,
    **RELATION_LABELS,
    "有一条": "any row",
    "条数": "number of rows",
    "有任一成员": "any member",
    "所有成员": "all members",
    "成员人数": "number of members",
    "成员合计": "sum over members",
    "成员中最大": "largest of the members",
    "成员中最小": "smallest of the members",
    "只计": "only with",
    "只在": "only where",
    "只用有": "only lists that have rows with",
    "同一原户的各户": "of all households that came of one",
    "一无所知": "nothing known",
    "须有": "must have",
    "须依次": "must come in this order",
    "优先于": "before",
    "有效期": "valid",
    "该户脱贫年度": "exit year of the household",
    **dict.fromkeys(("的", "时", "的行的名单"), ""),
    "的天数": "in days",
    "的月数": "in months",
    "的比例": "as a share",
    "不详 unknown": "unknown",
    "已填": "filled in",
    "在册": "on the register",
    "疑点": "clue",
    "缺少": "missing",
    "未达到": "falls short of",
    "命中": "hit",
    "例外": "exception",
    "不适用": "not applicable",
    "未运行": "did not run",
    "无法判断": "cannot tell",
    "没有适用的家庭成员": "no member whom it applies to",
    "不在规则有效期或适用地区内": "the rule is not in force at this time or place",
    "来源不一致": "sources disagree",
    "台账登记": "the register says",
    "台账自身": "the register itself",
    "台账没有这一列": "the register has no such column",
    "台账没有": "the register has no",
    "台账没有填写": "the register does not fill in",
    "台账中未找到此人": "not found on the register",
    "台账中该证件号码登记为他人": "the register has this ID number under another name",
    "名单中有此人": "is on the list",
    "规则包规定的数": "a number of the pack",
    "标准线": "the line",
    "中": "in the",
    "系列": "series",
    "没有这一行": "has no such row",
    "有一行尚未核实": "has a row that nobody has verified",
    "未启用": "which is not switched on",
    "查到文件后": "once the paper is found",
    "在项目的": "in the project's",
    "写": "write",
    "金额": "amount",
    "出处": "source",
    "或在": "or in",
    "如本地采用该系列": "if the place uses that series",
    "日期不明": "date not known",
    "部门": "a department",
    "匹配依据": "basis of the link",
    "待核": "review",
    "现有数据不足以判断": "the data do not suffice to tell",
    "数据不全": "data incomplete",
    "是否同一人尚未确认": "whether it is the same person is not settled",
    "证件号码不可用": "ID number not usable",
    "是否同一人无法确认": "nobody can tell whether it is the same person",
    "比对关系待核": "the link is under review",
    "部门数据该项空着、看不懂或不可能": "the department's cell is blank, senseless or impossible",
    "没有覆盖该县的有效数据": "no valid data cover the county",
    "没有覆盖该县、该时间的有效数据": "no valid data cover the county and the time",
    "证件号码在别处登记为他人，无法据此查找": "the ID number is another's elsewhere: nobody can be found by it",
    "证件号码末几位丢失，无法据此查找": "the last digits of the ID number are lost: nobody can be found by it",
    "证件号码不可用，无法查找": "no usable ID number to search by",
    "名单中有同名而证件号码不可用的人": "the list has somebody of this name without a usable ID number",
    "名单中有证件号码前15位相同、后三位丢失的人": "the list has the first 15 digits, the last three lost",
    "该证件号码出现在文件中未采用的行、列或工作表里": "the ID number stands in a row, column or sheet that was not used",
    "覆盖该县的名单没有可用的证件号码、不完整或只列户主，无法查找": "the county's list has no usable ID numbers, is incomplete, "
    "or names heads only",
    "覆盖该县的名单没有户编号或不完整，无法查找": "the county's list has no household numbers, or is incomplete",
    "名单未见该村任何一户": "the list shows no household of the village",
    "不说明比对日期的情况": "says nothing of the as-of date",
    "全国": "nationwide",
    "国家统计局现价标准": "national line at current prices",
    "地方退出工作标准": "local working line",
    "人均纯收入": "net income per head",
    "人均可支配收入": "disposable income per head",
    "不限年度": "any year",
    '只适用于项目地区中的一部分：[pack] 写上 county = "…县"（台账的写法）才用于该县': (
        'binds only a part of the place: with county = "…县" under [pack], as the register writes it, that county is judged by it'
    ),
    "项目用 without 排除": "excluded by the project (without)",
    "项目点名启用": "asked for by the project",
    "须在 fupin.toml 的 [rules] 点名启用，写 packs": "must be asked for by name: packs under [rules] of fupin.toml",
    "自动启用": "judged unasked",
    "有其一即自动启用": "either has it judged",
    "列": "column",
    "分低为贫": "a low score is poor",
    "分高为贫": "a high score is poor",
    "也没有在此间退出的户": "and no household exited then",
    "符合": "so",
    "不符合": "not so",
    "户主": "head",
    "且": "and",
    "或": "or",
    "并非": "not",
    "属于": "in",
    "不属于": "not in",
    "含": "contains",
    "不含": "does not contain",
    "开头为": "begins with",
    "开头不为": "does not begin with",
    "结尾为": "ends with",
    "结尾不为": "does not end with",
    "为": "is like",
    "不为": "is not like",
    "介于": "between",
    "不介于": "not between",
    "至": "to",
    "全部达到": "all met",
    "达到其一": "one met",
    "一项也不命中": "none hit",
}
# what stands between a name and what a register or department wrote under it; how far that goes, also in brackets of ours
_BEFORE = {
    sign: tuple(re.compile(f"[^{ends}{more}]*") for more in ("", "，）"))
    for sign, ends in {"：": "；。\n", " = ": "（；", " ": "；。，）) \n"}.items()
}
_ASKED = re.compile(r"(已填|未填|不?含|开头不?为|结尾不?为|不?为|不?属于|不?介于|且|或|时|至|优先于|的.*|[^\w].*)?")
# a trace says after the name of a fact whose rows there are, where they stand, and whether they fit
_OF_A_TRACE = re.compile(r" ← |^该户 \d+ 行中没有$|，(不?符合|无法判断)$")
_JOINED = re.compile(" [且或] |[“(]")
# in a condition; a quoted name of ours follows a word at once
_QUOTED = re.compile(r"(?<=[ (（、])“([^”]*)”")
_BLANKS = re.compile(r"(?<=\S) {2,}")
_CLOSE = re.compile(r"(?<=[(“]) | (?=[)”])")
_APART = re.compile(r"(?<=[)”])(?=[\w←])|(?<=\w)(?=“)")
_RANGE = re.compile(r"(between [\d.-]+) to ")
_AMOUNT = re.compile(r"^(-?[\d.]+)元$")
_FOUND = (  # what holds numbers or names; what stands in a group is said in English in its turn
    (re.compile(r"适用(\d+)人"), "applies to {0}"),
    (re.compile(r"疑点(\d+)人"), "hits: {0}"),
    (re.compile(r"未达标(\d+)人"), "not met: {0}"),
    (re.compile(r"无法判断(\d+)人"), "cannot tell: {0}"),
    (re.compile(r"该数据中另有(\d+)条同类记录"), "these data hold more such records: {0}"),
    (re.compile(r"截至(\S+)"), "as of {0}"),
    (re.compile(r"(\d+)年标准线([\d.]+)元"), "line of {0}: {1} yuan"),
    (re.compile(r"(-?[\d.]+)元"), "{0} yuan"),
    (re.compile(r"(-?[\d.]+)天"), "days: {0}"),
    (re.compile(r"该户 (\d+) 行中没有"), "none among the household's rows: {0}"),
    (re.compile(r"(\d+) 人"), "persons: {0}"),
    (re.compile(r"台账第 ?(\d+) ?行"), "register row {0}"),
    (re.compile(r"台账(\S*?)第 ?(\d+) ?行"), "register {0} row {1}"),
    (re.compile(r"第 ?(\d+) ?行"), "row {0}"),
    (re.compile(r"(\d+)年起的规则"), "rules from {0} on"),
    (re.compile(r"(\d+)—(\d+)年的规则"), "rules of {0}-{1}"),
    (re.compile(r"比对日期在(\d+)年"), "the as-of date is in {0}"),
    (re.compile(r"(\d+)户在此间退出"), "households that exited then: {0}"),
    (re.compile(r"比对日期 (\S+)"), "as of {0}"),
    (re.compile(r"因为有(.+)"), "because there are {0}"),
    (re.compile(r"因为缺(.+)"), "for want of {0}"),
    (re.compile(r"(\d+)年标准线"), "line of {0}"),
    (re.compile(r"(\d+)年标准线未知"), "the line of {0} is not known"),
    (re.compile(r"其中一县"), "one county of it"),
    (re.compile(r"(\d+) 项计分"), "score of {0} items"),
    (re.compile(r"(.+)名单中未找到"), "not found on the list: {0}"),
    (re.compile(r"(.+)数据中没有(.+)"), "data of {0} lack {1}"),
    (re.compile(r"(.+)数据没有一行满足"), "no row in the data of {0} has"),
    (re.compile(r"(.+)数据没有"), "the data of {0} have no"),
    (re.compile(r"(.+)数据早于比对日期(\d+)天以上"), "data older than {1} days: {0}"),
    (re.compile(r"(.+)数据没有数据行"), "data without rows: {0}"),
    (re.compile(r"没有(.+)数据"), "no data: {0}"),
    (re.compile(r"(.+)数据"), "data of {0}"),
    (re.compile(r"(.+)在([\d.-]+)与([\d.-]+)之间"), "{0} between {1} and {2}"),
    (re.compile(r"(.+)等(\d+)项"), "{0} and more, {1} in all"),
    (re.compile(r"本地"), "this place"),
    (re.compile(r"缺少(.+)"), "missing {0}"),
    (re.compile(r"填有(.*)"), "fills in {0}"),
    (re.compile(r"按(.+)"), "by {0}"),
    (re.compile(r"(.+)合计"), "sum of {0}"),
    (re.compile(r"(.+)填报的(.+)"), "{1}, by {0}"),
    (re.compile(r"([－＋])(.+)"), "{0}{1}"),
    (re.compile(r"隔(\d+)天"), "{0} days later"),
)


def each_said(frame: pl.DataFrame, said: Callable[[str], str], *columns: str) -> pl.DataFrame:
    """The frame with the texts of these columns said, each text once."""
    texts = {name: frame[name].drop_nulls().unique() for name in columns}
    return frame.with_columns(pl.col(name).replace(each, [said(text) for text in each]) for name, each in texts.items())


@dataclass(frozen=True)
class Words:
    """Chinese → English of what is ours; `names` of columns and facts, under which others wrote, and `codes` by name."""

    said: Mapping[str, str]
    names: frozenset[str]
    codes: Mapping[str, Mapping[str, str]]


def english_words(packs: Iterable[Pack], profiles: Mapping[str, SourceProfile]) -> Words:
    """Everything that packs and profiles give both names: facts, columns, rules with their advice, codes, kinds."""
    named = [(column.zh, column.en) for column in COLUMNS.values()]
    named += [(field.zh, field.en) for profile in profiles.values() for field in profile.fields]
    for group in (PERSON_FACTS, HOUSEHOLD_FACTS, AREA_FACTS, LINK_FACTS, EXTRACT_FACTS, LIST_FACTS):
        named += group.values()
    pairs: list[tuple[str, str]] = []
    for codes in (BASES, ID_STATUS_LABELS, OUTCOME_LABELS, SEVERITY_LABELS, KIND_LABELS):
        pairs += codes.values()
    pairs += [(profile.title, profile.title_en) for profile in profiles.values()]
    titles = {*DEPARTMENT_LABELS, *(zh for zh, _ in KIND_LABELS.values())}
    for pack in packs:
        facts = {fact.zh: fact.en for fact in facts_by_name([pack]).values()}
        facts |= {number.zh: number.en for number in pack.parameters}
        shared = Counter(facts.values())
        # papers and steps share one English name, which tells none of them
        named += [(zh, en if shared[en] == 1 else "") for zh, en in facts.items()]
        pairs += [(pack.title, pack.title_en), *((rule.title, rule.title_en) for rule in pack.rules)]
        titles |= {title for rule in pack.rules for title in (rule.title, *(exception.zh for exception in rule.unless))}
        pairs += [pair for rule in pack.rules for pair in _advice(rule)]
        pairs += [(zh, KIND_LABELS[kind][1]) for kind, zh in pack.kinds.items() if kind in KIND_LABELS]
    # in short a column is called without its 是否
    short = [(zh.removeprefix("是否"), en) for zh, en in named if zh.startswith("是否")]
    said = {zh: en for zh, en in (*short, *DEPARTMENT_LABELS.items(), *named, *pairs) if zh and en}
    names = {zh for zh, _ in (*short, *named) if zh}
    return Words({zh: zh for zh in names} | said, frozenset(names - titles), _codes(profiles))


def _advice(rule: Rule) -> Iterator[tuple[str, str]]:
    """A rule's advice as findings have it, and as books print it, without what it begins with; one without English stays."""
    zh, en = rule.advice.rstrip("。"), (rule.advice_en or rule.advice).rstrip(".。")
    yield zh, en
    yield zh.removeprefix("疑点："), en.removeprefix("疑点：").removeprefix("clue: ")


def _codes(profiles: Mapping[str, SourceProfile]) -> dict[str, dict[str, str]]:
    """The name of a column or fact → its codes, each in both languages."""
    called = [(name, zh) for group in (PERSON_FACTS, LINK_FACTS) for name, (zh, _) in group.items()]
    called += [(name, column.zh) for name, column in COLUMNS.items()]
    called += [(field.column, field.zh) for profile in profiles.values() for field in profile.fields]
    codes = {name: dict(words.values()) for name, words in CODED.items()}
    codes |= {"relation": RELATION_LABELS, "exit_status": EXIT_STATUS_LABELS, "file_fault": FAULT_LABELS}
    return {zh: codes[name] for name, zh in called if name in codes}


def as_spoken(packs: Iterable[Pack], profiles: Mapping[str, SourceProfile]) -> Callable[[str], str]:
    """How to say what rules wrote, in the language spoken: as it stands in Chinese, else put into English."""
    return English(english_words(packs, profiles)) if pick((False, True)) else str


@report_language()
def as_written(packs: Iterable[Pack], profiles: Mapping[str, SourceProfile]) -> Callable[[str], str]:
    """The same in the language that reports are written in."""
    return English(english_words(packs, profiles)) if pick_on_paper((False, True)) else str


class English:
    """Says a sentence in English, piece by piece between its marks; the longest piece that has `words` goes first.

    What stands under the name of a column was written by a register or a department, and is left as it is.
    """

    def __init__(self, words: Words) -> None:
        self._words = {**words.said, **_PHRASES}
        self._names, self._codes = words.names, words.codes
        self._longest = max(map(len, self._words))
        self._told: dict[str, str | None] = {}

    def __call__(self, text: str) -> str:
        """The sentence in English; what has no words in it stands as it is."""
        ends = [found.start() for found in _MARK.finditer(text) if len(found[0]) == 1]
        ends.append(len(text))
        said, at, name = "", 0, ""
        while at <= len(text):
            if quoted := _QUOTED.match(text, at):
                said, at = f"{said}“{self._value(name, quoted[1])}”", quoted.end()
            ends = [end for end in ends if end >= at]
            piece, told = self._next(text, at, ends)
            said, at = said + told, at + len(piece)
            if piece in self._words:
                name = piece if piece in self._names else name
                sign, value = self._written(text, at, piece)
                said, at = said + _MARKS.get(sign, sign) + self._value(piece, value), at + len(sign + value)
            said += _MARKS.get(text[at : at + 1], "")
            at += 1
        return _tidy(said)

    def _written(self, text: str, at: int, name: str) -> tuple[str, str]:
        """What a register or department wrote under a name that ends here, with the sign before it; or nothing."""
        sign = next((sign for sign in _BEFORE if text.startswith(sign, at)), "")
        if not sign or (sign != " = " and name not in self._names):
            return "", ""
        inside = text.count("（", 0, at) > text.count("）", 0, at)
        value = _BEFORE[sign][inside].match(text, at + len(sign))[0]  # type: ignore[index]  # nothing is a value, too
        not_theirs = {
            "：": _OF_A_TRACE.search(value) is not None,
            " ": _ASKED.fullmatch(value) is not None,
            # and behind each value where it stands
            " = ": not text.startswith("（", at + len(sign + value)) or _JOINED.search(value) is not None,
        }
        return ("", "") if not_theirs[sign] else (sign, value)

    def _value(self, name: str, value: str) -> str:
        """A value as it was written, but for codes of ours, yes and no, and amounts."""
        words = {**_ANSWERS, **self._codes.get(name, {})}
        code, sign, rest = value.partition("：")  # 内容与另一文件相同：…
        return words[code] + _MARKS.get(sign, "") + rest if code in words else _AMOUNT.sub(r"\1 yuan", value)

    def _next(self, text: str, at: int, ends: Sequence[int]) -> tuple[str, str]:
        """The longest piece from here that has words, one that holds numbers, or else the next, and how it is said."""
        for end in reversed([end for end in ends if end <= at + self._longest]):
            if text[at:end] in self._words:
                return text[at:end], self._words[text[at:end]]
        # what holds numbers may hold blanks
        far = next(end for end in ends if text[end : end + 1] not in _BLANK)
        for end in (far, ends[0]):
            if told := self._made_of(text[at:end]):
                return text[at:end], told
        return text[at : ends[0]], text[at : ends[0]]

    def _made_of(self, piece: str) -> str | None:
        """The piece in English, where it holds numbers or names; None where it has no words."""
        if piece not in self._told:
            self._told[piece] = None if _ASCII.fullmatch(piece) else self._found(piece)
        return self._told[piece]

    def _found(self, piece: str) -> str | None:
        for pattern, english in _FOUND:
            if found := pattern.fullmatch(piece):
                return english.format(*map(self, found.groups()))
        return None


def _tidy(said: str) -> str:
    """Blanks as English has them around brackets and quotes, and a range as it is read."""
    said = _RANGE.sub(r"\1 and ", _CLOSE.sub("", _BLANKS.sub(" ", said)))
    return _APART.sub(" ", said).strip()
