#!/bin/sh
# clang-tidy over every source of the compile database: DIR of the build.
set -u
dir=$1
# One command for each file: clang-tidy reads a file as often as it stands in the database,
# and some are in several programs.
database=$(mktemp -d)
trap 'rm -rf "$database"' EXIT
trap 'exit 143' TERM
trap 'exit 130' INT
files=$(python3 - "$dir" "$database" <<'PY'
import json, os, sys
root = os.getcwd() + os.sep
db = {}
for e in json.load(open(os.path.join(sys.argv[1], "compile_commands.json"))):
    db.setdefault(os.path.normpath(os.path.join(e["directory"], e["file"])), e)
json.dump(list(db.values()), open(os.path.join(sys.argv[2], "compile_commands.json"), "w"))
print("\n".join(sorted(n[len(root):] for n in db if n.startswith(root) and n.endswith(".c"))))
PY
)
[ -n "$files" ] || { echo "no sources found in $dir"; exit 1; }
# gcc's own options mean nothing to clang and must not fail the check
tidy() {
  xargs -r -P "$(nproc)" -n 4 clang-tidy -p "$database" --quiet \
    --extra-arg=-Wno-unknown-warning-option --extra-arg=-Qunused-arguments "$@" 2>/dev/null
}
# The analyzer walks every path, which takes most of the time: it is for what runs in the field.
rc=0
printf '%s\n' $files | grep -v '^tests/' | tidy || rc=1
printf '%s\n' $files | grep '^tests/' | tidy --checks='-clang-analyzer-*' || rc=1
exit $rc
