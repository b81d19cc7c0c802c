//! Addresses of databases: `postgresql://user@host:port/database`, `mysql://…`; without a password, ever.

use std::path::PathBuf;

use crate::io::models::endpoint::is_here;

/// The schemes of addresses, and whether they are `PostgreSQL`'s.
const SCHEMES: [(&str, bool); 4] = [("postgresql", true), ("postgres", true), ("mysql", false), ("mariadb", false)];

/// Whether a connection is encrypted, and how a certificate is checked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum DatabaseTls {
    /// Encrypted where the server is another machine.
    #[default]
    ByPlace,
    Off,
    On,
}

/// Where a database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseAddress {
    scheme: &'static str,
    pub user: Option<String>,
    /// A name or a number, without brackets.
    pub host: String,
    pub port: u16,
    pub name: String,
    pub tls: DatabaseTls,
    /// Certificates (PEM) of authorities that are trusted instead of the usual ones.
    pub root: Option<PathBuf>,
}

/// Whether a source is named by an address of a database.
pub fn is_address(read: &str) -> bool {
    read.split_once("://").is_some_and(|(scheme, _)| SCHEMES.iter().any(|(known, _)| scheme.eq_ignore_ascii_case(known)))
}

impl DatabaseAddress {
    /// Reads an address.
    ///
    /// # Errors
    /// What is wrong with it; a password in it is.
    pub fn parse(text: &str) -> Result<Self, String> {
        let looks = "postgresql://user@host:5432/database";
        let (scheme, rest) =
            text.trim().split_once("://").ok_or_else(|| format!("{text:?} is no address; one looks like {looks}"))?;
        let known = SCHEMES.iter().find(|(known, _)| scheme.eq_ignore_ascii_case(known));
        let (scheme, postgres) =
            *known.ok_or_else(|| format!("{scheme:?} is no database that is read here: postgresql or mysql"))?;
        let (rest, asked) = rest.split_once('?').unwrap_or((rest, ""));
        let (place, name) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, place) = place.rsplit_once('@').map_or((None, place), |(user, place)| (Some(user), place));
        if user.is_some_and(|user| user.contains(':')) {
            return Err("its address holds a password, which a list must not keep: leave it out; it is asked for, or taken from the environment".to_owned());
        }
        let (host, port) = parted(place).ok_or_else(|| format!("{place:?} is no host with a port"))?;
        let mut address = Self {
            scheme,
            user: user.map(plain).filter(|user| !user.is_empty()),
            host: if host.is_empty() { "localhost".to_owned() } else { plain(host) },
            port: port.unwrap_or(if postgres { 5_432 } else { 3_306 }),
            name: plain(name),
            tls: DatabaseTls::default(),
            root: None,
        };
        if address.host.contains([',', '/']) || address.host.chars().any(char::is_whitespace) {
            return Err(format!("{:?} is no name of one host", address.host));
        }
        if address.name.is_empty() || address.name.contains('/') {
            return Err(format!("which database? An address ends with its name: {looks}"));
        }
        for (key, value) in asked.split('&').filter_map(|pair| pair.split_once('=')) {
            match (key, value) {
                ("sslmode" | "ssl-mode", "disable" | "DISABLED") => address.tls = DatabaseTls::Off,
                (
                    "sslmode" | "ssl-mode",
                    "require" | "verify-ca" | "verify-full" | "REQUIRED" | "VERIFY_CA" | "VERIFY_IDENTITY",
                ) => {
                    address.tls = DatabaseTls::On;
                }
                ("sslmode" | "ssl-mode", _) => {}
                ("sslrootcert" | "ssl-ca", path) => address.root = Some(PathBuf::from(plain(path))),
                _ => return Err(format!("an address may say sslmode and sslrootcert, and nothing of {key:?}")),
            }
        }
        Ok(address)
    }

    pub fn is_postgres(&self) -> bool {
        SCHEMES.iter().any(|(known, postgres)| *known == self.scheme && *postgres)
    }

    /// The name of the database's kind.
    pub fn title(&self) -> &'static str {
        match self.scheme {
            "mysql" => "MySQL",
            "mariadb" => "MariaDB",
            _ => "PostgreSQL",
        }
    }

    /// As it is told.
    pub fn shown(&self) -> String {
        let user = self.user.as_ref().map_or_else(String::new, |user| format!("{user}@"));
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        format!("{}://{user}{host}:{}/{}", self.scheme, self.port, self.name)
    }

    /// Whether the server is this machine.
    pub fn is_here(&self) -> bool {
        is_here(&self.host)
    }

    /// Whether what is said can be read by nobody on its way.
    pub fn is_encrypted(&self) -> bool {
        match self.tls {
            DatabaseTls::ByPlace => !self.is_here(),
            DatabaseTls::On => true,
            DatabaseTls::Off => false,
        }
    }

    /// Who asks: as the address says, else as the person is called on this machine.
    pub fn asks(&self) -> String {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let own = || if self.is_postgres() { set("PGUSER") } else { None };
        self.user.clone().or_else(own).or_else(|| set("USER")).or_else(|| set("USERNAME")).unwrap_or_else(|| "root".to_owned())
    }
}

/// A host and its port.
fn parted(place: &str) -> Option<(&str, Option<u16>)> {
    if let Some(rest) = place.strip_prefix('[') {
        let (host, after) = rest.split_once(']')?;
        return match after.strip_prefix(':') {
            Some(port) => Some((host, Some(port.parse().ok()?))),
            None => after.is_empty().then_some((host, None)),
        };
    }
    match place.split_once(':') {
        Some((host, port)) => Some((host, Some(port.parse().ok()?))),
        None => Some((place, None)),
    }
}

/// A part of an address with its `%41` undone.
fn plain(part: &str) -> String {
    let bytes = part.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = (bytes[at] == b'%').then(|| part.get(at + 1..at + 3)).flatten();
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_where_and_never_the_password() {
        let of = |text: &str| DatabaseAddress::parse(text);
        let one = of("postgresql://reader@db.example/support").unwrap();
        assert_eq!(
            (one.shown().as_str(), one.is_here(), one.is_encrypted()),
            ("postgresql://reader@db.example:5432/support", false, true)
        );
        assert_eq!(of("mysql://localhost/a").unwrap().port, 3_306);
        assert_eq!(of("postgres:///a").unwrap().host, "localhost");
        assert_eq!(of("postgres://a%40b@[::1]:7/x%20y").unwrap().shown(), "postgres://a@b@[::1]:7/x y");
        assert!(of("postgres://[::1]:7/x").unwrap().is_here() && !of("postgres://127.0.0.1.example.com/x").unwrap().is_here());
        assert!(!of("postgres://db.example/x?sslmode=disable").unwrap().is_encrypted());
        assert!(of("postgres://me:secret@db.example/x").unwrap_err().contains("password"));
        for bad in [
            "postgres://db.example",
            "postgres://a,b/x",
            "oracle://a/b",
            "postgres://a:port/x",
            "postgres://a/x?host=evil.example",
            "x",
        ] {
            assert!(of(bad).is_err(), "{bad}");
        }
        assert!(is_address("MySQL://x/y") && !is_address("https://x/y") && !is_address("a/b.csv"));
    }
}
