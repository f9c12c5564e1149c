"""Where a sheet's header is, how many rows it has, and which field each column means.

A header is the block of one to three rows, within the first thirty, whose labels hit the most fields of the profile. Labels
above each other are joined (`保障人数/分解/残疾人数`), a merged cell counting for each column and row that it covers; the
lowest label also matches alone. Nothing is ever mapped by position. A row of data may well hold a word that is a header
elsewhere (户主), so a lower row is a header only where it fills in what the labels above leave open.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from rapidfuzz import fuzz, process

from fupin_cli.ingest.grid import Grid
from fupin_cli.ingest.profile import SourceProfile

SEARCH_ROWS = 30
MAX_LEVELS = 3
_OPPOSITE = 1_000  # the rank from which a field's headers ask the opposite question
_WITHOUT_UNIT = 500  # the rank from which a field's headers lack the unit that the profile's have
_PLACE_ENDS = {
    "township": re.compile(r"^(?!是否).{0,6}(?:乡镇?|镇|街道)(?:名称?)?$"),
    "village": re.compile(r"^(?!是否).{0,6}(?:村|社区)(?:名称?)?$"),
}
_NEAR = 60  # below this likeness a suggestion would only puzzle
_HEAD = "户主"
_OWN = ("name", "id_number", "sex", "birth_on", "phone", "address")
_OTHERS = re.compile("申报人|监护人|代理人|经办人|联系人|代领人|领款人|受托人|报告人|介绍人|担保人|扶养人|赡养人")
_WHO = ("name", "id_number", "household_id", "disability_no")
_REMARK = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】|<[^<>]*>")
_UNIT = re.compile(r"(百万元|万元|千元|亿元|元)")
_MEASURE = re.compile(r"[(\[](?:(?:百万|千|万|亿)?元(?:/[年月人])?|平方米|㎡|m2|平米|亩|公里|千米|米|km)[)\]]$")
_UNIT_LINE = re.compile(r"单位\s*[:：]?\s*(?:人民币)?(百万元|万元|千元|亿元|元)")
_MONTHLY = re.compile(r"/月|每月|月均|月人均|^月|\(月\)|月(?:工资|收入|补助|保障|发放|供养|金额|标准)")
_YEARLY = re.compile(r"/年|每年|年均|年人均|^年|\(年\)|全年|年(?:收入|纯收入|总收入|补助|金额)")
_LONG_NUMBER = re.compile(r"\d{6,}")


@dataclass(frozen=True)
class Header:
    """Rows `first` to `first + levels - 1` of a grid (0-based), and the labels of each column from top to bottom.

    `unsure` are labels of lower rows that no merged cell ties to the header: they may be people's names after all.
    """

    first: int
    levels: int
    paths: tuple[tuple[str, ...], ...]
    unsure: frozenset[str] = frozenset()

    @property
    def end(self) -> int:
        """The first data row."""
        return self.first + self.levels

    @cached_property  # both are asked for once a column
    def texts(self) -> tuple[str, ...]:
        """What people read for each column; a blank header is empty."""
        return tuple("/".join(path) for path in self.paths)

    @cached_property
    def shown(self) -> tuple[str, ...]:
        """The same as messages may quote it: unsure labels and long digit runs, which no header has, are covered."""
        paths = (("…" if label in self.unsure else label for label in path) for path in self.paths)
        return tuple(_LONG_NUMBER.sub("******", "/".join(path)) for path in paths)


@dataclass(frozen=True)
class Mapping:
    """Which column (0-based) holds each field, and what was left over on either side.

    `opposite` are the fields whose column asks the opposite question. `also` gives, for each further person that the rows
    name, which of the profile's `also` it is, and the columns of name and ID number. `first` says which of them the first
    person is, where the table gives one half of that person under a header of its own (法定代表人 beside a bare 身份证号).
    """

    columns: tuple[tuple[str, int], ...]
    duplicates: tuple[tuple[str, int], ...]
    unmapped: tuple[tuple[int, str | None], ...]
    missing: tuple[str, ...]
    opposite: frozenset[str] = frozenset()
    also: tuple[tuple[int, int | None, int | None], ...] = ()
    first: int | None = None

    @property
    def by_field(self) -> dict[str, int]:
        """Field → column."""
        return dict(self.columns)

    @property
    def hits(self) -> int:
        """How many different columns mean something."""
        further = {column for _, *pair in self.also for column in pair if column is not None}
        return len({column for _, column in self.columns} | further)

    def lacks(self, profile: SourceProfile) -> list[tuple[str, ...]]:
        """The requirements of the profile that no column meets; each is the fields of which one would do."""
        wanted = [tuple(entry.split("|")) for entry in profile.required]
        # a table of the further persons alone (公司, 法定代表人) says who somebody is, too
        known = self.by_field.keys() | ({"name"} if any(name is not None for _, name, _ in self.also) else set())
        known |= {"id_number"} if any(number is not None for _, _, number in self.also) else set()
        return [fields for fields in wanted if not known & set(fields)]


@lru_cache(maxsize=8192)
def header_key(text: str) -> str:
    """A header as it is compared: width, case, blanks, line breaks, marks and kinds of bracket do not count."""
    plain = unicodedata.normalize("NFKC", text).lower().translate(_BRACKETS)
    kept = "".join(c for c in plain if not c.isspace() and unicodedata.category(c) not in ("Cf", "Cc"))
    return kept.strip("*:.、,;_-'\"")


def find_header(grid: Grid, profile: SourceProfile) -> Header | None:
    """The header block that hits the most fields, or None where no row within the first thirty names a person.

    Ties go to the fewest levels, then to the highest row: a header that is repeated further down changes nothing.
    """
    if grid.header is not None:
        header = Header(0, 0, tuple((name,) for name in grid.header))
        return header if _tells_who(map_columns(header, profile, suggest=False)) else None
    top = _top(grid)
    rows = top.rows
    best: tuple[int, int, int] | None = None
    for first in range(min(SEARCH_ROWS, len(rows))):
        for levels in range(1, min(MAX_LEVELS, len(rows) - first) + 1):
            block = rows[first : first + levels]
            if levels > 1 and (
                not all(any(row) and not _holds_data(row) for row in block)
                or not _is_level(top, first, first + levels - 1, profile)
            ):
                break
            mapping = map_columns(Header(first, levels, _paths(block)), profile, suggest=False)
            wanted = min(2, max(sum(bool(cell) for cell in row) for row in block))
            if mapping.hits >= wanted and _tells_who(mapping):
                best = max(best or (0, 0, 0), (mapping.hits, -levels, -first))
    if best is None:
        return None
    first, last = _whole_block(grid, top, -best[2], -best[2] - best[1] - 1, profile)
    return Header(first, last - first + 1, _paths(rows[first : last + 1]), _unsure(top, first, last, profile))


def map_columns(header: Header, profile: SourceProfile, *, suggest: bool = True) -> Mapping:
    """The best column for each field of the profile.

    A field's first header beats its later ones; a label of its own beats one inherited from above; then the leftmost column
    wins. Further columns that mean the same are duplicates. One column may serve two fields (户主姓名 is a name, too). Looking
    for the nearest field of what is left over takes most of the time; `suggest` = False does without.
    """
    index = _alias_index(profile)
    claims: dict[str, list[tuple[int, int, int, int]]] = {}
    for column, path in enumerate(header.paths):
        for inherited, rank, key in _keys(path, index):
            for name, alias_rank in index.get(key, ()):
                claims.setdefault(name, []).append((inherited, alias_rank, rank, column))
    claims = {name: _of_this_person(name, found, header, profile) for name, found in claims.items()}
    best = {name: min(found) for name, found in claims.items() if found}
    if "name" in best and "id_number" in best:
        own = _number_of(best["name"][3], claims["id_number"], header)
        best = {name: claim for name, claim in best.items() if name != "id_number"} | (
            {"id_number": own} if own else {}
        )
    taken = {claim[3] for claim in best.values()}
    also, first = _further(best, profile)
    columns = tuple((f.name, best[f.name][3]) for f in profile.fields if f.name in best)
    duplicates = {
        (name, claim[3])
        for name, found in claims.items()
        for claim in found
        if claim[3] not in taken and not claim[0] and ":" not in name
    }
    doubled = {column for _, column in duplicates}
    unmapped = tuple(
        (column, nearest_field(path[-1], profile) if suggest else None)
        for column, path in enumerate(header.paths)
        if path and column not in taken and column not in doubled
    )
    missing = tuple(f.name for f in profile.fields if f.name not in best)
    opposite = frozenset(f.name for f in profile.fields if f.name in best and best[f.name][1] >= _OPPOSITE)
    ordered = tuple(sorted(duplicates, key=lambda d: (d[1], d[0])))
    return Mapping(columns, ordered, unmapped, missing, opposite, also, first)


def _number_of(
    name: int, claims: Sequence[tuple[int, int, int, int]], header: Header
) -> tuple[int, int, int, int] | None:
    """The claim on the ID number that goes with the column of names.

    The head's number (户主身份证号) is not a member's. Of several that mean it equally well it is the one beside the name.
    """
    if _HEAD not in "/".join(header.paths[name]):
        claims = [claim for claim in claims if _HEAD not in "/".join(header.paths[claim[3]])]
    best = min(claims, default=None)
    equal = [claim for claim in claims if best and claim[:3] == best[:3]]
    return min(equal, key=lambda claim: (claim[3] < name, claim[3]), default=None)


def _of_this_person(
    name: str, claims: Sequence[tuple[int, int, int, int]], header: Header, profile: SourceProfile
) -> list[tuple[int, int, int, int]]:
    """Those claims on a field of identity that are no other person's: 申报人信息/姓名 is not the name of the dead."""
    if name not in _OWN:
        return list(claims)
    declared = {header_key(alias) for alias in profile.field(name).aliases}
    return [
        claim
        for claim in claims
        if not _OTHERS.search(key := header_key("/".join(header.paths[claim[3]]))) or key in declared
    ]


