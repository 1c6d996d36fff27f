#!/usr/bin/env bash
# How often a goal that `calibrate --confidence .95` promises is missed by new prompts, through the library, on 1,000 draws from each of several worlds: normal
# and heavy-tailed costs, 100 to 10,000 new prompts, budgets, parts of an LLM's cost, accuracies and shares. Fails above 7%. Some minutes.
#
#     scripts/long/promises.sh [DRAWS]
set -euo pipefail
cd "$(dirname "$0")/../.."
exec cargo run --locked -p evaluation --example promises -- "${1:-1000}"
