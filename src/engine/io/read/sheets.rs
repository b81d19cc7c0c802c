//! Spreadsheets (xlsx, xls, xlsb, ods): one sheet as a table of texts. Runs in the child process: what parses these files has panicked before, and a few kilobytes can claim a billion cells.
//!
//! A cell says what is shown of it where that is data: dates and times in ISO 8601, a number with the zeros that its format puts before it, `TRUE` as `true`. What is only looks (currency, percent, colours) is left aside.

use std::ffi::OsString;
use std::io::Cursor;

use calamine::{Data, Dimensions, Reader as _, SheetVisible, Sheets, StyleRange, open_workbook_auto_from_rs};
use polars::prelude::{Column as FrameColumn, DataFrame, NamedFrom as _, Series};

use super::typed_schema::Beside;
use crate::data::{count, things};

/// Rows above a header are looked for among the first so many.
const LOOKED: usize = 30;
/// The least of a cell in memory: what says more cells than the limit has room for is refused before they are laid out.
const CELL: u64 = 24;

/// What of a workbook is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SheetAsked {
    /// The sheet by name; the first that is seen and has cells where it is none.
    pub sheet: Option<String>,
    /// How many rows stand above the table, and whether its first row names the columns; found out where nobody says.
    pub skip: Option<usize>,
    pub header: Option<bool>,
}

impl SheetAsked {
    /// As words for the child.
    pub fn words(&self) -> Vec<OsString> {
        let said = |given: bool, text: String| if given { text } else { String::new() };
        vec![
            self.sheet.clone().unwrap_or_default().into(),
            said(self.skip.is_some(), self.skip.unwrap_or_default().to_string()).into(),
            said(self.header.is_some(), self.header.unwrap_or_default().to_string()).into(),
        ]
    }

    /// Out of the words of the parent.
    pub fn of_words(words: &[OsString]) -> Self {
        let word = |at: usize| words.get(at).map(|word| word.to_string_lossy().into_owned()).filter(|word| !word.is_empty());
        Self {
            sheet: word(0),
            skip: word(1).and_then(|word| word.parse().ok()),
            header: word(2).and_then(|word| word.parse().ok()),
        }
    }
}

/// Reads a sheet: a column of texts each, and what is to be said of it. The names of all sheets are noted as `sheets`.
///
/// # Errors
/// A line; `memory:` before it where it is too large.
pub fn parse(bytes: Vec<u8>, asked: &SheetAsked, limit: u64) -> Result<(DataFrame, Beside), String> {
    let text = |error: &dyn std::fmt::Display| error.to_string().lines().next().unwrap_or_default().to_owned();
    let mut book = open_workbook_auto_from_rs(Cursor::new(bytes)).map_err(|error| text(&error))?;
    let all: Vec<(String, bool)> =
        book.sheets_metadata().iter().map(|sheet| (sheet.name.clone(), sheet.visible == SheetVisible::Visible)).collect();
    let mut beside = Beside::default();
    let name = chosen(&mut book, &all, asked.sheet.as_deref())?;
    let others: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).filter(|other| *other != name).collect();
    if !others.is_empty() && asked.sheet.is_none() {
        beside
            .notes
            .push(format!("the sheet {name:?} is read; others are {}: Collect and --sheet choose another", others.join(", ")));
    }
    let range = book.worksheet_range(&name).map_err(|error| text(&error))?;
    let cells = range.width() as u64 * range.height() as u64;
    if cells * CELL > limit {
        return Err(format!(
            "memory: the sheet {name:?} says that it has {} by {} cells; raise the limit with --max-memory if you trust the file",
            count(range.height()),
            count(range.width())
        ));
    }
    let styles = book.worksheet_style(&name).unwrap_or_default();
    let merged = match &mut book {
        Sheets::Xlsx(book) => book.merge_cells_by_sheet_name(&name).unwrap_or_default(),
        Sheets::Xls(book) => book.merge_cells_by_sheet_name(&name).unwrap_or_default(),
        _ => Vec::new(),
    };
    let start = range.start().unwrap_or((0, 0));
    let rows: Vec<Vec<Option<String>>> = range
        .rows()
        .enumerate()
        .map(|(row, cells)| {
            let at = |column: usize| (start.0.saturating_add(whole(row)), start.1.saturating_add(whole(column)));
            cells.iter().enumerate().map(|(column, cell)| shown(cell, &styles, at(column))).collect()
        })
        .collect();
    let frame = table(rows, (start, &merged), asked, &mut beside)?;
    beside.kept.push((
        "sheets".to_owned(),
        serde_json::to_string(&all.iter().map(|(name, _)| name).collect::<Vec<_>>()).unwrap_or_default(),
    ));
    beside.kept.push(("sheet".to_owned(), name));
    Ok((frame, beside))
}

