"""Invented people: valid, unique, repeatable, and with no discrepancy but the planted ones."""

from __future__ import annotations

import datetime as dt
from hashlib import sha256
from pathlib import Path

import polars as pl
import pytest

from fupin_cli.errors import UsageError
from fupin_cli.ingest import load_profiles, read_source
from fupin_cli.ingest.frames import to_evidence, to_persons
from fupin_cli.normalise.id_number import clean_id_numbers
from fupin_cli.normalise.person_name import clean_names
from fupin_cli.synth import (
    CHUNK,
    PRESETS,
    SAMPLE,
    SynthReport,
    World,
    generate,
    invent,
    people,
    words,
    write_office_files,
)
from fupin_cli.synth import errors as synth_errors
from fupin_cli.synth import register as synth_register
from fupin_cli.synth.confusable import MISHEARD, MISREAD
from fupin_cli.synth.draws import Draw
from fupin_cli.synth.extracts import FIELDS, SHUFFLED, Source, written
from fupin_cli.synth.office import office_files
from fupin_cli.synth.people import BLOCK

ROOT = Path(__file__).parent.parent
SAMPLE_SEED, SAMPLE_SIZE = 20191130, 3000
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
RULES = [
    "CMP-PS1",
    "CMP-PS2",
    "CMP-VH1",
    "CMP-RE1",
    "CMP-RE2",
    "CMP-IC1",
    "CMP-CZ1",
    "CMP-MZ1",
    "CMP-MZ2",
    "CMP-MZ3",
    "CMP-CL1",
    "CMP-CL2",
    "CMP-DUP1",
    "CMP-DUP2",
    "CMP-ID1",
    "CMP-ID2",
    "CMP-ID3",
    "CMP-ID4",
    "CMP-NM1",
    "CMP-ED1",
    "CMP-YB1",
    "CMP-EX1",
    "CMP-UR1",
    "CMP-UR2",
    "CMP-ST1",
    "CMP-MZ6",
    "REG-M02",
    "REG-S09",
]
# what a wrong sex or a common name brings along: as often as luck has it
BY_LUCK = {"REG-F03", "REG-F04", "REG-F05", "REG-F17"}


def _hashes(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*")) if p.is_file()
    }


@pytest.fixture(scope="module")
def world() -> World:
    return World(seed=5, persons=20_000, registered_share=0.5)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SynthReport]:
    """A world of 12,000 with every kind of discrepancy and the sample's errors."""
    folder = tmp_path_factory.mktemp("large")
    report = generate(folder, seed=11, persons=12_000, errors=SAMPLE, discrepancies=0.012, registered_share=0.5)
    return folder, report


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("office")
    write_office_files(folder, seed=SAMPLE_SEED, persons=SAMPLE_SIZE)
    return folder


class TestDraws:
    """Random-looking numbers without a random generator."""

    def test_is_splitmix64(self) -> None:
        """The published first numbers of splitmix64 for state 0 come out where the stream's start is 0."""
        golden = 0x9E3779B97F4A7C15
        draw = Draw(1)
        start = draw.bits("x", pl.lit(0))
        mixed = pl.select(start).item()

        def splitmix(z: int) -> int:
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
            return z ^ (z >> 31)

        assert splitmix(golden) == 0xE220A8397B1DCDAF
        from hashlib import blake2b  # noqa: PLC0415

        own = int.from_bytes(blake2b(b"1:x", digest_size=8).digest(), "big")
        assert mixed == splitmix(own)
        assert pl.select(draw.bits("x", pl.lit(3))).item() == splitmix((own + 3 * golden) % 2**64)

    def test_chance_keeps_its_probabilities(self) -> None:
        """100,000 draws fall within a third of a per cent of what was asked for, and the rest is null."""
        frame = pl.select(i=pl.int_range(100_000))
        drawn = frame.select(c=Draw(3).chance("s", pl.col("i"), {"a": 0.1, "b": 0.02, "never": 0.0}))["c"]
        share = {name: drawn.eq(name).sum() / 100_000 for name in ("a", "b")}
        assert share["a"] == pytest.approx(0.1, abs=0.003)
        assert share["b"] == pytest.approx(0.02, abs=0.003)
        assert drawn.null_count() == pytest.approx(88_000, abs=400)

    def test_refuses_more_than_certainty(self) -> None:
        """Probabilities that add up to more than one are a mistake of the caller."""
        with pytest.raises(ValueError, match="more than 1"):
            Draw(3).chance("s", pl.lit(0), {"a": 0.7, "b": 0.4})


