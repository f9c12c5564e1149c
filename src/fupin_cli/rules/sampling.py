"""A sampling plan: who is drawn in which stages, what is asked of them, which rates are worked out from the answers.

A plan is a file of rules/sampling/, as dated and cited as a rule pack; what it says is checked here, drawing and estimating
are done elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fupin_cli.below import files_in
from fupin_cli.errors import ConfigurationError, InputMissingError, UsageError
from fupin_cli.language import listed, tr
from fupin_cli.rules.pack import Citation, Provenance
from fupin_cli.rules.predicate import Predicate, nearest, parse_condition
from fupin_cli.rules.rule_loading import citation
from fupin_cli.rules.toml import Table, open_toml
from fupin_cli.vocabulary import HOUSEHOLDS

FOLDER = "sampling"
LEVELS = ("city", "county", "township", "village", "household")  # from the widest; each lies within the one before
METHODS = ("srs", "systematic", "pps", "all")
SIZES = ("households", "persons")  # what `pps` is proportional to
ALLOCATIONS = ("given", "equal", "proportional")
SIDES = {"below": "低于", "at_least": "不低于"}
EVERYBODY = "全部"  # the one stratum of a plan that has none
OWN_FACTS = {"registered": "在册", "group_stated": "名单上的类别"}  # what a frame knows beside the register's fields


@dataclass(frozen=True)
class Stage:
    """One stage: `take` units (None for all) of this level in each unit of the stage before, and in each of its `per`."""

    unit: str
    take: int | None
    method: str
    size: str
    per: str | None


@dataclass(frozen=True)
class Stratum:
    """A kind of household that is drawn apart: its condition, and how many in each last unit (None: by the allocation)."""

    name: str
    where: Predicate | None
    take: int | None


@dataclass(frozen=True)
class Question:
    """One question: the answers offered (none for free text), those that settle nothing, and the strata it is asked of."""

    id: str
    title: str
    choices: tuple[str, ...]
    unclear: tuple[str, ...]
    asked_of: tuple[str, ...]
    width: float
    hint: str


@dataclass(frozen=True)
class Rate:
    """A share: of the strata `among`, counted as `of` (persons or households), those whose answer is one of `counts`.

    `limit` and `side` are the policy's, where it has one: the rate must be below it, or at least it.
    """

    id: str
    title: str
    question: str
    counts: tuple[str, ...]
    among: tuple[str, ...]
    of: str
    limit: float | None
    side: str
    citation: Citation | None


@dataclass(frozen=True)
class Composite:
    """The poverty rate that counts known poor people (`poor` strata) and, beside them, those that rates point to."""

    id: str
    title: str
    poor: tuple[str, ...]
    adds: tuple[str, ...]
    limit: float | None
    side: str
    citation: Citation | None


@dataclass(frozen=True)
class Plan:
    """A whole plan. `villages` says what kind of villages it is limited to, where a list of them must be given.

    `rho` is how alike the answers of one village are taken to be where nobody's answer differs, so that it cannot be measured.
    """

    id: str
    title: str
    title_en: str
    jurisdiction: str
    note: str
    note_en: str
    citation: Citation
    villages: str
    groups: int
    groups_by: str
    allocation: str
    rho: float
    stages: tuple[Stage, ...]
    strata: tuple[Stratum, ...]
    shows: tuple[str, ...]
    questions: tuple[Question, ...]
    rates: tuple[Rate, ...]
    composites: tuple[Composite, ...]
    tell_by: tuple[str, ...]
    path: Path

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels at which something is drawn, from the widest."""
        return tuple(stage.unit for stage in self.stages)


def find_plans(folders: Sequence[Path]) -> dict[str, Path]:
    """Every plan by its file's name; a later folder's file takes the place of an earlier one's."""
    return {path.stem: path for root in folders for path in files_in(root / FOLDER, ".toml")}


