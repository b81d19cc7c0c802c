//! How good predictions are, by the definitions of the field; where they differ, that which is meant is said.

/// Probabilities of `rows × classes`, each row of them summing to 1.
#[derive(Debug, Clone, Copy)]
pub struct Predicted<'p> {
    pub classes: usize,
    pub of: &'p [f64],
}

impl<'p> Predicted<'p> {
    /// How many rows there are.
    pub fn rows(self) -> usize {
        self.of.len().checked_div(self.classes).unwrap_or(0)
    }

    /// The probabilities of a row.
    pub fn row(self, row: usize) -> &'p [f64] {
        &self.of[row * self.classes..(row + 1) * self.classes]
    }

    /// The likeliest class of a row: of equal ones the first.
    pub fn likeliest(self, row: usize) -> usize {
        let own = self.row(row);
        own.iter().enumerate().fold(0, |best, (class, p)| if *p > own[best] { class } else { best })
    }
}

/// How good predictions of one class are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassScore {
    /// 0 where the class is never said.
    pub precision: f64,
    /// 0 where it is never true.
    pub recall: f64,
    pub f1: f64,
    /// How many rows have it, and how many are said to.
    pub support: usize,
    pub predicted: usize,
}

/// How good predictions are.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    pub rows: usize,
    pub accuracy: f64,
    /// The mean recall of the classes that are true somewhere.
    pub balanced_accuracy: f64,
    /// The mean F1 of the classes that are true somewhere; scikit-learn takes those that are predicted, too.
    pub macro_f1: f64,
    /// The mean F1 of all classes.
    pub macro_f1_all: f64,
    pub weighted_f1: f64,
    /// Matthews' coefficient of several classes, and Cohen's kappa.
    pub mcc: f64,
    pub kappa: f64,
    pub per_class: Vec<ClassScore>,
    /// `classes × classes`: rows are what is true, columns what is said.
    pub confusion: Vec<usize>,
    /// How often what is true is among the three likeliest.
    pub top3: f64,
    /// In nats, no probability below 2.2e-16.
    pub log_loss: f64,
    /// The sum over classes, 0 to 2.
    pub brier: f64,
    /// One class against the rest, the mean over those that are true somewhere and not everywhere.
    pub auroc: f64,
}

fn share(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}

/// The mean F1 of `of` classes that some row has, of truth and prediction by row.
pub fn macro_f1(truth: &[u32], said: &[u32], classes: usize, of: &[bool]) -> f64 {
    let (mut right, mut true_n, mut said_n) = (vec![0usize; classes], vec![0usize; classes], vec![0usize; classes]);
    for (truth, said) in truth.iter().zip(said) {
        true_n[*truth as usize] += 1;
        said_n[*said as usize] += 1;
        right[*truth as usize] += usize::from(truth == said);
    }
    let f1 = |class: usize| share(2.0 * right[class] as f64, (true_n[class] + said_n[class]) as f64);
    // A class that a draw has no row of says nothing there.
    let list: Vec<f64> = (0..classes).filter(|class| of[*class] && true_n[*class] > 0).map(f1).collect();
    share(list.iter().sum(), list.len() as f64)
}

/// How well numbers tell the rows of a class from others: the area under the curve of Mann and Whitney, ties counted half.
pub fn auroc(scores: &[f64], positive: &dyn Fn(usize) -> bool) -> Option<f64> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    let (mut at, mut ranks, mut n) = (0, 0.0, 0usize);
    while at < order.len() {
        let end = at + order[at..].iter().take_while(|row| scores[**row] == scores[order[at]]).count();
        let hits = order[at..end].iter().filter(|row| positive(**row)).count();
        ranks += hits as f64 * (at + 1 + end) as f64 / 2.0;
        n += hits;
        // What is no number is equal to nothing, itself included.
        at = end.max(at + 1);
    }
    let other = scores.len() - n;
    (n > 0 && other > 0).then(|| (ranks - (n * (n + 1)) as f64 / 2.0) / (n * other) as f64)
}

