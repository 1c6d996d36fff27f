//! What routers are compared with: each LLM alone, the best one, the oracle, chance, and the zero router.

mod mean_cost;
pub(crate) mod single;
pub(crate) mod zero_router;

pub use self::{
    mean_cost::mean_costs,
    single::{best_single, oracle, random, single_models},
    zero_router::{Corner, Mixture, ZeroRouter, model_positions, zero_router},
};