/// The sheet that is asked for, or the first that is seen and has cells.
fn chosen(book: &mut Sheets<Cursor<Vec<u8>>>, all: &[(String, bool)], asked: Option<&str>) -> Result<String, String> {
    if let Some(asked) = asked {
        let found =
            all.iter().find(|(name, _)| name == asked).or_else(|| all.iter().find(|(name, _)| name.eq_ignore_ascii_case(asked)));
        let names = || all.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
        return found.map(|(name, _)| name.clone()).ok_or_else(|| format!("there is no sheet {asked:?}; there are {}", names()));
    }
    let mut order: Vec<&(String, bool)> = all.iter().collect();
    order.sort_by_key(|(_, seen)| !seen);
    for (name, _) in order {
        if book.worksheet_range(name).is_ok_and(|range| !range.is_empty()) {
            return Ok(name.clone());
        }
    }
    Err("no sheet of it has a cell".to_owned())
}

/// What a cell says; `None` where that is nothing.
fn shown(cell: &Data, styles: &StyleRange, at: (u32, u32)) -> Option<String> {
    let code = || styles.get(at).and_then(|style| style.number_format.as_ref()).map(|format| format.format_code.as_str());
    Some(match cell {
        Data::Empty => return None,
        Data::String(text) if text.is_empty() => return None,
        Data::String(text) | Data::DurationIso(text) => text.clone(),
        Data::DateTimeIso(text) => text.strip_suffix("T00:00:00").unwrap_or(text).to_owned(),
        Data::Int(value) => padded(value.to_string(), code()),
        Data::Float(value) => padded(number(*value), code()),
        Data::Bool(value) => value.to_string(),
        Data::DateTime(value) => {
            let (year, month, day, hour, minute, second, milli) = value.to_ymd_hms_milli();
            let part = if milli > 0 { format!(".{milli:03}") } else { String::new() };
            let clock = format!("{hour:02}:{minute:02}:{second:02}{part}");
            // A duration counts hours beyond a day; a number below one is a time of no day.
            if value.is_duration() {
                let seconds = (value.as_f64() * 86_400.0).round();
                let (hours, rest) = ((seconds / 3_600.0).floor(), seconds.rem_euclid(3_600.0));
                format!("{hours:02}:{:02}:{:02}", (rest / 60.0).floor(), rest.rem_euclid(60.0))
            } else if value.as_f64() < 1.0 && value.as_f64() > 0.0 {
                clock
            } else if value.as_f64().fract() == 0.0 {
                format!("{year:04}-{month:02}-{day:02}")
            } else {
                format!("{year:04}-{month:02}-{day:02}T{clock}")
            }
        }
        Data::Error(error) => error.to_string(),
    })
}

/// A number as people write it: no point where it is whole, and as many digits as tell it apart.
fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 { format!("{value:.0}") } else { format!("{value}") }
}

/// With the zeros that a format like `00000` puts before it.
fn padded(text: String, code: Option<&str>) -> String {
    let width = code.filter(|code| code.len() > 1 && code.bytes().all(|byte| byte == b'0')).map_or(0, str::len);
    if text.bytes().all(|byte| byte.is_ascii_digit()) { format!("{text:0>width$}") } else { text }
}

