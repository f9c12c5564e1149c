"""The sample's files as offices send them: which office, which layout, which columns under which headers.

Layouts differ on purpose, as they do between counties and departments; what is in them is one invented world.
"""

# ruff: noqa: E501  (a row of headers is one line, and Chinese counts double)

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from fupin_cli.errors import OutputError, system_words
from fupin_cli.language import tr
from fupin_cli.synth import extracts as _extracts
from fupin_cli.synth import invent, number_rows
from fupin_cli.synth import register as _register
from fupin_cli.synth.errors import SAMPLE
from fupin_cli.synth.extracts import Source
from fupin_cli.synth.office_files import Layout, Sheet, write_file
from fupin_cli.synth.outside import write_outside
from fupin_cli.synth.people import World
from fupin_cli.synth.photos import write_photos
from fupin_cli.synth.planted import planted_rows, truth_links, with_others

DISCREPANCIES = 0.02  # share of households per planted rule
REGISTERED = 0.5
_COUNTY_IDS = ("qinghe", "baishi")
_COUNTY_NAMES = ("青禾县", "白石县")

# Columns in the order of the file: `field=header`; a header with `/` is two rows high, its first half merged over its group.
_PERSON = (
    "county=县 township=乡(镇) village=行政村 hamlet=村民小组 household_id=户编号 person_id=人口编号 head_name=户主姓名 "
    "name=人员信息/姓名 id_type=人员信息/证件类型 id_number=人员信息/证件号码 sex=人员信息/性别 birth_on=人员信息/出生日期 relation=人员信息/与户主关系 "
    "ethnicity=人员信息/民族 education=人员信息/文化程度 student_status=人员信息/在校生状况 dropout_reason=人员信息/失学或辍学原因 "
    "home_teaching=人员信息/是否送教上门 education_exempt=人员信息/残疾人教育专家委员会认定 health=人员信息/健康状况 disability_type=人员信息/残疾类别 "
    "labour=人员信息/劳动技能 work_months=人员信息/务工时间（月） "
    "resident_medical=保障情况/是否参加城乡居民基本医疗保险 employee_medical=保障情况/是否参加城镇职工基本医疗保险 "
    "critical_illness_ins=保障情况/是否参加大病保险 dibao=保障情况/是否享受低保 tekun=保障情况/是否特困供养人员 "
)
_HOUSEHOLD = (
    "poverty_attr=户信息/贫困户属性 exit_status=户信息/脱贫属性 exit_year=户信息/脱贫年度 first_identified_year=户信息/首次识别时间 "
    "cause_main=户信息/主要致贫原因 member_count=户信息/家庭人口数 income_total_yuan=户信息/年收入（元） income_net_yuan=户信息/纯收入（元） "
    "income_per_head_yuan=户信息/人均纯收入（元） income_wage_yuan=户信息/工资性收入 house_grade=户信息/危房等级 dilapidated=户信息/是否危房户 "
    "renovation_year=户信息/危改年度 safe_water=户信息/是否解决安全饮用水 food_ok=户信息/是否不愁吃 clothing_ok=户信息/是否不愁穿 "
    "monitor_class=户信息/监测对象类别 entered_on=录入时间"
)
_REGISTER = (Layout.read(f"#=序号 {_PERSON}{_HOUSEHOLD}"),)
# the other county's clerks each chose their own order
_REGISTER_BY_TOWNSHIP = (
    Layout.read(f"#=序号 {_PERSON}{_HOUSEHOLD}"),
    Layout.read(f"#=序号 {_PERSON.replace('=人员信息/', '=').replace('=保障情况/', '=')}{_HOUSEHOLD.replace('=户信息/', '=')}").moved(
        "id_number id_type name sex relation", "county"
    ),
    Layout.read(
        f"{_HOUSEHOLD.replace('=户信息/', '=')} {_PERSON.replace('=人员信息/', '=').replace('=保障情况/', '=')}"
        .replace("=年收入（元）", "=家庭总收入").replace("=人均纯收入（元）", "=年人均纯收入").replace("=是否参加城乡居民基本医疗保险", "=是否参加新型农村合作医疗")
    ).moved("village household_id name id_number", "poverty_attr"),
)  # fmt: skip


