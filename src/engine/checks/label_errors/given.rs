//! What label errors are looked for in: the text of a sample, or probabilities that somebody else worked out.

use rayon::prelude::*;

use super::asked::{LabelQuestion, MOST_CELLS, Unfit};
use crate::data::{ClassIndex, Dataset, Role, SampleId};
use crate::job::Progress;

/// Probabilities that somebody else worked out: `rows × names`, by row of the dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    /// The class that each column is of.
    pub names: Vec<String>,
    /// The probabilities; a row that is all 0 is not judged.
    pub p: Vec<f32>,
}

impl Given {
    /// Finds the probabilities in the columns of `source` whose names begin with `prefix`: the rest of the name is a class, or its
    /// number (`p0`, `p1`, … in the order of the classes). `source` may be the dataset itself or another with as many rows.
    ///
    /// # Errors
    /// [`Unfit`]: no label column, too few columns fit, or the rows are not as many.
    pub fn from_columns(source: &Dataset, dataset: &Dataset, ask: &LabelQuestion, prefix: &str) -> Result<Self, Unfit> {
        let field = match &ask.label {
            Some(name) => dataset.field(name).ok_or_else(|| Unfit::NoColumn(name.clone()))?,
            None => dataset.with_role(Role::is_label).ok_or(Unfit::NoLabel)?,
        };
        let index = ClassIndex::build(dataset, field, &Progress::silent())?;
        let names: Vec<String> = index.names().iter().map(ToString::to_string).collect();
        if names.len().saturating_mul(dataset.rows()) > MOST_CELLS {
            let column = dataset.fields()[field].name.to_string();
            return Err(Unfit::TooMany { rows: dataset.rows(), classes: names.len(), column });
        }
        let class_of = |column: &str| {
            let rest = column.strip_prefix(prefix)?;
            let bare = rest.trim_start_matches(['p', '_']);
            let number = || bare.parse::<usize>().ok().filter(|class| *class < names.len());
            index.class(rest).or_else(|| index.class(bare)).or_else(number)
        };
        let mut fields: Vec<Option<usize>> = vec![None; names.len()];
        for (place, column) in source.fields().iter().enumerate() {
            if let Some(class) = class_of(&column.name).filter(|_| place != field || !std::ptr::eq(source, dataset)) {
                fields[class] = Some(place);
            }
        }
        let found = fields.iter().flatten().count();
        let missing = (0..names.len()).any(|class| index.counts()[class] > 0 && fields[class].is_none());
        // What was made is not judged: a file may leave it out.
        let own = dataset.rows() - dataset.made();
        if found < 2 || missing || source.rows() != dataset.rows() && source.rows() != own {
            return Err(Unfit::Probabilities { found, classes: names.len(), rows: source.rows(), wanted: own });
        }
        // A file without what was made has a row less for each before a sample.
        let whole = source.rows() == dataset.rows();
        let rows: Vec<SampleId> = (0..dataset.extent())
            .scan(0, |left_out, row| {
                *left_out += usize::from(!whole && dataset.is_made(SampleId::at(row)));
                Some(SampleId::at(row - *left_out))
            })
            .collect();
        let p = rows
            .into_par_iter()
            .flat_map_iter(|id| {
                fields.iter().map(move |field| {
                    field.and_then(|field| source.text(field, id)?.parse::<f32>().ok()).filter(|p| p.is_finite()).unwrap_or(0.0)
                })
            })
            .collect();
        Ok(Self { names, p })
    }
}