class TestPeople:
    """Who lives in the invented province."""

    def test_id_numbers_are_valid_unique_and_nobodys(self, world: World) -> None:
        """By the standard's own formula, counted digit by digit; region 9901 only; date and sex are the person's."""
        frame = people(world, 0, world.persons)
        assert frame["id_number"].n_unique() == frame.height == world.persons
        assert frame["id_number"].str.starts_with("9901").all()
        for number, born, sex in frame.select("id_number", "birth_on", "sex").sample(500, seed=1).rows():
            total = sum(int(d) * w for d, w in zip(number[:17], WEIGHTS, strict=True))
            assert number[17] == "10X98765432"[total % 11]
            assert number[6:14] == f"{born:%Y%m%d}"
            assert (int(number[16]) % 2 == 1) == (sex == "男")
        assert (clean_id_numbers(frame["id_number"])["id_status"] == "valid").all()

    @pytest.mark.slow
    def test_a_province_of_ten_million_has_unique_numbers(self) -> None:
        """Region codes are added as a county grows."""
        world = World(seed=5, persons=10_000_000)
        parts = [people(world, at, at + CHUNK).select("id_number") for at in range(0, world.persons, 20 * CHUNK)]
        numbers = pl.concat(parts)["id_number"]
        assert numbers.n_unique() == numbers.len()

    @pytest.mark.parametrize(("start", "stop"), [(0, 1), (64, 66), (1234, 2345), (19_990, 20_000)])
    def test_any_slice_can_be_made_alone(self, world: World, start: int, stop: int) -> None:
        """A slice equals the same rows of the whole."""
        assert people(world, start, stop).equals(people(world, 0, world.persons).slice(start, stop - start))

    def test_families_are_plausible(self, world: World) -> None:
        """Heads come first, couples are of two sexes, parents are 17 to 60 years older than their children."""
        frame = people(world, 0, world.persons)
        heads = frame.filter(pl.col("relation") == "户主")
        assert heads["slot"].eq(0).all()
        assert heads.height == frame["household"].n_unique()
        pairs = frame.join(
            heads.select("household", head_sex="sex", head_year="birth_year", head_name="name"), on="household"
        )
        spouses = pairs.filter(pl.col("relation") == "配偶")
        assert (spouses["sex"] != spouses["head_sex"]).all()
        children = pairs.filter(pl.col("relation").is_in(["之子", "之女"]))
        assert (children["birth_year"] - children["head_year"]).is_between(17, 60).all()
        assert frame["size"].is_between(1, 7).all()
        assert frame["birth_on"].is_between(dt.date(1920, 1, 1), dt.date(2018, 12, 31)).all()
        assert frame.group_by("household").agg(pl.col("name").n_unique() == pl.len())["name"].mean() > 0.99

    def test_names_are_those_of_a_real_county(self, world: World) -> None:
        """Namesakes, brothers and sisters alike, compound surnames, minority names, rare characters, former names."""
        frame = people(world, 0, world.persons)
        names = frame["name"]
        assert names.n_unique() < 0.9 * names.len()
        assert names.str.contains("·", literal=True).mean() == pytest.approx(0.052, abs=0.02)
        assert names.str.contains("^(欧阳|司马|诸葛|上官|尉迟|慕容)").sum() > 50
        for character in ("䶮", "㼆", "𬱖"):
            assert names.str.contains(character, literal=True).any()
        assert frame["former_name"].is_not_null().mean() == pytest.approx(0.04, abs=0.01)

    def test_the_last_household_may_be_cut_short(self) -> None:
        """A world of any size has exactly that many people."""
        for persons in (1, 7, 65, 66, 131):
            frame = people(World(seed=1, persons=persons), 0, persons)
            assert frame.height == persons
            assert frame.group_by("household").agg((pl.len() == pl.col("size").first()).alias("whole"))["whole"].all()


