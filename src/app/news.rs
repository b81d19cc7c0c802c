//! What the screen asks of the session, and what the session has to say.

use egui::Context;

use super::App;
use super::keys::Hands;
use super::pipelines::Shelf;
use super::queue::Queue;
use super::{collecting, monitoring, training};
use crate::action::{Action, CollectAction};
use crate::data::{Rule, SampleSet, things};
use crate::operate::{Augmented, Balanced, RUN};
use crate::session::{EyeWants, News, Session, Wants};
use crate::ui::making::shown;
use crate::ui::{UiState, View, chart_field, chart_measure, count, count_samples, sentence, stage};

/// What to say where samples were made of a dataset that is another now.
const MOVED: &str = "The dataset was edited meanwhile, and nothing was added: add once more";

/// How often what was told may change what is asked for within a frame.
const ROUNDS: usize = 4;

/// What the screen asks for as it stands.
pub(super) fn wants<'w>(state: &'w UiState, session: &Session) -> Wants<'w> {
    let dataset = session.workspace().map(|workspace| workspace.dataset());
    let chart =
        dataset.and_then(|dataset| chart_field(state, dataset).map(|field| (field, chart_measure(state, dataset, field))));
    let stage = stage(state.view);
    let inspected = stage.inspector && (state.inspector || state.inspector_narrow || state.pane.is_open(state.view));
    let looks = state.view == View::Export && state.export.eye;
    Wants {
        filter: &state.filter,
        sort: &state.table.sort,
        chart,
        needs: stage.needs,
        options: &state.options,
        method: state.review.method,
        neighbours_of: state.review.current.filter(|_| state.view == View::Label),
        likely_of: state.selection.cursor.filter(|_| inspected),
        facets: state.facets && state.view == View::Explore,
        class: state.class_book.shown(),
        eye: (looks || inspected && state.export.in_inspector).then(|| EyeWants {
            target: &state.export.target,
            whole: looks,
            sample: if looks { state.export.looked_at(session) } else { state.selection.cursor },
            walked: state.export.walked.as_ref().filter(|_| looks).map(|(reason, samples)| (reason.as_str(), samples.as_slice())),
        }),
        watch: (state.view == View::Monitor).then(|| {
            let known = state.monitor.shown.as_deref();
            state.monitor.wants(known, session.watching().offered().is_some())
        }),
        augment: &state.augment,
        balance: &state.balance,
    }
}

/// What there is to say of what was done.
fn noted(app: &mut App, ctx: &Context, notes: &[String]) {
    if !notes.is_empty() {
        app.notices.say(ctx, sentence(&notes.join("; ")));
    }
}

