//! Each log against its definition.

use dataset::PartTable;

use super::*;
use crate::{
    config::tests::built_in,
    rows::{Chunk, Rows},
};

const N_ROWS: u32 = 4000;
/// Five standard errors: a chance of about one in a million per comparison.
const N_ERRORS: f64 = 5.0;
const NOTHING: Log = Log {
    policy: None,
    is_unrecorded: false,
    missing: 0.0,
    missing_not_at_random: 0.0,
};

fn complete() -> Chunk {
    let numbers: Vec<u32> = (0..N_ROWS).collect();
    let config = built_in();
    Rows::new(&config, 3).expect("good weights").chunk(&numbers)
}

fn masked(log: Log) -> Chunk {
    let numbers: Vec<u32> = (0..N_ROWS).collect();
    log.mask(complete(), &numbers, 3)
}

fn propensities(split: &PartTable) -> &Array2<f64> {
    &split.propensities.as_ref().expect("recorded").values
}

/// Whether a share of so many draws is this probability, but for chance.
fn assert_share(what: &str, n: usize, of: usize, p: f64) {
    let (share, of) = (n as f64 / of as f64, of as f64);
    let error = (p * (1.0 - p) / of).sqrt();
    assert!(
        (share - p).abs() <= N_ERRORS * error,
        "{what}: {share}, expected {p} +- {error}"
    );
}

fn is_known(split: &PartTable) -> Array2<bool> {
    split.scores.mapv(|score| !score.is_nan())
}

#[test]
fn a_log_without_options_knows_everything() {
    let Chunk {
        split,
        expectations,
    } = masked(NOTHING);
    let all = complete();
    assert_eq!((split, expectations), (all.split, all.expectations));
    assert!(NOTHING.options().is_empty() && NOTHING.notes().is_empty());
}

#[test]
fn one_llm_is_asked_with_its_propensity() {
    let all = complete();
    let n_models = all.split.models.len();
    for policy in [Policy::Uniform, Policy::Skewed] {
        let Chunk {
            split,
            expectations,
        } = masked(Log {
            policy: Some(policy),
            ..NOTHING
        });
        assert_eq!(expectations, all.expectations, "the truth is complete");
        let is_known = is_known(&split);
        let propensities = propensities(&split);
        for row in 0..split.n_prompts() {
            let known: Vec<usize> = (0..n_models).filter(|&m| is_known[(row, m)]).collect();
            let [asked] = known[..] else {
                panic!("row {row} has scores of {known:?}")
            };
            assert_eq!(split.scores[(row, asked)], all.split.scores[(row, asked)]);
            for m in 0..n_models {
                let is_asked = m == asked;
                assert_eq!(split.cost_usd[(row, m)].is_nan(), !is_asked);
                let tokens = split.input_tokens.as_ref().expect("there");
                assert_eq!(tokens[(row, m)].is_nan(), !is_asked);
            }
            assert!((propensities.row(row).sum() - 1.0).abs() < 1e-12);
        }
        // Tasks by LLMs: as often as the propensity says.
        for family in Family::ALL {
            let rows: Vec<usize> = (0..split.n_prompts())
                .filter(|&row| split.tasks[row] == family.name())
                .collect();
            for m in 0..n_models {
                let n = rows.iter().filter(|&&row| is_known[(row, m)]).count();
                let p = propensities[(rows[0], m)];
                assert!(p >= EVEN / n_models as f64 - 1e-12, "{p}");
                assert_share(family.name(), n, rows.len(), p);
            }
        }
    }
}

#[test]
fn inverse_propensities_give_the_means_of_the_complete_table_and_plain_means_do_not() {
    let all = complete();
    let Chunk { split, .. } = masked(Log {
        policy: Some(Policy::Skewed),
        ..NOTHING
    });
    let propensities = propensities(&split);
    let n = f64::from(N_ROWS);
    let mut n_off = 0;
    for m in 0..split.models.len() {
        let complete = all
            .split
            .scores
            .column(m)
            .iter()
            .map(|&s| f64::from(s))
            .sum::<f64>()
            / n;
        let known = || {
            let scores = split
                .scores
                .column(m)
                .into_iter()
                .zip(propensities.column(m));
            let known = scores.filter(|(score, _)| !score.is_nan());
            known.map(|(&score, &p)| (f64::from(score), 1.0 / p))
        };
        let weighted = known().map(|(score, weight)| weight * score).sum::<f64>() / n;
        // The variance of a Horvitz-Thompson mean is at most that of its squared terms.
        let squares = known()
            .map(|(score, weight)| (weight * score).powi(2))
            .sum::<f64>()
            / n;
        let error = (squares / n).sqrt();
        assert!(
            (weighted - complete).abs() < N_ERRORS * error,
            "{m}: {weighted} {complete} +- {error}"
        );
        let n_known = known().count() as f64;
        let plain = known().map(|(score, _)| score).sum::<f64>() / n_known;
        let error = (complete * (1.0 - complete) / n_known).sqrt();
        n_off += usize::from((plain - complete).abs() > 2.5 * error);
    }
    // Each LLM is asked more on some topics, and topics are not equally hard: that is what makes the policy worth a test.
    assert!(
        n_off >= 2,
        "{n_off} LLMs look better or worse than they are"
    );
}

