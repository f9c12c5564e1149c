"""Facts: what is true of every invented person and household, and what the register will say of it.

Register and departments agree about everything that no plan changed. Columns that the register prints carry their canonical
names; columns that end in `_true` are what the departments know.
"""

from __future__ import annotations

import polars as pl

from fupin_cli.synth.draws import look_up
from fupin_cli.synth.people import World
from fupin_cli.synth.plans import has_decoy, has_plan, is_target

DISABILITY_CLASSES = ["视力", "听力", "言语", "肢体", "智力", "精神", "多重"]
DISABILITY_LEVELS = ["一级", "二级", "三级", "四级"]
_GRADE_OF_AGE = [*["小学"] * 12, "七年级", "八年级", "九年级", "普通高中一年级", "普通高中二年级", "普通高中三年级"]
_CAUSES_OF_ANY = ["缺技术", "缺资金", "因灾", "交通条件落后", "自身发展动力不足"]
_NOT_ABLE = ["无劳动力", "丧失劳动力"]
_YUAN_A_MONTH = 500  # the least that a month of work brings home
_HEAVY_LAW = "taught_at_home", "exempt_from_school"


def yes_no(condition: pl.Expr) -> pl.Expr:
    """是 or 否."""
    return pl.when(condition).then(pl.lit("是")).otherwise(pl.lit("否"))


def add_facts(frame: pl.DataFrame, world: World) -> pl.DataFrame:
    """Every fact column beside whole households of people with plans."""
    frame = _add_exit(frame, world)
    frame = _add_disability(frame, world)
    frame = _add_welfare(frame, world)
    frame = _add_school(frame, world)
    frame = _add_house(frame, world)
    return _add_person_facts(_add_household_facts(frame, world), world)


def _add_exit(frame: pl.DataFrame, world: World) -> pl.DataFrame:
    draw, house = world.draw, pl.col("household")
    status = draw.unit("exit", house)
    wrongly = pl.col("plan").str.starts_with("EX1").fill_null(False)
    frame = frame.with_columns(
        exit_status=pl.when(wrongly | (status < 0.78))
        .then(pl.lit("已脱贫"))
        .when(status < 0.98)
        .then(pl.lit("未脱贫"))
        .otherwise(pl.lit("返贫"))
    )
    late = draw.unit("exit_year", house) < 0.6
    return frame.with_columns(
        exited=pl.col("exit_status") == "已脱贫",
        exit_year=pl.when(pl.col("exit_status") == "已脱贫").then(pl.when(late).then(2019).otherwise(2016)),
        first_identified_year=2013 + draw.below("identified", house, 3),
    )


def _add_disability(frame: pl.DataFrame, world: World) -> pl.DataFrame:
    """Who holds a certificate: outside the register nobody of level 一 or 二 but the planted."""
    draw, uid = world.draw, pl.col("uid")
    # those whose register row speaks for two places or two people hold none: a county's list could not agree with both
    barred = has_plan("CMP-DUP1", "CMP-DUP2", "CMP-ID4") | is_target("CMP-CL1")
    at_random = draw.unit("disabled", uid) < pl.when(pl.col("age") > 60).then(0.13).otherwise(0.05)
    excused = has_decoy(*_HEAVY_LAW) & pl.col("pupil")
    holds = ((at_random | excused) & ~barred) | is_target("CMP-CL2", "CMP-UR2")
    level = (
        pl.when(is_target("CMP-UR2")).then(draw.below("level", uid, 2))
        .when(excused).then(0)
        .when(pl.col("registered")).then(draw.below("level", uid, 4))
        .otherwise(2 + draw.below("level", uid, 2))
    )  # fmt: skip
    frame = frame.with_columns(
        certified=holds,
        class_no=pl.when(excused).then(4).otherwise(draw.pick("disability_class", uid, [3, 3, 3, 3, 0, 1, 2, 4, 5, 6])),
        level_no=level,
    )
    return frame.with_columns(
        disability_class=look_up(DISABILITY_CLASSES, pl.col("class_no")),
        disability_level=look_up(DISABILITY_LEVELS, pl.col("level_no")),
        disability_no=pl.col("id_number")
        + (pl.col("class_no") + 1).cast(pl.String)
        + (pl.col("level_no") + 1).cast(pl.String)
        + pl.when(draw.unit("reissued", uid) < 0.06).then(pl.lit("B1")).otherwise(pl.lit("")),
    )


