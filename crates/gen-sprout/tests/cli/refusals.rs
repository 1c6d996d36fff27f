//! What cannot be taken is refused, by file, column and row, and nothing is written.

use std::{fs, sync::Arc};

use arrow_array::{BooleanArray, StringArray};

use crate::{
    files::{File, MINI, small},
    small::bench,
};

/// Changes one of the files of [`small`].
type Change = fn(&mut Vec<(&'static str, File)>);

#[test]
fn files_that_are_wrong() {
    #[rustfmt::skip]
    let cases: [(Change, &str); 15] = [
        (|files| { files.remove(2); }, "`s` has no file of the part `validation`"),
        (|files| { files.remove(1); }, "`s` should have each of the 2 files `train-*-of-00002.parquet` once, but has `train-00000-of-00002.parquet`"),
        (|files| without(files, 1, "key"), "`s/train-00001-of-00002.parquet` has no column `key`"),
        (|files| without(files, 3, "prompt"), "`s/test-00000-of-00001.parquet` has no column `prompt`"),
        (|files| files[2].1.models[1].lacks = Some("num_output_tokens"), "has no column `another-llm.num_output_tokens`"),
        (|files| files[2].1.models[1].lacks = Some("score"), "only one of them has [\"another-llm\"]"),
        (|files| { files[3].1.models.remove(0); }, "`s/test-00000-of-00001.parquet` does not fit `s/train-00000-of-00002.parquet`: only one of them has [\"openai-gpt-4o-mini\"]"),
        (|files| files[0].1.models.clear(), "`s/train-00000-of-00002.parquet` has no LLM"),
        (|files| files[0].1.models[1].name = "prompt", "`s/train-00000-of-00002.parquet` has an LLM named `prompt`, which is the name of another column too"),
        (|files| files[0].1.models[1].name = MINI, "has an LLM named `openai-gpt-4o-mini`, which is the name of another column too"),
        (|files| files[1].1.models[2].scores[1] = Some(1.5), "column `openai-gpt-4o.score` of `s/train-00001-of-00002.parquet` is 1.5 in row 2, expected a number in [0, 1]"),
        (|files| files[3].1.models[0].scores[0] = Some(-0.1), "column `openai-gpt-4o-mini.score` of `s/test-00000-of-00001.parquet` is -0.1 in row 1"),
        (|files| files[0].1 = files[0].1.clone().with("dataset", Some(Arc::new(StringArray::from(vec![Some("x"), None, Some("y")])))), "column `dataset` of `s/train-00000-of-00002.parquet` is null in row 2"),
        (|files| files[3].1 = files[3].1.clone().with("prompt", Some(Arc::new(BooleanArray::from(vec![true, false])))), "column `prompt` of `s/test-00000-of-00001.parquet` is `Boolean`, expected text or whole numbers"),
        (|files| files[..2].iter_mut().for_each(|(_, file)| file.models[0].scores.fill(None)), "no train row of `s` has a score for model `openai-gpt-4o-mini`"),
    ];
    for (change, expected) in cases {
        let mut files = small();
        change(&mut files);
        if expected.starts_with("no train row") {
            files[2].1.models[0].scores.fill(None);
        }
        bench(&files).refuse(&["--source", "s", "--prices", "p.toml"], 1, expected);
    }
}

fn without(files: &mut [(&'static str, File)], i: usize, column: &'static str) {
    files[i].1 = files[i].1.clone().with(column, None);
}

#[test]
fn command_lines_and_other_files() {
    let bench = bench(&small());
    bench.write("bad.toml", "repo = \"a/b\"\nmodel = 1\n");
    bench.write(
        "bad-prices.toml",
        "[models.another-llm]\ninput_usd_per_mtok = -1\noutput_usd_per_mtok = 1\n",
    );
    for (args, code, expected) in [
        // An LLM that the settings do not know.
        (
            &["--source", "s"][..],
            2,
            "`configs/sprout.toml` has no price for `another-llm`; name a list with --prices, or another --config",
        ),
        (
            &["--source", "s", "--prices", "none.toml"],
            1,
            "`none.toml`",
        ),
        (
            &["--source", "s", "--prices", "bad-prices.toml"],
            1,
            "is -1, expected a finite number",
        ),
        (
            &["--source", "s", "--config", "bad.toml"],
            1,
            "cannot use the settings in `bad.toml`",
        ),
        (&["--source", "none"], 1, "cannot list the folder `none`"),
        (&["--variant", "o4"], 2, "--variant"),
        (&["--source", "s", "--limit", "0"], 2, "--limit"),
    ] {
        bench.refuse(args, code, expected);
    }
    let path = bench.join("s/test-00000-of-00001.parquet");
    let whole = fs::read(&path).expect("there");
    for bytes in [&whole[..whole.len() / 2], b"no Parquet", b""] {
        fs::write(&path, bytes).expect("written");
        let args = ["--source", "s", "--prices", "p.toml"];
        bench.refuse(
            &args,
            1,
            "cannot read `s/test-00000-of-00001.parquet` as Parquet",
        );
    }
}
