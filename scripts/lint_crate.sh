#!/usr/bin/env bash
# Stands between cargo and rustc for the crates of this workspace, as RUSTC_WORKSPACE_WRAPPER of `cargo build`: a crate is not compiled but read by
# clippy, and its documentation is made by rustdoc, both with warnings as errors. Dependencies are then those that the build of the tests has made.
# `cargo clippy` and `cargo doc` would first check all of them once more.
set -euo pipefail

rustc=$1
shift
# Cargo's questions about the compiler, and what a build runs.
case " $* " in *' --crate-name ___ '* | *' --crate-name build_script_build '* | *' -vV '*) exec "$rustc" "$@" ;; esac

args=() docs=() source='' is_test='' doc_dir=''
while [ $# -gt 0 ]; do
    arg=$1
    shift
    case $arg in
        --emit=*) args+=(--emit=dep-info,metadata) ;;
        --out-dir)
            args+=("$arg" "$1")
            doc_dir=${1%/*/*}/doc
            shift
            ;;
        -C)
            args+=("$arg" "$1")
            shift
            ;;
        --extern)
            # Of our own crates there is only the metadata.
            metadata=${1#*=}
            metadata=${metadata%.rlib}.rmeta
            extern=$1
            case $1 in *.rlib) [ ! -e "$metadata" ] || extern=${1%%=*}=$metadata ;; esac
            args+=("$arg" "$extern")
            docs+=("$arg" "$extern")
            shift
            ;;
        --test)
            args+=("$arg")
            is_test=yes
            ;;
        -C* | --diagnostic-width=*) args+=("$arg") ;;
        *)
            case $arg in *.rs) source=$arg ;; esac
            args+=("$arg")
            docs+=("$arg")
            ;;
    esac
done

clippy-driver "$rustc" "${args[@]}" -D warnings
# As by `cargo doc`: a program beside a library has no page of its own.
case $source in
    */src/lib.rs) ;;
    */src/main.rs) [ ! -e "${source%main.rs}lib.rs" ] || exit 0 ;;
    *) exit 0 ;;
esac
[ -n "$is_test" ] || exec rustdoc "${docs[@]}" --out-dir "$doc_dir" -D warnings
