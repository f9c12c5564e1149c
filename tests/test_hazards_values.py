"""Values as they are written (H32 to H38): dates, telephones, money, sets, headers, and what a file cannot know."""

import zipfile
from datetime import date

import pytest

from fupin_cli.errors import ConfigurationError
from fupin_cli.ingest import load_profiles, read_source
from fupin_cli.report.checklist import ACTIONS, REASONS, VERDICTS
from hazard_world import SOURCES, County, counted, household, somebody, table
from hazards import hazard
from office_files import write_ods, write_xls, write_xlsm, write_xlsx
from raw_files import write_text

A, B = somebody(5), somebody(16, "19820202")
STRANGER = somebody(88, "19550505")
INSURED = "是否参加城乡居民基本医疗保险"
WRITERS = {
    "xlsx": lambda path, rows: write_xlsx(path, {"s": rows}),
    "xls": lambda path, rows: write_xls(path, {"s": rows}),
    "ods": lambda path, rows: write_ods(path, {"s": rows}),
    "csv": lambda path, rows: write_text(path, rows, "gb18030"),
}
every_container = pytest.mark.parametrize("write", WRITERS.values(), ids=list(WRITERS))


def column(path, profile, name):
    return table(path, profile).rows[name].to_list()


DATES = [
    # as written        the day               the month
    ("1980-01-05", "1980-01-05"), ("19800105", "1980-01-05"), ("1980年1月5日", "1980-01-05"), ("1980.1.5", "1980-01-05"),
    ("1980/1/5", "1980-01-05"), ("1980-01-05 00:00:00", "1980-01-05"), ("１９８０年１月５日", "1980-01-05"),
    ("一九八〇年一月五日", "1980-01-05"), ("29225", "1980-01-05"), ("29225.0", "1980-01-05"), ("19800105.0", "1980-01-05"),
    ("202103", "2021-03-01"), ("202103.0", "2021-03-01"), ("2021年3月", "2021-03-01"), ("2021-03", "2021-03-01"),
    ("1980年元月", "1980-01-01"), ("1980.1", None), ("80-1-5", None), ("80年1月5日", None), ("1980-13-05", None), ("9999-12-31", None),
]  # fmt: skip


@hazard("H32", "deaths xlsx with dates as text", "deaths xls", "deaths ods", "deaths csv GB18030")
@every_container
def test_dates_in_every_form(tmp_path, write):
    """A drawn table: as written, and the date; what cannot be told is unknown, and counted by what is wrong with it."""
    path = write(tmp_path / "a", [["姓名", "身份证号", "死亡日期"], *(["张三", A, written] for written, _ in DATES)])
    source = table(path, "deaths")
    assert [on and on.isoformat() for on in source.rows["death_on"]] == [day for _, day in DATES]
    told = (counted(source)["two_digit_year"], counted(source)["unparsed_cells"])
    assert told == ("death_on: 2; rows 19, 20", "death_on: 3; rows 18, 21, 22")


@hazard("H32", "date cells and serial numbers in xlsx", "in xls", "in ods")
@pytest.mark.parametrize("name", ["xlsx", "xls", "ods"])
def test_dates_that_are_dates(tmp_path, name):
    """A date cell, a serial number and eight digits are one day."""
    rows = [["姓名", "身份证号", "死亡日期"], *(["张三", A, cell] for cell in (date(2019, 3, 5), 43529, 20190305))]
    assert column(WRITERS[name](tmp_path / "a", rows), "deaths", "death_on") == [date(2019, 3, 5)] * 3


PHONES = [
    ("13800000000.0", "13800000000"), ("138 0000 0000", "13800000000"), ("+86 138 0000 0000", "13800000000"),
    ("13800000000/13900000000", "13800000000、13900000000"), ("13900000000 13800000000", "13800000000、13900000000"),
    ("13800000000(儿子)", "13800000000"), ("0871-65123456", "087165123456"), ("1.38E+10", None), ("138****0000", None), ("无", None),
]  # fmt: skip


@hazard("H33", "people xlsx", "people xls", "people ods", "people csv GB18030")
@every_container
def test_telephones(tmp_path, write):
    """A drawn table: digits only, several as a set; what nobody could call is none, and counted."""
    path = write(tmp_path / "a", [["姓名", "身份证号", "联系电话"], *(["张三", A, written] for written, _ in PHONES)])
    assert column(path, "people", "phone") == [number for _, number in PHONES]
    assert counted(table(path))["unparsed_cells"] == "phone: 2"


