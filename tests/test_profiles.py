"""Source profiles: the shipped ones hold together, and a wrong one is refused with file and key."""

import tomllib
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fupin_cli.errors import ConfigurationError, InputMissingError
from fupin_cli.ingest import guess_profile, load_profiles, read_source
from fupin_cli.ingest import profile as profile_module
from fupin_cli.ingest.field import Field
from fupin_cli.ingest.headers import header_key
from fupin_cli.normalise.identity import add_identity
from fupin_cli.report.wording import KIND_LABELS
from fupin_cli.rules import load_packs

SHIPPED = Path(__file__).parents[1] / "rules" / "sources"
EXTRACTS = {
    "household_registration", "deaths", "vehicles", "dibao", "tekun", "housing_appraisals", "real_estate", "disability",
    "payroll", "companies", "medical_insurance", "school_roll", "moves", "funerals", "marriages", "housing_presale",
    "housing_fund", "disability_subsidies", "social_insurance", "family_insurance", "medical_treatment",
    "medical_aid_premium", "employment", "employment_monthly", "taxes", "household_survey", "household_documents",
    "process_events", "visits", "places", "exit_sample", "rural_households",
}  # fmt: skip
GOOD = 'profile = "p"\ndepartment = "d"\ntitle = "t"\ntitle_en = "t"\nrequired = ["name"]\n'
CODE = '[fields.a]\ntype = "code"\nvalues = { x = ["1"] }\n'


@pytest.fixture(scope="module")
def profiles():
    return load_profiles([SHIPPED])


def own_folder(tmp_path, text, name="p.toml"):
    folder = tmp_path / "sources"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_register_extracts_and_people_are_shipped(profiles):
    """Every extract that departments are known to send, the register, and a profile for any list of persons."""
    assert set(profiles) == EXTRACTS | {"register", "people"}
    assert set(KIND_LABELS) == EXTRACTS, "each kind of extract has a short name for reports"


def test_every_shipped_amount_says_what_it_counts(profiles):
    """No amount of a shipped profile is without unit and period: a rule may compare any of them."""
    assert {name: profile.undeclared_money for name, profile in profiles.items() if profile.undeclared_money} == {}


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
    """A header belongs to one field or one person, except 户主姓名, which is a name where a list names only heads."""
    for profile in profiles.values():
        meant = [(alias, f.name) for f in profile.fields for alias in (*f.aliases, *f.opposite_aliases)]
        meant += [(alias, n) for n, also in enumerate(profile.also) for alias in (*also.name, *also.id_number)]
        seen = {}
        for alias, what in meant:
            other = seen.setdefault(header_key(alias), what)
            assert {other, what} in ({what}, {"name", "head_name"}), (profile.name, alias, other, what)


def test_the_same_code_means_another_thing_in_another_department(profiles):
    """AAC001 is a household in the poverty system and a person in 人社 files, AAC031 a head's ID and a payment."""
    register, insurance = profiles["register"], profiles["social_insurance"]
    assert "AAC001" in register.field("household_id").aliases
    assert "AAC001" in insurance.field("person_id").aliases
    assert "AAC031" in register.field("head_id_number").aliases
    assert "AAC031" in insurance.field("payment_status").aliases


def test_a_guardian_is_nobody_whom_a_row_speaks_of(profiles):
    """A guardian's name and number are never tried as the pupil's, nor a family's telephone as a dead person's."""
    school, funerals = profiles["school_roll"], profiles["funerals"]
    assert not any("监护" in alias for name in ("name", "id_number", "phone") for alias in school.field(name).aliases)
    assert not any("家属" in alias for name in ("name", "phone") for alias in funerals.field(name).aliases)
    assert school.also == funerals.also == ()


