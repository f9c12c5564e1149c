"""What rules wrote in Chinese, said in English: labels, codes and phrases; what people wrote stands as it is."""

import re
from pathlib import Path

import polars as pl
import pytest
from openpyxl import load_workbook

from conftest import SAMPLE, fupin
from fupin_cli.cli.rule_packs import open_rules
from fupin_cli.ingest.file_list import FAULT_LABELS
from fupin_cli.report.english import English, english_words
from fupin_cli.vocabulary import ID_STATUS_LABELS


@pytest.fixture(scope="module")
def said() -> English:
    known = open_rules(None)
    return English(english_words(known.packs, known.profiles))


@pytest.mark.parametrize(
    ("chinese", "english"),
    [
        ("适用7人，无法判断1人（缺少：财政供养人员（比对关系待核））",
         "applies to 7, cannot tell: 1 (missing: On the fiscal payroll (the link is under review))"),
        ("台账登记：性别：男；公安数据（截至2019-11-30）：死亡日期：2019-05-23",
         "the register says: sex: male; data of public security (as of 2019-11-30): died on: 2019-05-23"),
        ("人均纯收入（元） > 标准线", "net income per head > the line"),
        ("单位名称：青禾县（平川镇）林业站", "employer: 青禾县（平川镇）林业站"),
        ("台账 register/青禾县_（自定义）信息.xlsx，第 92 行", "register register/青禾县_（自定义）信息.xlsx, row 92"),
        ("《湖北大数据比对（中央纪委网站）》（2017-12-22）", "《湖北大数据比对（中央纪委网站）》（2017-12-22）"),
        ("姓名：张*", "name: 张*"),
        ("待核：是否同一人尚未确认。疑点：建议核实取得方式和时间；搬迁、拆迁安置的不算。",
         ("review: whether it is the same person is not settled. clue: please check how and when it was acquired; "
          "relocation housing and what was given for a demolished house do not count.")),
    ],
)  # fmt: skip
def test_pieces_that_have_words_are_said_in_english(said: English, chinese: str, english: str):
    """Numbers, names, paths and titles of documents are left; a label inside another word is none."""
    assert said(chinese) == english


def test_papers_that_share_an_english_name_keep_their_own(said: English):
    """Four photos of one English name are four papers: which of them is missing must be seen."""
    assert said("缺少灶前") == "missing 灶前"


@pytest.mark.parametrize(
    ("chinese", "english"),
    [
        ("证件状态：有效；残疾类别：其他", "status: 有效; kind of disability: 其他"),
        ("企业名称：户主（车辆）低保、住房；职务：其他，户主", "company: 户主（车辆）低保、住房; role: 其他，户主"),
        ("未达到：住房安全有保障：危房等级 其他，危房户 是", "falls short of: Safe housing: house grade 其他, dilapidated house yes"),
        ("义务教育有保障（姓名：车辆，在校生状况 其他）", "Compulsory education (name: 车辆, student status 其他)"),
        ("证件状态 = 有效（低保）", "status = 有效 (minimum living allowance)"),
        ("证件状态 = “有效” 且 与户主关系 ≠ “户主”", "status = “有效” and relation to head ≠ “head”"),
        ("证件号码状态 不属于 (“有效”、 “占位号”) 或 证件状态 属于 (“有效”、 “占位号”)",
         "ID status not in (“valid”, “placeholder”) or status in (“有效”, “占位号”)"),
        ("注册资本：300000元；企业名称：100元店", "registered capital: 300000 yuan; company: 100元店"),
        ("文件问题：内容与另一文件相同：户/房前.jpg", "what is wrong with the file: the same bytes as another file: 户/房前.jpg"),
        ("脱贫属性：已脱贫；健康状况：健康", "exit status: exited; health: 健康"),
        ("备注：疑点", "备注: clue"),
    ],
)  # fmt: skip
def test_what_a_register_or_a_department_wrote_is_left(said: English, chinese: str, english: str):
    """A value that happens to be a word of ours is theirs; what stands under no known name cannot be told apart."""
    assert said(chinese) == english


@pytest.mark.parametrize(
    ("chinese", "english"),
    [
        ("学年开始（9月1日）时的年龄 介于 6 至 15 且 户主为男",
         "age on 1 September of the school year between 6 and 15 and the head is a man"),
        ("户主为男 = 是（有任一成员（只计 与户主关系 = “户主” 的）：性别 = “男”）",
         "the head is a man = yes (any member (only with relation to head = “head”): sex = “male”)"),
        ("人均纯收入 3002元 ＜ 2019年标准线 3218元", "net income per head 3002 yuan ＜ line of 2019 3218 yuan"),
        ("解决安全饮用水 否", "safe water no"),
        ("台账没有填写“公益性岗位”", "the register does not fill in “public post”"),
        ("医保参保数据没有“参保状态”列", "the data of medical insurance have no “status” column"),
        ("未运行，因为缺村县情况表、抽样核查表（有其一即自动启用）",
         "did not run, for want of facts of villages and counties, exit sample (either has it judged)"),
        ("自动启用，因为有户档案资料；不限年度", "judged unasked, because there are household documents; any year"),
        ("外县登记有此人：林*（户主，第 199 行） ← register 甲.xlsx，第 252 行，符合",
         "is registered in another county: 林* (head, row 199) ← register 甲.xlsx, row 252, so"),
        ("名下有机动车：vehicles 甲.xlsx，第 2 行，不符合", "Owns a motor vehicle: vehicles 甲.xlsx, row 2, not so"),
        ("厅堂：该户 3 行中没有", "厅堂: none among the household's rows: 3"),
        ("台账自查：必填项", "Self-checks: blank cells"),
        ("全国 国家统计局现价标准", "nationwide national line at current prices"),
    ],
)  # fmt: skip
def test_conditions_reasons_and_packs_are_said_in_english(said: English, chinese: str, english: str):
    """Frames of traces, of failings and of why something was not judged leave no Chinese between the names."""
    assert said(chinese) == english


