use crate::table::Tables;

/// Parts of some LLMs, none of which correlates with another as far as the scores show. Largest part first, of equal ones that with the first
/// LLM.
///
/// ```text
/// z(A, B) = c_A . c_B / sigma      c_A: sum of the columns of the LLMs in A, in the order found;  sigma^2 = sum over tasks of |c_A|^2 |c_B|^2 / (n - 1)
/// ```
///
/// Begins with every LLM by itself and joins the two parts of the largest z, until it is below `least_z`. Where one part is left, *any* split of the
/// LLMs in two has LLMs on one side whose rows go with those of LLMs on the other: the first join across the split was of two such sets.
/// Each LLM fitting the others is not enough for that. Where half of the columns are shifted by a row, every LLM fits its own half.
pub(crate) fn parts(
    tables: &Tables,
    found: &[usize],
    models: &[usize],
    least_z: f64,
) -> Vec<Vec<usize>> {
    let mut parts: Vec<Vec<usize>> = models.iter().map(|&model| vec![model]).collect();
    loop {
        let pairs = (0..parts.len()).flat_map(|b| (0..b).map(move |a| (a, b)));
        let best = pairs
            .map(|(a, b)| (z(tables, found, &parts[a], &parts[b]), a, b))
            // NaN, where nothing varies, comes first and so is taken only if there is nothing else.
            .max_by(|x, y| x.0.max(f64::MIN).total_cmp(&y.0.max(f64::MIN)));
        match best {
            Some((z, a, b)) if z >= least_z => {
                let joined = parts.remove(b);
                parts[a].extend(joined);
                parts[a].sort_unstable();
            }
            _ => break,
        }
    }
    parts.sort_by_key(|part| (usize::MAX - part.len(), part[0]));
    parts
}

fn z(tables: &Tables, found: &[usize], a: &[usize], b: &[usize]) -> f64 {
    let product: f64 = a
        .iter()
        .flat_map(|&i| b.iter().map(move |&j| (i, j)))
        .map(|(i, j)| tables.total.get((i, found[i]), (j, found[j])))
        .sum();
    let tasks = tables.tasks.iter().filter(|task| task.n_rows > 1);
    let variance: f64 = tasks
        .map(|task| {
            let squares = [a, b].map(|part| task.pairs.squared_length(part, found));
            squares[0] * squares[1] / (task.n_rows - 1) as f64
        })
        .sum();
    product / variance.sqrt()
}