@hazard("H33", "register xlsx with one telephone in two households")
def test_a_telephone_of_many_households_is_told(tmp_path):
    """Members of one family share theirs; two families rarely do."""
    rows = [
        *household(("张三", A), phone="13800000000.0"),
        *household(("李四", B), home="H2", phone="0871-65123456、13800000000"),
    ]
    other = write_text(tmp_path / "车辆.csv", [["车主", "身份证明号码", "号牌号码"], ["钱七", STRANGER, "南A00001"]])
    run = County(tmp_path).registered(*rows, columns=["联系电话"]).file(other, "vehicles").run()
    assert ("shared_phone", "2") in run.problems()


MONEY = [
    # profile, column,                  line above      header                  cell        yuan
    ("companies", "capital_yuan", None, "注册资本", "50", 500_000.0),
    ("companies", "capital_yuan", None, "注册资本", "1,000.5", 10_005_000.0),
    ("companies", "capital_yuan", None, "注册资本", "500000元", 500_000.0),
    ("companies", "capital_yuan", None, "注册资本（元）", "500000", 500_000.0),
    ("companies", "capital_yuan", None, "注册资本（元）", "50万元", 500_000.0),
    ("companies", "capital_yuan", "单位：元", "注册资本", "500000", 500_000.0),
    ("companies", "capital_yuan", None, "注册资本", "五十万", None),
    ("dibao", "amount_month_yuan", None, "月保障金额（元）", "300", 300.0),
    ("dibao", "amount_month_yuan", None, "保障金额（元/年）", "3600", 300.0),
    ("dibao", "amount_month_yuan", "单位：万元", "保障金额", "0.03", 300.0),
]


@hazard("H34", "companies and dibao xlsx, unit in profile, header, cell or the line above", "xls", "ods", "csv GB18030")
@every_container
@pytest.mark.parametrize(("profile", "name", "above", "header", "cell", "yuan"), MONEY)
def test_units_and_periods(tmp_path, write, profile, name, above, header, cell, yuan):
    """A drawn table: the nearest declaration wins, and a year is twelve months."""
    rows = [["姓名", "身份证号", header], ["张三", A, cell]]
    path = write(tmp_path / "a", [["表"], [above], *rows] if above else rows)
    assert column(path, profile, name) == [yuan]
    assert ("unit_from_sheet" in counted(table(path, profile))) == (above is not None)


UNDECLARED = """
profile = "subsidies"
department = "农业农村"
title = "产业补助"
title_en = "subsidies"
required = ["name|id_number"]
[fields.amount_yuan]
type = "money"
zh = "补助金额"
headers = ["补助金额"]
"""
COMPARING = """
[pack]
id = "own"
title = "本县"
title_en = "own"
jurisdiction = "00"
regime = "any"

[defaults]
on_unknown = "unknown"
[[fact]]
name = "rich"
zh = "补助高"
en = "much"
extract = "subsidies"
any = "dept_amount_yuan > 10000"
[[rule]]
id = "OWN-1"
title = "补助高"
title_en = "much"
kind = "check"
level = "person"
severity = "lead"
hit = "rich"
advice = "疑点：建议复核。"
[rule.citation]
title = "文件"
provenance = "V"
[[rule.example]]
given = { rich = true }
then = "hit"
[[rule.example]]
given = { rich = false }
then = "clear"
[[rule.example]]
given = {}
then = "unknown"
"""


@hazard("H34", "xlsx and csv GB18030 of a profile that declares no unit")
@pytest.mark.parametrize("name", ["xlsx", "csv"])
def test_an_undeclared_amount_is_unknown_and_said(tmp_path, name):
    """Only a cell that names its own unit has a value; the others are counted, not guessed."""
    (tmp_path / "subsidies.toml").write_text(UNDECLARED, encoding="utf-8")
    profile = load_profiles([SOURCES, tmp_path])["subsidies"]
    path = WRITERS[name](
        tmp_path / "a", [["姓名", "身份证号", "补助金额"], ["张三", A, "1.2"], ["李四", B, "1.2万元"], ["李四", B, "3"]]
    )
    source = read_source([("a", path)], profile)
    assert source.rows["amount_yuan"].to_list() == [None, 12_000.0, None]
    assert counted(source)["undeclared_unit"] == "amount_yuan: 2"


