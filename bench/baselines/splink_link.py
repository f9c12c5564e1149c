"""Splink on DuckDB: the pairs of a register and an extract with its match weights.

Two models: `doc`, from Splink's own comparison library as its documentation does it, and `cn`, whose levels know pinyin and that
brothers and sisters differ in one character. The birth date often comes from the ID, so `cn` compares it as a level of the ID.
"""

import argparse
import logging

import duckdb
import polars as pl
import splink.comparison_level_library as cll
import splink.comparison_library as cl
from cleaning import read_extract, read_register
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

# what a user of Splink would block on, and the same with pairs of ID thirds (9-5-4) in place of the ID's head and tail
NAME_RULES = [
    block_on("id18"), block_on("name", "birth"), block_on("name", "township"), block_on("birth", "village"),
    block_on("surname", "birth"), block_on("pinyin", "village"),
]  # fmt: skip
OWN_KEYS = [block_on("head_14"), block_on("tail_12")]
OUR_KEYS = [
    block_on("third_1", "third_2"), block_on("third_1", "third_3"), block_on("third_2", "third_3"),
    block_on("pinyin", "county"),
]  # fmt: skip


def comparisons(model: str) -> list[object]:
    """The fields and their levels.

    Random pairs never show a few rare levels, which Splink leaves at values that cost it dearly; an expert sets those by hand.
    """
    place = cl.CustomComparison(
        output_column_name="place",
        comparison_levels=[
            cll.NullLevel("village"),
            cll.And(cll.ExactMatchLevel("village"), cll.ExactMatchLevel("hamlet")),
            cll.ExactMatchLevel("village").configure(m_probability=0.002),
            cll.ExactMatchLevel("township"),
            cll.ExactMatchLevel("county"),
            cll.ElseLevel().configure(m_probability=0.0005),
        ],
    )
    former = cll.CustomLevel("name_l = former_name_r or name_r = former_name_l", "former name").configure(
        m_probability=0.002, u_probability=1e-6
    )
    exact_name = cll.ExactMatchLevel("name", term_frequency_adjustments=True)
    alike = [
        cll.ExactMatchLevel("id18"),
        cll.DamerauLevenshteinLevel("id18", 1).configure(u_probability=1e-6),
        cll.DamerauLevenshteinLevel("id18", 2).configure(u_probability=3e-6),
    ]
    if model == "doc":
        number = cl.CustomComparison(
            output_column_name="id18", comparison_levels=[cll.NullLevel("id18"), *alike, cll.ElseLevel()]
        )
        jaro_winkler = [cll.JaroWinklerLevel("name", at) for at in (0.92, 0.88, 0.7)]
        name = cl.CustomComparison(
            output_column_name="name",
            comparison_levels=[cll.NullLevel("name"), exact_name, former, *jaro_winkler, cll.ElseLevel()],
        )
        birth = cl.DateOfBirthComparison(
            "birth",
            input_is_string=True,
            datetime_format="%Y%m%d",
            datetime_metrics=["month", "year"],
            datetime_thresholds=[1, 1],
        )
        return [number, name, birth, cl.ExactMatch("sex"), place]
    number = cl.CustomComparison(
        output_column_name="id18",
        comparison_levels=[
            cll.And(cll.NullLevel("id18"), cll.NullLevel("birth")),
            *alike,
            cll.CustomLevel("birth_l = birth_r and sex_l = sex_r", "birth and sex"),
            cll.CustomLevel("birth_l = birth_r", "birth"),
            cll.CustomLevel("left(birth_l, 4) = left(birth_r, 4) and sex_l = sex_r", "year and sex"),
            cll.CustomLevel("sex_l = sex_r", "sex"),
            cll.ElseLevel(),
        ],
    )
    name = cl.CustomComparison(
        output_column_name="name",
        comparison_levels=[
            cll.NullLevel("name"),
            exact_name,
            former,
            cll.ExactMatchLevel("pinyin", term_frequency_adjustments=True),
            cll.CustomLevel(
                "length(name_l) = length(name_r) and surname_l != surname_r and substr(name_l, 2) = substr(name_r, 2)",
                "given name",
            ),
            cll.CustomLevel("surname_l = surname_r and levenshtein(name_l, name_r) <= 1", "one character"),
            cll.CustomLevel("surname_l = surname_r", "surname"),
            cll.ElseLevel(),
        ],
    )
    return [number, name, place]