impl Scores {
    /// Of what is true (a class a row) and what is predicted.
    pub fn of(truth: &[u32], predicted: Predicted<'_>) -> Self {
        let (k, n) = (predicted.classes, truth.len());
        let said: Vec<u32> = (0..n).map(|row| predicted.likeliest(row) as u32).collect();
        let mut confusion = vec![0usize; k * k];
        for (truth, said) in truth.iter().zip(&said) {
            confusion[*truth as usize * k + *said as usize] += 1;
        }
        let row_sum = |class: usize| confusion[class * k..(class + 1) * k].iter().sum::<usize>();
        let column_sum = |class: usize| (0..k).map(|row| confusion[row * k + class]).sum::<usize>();
        let per_class: Vec<ClassScore> = (0..k)
            .map(|class| {
                let (right, support, predicted) = (confusion[class * k + class] as f64, row_sum(class), column_sum(class));
                ClassScore {
                    precision: share(right, predicted as f64),
                    recall: share(right, support as f64),
                    f1: share(2.0 * right, (support + predicted) as f64),
                    support,
                    predicted,
                }
            })
            .collect();
        let right: usize = (0..k).map(|class| confusion[class * k + class]).sum();
        let (rows, accuracy) = (n as f64, share(right as f64, n as f64));
        let present: Vec<&ClassScore> = per_class.iter().filter(|class| class.support > 0).collect();
        let over = |of: &dyn Fn(&ClassScore) -> f64| share(present.iter().map(|class| of(class)).sum(), present.len() as f64);
        let products = |one: &dyn Fn(&ClassScore) -> f64, other: &dyn Fn(&ClassScore) -> f64| -> f64 {
            per_class.iter().map(|class| one(class) * other(class)).sum()
        };
        let (support, predicted_n) = (|class: &ClassScore| class.support as f64, |class: &ClassScore| class.predicted as f64);
        let crossed = products(&support, &predicted_n);
        let square = (rows * rows - products(&predicted_n, &predicted_n)) * (rows * rows - products(&support, &support));
        let chance = crossed / (rows * rows).max(1.0);
        let mut top3 = 0usize;
        let (mut log_loss, mut brier) = (0.0, 0.0);
        for (row, class) in truth.iter().enumerate() {
            let (own, class) = (predicted.row(row), *class as usize);
            // Before it stand those that are likelier, and of equal ones those that come first.
            let before = own.iter().enumerate().filter(|(at, p)| **p > own[class] || **p == own[class] && *at < class).count();
            top3 += usize::from(before < 3);
            log_loss -= own[class].clamp(f64::EPSILON, 1.0).ln();
            brier += own.iter().enumerate().map(|(at, p)| (p - f64::from(u8::from(at == class))).powi(2)).sum::<f64>();
        }
        let curves: Vec<f64> = (0..k)
            .filter_map(|class| {
                let scores: Vec<f64> = (0..n).map(|row| predicted.row(row)[class]).collect();
                auroc(&scores, &|row| truth[row] as usize == class)
            })
            .collect();
        Self {
            rows: n,
            accuracy,
            balanced_accuracy: over(&|class| class.recall),
            macro_f1: over(&|class| class.f1),
            macro_f1_all: share(per_class.iter().map(|class| class.f1).sum(), k as f64),
            weighted_f1: share(per_class.iter().map(|class| class.f1 * class.support as f64).sum(), rows),
            mcc: if square > 0.0 { (right as f64 * rows - crossed) / square.sqrt() } else { 0.0 },
            kappa: share(accuracy - chance, 1.0 - chance),
            per_class,
            confusion,
            top3: share(top3 as f64, rows),
            log_loss: share(log_loss, rows),
            brier: share(brier, rows),
            auroc: share(curves.iter().sum(), curves.len() as f64),
        }
    }
}