@hazard("H34", "project with a rule that compares such an amount")
def test_a_rule_may_not_compare_an_undeclared_amount(tmp_path):
    """The run stops before anybody is judged, and says what to write where."""
    for name, text in (("sources/subsidies.toml", UNDECLARED), ("checks/own.toml", COMPARING)):
        path = tmp_path / "rules" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    listed = WRITERS["csv"](tmp_path / "补助.csv", [["姓名", "身份证号", "补助金额"], ["张三", A, "1.2"]])
    project = County(tmp_path).registered(*household(("张三", A))).file(listed, "subsidies")
    with pytest.raises(ConfigurationError, match="does not say what its amount_yuan counts") as refused:
        project.run()
    assert 'unit = "元"' in str(refused.value)


@hazard("H35", "register xlsx", "register xls", "register ods", "register csv GB18030")
@every_container
def test_a_multi_select_cell_is_a_set(tmp_path, write):
    """Order, marks and repetition do not count; bare numbers are nobody's labels."""
    cells = ["其他,技能培训", "技能培训、其他", "技能培训；其他;技能培训", "1,2", None]
    path = write(
        tmp_path / "a", [["户编号", "姓名", "证件号码", "就业渠道"], *(["H1", "张三", A, cell] for cell in cells)]
    )
    assert column(path, "register", "employment_channel") == [*["其他、技能培训"] * 3, None, None]
    assert counted(table(path, "register"))["unparsed_cells"] == "employment_channel: 1"


@hazard("H36", "register xlsx with look-alike headers", "xls", "ods", "csv GB18030")
@every_container
def test_headers_that_look_alike(tmp_path, write):
    """Brackets, blanks, line breaks, width and case do not count."""
    head = [
        "户编号　",
        "家庭成员\n姓名",
        "公民身份号码或残疾号码  ",
        "务工时间(月)",
        "耕地面积〔亩〕",
        "县﹙市、区、旗﹚",
    ]
    source = table(write(tmp_path / "a", [head, ["H1", "张三", A, "3", "1.5", "青禾县"]]), "register")
    assert source.rows.select("household_id", "name_raw", "id_raw", "work_months", "farmland_mu", "county").row(0) == (
        "H1", "张三", A, 3.0, 1.5, "青禾县",
    )  # fmt: skip
    assert source.reports[0].unmapped == ()


@hazard("H36", "real estate csv GB18030 with ∕ for /")
@pytest.mark.parametrize("slash", "/／∕⁄")
def test_a_slash_that_is_none(tmp_path, slash):
    """房屋权利人/共有人, with each of the signs that look like a slash."""
    path = WRITERS["csv"](tmp_path / "a.csv", [[f"房屋权利人{slash}共有人", "身份证号", "坐落"], ["张三", A, "某路"]])
    assert column(path, "real_estate", "name_raw") == ["张三"]


RENAMED = {
    "resident_medical": [
        "是否参加城乡居民基本医疗保险", "是否参加新型农村合作医疗（城乡居民基本医疗保险）", "是否参加新型农村合作医疗", "是否参加居民医疗保险",
    ],
    "dibao": ["是否享受低保", "是否享受农村居民最低生活保障", "是否享受最低生活保障", "享受低保政策情况"],
}  # fmt: skip


@hazard("H36", "register xlsx of each year's header")
@pytest.mark.parametrize(
    ("name", "header"), [(name, header) for name, headers in RENAMED.items() for header in headers]
)
def test_a_field_is_known_by_the_names_of_every_year(tmp_path, name, header):
    """The same question, renamed as the system changed."""
    path = WRITERS["xlsx"](tmp_path / "a.xlsx", [["户编号", "姓名", "证件号码", header], ["H1", "张三", A, "是"]])
    assert column(path, "register", name) == [True]


@hazard("H36", "register xlsx and csv GB18030 with numbers for labels")
@pytest.mark.parametrize("name", ["xlsx", "csv"])
def test_what_one_and_two_mean_is_never_guessed(tmp_path, name):
    """性别 is the same everywhere; other codes are unknown until a profile declares them. 困难 asks the opposite of 安全."""
    head = ["户编号", "姓名", "证件号码", "性别", "脱贫属性", "健康状况", "饮水是否困难"]
    path = WRITERS[name](
        tmp_path / "a", [head, ["H1", "张三", A, "1", "1", "1", "否"], ["H1", "李四", B, "2", "2", "2", "是"]]
    )
    source = table(path, "register")
    assert source.rows.select("sex", "exit_status", "health", "safe_water").rows() == [
        ("男", None, None, True),
        ("女", None, None, False),
    ]
    assert counted(source)["undeclared_codes"] == "exit_status: 2"