@dataclass(frozen=True)
class OfficeFile:
    """One extract file: what it holds, what it is called, how it looks."""

    source: Source
    path: str
    columns: str
    title: str | None = None
    second: str | None = None  # the line below the title: unit, date
    footer: tuple[str, ...] = ()
    total: bool = False
    dates: str = "iso"
    encoding: str = "utf-8-sig"
    by_township: bool = False
    notes_sheet: bool = False


def _county_files(county_no: int) -> list[OfficeFile]:
    who, name = _COUNTY_IDS[county_no], _COUNTY_NAMES[county_no]
    other = county_no == 1

    def source(suffix: str, kind: str) -> Source:
        return Source(f"{who}-{suffix}", kind, "county", county_no)

    folder = f"county/{name}"
    clerk = ("制表人：何文书", "制表时间：2019年11月4日")
    return [
        OfficeFile(
            source("dibao", "dibao"),
            f"{folder}/{name}民政局_农村低保发放明细_201910.xlsx",
            "#=序号 township=乡镇 village=村（社区） head_name=户主姓名 name=姓名 sex=性别 id_number=身份证号 relation=与户主关系 welfare_cert_no=低保证号 "
            "covered=是否保障对象 amount_month_yuan=领取金额/小计 start_month=起始保障年月"
            if not other
            else "township=乡镇 village=行政村 welfare_cert_no=低保证号 head_name=户主姓名 relation=与户主关系 name=家庭成员姓名 id_number=身份证号码 birth_on=出生日期 "
            "welfare_kind=救助类别 covered=是否保障对象 amount_month_yuan=保障金额（元） start_month=起始保障年月",
            title=f"{name}农村最低生活保障金发放明细表",
            second=f"单位：{name}民政局　　　　2019年10月",
            footer=clerk,
            total=True,
            dates="chinese",
            by_township=other,
        ),
        OfficeFile(
            source("tekun", "tekun"),
            f"{folder}/{name}特困供养人员花名册.xlsx",
            "#=序号 township=所在乡镇 village=村名称 name=供养对象姓名 sex=性别 id_number=身份证号码 support_mode=供养方式 welfare_cert_no=供养证号 "
            "amount_month_yuan=月供养金额（元） start_month=起始供养年月",
            title=f"{name}特困供养人员花名册",
            footer=clerk[:1],
            total=other,
        ),
        OfficeFile(
            source("deaths", "deaths"),
            f"{folder}/{name}公安局死亡注销人员{'（1）' if other else ''}.xls",
            "name=姓名 sex=性别 birth_on=出生日期 id_number=公民身份号码 address=户籍地址 death_on=死亡日期 cancel_kind=死亡注销类别 cancelled_on=注销日期",
            title=f"{name}公安局 2018—2019 年死亡注销人员名单" if not other else None,
            dates="compact" if not other else "cell",
        ),
        OfficeFile(
            source("housing", "housing_appraisals"),
            f"{folder}/{name}住建局_农房鉴定台账.csv",
            "township=乡镇 village=村 name=户主姓名 id_number=户主身份证号 address=家庭住址 house_structure=房屋结构 house_grade=鉴定等级 appraised_on=鉴定时间 "
            "renovated_on=改造竣工时间",
            dates="dots" if other else "slashes",
            encoding="gb18030",
        ),
        OfficeFile(
            source("disability", "disability"),
            f"{folder}/{name}残联持证残疾人名册_20191031.xlsx",
            "#=序号 township=乡镇 village=村 name=姓名 sex=性别 disability_no=残疾人证号 disability_class=残疾类别 disability_level=残疾等级 issued_on=发证日期 "
            "cert_status=状态",
            title=f"{name}持证残疾人名册",
            second="数据截止日期：2019年10月31日",
            footer=clerk[:1],
            dates="cell" if other else "iso",
            by_township=not other,
            notes_sheet=other,
        ),
    ]


