# Makes one program of a function's package and the shim, in a workspace: what they import of one another is found without a network.
set -e
[ -f "$ENTRYPOINT" ] || { echo "There is no $ENTRYPOINT." >&2; exit 1; }
if grep -q '^package main *$' "$ENTRYPOINT"; then
  echo "$ENTRYPOINT is of package main. A function is a package of another name, as package function." >&2
  exit 1
fi
[ -f go.mod ] || go mod init function 2>/dev/null
module=$(sed -n 's/^module *//p' go.mod | head -n 1 | tr -d '"')
file=${ENTRYPOINT#./} package=$module
[ "$file" = "${file##*/}" ] || package=$module/${file%/*}
folder=$PWD
mkdir -p "$OUTPUT"
if [ -f vendor/modules.txt ]; then
  # A workspace knows nothing of what a module carries along, so the shim becomes part of both.
  main=$folder/tendril_main
  rm -rf vendor/tendril/functions && mkdir -p vendor/tendril && cp -r /tendril/functions vendor/tendril/functions
  go mod edit -require=tendril/functions@v0.0.0 -replace=tendril/functions@v0.0.0=/tendril/functions
  printf '# tendril/functions v0.0.0 => /tendril/functions\n## explicit; go 1.21\ntendril/functions\n' >>vendor/modules.txt
else
  main=/build/main
fi
mkdir -p "$main"
sed "s#FUNCTION_MODULE#$package#" /tendril/main/main.go >"$main/main.go"
if [ "$main" = /build/main ]; then
  (cd "$main" && go mod init main 2>/dev/null)
  (cd /build && go work init "$folder" ./main /tendril/functions)
fi
exec go build -trimpath -ldflags '-s -w' -o "$OUTPUT/function" "$main"