impl App {
    /// The review queue.
    pub(super) fn queue(&mut self) -> Queue<'_> {
        Queue { state: &mut self.state, session: &self.session }
    }

    /// What is kept across datasets.
    pub(super) fn shelf(&mut self) -> Shelf<'_> {
        let Self { session, settings, folders, state, notices, .. } = self;
        Shelf { session, settings, folders, state, notices }
    }

    /// Keys and commands.
    pub(super) fn hands(&mut self) -> Hands<'_> {
        let Self { session, state, notices, actions, .. } = self;
        Hands { session, state, notices, actions }
    }

    /// Takes in what the session has worked out, and has it begin what is missing.
    pub(super) fn work(&mut self, ctx: &Context) {
        // What is told may change what is asked for: that is begun in the same frame.
        for _ in 0..ROUNDS {
            let (news, again) = self.session.work(&wants(&self.state, &self.session));
            if let Some(after) = again {
                ctx.request_repaint_after(after);
            }
            if news.is_empty() {
                break;
            }
            ctx.request_repaint();
            for news in news {
                self.tell(ctx, news);
            }
            self.queue().go_on();
        }
        self.gallery.follow(&self.session);
        self.queue().go_on();
    }

    fn tell(&mut self, ctx: &Context, news: News) {
        match news {
            News::Opened(opened) => self.opened(ctx, *opened),
            News::NotOpened(path, why) => {
                collecting::not_opened(self, ctx, &path);
                // Asked before it is passed: whoever trusts the file says so.
                let remedy = if collecting::is_of_database(&why) {
                    Some(("Connect…".to_owned(), Action::Collect(CollectAction::OfferDatabases(path))))
                } else {
                    why.contains("--max-memory").then(|| ("Open it all the same".to_owned(), Action::OpenTrusted(path)))
                };
                self.notices.tell(ctx, why, true, remedy);
            }
            News::Visible { other_filter } => self.state.settle_cursor(self.session.visible(), other_filter),
            News::Judged { anew } => self.queue().judged(anew),
            News::Drafted => self.gallery.preview = self.session.drafted().map(|drafted| shown(ctx, drafted)),
            News::Similar(_, ids) if ids.is_empty() => {
                self.notices.say(ctx, "Nothing like it was found: the embedding knows nothing of it");
            }
            News::Similar(title, ids) => self.state.show_ranked(title, ids),
            News::Contaminated(name, samples) => {
                if samples.is_empty() {
                    self.notices.say(ctx, format!("No sample shares {RUN} words in a row with {name}"));
                } else {
                    let found = things(samples.len(), "sample shares", "samples share");
                    self.notices.say(ctx, format!("{found} {RUN} words in a row with {name}: the inspector marks them in both"));
                    self.state.filter.clauses.retain(|clause| !matches!(clause.rule, Rule::Listed { .. }));
                    let samples: SampleSet = samples.into_iter().collect();
                    let title = format!("stand in {name}, too");
                    self.state.toggle_clause(Rule::Listed { title, samples: samples.into() }.into());
                    self.state.view = View::Explore;
                }
            }
            News::Augmented(revision, done, instead) => self.take_augmented(ctx, revision, *done, instead),
            News::Balanced(revision, done) => self.take_balanced(ctx, revision, *done),
            News::Planned(planned, loud) => {
                let notes = planned.notes.clone();
                let done = self.session.make(*planned);
                noted(self, ctx, &notes);
                self.edited(ctx, loud, done);
            }
            News::Tried(form, list) => {
                // Nobody has asked for another meanwhile.
                if self.state.balance == form {
                    self.state.balance.choose_best(&list);
                }
            }
            News::Noted(notes) => noted(self, ctx, &notes),
            News::LogRead => monitoring::read(self),
            News::Taught(lesson, runs) => training::taught(self, ctx, &lesson, runs),
            News::Saved(words) => words.into_iter().for_each(|words| self.notices.say(ctx, words)),
            News::Failed(_, why) => self.notices.complain(ctx, why),
        }
    }

    fn take_augmented(&mut self, ctx: &Context, revision: u64, done: Augmented, instead: Option<usize>) {
        if !self.session.is_at(revision) {
            return self.notices.complain(ctx, MOVED);
        }
        if done.edit.is_none() {
            return self.notices.say(ctx, "Nothing was added: every draw leaves its sample as it is, or is too risky");
        }
        let (risky, same) = (done.risky, done.same);
        self.edit(ctx, true, |workspace| done.in_place_of(workspace.dataset(), instead));
        let mut left = Vec::new();
        if risky > 0 {
            left.push(format!("{} too risky", count(risky)));
        }
        if same > 0 {
            left.push(format!("{} that came out as their parent", count(same)));
        }
        if !left.is_empty() {
            self.notices.say(ctx, format!("Left out: {}", left.join(", ")));
        }
    }

    fn take_balanced(&mut self, ctx: &Context, revision: u64, done: Balanced) {
        if !self.session.is_at(revision) {
            return self.notices.complain(ctx, MOVED);
        }
        let Some(edit) = done.edit else {
            return self.notices.say(ctx, "There is nothing to do: every class has what it should");
        };
        self.edit(ctx, true, |_| Ok(Some(edit)));
        done.notes.into_iter().for_each(|text| self.notices.say(ctx, text));
        if done.short > 0 {
            let what = "could not be made: the pipeline leaves them as they are, or is too risky";
            self.notices.say(ctx, format!("{} {what}", count_samples(done.short as usize)));
        }
    }
}
