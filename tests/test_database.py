"""Databases as sources: the text of every type, one order, nothing written, and nothing personal in any message."""

import os
import pwd
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest

from fupin_cli.errors import (
    BadDataError,
    BusyError,
    ConfigurationError,
    DiskError,
    FupinError,
    InputMissingError,
    NoPermissionError,
)
from fupin_cli.ingest import database
from fupin_cli.ingest.database import declare, open_query

pytest.importorskip("adbc_driver_postgresql", reason="the extra `database` is not installed")
import adbc_driver_postgresql.dbapi as postgres

PASSWORD = "gehei/m:pa@ss"
CANARY = "990123199001011231"  # a cell; like PASSWORD it must never be in a message
ROWS = [("990101199001011234", "李一"), ("990101199001021235", "王二"), (None, "赵三"), ("990101199001011234", "李一")]
FLAGS = ["-E", "UTF8", "--no-locale", "--no-sync", "--auth-host=scram-sha-256", "--auth-local=trust"]


class Server:
    """A PostgreSQL of the tests' own; `uri` gives the address for the owner, or for whoever is named."""

    def __init__(self, binaries: Path, folder: Path):
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        password = folder / "password"
        password.write_text(PASSWORD)
        who = {}
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            names = {user.pw_name for user in pwd.getpwall()}
            user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
            who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
            for path in (folder, password):
                os.chown(path, user.pw_uid, user.pw_gid)
        who |= {"cwd": folder, "env": {"LC_ALL": "C", "PATH": os.environ["PATH"]}, "stdout": subprocess.DEVNULL}
        data = folder / "data"
        subprocess.run(
            [binaries / "initdb", "-D", data, "-U", "owner", "--pwfile", password, *FLAGS],
            check=True,
            **who,
        )
        options = {
            "port": self.port,
            "unix_socket_directories": folder,
            "listen_addresses": "127.0.0.1",
            "fsync": "off",
        }
        self.process = subprocess.Popen(
            [binaries / "postgres", "-D", data, *(f"--{key}={value}" for key, value in options.items())],
            stderr=subprocess.DEVNULL,
            **who,
        )
        self._wait()

    def _wait(self):
        for _ in range(200):
            try:
                self.run("SELECT 1")
            except postgres.Error:
                time.sleep(0.05)
            else:
                return
        raise AssertionError("PostgreSQL did not start within ten seconds")

    def socket_uri(self, base="postgres"):
        """The address by which the owner needs no password."""
        return f"postgresql://owner@/{base}?host={self.folder}&port={self.port}"

    def uri(self, base="postgres", who="owner:${FUPIN_TEST_PASSWORD}"):
        """The address with a port, a user and a variable for the password."""
        return f"postgresql://{who}@127.0.0.1:{self.port}/{base}"

    def run(self, *statements, base="postgres"):
        """The first value of the last statement's answer."""
        with (
            closing(postgres.connect(self.socket_uri(base), autocommit=True)) as connection,
            closing(connection.cursor()) as cursor,
        ):
            for statement in statements:
                cursor.execute(statement)
            row = cursor.fetchone()
            return row and row[0]

    def stop(self):
        """Ends it without waiting for clients."""
        self.process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
        self.process.wait(30)


