//! The answer in words.

use dataset::{
    WorthEstimator, WorthEvidence, WorthPoint, WorthPropensities, WorthRecord, WorthRefusal,
    WorthVerdict,
};
use evaluation::worth::{FEWEST_EFFECTIVE, LOW_PROPENSITY, folds_inflation};

/// Dollars with three significant digits and no exponent: `$0.00214`, `$1.50`, `$402`.
pub fn shown_usd(usd: f64) -> String {
    if !usd.is_finite() {
        return "an unknown sum".to_owned();
    }
    if usd == 0.0 {
        return "$0".to_owned();
    }
    let exponent = usd.abs().log10().floor();
    let n_digits = (2.0 - exponent).clamp(0.0, 12.0) as usize;
    let sign = if usd < 0.0 { "-" } else { "" };
    format!("{sign}${:.n_digits$}", usd.abs())
}

/// The verdict in a sentence or two, for whoever decides. Everything but [`WorthRecord::sentence`] is already in the record.
pub(crate) fn sentence(record: &WorthRecord) -> String {
    let router = &record.router;
    let (gain, level) = (&record.gain, 100.0 * record.settings.level);
    let measured = format!(
        "{} points of accuracy ({level}% interval {} to {}), {}",
        signed(gain.estimate),
        signed(gain.low),
        signed(gain.high),
        worths(&record.curve)
    );
    let single = single(&record.curve, &record.best_single);
    if let (WorthVerdict::CannotTell, Some(evidence)) = (record.verdict, &record.evidence)
        && let Some(refusal) = evidence.refusal
    {
        let advice = match evidence.is_blind() {
            true => "For the same reason no single LLM can be named.".to_owned(),
            false => format!("Until more is known, use {single}."),
        };
        return format!(
            "Cannot tell: {}. {advice}",
            refused(refusal, record, &measured)
        );
    }
    match record.verdict {
        WorthVerdict::WorthIt => format!(
            "Route: against the best single LLM for the money, `{router}` gains {measured}."
        ),
        // Not a single prompt goes elsewhere, so nothing varies.
        WorthVerdict::NotWorthIt if gain.estimate == 0.0 && gain.standard_error == 0.0 => format!(
            "Do not route: use {single}. `{router}` found nothing in these prompts to route by."
        ),
        WorthVerdict::NotWorthIt if gain.high > 0.0 => format!(
            "Do not route: use {single}. Against the best single LLM for the money, `{router}` gains {measured}: less than was asked for."
        ),
        WorthVerdict::NotWorthIt => format!(
            "Do not route: use {single}. Against the best single LLM for the money, the gain of `{router}` is {measured}."
        ),
        // With prompts enough it would not be worth it.
        WorthVerdict::CannotTell if record.curve.iter().all(|point| point.moved_share == 0.0) => {
            format!(
                "Cannot tell: `{router}` found nothing to route by, but {} prompts are too few for that to mean much. Until there are more, use \
                 {single}.",
                record.counts.n_judged
            )
        }
        WorthVerdict::CannotTell => format!(
            "Cannot tell: `{router}` is not detectably better than the best single LLM for the money, and not detectably worse; the gain is \
             {measured}. Until more is known, use {single}."
        ),
    }
}

/// Why there is no verdict, and what to do.
fn refused(refusal: WorthRefusal, record: &WorthRecord, measured: &str) -> String {
    let router = &record.router;
    let Some(evidence) = &record.evidence else {
        return "scores are missing".to_owned();
    };
    let cure = "send a random part of the prompts to other LLMs, note with which probability, and ask again";
    match refusal {
        WorthRefusal::Deterministic => format!(
            "in this log the prompt decided which LLM was asked ({} of the prompts have one LLM with a propensity above {}), so what another LLM would \
             have answered is nowhere in it. To find out, {cure}",
            percent(evidence.decided_share),
            1.0 - LOW_PROPENSITY
        ),
        WorthRefusal::Unsupported => format!(
            "for {} of the prompts or more, `{router}` or the best single LLM chooses an LLM that this log hardly ever asked for such prompts (a \
             propensity below {LOW_PROPENSITY}), so what it would have answered is not in it. To find out, {cure}",
            percent(evidence.low_propensity_share)
        ),
        WorthRefusal::FewEffective => format!(
            "the known scores of what `{router}` chooses weigh as much as {:.0} prompts, fewer than the {FEWEST_EFFECTIVE} that it takes to trust an \
             interval{}",
            evidence.effective_prompts,
            needed(record)
        ),
        WorthRefusal::TooWide => format!(
            "the gain of `{router}` is {measured}: too wide an interval to say anything{}",
            needed(record)
        ),
    }
}

