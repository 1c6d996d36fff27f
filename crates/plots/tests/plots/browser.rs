//! report.html in a real browser: what it answers to mouse, finger and keyboard, and that it asks nothing of any network.

use serde_json::{Value, json};
use test_support::Browser;

use super::*;
use crate::report::HOSTILE;

mod reading;

/// Closer to another mark than this, in pixels, a point may not be the one that is meant.
const ALONE: f64 = 3.0;
/// A mark draws the pointer from farther away.
const MARK_ROOM: f64 = 10.0;
/// What [`places`] calls the marks of LLMs and references.
const MARKS: &str = "(marks)";
const ARROW_RIGHT: char = '\u{E014}';
const ARROW_DOWN: char = '\u{E015}';
const ESCAPE: char = '\u{E00C}';
/// Size of a phone's window, in CSS pixels.
const PHONE: (u32, u32) = (390, 844);

/// A row of curves.csv.
#[derive(Debug)]
struct Row {
    router: String,
    /// NaN where there is none.
    lambda: f64,
    cost_usd: f64,
    accuracy: f64,
    shares: Vec<f64>,
}

fn rows(path: &Path) -> (Vec<String>, Vec<Row>) {
    let mut reader = csv::Reader::from_path(path).expect("the chart's numbers are there");
    let models = reader.headers().expect("a header").iter().skip(4);
    let models = models
        .map(|name| name.strip_prefix("share:").expect("a share").to_owned())
        .collect();
    let number = |text: &str| {
        if text.is_empty() {
            f64::NAN
        } else {
            text.parse().expect("a number")
        }
    };
    let rows = reader.records().map(|record| {
        let record = record.expect("a row");
        let numbers: Vec<f64> = record.iter().skip(1).map(number).collect();
        Row {
            router: record[0].to_owned(),
            lambda: numbers[0],
            cost_usd: numbers[1],
            accuracy: numbers[2],
            shares: numbers[3..].to_vec(),
        }
    });
    (models, rows.collect())
}

/// What the readout of a chart says.
#[derive(Debug, Default, PartialEq)]
struct Readout {
    name: String,
    /// Terms and values.
    facts: Vec<(String, String)>,
    /// Who gets which share of the prompts.
    shares: Vec<(String, String)>,
}

fn readout(browser: &Browser, chart: usize) -> Readout {
    let found = browser.evaluate(&format!(
        "const readout = document.querySelectorAll('.chart')[{chart}].querySelector('.readout');
         const visible = getComputedStyle(readout).visibility === 'visible';
         const texts = (selector) => [...readout.querySelectorAll(selector)].map((element) => element.textContent);
         return visible && {{
           name: texts('.name').join(), terms: texts('dt'), values: texts('dd'),
           llms: texts('.shares bdi'), shares: texts('.shares .share'),
         }};"
    ));
    let texts = |key: &str| -> Vec<String> {
        let texts = found[key].as_array().cloned().unwrap_or_default();
        texts
            .iter()
            .map(|text| text.as_str().expect("a text").to_owned())
            .collect()
    };
    Readout {
        name: found["name"].as_str().unwrap_or_default().to_owned(),
        facts: texts("terms").into_iter().zip(texts("values")).collect(),
        shares: texts("llms").into_iter().zip(texts("shares")).collect(),
    }
}

impl Readout {
    fn number(&self, term: &str) -> f64 {
        let fact = self.facts.iter().find(|(name, _)| name.contains(term));
        let (_, value) = fact.unwrap_or_else(|| panic!("no `{term}` in {self:?}"));
        value.trim_start_matches('$').parse().expect("a number")
    }
}

