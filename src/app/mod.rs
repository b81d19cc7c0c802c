//! The eframe glue: the app owns the workspace, the screen's state and the jobs, and carries out actions.

mod asking;
mod augmenting;
mod balancing;
mod dialogs;
mod dispatch;
mod drafts;
mod keys;
mod labels;
mod making;
mod opening;
mod pictures;
mod settings;
mod work;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crossbeam_channel::{Receiver, Sender, unbounded};

pub use dialogs::{Answer, Asked, Dialogs, Scripted, System};
pub use settings::{Folders, SAMPLES, Settings};

use crate::action::Action;
use crate::data::Dataset;
use crate::edit::{Edit, EditId};
use crate::io::{self, PictureCache};
use crate::job::Jobs;
use crate::ui::pictures::Pictures;
use crate::ui::{self, Bundle, Memo, Notice, Running, Theme, UiState, fonts};
use crate::workspace::Workspace;
use work::{Done, Keys};

/// What the window begins with.
pub enum Begin {
    /// The bundled sample.
    Sample,
    /// The start screen.
    Start,
    /// A file.
    File(PathBuf),
}

/// Seconds that a notice stays. One that says what to do about a trouble stays until that is done.
const NOTICE_SECONDS: f64 = 8.0;

/// The whole program behind the window.
pub struct App {
    workspace: Option<Workspace>,
    state: UiState,
    jobs: Jobs<Done>,
    memo: Memo,
    keys: Keys,
    labels: labels::Labels,
    making: making::MakingKeys,
    asking: asking::Asking,
    pictures: Pictures,
    fetcher: Option<pictures::Fetcher>,
    cache: pictures::Cache,
    /// Asks for another frame, from any thread.
    waker: Arc<dyn Fn() + Send + Sync>,
    theme: Theme,
    applied: Option<bool>,
    notices: Vec<Notice>,
    settings: Settings,
    folders: Folders,
    dialogs: Box<dyn Dialogs>,
    pending: Option<Asked>,
    preview: (Sender<Dataset>, Receiver<Dataset>),
    previewed: Option<Dataset>,
    shown_edit: Option<(EditId, Edit)>,
    actions: Vec<Action>,
    quit: bool,
    /// What is being opened, or was last.
    opening: Option<PathBuf>,
    /// Saves that wait for the one under way.
    saves: VecDeque<(Dataset, work::Save)>,
    /// Whether the window closes as soon as the save under way has stopped.
    closing: bool,
    /// Frames drawn so far, up to some.
    drawn: u32,
    /// The size and time of the file that is open, as they were when that was last looked at.
    stamp: Option<(u64, u128)>,
    /// Frames after which the window closes by itself: for measuring how long a start takes.
    frames_left: Option<u64>,
}

/// Names the number of frames after which the window closes by itself.
/// A window that was drawn so often is there.
const SETTLED: u32 = 4;
const FRAMES: &str = "LAPIDARY_FRAMES";

