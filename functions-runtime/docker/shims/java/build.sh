# Compiles a function and the shim, with the archive's own jars in lib/ and its files in resources/.
set -e
[ -f "$ENTRYPOINT" ] || { echo "There is no $ENTRYPOINT." >&2; exit 1; }
mkdir -p "$OUTPUT" /build/classes
[ ! -d lib ] || cp -r lib "$OUTPUT/lib"
[ ! -d resources ] || cp -r resources/. /build/classes/
find . /tendril/tendril -name '*.java' >/build/sources
javac -encoding UTF-8 -nowarn -cp 'lib/*' -d /build/classes @/build/sources
jar -c -f "$OUTPUT/function.jar" -C /build/classes .
