//! Figures as images and tables as tables: the files that were found, as HTML.

use std::{fs, path::Path};

use anyhow::Context as _;
use maud::{Markup, html};
use tracing::warn;

use super::{embed, files::Shown, found::Found, origin::Origin, tables};
use crate::output::tables::Document;

/// A figure that is wider than this gets a line of its own, in points.
const WIDE_PT: f64 = 400.0;
/// CSS pixels in a point.
const PIXELS_PER_POINT: f64 = 4.0 / 3.0;

/// All figures, then all tables, then the names of what is out of date. `dataset` is the data set they are of, `None` for all.
pub(crate) fn tables_and_figures(found: &[Found], dataset: Option<&str>) -> Markup {
    // A figure of old numbers would contradict the chart above, which is drawn from the new ones. A
    // reader could not know which to believe.
    let is_stale = |item: &&&Found| matches!(item.origin, Origin::Stale(_));
    let shown: Vec<&Found> = found.iter().filter(|item| !is_stale(&item)).collect();
    let (figures, tables): (Vec<&Found>, Vec<&Found>) =
        shown.into_iter().partition(|item| item.is_figure());
    html! {
        (all_figures(&figures, dataset))
        (all_tables(&tables, dataset))
        @for item in found {
            @if let Origin::Stale(changed) = &item.origin {
                (stale(item, changed, dataset))
            }
        }
    }
}

/// The figures of the data set's own folder, then those of each subfolder, collapsed.
fn all_figures(found: &[&Found], dataset: Option<&str>) -> Markup {
    let of = |variant: Option<&String>| -> Vec<Markup> {
        (found.iter())
            .filter(|item| item.variant.as_ref() == variant)
            .map(|item| figure(item, dataset).unwrap_or_else(|error| broken(item, &error, dataset)))
            .collect()
    };
    let mut variants: Vec<&String> =
        (found.iter().filter_map(|item| item.variant.as_ref())).collect();
    variants.sort();
    variants.dedup();
    let figures = of(None);
    html! {
        @if !figures.is_empty() {
            h3 { "Figures" }
            div.figures { @for figure in figures { (figure) } }
        }
        @for variant in variants {
            details {
                summary {
                    @if variant == "bw" {
                        "Print versions, without color"
                    } @else {
                        "Folder " (embed::name(variant))
                    }
                }
                div.figures { @for figure in of(Some(variant)) { (figure) } }
            }
        }
    }
}

fn all_tables(found: &[&Found], dataset: Option<&str>) -> Markup {
    let title = match dataset {
        Some(_) => "Tables",
        None => "Over all data sets",
    };
    html! {
        @if !found.is_empty() {
            h3 { (title) }
            @for item in found {
                (table(item).unwrap_or_else(|error| broken(item, &error, dataset)))
                (origin(item, dataset))
            }
        }
    }
}

/// A notice in place of a file that cannot be read: it must not cost the page of all others.
fn broken(item: &Found, error: &anyhow::Error, dataset: Option<&str>) -> Markup {
    warn!("the report does not show `{}`: {error:#}", item.path);
    html! {
        p.stale { "Not shown: " code { (item.path) } ": " (format!("{error:#}")) ". " (cure(item, dataset)) }
    }
}

/// A notice in place of a file whose inputs have changed since it was made.
fn stale(item: &Found, changed: &[String], dataset: Option<&str>) -> Markup {
    html! {
        p.stale {
            "Not shown: " code { (item.path) } " is out of date: "
            @match changed {
                [one] => { code { (one) } " has changed since it was made. " },
                [first, others @ ..] => {
                    code { (first) } " and " (others.len()) " other "
                    (if others.len() == 1 { "input has" } else { "inputs have" })
                    " changed since it was made. "
                },
                [] => "its inputs have changed since it was made. ",
            }
            (cure(item, dataset))
        }
    }
}

/// A warning beside a file that may or may not be out of date.
fn origin(item: &Found, dataset: Option<&str>) -> Markup {
    html! {
        @if item.origin == Origin::Unknown {
            p.stale {
                "Origin unknown: nothing records what " code { (item.path) } " was made from. "
                (cure(item, dataset))
            }
        }
    }
}

/// What brings a file up to date.
fn cure(item: &Found, dataset: Option<&str>) -> Markup {
    html! {
        @if let Some(product) = item.product {
            "Regenerate it with "
            code {
                "cargo run -p plots -- --figure " (product.name())
                @if let Some(name) = dataset { " --dataset " (name) }
            }
        } @else {
            "It was not written by " code { "plots" } ", which cannot regenerate it."
        }
    }
}

