//! The accuracy-cost figure: from scenes in data units to a page.

mod curves;
mod drawing;
mod legends;
mod marks;
mod names;
mod options;
mod page;
mod scale_rules;
mod scales;
mod scene;

use self::page::Page;
pub use self::{
    options::Options,
    scale_rules::{CostUnit, ScaleRules, XScale},
    scales::{CostAxis, cost_axis},
    scene::{DataPoint, Scene, SceneCurve, SceneModel},
};
use crate::{draw::canvas::Canvas, error::Result};

/// A finished figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// The picture.
    pub svg: String,
    /// For each curve of each scene, which of its points were drawn: the others lie on the line between these, as far as one can see.
    pub drawn_points: Vec<Vec<Vec<usize>>>,
}

/// Draws scenes side by side, with common axes and one legend. The same scenes and options give the same bytes.
///
/// # Errors
/// When the font or the backend fails.
///
/// # Panics
/// Without any scene.
pub fn draw(scenes: &[Scene], options: &Options) -> Result<Figure> {
    let page = Page::new(scenes, options)?;
    let (width, height) = page.size();
    let svg = Canvas::svg(options.look, width, height, |canvas| {
        page.draw(canvas, scenes, &options.style)
    })?;
    Ok(Figure {
        svg,
        drawn_points: page.drawn_points(),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::draw::{
        color::Color,
        line_style::{LineStyle, NamedLine, SOLID},
        look::Look,
        shorten,
        style::{PageSize, Style},
    };

    const OPTIONS: Options = Options {
        look: Look::Color,
        page: PageSize {
            width_in: 4.3,
            height_in: 4.0,
        },
        style: Style {
            axis_title_pt: 9.0,
            tick_pt: 8.0,
            legend_pt: 8.0,
            label_pt: 7.0,
            curve_width_pt: 1.3,
            max_ticks: 6,
            has_titles: true,
        },
        rules: ScaleRules {
            x_scale: XScale::Auto,
            cost_unit: CostUnit::Auto,
            crowd_share: 0.5,
            crowd_cost: 0.1,
            oracle_room: 0.3,
        },
    };

    fn scene(models: Vec<String>, curves: &[&str]) -> Scene {
        let line = LineStyle::colored(Color(0x0F, 0x5F, 0xA8), SOLID);
        let point = |i: usize| DataPoint {
            cost_usd: 1e-5 * 1.02_f64.powi(i as i32 % 300),
            accuracy: 0.3 + (i * 37 % 101) as f64 / 200.0,
        };
        Scene {
            title: "Many".to_owned(),
            curves: (curves.iter().enumerate())
                .map(|(i, &name)| SceneCurve {
                    line: NamedLine {
                        name: name.to_owned(),
                        color: line,
                        bw: line,
                    },
                    points: (0..20).map(|j| point(10 * j + i)).collect(),
                    is_mixture: false,
                })
                .collect(),
            models: (models.into_iter().enumerate())
                .map(|(i, name)| SceneModel {
                    name,
                    point: point(i),
                    is_named_first: i < 3,
                })
                .collect(),
            oracle: None,
        }
    }

    /// The texts of a figure.
    fn texts(figure: &Figure) -> Vec<&str> {
        let lines = figure.svg.lines();
        lines.filter(|line| !line.starts_with('<')).collect()
    }

    #[test]
    fn a_figure_of_three_hundred_llms_is_complete() {
        let names: Vec<String> = (0..300)
            .map(|i| format!("owner-{}/some-model-{i}-instruct", i % 7))
            .collect();
        let figure = draw(&[scene(names.clone(), &["CARROT"])], &OPTIONS).expect("drawn");
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let texts: BTreeSet<&str> = texts(&figure).into_iter().collect();
        let is_of = |text: &str, label: &str| {
            let number = text.strip_suffix(label);
            number
                .is_some_and(|number| number.is_empty() || number.trim_end().parse::<u32>().is_ok())
        };
        let labels = shorten::model_labels(&names);
        let is_named = |label: &&String| texts.iter().any(|text| is_of(text, label));
        let n_unnamed = labels.len() - labels.iter().filter(is_named).count();
        let rest = format!("\u{2013}  and {n_unnamed} more without room");
        assert!(texts.contains(&*rest), "{rest}: {texts:?}");
        assert!(!figure.svg.contains("NaN") && !figure.svg.contains("inf"));
    }

    #[test]
    fn three_hundred_curves_have_a_legend_that_fits() {
        let names: Vec<String> = (0..300).map(|i| format!("router-{i}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let figure = draw(&[scene(vec!["gpt".to_owned()], &names)], &OPTIONS).expect("drawn");
        let texts = texts(&figure);
        for text in ["router-0", "router-34", "and 261 more", "router-299"] {
            assert!(texts.contains(&text), "{text}: {texts:?}");
        }
    }

    #[test]
    fn hostile_names_make_an_svg_all_the_same() {
        let names: Vec<String> = [
            "a\u{0}b",
            "<b>&\"'",
            "",
            "\u{202e}x",
            "a\nb",
            "\u{901a}\u{4e49}",
            "\u{ffff}",
        ]
        .map(str::to_owned)
        .into();
        let figure = draw(&[scene(names, &["<script>\u{1}", "Oracle"])], &OPTIONS).expect("drawn");
        crate::draw::render::Picture::read(&figure.svg).expect("the SVG is XML");
        assert!(figure.svg.contains("a\\u{0}b"));
    }
}
