//! Real database servers on this machine for a test: `PostgreSQL` and `MariaDB`, where their programs are installed.

// Not every test program starts every server.
#![allow(dead_code)]

use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server that ends with the test.
pub struct DatabaseServer {
    child: Child,
    folder: tempfile::TempDir,
    pub port: u16,
    client: PathBuf,
    postgres: bool,
}

impl Drop for DatabaseServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A program in one of the places where servers are installed.
fn program(name: &str) -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path().join("bin"));
    let places = versions.chain(["/usr/sbin", "/usr/bin", "/usr/local/bin"].map(PathBuf::from));
    places.map(|place| place.join(name)).find(|path| path.exists())
}

/// The number of a user of this machine.
fn user_id(name: &str) -> Option<u32> {
    let text = std::fs::read_to_string("/etc/passwd").ok()?;
    text.lines().find_map(|line| line.strip_prefix(&format!("{name}:"))?.split(':').nth(1)?.parse().ok())
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|meta| meta.uid() == 0)
}

impl DatabaseServer {
    /// A `PostgreSQL` of which `owner` may do all without a password, and everybody else needs one. `None` where it is not installed.
    pub fn postgres() -> Option<Self> {
        let (Some(initdb), Some(server), Some(client)) = (program("initdb"), program("postgres"), program("psql")) else {
            println!("skipped: PostgreSQL is not installed");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        // It refuses to run as root.
        let owner = is_root().then(|| user_id("postgres").expect("a user to run PostgreSQL as"));
        if let Some(owner) = owner {
            std::os::unix::fs::chown(folder.path(), Some(owner), None).unwrap();
        }
        let as_owner = |program: &Path| {
            let mut command = Command::new(program);
            command.current_dir(folder.path()).stdin(Stdio::null());
            owner.inspect(|owner| {
                command.uid(*owner);
            });
            command
        };
        let made = as_owner(&initdb)
            .args(["--username=owner", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--pgdata"])
            .arg(&data)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        std::fs::write(data.join("pg_hba.conf"), "host all owner 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
            .unwrap();
        let port = free_port();
        let child = as_owner(&server)
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string(), "-h", "127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let own = Self { child, folder, port, client, postgres: true };
        own.wait("SELECT 1");
        Some(own)
    }

    /// A `MariaDB` of which `root` may do all. `None` where it is not installed.
    pub fn mariadb() -> Option<Self> {
        let (Some(install), Some(server), Some(client)) =
            (program("mariadb-install-db"), program("mariadbd"), program("mariadb"))
        else {
            println!("skipped: MariaDB is not installed");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let user: &[&str] = if is_root() { &["--user=root"] } else { &[] };
        let made = Command::new(install)
            .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"])
            .args(user)
            .arg(format!("--datadir={}", data.display()))
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let port = free_port();
        let child = Command::new(server)
            .args(["--no-defaults", "--bind-address=127.0.0.1", "--innodb-flush-log-at-trx-commit=0", "--skip-name-resolve"])
            .args(user)
            .arg(format!("--datadir={}", data.display()))
            .arg(format!("--port={port}"))
            .arg(format!("--socket={}", folder.path().join("socket").display()))
            .arg(format!("--pid-file={}", folder.path().join("pid").display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let own = Self { child, folder, port, client, postgres: false };
        own.wait("SELECT 1");
        Some(own)
    }

    fn wait(&self, query: &str) {
        let until = Instant::now() + Duration::from_mins(1);
        while self.asked("", query).is_err() {
            assert!(Instant::now() < until, "the server does not start: {:?}", self.asked("", query));
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// What the server's own client prints, asked as the one who may do all.
    pub fn asked(&self, database: &str, query: &str) -> Result<String, String> {
        let mut command = Command::new(&self.client);
        let port = self.port.to_string();
        if self.postgres {
            let database = if database.is_empty() { "postgres" } else { database };
            command.args([
                "-X",
                "-q",
                "-A",
                "-t",
                "-v",
                "ON_ERROR_STOP=1",
                "-h",
                "127.0.0.1",
                "-p",
                &port,
                "-U",
                "owner",
                database,
            ]);
        } else {
            command.args([
                "--no-defaults",
                "-N",
                "-h",
                "127.0.0.1",
                "-P",
                &port,
                "-u",
                "root",
                "--default-character-set=utf8mb4",
            ]);
            command.args((!database.is_empty()).then_some(database));
        }
        let mut child = command
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Who does not listen says why.
        let _ = child.stdin.take().unwrap().write_all(query.as_bytes());
        let output = child.wait_with_output().unwrap();
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// Does as it is told, or the test ends.
    pub fn does(&self, database: &str, query: &str) -> String {
        self.asked(database, query).unwrap()
    }

    /// The address of a database for a user.
    pub fn address(&self, user: &str, database: &str) -> String {
        let scheme = if self.postgres { "postgresql" } else { "mysql" };
        format!("{scheme}://{user}@127.0.0.1:{}/{database}", self.port)
    }
}
