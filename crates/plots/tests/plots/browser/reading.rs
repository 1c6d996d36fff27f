//! How the page is read: by those who hear it, by those who prefer the dark, and by those who only look at the top of a phone's screen.

use std::collections::BTreeMap;

use dataset::PartHashes;
use serde_json::{Value, json};
use test_support::worth_record;

use super::*;

/// The least contrast of text against its ground that the Web Content Accessibility Guidelines (2.2, AA) ask for.
const LEAST_CONTRAST: f64 = 4.5;
/// Texts, each with the ground that it lies on, by the names of their colors in report.css.
const TEXTS: [(&str, &str); 9] = [
    ("--text", "--ground"),
    ("--text", "--card"),
    ("--text", "--soft"),
    ("--quiet", "--ground"),
    ("--quiet", "--card"),
    ("--quiet", "--soft"),
    ("--accent", "--ground"),
    ("--accent", "--card"),
    ("--warn", "--warn-ground"),
];
/// What a reader has to be told the name of.
const NAMED: [&str; 6] = [
    "application",
    "button",
    "image",
    "link",
    "navigation",
    "region",
];

/// The page of a data set with a verdict and one without.
fn open_page(browser: &Browser, folder: &Path) {
    let data = folder.join("data");
    let dir = write(&data, "judged", &MODELS[..5], &["carrot-knn", "mf"]);
    let record = worth_record("judged", PartHashes::of(&dir).expect("hashed"));
    record.write(&dir.worth()).expect("written");
    write(&data, "bare", &MODELS[..2], &[]);
    let made = plots(folder, &["--format", "svg"]);
    check_ok(&made);
    let said = String::from_utf8_lossy(&made.stderr);
    assert!(
        said.trim_end()
            .ends_with("open `plots/report.html` in a browser"),
        "{said}"
    );
    browser.open(&format!(
        "file://{}",
        folder.join("plots/report.html").display()
    ));
}

/// Roles, and the names of the elements that have them, as a screen reader is told them.
fn spoken(browser: &Browser) -> BTreeMap<String, Vec<String>> {
    let tree = browser.devtools("Accessibility.getFullAXTree", &json!({}));
    let nodes = tree["nodes"].as_array().expect("nodes");
    let mut spoken: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for node in nodes.iter().filter(|node| node["ignored"] == false) {
        let text = |key: &str| node[key]["value"].as_str().unwrap_or_default().to_owned();
        spoken.entry(text("role")).or_default().push(text("name"));
    }
    spoken
}

/// The contrast of two colors, from 1 to 21, by the formula of the guidelines.
fn contrast(a: &str, b: &str) -> f64 {
    let luminance = |color: &str| {
        let digits = color.trim().trim_start_matches('#');
        let wide = match digits.len() {
            3 => digits.chars().flat_map(|c| [c, c]).collect(),
            _ => digits.to_owned(),
        };
        let part = |i: usize| {
            let byte = u8::from_str_radix(&wide[2 * i..2 * i + 2], 16).expect("a color");
            let share = f64::from(byte) / 255.0;
            match share <= 0.04045 {
                true => share / 12.92,
                false => ((share + 0.055) / 1.055).powf(2.4),
            }
        };
        0.2126 * part(0) + 0.7152 * part(1) + 0.0722 * part(2)
    };
    let (a, b) = (luminance(a), luminance(b));
    (f64::max(a, b) + 0.05) / (f64::min(a, b) + 0.05)
}

fn set_scheme(browser: &Browser, scheme: &str) {
    let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
    browser.devtools(
        "Emulation.setEmulatedMedia",
        &json!({ "features": features }),
    );
}

#[test]
fn the_report_is_read_aloud_in_the_dark_and_on_a_phone() {
    assert!((contrast("#fff", "#000000") - 21.0).abs() < 1e-9);
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    open_page(&browser, folder.path());

    let spoken = spoken(&browser);
    let names = |role: &str| spoken.get(role).cloned().unwrap_or_default();
    for role in ["main", "banner", "contentinfo", "navigation", "application"] {
        assert_eq!(names(role).len(), 1, "{role}: {spoken:?}");
    }
    assert_eq!(names("navigation"), ["Data sets"]);
    assert!(names("application")[0].contains("Accuracy against cost on judged"));
    assert!(names("application")[0].contains("Arrow keys"));
    assert_eq!(names("link")[0], "To the results");
    for role in NAMED {
        let nameless = names(role).iter().filter(|name| name.is_empty()).count();
        assert!(!names(role).is_empty(), "no {role}: {spoken:?}");
        assert_eq!(nameless, 0, "a {role} without a name: {:?}", names(role));
    }
    // What is said of a figure is what it shows, and where its numbers are.
    for image in names("image") {
        assert!(image.contains("data set judged"), "{image}");
    }
    // Numbers of tables are heard with their row and column.
    assert!(names("rowheader").contains(&"judged".to_owned()));
    assert!(names("columnheader").contains(&"Its accuracy".to_owned()));

    // The page opens with the verdict, and no heading is deeper than the one before it leads to.
    let found = browser.evaluate(
        "return [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map((it) => [Number(it.tagName[1]), it.textContent])",
    );
    let headings: Vec<(u32, String)> = serde_json::from_value(found).expect("headings");
    assert_eq!(headings[0].0, 1, "{headings:?}");
    assert_eq!(headings[1], (2, "Is routing worth it?".to_owned()));
    let first =
        browser.evaluate("return document.querySelector('#worth').nextElementSibling.className");
    assert_eq!(first, "worth yes", "before what nobody has measured");
    assert!(
        headings
            .iter()
            .any(|(_, text)| text.starts_with("judged") && text.ends_with("Worth it")),
        "{headings:?}"
    );
    for pair in headings.windows(2) {
        assert!(pair[1].0 <= pair[0].0 + 1, "{pair:?}");
    }

    for scheme in ["light", "dark"] {
        set_scheme(&browser, scheme);
        let found = browser.evaluate(
            "const style = getComputedStyle(document.documentElement);
             const names = ['--text', '--quiet', '--accent', '--warn', '--ground', '--card', '--soft', '--warn-ground'];
             return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(name)]));",
        );
        let color = |name: &str| found[name].as_str().expect("a color").to_owned();
        for (text, ground) in TEXTS {
            let found = contrast(&color(text), &color(ground));
            assert!(
                found >= LEAST_CONTRAST,
                "{scheme}: {text} on {ground} has a contrast of {found:.2}"
            );
        }
        let shown = browser.evaluate("return getComputedStyle(document.body).backgroundColor");
        let is_dark = shown.as_str().is_some_and(|it| it.starts_with("rgb(20"));
        assert_eq!(is_dark, scheme == "dark", "{shown}");
    }

    browser.devtools(
        "Emulation.setDeviceMetricsOverride",
        &json!({ "width": PHONE.0, "height": PHONE.1, "deviceScaleFactor": 2, "mobile": true }),
    );
    let found = browser.evaluate(
        "scrollTo(0, 0);
         const top = document.querySelector('article.worth .badge').getBoundingClientRect().bottom;
         return [top <= innerHeight, document.documentElement.scrollWidth <= innerWidth];",
    );
    assert_eq!(
        found,
        Value::from(vec![true, true]),
        "the verdict is on the phone's first screen, which is as wide as the page"
    );
    photograph(&browser, "phone-verdict");
}
