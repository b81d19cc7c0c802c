//! Who may be asked in this run, and with which password: what the user said, and nothing that a file says. Kept in memory alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{LazyLock, PoisonError, RwLock};

use super::DatabaseAsked;
use super::address::DatabaseAddress;

#[derive(Default)]
struct Leave {
    hosts: BTreeSet<String>,
    /// An address with what it is asked.
    connections: BTreeSet<String>,
    passwords: BTreeMap<String, String>,
}

static LEAVE: LazyLock<RwLock<Leave>> = LazyLock::new(RwLock::default);

fn write(how: impl FnOnce(&mut Leave)) {
    how(&mut LEAVE.write().unwrap_or_else(PoisonError::into_inner));
}

/// What an address is asked, as one line that can be kept.
pub fn connection_line(address: &DatabaseAddress, asked: &DatabaseAsked) -> String {
    let what = asked.query.as_deref().or(asked.table.as_deref()).unwrap_or_default();
    format!("{} {what}", address.shown())
}

/// The user allows all questions to a host.
pub fn allow_host(host: &str) {
    write(|leave| {
        leave.hosts.insert(host.trim_start_matches('[').trim_end_matches(']').to_lowercase());
    });
}

/// The user allows one question; `line` is how [`connection_line`] says it.
pub fn allow_connection(line: &str) {
    write(|leave| {
        leave.connections.insert(line.to_owned());
    });
}

/// The user has told the password for an address; it is forgotten with this run.
pub fn set_password(address: &DatabaseAddress, password: &str) {
    write(|leave| {
        leave.passwords.insert(address.shown(), password.to_owned());
    });
}

/// Whether a question may be asked.
pub fn is_allowed(address: &DatabaseAddress, asked: &DatabaseAsked) -> bool {
    let leave = LEAVE.read().unwrap_or_else(PoisonError::into_inner);
    leave.hosts.contains(&address.host.to_lowercase()) || leave.connections.contains(&connection_line(address, asked))
}

/// The password for an address: as it was told in this run, else as the environment or the client's own file says.
pub fn password(address: &DatabaseAddress) -> Option<String> {
    let told = LEAVE.read().unwrap_or_else(PoisonError::into_inner).passwords.get(&address.shown()).cloned();
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let home = || set("HOME").or_else(|| set("USERPROFILE"));
    let read = |path: String| std::fs::read_to_string(path).ok();
    if told.is_some() {
        return told;
    }
    if address.is_postgres() {
        let file = || set("PGPASSFILE").or_else(|| home().map(|home| format!("{home}/.pgpass"))).and_then(read);
        return set("PGPASSWORD").or_else(|| of_pgpass(&file()?, address));
    }
    let file = || home().and_then(|home| read(format!("{home}/.my.cnf")));
    set("MYSQL_PWD").or_else(|| of_my_cnf(&file()?))
}

/// The first line `host:port:database:user:password` that fits; `*` fits all, `\` takes the meaning of what follows.
fn of_pgpass(text: &str, address: &DatabaseAddress) -> Option<String> {
    let (port, user) = (address.port.to_string(), address.asks());
    let own = [address.host.as_str(), &port, &address.name, &user];
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let mut fields = vec![String::new()];
        let mut letters = line.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' => fields.last_mut()?.extend(letters.next()),
                ':' if fields.len() < 5 => fields.push(String::new()),
                letter => fields.last_mut()?.push(letter),
            }
        }
        let password = (fields.len() == 5).then(|| fields.pop())??;
        fields.iter().zip(own).all(|(field, own)| field == "*" || field == own).then_some(password)
    })
}

/// The password of the section `[client]`.
fn of_my_cnf(text: &str) -> Option<String> {
    let mut within = false;
    text.lines().map(str::trim).find_map(|line| {
        if line.starts_with('[') {
            within = line == "[client]";
        }
        let (key, value) = line.split_once('=').filter(|_| within)?;
        let value = value.trim();
        let bare = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
        (key.trim() == "password").then(|| bare.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_read_where_the_clients_read_them() {
        let address = DatabaseAddress::parse("postgresql://me@db.example:7/a").unwrap();
        let text = "# x\nother:7:a:me:no\n*:7:a:you:no\ndb.example:*:*:me:p\\:a\\\\s:s\n*:*:*:*:late\n";
        assert_eq!(of_pgpass(text, &address).as_deref(), Some("p:a\\s:s"));
        assert_eq!(of_pgpass("db.example:7:a\n", &address), None);
        assert_eq!(of_my_cnf("[mysqld]\npassword=no\n[client]\nuser = me\npassword = \"x=y\"\n").as_deref(), Some("x=y"));
        assert_eq!(of_my_cnf("password=no\n"), None);
    }

    #[test]
    fn nothing_is_allowed_that_nobody_allowed() {
        let address = DatabaseAddress::parse("postgresql://me@leave.example/a").unwrap();
        let (one, other) = (
            DatabaseAsked { table: Some("t".into()), query: None },
            DatabaseAsked { table: None, query: Some("SELECT 1".into()) },
        );
        assert!(!is_allowed(&address, &one));
        allow_connection(&connection_line(&address, &one));
        assert!(is_allowed(&address, &one) && !is_allowed(&address, &other));
        allow_host("Leave.Example");
        assert!(is_allowed(&address, &other));
    }
}
