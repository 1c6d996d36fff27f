use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use dataset::{CostKind, Part, Quantity};
use ndarray::{Array2, s};
use saved_routers::{Model, SavedRouter};
use serde_json::Value;
use test_support::{Hub, Planted, write_tiny_roberta};

use crate::bench::{N_TEST, Tiny, names, split, stderr, topic};

/// To be sent, and not to be seen.
const TOKEN: &str = "hf_plantedToken0123";

/// Of the tiny base: room for 78 tokens.
const N_POSITIONS: usize = 80;

pub(crate) const TRAIN: [&str; 6] = [
    "--base",
    "base",
    "--device",
    "cpu",
    "--training-config",
    "training.toml",
];

/// A data set, a tiny base, and settings under which it learns something in no time.
pub(crate) fn bench(cost_kind: CostKind) -> Tiny {
    let bench = Tiny::new(cost_kind);
    write_tiny_roberta(&bench.path().join("base"), N_POSITIONS);
    write_training(&bench, 30, 500);
    bench
}

pub(crate) fn write_training(bench: &Tiny, n_epochs: usize, checkpoint_every_steps: usize) {
    let settings = include_str!("../../../../configs/roberta.toml")
        .replace("learning-rate = 2e-5", "learning-rate = 1e-2")
        .replace("steps = 1000", "steps = 2")
        .replace(
            "checkpoint-every-steps = 500",
            &format!("checkpoint-every-steps = {checkpoint_every_steps}"),
        )
        .replace("n-epochs = 3", &format!("n-epochs = {n_epochs}"));
    bench.write("training.toml", &settings);
}

/// Mean over the test prompts of a topic.
fn mean(values: &Array2<f32>, wanted: usize, model: usize) -> f32 {
    let rows: Vec<f32> = (0..N_TEST)
        .filter(|&row| topic(row) == wanted)
        .map(|row| values[[row, model]])
        .collect();
    rows.iter().sum::<f32>() / rows.len() as f32
}

