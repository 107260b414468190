# Makes one program of a function's package and the shim, in a workspace: what they import of one another is found without a network.
set -e
[ -f go.mod ] || go mod init function 2>/dev/null
module=$(sed -n 's/^module *//p' go.mod | head -n 1 | tr -d '"')
folder=$PWD
mkdir -p /build/main "$OUTPUT"
cd /build/main
sed "s#FUNCTION_MODULE#$module#" /tendril/main/main.go >main.go
go mod init main 2>/dev/null
cd /build
go work init "$folder" ./main /tendril/functions
cd /build/main
exec go build -trimpath -ldflags '-s -w' -o "$OUTPUT/function" .
