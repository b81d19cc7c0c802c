//! Tasks handed to a scheduler, a job each, several at a time; what is lost is handed out again.

use std::sync::Arc;
use std::time::Duration;

use ballista::prelude::{SessionConfigExt as _, SessionContextExt as _};
use datafusion::arrow::array::{Array as _, StringArray};
use datafusion::execution::SessionStateBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::function::{NAME, function, program_beside};
use crate::{Words, place};

/// How often a task is handed out that is lost, or fails by no fault of its own.
const TRIES: usize = 4;

/// Hands out the tasks of standard input, a line each; says `done TASK` or `failed TASK WHY` of each.
pub async fn run(words: &Words) -> Result<(), String> {
    let (host, port) = place(words.need("scheduler")?)?;
    let run = words.need("run")?.to_owned();
    let [folder] = words.beside.as_slice() else { return Err("which run? Its folder is missing".to_owned()) };
    let at_once = words.number("at-once", 2usize)?.max(1);
    let patience = Duration::from_secs(words.number("patience", 600u64)?.max(1));
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut tasks = Vec::new();
    while let Some(line) = lines.next_line().await.map_err(|error| error.to_string())? {
        tasks.push(line.trim().to_owned());
    }
    let context = Arc::new(connect(&host, port).await?);
    let slots = Arc::new(Semaphore::new(at_once));
    let mut under_way = JoinSet::new();
    for task in tasks.into_iter().filter(|task| !task.is_empty()) {
        let (context, slots) = (Arc::clone(&context), Arc::clone(&slots));
        let (folder, run) = (folder.clone(), run.clone());
        under_way.spawn(async move {
            let _slot = slots.acquire_owned().await;
            let done = one(&context, (&folder, &task, &run), patience).await;
            (task, done)
        });
    }
    let mut failed = 0;
    while let Some(ended) = under_way.join_next().await {
        let (task, done) = ended.map_err(|error| error.to_string())?;
        match done {
            Ok(()) => println!("done {task}"),
            Err(why) => {
                failed += 1;
                println!("failed {task} {}", why.replace('\n', " "));
            }
        }
    }
    if failed == 0 { Ok(()) } else { Err(format!("{failed} tasks failed")) }
}

async fn connect(host: &str, port: u16) -> Result<SessionContext, String> {
    // The way there is tried before any task: a session alone connects to nobody.
    let tried = tokio::time::timeout(Duration::from_secs(10), tokio::net::TcpStream::connect((host, port))).await;
    match tried {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => return Err(format!("no scheduler answers at {host}:{port}: {error}")),
        Err(_) => return Err(format!("no scheduler answers at {host}:{port} within 10 s")),
    }
    // The adaptive planner has lost track of stages whose executor was lost; a job of one stage needs none.
    let config =
        SessionConfig::new_with_ballista().with_target_partitions(1).set_str("ballista.planner.adaptive.enabled", "false");
    let state = SessionStateBuilder::new().with_default_features().with_config(config).build();
    let context = SessionContext::remote_with_state(&format!("df://{host}:{port}"), state)
        .await
        .map_err(|error| format!("no scheduler answers at {host}:{port}: {error}"))?;
    // What was registered before the way to the scheduler was known is forgotten there.
    context.register_udf(function(&program_beside()));
    Ok(context)
}

/// Hands a task out until it is done. An answer that does not come in time is waited for no longer: the task is handed out again, and doing it twice does no harm.
async fn one(context: &SessionContext, (folder, task, run): (&str, &str, &str), patience: Duration) -> Result<(), String> {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let query = format!("SELECT {NAME}({}, {}, {}) AS said", quoted(folder), quoted(task), quoted(run));
    let mut why = String::new();
    for attempt in 0..TRIES {
        if attempt > 0 {
            tokio::time::sleep(Duration::from_secs(attempt as u64)).await;
        }
        let answer = tokio::time::timeout(patience, async {
            let batches = context.sql(&query).await?.collect().await?;
            let column = batches.first().and_then(|batch| batch.column(0).as_any().downcast_ref::<StringArray>().cloned());
            Ok::<_, datafusion::common::DataFusionError>(
                column.filter(|column| column.len() == 1).map(|column| column.value(0).to_owned()),
            )
        });
        match answer.await {
            Ok(Ok(Some(said))) if said == format!("done {task}") => return Ok(()),
            Ok(Ok(said)) => why = format!("it answered {:?}", said.unwrap_or_default()),
            Ok(Err(error)) => {
                why = error.to_string();
                // What the task itself says will be said again.
                if let Some(own) = own_words(&why, task) {
                    return Err(own);
                }
            }
            Err(_) => why = format!("no answer within {} s", patience.as_secs()),
        }
    }
    Err(format!("{why} ({TRIES} times)"))
}

/// What a task itself has said of its failing.
fn own_words(error: &str, task: &str) -> Option<String> {
    let at = error.find(&format!("{task}: lapidary task: "))?;
    let own = &error[at + task.len() + 2..];
    Some(own.lines().next().unwrap_or(own).trim_end_matches(['"', ')', '}', ' ']).to_owned())
}
