//! What is about people and theirs: addresses of mail, telephones, accounts, cards, machines, and keys that open something. What has check digits is held against them.

use std::ops::Range;

use super::keys::{KEYS, PRIVATE};
use super::{Flaw, Seen, phrases};

/// Finds it, as far as the bytes say that there can be any; `keys` are the places where keys may begin.
pub fn find(text: &str, at: bool, digits: usize, keys: &[usize], out: &mut Vec<Seen>) {
    let before = out.len();
    if at {
        emails(text, out);
    }
    if digits >= 4 {
        numbers(text, out);
        if digits >= 15 {
            ibans(text, out);
        }
        let count = |wanted: u8| memchr::memchr_iter(wanted, text.as_bytes()).count();
        if count(b'.') >= 3 {
            addresses(text, out);
        }
        if count(b':') >= 2 {
            long_addresses(text, out);
        }
    }
    secrets(text, keys, out);
    settle(before, out);
}

/// Of places that overlap the most telling stays: a card is no telephone.
fn settle(from: usize, out: &mut Vec<Seen>) {
    if out.len() - from < 2 {
        return;
    }
    let mut mine = out.split_off(from);
    let rank = |flaw: Flaw| match flaw {
        Flaw::Secret => 0,
        Flaw::Iban => 1,
        Flaw::Card => 2,
        Flaw::Email => 3,
        Flaw::IpAddress => 4,
        _ => 5,
    };
    mine.sort_by_key(|(flaw, place)| (rank(*flaw), place.start));
    let mut kept: Vec<Seen> = Vec::with_capacity(mine.len());
    for (flaw, place) in mine {
        if kept.iter().all(|(_, other)| other.end <= place.start || place.end <= other.start) {
            kept.push((flaw, place));
        }
    }
    kept.sort_by_key(|(_, place)| place.start);
    out.extend(kept);
}

fn emails(text: &str, out: &mut Vec<Seen>) {
    let bytes = text.as_bytes();
    let local = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-');
    let domain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    for (at, _) in text.match_indices('@') {
        let start = at - bytes[..at].iter().rev().take(64).take_while(|byte| local(byte)).count();
        let mut end = at + 1 + bytes[at + 1..].iter().take(255).take_while(|byte| domain(byte)).count();
        while end > at && matches!(bytes[end - 1], b'.' | b'-') {
            end -= 1;
        }
        let host = &text[(at + 1).min(end)..end];
        let last = host.rsplit('.').next().unwrap_or_default();
        let sound = start < at
            && host.contains('.')
            && !host.contains("..")
            && host.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
            && last.len() >= 2
            && last.bytes().all(|byte| byte.is_ascii_alphabetic())
            && bytes[start].is_ascii_alphanumeric();
        if sound {
            out.push((Flaw::Email, start..end));
        }
    }
}

/// Runs of digits with what stands between the groups of a number.
fn runs(text: &str) -> impl Iterator<Item = Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() {
            let begins = bytes[at].is_ascii_digit()
                || matches!(bytes[at], b'+' | b'(') && bytes.get(at + 1).is_some_and(u8::is_ascii_digit);
            let within = at > 0
                && (bytes[at - 1].is_ascii_alphanumeric()
                    || bytes[at - 1] >= 128
                    || matches!(bytes[at - 1], b'$' | b'_' | b'#' | b'/' | b'='));
            if !begins {
                at += 1;
                continue;
            }
            let start = at;
            let mut end = at + 1;
            while end < bytes.len() {
                let byte = bytes[end];
                let digit_behind = |n: usize| bytes.get(end + n).is_some_and(u8::is_ascii_digit);
                let joined = byte.is_ascii_digit()
                    || matches!(byte, b' ' | b'-' | b'.' | b'/')
                        && (digit_behind(1) || bytes.get(end + 1) == Some(&b'(') && digit_behind(2))
                    || byte == b')' && (digit_behind(1) || bytes.get(end + 1) == Some(&b' ') && digit_behind(2))
                    || byte == b'(' && digit_behind(1);
                if !joined {
                    break;
                }
                end += 1;
            }
            at = end;
            let goes_on =
                bytes.get(end).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte >= 128 || matches!(byte, b'_' | b'%'));
            if !within && !goes_on {
                return Some(start..end);
            }
        }
        None
    })
}

/// Whether the check digit of a card's number is right (Luhn, 1960).
fn is_luhn(digits: &[u8]) -> bool {
    let one = |(at, digit): (usize, &u8)| {
        let value = u32::from(digit - b'0');
        if at % 2 == 1 { if value > 4 { value * 2 - 9 } else { value * 2 } } else { value }
    };
    digits.iter().rev().enumerate().map(one).sum::<u32>() % 10 == 0
}

