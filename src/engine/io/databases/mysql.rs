//! `MySQL` and `MariaDB`: one of the files that may open a connection. One transaction of one snapshot that may write nothing; cells come as the server writes
//! them, row by row.

use std::time::Duration;

use mysql::consts::{ColumnFlags, ColumnType};
use mysql::prelude::Queryable as _;
use mysql::{AccessMode, Conn, Error, IsolationLevel, OptsBuilder, SslOpts, TxOpts, Value};

use super::address::DatabaseAddress;
use super::cells::Gathered;
use super::{DatabaseAsked, Refusal, only_table};
use crate::io::read::budget::Budget;
use crate::job::Progress;

const PATIENCE: Duration = Duration::from_secs(10);
/// How long a server may say nothing while it answers.
const LONGEST: Duration = Duration::from_mins(10);
const ROWS: usize = 4_096;
/// The character set of what has no letters.
const BINARY: u16 = 63;

/// Reads a table or the answer to a question.
pub fn read(
    address: &DatabaseAddress,
    password: Option<&str>,
    asked: &DatabaseAsked,
    budget: &Budget,
    progress: &Progress,
) -> Result<Gathered, Refusal> {
    let mut conn = connect(address, password)?;
    let said = |error: Error| Refusal::Said(words(&error));
    conn.query_drop("SET SESSION TRANSACTION READ ONLY").map_err(said)?;
    conn.query_drop("SET time_zone = '+00:00'").map_err(said)?;
    let opts = TxOpts::default()
        .set_with_consistent_snapshot(true)
        .set_isolation_level(Some(IsolationLevel::RepeatableRead))
        .set_access_mode(Some(AccessMode::ReadOnly));
    let mut snapshot = conn.start_transaction(opts).map_err(said)?;
    progress.check()?;
    let query = match (&asked.query, &asked.table) {
        (Some(query), _) => query.trim().trim_end_matches(';').to_owned(),
        (None, table) => {
            let table = match table {
                Some(table) => table.clone(),
                None => {
                    let names =
                        "SELECT table_name FROM information_schema.tables WHERE table_schema = database() ORDER BY table_name";
                    only_table(snapshot.query(names).map_err(said)?)?
                }
            };
            let (schema, name) = table.split_once('.').map_or((None, table.as_str()), |(schema, name)| (Some(schema), name));
            let key = "SELECT column_name FROM information_schema.key_column_usage WHERE constraint_name = 'PRIMARY' \
                       AND table_schema = ifnull(?, database()) AND table_name = ? ORDER BY ordinal_position";
            let key: Vec<String> = snapshot.exec(key, (schema, name)).map_err(said)?;
            let named = schema.map_or_else(|| quoted(name), |schema| format!("{}.{}", quoted(schema), quoted(name)));
            let key: Vec<String> = key.iter().map(|name| quoted(name)).collect();
            let order = if key.is_empty() { String::new() } else { format!(" ORDER BY {}", key.join(", ")) };
            format!("SELECT * FROM {named}{order}")
        }
    };
    // Prepared, it is one statement or an error: what follows a semicolon is never run.
    let prepared = snapshot.prep(&query).map_err(said)?;
    snapshot.close(prepared).map_err(said)?;
    let mut answer = snapshot.query_iter(&query).map_err(said)?;
    let columns = answer.columns();
    let names = columns.as_ref().iter().map(|column| column.name_str().into_owned()).collect();
    let bytes: Vec<bool> = columns.as_ref().iter().map(is_bytes).collect();
    let nested = columns.as_ref().iter().map(|column| column.column_type() == ColumnType::MYSQL_TYPE_JSON).collect();
    let mut gathered = Gathered::new(names)?;
    gathered.nested = nested;
    let mut hex = Vec::new();
    for row in answer.by_ref() {
        for (at, cell) in row.map_err(said)?.unwrap().into_iter().enumerate() {
            match cell {
                Value::NULL => gathered.put(at, None),
                Value::Bytes(cell) if bytes[at] => {
                    hexadecimal(&cell, &mut hex);
                    gathered.put(at, Some(&hex));
                }
                Value::Bytes(cell) => gathered.put(at, Some(&cell)),
                other => gathered.put(at, Some(other.as_sql(true).trim_matches('\'').as_bytes())),
            }
        }
        gathered.end_row(budget)?;
        if gathered.rows.is_multiple_of(ROWS) {
            progress.check()?;
        }
    }
    drop(answer);
    snapshot.rollback().map_err(said)?;
    Ok(gathered.ended())
}

/// Whether a column holds bytes that are no letters.
fn is_bytes(column: &mysql::Column) -> bool {
    use ColumnType::{
        MYSQL_TYPE_BIT, MYSQL_TYPE_BLOB, MYSQL_TYPE_GEOMETRY, MYSQL_TYPE_LONG_BLOB, MYSQL_TYPE_MEDIUM_BLOB, MYSQL_TYPE_STRING,
        MYSQL_TYPE_TINY_BLOB, MYSQL_TYPE_VAR_STRING,
    };
    let kind = column.column_type();
    let could = matches!(
        kind,
        MYSQL_TYPE_BLOB
            | MYSQL_TYPE_TINY_BLOB
            | MYSQL_TYPE_MEDIUM_BLOB
            | MYSQL_TYPE_LONG_BLOB
            | MYSQL_TYPE_STRING
            | MYSQL_TYPE_VAR_STRING
    );
    matches!(kind, MYSQL_TYPE_BIT | MYSQL_TYPE_GEOMETRY)
        || could && column.character_set() == BINARY && column.flags().contains(ColumnFlags::BINARY_FLAG)
}

/// Bytes as `X'…'` would have them, behind `\x`, as `PostgreSQL` writes them.
fn hexadecimal(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.clear();
    out.extend_from_slice(b"\\x");
    for byte in bytes {
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 15)]);
    }
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

fn connect(address: &DatabaseAddress, password: Option<&str>) -> Result<Conn, Refusal> {
    let mut opts = OptsBuilder::new()
        .ip_or_hostname(Some(address.host.clone()))
        .tcp_port(address.port)
        .user(Some(address.asks()))
        .pass(password)
        .db_name(Some(address.name.clone()))
        // To the address that was named, and not to a socket that the server names instead.
        .prefer_socket(false)
        .tcp_connect_timeout(Some(PATIENCE))
        .read_timeout(Some(LONGEST))
        .write_timeout(Some(PATIENCE * 6));
    if address.is_encrypted() {
        opts = opts.ssl_opts(SslOpts::default().with_root_cert_path(address.root.clone()));
    }
    Conn::new(opts).map_err(|error| {
        let text = words(&error);
        Refusal::Said(match &error {
            Error::MySqlError(own) if own.code == 1_045 => {
                format!(
                    "it wants the password of {}: MYSQL_PWD or ~/.my.cnf tells it; a list never does ({text})",
                    address.asks()
                )
            }
            _ => text,
        })
    })
}

/// What a server or the way to it says, in one line.
fn words(error: &Error) -> String {
    match error {
        Error::MySqlError(own) => own.message.clone(),
        other => {
            let text = other.to_string();
            if text.contains("refused") { "nothing answers there; is the server running?".to_owned() } else { text }
        }
    }
}