/// Where each point of each shown curve lies in the window, in the order of the CSV's rows, and where marks are; the chart is scrolled into sight.
fn places(browser: &Browser, chart: usize) -> Vec<(String, Vec<(f64, f64)>)> {
    let found = browser.evaluate(&format!(
        "const chart = document.querySelectorAll('.chart')[{chart}];
         chart.scrollIntoView();
         const box = chart.querySelector('.chart-area > svg').getBoundingClientRect();
         const center = (mark) => {{ const box = mark.getBoundingClientRect(); return [box.left + box.width / 2, box.top + box.height / 2]; }};
         const marks = [...chart.querySelectorAll('.chart-area .mark')].map(center);
         const curves = [...chart.querySelectorAll('path.curve[data-key]')].map((path) => [
           path.dataset.key,
           path.getAttribute('d').slice(1).split('L').map((pair) => pair.split(' ').map(Number)).map(([x, y]) => [x + box.left, y + box.top]),
         ]);
         return [...curves, ['{MARKS}', marks]];"
    ));
    serde_json::from_value(found).expect("names and places")
}

/// Positions of a curve's points that lie apart from all others.
fn alone(curves: &[(String, Vec<(f64, f64)>)], key: &str) -> Vec<(usize, (f64, f64))> {
    let all: Vec<(f64, (f64, f64))> = (curves.iter())
        .flat_map(|(name, line)| {
            let room = if name == MARKS { MARK_ROOM } else { ALONE };
            line.iter().map(move |&point| (room, point))
        })
        .collect();
    let (_, line) = (curves.iter().find(|(name, _)| name == key)).expect("a curve");
    let is_alone = |point: &(f64, f64)| {
        let near = |(room, other): &&(f64, (f64, f64))| {
            (point.0 - other.0).hypot(point.1 - other.1) < *room
        };
        all.iter().filter(near).count() == 1
    };
    (line.iter().copied().enumerate())
        .filter(|(_, point)| is_alone(point))
        .collect()
}

fn close(found: f64, expected: f64, tolerance: f64) -> bool {
    (found - expected).abs() <= tolerance
}

/// Nothing went wrong in the page, and nothing was asked of a network.
fn check_logs(browser: &Browser) {
    let console = browser.log("browser");
    assert!(console.is_empty(), "{console:?}");
    let urls: Vec<String> = (browser.log("performance").iter())
        .filter_map(|entry| {
            let message: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            let message = &message["message"];
            (message["method"] == "Network.requestWillBeSent").then(|| {
                message["params"]["request"]["url"]
                    .as_str()
                    .map(str::to_owned)
            })?
        })
        .collect();
    let is_local = |url: &String| {
        url.starts_with("data:") || (url.starts_with("file:") && url.ends_with("report.html"))
    };
    assert!(
        urls.iter().any(|url| url.ends_with("report.html")),
        "the log has the page itself"
    );
    let others: Vec<&String> = urls.iter().filter(|url| !is_local(url)).collect();
    assert!(others.is_empty(), "{others:?}");
}

/// Keeps a picture of the window, for eyes, where cargo keeps what tests leave.
fn photograph(browser: &Browser, name: &str) {
    let png = browser.devtools("Page.captureScreenshot", &json!({ "format": "png" }));
    let encoded = png["data"].as_str().expect("a picture");
    let bytes = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, encoded)
        .expect("base64");
    assert!(
        bytes.starts_with(b"\x89PNG") && bytes.len() > 5_000,
        "{name} is empty"
    );
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report");
    fs::create_dir_all(&folder).expect("the folder is made");
    fs::write(folder.join(format!("{name}.png")), bytes).expect("written");
}

/// The shares by the rule itself, between a point's lambda and the next one's.
fn shares_by_the_rule(dir: &DatasetDir, router: &str, lambda: f64) -> Vec<f64> {
    let Predictions::PerModel(predicted) =
        Predictions::read(&dir.predictions(router)).expect("read")
    else {
        panic!("`{router}` predicts scores");
    };
    let mut shares = vec![0.0; predicted.models.len()];
    for (scores, costs) in predicted
        .scores
        .rows()
        .into_iter()
        .zip(predicted.cost_usd.rows())
    {
        let value = |m: usize| (1.0 - lambda) * f64::from(scores[m]) - lambda * costs[m];
        let best = (0..shares.len()).max_by(|&a, &b| value(a).total_cmp(&value(b)));
        shares[best.expect("there is an LLM")] += 1.0 / predicted.scores.nrows() as f64;
    }
    shares
}

