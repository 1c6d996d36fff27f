//! How fast CARROT (KNN) learns, on problems whose truth is known, against the rate that theory promises.
//!
//! Holds problems with a known Bayes router ([`Problem`]), averages over nearest points by Euclidean distance ([`Search`]), the estimate of a power
//! law with its interval ([`power_law`]) and the study that puts them together ([`Study`]). In come the numbers of configs/rate-study.toml, out
//! goes a [`dataset::RateStudy`]. Must not know a command line, real prompts, or how a figure looks.
//!
//! # The question
//! A router sees prompts x in the cube `[0, 1]^d` and, of n of them, a drawn score and cost of each LLM. CARROT estimates the expected score and
//! cost of each LLM and plugs the estimates into the rule of the Bayes router, which knows the expectations:
//!
//! ```text
//! u_m(x)      = (1 - mu) * score_m(x) - mu * cost_m(x)            utility of LLM m
//! excess risk = E[max over m of u_m(X) - u_chosen(X)]             over X and what was learned from
//! ```
//!
//! Plug-in classifiers learn at a rate that the smoothness and the margin decide (J.-Y. Audibert and A. B. Tsybakov, "Fast learning rates for
//! plug-in classifiers", Annals of Statistics 35(2), 2007); CARROT (arXiv 2502.03261) takes that theory to routing and finds its router
//! rate-optimal. What follows is our own derivation for the estimator that is run here, not a quotation of a theorem of either.
//!
//! # The bound
//! Assume, with constants that do not depend on n:
//!
//! 1. *Smoothness*: `|u_m(x) - u_m(y)| <= L |x - y|^g` for all m, 0 < g <= 1.
//! 2. *Strong density*: X is even on the cube. A ball of radius r <= 1 around any x of the cube has at least a `2^-d`-th of itself inside, as at a
//!    corner, so that `P(|X - x| <= r) >= (v_d / 2^d) r^d` with v_d the volume of the unit ball.
//! 3. *Margin*: `P(0 < D(X) <= t) <= C t^a` with `D` the best utility minus the second best.
//! 4. Drawn utilities lie in an interval of length B, and are independent given the prompts.
//!
//! *Estimates concentrate.* Take r_n with `(v_d / 2^d) r_n^d = 2 k / n`. Fewer than k of n prompts fall within r_n of x with probability at most
//! `exp(-k / 4)` (Chernoff). Else all k neighbors are within r_n; given the prompts, the estimate `e_m(x)`, a mean of k independent draws, has
//! a bias of at most `L r_n^g`, and by Hoeffding strays from its expectation by t with probability at most `2 exp(-2 k t^2 / B^2)`. With
//! `k = c n^(2g / (2g + d))` bias and noise are of one size,
//!
//! ```text
//! r_n^g  ~  (k / n)^(g / d)  =  const * n^(-g / (2g + d))  ~  k^(-1/2)  =: delta
//! P(|e_m(x) - u_m(x)| > t) <= c_1 exp(-c_2 (t / delta)^2) + exp(-k / 4)     for t above const * delta
//! ```
//!
//! *Peeling.* Let E(x) be twice the largest error over the LLMs. The choice loses at most E(x), and nothing unless `D(x) <= E(x)`. Cut by the size
//! of the error:
//!
//! ```text
//! excess risk <= E[E(X); 0 < D(X) <= E(X)]
//!             <= delta P(0 < D <= delta) + sum over j >= 1 of 2^j delta E[P(E(X) > 2^(j-1) delta | X); 0 < D(X) <= 2^j delta]
//!             <= C delta^(1+a) (1 + sum over j of 2^(j (1+a)) c_1' exp(-c_2' 4^j))  +  B exp(-k / 4)
//! ```
//!
//! The sum converges, the last term is smaller than any power of n, and there is no logarithm:
//!
//! ```text
//! excess risk <= const * n^(-g (1 + a) / (2g + d))
//! ```
//!
//! # Why the slope can be compared at all
//! The bound is an upper one. A problem that is smoother than assumed where decisions are close is learned faster, and a steep slope would prove
//! nothing; with a large constant in front a shallow one could be hidden. So the problems are made such that the bound is the truth: across the
//! decision boundary the difference of utilities is `A s^g` on one side and `-A' |s|^g` on the other, s being the distance to it. Then
//!
//! - averaging over a ball of radius r around a boundary point has bias `(A - A') / 2 * r^g * E|U|^g`, U a coordinate of an even point of the ball:
//!   of order r^g, and no symmetry cancels it;
//! - the label's noise adds an error of order `k^(-1/2)`, so decisions within a distance of order r are wrong with a probability that stays away
//!   from 0, and each costs of the order of r^g: the excess risk is *at least* `const * r^(1+g)` too, which with `a = 1/g` is the bound;
//! - `s -> A s^g` looks the same at all scales, so the power law holds at every n at which neighborhoods are small against the cube, not only in a
//!   limit.
//!
//! Were k of another order, the slope would be shallower: that is what is tested. With one neighbor the noise never falls and neither does the risk.
//!
//! Lower bounds are proved with a family of problems that grows with n, small bumps of random sign at the very resolution of n (Assouad's lemma).
//! We do not simulate it: there the bumps' mass and height alone give the slope, whatever router is used, a random one too.
//!
//! # Faces of the cube
//! Near a face a neighborhood is cut off and reaches further into the cube; the bound takes care of that (strong density). Test prompts are even on
//! the whole cube, as the excess risk is defined, and no margin is left out. The decision boundary is square to its faces, so these widen neighborhoods
//! there, by the share of a ball that is cut off, but do not tilt them. That share falls with n, by a half in 8 dimensions over the n that are
//! run, which makes slopes a little steeper than the limit's.
//!
//! # How large n must be
//! In d dimensions k neighbors of n reach `(k / n / v_d)^(1/d)` far at least: at n = 2^18 with the k of configs/rate-study.toml that is 0.34 of the
//! cube's side in 8 dimensions, 0.15 in 4 and 0.07 in 2. [`predicted_excess_risk`] computes the risk at finite n by quadrature, so that what the limit
//! does not explain can be told from a fault: the table has its exponent beside the bound's. In 8 dimensions the fitted exponent exceeds the bound,
//! which no upper bound forbids, and comes down towards it as n grows.
//!
//! # What is CARROT's here
//! The rule and the averages are those of `routers::Knn`. That one orders by cosine; [`Search::Products`] runs it on vectors whose cosine orders as
//! Euclidean distance does, and a test holds the other searches to the same averages. k is the theory's instead of cross-validation's; a curve of
//! its own ([`CHOSEN_K`]) has k by the rule that ships, whose candidates grow with n: with 512 as the largest it stops following the bound where the
//! theory's k is larger, in one dimension from some thousand rows on.
//!
//! ```
//! use rate_study::{LlmParams, Problem};
//!
//! let llms = LlmParams {
//!     best_score: 0.95, hardness_score: 0.1, cheap_cost: 0.1, hardness_cost: 0.05, cost_gap: 0.2, cost_gap_slope: -0.25,
//!     dear_cost_gap: 0.4, cost_noise: 0.5, height: 0.36, asymmetry: 1.0 / 3.0,
//! };
//! let problem = Problem::new(2, 1.0, 0.5, llms)?;
//! assert_eq!((problem.margin_exponent(), problem.rate()), (1.0, 0.5));
//! assert_eq!(problem.n_neighbors(8.0, 1 << 18), 4096);
//! # Ok::<(), rate_study::Error>(())
//! ```

mod error;
mod predicted;
mod problem;
mod search;
mod settings;
mod slope;
mod study;

pub use crate::{
    error::{Error, Result},
    predicted::predicted_excess_risk,
    problem::{LlmParams, N_LLMS, N_OUTPUTS, Problem, Sample},
    search::Search,
    settings::{
        DimensionParams, ProblemParams, ShippedRuleParams, Size, SizeParams, Study, StudyParams,
    },
    slope::{Bootstrap, PowerLaw, power_law},
    study::{CHOSEN_K, ONE_NEIGHBOR, RANDOM, ROUTERS},
};
