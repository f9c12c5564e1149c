"""A condition of a rule pack → a polars expression, after its words passed an allow-list.

The language is the three-valued part of SQL: AND OR NOT, comparison, IN, BETWEEN, LIKE, arithmetic, TRUE, FALSE, a day
written DATE '2020-01-31', and IS [NOT] NULL. Polars parses it. The words are checked first, because polars would also take
CASE and COALESCE, which turn an unknown into an answer, and sub-queries. Names of facts are quoted on the way, so that a
fact may be called `use`.
"""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from fupin_cli.errors import ConfigurationError
from fupin_cli.language import later, listed, tr
from fupin_cli.vocabulary import CODED, EVIDENCE

_NOT_CALLED: Mapping[str, Collection[str]] = {}
KEYWORDS = frozenset({"AND", "OR", "NOT", "IN", "BETWEEN", "IS", "NULL", "LIKE", "TRUE", "FALSE", "DATE"})
_PREFIXES = ("dept_given_", "dept_", "given_")
_OF_EVERY_LIST = {*EVIDENCE.names, "former_name_key"}
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>'(?:[^']|'')*')
      | (?P<number>\d+(?:\.\d+)?)
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<sign><=|>=|<>|!=|[=<>+*/(),-])
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Predicate:
    """A checked condition: its text as written, the facts it reads in order, and the SQL that polars gets.

    `matched` are facts beside =, <>, IN, BETWEEN or LIKE, `repeated` those that stand more than once,
    `alone` those that are an answer by themselves.
    """

    text: str
    names: tuple[str, ...]
    tested_for_null: frozenset[str]
    read_as_text: frozenset[str]
    matched: frozenset[str]
    repeated: frozenset[str]
    alone: frozenset[str]
    sql: str

    @property
    def expr(self) -> pl.Expr:
        """The condition as polars evaluates it: true, false or null."""
        return pl.sql_expr(self.sql)


def parse_condition(
    text: str, known: Collection[str], where: str, key: str, called: Mapping[str, Collection[str]] = _NOT_CALLED
) -> Predicate:
    """The condition, ready to evaluate over a frame whose columns are facts; `called` gives columns by their headers.

    Raises ConfigurationError, naming the word that is not allowed, for anything but facts of `known` and the small SQL.
    """
    tokens = _tokens(text, where, key, known, called)
    _check_words(tokens, known, where, key)
    names = dict.fromkeys(word for kind, word in tokens if kind == "name")
    # in parentheses, because polars would read a stray last word as an alias
    sql = "(" + " ".join(f'"{word}"' if kind == "name" else word for kind, word in tokens) + ")"
    if not _is_expression(sql, set(names)):
        raise ConfigurationError(
            tr("{key} is not a condition: {value!r}", key=key, value=text),
            where=where,
            why=tr("its words are allowed, their order is not"),
            try_=_order_hint([word for _, word in tokens]),
        )
    return Predicate(
        text,
        tuple(names),
        _tested_for_null(tokens),
        _read_as_text(tokens),
        _matched(tokens),
        _repeated(tokens),
        _alone(tokens),
        sql,
    )


def spoken(condition: Predicate, label: Callable[[str], str]) -> str:
    """The condition in Chinese, to be read aloud: 人均纯收入（元） > 标准线 且 户类型 含“一般农户”."""
    tokens, at = _tokens(condition.text, "", ""), 0
    said, codes = list[str](), dict[str, tuple[str, str]]()
    while at < len(tokens):
        words = tuple(word for _, word in tokens[at : at + 3])
        phrase = next((n for n in (3, 2, 1) if len(words) >= n and words[:n] in _SPOKEN), 0)
        kind, word = tokens[at]
        if word == "AND" and said[-2:-1] in (["介于"], ["不介于"]):
            said.append("至")
        elif phrase:
            said.append(_SPOKEN[words[:phrase]])
        elif kind == "text":
            text = word[1:-1].replace("''", "'")
            text = codes[text][0] if text in codes else text
            if said and said[-1] in ("含", "不含"):
                said[-1] = _LIKE[said[-1], text.startswith("%"), text.endswith("%")]
                text = text.strip("%")
            said.append(text if at and tokens[at - 1][1] == "DATE" else f"“{text}”")
        else:
            codes = CODED.get(word, {}) if kind == "name" else codes
            said.append(label(word) if kind == "name" else word)
        at += phrase or 1
    return re.sub(r"\s+([,)、）])", r"\1", re.sub(r"([(（])\s+", r"\1", " ".join(said))).replace(",", "、")


