//! Tasks of Lapidary's runs on many machines: a scheduler and executors of Apache DataFusion Ballista, and who hands tasks to them.
//!
//! A task is a call of one function, `lapidary_task(folder, task, run)`, which starts `lapidary task` as a child where it is carried out. Each is a job
//! of its own without a shuffle, so that nothing of a job is lost but the task itself, and that is handed out again. What is read and written lies on a file
//! system that all machines see at the same path.

mod executor;
mod function;
mod scheduler;
mod submit;

use std::collections::BTreeMap;
use std::process::ExitCode;

const HELP: &str = "lapidary-cluster: Lapidary's runs on many machines

  lapidary-cluster scheduler [--bind 127.0.0.1:50050]
  lapidary-cluster executor --scheduler HOST:PORT [--host ADDRESS] [--cores N] [--work-dir DIR] [--lapidary PROGRAM]
  lapidary-cluster submit --scheduler HOST:PORT --run PRINT [--at-once N] [--patience SECONDS] FOLDER < TASKS

The scheduler and the executors listen where they are told and nowhere else; without a word that is this machine alone. There is no password and no encryption
between them: let them talk in a network of your own. lapidary run … --on ballista://HOST:PORT calls submit; every machine needs the same version of lapidary,
and the input and the output at the same path.
";

/// Words of a command: options with a value each, and what stands beside them.
pub struct Words {
    options: BTreeMap<String, String>,
    pub beside: Vec<String>,
}

impl Words {
    fn of(words: impl Iterator<Item = String>, known: &[&str]) -> Result<Self, String> {
        let (mut options, mut beside, mut words) = (BTreeMap::new(), Vec::new(), words);
        while let Some(word) = words.next() {
            match word.strip_prefix("--") {
                Some(name) if known.contains(&name) => {
                    let value = words.next().ok_or_else(|| format!("--{name} needs a value"))?;
                    options.insert(name.to_owned(), value);
                }
                Some(name) => return Err(format!("there is no option --{name}")),
                None => beside.push(word),
            }
        }
        Ok(Self { options, beside })
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(String::as_str)
    }

    pub fn need(&self, name: &str) -> Result<&str, String> {
        self.get(name).ok_or_else(|| format!("--{name} is missing"))
    }

    pub fn number<T: std::str::FromStr>(&self, name: &str, usual: T) -> Result<T, String> {
        self.get(name).map_or(Ok(usual), |text| text.parse().map_err(|_| format!("--{name} takes a number, not {text:?}")))
    }
}

/// A host and a port.
pub fn place(text: &str) -> Result<(String, u16), String> {
    let (host, port) = text.rsplit_once(':').ok_or_else(|| format!("{text:?} is no HOST:PORT"))?;
    let port = port.parse().map_err(|_| format!("{port:?} is no port"))?;
    Ok((host.trim_start_matches('[').trim_end_matches(']').to_owned(), port))
}

#[tokio::main]
async fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let command = words.next().unwrap_or_default();
    let done = match command.as_str() {
        "scheduler" => match Words::of(words, &["bind"]) {
            Ok(words) => scheduler::run(&words).await,
            Err(why) => Err(why),
        },
        "executor" => match Words::of(words, &["scheduler", "host", "cores", "work-dir", "lapidary"]) {
            Ok(words) => executor::run(&words).await,
            Err(why) => Err(why),
        },
        "submit" => match Words::of(words, &["scheduler", "run", "at-once", "patience"]) {
            Ok(words) => submit::run(&words).await,
            Err(why) => Err(why),
        },
        "" | "-h" | "--help" => {
            print!("{HELP}");
            Ok(())
        }
        "--version" => {
            println!("lapidary-cluster {}", env!("CARGO_PKG_VERSION"));
            Ok(())
        }
        other => Err(format!("there is no command {other:?}; lapidary-cluster -h lists them")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("lapidary-cluster: {}", why.replace('\n', " "));
            ExitCode::from(2)
        }
    }
}