def _add_welfare(frame: pl.DataFrame, world: World) -> pl.DataFrame:
    """低保 and 特困: what the register says (dibao, tekun) and who is on the 民政 lists (on_dibao, on_tekun, covered)."""
    draw, house, uid = world.draw, pl.col("household"), pl.col("uid")
    about_welfare = has_plan("CMP-MZ1", "CMP-MZ2", "CMP-MZ3", "CMP-DUP1", "CMP-DUP2", "CMP-ID4", "CMP-PS1")
    free = pl.col("registered") & ~about_welfare
    tekun = free & (pl.col("size") == 1) & (pl.col("age") >= 60) & (draw.unit("tekun", house) < 0.5)
    dibao = free & ~tekun & (draw.unit("dibao", house) < 0.3)
    # a household member may be listed without being covered
    uncovered = dibao & (pl.col("size") >= 4) & (pl.col("slot") == 1) & (draw.unit("uncovered", house) < 0.3)
    outside_tekun = is_target("CMP-UR1") & (pl.col("age") >= 60)
    return frame.with_columns(
        dibao=(dibao & ~uncovered) | is_target("CMP-MZ1", "CMP-MZ3"),
        tekun=tekun | is_target("CMP-MZ3"),
        on_dibao=dibao | is_target("CMP-MZ2", "CMP-MZ3") | (is_target("CMP-UR1") & ~outside_tekun),
        on_tekun=tekun | is_target("CMP-MZ3") | outside_tekun,
        covered=~uncovered,
        welfare_household=pl.when(tekun).then(pl.lit("特困")).when(dibao).then(pl.lit("低保")),
        # some rows reach only the province: welfare paid in another county, a death registered elsewhere
        province_only=is_target("CMP-PS1", "CMP-MZ2", "CMP-CL2", "CMP-UR1", "CMP-UR2")
        & ~outside_tekun
        & ~tekun  # the province keeps no list of 特困: whoever is on it must reach the county
        & (draw.unit("province_only", uid) < 0.4),
    )


def _add_school(frame: pl.DataFrame, world: World) -> pl.DataFrame:
    draw, uid, age = world.draw, pl.col("uid"), pl.col("school_age")
    student = (
        pl.when(age < 3)
        .then(pl.lit("学龄前儿童"))
        .when(age < 6)
        .then(pl.lit("学前教育"))
        .when(age < 16)
        .then(look_up(_GRADE_OF_AGE, pl.when(age.is_between(6, 15)).then(age)))
        .when((age < 18) & (draw.unit("senior_school", uid) < 0.8))
        .then(look_up(_GRADE_OF_AGE, pl.when(age.is_between(16, 17)).then(age)))
        .when(age.is_between(18, 21) & (draw.unit("college", uid) < 0.3))
        .then(pl.lit("高职高专二年级"))
    )
    dropped_out = is_target("EX1:NAT-H-4")
    home = has_decoy("taught_at_home") & pl.col("pupil") & pl.col("certified")
    exempt = has_decoy("exempt_from_school") & pl.col("pupil") & pl.col("certified")
    at_school = pl.col("pupil") | (age.is_between(16, 17) & student.is_not_null())
    schooling = (
        pl.when(age >= 65).then(draw.pick("education", uid, ["文盲或半文盲", "文盲或半文盲", "小学"]))
        .when(age >= 40).then(draw.pick("education", uid, ["小学", "小学", "初中", "文盲或半文盲"]))
        .when(age >= 18).then(draw.pick("education", uid, ["初中", "初中", "高中", "大专", "小学"]))
        .when(age >= 16).then(pl.lit("初中"))
    )  # fmt: skip
    return frame.with_columns(
        student_status=pl.when(dropped_out | exempt).then(pl.lit("非在校生")).otherwise(student),
        dropout_reason=pl.when(dropped_out).then(pl.lit("厌学")).when(exempt).then(pl.lit("因残")),
        home_teaching=home,
        education_exempt=exempt,
        education=pl.when(student.is_null()).then(schooling),
        on_roll=at_school & ~dropped_out & ~is_target("CMP-ED1") & ~home & ~exempt,
    )