#[test]
fn networks_learn_scores_and_thousands_of_tokens_and_predict_the_same_when_they_are_loaded() {
    let bench = bench(CostKind::OutputTokens);
    bench.fit("carrot-roberta", &TRAIN, 0);
    let predictions = bench.per_model("carrot-roberta");
    // The cheap LLM is right on topic 0 only.
    let [on_0, on_2] = [0, 2].map(|topic| mean(&predictions.scores, topic, 0));
    assert!(on_0 > on_2 + 0.2, "{:?}", predictions.scores);
    let tokens = predictions.output_tokens.clone().expect("predicted");
    // Answers have 10 to 30 tokens, which are .01 to .03 of what is learned.
    assert!(
        tokens.iter().all(|&n| (0.0..1_000.0).contains(&n)),
        "{tokens:?}"
    );
    for ((row, model), cost) in predictions.cost_usd.indexed_iter() {
        let price = [1e-6, 1e-5][model];
        let expected = price * (100.0 + 2.0 * f64::from(tokens[[row, model]]));
        assert!((cost - expected).abs() < 1e-12, "{cost}, not {expected}");
    }

    let manifest = bench.manifest("carrot-roberta");
    assert_eq!(manifest.seed, Some(42));
    assert_eq!(manifest.config["trainer"], "custom");
    assert_eq!(manifest.environment["device"], "Cpu");
    assert!(manifest.results["performance"]["best"]["val-loss"].is_number());
    assert_eq!(manifest.results["cost"]["n-validation"], 3);
    let inputs: Vec<&Path> = manifest.inputs.iter().map(|it| it.path.as_path()).collect();
    assert!(
        inputs.contains(&Path::new("base/model.safetensors")),
        "{inputs:?}"
    );

    // What is kept: both networks with their metrics, and no checkpoint.
    let folder = bench.model("carrot-roberta");
    assert_eq!(
        names(&folder),
        ["README.md", "cost", "performance", "router.json"]
    );
    let metrics = fs::read_to_string(folder.join("performance/metrics.csv")).expect("read");
    assert!(metrics.starts_with("step,epoch,loss"), "{metrics}");
    let card = fs::read_to_string(folder.join("README.md")).expect("read");
    assert!(card.contains("license: mit"), "{card}");
    let router = SavedRouter::open(&folder).expect("opened");
    let Model::Roberta { performance, cost } = router.model else {
        panic!("networks")
    };
    let cost = cost.expect("a cost network");
    assert_eq!(cost.quantity, Quantity::ThousandsOfOutputTokens);

    // As networks that were trained elsewhere, they predict the same; their outputs bear the LLMs' names.
    let folders = [performance, cost.folder].map(|path| path.display().to_string());
    let pretrained = |args: &[&str], code| {
        let networks = ["--pretrained", &folders[0], &folders[1]];
        bench.fit("carrot-roberta", &[&networks, args].concat(), code)
    };
    pretrained(&[], 0);
    assert_eq!(bench.per_model("carrot-roberta"), predictions);
    assert!(pretrained(&[], 0).contains("keeping `carrot-roberta`"));
    // Another order is another LLM.
    pretrained(&["--label-order", "owner/dear,cheap"], 0);
    let swapped = bench.per_model("carrot-roberta");
    assert_eq!(swapped.scores, predictions.scores.slice(s![.., ..;-1]));
    bench.write("order.txt", "cheap\nowner/dear\n");
    pretrained(&["--label-order", "order.txt"], 0);
    assert_eq!(bench.per_model("carrot-roberta"), predictions);
    let message = pretrained(&["--label-order", "cheap,nobody"], 1);
    assert!(message.contains("does not name `owner/dear`"), "{message}");
    // Padding that is attended to changes something, as the test prompts differ in length.
    pretrained(&["--reference-quirks"], 0);
    assert_ne!(bench.per_model("carrot-roberta").scores, predictions.scores);

    // Networks in the wrong places.
    let message = bench.fit(
        "carrot-roberta",
        &["--pretrained", &folders[1], &folders[0]],
        1,
    );
    assert!(
        message.contains("the performance network comes first"),
        "{message}"
    );

    // Outputs without names.
    let config = PathBuf::from(&folders[0]).join("config.json");
    let config = bench.path().join(config);
    let text = fs::read_to_string(&config).expect("read");
    let mut value: Value = serde_json::from_str(&text).expect("JSON");
    value["id2label"] = serde_json::json!({"0": "LABEL_0", "1": "LABEL_1"});
    fs::write(&config, value.to_string()).expect("written");
    let message = pretrained(&[], 1);
    assert!(
        message.contains("--label-order") && message.contains("mixtral"),
        "{message}"
    );
    pretrained(&["--label-order", "order.txt"], 0);
    assert_eq!(bench.per_model("carrot-roberta"), predictions);

    // Outputs for other LLMs.
    bench.edit_info(|info| info.models.truncate(1));
    for part in Part::ALL {
        bench.edit_split(part, |split| {
            split.models.truncate(1);
            let first = s![.., ..1];
            split.scores = split.scores.slice(first).to_owned();
            split.cost_usd = split.cost_usd.slice(first).to_owned();
            for tokens in [&mut split.input_tokens, &mut split.output_tokens] {
                *tokens = tokens.as_ref().map(|tokens| tokens.slice(first).to_owned());
            }
        });
    }
    let message = pretrained(&[], 1);
    assert!(
        message.contains("2 outputs, more than the 1 LLMs"),
        "{message}"
    );
}

#[test]
fn dollars_are_learned_as_z_scores_and_known_costs_not_at_all() {
    for (cost_kind, trainer, n_networks) in
        [(CostKind::Usd, "custom", 2), (CostKind::Known, "hf", 1)]
    {
        let bench = bench(cost_kind);
        bench.edit_info(|info| info.n_validation = Some(6));
        let args = [&TRAIN[..], &["--trainer", trainer, "--epochs", "2"]].concat();
        bench.fit("carrot-roberta", &args, 0);
        let predictions = bench.per_model("carrot-roberta");
        assert!(predictions.output_tokens.is_none());
        let manifest = bench.manifest("carrot-roberta");
        assert_eq!(manifest.config["training"]["n-epochs"], 2);
        assert_eq!(manifest.config["trainer"], trainer);
        // The last rows, as dataset.json says.
        assert_eq!(manifest.results["performance"]["n-validation"], 6);
        let results = manifest.results.as_object().expect("an object");
        assert_eq!(results.len(), n_networks + 1, "and equal prompts");
        let test = split(N_TEST, Part::Test);
        let off = (&predictions.cost_usd - &test.cost_usd).mapv(f64::abs);
        match cost_kind {
            CostKind::Known => assert_eq!(predictions.cost_usd, test.cost_usd),
            // Within a few deviations of costs of 1.2e-4 to 1.6e-3.
            _ => assert!(off.iter().all(|&off| off < 1e-3), "{off:?}"),
        }
        let router = SavedRouter::open(&bench.model("carrot-roberta")).expect("opened");
        let Model::Roberta { cost, .. } = router.model else {
            panic!("networks")
        };
        assert_eq!(
            cost.is_some_and(|cost| cost.scale.is_some()),
            n_networks == 2
        );
        if cost_kind == CostKind::Usd {
            let message = bench.fit("carrot-roberta", &["--pretrained", "base", "base"], 1);
            assert!(message.contains("predicts output tokens"), "{message}");
        }
    }
}

