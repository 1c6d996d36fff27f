//! Figures as images, tables as tables, of what was found.

use std::{fs, path::Path};

use anyhow::Context as _;

use super::{found::Found, html, markdown};

/// Rows of a table that is there as CSV only; the file has all.
const MAX_CSV_ROWS: usize = 400;
/// A figure that is wider than this gets a line of its own, in points.
const WIDE_PT: f64 = 400.0;
/// CSS pixels in a point.
const PIXELS_PER_POINT: f64 = 4.0 / 3.0;

/// All figures, then all tables, then what is too old to be shown. `dataset` is the data set they are of, `None` for all.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn tables_and_figures(found: &[Found], dataset: Option<&str>) -> anyhow::Result<String> {
    let (stale, fresh): (Vec<_>, Vec<_>) = found.iter().partition(|item| item.is_stale);
    let of = |is_figure: bool, is_variant: bool| {
        fresh.iter().filter(move |item| {
            item.is_figure() == is_figure && item.variant.is_some() == is_variant
        })
    };
    let mut page = String::new();
    let mut figures = String::new();
    for item in of(true, false) {
        figures += &figure(item, dataset)?;
    }
    if !figures.is_empty() {
        page += &format!("<h3>Figures</h3>\n<div class=\"figures\">\n{figures}</div>\n");
    }
    let mut variants: Vec<&String> = fresh
        .iter()
        .filter_map(|item| item.variant.as_ref())
        .collect();
    variants.sort();
    variants.dedup();
    for variant in variants {
        page += &format!(
            "<details><summary>{}</summary>\n<div class=\"figures\">\n",
            match &**variant {
                "bw" => "Print versions, without color".to_owned(),
                other => format!("Folder {}", html::name(other)),
            }
        );
        for item in of(true, true).filter(|item| item.variant.as_ref() == Some(variant)) {
            page += &figure(item, dataset)?;
        }
        page += "</div>\n</details>\n";
    }
    let mut tables = String::new();
    for item in of(false, false).chain(of(false, true)) {
        tables += &table(item)?;
    }
    if !tables.is_empty() {
        let title = if dataset.is_some() {
            "Tables"
        } else {
            "Over all data sets"
        };
        page += &format!("<h3>{title}</h3>\n{tables}");
    }
    for item in stale {
        page += &format!(
            "<p class=\"stale\">Not shown: <code>{}</code> is older than what it is made of. {}</p>\n",
            html::text(&item.path),
            cure(item, dataset)
        );
    }
    Ok(page)
}

fn cure(item: &Found, dataset: Option<&str>) -> String {
    match item.product {
        Some(product) => {
            let of = dataset.map_or_else(String::new, |name| format!(" --dataset {name}"));
            format!(
                "Make it anew with <code>cargo run -p plots -- --figure {}{}</code>",
                product.name(),
                html::text(&of)
            )
        }
        None => "It was not made by <code>plots</code>; make it anew, or take it away.".to_owned(),
    }
}

fn figure(item: &Found, dataset: Option<&str>) -> anyhow::Result<String> {
    let caption = item.caption();
    let image = match &item.shown {
        Some(path) => image(path, &alternative(&caption, item, dataset))?,
        None => Image {
            html: "<p class=\"stale\">There is only a PDF, which a page cannot show; <code>--format svg</code> adds one it can.</p>".to_owned(),
            is_wide: false,
        },
    };
    let class = if image.is_wide { " class=\"wide\"" } else { "" };
    let files: Vec<&str> = item.extensions.iter().map(String::as_str).collect();
    Ok(format!(
        "<figure{class}>\n{}\n<figcaption>{}.<br><code>{}.{{{}}}</code></figcaption>\n</figure>\n",
        image.html,
        html::text(&caption),
        html::text(&item.path),
        html::text(&files.join(","))
    ))
}

/// What a figure is, to those who cannot see it.
fn alternative(caption: &str, item: &Found, dataset: Option<&str>) -> String {
    let of = dataset.map_or_else(String::new, |name| format!(", data set {name}"));
    let numbers = if item.extensions.contains("csv") {
        format!("; its numbers are in {}.csv", item.path)
    } else {
        String::new()
    };
    format!("Figure: {caption}{of}{numbers}")
}

struct Image {
    html: String,
    is_wide: bool,
}