def test_a_row_may_name_several_people(profiles):
    """Spouses, co-owners and investors are persons of their own, with the role that the form gives them."""
    companies = profiles["companies"]
    roles = {also.name[0]: dict(also.set)["role"] for also in companies.also}
    assert roles == {"法定代表人": "法定代表人", "主要负责人姓名": "负责人", "投资人姓名": "股东"}
    assert [also.name[0] for also in profiles["marriages"].also] == ["女姓名", "配偶名称"]
    assert profiles["real_estate"].also[0].set == ()


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
    GOOD + '[fields.a]\ntype = "money"\nper = "week"\n': "fields.a.per = 'week'",
    GOOD + '[fields.a]\nunit = "元"\n': "fields.a.unit only means something for money",
    GOOD + '[fields.a]\nper = "year"\n': "fields.a.per only means something for money",
    GOOD + '[fields.a]\nopposite = ["x"]\n': "fields.a.opposite only means something for bool",
    GOOD + '[fields.a]\nunknown = ["x"]\n': "fields.a.unknown only means something for code and bool",
    GOOD + "[fields.a]\nwhole_day = true\n": "fields.a.whole_day only means something for date",
    GOOD + '[fields.a]\ntype = "bool"\nfrom_digit = { field = "name", at = 1 }\n': "fields.a.from_digit only means",
    GOOD + '[fields.a]\ntype = "code"\nvalues = { x = ["1"] }\nunknown = ["１"]\n': "means both x and unknown",
    GOOD + '[fields.a]\ntype = "bool"\nopposite = "x"\n': "fields.a.opposite is a list",
    GOOD + f'{CODE}from_digit = {{ field = "nmae", at = 1 }}\n': "from_digit names 'nmae'",
    GOOD + f'{CODE}from_digit = {{ field = "name", at = 0 }}\n': "names a field and a place",
    GOOD + f"{CODE}from_digit = 19\n": "fields.a.from_digit names a field",
    GOOD + "also = 3\n": "also is written as [[also]]",
    GOOD + "[[also]]\n": "also 1 has neither name nor id_number",
    GOOD + '[[also]]\nnames = ["x"]\n': "unknown key 'names' in also 1",
    GOOD + '[[also]]\nname = "x"\n': "also 1.name is a list",
    GOOD + '[[also]]\nname = ["姓名"]\n': "'姓名' is a header of name already",
    GOOD + '[[also]]\nname = ["x"]\nid_number = ["身份证号"]\n': "'身份证号' is a header of id_number already",
    GOOD + '[[also]]\nname = ["x"]\n[[also]]\nname = ["Ｘ"]\n': "is a header of also 1 already",
    GOOD + '[[also]]\nname = ["x"]\nset = { role = "y" }\n': "'role' is no code or text field",
    GOOD + '[[also]]\nname = ["x"]\nset = { sex = "妻" }\n': "sex is never '妻'",
    GOOD + '[[also]]\nname = ["x"]\nset = "y"\n': "also 1.set is a table of texts",
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
姓名 公民身份号码 户号 迁出日期 迁往省市县（区） 迁出注销类别            | moves
姓名 曾用名 公民身份号码 民族 户号 与户主关系 户籍地址 派出所 户口性质      | household_registration
姓名 公民身份号码 死亡日期 死亡注销类别 死亡证明编号 申报人 受理时间       | deaths
逝者姓名 性别 证件类型 逝者证件号 逝者户籍地址 死亡日期 死亡地点 死亡原因 火化日期 火化证编号 | funerals
火化日期 序号 姓名 性别 年龄 发票号 住址 身份证号 死亡日期 死亡原因 家属电话 | funerals
男姓名 男身份证件号码 女姓名 女身份证件号码 结婚登记号 结婚登记日期 离婚登记号 复婚标志 承办机构 | marriages
户主名称 户主身份证号 配偶名称 配偶身份证号 登记单位 登记日期 登记状态      | marriages
地区 户主姓名 身份证号 低保证号 主要致贫原因 家庭人口数 保障人口数 保障金额（元） 供养方式 起始保障年月 家庭住址 | dibao
地区 姓名 性别 年龄 民族 身份证号 是否“三无” 文化程度 健康状况 婚姻状况 劳动能力 生活自理能力 残疾类别 残疾等级 | dibao
地区 姓名 身份证号 性别 户主姓名 是否保障对象 与户主关系 月收入（元） 年收入（元） 健康状况 婚姻状况 教育状况 | dibao
家庭id 成员id 姓名 身份证 与户主的关系 保障金额 起始年月 就业状况 标志位    | dibao
购房人 身份证号 房屋面积 坐落及房号 购房日期                          | housing_presale
不动产权证号 不动产单元号 权利人 权利人证件号 共有人 共有人证件号 坐落 建筑面积 用途 共有方式 | real_estate
单位名称 个人姓名 身份证号 工资基数 单位缴交 个人缴交 余额 账户状态 末次缴交年月 | housing_fund
乡镇 姓名 身份证号码 残疾人证号 补贴类型 补贴对象类型 补贴金额             | disability_subsidies
居委会 姓名 残疾证号 残疾类别 等级 监护人 发证日期 有效期 状态            | disability
单位名称 隶属处（科）室 姓名 身份证号码 性别 出生日期 人员类别 职务（职称） 是否财政统发工资 基本工资(元/月) 实际执行月工资(元/月) 参加工作时间 离退时间 在职人员来源 | payroll
个人编号 姓名 社会保障号 单位名称 险种类别 参保状态 缴费状态 参保年月 缴费基数 末次缴费时间 退休时间 退休金额 | social_insurance
家庭编号 户主姓名 户主证件类型 户主证件号码 户籍编号 参保人数 联系电话 住址 登记日期 | family_insurance
姓名 身份证号 入院时间 出院时间 诊治医院 治疗费用总额 补偿金额 补偿时间     | medical_treatment
所属年份 所属月份 姓名 身份证号 是否资助参保 资助参保身份 医疗救助身份 居民缴费金额 代缴金额 缴费时间 未参保原因 | medical_aid_premium
姓名 身份证号 就业状态 工作单位 单位所属行业 就业起止年月                | employment
户编号 姓名 证件号码 是否已务工 务工所在县 务工月收入 开始时间 结束时间 年度交通费补助 是否点对点输送 | employment_monthly
纳税人名称 纳税人识别号 法定代表人 法定代表人身份证号 税种 税额 申报日期 状态 | taxes
注册号 企业名称 主要负责人姓名 主要负责人有效身份证号码 职务 注册资本 实收资本 投资人姓名 投资人有效身份证件号码 投资人认缴出资额 成立日期 | companies
姓名 性别 身份证件号 全国学籍号 学籍辅号 学校名称 年级 班级 入学年月 就读方式 监护人姓名 监护人电话 户籍所在地 是否低保 曾用名 | school_roll
车牌号 号牌种类 所有人 证件号码 中文品牌 车辆类型 使用性质 初次登记日期 状态 检验有效日期 机动车登记原值 购置时间 所有人变更情况 | vehicles
AAC001 AAB001 AAB002 AAB003 AAB004 AAB006 AAB010 AAC006 AAR010 AAC023    | register
户编号 姓名 证件号码 监测对象类别 致贫/返贫风险1 风险是否已消除 风险消除方式 识别监测时间 产业帮扶 风险消除后纯收入 | register
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