class TestErrors:
    """What is written wrongly, and that it is known."""

    def test_changed_names_do_not_compare_equal(self) -> None:
        """No homophone or look-alike pair is folded away by the name key, and every traditional form is."""
        for table in (synth_errors.words.SOUNDS_LIKE, synth_errors.words.LOOKS_LIKE):
            keys = clean_names(pl.Series(["张" + c for c in table]))["name_key"]
            others = clean_names(pl.Series(["张" + c for c in table.values()]))["name_key"]
            assert (keys != others).all()
        simple, traditional = zip(*synth_errors.words.TRADITIONAL.items(), strict=True)
        folded = [clean_names(pl.Series(["李" + c for c in side]))["name_key"] for side in (simple, traditional)]
        assert folded[0].equals(folded[1])

    def test_what_is_kept_is_what_a_cleaner_reads(self, world: World) -> None:
        """Every written ID number reads as `id_kept`, and every written name as `name_kept`, in register and extracts."""
        sources = [Source(kind, kind, "province") for kind in FIELDS]
        tables = invent(world, 0, world.persons, sources, SAMPLE, 0.01)
        for rows in (tables.register, *(rows for _, rows in tables.extracts)):
            assert clean_id_numbers(rows["id_written"])["id_number"].equals(rows["id_kept"].alias("id_number"))
            keys = [clean_names(rows[c])["name_key"] for c in ("name_written", "name_kept")]
            stood_in = rows["name_fault"].eq("name_rare_stand_in").fill_null(False)
            assert (keys[0].eq_missing(keys[1]) | stood_in).all()

    def test_rates_are_kept(self) -> None:
        """Of 20,000 rows each class takes the share it was given; the recorded errors are those that were made."""
        rates = {
            "id_missing": 0.05,
            "id_wrong_digit": 0.02,
            "id_full_width": 0.03,
            "name_renamed": 0.04,
            "birth_missing": 0.1,
        }
        tables = invent(World(2, 20_000, registered_share=1.0), 0, 20_000, [], rates, 0.0)
        made = tables.register.select(pl.col("errors").explode().drop_nulls()).to_series().value_counts()
        share = {name: count / 20_000 for name, count in made.rows()}
        assert set(share) == set(rates)
        for name, rate in rates.items():
            assert share[name] == pytest.approx(rate, rel=0.15), name
        clean = tables.register.filter(pl.col("errors").list.len() == 0)
        assert clean["id_written"].equals(clean["id_number"].alias("id_written"))

    def test_sides_and_kinds_have_rates_of_their_own(self) -> None:
        """`kind.class` beats `side.class` beats `class`; a class that does not exist is refused."""
        rates = {"id_tab": 0.1, "extract.id_tab": 0.2, "deaths.id_tab": 0.3}
        found = [
            synth_errors.rates_for(rates, *of)["id_tab"]
            for of in (("register", "register"), ("extract", "dibao"), ("extract", "deaths"))
        ]
        assert found == [0.1, 0.2, 0.3]
        with pytest.raises(ValueError, match="no such error class: id_tabb"):
            synth_errors.rates_for({"id_tabb": 0.1}, "register", "register")

    def test_no_errors_means_none(self, tmp_path: Path) -> None:
        """Without rates and plans, every register cell is true: what is planted is what lives bring, not what clerks do.

        Entries before the comparison, the uninsured, a namesake of the head.
        """
        generate(tmp_path, seed=4, persons=4_000, discrepancies=0.0)
        register = pl.read_parquet(tmp_path / "register.parquet")
        assert (clean_id_numbers(register["id_number"])["id_status"] == "valid").all()
        planted = pl.read_parquet(tmp_path / "planted.parquet")["rule_id"].unique().to_list()
        assert sorted(planted) == ["CMP-ST1", "REG-F17", "REG-M02"]
        truth = pl.read_parquet(tmp_path / "truth.parquet")
        assert truth["register_errors"].list.len().sum() + truth["extract_errors"].list.len().sum() == 0

    @pytest.mark.parametrize("preset", ["easy", "hard"])
    def test_presets_run(self, tmp_path: Path, preset: str) -> None:
        """The hard preset leaves no birth date outside the ID on either side; the easy one spoils extracts only."""
        generate(tmp_path, seed=4, persons=3_000, errors=PRESETS[preset])
        register = pl.read_parquet(tmp_path / "register.parquet")
        truth = pl.read_parquet(tmp_path / "truth.parquet").filter(pl.col("extract") == "medical_insurance")
        if preset == "easy":
            assert register["birth_on"].null_count() == 0
            made = set(truth["register_errors"].explode().drop_nulls())
            assert made <= {
                "birth_wrong",
                "sex_wrong",
                "id_of_relative",
                *synth_errors.NAME_CHANGED,
            }  # the planted ones
        else:
            assert register["birth_on"].null_count() == register.height
            moved = truth["extract_errors"].list.contains("village_moved").mean()
            assert moved == pytest.approx(0.1, abs=0.04)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small world with the faults and shares of the benchmark."""
    folder = tmp_path_factory.mktemp("bench")
    generate(
        folder, seed=9, persons=40_000, errors=PRESETS["bench"], discrepancies=0.0, registered_share=0.5,
        absent_share=0.2, unlisted_share=0.3, namesakes=0.05, kinds=["household_registration"], with_faults=True,
    )  # fmt: skip
    return folder


class TestBench:
    """The world on which linkage is measured."""

    def test_shares(self, bench: Path) -> None:
        """A fifth of the register is in no extract; some of their households' members are there, and some are not registered."""
        register = pl.read_parquet(bench / "register.parquet")
        truth = pl.read_parquet(bench / "truth.parquet")
        assert register.height == pytest.approx(0.5 * 0.7 * 40_000, rel=0.05)
        assert truth.height == pytest.approx(0.8 * register.height, rel=0.02)
        assert truth["register_row"].n_unique() == truth["extract_row"].n_unique() == truth.height
        linked = pl.int_range(register.height, eager=True).is_in(truth["register_row"].implode())
        per_household = (
            register.select("household_id", linked=linked).group_by("household_id").agg(pl.col("linked").mean())
        )
        assert per_household.filter(pl.col("linked").is_between(0.01, 0.99)).height > 1000
        assert register["name"].is_in([*words.COMMONEST["男"], *words.COMMONEST["女"]]).mean() > 0.035

    def test_faults_are_what_was_written(self, bench: Path) -> None:
        """Each of the bench's own faults occurs, and stands in the cell: one digit, one pair, one character, one household book."""
        pairs = self._pairs(bench)
        name = pl.col("name")
        whole = pairs.filter(
            pl.col("extract_errors").list.set_intersection(["id_missing", "id_15_digits"]).list.len() == 0
        )

        def having(fault: str) -> pl.DataFrame:
            return whole.filter(pl.col("register_errors").list.contains(fault) & ~_faulty("extract_errors"))

        for fault, length in (
            ("id_any_digit", 18),
            ("id_any_swap", 18),
            ("id_any_dropped", 17),
            ("id_added_digit", 19),
        ):
            rows = having(fault)
            assert rows.height > 10, fault
            assert (rows["id_number"].str.len_chars() == length).all(), fault
            assert (rows["id_number"] != rows["id_number_extract"]).all(), fault
        for a, b in having("id_any_swap").select("id_number", "id_number_extract").rows():
            at = next(i for i in range(18) if a[i] != b[i])
            assert a == b[:at] + b[at + 1] + b[at] + b[at + 2 :]
        for a, b in having("id_any_digit").select("id_number", "id_number_extract").rows():
            assert sum(x != y for x, y in zip(a, b, strict=True)) == 1
        for fault, table in (("name_misheard", MISHEARD), ("name_misread", MISREAD)):
            rows = having(fault).filter(name.str.len_chars() == pl.col("name_extract").str.len_chars())
            assert rows.height > 50
            for wrong, right in rows.select("name", "name_extract").rows():
                other = [(y, x) for x, y in zip(wrong, right, strict=True) if x != y and y not in "· "]
                assert [x in table[y] for y, x in other] == [True], (wrong, right)
        apart = pairs.filter(pl.col("extract_errors").list.contains("hukou_apart"))
        assert apart.height == pytest.approx(0.1 * pairs.height, rel=0.2)
        assert apart["hukou_no"].n_unique() == apart.height

    def test_faults_of_unlinked_rows_are_known(self, bench: Path) -> None:
        """faults.parquet holds what truth.parquet holds, and the rows besides that have no partner."""
        faults = pl.read_parquet(bench / "faults.parquet").filter(pl.col("file") == "register")
        truth = pl.read_parquet(bench / "truth.parquet").filter(pl.col("register_errors").list.len() > 0)
        both = truth.join(faults, left_on="register_row", right_on="row")
        assert both.height == truth.height < faults.height
        assert (both["register_errors"] == both["errors"]).all()

    def test_confusable_characters_are_others(self) -> None:
        """No character is taken for itself."""
        for table in (MISHEARD, MISREAD):
            assert len(table) > 150
            assert all(one not in others and others for one, others in table.items())

    def test_dense_counties_have_neighbours(self) -> None:
        """With one region code a county, numbers are still valid and unique, and many stand next to another person's."""
        world = World(seed=5, persons=400_000, counties=1, dense=True)
        frame = people(world, 0, CHUNK)
        assert frame["id_number"].str.slice(0, 6).n_unique() == 1
        assert frame["id_number"].n_unique() == frame.height
        assert (clean_id_numbers(frame["id_number"])["id_status"] == "valid").all()
        assert people(world, BLOCK, 3 * BLOCK).equals(frame[BLOCK : 3 * BLOCK])

    @staticmethod
    def _pairs(folder: Path) -> pl.DataFrame:
        register = pl.read_parquet(folder / "register.parquet").with_row_index("register_row")
        extract = pl.read_parquet(folder / "household_registration.parquet").with_row_index("extract_row")
        pairs = pl.read_parquet(folder / "truth.parquet")
        pairs = pairs.join(register.cast({"register_row": pl.Int64}), on="register_row")
        return pairs.join(extract.cast({"extract_row": pl.Int64}), on="extract_row", suffix="_extract")


