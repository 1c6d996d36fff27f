#!/usr/bin/env bash
# Puts libtorch where cargo finds it when nothing else is set. environment/README.md describes the other ways.
set -euo pipefail

usage() {
    cat <<'EOF'
usage: scripts/libtorch.sh [--prefix DIR] [--variant cpu|cuda|mps]

Installs libtorch 2.13.0 from PyPI's wheels and names it in .cargo/config.toml. Needs python3 with pip.
Does nothing when LIBTORCH or LIBTORCH_USE_PYTORCH is set, and downloads nothing that is already there.

  --prefix DIR    where to install (default: carrot/libtorch-2.13.0-VARIANT in $XDG_CACHE_HOME or ~/.cache,
                  which all clones share)
  --variant NAME  cpu (default on Linux), cuda (Linux with an NVIDIA GPU) or mps (default on macOS)
EOF
}

readonly version=2.13.0
readonly config_header='# Written by scripts/libtorch.sh, which rewrites it; without this line it leaves the file alone.'
repo=$(cd "$(dirname "$0")/.." && pwd)
readonly repo
readonly config="$repo/.cargo/config.toml"
readonly wheels="$repo/environment/libtorch-wheels.txt"
partial=

say() { printf 'libtorch: %s\n' "$*" >&2; }
fail() { say "$@"; exit 1; }
bad_usage() { say "$@"; usage >&2; exit 2; }

# Sets for this machine: platforms, the wheel tags that pip may take; libraries, a line per file with its bytes. The wheels are
# pinned by hash, so the sizes are constants, and comparing them finds a cut-off or foreign install in no time.
# A Linux library needs all that `readelf -d` names in it, even what only a GPU would use.
read_platform() {
    local torch runtime machine
    machine=$(uname -m)
    case "$(uname -s)-$machine" in
        Linux-x86_64)
            torch='libtorch_cpu.so 438418417
libc10.so 1623185
libgomp.so.1 254009'
            runtime='libcudart.so.13 704288
libcupti.so.13 4152208'
            download_mb=540 disk_mb=485
            ;;
        Linux-aarch64)
            torch='libtorch_cpu.so 267181049
libc10.so 1930761
libgomp.so.1 344073
libarm_compute.so 17850537
libarm_compute_graph.so 1310433
libnvpl_blas_core.so.0 2562097
libnvpl_blas_lp64_gomp.so.0 469313
libnvpl_lapack_core.so.0 1710681
libnvpl_lapack_lp64_gomp.so.0 5936761'
            runtime='libcudart.so.13 707752
libcupti.so.13 3850656'
            download_mb=440 disk_mb=345
            ;;
        Darwin-arm64)
            torch='libtorch.dylib 16752
libtorch_cpu.dylib 337911904
libc10.dylib 1102704
libomp.dylib 856096'
            runtime=
            download_mb=111 disk_mb=380
            ;;
        *) fail "PyPI has no wheel of torch $version for $(uname -s) $(uname -m); set LIBTORCH to a libtorch $version of your own" ;;
    esac
    case "$(uname -s)" in
        Darwin) platforms=macosx_14_0_arm64 ;;
        # torch asks for glibc 2.28, the NVIDIA wheels for older ones, and pip takes each tag by its letter.
        *) platforms="manylinux2014_$machine $(printf "manylinux_2_%d_$machine " {17..28})" ;;
    esac
    libraries=$torch
    if [ "$variant" = cuda ]; then
        # The CUDA libraries stay in folders of their own, beside torch/, where libtorch's own search path looks for them.
        download_mb=2750 disk_mb=4800
    elif [ -n "$runtime" ]; then
        libraries="$torch
$runtime"
    fi
}