def cells(field, texts, **options):
    """What the field reads in each cell."""
    frame = pl.DataFrame({"t": texts}, schema={"t": pl.String})
    return frame.select(field.parse(pl.col("t"), **options)).to_series().to_list()


def asked(question, texts):
    """What one of the field's questions answers for each cell."""
    return pl.DataFrame({"t": texts}, schema={"t": pl.String}).select(question(pl.col("t"))).to_series().to_list()


def test_a_field_parses_with_its_declared_unit(profiles):
    """注册资本 is counted in 万元 unless the header or the cell says otherwise."""
    capital = profiles["companies"].field("capital_yuan")
    assert cells(capital, ["50", "50元"]) == [500000.0, 50.0]
    assert cells(capital, ["50", "50元"], unit="元") == [50.0, 50.0]


AMOUNTS = """
unit | per   | cell   | header unit | header period || yuan
元   | month | 300    | -           | -             || 300
元   | month | 3600   | -           | year          || 300
元   | year  | 300    | -           | month         || 3600
元   | year  | 0.5万  | -           | month         || 60000
元   | year  | 0.5    | 万元        | year          || 5000
元   | once  | 300    | -           | month         || 300
元   | -     | 300    | -           | month         || 300
-    | year  | 300    | -           | -             || null
-    | -     | 300元  | -           | -             || 300
-    | -     | 1.5万元 | -          | -             || 15000
-    | -     | 3      | 万元        | -             || 30000
"""


