//! The eframe glue: the app is a session and a screen, and carries out actions.

mod cells;
mod collecting;
mod dialogs;
mod dispatch;
mod keys;
mod monitoring;
mod news;
mod notices;
mod opening;
mod parts;
mod pictures;
mod pipelines;
mod queue;
mod settings;
mod training;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

pub use dialogs::{Answer, Asked, Dialogs, Scripted, System};
pub use settings::{Folders, SAMPLES, Settings};

use crate::action::{Action, CollectAction};
use crate::edit::{Edit, EditId};
use crate::io;
use crate::session::{Session, Workspace};
use crate::ui::commands::set_own_keys;
use crate::ui::{self, Bundle, Notice, Theme, UiState, fonts};
use notices::Notices;
use pictures::Gallery;

/// What the window begins with.
pub enum Begin {
    /// The bundled sample.
    Sample,
    /// What was open before, to choose from; the bundled sample where nothing was.
    Usual,
    /// The start screen.
    Start,
    /// A file.
    File(PathBuf),
}

/// The whole program behind the window: a session and a screen.
pub struct App {
    session: Session,
    state: UiState,
    gallery: Gallery,
    theme: Theme,
    notices: Notices,
    settings: Settings,
    folders: Folders,
    dialogs: Box<dyn Dialogs>,
    /// What a dialog is open for.
    pending: Option<Asked>,
    /// The edit that History shows whole.
    shown_edit: Option<(EditId, Edit)>,
    actions: Vec<Action>,
    window: Window,
}

/// The life of the window.
#[derive(Default)]
struct Window {
    /// The theme that was applied: whether it is the dark one.
    applied: Option<bool>,
    quit: bool,
    /// Whether it closes as soon as the save under way has stopped.
    closing: bool,
    /// Frames drawn so far, up to some.
    drawn: u32,
    /// The size and time of the file that is open, as they were when that was last looked at.
    stamp: Option<(u64, u128)>,
    /// Frames after which it closes by itself: for measuring how long a start takes.
    frames_left: Option<u64>,
}

/// A window that was drawn so often is there.
const SETTLED: u32 = 4;
/// Names the number of frames after which the window closes by itself.
const FRAMES: &str = "LAPIDARY_FRAMES";

impl App {
    /// The app on a fresh egui context.
    pub fn new(ctx: &egui::Context, begin: Begin, folders: Folders, dialogs: Box<dyn Dialogs>) -> Self {
        fonts::install(ctx);
        let (settings, trouble) = Settings::load(&folders);
        // A start that died by what was arranged must not die by it for ever.
        let died = settings::begin_start(&folders);
        let settings = if died { settings.plain() } else { settings };
        settings.connections.iter().for_each(|line| crate::io::allow_connection(line));
        let context = ctx.clone();
        let waker: Arc<dyn Fn() + Send + Sync> = Arc::new(move || context.request_repaint());
        let mut state = UiState {
            dark: settings.dark,
            inspector: settings.inspector,
            inspector_width: settings.inspector_width,
            ..UiState::default()
        };
        state.table.lines = settings.lines.clamp(1, 8);
        if settings.zoom > 0.0 {
            ctx.set_zoom_factor(settings.zoom.clamp(0.5, 3.0));
        }
        let mut app = Self {
            session: Session::new(waker, folders.cache.join("pictures.db")),
            gallery: Gallery::default(),
            theme: Theme::new(state.dark),
            state,
            notices: Notices::default(),
            settings,
            folders,
            dialogs,
            pending: None,
            shown_edit: None,
            actions: Vec::new(),
            window: Window {
                frames_left: std::env::var(FRAMES).ok().and_then(|frames| frames.parse().ok()),
                ..Window::default()
            },
        };
        set_own_keys(&app.settings.keys);
        app.shelf().set_text_models();
        trouble.into_iter().for_each(|text| app.notices.begin_with(text, true));
        if died {
            let text = "The last start ended before its window was there: it begins with the usual size and tables".to_owned();
            app.notices.begin_with(text, false);
        }
        let own = |path: &PathBuf| path.exists() && !path.starts_with(app.folders.samples());
        let begin = match begin {
            Begin::Usual if app.settings.recent.iter().any(own) => Begin::Start,
            Begin::Usual => Begin::Sample,
            other => other,
        };
        match begin {
            Begin::Sample => app.actions.push(Action::OpenSample(0)),
            Begin::File(path) => app.actions.push(Action::Open(path)),
            Begin::Start | Begin::Usual => {}
        }
        app
    }

