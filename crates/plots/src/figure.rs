//! The accuracy-cost figure: from a scene in data units to a page.

use evaluation::Point as DataPoint;

use crate::{
    axes::{self, Axes, text},
    axis::Axis,
    canvas::{Anchor, Canvas, Pen},
    geometry::{Point, Rect, Segment, simplify},
    key::Key,
    labels::{Effort, Layout},
    legend::{Entry, Legend, Sample},
    marker::Shape,
    scales::{CostAxis, accuracy_axis, cost_axis, oracle_fits},
    scene::{Scene, SceneCurve},
    settings::Settings,
    theme,
};

mod placing;

use self::placing::{Placing, oracle_rect};

/// How far a drawn curve may be from the exact one, in points: a tenth of a pixel at 300 dots per inch is 0.024.
const CURVE_TOLERANCE: f64 = 0.05;
/// In how many pieces a mixture's line is bent on a logarithmic axis.
const MIXTURE_PIECES: u32 = 40;
/// What a legend below the frame costs, in the units of [`crate::labels`]: as much as a few long leader lines.
const COST_LEGEND_BELOW: f64 = 150.0;
/// From this share of names without room on, all LLMs get numbers.
const MANY_UNPLACED: f64 = 0.2;

/// A finished figure.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Figure {
    pub(crate) svg: String,
    /// For each curve of the scene, which of its points were drawn: the others lie on the line between these, as far as one can see.
    pub(crate) drawn_points: Vec<Vec<usize>>,
}

/// Draws a scene. The same scene and settings give the same bytes.
///
/// # Errors
/// When the font or the backend fails.
pub(crate) fn draw(scene: &Scene, settings: &Settings) -> anyhow::Result<Figure> {
    let plan = Plan::new(scene, settings)?;
    let svg = Canvas::svg(72.0 * settings.width_in, plan.page_height, |canvas| {
        plan.draw(canvas, scene, settings)
    })?;
    Ok(Figure {
        svg,
        drawn_points: plan.curves.into_iter().map(|curve| curve.kept).collect(),
    })
}

/// Where everything stands, in points.
struct Plan {
    page_height: f64,
    frame: Rect,
    costs: CostAxis,
    accuracy: Axis,
    curves: Vec<PlannedCurve>,
    markers: Vec<Point>,
    oracle: Option<Point>,
    legend: Legend,
    legend_rect: Rect,
    texts: Vec<String>,
    layout: Layout,
    key: Key,
    key_top: f64,
}

struct PlannedCurve {
    /// Which points of the curve are drawn.
    kept: Vec<usize>,
    line: Vec<Point>,
}