/// Whether a number begins as those of the great card companies do, with their lengths.
fn is_of_a_company(digits: &[u8]) -> bool {
    let head = |n: usize| digits[..n].iter().fold(0u32, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    match digits.len() {
        13 | 19 => digits[0] == b'4',
        14 => matches!(head(3), 300..=305) || matches!(head(2), 36 | 38),
        15 => matches!(head(2), 34 | 37),
        16 => {
            digits[0] == b'4'
                || (51..=55).contains(&head(2))
                || (2_221..=2_720).contains(&head(4))
                || head(4) == 6_011
                || head(2) == 65
                || (3_528..=3_589).contains(&head(4))
        }
        _ => false,
    }
}

fn numbers(text: &str, out: &mut Vec<Seen>) {
    for place in runs(text) {
        let run = &text[place.clone()];
        let digits: Vec<u8> = run.bytes().filter(u8::is_ascii_digit).collect();
        if is_of_a_company(&digits) && is_luhn(&digits) && !run.contains(['/', '(', '+', '.']) {
            out.push((Flaw::Card, place));
        } else if is_phone(run, &digits) {
            out.push((Flaw::Phone, place));
        }
    }
}

/// A telephone: with `+` and a country, or in groups as telephones have them. A row of digits alone is none.
fn is_phone(run: &str, digits: &[u8]) -> bool {
    let n = digits.len();
    if run.starts_with('+') {
        return (8..=15).contains(&n) && digits[0] != b'0';
    }
    let groups: Vec<&str> = run.split(|letter: char| !letter.is_ascii_digit()).filter(|group| !group.is_empty()).collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let north = |lengths: &[usize]| lengths == [3, 3, 4];
    // (212) 555-0147, 212-555-0147, 1-800-555-0147; 030 901820, 0171/1234567 begin with their 0.
    let dotted = run.contains('.') && !run.contains(['-', '(']);
    if north(&lengths) && matches!(groups[0].as_bytes()[0], b'2'..=b'9') {
        return run.contains('(') || run.contains('-') || dotted;
    }
    if lengths.len() == 4 && groups[0] == "1" && north(&lengths[1..]) {
        return true;
    }
    let trunk = run.starts_with('0') && !run.starts_with("00") || run.starts_with("(0");
    trunk
        && (9..=12).contains(&n)
        && (2..=5).contains(&lengths.len())
        && lengths[0] >= 2
        && !dotted
        && lengths.iter().all(|long| *long <= 8)
}

fn ibans(text: &str, out: &mut Vec<Seen>) {
    let bytes = text.as_bytes();
    let mut from = 0;
    while from + 15 <= bytes.len() {
        let head = &bytes[from..from + 4];
        let begins =
            head[0].is_ascii_uppercase() && head[1].is_ascii_uppercase() && head[2].is_ascii_digit() && head[3].is_ascii_digit();
        let free = from == 0 || !bytes[from - 1].is_ascii_alphanumeric();
        if !(begins && free) {
            from += 1;
            continue;
        }
        let mut letters: Vec<u8> = Vec::with_capacity(34);
        let mut found = None;
        for (at, byte) in bytes[from..].iter().enumerate() {
            let blank = *byte == b' ' && letters.len().is_multiple_of(4) && !letters.is_empty();
            if byte.is_ascii_uppercase() || byte.is_ascii_digit() {
                letters.push(*byte);
            } else if !blank {
                break;
            }
            let ends = bytes.get(from + at + 1).is_none_or(|next| !next.is_ascii_alphanumeric());
            if letters.len() > 34 {
                break;
            }
            if !blank && ends && letters.len() >= 15 && is_iban(&letters) {
                found = Some(from + at + 1);
            }
        }
        match found {
            Some(end) => {
                out.push((Flaw::Iban, from..end));
                from = end;
            }
            None => from += 1,
        }
    }
}

/// Whether the check digits of an account are right (ISO 13616: modulo 97).
fn is_iban(letters: &[u8]) -> bool {
    let digits = letters[4..].iter().chain(&letters[..4]);
    let rest = digits.fold(0u64, |rest, letter| match letter {
        b'0'..=b'9' => (rest * 10 + u64::from(letter - b'0')) % 97,
        _ => (rest * 100 + u64::from(letter - b'A') + 10) % 97,
    });
    rest == 1
}

fn addresses(text: &str, out: &mut Vec<Seen>) {
    let bytes = text.as_bytes();
    let part = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let mut end = at + bytes[at..].iter().take_while(|byte| part(byte)).count();
        let next = end;
        while bytes[end - 1] == b'.' {
            end -= 1;
        }
        let groups: Vec<&str> = text[at..end].split('.').collect();
        let byte = |group: &&str| group.len() <= 3 && !(group.len() > 1 && group.starts_with('0')) && group.parse::<u8>().is_ok();
        let free = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'_' | b'-'));
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        // 1.2.3.4 and the like are versions and chapters as often as addresses.
        let small = groups.iter().all(|group| group.len() == 1);
        if groups.len() == 4 && groups.iter().all(byte) && !small && free(before) && free(bytes.get(end)) {
            out.push((Flaw::IpAddress, at..end));
        }
        at = next.max(at + 1);
    }
}