#[test]
fn a_binary_network_learns_the_pair() {
    let bench = bench(CostKind::Known);
    bench.fit("roberta-binary", &TRAIN, 0);
    let wins = bench.small_wins("roberta-binary").probability;
    assert!(wins.iter().all(|p| (0.0..=1.0).contains(p)), "{wins:?}");
    // The small LLM does as well on topics 0 and 2.
    assert!(wins[1] < wins[0] && wins[1] < wins[2], "{wins:?}");
    let folder = bench.model("roberta-binary");
    let router = SavedRouter::open(&folder).expect("opened");
    let base = router.record.base.expect("a base");
    assert_eq!(
        (base.model.as_str(), base.license.as_deref()),
        ("base", Some("mit"))
    );
    let Model::RobertaBinary(network) = router.model else {
        panic!("a network")
    };
    assert_eq!(network, folder.join("small-wins"));

    // A base that changes is another router.
    write_tiny_roberta(&bench.path().join("base"), N_POSITIONS);
    let message = bench.fit("roberta-binary", &TRAIN, 0);
    assert!(message.contains("keeping `roberta-binary`"), "{message}");

    bench.edit_split(Part::Train, |split| split.scores.fill(0.5));
    let message = bench.fit("roberta-binary", &TRAIN, 1);
    assert!(message.contains("nothing to learn"), "{message}");
}