REACH = [
    # what the extract declares                               青禾县      白石县
    ({}, ["hit", "unknown"]),
    ({"coverage": '["白石县"]'}, ["unknown", "hit"]),
    ({"stage": "province", "coverage": "[]"}, ["hit", "hit"]),
    ({"as_of": "2017-01-01"}, ["unknown", "unknown"]),
]


@hazard("H37", "register xlsx of two counties", "insured csv GB18030 of one county, of both, and stale")
@pytest.mark.parametrize(("declared", "outcomes"), REACH)
def test_nobody_is_absent_beyond_what_an_extract_covers(tmp_path, declared, outcomes):
    """A drawn table: coverage and as-of date decide who can be missing; the finding says until when the data reach."""
    rows = [
        *household(("张三", A), insured="是"),
        *household(("李四", B), home="H2", place=("白石县", "平塘镇", "石村"), insured="是"),
    ]
    listed = WRITERS["csv"](tmp_path / "医保.csv", [["姓名", "身份证号", "参保状态"], ["钱七", STRANGER, "正常参保"]])
    run = County(tmp_path).registered(*rows, columns=[INSURED]).file(listed, "medical_insurance", **declared).run()
    assert run.person("CMP-YB1") == outcomes
    assert all("截至2019-11-20" in said for said in run.found("CMP-YB1")["evidence"])
    if "as_of" in declared:
        assert [rule.not_run for rule in run.digest.rules if rule.rule_id == "CMP-YB1"] == [
            "医保参保数据早于比对日期400天以上"
        ]


@hazard("H37", "insured xlsm of which nobody says as of when")
@pytest.mark.parametrize(("left_out", "said"), [("as_of", "needs as_of = a date"), ("coverage", "needs coverage")])
def test_a_source_must_say_when_and_where(tmp_path, left_out, said):
    """Without it nobody can say what a list could not yet know."""
    listed = write_xlsm(
        tmp_path / "医保.xlsm", {"s": [["姓名", "身份证号", "参保状态"], ["钱七", STRANGER, "正常参保"]]}
    )
    project = County(tmp_path).registered(*household(("张三", A))).file(listed, "medical_insurance")
    project.extracts[0] = "\n".join(line for line in project.extracts[0].splitlines() if not line.startswith(left_out))
    with pytest.raises(ConfigurationError, match=said):
        project.run()


@hazard("H38", "vehicles xlsx", "real estate csv GB18030")
def test_a_hit_is_a_clue_with_its_evidence_and_reasons_to_choose_from(tmp_path):
    """What the department holds stands beside the register's word; 挂名 and 婚前财产 can be answered; nobody is called guilty."""
    car = [
        ["车主", "身份证明号码", "号牌号码", "车辆类型", "初次登记日期"],
        ["张三", A, "南A00001", "小型轿车", "2015-03-01"],
    ]
    house = [["权利人", "权利人证件号", "坐落", "用途"], ["张三", A, "云岭市某路1号", "住宅"]]
    project = County(tmp_path).registered(*household(("张三", A)))
    project.file(WRITERS["xlsx"](tmp_path / "车辆.xlsx", car), "vehicles")
    run = project.file(WRITERS["csv"](tmp_path / "房产.csv", house), "real_estate").run()
    for rule, held in (("CMP-VH1", "小型轿车"), ("CMP-RE1", "云岭市某路1号")):
        (evidence,) = run.found(rule)["evidence"]
        assert held in evidence
        assert "疑点" in evidence
        assert "匹配依据" in evidence
    (book,) = run.folder.glob("workbooks/青禾县/青禾县_平川镇_疑点核查表_*.xlsx")
    with zipfile.ZipFile(book) as package:
        text = "".join(package.read(part).decode() for part in package.namelist() if part.endswith(".xml"))
    assert all(",".join(choices) in text for choices in (VERDICTS, REASONS, ACTIONS))
    assert all(
        header in text for header in ("系统登记内容", "部门数据内容", "比对部门、截止日期", "佐证材料", "部门数据来源")
    )
    assert {"挂名", "婚前或他人财产", "已过户/报废未注销"} <= set(REASONS)
