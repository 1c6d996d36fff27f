use std::{cmp::Reverse, collections::BinaryHeap};

use ndarray::Array2;
use rayon::iter::{IndexedParallelIterator as _, ParallelIterator as _};

use super::graph::Graph;
use crate::products;

/// Lengths of the shortest paths between all points of a graph that hangs together, of shape `(n, n)`: Dijkstra's algorithm from each point.
pub(super) fn all(graph: &Graph) -> Array2<f64> {
    let n = graph.n_points();
    let mut lengths = Array2::from_elem((n, n), f64::INFINITY);
    products::rows_mut(&mut lengths).enumerate().for_each_init(
        BinaryHeap::new,
        |heap, (source, lengths)| {
            shortest_from(source, graph, lengths, heap);
        },
    );
    // A path and its way back are summed in opposite order and may differ in the last bit.
    products::mirror(&mut lengths);
    lengths
}

/// Fills `lengths`, all infinite at first. The heap is empty before and after.
fn shortest_from(
    source: usize,
    graph: &Graph,
    lengths: &mut [f64],
    heap: &mut BinaryHeap<Reverse<(u64, usize)>>,
) {
    lengths[source] = 0.0;
    // Lengths are never negative, so their bits stand in the order of their values.
    heap.push(Reverse((0.0_f64.to_bits(), source)));
    while let Some(Reverse((bits, point))) = heap.pop() {
        let length = f64::from_bits(bits);
        if length > lengths[point] {
            continue;
        }
        for neighbor in graph.neighbors(point) {
            let through = length + neighbor.distance;
            if through < lengths[neighbor.point] {
                lengths[neighbor.point] = through;
                heap.push(Reverse((through.to_bits(), neighbor.point)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::isomap::{graph, neighbors::Distances};

    #[test]
    fn paths_follow_the_links() {
        // A horseshoe: its ends are 2 apart and 6 along the links; two points stand in one place.
        let points = array![[0.0, 0.0], [0.0, 2.0], [2.0, 2.0], [2.0, 0.0], [2.0, 0.0]];
        let (graph, n_parts) = graph::link(&Distances::new(points), 1);
        // Each point's one nearest: 0-1, 1-0, 2-1, 3-4, 4-3; then the pair by its closest point.
        assert_eq!(n_parts, 2);
        let expected = array![
            [0.0, 2.0, 4.0, 2.0, 2.0],
            [2.0, 0.0, 2.0, 4.0, 4.0],
            [4.0, 2.0, 0.0, 6.0, 6.0],
            [2.0, 4.0, 6.0, 0.0, 0.0],
            [2.0, 4.0, 6.0, 0.0, 0.0]
        ];
        assert_eq!(all(&graph), expected);
    }
}
