//! Finds the order in which an evaluation gathered its results, from the results alone.
