"""Names and places (H24 to H29, H31): one person written in two ways, and places that were renamed."""

from datetime import date

import polars as pl
import pytest

from fupin_cli.linkage import link_people
from fupin_cli.normalise.identity import add_identity
from hazard_world import County, household, somebody, table
from hazards import hazard
from linkage_world import MODEL, extract, register
from office_files import write_ods, write_xls, write_xlsx
from raw_files import write_text

A, B, C = somebody(5), somebody(16, "19820202"), somebody(27, "19790909")
STRANGER = somebody(88, "19550505")
INSURED = "是否参加城乡居民基本医疗保险"


def told(folder, ours, theirs):
    """A run: one person under one number, whom the register calls `ours`, and two departments `theirs`."""
    project = County(folder).registered(*household((ours, A), insured="是"), columns=[INSURED])
    hukou = [["姓名", "公民身份号码", "户口状况"], [theirs, A, "正常"], ["钱七", STRANGER, "正常"]]
    insured = [["姓名", "身份证号", "参保状态"], [theirs, A, "正常参保"], ["钱七", STRANGER, "正常参保"]]
    project.file(write_xlsx(folder / "户籍.xlsx", {"s": hukou}), "household_registration")
    project.file(write_text(folder / "医保.csv", insured, "gb18030"), "medical_insurance")
    return project.run()


SAME = [
    # hazard, register, department
    *(("H24", "阿依古丽·买买提", f"阿依古丽{dot}买买提") for dot in ("·", ".", "．", "•", "∙", "・", "●", " ", "")),
    *(("H27", "张三", written) for written in ("张 三", "张　三", "张三(户主)", "张三（亡）", "张三2", "张三-1", "户主：张三", "（户主）张三", "張三")),
    ("H26", "龑一", "䶮一"),
]  # fmt: skip


@hazard("H24", "people xlsx with a name for each dot", "csv GB18030", "xls", "ods")
@hazard("H27", "people xlsx with blanks and remarks", "csv GB18030", "xls", "ods")
@pytest.mark.parametrize(
    "write",
    [
        lambda path, rows: write_xlsx(path, {"s": rows}), lambda path, rows: write_text(path, rows, "gb18030"),
        lambda path, rows: write_xls(path, {"s": rows}), lambda path, rows: write_ods(path, {"s": rows}),
    ],
    ids=["xlsx", "csv", "xls", "ods"],
)  # fmt: skip
def test_names_that_are_compared_as_the_same(tmp_path, write):
    """A drawn table: what differs only in typing has one key; what was received is kept."""
    rows = [["姓名", "身份证号"], *([name, A] for _, *pair in SAME for name in pair)]
    got = add_identity(table(write(tmp_path / "a", rows)).rows)
    keys = got["name_key"].to_list()
    assert keys[::2] == keys[1::2]
    assert got["name_raw"].to_list() == [name for name, _ in rows[1:]]


@hazard("H24", "household registration xlsx and insured csv GB18030, another dot in each")
def test_a_dot_is_no_difference_at_all(tmp_path):
    """Linked by number and name, and no finding of another name."""
    run = told(tmp_path, "阿依古丽·买买提", "阿依古丽.买买提")
    assert run.links("medical_insurance-2") == [(0, 0, "accepted", "exact_id")]
    assert (run.person("CMP-NM1"), run.person("CMP-YB1")) == (["clear"], ["clear"])


OTHER_NAMES = [
    ("another transliteration", "阿卜杜热合曼·阿卜力米提", "阿不都热合曼·阿不力米提", "accepted"),
    ("cut short", "阿卜杜热合曼·阿卜力米提", "阿卜杜热合曼·阿", "review"),
    ("parts in another order", "阿依古丽·买买提", "买买提·阿依古丽", "review"),
]


@hazard("H25", "household registration xlsx", "insured csv GB18030")
@pytest.mark.parametrize(("case", "ours", "theirs", "decision"), OTHER_NAMES, ids=[n[0] for n in OTHER_NAMES])
def test_an_equal_number_under_a_similar_name(tmp_path, case, ours, theirs, decision):
    """The difference is listed as data quality, linked or not; nobody is called absent, and nobody another person."""
    run = told(tmp_path, ours, theirs)
    assert run.links("medical_insurance-2") == [(0, 0, decision, "exact_id")]
    assert run.found("CMP-NM1")["severity"].to_list() == ["dq"]
    assert run.person("CMP-YB1") == ["clear" if decision == "accepted" else "unknown"]
    assert run.found("CMP-YB1").height == 0


