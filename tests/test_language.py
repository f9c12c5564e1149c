"""Chinese or English, as whoever types wishes; and nothing that was forgotten in either."""

import ast
import re
import string
import sys
from pathlib import Path

import pytest
from babel.messages.mofile import write_mo

from conftest import ROOT, fupin, fupin_process
from fupin_cli import errors
from fupin_cli.language import LANGUAGES, on_paper, pick_on_paper, preferred, report_language, speak
from make_messages import CATALOGUE, updated

SOURCES = sorted((ROOT / "src" / "fupin_cli").rglob("*.py"))
ERRORS = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.FupinError)}
COMMAND = re.compile(
    r"^[^a-z]*(?:fupin |ls |df |chmod |make |pip |\S+ = |--\w|\[)"
)  # what is typed is the same in any language


PRINTS = ("echo", "say", "show", "_line", "_table", "prompt")
MIXED = re.compile("^ *[\u4e00-\u9fff（）、，]+ [a-z]{3,}")  # 依据 basis


@pytest.mark.parametrize(
    ("words", "environment", "expected"),
    [
        ([], {"FUPIN_LANG": "zh"}, "错误"),
        ([], {"FUPIN_LANG": "en", "LANG": "zh_CN.UTF-8"}, "error"),
        ([], {"FUPIN_LANG": "", "LC_ALL": "", "LC_MESSAGES": "", "LANG": "zh_CN.UTF-8"}, "错误"),
        ([], {"FUPIN_LANG": "", "LC_ALL": "", "LC_MESSAGES": "", "LANG": "de_DE.UTF-8"}, "error"),
        (["--lang", "zh"], {"FUPIN_LANG": "en"}, "错误"),
        (["--lang", "en"], {"FUPIN_LANG": "zh"}, "error"),
    ],
)
def test_the_option_goes_before_the_variable_and_that_before_the_locale(words, environment, expected):
    done = fupin_process(*words, "run", "nowhere", **environment)
    assert done.returncode == 66
    assert done.stderr.startswith(expected)


@pytest.mark.parametrize(
    ("variable", "asked", "expected"),
    [
        ("", None, "zh"),
        ("", "en", "en"),
        ("", "zh", "zh"),
        ("en", "zh", "en"),
        ("zh", "en", "zh"),
        ("", "locale", "zh"),
    ],
)
def test_reports_are_chinese_unless_somebody_asked_for_english(monkeypatch, variable, asked, expected):
    """A system in English writes Chinese; who types --lang en or sets a variable reads English; villages read Chinese."""
    monkeypatch.setenv("FUPIN_REPORT_LANG", variable)
    speak("en" if asked == "locale" else asked or "en", asked=asked in LANGUAGES)
    try:
        with report_language() as language:
            assert language == expected
            assert (on_paper("Households"), pick_on_paper(("户", "home"))) == (
                ("Households", "home") if expected == "en" else ("户判定", "户")
            )
        assert on_paper("Households") == "户判定"
    finally:
        speak("en")


def test_an_error_says_all_three_things_in_chinese(tmp_path):
    """What and where, why, and what to type next."""
    (tmp_path / "fupin.toml").write_text('[project]\nname = "试"\nas_off = 2019-11-30\n', encoding="utf-8")
    done = fupin_process("--lang", "zh", "run", tmp_path)
    assert done.returncode == 78
    assert "没有" in done.stderr or "不" in done.stderr
    assert "下一步：" in done.stderr
    assert not re.search(r"[a-z]{3,} [a-z]{3,} [a-z]{3,}", done.stderr), done.stderr


def test_click_speaks_the_same_language():
    done = fupin_process("--lang", "zh", "link", "only-one.csv")
    assert done.returncode == 2
    assert "缺少参数" in done.stderr


