#!/usr/bin/env bash
# A REST client of an exported model, of curl alone.
#
# bash rest.sh http://localhost:8501 dcgan sample_png '[{"seed": 7}]' > answer.json
# bash rest.sh http://localhost:8501 sgan classify_png picture.jpg
set -euo pipefail

url=$1 model=$2 signature=$3 asked=$4
if [[ $asked != \[* ]]; then
  asked="[{\"image_bytes\": {\"b64\": \"$(base64 < "$asked" | tr -d '\n')\"}}]"
fi
# From standard input, as a picture is longer than an argument may be.
printf '{"signature_name": "%s", "instances": %s}' "$signature" "$asked" |
  curl --silent --show-error --fail-with-body --data @- "$url/v1/models/$model:predict"
