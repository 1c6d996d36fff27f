use crate::{Error, Result, UnitRows};

/// For each row the first row that it stays together with: rows of one given group, rows with equal embeddings, and rows that are linked through
/// others. `None` where every row is by itself.
///
/// Equal embeddings are copies of one prompt to a learner, so that a fold that holds one of them is not unseen by a fit to the others.
///
/// # Errors
/// [`Error::Shape`] when there is not one group per row.
pub(crate) fn row_groups(rows: &UnitRows, given: Option<&[usize]>) -> Result<Option<Vec<usize>>> {
    let n_rows = rows.n_rows();
    let mut first: Vec<usize> = (0..n_rows).collect();
    let mut order: Vec<usize> = (0..n_rows).collect();
    // -0 and 0 are equal, and no value is NaN.
    order.sort_by(|&a, &b| {
        let (a, b) = (rows.row(a).iter(), rows.row(b).iter());
        a.partial_cmp(b).expect("unit rows are finite")
    });
    for pair in order.windows(2) {
        if rows.row(pair[0]) == rows.row(pair[1]) {
            join(&mut first, pair[0], pair[1]);
        }
    }
    if let Some(given) = given {
        if given.len() != n_rows {
            return Err(Error::Shape {
                what: "group",
                expected: (n_rows, 1),
                found: (given.len(), 1),
            });
        }
        order.sort_by_key(|&row| given[row]);
        for pair in order.windows(2) {
            if given[pair[0]] == given[pair[1]] {
                join(&mut first, pair[0], pair[1]);
            }
        }
    }
    for row in 0..n_rows {
        first[row] = root(&mut first, row);
    }
    let alone = first.iter().enumerate().all(|(row, &first)| row == first);
    Ok((!alone).then_some(first))
}

fn join(first: &mut [usize], a: usize, b: usize) {
    let (a, b) = (root(first, a), root(first, b));
    first[a.max(b)] = a.min(b);
}

fn root(first: &mut [usize], mut row: usize) -> usize {
    while first[row] != row {
        // Every second step is skipped from now on, which keeps paths short.
        first[row] = first[first[row]];
        row = first[row];
    }
    row
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn rows_are_together_by_vector_and_by_group() {
        let rows = array![
            [0.0_f32, 1.0],
            [3.0, 4.0],
            [-0.0, 2.0],
            [1.0, 0.0],
            [3.0, 4.0]
        ];
        let rows = UnitRows::new(rows).expect("finite");
        let groups = |given| row_groups(&rows, given).expect("one per row");
        // Vectors that are equal once they have length 1.
        assert_eq!(groups(None), Some(vec![0, 1, 0, 3, 1]));
        // Row 3 is with row 2, which equals row 0.
        let given = [5, 6, 9, 9, 2];
        assert_eq!(groups(Some(&given)), Some(vec![0, 1, 0, 0, 1]));
        assert!(row_groups(&rows, Some(&[1, 2])).is_err());
        let distinct = UnitRows::new(array![[0.0_f32, 1.0], [1.0, 0.0]]).expect("finite");
        assert_eq!(row_groups(&distinct, Some(&[4, 2])).expect("two"), None);
        let together = row_groups(&distinct, Some(&[4, 4])).expect("two");
        assert_eq!(together, Some(vec![0, 0]));
    }
}
