# Short names for what people run here; `just` lists them. Everything works without just, too.

_default:
    @just --list --unsorted

# from a fresh clone to a figure, on synthetic prompts
quickstart *arguments:
    scripts/quickstart.sh {{arguments}}

# all that CI checks; --long, --skip NAME
test *arguments:
    scripts/test.sh {{arguments}}

# one crate's tests: just crate evaluation
crate name *arguments:
    cargo test --locked -p {{name}} {{arguments}}

# formats, and checks what takes seconds
quick:
    cargo fmt --all
    python3 scripts/words.py
    scripts/arrows.sh
    python3 scripts/doc_blocks.py --check

# the commands of the README and of docs/ that take seconds
docs:
    python3 scripts/doc_blocks.py ci

# every number that CARROT published against ours
reproduce *arguments:
    scripts/reproduce.sh {{arguments}}

# carrot-router and train-and-infer where cargo installs programs
install:
    cargo install --locked --debug --path crates/carrot-router
    cargo install --locked --debug --path crates/train-and-infer

# the programs as an archive: just package dist
package folder:
    scripts/package.sh {{folder}}
