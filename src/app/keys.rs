//! Keys to commands, and what each command does to the screen or asks of the app.

use egui::{Context, Key};

use super::collecting;
use super::notices::Notices;
use super::queue::Queue;
use crate::action::{Action, CollectAction};
use crate::data::{Role, SampleId, SampleSet};
use crate::operate::{self, Operation};
use crate::session::{Session, Sought};
use crate::ui::{Command, EditorAt, MANY_AT_ONCE, Offered, Popup, UiState, View, count_samples, stage, swap};

const DIGITS: [Key; 10] =
    [Key::Num0, Key::Num1, Key::Num2, Key::Num3, Key::Num4, Key::Num5, Key::Num6, Key::Num7, Key::Num8, Key::Num9];

/// Whatever keys and commands act on.
pub(super) struct Hands<'h> {
    pub(super) session: &'h mut Session,
    pub(super) state: &'h mut UiState,
    pub(super) notices: &'h mut Notices,
    pub(super) actions: &'h mut Vec<Action>,
}

impl Hands<'_> {
    fn queue(&mut self) -> Queue<'_> {
        Queue { state: self.state, session: self.session }
    }

    /// The commands whose keys were pressed. Plain keys act only while nothing has the keyboard.
    pub(super) fn pressed(&mut self, ctx: &Context) -> Vec<Command> {
        let free =
            ctx.memory(|memory| memory.focused().is_none()) && self.state.popup.is_none() && !egui::Popup::is_any_open(ctx);
        let mut commands = Vec::new();
        // The longest first: Ctrl Shift Z is not Ctrl Z.
        let mut keys: Vec<_> =
            Command::all().into_iter().flat_map(|command| command.keys().into_iter().map(move |key| (key, command))).collect();
        keys.sort_by_key(|(key, _)| {
            std::cmp::Reverse(u8::from(key.modifiers.shift) + u8::from(key.modifiers.command) + u8::from(key.modifiers.alt))
        });
        // In the gallery the arrows go where they point.
        let rows = if self.is_gallery() && free { self.state.gallery.columns as i64 } else { 0 };
        let (mut steps, mut longer) = (0, 0);
        ctx.input_mut(|input| {
            // The window says that something is to be copied, and not which keys were pressed.
            if free && input.events.iter().any(|event| matches!(event, egui::Event::Copy)) {
                commands.push(Command::Copy);
            }
            if free && self.state.view == View::Explore {
                for (key, by) in [(Key::J, 1), (Key::ArrowDown, 1), (Key::K, -1), (Key::ArrowUp, -1)] {
                    longer += by * input.count_and_consume_key(egui::Modifiers::SHIFT, key) as i64;
                }
            }
            let arrows = [(Key::ArrowLeft, -1), (Key::ArrowRight, 1), (Key::ArrowUp, -rows), (Key::ArrowDown, rows)];
            let pointing = rows > 0 && !input.modifiers.alt;
            for (key, by) in arrows.into_iter().filter(|_| pointing) {
                steps += by * input.count_and_consume_key(egui::Modifiers::NONE, key) as i64;
            }
            for (key, command) in keys {
                let plain = !key.modifiers.command && command != Command::CheatSheet;
                let writes = matches!(command, Command::SelectAll | Command::Undo | Command::Redo);
                if (plain || writes) && !free {
                    continue;
                }
                // A shifted letter is a letter being typed, not a command.
                if plain && input.modifiers.shift {
                    continue;
                }
                let times = input.count_and_consume_key(key.modifiers, key.logical_key);
                commands.extend(std::iter::repeat_n(command, times));
            }
            if free && !input.modifiers.any() {
                for (digit, key) in DIGITS.iter().enumerate() {
                    if input.key_pressed(*key) {
                        let action = self.give_class(digit);
                        self.actions.extend(action.map(Self::asked_first));
                    }
                }
            }
        });
        if steps != 0 {
            self.step(steps);
        }
        if longer != 0 {
            let place = (self.state.selection.place as i64 + longer).max(0) as usize;
            self.state.selection.extend(self.session.visible(), place);
            self.state.table.follow = true;
        }
        commands
    }

    fn give_class(&self, digit: usize) -> Option<Action> {
        if collecting::is_comparing(self.state, self.session) {
            return collecting::digit(digit);
        }
        let shown = match self.shown_samples() {
            Ok(shown) => shown,
            Err(hint) => return Some(Action::Notice(hint)),
        };
        if self.is_reviewing() {
            return self.give_candidate(digit);
        }
        let workspace = self.session.workspace()?;
        let dataset = workspace.dataset();
        let column = dataset.fields()[dataset.with_role(Role::is_label)?].name.to_string();
        // Of one sample, the keys are those that stand beside it; of several, each class has its own.
        let of_one = Some(&self.state.offered).filter(|offered| shown.len() == 1 && offered.of == shown.first().copied());
        let text = match of_one {
            Some(offered) => offered.keys.iter().find(|(key, _)| *key == digit)?.1.clone(),
            None => Offered::digits(workspace, &column, std::iter::empty()).into_iter().find(|(key, _)| *key == digit)?.1,
        };
        (!shown.is_empty()).then_some(Action::Do(Operation::SetCells { samples: shown, column, text, review: false }))
    }

    /// The samples that a key acts on: those that are drawn, and no others.
    ///
    /// # Errors
    /// What to say where none are.
    fn shown_samples(&self) -> Result<Vec<SampleId>, String> {
        (stage(self.state.view).acts_on)(self.state, self.session)
    }

    /// In the queue, a number is one of the likeliest classes.
    fn give_candidate(&self, digit: usize) -> Option<Action> {
        let report = self.session.labels()?;
        let current = self.state.review.current?;
        // What was drawn counts, whatever has been worked out since.
        let offered = Some(&self.state.offered).filter(|offered| offered.of == Some(current))?;
        let cell = offered.keys.iter().find(|(key, _)| *key == digit)?.1.clone();
        if report.many {
            return Some(Action::Do(Operation::Accept { list: vec![(current, cell)], column: report.column.clone() }));
        }
        Some(Action::Do(Operation::SetCells { samples: vec![current], column: report.column.clone(), text: cell, review: false }))
    }

    /// Whether samples, or differences, are walked through one by one on screen.
    fn is_walked(&self) -> bool {
        self.state.view == View::Explore || collecting::is_comparing(self.state, self.session)
    }

    /// Carries out a command.
    pub(super) fn command(&mut self, ctx: &Context, command: Command) {
        if command.needs_dataset() && self.session.workspace().is_none() {
            return;
        }
        match command {
            Command::Open => self.actions.push(Action::OpenDialog),
            Command::OpenFolder => self.actions.push(Action::OpenFolderDialog),
            Command::Close => self.actions.push(Action::Close),
            Command::Palette => self.state.pop(Popup::Palette),
            Command::Search => self.state.pop(Popup::Filter),
            Command::KeepFilter if self.state.filter.is_empty() => self.notices.say(ctx, "There is no filter to keep"),
            Command::KeepFilter => self.state.pop(Popup::KeepFilter),
            Command::FilterBack | Command::FilterForward => self.walk_filters(ctx, command == Command::FilterBack),
            Command::CheatSheet => self.state.pop(Popup::Keys),
            Command::Next if self.is_reviewing() => self.queue().pass_over(),
            Command::Previous if self.is_reviewing() => self.queue().back(),
            Command::Next if self.state.view == View::Augment => self.state.augment.page += 1,
            Command::Previous if self.state.view == View::Augment => {
                self.state.augment.page = self.state.augment.page.saturating_sub(1);
            }
            Command::Next if self.state.view == View::Export => self.state.export.step(self.session, 1),
            Command::Previous if self.state.view == View::Export => self.state.export.step(self.session, -1),
            // Nothing moves that is not seen.
            Command::Next if self.is_walked() => self.step(1),
            Command::Previous if self.is_walked() => self.step(-1),
            Command::Accept if self.is_reviewing() && self.state.review.preview => {
                let action = self.queue().accept_all();
                self.actions.extend(action);
            }
            Command::Accept if self.is_reviewing() => {
                let action = self.queue().accept();
                self.actions.extend(action);
            }
            Command::Next | Command::Previous if self.state.view == View::Clean => {
                if let Some(workspace) = self.session.workspace() {
                    self.state.clean.step(workspace.findings(), if command == Command::Next { 1 } else { -1 });
                }
            }
            Command::Accept if matches!(self.state.view, View::Explore | View::Clean) => self.open_sample(ctx),
            Command::Accept | Command::Next | Command::Previous => {}
            Command::FindSimilar => self.find_similar(ctx),
            Command::SelectAll => self.select_all(),
            Command::ClearSelection => self.clear(),
            Command::PickClass => self.with_selection(ctx, |hands, _| hands.state.pop(Popup::Class)),
            Command::Tag => self.with_selection(ctx, |hands, _| hands.state.pop(Popup::Tag)),
            Command::Review => self.with_selection(ctx, Self::review),
            Command::Exclude => self.with_selection(ctx, Self::exclude),
            Command::EditCell => self.work_on(ctx, EditorAt::First),
            Command::Note => self.work_on(ctx, EditorAt::Note),
            Command::Swap => self.with_selection(ctx, Self::swap_pair),
            Command::RenameClass => self.rename_class(ctx),
            Command::Classes => self.show_classes(ctx),
            Command::Facets => {
                self.state.facets = self.state.view != View::Explore || !self.state.facets;
                self.state.view = View::Explore;
            }
            Command::Copy => {
                self.with_selection(ctx, |hands, samples| hands.actions.push(Action::Copy { samples, column: None }));
            }
            Command::Replace => self.find_and_replace(ctx),
            Command::NewColumn => self.state.pop(Popup::Column),
            Command::AddDatabase => self.actions.push(Action::Collect(CollectAction::NameDatabase)),
            Command::Undo => self.actions.push(Action::Undo),
            Command::Redo => self.actions.push(Action::Redo),
            Command::Show(View::Label) => self.queue().show(),
            Command::Show(view) => self.state.view = view,
            Command::ToggleInspector if self.state.narrow => self.state.inspector_narrow = !self.state.inspector_narrow,
            Command::ToggleInspector => self.state.inspector = !self.state.inspector,
            Command::ToggleGallery => self.toggle_gallery(ctx),
            Command::RowHeight if self.state.view == View::Augment => self.state.augment.draw += 1,
            Command::RowHeight if self.state.view == View::Clean => mend(self, ctx),
            Command::RowHeight if self.is_gallery() => {
                let side = self.state.gallery.side;
                self.state.gallery.side = if side < 120.0 {
                    148.0
                } else if side < 200.0 {
                    260.0
                } else {
                    84.0
                };
                self.state.table.follow = true;
            }
            Command::RowHeight => {
                self.state.table.lines = match self.state.table.lines {
                    0 | 1 => 3,
                    2..=3 => 6,
                    _ => 1,
                };
                self.state.table.follow = true;
            }
            Command::ToggleTheme => self.state.dark = !self.state.dark,
            Command::ZoomIn => ctx.set_zoom_factor((ctx.zoom_factor() + 0.1).min(3.0)),
            Command::ZoomOut => ctx.set_zoom_factor((ctx.zoom_factor() - 0.1).max(0.5)),
            Command::ZoomReset => ctx.set_zoom_factor(1.0),
            Command::Quit => self.actions.push(Action::Quit),
        }
        ctx.request_repaint();
        // Another zoom moves what lies under the pointer: one more frame sets right what was marked there.
        ctx.request_repaint_after(std::time::Duration::from_millis(60));
    }

    fn is_gallery(&self) -> bool {
        let pictures = self.session.workspace().is_some_and(|workspace| workspace.dataset().pictures().is_some());
        pictures && self.state.gallery.on && self.state.view == View::Explore
    }

    fn toggle_gallery(&mut self, ctx: &Context) {
        if self.session.workspace().is_some_and(|workspace| workspace.dataset().pictures().is_some()) {
            self.state.gallery.on = self.state.view != View::Explore || !self.state.gallery.on;
            self.state.view = View::Explore;
            self.state.table.follow = true;
        } else {
            self.notices.say(ctx, "There are no images: a column with the role image holds their paths");
        }
    }

    fn is_reviewing(&self) -> bool {
        self.state.view == View::Label
    }

    fn step(&mut self, by: i64) {
        if collecting::is_comparing(self.state, self.session) {
            return collecting::step(self.state, self.session, by);
        }
        if self.session.visible().is_empty() {
            return;
        }
        let place = match self.state.selection.cursor {
            None => 0,
            // A row beyond the last is no move: the cursor does not jump to the end.
            Some(_) if by.abs() > 1 && self.state.selection.place as i64 + by >= self.session.visible().len() as i64 => {
                self.state.selection.place
            }
            Some(_) if by < -1 && (self.state.selection.place as i64) < -by => self.state.selection.place,
            Some(_) => (self.state.selection.place as i64 + by).max(0) as usize,
        };
        self.state.selection.go(self.session.visible(), place);
        self.state.table.follow = true;
    }

    fn select_all(&mut self) {
        // One sample at a time is decided on in the queue.
        if self.state.view != View::Explore {
            return;
        }
        self.state.selection.chosen = self.session.visible().iter().collect();
        if self.state.selection.cursor.is_none() {
            self.state.selection.cursor = self.session.visible().get(0);
        }
    }

    /// Shows the filter before this one, or after it.
    fn walk_filters(&mut self, ctx: &Context, back: bool) {
        match self.state.trail.walk(back) {
            Some(filter) => self.state.set_filter(filter),
            None if back => self.notices.say(ctx, "There was no filter before"),
            None => self.notices.say(ctx, "There is no filter after this one"),
        }
    }

    /// Makes the sample under the cursor the middle of the window.
    fn open_sample(&mut self, ctx: &Context) {
        self.choose_one();
        match self.state.selection.cursor {
            Some(_) => self.state.pane.open_in = Some(self.state.view),
            None => self.notices.say(ctx, "Choose a sample first: click a row, or press J"),
        }
    }

    /// Opens the book of classes, or closes it.
    fn show_classes(&mut self, ctx: &Context) {
        if self.state.view == View::Explore && self.state.class_book.column.take().is_some() {
            return;
        }
        let Some(dataset) = self.session.workspace().map(|workspace| workspace.dataset()) else { return };
        let charted = dataset.field(&self.state.chart.column).filter(|field| dataset.fields()[*field].role.is_label());
        match charted.or_else(|| dataset.with_role(Role::is_label)) {
            Some(field) => {
                self.state.class_book.open(dataset.fields()[field].name.to_string());
                self.state.view = View::Explore;
                self.state.pane.open_in = None;
            }
            None => self.notices.say(ctx, "There are no classes: a column with the role label holds them"),
        }
    }

    /// Where nothing is chosen, the first is.
    fn choose_one(&mut self) {
        if self.state.view == View::Clean {
            if let Some(workspace) = self.session.workspace() {
                if self.state.clean.at().is_none() {
                    self.state.clean.step(workspace.findings(), 0);
                }
                self.state.show_finding(workspace.findings(), self.session.visible());
            }
        } else if self.state.selection.cursor.is_none() {
            self.step(0);
        }
    }

    /// Opens an editor of the sample under the cursor, or under review.
    fn work_on(&mut self, ctx: &Context, wanted: EditorAt) {
        let shown = match self.shown_samples() {
            Ok(shown) if self.is_reviewing() => !shown.is_empty(),
            Ok(_) if matches!(self.state.view, View::Explore | View::Clean) => self.state.selection.cursor.is_some(),
            Ok(_) => return self.notices.say(ctx, "A sample is edited in Explore, Clean and Label"),
            Err(hint) => return self.notices.say(ctx, hint),
        };
        if !shown {
            return self.notices.say(ctx, "Choose a sample first: click a row, or press J");
        }
        self.state.pane.open_in = Some(self.state.view);
        self.state.pane.wanted = Some(wanted);
    }

    fn find_and_replace(&mut self, ctx: &Context) {
        match self.session.workspace() {
            Some(workspace) if self.state.view == View::Explore => {
                self.state.replace.begin(workspace.dataset());
                self.state.pop(Popup::Replace);
            }
            _ => self.notices.say(ctx, "Find and replace works on the samples that Explore shows: go there first"),
        }
    }

    fn swap_pair(&mut self, samples: Vec<SampleId>) {
        let operation = self.session.workspace().and_then(|workspace| swap(workspace.dataset(), samples));
        match operation {
            Some(operation) => {
                let action = Self::asked_first(Action::Do(operation));
                self.actions.push(action);
            }
            None => self.actions.push(Action::Notice("There is no pair: columns called chosen and rejected are one".to_owned())),
        }
    }

    fn clear(&mut self) {
        // The editor first, then what it stands in.
        if self.state.pane.at.is_some() {
            return self.state.pane.leave();
        }
        if self.state.pane.is_open(self.state.view) {
            self.state.pane.open_in = None;
            self.state.table.follow = true;
            return;
        }
        if self.state.view == View::Explore && self.state.class_book.column.take().is_some() {
            return;
        }
        // What was typed to find a class is let go of before anything that it led to.
        if self.state.view == View::Explore && !std::mem::take(&mut self.state.chart.search).is_empty() {
            return;
        }
        if self.state.view != View::Explore && !self.state.selection.chosen.is_empty() {
            // A selection that is not seen is let go of together with the filter that is.
            self.state.selection.chosen = SampleSet::default();
        }
        if self.state.selection.chosen.is_empty() {
            self.state.filter.clauses.clear();
        } else {
            self.state.selection.chosen = SampleSet::default();
        }
    }

    fn with_selection(&mut self, ctx: &Context, act: impl FnOnce(&mut Self, Vec<SampleId>)) {
        match self.shown_samples() {
            Ok(samples) if samples.is_empty() => self.notices.say(ctx, "Choose a sample first: click a row, or press J"),
            Ok(samples) => act(self, samples),
            Err(hint) => self.notices.say(ctx, hint),
        }
    }

    fn review(&mut self, samples: Vec<SampleId>) {
        let Some(workspace) = self.session.workspace() else { return };
        let on = self.is_reviewing() || samples.iter().any(|id| !workspace.dataset().is_reviewed(*id));
        let one = samples.len() == 1;
        let action = Self::asked_first(Action::Do(Operation::Review { samples, on }));
        self.actions.push(action);
        // Keeping a sample as it is means going on to the next.
        if on && one && self.state.view == View::Explore {
            self.step(1);
        }
    }

    fn exclude(&mut self, samples: Vec<SampleId>) {
        let Some(workspace) = self.session.workspace() else { return };
        let on = self.is_reviewing() || samples.iter().any(|id| !workspace.dataset().is_excluded(*id));
        let action = Self::asked_first(Action::Do(Operation::Exclude { samples, on }));
        self.actions.push(action);
    }

    /// The action of a key, or, where it would touch very many samples, a question first.
    fn asked_first(action: Action) -> Action {
        let (words, n) = match &action {
            Action::Do(Operation::SetCells { samples, text, .. }) => {
                (format!("Set {} to {text}", count_samples(samples.len())), samples.len())
            }
            Action::Do(Operation::Swap { samples, .. }) => {
                (format!("Change the pairs of {} about", count_samples(samples.len())), samples.len())
            }
            Action::Do(Operation::Exclude { samples, on }) => {
                let verb = if *on { "Exclude" } else { "Restore" };
                (format!("{verb} {}", count_samples(samples.len())), samples.len())
            }
            Action::Do(Operation::Review { samples, on }) => {
                let as_what = if *on { "reviewed" } else { "not reviewed" };
                (format!("Mark {} {as_what}", count_samples(samples.len())), samples.len())
            }
            _ => (String::new(), 0),
        };
        if n > MANY_AT_ONCE { Action::AskFirst { words, action: Box::new(action) } } else { action }
    }

    fn rename_class(&mut self, ctx: &Context) {
        if let Err(hint) = self.shown_samples() {
            return self.notices.say(ctx, hint);
        }
        let found = self.session.workspace().and_then(|workspace| {
            let dataset = workspace.dataset();
            let field = dataset.with_role(Role::is_label)?;
            let column = dataset.fields()[field].name.to_string();
            let class = *workspace.classes(&column)?.of(self.state.selection.cursor?).first()?;
            let from = workspace.classes(&column)?.names()[class as usize].to_string();
            Some(Popup::Rename { column, from })
        });
        match found {
            Some(popup) => self.state.pop(popup),
            None => self
                .notices
                .say(ctx, "Choose a sample of the class to rename first; a column with the role label holds the classes"),
        }
    }

    /// Shows the samples most like the one under the cursor.
    fn find_similar(&mut self, ctx: &Context) {
        match self.state.selection.cursor {
            Some(id) => self.session.search(Sought::Like(id)),
            None => self.notices.say(ctx, "Choose a sample first: click a row, or press J"),
        }
    }

    /// Shows the samples whose meaning is nearest to some words.
    pub(super) fn find_meaning(&mut self, ctx: &Context, words: &str) {
        if self.session.workspace().is_some_and(|workspace| workspace.dataset().pictures().is_some()) {
            let key = Command::FindSimilar.key_text();
            let why = "Words are looked for in texts, and these samples are images";
            return self.notices.say(ctx, format!("{why}: {key} finds what is like one of them"));
        }
        self.session.search(Sought::Words(words.to_owned()));
    }
}

/// Does what mends the finding that keys act on.
fn mend(hands: &mut Hands<'_>, ctx: &Context) {
    let found = hands.session.workspace().and_then(|workspace| {
        let finding = hands.state.clean.current(workspace.findings())?;
        Some(operate::remedy(finding, workspace.dataset()).map(|(_, operation)| operation))
    });
    match found {
        Some(Some(operation)) => hands.actions.push(Action::Do(operation)),
        Some(None) => hands.notices.say(ctx, "Nothing mends it by itself: X excludes it, E edits it, Space keeps it"),
        None => hands.notices.say(ctx, "Choose a finding: J and K walk"),
    }
}
