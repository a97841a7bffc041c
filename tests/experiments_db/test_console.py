"""The console answers questions and does nothing else, whatever is typed."""

import time
from inspect import signature
from pathlib import Path

import pytest

from experiments_db import queries, record
from experiments_db.console import select
from experiments_db.database import Database
from experiments_db.errors import ReadOnlyError, UnreachableDatabaseError
from experiments_db.models import Domain, Token
from experiments_db.tokens import save_token

Started = tuple[str, list[int]]

WRITES = [
    "INSERT INTO domain (identity) VALUES ('x')",
    "UPDATE run SET status = 'failed'",
    "DELETE FROM run",
    "DROP TABLE experiment",
    "CREATE TABLE t (x int)",
    "SELECT 1; DELETE FROM run",
    "SELECT 1; COMMIT; DELETE FROM run",
    "WITH gone AS (DELETE FROM run RETURNING *) SELECT * FROM gone",
    "WITH gone AS (SELECT 1) DELETE FROM run",
    "WITH gone AS (SELECT 1) INSERT INTO run (id) SELECT 7",
    "/* SELECT */ DELETE FROM run",
    "-- SELECT\nDELETE FROM run",
    "EXPLAIN ANALYZE DELETE FROM run",
    "BEGIN",
    "COMMIT",
    "VACUUM",
    "SELECT * FROM run FOR UPDATE",
    "SELECT 1 INTO copied",
    "",
    ";",
    "SELECT FROM WHERE",
    "SELECT * FROM nowhere",
    "ATTACH DATABASE ':memory:' AS other",
    "REPLACE INTO run (id) VALUES (1)",
    "PRAGMA user_version = 7",
    "CREATE TEMP TABLE t AS SELECT * FROM run",
    "SELECT * FROM token",
    "SELECT sha256 FROM Token",
    'SELECT count(*) FROM "token"',
    "SELECT t.sha256 FROM run LEFT JOIN token AS t ON true",
    "WITH hidden AS (SELECT * FROM token) SELECT 1 FROM hidden",
    "SELECT 1 WHERE EXISTS (SELECT 1 FROM token WHERE sha256 LIKE 'a%')",
]
SQLITE_WRITES = [
    "ATTACH DATABASE '{folder}/attached.db' AS other",
    "PRAGMA query_only=OFF",
    "PRAGMA journal_mode=DELETE",
    "SELECT * FROM pragma_table_info('run')",
    "SELECT load_extension('/tmp/x.so')",
    "SELECT writefile('{folder}/written', 'x')",
    "SELECT readfile('/etc/passwd')",
    "SELECT fts3_tokenizer('simple')",
    "SELECT printf('%.*c', 2000000000, 'x')",
    "SELECT format('%1000000000d', 1)",
    "VACUUM INTO '{folder}/copy.db'",
    "WITH x AS (SELECT 1) REPLACE INTO run (id) VALUES (1)",
    "SELECT * FROM main.token",
    "SELECT * FROM [token]",
    "SELECT * FROM `token`",
    "SELECT data FROM sqlite_dbpage",
    "SELECT * FROM dbstat",
    "SELECT * FROM pragma_database_list",
    "WITH x AS (SELECT 1) SELECT load_extension('/tmp/x.so') FROM x",
    "SELECT edit('x')",
]
POSTGRES_WRITES = [
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT \"pg_read_file\"('/etc/passwd')",
    "SELECT U&\"pg\\005fread_file\"('/etc/passwd')",
    "SELECT pg_ls_dir('/')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT set_config('transaction_read_only', 'off', true)",
    "SELECT query_to_xml('DELETE FROM run', true, true, '')",
    "SELECT pg_terminate_backend(1)",
    "SELECT dblink_exec('', 'DELETE FROM run')",
    "SELECT nextval('run_id_seq')",
    "COPY run TO PROGRAM 'touch {folder}/written'",
    "SET ROLE postgres",
    "COPY run TO STDOUT",
    "SELECT pg_sleep(11)",
    "SELECT pg_sleep_for('11 s')",
    "SELECT pg_read_binary_file('/etc/passwd')",
    "SELECT * FROM pg_stats WHERE tablename LIKE 'tok%'",
    "SELECT * FROM pg_statistic",
    "SELECT query FROM pg_stat_activity",
    "SELECT rolpassword FROM pg_authid",
    "SELECT * FROM pg_shadow",
    "SELECT * FROM pg_hba_file_rules",
    "SELECT * FROM public.token",
    "TABLE token",
    "SELECT table_to_xml('tok' || 'en', true, true, '')",
    "SELECT * FROM pg_largeobject; SELECT 1",
    "VACUUM INTO '/tmp/copy.db'",
    "DO $$ BEGIN DELETE FROM run; END $$",
    "SELECT pg_advisory_lock(1)",
    "WITH x AS (SELECT 1) SELECT * FROM x; RESET ROLE",
]


def refused(database: Database, statement: str, folder: Path) -> None:
    before = sorted(path.name for path in folder.iterdir() if not path.name.endswith(("-shm", "-wal")))
    with pytest.raises(ReadOnlyError) as caught:
        select(database.url, statement.format(folder=folder))
    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in folder.iterdir() if not path.name.endswith(("-shm", "-wal"))) == before
    with database.read() as session:
        runs = [
            run for line in queries.list_campaigns(session) for run in queries.campaign_runs(session, line.campaign.id)
        ]
    assert [run.status for run in runs] == ["scheduled"] * 5


@pytest.mark.parametrize("statement", WRITES)
def test_a_statement_that_is_no_query_is_refused(
    database: Database, campaign: Started, statement: str, tmp_path: Path
) -> None:
    refused(database, statement, tmp_path)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("statement", SQLITE_WRITES)
