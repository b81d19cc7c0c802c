//! An executor: carries tasks out, several at a time.

use std::path::PathBuf;
use std::sync::Arc;

use ballista_core::registry::BallistaFunctionRegistry;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};

use crate::function::{NAME, function, program_beside};
use crate::{Words, place};

/// It says a word every so many seconds.
pub const HEARTBEAT: u64 = 5;
/// At least so many slots: one that is lost with a task that hangs must not be the last.
const LEAST: usize = 2;

/// Carries out what a scheduler hands it, until it is ended.
pub async fn run(words: &Words) -> Result<(), String> {
    let (scheduler_host, scheduler_port) = place(words.need("scheduler")?)?;
    let cores = std::thread::available_parallelism().map_or(LEAST, std::num::NonZero::get);
    let vcores = words.number("cores", cores)?.max(LEAST);
    let host = words.get("host").unwrap_or("127.0.0.1").to_owned();
    let program = words.get("lapidary").map_or_else(program_beside, PathBuf::from);
    let known = std::process::Command::new(&program).arg("--version").output();
    let known = known.map_err(|error| format!("{} cannot be started: {error}; --lapidary names it", program.display()))?;
    let said = String::from_utf8_lossy(&known.stdout);
    if !said.contains(env!("CARGO_PKG_VERSION")) {
        return Err(format!(
            "{} is {}, and this is {}: both need the same version",
            program.display(),
            said.trim(),
            env!("CARGO_PKG_VERSION")
        ));
    }
    let mut registry = BallistaFunctionRegistry::default();
    registry.scalar_functions.insert(NAME.to_owned(), Arc::new(function(&program)));
    let config = ExecutorProcessConfig {
        bind_host: host.clone(),
        external_host: Some(host.clone()),
        port: free_port(&host)?,
        grpc_port: free_port(&host)?,
        scheduler_host,
        scheduler_port,
        scheduler_connect_timeout_seconds: 60,
        vcores,
        work_dir: words.get("work-dir").map(ToOwned::to_owned),
        executor_heartbeat_interval_seconds: HEARTBEAT,
        override_function_registry: Some(Arc::new(registry)),
        ..ExecutorProcessConfig::default()
    };
    println!("executor {}", config.executor_id);
    start_executor_process(Arc::new(config)).await.map_err(|error| error.to_string())
}

fn free_port(host: &str) -> Result<u16, String> {
    let listener = std::net::TcpListener::bind((host, 0)).map_err(|error| format!("{host}: {error}"))?;
    listener.local_addr().map(|address| address.port()).map_err(|error| error.to_string())
}
