"""Invented frames for the report tests: two counties of region 99, every kind of finding, and cells that try to be code."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import polars as pl

from fupin_cli.report.digest import Digest, LineUsed, Problem, RuleReport, build_digest
from fupin_cli.vocabulary import (
    ACCOUNTS,
    EXTRACTS,
    FINDINGS,
    HOUSEHOLDS,
    LINKS,
    OUTCOMES,
    PERSONS,
    SET_ASIDE,
    Frame,
)

AS_OF = date(2019, 11, 30)
HOSTILE = ("=1+1", "@SUM(A1:A9)", "http://example.invalid/x", "+86 1", "-2+3", "<script>alert(1)</script>", "&lt;b&gt;")

# rule: title, severity, department, what the register says, what the department says, why it is a clue
KINDS = {
    "CMP-VH1": (
        "名下有车辆",
        "veto",
        "公安",
        "登记：未填车辆",
        "小型轿车，南A·D3{n}7，2017-05-08 登记，状态正常",
        "公安车辆库中有本人名下非营运小型轿车，建议核实是否已过户、报废或挂名。",
    ),
    "CMP-RE1": (
        "名下有商品房",
        "veto",
        "不动产",
        "住房：A 级，自有",
        "云岭市新河路 {n} 号，商品房（住宅）112.6 ㎡，2016-09-20 登记",
        "不动产登记库中有本人名下商品住宅；婚前、继承、拆迁安置的请附证明。",
    ),
    "CMP-PS1": (
        "已死亡仍在册",
        "dq",
        "公安",
        "在册，未作自然减少",
        "2019-03-1{n} 死亡，已注销户口",
        "户籍死亡名单中有本人，台账仍在册，建议核实后作自然减少。",
    ),
    "CMP-MZ1": (
        "登记享受低保但民政名单无此人",
        "lead",
        "民政",
        "是否低保：是",
        "2019 年 11 月低保名单中未见",
        "台账登记为低保，民政名单（覆盖本县）中没有本人。",
    ),
    "CMP-CL1": (
        "登记残疾但无残疾证",
        "lead",
        "残联",
        "健康状况：残疾",
        "持证残疾人库中未见",
        "台账登记残疾，残联持证库（覆盖本县）中没有本人，建议核实是否办证或登记有误。",
    ),
    "CMP-ED1": (
        "义务教育阶段未见学籍",
        "fail",
        "教育",
        "在校生状况：九年级",
        "2019 年秋季学籍库中未见",
        "年龄在义务教育段，学籍库中没有本人；送教上门、外省就读请附证明。",
    ),
    "CMP-CZ1": (
        "财政供养人员",
        "veto",
        "财政",
        "务工：县内",
        "县{n}中学，事业在编，月工资 4,86{n} 元",
        "财政供养名单中有本人，建议核实身份。",
    ),
    "NAT-H-0": (
        "退出标准未全部达标",
        "fail",
        None,
        "已脱贫，2019 年",
        None,
        "饮水安全登记为“否”。台账状态为已脱贫，建议复核。",
    ),
    "CMP-ID3": ("证件号码无效", "dq", None, "校验位不符", None, "证件号码不能通过校验，无法与部门数据比对。"),
}
_SURNAMES, _GIVEN = (
    "赵钱孙李周吴郑王冯陈褚卫",
    ("大山", "秀英", "建国", "小梅", "志强", "玉兰", "文华", "桂芳", "永福", "春燕"),
)
_PLACES = (
    ("青禾县", "河口镇", ("上坪村", "下坪村", "石桥村")),
    ("青禾县", "云台乡", ("云台村", "松岭村")),
    ("白石县", "白石镇", ("东沟村", "西沟村")),
)


def id_number(index: int) -> str:
    """A number of region 99, which no place has: its shape is right and it belongs to nobody."""
    return f"99012119{60 + index % 45:02d}{1 + index % 12:02d}{1 + index % 28:02d}{index % 1000:03d}{index % 10}"


@dataclass(frozen=True)
class World:
    """The frames of one invented run."""

    persons: pl.DataFrame
    households: pl.DataFrame
    accounts: pl.DataFrame
    set_aside: pl.DataFrame
    extracts: pl.DataFrame
    links: pl.DataFrame
    outcomes: pl.DataFrame
    findings: pl.DataFrame
    cleared: pl.DataFrame
    titles: dict[str, str] = field(default_factory=lambda: {rule: kind[0] for rule, kind in KINDS.items()} | CRITERIA)

    def digest(self) -> Digest:
        """The digest of this run."""
        return build_digest(
            project="南溟省云岭市 2019 年第四季度比对",
            as_of=AS_OF,
            stages=("county", "province"),
            program_version="0.1.0",
            persons=self.persons,
            households=self.households,
            accounts=self.accounts,
            set_aside=self.set_aside,
            extracts=self.extracts,
            links=self.links,
            outcomes=self.outcomes,
            findings=self.findings,
            rules=_rules(self.findings),
            problems=(
                Problem("unmapped_column", "qinghe/民政低保.xlsx", "Sheet1", "备注2"),
                Problem("missing_column", "baishi/残联.xls", "持证", "残疾等级"),
            ),
            lines=(
                LineUsed("脱贫收入标准", 2016, 2952, "国家统计局 2016 年农村贫困标准"),
                LineUsed("脱贫收入标准", 2019, 3218, "国家统计局 2019 年农村贫困标准"),
            ),
            cleared=self.cleared,
            standards=("NAT-H-0",),
        )

    def shuffled(self, seed: int) -> World:
        """The same run with the rows of every frame in another order."""
        frames = {
            name: value.sample(fraction=1, shuffle=True, seed=seed)
            for name, value in vars(self).items()
            if name != "titles"
        }
        return World(**frames)


CRITERIA = {
    "NAT-H-1": "人均纯收入",
    "NAT-H-2": "不愁吃",
    "NAT-H-3": "不愁穿",
    "NAT-H-4": "义务教育",
    "NAT-H-5": "基本医疗",
    "NAT-H-6": "住房安全",
    "NAT-H-7": "饮水安全",
    "NAT-H-0": "综合判定",
}


def make_world(homes_per_village: int = 12) -> World:
    """Frames of a small province: register, extracts, links, outcomes and findings that fit together."""
    persons, households, outcomes, findings = [], [], [], []
    for county, township, villages in _PLACES:
        for village in villages:
            for home in range(homes_per_village):
                at = len(households)
                members = _home(county, township, village, home, at, len(persons))
                persons += members
                households.append({**_some(members[0], HOUSEHOLDS), "member_count": len(members)})
                outcomes += _outcomes(members[0]["household_id"], at)
                findings += _findings(members, at)
    findings += _odd_findings(persons)
    frame = _frame(FINDINGS, findings)
    return World(
        persons=_frame(PERSONS, persons),
        households=_frame(HOUSEHOLDS, households),
        accounts=_accounts(len(persons)),
        set_aside=_set_aside(),
        extracts=_extracts(),
        links=_links(),
        outcomes=_frame(OUTCOMES, outcomes),
        findings=frame,
        cleared=frame.filter(pl.col("rule_id") == "CMP-MZ1").head(6).with_columns(stage=pl.lit("county")),
    )


def _frame(frame: Frame, records: list[dict[str, object]]) -> pl.DataFrame:
    return frame.conform(pl.DataFrame(records, infer_schema_length=None))


def _some(record: dict[str, object], frame: Frame) -> dict[str, object]:
    return {name: record.get(name) for name in frame.names}


def _home(county: str, township: str, village: str, home: int, at: int, first: int) -> list[dict[str, object]]:
    surname = _SURNAMES[at % len(_SURNAMES)]
    head = surname + _GIVEN[at % len(_GIVEN)]
    members = []
    for n, relation in enumerate(("户主", "配偶", "之子")[: 2 + at % 2]):
        index = first + n
        name = head if n == 0 else (surname if n == 2 else _SURNAMES[(at + 5) % 12]) + _GIVEN[(index + 3) % 10]
        usable = index % 17 != 5
        members.append(
            {
                "register_row": index,
                "source": "qinghe/register.xlsx" if county == "青禾县" else "baishi/register.xls",
                "sheet": "台账",
                "row": index + 4,
                "name": name,
                "id_raw": id_number(index),
                "id_number": id_number(index) if usable else None,
                "id_status": "valid" if usable else ("bad_check_digit", "missing")[index % 2],
                "county": county,
                "township": township,
                "village": village,
                "hamlet": f"{1 + home % 4}组",
                "household_id": f"9901{at:08d}",
                "person_id": f"9901{at:08d}{n:02d}",
                "head_name": head,
                "relation": relation,
            }
        )
    return members


def _outcomes(household: object, at: int) -> list[dict[str, object]]:
    found = dict.fromkeys(CRITERIA, "met")
    reasons: dict[str, str] = {}
    if at % 9 == 4:
        found |= {"NAT-H-7": "not_met", "NAT-H-0": "not_met"}
        reasons = {"NAT-H-7": "是否解决安全饮用水：否", "NAT-H-0": "饮水安全未达标"}
    elif at % 7 == 2:
        found |= {"NAT-H-5": "unknown", "NAT-H-0": "unknown"}
        reasons = {"NAT-H-5": "未填写是否参加基本医疗保险"}
    if at % 3:
        found["NAT-H-4"] = "not_applicable"
    return [
        {"household_id": household, "rule_id": rule, "outcome": out, "reason": reasons.get(rule)}
        for rule, out in found.items()
    ]


def _findings(members: list[dict[str, object]], at: int) -> list[dict[str, object]]:
    rules = list(KINDS)
    chosen = [(rules[at % 9], members[0])] if at % 3 != 2 else []
    if at % 4 == 0:
        chosen.append((rules[(at + 2) % 9], members[-1]))
    if at % 9 == 4:
        chosen.append(
            (
                "NAT-H-0",
                {
                    **members[0],
                    "person_id": None,
                    "name": None,
                    "id_number": None,
                    "relation": None,
                    "register_row": None,
                },
            )
        )
    return [_finding(rule, person, at + n) for n, (rule, person) in enumerate(chosen)]


def _finding(rule: str, person: dict[str, object], at: int) -> dict[str, object]:
    title, severity, department, register, says, evidence = KINDS[rule]
    review = department is not None and at % 6 == 1
    linked = department is not None and rule not in {"CMP-MZ1", "CMP-CL1", "CMP-ED1"}
    return {
        **{name: person.get(name) for name in FINDINGS.names if name in person},
        "finding_key": f"{rule[-3:].replace('-', '')}{(at * 7919 + 13) % 16**8:08x}",
        "rule_id": rule,
        "severity": severity,
        "band": "review" if review else "accepted",
        "stage": "province" if at % 5 == 3 else "county",
        "title": title,
        "department": department,
        "as_of": date(2019, 10, 31) if department else None,
        "register_value": register,
        "department_value": says.format(n=at % 10) if says else None,
        "evidence": evidence,
        "citation": "国开发〔2018〕XX 号（示例）",
        "basis": ("name_birth" if review else "exact_id") if linked else None,
        "match_weight": (11.23 if review else 38.5) if linked else None,
        "register_source": person.get("source"),
        "register_sheet": person.get("sheet"),
        "register_at": person.get("row"),
        "extract": f"qinghe-{department}" if linked else None,
        "extract_source": f"qinghe/{department}.xlsx" if linked else None,
        "extract_sheet": "Sheet1" if linked else None,
        "extract_at": 10 + at if linked else None,
    }


def _odd_findings(persons: list[dict[str, object]]) -> list[dict[str, object]]:
    """A finding without village, one without township (extract-level), and one whose cells try to be code."""
    lost = {**_finding("CMP-ID3", persons[3], 901), "village": None, "finding_key": "odd-no-village"}
    extract = {
        **_finding("CMP-PS1", {"county": "青禾县"}, 902),
        "rule_id": "CMP-UR1",
        "title": "民政在保但台账无此人",
        "finding_key": "odd-extract",
        "name": "卫无册",
        "id_number": id_number(777),
        "stage": "province",
    }
    hostile = {
        **_finding("CMP-VH1", persons[0], 903),
        "finding_key": "odd-hostile",
        "name": HOSTILE[0],
        "head_name": HOSTILE[1],
        "register_value": HOSTILE[2],
        "department_value": HOSTILE[3] + " " + HOSTILE[5],
        "evidence": HOSTILE[4],
        "relation": HOSTILE[6],
    }
    return [lost, extract, hostile]


def _accounts(persons: int) -> pl.DataFrame:
    rows = [
        ("qinghe/register.xlsx", "台账", persons // 2 + 6, persons // 2, 6, 3, 1),
        ("qinghe/register.xlsx", "旧台账", 4, 0, 4, 4, 0),
        ("baishi/register.xls", "台账", persons - persons // 2, persons - persons // 2, 0, 0, 0),
        ("qinghe/民政低保.xlsx", "Sheet1", 64, 60, 4, 0, 0),
        ("qinghe/民政低保.xlsx", "说明", 2, 0, 2, 0, 0),
        ("qinghe/公安.xlsx", "车辆", 1240, 1240, 0, 0, 2),
    ]
    return _frame(ACCOUNTS, [dict(zip(ACCOUNTS.names, row, strict=True)) for row in rows])


REGISTER_HEADERS = ("户编号", "户主姓名", "姓名", "证件号码", "", "备注")
HEADERS = {
    ("qinghe/register.xlsx", "台账"): REGISTER_HEADERS,
    ("qinghe/register.xlsx", "旧台账"): (),
    ("qinghe/民政低保.xlsx", "Sheet1"): ("序号", "姓名", "身份证号"),
}
OWNERS = {
    "qinghe/register.xlsx": "建档立卡台账",
    "baishi/register.xls": "建档立卡台账",
    "qinghe/民政低保.xlsx": "民政",
    "qinghe/公安.xlsx": "公安",
}


def _set_aside() -> pl.DataFrame:
    """What could not be used: a head of the register, lost IDs, cells that try to be code, a hidden sheet, and furniture."""
    who = ["赵大山", id_number(5), None, "村里说在外地"]
    rows = [
        ("qinghe/register.xlsx", "台账", 1, "title", ["青禾县建档立卡台账"]),
        ("qinghe/register.xlsx", "台账", 2, "header", list(REGISTER_HEADERS)),
        ("qinghe/register.xlsx", "台账", 90, "no_household", ["9.90E+15", "赵大山", *who]),
        ("qinghe/register.xlsx", "台账", 91, "no_household", [None, HOSTILE[0], HOSTILE[1], *HOSTILE[2:5]]),
        (
            "qinghe/register.xlsx",
            "台账",
            92,
            "no_identity",
            ["9901000000000001", *HOSTILE[5:7], None, None, None, "多"],
        ),
        ("qinghe/register.xlsx", "台账", 93, "footer", ["合计", None, "92"]),
        *(("qinghe/register.xlsx", "旧台账", n, "hidden_sheet", ["钱秀英", id_number(n), "河口镇"]) for n in (1, 2, 3)),
        ("qinghe/register.xlsx", "旧台账", 4, "hidden_sheet", [None, None, None]),
        ("qinghe/民政低保.xlsx", "Sheet1", 1, "header", ["序号", "姓名", "身份证号"]),
        ("qinghe/民政低保.xlsx", "Sheet1", 62, "no_identity", ["61", None, None]),
        ("qinghe/民政低保.xlsx", "Sheet1", 63, "blank", [None, None, None]),
        ("qinghe/民政低保.xlsx", "Sheet1", 64, "footer", ["制表人：", None, None]),
        ("qinghe/民政低保.xlsx", "说明", 1, "not_a_table", ["填报说明"]),
        ("qinghe/民政低保.xlsx", "说明", 2, "not_a_table", ["一人一行"]),
    ]
    return pl.DataFrame(rows, schema=SET_ASIDE.schema, orient="row")


def _extracts() -> pl.DataFrame:
    rows = [
        ("qinghe-vehicles", "vehicles", "公安", "county", date(2019, 10, 31), ["青禾县"]),
        ("qinghe-dibao", "dibao", "民政", "county", date(2019, 11, 15), ["青禾县"]),
        ("baishi-disability", "disability", "残联", "county", date(2019, 9, 30), ["白石县"]),
        ("province-deaths", "deaths", "公安", "province", date(2019, 11, 25), ["白石县", "青禾县"]),
    ]
    return _frame(EXTRACTS, [dict(zip(EXTRACTS.names, (*row, True, None), strict=True)) for row in rows])


def _links() -> pl.DataFrame:
    made = [("qinghe-vehicles", "exact_id", "accepted", 41), ("qinghe-vehicles", "name_birth", "review", 6)]
    made += [("qinghe-dibao", "exact_id", "accepted", 57), ("qinghe-dibao", "damaged_id", "accepted", 3)]
    made += [("province-deaths", "exact_id", "accepted", 9), ("province-deaths", "name_place", "review", 2)]
    rows = []
    for extract, basis, decision, count in made:
        for n in range(count):
            tied = decision == "review" and n < 2
            rows.append(
                {
                    "extract": extract,
                    "register_row": n,
                    "extract_row": n,
                    "basis": basis,
                    "decision": decision,
                    "tied": tied,
                }
            )
    return _frame(LINKS, rows)


def _rules(findings: pl.DataFrame) -> tuple[RuleReport, ...]:
    hits = dict(findings.group_by("rule_id").len().rows())
    checks = [
        RuleReport(rule, kind[0], "check", kind[1], 180, hits.get(rule, 0), 160 - hits.get(rule, 0), 20, 0)
        for rule, kind in KINDS.items()
        if rule.startswith("CMP")
    ]
    checks.append(
        RuleReport("CMP-IC1", "名下有企业", "check", "veto", 0, 0, 0, 0, 0, not_run="没有工商数据（companies）")
    )
    checks.append(RuleReport("CMP-UR1", "民政在保但台账无此人", "check", "lead", 60, 1, 59, 0, 0, level="extract"))
    criteria = [
        RuleReport(
            rule,
            title,
            "criterion",
            "fail",
            84,
            9 if rule in {"NAT-H-7", "NAT-H-0"} else 0,
            65,
            10,
            0,
            citation="中办发〔2016〕16 号",
        )
        for rule, title in CRITERIA.items()
    ]
    return (*checks, *criteria)
