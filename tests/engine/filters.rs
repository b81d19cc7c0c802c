//! Filters in words: what is typed is what is found, and what a chip says is read back as what it is.

use std::fs;

use lapidary::data::{Clause, Dataset, Filter, Measure, Rule, clause_of};
use lapidary::io::{self, Reading};
use lapidary::job::Progress;

const TABLE: &str = "text,label,unit price,note or so\n\
    where is my card,arrival,5,x\n\
    my card is lost,lost,12,\n\
    the card never came and never will,arrival,30.5,x\n\
    hello,greeting,-1,y\n\
    ,lost,,y\n";

fn table() -> (tempfile::TempDir, Dataset) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("t.csv");
    fs::write(&path, TABLE).unwrap();
    let dataset = io::open(&path, &Reading::default(), &Progress::silent(), &|_| {}).unwrap();
    (home, dataset)
}

fn rows(dataset: &Dataset, clause: &Clause) -> Vec<u32> {
    let filter = Filter { clauses: vec![clause.clone()] };
    filter.apply(dataset, &Progress::silent()).unwrap().into_iter().map(|id| id.0).collect()
}

#[test]
fn what_is_typed_is_what_is_found_and_a_chip_says_it() {
    let (_home, dataset) = table();
    for (words, found, said) in [
        ("unit price > 5", vec![1, 2], "unit price is above 5"),
        ("unit price >= 5", vec![0, 1, 2], "unit price is at least 5"),
        ("unit price < 5", vec![3], "unit price is below 5"),
        ("UNIT PRICE<=5", vec![0, 3], "unit price is at most 5"),
        ("unit price 5..12", vec![0, 1], "unit price is 5 to 12"),
        ("unit price is 5 to below 12", vec![0], "unit price is 5 to below 12"),
        ("unit price = 12", vec![1], "unit price is 12"),
        ("unit price > 30.4", vec![2], "unit price is above 30.4"),
        ("text words > 4", vec![2], "text words is above 4"),
        ("text length is 1 to 5", vec![3], "text characters is 1 to 5"),
        ("label is lost", vec![1, 4], "label is lost"),
        ("label is not lost", vec![0, 2, 3], "label is not lost"),
        ("not label is lost", vec![0, 2, 3], "label is not lost"),
        ("label is lost or greeting", vec![1, 3, 4], "label is lost or 1 more"),
        ("text contains card or label = greeting", vec![0, 1, 2, 3], "text contains “card” or label is greeting"),
        ("text lacks card", vec![3, 4], "text lacks “card”"),
        ("text contains /^my|will$/", vec![1, 2], "text contains /^my|will$/"),
        ("any column contains \"lost or\"", vec![], "any column contains “lost or”"),
        ("text is empty", vec![4], "text is empty"),
        ("note or so is x", vec![0, 2], "note or so is x"),
        ("unit price is not 0..20", vec![2, 3, 4], "unit price is not 0 to 20"),
        ("reviewed or unit price < 0", vec![3], "reviewed or unit price is below 0"),
        ("not (label is lost or unit price > 20)", vec![0, 3], "not (label is lost or unit price is above 20)"),
    ] {
        // `or` is a part of a name here: whoever joins by it loses nothing by that.
        let clause = clause_of(words, &dataset).unwrap_or_else(|| panic!("{words} says nothing"));
        assert_eq!(rows(&dataset, &clause), found, "{words}");
        assert_eq!(clause.to_string(), said, "{words}");
        if !said.contains("more") {
            let again = clause_of(said, &dataset).unwrap_or_else(|| panic!("{said} says nothing"));
            assert_eq!((rows(&dataset, &again), again.to_string()), (found, said.to_owned()), "read back");
        }
    }
    for words in [
        "hello",
        "",
        "unit price",
        "unit price is",
        "nothing is lost",
        "card or text",
        "text words is many",
        "or",
        "text contains ",
    ] {
        assert_eq!(clause_of(words, &dataset), None, "{words:?} is a text to look for");
    }
}

#[test]
fn a_filter_is_kept_whole_and_a_list_of_samples_is_not() {
    let (_home, dataset) = table();
    let words = ["unit price > 5", "not text contains /a.b/", "label is lost or greeting or reviewed", "text words < 1e300"];
    let filter = Filter { clauses: words.iter().map(|words| clause_of(words, &dataset).unwrap()).collect() };
    assert_eq!(Filter::from_json(&filter.to_json().unwrap()), Some(filter.clone()));
    let list = Rule::Listed { title: "near copies".to_owned(), samples: Default::default() };
    let both = Filter { clauses: vec![Rule::Any(vec![list.into(), Rule::Edited.into()]).into()] };
    assert_eq!(both.to_json(), Err("near copies".to_owned()));
    assert_eq!(Filter::from_json("{\"clauses\":[{\"rule\":{\"later\":1}}]}"), None);
}

#[test]
fn clauses_are_joined_and_taken_apart() {
    let (_home, dataset) = table();
    let clause = |words: &str| clause_of(words, &dataset).unwrap();
    let mut filter = Filter { clauses: vec![clause("label is lost"), clause("text is empty"), clause("unit price > 20")] };
    filter.join(0, 2);
    assert_eq!(
        filter.clauses.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["label is lost or unit price is above 20", "text is empty"]
    );
    assert_eq!(filter.apply(&dataset, &Progress::silent()).unwrap().len(), 1);
    filter.join(0, 1);
    filter.part(0);
    assert_eq!(filter.clauses.len(), 3);
    filter.join(1, 1);
    filter.join(0, 9);
    assert_eq!(filter.clauses.len(), 3, "nothing is joined with itself, or with what is not there");
    assert!(matches!(clause("unit price > 20").rule, Rule::Between { measure: Measure::Value, high: f64::MAX, .. }));
}
