#!/usr/bin/env bash
# Compares whole commands: medians of runs that take turns. Prints Markdown tables, as they stand in docs/performance.md.
#
#   benches/compare.sh [list|tracked|startup|memory|scan|jobs|throttle]...     all of them, if none is named
#
# HSS_IAC   the program to measure; a release build is made, if it is not given
# BENCH_DIR where the repositories are made and kept for the next time ($TMPDIR/hss-iac-bench): 1.5 GB and 1.3 million files
# FILES     files of the large repository (1000000)
# ROUNDS    runs of each command (5)
# SDK_PYTHON  a Python in which `pip install huaweicloudsdkhss==3.1.161` was done, the last version but one with an upload

# Backticks are Markdown's, and `paired` calls functions by their name.
# shellcheck disable=SC2016,SC2317
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
export LC_ALL=C
bench_dir="${BENCH_DIR:-${TMPDIR:-/tmp}/hss-iac-bench}"
files="${FILES:-1000000}"
rounds="${ROUNDS:-5}"
emulator_pid=
scratch="$(mktemp -d)"
clean_up() {
    [[ -z $emulator_pid ]] || kill "$emulator_pid" 2>/dev/null || true
    rm -rf "$scratch"
}
trap clean_up EXIT

die() {
    printf 'compare.sh: %s\n' "$*" >&2
    exit 2
}

# need PROGRAM PACKAGE: the path of a program, or what to install (names of Debian).
need() {
    type -P "$1" || die "$1 is missing: install the package $2"
}

# median NUMBER...: of an even number of them, the lower one in the middle.
median() {
    printf '%s\n' "$@" | sort -g | sed -n "$((($# + 1) / 2))p"
}

# ratio A B: A / B with two decimals.
ratio() {
    awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'
}

# seconds COMMAND...: its wall time. What it says is not looked at; that it fails is.
seconds() {
    local from="$EPOCHREALTIME"
    "$@" >"$scratch/out" 2>"$scratch/err" || die "$* failed: $(tail -n 3 "$scratch/err")"
    awk -v a="$from" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.4f\n", b - a }'
}

# peak COMMAND...: the most memory it held, in MB.
peak() {
    "$gnu_time" -f %M -o "$scratch/peak" "$@" >/dev/null 2>"$scratch/err" || die "$* failed: $(tail -n 3 "$scratch/err")"
    megabytes
}

# megabytes: what `time` wrote last, in MB.
megabytes() {
    awk '{ printf "%.1f\n", $1 * 1024 / 1e6 }' "$scratch/peak"
}