def open_plan(name: str, folders: Sequence[Path], columns: Collection[str]) -> Plan:
    """A plan by the name of its file, or from a TOML file. `columns` are those of the register that conditions may name.

    Raises UsageError with the nearest name where there is none, ConfigurationError for anything in it that cannot be.
    """
    path = Path(name)
    if path.suffix == ".toml":
        if not path.is_file():
            raise InputMissingError(tr("no such plan"), where=str(path), try_=tr("fupin sample plans"))
        return load_plan(path, columns)
    known = find_plans(folders)
    if name not in known:
        close = nearest(name, known)
        raise UsageError(
            tr("no sampling plan is called {name!r}", name=name),
            try_=tr("fupin sample draw {close} …", close=close)
            if close
            else tr("one of: {names}, or a file.toml", names=", ".join(sorted(known))),
        )
    return load_plan(known[name], columns)


def load_plan(path: Path, columns: Collection[str]) -> Plan:
    """The plan of a file. Raises ConfigurationError, with file and line, for anything in it that cannot be."""
    table = open_toml(path, f"{FOLDER}/{path.name}")
    table.allow("plan", "stage", "stratum", "question", "rate", "composite")
    head = table.table("plan")
    head.allow("title", "title_en", "jurisdiction", "note", "note_en", "citation", "villages", "groups", "groups_by",
               "allocation", "rho", "shows", "tell_by")  # fmt: skip
    known = set(columns) | set(HOUSEHOLDS.names) | OWN_FACTS.keys()
    strata = tuple(_stratum(entry, known) for entry in table.tables("stratum")) or (Stratum(EVERYBODY, None, None),)
    _refuse_twins(table, "stratum", [stratum.name for stratum in strata])
    names = [stratum.name for stratum in strata]
    stages = tuple(_stage(entry) for entry in table.tables("stage"))
    _check_stages(table, stages, strata, head)
    questions = tuple(_question(entry, names) for entry in table.tables("question"))
    _refuse_twins(table, "question", [question.id for question in questions])
    _refuse_twins(table, "question", [question.title for question in questions])
    rates = tuple(
        _rate(entry, {question.id: question for question in questions}, names) for entry in table.tables("rate")
    )
    _refuse_twins(table, "rate", [rate.id for rate in rates])
    groups = head.integer("groups") if "groups" in head.data else 1
    if groups is None or groups < 1:
        raise ConfigurationError(
            tr("there is at least one audit group"), where=head.at("groups"), try_=tr("groups = 1")
        )
    places = [stage.unit for stage in stages if stage.unit != "household"] or ["village"]
    return Plan(
        id=path.stem,
        title=head.text("title"),
        title_en=head.text("title_en"),
        jurisdiction=head.text("jurisdiction"),
        note=head.text("note", required=False),
        note_en=head.text("note_en", required=False),
        citation=_cited(head),
        villages=head.text("villages", required=False),
        groups=groups,
        groups_by=head.one_of("groups_by", LEVELS[:-1], places[0]),
        allocation=head.one_of("allocation", ALLOCATIONS, ALLOCATIONS[0]),
        rho=_share(head, "rho", 0.05),
        stages=stages,
        strata=strata,
        shows=_named(head, "shows", known - {"head_name", "household_id"}),
        questions=questions,
        rates=rates,
        composites=tuple(_composite(entry, names, rates) for entry in table.tables("composite")),
        tell_by=_named(head, "tell_by", LEVELS[:-1]),
        path=path,
    )


