//! The function that executors carry out: a task of a run, by the program itself, as a child.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, StringArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

pub const NAME: &str = "lapidary_task";
/// The most of what a child says that is passed on.
const MOST_SAID: usize = 2_000;

/// `lapidary_task(folder, task, run) -> text`: what the task says.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct TaskFunction {
    signature: Signature,
    program: PathBuf,
}

/// The function; `program` is `lapidary` on the machine that carries it out.
pub fn function(program: &Path) -> ScalarUDF {
    // It is never worked out beforehand where it is asked for: it does something.
    let signature = Signature::exact(vec![DataType::Utf8; 3], Volatility::Volatile);
    ScalarUDF::from(TaskFunction { signature, program: program.to_owned() })
}

/// `lapidary` beside this program, or on the path.
pub fn program_beside() -> PathBuf {
    let beside = std::env::current_exe().ok().map(|path| path.with_file_name("lapidary")).filter(|path| path.is_file());
    beside.unwrap_or_else(|| PathBuf::from("lapidary"))
}

impl ScalarUDFImpl for TaskFunction {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let texts: Vec<String> = args
            .args
            .iter()
            .map(|value| match value {
                ColumnarValue::Scalar(ScalarValue::Utf8(Some(text))) => Ok(text.clone()),
                other => Err(DataFusionError::Execution(format!("{NAME} takes texts, not {other:?}"))),
            })
            .collect::<Result<_>>()?;
        let [folder, task, run] = texts.as_slice() else {
            return Err(DataFusionError::Execution(format!("{NAME} takes a folder, a task and a run")));
        };
        let said = carry_out(&self.program, folder, task, run).map_err(DataFusionError::Execution)?;
        let list: ArrayRef = Arc::new(StringArray::from(vec![said; args.number_rows]));
        Ok(ColumnarValue::Array(list))
    }
}

/// Has the program do a task; what it says.
fn carry_out(program: &Path, folder: &str, task: &str, run: &str) -> std::result::Result<String, String> {
    let output = Command::new(program)
        .args(["task", folder, task, "--run", run, "--version-of", env!("CARGO_PKG_VERSION")])
        .output()
        .map_err(|error| format!("{} cannot be started here: {error}", program.display()))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().chars().take(MOST_SAID).collect::<String>();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(format!("{task}: {}", text(&output.stderr))) }
}