fn figure(item: &Found, dataset: Option<&str>) -> anyhow::Result<Markup> {
    let caption = item.caption();
    let (image, is_wide) = match &item.shown {
        Some(Shown::Image(path)) => image(path, &alternative(&caption, item, dataset))?,
        _ => {
            let only_pdf = html! {
                p.stale {
                    "Only a PDF exists, which a web page cannot show as an image; " code { "--format svg" } " adds a format that it can show."
                }
            };
            (only_pdf, false)
        }
    };
    let class = is_wide.then_some("wide");
    let files: Vec<&str> = item.extensions.iter().map(String::as_str).collect();
    Ok(html! {
        figure class=[class] {
            (image)
            figcaption {
                (caption) "." br;
                code { (item.path) ".{" (files.join(",")) "}" }
            }
            (origin(item, dataset))
        }
    })
}

/// The alternative text of a figure, for readers who cannot see it.
fn alternative(caption: &str, item: &Found, dataset: Option<&str>) -> String {
    let of = dataset.map_or_else(String::new, |name| format!(", data set {name}"));
    let numbers = if item.extensions.contains("csv") {
        format!("; its numbers are in {}.csv", item.path)
    } else {
        String::new()
    };
    format!("Figure: {caption}{of}{numbers}")
}

/// The image, and whether it is a wide one.
fn image(path: &Path, alternative: &str) -> anyhow::Result<(Markup, bool)> {
    let bytes = fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let is_svg = path.extension().is_some_and(|extension| extension == "svg");
    let (uri, size) = if is_svg {
        let svg = String::from_utf8(bytes)
            .with_context(|| format!("`{}` is not UTF-8 text", path.display()))?;
        (embed::svg_uri(&svg), svg_size(&svg))
    } else {
        // How many pixels a PNG has depends on the resolution asked for, so they do not give its size
        // on the page.
        (embed::png_uri(&bytes), None)
    };
    // With a size the browser reserves the room, so that the page does not jump while the image is decoded.
    let pixels = |pt: f64| format!("{:.0}", PIXELS_PER_POINT * pt);
    let (width, height) = size.unzip();
    let (width, height) = (width.map(pixels), height.map(pixels));
    let image = html! { img width=[width] height=[height] alt=(alternative) src=(uri); };
    Ok((image, size.is_some_and(|(width, _)| width > WIDE_PT)))
}

/// Width and height in points, as our figures have them.
fn svg_size(svg: &str) -> Option<(f64, f64)> {
    let head = svg.split_once('>')?.0;
    let attribute = |name: &str| -> Option<f64> {
        let (_, rest) = head.split_once(&format!(" {name}=\""))?;
        rest.split_once("pt\"")?.0.parse().ok()
    };
    Some((attribute("width")?, attribute("height")?))
}

fn table(item: &Found) -> anyhow::Result<Markup> {
    let caption = item.caption();
    match &item.shown {
        Some(Shown::Document(path)) => Ok(tables::document(&Document::read(path)?, &caption)),
        Some(Shown::Markdown(path)) => tables::markdown_file(path, &caption),
        Some(Shown::Csv(path)) => tables::csv_file(path, &item.path),
        Some(Shown::Image(_)) | None => Ok(Markup::default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_figures_have_a_size() {
        let svg = "<svg width=\"309.6pt\" height=\"288pt\" viewBox=\"0 0 1 1\">";
        assert_eq!(svg_size(svg), Some((309.6, 288.0)));
        assert_eq!(svg_size("<svg viewBox=\"0 0 1 1\">"), None);
        assert_eq!(svg_size(""), None);
    }

    #[test]
    fn what_has_changed_is_named() {
        let item = Found {
            path: "a/table".to_owned(),
            stem: "table".to_owned(),
            product: None,
            version: None,
            variant: None,
            extensions: ["pdf".to_owned()].into(),
            shown: None,
            origin: Origin::Current,
        };
        let changed = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            stale(&item, &names, None).into_string()
        };
        assert!(changed(&["<x>"]).contains("<code>&lt;x&gt;</code> has changed"));
        assert!(changed(&["x", "y"]).contains("</code> and 1 other input has changed"));
        assert!(changed(&["x", "y", "z"]).contains("</code> and 2 other inputs have changed"));
    }
}
