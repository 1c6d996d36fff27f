//! The names of LLMs beside their markers, with the legend at the place that leaves them most room.

use std::slice;

use super::{drawing::Drawing, scene::Scene};
use crate::{
    draw::{
        canvas::{Canvas, Pen},
        geometry::{Point, Rect},
        key::Key,
        labels::{CROWD, Effort, Labeling, Layout, Obstacles, Request},
        shorten,
        style::Style,
        text::{ASCENT, Anchor, DESCENT, text, text_width},
        theme,
    },
    error::Result,
};

/// From this share of names without room on, LLMs get numbers.
const MANY_UNPLACED: f64 = 0.2;

/// The texts beside the markers of one frame, and the key below it.
pub(super) struct Names {
    texts: Vec<String>,
    layout: Layout,
    key: Key,
}

impl Names {
    /// Names the LLMs of a drawing, with the legend at the best of its places. Each place has a cost of its own; `None` is below the frame.
    ///
    /// # Errors
    /// When the font is broken.
    pub(super) fn new(
        scene: &Scene,
        drawing: &Drawing,
        places: &[(Option<Rect>, f64)],
        style: &Style,
    ) -> Result<(Option<Rect>, Self)> {
        let placing = Placing {
            scene,
            drawing,
            font_size: style.label_pt,
        };
        let models: Vec<&str> = scene.models.iter().map(|model| &*model.name).collect();
        let names = shorten::model_labels(&models);
        let mut texts = names.clone();
        let mut key = Key::default();
        // In a crowd the legend is one more thing in the way, wherever it stands.
        let places = match places {
            [.., below] if texts.len() > CROWD => slice::from_ref(below),
            places => places,
        };
        // The legend and the names compete for the same room, so each place of the legend is tried with all names, quickly, and only the
        // best one thoroughly.
        let is_first = |i: usize| scene.models[i].is_named_first;
        let (mut rect, mut layout) = (None, None);
        // LLMs without room for a name get a number, which needs less; the key below says whose it is.
        let mut unplaced: Vec<usize> = if placing.is_hopeless(&texts)? {
            (0..texts.len()).filter(|&i| !is_first(i)).collect()
        } else {
            let (place, with_names) = placing.place_with_legend(&texts, places)?;
            let unplaced = with_names.unplaced();
            (rect, layout) = (place, Some(with_names));
            unplaced
        };
        if !unplaced.is_empty() {
            // Beside numbers, an LLM that is called `7` would pass for number 7.
            let is_number = |&i: &usize| texts[i].parse::<u64>().is_ok();
            unplaced.extend((0..texts.len()).filter(is_number));
            unplaced.sort_unstable();
            unplaced.dedup();
        }
        let layout = match layout {
            Some(layout) if unplaced.is_empty() => layout,
            Some(_) if unplaced.len() as f64 <= MANY_UNPLACED * texts.len() as f64 => {
                for i in unplaced {
                    texts[i] = key.add(i);
                }
                placing.place(&texts, rect)?
            }
            _ => {
                // A mixture of many numbers and some names would be a puzzle, but for the few names that matter.
                for (i, text) in texts.iter_mut().enumerate() {
                    if !is_first(i) || unplaced.contains(&i) {
                        *text = key.add(i);
                    }
                }
                let (place, with_numbers) = placing.place_with_legend(&texts, places)?;
                rect = place;
                with_numbers
            }
        };
        // A name that had room before the numbers came is in the key, too, if it has none now.
        for i in layout.unplaced() {
            if texts[i] == names[i] {
                key.add(i);
            }
        }
        key.lay_out(
            |i| names[i].clone(),
            |i| layout.placements[i].is_some(),
            drawing.frame.width(),
            style.label_pt,
        )?;
        Ok((rect, Self { texts, layout, key }))
    }

    /// In points; 0 without a key.
    pub(super) fn key_height(&self) -> f64 {
        self.key.height()
    }

    pub(super) fn draw_leaders(&self, canvas: &Canvas<'_>) -> Result<()> {
        let placed = self.layout.placements.iter().flatten();
        for leader in placed.filter_map(|placement| placement.leader) {
            let pen = Pen::solid(canvas.palette().leader, theme::LEADER_WIDTH);
            canvas.line(&[leader.from, leader.to], pen)?;
        }
        Ok(())
    }

    pub(super) fn draw(&self, canvas: &Canvas<'_>, style: &Style) -> Result<()> {
        for (label, placement) in self.texts.iter().zip(&self.layout.placements) {
            if let Some(placement) = placement {
                let baseline = placement.rect.top + ASCENT * style.label_pt;
                let line = text(label, style.label_pt, Anchor::Start);
                canvas.text(line, Point::new(placement.rect.left, baseline))?;
            }
        }
        Ok(())
    }

    pub(super) fn draw_key(&self, canvas: &Canvas<'_>, corner: Point) -> Result<()> {
        self.key.draw(canvas, corner)
    }
}

/// What names are placed by, besides their texts and the legend.
struct Placing<'a> {
    scene: &'a Scene,
    drawing: &'a Drawing,
    font_size: f64,
}

impl Placing<'_> {
    /// Whether names without markers, curves and distances would already leave too many without room.
    ///
    /// # Errors
    /// When the font is broken.
    fn is_hopeless(&self, texts: &[String]) -> Result<bool> {
        let requests = self.requests(texts)?;
        let mut areas: Vec<f64> = requests.iter().map(|it| it.width * it.height).collect();
        areas.sort_by(f64::total_cmp);
        let n_enough = ((1.0 - MANY_UNPLACED) * areas.len() as f64) as usize;
        let frame = self.drawing.frame;
        Ok(areas[..n_enough].iter().sum::<f64>() > frame.width() * frame.height())
    }

    /// Tries all places of the legend, each with its own cost, and labels the figure with the best one.
    ///
    /// # Errors
    /// When the font is broken.
    fn place_with_legend(
        &self,
        texts: &[String],
        places: &[(Option<Rect>, f64)],
    ) -> Result<(Option<Rect>, Layout)> {
        let requests = self.requests(texts)?;
        let labeling = self.labeling(&requests);
        let (mut best, mut least) = (None, f64::INFINITY);
        for &(place, extra) in places {
            // A single place needs no comparison.
            let cost = match places.len() {
                1 => 0.0,
                _ => extra + labeling.place(place, Effort::Quick).cost,
            };
            if cost < least {
                (best, least) = (place, cost);
            }
        }
        Ok((best, labeling.place(best, Effort::Thorough)))
    }

    /// Labels the figure with the legend at a given place.
    ///
    /// # Errors
    /// When the font is broken.
    fn place(&self, texts: &[String], legend: Option<Rect>) -> Result<Layout> {
        let requests = self.requests(texts)?;
        Ok(self.labeling(&requests).place(legend, Effort::Thorough))
    }

    fn requests(&self, texts: &[String]) -> Result<Vec<Request>> {
        let mut requests = Vec::with_capacity(texts.len());
        for (i, (text, &marker)) in texts.iter().zip(&self.drawing.markers).enumerate() {
            requests.push(Request {
                marker,
                radius: theme::MARKER_RADIUS,
                width: text_width(text, self.font_size)?,
                height: (ASCENT + DESCENT) * self.font_size,
                is_first: self.scene.models[i].is_named_first,
            });
        }
        Ok(requests)
    }

    fn labeling<'r>(&self, requests: &'r [Request]) -> Labeling<'r> {
        let obstacles = Obstacles {
            rects: self.drawing.covered_beside_models().collect(),
            segments: self.drawing.segments(),
        };
        Labeling::new(requests, self.drawing.frame, &obstacles)
    }
}
