/// What a learner refuses.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What the data set's crate refuses, such as a scale of costs that no costs have.
    #[error(transparent)]
    Dataset(#[from] dataset::Error),
    /// A hyper-parameter that no fit can use.
    #[error("`{name}` is {found}, expected {expected}")]
    BadParameter {
        /// The hyper-parameter.
        name: &'static str,
        /// Its value.
        found: String,
        /// What it may be.
        expected: &'static str,
    },
    /// No rows or no columns to learn from.
    #[error("the {what} matrix has shape {shape:?}, expected at least one row and one column")]
    Empty {
        /// The matrix.
        what: &'static str,
        /// Its shape.
        shape: (usize, usize),
    },
    /// Targets that routing has no use for.
    #[error(
        "{n} targets were given; a fit for routing learns scores, and costs where they are to be predicted, in this order"
    )]
    RoutingTargets {
        /// Targets given.
        n: usize,
    },
    /// A report that another fit cannot go by.
    #[error("the report of the earlier fit {problem}")]
    Kept {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Two matrices that belong together differ in shape.
    #[error("the {what} matrix has shape {found:?}, expected {expected:?}")]
    Shape {
        /// The matrix.
        what: &'static str,
        /// The shape that fits.
        expected: (usize, usize),
        /// Its shape.
        found: (usize, usize),
    },
    /// An embedding holds NaN or an infinity.
    #[error("embedding {row} (from 0) holds a value that is not finite")]
    NotFinite {
        /// The row, from 0.
        row: usize,
    },
    /// A target holds an infinity.
    #[error(
        "row {row} (from 0) of output {output} of target `{target}` is infinite, expected a finite value, or NaN where it is unknown"
    )]
    InfiniteTarget {
        /// The target's name.
        target: String,
        /// The row, from 0.
        row: usize,
        /// The output, from 0.
        output: usize,
    },
    /// A stored embedding that no fit left there.
    #[error("embedding {row} (from 0) has length {length}, expected 1, or 0 for a zero vector")]
    NotUnit {
        /// The row, from 0.
        row: usize,
        /// Its length.
        length: f64,
    },
    /// More rows than a row number of 32 bits can name.
    #[error("{n_rows} rows are more than the {} that a search can name", u32::MAX)]
    TooManyRows {
        /// Rows given.
        n_rows: usize,
    },
    /// A label that is no class.
    #[error("label {row} (from 0) is {label}, expected one below {n_classes}")]
    LabelOutOfRange {
        /// The row, from 0.
        row: usize,
        /// Its label.
        label: u8,
        /// Number of classes.
        n_classes: usize,
    },
    /// An LLM that is not one of those that there are.
    #[error("row {row} (from 0) is of LLM {class} (from 0), expected one below {n_classes}")]
    NoSuchClass {
        /// The row, from 0.
        row: usize,
        /// Its LLM.
        class: usize,
        /// Number of LLMs.
        n_classes: usize,
    },
    /// Nothing to tell apart.
    #[error("all {n_rows} rows are of class {class}, expected at least two classes")]
    OneClass {
        /// The class.
        class: u8,
        /// Rows given.
        n_rows: usize,
    },
    /// A label that says neither yes nor no.
    #[error("label {row} (from 0) is {found}, expected 0 or 1, or NaN where it is unknown")]
    BinaryLabel {
        /// The row, from 0.
        row: usize,
        /// The label.
        found: f32,
    },
    /// Gradient descent left the range of numbers.
    #[error(
        "step {step} had a loss or a weight that is not finite; a smaller `learning-rate` may help"
    )]
    Diverged {
        /// The step, from 1.
        step: u64,
    },
    /// Weights that do not make a router.
    #[error("the router's weight `{name}` {problem}")]
    BadWeight {
        /// The weight.
        name: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// More nodes than a node number of 32 bits can name.
    #[error(
        "the trees have {n_nodes} nodes, more than the {} that can be named; use fewer trees or a `max-depth`",
        u32::MAX
    )]
    TooManyNodes {
        /// Nodes grown.
        n_nodes: usize,
    },
    /// Arrays that describe no forest.
    #[error("entry {index} (from 0) of the forest's `{array}` {problem}")]
    BadForest {
        /// The array.
        array: &'static str,
        /// The entry, from 0.
        index: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A forest of other classes than the four outcomes of a pair.
    #[error(
        "the forest tells {n_classes} classes apart, expected the {expected} outcomes of a pair"
    )]
    NotAPair {
        /// Its classes.
        n_classes: usize,
        /// Outcomes of a pair.
        expected: usize,
    },
    /// A clustering library refused the data.
    #[error("k-means failed: {message}")]
    Clustering {
        /// What the library said.
        message: String,
    },
    /// A nearest-neighbor library refused the data.
    #[error("the `{backend}` search failed: {message}")]
    Backend {
        /// The back end.
        backend: &'static str,
        /// What the library said.
        message: String,
    },
    /// A search elsewhere failed, in a database, say.
    #[error("the nearest neighbors could not be found")]
    Neighbors {
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
