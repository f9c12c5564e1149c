"""Sampling and coverage: who can be drawn, who is drawn, what the answers say, who must be visited."""

from fupin_cli.audit.draw import Drawn, draw_sample, new_seed
from fupin_cli.audit.estimate import Estimate, estimate_all
from fupin_cli.audit.frame import OUTSIDE, SampleFrame, frame_of
from fupin_cli.audit.returns import PROBLEMS, Answers, compare_answers

__all__ = [
    "OUTSIDE",
    "PROBLEMS",
    "Answers",
    "Drawn",
    "Estimate",
    "SampleFrame",
    "compare_answers",
    "draw_sample",
    "estimate_all",
    "frame_of",
    "new_seed",
]
