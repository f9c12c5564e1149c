# ruff: noqa: INP001 - part of a program, not a package
"""A Python file with one thing changed, once for each thing that a test should miss: what `mutants.py` runs the tests against.

Changed are comparisons, arithmetic, AND and OR, NOT, whole numbers and truth values, conditions (turned round, or left out of a
comprehension), what `when`, `filter` and `coalesce` are given, how tables join, the ends of regular expressions, the first and
last entry of a list or table of texts; and left out are steps of a chain that change a value, errors, and lines whose result
nobody takes. Names of columns and what people read are left alone: a test that misses a word reads texts for their own sake.
"""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

_OTHER: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.BitXor: ast.BitOr, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
    ast.Pow: ast.Mult,
}  # fmt: skip
_RENAMED = {
    "all_horizontal": "any_horizontal", "any_horizontal": "all_horizontal", "is_null": "is_not_null", "any": "all", "all": "any",
    "is_not_null": "is_null", "min": "max", "max": "min", "starts_with": "ends_with", "first": "last", "last": "first",
    "strip_prefix": "strip_suffix", "min_horizontal": "max_horizontal", "max_horizontal": "min_horizontal",
}  # fmt: skip
_LEFT_OUT = {
    "fill_null", "drop_nulls", "unique", "sort", "strip_chars", "normalize", "to_uppercase", "to_lowercase", "replace",
    "replace_all", "replace_many", "filter", "head", "round", "abs", "otherwise", "strip_prefix", "strip", "upper", "lower",
    "removeprefix", "over", "month_start", "slice", "pad_end", "n_unique", "union", "reverse",
}  # fmt: skip
_JOINS = {"left": "inner", "inner": "left", "anti": "semi", "semi": "anti"}
_SPACES = ("str", "dt", "list", "bin")
_SAID = ("tr", "listed", "pick", "typed", "cast", "TypeVar")  # what people read, and what only a checker of types reads


@dataclass(frozen=True)
class Mutant:
    """One change: its name (`function: before → after`), the line, and the whole text of the changed file."""

    name: str
    line: int
    text: str


def mutants(source: str) -> Iterator[Mutant]:
    """The file with one thing changed, in the order of its lines."""
    lines = source.encode().splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    raw, seen = source.encode(), dict[str, int]()
    for node, function in _walk(ast.parse(source), "module"):
        old = node.test if isinstance(node, ast.If | ast.While) else node
        begin, end = starts[old.lineno - 1] + old.col_offset, starts[old.end_lineno - 1] + old.end_col_offset
        for other in _changes(node):
            after = ast.unparse(other)
            written = f"({after})" if isinstance(old, ast.expr) else after
            name = f"{function}: {_short(ast.unparse(old))} → {_short(after)}"
            seen[name] = seen.get(name, 0) + 1
            name += f" #{seen[name]}" if seen[name] > 1 else ""
            yield Mutant(name, old.lineno, (raw[:begin] + written.encode() + raw[end:]).decode())


def _walk(node: ast.AST, function: str) -> Iterator[tuple[ast.AST, str]]:
    """Every node that may be changed, with the function in which it stands."""
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list", "type_params"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or _is_left_alone(child):
                continue
            inside = child.name if isinstance(child, ast.FunctionDef) else function
            if isinstance(child, ast.expr | ast.stmt):
                yield child, inside
            yield from _walk(child, inside)


def _is_left_alone(node: ast.AST) -> bool:
    match node:
        case ast.Expr(ast.Constant()) | ast.JoinedStr() | ast.Import() | ast.ImportFrom() | ast.Assert():
            return True
        case ast.Call(ast.Name(name)):
            return name in _SAID
        case ast.If(ast.Name("TYPE_CHECKING")):
            return True
    return False


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(ops=ops):
            for at, op in enumerate(ops):
                yield _with(node, ops=[*ops[:at], _OTHER[type(op)](), *ops[at + 1 :]])
        case ast.BinOp(left, op, right) if type(op) in _OTHER and not (_is_text(left) or _is_text(right)):
            yield _with(node, op=_OTHER[type(op)]())
        case ast.BoolOp(op=op):
            yield _with(node, op=_OTHER[type(op)]())
        case ast.UnaryOp(ast.Not() | ast.Invert() | ast.USub(), operand):
            yield operand
        case ast.Constant(bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(int() as value):
            yield ast.Constant(value + 1)
        case ast.Constant(str() as value):
            yield from (ast.Constant(other) for other in _patterns(value))
        case ast.IfExp(test, body, orelse):
            yield _with(node, body=orelse, orelse=body)
        case ast.If(test) | ast.While(test):
            yield test.operand if _is_not(test) else ast.UnaryOp(ast.Not(), test)
        case (
            ast.ListComp(generators=parts)
            | ast.SetComp(generators=parts)
            | ast.GeneratorExp(generators=parts)
            | ast.DictComp(generators=parts)
        ):
            for at, part in enumerate(parts):
                if part.ifs:
                    yield _with(node, generators=[*parts[:at], _with(part, ifs=[]), *parts[at + 1 :]])
        case ast.Tuple(elts=elts) | ast.List(elts=elts) | ast.Set(elts=elts) if len(elts) > 1 and all(
            map(_is_text, elts)
        ):
            yield _with(node, elts=elts[1:])
            yield _with(node, elts=elts[:-1])
        case ast.Dict(keys=keys, values=values) if len(keys) > 1 and all(key and _is_text(key) for key in keys):
            yield _with(node, keys=keys[1:], values=values[1:])
            yield _with(node, keys=keys[:-1], values=values[:-1])
        case ast.Call():
            yield from _calls(node)
        case ast.Raise() | ast.AugAssign() | ast.Expr(ast.Call()):
            yield ast.Pass()


def _calls(node: ast.Call) -> Iterator[ast.AST]:
    args = node.args
    match node.func:
        case ast.Attribute(value, name):
            inner = value.value if isinstance(value, ast.Attribute) and value.attr in _SPACES else value
            is_step = not (isinstance(value, ast.Name) and value.id == "pl")
            if name in _RENAMED and not (name in ("min", "max") and value is inner and isinstance(value, ast.Name)):
                yield _with(node, func=_with(node.func, attr=_RENAMED[name]))
            if name in _LEFT_OUT and is_step:
                yield inner
            if name == "when" and len(args) == 1 and not _is_text(args[0]):
                yield _with(node, args=[ast.UnaryOp(ast.Invert(), args[0])])
            if name == "filter" and len(args) > 1:
                yield from (_with(node, args=[*args[:at], *args[at + 1 :]]) for at in range(len(args)))
            if name == "coalesce" and len(args) > 1:
                yield _with(node, args=args[::-1])
    for at, keyword in enumerate(node.keywords):
        match keyword:
            case ast.keyword("how", ast.Constant(how)) if how in _JOINS:
                other = _with(keyword, value=ast.Constant(_JOINS[how]))
                yield _with(node, keywords=[*node.keywords[:at], other, *node.keywords[at + 1 :]])


def _patterns(text: str) -> Iterator[str]:
    """A regular expression without its anchor at one end; nothing for any other text."""
    if len(text) > 2 and any(sign in text for sign in "[(\\"):
        if text.startswith("^"):
            yield text[1:]
        if text.endswith("$"):
            yield text[:-1]


def _with(node: ast.AST, **changed: object) -> ast.AST:
    other = copy.copy(node)
    for name, value in changed.items():
        setattr(other, name, value)
    return other


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _is_not(node: ast.AST) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= 90 else plain[:60] + " … " + plain[-27:]