@pytest.mark.parametrize("line", AMOUNTS.strip().splitlines()[1:])
def test_an_amount_counts_what_its_field_or_header_declares(line):
    """An undeclared unit is never guessed, an undeclared period never converted; the header goes before the profile."""
    unit, per, cell, header_unit, period, _, yuan = (
        None if (part := cell.strip()) == "-" else part for cell in line.split("|")
    )
    field = Field("a_yuan", "money", unit=unit, per=per)
    assert cells(field, [cell], unit=header_unit, period=period) == [None if yuan == "null" else float(yuan)]


CELLS = st.one_of(
    st.text(max_size=12),
    st.from_regex(r"[-+]?[0-9]{1,12}(\.[0-9]{0,3})?", fullmatch=True),
    st.from_regex(r"[12][0-9]{3}[-/.][01][0-9][-/.][0-3][0-9]", fullmatch=True),
    st.sampled_from(["13800000000", "13800000000.0", " 5", "nan", "inf", "1e5", "5.", ".5", "1_0", "长期", "300元"]),
)


@given(CELLS)
def test_the_short_way_to_read_a_cell_leads_to_the_same_value(cell):
    """What parse_plain reads is what parse reads; what it leaves null, parse looks at."""
    for kind in ("text", "date", "number", "phone", "money"):
        field = Field("a", kind, unit="万元", per="year")
        short = pl.DataFrame({"t": [cell]}).select(field.parse_plain(pl.col("t"), None, "month")).item()
        assert short is None or [short] == cells(field, [cell], period="month"), (kind, cell)


WATER = """
cell    || asked straight | asked the other way
是      || true           | false
否      || false          | true
1       || true           | false
0       || false          | true
√       || true           | false
无      || false          | true
安全    || true           | true
未解决  || false          | false
2       || null           | null
        || null           | null
"""


@pytest.mark.parametrize("line", WATER.strip().splitlines()[1:])
def test_a_header_that_asks_the_opposite_turns_yes_and_no_around(profiles, line):
    """饮水是否困难 = 是 is no safe water; a word that says the thing itself says it under either header."""
    cell, _, straight, opposite = (part.strip() for part in line.split("|"))
    water, truth = profiles["register"].field("safe_water"), {"true": True, "false": False, "null": None}
    assert "饮水是否困难" in water.opposite_aliases
    assert "饮水是否困难" not in water.aliases
    assert cells(water, [cell]) == [truth[straight]]
    assert cells(water, [cell], opposite=True) == [truth[opposite]]


SEXES = """
cell || value | says unknown | undeclared number | where numbers are not trusted
男   || 男    | no           | no                | 男
1    || 男    | no           | no                | null
1.0  || 男    | no           | no                | null
２   || 女    | no           | no                | null
9    || null  | yes          | no                | null
不详 || null  | yes          | no                | null
3    || null  | no           | yes               | null
甲   || null  | no           | no                | null
     || null  | no           | no                | null
"""


@pytest.mark.parametrize("line", SEXES.strip().splitlines()[1:])
def test_a_number_is_a_code_only_where_it_is_declared(profiles, line):
    """9 is understood and means that nobody knows; 3 was declared by nobody, and then 1 cannot be trusted either."""
    cell, _, value, unknown, undeclared, distrusted = (part.strip() for part in line.split("|"))
    sex = profiles["people"].field("sex")
    assert cells(sex, [cell]) == [None if value == "null" else value]
    assert asked(sex.says_unknown, [cell]) == [unknown == "yes"]
    assert asked(sex.undeclared_number, [cell]) == [undeclared == "yes"]
    assert cells(sex, [cell], distrust_numbers=True) == [None if distrusted == "null" else distrusted]


