//! CARROT's published matrix of scores: read, audited, and joined with the questions that it lacks.

mod audit;
mod matrix;
mod questions;
mod table;

pub(crate) use self::{
    audit::align,
    matrix::Matrix,
    questions::Questions,
    table::{Order, raw_table},
};
