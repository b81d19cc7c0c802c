//! Times as people write them, as points in time. What a column's cells mean is read off all of them: `03/04/2024` is the third of April
//! where another cell says `22/02/2024`, and no time at all where nothing tells.

/// The order of day and month in dates that are figures alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayMonth {
    /// `31/12/2024`, `31.12.2024`.
    DayFirst,
    /// `12/31/2024`.
    MonthFirst,
    /// Not told by any cell: such dates are no times.
    Unknown,
}

/// How the times of a column are written, beyond what each cell says by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// The order in dates with slashes (or dashes).
    slashes: DayMonth,
}

/// A point in time: nanoseconds since 1970 in UTC. What names no zone is read as UTC.
pub type Moment = i128;

/// No time is written with more bytes.
const LONGEST: usize = 64;
const SECOND: i128 = 1_000_000_000;
const DAY: i128 = 86_400 * SECOND;

impl Times {
    /// Reads off the cells of a column how its times are written.
    pub fn of<'t>(cells: impl Iterator<Item = &'t str>) -> Self {
        let (mut day_first, mut month_first) = (false, false);
        for cell in cells {
            let Some((a, b)) = slashed(cell) else { continue };
            day_first |= a > 12 && b <= 12;
            month_first |= b > 12 && a <= 12;
        }
        let slashes = match (day_first, month_first) {
            (true, false) => DayMonth::DayFirst,
            (false, true) => DayMonth::MonthFirst,
            _ => DayMonth::Unknown,
        };
        Self { slashes }
    }

    /// The point in time that a cell says; `None` where it says none.
    pub fn read(self, cell: &str) -> Option<Moment> {
        let text = cell.trim();
        if text.len() > LONGEST || !text.bytes().any(|byte| byte.is_ascii_digit()) {
            return None;
        }
        epoch(text).or_else(|| year(text)).or_else(|| self.date_and_time(text))
    }

    /// Whether a cell is a date whose day and month no cell of its column tells apart.
    pub fn is_ambiguous(self, cell: &str) -> bool {
        self.slashes == DayMonth::Unknown && slashed(cell).is_some_and(|(a, b)| a <= 12 && b <= 12 && a != b)
    }

    fn date_and_time(self, text: &str) -> Option<Moment> {
        let (date, time) = self.date(text)?;
        let time = time.trim_start_matches(|letter: char| letter.is_whitespace() || letter == ',');
        let time = time.strip_prefix(['T', 't']).unwrap_or(time);
        let rest = if time.is_empty() { 0 } else { clock(time)? };
        Some(date * DAY + rest)
    }

    /// The day that a text begins with, and what follows it.
    fn date(self, text: &str) -> Option<(i128, &str)> {
        // A weekday before it says nothing new.
        let text = match text.split_once([',', ' ']) {
            Some((word, rest)) if is_weekday(word) => rest.trim_start_matches([',', ' ']),
            _ => text,
        };
        let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
        let (first, rest) = text.split_at(end);
        if first.is_empty() {
            // Aug 8, 2024
            let (month, rest) = month(rest)?;
            let (day, rest) = number(rest.trim_start_matches(['.', ' ', ',']), 1, 2)?;
            let rest = ["st", "nd", "rd", "th"].iter().find_map(|end| rest.strip_prefix(end)).unwrap_or(rest);
            let (year, rest) = number(rest.trim_start_matches(['.', ' ', ',']), 4, 4)?;
            return Some((days(year, month, day)?, rest));
        }
        let mark = rest.chars().next().filter(|mark| matches!(mark, '-' | '/' | '.' | ' ' | 'T' | 't' | '年'));
        if first.len() == 8 && mark.is_none_or(|mark| matches!(mark, 'T' | 't' | ' ')) {
            let part = |from: usize, to: usize| first[from..to].parse::<i64>().ok();
            return Some((days(part(0, 4)?, part(4, 6)?, part(6, 8)?)?, rest));
        }
        let mark = mark?;
        let after = &rest[mark.len_utf8()..];
        if first.len() == 4 {
            // 2024-08-08, 2024/8/8, 2024 Aug 8
            let mark = if mark == '年' { '月' } else { mark };
            let (month, rest) = number(after, 1, 2).or_else(|| month(after))?;
            let Some(rest) = rest.strip_prefix(mark) else {
                return (rest.is_empty()).then_some((days(first.parse().ok()?, month, 1)?, rest));
            };
            let (day, rest) = number(rest, 1, 2)?;
            return Some((days(first.parse().ok()?, month, day)?, rest.strip_prefix('日').unwrap_or(rest)));
        }
        if first.len() > 2 {
            return None;
        }
        let a: i64 = first.parse().ok()?;
        let after_words = after.trim_start_matches(['.', ' ']);
        if let Some((month, rest)) = month(after_words) {
            // 08 Aug 2024, 8-Aug-2024
            let (year, rest) = number(rest.trim_start_matches(['.', ' ', '-', '/', ',']), 4, 4)?;
            return Some((days(year, month, a)?, rest));
        }
        let (b, rest) = number(after, 1, 2)?;
        let rest = rest.strip_prefix(mark)?;
        let (year, rest) = number(rest, 4, 4)?;
        let (day, month) = match (mark, self.slashes) {
            // Points stand in dates whose day comes first, wherever they are written.
            ('.', _) | (_, DayMonth::DayFirst) => (a, b),
            (_, DayMonth::MonthFirst) => (b, a),
            (_, DayMonth::Unknown) if a == b => (a, b),
            (_, DayMonth::Unknown) if a > 12 => (a, b),
            (_, DayMonth::Unknown) if b > 12 => (b, a),
            _ => return None,
        };
        Some((days(year, month, day)?, rest))
    }
}

