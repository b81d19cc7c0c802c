//! Numbers as people spell them. Reading is by value, keeping is by bytes: nothing here changes a text.

/// What a cell says about how the numbers of its column are spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelled {
    /// The canonical spelling of a 64-bit integer: `7`, `-20`.
    Integer,
    /// A number without point or comma in it that is no canonical integer: `-0`, `+1`, `1e5`, `NaN`.
    Plain,
    /// With a decimal point, or groups of thousands between commas: `1.50`, `1,234.5`.
    Point,
    /// `1.234`: with a point that may also part thousands.
    PointOrGroup,
    /// With a decimal comma, or groups of thousands between points: `12,34`, `1.234,5`.
    Comma,
    /// `1,234`: with a comma that may be decimal, or part thousands.
    CommaOrGroup,
    /// A whole number that begins with a nought, or a telephone number: a code, whose spelling is what it is.
    Code,
    /// No number.
    No,
}

/// How a cell is spelled. White space around it does not count.
pub fn spelled(text: &str) -> Spelled {
    let text = text.trim_matches([' ', '\t', '\u{a0}']);
    let bare = text.strip_prefix(['-', '+']).unwrap_or(text);
    let first = bare.as_bytes().first().copied().unwrap_or(b'x');
    if !(first.is_ascii_digit() || matches!(first, b'.' | b',' | b'i' | b'I' | b'n' | b'N')) {
        return Spelled::No;
    }
    // Nearly all numbers are digits with at most one point: one look at each byte tells.
    let mut point = None;
    let plain = bare.bytes().enumerate().all(|(at, byte)| byte.is_ascii_digit() || byte == b'.' && point.replace(at).is_none());
    if plain && let Some(at) = point {
        let (whole, rest) = (at, bare.len() - at - 1);
        let thousand = rest == 3 && (1..=3).contains(&whole) && first != b'0';
        return match (whole + rest, thousand) {
            (0, _) => Spelled::No,
            (_, true) => Spelled::PointOrGroup,
            _ => Spelled::Point,
        };
    }
    if plain {
        let code = bare.len() > 1 && first == b'0' || text.starts_with('+') && bare.len() >= 7;
        let canonical = !text.starts_with('+') && (text != "-0") && (bare.len() < 19 || text.parse::<i64>().is_ok());
        return match (code, canonical) {
            (true, _) => Spelled::Code,
            (_, true) => Spelled::Integer,
            _ => Spelled::Plain,
        };
    }
    if !first.is_ascii_digit() && first != b'.' && first != b',' {
        let word = ["nan", "inf", "infinity"].iter().any(|word| bare.eq_ignore_ascii_case(word));
        return if word { Spelled::Plain } else { Spelled::No };
    }
    let (body, power) = bare.find(['e', 'E']).map_or((bare, None), |at| (&bare[..at], Some(&bare[at + 1..])));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if power.is_some_and(|power| !digits(power.strip_prefix(['-', '+']).unwrap_or(power))) {
        return Spelled::No;
    }
    let (points, commas) = (body.matches('.').count(), body.matches(',').count());
    if points + commas == 0 {
        return if digits(body) { Spelled::Plain } else { Spelled::No };
    }
    // One mark alone parts whole from part; several alike part thousands; of two kinds the last is the decimal one.
    let groups = |text: &str, mark: char| {
        let mut parts = text.split(mark);
        parts.next().is_some_and(|first| digits(first) && first.len() <= 3) && parts.all(|part| part.len() == 3 && digits(part))
    };
    let part = |text: &str| text.is_empty() || digits(text);
    let one = |mark: char, sure: Spelled, doubtful: Spelled| {
        let (whole, rest) = body.split_once(mark).unwrap_or((body, ""));
        if !(part(whole) && part(rest)) || whole.is_empty() && rest.is_empty() {
            return Spelled::No;
        }
        let thousand = rest.len() == 3 && (1..=3).contains(&whole.len()) && !whole.starts_with('0') && power.is_none();
        if thousand { doubtful } else { sure }
    };
    match (points, commas) {
        (1, 0) => one('.', Spelled::Point, Spelled::PointOrGroup),
        (0, 1) => one(',', Spelled::Comma, Spelled::CommaOrGroup),
        (_, 0) if groups(body, '.') => Spelled::Comma,
        (0, _) if groups(body, ',') => Spelled::Point,
        (1, _) if body.rfind('.') > body.rfind(',') => {
            let (whole, rest) = body.split_once('.').unwrap_or((body, ""));
            if groups(whole, ',') && part(rest) { Spelled::Point } else { Spelled::No }
        }
        (_, 1) if body.rfind(',') > body.rfind('.') => {
            let (whole, rest) = body.split_once(',').unwrap_or((body, ""));
            if groups(whole, '.') && part(rest) { Spelled::Comma } else { Spelled::No }
        }
        _ => Spelled::No,
    }
}