def _further(
    best: dict[str, tuple[int, int, int, int]], profile: SourceProfile
) -> tuple[tuple[tuple[int, int | None, int | None], ...], int | None]:
    """`also` and `first` of a mapping; a half of the first person that only a further one has is moved to `best`."""
    found: list[tuple[int, int | None, int | None]] = []
    for n in range(len(profile.also)):
        name, number = best.get(f"{n}:name"), best.get(f"{n}:id")
        if name or number:
            found.append((n, name[3] if name else None, number[3] if number else None))
    for own, lacking, half in (("id_number", "name", 1), ("name", "id_number", 2)):
        halves = [entry for entry in found if entry[half] is not None and entry[3 - half] is None]
        if own in best and lacking not in best and len(found) == len(halves) == 1:
            n = halves[0][0]
            best[lacking] = best[f"{n}:{'name' if half == 1 else 'id'}"]
            return (), n
    return tuple(found), None


def names_head(header: str) -> bool:
    """Whether a header over names is that of the heads of households alone: 户主及家庭成员/姓名 is everybody's."""
    return _HEAD in header and not any(word in header for word in ("成员", "家庭"))


def nearest_field(header: str, profile: SourceProfile) -> str | None:
    """The field whose header looks most like this one, for a suggestion; None if none looks alike."""
    fields = _suggestions(profile)
    key = header_key(header)
    found = process.extractOne(key, fields.keys(), scorer=fuzz.ratio, score_cutoff=_NEAR)
    if found:
        return fields[found[0]]
    # short words are like nothing: 居住村 and 村 share one letter of three, and yet it is a village
    place = next((name for name, ending in _PLACE_ENDS.items() if ending.search(key)), None)
    return place if place in fields.values() else None


