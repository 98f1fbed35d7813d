#!/bin/bash
# Latido on the vitals workload, written in its public API: builds once, then execs the engine (one process).
#   run.sh --driver direct|native|embedded --mode window|alert --window hop|tumble --guarantee exactly-once|at-least-once
#          --topic IN --out OUT --group ID --bootstrap HOST:PORT --state-dir DIR
# With --driver embedded, --state-dir holds the log as well. --prof DIR writes a CPU profile there.
set -euo pipefail
root=$(cd "$(dirname "$0")/../../.." && pwd)
built=$root/dist/bench/test/bench/vitals/main.js
if [ ! -f "$built" ] || [ -n "$(find "$root/streams" "$root/test/bench/vitals" "$root/test/kit/random.ts" -name '*.ts' -newer "$built" -print -quit)" ]; then
  (cd "$root" && node node_modules/typescript/bin/tsc -p test/bench/vitals/tsconfig.json) >&2
  touch "$built"
fi
[ -n "${BUILD_ONLY:-}" ] && exit 0
profile=()
if [ "${1:-}" = --prof ]; then profile=(--cpu-prof "--cpu-prof-dir=$2"); shift 2; fi
exec node ${profile[@]+"${profile[@]}"} "$built" "$@"