/// The value of a cell whose column has decimal points, or decimal commas where `comma` says so. `NaN` and infinities are values;
/// `None` where it is no number so spelled. `1,234` among points is a thousand and more.
pub fn number_of(text: &str, comma: bool) -> Option<f64> {
    if matches!((spelled(text), comma), (Spelled::No, _) | (Spelled::Comma, false) | (Spelled::Point, true)) {
        return None;
    }
    let text = text.trim_matches([' ', '\t', '\u{a0}']);
    // The usual case needs no copy.
    if !text.contains(',') && !comma {
        return text.parse().ok();
    }
    let (mark, group) = if comma { (',', '.') } else { ('.', ',') };
    let plain: String =
        text.chars().filter(|letter| *letter != group).map(|letter| if letter == mark { '.' } else { letter }).collect();
    plain.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_are_told_apart() {
        let table = [
            ("7", Spelled::Integer),
            ("-20", Spelled::Integer),
            ("-0", Spelled::Plain),
            ("+1", Spelled::Plain),
            ("1e-05", Spelled::Plain),
            ("NaN", Spelled::Plain),
            ("-Infinity", Spelled::Plain),
            ("9223372036854775808", Spelled::Plain),
            ("1.50", Spelled::Point),
            (".5", Spelled::Point),
            ("1.", Spelled::Point),
            (" 1.5 ", Spelled::Point),
            ("1.234", Spelled::PointOrGroup),
            ("0.123", Spelled::Point),
            ("1,234.5", Spelled::Point),
            ("1,234,567", Spelled::Point),
            ("12,34", Spelled::Comma),
            ("-21.419,06", Spelled::Comma),
            ("1.234.567", Spelled::Comma),
            ("1,234", Spelled::CommaOrGroup),
            ("007", Spelled::Code),
            ("+491761234567", Spelled::Code),
            ("NA", Spelled::No),
            ("1_000", Spelled::No),
            ("0x1f", Spelled::No),
            ("2024-01-02", Spelled::No),
            ("1.2.3", Spelled::No),
            ("1e", Spelled::No),
            (".", Spelled::No),
            ("12:30", Spelled::No),
            ("", Spelled::No),
            ("٣", Spelled::No),
        ];
        for (text, wanted) in table {
            assert_eq!(spelled(text), wanted, "{text:?}");
        }
    }

    #[test]
    fn values_follow_the_column() {
        assert_eq!(number_of("12,34", true), Some(12.34));
        assert_eq!(number_of("12,34", false), None);
        assert_eq!(number_of("-21.419,06", true), Some(-21_419.06));
        assert_eq!(number_of("1.234", true), Some(1_234.0));
        assert_eq!(number_of("1.234", false), Some(1.234));
        assert_eq!(number_of("1.50", true), None);
        assert_eq!(number_of("1,234.5", false), Some(1_234.5));
        assert_eq!(number_of("-0", false).map(f64::to_bits), Some((-0.0_f64).to_bits()));
        assert!(number_of("NaN", false).is_some_and(f64::is_nan));
        assert_eq!(number_of(" 1e-05 ", false), Some(1e-5));
    }
}