@lru_cache(maxsize=64)
def _suggestions(profile: SourceProfile) -> dict[str, str]:
    """Header key → the field of the profile's own that it means first, in the order of keys."""
    meant = {key: [name for name, _ in fields if ":" not in name] for key, fields in _alias_index(profile).items()}
    return {key: names[0] for key, names in sorted(meant.items()) if names}


def unit_above(grid: Grid, header: Header) -> str | None:
    """The money unit that a line above the header declares for the whole sheet (`单位：万元`)."""
    above = [cell for row in grid.head.head(header.first).rows() for cell in row if cell]
    found = [_UNIT_LINE.search(unicodedata.normalize("NFKC", cell)) for cell in above]
    return next((match.group(1) for match in found if match), None)


def period_in(header: str) -> str | None:
    """`month` or `year` where a header says for how long its amounts are (`元/月`, 年人均纯收入)."""
    key = header_key(header)
    months, years = _MONTHLY.search(key), _YEARLY.search(key)
    return "month" if months and not years else "year" if years and not months else None


def unit_in(header: str) -> str | None:
    """The money unit that a header names in brackets or after a slash (`注册资本（万元）`)."""
    key = header_key(header)
    found = [_UNIT.search(part) for part in (*_REMARK.findall(key), key.rpartition("单位")[2] if "单位" in key else "")]
    return next((match.group(1) for match in found if match), None)