@pytest.fixture(scope="session")
def server():
    found = [shutil.which("initdb"), *sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)]
    binaries = [Path(path).resolve().parent for path in found if path]
    if not binaries:
        pytest.skip("PostgreSQL is not installed here (no initdb on PATH or in /usr/lib/postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="fupin-pg-", dir="/tmp"))  # short, for the socket; reachable for another user
    started = None
    try:
        started = Server(binaries[0], folder)
        started.run(
            "CREATE SCHEMA 民政",
            'CREATE TABLE 民政."低保" (证件号码 text, 姓名 text)',
            *(
                f'INSERT INTO 民政."低保" VALUES ({"NULL" if number is None else repr(number)}, {name!r})'
                for number, name in ROWS
            ),
            f"CREATE TABLE secret AS SELECT '{CANARY}'::text AS id",
            "CREATE SEQUENCE counter",
            "CREATE FUNCTION wipe() RETURNS int LANGUAGE sql AS 'DELETE FROM secret; SELECT 1'",
            f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'",
        )
        yield started
    finally:
        if started:
            started.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def _password(monkeypatch):
    monkeypatch.setenv("FUPIN_TEST_PASSWORD", PASSWORD)
    for name in ("PGPASSWORD", "PGUSER", "PGHOST", "PGPASSFILE", "PGOPTIONS"):
        monkeypatch.delenv(name, raising=False)


def ask(uri, text=None, table=None, folder=Path()):
    return open_query(declare(uri, text=text, table=table, folder=folder, where="fupin.toml, [register]"))


# ---- PostgreSQL: what is read ----

TYPES = [
    # in SQL                                               | in our grid
    ("'990101199001011234'::text", "990101199001011234"),
    ("'李一'::varchar(10)", "李一"),
    ("'9901'::char(18)", "9901"),
    ("'  '::text", None),
    ("NULL::text", None),
    ("7::smallint", "7"),
    ("990101199001011234::bigint", "990101199001011234"),
    ("990101199001011234::numeric(18)", "990101199001011234"),
    ("990101199001011234567890::numeric", "990101199001011234567890"),
    ("12.50::numeric(10,2)", "12.50"),
    ("1.5::float8", "1.5"),
    ("3000::float8", "3000"),
    ("1.1::float4", "1.1"),
    ("990101199001011234::float8", "9.90101199001011E+17"),
    ("'NaN'::float8", None),
    ("'2019-11-30'::date", "2019-11-30"),
    ("'infinity'::date", "infinity"),
    ("'2019-11-30 00:00'::timestamp", "2019-11-30"),
    ("'2019-11-30 10:11:12.5'::timestamp", "2019-11-30 10:11:12"),
    ("'1990-01-01 00:00+08'::timestamptz", "1990-01-01"),
    ("'1988-06-01 00:00 PRC'::timestamptz", "1988-06-01"),  # China had summer time then
    ("'2019-11-30 16:00+00'::timestamptz", "2019-12-01"),
    ("'10:11:12'::time", "10:11:12"),
    ("'1 day 2 hours'::interval", "1 day 02:00:00"),
    ("true", "true"),
    ("ARRAY['孤儿', NULL, '残疾']", "孤儿、残疾"),
    ("ARRAY[1, 2]", "1、2"),
    ("ARRAY[990101199001011234]::numeric[]", "990101199001011234"),
    ("""'{"a": 1}'::json""", '{"a": 1}'),
    ("""'{"a":1}'::jsonb""", '{"a": 1}'),
    ("'11111111-2222-3333-4444-555555555555'::uuid", "11111111-2222-3333-4444-555555555555"),
    (r"'\xdeadbeef'::bytea", "deadbeef"),
    ("'1000.50'::numeric::money", "1000.50"),
    ("'10.0.0.1'::inet", "10.0.0.1/32"),
    ("'<a/>'::xml", "<a/>"),
    ("B'101'", "101"),
    ("'(1,2)'::point", "(1,2)"),
    ("'[1,5)'::int4range", "[1,5)"),
    ("ROW(1, '李一')", "(1,李一)"),
    ("'c'::\"char\"", "c"),
]


@pytest.mark.parametrize(("sql", "text"), TYPES, ids=[t[0] for t in TYPES])
def test_the_text_of_every_type(server, sql, text):
    """A drawn table. A number that went through a float shows the damage; all others keep every digit."""
    grid = ask(server.uri(), f"SELECT {sql} AS v")
    assert grid.header == ("v",)
    assert grid.cells().schema == {"c0": pl.String}
    assert grid.cells().rows() == grid.head.rows() == [(text,)]


def test_a_column_without_a_type_is_refused(server, monkeypatch):
    """A driver that does not name it: a float or a moment would be taken for what it is not."""

    def unnamed(cursor, select):
        return [field.remove_metadata() for field in described(cursor, select)]

    described = postgres.Cursor.adbc_execute_schema
    monkeypatch.setattr(postgres.Cursor, "adbc_execute_schema", unnamed)
    with pytest.raises(ConfigurationError, match="of what type the column 姓名 is") as told:
        ask(server.uri(), "SELECT 姓名 FROM 民政.低保")
    assert "fupin-cli[database]" in str(told.value)


def test_a_table_comes_in_one_order_whatever_order_it_is_in(server):
    """The same rows stored the other way round give the same grid; twins stay two rows."""
    by_table = ask(server.uri(), table="民政.低保")
    assert by_table.sheet == "民政.低保"
    assert by_table.header == ("证件号码", "姓名")
    expected = sorted(ROWS, key=lambda row: (row[0] is None, row))
    assert by_table.cells().rows() == expected
    for order in ("ASC", "DESC"):
        by_query = ask(server.uri(), f'SELECT * FROM 民政."低保" ORDER BY 2 {order}; -- as it was typed in')
        assert by_query.sheet == "query"
        assert by_query.cells().rows() == expected


def test_batches_stream_and_can_be_read_again(server):
    """More than the driver's 16 MB comes in several frames of one shape; the head is their beginning."""
    grid = ask(server.uri(), "SELECT n, repeat('x', 200) AS wide FROM generate_series(1, 200000) AS n")
    heights = [batch.height for batch in grid.batches()]
    assert len(heights) > 1
    assert sum(heights) == 200_000
    assert grid.head.height == 64
    assert next(iter(grid.batches())).head(64).equals(grid.head)


def test_no_rows_and_two_columns_of_one_name(server):
    """Columns are there without rows; two of one name are two."""
    grid = ask(server.uri(), "WITH a AS (SELECT 1 AS x, 2 AS x) SELECT * FROM a WHERE false")
    assert grid.header == ("x", "x")
    assert grid.cells().schema == {"c0": pl.String, "c1": pl.String}
    assert grid.cells().height == grid.head.height == 0
    with pytest.raises(ConfigurationError, match="no columns"):
        ask(server.uri(), "SELECT")


@pytest.mark.parametrize(("encoding", "how"), [("EUC_CN", "'李一'"), ("SQL_ASCII", r"E'\xc0\xee\xd2\xbb'")])
def test_databases_in_old_chinese_encodings(server, encoding, how):
    """One that says GB2312 is converted by the server, one that says nothing is decoded here."""
    base = f"old_{encoding.lower()}"
    server.run(f"CREATE DATABASE {base} ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    server.run("SET client_encoding TO 'UTF8'", f"CREATE TABLE people AS SELECT {how}::text AS name", base=base)
    assert ask(server.uri(base), table="people").cells().rows() == [("李一",)]


def test_settings_of_server_and_user_change_nothing(server, monkeypatch):
    """A day is a day under any DateStyle and time zone."""
    monkeypatch.setenv("PGOPTIONS", "-c datestyle=German -c timezone=America/New_York -c extra_float_digits=-15")
    grid = ask(server.uri(), "SELECT date '2019-11-30' AS a, timestamptz '1990-01-01 00:00+08' AS b, 1.25::float4 AS c")
    assert grid.cells().rows() == [("2019-11-30", "1990-01-01", "1.25")]


# ---- PostgreSQL: who may, and that nothing is written ----


def test_the_password_from_a_variable_from_libpq_or_its_file(server, monkeypatch, tmp_path):
    """${NAME} is taken as it is, with any sign in it; PGPASSWORD and a password file work as for psql."""
    text = "SELECT current_user"
    assert ask(server.uri(), text).cells().rows() == [("owner",)]
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    assert ask(server.uri(who="reader"), text).cells().rows() == [("reader",)]
    monkeypatch.delenv("PGPASSWORD")
    passwords = tmp_path / "pgpass"
    passwords.write_text(f"127.0.0.1:*:*:reader:{PASSWORD.replace(':', chr(92) + ':')}\n")
    passwords.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(passwords))
    assert ask(server.uri(who="reader"), text).cells().rows() == [("reader",)]
    assert ask(server.socket_uri(), text).cells().rows() == [("owner",)]


WRITES = [
    # these pass the plain look, and the database refuses them
    "WITH gone AS (DELETE FROM secret RETURNING *) SELECT * FROM gone",
    "SELECT wipe()",
    "SELECT nextval('counter')",
    "SELECT * INTO stolen FROM secret",
    "SELECT * FROM secret FOR UPDATE",
    "SELECT wipe() FROM (SELECT set_config('transaction_read_only', 'off', true)) AS trick",
    "SELECT set_config('transaction_read_only', 'off', false), wipe()",
]


@pytest.mark.parametrize("text", WRITES)
def test_nothing_is_ever_written(server, text):
    """Whatever the query tries, the database refuses it, and afterwards everything is as it was."""
    with pytest.raises(FupinError) as caught:
        ask(server.uri(), text)
    assert not isinstance(caught.value, DiskError)
    assert CANARY not in str(caught.value)
    assert server.run("SELECT count(*) FROM secret") == 1
    assert server.run("SELECT is_called FROM counter") is False
    assert server.run("SELECT to_regclass('stolen') IS NULL") is True


NOT_ONE_SELECT = [
    # query | is one SELECT
    ("DELETE FROM secret", False),
    ("INSERT INTO secret SELECT 1", False),
    ("SELECT 1; DROP TABLE secret", False),
    ("SELECT 1) AS a; DROP TABLE secret; --", False),
    ("/* SELECT */ UPDATE secret SET id = 1", False),
    ("-- SELECT\nTRUNCATE secret", False),
    ("COPY secret TO '/tmp/x'", False),
    ("", False),
    ("select ';' as a", True),
    ("SELECT 1 AS a -- ; DROP TABLE secret", True),
    ("(SELECT 1 AS a)", True),
    ("/* 低保; */ SELECT $x$;$x$ AS a;\n", True),
    ("WITH a AS (SELECT 1) SELECT * FROM a", True),
]


@pytest.mark.parametrize(("text", "plain"), NOT_ONE_SELECT)
def test_a_query_is_one_select(server, text, plain):
    """A drawn table of the plain look; what passes it also runs."""
    if plain:
        assert ask(server.uri(), text).cells().height == 1
    else:
        with pytest.raises(ConfigurationError, match="not a single SELECT"):
            ask(server.uri(), text)


# ---- PostgreSQL: what goes wrong, in words ----

REFUSED = [
    # who, database, options | asked | kind | words
    ("owner:wrong${FUPIN_TEST_PASSWORD}", "postgres", "", {"text": "SELECT 1"}, NoPermissionError, "refuses this user"),
    ("owner", "postgres", "", {"text": "SELECT 1"}, NoPermissionError, "password is wrong or missing"),
    ("nobody:x", "postgres", "", {"text": "SELECT 1"}, NoPermissionError, "refuses this user"),
    ("reader:${FUPIN_TEST_PASSWORD}", "postgres", "", {"table": "secret"}, NoPermissionError, "may not read"),
    (None, "nowhere", "", {"text": "SELECT 1"}, ConfigurationError, "/nowhere, query: no such database"),
    (None, "postgres", "", {"table": "民政.高保"}, ConfigurationError, "no such table 民政.高保"),
    (None, "postgres", "", {"table": "民证.低保"}, ConfigurationError, "no such table 民证.低保"),
    (
        None,
        "postgres",
        "",
        {"text": "SELECT *\nFROM 民政.高保"},
        ConfigurationError,
        r"no such table 民政.高保[\s\S]*line 2, character 6",
    ),
    (
        None,
        "postgres",
        "",
        {"text": "SELECT name FROM secret"},
        ConfigurationError,
        r"no such column name[\s\S]*line 1, character 8",
    ),
    (
        None,
        "postgres",
        "",
        {"text": "SELECT 1,\n2 frm secret frm"},
        ConfigurationError,
        r"syntax error[\s\S]*line 2, character 7",
    ),
    (
        None,
        "postgres",
        "",
        {"text": "SELECT nofunction(id) FROM secret"},
        ConfigurationError,
        r"SQLSTATE 42883[\s\S]*character 8",
    ),
    (None, "postgres", "?nonsense=1", {"text": "SELECT 1"}, ConfigurationError, "the address is not one"),
    (None, "postgres", "", {"text": "SELECT id::date FROM secret"}, BadDataError, "SQLSTATE 22008"),
    (None, "postgres", "", {"text": "SELECT id::uuid FROM secret"}, BadDataError, "SQLSTATE 22P02"),
    (
        None,
        "postgres",
        "?options=-c%20statement_timeout%3D50ms",
        {"text": "SELECT pg_sleep(9)"},
        BadDataError,
        "took too long",
    ),
]


@pytest.mark.parametrize(("who", "base", "options", "asked", "kind", "words"), REFUSED, ids=[r[5] for r in REFUSED])
def test_refusals_in_words(server, who, base, options, asked, kind, words):
    """A drawn table. Each says what to type next; none holds a cell, a password, a user or a port."""
    uri = (server.uri(base, who) if who else server.uri(base)) + options
    with pytest.raises(kind, match=words) as caught:
        ask(uri, **asked)
    assert f"postgresql://127.0.0.1/{base}" in str(caught.value)
    assert caught.value.try_
    assert caught.value.__cause__ is None
    refuse_canaries(caught.value, server)


def refuse_canaries(error, server):
    for canary in (CANARY, PASSWORD, "gehei", "owner", str(server.port), "127.0.0.1:"):
        assert canary not in str(error)


def test_a_server_that_is_not_there_full_or_gone(server, tmp_path):
    """Not there and gone are a broken line (74); full is a matter of waiting (75)."""
    with pytest.raises(DiskError, match="cannot reach the database") as caught:
        ask(server.uri().replace(str(server.port), "1"), "SELECT 1")
    assert "pg_isready -h 127.0.0.1" in str(caught.value)
    with pytest.raises(DiskError, match="cannot reach"):
        ask(f"postgresql:///postgres?host={tmp_path}", "SELECT 1")
    server.run("CREATE ROLE alone LOGIN CONNECTION LIMIT 0")
    with pytest.raises(BusyError, match="no room"):
        ask(server.socket_uri().replace("owner", "alone"), "SELECT 1")
    grid = ask(server.uri(), "SELECT n, repeat('x', 400) AS wide FROM generate_series(1, 200000) AS n")
    batches = grid.batches()
    next(batches)
    server.run(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE application_name = 'fupin' AND pid <> pg_backend_pid()"
    )
    with pytest.raises(DiskError, match="cannot reach") as caught:
        list(batches)
    refuse_canaries(caught.value, server)


# ---- addresses ----

NAMES = [
    # source | the name that people see
    ("postgresql://u:p@db.example:5433/fupin?sslmode=require", "postgresql://db.example/fupin"),
    ("postgres://u:${PW}@db.example/fupin", "postgresql://db.example/fupin"),
    ("postgresql://db1:1,db2:2/fupin", "postgresql://db1,db2/fupin"),
    ("postgresql://[::1]:5432/fupin", "postgresql://[::1]/fupin"),
    ("postgresql:///fupin?host=/run/postgresql&user=u&password=p", "postgresql:///fupin"),
    ("postgresql://user:secret/fupin", "postgresql://user/fupin"),  # the host forgotten
    ("sqlite:///收到/低保.sqlite", "sqlite:///收到/低保.sqlite"),
]


@pytest.mark.parametrize(("uri", "name"), NAMES)
def test_the_name_that_people_see(uri, name):
    """A drawn table: no user, password, port or option, and the address is not in the repr."""
    query = declare(uri, table="t", where="x")
    assert query.name == name
    assert "uri" not in repr(query)


@pytest.mark.parametrize(
    "uri", ["mysql://u:p@h/d", "postgresql://u:p@ss@h/d", "postgresql://u:p/w@h/d", "u:p@h", "sqlite://u:p@h"]
)
def test_an_address_that_cannot_be_read_is_not_repeated(uri):
    """It may hold a password, in whatever place."""
    with pytest.raises(ConfigurationError, match="not an address") as caught:
        declare(uri, table="t", where="fupin.toml")
    assert uri not in str(caught.value)


def test_names_of_tables(tmp_path):
    """Schema and table, nothing else."""
    for table in ("a.b.c", 'a"; DROP', "", ".a"):
        with pytest.raises(ConfigurationError, match="not the name of a table"):
            declare("sqlite:///a.db", table=table, where="x")


def test_a_variable_that_is_not_set(monkeypatch):
    """Its name is said."""
    monkeypatch.delenv("NO_SUCH", raising=False)
    with pytest.raises(ConfigurationError, match="NO_SUCH is not set"):
        ask("postgresql://u:${NO_SUCH}@127.0.0.1:1/d", "SELECT 1")


@pytest.mark.parametrize("uri", ["postgresql://db.example/fupin", "sqlite:///a.db"])
def test_without_the_extra(monkeypatch, uri):
    """What to install is said."""
    for name in ("adbc_driver_postgresql", "adbc_driver_sqlite"):
        monkeypatch.setitem(sys.modules, f"{name}.dbapi", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'fupin-cli\[database\]'"):
        ask(uri, table="t")


# ---- SQLite ----


@pytest.fixture
def lite(tmp_path):
    """A folder with 乡镇 名单.sqlite, whose columns hold what SQLite lets them hold: anything."""
    with closing(sqlite3.connect(tmp_path / "乡镇 名单.sqlite")) as connection:
        connection.execute("CREATE TABLE 名单 (证件号码, 备注)")
        connection.executemany("INSERT INTO 名单 VALUES (?, ?)", [(int(n) if n else None, name) for n, name in ROWS])
        connection.executemany("INSERT INTO 名单 VALUES (?, ?)", [(990101199001011234.0, 2.0), (1.5, b"\xde\xad")])
        connection.executemany("INSERT INTO 名单 VALUES (?, ?)", [("9901\x001", " "), ("x", "2019-11-30")])
        connection.execute("INSERT INTO 名单 VALUES ('y', CAST(x'c0eed2bb' AS TEXT))")
        connection.commit()
    return tmp_path


LITE = "sqlite:///乡镇 名单.sqlite"
LITE_ROWS = [
    (None, "赵三"),
    ("1.5", "dead"),
    ("9.90101199001011E+17", "2"),
    ("99011", None),
    ("990101199001011234", "李一"),
    ("990101199001011234", "李一"),
    ("990101199001021235", "王二"),
    ("x", "2019-11-30"),
    ("y", "李一"),
]


@pytest.mark.parametrize("batch", [2, 50_000])
def test_sqlite_mixed_types_in_one_order(lite, monkeypatch, batch):
    """Each value by its own type, in batches of any size: damaged numbers, bytes, NULs and GBK included."""
    monkeypatch.setattr(database, "_SQLITE_BATCH", batch)
    grid = ask(LITE, table="名单", folder=lite)
    assert grid.header == ("证件号码", "备注")
    assert grid.cells().rows() == grid.head.rows() == LITE_ROWS
    assert len(list(grid.batches())) == (5 if batch == 2 else 1)
    assert ask(LITE, "SELECT * FROM 名单 ORDER BY 2 DESC", folder=lite).cells().rows() == LITE_ROWS
    assert ask(f"sqlite:///{lite}/乡镇 名单.sqlite", table="main.名单").cells().rows() == LITE_ROWS


def test_sqlite_without_rows(lite):
    """The columns are there."""
    grid = ask(LITE, "SELECT * FROM 名单 WHERE 0", folder=lite)
    assert grid.cells().schema == {"c0": pl.String, "c1": pl.String}
    assert grid.head.height == 0


LITE_REFUSED = [
    ({"text": "WITH a AS (SELECT 1) DELETE FROM 名单"}, ConfigurationError, "does more than read"),
    ({"table": "名册"}, ConfigurationError, "no such table 名册"),
    ({"text": "SELECT * FROM 名册"}, ConfigurationError, "no such table 名册"),
    ({"text": "SELECT 姓名 FROM 名单"}, ConfigurationError, "no such column 姓名"),
    ({"text": "SELECT frm FROM FROM"}, ConfigurationError, "syntax error"),
]


@pytest.mark.parametrize(("asked", "kind", "words"), LITE_REFUSED)
def test_sqlite_refusals_in_words(lite, asked, kind, words):
    """A drawn table; and the file is as it was."""
    path = lite / "乡镇 名单.sqlite"
    before = path.read_bytes()
    with pytest.raises(kind, match=words) as caught:
        ask(LITE, folder=lite, **asked)
    assert caught.value.try_
    assert path.read_bytes() == before


def test_sqlite_files_that_are_not_there_no_database_or_busy(lite, monkeypatch):
    """66, 77, 65 and 75; a missing file is not made."""
    with pytest.raises(InputMissingError, match="no such database file"):
        ask("sqlite:///none.sqlite", table="t", folder=lite)
    assert not (lite / "none.sqlite").exists()
    (lite / "none.sqlite").write_text(CANARY * 500)
    with monkeypatch.context() as another_user, pytest.raises(NoPermissionError, match="not allowed to read"):
        another_user.setattr(os, "access", lambda *_: False)
        ask("sqlite:///none.sqlite", table="t", folder=lite)
    with pytest.raises(BadDataError, match="no database, or a damaged one") as caught:
        ask("sqlite:///none.sqlite", table="t", folder=lite)
    assert CANARY not in str(caught.value)
    # in a process of its own: to one's own process no lock applies
    lock = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('BEGIN EXCLUSIVE'); print(flush=True); input()"
    command = [sys.executable, "-c", lock, lite / "乡镇 名单.sqlite"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        with pytest.raises(BusyError, match="no room for this now"):
            ask(LITE, table="名单", folder=lite)
        other.communicate(b"\n")
