"""Source profiles: the shipped ones hold together, and a wrong one is refused with file and key."""

import tomllib
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from fupin_cli.errors import ConfigurationError, InputMissingError
from fupin_cli.ingest import guess_profile, load_profiles, read_source
from fupin_cli.ingest import profile as profile_module
from fupin_cli.ingest.headers import header_key

SHIPPED = Path(__file__).parents[1] / "rules" / "sources"
EXTRACTS = {
    "household_registration", "deaths", "vehicles", "dibao", "tekun", "housing_appraisals", "real_estate", "disability",
    "payroll", "companies", "medical_insurance", "school_roll",
}  # fmt: skip
GOOD = 'profile = "p"\ndepartment = "d"\ntitle = "t"\ntitle_en = "t"\nrequired = ["name"]\n'


@pytest.fixture(scope="module")
def profiles():
    return load_profiles([SHIPPED])


def own_folder(tmp_path, text, name="p.toml"):
    folder = tmp_path / "sources"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_register_twelve_extracts_and_people_are_shipped(profiles):
    """The twelve departments of the design, the register, and a profile for any list of persons."""
    assert set(profiles) == EXTRACTS | {"register", "people"}


def test_every_shipped_field_says_what_it_is_in_two_languages(profiles):
    """Each field has a Chinese and an English label, money ends in _yuan and dates in _on or _month."""
    for profile in profiles.values():
        assert profile.title
        assert profile.title_en
        for field in profile.fields:
            assert field.zh != field.name, (profile.name, field.name)
            assert field.en, (profile.name, field.name)
            assert (field.type == "money") == field.name.endswith("_yuan"), (profile.name, field.name)
            assert (field.type in ("date", "month")) == field.name.endswith(("_on", "_month")), (
                profile.name,
                field.name,
            )


def test_no_header_means_two_things_in_one_profile(profiles):
    """A header belongs to one field, except 户主姓名, which is a name where a list names only heads."""
    for profile in profiles.values():
        seen = {}
        for field in profile.fields:
            for alias in field.aliases:
                other = seen.setdefault(header_key(alias), field.name)
                assert {other, field.name} in ({field.name}, {"name", "head_name"}), (
                    profile.name,
                    alias,
                    other,
                    field.name,
                )


def test_columns_keep_name_and_id_raw(profiles):
    """Cleaning an identity is normalise's job, so a profile's name and ID number are the raw columns."""
    columns = {field.name: field.column for field in profiles["vehicles"].fields}
    assert columns["name"] == "name_raw"
    assert columns["id_number"] == "id_raw"
    assert columns["plate_no"] == "plate_no"


def test_own_headers_come_before_the_shared_ones(profiles):
    """The vehicle register's 所有人 is tried before 姓名, and both are known."""
    aliases = profiles["vehicles"].field("name").aliases
    assert aliases.index("所有人") < aliases.index("姓名")


def test_a_later_folder_overrides_by_profile_name(tmp_path):
    """A project's own dibao.toml replaces the shipped one and leaves the others alone."""
    text = GOOD.replace('"p"', '"dibao"') + '[fields.amount_month_yuan]\ntype = "money"\nheaders = ["钱"]\n'
    profiles = load_profiles([SHIPPED, own_folder(tmp_path, text)])
    assert profiles["dibao"].title == "t"
    assert profiles["dibao"].field("amount_month_yuan").headers == ("钱",)
    assert "tekun" in profiles
    assert profiles["dibao"].field("sex").values, "the shared identity fields still apply"


def test_one_file_can_be_named_instead_of_a_folder(tmp_path):
    """`--profile FILE` reads this one file beside the shipped ones."""
    folder = own_folder(tmp_path, GOOD)
    assert "p" in load_profiles([SHIPPED, folder / "p.toml"])


WRONG = {
    "profile = ": "not readable as TOML",
    GOOD.replace('profile = "p"\n', ""): 'profile = "…" is missing',
    GOOD.replace("department", "departmnet"): "unknown key 'departmnet'",
    GOOD.replace('["name"]', '["nmae"]'): "required names 'nmae'",
    GOOD.replace('["name"]', '"name"'): "required is a list",
    GOOD + 'id_from = ["x"]\n': "id_from names 'x'",
    GOOD + '[fields.a]\ntype = "strnig"\n': "fields.a.type = 'strnig'",
    GOOD + '[fields.a]\nheader = ["x"]\n': "unknown key 'header' in fields.a",
    GOOD + '[fields.a]\nheaders = "x"\n': "fields.a.headers is a list",
    GOOD + '[fields.a]\ntype = "money"\nunit = "美元"\n': "fields.a.unit = '美元'",
    GOOD + '[fields.a]\nlevel = "house"\n': "fields.a.level = 'house'",
    GOOD + '[fields.a]\ntype = "code"\n': "fields.a is a code without values",
    GOOD + '[fields.a]\nvalues = { x = ["1"] }\n': "only means something for code",
    GOOD + '[fields.a]\ntype = "bool"\nvalues = { yes = ["1"] }\n': "are true and false",
    GOOD + '[fields.a]\ntype = "code"\nvalues = { x = ["1"], y = ["１"] }\n': "means both x and y",
    GOOD + "fields = 3\n": "fields are written as",
}


