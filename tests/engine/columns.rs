//! Columns made out of others: right, shown before, undone, done again by a recipe on another version; what cannot be worked out is counted and not guessed.

use super::train::Place;

const SHOP: &str = "id,group,title,price,bought\n1,books,The sea / a novel,\"1.234,50\",02.01.2024\n2,,Maps,\"0,99\",03/04/2024\n3,toys,A ball / red,free,25/12/2023\n";

fn shop() -> Place {
    let place = Place::new();
    std::fs::write(place.path("shop.csv"), SHOP).unwrap();
    place
}

fn column(place: &Place, name: &str) -> Vec<String> {
    let _ = std::fs::remove_file(place.path("out.jsonl"));
    place.done(&["export", "shop.csv", "-o", "out.jsonl"]);
    let text = std::fs::read_to_string(place.path("out.jsonl")).unwrap();
    let rows = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    rows.map(|row| row[name].to_string()).collect()
}

#[test]
fn columns_are_made_shown_undone_and_made_again_by_a_recipe() {
    let place = shop();
    let shown = place.done(&["column", "shop.csv", "--is", "number(price) * 2", "--show", "3"]);
    assert_eq!(shown, "0\t2469\n1\t1.98\n2\t! \"free\" is no number\n");
    let done = place.run(&["column", "shop.csv", "--name", "twice", "--is", "number(price) * 2"]);
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success() && said.contains("1 sample stays empty") && said.contains("\"free\" is no number"), "{said}");
    assert_eq!(column(&place, "twice"), ["2469", "1.98", "null"]);
    // Filled down; a day told from a month by another cell of the column.
    place.done(&["column", "shop.csv", "--name", "group", "--is", "down(group)"]);
    assert_eq!(column(&place, "group"), ["\"books\"", "\"books\"", "\"toys\""]);
    place.done(&["column", "shop.csv", "--name", "bought", "--is", "date(bought)"]);
    assert_eq!(column(&place, "bought"), ["\"2024-01-02\"", "\"2024-04-03\"", "\"2023-12-25\""]);
    place.done(&["column", "shop.csv", "--name", "what", "--is", "first(trim(part(title, \"/\", 2)), title)"]);
    assert_eq!(column(&place, "what"), ["\"a novel\"", "\"Maps\"", "\"red\""]);
    place.done(&["column", "shop.csv", "--name", "words", "--is", "split(title, \" \")"]);
    assert_eq!(column(&place, "words")[1], "[\"Maps\"]");
    // The same on another version of the file.
    place.done(&["recipe", "shop.csv", "-o", "steps.json"]);
    std::fs::write(place.path("june.csv"), format!("{SHOP}4,toys,Kite,\"2,50\",05.06.2024\n")).unwrap();
    place.done(&["run", "steps.json", "june.csv", "-o", "june.jsonl"]);
    let june = std::fs::read_to_string(place.path("june.jsonl")).unwrap();
    assert_eq!(june.lines().count(), 4);
    assert!(
        june.lines().last().unwrap().contains("\"twice\": 5") || june.lines().last().unwrap().contains("\"twice\":5"),
        "{june}"
    );
    // All of it is taken back, to the byte.
    for _ in 0..5 {
        place.done(&["undo", "shop.csv"]);
    }
    place.done(&["export", "shop.csv", "-o", "back.csv"]);
    assert_eq!(std::fs::read_to_string(place.path("back.csv")).unwrap(), SHOP);
}

#[test]
fn what_is_no_expression_changes_nothing() {
    let place = shop();
    for (formula, why) in [
        ("number(title)", "of no sample anything comes out"),
        ("nothing + 1", "no column \"nothing\""),
        ("price +", "something is missing (letter 8)"),
        ("regex(title, \"(\")", "no regular expression"),
    ] {
        let done = place.run(&["column", "shop.csv", "--name", "x", "--is", formula]);
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.code() == Some(2) && said.contains(why), "{formula}: {said}");
    }
    let done = place.run(&["column", "shop.csv", "--name", " ", "--is", "title"]);
    assert_eq!(done.status.code(), Some(2));
    assert!(!place.path("shop.csv.lapidary").exists());
}