def test_what_nobody_asked_is_no_and_never_null(profiles):
    """A missing cell is neither unknown by declaration nor a number, and other types have no codes."""
    people = profiles["people"]
    for name in ("sex", "address", "birth_on"):
        assert asked(people.field(name).says_unknown, [None, "3"]) == [False, False]
    assert asked(people.field("address").undeclared_number, [None, "3"]) == [False, False]


def test_an_unknown_spelling_goes_before_what_yes_and_no_usually_mean():
    """A bool may declare that 无 says nothing here."""
    field = Field("a", "bool", values=(("true", ("1",)),), unknown=("无",))
    assert cells(field, ["无", "否", "1"]) == [None, False, True]


NUMBERS = """
residence number              || class | level
99012319800101123441          || 肢体  | 一级
99012319800101123X74B1        || 多重  | 四级
9901 2319 8001 0112 3441      || 肢体  | 一级
９９０１２３１９８００１０１１２３４４１ || 肢体  | 一级
99012319800101123x41          || 肢体  | 一级
9901231980010112344           || 肢体  | null
990123198001011234            || null  | null
99012319800101123409          || null  | null
9.9012319800101E+19           || null  | null
残疾证99012319800101123441    || null  | null
                              || null  | null
"""


@pytest.mark.parametrize("line", NUMBERS.strip().splitlines()[1:])
def test_class_and_level_stand_in_the_certificate_number(profiles, line):
    """The 19th and 20th character, where the number has them and is nothing but letters and digits."""
    number, _, kind, level = (part.strip() for part in line.split("|"))
    for profile in ("disability", "disability_subsidies"):
        for name, expected in (("disability_class", kind), ("disability_level", level)):
            field = profiles[profile].field(name)
            assert field.from_digit.field == "disability_no"
            assert asked(field.fill, [number]) == [None if expected == "null" else expected]


def test_a_pupils_number_holds_the_id_number(profiles, tmp_path):
    """全国学籍号: G and the ID number, where its own column is blank or absent; J and L numbers are nobody's ID number."""
    blank = "姓名,身份证件号,全国学籍号,学校名称\n张三,,G990121198506153016,一小\n李四,,L990121198506153016,一小\n"
    absent = "姓名,全国学籍号,学校名称\n张三,G990121198506153016,一小\n李四,J990121198506153016,一小\n"
    for text in (blank, absent):
        (tmp_path / "a.csv").write_text(text, encoding="utf-8")
        rows = add_identity(read_source([("a.csv", tmp_path / "a.csv")], profiles["school_roll"]).rows)
        assert rows["id_number"].to_list() == ["990121198506153016", None]
        assert rows["id_status"].to_list() == ["valid", "placeholder"]
        assert rows["student_no"].str.slice(0, 1).to_list()[0] == "G"


def test_a_field_without_a_digit_has_nothing_to_fill(profiles):
    """Only what is declared to stand in another number is read from it."""
    assert asked(profiles["people"].field("sex").fill, ["男", "1", None]) == [None, None, None]


def test_codes_of_the_standards_are_read_and_those_of_nobody_are_not(profiles):
    """GB/T 3304 and GB/T 4658 numbers mean the same everywhere; the register's own numbers do not."""
    assert cells(profiles["people"].field("ethnicity"), ["01", "7", "彝", "毛难族", "57", "99"]) == [
        "汉族", "彝族", "彝族", "毛南族", None, None,
    ]  # fmt: skip
    assert cells(profiles["household_registration"].field("education"), ["70", "80", "90"]) == ["初中", "小学", None]
    register = profiles["register"]
    assert cells(register.field("education"), ["3", "初中", "大专及以上"]) == [None, "初中", "大专及以上"]
    assert cells(register.field("student_status"), ["高一", "普通高中一年级"]) == ["普通高中一年级"] * 2
    assert cells(register.field("cause_main"), ["11", "缺劳力", "因病，缺技术"]) == [None, "缺劳动力", "因病、缺技术"]
    assert cells(register.field("health"), ["4", "残疾,慢性病"]) == [None, "残疾、长期慢性病"]