impl Plan {
    fn new(scene: &Scene, settings: &Settings) -> anyhow::Result<Self> {
        let shows_oracle = oracle_fits(scene, settings);
        let oracle = scene.oracle.filter(|_| shows_oracle);
        let costs = cost_axis(scene, oracle, settings);
        let accuracy = accuracy_axis(scene, oracle, settings);
        let page = Rect::new(
            0.0,
            0.0,
            72.0 * settings.width_in,
            72.0 * settings.height_in,
        );
        let frame = axes::frame(page, &costs.axis, &accuracy, settings)?;

        let place = |point: DataPoint| {
            Point::new(
                frame.left + frame.width() * costs.axis.position(costs.factor * point.cost_usd),
                frame.bottom - frame.height() * accuracy.position(point.accuracy),
            )
        };
        let curves: Vec<PlannedCurve> = scene
            .curves
            .iter()
            .map(|curve| plan_curve(curve, &costs.axis, place))
            .collect();
        let markers: Vec<Point> = scene
            .models
            .iter()
            .map(|model| place(model.point))
            .collect();
        let oracle = oracle.map(place);
        let segments: Vec<Segment> = curves
            .iter()
            .flat_map(|curve| {
                curve
                    .line
                    .windows(2)
                    .map(|pair| Segment::new(pair[0], pair[1]))
            })
            .collect();
        let marked: Vec<Rect> = (markers
            .iter()
            .map(|&marker| Rect::around(marker, theme::MARKER_RADIUS)))
        .chain(oracle.map(oracle_rect))
        .collect();

        let entries = legend_entries(scene, shows_oracle);
        let inside = Legend::new(entries.clone(), settings.legend_pt, 1)?;
        let below_axis = frame.bottom + axes::room_below(settings);
        let below = legend_below(entries, frame, settings)?;
        let places = inside.places(frame, &marked, &segments);
        let mut places: Vec<(Option<Rect>, f64)> = places
            .into_iter()
            .map(|(rect, cost)| (Some(rect), cost))
            .collect();
        places.push((None, COST_LEGEND_BELOW));

        let placing = Placing {
            markers: &markers,
            frame,
            oracle,
            segments: &segments,
            font_size: settings.label_pt,
        };
        let mut texts: Vec<String> = scene
            .models
            .iter()
            .map(|model| theme::short_name(&model.name))
            .collect();
        let mut key = Key::default();
        let (mut rect, mut layout) = placing.place_with_legend(&texts, &places)?;
        // LLMs without room for a name get a number, which needs less; the key below says whose it is.
        let unplaced: Vec<usize> = (0..texts.len())
            .filter(|&i| layout.placements[i].is_none())
            .collect();
        if unplaced.len() as f64 > MANY_UNPLACED * texts.len() as f64 {
            // A mixture of many numbers and some names would be a puzzle.
            texts = (0..texts.len()).map(|i| key.add(i)).collect();
            (rect, layout) = placing.place_with_legend(&texts, &places)?;
        } else if !unplaced.is_empty() {
            for i in unplaced {
                texts[i] = key.add(i);
            }
            layout = placing.place(&texts, rect, Effort::Thorough)?;
        }
        let name = |i: usize| theme::short_name(&scene.models[i].name);
        key.lay_out(
            name,
            |i| layout.placements[i].is_some(),
            frame.width(),
            settings.label_pt,
        )?;

        let (legend, legend_rect) = match rect {
            Some(rect) => (inside, rect),
            None => {
                let left = frame.left + (frame.width() - below.width()) / 2.0;
                let rect = Rect::new(
                    left.max(theme::MARGIN),
                    below_axis,
                    below.width(),
                    below.height(),
                );
                (below, rect)
            }
        };
        let legend_bottom = if rect.is_none() && !legend.is_empty() {
            legend_rect.bottom + theme::GAP
        } else {
            below_axis
        };
        let page_height = legend_bottom + key.height() + theme::MARGIN;
        Ok(Self {
            page_height,
            frame,
            costs,
            accuracy,
            curves,
            markers,
            oracle,
            legend,
            legend_rect,
            texts,
            layout,
            key,
            key_top: legend_bottom,
        })
    }

