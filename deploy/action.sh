#!/usr/bin/env bash
# The one step of action.yml. Runs on the bash 3.2 of macOS, too.
set -euo pipefail

arguments=(check)

# Adds an option, unless its value is empty.
option() { if [[ -n $2 ]]; then arguments+=("$1=$2"); fi; }

# Adds each line of a text that is not empty.
lines() {
  local line
  while IFS= read -r line || [[ -n $line ]]; do
    if [[ -n $line ]]; then arguments+=("$line"); fi
  done <<<"$1"
}

base=$INPUT_DIFF_BASE
if [[ $base == none ]]; then
  base=
elif [[ -z $base && ${GITHUB_EVENT_NAME:-} == pull_request ]]; then
  base=origin/$GITHUB_BASE_REF
  if ! git merge-base "$base" HEAD >/dev/null 2>&1; then
    base=
    echo "::warning title=palisade::All findings count: the clone has no merge base with the base branch." \
      "Check out with fetch-depth: 0."
  fi
fi

program=$INPUT_BINARY
if [[ -z $program ]]; then
  # From there, so that its own toolchain file counts.
  root=$RUNNER_TEMP/palisade
  (cd "$GITHUB_ACTION_PATH" && cargo install --quiet --locked --path "$GITHUB_ACTION_PATH" --root "$root")
  program=$root/bin/palisade
fi

directory=$(mktemp -d "$RUNNER_TEMP/palisade.XXXXXX")
report=$directory/palisade.$INPUT_FORMAT
option --config "$INPUT_CONFIG"
option --fail-on "$INPUT_FAIL_ON"
option --persona "$INPUT_PERSONA"
option --diff-base "$base"
option --baseline "$INPUT_BASELINE"
arguments+=(-f github -f "$INPUT_FORMAT" -o "$report")
arguments+=(-f markdown -o "$directory/summary.md" -f json -o "$directory/count.json")
lines "$INPUT_ARGS"
arguments+=(--)
lines "$INPUT_INPUTS"

code=0
"$program" "${arguments[@]}" </dev/null || code=$?

# The number of all findings is the first one; a key inside a text has its quotes escaped.
count=
if [[ -f $directory/count.json ]]; then
  count=$(grep -m 1 -E '^ *"findings": [0-9]+,?$' "$directory/count.json") || count=
fi
if [[ -f $directory/summary.md ]]; then cat "$directory/summary.md" >>"$GITHUB_STEP_SUMMARY"; fi
if [[ ! -f $report ]]; then report=; fi
{
  echo "exit-code=$code"
  echo "findings=${count//[^0-9]/}"
  echo "report-file=$report"
  if [[ $INPUT_FORMAT == sarif ]]; then echo "sarif-file=$report"; fi
} >>"$GITHUB_OUTPUT"
exit "$code"
