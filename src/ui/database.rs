//! The popup in which a database is named, or in which one says that a list may ask the databases that it names.

use egui::{Key, Margin, RichText, TextEdit, Ui};

use super::Bundle;
use super::database_form::DatabaseForm;
use super::state::UiState;
use super::theme::{STEP, Theme};
use super::widgets::controls::{ButtonLook, button, caption, dim, name_edit, title};
use crate::action::{Action, CollectAction};
use crate::io::DatabaseAddress;

/// Draws it.
pub fn draw(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let begins = state.marked == 0;
    state.marked = 1;
    let form = &mut state.database;
    if let Some((path, list)) = &form.list {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        title(ui, theme, format!("{name} asks {}", if list.len() == 1 { "a database" } else { "databases" }));
        dim(ui, theme, "Nothing was sent there yet. This is what it asks:");
        for (address, asked) in list {
            ui.add_space(STEP * 2.0);
            ui.label(RichText::new(address.shown()).font(theme.mono()).color(theme.text));
            let what = asked.query.clone().or_else(|| asked.table.as_ref().map(|table| format!("the table {table}")));
            ui.add(egui::Label::new(RichText::new(what.unwrap_or_else(|| "its table".to_owned())).color(theme.dim)).wrap());
        }
        caption(ui, theme, "password, where it needs one");
        field(
            ui,
            theme,
            &mut form.password,
            ("Password", "the environment's, or that of ~/.pgpass or ~/.my.cnf"),
            (true, begins),
        );
    } else {
        title(ui, theme, "Add a database");
        ui.add_space(STEP);
        caption(ui, theme, "address: PostgreSQL, MySQL or MariaDB");
        field(ui, theme, &mut form.address, ("Address", "postgresql://reader@localhost:5432/support"), (false, begins));
        caption(ui, theme, "table");
        let hint = if form.query.trim().is_empty() { "the only one, or schema.name" } else { "the question says which" };
        field(ui, theme, &mut form.table, ("Table", hint), (false, false));
        caption(ui, theme, "or a question to it, in SQL");
        let edit = TextEdit::multiline(&mut form.query)
            .hint_text("SELECT id, body, intent FROM tickets ORDER BY id")
            .font(theme.mono())
            .desired_rows(3)
            .desired_width(ui.available_width())
            .margin(Margin::symmetric(8, 5));
        let response = ui.add(edit);
        name_edit(&response, &form.query, "Question");
        caption(ui, theme, "password, where it needs one: kept in memory until the window closes, and in no list");
        field(ui, theme, &mut form.password, ("Password", ""), (true, false));
    }
    ui.add_space(STEP * 2.0);
    let connections = form.connections();
    match &connections {
        Ok(list) => list.iter().for_each(|(address, _)| where_to(ui, theme, address)),
        Err(why) if !form.address.trim().is_empty() => {
            ui.add(egui::Label::new(RichText::new(why).color(theme.ruby)).wrap());
        }
        Err(_) => drop(dim(ui, theme, "Lapidary reads, and writes nothing there.")),
    }
    ui.add_space(STEP * 2.0);
    let ready = connections.is_ok();
    let entered = ui.input_mut(|input| input.consume_key(egui::Modifiers::COMMAND, Key::Enter));
    ui.horizontal(|ui| {
        if (button(ui, theme, "Connect", "Ctrl Enter", ButtonLook::Main, ready).clicked() || entered) && ready {
            actions.push(Action::Collect(CollectAction::Connect));
            state.popup = None;
        } else if button(ui, theme, "Not now", "Esc", ButtonLook::Plain, true).clicked() {
            state.popup = None;
        }
    });
}

fn field(ui: &mut Ui, theme: &Theme, text: &mut String, (name, hint): (&str, &str), (secret, begins): (bool, bool)) {
    let edit = TextEdit::singleline(text)
        .hint_text(hint)
        .password(secret)
        .font(if secret { theme.body() } else { theme.mono() })
        .desired_width(ui.available_width())
        .margin(Margin::symmetric(8, 5));
    let response = ui.add(edit);
    let shown = if secret { "" } else { text.as_str() };
    name_edit(&response, shown, name);
    if begins {
        response.request_focus();
    }
}

/// Where a question goes, and who can read it on its way.
fn where_to(ui: &mut Ui, theme: &Theme, address: &DatabaseAddress) {
    let (line, ink) = if address.is_here() {
        ("A server on this machine is asked. Lapidary reads, and writes nothing there.".to_owned(), theme.dim)
    } else if address.is_encrypted() {
        (format!("{} is asked, encrypted. Lapidary reads, and writes nothing there.", address.host), theme.dim)
    } else {
        (
            format!("{} is asked, unencrypted: whoever is between can read question, password and answer.", address.host),
            theme.amber,
        )
    };
    ui.add(egui::Label::new(RichText::new(line).color(ink)).wrap());
}

/// The form for a list that asks databases, as it stands in its file.
pub fn form_of(path: &std::path::Path, list: &crate::io::SourcesFile) -> DatabaseForm {
    let asks = list.sources.iter().filter_map(|source| Some((DatabaseAddress::parse(&source.read).ok()?, source.connection()?)));
    DatabaseForm { list: Some((path.to_owned(), asks.collect())), ..DatabaseForm::default() }
}