def test_sqlite_cannot_be_led_outside(database: Database, campaign: Started, statement: str, tmp_path: Path) -> None:
    refused(database, statement, tmp_path)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("statement", POSTGRES_WRITES)
def test_postgresql_cannot_be_led_outside(
    database: Database, campaign: Started, statement: str, tmp_path: Path
) -> None:
    refused(database, statement, tmp_path)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "value",
    [
        "zeroblob(1000000000)",
        "hex(randomblob(1000000))",
        "group_concat(hex(zeroblob(200000))) FROM (SELECT name FROM sqlite_master)",
        "replace(hex(zeroblob(100000)), '00', hex(zeroblob(1000)))",
        ", ".join(["1"] * 65),
    ],
)
def test_a_single_query_cannot_fill_the_memory(database: Database, value: str) -> None:
    with pytest.raises(ReadOnlyError, match=r"too big|too many columns"):
        select(database.url, f"SELECT {value}")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_large_answer_is_cut_off(database: Database) -> None:
    endless = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n)"
    table = select(database.url, f"{endless} SELECT zeroblob(900000) FROM n")
    assert table.truncated
    assert len(table.rows) < 100


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_row_with_a_large_value_is_readable_beside_it(database: Database) -> None:
    with database.write() as session:
        record.save_domain(session, Domain(identity="d", name="large", attachments={"data.csv": "1.5\n" * 500_000}))
    assert select(database.url, "SELECT identity, name, created_at IS NULL FROM domain").rows == [("d", "large", 0)]
    with pytest.raises(ReadOnlyError, match="too big"):
        select(database.url, "SELECT attachments FROM domain")


def test_a_query_that_never_ends_is_stopped(database: Database) -> None:
    started = time.monotonic()
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT 1 FROM n) SELECT count(*) FROM n"
    with pytest.raises(ReadOnlyError, match=r"longer than 0.3 s"):
        select(database.url, endless, seconds=0.3)
    assert time.monotonic() - started < 5


def test_rows_that_never_end_are_cut_off(database: Database) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
    table = select(database.url, endless, max_rows=300)
    assert (table.rows[-1], len(table.rows), table.truncated) == ((300,), 300, True)


def test_a_question_is_answered(database: Database, campaign: Started) -> None:
    table = select(database.url, "-- how many?\nSELECT policy AS p, count(*) AS n FROM campaign GROUP BY policy;")
    assert (table.columns, table.rows, table.truncated) == (("p", "n"), [("random", 1)], False)
    assert select(database.url, "VALUES (1), (2)", max_rows=2).truncated is False
    assert select(database.url, "SELECT document FROM domain").rows == [('{"name":"cooling"}',)]
    assert select(database.url, "(SELECT 1)" if "postgres" in database.url else "SELECT 1").rows == [(1,)]
    assert select(database.url, "SELECT '%s' AS percent").rows == [("%s",)]


def test_a_database_that_is_not_there_is_not_created(tmp_path: Path) -> None:
    with pytest.raises(UnreachableDatabaseError, match="cannot be opened"):
        select(f"sqlite:///{tmp_path}/none.db", "SELECT 1")
    assert list(tmp_path.iterdir()) == []


def test_an_answer_is_bounded_in_rows_and_in_bytes(database: Database) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
    large = select(database.url, f"{endless} SELECT i, replace('{'x' * 1000}', 'x', 'xyz') FROM n", max_bytes=100_000)
    assert large.truncated
    assert 30 <= len(large.rows) <= 60
    assert len(select(database.url, f"{endless} SELECT i FROM n", max_rows=7).rows) == 7


def test_the_longest_time_is_ten_seconds_unless_said_otherwise() -> None:
    assert signature(select).parameters["seconds"].default == 10.0


@pytest.mark.parametrize("function", ["instr({}, 'x')", "replace({}, '0', 'a')"])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_work_within_one_row_is_stopped_too(database: Database, function: str) -> None:
    rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)"
    called = function.format("hex(zeroblob(400000 + i % 2))")  # of the row: what is constant is computed once
    started = time.monotonic()
    with pytest.raises(ReadOnlyError, match="longer than"):
        select(database.url, f"{rows} SELECT max(length({called}) + i) FROM n", seconds=0.3)
    assert time.monotonic() - started < 60  # it would take hours


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_each_fetch_has_what_is_left_of_the_time(database: Database) -> None:
    """A fetch is a statement of its own: with the whole time for each, slow rows would take twice as long in all."""
    slow = "(SELECT count(*) FROM generate_series(1, 20000) AS j WHERE j <> i)"
    sql = f"SELECT current_setting('statement_timeout'), {slow} FROM generate_series(1, 60) AS i"
    said = [str(row[0]) for row in select(database.url, sql, seconds=9.9).rows]
    left = [int(words[:-2]) if words.endswith("ms") else 1000 * int(words[:-1]) for words in said]
    assert len(left) == 60
    assert left[0] > left[20] > left[40]
    assert max(left) < 9900 + 1


def test_nothing_is_told_of_who_may_speak(database: Database) -> None:
    """Neither of the secrets' hashes, nor by a list of tables that names where they are."""
    with database.write() as session:
        save_token(session, Token(id="abc", name="Ada", role="operator", sha256="5" * 64))
    with pytest.raises(ReadOnlyError) as caught:
        select(database.url, "SELECT * FROM nowhere")
    assert "token" not in str(caught.value)
    for place in ("sqlite_master",) if "sqlite" in database.url else ("pg_class", "pg_attribute"):
        assert "5" * 64 not in str(select(database.url, f"SELECT * FROM {place}", max_rows=100_000).rows)
