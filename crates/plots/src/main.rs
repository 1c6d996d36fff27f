//! Draws the figures and writes the tables; see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    plots::main()
}