def _province_files() -> list[OfficeFile]:
    def source(kind: str) -> Source:
        return Source(f"province-{kind.replace('_', '-')}", kind, "province")

    return [
        OfficeFile(
            source("household_registration"),
            "province/省公安厅_常住人口信息_20191130.xlsx",
            "name=姓名 former_name=曾用名 sex=性别 birth_on=出生日期 id_number=公民身份号码 hukou_no=户号 relation=与户主关系 address=户籍地址 hukou_status=人员状态",
            dates="compact",
        ),
        OfficeFile(
            source("deaths"),
            "province/省公安厅_死亡注销_20191130.csv",
            "id_number=公民身份号码 name=姓名 sex=性别 address=户籍地址 death_on=死亡日期 cancel_kind=死亡注销类别 cancelled_on=注销日期",
            dates="compact",
        ),
        OfficeFile(
            source("vehicles"),
            "province/省交警总队_机动车登记信息.xlsx",
            "plate_no=号牌号码 vehicle_type=车辆类型 brand_model=品牌型号 use=使用性质 name=机动车所有人 id_number=身份证明号码 address=住址 "
            "first_registered_on=初次登记日期 vehicle_status=机动车状态",
            dates="cell",
        ),
        OfficeFile(
            source("real_estate"),
            "province/省自然资源厅_不动产登记.xlsx",
            "right_no=不动产权证号 name=权利人 id_number=权利人证件号 location=坐落 area=建筑面积 use=规划用途 obtain_mode=产权取得方式 co_own=共有方式 registered_on=登记时间",
            title="不动产登记信息查询结果",
            second="查询时间：2019年11月30日",
        ),
        OfficeFile(
            source("payroll"),
            "province/省财政厅_财政供养人员.xlsx",
            "#=序号 employer=单位名称 name=姓名 sex=性别 birth_on=出生日期 id_number=身份证号码 post_kind=人员类别 salary_month_yuan=实际执行月工资(元/月)",
            title="全省财政供养人员信息表",
            footer=("制表人：财政厅信息中心",),
            total=True,
        ),
        OfficeFile(
            source("companies"),
            "province/省市场监管局_市场主体人员.csv",
            "company_name=企业名称 credit_code=统一社会信用代码 company_status=企业状态 name=姓名 id_number=证件号码 role=职务 capital_yuan=注册资本（元） "
            "founded_on=成立日期 annual_report_year=最近年报年度",
            encoding="gb18030",
        ),
        OfficeFile(
            source("medical_insurance"),
            "province/省医保局_2019年度参保人员.xlsx",
            "county=县 township=乡镇 village=村 name=姓名 id_number=证件号码 sex=性别 birth_on=出生日期 insurance_kind=险种类型 insured_status=参保状态 insured_year=参保年度",
        ),
        OfficeFile(
            source("school_roll"),
            "province/省教育厅_中小学学籍.xlsx",
            "student_no=全国学籍号 name=姓名 sex=性别 birth_on=出生日期 id_number=身份证件号 school=学校名称 grade=年级 enrolled_on=入学年月 attendance=就读状态",
            dates="compact",
        ),
        OfficeFile(
            source("dibao"),
            "province/省民政厅_农村低保对象_201911.xlsx",
            "county=县(市、区) township=乡镇 village=行政村 head_name=户主姓名 name=姓名 id_number=身份证号 sex=性别 relation=与户主的关系 welfare_cert_no=低保证号 welfare_kind=救助类别 "
            "covered=是否保障对象 amount_month_yuan=保障金额（元） start_month=起始年月",
            title="农村最低生活保障对象名册",
        ),
        OfficeFile(
            source("disability"),
            "province/省残联_持证残疾人.csv",
            "name=姓名 sex=性别 birth_on=出生日期 disability_no=残疾证号 disability_class=类别 disability_level=等级 county=县名称 township=乡镇 village=村 issued_on=发证日期 cert_status=证件状态",
            dates="iso",
        ),
    ]


def office_files() -> list[OfficeFile]:
    """Every extract file of the sample, county files first: the order in which evidence is found."""
    return [*_county_files(0), *_county_files(1), *_province_files()]


