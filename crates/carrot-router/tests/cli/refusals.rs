use std::fs;

use dataset::CostKind;

use crate::bench::{Tiny, assert_refused, number, stderr};

/// Runs the program, and expects an exit code, a part of the message, and nothing on standard output.
fn check(bench: &Tiny, args: &[&str], stdin: &str, code: i32, part: &str) {
    assert_refused(&bench.route(args, stdin), code, part);
}

#[test]
fn bad_command_lines() {
    let bench = Tiny::new(CostKind::Known);
    for mu in ["1.01", "-0.5", "NaN", "inf"] {
        check(
            &bench,
            &["so", "--mu", mu],
            "",
            2,
            "from 0 (the most accurate",
        );
    }
    check(&bench, &["so", "--mu", "much"], "", 2, "invalid float");
    check(&bench, &["so"], "", 2, "--mu");
    check(&bench, &["", "--mu", "0"], "", 2, "the prompt is empty");
    let both = ["so", "--mu", "0", "--input", "p.jsonl"];
    check(&bench, &both, "", 2, "cannot be used with");
    for (device, part) in [
        ("abacus", "`abacus` is no device"),
        ("cuda:4096", "device `cuda:4096` is not available"),
    ] {
        let device = ["so", "--mu", "0", "--device", device];
        check(&bench, &device, "", 2, part);
    }
    for half in [["--performance", "a/b"], ["--cost", "a/b"]] {
        let args = [&["so", "--mu", "0"], &half[..]].concat();
        let output = crate::bench::run(&mut bench.route_command(&args), "");
        assert_refused(&output, 2, "required arguments were not provided");
    }
    for other in ["--performance", "--cost", "--label-order"] {
        let args = ["so", "--mu", "0", "--model", "m", other, "x"];
        check(&bench, &args, "", 2, "cannot be used with");
    }
    let store = [
        "so",
        "--mu",
        "0",
        "--embedding-store",
        "x",
        "--embedder",
        "models/tiny-bert",
    ];
    check(&bench, &store, "", 2, "are only for `--embedder openai`");
}

#[test]
fn no_prompts() {
    let bench = Tiny::new(CostKind::Known);
    check(
        &bench,
        &["--mu", "0"],
        "",
        1,
        "standard input contains no prompt",
    );
    check(
        &bench,
        &["--mu", "0"],
        "\n\n",
        1,
        "standard input contains no prompt",
    );
    bench.write("empty.jsonl", "\n");
    let empty = ["--mu", "0", "--input", "empty.jsonl"];
    check(&bench, &empty, "", 1, "`empty.jsonl` contains no prompt");
    bench.write("text.jsonl", "\nso\n{\"prompt\": \"so\"}\n");
    let text = ["--mu", "0", "--input", "text.jsonl"];
    check(
        &bench,
        &text,
        "",
        1,
        "line 2 of `text.jsonl` is not a JSON object",
    );
    let missing = ["--mu", "0", "--input", "missing.jsonl"];
    check(&bench, &missing, "", 1, "cannot read `missing.jsonl`");
}

#[test]
fn folders_without_a_router_that_fits() {
    let bench = Tiny::new(CostKind::Known);
    let missing = ["so", "--mu", "0", "--model", "models/tiny/nothing"];
    check(
        &bench,
        &missing,
        "",
        1,
        "`models/tiny/nothing` holds no saved router",
    );

    bench.write_roberta_binary();
    let other = ["so", "--mu", "0", "--model", "models/tiny/roberta-binary"];
    check(
        &bench,
        &other,
        "",
        1,
        "holds the router `roberta-binary`, expected",
    );

    let path = bench.router().join("router.safetensors");
    let bytes = fs::read(&path).expect("read");
    fs::write(&path, &bytes[..bytes.len() / 2]).expect("written");
    check(&bench, &["so", "--mu", "0"], "", 1, "router.safetensors");
}

#[test]
fn embedders_that_are_not_the_right_one() {
    let bench = Tiny::new(CostKind::Known);
    let given = ["so", "--mu", "0", "--embedder", "nowhere"];
    check(&bench, &given, "", 1, "`nowhere` has no `config.json`");

    let tokenizer = bench.path().join("models/tiny-bert/tokenizer.json");
    let text = fs::read_to_string(&tokenizer).expect("read");
    fs::write(&tokenizer, format!("{text}\n")).expect("written");
    check(&bench, &["so", "--mu", "0"], "", 1, "was fitted with");

    fs::remove_dir_all(bench.path().join("models/tiny-bert")).expect("removed");
    check(
        &bench,
        &["so", "--mu", "0"],
        "",
        1,
        "hint: pass its folder with `--embedder`",
    );

    let unknown = Tiny::with(CostKind::Known, |record| {
        let embedder = record.embedder.as_mut().expect("there is one");
        embedder.model = None;
    });
    check(
        &unknown,
        &["so", "--mu", "0"],
        "",
        1,
        "cannot find the embedder `tiny-bert`",
    );
    let given = ["so", "--mu", "0", "--embedder", "models/tiny-bert"];
    assert!(unknown.route(&given, "").status.success());
}

#[test]
fn prices_are_needed_where_tokens_make_costs() {
    let without = |kind| Tiny::with(kind, |record| record.models[1].price = None);
    for kind in [CostKind::Known, CostKind::OutputTokens] {
        let part = "LLM `cheap` has no price";
        check(&without(kind), &["so", "--mu", "0"], "", 1, part);
    }
    let output = without(CostKind::Usd).route(&["so", "--mu", "0"], "");
    assert!(output.status.success(), "{}", stderr(&output));

    // A list gives what is missing, and comes before what is there.
    let bench = without(CostKind::Known);
    let price = |name: &str, usd: f64| {
        format!("[models.\"{name}\"]\ninput_usd_per_mtok = {usd}\noutput_usd_per_mtok = 0\n")
    };
    bench.write("prices.toml", &(price("cheap", 5.0) + &price("twin", 0.5)));
    let args = ["so", "--mu", "1", "--prices", "prices.toml"];
    let decision = &bench.decisions(&args, "")[0];
    let costs: Vec<f64> = decision["models"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|model| number(model, "cost_usd"))
        .collect();
    assert_eq!(costs, [10e-6, 5e-6, 0.5e-6]);
    assert_eq!(decision["selected"], "twin");

    bench.write("prices.toml", &(price("cheap", 5.0) + &price("chaep", 5.0)));
    check(
        &bench,
        &args,
        "",
        1,
        "prices `chaep`, but the router has no such LLM; it has owner/dear, cheap, twin",
    );
    bench.write("prices.toml", price("cheap", -1.0));
    check(&bench, &args, "", 1, "prices.toml");
    let bench = Tiny::new(CostKind::Usd);
    bench.write("prices.toml", price("cheap", 5.0));
    check(
        &bench,
        &args,
        "",
        1,
        "other prices have no effect\nhint: leave out `--prices`",
    );
}
