//! gen-routerbench

fn main() {}
