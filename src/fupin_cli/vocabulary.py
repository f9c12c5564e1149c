"""Every column that crosses a room's door: its name, dtype, Chinese and English label, and how private it is.

The stages never import each other; they meet here, as frames. `Frame.conform` is the door: it puts columns in order, adds
absent optional ones as null, and refuses a wrong dtype, which would be a bug of ours and not bad data.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import polars as pl


class Sensitivity(StrEnum):
    """How a value may be shown. OPEN anywhere; PERSONAL masked on terminal and page; SENSITIVE in workbooks only."""

    OPEN = "open"
    PERSONAL = "personal"
    SENSITIVE = "sensitive"


class Decision(StrEnum):
    """What becomes of a candidate pair of register person and extract identity."""

    ACCEPTED = "accepted"
    REVIEW = "review"
    REJECTED = "rejected"


class Outcome(StrEnum):
    """What one rule says of one household or person. A hit is a clue, never a verdict."""

    MET = "met"
    NOT_MET = "not_met"
    HIT = "hit"
    CLEAR = "clear"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"


class Band(StrEnum):
    """How sure the evidence under a finding is: ACCEPTED links only, or at least one link still under REVIEW."""

    ACCEPTED = "accepted"
    REVIEW = "review"


class Severity(StrEnum):
    """What a hit weighs, as the rule set says: the same fact is a veto in one place and a lead in another."""

    VETO = "veto"
    FAIL = "fail"
    LEAD = "lead"
    DQ = "dq"
    INFO = "info"


def is_note() -> pl.Expr:
    """Whether a finding accuses nobody: it is for the county itself, and no township is asked."""
    return pl.col("severity").eq_missing(Severity.INFO)


PLACES = ("county", "township", "village")  # from the widest to the narrowest
STAGES = ("county", "city", "province")  # the order in which comparison rounds happen
STAGE_LABELS = {  # what people read for them
    "county": ("县级比对（录入前）", "county comparison (before entry)"),
    "city": ("市级比对", "city comparison"),
    "province": ("省级比对（录入后）", "province comparison (after entry)"),
}
BASES = {  # how a link was made: code → what people read
    "exact_id": ("证件号码一致", "same ID number"),
    "repaired_id": ("证件号码差一位（校验推断）", "ID number one fault away, by its check digit"),
    "damaged_id": ("证件号码前15位一致（后三位丢失）", "first 15 digits of the ID, the last three lost"),
    "name_birth": ("姓名、出生日期一致", "same name and birth date"),
    "name_place": ("姓名、村一致", "same name and village"),
    "id_part_name": ("证件号码部分一致、姓名相符", "parts of the ID and the name agree"),
    "fields": ("所列各项一致的程度", "how far the columns of [compare] agree"),
}
OUTCOME_LABELS = {
    Outcome.MET: ("达标", "met"),
    Outcome.NOT_MET: ("未达标", "not met"),
    Outcome.HIT: ("疑点", "clue"),
    Outcome.CLEAR: ("未见异常", "clear"),
    Outcome.UNKNOWN: ("无法判断", "cannot tell"),
    Outcome.NOT_APPLICABLE: ("不适用", "not applicable"),
}
SEVERITY_LABELS = {
    Severity.VETO: ("一票否决项疑点，建议复核", "veto item, to be re-checked"),
    Severity.FAIL: ("退出标准疑点，建议复核", "exit standard, to be re-checked"),
    Severity.LEAD: ("比对疑点，建议核实", "lead to verify"),
    Severity.DQ: ("数据质量", "data quality"),
    Severity.INFO: ("提示", "note"),
}
ID_STATUS_LABELS = {  # what an ID number turned out to be
    "valid": ("有效", "valid"),
    "from_15": ("15位升18位", "15 digits, upgraded to 18"),
    "from_disability": ("残疾人证号前18位", "first 18 of a disability number"),
    "bad_check_digit": ("校验位不符", "check digit does not fit"),
    "bad_date": ("出生日期段不合法", "impossible birth date inside"),
    "truncated": ("后三位丢失（电子表格截断）", "last three digits lost in a spreadsheet"),
    "masked": ("部分数字被遮盖", "some of its digits hidden"),
    "placeholder": ("占位号", "placeholder"),
    "missing": ("未填写", "missing"),
    "malformed": ("位数或字符不合法", "wrong length or characters"),
}
CODED = {"id_status": ID_STATUS_LABELS, "link_basis": BASES}  # facts whose values are codes of ours
EXIT_STATUS_LABELS = {  # what the register's profile makes of the many words for them
    "已脱贫": "exited",
    "未脱贫": "not exited",
    "返贫": "relapsed",
    "预脱贫": "about to exit",
    "新识别": "newly identified",
    "注销": "cancelled",
    "清退": "removed",
}
RELATION_LABELS = {  # the register's own list of relations to the head, which is not checked against it
    "户主": "head",
    "配偶": "spouse",
    "之子": "son",
    "之女": "daughter",
    "之儿媳": "son's wife",
    "之女婿": "daughter's husband",
    "之孙子": "grandson",
    "之孙女": "granddaughter",
    "之外孙子": "daughter's son",
    "之外孙女": "daughter's daughter",
    "之父": "father",
    "之母": "mother",
    "之岳父": "wife's father",
    "之岳母": "wife's mother",
    "之公公": "husband's father",
    "之婆婆": "husband's mother",
    "之祖父": "grandfather",
    "之祖母": "grandmother",
    "之外祖父": "mother's father",
    "之外祖母": "mother's mother",
    "之曾孙子": "great-grandson",
    "之曾孙女": "great-granddaughter",
    "之兄弟": "brother",
    "之姐妹": "sister",
    "之兄弟姐妹": "brother or sister",
    "之兄弟姐妹配偶": "wife or husband of a brother or sister",
}
SET_ASIDE_REASONS = {  # why a row was read and not used
    "title": ("标题行", "title above the header"),
    "header": ("表头", "header"),
    "blank": ("空行", "blank"),
    "footer": ("合计、制表人等表尾", "totals and signatures below the table"),
    "repeated_header": ("重复表头", "header repeated inside the table"),
    "other_header": ("列序不同的另一个表头", "another header, with its columns in another order"),
    "no_identity": ("无姓名且无证件号码", "neither name nor ID number"),
    "no_household": ("无户编号（或户编号末几位丢失）", "no household ID, or one that lost its last digits"),
    "too_long": ("比表头多出单元格（可能有未加引号的逗号）", "more cells than the header has: a comma without quotes?"),
    "unnamed_file": ("文件名看不出是台账中的哪一户", "file whose name tells no household of the register"),
    "not_a_table": ("未识别到表头的工作表", "sheet without a header that this profile knows"),
    "hidden_sheet": ("隐藏的工作表，未识别到表头", "hidden sheet without a header that this profile knows"),
    "sheet_not_asked": ("fupin.toml 未选用的工作表", "sheet that fupin.toml does not ask for"),
}


@dataclass(frozen=True)
class Column:
    """One column as it appears in any frame, workbook or message."""

    name: str
    dtype: pl.DataType
    zh: str
    en: str
    sensitivity: Sensitivity = Sensitivity.OPEN


@dataclass(frozen=True)
class Compared:
    """A field of a profile's [compare]: its name, how it is compared (id, text, date or code), and the columns that hold it.

    Two columns hold the two halves of a text that may have been written in each other's place (given name, surname). Where the
    field `follows` (a suburb) agrees exactly, this one (its postcode) says nothing more.
    """

    name: str
    kind: str
    columns: int = 1
    follows: str | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of its columns in frames: the field's own, or `name_1` and `name_2`."""
        return (self.name,) if self.columns == 1 else tuple(f"{self.name}_{n}" for n in range(1, self.columns + 1))