UNWRITTEN = [
    # register   department       with one number
    ("徐莹", "徐□", "accepted"),
    ("徐莹", "徐?", "accepted"),
    ("徐莹", "徐？", "accepted"),
    ("徐莹", "徐\ue123", "accepted"),
    ("徐莹", "徐\U000f0001", "accepted"),
    ("徐莹", "徐\ufffd", "accepted"),
    ("徐□", "徐莹", "accepted"),
    ("徐瑛", "徐(莹加王旁)", "accepted"),
    ("王小瑛", "王小（莹加王旁）", "accepted"),
    ("徐羡之", "徐[石羡]之", "accepted"),
    ("韦三", "WEI三", "accepted"),
    ("徐莹", "徐😀", "accepted"),
    ("徐莹", "李□", "review"),  # what could be written differs
    ("徐莹", "徐□华", "review"),
    ("徐莹", "徐盈", "accepted"),  # spelled by ear
    ("徐莹", "徐强", "review"),
    ("LI", "WANG", "review"),  # letters alone are a name
]


@pytest.mark.parametrize(("ours", "theirs", "same"), UNWRITTEN)
def test_a_character_that_could_not_be_written(ours, theirs, same):
    """A drawn table: a wildcard speaks neither for nor against; with two different numbers it is another person as ever."""
    born = date(1980, 1, 1)

    def decisions(ours_id, theirs_id):
        links = link_people(
            register((ours, ours_id, "柳树村", born), ("赵六", C, "下村")),
            extract((theirs, theirs_id, "柳树村", born), ("钱七", STRANGER, "下村")),
            MODEL,
        )
        return links.filter(pl.col("decision") != "rejected").select("register_row", "extract_row", "decision").rows()

    assert decisions(A, A) == [(0, 0, same)]
    assert decisions(A, B) == []


@hazard("H26", "household registration xlsx", "insured csv GB18030, both with □ or a private code point")
@pytest.mark.parametrize("theirs", ["徐□", "徐\ue123"])
def test_an_equal_number_under_an_unreadable_name_is_the_person(tmp_path, theirs):
    """Linked, found on the list, and nobody speaks of another person."""
    run = told(tmp_path, "徐莹", theirs)
    assert run.links("medical_insurance-2") == [(0, 0, "accepted", "exact_id")]
    assert run.person("CMP-YB1") == ["clear"]
    assert run.frame("findings").filter(run.frame("findings")["band"] == "review").height == 0


@hazard("H26", "register xlsx with one person as 徐□ and as 徐莹")
def test_one_person_twice_with_and_without_the_character(tmp_path):
    """The same number in two households is one person twice (CMP-DUP1), not two persons on one number (CMP-ID4)."""
    rows = [*household(("徐莹", A)), *household(("徐□", A), home="H2")]
    other = write_text(tmp_path / "车辆.csv", [["车主", "身份证明号码", "号牌号码"], ["钱七", STRANGER, "南A00001"]])
    run = County(tmp_path).registered(*rows).file(other, "vehicles").run()
    assert (run.found("CMP-DUP1").height, run.found("CMP-ID4").height) == (2, 0)


@hazard("H28", "household registration xlsx with 曾用名", "insured csv GB18030 under the new name")
def test_a_former_name_explains_the_other_name(tmp_path):
    """One person, and neither list gives a finding: 公安 says that both names are hers, and the other list spells it by ear."""
    project = County(tmp_path).registered(*household(("王芳", A), insured="是"), columns=[INSURED])
    hukou = [
        ["姓名", "曾用名", "公民身份号码", "户口状况"],
        ["王方", "王芳", A, "正常"],
        ["钱七", None, STRANGER, "正常"],
    ]
    insured = [["姓名", "身份证号", "参保状态"], ["王方", A, "正常参保"], ["钱七", STRANGER, "正常参保"]]
    project.file(write_xlsx(tmp_path / "户籍.xlsx", {"s": hukou}), "household_registration")
    project.file(write_text(tmp_path / "医保.csv", insured, "gb18030"), "medical_insurance")
    run = project.run()
    assert run.links("household_registration-1") == [(0, 0, "accepted", "exact_id")]
    assert (run.person("CMP-NM1"), run.person("CMP-YB1")) == (["clear"], ["clear"])
    assert run.found("CMP-YB1").height == 0