_COMPARED_WITH = {"Boolean": later("TRUE or FALSE, or alone"), "Date": "DATE '2020-01-31'"}
_NUMBER = later("a number, without quotes")
# what people type by habit → what conditions have instead
_TYPED = {
    **dict.fromkeys("‘’“”", later("straight quotes, '…'")),
    **dict.fromkeys(";；", later("one condition, joined by AND or OR")),
    '"': later("'…' for a text; a fact is named without quotes"), "&": "AND", "|": "OR", "!": later("NOT, or <>"),
    "≥": ">=", "≤": "<=", "≠": "<>", "＝": "=", "＞": ">", "＜": "<", "（": "(", "）": ")", "，": ",",
    "%": later("'%…%' after LIKE"), "--": later("a comment of TOML, after # on a line of its own"),
}  # fmt: skip
_A_FACT = later("a fact of its own, named in [[fact]]")
_BRANCHES = later("two rules, or [[fact]] is = … for each branch")
_SQL = {
    "CASE": _BRANCHES,
    "WHEN": _BRANCHES,
    "COALESCE": later('first_of = ["a", "b"] in a [[fact]]'),
    "IFNULL": later('first_of = ["a", "b"] in a [[fact]]'),
    "SELECT": later("a [[fact]] that asks an extract: any, count, sum, value"),
    "EXISTS": later("a [[fact]] with any = …"),
    "COUNT": later("count = … in a [[fact]]"),
    "SUM": later('sum = … or members = "sum" in a [[fact]]'),
    "MAX": later('members = "max" in a [[fact]]'),
    "MIN": later('members = "min" in a [[fact]]'),
    "XOR": "a <> b",
    "ILIKE": "LIKE",
    "REGEXP": "LIKE '%…%'",
}
_LIKE = {  # how it is said, whether the text begins and ends with any text
    ("含", True, True): "含", ("含", False, True): "开头为",
    ("含", True, False): "结尾为", ("含", False, False): "为",
    ("不含", True, True): "不含", ("不含", False, True): "开头不为",
    ("不含", True, False): "结尾不为", ("不含", False, False): "不为",
}  # fmt: skip
_SPOKEN = {
    ("IS", "NOT", "NULL"): "已填", ("IS", "NULL"): "未填", ("NOT", "IN"): "不属于", ("IN",): "属于", ("NOT", "LIKE"): "不含",
    ("LIKE",): "含", ("NOT", "BETWEEN"): "不介于", ("BETWEEN",): "介于", ("AND",): "且", ("OR",): "或",
    ("NOT",): "并非", ("TRUE",): "是", ("FALSE",): "否", ("DATE",): "", ("<=",): "≤", (">=",): "≥", ("<>",): "≠", ("!=",): "≠",
}  # fmt: skip


def evaluate(frame: pl.DataFrame, condition: Predicate, where: str) -> pl.Series:
    """True, false or null per row of a frame that has the condition's facts as columns.

    Raises ConfigurationError where the condition compares a fact with a value of another type, or is no yes-or-no question.
    """
    frame = frame[list(condition.names)] if condition.names else frame
    # a column that is absent came as nulls without a type, which polars will not search for text, nor join by OR
    untyped = [name for name, dtype in frame.schema.items() if dtype == pl.Null]
    if untyped:
        frame = frame.cast({name: pl.Boolean() for name in untyped if name in condition.alone})
        frame = frame.cast({name: pl.String() for name in untyped if name in condition.read_as_text})
    # polars would compare true with 'yes' and find them different, for ever and without a word
    misread = [name for name in sorted(condition.read_as_text) if frame[name].dtype != pl.String]
    if misread:
        raise ConfigurationError(
            tr("{value!r} compares {misread} with a text", value=condition.text, misread=misread[0]),
            where=where,
            why=tr("{misread} is {what}", misread=misread[0], what=frame.schema[misread[0]]),
            try_=tr(
                "{misread} with {what}",
                misread=misread[0],
                what=tr(_COMPARED_WITH.get(str(frame.schema[misread[0]]), _NUMBER)),
            ),
        )
    try:
        truth = frame.select(condition.expr.alias("truth")).to_series()
    except pl.exceptions.PolarsError:
        types = ", ".join(f"{name} is {frame.schema[name]}" for name in condition.names)
        raise ConfigurationError(
            tr("cannot evaluate {value!r}", value=condition.text),
            where=where,
            why=tr("{types}: compare each with its own type", types=types),
        ) from None
    if truth.dtype not in (pl.Boolean, pl.Null):
        raise ConfigurationError(
            tr("{value!r} is not a yes-or-no question", value=condition.text),
            where=where,
            why=tr("it gives {dtype}", dtype=truth.dtype),
        )
    truth = truth.cast(pl.Boolean)
    return truth if truth.len() == frame.height else truth.new_from_index(0, frame.height)