# Whether a folder, as LIBTORCH would name it, is a whole libtorch of this variant.
is_whole() {
    local folder=$1 name bytes
    [ "$(cat "$folder/build-version" 2>/dev/null)" = "$version" ] || return 1
    [ -f "$folder/include/torch/csrc/api/include/torch/torch.h" ] || return 1
    [ "$variant" != cuda ] || [ -f "$folder/lib/libtorch_cuda.so" ] || return 1
    while read -r name bytes; do
        [ -f "$folder/lib/$name" ] && [ "$(wc -c <"$folder/lib/$name")" -eq "$bytes" ] || return 1
    done <<<"$libraries"
}

need_python() {
    command -v python3 >/dev/null || fail 'needs python3 (Debian: apt-get install python3 python3-pip; macOS: xcode-select --install)'
    python3 -m pip --version >/dev/null 2>&1 ||
        fail 'needs pip (Debian: apt-get install python3-pip; elsewhere: python3 -m ensurepip --user)'
}

need_space() {
    local folder=$1 need_mb=$2 free_kb
    free_kb=$(df -Pk "$folder" | awk 'NR == 2 { print $4 }')
    [ "$((free_kb / 1000))" -ge "$need_mb" ] ||
        fail "needs $need_mb MB in \`$folder\`, which has $((free_kb / 1000)); choose another folder with --prefix"
}

# pip with the arguments that choose the same wheels under every Python, one that torch has no wheel for included.
pip_for_cp311() {
    local command=$1 platform flags=()
    shift
    for platform in $platforms; do
        flags+=(--platform "$platform")
    done
    # pip works in the temporary folder, which is often in memory and too small for this.
    TMPDIR="$partial.wheels" python3 -m pip "$command" --disable-pip-version-check --only-binary=:all: --python-version 3.11 --implementation cp \
        --abi cp311 "${flags[@]}" "$@" >&2 ||
        fail 'pip could not download the wheels (its message is above); environment/README.md describes how to install libtorch without PyPI'
}

# Fills the folder $1 from the pinned wheels: headers, and the libraries of the list.
unpack_libraries() {
    local folder=$1
    pip_for_cp311 download --no-deps --require-hashes --requirement "$wheels" --dest "$folder.wheels"
    # Without a copy of the 1.5 GB that the wheel holds: only the members that are wanted are ever written.
    python3 - "$folder" "$libraries" <<'PYTHON'
import pathlib, shutil, sys, zipfile

folder, wanted = pathlib.Path(sys.argv[1]), {line.split()[0] for line in sys.argv[2].splitlines()}
for wheel in sorted(pathlib.Path(f"{folder}.wheels").glob("*.whl")):
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            path = pathlib.PurePosixPath(member.filename)
            if path.parts[:2] == ("torch", "include") and not member.is_dir():
                target = folder / path.relative_to("torch")
            elif path.parent.name == "lib" and path.name in wanted:
                target = folder / "lib" / path.name
            else:
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(member) as source, open(target, "wb") as copy:
                shutil.copyfileobj(source, copy, 1 << 20)
PYTHON
    # The linker is asked for `torch`; the real libtorch.so of the Linux wheels would drag all of CUDA in.
    [ "$(uname -s)" = Darwin ] || ln -s libtorch_cpu.so "$folder/lib/libtorch.so"
}

# Fills the folder $1 with torch and all CUDA libraries as pip lays them out.
unpack_cuda() {
    # Not by hash: these are twenty-odd packages, whose exact versions torch's own metadata names.
    pip_for_cp311 install --no-compile --target "$1" "torch==$version"
}

remove_partial() {
    [ -z "$partial" ] || rm -rf "$partial" "$partial.wheels"
}

