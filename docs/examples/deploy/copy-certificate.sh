#!/bin/sh
# Install it as /etc/letsencrypt/renewal-hooks/deploy/upgradegw: certbot runs it as root behind each new certificate.
# What certbot keeps is for root alone. This makes a copy that the group upgradegw can read, key and chain in one file,
# so that the two are exchanged in one step.
set -eu
folder=${UPGRADEGW_CERTIFICATES:-/etc/upgradegw}
group=${UPGRADEGW_GROUP:-upgradegw}
name=$(basename "$RENEWED_LINEAGE")

umask 077
cat "$RENEWED_LINEAGE/privkey.pem" "$RENEWED_LINEAGE/fullchain.pem" >"$folder/.$name.new"
chgrp "$group" "$folder/.$name.new"
chmod 640 "$folder/.$name.new"
mv "$folder/.$name.new" "$folder/$name.pem"