def _stage(entry: Table) -> Stage:
    entry.allow("unit", "take", "method", "size", "per")
    unit = entry.one_of("unit", LEVELS)
    entry = entry.named(f"stage {unit}")
    method = entry.one_of("method", METHODS, METHODS[0])
    per = entry.one_of("per", LEVELS[:-1]) if "per" in entry.data else None
    if per and LEVELS.index(per) >= LEVELS.index(unit):
        raise ConfigurationError(
            tr("a {unit} does not lie within a {per}", unit=unit, per=per),
            where=entry.at("per"),
            try_=tr("per = a wider level, or leave it out"),
        )
    if "size" in entry.data and method != "pps":
        raise ConfigurationError(
            tr("size is what units are drawn in proportion to"),
            where=entry.at("size"),
            try_=tr('method = "pps", or no size'),
        )
    if method == "pps" and unit == "household":
        raise ConfigurationError(
            tr("households are drawn with equal chances"),
            where=entry.at("method"),
            try_=tr('method = "systematic" or "srs"'),
        )
    take = entry.integer("take")
    if take is not None and take < 1:
        raise ConfigurationError(
            tr("take must be 1 or more"), where=entry.at("take"), try_=tr('method = "all" takes them all')
        )
    if take is not None and method == "all":
        raise ConfigurationError(
            tr("all of them are taken"), where=entry.at("take"), try_=tr('leave take out, or method = "srs"')
        )
    return Stage(unit, take, method, entry.one_of("size", SIZES, SIZES[0]), per)


def _check_stages(table: Table, stages: Sequence[Stage], strata: Sequence[Stratum], head: Table) -> None:
    units = [LEVELS.index(stage.unit) for stage in stages]
    if not units or units[-1] != len(LEVELS) - 1 or units != sorted(set(units)):
        raise ConfigurationError(
            tr("stages go from wide to narrow and end with households"),
            where=table.at("stage"),
            why=tr("they are: ") + (", ".join(stage.unit for stage in stages) or "none"),
            try_=tr('[[stage]] unit = "village", then [[stage]] unit = "household"'),
        )
    entries = dict(zip((stage.unit for stage in stages), table.tables("stage"), strict=True))
    for stage in stages[:-1]:
        if stage.take is None and stage.method != "all":
            raise ConfigurationError(
                tr("stage {unit} does not say how many", unit=stage.unit),
                where=entries[stage.unit].where,
                try_=tr('take = 2, or method = "all"'),
            )
    last, given = stages[-1], [stratum for stratum in strata if stratum.take is not None]
    allocation = head.one_of("allocation", ALLOCATIONS, ALLOCATIONS[0])
    for each in given:
        if allocation != "given":
            raise ConfigurationError(
                tr(
                    "stratum {name} has a take, and the allocation is {allocation}",
                    name=each.name,
                    allocation=allocation,
                ),
                where=head.at("allocation"),
                try_=tr('allocation = "given", or no take in [[stratum]]'),
            )
    if last.method == "all":
        return
    if given and (last.take is not None or len(given) < len(strata)):
        lacking = next((stratum.name for stratum in strata if stratum.take is None), None)
        raise ConfigurationError(
            tr("households are counted twice over")
            if lacking is None
            else tr("stratum {lacking} does not say how many", lacking=lacking),
            where=entries["household"].at("take") if lacking is None else table.at("stratum"),
            why=tr("each stratum has its own take"),
            try_=tr("no take in the stage household") if lacking is None else tr("take = 10"),
        )
    if not given and last.take is None:
        raise ConfigurationError(
            tr("stage household does not say how many"), where=entries["household"].where, try_=tr("take = 50")
        )
    if not given and len(strata) > 1 and allocation == "given":
        raise ConfigurationError(
            tr("nobody says how the households are shared among the strata"),
            where=head.where,
            try_=tr('allocation = "proportional" or "equal", or take = … in each [[stratum]]'),
        )


def _stratum(entry: Table, known: Collection[str]) -> Stratum:
    entry.allow("name", "where", "take")
    name = entry.text("name")
    entry = entry.named(f"stratum {name}")
    take = entry.integer("take")
    if take is not None and take < 1:
        raise ConfigurationError(tr("take must be 1 or more"), where=entry.at("take"), try_=tr("take = 10"))
    return Stratum(name, parse_condition(entry.text("where"), known, entry.at("where"), "where"), take)


def _question(entry: Table, strata: Sequence[str]) -> Question:
    entry.allow("id", "title", "choices", "unclear", "asked_of", "width", "hint")
    id_ = entry.text("id")
    entry = entry.named(f"question {id_}")
    choices = entry.texts("choices", required=False)
    width = entry.number("width") if "width" in entry.data else 8.0
    return Question(
        id=id_,
        title=entry.text("title"),
        choices=choices,
        unclear=_named(entry, "unclear", choices),
        asked_of=_named(entry, "asked_of", strata) or tuple(strata),
        width=width,
        hint=entry.text("hint", required=False),
    )


