"""What linking compares, as small as it can be: ten million rows of it fit where their texts would not.

A usable ID number is its first 17 digits as an integer (the 18th character follows from them), sex is a Boolean, and a place is
a code into one table of names that both sides of a comparison share.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import polars as pl

from fupin_cli.normalise.id_number import number_keys
from fupin_cli.normalise.person_name import name_keys
from fupin_cli.normalise.regions import place_codes
from fupin_cli.vocabulary import KEYS


def person_keys(people: pl.DataFrame, row: str, household: str = "household_id") -> pl.DataFrame:
    """KEYS, one per row: `at` is the column `row`; a raw column that is absent counts as missing.

    `birth` is the column of its own, `birth_in_id` what the ID number says; sex is the column's, or else the number's.
    `household` is the column whose value the members of one household share, in this list.
    """

    def column(name: str, dtype: pl.DataType) -> pl.Series:
        absent = pl.repeat(None, people.height, dtype=dtype, eager=True)
        return people[name].cast(dtype) if name in people.columns else absent

    with ThreadPoolExecutor() as pool:  # three columns, three threads: the work is polars' and holds no lock
        numbers = pool.submit(number_keys, column("id_raw", pl.String()))
        names = pool.submit(name_keys, column("name_raw", pl.String()))
        places = pool.submit(place_codes, people)
    frame = numbers.result().hstack(
        [
            people[row].alias("at"),
            names.result().alias("name"),
            name_keys(column("former_name", pl.String())).alias("former_name"),
            column(household, pl.String()).alias("household"),
            column("phone", pl.String()).alias("phone"),
            column("birth_on", pl.Date()).alias("birth"),
            (column("sex", pl.String()) == "男").alias("male"),
            *places.result().get_columns(),
        ]
    )
    return KEYS.conform(frame.with_columns(pl.coalesce("male", "male_in_id")).drop("male_in_id"))
