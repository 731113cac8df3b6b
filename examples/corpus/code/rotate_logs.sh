#!/bin/sh
# Packs the logs of the month before last and throws away what is older than seven years.
set -eu

logs=${1:-/srv/station/logs}
month=$(date -d "2 months ago" +%Y-%m)

cd "$logs"
tar -czf "archive/night-$month.tar.gz" night-"$month"-*.log
rm -f night-"$month"-*.log
find archive -name 'night-*.tar.gz' -mtime +2557 -delete