    fn draw(&self, canvas: &Canvas<'_>, scene: &Scene, settings: &Settings) -> anyhow::Result<()> {
        let axes = Axes {
            left: 0.0,
            frame: self.frame,
            x: &self.costs.axis,
            y: &self.accuracy,
            title: if settings.title { &scene.title } else { "" },
            x_title: self.costs.title,
            y_title: "Accuracy",
        };
        axes.draw(canvas, settings)?;
        // The first curve of the legend lies on top, but for solid ones, which would hide a dashed one that runs along with them.
        let mut curves: Vec<_> = scene.curves.iter().zip(&self.curves).rev().collect();
        curves.sort_by_key(|(curve, _)| (!curve.is_mixture, !curve.style.dash.is_empty()));
        for (curve, planned) in curves {
            let width = curve.style.width * settings.curve_width_pt;
            match planned.line[..] {
                // A router with a single operating point is a dot.
                [point] => canvas.marker(point, Shape::DOT, width, curve.style.color)?,
                _ => canvas.line(
                    &planned.line,
                    Pen {
                        color: curve.style.color,
                        width,
                        dash: curve.style.dash,
                    },
                )?,
            }
        }
        for leader in self
            .layout
            .placements
            .iter()
            .flatten()
            .filter_map(|placement| placement.leader)
        {
            canvas.line(
                &[leader.from, leader.to],
                Pen::solid(theme::LEADER, theme::LEADER_WIDTH),
            )?;
        }
        if let Some(oracle) = self.oracle {
            canvas.marker(oracle, Shape::ORACLE, theme::ORACLE_RADIUS, theme::MARKER)?;
        }
        for (i, &marker) in self.markers.iter().enumerate() {
            canvas.marker(
                marker,
                Shape::of_model(i),
                theme::MARKER_RADIUS,
                theme::MARKER,
            )?;
        }
        for (label, placement) in self.texts.iter().zip(&self.layout.placements) {
            if let Some(placement) = placement {
                let baseline = placement.rect.top + theme::ASCENT * settings.label_pt;
                let line = text(label, settings.label_pt, Anchor::Start);
                canvas.text(line, Point::new(placement.rect.left, baseline))?;
            }
        }
        if !self.legend.is_empty() {
            self.legend
                .draw(canvas, self.legend_rect, settings.curve_width_pt)?;
        }
        self.key
            .draw(canvas, Point::new(self.frame.left, self.key_top))
    }
}

fn plan_curve(curve: &SceneCurve, axis: &Axis, place: impl Fn(DataPoint) -> Point) -> PlannedCurve {
    if curve.is_mixture && axis.is_log() {
        // Mixtures lie on straight lines in dollars, which a logarithmic axis bends.
        let points: Vec<DataPoint> = curve.points.iter().map(|&point| point.into()).collect();
        let mixed = points
            .windows(2)
            .flat_map(|pair| (0..MIXTURE_PIECES).map(|i| mix(pair[0], pair[1], i)));
        let line = mixed.chain(points.last().copied()).map(place).collect();
        return PlannedCurve {
            line,
            kept: (0..points.len()).collect(),
        };
    }
    let line: Vec<Point> = curve
        .points
        .iter()
        .map(|&point| place(point.into()))
        .collect();
    let kept = simplify(&line, CURVE_TOLERANCE);
    PlannedCurve {
        line: kept.iter().map(|&i| line[i]).collect(),
        kept,
    }
}

/// Piece `i` of the way from `a` to `b`, in pieces that grow with the cost.
fn mix(a: DataPoint, b: DataPoint, i: u32) -> DataPoint {
    let cost_usd =
        a.cost_usd * (b.cost_usd / a.cost_usd).powf(f64::from(i) / f64::from(MIXTURE_PIECES));
    let share = if b.cost_usd > a.cost_usd {
        (cost_usd - a.cost_usd) / (b.cost_usd - a.cost_usd)
    } else {
        0.0
    };
    DataPoint {
        cost_usd,
        accuracy: a.accuracy + share * (b.accuracy - a.accuracy),
    }
}

fn legend_entries(scene: &Scene, shows_oracle: bool) -> Vec<Entry> {
    let curves = scene.curves.iter().map(|curve| Entry {
        text: curve.name.clone(),
        sample: Sample::Curve(curve.style),
    });
    let oracle = scene.oracle.map(|oracle| Entry {
        text: if shows_oracle {
            "Oracle".to_owned()
        } else {
            format!("Oracle {:.3} (off scale)", oracle.accuracy)
        },
        sample: Sample::Marker(Shape::ORACLE),
    });
    curves.chain(oracle).collect()
}

/// The legend in as many columns as fit below the frame.
fn legend_below(entries: Vec<Entry>, frame: Rect, settings: &Settings) -> anyhow::Result<Legend> {
    let mut legend = Legend::new(entries.clone(), settings.legend_pt, 1)?;
    for n_columns in 2..=entries.len().max(1) {
        let wider = Legend::new(entries.clone(), settings.legend_pt, n_columns)?;
        if wider.width() > frame.right - theme::MARGIN {
            break;
        }
        legend = wider;
    }
    Ok(legend)
}
