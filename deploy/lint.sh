#!/bin/sh
# gofmt, go vet, staticcheck, the size of the binary and, where its database can be had, govulncheck.
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
binary=$(mktemp)
trap 'rm -f "$report" "$binary"' EXIT

# gin and validator are held back in go.mod: newer ones look methods up by name (reflect), which keeps the linker from
# dropping unused methods of every package and makes the binary a quarter larger. Whoever upgrades them sees it here.
limit=40000000
sh deploy/build.sh "$binary"
size=$(wc -c <"$binary")
echo "binary: $size bytes of $limit at most"
if [ "$size" -gt "$limit" ]; then
	echo "the binary is too large: look at what go.mod has upgraded or added since it was not" >&2
	exit 1
fi

if go run golang.org/x/vuln/cmd/govulncheck@v1.9.0 ./... >"$report" 2>&1; then
	echo "govulncheck: nothing found"
elif grep -q 'Vulnerability #' "$report"; then
	cat "$report" >&2
	exit 1
else
	echo "govulncheck: skipped, its database cannot be had here"
fi