#[test]
fn a_training_that_was_killed_goes_on() {
    let whole = bench(CostKind::Known);
    write_training(&whole, 20, 1);
    whole.fit("roberta-binary", &TRAIN, 0);

    let bench = bench(CostKind::Known);
    write_training(&bench, 20, 1);
    let args = [
        &["--dataset", "tiny", "--routers", "roberta-binary"],
        &TRAIN[..],
    ]
    .concat();
    let mut child = bench
        .command(&args)
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("started");
    let checkpoints = bench.model("roberta-binary").join("checkpoint/small-wins");
    let start = Instant::now();
    while !checkpoints.join("checkpoint.safetensors").is_file() {
        assert!(start.elapsed() < Duration::from_secs(60), "no checkpoint");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().expect("killed");
    child.wait().expect("ended");
    assert!(bench.dir().routers().expect("listed").is_empty());

    // Other settings do not go on from it, and say what to do.
    let other = bench.fit(
        "roberta-binary",
        &[&TRAIN[..], &["--epochs", "21"]].concat(),
        1,
    );
    assert!(other.contains("--force starts over"), "{other}");

    let message = bench.fit("roberta-binary", &TRAIN, 0);
    assert!(message.contains("took up a checkpoint"), "{message}");
    assert_eq!(bench.bytes("roberta-binary"), whole.bytes("roberta-binary"));
    assert!(!bench.model("roberta-binary").join("checkpoint").exists());

    // A checkpoint that is broken stops a training, until it is to start anew.
    fs::create_dir_all(&checkpoints).expect("made");
    fs::write(checkpoints.join("checkpoint.safetensors"), "broken").expect("written");
    let shorter = [&TRAIN[..], &["--epochs", "1"]].concat();
    let message = bench.fit("roberta-binary", &shorter, 1);
    assert!(message.contains("checkpoint.safetensors"), "{message}");
    SavedRouter::open(&bench.model("roberta-binary")).expect("the older one stays");
    bench.fit("roberta-binary", &[&shorter[..], &["--force"]].concat(), 0);
}

#[test]
fn all_routers_share_what_is_read() {
    let bench = bench(CostKind::OutputTokens);
    // The sentence embedder is at hand under another name.
    bench.write_settings(&[
        ("embedder = \"minilm\"", "embedder = \"given\""),
        ("n-epochs = 100", "n-epochs = 3"),
    ]);
    let args = [&TRAIN[..], &["--config", "routers.toml", "--epochs", "1"]].concat();
    let message = bench.fit("all", &args, 0);
    let n_reads = message.matches("using the embeddings in").count();
    assert_eq!(n_reads, 2, "each part once for eight routers: {message}");
    let routers = [
        "carrot-blend",
        "carrot-cluster",
        "carrot-kernel",
        "carrot-knn",
        "carrot-knn-sbert",
        "carrot-linear",
        "carrot-roberta",
        "mf",
        "roberta-binary",
        "rorf",
    ];
    assert_eq!(bench.dir().routers().expect("listed"), routers);
    assert_eq!(names(&bench.path().join("models/tiny")), routers);
    let message = bench.fit("all", &args, 0);
    assert_eq!(
        message.matches("keeping `").count(),
        routers.len(),
        "{message}"
    );
}

#[test]
fn the_base_and_the_released_networks_come_from_the_hub() {
    let bench = bench(CostKind::OutputTokens);
    let run = |hub: &Hub, args: &[&str]| {
        let common = ["--dataset", "tiny", "--device", "cpu", "--routers"];
        let args = [&common[..], &["carrot-roberta"], args].concat();
        let mut command = bench.command(&args);
        command
            .env_remove("HF_HUB_OFFLINE")
            .env("HF_ENDPOINT", hub.url())
            .env("HF_TOKEN", TOKEN)
            .env("CARROT_LOG", "trace");
        let output = command.output().expect("started");
        assert!(output.status.success(), "{}", stderr(&output));
        Planted(&[TOKEN]).assert_hidden(&bench, &output, "at trace");
        bench.per_model("carrot-roberta")
    };
    let base = bench.path().join("base");
    let hub = Hub::start()
        .token(TOKEN)
        .model("FacebookAI/roberta-base", base.as_path());
    let trained = run(&hub, &["--epochs", "1"]);
    let inputs = bench.manifest("carrot-roberta").inputs;
    let weights = Path::new("FacebookAI/roberta-base/model.safetensors");
    assert!(inputs.iter().any(|it| it.path == weights), "{inputs:?}");
    let record = SavedRouter::open(&bench.model("carrot-roberta"))
        .expect("opened")
        .record;
    let base = record.base.expect("a base");
    assert_eq!(base.model, "FacebookAI/roberta-base");
    assert_eq!(base.license.as_deref(), Some("mit"));

    let [performance, cost] =
        ["performance", "cost"].map(|it| bench.model("carrot-roberta").join(it));
    let hub = Hub::start()
        .token(TOKEN)
        .model("CARROT-LLM-Routing/Performance", performance.as_path())
        .model("CARROT-LLM-Routing/Cost", cost.as_path());
    let pretrained = run(&hub, &["--pretrained"]);
    assert_eq!(pretrained, trained);
    let config = bench.manifest("carrot-roberta").config;
    assert_eq!(config["pretrained"][1], "CARROT-LLM-Routing/Cost");
}

#[test]
fn networks_of_transformers_need_their_order() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../encoder/tests/golden/roberta");
    let [performance, cost] = ["performance", "cost"].map(|name| golden.join(name));
    let bench = Tiny::new(CostKind::OutputTokens);
    let [performance, cost] = [performance, cost].map(|path| path.display().to_string());
    let output = bench.run(&[
        "--dataset",
        "tiny",
        "--routers",
        "carrot-roberta",
        "--pretrained",
        &performance,
        &cost,
    ]);
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(
        message.contains("3 outputs, more than the 2 LLMs"),
        "{message}"
    );
    // As a base they serve whatever their head.
    let args = ["--base", &performance, "--epochs", "1", "--device", "cpu"];
    bench.fit("carrot-roberta", &args, 0);
}