def test_the_locale_of_windows_counts(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr("locale.getlocale", lambda: ("Chinese (Simplified)_China", "936"))
    assert preferred({}) == "zh"


@pytest.mark.parametrize(
    "words", [[], ["run"], ["cases"], ["cases", "dispatch"], ["rules"], ["seal", "close"]], ids=" ".join
)
def test_help_is_in_one_language(words):
    """What is typed stays as it is; everything that is said is said in Chinese, or in English."""
    for language, other in (("zh", r"[a-z]{3,} [a-z]{3,} [a-z]{3,}"), ("en", "[\u4e00-\u9fff]{6,}")):
        done = fupin_process("--lang", language, *words, "--help")
        assert done.returncode == 0
        told = [line for line in done.stdout.splitlines()[1:] if not line.startswith("    fupin")]
        assert not [line for line in told if re.search(other, line)]
    assert "比对建档立卡" in fupin_process("--lang", "zh", "--help").stdout


def test_every_message_has_its_chinese():
    lacking = [message.id for message in updated() if message.id and not all(_texts(message.string))]
    assert lacking == [], "make messages, then fill them in"


def test_every_message_is_collected():
    """What stands in tr() and its like is in the catalogue, also where a formatted text hides it from whoever collects."""
    known = {message.id for message in updated()}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _called(node) in ("tr", "on_paper", "later") and node.args:
                text = getattr(node.args[0], "value", None)
                assert not isinstance(text, str) or not text or text in known, f"{path.name}:{node.lineno}: {text!r}"


def test_the_system_speaks_chinese(tmp_path):
    """A reason that the system gives in English has its Chinese."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    for language, why in (("zh", "不是文件夹"), ("en", "Not a directory")):
        done = fupin("synth", tmp_path / "file" / "here", FUPIN_LANG=language)
        assert why in done.stderr


def _texts(said) -> tuple[str, ...]:
    return (said,) if isinstance(said, str) else said


def test_every_translation_keeps_the_values():
    for message in updated():
        if isinstance(message.id, str) and message.id:
            assert _fields(message.string) == _fields(message.id), message.id


def _fields(text: str) -> set:
    try:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}
    except ValueError:  # braces that are no fields: a snippet of TOML
        return set(re.findall(r"\{\w+\}", text))


def test_what_gettext_reads_is_what_people_edit(tmp_path):
    with (tmp_path / "fupin.mo").open("wb") as stream:
        write_mo(stream, updated())
    assert (tmp_path / "fupin.mo").read_bytes() == CATALOGUE.with_suffix(".mo").read_bytes(), "make messages"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT / "src" / "fupin_cli")))
def test_no_error_speaks_past_the_catalogue(path: Path):
    """What an error says, why, and what to type next are words in tr(), or nothing but a command."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and _called(node) in {*ERRORS, "fail", "Deleted"}:
            told = [*node.args[:1], *(word.value for word in node.keywords if word.arg in ("why", "try_", "left"))]
            for text in filter(None, map(_bare, told)):
                assert COMMAND.match(text) or not re.search(r"[A-Za-z]{2,}[:,;]? ", text), f"{node.lineno}: {text!r}"


SENTENCE = re.compile(r"\b[a-z]{2,} [a-z]+ [a-z]{2,} [a-z]{2,}")
MARKED = ("tr", "on_paper", "later")
FOR_US = ("AssertionError", "LookupError", "OSError", "ValueError")  # said by a bug, or to another program
HAN = re.compile("[\u4e00-\u9fff]")
NO_WORDS = re.compile(  # patterns, SQL, a model's file, columns; and what is said by a table that looks the text up
    r"^(?:\^|\n[-A-Z]|#|\[learned|server closed|What opening|mostly not so|\{\} further header|no header;)|: as |[a-z]_[a-z]"
)


@pytest.mark.parametrize(
    "path",
    [path for path in SOURCES if path.parent.name not in ("cli", "synth")],  # help is collected from the commands
    ids=lambda p: str(p.relative_to(ROOT / "src" / "fupin_cli")),
)
def test_no_table_of_words_is_in_english_alone(path: Path):
    """A sentence that a table or a variable keeps until it is said is marked, or stands beside its Chinese."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    fine = set[ast.AST]()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            fine.add(body[0].value)  # a docstring
        fine.update(node.values if isinstance(node, ast.JoinedStr) else [])  # asked as a whole
        marked = isinstance(node, ast.Call) and _called(node) in (*MARKED, *FOR_US)
        beside = node.elts if isinstance(node, ast.Tuple) else node.args if isinstance(node, ast.Call) else []
        beside += [word for each in beside if isinstance(each, ast.Call) for word in each.args]  # a pattern's text
        beside += node.keys if isinstance(node, ast.Dict) else []
        if marked or any(HAN.search(_bare(other)) for other in beside if other):
            fine.update(ast.walk(node))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant | ast.JoinedStr) and node not in fine:
            text = _bare(node)
            assert NO_WORDS.search(text) or not SENTENCE.search(text), f"{path.name}:{node.lineno}: {text!r}"


def _bare(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value or "")
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return ""


def test_no_output_is_in_two_languages():
    """What a command prints is a message in tr(), Chinese and English apart in pick(), or a name from the data."""
    for path in (
        *(ROOT / "src" / "fupin_cli" / "cli").glob("*.py"),
        ROOT / "src" / "fupin_cli" / "report" / "terminal.py",
    ):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            told = node.args[:1] if isinstance(node, ast.Call) and _called(node) in PRINTS else []
            for text in map(_bare, told):
                where = f"{path.name}:{node.lineno}: {text!r}"
                assert COMMAND.match(text) or not re.search("[\u4e00-\u9fff]|[a-z]{3,} [a-z]", text), where


def test_nothing_that_is_said_mixes_languages():
    """No words of one beside the same words of the other."""
    for path in SOURCES:
        if path.parent.name not in ("fupin_cli", "cli") and path.name != "terminal.py":
            continue  # what workbooks, pages and registers say is Chinese
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant | ast.JoinedStr) and (text := _bare(node)):
                assert not MIXED.search(text) or "\n" in text, f"{path.name}:{node.lineno}: {text!r}"


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