def _add_house(frame: pl.DataFrame, world: World) -> pl.DataFrame:
    """The dwelling: what the register says and what 住建 appraised (appraised_grade, renovated_on), by the head."""
    draw, house = world.draw, pl.col("household")
    poor_house = has_plan("EX1:NAT-H-6") | (
        ~pl.col("exited") & ~has_plan("CMP-RE2") & (draw.unit("poor_house", house) < 0.3)
    )
    danger = draw.pick("danger", house, ["C", "D"])
    sound = draw.pick("sound", house, ["A", "A", "B"])
    renovated = ~poor_house & ~has_plan("CMP-RE2") & (has_decoy("renovated") | (draw.unit("renovated", house) < 0.25))
    year = 2014 + draw.below("renovated_year", house, 5)
    appraised = poor_house | renovated | has_plan("CMP-RE2") | (draw.unit("appraised", house) < 0.4)
    return frame.with_columns(
        house_grade=pl.when(poor_house).then(danger).otherwise(sound),
        dilapidated=poor_house,
        renovation_year=pl.when(renovated).then(year),
        is_appraised=appraised
        & (pl.col("slot") == 0)
        & (pl.col("registered") | (draw.unit("appraised_too", house) < 0.15)),
        appraised_grade=pl.when(poor_house | renovated | has_plan("CMP-RE2")).then(danger).otherwise(sound),
        appraised_on=pl.date(
            pl.when(renovated).then(year - 1).otherwise(2018), 3 + draw.below("appraised_month", house, 7), 12
        ),
        renovated_on=pl.when(renovated).then(pl.date(year, 10, 1 + draw.below("renovated_day", house, 28))),
    )


