"""The worlds on which linkage is measured: made once per kind and seed, and kept in bench/data/.

A fifth of the register stands in no extract, one person at a time, so that brothers and sisters of the absent are there; and a
fifth of the members of registered households are not in the register, so that a borrowed number may have its owner elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fupin_cli.synth import PRESETS, generate

KIND = "household_registration"  # everybody is in it
DATA = Path(__file__).parent / "data"
ABSENT = UNLISTED = 0.2


@dataclass(frozen=True)
class Case:
    """One register and one extract with known truth."""

    name: str
    register: int = 200_000
    extract: int = 1_000_000
    errors: str = "bench"
    counties: int = 5
    namesakes: float = 0.0
    dense: bool = False

    def folder(self, seed: int) -> Path:
        """Where the files of this case lie, or will."""
        return DATA / f"{self.name}-{self.register}-{self.extract}-{seed}"

    def files(self, seed: int) -> tuple[Path, Path]:
        """The register and the extract, made now if they are not there yet."""
        folder = self.folder(seed)
        if not (folder / "made").exists():
            households = self.register / (1 - UNLISTED)
            persons = round(self.extract + ABSENT * households)
            generate(
                folder,
                seed=seed,
                persons=persons,
                counties=self.counties,
                errors=PRESETS[self.errors],
                discrepancies=0.0,
                registered_share=households / persons,
                absent_share=ABSENT,
                unlisted_share=UNLISTED,
                namesakes=self.namesakes,
                dense=self.dense,
                kinds=[KIND],
                with_faults=True,
            )
            (folder / "made").touch()
        return folder / "register.parquet", folder / f"{KIND}.parquet"


HARD = Case("hard")
EASY = Case("easy", errors="easy")
CLIFF = (
    Case("hard-0.1M", register=20_000, extract=100_000, counties=1),
    HARD,
    Case("hard-4M", register=800_000, extract=4_000_000, counties=20),
    Case("hard-dense", counties=1, dense=True),
    Case("hard-namesakes", namesakes=0.05),
)
SCALE_HARD = Case("hard-5M", register=1_000_000, extract=5_000_000, counties=20)
SCALE_EASY = Case("easy-10M", register=1_000_000, extract=10_000_000, errors="easy", counties=20)