/// The day of a point in time in UTC, as `2026-11-30` (Hinnant 2013, `civil_from_days`).
pub fn day_words(moment: Moment) -> String {
    let days = moment.div_euclid(DAY) + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i128::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// The two first numbers of a date with slashes or dashes that ends in its year.
fn slashed(cell: &str) -> Option<(i64, i64)> {
    let cell = cell.trim();
    let (a, rest) = number(cell, 1, 2)?;
    let mark = rest.chars().next().filter(|mark| matches!(mark, '/' | '-'))?;
    let (b, rest) = number(&rest[1..], 1, 2)?;
    number(rest.strip_prefix(mark)?, 4, 4).map(|_| (a, b))
}

/// A number of `least` to `most` figures that a text begins with, and what follows it.
fn number(text: &str, least: usize, most: usize) -> Option<(i64, &str)> {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    if !(least..=most).contains(&end) {
        return None;
    }
    Some((text[..end].parse().ok()?, &text[end..]))
}

/// Seconds, milliseconds, microseconds or nanoseconds since 1970, by their number of figures.
fn epoch(cell: &str) -> Option<Moment> {
    let cell = cell.trim();
    let (whole, part) = cell.split_once('.').unwrap_or((cell, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) {
        return None;
    }
    let unit = match whole.len() {
        9..=11 => SECOND,
        12..=14 => 1_000_000,
        15..=17 => 1_000,
        18..=20 => 1,
        _ => return None,
    };
    let value: i128 = whole.parse().ok()?;
    let rest: f64 = if part.is_empty() { 0.0 } else { format!("0.{part}").parse().ok()? };
    // A part of one unit: far from where doubles end to be exact.
    #[allow(clippy::cast_possible_truncation)]
    let rest = (rest * unit as f64) as i128;
    Some(value * unit + rest)
}

/// A year alone: `2024`, `476`, `9 BC`.
fn year(cell: &str) -> Option<Moment> {
    let cell = cell.trim();
    let upper = cell.to_ascii_uppercase();
    let (body, before) = match ["BCE", "BC", "B.C."].iter().find_map(|end| upper.strip_suffix(end)) {
        Some(body) => (body.trim().to_owned(), true),
        None => (["AD", "CE"].iter().find_map(|end| upper.strip_suffix(end)).unwrap_or(&upper).trim().to_owned(), false),
    };
    let (year, rest) = number(&body, 1, 4)?;
    if !rest.is_empty() || !before && body.len() < 3 {
        return None;
    }
    // There was no year 0.
    Some(days(if before { 1 - year } else { year }, 1, 1)? * DAY)
}

fn clock(text: &str) -> Option<i128> {
    let (mut hour, rest) = number(text, 1, 2)?;
    let (mut minute, mut nanos) = (0, 0_i128);
    let mut rest = rest;
    if let Some(after) = rest.strip_prefix([':', '.']) {
        (minute, rest) = number(after, 2, 2)?;
        if let Some(after) = rest.strip_prefix(':') {
            let (second, after) = number(after, 2, 2)?;
            nanos = i128::from(second) * SECOND;
            rest = after;
            if let Some(part) = rest.strip_prefix(['.', ',']) {
                let end = part.bytes().take_while(u8::is_ascii_digit).count();
                let figures = &part[..end.min(9)];
                let scale = 10_i128.pow(9 - u32::try_from(figures.len()).ok()?);
                nanos += figures.parse::<i128>().ok()? * scale;
                rest = &part[end..];
            }
            if second > 60 {
                return None;
            }
        }
    }
    let mut rest = rest.trim_start();
    let upper = rest.to_ascii_uppercase();
    let half = [("AM", 0), ("PM", 12), ("A.M.", 0), ("P.M.", 12)].into_iter().find(|(word, _)| upper.starts_with(word));
    if let Some((word, more)) = half {
        if !(1..=12).contains(&hour) {
            return None;
        }
        hour = hour % 12 + more;
        rest = rest[word.len()..].trim_start();
    }
    if hour > 24 || minute > 59 {
        return None;
    }
    let zone = zone(rest)?;
    Some(i128::from(hour * 3_600 + minute * 60) * SECOND + nanos - i128::from(zone) * SECOND)
}

/// Seconds that a zone is ahead of UTC.
fn zone(text: &str) -> Option<i64> {
    let text = text.trim();
    if text.is_empty() || ["Z", "UTC", "GMT"].iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return Some(0);
    }
    let text = text.strip_prefix("UTC").or_else(|| text.strip_prefix("GMT")).unwrap_or(text);
    // `+02:00[Europe/Berlin]`
    let text = text.split('[').next().unwrap_or(text).trim();
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' | '\u{2212}' => -1,
        _ => return None,
    };
    let digits: String = text.chars().skip(1).filter(|letter| *letter != ':').collect();
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = match digits.len() {
        1 | 2 => (digits.parse::<i64>().ok()?, 0),
        4 => (digits[..2].parse().ok()?, digits[2..].parse().ok()?),
        _ => return None,
    };
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

fn is_weekday(word: &str) -> bool {
    let word = word.trim_end_matches('.').to_lowercase();
    ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        .iter()
        .any(|day| word.starts_with(day) && (word.len() <= 4 || word.ends_with("day")))
}

/// The month whose name a text begins with, and what follows it.
fn month(text: &str) -> Option<(i64, &str)> {
    // English, German, French, Spanish by their first letters; where two begin alike, the longer is named first.
    const NAMES: [(&str, i64); 30] = [
        ("jan", 1),
        ("jän", 1),
        ("ene", 1),
        ("feb", 2),
        ("fév", 2),
        ("fev", 2),
        ("mar", 3),
        ("mär", 3),
        ("mrz", 3),
        ("apr", 4),
        ("avr", 4),
        ("abr", 4),
        ("may", 5),
        ("mai", 5),
        ("jun", 6),
        ("jui", 7),
        ("jul", 7),
        ("aug", 8),
        ("aoû", 8),
        ("aou", 8),
        ("ago", 8),
        ("sep", 9),
        ("oct", 10),
        ("okt", 10),
        ("nov", 11),
        ("dec", 12),
        ("dez", 12),
        ("déc", 12),
        ("dic", 12),
        ("set", 9),
    ];
    let end = text.find(|letter: char| !letter.is_alphabetic()).unwrap_or(text.len());
    let word = text[..end].to_lowercase();
    if word.chars().count() < 3 {
        return None;
    }
    let found =
        if word == "juin" { Some(6) } else { NAMES.iter().find(|(name, _)| word.starts_with(name)).map(|(_, month)| *month) };
    found.map(|month| (month, text[end..].trim_start_matches('.')))
}

/// Days since 1970 of a date in the Gregorian calendar (Howard Hinnant's `days_from_civil`); `None` where there is no such date.
fn days(year: i64, month: i64, day: i64) -> Option<i128> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let long = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=long).contains(&day) {
        return None;
    }
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let of_era = y - era * 400;
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let in_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    Some(i128::from(era * 146_097 + in_era - 719_468))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_said_as_it_is_read() {
        let times = Times::of(std::iter::empty());
        for day in ["1970-01-01", "2024-02-29", "2026-11-30", "1969-12-31", "1900-03-01", "2000-02-29"] {
            assert_eq!(day_words(times.read(day).unwrap()), day);
        }
    }

    fn read(cells: &[&str]) -> Vec<Option<Moment>> {
        let times = Times::of(cells.iter().copied());
        cells.iter().map(|cell| times.read(cell)).collect()
    }

    #[test]
    fn the_same_day_in_every_spelling() {
        let day = Some(i128::from(19_943_i64) * DAY);
        for text in [
            "2024-08-08",
            "2024/8/8",
            "20240808",
            "08 Aug 2024",
            "8-Aug-2024",
            "August 08, 2024",
            "Aug 8th, 2024",
            "8. August 2024",
            "08.08.2024",
            "8.8.2024",
            "08/08/2024",
            "Thu, 08 Aug 2024",
            "Thu, 08 Aug 2024 00:00:00 GMT",
            "2024-08-08T00:00:00Z",
            "2024-08-08 00:00",
            "2024-08-08T02:00:00+02:00",
            "2024-08-07T15:00:00.000-0900",
            "8/8/2024 12:00 AM",
            "1723075200",
            "1723075200000",
            "2024年8月8日",
        ] {
            assert_eq!(read(&[text])[0], day, "{text}");
        }
        for text in ["unknown", "", "13/13/2024", "2024-13-01", "2024-02-30", "12", "3.5", "no 4", "25:00", "2024-08-08T25:61"] {
            assert_eq!(read(&[text])[0], None, "{text}");
        }
    }

    #[test]
    fn the_column_tells_day_from_month() {
        let of = |text: &str| read(&[text])[0].unwrap();
        assert_eq!(read(&["03/04/2024", "22/02/2024"])[0], Some(of("2024-04-03")));
        assert_eq!(read(&["03/04/2024", "2/22/2024"])[0], Some(of("2024-03-04")));
        assert_eq!(read(&["03/04/2024", "05/06/2024"]), [None, None], "nothing tells");
        assert!(Times::of(["03/04/2024"].into_iter()).is_ambiguous("03/04/2024"));
        assert_eq!(read(&["03/04/2024", "22/02/2024", "2/22/2024"])[0], None, "both orders stand in it");
    }

    #[test]
    fn instants_sort() {
        let sorted = ["9 BC", "476", "1066", "1999", "2024-01-01T00:00:00+09:00", "2024", "1/2/2024 1:00 AM", "1/2/2024 1:00 PM"];
        let times = Times::of(["1/22/2024"].into_iter());
        let read: Vec<Moment> = sorted.iter().map(|text| times.read(text).unwrap()).collect();
        assert!(read.windows(2).all(|pair| pair[0] < pair[1]), "{read:?}");
        assert!(times.read("2024-03-01T10:00:00.5Z") > times.read("2024-03-01T10:00:00.25Z"));
    }
}
