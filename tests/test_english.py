"""What rules wrote in Chinese, said in English: labels, codes and phrases; what people wrote stands as it is."""

import pytest

from fupin_cli.cli.rule_packs import open_rules
from fupin_cli.report.english import English, english_words


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
        ("单位名称：青禾县（平川镇）林业站", "employer: 青禾县 (平川镇) 林业站"),
        ("台账 register/青禾县_（自定义）信息.xlsx，第 92 行", "register register/青禾县_（自定义）信息.xlsx, row 92"),
        ("《湖北大数据比对（中央纪委网站）》", "《湖北大数据比对（中央纪委网站）》"),
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
