"""The list of rural households outside the register, as a county keeps it: whom an audit asks about having been missed."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from fupin_cli.synth.draws import look_up
from fupin_cli.synth.office_files import Layout, Sheet, write_file
from fupin_cli.synth.people import World, people, with_village
from fupin_cli.synth.plans import add_plans

OUTSIDE_LIST = "audit/未建档立卡农户名单.xlsx"
_LAYOUT = Layout.read(
    "#=序号 county=县 township=乡镇 village=行政村 hamlet=村民小组 name=户主姓名 id_number=户主身份证号 "
    "member_count=家庭人口数 group_stated=农户类别"
)
_GROUPS = ("其他农户", "其他农户", "其他农户", "其他农户", "边缘户", "清退户")


def write_outside(folder: Path, world: World, persons: int, discrepancies: float) -> None:
    """Writes the list below the folder: one row for each household without a place in the register, as its head."""
    everyone = with_village(add_plans(people(world, 0, persons), world, discrepancies), world)
    heads = everyone.filter(~pl.col("registered"), pl.col("slot") == 0).sort("county_no", "village_no", "household")
    kind = world.draw.below("outside_group", pl.col("household"), len(_GROUPS))
    cells = heads.select(
        "county", "township", "village", "hamlet", "name", "id_number", pl.col("size").cast(pl.String).alias("member_count"),
        look_up(_GROUPS, kind).alias("group_stated"), pl.lit(value=False).alias("_typed"),
    )  # fmt: skip
    path = folder / OUTSIDE_LIST
    path.parent.mkdir(parents=True, exist_ok=True)
    title = ("未建档立卡农户名单", "单位：云岭市扶贫开发办公室　　　　2019年11月")
    write_file(path, [Sheet("Sheet1", cells, _LAYOUT, title)])
