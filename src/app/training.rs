//! What Train asks for, and what comes of it.

use egui::Context;

use super::App;
use crate::action::TrainAction;
use crate::operate::{Operation, PredictionsOf};
use crate::train::{Approach, FrozenEncoder, HeadKind, Lesson, Run};
use crate::ui::{TaughtBy, View};

/// Carries out what Train asks for.
pub(super) fn act(app: &mut App, ctx: &Context, action: TrainAction) {
    match action {
        TrainAction::Teach(lessons) => app.session.train(lessons),
        TrainAction::Try(lesson) => app.session.try_lesson(*lesson),
        TrainAction::Grow(lesson) => app.session.grow_lesson(*lesson),
        TrainAction::Judge(lesson) => app.session.judge_lesson(*lesson),
        TrainAction::Finer(label) => app.session.want_finer(&label),
        TrainAction::GiveUp(path) => app.session.give_up_run(&path),
        TrainAction::Rename { id, name } => {
            if let Err(why) = app.session.rename_run(id, &name) {
                app.notices.complain(ctx, why.to_string());
            }
        }
        TrainAction::WritePredictions(id) => {
            let Some(open) = app.session.workspace() else { return };
            let Some(kept) = open.runs().iter().find(|kept| kept.id == id) else { return };
            let at = open.runs().iter().position(|kept| kept.id == id);
            let measured = app.session.measured().zip(at).and_then(|((measured, _), at)| measured.of(at));
            if measured.is_some_and(|found| found.stale) {
                let words = "Its train part has changed since, so another model would be written under its name: use its settings and teach again first";
                return app.notices.complain(ctx, words);
            }
            let into = format!("pred_{}", kept.name.replace([' ', '+'], "_").replace("___", "_"));
            let asked = PredictionsOf { lesson: kept.run.lesson.clone(), into };
            app.operate(ctx, Operation::Predict(Box::new(asked)));
        }
        TrainAction::UseSettings(id) => use_lesson(app, id),
    }
}

/// Fills the form as a run was asked.
fn use_lesson(app: &mut App, id: i64) {
    let Some(kept) = app.session.workspace().and_then(|open| open.runs().iter().find(|kept| kept.id == id)) else { return };
    let lesson = kept.run.lesson.clone();
    let form = &mut app.state.train;
    (form.label, form.text, form.split) = (lesson.label, lesson.text.unwrap_or_default(), lesson.split.unwrap_or_default());
    form.seed = lesson.seed;
    (form.through, form.with, form.uncertain) = (lesson.through.unwrap_or_default(), Vec::new(), false);
    let (encoder, head, balanced) = match lesson.approach {
        Approach::Features { encoder, head, balanced } => {
            form.way = TaughtBy::Features;
            (encoder, head, balanced)
        }
        Approach::Prompt { model, prompt } => {
            (form.way, form.model, form.prompt) = (TaughtBy::Prompt, model, prompt);
            return;
        }
        Approach::Encoder { folder, tune } => {
            (form.way, form.tune) = (TaughtBy::Encoder, tune);
            form.encoder = folder.to_string_lossy().into_owned();
            return;
        }
        Approach::Multitask { folder, tune, tasks, uncertain } => {
            (form.way, form.tune, form.uncertain) = (TaughtBy::Multitask, tune, uncertain);
            form.encoder = folder.to_string_lossy().into_owned();
            // The first decides who is tested.
            form.label = tasks.first().map(|task| task.label.clone()).unwrap_or_default();
            form.with = tasks.into_iter().skip(1).map(|task| (task.label, task.weight)).collect();
            return;
        }
    };
    form.encoder = match encoder {
        FrozenEncoder::BuiltIn => FrozenEncoder::NAMES[0].to_owned(),
        FrozenEncoder::Words => FrozenEncoder::NAMES[1].to_owned(),
        FrozenEncoder::Folder(folder) => folder.to_string_lossy().into_owned(),
    };
    form.head = HeadKind::ALL.iter().position(|known| known.name() == head.name()).unwrap_or(0);
    match head {
        HeadKind::Logistic { c } | HeadKind::Support { c } => form.c = c,
        HeadKind::Neighbours { k } => form.k = k,
        HeadKind::Network { hidden } => form.hidden = hidden,
    }
    form.balanced = balanced;
}

/// Models were taught: they are kept, and the first is shown.
pub(super) fn taught(app: &mut App, ctx: &Context, lesson: &Lesson, runs: Vec<Run>) {
    let (mut first, mut all) = (None, true);
    for run in &runs {
        match app.session.keep_run(run.clone()) {
            Ok(Some(kept)) => first = first.or(Some(kept)),
            Ok(None) => {}
            Err(why) => {
                all = false;
                app.notices.complain(ctx, why.to_string());
            }
        }
    }
    // What was learned so far stays beside the project where a run could not be kept.
    if all {
        app.session.runs_are_kept(lesson, &runs);
    }
    app.session.train_next();
    let Some((at, name)) = first else { return };
    if app.state.view != View::Train {
        app.notices.say(ctx, format!("{name} is taught: Train says how good it is"));
    }
    app.state.train.shown = app.session.workspace().map(|open| open.runs()[at].id);
    app.state.train.slices = None;
}
