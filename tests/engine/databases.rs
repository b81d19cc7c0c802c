//! Databases on a server as sources: real servers on this machine, asked for what they hold, and refused what nobody allowed.

use std::process::{Command, Output};

use serde_json::{Value, json};

use super::databases_at::DatabaseServer;
use super::train::Place;

/// The program, with a password in its environment.
fn with_password(place: &Place, words: &[&str], password: Option<(&str, &str)>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lapidary"));
    command.args(words).current_dir(place.path(".")).env("XDG_DATA_HOME", place.path("data")).env("HOME", place.path("home"));
    command.env_remove("PGPASSWORD").env_remove("MYSQL_PWD");
    if let Some((name, password)) = password {
        command.env(name, password);
    }
    command.output().unwrap()
}

/// A server, a place to work, and how the program is called there.
struct Told<'t> {
    place: &'t Place,
    password: (&'static str, &'static str),
}

impl Told<'_> {
    fn done(&self, words: &[&str]) -> String {
        let output = with_password(self.place, words, Some(self.password));
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn refused(&self, words: &[&str]) -> String {
        refused(&with_password(self.place, words, Some(self.password)))
    }

    fn rows(&self, list: &str) -> Vec<Value> {
        let _ = std::fs::remove_file(self.place.path("rows.jsonl"));
        self.done(&["export", list, "--connect", "127.0.0.1", "-o", "rows.jsonl"]);
        let text = std::fs::read_to_string(self.place.path("rows.jsonl")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn refused(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && !said.contains("panicked") && said.trim().lines().count() == 1, "{said}");
    said
}

#[test]
fn a_table_of_postgresql_is_the_rows_that_it_holds() {
    let Some(server) = DatabaseServer::postgres() else { return };
    server.does("", "CREATE DATABASE support; CREATE ROLE reader LOGIN PASSWORD 'pass word'");
    server.does(
        "support",
        r"CREATE TYPE mood AS ENUM ('glad', 'sad');
          CREATE TABLE tickets (id int PRIMARY KEY, body text, intent mood, score numeric(8,3), ratio float8, at timestamptz, ok boolean, tags text[], more jsonb, raw bytea, code text);
          INSERT INTO tickets VALUES
            (3, E'tab\there\nline\\back', 'sad', 1.500, 0.1, '2026-03-01 12:00:00+02', true, '{a,b}', '{\x22k\x22: [1, 2]}', '\x00ff', '007'),
            (1, '', 'glad', 2, 'NaN', NULL, false, '{}', NULL, NULL, '01'),
            (2, NULL, NULL, NULL, 1e300, 'infinity', NULL, NULL, 'null', '\x', 'é😀');
          GRANT SELECT ON tickets TO reader;"
            .replace(r"\x22", "\"")
            .as_str(),
    );
    let place = Place::new();
    let told = Told { place: &place, password: ("PGPASSWORD", "pass word") };
    let address = server.address("reader", "support");

    // The one table that may be read needs no name; the order is that of its key, whatever the order of coming.
    let said = told.done(&["collect", &address, "-o", "all.sources.json"]);
    assert!(said.contains("3 samples of 1 source") && said.contains("PostgreSQL"), "{said}");
    let expected = json!([
        {"id": 1, "body": "", "intent": "glad", "score": 2.0, "ratio": "NaN", "at": null, "ok": false, "tags": [], "more": null, "raw": null, "code": "01"},
        {"id": 2, "body": null, "intent": null, "score": null, "ratio": "1e+300", "at": "infinity", "ok": null, "tags": null, "more": null, "raw": "\\x", "code": "é😀"},
        {"id": 3, "body": "tab\there\nline\\back", "intent": "sad", "score": 1.5, "ratio": "0.1", "at": "2026-03-01 10:00:00+00", "ok": true, "tags": ["a", "b"], "more": {"k": [1, 2]}, "raw": "\\x00ff", "code": "007"},
    ]);
    let rows = told.rows("all.sources.json");
    for (row, expected) in rows.iter().zip(expected.as_array().unwrap()) {
        for (name, expected) in expected.as_object().unwrap() {
            let own = &row[name];
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
            let same = own == expected || !own.is_null() && !expected.is_null() && number(&text(own)) == number(&text(expected));
            assert!(same, "{name}: {own} is not {expected}");
        }
    }
    assert_eq!(rows.len(), 3);
    let list = std::fs::read_to_string(place.path("all.sources.json")).unwrap();
    assert!(!list.contains("pass word"), "a password is never written: {list}");

    // A list asks nobody by itself: somebody must have said so.
    let why = told.refused(&["info", "all.sources.json"]);
    assert!(why.contains("nothing was sent there yet") && why.contains("--connect 127.0.0.1"), "{why}");
    let why = refused(&with_password(&place, &["info", "all.sources.json", "--connect", "127.0.0.1"], None));
    assert!(why.contains("password of reader") && why.contains("PGPASSWORD"), "{why}");
    let why =
        refused(&with_password(&place, &["info", "all.sources.json", "--connect", "127.0.0.1"], Some(("PGPASSWORD", "wrong"))));
    assert!(why.contains("password of reader") && !why.contains("wrong"), "{why}");
    // As its own clients: the file of passwords.
    std::fs::create_dir_all(place.path("home")).unwrap();
    std::fs::write(place.path("home/.pgpass"), format!("127.0.0.1:{}:support:reader:pass word\n", server.port)).unwrap();
    let output = with_password(&place, &["info", "all.sources.json", "--connect", "127.0.0.1", "--json"], None);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    // Nothing is written there, whatever is asked, and nothing behind a semicolon is run.
    server.does("support", "GRANT ALL ON tickets TO reader");
    for query in [
        "DELETE FROM tickets RETURNING id",
        "SELECT 1; DROP TABLE tickets",
        "SELECT 1) TO STDOUT; DELETE FROM tickets; --",
        "WITH gone AS (DELETE FROM tickets RETURNING id) SELECT * FROM gone",
        "DROP TABLE tickets",
    ] {
        told.refused(&["collect", &address, "--query", query, "-o", "bad.sources.json"]);
        assert!(!place.path("bad.sources.json").exists(), "a list that does not open is not left behind");
    }
    assert_eq!(server.does("support", "SELECT count(*) FROM tickets").trim(), "3");

    // Several tables are listed; a question is as good as a table; what is too much is refused with the way out.
    server.does("support", "CREATE SCHEMA old; CREATE TABLE old.tickets AS SELECT * FROM tickets; GRANT USAGE ON SCHEMA old TO reader; GRANT SELECT ON old.tickets TO reader");
    let why = told.refused(&["collect", &address, "-o", "two.sources.json"]);
    assert!(why.contains("2 tables") && why.contains("old.tickets, tickets"), "{why}");
    told.done(&["collect", &address, "--sheet", "old.tickets", "-o", "two.sources.json"]);
    assert_eq!(told.rows("two.sources.json").len(), 3);
    told.done(&[
        "collect",
        &address,
        "--query",
        "SELECT id, body AS text FROM tickets WHERE id > 1 ORDER BY id DESC;",
        "-o",
        "asked.sources.json",
    ]);
    let rows = told.rows("asked.sources.json");
    assert_eq!((rows.len(), &rows[0]["id"], rows[0].get("body")), (2, &json!(3), None));
    let much = "SELECT repeat('x', 1000) AS text FROM generate_series(1, 1000000)";
    let why = told.refused(&["collect", &address, "--query", much, "--max-memory", "0.02", "-o", "much.sources.json"]);
    assert!(why.contains("20 MiB") && why.contains("LIMIT"), "{why}");
    let why = told.refused(&["collect", &address, "--query", "SELECT 1 AS a, 2 AS a", "-o", "bad.sources.json"]);
    assert!(why.contains("two columns are called \"a\""), "{why}");
    let secret = address.replace("reader@", "reader:pass@");
    assert!(told.refused(&["collect", &secret, "-o", "bad.sources.json"]).contains("holds a password"));
    let nobody = address.replace(&server.port.to_string(), "1");
    assert!(told.refused(&["collect", &nobody, "-o", "bad.sources.json"]).contains("nothing answers there"));
}

/// A number with the digits that it is written with.
fn decimal(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// A number, where a text is one; else the text.
fn number(text: &str) -> Result<u64, &str> {
    text.parse::<f64>().map(f64::to_bits).map_err(|_| text)
}

#[test]
fn a_table_of_mariadb_is_the_rows_that_it_holds() {
    let Some(server) = DatabaseServer::mariadb() else { return };
    server.does(
        "",
        r"CREATE DATABASE support CHARACTER SET utf8mb4; USE support;
          CREATE TABLE tickets (id int PRIMARY KEY, body text, intent enum('glad', 'sad'), score decimal(8,3), at datetime, more json, bits blob, code varchar(9));
          INSERT INTO tickets VALUES (3, 'tab\there\nline\\back', 'sad', 1.5, '2026-03-01 12:00:00', '{\x22k\x22: 1}', X'00FF', '007'),
            (1, '', 'glad', 2, '0000-00-00 00:00:00', NULL, NULL, '01'), (2, NULL, NULL, NULL, NULL, 'null', X'', 'é😀');
          CREATE USER reader@'%' IDENTIFIED BY 'pass word'; GRANT SELECT, DELETE, DROP ON support.* TO reader@'%';"
            .replace(r"\x22", "\"")
            .replace("INSERT", "SET sql_mode = ''; INSERT")
            .as_str(),
    );
    let place = Place::new();
    let told = Told { place: &place, password: ("MYSQL_PWD", "pass word") };
    let address = server.address("reader", "support");
    let said = told.done(&["collect", &address, "-o", "all.sources.json"]);
    assert!(said.contains("3 samples of 1 source") && said.contains("MySQL"), "{said}");
    let rows = told.rows("all.sources.json");
    let cells: Vec<Vec<&Value>> =
        rows.iter().map(|row| ["id", "body", "intent", "score", "at", "bits", "code"].map(|name| &row[name]).to_vec()).collect();
    assert_eq!(
        json!(cells),
        json!([
            [1, "", "glad", decimal("2.000"), "0000-00-00 00:00:00", null, "01"],
            [2, null, null, null, null, "\\x", "é😀"],
            [3, "tab\there\nline\\back", "sad", decimal("1.500"), "2026-03-01 12:00:00", "\\x00ff", "007"],
        ])
    );
    let why = told.refused(&["info", "all.sources.json"]);
    assert!(why.contains("nothing was sent there yet") && why.contains("--connect 127.0.0.1"), "{why}");
    let why = refused(&with_password(&place, &["info", "all.sources.json", "--connect", "127.0.0.1"], None));
    assert!(why.contains("password of reader") && why.contains("MYSQL_PWD"), "{why}");
    for query in ["DELETE FROM tickets", "SELECT 1; DROP TABLE tickets", "COMMIT", "DROP TABLE tickets"] {
        told.refused(&["collect", &address, "--query", query, "-o", "bad.sources.json"]);
    }
    assert_eq!(server.does("support", "SELECT count(*) FROM tickets").trim(), "3");
    let why = told.refused(&["collect", &address, "--sheet", "nothing", "-o", "bad.sources.json"]);
    assert!(why.contains("nothing"), "{why}");
}

#[test]
fn edits_follow_the_rows_of_a_table_that_changed() {
    let Some(server) = DatabaseServer::postgres() else { return };
    server.does("", "CREATE TABLE t (id int PRIMARY KEY, text text, label text); INSERT INTO t SELECT n, 'ticket ' || n, CASE WHEN n % 2 = 0 THEN 'a' ELSE 'b' END FROM generate_series(1, 20) n");
    let place = Place::new();
    std::fs::write(place.path("more.csv"), "id,text,label\n100,another,a\n").unwrap();
    let told = Told { place: &place, password: ("PGPASSWORD", "unused") };
    let address = server.address("owner", "postgres");
    told.done(&["collect", &address, "more.csv", "-o", "all.sources.json"]);
    let connect = ["--connect", "127.0.0.1"];
    let is = |rows: &[Value], id: u64| rows.iter().find(|row| row["id"] == id).map(|row| row["label"].clone());
    told.done(&[&["relabel", "all.sources.json", "--rows", "2", "--column", "label", "--to", "c"][..], &connect].concat());
    let rows = told.rows("all.sources.json");
    assert_eq!((rows.len(), is(&rows, 3)), (21, Some(json!("c"))));
    // A row goes, one comes before all others, one says something else: the edit stays with its own.
    server.does(
        "",
        "DELETE FROM t WHERE id = 1; INSERT INTO t VALUES (-1, 'before all', 'b'); UPDATE t SET text = 'changed' WHERE id = 9",
    );
    let why = told.refused(&[&["info", "all.sources.json"][..], &connect].concat());
    assert!(why.contains("carry"), "{why}");
    let output = with_password(&place, &[&["carry", "all.sources.json"][..], &connect].concat(), None);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 edit was carried over"), "{said}");
    let rows = told.rows("all.sources.json");
    assert_eq!((rows.len(), is(&rows, 3), is(&rows, 2), is(&rows, 1)), (21, Some(json!("c")), Some(json!("a")), None));
    // Each to its own: a table becomes a file of its name, with the edit in its place.
    told.done(&[&["export", "all.sources.json", "--each-source", "-o", "each"][..], &connect].concat());
    let text = std::fs::read_to_string(place.path("each/postgres.jsonl")).unwrap();
    assert!(text.lines().count() == 20 && text.contains(r#""ticket 3", "label": "c""#), "{text}");
    assert_eq!(std::fs::read_to_string(place.path("each/more.csv")).unwrap(), "id,text,label\n100,another,a\n");
}

/// The golden `DuckDB` file, and the program that reads it; both, or nothing is tested.
fn duckdb() -> Option<std::path::PathBuf> {
    let named = std::env::var_os("LAPIDARY_DUCKDB").map(std::path::PathBuf::from);
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let program = named.or_else(|| std::env::split_paths(&paths).map(|path| path.join("duckdb")).find(|path| path.is_file()));
    if program.is_none() {
        println!("skipped: there is no duckdb on the path");
    }
    let file = super::trainers::shared("reference/collect/duckdb")?.join("tickets.duckdb");
    program.map(|_| file)
}

#[test]
fn a_duckdb_file_is_read_by_the_users_own_program() {
    let Some(file) = duckdb() else { return };
    let place = Place::new();
    std::fs::copy(file, place.path("tickets.duckdb")).unwrap();
    place.done(&["export", "tickets.duckdb", "-o", "rows.jsonl"]);
    let text = std::fs::read_to_string(place.path("rows.jsonl")).unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 2);
    // Numbers beyond any double and decimals keep their digits; lists, structs and maps are what they are.
    let first =
        ["id", "text", "category", "asked", "price", "tags", "meta", "u", "m", "d", "i"].map(|name| rows[0][name].clone());
    let big: Value = serde_json::from_str("170141183460469231731687303715884105727").unwrap();
    assert!(first[0] == big || first[0] == json!("170141183460469231731687303715884105727"), "{}", first[0]);
    assert_eq!(
        json!(&first[1..]),
        json!(["How do I locate my card?", "card_arrival", "2024-01-02 14:30:15", "1.10", ["a", "b"], {"a": 1, "b": "x"}, "11111111-1111-4111-8111-111111111111", {"k": 1}, "2024-01-02", "1 day"])
    );
    assert_eq!((&rows[1]["category"], &rows[1]["price"], &rows[1]["tags"]), (&json!("age_limit"), &Value::Null, &json!([])));
    // Views and tables of other schemas by their name; what is not there is said with what is.
    let info = place.json(&["info", "tickets.duckdb", "--sheet", "other.labels", "--json"]);
    assert_eq!(info["rows"], 1);
    assert_eq!(place.json(&["info", "tickets.duckdb", "--sheet", "v", "--json"])["rows"], 2);
    let why = place.refused(&["info", "tickets.duckdb", "--sheet", "nothing"]);
    assert!(why.contains("tickets, other.labels, v"), "{why}");
    // Torn, it is a line; an edit follows it like any other file.
    let bytes = std::fs::read(place.path("tickets.duckdb")).unwrap();
    std::fs::write(place.path("torn.duckdb"), &bytes[..8_000]).unwrap();
    let why = place.refused(&["info", "torn.duckdb"]);
    assert!(why.contains("torn.duckdb") && why.contains("duckdb says") && why.trim().lines().count() == 1, "{why}");
    place.done(&["relabel", "tickets.duckdb", "--rows", "1", "--column", "category", "--to", "card_arrival"]);
    assert!(place.refused(&["export", "tickets.duckdb", "-o", "x.duckdb"]).contains("not written"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_lapidary"));
    let output = command
        .args(["info", "tickets.duckdb"])
        .current_dir(place.path("."))
        .env("LAPIDARY_DUCKDB", "/nowhere/duckdb")
        .output()
        .unwrap();
    assert!(refused(&output).contains("there is none on the path"));
}
