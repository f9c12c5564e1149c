"""The hazards of received files (H1–H39), each tied to the tests that build such files: docs/hazards.md is printed from here.

A test says which hazard it shows: `@hazard("H1", "…file…", "…file…")` names the files that it builds, at least two for each
hazard over all tests together.
"""

from dataclasses import dataclass
from importlib import import_module

CLASSES = ("fix", "tier", "flag", "stop")
MODULES = ("test_hazards_ids", "test_hazards_owners", "test_hazards_files", "test_hazards_names", "test_hazards_values")

# hazard → what goes wrong, class (fix: mended and logged · tier: matched with less certainty · flag: reported · stop: refused),
# what fupin does
HAZARDS: dict[str, tuple[str, str, str]] = {
    "H1": (
        "Excel kept 15 of 18 digits and wrote 000 (末三位丢失); one such number in eleven still passes the check digit",
        "tier",
        "linked on the first 15 digits and the name; whoever is not linked is unknown (无法判断), never 未找到; a numeric column is named",
    ),
    "H2": (
        "ID numbers (证件号码) went through a float: other last digits, `9.90121E+17`, a `.0` tail",
        "tier",
        "recognised by being, against all odds, numbers that a float can hold; only the digits that are certain are used, as in H1",
    ),
    "H3": (
        "a disability number of 20 or 22 digits (残疾人证号) in the ID column",
        "fix",
        "the first 18 are the ID number, class and level are read from the 19th and 20th; what was received is kept",
    ),
    "H4": ("an old number of 15 digits (15位号码)", "fix", "19 and the check character are added, where the date inside is possible"),
    "H5": (
        "x, Ｘ, Cyrillic Х, Greek Χ, Roman Ⅹ or × as check character (校验位)",
        "fix",
        "all of them are X",
    ),
    "H6": ("full-width digits and letters (全角)", "fix", "read as half-width ones"),
    "H7": (
        "invisible characters (不可见字符): TAB, no-break and zero-width blanks, direction marks, a soft hyphen",
        "fix",
        "left out of ID numbers, wherever they stand",
    ),
    "H8": ("quotes around digits: `'`, `=\"…\"`, `\"…\"`, TAB", "fix", "the wrapper is taken off"),
    "H9": (
        "text inside the ID cell; several owners (权利人) in one cell, or in columns of their own (共有人)",
        "fix",
        "the number is taken out of the text; each owner becomes an identity of its own, all tied to the one row (一格多人，已拆分)",
    ),
    "H10": (
        "placeholders (占位号): 999999…, 无, 暂无, 0000…, 身份证丢失",
        "tier",
        "no ID number: linked by name, birth date and village; listed as CMP-ID3",
    ),
    "H11": (
        "a wrong number that looks right: a typing error, two digits exchanged, a relative's number",
        "flag",
        "listed as CMP-ID1 (性别), CMP-ID2 (出生日期), CMP-ID3 (校验位); one fault away is linked under the same name, else for review",
    ),
    "H12": (
        "one ID number twice in the register (重复登记)",
        "flag",
        "CMP-DUP1 and CMP-DUP2 where the name is the same, CMP-ID4 where it is not",
    ),
    "H13": (
        "one person under two numbers: an old and a new one, a cut and a whole one, one without",
        "flag",
        "CMP-DUP1, linked on what both rows hold",
    ),
    "H14": ("title, unit and date lines above the header (表头不在第一行)", "fix", "the header is found by its words; its row is reported"),
    "H15": ("a header of two or three merged rows (多层合并表头)", "fix", "labels are joined from top to bottom"),
    "H16": ("合计, 小计, 制表人, 备注 below or between the data", "fix", "set aside as 表尾, counted and listed"),
    "H17": ("a cell merged down over several people (合并单元格)", "fix", "its value fills the merged range, and nothing beyond it"),
    "H18": (
        "hidden rows, columns and sheets, filtered views (隐藏、筛选)",
        "flag",
        "read all the same, and counted",
    ),
    "H19": (
        "a sheet for each township, with columns in another order (多工作表)",
        "fix",
        "every sheet by its own header; a sheet that is no such table is set aside and counted",
    ),
    "H20": ("a sheet that claims to end at A1 (dimension)", "fix", "the claim is not believed"),
    "H21": ("an .xls that is a web page, XML, CSV or an .xlsx inside", "fix", "opened by its content, whatever its name"),
    "H22": ("a sheet that ends exactly where Excel's rows end (65,536)", "flag", "reported as probably cut (可能被截断)"),
    "H23": (
        "GB18030, GBK with a wrong name, UTF-8 with or without BOM, UTF-16",
        "fix",
        "decoded strictly, the GBK family as GB18030, so that 䶮, 㼆 and 𬱖 survive",
    ),
    "H24": ("the dot in minority names (间隔号): · . ． • ∙ ・ ●, a blank, or none", "fix", "compared without it; printed as ·"),
    "H25": (
        "other transliterations, names cut short, parts in another order (译名不一)",
        "tier",
        "with an equal number: for review (待核), listed as CMP-NM1, never absent",
    ),
    "H26": (
        "characters that a system could not write (生僻字): ?, □, private code points, parts in brackets, pinyin",
        "tier",
        "one sign stands for one character: with an equal number the same person, without one no evidence",
    ),
    "H27": ("blanks and remarks in names: 张 三, 张三(户主), 张三（亡）, 张三2", "fix", "left out"),
    "H28": ("former names (曾用名)", "tier", "for review, and no finding where 曾用名 explains the other name"),
    "H29": (
        "another head of household (户主变更), split and merged households (分户、并户)",
        "tier",
        "people are compared, never households; a list of heads says nothing of the others",
    ),
    "H30": (
        "a file without household numbers (户编号)",
        "stop",
        "never rebuilt: a register row without one is set aside, a department's list is compared by person",
    ),
    "H31": (
        "villages merged, townships renamed (撤并、更名); 村, 村委会, 社区",
        "stop",
        "suffixes are left out; nothing else is guessed: unknown names are told, `[places]` in fupin.toml maps them",
    ),
    "H32": (
        "dates in every form: 202103, 2021年3月, 1980.1.5, 一九八〇年, Excel's serials",
        "fix",
        "all read; two-digit years and 1980.1 are unknown and counted",
    ),
    "H33": ("telephones: a `.0` tail, two in a cell, one in many households", "fix", "digits only, as a set; shared ones are told"),
    "H34": (
        "元 or 万元, a month or a year, thousands separators",
        "stop",
        "unit and period come from profile, header or the line above; undeclared amounts are unknown, and no rule may compare them",
    ),
    "H35": ("multi-select cells in any order (多选)", "fix", "a set: 技能培训,其他 is 其他、技能培训; bare numbers are unknown"),
    "H36": (
        "headers that look alike: ∕, 〔亩〕, half- and full-width brackets, blanks, line breaks; renamed from year to year",
        "fix",
        "compared without all that; a field knows all its names; polarity and codes are declared, and 1 and 2 are never guessed",
    ),
    "H37": (
        "a stale or partial extract (截止日期、覆盖范围)",
        "flag",
        "as_of and coverage must be declared; beyond them nobody is absent; every finding says 截至",
    ),
    "H38": (
        "a true hit with another meaning: 挂名, 婚前财产, 已过户",
        "flag",
        "a clue (疑点), never a verdict: the checklist carries what the department holds and a list of reasons",
    ),
    "H39": (
        "a comma inside a text of a CSV file, without quotes around it (未加引号的逗号)",
        "stop",
        "the row has a cell too many and is given back: under every header behind the comma stands something else",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """One test of a hazard, and the files that it builds."""

    hazard: str
    test: str
    files: tuple[str, ...]


SHOWN: list[Shown] = []


def hazard(name, *files):
    """Marks a test as one of a hazard's; `files` say in a few words what it builds."""

    def mark(test):
        SHOWN.append(Shown(name, f"{test.__module__}.{test.__name__}", files))
        return test

    return mark


def shown() -> list[Shown]:
    """Every test of a hazard, once its module has been read."""
    for module in MODULES:
        import_module(module)
    return sorted(set(SHOWN), key=lambda one: (MODULES.index(one.test.partition(".")[0]), SHOWN.index(one)))


def table() -> str:
    """docs/hazards.md's table."""
    lines = [
        "| # | hazard | class | what fupin does | tests, and the files they build |",
        "| --- | --- | --- | --- | --- |",
    ]
    everything = shown()
    for name, (what, kind, does) in HAZARDS.items():
        tests = "<br>".join(f"`{one.test}`: {'; '.join(one.files)}" for one in everything if one.hazard == name)
        lines.append(f"| {name} | {what} | {kind} | {does} | {tests} |")
    return "\n".join(lines)
