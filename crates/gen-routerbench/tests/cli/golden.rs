//! On the pickles of `tests/golden`, twelve rows laid out as the published file.

use std::{fs, path::PathBuf};

use dataset::{CostKind, CostRule, Part, SplitOrigin, sha256_bytes, train_test_split};
use serde_json::{Value, json};
use test_support::{Bench, assert_contains, assert_note, stderr};

use crate::bench;

/// The rows that are left, as `tests/golden/make.py` has them: id, task, text, and what the reference's cut gives.
pub(crate) const ROWS: [(&str, &str, &str, &str); 10] = [
    (
        "mmlu.a.val.0",
        "mmlu.a",
        "How many?\nA. 1\nB. 2\nAnswer:",
        r"How many?\nA. 1\nB. 2\nAnswer:",
    ),
    ("gsm8k.val.1", "gsm8k", "It's \"so\"", r#"It\'s "so""#),
    ("mmlu.a.val.2", "mmlu.a", "plain", "plain"),
    (
        "mtbench.val.4",
        "mtbench",
        "Turn one\n\nTurn two",
        "Turn one', 'Turn two",
    ),
    (
        "mtbench.val.5",
        "mtbench",
        "Not a list at all",
        "t a list at a",
    ),
    ("math.val.6", "math", r"\frac{1}{2}", r"\\frac{1}{2}"),
    ("mmlu.a.val.7", "mmlu.a", "naïve – 北京", "naïve – 北京"),
    ("gsm8k.val.8", "gsm8k", "last but two", "last but two"),
    ("gsm8k.val.9", "gsm8k", "no one knows", "no one knows"),
    ("gsm8k.val.11", "gsm8k", "last", "last"),
];
const SCORES: [[f32; 10]; 2] = [
    [1.0, 0.0, 0.25, 0.5, 1.0, 0.0, 1.0, 0.0, f32::NAN, 0.75],
    [1.0, 1.0, 0.5, 0.9, 1.0, 1.0, 0.0, 1.0, 0.125, 1.0],
];
/// Numbers of the rows in the pickle, from 1: costs are multiples of them.
const NUMBERS: [u8; 10] = [1, 2, 3, 5, 6, 7, 8, 9, 10, 12];

const CONFIG: &str = "\
repo = \"owner/other\"
file = \"other.pkl\"
drop-eval-name-prefix = \"chinese\"
test-size = 0.3
seed = 7

[pair]
small = \"org/small\"
large = \"large\"

[published]
n-rows = 11
models = [\"large\", \"org/small\"]
";

pub(crate) fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

fn source(name: &str) -> [String; 2] {
    ["--source".to_owned(), golden(name).display().to_string()]
}

fn args<'a>(source: &'a [String; 2], extra: &[&'a str]) -> Vec<&'a str> {
    let source = source.iter().map(String::as_str);
    source.chain(extra.iter().copied()).collect()
}

#[test]
fn each_pandas_gives_the_rows_and_the_same_bytes() {
    let mut bytes: Option<[Vec<u8>; 2]> = None;
    for name in ["pandas1.pkl", "pandas2.pkl", "pandas3.pkl"] {
        let bench = bench();
        bench.succeed(&args(&source(name), &[]));
        check_rows(&bench);
        let dir = bench.dataset("routerbench");
        let found = Part::ALL.map(|part| fs::read(dir.split(part)).expect("written"));
        assert!(
            *bytes.get_or_insert_with(|| found.clone()) == found,
            "{name}"
        );
    }
}

fn check_rows(bench: &Bench) {
    let (info, train, test) = bench.read("routerbench");
    let rows = train_test_split(10, 0.2, 42).expect("a share of the rows");
    assert_eq!((train.n_prompts(), test.n_prompts()), (8, 2));
    assert_eq!(info.model_names(), ["org/small", "large"]);
    assert_eq!(info.cost_kind, CostKind::Usd);
    assert!(
        info.models
            .iter()
            .all(|model| model.cost_rule == CostRule::Given && model.price.is_none())
    );
    let origin = SplitOrigin::Random {
        test_size: 0.2,
        seed: 42,
    };
    assert_eq!(info.split, origin);
    for (rows, split) in [(&rows.train, &train), (&rows.test, &test)] {
        assert!(split.input_tokens.is_none() && split.output_tokens.is_none());
        for (i, &row) in rows.iter().enumerate() {
            let row = row as usize;
            let (id, task, prompt, _) = ROWS[row];
            assert_eq!(split.ids[i], id);
            assert_eq!(split.tasks[i], task);
            assert_eq!(split.prompts[i], prompt);
            for (m, factor) in [1e-5, 1e-3].into_iter().enumerate() {
                let (score, expected) = (split.scores[(i, m)], SCORES[m][row]);
                assert!(score == expected || score.is_nan() && expected.is_nan());
                // The pickle has float32.
                let cost = f64::from((f64::from(NUMBERS[row]) * factor) as f32);
                assert_eq!(split.cost_usd[(i, m)], cost);
            }
        }
    }
}

#[test]
fn what_was_found_is_said_in_notes_report_and_file() {
    let bench = bench();
    let source = source("pandas2.pkl");
    let output = bench.succeed(&args(&source, &["--json", "--quiet"]));
    assert_eq!(stderr(&output), "");
    let findings = json!({
        "n-dropped-rows": 2,
        "literals": {
            "n-prompts": 10,
            "n-differ": 5,
            "n-of-several": 1,
            "n-no-list": 1,
            "first-no-list": {"row": 6, "why": "no `[` at character 1"},
        },
    });
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["prompts"], findings);
    assert_eq!(report["dataset"]["n-train"], 8);

    let (info, _, _) = bench.read("routerbench");
    assert_eq!(info.findings["prompts"], findings);
    assert_eq!(
        info.notes,
        [
            "left out 2 of 12 rows whose `eval_name` begins with `chinese` in any case, as the reference does",
            "prompts were read as Python lists; 5 of 10 prompts differ from the reference's `prompt[2:-2]`, which leaves escapes in",
            "1 of 10 prompts are lists of several strings, which were joined by an empty line",
            "1 of 10 prompts are not a Python list of strings, and were left as they are; the first is in row 6: no `[` at character 1",
            "there is no pair for binary routers: the source lacks `mistralai/mixtral-8x7b-chat` or `gpt-4-1106-preview`; --config names another pair",
            "the score of `org/small` is unknown in 1 of 10 rows",
        ]
    );
    assert_eq!(info.pair, None);
    let pickle = fs::read(golden("pandas2.pkl")).expect("there");
    let sources: Vec<_> = info.sources.iter().map(|source| &source.sha256).collect();
    let config = include_bytes!("../../../../configs/routerbench.toml");
    assert_eq!(sources, [&sha256_bytes(config), &sha256_bytes(&pickle)]);

    let text = bench.succeed(&args(&source, &["--force"]));
    let text = String::from_utf8(text.stdout).expect("UTF-8");
    assert!(
        text.starts_with("prompts: 10 kept, 2 dropped; 5 differ"),
        "{text}"
    );
}

#[test]
fn the_references_cut_is_there_for_parity() {
    let bench = bench();
    bench.succeed(&args(&source("pandas3.pkl"), &["--reference-quirks"]));
    let (info, train, test) = bench.read("routerbench");
    assert_eq!(train.n_prompts() + test.n_prompts(), 10);
    for split in [train, test] {
        for (id, prompt) in split.ids.iter().zip(&split.prompts) {
            let row = ROWS.iter().find(|(known, ..)| known == id);
            assert_eq!(prompt, row.expect("a row that is left").3);
        }
    }
    assert!(
        info.notes[1].contains("cut as by the reference"),
        "{:?}",
        info.notes
    );
    assert!(info.notes[1].contains("5 of 10 prompts would differ"));
}

#[test]
fn settings_name_pair_split_and_what_to_expect() {
    let bench = bench();
    bench.write("c.toml", CONFIG);
    fs::copy(golden("pandas1.pkl"), bench.join("other.pkl")).expect("copied");
    // A folder will do: the settings name the file in it.
    let output = bench.succeed(&["--source", ".", "--config", "c.toml", "--name", "mine"]);
    let expected = "expected the 11 rows of the published file (7 train and 4 test rows), found 10";
    assert_contains(&stderr(&output), expected);
    let (info, train, test) = bench.read("mine");
    assert_eq!((train.n_prompts(), test.n_prompts()), (7, 3));
    assert_eq!(info.pair.as_ref().expect("both are there").large, "large");
    assert_note(&info, expected);
}

#[test]
fn what_is_there_is_not_made_again_and_not_overwritten() {
    let bench = bench();
    let source = source("pandas2.pkl");
    let first = bench.succeed(&args(&source, &["--limit", "6"]));
    let path = bench.dataset("routerbench").split(Part::Train);
    let written = || {
        fs::metadata(&path)
            .and_then(|data| data.modified())
            .expect("a time")
    };
    let before = written();
    assert_eq!(bench.read("routerbench").1.n_prompts(), 4);

    let second = bench.succeed(&args(&source, &["--limit", "6"]));
    assert!(stderr(&second).contains("already exists"));
    assert_eq!(written(), before);
    let (first, second) = (&first.stdout, &second.stdout);
    assert!(
        first.ends_with(second),
        "the findings are told once, the summary again"
    );

    for (extra, expected) in [
        (&[][..], "limit was `6`, now not set"),
        (
            &["--limit", "6", "--reference-quirks"],
            "reference-quirks was not set, now `true`",
        ),
    ] {
        let output = bench.run(&args(&source, extra));
        assert_eq!(output.status.code(), Some(1));
        assert_contains(&stderr(&output), expected);
    }
    let other = self::source("pandas1.pkl");
    let output = bench.run(&args(&other, &["--limit", "6"]));
    assert!(stderr(&output).contains("made from other files"));
    assert_eq!(written(), before);
}

#[test]
fn what_cannot_be_taken_is_refused() {
    let bench = bench();
    bench.write("folder/x.txt", "");
    bench.write("text.pkl", "no pickle");
    let whole = fs::read(golden("pandas2.pkl")).expect("there");
    bench.write("cut.pkl", &whole[..whole.len() / 2]);
    // A call of a function, which is never made.
    bench.write("hostile.pkl", b"cos\nsystem\n(S'true'\ntR.");
    // A short text in a pickle: its opcode, its length, and itself.
    let renamed = |from: &str, to: &str| {
        let text = |name: &str| [&[0x8c, name.len() as u8], name.as_bytes()].concat();
        let (from, to) = (text(from), text(to));
        let at = whole.windows(from.len()).position(|bytes| bytes == from);
        let at = at.expect("the name is in the pickle");
        let mut bytes = whole.clone();
        bytes[at..at + to.len()].copy_from_slice(&to);
        bytes
    };
    bench.write("no-prompt.pkl", renamed("prompt", "prompf"));
    bench.write("no-score.pkl", renamed("large", "largf"));
    bench.write("bad.toml", "repo = 1");
    for (args, code, expected) in [
        (&["--source", "none.pkl"][..], 1, "cannot read `none.pkl`"),
        (
            &["--source", "folder"],
            1,
            "cannot read `folder/routerbench_0shot.pkl`",
        ),
        (
            &["--source", "text.pkl"],
            1,
            "cannot read `text.pkl` as a RouterBench pickle",
        ),
        (
            &["--source", "cut.pkl"],
            1,
            "cannot read `cut.pkl` as a RouterBench pickle",
        ),
        (
            &["--source", "hostile.pkl"],
            1,
            "cannot read `hostile.pkl` as a RouterBench pickle",
        ),
        (&["--source", "no-prompt.pkl"], 1, "`prompt`"),
        (
            &["--source", "no-score.pkl"],
            1,
            "`no-score.pkl` has no column `large`",
        ),
        (
            &["--source", "text.pkl", "--config", "bad.toml"],
            1,
            "cannot use the settings in `bad.toml`",
        ),
        (
            &["--source", "text.pkl", "--config", "none.toml"],
            1,
            "cannot read `none.toml`",
        ),
        (&["--source"], 2, "--source"),
        (&["--name", "../x"], 2, "cannot name a data set"),
    ] {
        bench.refuse(args, code, expected);
    }
}
