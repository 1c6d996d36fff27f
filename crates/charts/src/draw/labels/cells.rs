//! Where things are, by the cells of a grid: who looks for what is near asks a few cells, and not all things.

use crate::draw::geometry::{Point, Rect};

/// Width and height of a cell, in points: about that of a short label.
const CELL: f64 = 14.0;
const BITS: usize = u64::BITS as usize;

/// A grid over a box, with a set of things in each cell. What lies outside counts to the nearest cell.
#[derive(Debug, Clone)]
pub(super) struct Cells {
    corner: Point,
    n_columns: usize,
    n_rows: usize,
    n_words: usize,
    /// A set after the other, row by row; thing `i` is bit `i`.
    sets: Vec<u64>,
}

impl Cells {
    /// An empty grid over `area` for things with numbers below `n_things`.
    pub(super) fn new(area: Rect, n_things: usize) -> Self {
        let n_cells = |length: f64| (length / CELL).ceil().clamp(1.0, 1_000.0) as usize;
        let (n_columns, n_rows) = (n_cells(area.width()), n_cells(area.height()));
        let n_words = n_things.div_ceil(BITS);
        Self {
            corner: Point::new(area.left, area.top),
            n_columns,
            n_rows,
            n_words,
            sets: vec![0; n_columns * n_rows * n_words],
        }
    }

    /// Puts a thing into all cells that `bounds` touches.
    pub(super) fn add(&mut self, thing: usize, bounds: Rect) {
        self.each(bounds, |set| set[thing / BITS] |= 1 << (thing % BITS));
    }

    /// Takes it out again; `bounds` are those that it was added with.
    pub(super) fn remove(&mut self, thing: usize, bounds: Rect) {
        self.each(bounds, |set| set[thing / BITS] &= !(1 << (thing % BITS)));
    }

    fn each(&mut self, bounds: Rect, change: impl Fn(&mut [u64])) {
        let (columns, rows) = self.cells(bounds);
        for row in rows.0..=rows.1 {
            for column in columns.0..=columns.1 {
                let start = (row * self.n_columns + column) * self.n_words;
                change(&mut self.sets[start..start + self.n_words]);
            }
        }
    }

    /// All things in the cells that `bounds` touches, each once and in order: whatever touches it, and some that do not.
    pub(super) fn near(&self, bounds: Rect) -> impl Iterator<Item = usize> {
        let (columns, rows) = self.cells(bounds);
        (0..self.n_words).flat_map(move |word| {
            let mut set = 0;
            for row in rows.0..=rows.1 {
                for column in columns.0..=columns.1 {
                    set |= self.sets[(row * self.n_columns + column) * self.n_words + word];
                }
            }
            Bits { set }.map(move |bit| word * BITS + bit)
        })
    }

    /// The first and the last column and row that a box touches.
    fn cells(&self, bounds: Rect) -> ((usize, usize), (usize, usize)) {
        // A cast of a negative number or of NaN gives 0.
        let cell = |at: f64, n: usize| ((at / CELL) as usize).min(n - 1);
        let column = |x: f64| cell(x - self.corner.x, self.n_columns);
        let row = |y: f64| cell(y - self.corner.y, self.n_rows);
        (
            (column(bounds.left), column(bounds.right)),
            (row(bounds.top), row(bounds.bottom)),
        )
    }
}

/// The positions of the bits that are set.
struct Bits {
    set: u64,
}

impl Iterator for Bits {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let bit = self.set.trailing_zeros() as usize;
        if bit == BITS {
            return None;
        }
        self.set &= self.set - 1;
        Some(bit)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_touches_is_found_once(
            boxes in proptest::collection::vec((-50.0_f64..300.0, -50.0_f64..300.0, 0.0_f64..90.0, 0.0_f64..90.0), 1..150),
        ) {
            let boxes: Vec<Rect> = boxes.iter().map(|&(x, y, w, h)| Rect::new(x, y, w, h)).collect();
            let mut cells = Cells::new(Rect::new(0.0, 0.0, 250.0, 230.0), boxes.len());
            for (i, &bounds) in boxes.iter().enumerate() {
                cells.add(i, bounds);
            }
            cells.remove(0, boxes[0]);
            for &bounds in &boxes {
                let near: Vec<usize> = cells.near(bounds).collect();
                prop_assert!(near.windows(2).all(|pair| pair[0] < pair[1]) && !near.contains(&0));
                for (i, other) in boxes.iter().enumerate().skip(1) {
                    prop_assert!(!other.overlaps(bounds) || near.contains(&i), "{i}");
                }
            }
        }
    }
}
