//! Reading and writing small programs.

use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use super::parts::{Prompt, either, pick, share};

pub(crate) fn code(rng: &mut ChaCha8Rng) -> Prompt {
    either(rng, 0.6, reading, task)
}

/// What does a program print?
fn reading(rng: &mut ChaCha8Rng) -> Prompt {
    let depth = rng.random_range(1..=3_usize);
    let n_lines = rng.random_range(1..=4_usize);
    let is_recursive = rng.random_bool(0.25);
    let total = pick(rng, &["total", "acc", "result", "s"]);
    let number = |rng: &mut ChaCha8Rng| rng.random_range(2..9);
    let (ask, n) = (
        pick(
            rng,
            &[
                "What does this Python program print?",
                "Read the Python code below. What is its output?",
            ],
        ),
        number(rng),
    );
    if is_recursive {
        let (a, b, start) = (number(rng), number(rng), rng.random_range(4..14_usize));
        // Both calls have a smaller argument than `n`, which is at least 2 there, so the program ends.
        let text = format!(
            "{ask}\n\ndef f(n):\n    if n < {n}:\n        return n + {a}\n    return f(n - {depth}) + f(n // 2) - {b}\n\nprint(f({start}))"
        );
        return Prompt::new(text, 0.65 + 0.35 * share(start, 4, 13));
    }
    let variables = ["i", "j", "k"];
    let mut lines = vec![format!("{total} = {n}")];
    for (level, variable) in variables.iter().take(depth).enumerate() {
        let indent = "    ".repeat(level);
        lines.push(format!("{indent}for {variable} in range({}):", number(rng)));
    }
    let indent = "    ".repeat(depth);
    for _ in 0..n_lines {
        let variable = variables[rng.random_range(0..depth)];
        let (a, b) = (number(rng), number(rng));
        lines.push(match rng.random_range(0..4) {
            0 => format!("{indent}{total} += {variable} * {a}"),
            1 => format!("{indent}{total} -= {variable} % {b}"),
            2 => format!("{indent}if {variable} > {a}:\n{indent}    {total} += {b}"),
            _ => format!("{indent}{total} = ({total} + {a}) % {}", b * 7),
        });
    }
    lines.push(format!("print({total})"));
    let difficulty = 0.55 * share(depth, 1, 3) + 0.35 * share(n_lines, 1, 4);
    Prompt::new(format!("{ask}\n\n{}", lines.join("\n")), difficulty)
}

/// What to write, and how hard it is.
const TASKS: &[(&str, f64)] = &[
    ("returns the largest number of a list", 0.0),
    ("counts the words of a text", 0.05),
    ("checks whether a word is a palindrome", 0.1),
    ("merges two sorted lists into one", 0.25),
    ("groups words that are anagrams of each other", 0.35),
    (
        "parses a date such as \"2031-03-05\" and refuses bad ones",
        0.4,
    ),
    ("finds the shortest path through a grid with walls", 0.6),
    ("evaluates an arithmetic expression with parentheses", 0.7),
    ("finds the longest common subsequence of two texts", 0.7),
    ("solves a Sudoku", 0.8),
    ("matches a text against a pattern with `*` and `?`", 0.8),
    ("keeps the median of a stream of numbers", 0.75),
];

fn task(rng: &mut ChaCha8Rng) -> Prompt {
    let language = pick(
        rng,
        &["Python", "Rust", "Go", "JavaScript", "Java", "C", "Kotlin"],
    );
    let (what, hardness) = TASKS[rng.random_range(0..TASKS.len())];
    let extra = [
        "",
        " Do not use any library.",
        " Give its complexity.",
        " Add three test cases.",
        " It has to run in constant memory and be safe to call from several threads.",
    ];
    let n_extra = rng.random_range(0..extra.len());
    let name = pick(
        rng,
        &[
            "solve", "process", "run_task", "handle", "compute", "answer", "do_it", "work",
        ],
    );
    let style = pick(
        rng,
        &[
            "",
            " Comment it well.",
            " Keep it short.",
            " Explain your choice of data structure.",
        ],
    );
    let text = format!(
        "Write a {language} function `{name}` that {what}.{}{style}",
        extra[n_extra]
    );
    Prompt::new(text, 0.75 * hardness + 0.25 * share(n_extra, 0, 4))
}
