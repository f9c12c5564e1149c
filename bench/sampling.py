"""Do the intervals hold? Invented populations whose rates are known, drawn and estimated hundreds of times.

python bench/sampling.py [draws]: for each design and rate how often the interval held the truth, how often it lay wholly above or
below it, its mean width, and the bias of the estimate. tests/test_sampling.py runs a few of these.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from fupin_cli.rules.sampling import Plan, Stage, load_plan

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from sampling_world import COLUMNS, cover, population

PLANS = Path(__file__).parents[1] / "rules" / "sampling"


def designs() -> dict[str, tuple[Plan, dict[str, object]]]:
    """Plans and what they are tried on."""
    jiangsu, county = (load_plan(PLANS / f"{name}.toml", COLUMNS) for name in ("jiangsu", "county"))
    simple = replace(jiangsu, stages=(Stage("household", 400, "srs", "households", None),))
    many = replace(
        county, stages=(Stage("county", None, "all", "households", None), Stage("village", 12, "pps", "households", None),
                        county.stages[-1]), strata=county.strata[:2],
    )  # fmt: skip
    wide = {"cities": 5, "counties": 6, "villages": 12, "homes": 90}
    near = {"cities": 1, "counties": 3, "villages": 40, "homes": 60}
    return {
        "两类随机 400 户 400 households, two strata": (
            simple,
            {"cities": 1, "counties": 2, "villages": 20, "homes": 100},
        ),
        "江苏 5市×2县×2村×50户": (jiangsu, wide),
        "县级 3县×12村（PPS） 3 counties × 12 villages by PPS": (many, near),
    }


def main() -> None:
    """Prints a row for each design, rate and clustering."""
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    print("design | rate | alike | silent | truth | held | all above | all below | width | bias")
    for name, (plan, world) in designs().items():
        for rate, alike, silent in (
            (0.3, 0.05, 0.0),
            (0.05, 0.05, 0.0),
            (0.02, 0.03, 0.0),
            (0.005, 0.02, 0.0),
            (0.95, 0.05, 0.15),
        ):
            frame = population(**world, rate=rate, alike=alike, seed=11)  # type: ignore[arg-type]
            said = cover(frame, plan, rate="wrong_exit_rate", draws=draws, silent=silent)
            held = f"{said.held:.3f} | {said.above:.3f} | {said.below:.3f} | {said.width:.3f} | {said.mean - said.truth:+.4f}"
            print(f"{name} | {rate} | {alike} | {silent} | {said.truth:.4f} | {held}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