/// How many prompts it would take.
fn needed(record: &WorthRecord) -> String {
    let needed = record.prompts_needed.as_ref();
    let n_prompts = needed.and_then(|needed| Some((needed.at_least, needed.n_prompts?)));
    n_prompts.map_or_else(String::new, |(at_least, n_prompts)| {
        format!(
            "; a gain of {:.2} points takes about {n_prompts} prompts like these to be found",
            100.0 * at_least
        )
    })
}

/// What the gain is an average of, what that assumes, and how much there is of it.
fn evidence_notes(evidence: &WorthEvidence) -> Vec<String> {
    let mut notes = vec![match evidence.estimator {
        WorthEstimator::DoublyRobust => format!(
            "Not all scores are known. The gain is doubly robust: what the router, fitted on other rows, predicts of each choice, corrected by the \
             scores that are known, each weighted by one over the probability with which its LLM was asked. By known scores alone, weighted so, it is {} \
             points ({} to {}).",
            signed(evidence.self_normalized.estimate),
            signed(evidence.self_normalized.low),
            signed(evidence.self_normalized.high)
        ),
        WorthEstimator::SelfNormalized => {
            "Not all scores are known. The gain is of known scores, each weighted by one over the probability with which its LLM was asked.".to_owned()
        }
    }];
    notes.push(match evidence.propensities {
        WorthPropensities::AtRandom => {
            "Each LLM is taken to have been asked at random, at the rate of its known scores, whatever the prompt and its answer: if scores are missing for \
             a reason, the gain is wrong by as much as that reason matters."
        }
        WorthPropensities::Recorded => {
            "The probabilities with which LLMs were asked are those of the data set (`<LLM>/propensity`), and taken to be right."
        }
        WorthPropensities::Estimated => {
            "The data set does not say with which probability LLMs were asked: it was estimated from the embeddings. That is right only if whoever chose went \
             by nothing that also matters for the score and that the embedding does not tell (the user, the time, an earlier answer), and if there was \
             chance in it."
        }
    }.to_owned());
    if let Some(fit) = &evidence.estimated {
        let n_shares = fit.alphas.iter().filter(|alpha| alpha.is_none()).count();
        let [least, largest] = fit.weights;
        notes.push(format!(
            "Estimated probabilities foretell the LLM that was asked with a log loss of {:.3} (the LLMs' shares alone: {:.3}{}); counted as one over \
             them, the prompts of an LLM sum to {:.2} to {:.2} times all prompts, where 1 is right.",
            fit.log_loss,
            fit.log_loss_of_shares,
            match n_shares {
                0 => String::new(),
                n => format!(", which were taken in {n} of {} folds", fit.alphas.len()),
            },
            least,
            largest
        ));
    }
    notes.push(format!(
        "The known scores of the router's choices weigh as much as {:.0} prompts of equal weight; {} of its choices, or of the best single LLM's if \
         those are more, are known to have a probability below {LOW_PROPENSITY}.",
        evidence.effective_prompts,
        percent(evidence.low_propensity_share)
    ));
    notes
}

