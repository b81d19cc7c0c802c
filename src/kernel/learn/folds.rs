//! Stratified folds: every class is spread over the folds as evenly as can be, so that each model sees every class.

use crate::chance::Deal;

/// Which fold, `0..folds`, each row is held out in. Rows of a class are shuffled with `seed`, then dealt round; the first fold
/// dealt to moves on from class to class, so that the folds are of one size, give or take one.
pub fn stratified(labels: &[u32], classes: usize, folds: usize, seed: u64) -> Vec<u8> {
    let mut members: Vec<Vec<u32>> = vec![Vec::new(); classes];
    for (row, label) in labels.iter().enumerate() {
        if let Some(list) = members.get_mut(*label as usize) {
            list.push(row as u32);
        }
    }
    let mut deal = Deal::new(seed);
    let mut fold_of = vec![0u8; labels.len()];
    let mut next = 0;
    for list in &mut members {
        deal.shuffle(list);
        for row in list.iter() {
            fold_of[*row as usize] = (next % folds) as u8;
            next += 1;
        }
    }
    fold_of
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_is_spread_evenly() {
        let labels: Vec<u32> = (0..1_003).map(|row| [0, 0, 0, 1, 2][row % 5]).collect();
        let folds = stratified(&labels, 3, 5, 7);
        for class in 0..3 {
            let mut counts = [0usize; 5];
            for (label, fold) in labels.iter().zip(&folds).filter(|(label, _)| **label == class) {
                assert_eq!(*label, class);
                counts[usize::from(*fold)] += 1;
            }
            assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1, "{counts:?}");
        }
        assert_eq!(folds, stratified(&labels, 3, 5, 7));
        assert_ne!(folds, stratified(&labels, 3, 5, 8));
    }
}