    /// What is open.
    pub fn workspace(&self) -> Option<&Workspace> {
        self.session.workspace()
    }

    /// Everything that is open and worked out: for tests.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The preview that Augment shows: for tests.
    pub fn preview(&self) -> Option<&ui::making::Preview> {
        self.gallery.preview.as_ref()
    }

    /// The screen's state: for tests and pictures.
    pub fn state_mut(&mut self) -> &mut UiState {
        &mut self.state
    }

    /// Whether jobs run or results are still to be worked out.
    pub fn is_busy(&self) -> bool {
        let asking = self.pending.is_some() && self.state.popup.is_none();
        self.gallery.is_fetching()
            || self.session.is_busy(self.state.view == ui::View::Augment)
            || !self.actions.is_empty()
            || asking
    }

    /// Pushes an action, as a view would.
    pub fn push(&mut self, action: Action) {
        self.actions.push(action);
    }

    /// What the app has said and still shows.
    pub fn notices(&self) -> &[Notice] {
        self.notices.list()
    }

    /// Where the window is to be closed while something is saved: asks first, and then waits until the save has put away what it began.
    fn close_or_ask(&mut self, ctx: &egui::Context) {
        let asked = ctx.input(|input| input.viewport().close_requested()) || self.window.quit;
        if asked && self.state.unsaved() > 0 {
            ctx.send_viewport_cmd(egui::ViewportCommand::CancelClose);
            self.window.quit = false;
            if self.state.popup != Some(ui::Popup::Confirm) {
                self.actions.push(Action::Quit);
            }
            return;
        }
        if !asked || !self.session.is_saving() {
            self.window.quit |= self.window.closing && !self.session.is_saving();
            return;
        }
        ctx.send_viewport_cmd(egui::ViewportCommand::CancelClose);
        self.window.quit = false;
        if !self.window.closing && self.state.popup != Some(ui::Popup::Confirm) {
            self.state.pop(ui::Popup::Confirm);
            self.state.confirm = Some(("Stop saving and quit".to_owned(), Action::QuitNow));
        }
    }

    /// Says so where the file that is open has changed since, once the window is looked at again.
    fn look_at_file(&mut self, ctx: &egui::Context) {
        let focused = ctx.input(|input| input.events.iter().any(|event| matches!(event, egui::Event::WindowFocused(true))));
        let Some(workspace) = self.session.workspace().filter(|_| focused) else { return };
        let path = workspace.dataset().base.origin.path.clone();
        self.session.look_for_logs();
        let Some(workspace) = self.session.workspace() else { return };
        let now = io::dataset_stamp(&workspace.dataset().base);
        if self.window.stamp.is_some() && now != self.window.stamp {
            self.window.stamp = now;
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let (text, remedy) = if now.is_none() {
                (format!("{name} is not there any more. What is open is as it was; your edits are kept"), None)
            } else {
                // Whoever has edits sees what they meet before anything is taken over.
                let remedy = if workspace.history().nodes().is_empty() {
                    ("Open it as it is now", Action::Open(path))
                } else {
                    ("See what changed", Action::Collect(CollectAction::CompareChanged))
                };
                (format!("{name} has changed on the disk since it was opened"), Some((remedy.0.to_owned(), remedy.1)))
            };
            self.notices.tell(ctx, text, true, remedy);
        }
    }

    /// Reads the edit that History shows, once.
    fn read_shown_edit(&mut self) {
        // Whoever comes back is where the data are now.
        if self.state.view != ui::View::History {
            self.state.history_at = None;
        }
        let Some(at) = self.state.history_at else { return };
        if self.shown_edit.as_ref().is_none_or(|(known, _)| *known != at) {
            self.shown_edit = self.session.workspace().and_then(|workspace| workspace.edit_at(at).ok()).map(|edit| (at, edit));
        }
    }

    fn apply_theme(&mut self, ctx: &egui::Context) {
        if self.window.applied != Some(self.state.dark) {
            self.theme = Theme::new(self.state.dark);
            self.theme.apply(ctx);
            self.window.applied = Some(self.state.dark);
        }
    }

