use std::collections::HashMap;

use ndarray::ArrayView2;

/// Outputs that are known in the same rows, and so share a Gram matrix, or a neighbor search.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    /// The rows, ascending; `None` for all.
    pub(crate) known: Option<Vec<usize>>,
    /// The outputs, ascending.
    pub(crate) outputs: Vec<usize>,
}

/// Groups outputs by the rows in which they are known (not NaN), in the order of each group's first output. An output that is known nowhere is in
/// no group.
pub(crate) fn patterns(values: ArrayView2<'_, f32>) -> Vec<Pattern> {
    let mut found: Vec<Pattern> = Vec::new();
    let mut group_of: HashMap<Vec<usize>, usize> = HashMap::new();
    for (output, column) in values.columns().into_iter().enumerate() {
        let known: Vec<usize> = (0..column.len())
            .filter(|&row| !column[row].is_nan())
            .collect();
        if known.is_empty() {
            continue;
        }
        let is_complete = known.len() == column.len();
        let group = *group_of.entry(known).or_insert_with_key(|known| {
            found.push(Pattern {
                known: (!is_complete).then(|| known.clone()),
                outputs: Vec::new(),
            });
            found.len() - 1
        });
        found[group].outputs.push(output);
    }
    found
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn outputs_known_in_the_same_rows_are_together() {
        let nan = f32::NAN;
        let values = array![
            [1.0, nan, 1.0, nan, nan, 0.0],
            [2.0, 1.0, 0.0, nan, 5.0, 0.0]
        ];
        let pattern = |known: Option<&[usize]>, outputs: &[usize]| Pattern {
            known: known.map(<[usize]>::to_vec),
            outputs: outputs.to_vec(),
        };
        assert_eq!(
            patterns(values.view()),
            [pattern(None, &[0, 2, 5]), pattern(Some(&[1]), &[1, 4])]
        );
    }
}