def _faulty(column: str) -> pl.Expr:
    return pl.col(column).list.eval(pl.element().str.contains("^(id|name)_")).list.any().fill_null(value=False)


class TestGenerate:
    """Parquet at any scale."""

    def test_same_seed_same_bytes(self, tmp_path: Path) -> None:
        """Two runs agree in every byte of every file; another seed does not."""
        for name, seed in (("a", 1), ("b", 1), ("c", 2)):
            generate(tmp_path / name, seed=seed, persons=2_000, errors=SAMPLE, discrepancies=0.01, with_people=True)
        first, second, other = (_hashes(tmp_path / name) for name in "abc")
        assert first == second
        assert all(first[name] != other[name] for name in first)

    def test_chunks_do_not_matter(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The rows are the same, in the same order, whatever the size of a chunk."""
        generate(tmp_path / "one", seed=3, persons=3_000, errors=PRESETS["hard"])
        monkeypatch.setattr("fupin_cli.synth.CHUNK", SHUFFLED)
        generate(tmp_path / "many", seed=3, persons=3_000, errors=PRESETS["hard"])
        for file in sorted((tmp_path / "one").iterdir()):
            a, b = pl.read_parquet(file), pl.read_parquet(tmp_path / "many" / file.name)
            if file.stem == "planted":
                a, b = (f.sort(f.columns, nulls_last=True) for f in (a, b))
            elif file.stem == "truth":  # written chunk by chunk, extract by extract
                a, b = (f.sort("extract", "extract_row", "register_row") for f in (a, b))
            assert a.equals(b), file.stem

    def test_writes_what_it_reports(self, large: tuple[Path, SynthReport]) -> None:
        """Row counts, findings per rule and links per extract are those of the files; every cell is text."""
        folder, report = large
        for name, count in report.rows.items():
            assert pl.scan_parquet(folder / f"{name}.parquet").select(pl.len()).collect().item() == count
        planted = pl.read_parquet(folder / "planted.parquet")
        assert dict(planted["rule_id"].value_counts().rows()) == report.planted
        truth = pl.read_parquet(folder / "truth.parquet")
        assert dict(truth["extract"].value_counts().rows()) == report.links
        for kind, fields in FIELDS.items():
            frame = pl.read_parquet(folder / f"{kind}.parquet")
            assert tuple(frame.columns) == fields
            assert set(frame.dtypes) == {pl.String()}

    def test_truth_rows_exist_and_are_of_one_person(self, large: tuple[Path, SynthReport]) -> None:
        """Both ends of every link are rows; where both IDs can be read and nobody's was borrowed, they are equal."""
        folder, _ = large
        register = clean_id_numbers(pl.read_parquet(folder / "register.parquet")["id_number"])
        register = register.select("id_number").with_row_index("register_row").cast({"register_row": pl.Int64})
        truth = pl.read_parquet(folder / "truth.parquet").filter(pl.col("extract") == "household_registration")
        extract = clean_id_numbers(pl.read_parquet(folder / "household_registration.parquet")["id_number"])
        extract = extract.select(extract_id="id_number").with_row_index("extract_row").cast({"extract_row": pl.Int64})
        pairs = truth.join(register, on="register_row").join(extract, on="extract_row")
        assert pairs.height == truth.height
        honest = pairs.filter(~pl.col("register_errors").list.contains("id_of_relative")).drop_nulls(
            ["id_number", "extract_id"]
        )
        assert honest.height > 0.9 * truth.height
        assert (honest["id_number"] == honest["extract_id"]).all()

    def test_refuses_what_it_cannot_invent(self, tmp_path: Path) -> None:
        """No people, too many people, an unknown format: said, not guessed."""
        for arguments in ({"persons": 0}, {"persons": 10**9}, {"persons": 10, "counties": 99}):
            with pytest.raises(UsageError):
                generate(tmp_path, seed=1, **arguments)
        with pytest.raises(UsageError, match="no such format"):
            generate(tmp_path, seed=1, persons=10, format="xlsx")

    def test_one_county_has_nobody_in_two(self, tmp_path: Path) -> None:
        """A single county plants no CMP-DUP2."""
        report = generate(tmp_path, seed=1, persons=3_000, counties=1, discrepancies=0.02)
        assert "CMP-DUP2" not in report.planted


class _Facts:
    """A slow, plain reading of the written files by true uid: what a reconciliation without any doubt would find."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.truth = pl.read_parquet(folder / "truth.parquet")
        register = (
            pl.read_parquet(folder / "register.parquet").with_row_index("register_row").cast({"register_row": pl.Int64})
        )
        ids = clean_id_numbers(register["id_number"])
        self.register = register.rename({"id_number": "id_raw"}).hstack(
            [*ids.select("id_number", "id_birth_on", "id_sex"), clean_names(register["name"])["name_key"]]
        )
        self.planted = pl.read_parquet(folder / "planted.parquet")

    def evidence(self, kind: str) -> pl.DataFrame:
        """Register rows with the extract rows that truly are theirs; the extract's columns begin with x_."""
        rows = (
            pl.read_parquet(self.folder / f"{kind}.parquet")
            .with_row_index("extract_row")
            .cast({"extract_row": pl.Int64})
        )
        rows = rows.rename({c: f"x_{c}" for c in rows.columns if c != "extract_row"})
        links = self.truth.filter(pl.col("extract") == kind).select(
            "register_row", "extract_row", "register_errors", "uid"
        )
        return links.join(rows, on="extract_row").join(self.register, on="register_row")

    def rows(self, frame: pl.DataFrame) -> set[int]:
        return set(frame["register_row"].to_list())

    def listed(self, kind: str) -> set[int]:
        return self.rows(self.evidence(kind))

    def planted_for(self, rule: str) -> set[int]:
        return set(self.planted.filter(pl.col("rule_id") == rule)["register_row"].drop_nulls().to_list())


@pytest.fixture(scope="module")
def facts(large: tuple[Path, SynthReport]) -> _Facts:
    return _Facts(large[0])


class TestNothingByAccident:
    """An oracle that knows every true link finds what was planted, and nothing else."""

    def test_every_rule_is_planted(self, large: tuple[Path, SynthReport]) -> None:
        """Each rule at least five times in 12,000 people, and each criterion behind CMP-EX1."""
        _, report = large
        assert set(report.planted) - BY_LUCK == set(RULES)
        assert min(count for rule, count in report.planted.items() if rule not in BY_LUCK) >= 5
        notes = pl.read_parquet(large[0] / "planted.parquet").filter(pl.col("rule_id") == "CMP-EX1")["note"]
        assert set(notes) == {f"NAT-H-{n}" for n in range(1, 8)}

    def test_presence_on_lists(self, facts: _Facts) -> None:
        """Deaths, moves, vehicles, homes, companies, payroll: registered people are there only if planted or exempt."""
        ev = facts.evidence
        found = {
            "CMP-PS1": ev("deaths"),
            "CMP-PS2": ev("household_registration").filter(pl.col("x_hukou_status").is_in(["迁出", "注销"])),
            "CMP-VH1": ev("vehicles").filter(pl.col("x_vehicle_type") != "残疾人机动轮椅车"),
            "CMP-RE1": ev("real_estate").filter(pl.col("x_obtain_mode") == "购买商品房"),
            "CMP-IC1": ev("companies").filter(
                (pl.col("x_role") != "合作社成员") & pl.col("x_company_status").is_in(["存续", "在业", "开业"])
            ),
            "CMP-CZ1": ev("payroll").filter(~pl.col("x_post_kind").is_in(["公益性岗位", "村干部", "遗属补助"])),
        }
        for rule, frame in found.items():
            assert facts.rows(frame) == facts.planted_for(rule), rule
        assert ev("vehicles").height > found["CMP-VH1"].height
        assert ev("real_estate").height > found["CMP-RE1"].height
        assert ev("companies").height > found["CMP-IC1"].height
        assert ev("payroll").height > found["CMP-CZ1"].height

    def test_welfare(self, facts: _Facts) -> None:
        """Register and 民政 agree about 低保 and 特困 but for MZ1, MZ2 and MZ3."""
        register = facts.register
        covered = facts.rows(facts.evidence("dibao").filter(pl.col("x_covered") == "是"))
        tekun = facts.listed("tekun")
        says = {name: facts.rows(register.filter(pl.col(name) == "是")) for name in ("dibao", "tekun")}
        assert says["dibao"] - covered == facts.planted_for("CMP-MZ1")
        assert covered - says["dibao"] == facts.planted_for("CMP-MZ2")
        assert says["dibao"] & says["tekun"] == facts.planted_for("CMP-MZ3")
        assert says["tekun"] == tekun

    def test_disability(self, facts: _Facts) -> None:
        """残疾 in the register and a valid certificate go together but for CL1 and CL2; cancelled ones are decoys."""
        certificates = facts.evidence("disability")
        valid = facts.rows(certificates.filter(pl.col("x_cert_status") == "有效"))
        says = facts.rows(facts.register.filter(pl.col("health").str.contains("残疾")))
        assert says - valid == facts.planted_for("CMP-CL1")
        assert valid - says == facts.planted_for("CMP-CL2")
        assert certificates.filter(pl.col("x_cert_status") == "注销").height > 0

    def test_school_and_insurance(self, facts: _Facts) -> None:
        """Every child of compulsory age is on the roll or excused, everybody who is said to be insured is."""
        born = pl.coalesce("id_birth_on", pl.col("birth_on").str.to_date())
        age = 2019 - born.dt.year() - (born.dt.month().cast(pl.Int32) * 100 + born.dt.day() > 901)
        children = facts.register.with_columns(
            age=pl.when(pl.col("relation") != "配偶").then(age)  # a wife who bears her husband's number has his age
        ).filter(pl.col("age").is_between(6, 15))
        owed = facts.rows(
            children.filter(pl.col("home_teaching").ne_missing("是") & pl.col("education_exempt").ne_missing("是"))
        )
        assert owed - facts.listed("school_roll") == facts.planted_for("CMP-ED1")
        assert children.height > len(owed)
        assert children["student_status"].null_count() == 0
        says = facts.rows(
            facts.register.filter((pl.col("resident_medical") == "是") | (pl.col("employee_medical") == "是"))
        )
        assert says - facts.listed("medical_insurance") == facts.planted_for("CMP-YB1")

    def test_numbers_and_names(self, facts: _Facts) -> None:
        """What the ID column shows by itself, and the names that the police know."""
        register = facts.register
        known = register.filter(pl.col("id_number").is_not_null())
        per_number = known.group_by("id_number").agg(
            "register_row", "household_id", "county", pl.col("name_key").n_unique()
        )
        several = {row for rows in per_number.filter(pl.col("name_key") > 1)["register_row"] for row in rows}
        one = per_number.filter(pl.col("name_key") == 1)
        in_two = one.filter((pl.col("household_id").list.n_unique() > 1) & (pl.col("county").list.n_unique() == 1))
        in_two_counties = one.filter(pl.col("county").list.n_unique() > 1)
        found = {
            "CMP-ID1": facts.rows(known.filter(pl.col("sex") != pl.col("id_sex"))),
            "CMP-ID2": facts.rows(known.filter(pl.col("birth_on").str.to_date() != pl.col("id_birth_on"))),
            "CMP-ID3": facts.rows(register.filter(pl.col("id_number").is_null())),
            "CMP-ID4": several,
            "CMP-DUP1": {row for rows in in_two["register_row"] for row in rows},
            "CMP-DUP2": {row for rows in in_two_counties["register_row"] for row in rows},
        }
        for rule, rows in found.items():
            assert rows == facts.planted_for(rule), rule
        police = pl.read_parquet(facts.folder / "household_registration.parquet")
        police = police.select(
            *clean_id_numbers(police["id_number"]).select("id_number"),
            police_key=clean_names(police["name"])["name_key"],
            former_key=clean_names(police["former_name"])["name_key"],
        ).filter(pl.col("id_number").is_not_null())
        same = known.join(police, on="id_number")
        other = same.filter(
            (pl.col("name_key") != pl.col("police_key")) & pl.col("name_key").ne_missing(pl.col("former_key"))
        )
        assert facts.rows(other) == facts.planted_for("CMP-NM1")
        assert (same["name_key"] == same["former_key"]).sum() > 5

    def test_exits(self, facts: _Facts) -> None:
        """Every exited household meets all seven criteria as far as its facts are known, but for the planted."""
        no = {
            "NAT-H-2": pl.col("food_ok") == "否",
            "NAT-H-3": pl.col("clothing_ok") == "否",
            "NAT-H-4": pl.col("dropout_reason").is_not_null() & (pl.col("education_exempt") == "否"),
            "NAT-H-5": (pl.col("resident_medical") == "否") & (pl.col("employee_medical") == "否"),
            "NAT-H-6": pl.col("house_grade").is_in(["C", "D"]) | (pl.col("dilapidated") == "是"),
            "NAT-H-7": pl.col("safe_water") == "否",
            "NAT-H-1": pl.col("income_per_head_yuan").cast(pl.Float64)
            < pl.when(pl.col("exit_year") == "2016").then(2952).otherwise(3218),
        }
        exited = facts.register.filter(pl.col("exit_status") == "已脱贫")
        assert set(exited["exit_year"]) == {"2016", "2019"}
        planted = facts.planted.filter(pl.col("rule_id") == "CMP-EX1")
        assert planted["person_id"].null_count() == planted.height
        for criterion, fails in no.items():
            failing = set(exited.filter(fails.fill_null(False))["household_id"])
            assert failing == set(planted.filter(pl.col("note") == criterion)["household_id"]), criterion
        unknown = exited.filter(
            pl.any_horizontal(pl.col("safe_water", "food_ok", "house_grade", "income_per_head_yuan").is_null())
        )
        assert 0 < unknown["household_id"].n_unique() < 0.15 * exited["household_id"].n_unique()

    def test_houses(self, facts: _Facts) -> None:
        """住建 and the register agree about every house but the planted; renovated ones are decoys."""
        appraised = facts.evidence("housing_appraisals").filter(pl.col("x_house_grade").is_in(["C", "D"]))
        says_safe = pl.col("house_grade").is_in(["A", "B"]) | (pl.col("dilapidated") == "否")
        unsafe = appraised.filter(pl.col("x_renovated_on").is_null() & says_safe)
        assert facts.rows(unsafe) == facts.planted_for("CMP-RE2")
        assert appraised.filter(pl.col("x_renovated_on").is_not_null()).height > 20

    def test_people_outside_the_register(self, facts: _Facts) -> None:
        """On the 民政 lists, and with 一级 or 二级 on the 残联 list, only the planted are unregistered; their IDs can be read."""
        planted = {rule: facts.planted.filter(pl.col("rule_id") == rule) for rule in ("CMP-UR1", "CMP-UR2")}
        for kind, rule, heavy in (
            ("dibao", "CMP-UR1", False),
            ("tekun", "CMP-UR1", False),
            ("disability", "CMP-UR2", True),
        ):
            rows = (
                pl.read_parquet(facts.folder / f"{kind}.parquet")
                .with_row_index("extract_row")
                .cast({"extract_row": pl.Int64})
            )
            if heavy:
                rows = rows.filter(pl.col("disability_level").is_in(["一级", "二级"]))
            strangers = rows.join(facts.truth.filter(pl.col("extract") == kind), on="extract_row", how="anti")
            expected = planted[rule].filter(pl.col("extract") == kind)
            assert set(strangers["extract_row"]) == set(expected["extract_row"]), kind
            numbers = strangers["disability_no" if heavy else "id_number"]
            assert clean_id_numbers(numbers)["id_number"].null_count() == 0
        for frame in planted.values():
            assert frame["household_id"].null_count() == frame.height

    def test_early_entries(self, facts: _Facts) -> None:
        """One township was entered before the county compared; nobody else."""
        early = facts.register.filter(pl.col("entered_on") < "2019-11-05")
        assert facts.rows(early) == facts.planted_for("CMP-ST1")
        original = early.filter(~pl.col("household_id").str.slice(12).cast(pl.Int64).is_between(5000, 9999))
        assert original["township"].n_unique() == 1

    def test_planted_rows_name_real_rows(self, facts: _Facts) -> None:
        """Household and person numbers are those of the register row, and extract rows exist."""
        own = facts.planted.filter(pl.col("register_row").is_not_null())
        same = own.join(facts.register.select("register_row", h="household_id", p="person_id"), on="register_row")
        assert same.height == own.height
        assert (same["household_id"] == same["h"]).all()
        assert (same["person_id"].is_null() | (same["person_id"] == same["p"])).all()
        assert facts.register["person_id"].n_unique() == facts.register.height


class TestOfficeFiles:
    """The committed sample."""

    def test_same_bytes_twice(self, office: Path, tmp_path: Path) -> None:
        """Workbooks, old workbooks, CSV and truth: byte for byte."""
        write_office_files(tmp_path, seed=SAMPLE_SEED, persons=SAMPLE_SIZE)
        assert _hashes(office) == _hashes(tmp_path)

    def test_is_what_is_committed(self, office: Path) -> None:
        """sample_data is what the committed seed gives, and smaller than two megabytes."""
        committed = {
            name: h
            for name, h in _hashes(ROOT / "sample_data").items()
            if not name.endswith((".toml", ".md")) and not name.startswith(".fupin")  # what an earlier run remembers
        }
        workbooks = {name for name in committed if not name.endswith(".parquet")}
        made = _hashes(office)
        assert set(committed) == set(made)
        assert {name: committed[name] for name in workbooks} == {name: made[name] for name in workbooks}
        for name in ("truth/truth.parquet", "truth/planted.parquet"):
            assert pl.read_parquet(ROOT / "sample_data" / name).equals(pl.read_parquet(office / name))
        assert sum(p.stat().st_size for p in office.rglob("*") if p.is_file()) < 2_000_000

    def test_every_rule_in_both_counties(self, office: Path) -> None:
        """At least three of each, in both counties; those that both stages can show, at both."""
        planted = pl.read_parquet(office / "truth/planted.parquet").with_columns(county=pl.col("uid") >= 24 * BLOCK)
        for rule in RULES:
            rows = planted.filter(pl.col("rule_id") == rule)
            assert rows.height >= 3, rule
            if rule != "CMP-ST1":
                assert rows["county"].n_unique() == 2, rule
        notes = planted.filter(pl.col("rule_id") == "CMP-EX1")["note"].value_counts()
        assert notes.height == 7
        assert notes["count"].min() >= 3
        for rule in ("CMP-PS1", "CMP-MZ2", "CMP-CL2", "CMP-UR1", "CMP-UR2"):
            stages = planted.filter(pl.col("rule_id") == rule)["stage"]
            assert set(stages) == {"county", "province"}, rule
        both = planted.filter(
            pl.col("rule_id").is_in(["CMP-PS1", "CMP-VH1", "CMP-RE1", "CMP-RE2", "CMP-MZ2", "CMP-CL2"])
        )
        assert both["note"].str.contains("id_").sum() > 3

    def test_every_damaged_form_is_there(self, office: Path) -> None:
        """All the ways in which an ID is written wrongly occur in the truth of the sample."""
        truth = pl.read_parquet(office / "truth/truth.parquet")
        seen = {e for side in ("register_errors", "extract_errors") for errors in truth[side] for e in errors}
        wanted = {*synth_errors.ID_FORMS, *synth_errors.ID_LOST, *synth_errors.ID_FALSE} - {"id_wrong_birth_digit"}
        assert wanted <= seen
        assert {*synth_errors.NAME_FORMS, *synth_errors.NAME_CHANGED} <= seen

    def test_files_are_read_with_all_rows(self, office: Path) -> None:
        """Ingest finds every header, accounts for every row, and its row numbers are those of the truth."""
        profiles = load_profiles([ROOT / "rules/sources"])
        truth = pl.read_parquet(office / "truth/truth.parquet")
        registers = sorted((office / "register").iterdir())
        table = read_source([(p.name, p) for p in registers], profiles["register"])
        persons = to_persons(table.rows)
        assert (
            table.accounts.select(pl.col("rows_read") == pl.col("rows_used") + pl.col("rows_set_aside"))
            .to_series()
            .all()
        )
        for file in office_files():
            extract = read_source([(file.path, office / file.path)], profiles[file.source.kind])
            assert not any(report.counted("unparsed_cells") for report in extract.reports), file.path
            rows = to_evidence(extract.rows, {"extract": file.source.id, "kind": file.source.kind})
            links = truth.filter(pl.col("extract") == file.source.id)
            pairs = links.join(persons.select("register_row", "id_number"), on="register_row").join(
                rows.select("extract_row", other="id_number"), on="extract_row"
            )
            assert pairs.height == links.height, file.path
            honest = pairs.filter(~pl.col("register_errors").list.contains("id_of_relative")).drop_nulls(
                ["id_number", "other"]
            )
            assert (honest["id_number"] == honest["other"]).all(), file.path
            assert honest.height > 0.8 * links.height

    def test_the_register_reads_back(self, office: Path) -> None:
        """What ingest reads is what was written, cell by cell, for the facts that rules read."""
        profiles = load_profiles([ROOT / "rules/sources"])
        registers = sorted((office / "register").iterdir())
        rows = read_source([(p.name, p) for p in registers], profiles["register"]).rows
        tables = invent(World(SAMPLE_SEED, SAMPLE_SIZE, 2, 0.5), 0, SAMPLE_SIZE, [], SAMPLE, 0.02)
        register = tables.register.sort("county_no", "village_no", descending=[True, False], maintain_order=True)
        cells = synth_register.written(register)
        assert rows.height == cells.height
        for name in ("household_id", "person_id", "exit_status", "student_status", "house_grade", "village"):
            assert rows[name].equals(cells[name]), name
        for name in ("dibao", "tekun", "resident_medical", "safe_water", "food_ok", "dilapidated"):
            assert rows[name].equals((cells[name] == "是").alias(name)), name
        assert rows["income_per_head_yuan"].equals(cells["income_per_head_yuan"].cast(pl.Float64))
        assert rows["entered_on"].equals(cells["entered_on"].str.to_date())


def test_written_extract_has_its_fields(world: World) -> None:
    """Every kind writes exactly its canonical fields."""
    for kind, fields in FIELDS.items():
        tables = invent(world, 0, SHUFFLED, [Source(kind, kind, "province")], {}, 0.01)
        assert tuple(written(tables.extracts[0][1], kind).columns) == fields
