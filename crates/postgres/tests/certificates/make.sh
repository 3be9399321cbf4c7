#!/bin/sh
# Makes the certificates of tests/tls.rs anew: an authority, a server's for `localhost` that it signed, and another
# authority that signed nothing. The authorities' keys are not kept.
set -eu
cd "$(dirname "$0")"
new() { openssl ecparam -name prime256v1 -genkey -noout; }
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
for name in authority other; do
    new >"$folder/$name.key"
    openssl req -x509 -new -key "$folder/$name.key" -days 36500 -subj "/CN=dbops test $name" -out "$name.pem" \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
done
new | openssl pkcs8 -topk8 -nocrypt >server.key
printf 'subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n' >"$folder/extensions"
openssl req -new -key server.key -subj "/CN=localhost" |
    openssl x509 -req -CA authority.pem -CAkey "$folder/authority.key" -set_serial 1 -days 36500 \
        -extfile "$folder/extensions" -out server.pem