impl App {
    /// The app on a fresh egui context.
    pub fn new(ctx: &egui::Context, begin: Begin, folders: Folders, dialogs: Box<dyn Dialogs>) -> Self {
        fonts::install(ctx);
        let (settings, trouble) = Settings::load(&folders);
        // A start that died by what was arranged must not die by it for ever.
        let died = settings::begin_start(&folders);
        let settings = if died { settings.plain() } else { settings };
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
            workspace: None,
            theme: Theme::new(state.dark),
            state,
            jobs: Jobs::new(Arc::clone(&waker)),
            memo: Memo::default(),
            keys: Keys::default(),
            labels: labels::Labels::default(),
            making: making::MakingKeys::default(),
            asking: asking::Asking::default(),
            pictures: Pictures::default(),
            fetcher: None,
            cache: pictures::Cache::default(),
            waker,
            applied: None,
            notices: Vec::new(),
            settings,
            folders,
            dialogs,
            pending: None,
            preview: unbounded(),
            previewed: None,
            shown_edit: None,
            actions: Vec::new(),
            quit: false,
            opening: None,
            saves: VecDeque::new(),
            closing: false,
            drawn: 0,
            stamp: None,
            frames_left: std::env::var(FRAMES).ok().and_then(|frames| frames.parse().ok()),
        };
        app.set_text_models();
        app.notices.extend(trouble.map(|text| Notice { text, remedy: None, bad: true, since: 0.0 }));
        if died {
            let text = "The last start ended before its window was there: it begins with the usual size and tables".to_owned();
            app.notices.push(Notice { text, remedy: None, bad: false, since: 0.0 });
        }
        match begin {
            Begin::Sample => app.actions.push(Action::OpenSample(0)),
            Begin::File(path) => app.actions.push(Action::Open(path)),
            Begin::Start => {}
        }
        app
    }

    /// What is open.
    pub fn workspace(&self) -> Option<&Workspace> {
        self.workspace.as_ref()
    }

    /// The screen's state: for tests and pictures.
    pub fn state_mut(&mut self) -> &mut UiState {
        &mut self.state
    }

    /// What jobs have worked out: for tests.
    pub fn memo(&self) -> &Memo {
        &self.memo
    }

    /// Whether jobs run or results are still to be worked out.
    pub fn is_busy(&self) -> bool {
        let asking = self.pending.is_some() && self.state.popup.is_none();
        self.is_fetching()
            || self.asking.is_busy(self.state.view == ui::View::Augment)
            || !self.jobs.running().is_empty()
            || !self.actions.is_empty()
            || self.memo.visible_stale
            || asking
    }

    /// Pushes an action, as a view would.
    pub fn push(&mut self, action: Action) {
        self.actions.push(action);
    }

    /// What the app has said and still shows.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    fn say(&mut self, ctx: &egui::Context, text: impl Into<String>) {
        self.notice(ctx, text.into(), false, None);
    }

    fn complain(&mut self, ctx: &egui::Context, text: impl Into<String>) {
        self.notice(ctx, text.into(), true, None);
    }

    fn notice(&mut self, ctx: &egui::Context, text: String, bad: bool, remedy: Option<(String, Action)>) {
        let since = ctx.input(|input| input.time);
        self.notices.retain(|known| known.text != text);
        self.notices.insert(0, Notice { text, remedy, bad, since });
        self.notices.truncate(2);
        ctx.request_repaint();
    }

    fn forget_old_notices(&mut self, ctx: &egui::Context) {
        let now = ctx.input(|input| input.time);
        if self.state.on_notice {
            self.notices.iter_mut().for_each(|notice| notice.since = now);
        }
        let stays = |notice: &Notice| matches!(&notice.remedy, Some((_, action)) if !matches!(action, Action::Revert(_)));
        self.notices.retain(|notice| stays(notice) || now - notice.since < NOTICE_SECONDS);
        let next = self.notices.iter().filter(|notice| !stays(notice)).map(|notice| NOTICE_SECONDS - (now - notice.since));
        if let Some(seconds) = next.reduce(f64::min) {
            ctx.request_repaint_after(std::time::Duration::from_secs_f64(seconds.max(0.01) + 0.01));
        }
    }

    /// Whether a save runs, waits, or is being stopped.
    fn is_saving(&self) -> bool {
        self.jobs.is_running("export") || self.jobs.is_ending("export") || !self.saves.is_empty()
    }

    /// Where the window is to be closed while something is saved: asks first, and then waits until the save has put away what it began.
    fn close_or_ask(&mut self, ctx: &egui::Context) {
        let asked = ctx.input(|input| input.viewport().close_requested()) || self.quit;
        if !asked || !self.is_saving() {
            self.quit |= self.closing && !self.is_saving();
            return;
        }
        ctx.send_viewport_cmd(egui::ViewportCommand::CancelClose);
        self.quit = false;
        if !self.closing && self.state.popup != Some(ui::Popup::Confirm) {
            self.state.pop(ui::Popup::Confirm);
            self.state.confirm = Some(("Stop saving and quit".to_owned(), Action::QuitNow));
        }
    }

    /// Says so where the file that is open has changed since, once the window is looked at again.
    fn look_at_file(&mut self, ctx: &egui::Context) {
        let focused = ctx.input(|input| input.events.iter().any(|event| matches!(event, egui::Event::WindowFocused(true))));
        let Some(workspace) = self.workspace.as_ref().filter(|_| focused) else { return };
        let path = workspace.dataset().base.origin.path.clone();
        let now = io::file_stamp(&path);
        if self.stamp.is_some() && now != self.stamp {
            self.stamp = now;
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let (text, remedy) = if now.is_none() {
                (format!("{name} is not there any more. What is open is as it was; your edits are kept"), None)
            } else {
                let action = if workspace.history().nodes().is_empty() { Action::Open(path) } else { Action::Carry };
                (format!("{name} has changed on the disk since it was opened"), Some(("Open it as it is now".to_owned(), action)))
            };
            self.notice(ctx, text, true, remedy);
        }
    }

    fn apply_theme(&mut self, ctx: &egui::Context) {
        if self.applied != Some(self.state.dark) {
            self.theme = Theme::new(self.state.dark);
            self.theme.apply(ctx);
            self.applied = Some(self.state.dark);
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
        if let Some(workspace) = self.workspace.as_ref().filter(|_| self.state.table.arranged) {
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
        while let Ok(dataset) = self.preview.1.try_recv() {
            if self.workspace.is_none() {
                self.previewed = Some(dataset);
            }
        }
        self.take_reports(ctx);
        self.take_pictures(ctx);
        self.take_answers(ctx);
        self.close_or_ask(ctx);
        self.look_at_file(ctx);
        let dropped = ctx.input(|input| input.raw.dropped_files.first().map(|file| file.path().to_owned()));
        self.actions.extend(dropped.map(Action::Open));
        self.carry_out(ctx);
        self.schedule();
        self.schedule_asking(ctx);
        self.forget_old_notices(ctx);
        self.remember(ctx);
        if let Some(left) = &mut self.frames_left {
            self.quit |= *left == 0;
            *left = left.saturating_sub(1);
            ctx.request_repaint();
        }
        if self.quit && !self.is_saving() {
            ctx.send_viewport_cmd(egui::ViewportCommand::Close);
        }
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        let ctx = ui.ctx().clone();
        if self.drawn < SETTLED {
            self.drawn += 1;
            if self.drawn == SETTLED {
                settings::end_start(&self.folders);
            } else {
                ctx.request_repaint();
            }
        }
        self.apply_theme(&ctx);
        let mut commands = self.pressed(&ctx);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
        self.read_shown_edit();
        let bundle = Bundle {
            workspace: self.workspace.as_ref(),
            preview: self.previewed.as_ref(),
            memo: &self.memo,
            pictures: &self.pictures,
            disk: self.cache.get().and_then(Option::as_ref).map(PictureCache::bytes),
            theme: &self.theme,
            running: self
                .jobs
                .running()
                .iter()
                .map(|job| Running { key: job.key, title: &job.title, progress: &job.progress })
                .collect(),
            notices: &self.notices,
            recent: &self.settings.recent,
            pipelines: &self.settings.pipelines,
            text_models: &self.settings.text_models,
            answers: self.asking.models.answers(),
            samples: &SAMPLES.map(|sample| (sample.name, sample.what)),
            shown_edit: self.shown_edit.as_ref(),
            now,
        };
        ui::draw(ui, &mut self.state, &bundle, &mut self.actions, &mut commands);
        self.want_pictures();
        for command in commands {
            self.command(&ctx, command);
        }
        if !self.actions.is_empty() {
            // Carried out at once, so that what a key did is on disk and on screen at the next frame.
            self.carry_out(&ctx);
            ctx.request_repaint();
        }
        self.schedule();
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