def nearest(word: str, known: Collection[str]) -> str | None:
    """What the writer may have meant: the known name closest to this one. What all of a kind begin with likens nothing."""
    start = next((prefix for prefix in _PREFIXES if word.startswith(prefix)), "")
    alike = {name.removeprefix(start): name for name in sorted(known) if name.startswith(start)}
    close = difflib.get_close_matches(word.removeprefix(start), alike, n=1, cutoff=0.5)
    return alike[close[0]] if close else None


def _by_header(word: str, known: Collection[str], called: Mapping[str, Collection[str]]) -> str | None:
    """The name of the column that stands under this header, or one like it, in the files: 是否低保 is dibao."""
    header = word if word in called else next(iter(difflib.get_close_matches(word, called, n=1, cutoff=0.7)), None)
    columns = sorted(called[header]) if header else []
    names = [name for column in columns for name in (column, f"dept_{column}") if name in known]
    return f"{names[0]}（{header}）" if names else None


def _tokens(
    text: str,
    where: str,
    key: str,
    known: Collection[str] = (),
    called: Mapping[str, Collection[str]] = _NOT_CALLED,
) -> list[tuple[str, str]]:
    tokens, at = [], 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None or text.startswith("--", found.start(found.lastgroup or 0)):
            word = text[at:].split(maxsplit=1)[0]
            header = re.match(r"[^\W_a-zA-Z]+", word)
            plain = next((right for wrong, right in _TYPED.items() if word.startswith(wrong)), None)
            plain = plain or (_by_header(header[0], known, called) if header else None)
            raise ConfigurationError(
                tr("{key}: {word!r} is not allowed in a condition", key=key, word=word),
                where=where,
                why=_allowed(),
                try_=tr(plain) if plain else tr("see docs/rules.md, Conditions"),
            )
        kind = str(found.lastgroup)
        word = found.group(kind)
        if kind == "word":
            kind, word = ("keyword", word.upper()) if word.upper() in KEYWORDS else ("name", word)
        tokens.append((kind, word))
        at = found.end()
    if not tokens:
        raise ConfigurationError(
            tr("{key} is empty", key=key), where=where, why=tr("a condition is needed, such as dibao = TRUE")
        )
    return tokens


def _check_words(tokens: list[tuple[str, str]], known: Collection[str], where: str, key: str) -> None:
    words = [word for _, word in tokens]
    for at, (kind, word) in enumerate(tokens):
        after = words[at + 1] if at + 1 < len(words) else ""
        before = words[at - 1] if at else ""
        if kind == "name" and word not in known and (word.upper() in _SQL or after == "("):
            raise ConfigurationError(
                tr("{key}: {word!r} is not a known fact, but SQL that conditions do not have", key=key, word=word),
                where=where,
                why=tr("it could turn an unknown into an answer, or read something else; ") + _allowed(),
                try_=tr(_SQL.get(word.upper(), _A_FACT)),
            )
        if kind == "name" and (word not in known or after == "("):
            close = nearest(word, known)
            raise ConfigurationError(
                tr("{key}: {word!r} is not a known fact", key=key, word=word),
                where=where,
                why=_allowed(),
                try_=close if close and close != word else _some_like(word, known),
            )
        if word == "DATE" and not _is_day(after):
            raise ConfigurationError(
                tr("{key}: DATE is followed by a day", key=key),
                where=where,
                why=_allowed(),
                try_=tr("DATE '2020-01-31'"),
            )
        if word == "NULL" and not (before == "IS" or (before == "NOT" and words[at - 2 : at - 1] == ["IS"])):
            raise ConfigurationError(
                tr("{key}: NULL may only follow IS or IS NOT", key=key), where=where, why=_allowed()
            )
        if word == "IS" and not (after == "NULL" or words[at + 1 : at + 3] == ["NOT", "NULL"]):
            raise ConfigurationError(
                tr("{key}: IS may only ask for NULL", key=key),
                where=where,
                why=tr("IS TRUE would answer no where we do not know"),
            )