fn image(path: &Path, alternative: &str) -> anyhow::Result<Image> {
    let bytes = fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let is_svg = path.extension().is_some_and(|extension| extension == "svg");
    let (uri, size) = if is_svg {
        let svg =
            String::from_utf8(bytes).with_context(|| format!("`{}` is no text", path.display()))?;
        (html::svg_uri(&svg), svg_size(&svg))
    } else {
        (html::png_uri(&bytes), None)
    };
    // The page need not move while the picture is being drawn.
    let attributes = size.map_or_else(String::new, |(width, height)| {
        format!(
            " width=\"{:.0}\" height=\"{:.0}\"",
            PIXELS_PER_POINT * width,
            PIXELS_PER_POINT * height
        )
    });
    Ok(Image {
        html: format!(
            "<img{attributes} alt=\"{}\" src=\"{uri}\">",
            html::text(alternative)
        ),
        is_wide: size.is_some_and(|(width, _)| width > WIDE_PT),
    })
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

fn table(item: &Found) -> anyhow::Result<String> {
    let Some(path) = &item.shown else {
        return Ok(String::new());
    };
    let caption = item.caption();
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    if path.extension().is_some_and(|extension| extension == "md") {
        // A text that begins with a heading has said what it is.
        let heading = if text.starts_with('#') {
            String::new()
        } else {
            format!("<h4>{}</h4>\n", html::text(&caption))
        };
        return Ok(heading + &markdown::html(&text, &caption));
    }
    let (table, n_rows) =
        csv_table(&text, &caption).with_context(|| format!("cannot read `{}`", path.display()))?;
    let left = n_rows.saturating_sub(MAX_CSV_ROWS);
    let note = if left > 0 {
        format!("<p class=\"note\">The first {MAX_CSV_ROWS} rows; the file has {left} more.</p>\n")
    } else {
        String::new()
    };
    Ok(format!(
        "<details><summary><code>{}.csv</code><span class=\"facts\">{n_rows} rows</span></summary>\n{table}{note}</details>\n",
        html::text(&item.path)
    ))
}

/// A CSV file as a table, with numbers as short as can be read; and its number of rows.
fn csv_table(text: &str, label: &str) -> anyhow::Result<(String, usize)> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header: Vec<String> = reader.headers()?.iter().map(html::text).collect();
    let records = reader.records().collect::<Result<Vec<_>, _>>()?;
    let is_number = |i: usize| {
        i > 0
            && (records.iter()).all(|record| {
                record
                    .get(i)
                    .is_none_or(|cell| cell.is_empty() || cell.parse::<f64>().is_ok())
            })
    };
    let rows: Vec<Vec<String>> = (records.iter().take(MAX_CSV_ROWS))
        .map(|record| record.iter().map(|cell| html::text(&short(cell))).collect())
        .collect();
    let table = markdown::html_table(&header, &rows, is_number, label);
    Ok((table, records.len()))
}

/// A fraction with five digits; all else as it is.
fn short(cell: &str) -> String {
    match cell.parse::<f64>() {
        Ok(value) if value.is_finite() && cell.contains('.') => {
            let digits = if value == 0.0 {
                0
            } else {
                value.abs().log10().floor() as i32
            };
            format!("{value:.*}", usize::try_from(4 - digits).unwrap_or(0))
        }
        _ => cell.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (cell, expected) in [
            ("0.123456789", "0.12346"),
            ("0.000123456789", "0.00012346"),
            ("1234567.8", "1234568"),
            ("-12.3456789", "-12.346"),
            ("0.0", "0.0000"),
            ("42", "42"),
            ("inf", "inf"),
            ("v1.2", "v1.2"),
            ("", ""),
        ] {
            assert_eq!(short(cell), expected, "{cell}");
        }
    }

    #[test]
    fn a_csv_is_a_table() {
        let (table, n_rows) = csv_table("a,b,c\n\"x, <y>\",0.5,\nz,0.25,k\n", "L").expect("CSV");
        assert_eq!(n_rows, 2);
        for expected in [
            "<th scope=\"col\" class=\"number\">b</th><th scope=\"col\">c</th>",
            "<bdi>x, &lt;y&gt;</bdi>",
            "<td class=\"number\">0.50000</td>",
        ] {
            assert!(table.contains(expected), "{expected} is not in {table}");
        }
    }

    #[test]
    fn our_figures_have_a_size() {
        let svg = "<svg width=\"309.6pt\" height=\"288pt\" viewBox=\"0 0 1 1\">";
        assert_eq!(svg_size(svg), Some((309.6, 288.0)));
        assert_eq!(svg_size("<svg viewBox=\"0 0 1 1\">"), None);
        assert_eq!(svg_size(""), None);
    }
}