_BRACKETS = str.maketrans("〔〕［］｛｝《》〈〉∕⁄／\\", "()[]()<><>////")


@lru_cache(maxsize=64)
def _alias_index(profile: SourceProfile) -> dict[str, tuple[tuple[str, int], ...]]:
    """Header key → the fields it means, each with the rank of the alias among that field's; `0:name` is a further person's.

    人均纯收入（元） is also written without its unit, which the profile declares; not where that is another field's name.
    """
    index: dict[str, dict[str, int]] = {}
    named = [(field.name, field.aliases, field.opposite_aliases) for field in profile.fields]
    for n, also in enumerate(profile.also):
        named += [(f"{n}:name", also.name, ()), (f"{n}:id", also.id_number, ())]
    for name, straight, opposite in named:
        for rank, alias in (*enumerate(straight), *enumerate(opposite, _OPPOSITE)):
            index.setdefault(header_key(alias), {}).setdefault(name, rank)
    for key in [key for key in index if _MEASURE.search(key)]:
        if (bare := _MEASURE.sub("", key)) and bare not in index:
            index[bare] = {name: rank + _WITHOUT_UNIT for name, rank in index[key].items() if rank < _OPPOSITE}
    return {key: tuple(fields.items()) for key, fields in index.items() if key}


def _keys(path: Sequence[str], known: Container[str]) -> list[tuple[int, int, str]]:
    """(inherited, rank, key) of every way to read a column's labels: whole, lower part, without remarks, label above.

    A header that is known as it stands means just that: 公益性岗位（月数） is not 公益性岗位.
    """
    labels = [header_key(label) for label in path]
    readings = ["/".join(labels[start:]) for start in range(len(labels))]
    bare = [] if any(reading in known for reading in readings) else [_REMARK.sub("", reading) for reading in readings]
    own = [(0, rank, key) for rank, key in enumerate((*readings, *bare))]
    # a label that spans several columns stands for the first of them that is a total or says nothing else
    above = [(1, rank, key) for rank, key in enumerate(reversed(labels[:-1]))]
    return [(inherited, rank, key) for inherited, rank, key in (*own, *above) if key]


@dataclass(frozen=True)
class _Top:
    """The first rows of a sheet as labels, merged cells repeated over their range; `spanned` are those merged across."""

    rows: list[list[str]]
    spanned: frozenset[tuple[int, int]]

    def lowest(self, first: int, end: int, column: int) -> int:
        """The last row from `first` to before `end` in which this column has a label; `first` if none."""
        return next((row for row in range(end - 1, first, -1) if self.rows[row][column]), first)


def _top(grid: Grid) -> _Top:
    head = grid.head.head(SEARCH_ROWS + MAX_LEVELS)
    rows = [[re.sub(r"\s+", "", cell) if cell else "" for cell in row] for row in head.rows()]
    spanned: set[tuple[int, int]] = set()
    for top, left, bottom, right in grid.merged:
        if top < len(rows) and left < grid.head.width:
            columns = range(left, min(right + 1, grid.head.width))
            for row in rows[top : bottom + 1]:
                row[left : right + 1] = [rows[top][left]] * len(columns)
            if right > left:
                spanned |= {(row, column) for row in range(top, min(bottom + 1, len(rows))) for column in columns}
    return _Top(rows, frozenset(spanned))


