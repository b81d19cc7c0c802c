//! What the screen asks of the session, and what the session has to say.

use egui::Context;

use super::App;
use crate::action::Action;
use crate::data::{Rule, SampleId, SampleSet};
use crate::operate::{Augmented, Balanced, Tried};
use crate::session::{BalanceForm, News, Session, WEIGHTS, Wants};
use crate::ui::making::shown;
use crate::ui::{Selection, UiState, View, chart_field, chart_measure, count, count_samples, stage};

/// How often what was told may change what is asked for within a frame.
const ROUNDS: usize = 4;

/// What the screen asks for as it stands.
pub(super) fn wants<'w>(state: &'w UiState, session: &Session) -> Wants<'w> {
    let dataset = session.workspace().map(|workspace| workspace.dataset());
    let chart =
        dataset.and_then(|dataset| chart_field(state, dataset).map(|field| (field, chart_measure(state, dataset, field))));
    let stage = stage(state.view);
    let inspected = stage.inspector && (state.inspector || state.inspector_narrow);
    Wants {
        filter: &state.filter,
        sort: state.table.sort.as_ref(),
        chart,
        needs: stage.needs,
        thresholds: state.thresholds,
        method: state.review.method,
        neighbours_of: state.review.current.filter(|_| state.view == View::Label),
        likely_of: state.selection.cursor.filter(|_| inspected),
        augment: &state.augment,
        balance: &state.balance,
    }
}

impl App {
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
            self.go_on_in_queue();
        }
        self.follow_pictures();
        self.go_on_in_queue();
    }

    fn tell(&mut self, ctx: &Context, news: News) {
        match news {
            News::Opened(opened) => self.opened(ctx, *opened),
            News::NotOpened(path, why) => {
                // Asked before it is passed: whoever trusts the file says so.
                let trusted =
                    why.contains("--max-memory").then(|| ("Open it all the same".to_owned(), Action::OpenTrusted(path)));
                self.notice(ctx, why, true, trusted);
            }
            News::Visible { other_filter } => self.settle_cursor(other_filter),
            News::Judged { anew } => self.judged(anew),
            News::Drafted => self.gallery.preview = self.session.drafted().map(|drafted| shown(ctx, drafted)),
            News::Similar(title, ids) => self.found_similar(ctx, title, ids),
            News::Augmented(revision, done, instead) => self.take_augmented(ctx, revision, *done, instead),
            News::Balanced(revision, done) => self.take_balanced(ctx, revision, *done),
            News::Tried(form, list) => self.take_tried(&form, &list),
            News::Saved(words) => words.into_iter().for_each(|words| self.say(ctx, words)),
            News::Failed(_, why) => self.complain(ctx, why),
        }
    }

    /// Stops what is known by `key`.
    pub(super) fn stop(&mut self, ctx: &Context, key: &str) {
        self.session.stop(key);
        if key == "visible" {
            // What is shown is what was asked for before.
            let (filter, sort) = self.session.shown_filter();
            (self.state.filter, self.state.table.sort) = (filter, sort);
        }
        self.say(ctx, "Stopped");
    }

    /// Keeps the cursor on its sample. Where another filter took that away there is no cursor: the next key must not act on a
    /// sample that nobody chose. Where an edit took it out of the filter, the cursor is on what stands in its place.
    fn settle_cursor(&mut self, other_filter: bool) {
        // In the queue the cursor is on the sample under review, wherever the filter leaves it.
        if self.state.view == View::Label {
            return;
        }
        let (selection, visible) = (&mut self.state.selection, self.session.visible());
        let Some(id) = selection.cursor else { return };
        let place = match visible.place(id, selection.place) {
            Some(place) => {
                self.state.table.follow |= place != selection.place;
                place
            }
            None if other_filter => {
                *selection = Selection::default();
                return;
            }
            None => {
                let place = selection.place.min(visible.len().saturating_sub(1));
                selection.cursor = visible.get(place);
                place
            }
        };
        (selection.place, selection.anchor) = (place, place);
    }

    fn found_similar(&mut self, ctx: &Context, title: String, ids: Vec<SampleId>) {
        if ids.is_empty() {
            return self.say(ctx, "Nothing like it was found: the embedding knows nothing of it");
        }
        // One search at a time: a second replaces the first.
        self.state.filter.clauses.retain(|clause| !matches!(clause.rule, Rule::Ranked { .. }));
        self.state.table.sort = None;
        let samples: SampleSet = ids.iter().copied().collect();
        self.state.toggle_clause(Rule::Ranked { title, samples: samples.into(), order: ids.into() }.into());
        self.state.view = View::Explore;
    }

    fn is_stale(&mut self, ctx: &Context, revision: u64) -> bool {
        let stale = self.session.workspace().is_none_or(|workspace| workspace.revision() != revision);
        if stale {
            self.complain(ctx, "The dataset was edited meanwhile, and nothing was added: add once more");
        }
        stale
    }

    fn take_augmented(&mut self, ctx: &Context, revision: u64, done: Augmented, instead: Option<usize>) {
        if self.is_stale(ctx, revision) {
            return;
        }
        if done.edit.is_none() {
            return self.say(ctx, "Nothing was added: every draw leaves its sample as it is, or is too risky");
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
            self.say(ctx, format!("Left out: {}", left.join(", ")));
        }
    }

    fn take_balanced(&mut self, ctx: &Context, revision: u64, done: Balanced) {
        if self.is_stale(ctx, revision) {
            return;
        }
        let Some(edit) = done.edit else {
            return self.say(ctx, "There is nothing to do: every class has what it should");
        };
        self.edit(ctx, true, |_| Ok(Some(edit)));
        done.notes.into_iter().for_each(|text| self.say(ctx, text));
        if done.short > 0 {
            let what = "could not be made: the pipeline leaves them as they are, or is too risky";
            self.say(ctx, format!("{} {what}", count_samples(done.short as usize)));
        }
    }

    /// Takes in what rules are worth. The best is asked for where nobody has asked for another meanwhile; where none is better, rows stay as
    /// they are.
    fn take_tried(&mut self, form: &BalanceForm, list: &[Tried]) {
        if self.state.balance == *form {
            match list.first() {
                Some(best) if best.gain.0 > 0.0 => self.state.balance.choose(best),
                Some(_) => self.state.balance.rule = WEIGHTS,
                None => {}
            }
        }
    }
}