#[test]
fn a_deterministic_log_asks_one_llm_for_each_task() {
    let Chunk { split, .. } = masked(Log {
        policy: Some(Policy::Deterministic),
        ..NOTHING
    });
    let is_known = is_known(&split);
    for row in 0..split.n_prompts() {
        let expected = family_idx(&split, row) % split.models.len();
        for m in 0..split.models.len() {
            assert_eq!(is_known[(row, m)], m == expected);
            let p = propensities(&split)[(row, m)];
            assert!(if m == expected { p == 1.0 } else { p.is_nan() }, "{p}");
        }
    }
}

#[test]
fn scores_are_missing_at_random_whatever_they_are() {
    let all = complete();
    let Chunk { split, .. } = masked(Log {
        missing: 0.3,
        ..NOTHING
    });
    assert_eq!(split.propensities, None, "every LLM was asked");
    assert_eq!(split.cost_usd, all.split.cost_usd, "answers were paid for");
    for value in [0.0, 1.0] {
        let scores = || all.split.scores.iter().zip(&split.scores);
        let of_value = || scores().filter(|(score, _)| **score == value);
        let n_missing = of_value().filter(|(_, score)| score.is_nan()).count();
        assert_share("missing", n_missing, of_value().count(), 0.3);
    }

    let log = Log {
        policy: Some(Policy::Uniform),
        missing: 0.3,
        ..NOTHING
    };
    let Chunk { split, .. } = masked(log);
    let n_known = is_known(&split).iter().filter(|known| **known).count();
    assert_share("asked and judged", n_known, N_ROWS as usize, 0.7);
    let p = 0.7 / split.models.len() as f64;
    let propensities = propensities(&split);
    assert!(propensities.iter().all(|it| (it - p).abs() < 1e-12));
    // The same LLMs are asked as without it.
    let asked = masked(Log {
        missing: 0.0,
        ..log
    });
    assert!(
        (is_known(&split).iter().zip(&is_known(&asked.split)))
            .all(|(known, asked)| *asked || !known)
    );
}

#[test]
fn what_is_missing_not_at_random_is_what_scored_low() {
    let all = complete();
    let Chunk { split, .. } = masked(Log {
        missing_not_at_random: 0.6,
        ..NOTHING
    });
    for (value, p) in [(0.0, 0.6), (0.2, 0.48), (0.5, 0.3), (1.0, 0.0)] {
        let scores = || all.split.scores.iter().zip(&split.scores);
        let of_value = || scores().filter(|(score, _)| **score == value);
        let n_missing = of_value().filter(|(_, score)| score.is_nan()).count();
        assert_share("missing", n_missing, of_value().count(), p);
    }
}

#[test]
fn what_is_drawn_depends_on_the_seed_and_the_row_alone() {
    let log = Log {
        policy: Some(Policy::Skewed),
        missing: 0.2,
        missing_not_at_random: 0.2,
        ..NOTHING
    };
    let all = complete();
    let together = masked(log).split;
    let part = Chunk {
        split: all.split.select(&[5, 2]),
        expectations: all.expectations.clone(),
    };
    // As text, since unknown is not equal to unknown.
    let text = |split: &PartTable| format!("{split:?}");
    let apart = log.mask(part, &[5, 2], 3).split;
    assert_eq!(text(&apart), text(&together.select(&[5, 2])));
    let unrecorded = masked(Log {
        is_unrecorded: true,
        ..log
    });
    assert_eq!(unrecorded.split.propensities, None);
    assert_eq!(is_known(&unrecorded.split), is_known(&together));
}