def _rate(entry: Table, questions: Mapping[str, Question], strata: Sequence[str]) -> Rate:
    entry.allow("id", "title", "question", "counts", "among", "of", "limit", "side", "citation")
    id_ = entry.text("id")
    entry = entry.named(f"rate {id_}")
    question = questions[_named(entry, "question", questions, required=True)[0]]
    among = _named(entry, "among", strata) or question.asked_of
    if strange := [name for name in among if name not in question.asked_of]:
        raise ConfigurationError(
            tr("{id} is not asked of {strange}", id=question.id, strange=strange[0]),
            where=entry.at("among"),
            try_=tr("among = {listed}", listed=_listed(question.asked_of)),
        )
    if not question.choices:
        raise ConfigurationError(
            tr("{id} is free text: nobody can count it", id=question.id),
            where=entry.at("question"),
            try_=tr("choices = […] in it"),
        )
    return Rate(
        id=id_,
        title=entry.text("title"),
        question=question.id,
        counts=_named(entry, "counts", [c for c in question.choices if c not in question.unclear], required=True),
        among=among,
        of=entry.one_of("of", SIZES),
        limit=_share(entry, "limit", 0.0) if "limit" in entry.data else None,
        side=entry.one_of("side", tuple(SIDES), "below"),
        citation=_cited(entry) if "citation" in entry.data else None,
    )


def _composite(entry: Table, strata: Sequence[str], rates: Sequence[Rate]) -> Composite:
    entry.allow("id", "title", "poor", "adds", "limit", "side", "citation")
    id_ = entry.text("id")
    entry = entry.named(f"composite {id_}")
    adds = _named(entry, "adds", [rate.id for rate in rates if rate.of == "persons"], required=True)
    return Composite(
        id=id_,
        title=entry.text("title"),
        poor=_named(entry, "poor", strata, required=True),
        adds=adds,
        limit=_share(entry, "limit", 0.0) if "limit" in entry.data else None,
        side=entry.one_of("side", tuple(SIDES), "below"),
        citation=_cited(entry) if "citation" in entry.data else None,
    )


def _cited(entry: Table) -> Citation:
    """Where it is written. What is only recalled is refused: nobody's rate is held against a number from memory."""
    source = citation(entry.table("citation"))
    if source.provenance is Provenance.RECALLED:
        raise ConfigurationError(
            tr("provenance R is recalled, not verified: a plan cannot stand on it"),
            where=entry.at("citation"),
            try_=tr("the document in which it stands, with its provenance; or no limit"),
        )
    return source


def _named(entry: Table, key: str, known: Collection[str], *, required: bool = False) -> tuple[str, ...]:
    """One name or a list of them, each known here; the nearest is told for one that is not."""
    given = entry.texts(key, required=required)
    for name in given:
        if name not in known:
            close = nearest(name, known)
            raise ConfigurationError(
                tr("{key}: {name!r} is not known here", key=key, name=name),
                where=entry.at(key),
                try_=f'{key} = ["{close}"]'
                if close
                else tr("one of: {what}", what=listed(sorted(known)) or tr("none")),
            )
    return given


def _share(entry: Table, key: str, default: float) -> float:
    if key not in entry.data:
        return default
    value = entry.number(key)
    if not 0 <= value <= 1:
        raise ConfigurationError(
            tr("{key} is a share between 0 and 1", key=key), where=entry.at(key), try_=f"{key} = 0.02"
        )
    return value


def _refuse_twins(table: Table, key: str, names: Sequence[str]) -> None:
    for n, name in enumerate(names):
        if name in names[:n]:
            raise ConfigurationError(
                tr("two of [[{key}]] are called {name}", key=key, name=name),
                where=table.tables(key)[n].where,
                try_=tr("give each its own name"),
            )


def _listed(names: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"
