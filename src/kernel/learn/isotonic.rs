//! Isotonic regression by pooling adjacent violators, as scikit-learn has it: a rising line of steps with straight ones between, and nothing beyond its ends.

/// What was fitted: places, ascending, and the value at each.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Isotonic {
    places: Vec<f64>,
    values: Vec<f64>,
}

impl Isotonic {
    /// Fits values that rise with the place; equal places are one with the mean of theirs. Pairs that are no numbers are left out.
    pub fn of(places: &[f64], values: &[f64]) -> Self {
        let mut pairs: Vec<(f64, f64)> =
            places.iter().copied().zip(values.iter().copied()).filter(|(x, y)| x.is_finite() && y.is_finite()).collect();
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        // Equal places first, in double precision as they are.
        let mut own: Vec<(f64, f64, f64)> = Vec::new();
        for (x, y) in pairs {
            match own.last_mut() {
                Some((at, sum, n)) if *at == x => (*sum, *n) = (*sum + y, *n + 1.0),
                _ => own.push((x, y, 1.0)),
            }
        }
        // Blocks: sum, weight, how many places.
        let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
        for (_, sum, n) in &own {
            blocks.push((*sum, *n, 1));
            while let [.., a, b] = blocks.as_slice() {
                if a.0 / a.1 < b.0 / b.1 {
                    break;
                }
                let joined = (a.0 + b.0, a.1 + b.1, a.2 + b.2);
                blocks.truncate(blocks.len() - 2);
                blocks.push(joined);
            }
        }
        let fitted: Vec<f64> = blocks.iter().flat_map(|(sum, n, places)| std::iter::repeat_n(sum / n, *places)).collect();
        // Of a flat stretch its ends are enough.
        let ends = |at: &usize| {
            let inner = *at > 0 && *at + 1 < fitted.len();
            !(inner && fitted[at - 1] == fitted[*at] && fitted[at + 1] == fitted[*at])
        };
        let kept: Vec<usize> = (0..fitted.len()).filter(ends).collect();
        Self { places: kept.iter().map(|at| own[*at].0).collect(), values: kept.iter().map(|at| fitted[*at]).collect() }
    }

    /// Whether nothing was fitted.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The value at a place: at the nearest end beyond them; no number where nothing was fitted.
    pub fn at(&self, place: f64) -> f64 {
        let (Some(first), Some(last)) = (self.places.first(), self.places.last()) else { return f64::NAN };
        let place = place.clamp(*first, *last);
        let next = self.places.partition_point(|own| *own < place);
        if next == 0 || self.places[next] == place {
            return self.values[next];
        }
        let (x, y) = ((self.places[next - 1], self.places[next]), (self.values[next - 1], self.values[next]));
        y.0 + (y.1 - y.0) * (place - x.0) / (x.1 - x.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_falls_is_pooled_and_between_places_it_is_straight() {
        let fit = Isotonic::of(&[1.0, 2.0, 3.0, 4.0], &[1.0, 3.0, 2.0, 4.0]);
        assert_eq!([1.0, 2.0, 2.5, 3.0, 3.5, 9.0, -1.0].map(|x| fit.at(x)), [1.0, 2.5, 2.5, 2.5, 3.25, 4.0, 1.0]);
        assert_eq!(Isotonic::of(&[1.0, 1.0], &[0.0, 1.0]).at(7.0), 0.5);
        assert!(Isotonic::of(&[f64::NAN], &[1.0]).is_empty() && Isotonic::default().at(0.5).is_nan());
    }
}
