use std::fs;

use test_support::{Weight, read_weights, write_weights};

use crate::{
    bench::{Tiny, assert_refused},
    networks::{LLMS, PAIR, SCORES, TOKENS, edit, pair, price, write},
};

/// Standard input has no prompt: what is wrong with the router must be said before that is seen.
fn check(bench: &Tiny, args: &[&str], part: &str) {
    let args = [&["--mu", "0"], &PAIR[..], args].concat();
    assert_refused(&bench.route(&args, ""), 1, part);
}

#[test]
fn outputs_that_do_not_match() {
    let bench = pair();
    let cost = bench.path().join("cost");
    write(&cost, &LLMS[..2], TOKENS, &[0.0; 2]);
    check(
        &bench,
        &[],
        "`perf` has 3 outputs and `cost` has 2, expected the same LLMs",
    );
    write(&cost, &["owner/dear", "cheap", "other"], TOKENS, &[0.0; 3]);
    check(
        &bench,
        &[],
        "`perf` predicts for `free` and `cost` does not",
    );
    check(
        &bench,
        &["--label-order", "a,b,c"],
        "expected the same LLMs in both networks of a pair",
    );
    write(&cost, &["cheap", "owner/dear", "free"], TOKENS, &[0.0; 3]);
    let order = ["--label-order", "owner/dear,cheap,free"];
    check(&bench, &order, "hint: leave out `--label-order`");
    write(&cost, &["LABEL_0", "LABEL_1", "LABEL_2"], TOKENS, &[0.0; 3]);
    check(
        &bench,
        &[],
        "`cost` does not say which LLM each of its outputs is",
    );
    write(&cost, &LLMS, TOKENS, &[0.0; 3]);
    check(
        &bench,
        &["--label-order", "owner/dear,cheap"],
        "the label order has 2 names",
    );
    check(
        &bench,
        &["--label-order", "cheap,cheap,free"],
        "duplicate LLM `cheap`",
    );
    check(
        &bench,
        &["--label-order", "owner/dear,cheap,other"],
        "prices `free`, but the router has no such LLM",
    );
}

#[test]
fn unnamed_outputs_need_an_order_and_prices() {
    let bench = pair();
    let unnamed = ["LABEL_0", "LABEL_1", "LABEL_2"];
    for (name, kind) in [("perf", SCORES), ("cost", TOKENS)] {
        write(&bench.path().join(name), &unnamed, kind, &[0.0; 3]);
    }
    // The order of the released pair is assumed for that alone.
    check(
        &bench,
        &[],
        "hint: give the LLMs' names in the order of the outputs with `--label-order`",
    );
    bench.write("order.txt", "owner/dear\ncheap\nfree\n");
    check(
        &bench,
        &["--label-order", "order.txt"],
        "contains no prompt",
    );
    bench.write("prices.toml", price("cheap", (1.0, 1.0)));
    check(
        &bench,
        &["--label-order", "order.txt"],
        "LLM `owner/dear` has no price",
    );
    bench.write("prices.toml", "[models.cheap]\ninput_usd_per_mtok = 1\n");
    check(
        &bench,
        &["--label-order", "order.txt"],
        "output_usd_per_mtok",
    );
}

#[test]
fn networks_in_the_wrong_place_or_nowhere() {
    let bench = pair();
    let swapped = ["so", "--mu", "0", "--performance", "cost", "--cost", "perf"];
    assert_refused(
        &bench.route(&swapped, ""),
        1,
        "given as the performance network",
    );
    let twice = ["so", "--mu", "0", "--performance", "perf", "--cost", "perf"];
    assert_refused(&bench.route(&twice, ""), 1, "given as the cost network");
    let nowhere = [
        "so",
        "--mu",
        "0",
        "--performance",
        "nets/perf/x",
        "--cost",
        "cost",
    ];
    let part = "`nets/perf/x` is not a local folder and could not be fetched from the hub";
    assert_refused(&bench.route(&nowhere, ""), 1, part);
    // The hub's default is not asked in silence.
    let output = crate::bench::run(&mut bench.route_command(&["so", "--mu", "0"]), "");
    assert_refused(&output, 1, "HF_HUB_OFFLINE is set");
}

#[test]
fn files_that_are_broken() {
    type Break<'a> = &'a dyn Fn(&std::path::Path);
    let cases: [(&str, Break<'_>); 7] = [
        (
            "has no weight `roberta.encoder.layer.1.output.dense.bias`",
            &|folder| {
                edit(folder, |weight| {
                    weight.name != "roberta.encoder.layer.1.output.dense.bias"
                });
            },
        ),
        ("holds a weight `classifier.extra`", &|folder| {
            let path = folder.join("model.safetensors");
            let mut weights = read_weights(&path);
            weights.push(Weight {
                name: "classifier.extra".to_owned(),
                shape: vec![2],
                values: vec![0.; 2],
            });
            write_weights(&path, &weights);
        }),
        ("weight `classifier.out_proj.weight`", &|folder| {
            edit(folder, |weight| {
                if weight.name == "classifier.out_proj.weight" {
                    weight.values.truncate(2 * weight.shape[1]);
                    weight.shape[0] = 2;
                }
                true
            });
        }),
        ("cannot read weights from", &|folder| {
            let path = folder.join("model.safetensors");
            let bytes = fs::read(&path).expect("read");
            fs::write(&path, &bytes[..bytes.len() / 2]).expect("written");
        }),
        (
            "has its weights in the pickle `pytorch_model.bin` only",
            &|folder| {
                let path = folder.join("model.safetensors");
                fs::rename(&path, folder.join("pytorch_model.bin")).expect("renamed");
            },
        ),
        ("has no `config.json`", &|folder| {
            fs::remove_file(folder.join("config.json")).expect("removed");
        }),
        ("cannot read a tokenizer from", &|folder| {
            fs::write(folder.join("tokenizer.json"), "{}").expect("written");
        }),
    ];
    for (part, break_it) in cases {
        for name in ["perf", "cost"] {
            let bench = pair();
            break_it(&bench.path().join(name));
            check(&bench, &[], part);
            check(&bench, &[], &format!("cannot load the network `{name}`"));
        }
    }
}