#[test]
fn the_report_answers_mouse_finger_and_keyboard() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let hostile: Vec<_> = (HOSTILE.iter().zip(MODELS))
        .map(|(name, (_, cost, share))| (*name, cost, share))
        .collect();
    // By name, so this is the first chart.
    let dir = write(
        &data,
        "a-made-up",
        &MODELS,
        &["carrot-knn", "carrot-roberta", "mf"],
    );
    write(&data, "bare", &MODELS[..2], &[]);
    write(&data, "hostile", &hostile, &["carrot-knn"]);
    check_ok(&plots(folder.path(), &["--format", "svg"]));
    let report = folder.path().join("plots/report.html");
    // What the browser's own first page logs is not ours.
    browser.open("about:blank");
    browser.log("performance");
    browser.log("browser");
    browser.open(&format!("file://{}", report.display()));
    photograph(&browser, "light");

    // The mouse.
    let (models, rows) = rows(&folder.path().join("plots/a-made-up/curves.csv"));
    for (key, name, scale) in [
        ("carrot-knn", "CARROT (KNN)", "linear"),
        ("mf", "RouteLLM (MF)", "log"),
    ] {
        browser.evaluate(&format!(
            "[...document.querySelectorAll('.scale button')].find((button) => button.textContent === '{scale}').click()"
        ));
        let curves = places(&browser, 0);
        let of_router: Vec<&Row> = rows.iter().filter(|row| row.router == key).collect();
        let points = alone(&curves, key);
        assert!(
            points.len() >= 3,
            "{key} has {} points that stand alone",
            points.len()
        );
        for &(i, (x, y)) in points.iter().step_by(points.len().div_ceil(5)) {
            browser.hover(x, y);
            let found = readout(&browser, 0);
            let row = of_router[i];
            assert_eq!(found.name, name, "{row:?}");
            if row.lambda.is_finite() {
                let control = if key == "mf" { "Threshold" } else { "Lambda" };
                let shown = found.number(control);
                assert!(
                    close(shown, row.lambda, 0.005 * row.lambda.min(1.0 - row.lambda)),
                    "{found:?} {row:?}"
                );
            }
            let cost = 1000.0 * row.cost_usd;
            assert!(
                close(found.number("Cost per 1,000"), cost, 1e-4 * cost),
                "{found:?} {row:?}"
            );
            assert!(
                close(found.number("Accuracy"), row.accuracy, 0.5001e-4),
                "{found:?} {row:?}"
            );
            // The largest shares, in order, and the rest in a line.
            let mut shares: Vec<(&str, f64)> = models
                .iter()
                .map(|name| &**name)
                .zip(row.shares.iter().copied())
                .collect();
            shares.retain(|(_, share)| *share > 0.0);
            shares.sort_by(|a, b| b.1.total_cmp(&a.1));
            let n_named = found
                .shares
                .iter()
                .filter(|(name, _)| models.contains(name))
                .count();
            assert!(
                n_named == shares.len() || (n_named == 6 && found.shares.len() == 7),
                "{found:?} {row:?}"
            );
            for ((shown_name, shown), (name, share)) in found.shares.iter().zip(&shares[..n_named])
            {
                assert_eq!(
                    (&**shown_name, &**shown),
                    (*name, &*format!("{:.1}%", 100.0 * share))
                );
            }
        }
    }
    photograph(&browser, "hover");
    // What the CSV says is what the rule gives.
    let knn: Vec<&Row> = rows
        .iter()
        .filter(|row| row.router == "carrot-knn")
        .collect();
    let n_checked = (knn.windows(2))
        .filter(|pair| pair[0].lambda < pair[1].lambda)
        .filter(|pair| {
            // A point that was dropped may lie between the two: the shares hold just above its own lambda.
            let lambda = pair[0].lambda + 1e-9 * (1.0 - pair[0].lambda);
            let expected = shares_by_the_rule(&dir, "carrot-knn", lambda);
            pair[0]
                .shares
                .iter()
                .zip(&expected)
                .all(|(found, expected)| close(*found, *expected, 1e-9))
        })
        .count();
    assert_eq!(
        n_checked,
        knn.len() - 1,
        "all points but the last have the rule's shares"
    );

    // Away from the chart there is nothing to say.
    browser.hover(2.0, 2.0);
    assert_eq!(readout(&browser, 0), Readout::default());

    // The keyboard.
    browser.evaluate("document.querySelector('.chart-area > svg').focus()");
    browser.press(ARROW_RIGHT);
    let first = readout(&browser, 0);
    browser.press(ARROW_RIGHT);
    let second = readout(&browser, 0);
    assert_eq!(first.name, "CARROT (KNN)");
    assert!(
        second.number("Cost") > first.number("Cost"),
        "{first:?} {second:?}"
    );
    browser.press(ARROW_DOWN);
    assert_eq!(readout(&browser, 0).name, "CARROT (RoBERTa)");
    browser.press(ESCAPE);
    assert_eq!(readout(&browser, 0), Readout::default());

    // The legend.
    let n_curves = places(&browser, 0).len();
    browser.evaluate("document.querySelector('.legend button').click()");
    assert_eq!(places(&browser, 0).len(), n_curves - 1);
    browser.evaluate("document.querySelector('.legend button').click()");
    browser.evaluate("document.querySelector('details.numbers summary').click()");
    let n_rows =
        browser.evaluate("return document.querySelectorAll('details.numbers tbody tr').length");
    assert!(n_rows.as_u64() >= Some(rows.len() as u64), "{n_rows}");
    browser.evaluate("document.querySelector('details.numbers summary').click()");

    // Names that would be more than names.
    let intact = browser.evaluate(
        "return document.title === 'CARROT: accuracy and cost of routing' && !document.querySelector('[onerror], [onclick], main b')",
    );
    assert_eq!(intact, true);
    let n_scripts = browser.evaluate("return document.scripts.length");
    assert_eq!(n_scripts, 3, "two charts' numbers and the script");
    let shown = browser.evaluate("return [...document.querySelectorAll('#dataset-3 ~ * .mark, th bdi')].map((element) => element.textContent)");
    let shown: Vec<String> = serde_json::from_value(shown).expect("names");
    for name in HOSTILE {
        assert!(
            shown.iter().any(|text| text == name),
            "{name} is not in {shown:?}"
        );
    }

    // A dark phone.
    browser.devtools(
        "Emulation.setEmulatedMedia",
        &json!({ "features": [{ "name": "prefers-color-scheme", "value": "dark" }] }),
    );
    photograph(&browser, "dark");
    browser.devtools(
        "Emulation.setDeviceMetricsOverride",
        &json!({ "width": PHONE.0, "height": PHONE.1, "deviceScaleFactor": 2, "mobile": true }),
    );
    // The chart is redrawn once the window has its new size.
    browser.evaluate("return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(0))))");
    let fits = browser.evaluate("return document.documentElement.scrollWidth <= innerWidth");
    assert_eq!(fits, true, "the page is as wide as the phone");
    browser.devtools(
        "Emulation.setTouchEmulationEnabled",
        &json!({ "enabled": true }),
    );
    let points = alone(&places(&browser, 0), "carrot-knn");
    let (i, (x, y)) = points[points.len() / 2];
    browser.touch(x, y);
    photograph(&browser, "phone");
    let found = readout(&browser, 0);
    assert_eq!(
        found.name, "CARROT (KNN)",
        "what a finger chose stays when it is lifted"
    );
    assert!(
        close(found.number("Accuracy"), knn[i].accuracy, 0.5001e-4),
        "{found:?} {:?}",
        knn[i]
    );
    check_logs(&browser);
}
