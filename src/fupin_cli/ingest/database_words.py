"""What a database says when it refuses → an error of ours.

Its own words are looked at and never shown: they may quote cells or credentials. What is shown is its SQLSTATE, and names
and positions that stand in the user's own query.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from fupin_cli.errors import BadDataError, BusyError, ConfigurationError, DiskError, FupinError, NoPermissionError
from fupin_cli.language import later, tr

_ADDRESS, _DAMAGED, _UNREACHABLE = "address", "damaged", "unreachable"
# Where no SQLSTATE comes, these words tell, in English and as a Chinese server says them; the first that is found counts.
_CONNECTING = (
    (r'database ".*" does not exist|数据库.*不存在', "3D000"),
    (r"password|authentication|认证|pg_hba\.conf", "28P01"),
    (r"too many|starting up|shutting down|recovery", "53300"),
    (
        r"invalid (?:URI|port|connection option|integer|percent|\S+ value)|missing \"=\"|unterminated|unexpected",
        _ADDRESS,
    ),
    (r"FATAL|致命错误", "28000"),
    ("", _UNREACHABLE),
)
_READING = (
    (r"server closed|terminating connection|no connection to the server", _UNREACHABLE),
    (r"^\w+: \[SQLite\].* no such table", "42P01"),
    (r"^\w+: \[SQLite\].* no such column", "42703"),
    (r"^\w+: \[SQLite\].* (?:syntax error|incomplete input|unrecognized token)", "42601"),
    (r"^\w+: \[SQLite\].* not a database", _DAMAGED),
    (r"readonly database", "25006"),
    (r"database (?:table )?is locked", "55P03"),
    (r"malformed", _DAMAGED),
)


class _Refusal(NamedTuple):
    states: str
    kind: type[FupinError]
    what: str
    try_: str
    why: str | None = None


_IN_PSQL = later("run it in psql until it answers")
_REFUSALS = (  # the first whose states fit
    _Refusal(
        _ADDRESS,
        ConfigurationError,
        later("the address is not one that the driver understands"),
        later('source = "postgresql://USER@HOST:PORT/DATABASE", options after ? as PostgreSQL names them'),
    ),
    _Refusal("3D000", ConfigurationError, later("no such database"), later("psql -h {host} -l, which lists them")),
    _Refusal(
        "28...",
        NoPermissionError,
        later("the database refuses this user"),
        later('PGPASSWORD=… fupin run, a line in ~/.pgpass, or source = "postgresql://USER:${{NAME}}@…"'),
        later("the password is wrong or missing, or the user may not connect from here"),
    ),
    _Refusal(
        "42501",
        NoPermissionError,
        later("this user may not read it"),
        later("ask its administrator for GRANT SELECT ON … TO …"),
    ),
    _Refusal(
        "42P01|3F000",
        ConfigurationError,
        later("no such table{named}"),
        later('table = "schema.name", as psql lists it with \\d'),
    ),
    _Refusal(
        "42703",
        ConfigurationError,
        later("no such column{named}"),
        later("double quotes around names in CAPITALS or with signs"),
    ),
    _Refusal("42601", ConfigurationError, later("the query has a syntax error"), _IN_PSQL),
    _Refusal(
        "25006|0A000",
        ConfigurationError,
        later("the query does more than read"),
        later('query = "SELECT … FROM …"'),
        later("it was stopped before anything was written"),
    ),
    _Refusal(
        "42...", ConfigurationError, later("the database does not understand the query (SQLSTATE {state})"), _IN_PSQL
    ),
    _Refusal(
        f"08...|57P0[12]|{_UNREACHABLE}",
        DiskError,
        later("cannot reach the database"),
        later("pg_isready -h {host}, which says whether it answers"),
    ),
    _Refusal(
        "40...|53...|55P03|57P03",
        BusyError,
        later("the database has no room for this now"),
        later("the same command, later"),
    ),
    _Refusal(
        "57014",
        BadDataError,
        later("the database stopped the query: it took too long (SQLSTATE {state})"),
        later("a query of fewer rows or columns, or ask its administrator for a longer statement_timeout"),
    ),
    _Refusal(_DAMAGED, BadDataError, later("this is no database, or a damaged one"), later("ask for the file again")),
    _Refusal(".*", BadDataError, later("the database stopped the query (SQLSTATE {state})"), _IN_PSQL),
)


@dataclass(frozen=True)
class Spot:
    """What the user wrote where the database stopped: a name, and where in the query; each only where that is known."""

    name: str | None = None
    position: str | None = None

    @classmethod
    def of(cls, error: Exception, text: str | None, table: str | None) -> Spot:
        """The spot of an error that came while the user's text, and nothing around it, was looked at."""
        if text is None:
            return cls(table)
        details = {str(key): value for key, value in getattr(error, "details", None) or []}
        found = details.get("PG_DIAG_STATEMENT_POSITION") or details.get("b'PG_DIAG_STATEMENT_POSITION'")
        if found:
            before, after = text[: int(found) - 1], text[int(found) - 1 :]
            name = re.match(r'(?:"[^"]+"|[\w$]+)(?:\.(?:"[^"]+"|[\w$]+))*', after)
            column = len(before) - before.rfind("\n")
            return cls(
                name and name[0],
                tr("line {line}, character {column} of the query", line=before.count("\n") + 1, column=column),
            )
        quoted = re.search(r"no such (?:table|column): (\S+)", str(error))
        return cls(quoted[1] if quoted and quoted[1] in text else None)


def in_words(error: Exception, name: str, sheet: str, spot: Spot | None = None) -> FupinError:
    """The error to raise: of the kind that fits, with what to type next, and without a word of the database's own."""
    spot = spot or Spot()
    state = _state(error)
    refusal = next(refusal for refusal in _REFUSALS if re.fullmatch(refusal.states, state))
    host = re.sub(r"^\w+://|/.*", "", name) or "HOST"
    return refusal.kind(
        tr(refusal.what, named=f" {spot.name}" if spot.name else "", state=state or "none"),
        where=f"{name}, {sheet}",
        why=tr(refusal.why) if refusal.why else spot.position,
        try_=tr(refusal.try_, host=host),
    )


def _state(error: Exception) -> str:
    """The SQLSTATE, or what stands for one where none was sent."""
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str) and re.fullmatch(r"[0-9A-Z]{5}", state):
        return state
    said = str(error)
    telling = _CONNECTING if "Failed to connect" in said else _READING
    return next((state for words, state in telling if re.search(words, said)), "")
