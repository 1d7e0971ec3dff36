#!/bin/sh
# gofmt, go vet, staticcheck and, where its database can be had, govulncheck.
set -eu
cd "$(dirname "$0")/.."
unformatted=$(gofmt -l cmd connectors deploy handlers jobs schemas)
if [ -n "$unformatted" ]; then
	echo "gofmt would change these files; run gofmt -w on them:" >&2
	echo "$unformatted" >&2
	exit 1
fi
go vet ./...
go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
report=$(mktemp)
trap 'rm -f "$report"' EXIT
if go run golang.org/x/vuln/cmd/govulncheck@v1.9.0 ./... >"$report" 2>&1; then
	echo "govulncheck: nothing found"
elif grep -q 'Vulnerability #' "$report"; then
	cat "$report" >&2
	exit 1
else
	echo "govulncheck: skipped, its database cannot be had here"
fi
