//! `PostgreSQL`: one of the files that may open a connection. One transaction of one snapshot that may write nothing; rows come by `COPY` as text, in which a
//! missing cell is no empty one.

use std::io::BufRead as _;
use std::sync::Arc;
use std::time::Duration;

use postgres::config::SslMode;
use postgres::types::{Kind, Type};
use postgres::{Client, Config, Error, NoTls};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::DatabaseAddress;
use super::cells::Gathered;
use super::{DatabaseAsked, Refusal, only_table};
use crate::io::read::budget::Budget;
use crate::job::Progress;

/// How long it may take until a server answers, and until a question is answered.
const PATIENCE: Duration = Duration::from_secs(10);
const LONGEST: &str = "10min";
/// So many rows are read before it is asked whether somebody has stopped it.
const ROWS: usize = 4_096;

/// Reads a table or the answer to a question.
pub fn read(
    address: &DatabaseAddress,
    password: Option<&str>,
    asked: &DatabaseAsked,
    budget: &Budget,
    progress: &Progress,
) -> Result<Gathered, Refusal> {
    let mut client = connect(address, password)?;
    let said = |error: Error| Refusal::Said(words(&error));
    // Spellings that say all, whatever the server's own settings.
    client
        .batch_execute(&format!(
            "SET default_transaction_read_only = on; SET statement_timeout = '{LONGEST}'; SET DateStyle = 'ISO'; SET IntervalStyle = 'iso_8601'; \
             SET TimeZone = 'UTC'; SET extra_float_digits = 1; SET bytea_output = 'hex'; SET client_encoding = 'UTF8'"
        ))
        .map_err(said)?;
    let mut snapshot = client
        .build_transaction()
        .isolation_level(postgres::IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .map_err(said)?;
    progress.check()?;
    let query = match (&asked.query, &asked.table) {
        (Some(query), _) => query.trim().trim_end_matches(';').to_owned(),
        (None, table) => {
            let table = match table {
                Some(table) => table.clone(),
                None => only_table(tables(&mut snapshot).map_err(said)?)?,
            };
            let named = quoted_table(&table);
            let key = "SELECT a.attname::text FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY k(n, at) \
                       JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.n WHERE i.indisprimary AND i.indrelid = to_regclass($1::text) ORDER BY k.at";
            let key = snapshot.query(key, &[&named]).map_err(said)?;
            let key: Vec<String> = key.iter().map(|row| quoted(row.get::<_, &str>(0))).collect();
            let order = if key.is_empty() { String::new() } else { format!(" ORDER BY {}", key.join(", ")) };
            format!("SELECT * FROM {named}{order}")
        }
    };
    // Prepared, it is one statement or an error: what follows a semicolon is never run.
    let prepared = snapshot.prepare(&query).map_err(said)?;
    let columns: Vec<(String, Type)> =
        prepared.columns().iter().map(|column| (column.name().to_owned(), column.type_().clone())).collect();
    let mut gathered = Gathered::new(columns.iter().map(|(name, _)| name.clone()).collect())?;
    let json = |of: &Type| is_nested(of) || matches!(*of, Type::JSON | Type::JSONB);
    gathered.nested = columns.iter().map(|(_, of)| json(of)).collect();
    // Lists and rows of rows are told as JSON, as everywhere else in a dataset.
    let nested = columns.iter().any(|(_, of)| is_nested(of));
    let query = if nested {
        let list: Vec<String> =
            columns
                .iter()
                .map(|(name, of)| {
                    if is_nested(of) {
                        format!("to_json(q.{0})::text AS {0}", quoted(name))
                    } else {
                        format!("q.{}", quoted(name))
                    }
                })
                .collect();
        format!("SELECT {} FROM ({query}\n) q", list.join(", "))
    } else {
        query
    };
    let booleans: Vec<bool> = columns.iter().map(|(_, of)| *of == Type::BOOL).collect();
    let mut reader = snapshot.copy_out(&format!("COPY ({query}\n) TO STDOUT")).map_err(said)?;
    let mut torn: Vec<u8> = Vec::new();
    loop {
        let broke = |error: std::io::Error| Refusal::Said(of_io(&error));
        let bytes = reader.fill_buf().map_err(broke)?;
        if bytes.is_empty() {
            break;
        }
        let taken = bytes.len();
        // A message is a row, as a rule; what ends within one waits for the rest.
        match memchr::memrchr(b'\n', bytes) {
            Some(last) => {
                let whole = &bytes[..last];
                if torn.is_empty() {
                    rows(whole, &booleans, &mut gathered, (budget, progress))?;
                } else {
                    torn.extend_from_slice(whole);
                    rows(&torn, &booleans, &mut gathered, (budget, progress))?;
                    torn.clear();
                }
                torn.extend_from_slice(&bytes[last + 1..]);
            }
            None => torn.extend_from_slice(bytes),
        }
        reader.consume(taken);
    }
    drop(reader);
    if !torn.is_empty() {
        return Err(Refusal::Said("the answer broke off within a row".to_owned()));
    }
    snapshot.rollback().map_err(said)?;
    Ok(gathered.ended())
}

fn is_nested(of: &Type) -> bool {
    matches!(of.kind(), Kind::Array(_) | Kind::Composite(_))
}

/// Rows as `COPY` writes them: tabs between cells, `\N` for none, `\` before what has a meaning.
fn rows(
    text: &[u8],
    booleans: &[bool],
    gathered: &mut Gathered,
    (budget, progress): (&Budget, &Progress),
) -> Result<(), Refusal> {
    let mut undone: Vec<u8> = Vec::new();
    for line in text.split(|byte| *byte == b'\n') {
        let mut n = 0;
        for cell in line.split(|byte| *byte == b'\t') {
            if n == booleans.len() {
                return Err(Refusal::Said("a row has more cells than there are columns".to_owned()));
            }
            match cell {
                b"\\N" => gathered.put(n, None),
                b"t" if booleans[n] => gathered.put(n, Some(b"true")),
                b"f" if booleans[n] => gathered.put(n, Some(b"false")),
                cell if memchr::memchr(b'\\', cell).is_none() => gathered.put(n, Some(cell)),
                cell => {
                    unescape(cell, &mut undone);
                    gathered.put(n, Some(&undone));
                }
            }
            n += 1;
        }
        if n != booleans.len() {
            return Err(Refusal::Said("a row has fewer cells than there are columns".to_owned()));
        }
        gathered.end_row(budget)?;
        if gathered.rows.is_multiple_of(ROWS) {
            progress.check()?;
        }
    }
    Ok(())
}

fn unescape(cell: &[u8], out: &mut Vec<u8>) {
    out.clear();
    let mut at = 0;
    while at < cell.len() {
        let (byte, step) = match (cell[at], cell.get(at + 1)) {
            (b'\\', Some(next)) => {
                let meant = match next {
                    b'b' => 8,
                    b'f' => 12,
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'v' => 11,
                    other => *other,
                };
                (meant, 2)
            }
            (byte, _) => (byte, 1),
        };
        out.push(byte);
        at += step;
    }
}

/// Tables and views that one may read, outside of the server's own schemas; by their name alone where it finds them.
fn tables(snapshot: &mut postgres::Transaction<'_>) -> Result<Vec<String>, Error> {
    let query = "SELECT CASE WHEN pg_table_is_visible(c.oid) THEN c.relname ELSE n.nspname || '.' || c.relname END::text FROM pg_class c \
                 JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition \
                 AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%' AND has_table_privilege(c.oid, 'SELECT') \
                 ORDER BY 1";
    Ok(snapshot.query(query, &[])?.iter().map(|row| row.get(0)).collect())
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// `schema.table` or `table`, each part in quotes.
fn quoted_table(name: &str) -> String {
    name.split_once('.').map_or_else(|| quoted(name), |(schema, table)| format!("{}.{}", quoted(schema), quoted(table)))
}

fn connect(address: &DatabaseAddress, password: Option<&str>) -> Result<Client, Refusal> {
    let mut config = Config::new();
    config
        .host(&address.host)
        .port(address.port)
        .user(&address.asks())
        .dbname(&address.name)
        .application_name("lapidary")
        .connect_timeout(PATIENCE)
        .tcp_user_timeout(PATIENCE * 6);
    if let Some(password) = password {
        config.password(password);
    }
    let connected = if address.is_encrypted() {
        config.ssl_mode(SslMode::Require).connect(MakeRustlsConnect::new(trust(address).map_err(Refusal::Said)?))
    } else {
        config.ssl_mode(SslMode::Disable).connect(NoTls)
    };
    connected.map_err(|error| {
        let code = error.code().map(|code| code.code().to_owned());
        let text = words(&error);
        let wants = code.is_none() && text.contains("password missing") || matches!(code.as_deref(), Some("28P01"));
        let open = address.is_encrypted() && text.contains("does not support TLS");
        Refusal::Said(if open {
            format!("{text}: ?sslmode=disable behind the address asks it unencrypted, where you trust who is between")
        } else if wants {
            format!("it wants the password of {}: PGPASSWORD or ~/.pgpass tells it; a list never does ({text})", address.asks())
        } else {
            text
        })
    })
}

/// Who is believed to be the server that they say they are.
fn trust(address: &DatabaseAddress) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    match &address.root {
        Some(path) => {
            let fail = |error: &dyn std::fmt::Display| format!("the certificates of {} cannot be read: {error}", path.display());
            for certificate in CertificateDer::pem_file_iter(path).map_err(|error| fail(&error))? {
                roots.add(certificate.map_err(|error| fail(&error))?).map_err(|error| fail(&error))?;
            }
        }
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(builder.map_err(|error| error.to_string())?.with_root_certificates(roots).with_no_client_auth())
}

/// What a server or the way to it says, in one line.
fn words(error: &Error) -> String {
    use std::error::Error as _;
    if let Some(own) = error.as_db_error() {
        let hint = own.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
        return format!("{}{hint}", own.message());
    }
    let mut text = error.to_string();
    let mut below = error.source();
    while let Some(error) = below {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        below = error.source();
    }
    if text.contains("refused") { "nothing answers there; is the server running?".to_owned() } else { text }
}

fn of_io(error: &std::io::Error) -> String {
    error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()).map_or_else(|| error.to_string(), words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copied_cells_are_what_they_were() {
        let mut out = Vec::new();
        unescape(br"a\tb\\n\n\N\", &mut out);
        assert_eq!(out, b"a\tb\\n\nN\\");
        assert_eq!(quoted_table("a.b\"c"), "\"a\".\"b\"\"c\"");
    }
}