PACK = """
[pack]
id = "p"
title = "包"
title_en = "pack"
jurisdiction = "00"
regime = "any"

[defaults]
on_unknown = "unknown"

[[fact]]
name = "paid"
zh = "领取"
en = "paid"
extract = "p"
any = "dept_a_yuan > 5"

[[rule]]
id = "X-1"
title = "收入"
title_en = "income"
kind = "check"
level = "person"
severity = "lead"
hit = "paid"
shows = ["b_yuan"]
advice = "疑点：建议复核。"
effective_from = 2014-01-01
[rule.citation]
title = "文件"
provenance = "V"
[[rule.example]]
given = { paid = true }
then = "hit"
[[rule.example]]
given = { paid = false }
then = "clear"
[[rule.example]]
given = {}
then = "unknown"
"""
MONEY_RULES = """
field of profile p            | condition          || message
unit = "元", per = "year"     | dept_a_yuan > 5    || -
unit = "元", per = "once"     | dept_a_yuan > 5    || -
unit = "元"                   | dept_a_yuan > 5    || per = "year" in [fields.a_yuan] of rules/sources/p.toml
per = "month"                 | dept_a_yuan > 5    || unit = "元" in [fields.a_yuan] of rules/sources/p.toml
                              | dept_a_yuan > 5    || unit = "元", per = "year" in [fields.a_yuan] of rules/sources/p.toml
                              | 5 < dept_a_yuan    || fact paid compares dept_a_yuan, but profile p does not say
                              | dept_role = 'x'    || -
                              | b_yuan > 5         || fact paid compares b_yuan, but profile register does not say
"""


@pytest.mark.parametrize("line", MONEY_RULES.strip().splitlines()[1:])
def test_a_rule_compares_only_amounts_that_say_what_they_count(tmp_path, line):
    """An amount without unit and period may be shown; a condition that reads it is refused with what to write where."""
    declared, condition, _, message = (part.strip() for part in line.split("|"))
    keys = declared.replace(", ", "\n")
    text = GOOD + f'[fields.a_yuan]\ntype = "money"\nzh = "甲"\n{keys}\n[fields.role]\ntype = "text"\n'
    register = GOOD.replace('"p"', '"register"') + '[fields.b_yuan]\ntype = "money"\n'
    own_folder(tmp_path, register, "register.toml")
    profiles = load_profiles([SHIPPED, own_folder(tmp_path, text)])
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks/x.toml").write_text(PACK.replace("dept_a_yuan > 5", condition), encoding="utf-8")
    known = {name: frozenset(field.column for field in profile.fields) for name, profile in profiles.items()}
    undeclared = {name: profile.undeclared_money for name, profile in profiles.items()}
    if message == "-":
        load_packs([tmp_path], known, undeclared)
        return
    with pytest.raises(ConfigurationError) as caught:
        load_packs([tmp_path], known, undeclared)
    assert message in str(caught.value)
    assert "checks/x.toml" in str(caught.value)


