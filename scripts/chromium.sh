#!/usr/bin/env bash
# Installs a headless Chromium and its chromedriver, in which tests open the report as a reader would.
#
#     scripts/chromium.sh
#
# Does nothing when both exist, on the path or named by CHROME and CHROMEDRIVER. Otherwise installs Debian's packages, as root or
# through sudo without a password; on other systems it says what to install.
set -euo pipefail

say() { echo "chromium.sh: $*" >&2; }
die() { say "$*"; exit 1; }

# Prints the program that a variable names, or the first of some names that is on the path; nothing where there is none.
find_program() {
    local variable=$1 name
    shift
    if [ -n "${!variable-}" ]; then echo "${!variable}"; return; fi
    for name in "$@"; do
        if command -v "$name"; then return; fi
    done
}

find_both() {
    chromium=$(find_program CHROME chromium chromium-browser google-chrome google-chrome-stable chrome)
    chromedriver=$(find_program CHROMEDRIVER chromedriver)
    [ -n "$chromium" ] && [ -n "$chromedriver" ]
}

readonly by_hand='install Chromium (or Chrome) and the chromedriver of the same version, and put both on the path or name them in CHROME and CHROMEDRIVER'

for variable in CHROME CHROMEDRIVER; do
    [ -z "${!variable-}" ] || [ -x "${!variable}" ] || die "$variable names \`${!variable}\`, which is not a program; correct or unset it"
done
if find_both; then
    say "\`$chromium\` and \`$chromedriver\` are installed"
    exit 0
fi
command -v apt-get >/dev/null || die "apt-get is not installed; $by_hand (macOS: brew install --cask chromium chromedriver)"

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    sudo -n true 2>/dev/null || die "only root can install packages: run \`sudo apt-get install chromium chromium-driver\`, or $by_hand"
    as_root=(sudo -n)
fi
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq "$@" >&2; }

say 'installing chromium and chromium-driver with apt-get (133 MB to download on a bare Debian)'
apt update || die 'apt-get could not update its lists; its message is above'
# Ubuntu's package of that name is a snap, which no container can run; its chromium-driver does not exist, so this says so.
apt install --yes --no-install-recommends chromium chromium-driver ||
    die "apt-get could not install them (its message is above); $by_hand"
find_both || die "the packages did not contain both; $by_hand"
say "\`$chromium\` and \`$chromedriver\` are installed"