/// What a reader of the numbers should know: what they are about, and what they leave out.
pub(crate) fn notes(record: &WorthRecord) -> Vec<String> {
    let settings = &record.settings;
    let n = settings.n_folds;
    let mut notes = vec![match &settings.time {
        Some(column) => format!(
            "Rows are in order of `{column}`, in {n} blocks; each but the first is judged by a router that was fitted on all earlier ones. A router \
             fitted on all rows has seen more than most of these."
        ),
        None => format!(
            "Every prompt is judged by a router that was fitted on the other {} of {n} parts of the rows; a router fitted on all of them has seen \
             a little more.",
            n.saturating_sub(1)
        ),
    }];
    notes.push(
        format!(
            "Intervals are for other prompts of the same kind, routed by routers as they were fitted here{}. What another sample to fit on would change \
             is left out.",
            match &settings.time {
                Some(_) => String::new(),
                None => format!(
                    "; standard errors are taken {:.2} times, as the rows that judge one fit chose for the others",
                    folds_inflation(n)
                ),
            }
        ),
    );
    notes.push(
        "Without routing, each worth of a whole score has one LLM for all prompts: the best by mean score - mean cost / worth on the rows that the \
         router was fitted on."
            .to_owned(),
    );
    if let Some(own_cost) = not_taken_off(record) {
        notes.push(own_cost);
    } else if settings.embed_usd_per_1k > 0.0 {
        notes.push(format!(
            "The router's own {} per 1,000 prompts are taken off{}.",
            shown_usd(settings.embed_usd_per_1k),
            match &record.null {
                Some(_) => ", of the gains of permuted prompts, too",
                None => "",
            }
        ));
    }
    let counts = &record.counts;
    if let Some(evidence) = &record.evidence {
        notes.extend(evidence_notes(evidence));
    }
    if counts.n_equal_prompts > 0 {
        let fold = match &settings.time {
            Some(_) => "",
            None => "are in the same fold, and ",
        };
        notes.push(format!(
            "Prompts with the same text {fold}count as one group in intervals."
        ));
    }
    if record.equal_quality.is_some() || record.equal_cost.is_some() {
        notes.push(
            "Savings at about equal accuracy, accuracy at about equal cost: how much cost weighs was chosen on one half of the prompts and judged on \
             the other, and the other way round, so what should be equal is so only about. A router that knows nothing can save a little and lose a \
             little: a saving counts only where the verdict is worth it."
                .to_owned(),
        );
    }
    if record.null.is_some() && settings.n_repeats > 1 {
        notes.push(
            "Permuted prompts are in the folds of the first repeat, and their p is of its gain; the mean gain is over all repeats.".to_owned(),
        );
    }
    notes
}

/// That the router's own cost is in no gain, and from which worth on it pays: where all LLMs cost the same, no worth of a score is in the question.
fn not_taken_off(record: &WorthRecord) -> Option<String> {
    let usd_per_1k = record.settings.embed_usd_per_1k;
    let counts_no_costs = record
        .curve
        .iter()
        .all(|point| point.worth_usd.is_infinite());
    if !(usd_per_1k > 0.0 && counts_no_costs) {
        return None;
    }
    let pays_from = |gain: f64| shown_usd(usd_per_1k / 1000.0 / gain);
    let gain = &record.gain;
    let from = match (gain.estimate > 0.0, gain.low > 0.0) {
        (true, true) => format!(
            "routing pays where a whole score is worth more than {} (at the low end of the interval, {})",
            pays_from(gain.estimate),
            pays_from(gain.low)
        ),
        (true, false) => format!(
            "if the gain is real, routing pays where a whole score is worth more than {}",
            pays_from(gain.estimate)
        ),
        (false, _) => "there is no gain to pay for it".to_owned(),
    };
    Some(format!(
        "All LLMs cost the same, so gains are in scores alone and the router's own {} per 1,000 prompts are not taken off: {from}.",
        shown_usd(usd_per_1k)
    ))
}

/// That an LLM cannot be chosen for what it costs.
pub(crate) fn no_cost(model: &str) -> String {
    format!("`{model}` has no known cost, so no one chooses it where costs count.")
}

/// The LLM to use, and that it is another at other worths.
fn single(curve: &[WorthPoint], best: &str) -> String {
    let named = curve.iter().filter(|point| point.name.is_some());
    let mut others: Vec<String> = Vec::new();
    for point in named.filter(|point| point.best_single != best) {
        others.push(format!(
            "`{}` where a whole score is worth {}",
            point.best_single,
            shown_usd(point.worth_usd)
        ));
    }
    if others.is_empty() {
        format!("`{best}`")
    } else {
        format!("`{best}` (or {})", others.join(", "))
    }
}

/// How dollars count in a gain.
fn worths(curve: &[WorthPoint]) -> String {
    match curve {
        [first, .., last] => format!(
            "dollars counted as the accuracy that they are worth: the average over worths of a whole score from {} to {}",
            shown_usd(first.worth_usd),
            shown_usd(last.worth_usd)
        ),
        _ => "in which costs do not count".to_owned(),
    }
}

