use clap::{
    Parser, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use cli_support::{ModelsDir, ProgramArgs, examples};
use dataset::{DatasetName, Truncate};

use crate::{
    distill::DistillArgs, embed::EmbedArgs, roberta_args::RobertaArgs, router::RouterChoice,
};

const EXAMPLES: [&str; 10] = [
    "cargo run -p train-and-infer -- --dataset synthetic --routers carrot-knn",
    "cargo run -p train-and-infer -- --dataset mmlu-pro --routers carrot-knn carrot-knn-sbert --embedding minilm",
    "cargo run -p train-and-infer --features torch -- --dataset my-logs --routers carrot-knn --embedding BAAI/bge-small-en-v1.5 --device cuda",
    "cargo run -p train-and-infer --features torch -- --dataset my-logs --routers carrot-knn --embedding minilm --precision auto",
    "cargo run -p train-and-infer -- --dataset open-llm-lb-v2 --routers all",
    "cargo run -p train-and-infer -- --dataset synthetic --routers carrot-knn mf rorf --train-sizes 200,400,800,1600,3200",
    "cargo run -p train-and-infer -- --dataset my-logs",
    "cargo run -p train-and-infer -- --dataset my-logs --routers carrot-knn carrot-blend --cross-fit 5 --null 99",
    "cargo run -p train-and-infer --features torch -- --dataset routerbench --routers carrot-roberta --trainer hf --epochs 5",
    "cargo run -p train-and-infer --features torch -- --dataset sprout --routers carrot-roberta --pretrained --label-order order.txt",
];

/// Fit routers on a data set's train part and predict its test part
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = examples(&EXAMPLES),
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) fit: FitArgs,
}

/// What the program does besides fitting.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a static embedder of a sentence embedder, once
    Distill(DistillArgs),
    /// Embed the prompts of a table, of which any scheduler can run one process per part file
    Embed(EmbedArgs),
}

impl Args {
    /// Whether nothing but results is wanted.
    pub(crate) fn is_quiet(&self) -> bool {
        match (&self.command, &self.fit) {
            (Some(Command::Distill(args)), _) => args.output.quiet,
            (Some(Command::Embed(args)), _) => args.output.quiet,
            (None, args) => args.program.output.quiet,
        }
    }
}

/// Without a command.
#[derive(Debug, clap::Args)]
pub(crate) struct FitArgs {
    /// The data set: a folder under the data folder, made by a gen-* program
    // Optional only to clap, which cannot leave out all of these arguments where there is a command.
    #[arg(long, value_name = "NAME", required = true)]
    dataset: Option<DatasetName>,

    /// The routers to fit, separated by spaces or commas
    #[arg(long, value_name = "ROUTER", default_value = "default", default_missing_value = "default", num_args = 0.., value_delimiter = ',')]
    pub(crate) routers: Vec<RouterChoice>,

    /// What turns prompts into embeddings: a name from the settings (minilm, static), a folder with a sentence-transformers model or a static
    /// embedder, a Hugging Face hub id, or the name of embeddings in the data set's folder. Default: text-embedding-3-small where the data
    /// set has it, else what the settings say
    #[arg(long, value_name = "NAME")]
    pub(crate) embedding: Option<String>,

    /// Fit on this many train prompts instead of all, once for each number. The samples are nested, and drawn with the seed in the settings.
    /// Predictions go to data/DATASET/learning-curve/ROUTER/N.parquet; fitted routers are not kept
    #[arg(long, value_name = "N", num_args = 1.., value_delimiter = ',')]
    pub(crate) train_sizes: Vec<usize>,

    #[command(flatten)]
    pub(crate) cross_fit: CrossFitArgs,

    /// Where neural networks run: auto, cpu, cuda, cuda:INDEX or mps; GPUs only in a build with `--features torch`
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub(crate) device: String,

    /// How exactly sentence embedders and RoBERTa networks multiply when they predict: f32, bf16 (several times as fast on processors with
    /// AMX, embeddings in a folder of their own) or auto, which is bf16 on such processors. In a build with `--features torch`, AVX-512-BF16 does as
    /// well. On the CPU only
    #[arg(long, value_name = "PRECISION", default_value = "f32")]
    pub(crate) precision: String,

    /// Which part of a prompt is cut off that is longer than the embedder or network can take: left (its beginning), right or middle. Default:
    /// what the model's files say, else right
    #[arg(long, value_name = "PART", value_parser = truncate_parser())]
    pub(crate) truncate: Option<Truncate>,

    /// Refit routers whose results are up to date, and restart interrupted training
    #[arg(long)]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) models_dir: ModelsDir,
    #[command(flatten)]
    pub(crate) program: ProgramArgs,
    // Last, because clap lists everything after it under its heading.
    #[command(flatten)]
    pub(crate) roberta: RobertaArgs,
}

impl FitArgs {
    pub(crate) fn dataset(&self) -> &DatasetName {
        let dataset = self.dataset.as_ref();
        dataset.expect("required without a command, and not asked for with one")
    }
}

/// Out-of-fold predictions.
#[derive(Debug, clap::Args)]
pub(crate) struct CrossFitArgs {
    /// Instead of the usual fit, predict all prompts of both parts, each by a router that was fitted without it: prompts are dealt to K folds,
    /// and each fold is predicted by a fit to the others. Predictions go to data/DATASET/cross-fit/ROUTER/REPEAT.parquet; fitted routers are
    /// not kept. Routers that take too long are left out
    #[arg(long, value_name = "K", conflicts_with = "train_sizes", value_parser = clap::value_parser!(u32).range(2..))]
    pub(crate) cross_fit: Option<u32>,

    /// Cross-fit this often, each time with other folds
    #[arg(long, value_name = "R", default_value_t = 1, requires = "cross_fit", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) repeats: u32,

    /// Repeat the first cross-fit on this many tables whose prompts were permuted against scores and costs, and on as many with prompts
    /// permuted within tasks, to see what gain comes from nothing. 99 give p-values down to .01; a minute to hours, depending on the router
    #[arg(long, value_name = "B", default_value_t = 0, requires = "cross_fit")]
    pub(crate) null: u32,

    /// Keep prompts with the same value in this column in one fold: task, or a column that gen-custom kept
    #[arg(long, value_name = "COLUMN", requires = "cross_fit")]
    pub(crate) group: Option<String>,
}

/// The values of `--truncate`.
pub(crate) fn truncate_parser() -> impl TypedValueParser<Value = Truncate> {
    let names = PossibleValuesParser::new(Truncate::ALL.map(Truncate::name));
    names.map(|name| Truncate::named(&name).expect("one of the names"))
}
