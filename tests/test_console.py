"""What a terminal is told while a command works, and who is asked for a password."""

from types import SimpleNamespace
from unittest.mock import Mock

from fupin_cli.cli import console


def test_a_terminal_without_a_cursor_is_told_each_stage_once(monkeypatch, capsys):
    """A line a stage, however often its progress is reported; nothing at all where quiet was asked for."""
    monkeypatch.setattr(console, "_stderr", lambda: SimpleNamespace(is_terminal=True, is_dumb_terminal=True))
    with console.progress() as say:
        for done in range(3):
            say("reading", done, 3)
        say("linking")
    assert capsys.readouterr().err == "reading\nlinking\n"
    with console.progress(quiet=True) as say:
        say("reading")
    assert capsys.readouterr().err == ""


def test_a_password_is_asked_for_once_and_of_nobody_where_nobody_sits(monkeypatch):
    """The environment first, then what was typed before, then whoever is there; the moving line stands still meanwhile."""
    asked = []
    line = SimpleNamespace(stop=lambda: asked.append("stop"), start=lambda: asked.append("start"))
    ask = console.password_from("FUPIN_TRIED")
    monkeypatch.setattr(console, "_typed", {})
    monkeypatch.setattr(console, "_shown", [line])
    monkeypatch.setattr(console.click, "prompt", lambda text, **_: asked.append(text) or "secret")
    for there in (False, True):
        for stream in ("stdin", "stderr"):
            monkeypatch.setattr(console.sys, stream, Mock(**{"isatty.return_value": there}))
        assert ask.answer("a.xlsx") == ("secret" if there else None)
    assert asked == ["stop", "password: a.xlsx", "start"]
    assert ask.answer("a.xlsx") == "secret"
    monkeypatch.setenv("FUPIN_TRIED", "given")
    assert ask.answer("a.xlsx") == "given"
    assert len(asked) == 3
