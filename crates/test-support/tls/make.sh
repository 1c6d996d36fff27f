#!/usr/bin/env bash
# Makes the certificates of the servers with TLS: an authority that no system knows, and what it issued. Valid for a hundred years; the keys
# open nothing.
set -euo pipefail
cd "$(dirname "$0")"

days=36500
key() { openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt; }

issue() { # NAME SUBJECT-ALT-NAME
    key >"$1.key"
    openssl req -new -key "$1.key" -subj "/CN=carrot test $1" |
        openssl x509 -req -CA authority.pem -CAkey "$authority" -days "$days" -out "$1.pem" -extfile <(
            printf 'basicConstraints=critical,CA:false\nextendedKeyUsage=serverAuth\nsubjectAltName=%s\n' "$2"
        )
}

authority=$(mktemp)
trap 'rm -f "$authority"' EXIT
key >"$authority"
openssl req -x509 -new -key "$authority" -days "$days" -subj '/CN=carrot test authority' -out authority.pem \
    -addext 'basicConstraints=critical,CA:true' -addext 'keyUsage=critical,keyCertSign'
issue here 'IP:127.0.0.1,DNS:localhost'
issue elsewhere 'DNS:elsewhere.test'
