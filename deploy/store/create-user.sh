#!/bin/sh
# Creates the bucket and the one user that may use it: no administrator, no other bucket. Safe to repeat.
set -eu

until versitygw admin list-users >/dev/null 2>&1; do sleep 1; done
if ! versitygw admin list-users | grep -q "^$STORE_USER "; then
  versitygw admin create-user --access "$STORE_USER" --secret "$STORE_SECRET" --role user
fi
if ! versitygw admin list-buckets | grep -q "^$STORE_BUCKET "; then
  versitygw admin create-bucket --owner "$STORE_USER" --bucket "$STORE_BUCKET"
fi