/// Rows as columns with names; what was left out, filled or named is said.
fn table(
    mut rows: Vec<Vec<Option<String>>>,
    (start, merged): ((u32, u32), &[Dimensions]),
    asked: &SheetAsked,
    beside: &mut Beside,
) -> Result<DataFrame, String> {
    fill(&mut rows, start, merged, beside);
    let filled = |row: &[Option<String>]| row.iter().flatten().count();
    let first = match asked.skip {
        // Rows that the sheet does not have before its first cell are above the table, too.
        Some(skip) => skip.saturating_sub(start.0 as usize).min(rows.len()),
        None => {
            let widest = rows.iter().take(LOOKED).map(|row| filled(row)).max().unwrap_or(0);
            rows.iter().take(LOOKED).position(|row| filled(row) * 2 >= widest && filled(row) > 0).unwrap_or(0)
        }
    };
    let above: Vec<String> = rows[..first].iter().flat_map(|row| row.iter().flatten().cloned()).collect();
    if !above.is_empty() && asked.skip.is_none() {
        beside.notes.push(format!("above the table stands {:?}: it is left out", above.join(" ")));
    }
    let mut body = rows.split_off(first);
    let header = asked.header.unwrap_or(true);
    let wide = body.iter().map(Vec::len).max().unwrap_or(0);
    let named: Vec<Option<String>> = if header && !body.is_empty() { body.remove(0) } else { vec![None; wide] };
    let before = body.len();
    body.retain(|row| filled(row) > 0);
    if body.len() < before {
        beside.notes.push(format!("{} without a cell are left out", things(before - body.len(), "row", "rows")));
    }
    let mut names: Vec<String> = Vec::new();
    let mut columns: Vec<FrameColumn> = Vec::new();
    for at in 0..wide {
        let own = named.get(at).and_then(Option::as_deref).map(str::trim).filter(|name| !name.is_empty());
        let has = body.iter().any(|row| row.get(at).is_some_and(Option::is_some));
        if own.is_none() && !has {
            continue;
        }
        let name = own.map_or_else(|| format!("column {}", letters(start.1.saturating_add(whole(at)))), ToOwned::to_owned);
        let name = if names.contains(&name) {
            let free =
                (2..=names.len() + 2).map(|n| format!("{name} ({n})")).find(|name| !names.contains(name)).unwrap_or_default();
            beside.notes.push(format!("two columns are called {name:?}: the second is {free:?} here"));
            free
        } else {
            name
        };
        let cells: Vec<Option<&str>> = body.iter().map(|row| row.get(at).and_then(Option::as_deref)).collect();
        columns.push(Series::new(name.as_str().into(), cells).into());
        names.push(name);
    }
    if columns.is_empty() {
        return Err("the sheet has no column".to_owned());
    }
    DataFrame::new(body.len(), columns).map_err(|error| error.to_string())
}

/// A region that was merged says the same in all of its rows and columns.
fn fill(rows: &mut [Vec<Option<String>>], start: (u32, u32), merged: &[Dimensions], beside: &mut Beside) {
    let mut regions = 0;
    for region in merged {
        let place = |(row, column): (u32, u32)| Some((row.checked_sub(start.0)? as usize, column.checked_sub(start.1)? as usize));
        let (Some(from), Some(to)) = (place(region.start), place(region.end)) else { continue };
        let Some(text) = rows.get(from.0).and_then(|row| row.get(from.1)).cloned().flatten() else { continue };
        // A title over several columns names none of them; what goes down a column is of each row.
        if from.0 == to.0 {
            continue;
        }
        regions += 1;
        for row in rows.iter_mut().take(to.0 + 1).skip(from.0) {
            for cell in row.iter_mut().take(to.1 + 1).skip(from.1) {
                *cell = Some(text.clone());
            }
        }
    }
    if regions > 0 {
        beside.notes.push(format!(
            "{} of merged cells: each of their rows says what the first does",
            things(regions, "region", "regions")
        ));
    }
}

/// A place in a sheet, which has fewer than four billion.
fn whole(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// A column as a sheet calls it: `A`, `Z`, `AA`.
fn letters(mut at: u32) -> String {
    let mut out = String::new();
    loop {
        out.insert(0, char::from(b'A' + (at % 26) as u8));
        at = match (at / 26).checked_sub(1) {
            Some(next) => next,
            None => return out,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_and_numbers_are_named_as_sheets_do() {
        assert_eq!([0, 25, 26, 701, 702].map(letters), ["A", "Z", "AA", "ZZ", "AAA"]);
        assert_eq!([123.0, 0.1, 1e20, -2.0].map(number), ["123", "0.1", "100000000000000000000", "-2"]);
        assert_eq!(padded("7".to_owned(), Some("00000")), "00007");
        assert_eq!(padded("7".to_owned(), Some("0.00")), "7");
        assert_eq!(padded("-7".to_owned(), Some("000")), "-7");
    }
}