def _add_household_facts(frame: pl.DataFrame, world: World) -> pl.DataFrame:
    draw, house = world.draw, pl.col("household")
    spread = draw.below("income", house, 60) * draw.below("income_2", house, 100)  # skewed to the low end
    income = (
        pl.when(has_plan("EX1:NAT-H-1") & (pl.col("exit_year") == 2019)).then(2960 + draw.below("income", house, 240))
        .when(has_plan("EX1:NAT-H-1")).then(2600 + draw.below("income", house, 340))
        .when(pl.col("exit_year") == 2016).then(2960 + spread)
        .when(pl.col("exited")).then(3230 + spread)
        .otherwise(1400 + draw.below("income", house, 1500))
    )  # fmt: skip
    # on purpose: a few blank facts, about which a criterion must say unknown
    blank = pl.when(pl.col("plan").is_null()).then(
        draw.chance("blank_fact", house, {"water": 0.02, "food": 0.015, "house": 0.02, "income": 0.02})
    )

    def fact(value: pl.Expr, name: str) -> pl.Expr:
        return pl.when(~(blank == name).fill_null(False)).then(value)

    still_poor = ~pl.col("exited")
    net = income * pl.col("size")
    # the attribute follows what the register says of the members, rightly or wrongly
    attribute = (
        pl.when(pl.col("dibao").any().over("household")).then(pl.lit("低保"))
        .when(pl.col("tekun").any().over("household")).then(pl.lit("特困供养"))
        .otherwise(pl.lit("一般"))
    )  # fmt: skip
    return frame.with_columns(
        poverty_attr=attribute + pl.when("exited").then(pl.lit("脱贫户")).otherwise(pl.lit("贫困户")),
        member_count=pl.col("size"),
        income_per_head_yuan=fact(income, "income"),
        income_net_yuan=fact(net, "income"),
        income_total_yuan=fact(net + net * draw.below("expense", house, 30) // 100, "income"),
        could_earn=net * (60 + draw.below("wage", house, 30)) // 100,
        house_grade=fact(pl.col("house_grade"), "house"),
        dilapidated=fact(yes_no(pl.col("dilapidated")), "house"),
        safe_water=fact(yes_no(~has_plan("EX1:NAT-H-7") & ~(still_poor & (draw.unit("water", house) < 0.1))), "water"),
        food_ok=fact(yes_no(~has_plan("EX1:NAT-H-2")), "food"),
        clothing_ok=yes_no(~has_plan("EX1:NAT-H-3")),
        monitor_class=pl.when(pl.col("exited") & (income < 5000) & (draw.unit("monitored", house) < 0.08)).then(
            pl.lit("脱贫不稳定户")
        ),
    )


def _add_person_facts(frame: pl.DataFrame, world: World) -> pl.DataFrame:
    draw, uid, house, age = world.draw, pl.col("uid"), pl.col("household"), pl.col("age")
    uninsured = is_target("EX1:NAT-H-5") | (
        ~pl.col("exited") & pl.col("plan").is_null() & (pl.col("slot") == 0) & (draw.unit("uninsured", house) < 0.12)
    )
    uninsured = pl.when("registered").then(uninsured).otherwise(draw.unit("uninsured_too", uid) < 0.05)
    on_payroll = (draw.unit("payroll", uid) < 0.06) & age.is_between(22, 60) & ~pl.col("registered")
    ill = draw.unit("ill", uid)
    illness = pl.when(ill < 0.12).then(pl.lit("长期慢性病")).when(ill < 0.17).then(pl.lit("患有大病"))
    says_disabled = (pl.col("certified") & ~is_target("CMP-CL2")) | is_target("CMP-CL1")
    says_class = pl.when(is_target("CMP-CL1")).then(pl.lit("肢体")).otherwise(pl.col("disability_class"))
    labour = (
        pl.when((age < 16) | pl.col("student_status").is_not_null()).then(pl.lit("无劳动力"))
        .when(age >= 75).then(pl.lit("丧失劳动力"))
        .when((age >= 60) | says_disabled).then(pl.lit("弱劳动力或半劳动力"))
        .when((draw.unit("skilled", uid) < 0.1) & pl.col("education").ne_missing("文盲或半文盲")).then(pl.lit("技能劳动力"))
        .otherwise(pl.lit("普通劳动力"))
    )  # fmt: skip
    # nobody of a household without 低保 or 特困 is unable to work altogether: the head works a little
    supported = (pl.col("dibao") | pl.col("tekun")).any().over("household")
    on_their_own = labour.is_in(_NOT_ABLE).all().over("household") & ~supported
    labour = pl.when(on_their_own & (pl.col("slot") == 0)).then(pl.lit("弱劳动力或半劳动力")).otherwise(labour)
    frame = frame.with_columns(
        on_payroll=on_payroll,
        employee_insured=(on_payroll | is_target("CMP-CZ1")) & ~uninsured,
        insured=~uninsured,
        health=pl.when(says_disabled)
        .then(pl.when(illness.is_not_null()).then(illness + ",残疾").otherwise(pl.lit("残疾")))
        .otherwise(illness.fill_null("健康")),
        disability_type=pl.when(says_disabled).then(says_class + "残疾"),
        labour=labour,
        dead=is_target("CMP-PS1")
        | (~pl.col("registered") & (age > 62) & ~pl.col("target") & (draw.unit("dead", uid) < 0.06)),
        entered_early=(pl.col("county_no") == 0) & (pl.col("township_no") == world.townships - 1),
    )
    frame = _add_work(frame, world)
    early = pl.date(2019, 10, 14) + pl.duration(days=draw.below("entered", house, 10))
    later = pl.date(2019, 11, 11) + pl.duration(days=draw.below("entered", house, 9))
    return frame.with_columns(
        resident_medical=yes_no(pl.col("insured") & ~pl.col("employee_insured")),
        employee_medical=yes_no(pl.col("employee_insured")),
        critical_illness_ins=yes_no(pl.col("insured")),
        entered_on=pl.when("entered_early").then(early).otherwise(later),
    )


def _add_work(frame: pl.DataFrame, world: World) -> pl.DataFrame:
    """Months of work, the wages that they brought, and the main cause of poverty, beside labour and health.

    Nobody works longer than the household's income can pay at `_YUAN_A_MONTH`, and no cause contradicts the members.
    """
    draw, uid, house = world.draw, pl.col("uid"), pl.col("household")
    able = pl.col("labour").is_in(["普通劳动力", "技能劳动力"])
    works = able & ~pl.col("tekun") & (draw.unit("works_away", uid) < 0.6)
    wanted = pl.when(works).then(3 + draw.below("work_months", uid, 9)).otherwise(0)
    frame = frame.with_columns(wanted=wanted, months_paid=pl.col("could_earn") // _YUAN_A_MONTH).with_columns(
        asked=pl.col("wanted").sum().over(house)
    )
    months = (
        pl.when(pl.col("asked") > pl.col("months_paid"))
        .then(pl.col("wanted") * pl.col("months_paid") // pl.col("asked"))
        .otherwise("wanted")
    )
    kind = draw.unit("cause_kind", house)
    status = pl.col("student_status")
    studies = status.is_not_null() & ~status.is_in(["非在校生", "学龄前儿童", "学前教育"])
    ill, disabled = pl.col("health") != "健康", pl.col("health").str.contains("残疾")
    return frame.with_columns(
        work_months=pl.when(months > 0).then(months),
        income_wage_yuan=pl.when(pl.col("income_net_yuan").is_not_null()).then(
            pl.when(months.sum().over(house) > 0).then("could_earn").otherwise(0)
        ),
        cause_main=pl.when(disabled.any().over(house) & (kind < 0.3)).then(pl.lit("因残"))
        .when(ill.any().over(house) & (kind < 0.6)).then(pl.lit("因病"))
        .when(studies.any().over(house) & (kind < 0.75)).then(pl.lit("因学"))
        .when((4 * able.sum().over(house) <= pl.col("size")) & (kind < 0.95)).then(pl.lit("缺劳力"))
        .otherwise(draw.pick("cause", house, _CAUSES_OF_ANY)),
    ).drop("wanted", "months_paid", "asked", "could_earn")  # fmt: skip
