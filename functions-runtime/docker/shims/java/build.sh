# Compiles a function and the shim, with the archive's own jars in lib/ and its files in resources/, or where Maven has them.
set -e
[ -f "$ENTRYPOINT" ] || { echo "There is no $ENTRYPOINT." >&2; exit 1; }
mkdir -p "$OUTPUT" /build/classes
[ ! -d lib ] || cp -r lib "$OUTPUT/lib"
for folder in src/main/resources resources; do [ ! -d "$folder" ] || cp -r "$folder/." /build/classes/; done
find . /tendril/tendril -name '*.java' -not -path './src/test/*' | sed 's/.*/"&"/' >/build/sources
javac -encoding UTF-8 -nowarn -cp 'lib/*' -d /build/classes @/build/sources
jar -c -f "$OUTPUT/function.jar" -C /build/classes .