@dataclass(frozen=True)
class Frame:
    """A named tuple of columns; `empty` and `conform` are the only two things a stage needs of it."""

    name: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """The column names, in order."""
        return [column.name for column in self.columns]

    @property
    def schema(self) -> pl.Schema:
        """Names and dtypes."""
        return pl.Schema({column.name: column.dtype for column in self.columns})

    def empty(self) -> pl.DataFrame:
        """A frame of these columns without a row."""
        return self._nothing

    @cached_property
    def _nothing(self) -> pl.DataFrame:
        return pl.DataFrame(schema=self.schema)

    def conform(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Columns of this frame, in its order and dtypes, then whatever else came along; absent ones are null."""
        own = [
            (pl.col(column.name) if column.name in frame.columns else pl.lit(None))
            .cast(column.dtype)
            .alias(column.name)
            for column in self.columns
        ]
        extra = [name for name in frame.columns if name not in set(self.names)]
        return frame.select(*own, *extra)


_text, _int, _real, _bool, _date = pl.String(), pl.Int64(), pl.Float64(), pl.Boolean(), pl.Date()
_place = pl.Categorical(pl.Categories("places"))  # one table of names, so that codes of two files compare
_P, _S = Sensitivity.PERSONAL, Sensitivity.SENSITIVE

_COLUMNS = (
    # where a record comes from: kept to the last sheet of the last workbook
    Column("source", _text, "来源文件", "source file"),
    Column("sheet", _text, "工作表", "sheet"),
    Column("row", _int, "行号", "row"),
    Column("data_row", _int, "数据行序", "0-based data row"),
    Column("not_understood", _text, "看不懂的项目", "fields not understood"),
    Column("extract", _text, "数据源编号", "extract"),
    Column("kind", _text, "数据类别", "kind of extract"),
    Column("department", _text, "比对部门", "department"),
    Column("stage", _text, "比对环节", "stage"),
    Column("as_of", _date, "数据截止日期", "as of"),
    Column("coverage", pl.List(pl.String()), "覆盖县区", "counties covered"),
    Column("complete", _bool, "完整", "nothing of the list seems to be missing or unread"),
    Column(
        "mentioned",
        pl.List(pl.String()),
        "文件其他位置的证件号码",
        "ID numbers elsewhere in the files",
        Sensitivity.PERSONAL,
    ),
    # who: identity as received and as cleaned
    Column("register_row", _int, "台账行序", "register row"),
    Column("extract_row", _int, "部门数据行序", "extract row"),
    Column("name_raw", _text, "姓名（原文）", "name as received", _P),
    Column("name", _text, "姓名", "name", _P),
    Column("name_key", _text, "姓名比对键", "name key", _P),
    Column("id_raw", _text, "证件号码（原文）", "ID as received", _P),
    Column("id_number", _text, "证件号码", "ID number", _P),
    Column("id_status", _text, "证件号码状态", "ID status"),
    Column("id_digits", _text, "可用号段", "usable ID digits", _P),
    Column("id_birth_on", _date, "证件出生日期", "birth date in the ID", _P),
    Column("id_sex", _text, "证件性别", "sex in the ID", _P),
    Column("birth_on", _date, "出生日期", "birth date", _P),
    Column("sex", _text, "性别", "sex", _P),
    Column("county", _text, "县（市、区）", "county"),
    Column("township", _text, "乡镇", "township"),
    Column("village", _text, "行政村", "village"),
    Column("hamlet", _text, "组", "hamlet"),
    Column("village_key", _text, "村比对键", "village key"),
    Column("township_key", _text, "乡镇比对键", "township key"),
    Column("county_key", _text, "县比对键", "county key"),
    Column("household_id", _text, "户编号", "household ID", _P),
    Column("person_id", _text, "人口编号", "person ID", _P),
    Column("head_name", _text, "户主姓名", "head of household", _P),
    Column("relation", _text, "与户主关系", "relation to head", _P),
    Column("member_count", _int, "家庭人口数", "household size"),
    # what linking compares
    Column("at", _int, "行序", "row number"),
    Column("code", _int, "证件号码前17位", "first 17 digits of a usable ID", _P),
    Column("digits", _text, "不可用证件号码的号段", "digits of an unusable ID", _P),
    Column("cut", _bool, "号码被截断", "last three digits lost"),
    Column("birth", _date, "出生日期（比对）", "birth date, from its own column", _P),
    Column("birth_in_id", _date, "证件内出生日期（比对）", "birth date inside the ID", _P),
    Column("male", _bool, "男", "male", _P),
    Column("former_name", _text, "曾用名", "former name", _P),
    Column("household", _text, "户（比对）", "household to compare", _P),
    Column("phone", _text, "联系电话", "telephone", _P),
    Column("county_code", _place, "县比对码", "county code"),
    Column("township_code", _place, "乡镇比对码", "township code"),
    Column("village_code", _place, "村比对码", "village code"),
    Column("hamlet_code", _place, "组比对码", "hamlet code"),
    # links
    Column("match_weight", _real, "匹配权重（比特）", "match weight (bits)"),
    Column("match_probability", _real, "匹配概率", "match probability"),
    Column("decision", _text, "匹配结论", "decision"),
    Column("basis", _text, "匹配依据", "match basis"),
    Column("tied", _bool, "并列", "tied"),
    # outcomes and findings
    Column("rule_id", _text, "规则编号", "rule"),
    Column("outcome", _text, "判定", "outcome"),
    Column("reason", _text, "判定说明", "reason", _S),
    Column("missing", pl.List(pl.String()), "缺少的事实", "missing facts"),
    Column("finding_key", _text, "疑点编号", "finding key"),
    Column("severity", _text, "疑点性质", "severity"),
    Column("band", _text, "可信度", "band"),
    Column("title", _text, "疑点类型", "kind of finding"),
    Column("register_value", _text, "系统登记内容", "register says", _S),
    Column("department_value", _text, "部门数据内容", "department says", _S),
    Column("evidence", _text, "疑点说明", "evidence", _S),
    Column("citation", _text, "政策依据", "citation"),
    Column("listed_name", _text, "部门登记姓名", "name in the extract", _P),
    Column("listed_id", _text, "部门登记证件号码", "ID in the extract", _P),
    Column("listed_place", _text, "部门登记住址", "place in the extract", _S),
    Column("register_source", _text, "台账来源", "register source"),
    Column("register_sheet", _text, "台账工作表", "register sheet"),
    Column("register_at", _int, "台账行号", "register row number"),
    Column("extract_source", _text, "部门数据来源", "extract source"),
    Column("extract_sheet", _text, "部门数据工作表", "extract sheet"),
    Column("extract_at", _int, "部门数据行号", "extract row number"),
    # accounts
    Column("rows_read", _int, "读入行数", "rows read"),
    Column("rows_used", _int, "采用行数", "rows used"),
    Column("rows_set_aside", _int, "搁置行数", "rows set aside"),
    Column("rows_hidden", _int, "隐藏行数", "hidden rows"),
    Column("columns_hidden", _int, "隐藏列数", "hidden columns"),
    Column("set_aside_reason", _text, "搁置原因", "why set aside"),
    Column("cells", pl.List(pl.String()), "原始内容", "cells as received", _S),
    # sampling
    Column("unit_key", _text, "抽样单位", "household to be drawn", _P),
    Column("city", _text, "市", "city"),
    Column("registered", _bool, "在册", "in the register"),
    Column("group_stated", _text, "农户类别", "kind of household, as the list says"),
    Column("stratum", _text, "抽样类别", "stratum"),
    Column("sample_id", _text, "样本编号", "sample number"),
    Column("group", _int, "审计组", "audit group"),
    Column("weight", _real, "抽样权重", "design weight"),
)
COLUMNS: dict[str, Column] = {column.name: column for column in _COLUMNS}


def _frame(name: str, columns: str) -> Frame:
    return Frame(name, tuple(COLUMNS[column] for column in columns.split()))


NOT_UNDERSTOOD = "not_understood"  # names the fields of a row whose cell holds something and has no value; null mostly
SOURCE_REF = _frame("source_ref", f"source sheet row data_row {NOT_UNDERSTOOD}")
IDENTITY = _frame(
    "identity",
    "name_raw name name_key id_raw id_number id_status id_digits id_birth_on id_sex birth_on sex "
    "county township village county_key township_key village_key",
)
# One register person per row. Fields of the register profile (exit_status, house_grade …) follow as extra columns.
PERSONS = _frame(
    "persons",
    f"register_row {' '.join(SOURCE_REF.names)} {' '.join(IDENTITY.names)} hamlet household_id person_id head_name relation",
)
# What linking reads of a person on either side, as small as it can be; `at` is the row's number.
KEYS = _frame(
    "keys",
    "at code digits cut name former_name birth birth_in_id male county_code township_code village_code hamlet_code "
    "household phone",
)
# One household per row: the household-level fields, and the row of its first member (the head's where there is one).
HOUSEHOLDS = _frame("households", "household_id county township village hamlet head_name member_count source sheet row")
# One extract row per row; fields of its profile follow as extra columns.
EVIDENCE = _frame(
    "evidence",
    f"extract extract_row kind department stage as_of {' '.join(SOURCE_REF.names)} {' '.join(IDENTITY.names)}",
)
# One row per extract that was read. `mentioned` are numbers in its files that no row was read under: whoever bears one of
# them may be on the list after all, so nobody says that they are not.
EXTRACTS = _frame("extracts", "extract kind department stage as_of coverage complete mentioned")
LINKS = _frame("links", "extract register_row extract_row match_weight match_probability decision basis tied")
OUTCOMES = _frame("outcomes", "household_id rule_id outcome reason missing")
FINDINGS = _frame(
    "findings",
    "finding_key rule_id severity band stage household_id person_id register_row county township village hamlet head_name "
    "name id_number id_raw relation title department as_of register_value department_value evidence citation basis match_weight "
    "register_source register_sheet register_at extract extract_row extract_source extract_sheet extract_at "
    "listed_name listed_id listed_place",
)
SET_ASIDE = _frame("set_aside", "source sheet row set_aside_reason cells")
# One row per sheet: read = used + set aside. Hidden rows and columns are read all the same; a hidden sheet hides all its rows.
ACCOUNTS = _frame("accounts", "source sheet rows_read rows_used rows_set_aside rows_hidden columns_hidden")
# Households that may be drawn, one per row; what a plan shows of them follows as extra columns. A drawn one has its number, its
# audit group and its weight, and for each stage k: cell_k (drawn apart), unit_k, pi_k (chance), taken_k of present_k.
SAMPLING_FRAME = _frame(
    "sampling_frame",
    "unit_key household_id city county township village hamlet head_name member_count registered group_stated stratum",
)
SAMPLE = Frame("sample", (*SAMPLING_FRAME.columns, *_frame("", "sample_id group weight").columns))


LINE_DEPENDENT = "line-dependent"  # in the reason of an outcome that another series of income lines would turn


@dataclass(frozen=True)
class RuleReport:
    """What one rule did. For a criterion hits are households not met, clears those met; `not_run` says why it could not run.

    Counted are households, villages or counties, for a rule about an extract's people those people. `missing` are the facts
    that the rule reads and that no file gives, whether it could do without them or not. `line_dependent` counts those whose
    outcome another series of income lines would turn, `years_without_line` those (year, how many) whom nobody could answer
    because no line of their year is enabled. `receiver` is who answers its cases, the village or the county.
    `brief` marks one of the many checks of the register against itself: a
    register without their columns is none the worse for it.
    """

    rule_id: str
    title: str
    kind: str
    severity: str
    examined: int
    hits: int
    clears: int
    unknowns: int
    not_applicable: int
    not_run: str | None = None
    citation: str | None = None
    level: str = "household"
    on_unknown: str = "unknown"
    missing: tuple[str, ...] = ()
    line_dependent: int = 0
    years_without_line: tuple[tuple[int, int], ...] = ()
    brief: bool = False
    receiver: str = "village"
    title_en: str = ""


@dataclass(frozen=True)
class PackReport:
    """Whether a pack of this place was judged, and why; `rules` counts those of it that are enabled."""

    pack: str
    title: str
    rules: int
    judged: bool
    why: str


@dataclass(frozen=True)
class LineUsed:
    """A line of the policy that households were held against, with its year and where it is written."""

    name: str
    year: int
    yuan: float
    citation: str


def label(name: str, language: str = "zh") -> str:
    """What people read for a column; a name this vocabulary does not know is returned as it is."""
    column = COLUMNS.get(name)
    if column is None:
        return name
    return column.zh if language == "zh" else column.en


def personal(names: Iterable[str]) -> list[str]:
    """Those of the given columns that must not reach a terminal, log or page unmasked."""
    return [n for n in names if n in COLUMNS and COLUMNS[n].sensitivity is not Sensitivity.OPEN]