    /// Keeps what the user arranged, once nothing is being dragged.
    fn remember(&mut self, ctx: &egui::Context) {
        if ctx.input(|input| input.pointer.any_down()) {
            return;
        }
        let size =
            ctx.input(|input| input.viewport().inner_rect).map_or(self.settings.window, |rect| [rect.width(), rect.height()]);
        let kept = &mut self.settings;
        let now =
            (self.state.dark, self.state.inspector, self.state.table.lines, ctx.zoom_factor(), size, self.state.inspector_width);
        let known = (kept.dark, kept.inspector, kept.lines, kept.zoom, kept.window, kept.inspector_width);
        let mut news = now != known;
        (kept.dark, kept.inspector, kept.lines, kept.zoom, kept.window, kept.inspector_width) = now;
        if let Some(workspace) = self.session.workspace().filter(|_| self.state.table.arranged) {
            news |= kept.leave_table(&workspace.dataset().base.origin.path, &self.state.table.columns);
        }
        if news {
            // Settings that cannot be kept are not worth a word every time they change.
            let _ = self.settings.save(&self.folders);
        }
    }
}

impl eframe::App for App {
    /// At some zooms a pixel between two panels stays unpainted: it is a line then, like the others.
    fn clear_color(&self, _: &egui::Visuals) -> [f32; 4] {
        self.theme.line.to_normalized_gamma_f32()
    }

    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        self.work(ctx);
        self.gallery.take(ctx);
        self.take_answers(ctx);
        self.close_or_ask(ctx);
        self.look_at_file(ctx);
        let dropped: Vec<PathBuf> =
            ctx.input(|input| input.raw.dropped_files.iter().map(|file| file.path().to_owned()).collect());
        let first = dropped.first().cloned();
        let dropped = collecting::dropped(self, dropped).or_else(|| first.map(|path| monitoring::dropped(self, path)));
        self.actions.extend(dropped);
        self.carry_out(ctx);
        self.notices.forget_old(ctx, self.state.on_notice);
        self.remember(ctx);
        if let Some(left) = &mut self.window.frames_left {
            self.window.quit |= *left == 0;
            *left = left.saturating_sub(1);
            ctx.request_repaint();
        }
        if self.window.quit && !self.session.is_saving() {
            ctx.send_viewport_cmd(egui::ViewportCommand::Close);
        }
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        let ctx = ui.ctx().clone();
        if self.window.drawn < SETTLED {
            self.window.drawn += 1;
            if self.window.drawn == SETTLED {
                settings::end_start(&self.folders);
            } else {
                ctx.request_repaint();
            }
        }
        self.apply_theme(&ctx);
        let mut commands = self.hands().pressed(&ctx);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
        self.read_shown_edit();
        let bundle = Bundle {
            session: &self.session,
            workspace: self.session.workspace(),
            pictures: &self.gallery.shown,
            drafted: self.gallery.preview.as_ref(),
            disk: self.session.cache().bytes(),
            theme: &self.theme,
            running: self.session.running(),
            notices: self.notices.list(),
            recent: &self.settings.recent,
            pipelines: &self.settings.pipelines,
            text_models: &self.settings.text_models,
            answers: self.session.asking().models().answers(),
            samples: &SAMPLES.map(|sample| (sample.name, sample.what)),
            sample: self.session.workspace().and_then(|open| self.folders.bundled(&open.dataset().base.origin.path)),
            shown_edit: self.shown_edit.as_ref(),
            now,
        };
        ui::draw(ui, &mut self.state, &bundle, &mut self.actions, &mut commands);
        self.gallery.want();
        for command in commands {
            self.hands().command(&ctx, command);
        }
        if !self.actions.is_empty() {
            // Carried out at once, so that what a key did is on disk and on screen at the next frame.
            self.carry_out(&ctx);
            ctx.request_repaint();
        }
        self.work(&ctx);
    }
}

/// Opens the window and runs until it is closed.
///
/// # Errors
/// Why there is no window, and what to do.
pub fn run(begin: Begin) -> Result<(), String> {
    let folders = Folders::of_user();
    let size = Settings::load(&folders).0.window.map(|side| side.clamp(400.0, 8_000.0));
    let options = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default()
            .with_title("Lapidary")
            .with_app_id("lapidary")
            .with_inner_size(size)
            .with_min_inner_size([720.0, 480.0])
            .with_drag_and_drop(true),
        ..eframe::NativeOptions::default()
    };
    let create =
        |creation: &eframe::CreationContext<'_>| -> Result<Box<dyn eframe::App>, Box<dyn std::error::Error + Send + Sync>> {
            Ok(Box::new(App::new(&creation.egui_ctx, begin, folders, Box::new(System::default()))))
        };
    eframe::run_native("lapidary", options, Box::new(create)).map_err(|error| {
        format!("no window could be opened ({error}). Lapidary draws with OpenGL: a desktop, or Mesa's software renderer, is needed. `lapidary -h` lists what works without a window")
    })
}
