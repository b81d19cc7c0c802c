//! What the app says: a line or two above the status bar, gone by themselves unless they offer something to do.

use egui::Context;

use crate::action::Action;
use crate::ui::Notice;

/// Seconds that a notice stays. One that says what to do about a trouble stays until that is done.
const SECONDS: f64 = 8.0;
/// So many are shown at a time.
const SHOWN: usize = 2;

/// What was said and is still shown, the latest first.
#[derive(Default)]
pub struct Notices {
    list: Vec<Notice>,
}

impl Notices {
    /// Those that are shown.
    pub fn list(&self) -> &[Notice] {
        &self.list
    }

    /// Says something.
    pub fn say(&mut self, ctx: &Context, text: impl Into<String>) {
        self.tell(ctx, text.into(), false, None);
    }

    /// Says that something went wrong.
    pub fn complain(&mut self, ctx: &Context, text: impl Into<String>) {
        self.tell(ctx, text.into(), true, None);
    }

    /// Says something, and what can be done about it.
    pub fn tell(&mut self, ctx: &Context, text: String, bad: bool, remedy: Option<(String, Action)>) {
        let since = ctx.input(|input| input.time);
        self.list.retain(|known| known.text != text);
        self.list.insert(0, Notice { text, remedy, bad, since });
        self.list.truncate(SHOWN);
        ctx.request_repaint();
    }

    /// Says something before there is a window.
    pub fn begin_with(&mut self, text: String, bad: bool) {
        self.list.push(Notice { text, remedy: None, bad, since: 0.0 });
    }

    /// Takes one away.
    pub fn dismiss(&mut self, at: usize) {
        if at < self.list.len() {
            self.list.remove(at);
        }
    }

    /// Takes all away.
    pub fn clear(&mut self) {
        self.list.clear();
    }

    /// Takes away what offers to undo: it is not the last edit any more. `stale`: what else is not true any more.
    pub fn forget_undo(&mut self, stale: impl Fn(&str) -> bool) {
        let is_undo = |notice: &Notice| matches!(notice.remedy, Some((_, Action::Revert(_) | Action::Undo)));
        self.list.retain(|notice| !is_undo(notice) && !stale(&notice.text));
    }

    /// Lets old ones go; `held`: the pointer is on one, and they stay.
    pub fn forget_old(&mut self, ctx: &Context, held: bool) {
        let now = ctx.input(|input| input.time);
        if held {
            self.list.iter_mut().for_each(|notice| notice.since = now);
        }
        let stays = |notice: &Notice| matches!(&notice.remedy, Some((_, action)) if !matches!(action, Action::Revert(_)));
        self.list.retain(|notice| stays(notice) || now - notice.since < SECONDS);
        let next = self.list.iter().filter(|notice| !stays(notice)).map(|notice| SECONDS - (now - notice.since));
        if let Some(seconds) = next.reduce(f64::min) {
            ctx.request_repaint_after(std::time::Duration::from_secs_f64(seconds.max(0.01) + 0.01));
        }
    }
}