def write_tree(folder: Path, *, seed: int, persons: int) -> None:
    """Writes register/, county/, province/ and truth/ below the folder; the same bytes for the same seed and size."""
    world = World(seed, persons, counties=2, registered_share=REGISTERED)
    files = office_files()
    tables = invent(world, 0, persons, [file.source for file in files], SAMPLE, DISCREPANCIES)
    # as the files stand: county by county in the order of their names (白石县, 青禾县), township by township
    tables = replace(
        tables,
        register=tables.register.sort("county_no", "village_no", descending=[True, False], maintain_order=True),
        extracts=[
            (source, rows.sort("township_no", maintain_order=True) if file.by_township else rows)
            for file, (source, rows) in zip(files, tables.extracts, strict=True)
        ],
    )
    tables = number_rows(tables, {})
    # rows are counted as they stand in the files: the first register file ends with a line of totals, which is one of them
    second_file = (pl.col("county_no") == 0).cast(pl.Int64)
    tables = replace(tables, register=tables.register.with_columns(register_row=pl.col("register_row") + second_file))
    try:
        for path in {"truth", "register", *(str(Path(file.path).parent) for file in files)}:
            (folder / path).mkdir(parents=True, exist_ok=True)
        _write_register(folder, tables.register)
        for file, (_, rows) in zip(files, tables.extracts, strict=True):
            _write_extract(folder, file, rows)
        write_outside(folder, world, persons, DISCREPANCIES)
        truth_links(tables.register, tables.extracts).write_parquet(folder / "truth/truth.parquet")
        photos = write_photos(folder, tables.register)
        with_others(planted_rows(tables.register, tables.extracts), photos).write_parquet(
            folder / "truth/planted.parquet"
        )
    except OSError as error:
        raise OutputError(
            tr("cannot write the sample files"), where=str(folder), why=system_words(error.errno)
        ) from None


def _write_register(folder: Path, register: pl.DataFrame) -> None:
    day = ("20191120", "20191121")
    for county_no, name in enumerate(_COUNTY_NAMES):
        rows = register.filter(pl.col("county_no") == county_no)
        cells = _with_typed(_register.written(rows), rows)
        title = (f"{name}脱贫人口信息", f"导出单位：{name}扶贫开发办公室　　导出日期：{day[county_no]}")
        if county_no == 0:
            sheets = [Sheet("Sheet1", cells, _REGISTER[0], title, total="合计")]
        else:
            names = cells["township"].unique(maintain_order=True).to_list()
            sheets = [
                Sheet(
                    town,
                    cells.filter(pl.col("township") == town),
                    _REGISTER_BY_TOWNSHIP[at % len(_REGISTER_BY_TOWNSHIP)],
                    (f"{name}{town}脱贫人口信息", title[1]),
                    total="合计" if town == names[-1] else None,
                )
                for at, town in enumerate(names)
            ]
        write_file(folder / f"register/{name}_（自定义）脱贫人口信息_{day[county_no]}.xlsx", sheets)


def _write_extract(folder: Path, file: OfficeFile, rows: pl.DataFrame) -> None:
    cells = _with_typed(_extracts.written(rows, file.source.kind), rows).with_columns(_town=rows["township"])
    layout = Layout.read(file.columns)
    title = tuple(line for line in (file.title, file.second) if line)
    towns = cells["_town"].unique(maintain_order=True).to_list() if file.by_township else [None]
    sheets = [
        Sheet(
            town or "Sheet1",
            cells.filter(pl.col("_town") == town) if town else cells,
            layout,
            title,
            total="合计" if file.total and town == towns[-1] else None,
            footer=file.footer if town == towns[-1] else (),
            dates=file.dates,
        )
        for town in towns
    ]
    write_file(folder / file.path, sheets, encoding=file.encoding, notes=file.notes_sheet)


def _with_typed(cells: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """The cells with `_typed`: true where the clerk's spreadsheet took the ID for a number."""
    return cells.with_columns(_typed=(rows["id_fault"] == "id_number_typed").fill_null(False))
