//! Makes the data set of the Open LLM Leaderboard v2; the library says how.

use std::process::ExitCode;

fn main() -> ExitCode {
    gen_openllm::main()
}