def _is_level(top: _Top, first: int, at: int, profile: SourceProfile) -> bool:
    """True where row `at` fills in what the header rows from `first` on leave open: it may belong to the header.

    Every label must stand under nothing, or under a label that stands for several columns: merged across them, repeated, or
    followed by a blank (as a merged cell comes out of a CSV). What says who a person is must be merged to stand for several.
    """
    rows = top.rows
    above = [top.lowest(first, at, column) for column in range(len(rows[at]))]
    upper = [rows[row][column] for column, row in enumerate(above)]
    for column, label in enumerate(rows[at]):
        if label in ("", upper[column]) or not upper[column] or (above[column], column) in top.spanned:
            continue
        beside = (*upper[max(column - 1, 0) : column], *upper[column + 1 : column + 2])
        several = upper[column] in beside or not all(upper[column + 1 : column + 2])
        if not several or _says_who(upper[column], profile):
            return False
    return True


def _says_who(label: str, profile: SourceProfile) -> bool:
    return any(name in _WHO for name, _ in _alias_index(profile).get(header_key(label), ()))


def _unsure(top: _Top, first: int, last: int, profile: SourceProfile) -> frozenset[str]:
    """The labels below the row that means most by itself, except those under a merged cell."""
    rows = top.rows
    hits = [
        map_columns(Header(row, 1, _paths([rows[row]])), profile, suggest=False).hits for row in range(first, last + 1)
    ]
    main = first + hits.index(max(hits))
    sure = {label for row in rows[first : main + 1] for label in row}
    return frozenset(
        label
        for row in range(main + 1, last + 1)
        for column, label in enumerate(rows[row])
        if label and label not in sure and (top.lowest(first, row, column), column) not in top.spanned
    )


def _paths(block: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    """Each column's labels from top to bottom, blank and repeated ones left out."""
    return tuple(tuple(dict.fromkeys(label for label in column if label)) for column in zip(*block, strict=True))


def _holds_data(row: Sequence[str]) -> bool:
    """True for a row with a long number in it: an ID, a telephone, a date; headers have none."""
    return any(_LONG_NUMBER.search(label) for label in row)


def _tells_who(mapping: Mapping) -> bool:
    return bool(mapping.also) or any(name in mapping.by_field for name in _WHO)


def _whole_block(grid: Grid, top_rows: _Top, first: int, last: int, profile: SourceProfile) -> tuple[int, int]:
    """The block widened to the rows that its merged cells reach into, and to a row of sub-headers below it."""
    rows, width = top_rows.rows, grid.head.width
    grown = True
    while grown and last - first + 1 < MAX_LEVELS:
        before = (first, last)
        for top, left, bottom, right in grid.merged:
            partly = right - left + 1 < max(2, width - 1)
            if top <= last and bottom > last and top >= first:
                last = min(bottom, first + MAX_LEVELS - 1)
            if bottom >= first > top and partly:
                first = max(top, last - MAX_LEVELS + 1)
            if top == bottom == last and right > left and partly and _is_subheader(rows, last, left, right):
                last += _is_level(top_rows, first, last + 1, profile)
            if top == bottom == first - 1 and right > left and partly:
                first -= 1
        if (first, last) == before and _continues(rows, first, last, profile):
            last += _is_level(top_rows, first, last + 1, profile)
        grown = (first, last) != before
    return first, min(last, len(rows) - 1, first + MAX_LEVELS - 1)


def _is_subheader(rows: Sequence[Sequence[str]], last: int, left: int, right: int) -> bool:
    below = rows[last + 1][left : right + 1] if last + 1 < len(rows) else []
    return any(below) and not any(_has_digits(label) for label in below)


def _continues(rows: Sequence[Sequence[str]], first: int, last: int, profile: SourceProfile) -> bool:
    """True where the row below only fills in columns that have no label of their own yet (a CSV has no merged cells)."""
    if last + 1 >= len(rows):
        return False
    mapped = map_columns(
        Header(first, last - first + 1, _paths(rows[first : last + 1])), profile, suggest=False
    ).by_field
    below, above = rows[last + 1], rows[last]
    who = [mapped[name] for name in _WHO if name in mapped]
    new = [label for column, label in enumerate(below) if label and not above[column]]
    return bool(new) and not any(below[column] for column in who) and not any(_has_digits(label) for label in below)


def _has_digits(label: str) -> bool:
    return any(c.isdigit() for c in label) and not any("\u4e00" <= c <= "\u9fff" for c in label)