def test_a_rules_own_conditions_are_held_to_it_too(tmp_path):
    """When, hit, met and not_met of a rule read the register's amounts, and those of its extract."""
    (tmp_path / "checks").mkdir()
    known = {"register": frozenset({"b_yuan"}), "p": frozenset({"a_yuan", "role"})}
    for old, new, name in (
        ('hit = "paid"', 'hit = "paid"\nwhen = "b_yuan > 5"', "b_yuan"),
        ('hit = "paid"', 'hit = "paid OR b_yuan < 5"', "b_yuan"),
        ('level = "person"\nseverity = "lead"\nhit = "paid"', LIST_RULE, "dept_a_yuan"),
    ):
        text = PACK.replace("dept_a_yuan > 5", "dept_role = 'x'").replace(old, new)
        if new == LIST_RULE:
            text = (
                text.replace('shows = ["b_yuan"]\n', "")
                .replace("{ paid = true }", "{}")
                .replace("{ paid = false }", "{}")
            )
        text += '[[rule.example]]\ngiven = { b_yuan = 5 }\nthen = "not_applicable"\n' if "when" in new else ""
        (tmp_path / "checks/x.toml").write_text(text, encoding="utf-8")
        undeclared = {"register": {"b_yuan": 'per = "year"'}, "p": {"a_yuan": 'unit = "元"'}}
        load_packs([tmp_path], known)
        with pytest.raises(ConfigurationError, match=rf"rule X-1 compares {name}"):
            load_packs([tmp_path], known, undeclared)


LIST_RULE = 'level = "extract"\nextract = "p"\nseverity = "lead"\nhit = "dept_a_yuan > 5"'


PAGE = (Path(__file__).parents[1] / "docs" / "sources.md").read_text(encoding="utf-8")


def test_the_example_of_the_page_reads_a_file(tmp_path):
    """docs/sources.md shows a profile that loads, uses every key, and reads what it says it reads."""
    example = PAGE.split("```toml\n")[1].split("```")[0]
    data = tomllib.loads(example)
    used = {key for field in data["fields"].values() for key in field}
    assert set(data) | {"compare"} == profile_module._PROFILE_KEYS, "compare has an example of its own"
    assert used | {"level"} == profile_module._FIELD_KEYS, "level is for registers"
    assert {key for person in data["also"] for key in person} == profile_module._ALSO_KEYS
    profile = load_profiles([SHIPPED, own_folder(tmp_path, example)])["subsidies"]
    path = tmp_path / "a.csv"
    path.write_text(
        "领取人,残疾人证号,项目,是否领取,金额,发放日期\n"
        "张三,99012119800101123441,养殖业,已领,1.5,2019-03-05\n"
        "李四,7,渔业,有,300元,2019-03\n",
        encoding="utf-8",
    )
    rows = read_source([("a.csv", path)], profile).rows
    assert rows.select("name_raw", "id_raw", "trade", "received", "amount_yuan", "role").rows() == [
        ("张三", "99012119800101123441", "养殖", True, 15000.0, "领取人"),
        ("李四", "7", None, True, 300.0, "领取人"),
    ]
    assert rows["disability_level"].to_list() == ["一级", None]
    assert rows["paid_on"].to_list() == [date(2019, 3, 5), None]


def test_the_example_of_the_page_reads_what_a_row_says_of_others(tmp_path):
    """A guarantor beside the recipient is a person of the row, with the role that the profile gives; 是否未领 is turned."""
    example = PAGE.split("```toml\n")[1].split("```")[0]
    profile = load_profiles([SHIPPED, own_folder(tmp_path, example)])["subsidies"]
    path = tmp_path / "a.csv"
    path.write_text(
        "领取人,担保人,担保人身份证号,是否未领,金额（元/月）\n张三,王五,990121198001011234,否,300\n", encoding="utf-8"
    )
    rows = read_source([("a.csv", path)], profile).rows
    assert rows.select("name_raw", "id_raw", "received", "amount_yuan", "role").rows() == [
        ("张三", None, True, 3600.0, "领取人"),
        ("王五", "990121198001011234", True, 3600.0, "担保人"),
    ]


def test_the_page_tells_every_key_type_and_unit():
    """What a profile may say stands on the page."""
    words = {*profile_module._PROFILE_KEYS - {"fields", "also"}, *profile_module._FIELD_KEYS, *profile_module.DTYPES}
    words |= {"[[also]]", *profile_module._ALSO_KEYS, *profile_module.PERIODS}
    assert not [word for word in sorted(words) if f"`{word}`" not in PAGE]
    assert not [unit for unit in profile_module.UNITS if unit not in PAGE]