def trained(linker: Linker) -> None:
    """Estimates the model as the documentation says: u from random pairs, m by two blocks that are blind to each other.

    The second block is a tight one: with name and village alone, namesakes spoil what is learned about IDs.
    """
    training = linker.training
    training.estimate_probability_two_random_records_match([block_on("id18")], recall=0.85)
    training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    training.estimate_parameters_using_expectation_maximisation(block_on("id18"))
    training.estimate_parameters_using_expectation_maximisation(block_on("name", "village", "hamlet"))


def main() -> None:
    """Links, and writes register_row, extract_row, match_weight and match_probability."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("register")
    parser.add_argument("extract")
    parser.add_argument("output")
    parser.add_argument("--model", choices=["doc", "cn"], required=True)
    parser.add_argument("--keys", action="store_true", help="block on ID thirds too")
    parser.add_argument("--load", help="a model trained before")
    parser.add_argument("--save", help="where to keep the trained model")
    parser.add_argument("--one-to-one", action="store_true", help="Splink's own one-to-one step")
    parser.add_argument("--exact-first", action="store_true", help="join on ID and name, and score the residue only")
    options = parser.parse_args()
    logging.getLogger("splink").setLevel(logging.ERROR)

    sides = [read_register(options.register), read_extract(options.extract)]
    exact = None
    if options.exact_first:
        exact = sides[0].join(sides[1], on=["id18", "name"]).select(
            register_row="unique_id", extract_row="unique_id_right", match_weight=pl.lit(99.0), match_probability=pl.lit(1.0)
        )  # fmt: skip
        sides = [
            side.join(exact, left_on="unique_id", right_on=row, how="anti")
            for side, row in zip(sides, ("register_row", "extract_row"), strict=True)
        ]
    connection = duckdb.connect()
    db = DuckDBAPI(connection)
    names = ("a_register", "b_extract")
    tables = [db.register(side.to_arrow(), dataset_display_name=name) for side, name in zip(sides, names, strict=True)]
    rules = NAME_RULES + (OUR_KEYS if options.keys else OWN_KEYS)
    settings = SettingsCreator(
        link_type="link_only",
        comparisons=comparisons(options.model),
        blocking_rules_to_generate_predictions=rules,
        retain_matching_columns=False,
        retain_intermediate_calculation_columns=False,
    )
    linker = Linker(tables, options.load or settings, log_level=logging.ERROR)
    if not options.load:
        trained(linker)
        if options.save:
            linker.misc.save_model_to_json(options.save, overwrite=True)
    pairs = linker.inference.predict(threshold_match_weight=-5)
    source = f"select * from {pairs.physical_name}"
    if options.one_to_one:
        best = linker.clustering.cluster_using_single_best_links(
            pairs, duplicate_free_datasets=list(names), threshold_match_probability=0.5
        )
        source = (
            f"select p.* from {pairs.physical_name} p "
            f"join {best.physical_name} l on p.unique_id_l = l.unique_id and p.source_dataset_l = l.source_dataset "
            f"join {best.physical_name} r on p.unique_id_r = r.unique_id and p.source_dataset_r = r.source_dataset "
            "where l.cluster_id = r.cluster_id"
        )
    query = f"select unique_id_l as register_row, unique_id_r as extract_row, match_weight, match_probability from ({source})"
    connection.sql(query).write_parquet(options.output)
    if exact is not None:
        pl.concat([exact, pl.read_parquet(options.output)]).write_parquet(options.output)


if __name__ == "__main__":
    main()