# paired ROUNDS TITLE COMMAND TITLE COMMAND...: a row for each (a COMMAND is the name of a function), measured in turns after one
# run of each that does not count. The last column compares with the first row, round by round.
paired() {
    local count="$1" round at shown
    local -a titles=() commands=() ratios
    local -A times=()
    shift
    while (($#)); do
        titles+=("$1") commands+=("$2")
        shift 2
    done
    if ((count > 1)); then
        for at in "${commands[@]}"; do seconds "$at" >/dev/null; done
    fi
    for ((round = 0; round < count; round++)); do
        for ((at = 0; at < ${#commands[@]}; at++)); do times[$at, $round]="$(seconds "${commands[at]}")"; done
    done
    printf '| command | median | fastest | slowest | to the first |\n|---|---:|---:|---:|---:|\n'
    for ((at = 0; at < ${#commands[@]}; at++)); do
        ratios=() shown=()
        for ((round = 0; round < count; round++)); do
            shown+=("${times[$at, $round]}")
            ratios+=("$(ratio "${times[$at, $round]}" "${times[0, $round]}")")
        done
        mapfile -t shown < <(printf '%s\n' "${shown[@]}" | sort -g)
        printf '| %s | %.3f s | %.3f s | %.3f s | %s |\n' "${titles[at]}" "$(median "${shown[@]}")" "${shown[0]}" "${shown[-1]}" \
            "$(median "${ratios[@]}")"
    done
}

# tree FILES: the directory of a repository of so many files, made if it is not there.
tree() {
    local directory="$bench_dir/tree-$1"
    if [[ ! -d $directory ]]; then
        mkdir -p "$bench_dir"
        rm -rf "$directory.new"
        (cd "$here" && cargo run --quiet --release --example make-tree -- "$directory.new" "$1") >&2
        (
            cd "$directory.new"
            printf 'target/\nnode_modules/\n*.log\n/dist/\n__pycache__/\n' >.gitignore
            git init -q .
            git config gc.auto 0
            git add -A
            git -c user.name=bench -c user.email=bench@example.test commit -qm tree
            # Few files of git's own, for those commands that search them.
            git repack -adq
            git prune-packed
        ) >&2
        mv "$directory.new" "$directory"
    fi
    printf '%s\n' "$directory"
}

# clean_repository COUNT: as many Dockerfiles as manifests that the stand-in objects to nothing in, so that no call depends on findings.
clean_repository() {
    local directory="$bench_dir/clean-$1" i
    if [[ ! -d $directory ]]; then
        rm -rf "$directory.new"
        mkdir -p "$directory.new/.git"
        (cd "$directory.new" && seq -f 's%g' 1 $(($1 / 2)) | xargs mkdir)
        for ((i = 1; i <= $1 / 2; i++)); do
            printf 'FROM registry.example/base:1.2.3\nLABEL service="s%d"\nUSER 10001\nHEALTHCHECK CMD ["/bin/check"]\nCMD ["/bin/serve"]\n' \
                "$i" >"$directory.new/s$i/Dockerfile"
            printf 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c%d\n  namespace: shop\ndata:\n  key: value\n' "$i" \
                >"$directory.new/s$i/config.yaml"
        done
        mv "$directory.new" "$directory"
    fi
    printf '%s\n' "$directory"
}

# start_emulator FLAG...: sets `endpoint` and `emulator_pid`.
start_emulator() {
    stop_emulator
    : >"$scratch/emulator"
    "$hss_iac" emulator --access-key BENCHKEY --secret-key benchsecret --token benchtoken --project-id benchproject \
        --scan-time 0ms "$@" >"$scratch/emulator" &
    emulator_pid=$!
    until grep -q http "$scratch/emulator"; do
        kill -0 "$emulator_pid" 2>/dev/null || die "the stand-in did not start"
        sleep 0.02
    done
    endpoint="$(grep -o 'http://[0-9.:]*' "$scratch/emulator")"
}

stop_emulator() {
    [[ -n $emulator_pid ]] || return 0
    kill "$emulator_pid" 2>/dev/null || true
    wait "$emulator_pid" 2>/dev/null || true
    emulator_pid=
}

# The time of the stand-in on a processor so far, in seconds.
emulator_cpu() {
    awk -v hz="$(getconf CLK_TCK)" '{ printf "%.3f\n", ($14 + $15) / hz }' "/proc/$emulator_pid/stat"
}

# hss_scan REPOSITORY FLAG...: with the key, as most pipelines do; under `time`, where `under_time` is set.
hss_scan() {
    local repository="$1"
    shift
    local -a measured=()
    [[ -z ${under_time:-} ]] || measured=("$gnu_time" -f %M -o "$scratch/peak")
    env -i PATH="$PATH" HOME="$scratch" HSS_IAC_ACCESS_KEY=BENCHKEY HSS_IAC_SECRET_KEY=benchsecret "${measured[@]}" "$hss_iac" scan "$repository" \
        --endpoint "$endpoint" --iam-endpoint "$endpoint" --project-id benchproject --allow-stand-in --quiet \
        --output "json=$scratch/result.json" "$@"
}

calls() {
    jq -r '[.calls | to_entries[] | "\(.value) \(.key)"] | join(", ")' "$scratch/result.json"
}

part_list() {
    local root rg fd
    rg="$(need rg ripgrep)"
    fd="$(type -P fd || need fdfind fd-find)"
    root="$(tree "$files")"
    in_rg() { "$rg" -uu -l '^apiVersion:' -g '*.y*ml' "$root"; }
    in_fd() { "$fd" -u '\.ya?ml$' "$root"; }
    in_list() { "$hss_iac" list "$root" --output json; }
    printf '\n### `list` on %s files (%s, %s)\n\n' "$files" "$("$rg" --version | sed -n 1p)" "$("$fd" --version)"
    paired "$rounds" "\`rg -uu -l '^apiVersion:' -g '*.y*ml'\`" in_rg "\`fd -u '\\.ya?ml\$'\`, names alone" in_fd '`hss-iac list`' in_list
}

part_tracked() {
    local root rg
    rg="$(need rg ripgrep)"
    root="$(tree "$files")"
    in_rg() { "$rg" -uu -l '^apiVersion:' -g '*.y*ml' "$root"; }
    in_git() { git -C "$root" ls-files '*.y*ml'; }
    in_tracked() { "$hss_iac" list --tracked "$root" --output json; }
    printf '\n### `list --tracked` on %s files\n\n' "$files"
    paired "$rounds" '`rg`, as above' in_rg "\`git ls-files '*.y*ml'\`, names alone" in_git '`hss-iac list --tracked`' in_tracked
}

part_startup() {
    in_true() { /bin/true; }
    in_version() { "$hss_iac" --version; }
    printf '\n### Start-up\n\n'
    paired $((rounds * 5)) '`/bin/true`' in_true '`hss-iac --version`' in_version
}

part_memory() {
    local count root ours held
    gnu_time="$(need time time)"
    need jq jq >/dev/null
    printf '\n### Peak memory\n\n| command | files | of ours | findings | MB |\n|---|---:|---:|---:|---:|\n'
    for count in 1000 10000 100000 "$files"; do
        root="$(tree "$count")"
        "$hss_iac" list "$root" --quiet --output json >"$scratch/list.json"
        ours="$(jq .counts.files "$scratch/list.json")"
        held="$(peak "$hss_iac" list "$root" --output json)"
        printf '| `list` | %s | %s | | %s |\n' "$count" "$ours" "$held"
        held="$(peak "$hss_iac" list --tracked "$root" --output json)"
        printf '| `list --tracked` | %s | %s | | %s |\n' "$count" "$ours" "$held"
    done
    start_emulator
    for count in 200 2000 10000; do
        root="$(clean_repository "$count")"
        held="$(under_time=1 hss_scan "$root" >/dev/null && megabytes)"
        printf '| `scan` | %s | %s | 0 | %s |\n' "$count" "$count" "$held"
    done
    # With a JSON result that is kept up to date, of which every manifest is at fault.
    for count in 10000 100000 "$files"; do
        root="$(tree "$count")"
        held="$(under_time=1 hss_scan "$root" --fail-on never >/dev/null && megabytes)"
        printf '| `scan` | %s | %s | %s | %s |\n' "$count" "$(jq .counts.files "$scratch/result.json")" \
            "$(jq '.findings | length' "$scratch/result.json")" "$held"
    done
    stop_emulator
}

part_scan() {
    local latency root sdk=()
    need curl curl >/dev/null
    need jq jq >/dev/null
    root="$(clean_repository 2000)"
    in_scan() { hss_scan "$root"; }
    in_curl() { ENDPOINT="$endpoint" "$here/benches/peers/scan-with-curl.sh" "$root"; }
    in_sdk() { "$SDK_PYTHON" "$here/benches/peers/scan_with_sdk.py" "$endpoint" "$root"; }
    if [[ -n ${SDK_PYTHON:-} ]]; then
        sdk=('official Python SDK, one file an upload' in_sdk)
    else
        printf 'compare.sh: SDK_PYTHON is not set: the Python SDK is left out\n' >&2
    fi
    for latency in 0 80; do
        start_emulator --latency "${latency}ms"
        printf '\n### `scan` of 2000 files, each answer after %s ms more\n\n' "$latency"
        paired "$rounds" '`hss-iac scan`' in_scan 'a loop of `curl`' in_curl
        if ((${#sdk[@]})); then
            printf '\nOne run of each:\n\n'
            paired 1 '`hss-iac scan`' in_scan "${sdk[@]}"
        fi
        hss_scan "$root" 2>/dev/null
        printf '\nCalls of `scan`: %s.\n' "$(calls)"
    done
    stop_emulator
}

part_jobs() {
    local jobs root
    need jq jq >/dev/null
    root="$(clean_repository 2000)"
    start_emulator
    printf '\n### What bounds a `scan` of 2000 files\n\n'
    printf '| latency | `--jobs` | median | stand-in busy | least: calls x latency / jobs | to the least |\n|---:|---:|---:|---:|---:|---:|\n'
    for jobs in 1 4 16; do
        job_row 0 "$jobs"
    done
    start_emulator --latency 80ms
    for jobs in 1 4 16; do
        job_row 80 "$jobs"
    done
    stop_emulator
}

# job_row LATENCY JOBS: measures with the stand-in that runs.
job_row() {
    local latency="$1" jobs="$2" round before wall least share=-
    local -a walls=() busy=()
    in_job() { hss_scan "$root" --jobs "$jobs"; }
    for ((round = 0; round < rounds; round++)); do
        before="$(emulator_cpu)"
        walls+=("$(seconds in_job)")
        busy+=("$(awk -v a="$before" -v b="$(emulator_cpu)" -v w="${walls[-1]}" 'BEGIN { printf "%.0f\n", 100 * (b - a) / w }')")
    done
    wall="$(median "${walls[@]}")"
    least="$(jq --argjson l "$latency" --argjson j "$jobs" '[.calls[]] | add * $l / 1000 / $j' "$scratch/result.json")"
    ((latency == 0)) || share="$(ratio "$wall" "$least")"
    printf '| %s ms | %s | %.3f s | %s %% | %.2f s | %s |\n' "$latency" "$jobs" "$wall" "$(median "${busy[@]}")" "$least" "$share"
}

part_throttle() {
    local count root wall calls_made least
    need jq jq >/dev/null
    printf '\n### `scan` against `--throttle 5/2s`\n\n'
    printf '| files | `--rate` | calls of the busiest API | least | time | to the least | calls |\n|---:|---|---:|---:|---:|---:|---|\n'
    for count in 100 300; do
        root="$(clean_repository "$count")"
        for rate in auto 5/2s; do
            start_emulator --throttle 5/2s
            in_throttled() { hss_scan "$root" --rate "$rate"; }
            wall="$(seconds in_throttled)"
            # Five calls at once, then five in each window: the last of N begins after (N - 1) / 5 windows, rounded down.
            calls_made="$(jq '(.files | length / 10 | ceil)' "$scratch/result.json")"
            least="$(awk -v n="$calls_made" 'BEGIN { printf "%.1f", int((n - 1) / 5) * 2 }')"
            printf '| %s | %s | %s | %s s | %.2f s | %s | %s |\n' "$count" "$rate" "$calls_made" "$least" "$wall" \
                "$(ratio "$wall" "$least")" "$(calls)"
        done
    done
    stop_emulator
}

main() {
    local part
    local -a parts=("$@")
    ((${#parts[@]})) || parts=(list tracked startup memory scan jobs throttle)
    for part in "${parts[@]}"; do
        declare -F "part_$part" >/dev/null || die "no part $part: list, tracked, startup, memory, scan, jobs or throttle"
    done
    if [[ -z ${HSS_IAC:-} ]]; then
        (cd "$here" && cargo build --quiet --release) >&2
        HSS_IAC="${CARGO_TARGET_DIR:-$here/target}/release/hss-iac"
    fi
    hss_iac="$HSS_IAC"
    printf '%s, %s, %s processors, load %s, %s\n' "$("$hss_iac" --version)" "$(uname -sr)" "$(nproc)" "$(cut -d ' ' -f 1 /proc/loadavg)" \
        "$(date -u +%F)"
    for part in "${parts[@]}"; do "part_$part"; done
}

main "$@"
