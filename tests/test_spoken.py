"""Conditions said in Chinese: every word that a condition may have, and nothing lost on the way."""

import pytest

from fupin_cli.rules.predicate import parse_condition, spoken

NAMES = {"dibao": "低保", "age": "年龄", "kind": "户类型", "entered_on": "录入日期", "id_status": "号码状态"}


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("dibao AND age >= 18", "低保 且 年龄 ≥ 18"),
        ("NOT (dibao OR age < 6)", "并非 (低保 或 年龄 < 6)"),
        ("kind LIKE '%一般%' AND kind NOT LIKE '%脱贫%'", "户类型 含 “一般” 且 户类型 不含 “脱贫”"),
        ("kind LIKE '一般%' OR kind LIKE '%户'", "户类型 开头为 “一般” 或 户类型 结尾为 “户”"),
        ("kind NOT LIKE '一般%'", "户类型 开头不为 “一般”"),
        ("kind NOT LIKE '%户'", "户类型 结尾不为 “户”"),
        ("kind LIKE '户' OR kind NOT LIKE '户'", "户类型 为 “户” 或 户类型 不为 “户”"),
        ("kind IN ('A', 'B') AND kind NOT IN ('C')", "户类型 属于 (“A”、 “B”) 且 户类型 不属于 (“C”)"),
        ("kind IS NULL OR age IS NOT NULL", "户类型 未填 或 年龄 已填"),
        ("age NOT BETWEEN 6 AND 15 AND dibao", "年龄 不介于 6 至 15 且 低保"),
        ("age BETWEEN 6 AND 15", "年龄 介于 6 至 15"),
        ("age <> 3 AND dibao = TRUE", "年龄 ≠ 3 且 低保 = 是"),
        ("entered_on < DATE '2020-01-31'", "录入日期 < 2020-01-31"),
        ("kind = '它''s'", "户类型 = “它's”"),
        ("id_status IN ('malformed', 'missing')", "号码状态 属于 (“位数或字符不合法”、 “未填写”)"),
        ("id_status = 'malformed' AND kind = 'malformed'", "号码状态 = “位数或字符不合法” 且 户类型 = “malformed”"),
    ],
)
def test_a_condition_is_said_in_chinese(condition, said):
    """Operators become words, names their labels, quotes Chinese quotes."""
    assert " ".join(spoken(parse_condition(condition, NAMES, "x", "when"), NAMES.__getitem__).split()) == said
