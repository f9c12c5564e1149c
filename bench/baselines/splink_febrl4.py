"""Splink on FEBRL4 with a model as detailed as that of its own example: both names, birth date, ID, street, suburb, postcode."""

import logging
import sys

import duckdb
import polars as pl
import splink.comparison_level_library as cll
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

logging.getLogger("splink").setLevel(logging.ERROR)
a, b, output = sys.argv[1:]
names = cl.CustomComparison(
    output_column_name="names",
    comparison_levels=[
        cll.And(cll.NullLevel("given_name"), cll.NullLevel("surname")),
        cll.And(cll.ExactMatchLevel("given_name"), cll.ExactMatchLevel("surname")),
        cll.ColumnsReversedLevel("given_name", "surname", symmetrical=True),
        cll.And(cll.JaroWinklerLevel("given_name", 0.9), cll.JaroWinklerLevel("surname", 0.9)),
        cll.Or(cll.ExactMatchLevel("given_name"), cll.ExactMatchLevel("surname")),
        cll.Or(cll.JaroWinklerLevel("given_name", 0.85), cll.JaroWinklerLevel("surname", 0.85)),
        cll.ElseLevel(),
    ],
)
rules = [
    block_on("soc_sec_id"), block_on("given_name", "surname"), block_on("date_of_birth"), block_on("surname", "postcode"),
    block_on("given_name", "postcode"), block_on("address_1", "suburb"), block_on("street_number", "address_1"),
    block_on("given_name", "suburb"), block_on("surname", "suburb"),
]  # fmt: skip
settings = SettingsCreator(
    link_type="link_only",
    comparisons=[
        names,
        cl.DamerauLevenshteinAtThresholds("date_of_birth", [1, 2]),
        cl.DamerauLevenshteinAtThresholds("soc_sec_id", [1, 2]),
        cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
        cl.JaroWinklerAtThresholds("address_1", [0.9, 0.8]),
        cl.JaroWinklerAtThresholds("address_2", [0.9, 0.8]),
        cl.JaroWinklerAtThresholds("suburb", [0.9, 0.8]),
        cl.DamerauLevenshteinAtThresholds("postcode", [1, 2]),
        cl.ExactMatch("state"),
    ],
    blocking_rules_to_generate_predictions=rules,
    retain_matching_columns=False,
)
connection = duckdb.connect()
db = DuckDBAPI(connection)
sides = [pl.read_parquet(path).with_row_index("unique_id").cast({"unique_id": pl.Int64}) for path in (a, b)]
tables = [db.register(side.to_arrow(), dataset_display_name=name) for side, name in zip(sides, ("a", "b"), strict=True)]
linker = Linker(tables, settings, log_level=logging.ERROR)
training = linker.training
training.estimate_probability_two_random_records_match(
    [block_on("soc_sec_id"), block_on("given_name", "surname", "date_of_birth")], recall=0.95
)
training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
training.estimate_parameters_using_expectation_maximisation(block_on("soc_sec_id"))
training.estimate_parameters_using_expectation_maximisation(block_on("date_of_birth"))
pairs = linker.inference.predict(threshold_match_weight=-5)
connection.sql(
    "select unique_id_l as register_row, unique_id_r as extract_row, match_weight, match_probability "
    f"from {pairs.physical_name}"
).write_parquet(output)