def test_advice_is_found_as_findings_have_it_and_as_books_print_it(said: English):
    """With its 疑点： and without; its own marks do not take it apart, and what stands before it is said, too."""
    rules = [rule for pack in open_rules(None).packs for rule in pack.rules if rule.advice]
    assert [said(rule.advice) for rule in rules] == [rule.advice_en for rule in rules]
    printed = [rule.advice.removeprefix("疑点：") for rule in rules]
    assert [f"clue: {said(text)}" for text in printed] == [rule.advice_en for rule in rules]
    assert said(f"该数据中另有1条同类记录。{printed[0]}") == (
        f"these data hold more such records: 1. {rules[0].advice_en.removeprefix('clue: ')}"
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample, compared for somebody who reads English."""
    target = tmp_path_factory.mktemp("english") / "run"
    assert fupin("run", SAMPLE, "-o", target, FUPIN_LANG="en", FUPIN_REPORT_LANG="en").returncode in (0, 10)
    return target


def _columns(run: Path, sheet: str, *headers: str) -> list[str]:
    """What stands in these columns of a sheet of every master, but for what cites a document."""
    cells = []
    for path in sorted(run.glob("workbooks/*县/*疑点总表*.xlsx")):
        names, *rows = load_workbook(path)[sheet].iter_rows(min_row=3, values_only=True)
        at = [names.index(header) for header in headers]
        cells += [
            re.sub("《[^》]*》(?:（[^）]*）)?[^;)]*", "", str(row[column]))
            for row in rows
            for column in at
            if row[column]
        ]
    return cells


@pytest.mark.parametrize(
    ("sheet", "headers"),
    [
        ("All findings", ("Relation to head", "Kind of finding", "Department compared", "How sure")),
        ("County's own", ("Kind", "What to do")),
        ("Households", ("What the outcome rests on",)),
        ("Rules", ("Title", "Why not run; columns that are missing")),
        ("Earlier rounds", ("Title", "Why not run; columns that are missing")),
        ("Data compared", ("Department and kind", "Comparison round", "Bases of links and persons")),
        ("Rule packs", ("Rule pack", "Reason")),
    ],
)
def test_a_master_says_in_english_what_is_ours(run: Path, sheet: str, headers: tuple[str, ...]):
    """Nothing that we write stands there in Chinese, whatever the register and the departments hold."""
    told = _columns(run, sheet, *headers)
    assert told
    assert not [text for text in told if re.search("[\u4e00-\u9fff]", re.sub("房前|灶前|主卧|厅堂", "", text))]


def test_a_master_leaves_what_register_and_departments_wrote(run: Path):
    """Each value of theirs stands in some cell as it stands in the findings; so does nothing of the sentence around it."""
    findings = pl.read_parquet(run / "findings.parquet").filter(pl.col("severity") != "info")
    values = {
        value
        for side in ("register_value", "department_value")
        for part in "；".join(findings[side].drop_nulls()).split("；")
        for name, _, value in [part.partition("：")]
        if re.search("[\u4e00-\u9fff]", value) and name not in ("未达到", "与户主关系", "性别", "证件性别", "脱贫属性")
    }
    ours = {"是", "否", "未填", *FAULT_LABELS, *(zh for zh, _ in ID_STATUS_LABELS.values())}
    theirs = {value for value in values - ours if not re.fullmatch(r"[\d.-]+元|内容与另一文件相同：.*", value)}
    cells = "\n".join(_columns(run, "All findings", "Register says", "Department says", "What to check"))
    assert len(theirs) > 100
    assert not [value for value in theirs if value not in cells]
    assert not re.search("台账登记|疑点|建议|是否|数据（截至|匹配依据", cells)


def test_the_page_says_in_english_what_is_ours(run: Path):
    """Advice, packs, reasons and statuses; sources are told apart by their county, and none stands there with nothing linked."""
    page = (run / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"建议|疑点：|未运行|自动启用|of which [\u4e00-\u9fff]|有任一成员|只计|危房户", page)
    assert "facts are missing: this does not mean met" in page
    table = page.split("Links of each source")[-1].split("</table>", maxsplit=1)[0]
    rows = [re.findall("<td[^>]*>(.*?)</td>", row) for row in table.split("<tr>")[2:]]
    assert len({tuple(row[:3]) for row in rows}) == len(rows)
    assert not [row for row in rows if set(row[3:]) == {"0"}]