/// A share.
fn percent(share: f64) -> String {
    format!("{:.1}%", 100.0 * share)
}

/// A score as points, with its sign.
fn signed(score: f64) -> String {
    if score.is_nan() {
        "an unknown number of".to_owned()
    } else {
        format!("{:+.2}", 100.0 * score)
    }
}

#[cfg(test)]
mod tests {
    use dataset::{NullGains, PartHashes, WorthEstimate, WorthNull};
    use test_support::worth_record;

    use super::*;

    fn record(verdict: WorthVerdict, gain: [f64; 3]) -> WorthRecord {
        let parts = PartHashes {
            train: "a".to_owned(),
            test: "b".to_owned(),
        };
        let [estimate, low, high] = gain;
        WorthRecord {
            verdict,
            gain: WorthEstimate {
                estimate,
                standard_error: (high - low) / 4.0,
                low,
                high,
            },
            ..worth_record("mine", parts)
        }
    }

    #[test]
    fn each_verdict_names_what_to_do() {
        for (verdict, gain, expected) in [
            (
                WorthVerdict::WorthIt,
                [0.02, 0.01, 0.03],
                "Route: against the best single LLM for the money, `carrot-blend` gains +2.00 points of accuracy (95% interval +1.00 to +3.00), \
                 dollars counted as the accuracy that they are worth: the average over worths of a whole score from $0.00200 to $0.400.",
            ),
            (
                WorthVerdict::NotWorthIt,
                [-0.02, -0.03, -0.01],
                "Do not route: use `owner/dear` (or `cheap` where a whole score is worth $0.00484). Against the best single LLM for the money, \
                 the gain of `carrot-blend` is -2.00 points",
            ),
            (
                WorthVerdict::NotWorthIt,
                [0.0; 3],
                "`carrot-blend` found nothing in these prompts to route by.",
            ),
            (
                WorthVerdict::NotWorthIt,
                [0.002, 0.001, 0.003],
                "`carrot-blend` gains +0.20 points of accuracy (95% interval +0.10 to +0.30), dollars counted as the accuracy \
                 that they are worth: the average over worths of a whole score from $0.00200 to $0.400: less than was asked for.",
            ),
            (
                WorthVerdict::CannotTell,
                [0.001, -0.01, 0.012],
                "is not detectably better than the best single LLM for the money, and not detectably worse; the gain is +0.10 points",
            ),
        ] {
            let sentence = sentence(&record(verdict, gain));
            assert!(sentence.contains(expected), "{sentence}");
        }
    }

    fn evidence(refusal: Option<WorthRefusal>) -> WorthEvidence {
        WorthEvidence {
            estimator: WorthEstimator::DoublyRobust,
            propensities: WorthPropensities::Estimated,
            self_normalized: WorthEstimate {
                estimate: 0.015,
                standard_error: 0.005,
                low: 0.005,
                high: 0.025,
            },
            effective_prompts: 412.4,
            low_propensity_share: 0.005,
            decided_share: 0.97,
            estimated: Some(WorthPropensityFit {
                alphas: vec![Some(3.0), None],
                log_loss: 0.5,
                log_loss_of_shares: 0.75,
                weights: [0.9, 1.2],
            }),
            refusal,
        }
    }

    #[test]
    fn a_refusal_says_why_and_what_to_do() {
        let single = "Until more is known, use `owner/dear` (or `cheap`";
        let cure = "send a random part of the prompts to other LLMs";
        let none = "no single LLM can be named";
        let takes = "a gain of 1.00 points takes about 2400 prompts like these to be found";
        for (refusal, parts) in [
            (
                WorthRefusal::Deterministic,
                [
                    "97.0% of the prompts have one LLM with a propensity above 0.99",
                    cure,
                    none,
                ],
            ),
            (
                WorthRefusal::Unsupported,
                ["for 0.5% of the prompts or more", cure, none],
            ),
            (
                WorthRefusal::FewEffective,
                [
                    "weigh as much as 412 prompts, fewer than the 100",
                    takes,
                    single,
                ],
            ),
            (
                WorthRefusal::TooWide,
                [
                    "+0.10 points of accuracy (95% interval -10.00 to +12.00)",
                    takes,
                    single,
                ],
            ),
        ] {
            let mut record = record(WorthVerdict::CannotTell, [0.001, -0.1, 0.12]);
            record.evidence = Some(evidence(Some(refusal)));
            let text = sentence(&record);
            assert!(text.starts_with("Cannot tell: "), "{text}");
            for part in parts {
                assert!(text.contains(part), "no `{part}` in {text}");
            }
        }
    }

