use std::ops::Range;

/// A row that may be among the nearest, with the similarity that a back end computed for it.
///
/// Both stand in one integer, which orders by falling similarity and then by row number: comparing candidates is most of what choosing the
/// nearest costs, and integers are compared without a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Candidate(u64);

impl Candidate {
    pub(super) fn new(similarity: f32, row: u32) -> Self {
        let bits = similarity.to_bits();
        // IEEE 754's total order as an order of unsigned integers: negative numbers turned over, positive ones above them.
        let ascending = if similarity.is_sign_negative() {
            !bits
        } else {
            bits | SIGN
        };
        Self(u64::from(!ascending) << 32 | u64::from(row))
    }

    fn similarity(self) -> f32 {
        let ascending = !((self.0 >> 32) as u32);
        f32::from_bits(if ascending & SIGN == 0 {
            !ascending
        } else {
            ascending & !SIGN
        })
    }

    fn row(self) -> u32 {
        self.0 as u32
    }
}

/// The sign bit of a float32.
const SIGN: u32 = 1 << 31;

/// What a search looks for.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// The ks, ascending.
    ks: Vec<usize>,
    /// Most that a back end's similarity is off the one that decides.
    error: f32,
}

impl Wanted {
    /// For similarities of unit vectors summed in float32.
    ///
    /// ```text
    /// error = 2^-24 * (4 * sqrt(dim) + 8)
    /// ```
    ///
    /// Each of the `dim` additions rounds a partial sum of at most 1 by at most 2^-24; the roundings are as good as independent, so
    /// their sum has a deviation of at most 2^-24 * sqrt(dim / 3), of which this is seven.
    pub(super) fn new(ks: &[usize], dim: usize) -> Self {
        let error = (4.0 * (dim as f32).sqrt() + 8.0) * f32::EPSILON / 2.0;
        Self {
            ks: ks.to_vec(),
            error,
        }
    }

    /// The same where each value of a row was rounded so many times more by at most 2^-24: for unit vectors the sum is off by at most as much.
    pub(super) fn rounded(mut self, n_times: f32) -> Self {
        self.error += n_times * f32::EPSILON / 2.0;
        self
    }

    pub(super) fn k_max(&self) -> usize {
        *self.ks.last().expect("a search has at least one k")
    }

    /// Half of the similarities between which two candidates cannot be told apart.
    pub(super) fn error(&self) -> f32 {
        self.error
    }

    /// Candidates that are gathered before the worst are thrown away: throwing away costs time in proportion, and memory is bounded.
    fn capacity(&self) -> usize {
        2 * self.k_max().max(32)
    }
}

/// The candidates of one query.
#[derive(Debug)]
pub(super) struct Candidates {
    found: Vec<Candidate>,
    threshold: f32,
}

impl Candidates {
    pub(super) fn new() -> Self {
        Self {
            found: Vec::new(),
            threshold: f32::NEG_INFINITY,
        }
    }

    /// What a similarity must reach for its row to be possibly among the nearest.
    pub(super) fn threshold(&self) -> f32 {
        self.threshold
    }

    /// The candidates themselves.
    pub(super) fn into_found(self) -> Vec<Candidate> {
        self.found
    }

    /// Takes a candidate. `decide` gives the similarity that decides, for a row.
    pub(super) fn push(
        &mut self,
        candidate: Candidate,
        wanted: &Wanted,
        decide: impl Fn(u32) -> f64,
    ) {
        if self.found.capacity() == 0 {
            self.found.reserve_exact(wanted.capacity());
        }
        self.found.push(candidate);
        if self.found.len() == wanted.capacity() {
            self.throw_away(wanted, decide);
        }
    }

    /// Keeps the `k_max` best and those that cannot be told apart from the last of them.
    ///
    /// A row whose deciding similarity is among the best k has at least the k-th best deciding similarity, which is at least the k-th
    /// best candidate's minus `error`; so its own candidate's is at least the k-th best candidate's minus twice `error`.
    fn throw_away(&mut self, wanted: &Wanted, decide: impl Fn(u32) -> f64) {
        let k = wanted.k_max();
        if self.found.len() <= k {
            return;
        }
        let (_, kth, _) = self.found.select_nth_unstable(k - 1);
        let kth = kth.similarity();
        self.threshold = kth - 2.0 * wanted.error;
        self.found
            .retain(|candidate| candidate.similarity() >= self.threshold);
        if self.found.len() - k >= (wanted.capacity() - k) / 2 {
            // Many rows are as good as equal: duplicates, or all vectors zero. Settle now, or the list would grow without bound.
            let first_open = partition(&mut self.found, |candidate| {
                candidate.similarity() > kth + 2.0 * wanted.error
            });
            settle(&mut self.found[first_open..], decide);
            self.found.truncate(k);
        }
    }

    /// The row numbers in segments, as [`super::NeighborLists`] has them.
    pub(super) fn finish(mut self, wanted: &Wanted, decide: impl Fn(u32) -> f64) -> Vec<u32> {
        self.throw_away(wanted, &decide);
        self.found.sort_unstable();
        for open in open_ranges(&self.found, wanted) {
            settle(&mut self.found[open], &decide);
        }
        let mut rows: Vec<u32> = self.found[..wanted.k_max()]
            .iter()
            .map(|candidate| candidate.row())
            .collect();
        let mut start = 0;
        for &end in &wanted.ks {
            rows[start..end].sort_unstable();
            start = end;
        }
        rows
    }
}

/// Around each k, the candidates that cannot be told apart from the k-th, where some stand on either side.
fn open_ranges(sorted: &[Candidate], wanted: &Wanted) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for &k in &wanted.ks {
        let kth = sorted[k - 1].similarity();
        let end = k + sorted[k..]
            .partition_point(|candidate| candidate.similarity() >= kth - 2.0 * wanted.error);
        if end == k {
            continue;
        }
        let start = sorted[..k]
            .partition_point(|candidate| candidate.similarity() > kth + 2.0 * wanted.error);
        match ranges.last_mut() {
            Some(last) if start < last.end => last.end = end.max(last.end),
            _ => ranges.push(start..end),
        }
    }
    ranges
}

/// Orders candidates by the rule: the similarity that decides, then the row number.
fn settle(candidates: &mut [Candidate], decide: impl Fn(u32) -> f64) {
    let mut decided: Vec<(f64, Candidate)> = candidates
        .iter()
        .map(|&candidate| (decide(candidate.row()), candidate))
        .collect();
    decided.sort_unstable_by(|(a, left), (b, right)| {
        b.total_cmp(a).then(left.row().cmp(&right.row()))
    });
    for (place, (_, candidate)) in candidates.iter_mut().zip(decided) {
        *place = candidate;
    }
}

/// Moves the candidates that satisfy `is_first` to the front and returns how many there are.
fn partition(candidates: &mut [Candidate], is_first: impl Fn(&Candidate) -> bool) -> usize {
    let mut n_first = 0;
    for i in 0..candidates.len() {
        if is_first(&candidates[i]) {
            candidates.swap(i, n_first);
            n_first += 1;
        }
    }
    n_first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_order_by_falling_similarity_and_rising_row() {
        let ordered = [
            (1.0, 9),
            (0.5, 0),
            (0.5, 3),
            (f32::MIN_POSITIVE, 1),
            (0.0, 7),
            (-0.25, 2),
            (-1.0, 0),
        ];
        let candidates = ordered.map(|(similarity, row)| Candidate::new(similarity, row));
        assert!(candidates.is_sorted());
        assert_eq!(
            candidates.map(|candidate| (candidate.similarity(), candidate.row())),
            ordered
        );
    }
}
