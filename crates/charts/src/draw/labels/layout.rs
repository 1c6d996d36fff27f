//! What is asked of the search for labels, and what it answers.

use crate::draw::geometry::{Point, Rect, Segment};

/// A marker that wants a label.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request {
    pub(crate) marker: Point,
    /// Half the marker's width.
    pub(crate) radius: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// Whether this label has priority where there is no room for all.
    pub(crate) is_first: bool,
}

/// What labels must not cover, besides the markers of the requests.
#[derive(Debug, Clone, Default)]
pub(crate) struct Obstacles {
    pub(crate) rects: Vec<Rect>,
    pub(crate) segments: Vec<Segment>,
}

/// The place of one label.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Placement {
    pub(crate) rect: Rect,
    /// From the marker's rim to the label, where the label does not sit next to its marker.
    pub(crate) leader: Option<Segment>,
}

impl Placement {
    /// A box around label and leader: placements whose boxes are apart have nothing to do with each other.
    pub(super) fn bounds(&self) -> Rect {
        let bounds = self.rect.grown(CLEARANCE);
        self.leader
            .map_or(bounds, |leader| bounds.around_both(leader.bounds()))
    }
}

/// All placements in the order of the requests, with what they cost in all: the less, the better readable.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Layout {
    pub(crate) placements: Vec<Option<Placement>>,
    pub(crate) cost: f64,
    /// How many pairs of labels the search looked at: what it takes, whatever the machine.
    pub(crate) n_pairs: u64,
}

impl Layout {
    /// The labels without a place.
    pub(crate) fn unplaced(&self) -> Vec<usize> {
        let placements = self.placements.iter().enumerate();
        let unplaced = placements.filter(|(_, placement)| placement.is_none());
        unplaced.map(|(i, _)| i).collect()
    }
}

/// Free space around a label.
pub(super) const CLEARANCE: f64 = 1.2;
