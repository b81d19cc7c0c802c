//! The scheduler: who is there, and who gets which task.

use std::sync::Arc;

use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::SchedulerConfig;
use ballista_scheduler::scheduler_process::{create_scheduler, start_grpc_service_with_listener};
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::prelude::SessionConfig;
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};

use crate::function::{function, program_beside};
use crate::{Words, place};

/// After so many seconds without a word an executor counts as gone; it says one every [`crate::executor::HEARTBEAT`].
const GONE: u64 = 20;

fn session(config: SessionConfig) -> datafusion::common::Result<SessionState> {
    // It only has to know that there is such a function: executors carry it out.
    let mut state = SessionStateBuilder::new().with_default_features().with_config(config).build();
    datafusion::execution::FunctionRegistry::register_udf(&mut state, Arc::new(function(&program_beside())))?;
    Ok(state)
}

/// Listens until it is ended. Says where: a port of 0 is any that is free.
pub async fn run(words: &Words) -> Result<(), String> {
    let (host, port) = place(words.get("bind").unwrap_or("127.0.0.1:50050"))?;
    let listener =
        tokio::net::TcpListener::bind((host.as_str(), port)).await.map_err(|error| format!("{host}:{port}: {error}"))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let config = SchedulerConfig {
        external_host: host.clone(),
        bind_host: host,
        bind_port: address.port(),
        executor_timeout_seconds: GONE,
        expire_dead_executor_interval_seconds: 5,
        override_session_builder: Some(Arc::new(session)),
        ..SchedulerConfig::default()
    };
    let cluster = BallistaCluster::new_from_config(&config).await.map_err(|error| error.to_string())?;
    let scheduler = create_scheduler::<LogicalPlanNode, PhysicalPlanNode>(cluster, Arc::new(config)).await;
    let scheduler = scheduler.map_err(|error| error.to_string())?;
    println!("listening {address}");
    start_grpc_service_with_listener(listener, scheduler).await.map_err(|error| error.to_string())
}
