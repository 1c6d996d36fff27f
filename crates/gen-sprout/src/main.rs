//! gen-sprout

fn main() {}