def on_dibao(folder, listed, *others):
    """A run: a couple and a widow, all registered as on dibao, and a list that names only heads, in two sheets' order."""
    rows = [
        *household(("张三", A), ("李四", B, "配偶"), dibao="是"),
        *household(("王五", C), home="H2", dibao="是"),
        *others,
    ]
    project = County(folder).registered(*rows, columns=["是否享受低保"])
    heads = [["户主姓名", "户主身份证号", "是否保障对象"], [*listed, "是"], ["王五", C, "是"], ["钱七", STRANGER, "是"]]
    return project.file(write_xlsx(folder / "低保.xlsx", {"s": heads}), "dibao").run()


@hazard("H29", "dibao xlsx that names heads of households")
def test_a_list_of_heads_says_nothing_of_the_others(tmp_path):
    """The wife of a listed head is not missing from the list."""
    run = on_dibao(tmp_path, ("张三", A))
    assert run.person("CMP-MZ1") == ["clear", "unknown", "clear"]
    assert run.found("CMP-MZ1").height == 0


def test_a_head_who_changed_is_not_missing(tmp_path):
    """The department still has the wife as head: her husband's household is on the list."""
    run = on_dibao(tmp_path, ("李四", B))
    assert run.person("CMP-MZ1") == ["unknown", "clear", "clear"]
    assert run.found("CMP-MZ1").height == 0


@hazard("H29", "register xlsx and household registration csv GB18030, the family split in two")
def test_another_household_number_changes_nothing(tmp_path):
    """People are compared one by one: 户号 of 公安 is no household of the register."""
    project = County(tmp_path).registered(*household(("张三", A), ("李四", B, "之子")))
    rows = [
        ["户号", "姓名", "公民身份号码", "与户主关系", "户口状况"],
        ["1", "张三", A, "户主", "正常"],
        ["2", "李四", B, "户主", "正常"],
    ]
    run = project.file(write_text(tmp_path / "户籍.csv", rows, "gb18030"), "household_registration").run()
    assert run.links("household_registration-1") == [(0, 0, "accepted", "exact_id"), (1, 1, "accepted", "exact_id")]


PLACES = [
    # township    village        [places] of fupin.toml                        linked  told
    ("平川镇", "柳树村", "", True, None),
    ("平川镇", "柳树村委会", "", True, None),
    ("平川镇", "柳树社区", "", True, None),
    ("平川乡", "柳树", "", True, None),
    ("平川镇", "杨树村", "", False, "杨树村: 1"),
    ("东山镇", "柳树村", "", False, "东山镇: 1"),
    ("平川镇", "杨树村委会", '[places.village]\n"杨树村" = "柳树村"\n', True, None),
    ("平川镇", "杨树村", '[places.village]\n"平川镇/杨树村" = "柳树村"\n', True, None),
    ("东山镇", "柳树村", '[places.township]\n"东山镇" = "平川镇"\n', True, None),
    ("东山镇", "杨树村", '[places.village]\n"东山镇/杨树村" = "平川镇/柳树村"\n', True, None),
]


@hazard("H31", "register xlsx", "insured csv GB18030 with old and new names of places")
@pytest.mark.parametrize(("township", "village", "places", "linked", "said"), PLACES)
def test_places_are_mapped_or_told_but_never_guessed(tmp_path, township, village, places, linked, said):
    """A drawn table: a suffix is no difference, a renamed place is one until fupin.toml says so."""
    project = County(tmp_path, more=places).registered(*household(("张三", "无")))
    rows = [["姓名", "身份证号", "参保状态", "县", "乡镇", "村"], ["张三", A, "正常参保", "青禾县", township, village]]
    run = project.file(write_text(tmp_path / "医保.csv", rows, "gb18030"), "medical_insurance").run()
    links = [link for link in run.links("medical_insurance-1") if link[2] != "rejected"]
    assert links == ([(0, 0, "review", "name_place")] if linked else [])
    assert [detail for kind, detail in run.problems() if kind == "unmatched_place"] == ([said] if said else [])