@pytest.mark.parametrize(("text", "message"), WRONG.items(), ids=list(WRONG.values()))
def test_a_wrong_profile_is_refused_with_file_and_key(tmp_path, text, message):
    """Nothing in a profile is ignored: an unknown word or a wrong type names the file and the key."""
    folder = own_folder(tmp_path, text)
    with pytest.raises(ConfigurationError) as caught:
        load_profiles([SHIPPED, folder])
    assert message in str(caught.value)
    assert "p.toml" in str(caught.value)


def test_a_profile_in_which_nobody_can_be_found_is_refused(tmp_path):
    """Without the shared identity fields a profile must say itself where names or numbers stand."""
    with pytest.raises(ConfigurationError, match="neither name nor id_number"):
        load_profiles([own_folder(tmp_path, GOOD.replace('["name"]', "[]"))])


def test_a_folder_that_is_not_there(tmp_path):
    """A missing folder is an input that is missing, exit code 66."""
    with pytest.raises(InputMissingError):
        load_profiles([tmp_path / "none"])


GUESSES = """
户编号 人口编号 姓名 证件号码 与户主关系 脱贫属性 脱贫年度 是否危房户     | register
姓名 公民身份号码 曾用名 户号 人员状态                              | household_registration
姓名 公民身份号码 死亡日期 注销日期                                | deaths
机动车所有人 身份证明号码 号牌号码 车辆类型 使用性质 初次登记日期        | vehicles
地区 户主姓名 身份证号 低保证号 保障金额（元） 起始保障年月              | dibao
姓名 身份证号 供养证号 供养方式 供养金额（元）                        | tekun
户主姓名 身份证号 鉴定等级 鉴定时间 改造竣工时间                      | housing_appraisals
权利人 证件号 不动产权证号 坐落 建筑面积 规划用途                     | real_estate
姓名 残疾人证号 残疾类别 残疾等级                                   | disability
单位名称 姓名 身份证号码 人员类别 实发工资                           | payroll
企业名称 统一社会信用代码 法定代表人 法定代表人身份证号 注册资本          | companies
姓名 身份证号 参保状态 险种 参保年度                                | medical_insurance
姓名 身份证件号 全国学籍号 学校名称 年级                             | school_roll
姓名 性别 身份证号 联系电话                                        | people
"""


@pytest.mark.parametrize("line", GUESSES.strip().splitlines())
def test_headers_tell_the_kind_of_table(profiles, line):
    """The profile that explains most headers comes first."""
    headers, expected = line.split("|")
    ranked = guess_profile(headers.split(), profiles)
    assert ranked[0][0] == expected.strip(), ranked[:3]
    assert all(0 < score <= 1 for _, score in ranked)


def test_a_title_decides_between_tables_that_look_alike(profiles):
    """姓名, 身份证号, 保障金额 may be either; the file's name says which."""
    headers = ["姓名", "身份证号", "保障金额"]
    assert guess_profile(headers, profiles, "2019年特困人员.xls")[0][0] == "tekun"
    assert guess_profile(headers, profiles, "2019年低保.xls")[0][0] == "dibao"


def test_a_field_parses_with_its_declared_unit(profiles):
    """注册资本 is counted in 万元 unless the header or the cell says otherwise."""
    capital = profiles["companies"].field("capital_yuan")
    frame = pl.DataFrame({"t": ["50", "50元"]})
    assert frame.select(capital.parse(pl.col("t"))).to_series().to_list() == [500000.0, 50.0]
    assert frame.select(capital.parse(pl.col("t"), "元")).to_series().to_list() == [50.0, 50.0]


PAGE = (Path(__file__).parents[1] / "docs" / "sources.md").read_text(encoding="utf-8")


def test_the_example_of_the_page_reads_a_file(tmp_path):
    """docs/sources.md shows a profile that loads, uses every key, and reads what it says it reads."""
    example = PAGE.split("```toml\n")[1].split("```")[0]
    data = tomllib.loads(example)
    used = {key for field in data["fields"].values() for key in field}
    assert set(data) == profile_module._PROFILE_KEYS
    assert used | {"level"} == profile_module._FIELD_KEYS, "level is for registers"
    profile = load_profiles([SHIPPED, own_folder(tmp_path, example)])["subsidies"]
    path = tmp_path / "a.csv"
    path.write_text(
        "领取人,补助证号,项目,是否领取,金额,发放日期\n张三,990121198001011234,养殖业,已领,1.5,2019-03-05\n李四,7,渔业,有,300元,2019-03\n",
        encoding="utf-8",
    )
    rows = read_source([("a.csv", path)], profile).rows
    assert rows.select("name_raw", "id_raw", "trade", "received", "amount_yuan", "role").rows() == [
        ("张三", "990121198001011234", "养殖", True, 15000.0, "领取人"),
        ("李四", "7", None, True, 300.0, "领取人"),
    ]
    assert rows["paid_on"].to_list() == [date(2019, 3, 5), None]


def test_the_page_tells_every_key_type_and_unit():
    """What a profile may say stands on the page."""
    words = {*profile_module._PROFILE_KEYS - {"fields"}, *profile_module._FIELD_KEYS, *profile_module.DTYPES}
    assert not [word for word in sorted(words) if f"`{word}`" not in PAGE]
    assert not [unit for unit in profile_module.UNITS if unit not in PAGE]
