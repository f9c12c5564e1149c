"""Who is on which department's list, and what the list says of them: one function per kind of extract."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from fupin_cli.synth.draws import look_up
from fupin_cli.synth.people import CITY, PROVINCE, World
from fupin_cli.synth.plans import has_decoy, is_target


def _household_registration(people: pl.DataFrame, world: World) -> pl.DataFrame:
    draw, uid = world.draw, pl.col("uid")
    gone = draw.pick("gone", uid, ["迁出", "迁出", "注销"])
    status = (
        pl.when(is_target("CMP-PS2")).then(gone)
        .when("dead").then(pl.lit("死亡"))
        .when(~pl.col("registered") & (draw.unit("gone_too", uid) < 0.02)).then(gone)
        .otherwise(pl.lit("正常"))
    )  # fmt: skip
    # those who died are no longer on the police's current list, unless strangers to the register
    return people.filter(~is_target("CMP-PS1")).with_columns(
        hukou_status=status,
        hukou_no="9901" + pl.col("household").cast(pl.String).str.zfill(8),
        # the police say 妻 or 夫, 子 or 女 where the register says 配偶, 之子, 之女
        relation=pl.when(pl.col("relation") == "配偶")
        .then(pl.when(pl.col("sex") == "男").then(pl.lit("夫")).otherwise(pl.lit("妻")))
        .otherwise(pl.col("relation").str.strip_prefix("之")),
    )


def _deaths(people: pl.DataFrame, world: World) -> pl.DataFrame:
    draw, uid = world.draw, pl.col("uid")
    died_on = pl.date(2018, 3, 1) + pl.duration(days=draw.below("died", uid, 560))
    return people.filter("dead").with_columns(
        death_on=died_on,
        cancel_kind=draw.pick("cancel_kind", uid, ["正常死亡", "正常死亡", "医院死亡"]),
        cancelled_on=died_on + pl.duration(days=3 + draw.below("cancelled", uid, 30)),
    )


def _vehicles(people: pl.DataFrame, world: World) -> pl.DataFrame:
    draw, uid = world.draw, pl.col("uid")
    planted = is_target("CMP-VH1")
    wheelchair = has_decoy("wheelchair") & (pl.col("slot") == 0)
    owner = (
        planted
        | wheelchair
        | (~pl.col("registered") & pl.col("age").is_between(20, 65) & (draw.unit("car", uid) < 0.2))
    )
    owners = people.filter(owner)
    second = owners.filter(~wheelchair & (draw.unit("second_car", uid) < 0.15)).with_columns(
        copy=pl.lit(1), draw_index=pl.col("uid") + 10**9
    )
    index = pl.col("draw_index")
    kind = draw.pick("vehicle", index, ["小型轿车", "小型轿车", "小型普通客车", "轻型普通货车", "重型半挂牵引车"])
    letters = draw.pick("plate_letter", index, list("ABCDE"))
    return pl.concat([owners, second]).with_columns(
        plate_no="溟" + letters + draw.below("plate", index, 100_000).cast(pl.String).str.zfill(5),
        vehicle_type=pl.when(wheelchair).then(pl.lit("残疾人机动轮椅车")).otherwise(kind),
        use=pl.when(kind.str.contains("货车|牵引")).then(pl.lit("货运")).otherwise(pl.lit("非营运")),
        brand_model=pl.when(wheelchair)
        .then(pl.lit("助力牌ZL150"))
        .otherwise(draw.pick("brand", index, ["远行牌YX7150", "山河牌SH6440", "长岭牌CL1040"])),
        first_registered_on=pl.date(2011, 1, 15) + pl.duration(days=draw.below("car_date", index, 3000)),
        vehicle_status=pl.lit("正常"),
    )


def _welfare(people: pl.DataFrame, world: World, kind: str) -> pl.DataFrame:
    draw, house = world.draw, pl.col("household")
    heads = people.with_columns(head_name=pl.col("name").first().over("household"))
    return (
        heads.filter(f"on_{kind}")
        .with_columns(
            welfare_cert_no=("DB" if kind == "dibao" else "TK") + "9901" + house.cast(pl.String).str.zfill(8),
            covered=pl.when("covered").then(pl.lit("是")).otherwise(pl.lit("否")),
            support_mode=draw.pick("support", house, ["分散供养", "分散供养", "集中供养"]),
            amount_month_yuan=150 + 10 * draw.below("welfare", house, 26) + (0 if kind == "dibao" else 300),
            start_month=look_up(["201604", "201701", "201710", "201807", "201904"], draw.below("start", house, 5)),
        )
        .with_columns(welfare_kind=pl.lit("农村低保") if kind == "dibao" else "特困" + pl.col("support_mode"))
    )


def _housing_appraisals(people: pl.DataFrame, world: World) -> pl.DataFrame:
    structure = world.draw.pick("structure", pl.col("household"), ["砖混结构", "砖木结构", "土木结构", "石木结构"])
    return people.filter("is_appraised").with_columns(house_grade=pl.col("appraised_grade"), house_structure=structure)


def _real_estate(people: pl.DataFrame, world: World) -> pl.DataFrame:
    draw, uid = world.draw, pl.col("uid")
    planted, head = is_target("CMP-RE1"), pl.col("slot") == 0
    homestead, resettled = has_decoy("homestead") & head, has_decoy("resettled") & head
    outside = ~pl.col("registered") & (pl.col("age") > 24) & (draw.unit("flat", uid) < 0.08)
    bought = planted | outside
    return people.filter(bought | homestead | resettled).with_columns(
        right_no="南（2017）" + pl.col("county") + "不动产权第" + uid.cast(pl.String).str.zfill(7) + "号",
        location=PROVINCE
        + CITY
        + pl.when(bought)
        .then(pl.col("county") + "城关镇滨河路" + (1 + uid % 90).cast(pl.String) + "号")
        .otherwise(pl.col("county") + pl.col("township") + pl.col("village")),
        area=60 + draw.below("area", uid, 90),
        use=pl.when(bought)
        .then(draw.pick("house_use", uid, ["住宅", "住宅", "成套住宅", "商业服务"]))
        .when(homestead)
        .then(pl.lit("农村宅基地"))
        .otherwise(pl.lit("住宅")),
        obtain_mode=pl.when(bought)
        .then(pl.lit("购买商品房"))
        .when(homestead)
        .then(pl.lit("自建"))
        .otherwise(draw.pick("resettled", uid, ["易地扶贫搬迁", "灾后重建", "拆迁安置"])),
        co_own=pl.lit("单独所有"),
        registered_on=pl.date(2012, 2, 1) + pl.duration(days=draw.below("house_date", uid, 2700)),
    )


def _disability(people: pl.DataFrame, world: World) -> pl.DataFrame:
    cancelled = has_decoy("cancelled_certificate") & (pl.col("slot") == 0) & ~pl.col("certified")
    return people.filter(pl.col("certified") | cancelled).with_columns(
        issued_on=pl.date(2010, 5, 4) + pl.duration(days=world.draw.below("issued", pl.col("uid"), 3200)),
        cert_status=pl.when(cancelled).then(pl.lit("注销")).otherwise(pl.lit("有效")),
    )


def _payroll(people: pl.DataFrame, world: World) -> pl.DataFrame:
    draw, uid, head = world.draw, pl.col("uid"), pl.col("slot") == 0
    planted = is_target("CMP-CZ1")
    exempt = {"public_post": "公益性岗位", "village_cadre": "村干部", "survivor": "遗属补助"}
    posts = draw.pick("post", uid, ["在编在职", "在编在职", "事业编制", "离退休"])
    post = pl.coalesce(
        pl.when(pl.col("on_payroll") | planted).then(posts),
        *(pl.when(has_decoy(decoy) & head).then(pl.lit(label)) for decoy, label in exempt.items()),
    )
    employer = draw.pick("employer", uid, ["中心小学", "卫生院", "水利站", "人民政府", "财政所", "林业站"])
    return (
        people.with_columns(post_kind=post)
        .filter(pl.col("post_kind").is_not_null())
        .with_columns(
            employer=pl.col("county") + pl.col("township") + employer,
            salary_month_yuan=pl.when(pl.col("on_payroll") | planted)
            .then(2800 + draw.below("salary", uid, 4000))
            .otherwise(500 + draw.below("salary", uid, 500)),
        )
    )


def _companies(people: pl.DataFrame, world: World) -> pl.DataFrame:
    draw, uid, head = world.draw, pl.col("uid"), pl.col("slot") == 0
    member, closed = has_decoy("cooperative") & head, has_decoy("closed_company") & head
    planted = is_target("CMP-IC1")
    outside = ~pl.col("registered") & pl.col("age").is_between(20, 68) & (draw.unit("company", uid) < 0.06)
    trade = draw.pick("trade", uid, ["建材", "农资", "餐饮", "运输", "百货", "种植", "养殖"])
    form = (
        pl.when(member).then(pl.lit("农民专业合作社")).otherwise(draw.pick("form", uid, ["有限公司", "经营部", "店"]))
    )
    return people.filter(member | closed | planted | outside).with_columns(
        company_name=pl.col("county")
        + draw.pick("brand_name", uid, list("兴盛旺达利民丰源"))
        + draw.pick("brand_name_2", uid, list("隆泰顺和诚茂"))
        + trade
        + form,
        credit_code="929901" + (21 + pl.col("county_no")).cast(pl.String) + "MA" + uid.cast(pl.String).str.zfill(8),
        role=pl.when(member)
        .then(pl.lit("合作社成员"))
        .otherwise(draw.pick("role", uid, ["法定代表人", "经营者", "股东", "负责人"])),
        capital_yuan=10_000 * (1 + draw.below("capital", uid, 80)),
        founded_on=pl.date(2009, 6, 1) + pl.duration(days=draw.below("founded", uid, 3500)),
        company_status=pl.when(closed)
        .then(draw.pick("closed", uid, ["注销", "吊销"]))
        .otherwise(draw.pick("open", uid, ["存续", "在业", "开业"])),
        annual_report_year=pl.lit(2018),
    )


def _medical_insurance(people: pl.DataFrame, world: World) -> pl.DataFrame:
    _ = world
    kind = pl.when("employee_insured").then(pl.lit("职工基本医疗保险")).otherwise(pl.lit("城乡居民基本医疗保险"))
    return people.filter(pl.col("insured") & ~is_target("CMP-YB1")).with_columns(
        insurance_kind=kind, insured_status=pl.lit("正常参保"), insured_year=pl.lit(2019)
    )


def _school_roll(people: pl.DataFrame, world: World) -> pl.DataFrame:
    draw, uid, age = world.draw, pl.col("uid"), pl.col("school_age")
    primary = age < 12
    years = list("一二三四五六七八九")
    grade = (
        pl.when(age < 15).then(look_up([f"{year}年级" for year in years], pl.when(age.is_between(6, 14)).then(age - 6)))
        .otherwise(look_up(["高一", "高二", "高三"], pl.when(age.is_between(15, 17)).then(age - 15)))
    )  # fmt: skip
    senior = age > 14
    # J and L numbers are generated for pupils without a citizen number on file: they are no ID
    other = (
        "L990121"
        + pl.col("birth_on").dt.strftime("%Y%m%d")
        + draw.below("student_no", uid, 10_000).cast(pl.String).str.zfill(4)
    )
    return people.filter("on_roll").with_columns(
        student_no=pl.when(draw.unit("temporary_no", uid) < 0.03).then(other).otherwise("G" + pl.col("id_number")),
        school=pl.when(primary)
        .then(pl.col("county") + pl.col("township") + "中心小学")
        .when(senior)
        .then(pl.col("county") + "高级中学")
        .otherwise(pl.col("county") + pl.col("township") + "初级中学"),
        grade=pl.when(pl.col("student_status") == "九年级").then(pl.lit("九年级")).otherwise(grade),
        enrolled_on=pl.date(
            pl.when(primary).then(2019 - (age - 6)).when(senior).then(2019 - (age - 15)).otherwise(2019 - (age - 12)),
            9,
            1,
        ),
        attendance=pl.lit("在读"),
    )


LISTS: dict[str, Callable[[pl.DataFrame, World], pl.DataFrame]] = {
    "household_registration": _household_registration,
    "deaths": _deaths,
    "vehicles": _vehicles,
    "dibao": lambda people, world: _welfare(people, world, "dibao"),
    "tekun": lambda people, world: _welfare(people, world, "tekun"),
    "housing_appraisals": _housing_appraisals,
    "real_estate": _real_estate,
    "disability": _disability,
    "payroll": _payroll,
    "companies": _companies,
    "medical_insurance": _medical_insurance,
    "school_roll": _school_roll,
}
