//! What Augment and Balance share beside the window: what was worked out from what, the model that judges labels, and what edits make stale.

use std::sync::Arc;

use egui::Context;

use super::App;
use super::drafts::{Drafted, Originals, shown};
use super::work::{Done, VisibleKey};
use crate::data::{Dataset, Role, SampleId};
use crate::derive::{Key, Likeness, risk_key, risk_model};
use crate::learn::risk::RiskModel;
use crate::pixels::Look;
use crate::transform::text_fields;
use crate::ui::View;
use crate::ui::making::{AugmentForm, BalanceForm, BalanceView};
use crate::workspace::{Augmented, Balanced, Tried, Worth};

/// What a preview depends on.
#[derive(Clone, PartialEq)]
pub(super) struct PreviewKey {
    pub(super) form: AugmentForm,
    pub(super) revision: u64,
    pub(super) visible: VisibleKey,
    /// Which model judged; 0 for none.
    pub(super) judged: u64,
    /// How many answers of text models previews had been given.
    pub(super) answers: u64,
}

/// What was worked out, and from what.
#[derive(Default)]
pub struct MakingKeys {
    pub(super) preview: Option<PreviewKey>,
    /// What the preview on screen was drawn from.
    pub(super) delivered: Option<PreviewKey>,
    /// Samples that may be augmented, at a revision and under a filter.
    pub(super) parents: Option<(u64, VisibleKey, Arc<Vec<SampleId>>)>,
    /// Originals as they were decoded for previews.
    pub(super) originals: Originals,
    /// What the model that judges was read from, or is being.
    pub(super) risk: Option<Key>,
    pub(super) model: Option<Arc<RiskModel>>,
    /// The number of the model that judges; 0 before the first.
    pub(super) serial: u64,
    pub(super) balance: Option<PlanKey>,
    pub(super) likeness: Option<Arc<Likeness>>,
    /// What it was read from, or is being.
    pub(super) likeness_of: Option<Key>,
    /// The plan that the probe was asked about.
    pub(super) probed: Option<PlanKey>,
    /// The column and revision that rules were tried for.
    pub(super) tried: Option<(String, u64)>,
}

/// What a plan depends on: the form, the revision, and whether what the form asks for was there.
pub(super) type PlanKey = (BalanceForm, u64, bool, u64);

/// What came of a job here.
pub enum MakingDone {
    Preview(Box<Drafted>, Option<Arc<Vec<SampleId>>>),
    Risk(Option<Arc<RiskModel>>),
    Augmented(u64, Box<Augmented>, Option<usize>),
    Likeness(Option<Arc<Likeness>>),
    Plan(Box<Result<BalanceView, String>>),
    Worth(Box<Worth>),
    Tried(Box<(BalanceForm, u64, Vec<Tried>)>),
    Balanced(u64, Box<Balanced>),
}

impl App {
    /// Starts what Augment and Balance need, where they are looked at.
    pub(super) fn schedule_making(&mut self) {
        match self.state.view {
            View::Augment => {
                self.schedule_risk();
                self.schedule_preview();
            }
            View::Balance => {
                self.schedule_likeness();
                self.schedule_balance();
            }
            _ => {}
        }
    }

    pub(super) fn scan_looks(&self) -> Option<Arc<Vec<Look>>> {
        self.memo.scan.as_ref().map(|scan| Arc::clone(&scan.looks))
    }

    /// Learns to judge labels, once for a revision: by pictures where the pipeline alters those.
    pub(super) fn schedule_risk(&mut self) {
        self.memo.making.judging = self.is_judging();
        let Some(workspace) = &self.workspace else { return };
        let dataset = workspace.dataset();
        let of_pictures = self.judges_pictures(dataset);
        let looks = if of_pictures { self.scan_looks() } else { None };
        let Some(wanted) = risk_key(dataset, of_pictures).filter(|_| !of_pictures || looks.is_some()) else { return };
        if self.making.risk.as_ref() == Some(&wanted) || self.jobs.is_running("risk") {
            return;
        }
        self.making.risk = Some(wanted);
        self.memo.making.judging = true;
        let (snapshot, store) = (dataset.clone(), Arc::clone(workspace.derived()));
        self.jobs.start("risk", "Learning what labels depend on", move |progress| {
            let model = risk_model(&snapshot, looks.as_ref().map(|looks| looks.as_slice()), &store, progress)?;
            Ok(Done::Making(MakingDone::Risk(model)))
        });
    }

    /// Whether labels are judged by pictures: where the pipeline alters them, or there are no texts.
    pub(super) fn judges_pictures(&self, dataset: &Dataset) -> bool {
        let alters = self.state.augment.pipeline.alters_pictures();
        dataset.pictures().is_some() && (alters || text_fields(dataset).is_empty())
    }

    /// Whether a model that judges labels is on its way: until it is there, nothing is added unjudged.
    pub(super) fn is_judging(&self) -> bool {
        let Some(dataset) = self.workspace.as_ref().map(|workspace| workspace.dataset()) else { return false };
        let looking = self.judges_pictures(dataset) && self.memo.scan.is_none() && self.jobs.is_running("images");
        dataset.with_role(Role::is_label).is_some() && (looking || self.jobs.is_running("risk"))
    }

    /// Takes in what a job has brought.
    pub(super) fn take_making(&mut self, ctx: &Context, done: MakingDone) {
        match done {
            MakingDone::Preview(drafted, parents) => {
                if let (Some(parents), Some(key)) = (parents, &self.making.preview) {
                    self.making.parents = Some((key.revision, key.visible.clone(), parents));
                }
                self.memo.making.stale = false;
                if !self.asking.has_failed() {
                    self.asking.wanted.clone_from(&drafted.asks);
                }
                self.making.delivered.clone_from(&self.making.preview);
                self.memo.making.preview = Some(shown(ctx, *drafted));
            }
            MakingDone::Risk(model) => {
                self.making.model = model;
                self.making.serial += 1;
                self.memo.making.judging = false;
            }
            MakingDone::Likeness(likeness) => {
                self.making.likeness = likeness;
                self.probe_unasked();
            }
            MakingDone::Plan(result) => self.take_plan(*result),
            MakingDone::Worth(worth) => {
                self.memo.making.worth_old = self.making.probed != self.making.balance;
                self.memo.making.worth = Some(*worth);
            }
            MakingDone::Tried(done) => self.take_tried(*done),
            MakingDone::Augmented(revision, done, instead) => self.take_augmented(ctx, revision, *done, instead),
            MakingDone::Balanced(revision, done) => self.take_balanced(ctx, revision, *done),
        }
    }

    pub(super) fn is_stale(&mut self, ctx: &Context, revision: u64) -> bool {
        let stale = self.workspace.as_ref().is_none_or(|workspace| workspace.revision() != revision);
        if stale {
            self.complain(ctx, "The dataset was edited meanwhile, and nothing was added: add once more");
        }
        stale
    }

    /// Other pictures, or other cells of theirs: originals are decoded anew.
    pub(super) fn forget_originals(&mut self) {
        self.making.originals = Originals::default();
        self.making.preview = None;
    }

    /// Forgets everything that belonged to the dataset that was open.
    pub(super) fn forget_making(&mut self) {
        self.making = MakingKeys::default();
        self.stop_asking();
        self.asking.wanted.clear();
        for job in ["risk", "preview", "augment", "likeness", "balance", "probe", "trying"] {
            self.jobs.cancel(job);
        }
    }
}