    #[test]
    fn too_few_rows_are_named() {
        let mut record = record(WorthVerdict::CannotTell, [0.0; 3]);
        for point in &mut record.curve {
            point.moved_share = 0.0;
        }
        record.counts.n_judged = 49;
        let text = sentence(&record);
        assert!(
            text.contains("but 49 prompts are too few for that to mean much"),
            "{text}"
        );
        record.curve[0].moved_share = 0.1;
        assert!(sentence(&record).contains("not detectably better"));
    }

    #[test]
    fn notes_say_what_the_number_is_about() {
        let mut record = record(WorthVerdict::WorthIt, [0.02, 0.01, 0.03]);
        let has =
            |record: &WorthRecord, part: &str| notes(record).iter().any(|it| it.contains(part));
        assert!(has(&record, "the other 4 of 5 parts"));
        assert!(has(&record, "standard errors are taken 1.40 times"));
        assert!(has(
            &record,
            "same text are in the same fold, and count as one group"
        ));
        assert!(has(&record, "counts only where the verdict is worth it"));
        for part in ["doubly robust", "taken off", "in order of", "Permuted"] {
            assert!(!has(&record, part), "{part}");
        }
        record.counts.known_scores = 0.5;
        record.evidence = Some(evidence(None));
        record.settings.embed_usd_per_1k = 0.02;
        record.settings.time = Some("day".to_owned());
        record.settings.n_repeats = 2;
        let gains = NullGains {
            gains: vec![0.0],
            p: 1.0,
        };
        record.null = Some(WorthNull {
            over_all: gains.clone(),
            within_tasks: gains,
        });
        for part in [
            "By known scores alone, weighted so, it is +1.50 points (+0.50 to +2.50)",
            "was estimated from the embeddings",
            "log loss of 0.500 (the LLMs' shares alone: 0.750, which were taken in 1 of 2 folds)",
            "sum to 0.90 to 1.20 times",
            "weigh as much as 412 prompts of equal weight; 0.5% of its choices",
            "own $0.0200 per 1,000 prompts are taken off, of the gains of permuted prompts, too",
            "in order of `day`",
            "same text count as one group",
            "their p is of its gain",
        ] {
            assert!(has(&record, part), "{part}");
        }
    }

    #[test]
    fn an_own_cost_that_no_worth_can_weigh_is_weighed_by_the_reader() {
        let of = |gain| {
            let mut record = record(WorthVerdict::CannotTell, gain);
            record.settings.embed_usd_per_1k = 0.5;
            record.curve.truncate(1);
            record.curve[0].worth_usd = f64::INFINITY;
            notes(&record).join("\n")
        };
        // $0.0005 per prompt for .02 of a score.
        let sure = of([0.02, 0.01, 0.03]);
        let expected = "own $0.500 per 1,000 prompts are not taken off: routing pays where a whole score is worth more than $0.0250 (at the low \
                        end of the interval, $0.0500).";
        assert!(
            sure.contains(expected) && !sure.contains("are taken off"),
            "{sure}"
        );
        assert!(of([0.02, -0.01, 0.05]).contains("if the gain is real, routing pays"));
        assert!(of([-0.02, -0.03, -0.01]).contains("no gain to pay for it"));
    }

    #[test]
    fn dollars_have_three_digits() {
        for (usd, expected) in [
            (0.0, "$0"),
            (0.002_137, "$0.00214"),
            (0.02, "$0.0200"),
            (1.5, "$1.50"),
            (12.345, "$12.3"),
            (402.4, "$402"),
            (12_345.6, "$12346"),
            (-0.5, "-$0.500"),
            (f64::INFINITY, "an unknown sum"),
        ] {
            assert_eq!(shown_usd(usd), expected);
        }
    }
}