fn long_addresses(text: &str, out: &mut Vec<Seen>) {
    let bytes = text.as_bytes();
    let part = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b':';
    let mut at = 0;
    while at < bytes.len() {
        if !part(&bytes[at]) || at > 0 && bytes[at - 1].is_ascii_alphanumeric() {
            at += 1;
            continue;
        }
        let end = at + bytes[at..].iter().take_while(|byte| part(byte)).count();
        let word = text[at..end].trim_end_matches(':');
        let groups = word.split(':').filter(|group| !group.is_empty()).count();
        let free = bytes.get(end).is_none_or(|byte| !byte.is_ascii_alphanumeric());
        // Times are groups of two digits; `::` alone is none of anybody's.
        let sound = groups >= 3 && is_long_address(word);
        if sound && free {
            out.push((Flaw::IpAddress, at..at + word.len()));
        }
        at = end;
    }
}

/// Whether it is eight groups of up to four digits of base 16, or fewer with one gap (RFC 4291).
fn is_long_address(word: &str) -> bool {
    let gaps = word.matches("::").count();
    let groups: Vec<&str> = word.split(':').filter(|group| !group.is_empty()).collect();
    let fit = groups.iter().all(|group| group.len() <= 4);
    let ends = !word.starts_with(':') || word.starts_with("::");
    fit && ends && !word.contains(":::") && if gaps == 0 { groups.len() == 8 } else { gaps == 1 && groups.len() < 8 }
}

fn secrets(text: &str, keys: &[usize], out: &mut Vec<Seen>) {
    let bytes = text.as_bytes();
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    for at in keys.iter().copied() {
        if text[at..].starts_with(PRIVATE) {
            let line = text[at..].lines().next().unwrap_or_default();
            if line.contains("PRIVATE KEY") {
                // Behind `-----END … KEY` come five more dashes.
                let end = text[at..].find("-----END ").map_or(at + line.len(), |to| {
                    let to = at + to + 9;
                    text[to..].find("-----").map_or(text.len(), |dashes| to + dashes + 5)
                });
                out.push((Flaw::Secret, at..end));
            }
            continue;
        }
        if at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_') {
            continue;
        }
        let begins = KEYS.iter().filter(|(begins, _)| bytes[at..].starts_with(begins.as_bytes()));
        for (begins, least) in begins {
            let behind = &bytes[at + begins.len()..];
            let long = behind.iter().take_while(|byte| part(byte)).count();
            let mixed = behind[..long].iter().any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
            if long >= *least && mixed {
                out.push((Flaw::Secret, at..at + begins.len() + long));
                break;
            }
        }
    }
}

/// What stands for each in a text where it was masked.
pub fn mask(flaw: Flaw) -> &'static str {
    match flaw {
        Flaw::Email => "[EMAIL]",
        Flaw::Phone => "[PHONE]",
        Flaw::Iban => "[IBAN]",
        Flaw::Card => "[CARD]",
        Flaw::IpAddress => "[IP]",
        _ => "[SECRET]",
    }
}

/// The text with everything masked; `None` where there is nothing.
pub fn masked(text: &str) -> Option<String> {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let (mut seen, mut keys) = (Vec::new(), Vec::new());
    phrases::find(text, &mut seen, &mut keys);
    seen.clear();
    find(text, text.contains('@'), digits, &keys, &mut seen);
    if seen.is_empty() {
        return None;
    }
    seen.sort_by_key(|(_, place)| place.start);
    let (mut out, mut from) = (String::with_capacity(text.len()), 0);
    for (flaw, place) in seen {
        out.push_str(&text[from..place.start]);
        out.push_str(mask(flaw));
        from = place.end;
    }
    Some(out + &text[from..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_masked_says_what_it_was() {
        let text = "Mail a.b@c.org, card 4111-1111-1111-1111, IBAN GB82WEST12345698765432, +1 212 555 0147, 10.20.30.40, ghp_0123456789abcdefghijABCDEFGHIJ012345";
        assert_eq!(masked(text).as_deref(), Some("Mail [EMAIL], card [CARD], IBAN [IBAN], [PHONE], [IP], [SECRET]"));
        assert_eq!(masked("nothing to see at 10:30 on 2024-11-05, 1,200.50"), None);
        let key = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- after";
        assert_eq!(masked(key).as_deref(), Some("[SECRET] after"));
    }

    #[test]
    fn check_digits_are_checked() {
        assert!(is_luhn(b"4111111111111111") && !is_luhn(b"4111111111111112") && is_luhn(b"378282246310005"));
        assert!(is_iban(b"DE89370400440532013000") && !is_iban(b"DE89370400440532013001"));
        for text in ["tel 555 0147", "2024 11 05", "12-34-56", "0.5 0.25 0.125", "00000000000000000000"] {
            assert_eq!(masked(text), None, "{text}");
        }
        assert_eq!(masked("ring 030 901820 or 0171/1234567").as_deref(), Some("ring [PHONE] or [PHONE]"));
    }
}
