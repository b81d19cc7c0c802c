//! Questions whose words tell their theme.

use lapidary::chance::Chance;

const ASKS: [&str; 6] = [
    "please tell me about",
    "how does one handle",
    "what happens with",
    "i need help with",
    "why is there trouble with",
    "where do i find",
];

/// The words of a theme; of one that nobody knew, where it is none of the three.
pub fn words(theme: &str) -> [&'static str; 8] {
    match theme {
        "card" => ["card", "arrive", "post", "delivery", "plastic", "envelope", "ordered", "mailbox"],
        "rate" => ["rate", "exchange", "currency", "euro", "convert", "dollars", "conversion", "weekend"],
        "pin" => ["pin", "code", "forgot", "reset", "blocked", "digits", "unlock", "attempts"],
        _ => ["crypto", "bitcoin", "wallet", "mining", "token", "ledger", "blockchain", "staking"],
    }
}

/// Questions with their themes, so many of each, in a drawn order.
pub fn questions(chance: &mut Chance, themes: &[(&str, usize)]) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for (theme, many) in themes {
        for _ in 0..*many {
            let mut own = words(theme);
            chance.shuffle(&mut own);
            let ask = chance.one_of(&ASKS).unwrap();
            out.push((format!("{ask} {} {} {} number {}", own[0], own[1], own[2], chance.below(100_000)), (*theme).to_owned()));
        }
    }
    chance.shuffle(&mut out);
    out
}