install_libtorch() {
    local root=$1 libtorch=$2 parent
    [ ! -e "$root" ] || fail "\`$root\` exists and is not a complete libtorch $version ($variant); move it away and run this again"
    need_python
    parent=$(dirname "$root")
    mkdir -p "$parent"
    need_space "$parent" "$((download_mb + disk_mb))"
    say "downloading torch $version ($variant) from PyPI: about $download_mb MB, then $disk_mb MB on disk in \`$root\`"

    # Beside its place and then renamed, so that an interrupted run leaves no half of a libtorch under the name that cargo reads.
    partial="$root.partial.$$"
    trap remove_partial EXIT
    mkdir "$partial" "$partial.wheels"
    if [ "$variant" = cuda ]; then unpack_cuda "$partial"; else unpack_libraries "$partial"; fi
    printf '%s\n' "$version" >"$partial${libtorch#"$root"}/build-version"
    is_whole "$partial${libtorch#"$root"}" || fail "the wheels of torch $version do not contain what they should; nothing was installed"
    # `mv` would move into the folder that another run of this script may have finished meanwhile.
    python3 -c 'import os, sys; os.rename(*sys.argv[1:])' "$partial" "$root" 2>/dev/null || is_whole "$libtorch" ||
        fail "could not rename \`$partial\` to \`$root\`"
    remove_partial
    partial=
}

# The folder that .cargo/config.toml names, empty if there is none.
configured() {
    [ ! -f "$config" ] || sed -n 's/^[[:space:]]*LIBTORCH[[:space:]]*=[^"]*"\(.*\)".*$/\1/p' "$config"
}

is_ours() { [ "$(head -n 1 "$config")" = "$config_header" ]; }

write_config() {
    local lines
    # No `force`: a LIBTORCH in the user's environment wins.
    lines=$(printf '[env]\nLIBTORCH = "%s"' "$(printf '%s' "$1" | sed 's/[\\"]/\\&/g')")
    if [ -f "$config" ] && ! is_ours; then
        say "\`$config\` is yours and was not changed; add this to it (LIBTORCH under its [env], if it has one):"
        printf '%s\n' "$lines" >&2
        exit 1
    fi
    mkdir -p "$(dirname "$config")"
    printf '%s\n%s\n' "$config_header" "$lines" >"$config.partial.$$"
    mv "$config.partial.$$" "$config"
    say "cargo finds \`$1\` through .cargo/config.toml"
}

prefix='' variant=''
while [ $# -gt 0 ]; do
    case $1 in
        --prefix | --variant)
            [ $# -ge 2 ] || bad_usage "\`$1\` needs a value"
            if [ "$1" = --prefix ]; then prefix=$2; else variant=$2; fi
            shift 2
            ;;
        -h | --help) usage; exit 0 ;;
        *) bad_usage "unknown argument \`$1\`" ;;
    esac
done

for name in LIBTORCH LIBTORCH_USE_PYTORCH; do
    if [ -n "${!name+set}" ]; then
        say "$name is set to \`${!name}\`, which takes precedence; nothing to do"
        exit 0
    fi
done

asked=$prefix$variant
if [ -z "$variant" ]; then
    case "$(uname -s)" in Darwin) variant=mps ;; *) variant=cpu ;; esac
fi
case "$(uname -s)-$variant" in
    *-cpu | Linux-cuda | Darwin-mps) ;;
    *-cuda | *-mps) fail "$variant is not available on $(uname -s); environment/README.md lists what is" ;;
    *) bad_usage "unknown variant \`$variant\`" ;;
esac

current=$(configured)
if [ -n "$current" ] && ! is_ours; then
    say "your own .cargo/config.toml names \`$current\`, which takes precedence; nothing to do"
    exit 0
fi
# Asked for nothing in particular, as by test.sh: another variant or place that was chosen before stays chosen.
if [ -z "$asked" ] && [ -n "$current" ]; then
    if [ -f "$current/lib/libtorch_cuda.so" ]; then variant=cuda; fi
fi
read_platform
if [ -z "$asked" ] && [ -n "$current" ] && is_whole "$current"; then
    say "\`$current\` is in place"
    exit 0
fi

root=${prefix:-${XDG_CACHE_HOME:-$HOME/.cache}/carrot/libtorch-$version-$variant}
case $root in /*) ;; *) root=$PWD/$root ;; esac
root=${root%/}
# pip lays packages side by side; the LIBTORCH among them is torch/.
libtorch=$root
[ "$variant" != cuda ] || libtorch=$root/torch
is_whole "$libtorch" || install_libtorch "$root" "$libtorch"
write_config "$libtorch"
