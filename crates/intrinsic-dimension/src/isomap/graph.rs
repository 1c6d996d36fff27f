use super::neighbors::{Distances, Neighbor};

/// An undirected graph: the neighbors of each point, each link at both of its ends.
pub(super) struct Graph(Vec<Vec<Neighbor>>);

impl Graph {
    pub(super) fn n_points(&self) -> usize {
        self.0.len()
    }

    pub(super) fn neighbors(&self, point: usize) -> &[Neighbor] {
        &self.0[point]
    }

    fn add(&mut self, i: usize, neighbor: Neighbor) {
        let j = neighbor.point;
        if !self.0[i].iter().any(|known| known.point == j) {
            self.0[i].push(neighbor);
            let distance = neighbor.distance;
            self.0[j].push(Neighbor { point: i, distance });
        }
    }

    /// The points of each part that hangs together, ascending; parts by their first point.
    fn parts(&self) -> Vec<Vec<usize>> {
        let mut is_seen = vec![false; self.n_points()];
        let mut parts = Vec::new();
        for first in 0..self.n_points() {
            if std::mem::replace(&mut is_seen[first], true) {
                continue;
            }
            let mut part = vec![first];
            let mut n_followed = 0;
            while let Some(&point) = part.get(n_followed) {
                n_followed += 1;
                for neighbor in self.neighbors(point) {
                    if !std::mem::replace(&mut is_seen[neighbor.point], true) {
                        part.push(neighbor.point);
                    }
                }
            }
            part.sort_unstable();
            parts.push(part);
        }
        parts
    }
}

/// Links each point with its nearest neighbors, then every two parts that do not hang together by their closest pair of points, as
/// scikit-learn does (`_fix_connected_components`, 1.9.1). Returns how many parts there were.
pub(super) fn link(distances: &Distances, n_neighbors: usize) -> (Graph, usize) {
    let mut graph = Graph(vec![Vec::new(); distances.n_points()]);
    for (i, neighbors) in distances.nearest(n_neighbors).into_iter().enumerate() {
        for neighbor in neighbors {
            graph.add(i, neighbor);
        }
    }
    let parts = graph.parts();
    for (i, part) in parts.iter().enumerate() {
        for earlier in &parts[..i] {
            let (point, neighbor) = distances.closest(part, earlier);
            graph.add(point, neighbor);
        }
    }
    (graph, parts.len())
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn parts_are_linked_by_their_closest_points() {
        // Three pairs on a line: 0 and 1, 10 and 11, 13 and 14, out of order.
        let distances = Distances::new(array![[10.0], [0.0], [13.0], [1.0], [14.0], [11.0]]);
        let (graph, n_parts) = link(&distances, 1);
        assert_eq!(n_parts, 3);
        let mut links = Vec::new();
        for i in 0..graph.n_points() {
            for neighbor in graph.neighbors(i).iter().filter(|n| n.point > i) {
                links.push((i, neighbor.point, neighbor.distance));
            }
        }
        links.sort_unstable_by_key(|&(i, j, _)| (i, j));
        let expected = [
            (0, 3, 9.0),
            (0, 5, 1.0),
            (1, 3, 1.0),
            (2, 3, 12.0),
            (2, 4, 1.0),
            (2, 5, 2.0),
        ];
        assert_eq!(links, expected);
        assert_eq!(graph.parts().len(), 1);
    }
}
