use std::cmp::Reverse;

/// Tokens of one batch on one core of a CPU: enough that weights are read from memory seldom, and few enough that what a layer computes of them
/// stays in the core's cache.
pub(crate) const TOKENS_PER_BATCH: usize = 256;
/// The same in bfloat16, where what is computed takes half the room, and weights take a larger share of the time.
pub(crate) const TOKENS_PER_BATCH_BF16: usize = 512;

/// Groups texts of like length: positions of texts, batch by batch, the longest first.
///
/// A batch holds as many texts as keep its tokens, all texts padded to its longest one, within `max_tokens_per_batch`, and at least one. Empty texts are in none.
/// Cost: one sort.
pub fn batches(lengths: &[usize], max_tokens_per_batch: usize) -> Vec<Vec<usize>> {
    let mut rows: Vec<usize> = (0..lengths.len()).filter(|row| lengths[*row] > 0).collect();
    rows.sort_by_key(|row| Reverse(lengths[*row]));
    let mut batches: Vec<Vec<usize>> = Vec::new();
    for row in rows {
        match batches.last_mut() {
            // The first text of a batch is its longest.
            Some(batch) if (batch.len() + 1) * lengths[batch[0]] <= max_tokens_per_batch => {
                batch.push(row);
            }
            _ => batches.push(vec![row]),
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_go_by_length() {
        for (lengths, max, expected) in [
            (&[][..], 10, vec![]),
            (&[0, 0], 10, vec![]),
            (&[3], 10, vec![vec![0]]),
            (&[3, 5, 4, 1], 10, vec![vec![1, 2], vec![0, 3]]),
            (&[2, 2, 2], 4, vec![vec![0, 1], vec![2]]),
            // Longer than a batch may be, and alone in one.
            (&[1, 20, 0, 1], 10, vec![vec![1], vec![0, 3]]),
        ] {
            assert_eq!(batches(lengths, max), expected, "{lengths:?}");
        }
    }
}