def _some_like(word: str, known: Collection[str]) -> str:
    """Where nothing is near: of a department's columns, which there are."""
    columns = sorted(name for name in known if name.startswith("dept_") and not name.startswith("dept_given_"))
    own = [name for name in columns if name.removeprefix("dept_") not in _OF_EVERY_LIST]
    return tr("one of: {names}", names=listed(own)) if word.startswith("dept_") and own else tr("see docs/rules.md")


def _order_hint(words: list[str]) -> str:
    """What is probably wrong with words that are all allowed and make no condition."""
    opened, closed = words.count("("), words.count(")")
    if opened != closed:
        return tr("{opened} '(' and {closed} ')': as many of one as of the other", opened=opened, closed=closed)
    if "= =" in " ".join(words):
        return tr("= once, not ==")
    if words[-1] in ("AND", "OR", "NOT") or words[0] in ("AND", "OR"):
        join = words[-1] if words[-1] in ("AND", "OR", "NOT") else words[0]
        return tr("something to join by {join}, or leave it out", join=join)
    return tr("AND or OR between two questions, such as dibao AND age >= 18")


def _is_day(word: str) -> bool:
    try:
        date.fromisoformat(word.strip("'"))
    except ValueError:
        return False
    return word.startswith("'")


def _is_expression(sql: str, names: set[str]) -> bool:
    try:
        return set(pl.sql_expr(sql).meta.root_names()) == names
    except pl.exceptions.PolarsError:
        return False


def _tested_for_null(tokens: list[tuple[str, str]]) -> frozenset[str]:
    pairs = itertools.pairwise(tokens)
    return frozenset(word for (kind, word), (_, after) in pairs if kind == "name" and after == "IS")


def _matched(tokens: list[tuple[str, str]]) -> frozenset[str]:
    found = set()
    for at, (kind, word) in enumerate(tokens):
        before = tokens[at - 1][1] if at else ""
        after = tokens[at + 1][1] if at + 1 < len(tokens) else ""
        if kind == "name" and (before in _EQUALS | {"BETWEEN"} or after in _EQUALS | {"IN", "BETWEEN", "LIKE", "NOT"}):
            found.add(word)
    return frozenset(found)


def _alone(tokens: list[tuple[str, str]]) -> frozenset[str]:
    words = ["", *(word for _, word in tokens), ""]
    return frozenset(
        word
        for at, (kind, word) in enumerate(tokens, 1)
        if kind == "name" and words[at - 1] in _BEFORE_ALONE and words[at + 1] in _AFTER_ALONE
        if not _ends_between(words[:at])
    )


def _ends_between(before: list[str]) -> bool:
    """Whether what follows these words is the upper end of a BETWEEN: its AND joins no questions."""
    return before[-1] == "AND" and "BETWEEN" in itertools.takewhile(lambda word: word != "AND", before[-2::-1])


def _repeated(tokens: list[tuple[str, str]]) -> frozenset[str]:
    names = [word for kind, word in tokens if kind == "name"]
    return frozenset(name for name in names if names.count(name) > 1)


def _read_as_text(tokens: list[tuple[str, str]]) -> frozenset[str]:
    """The facts that stand before a 'text' that they are compared with, or after it."""
    found = set()
    for at, (kind, _) in enumerate(tokens):
        if kind == "text" and tokens[at - 1][1] != "DATE":
            back = at - 1
            while back > 0 and (tokens[back][0] == "text" or tokens[back][1] in _BETWEEN_FACT_AND_TEXT):
                back -= 1
            ahead = tokens[at + 2 : at + 3] if tokens[at + 1 : at + 2] and tokens[at + 1][1] in _COMPARISONS else []
            found |= {word for kind, word in (*tokens[max(back, 0) : at], *ahead) if kind == "name"}
    return frozenset(found)


_BEFORE_ALONE, _AFTER_ALONE = frozenset({"", "(", "AND", "OR", "NOT"}), frozenset({"", ")", "AND", "OR"})
_EQUALS = frozenset({"=", "<>", "!="})
_COMPARISONS = frozenset({"=", "<>", "!=", "<", ">", "<=", ">="})
_BETWEEN_FACT_AND_TEXT = _COMPARISONS | {"(", ",", "IN", "NOT", "LIKE", "BETWEEN"}


def _allowed() -> str:
    words = " ".join(sorted(KEYWORDS))
    return tr("allowed are known facts, numbers, 'text', = <> < <= > >= + - * / ( ) and {words}", words=words)
