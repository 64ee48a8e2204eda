#!/usr/bin/env bash
# The two steps of action.yml: `get` has the program at hand or finds out that it must be built, `scan` builds it where it
# must, runs it, and sets the outputs of the step, whatever happens.
#
# It runs under the bash of Linux, macOS (3.2) and Windows (Git). Every value comes by the environment and is data: none
# is ever parsed as code.
set -euo pipefail
unset CDPATH
# Git's bash on Windows must not take arguments that begin with a slash for paths of its own.
export MSYS_NO_PATHCONV=1 MSYS2_ARG_CONV_EXCL='*'

# All variables that hold a credential, as the README has them.
credentials=(
    HSS_IAC_TOKEN HSS_IAC_ACCESS_KEY HSS_IAC_SECRET_KEY HSS_IAC_SECURITY_TOKEN
    HUAWEICLOUD_OIDC_ID_TOKEN
    HUAWEICLOUD_SDK_AK HUAWEICLOUD_SDK_SK HUAWEICLOUD_SDK_SECURITY_TOKEN
    HW_ACCESS_KEY HW_SECRET_KEY HW_SECURITY_TOKEN HW_AUTH_TOKEN HW_USER_PASSWORD
    HUAWEI_CLOUD_ACCESS_KEY_ID HUAWEI_CLOUD_SECRET_ACCESS_KEY
    OS_ACCESS_KEY OS_SECRET_KEY
)
# No credentials, and as secret: one seals the verdicts of the cache, the other gets an identity token from GitHub.
secrets=("${credentials[@]}" HSS_IAC_CACHE_KEY ACTIONS_ID_TOKEN_REQUEST_TOKEN)
# What says where credentials are without being one.
places=(HUAWEICLOUD_OIDC_TOKEN_FILE HUAWEICLOUD_SDK_ID_TOKEN_FILE HUAWEICLOUD_SDK_CREDENTIALS_FILE)

# Exit codes of hss-iac that are ours too.
readonly usage=2 login=4 service=5

# escape TEXT: as a workflow command takes it.
escape() {
    local text="$1"
    text="${text//'%'/%25}"
    text="${text//$'\r'/%0D}"
    text="${text//$'\n'/%0A}"
    printf '%s' "$text"
}

# say LEVEL TEXT: an annotation of the run.
say() {
    printf '::%s title=hss-iac::%s\n' "$1" "$(escape "$2")"
}

random() {
    od -An -N16 -tx1 /dev/urandom | tr -d ' \n'
}

# output NAME VALUE: sets an output of the step. No value can hold the delimiter, so none can set another output.
output() {
    local delimiter
    delimiter="ghadelimiter_$(random)"
    printf '%s<<%s\n%s\n%s\n' "$1" "$delimiter" "$2" "$delimiter" >>"$GITHUB_OUTPUT"
}

# fail CODE TEXT: ends the step where there is no result.
fail() {
    say error "$2"
    output exit-code "$1"
    output verdict error
    exit "$1"
}

# Without this the log would show a credential that did not come from a secret.
mask() {
    local name
    for name in "${secrets[@]}"; do
        if [[ -n "${!name:-}" ]]; then
            printf '::add-mask::%s\n' "$(escape "${!name}")"
        fi
    done
}

sha256=(sha256sum)
if ! command -v sha256sum >/dev/null; then
    sha256=(shasum -a 256)
fi

# The sum alone. With a backslash in a name the line would begin with one, hence stdin.
sum_of() {
    "${sha256[@]}" <"$1" | cut -d ' ' -f 1
}

exe() {
    if [[ "$RUNNER_OS" == Windows ]]; then
        printf 'hss-iac.exe'
    else
        printf 'hss-iac'
    fi
}

# The Rust target of this runner; nothing where no release is made for it.
target() {
    case "$RUNNER_OS-$RUNNER_ARCH" in
        Linux-X64) printf 'x86_64-unknown-linux-musl' ;;
        Linux-ARM64) printf 'aarch64-unknown-linux-musl' ;;
        macOS-X64) printf 'x86_64-apple-darwin' ;;
        macOS-ARM64) printf 'aarch64-apple-darwin' ;;
        Windows-X64) printf 'x86_64-pc-windows-msvc' ;;
        *) ;;
    esac
}

# The version that this checkout of the action builds.
own_version() {
    awk -F '"' '/^version = / { print $2; exit }' "$GITHUB_ACTION_PATH/Cargo.toml"
}

# works PROGRAM: whether it runs here. A cached one may come from a machine that has other libraries.
works() {
    [[ -f "$1" ]] && "$1" --version >/dev/null 2>&1
}

# install PROGRAM DIRECTORY: by a rename, since other jobs of the machine may run it at this moment.
install_program() {
    mkdir -p "$2"
    cp "$1" "$2/$(exe).$$"
    chmod +x "$2/$(exe).$$"
    mv -f "$2/$(exe).$$" "$2/$(exe)"
}

# Where releases are: HSS_IAC_DOWNLOAD_URL, for a mirror, else those of the repository that the action is from.
download_url() {
    if [[ -n "${HSS_IAC_DOWNLOAD_URL:-}" ]]; then
        printf '%s' "${HSS_IAC_DOWNLOAD_URL%/}"
        return
    fi
    # Runners leave GITHUB_ACTION_REPOSITORY empty in composite actions, but lay these out as _actions/OWNER/NAME/REF. An action
    # that a workflow calls by a local path is of the repository of the workflow.
    local path="${GITHUB_ACTION_PATH//\\//}" name repository="${GITHUB_ACTION_REPOSITORY:-$GITHUB_REPOSITORY}"
    if [[ "$path" == */_actions/*/* ]]; then
        path="${path##*/_actions/}"
        name="${path#*/}"
        repository="${path%%/*}/${name%%/*}"
    fi
    printf '%s/%s/releases/download' "${GITHUB_SERVER_URL:-https://github.com}" "$repository"
}

# fetch URL FILE: a release's archive.
fetch() {
    command -v curl >/dev/null || fail "$service" "curl is missing, which downloads hss-iac; install it or set version: source"
    curl --fail --silent --show-error --location --proto-redir '=https' --retry 3 --retry-delay 1 \
        --connect-timeout 10 --max-time 300 --output "$2" --url "$1"
}

# released VERSION TARGET DIRECTORY SUM: downloads, checks and installs.
released() {
    local archive="hss-iac-$1-$2.tar.gz" work url actual found
    work="$(mktemp -d "$RUNNER_TEMP/hss-iac-get.XXXXXX")"
    url="$(download_url)/v$1/$archive"
    fetch "$url" "$work/$archive" || fail "$service" "hss-iac $1 can't be downloaded from $url; version: source builds it here"
    actual="$(sum_of "$work/$archive")"
    if [[ "$actual" != "$4" ]]; then
        rm -rf "$work"
        fail "$service" "$url is not what was released: its SHA-256 is $actual, action-checksums.txt has $4. It was not run."
    fi
    # By its bare name: tar of Git's bash takes C:\... for a host.
    (cd "$work" && tar -xzf "$archive") || fail "$service" "$archive can't be unpacked"
    found="$work/$(exe)"
    [[ -f "$found" ]] || fail "$service" "$archive holds no $(exe)"
    install_program "$found" "$3"
    rm -rf "$work"
}

# What a build depends on, in one sum.
source_sum() {
    (cd "$GITHUB_ACTION_PATH" && find Cargo.toml Cargo.lock src -type f -exec "${sha256[@]}" {} + | LC_ALL=C sort |
        "${sha256[@]}" | cut -c 1-16)
}

# from_source: leaves the work to `scan`, so that an earlier build can be looked for first.
from_source() {
    local sum
    sum="$(source_sum)"
    output directory "$tools/source-$sum/$RUNNER_ARCH"
    output cache-key "hss-iac-source-$sum-$RUNNER_OS-$RUNNER_ARCH-${ImageOS:-self-hosted}"
    output build true
}

get() {
    mask
    # A cache can't be written twice under one key, and is found by the same path only.
    output verdicts "$RUNNER_TEMP/hss-iac-verdicts"
    output verdicts-key "hss-iac-verdicts-$(random)"
    local own version="${INPUT_VERSION#v}" target archive sum
    own="$(own_version)"
    if [[ "$version" == source ]]; then
        from_source
        return
    fi
    version="${version:-$own}"
    [[ "$version" =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] ||
        fail "$usage" "version: '$version' is neither an exact version such as $own nor 'source'"
    target="$(target)"
    archive="hss-iac-$version-$target.tar.gz"
    sum="$(awk -v name="$archive" '$2 == name || $2 == "*" name { print $1; exit }' "$GITHUB_ACTION_PATH/action-checksums.txt")"
    if [[ -z "$sum" ]]; then
        [[ "$version" == "$own" ]] ||
            fail "$usage" "version: action-checksums.txt has no sum of $archive, and this checkout of the action builds only $own"
        printf 'There is no checked release of hss-iac %s for %s on %s: it is built from source.\n' \
            "$version" "$RUNNER_OS" "$RUNNER_ARCH"
        from_source
        return
    fi
    # With the sum, since another action of the same version may share the machine, and what is here is not checked again.
    local directory="$tools/$version-$sum/$RUNNER_ARCH"
    works "$directory/$(exe)" || released "$version" "$target" "$directory" "$sum"
    output directory "$directory"
}

# build DIRECTORY: not in the directory of the job, whose .cargo/config.toml and rust-toolchain.toml come from the repository
# that is scanned; and without credentials, which no build script needs.
build() {
    local work
    command -v cargo >/dev/null ||
        fail "$service" "cargo is missing, which builds hss-iac; install Rust, or use a version that has a release for this runner"
    work="$(mktemp -d "$RUNNER_TEMP/hss-iac-build.XXXXXX")"
    printf '::group::Build hss-iac\n'
    (
        unset "${secrets[@]}"
        cd "$GITHUB_ACTION_PATH"
        cargo build --release --locked --target-dir "$work" </dev/null
    ) || fail "$service" "hss-iac can't be built from source"
    printf '::endgroup::\n'
    install_program "$work/release/$(exe)" "$1"
    rm -rf "$work"
}

# lines TEXT: its lines in the array `lines`, without empty ones.
lines() {
    local line
    lines=()
    while IFS= read -r line || [[ -n "$line" ]]; do
        line="${line%$'\r'}"
        if [[ -n "$line" ]]; then
            lines+=("$line")
        fi
    done <<<"$1"
}

# each FLAG TEXT: adds the flag for each line of the text to `args`. With `=`, so that no value is taken for a flag.
each() {
    local line
    lines "$2"
    for line in ${lines[@]+"${lines[@]}"}; do
        args+=("$1=$line")
    done
}

# one FLAG TEXT: adds the flag to `args` where the text is not empty.
one() {
    if [[ -n "$2" ]]; then
        args+=("$1=$2")
    fi
}

# choice INPUT VALUE WORD...: checks that the value is one of the words.
choice() {
    local input="$1" value="$2" word
    shift 2
    for word in "$@"; do
        if [[ "$value" == "$word" ]]; then
            return
        fi
    done
    fail "$usage" "$input: '$value' is none of: $*"
}

has_credentials() {
    local name
    for name in "${credentials[@]}" "${places[@]}"; do
        if [[ -n "${!name:-}" ]]; then
            return
        fi
    done
    # GitHub gives an identity token to a job with `id-token: write`, and it gives that to no fork.
    if [[ -n "${HUAWEICLOUD_OIDC_PROVIDER_URN:-}${HUAWEICLOUD_SDK_IDP_ID:-}" && -n "${ACTIONS_ID_TOKEN_REQUEST_URL:-}" ]]; then
        return
    fi
    [[ "${HSS_IAC_CREDENTIALS:-}" == ecs || -f "${HOME:-${USERPROFILE:-}}/.huaweicloud/credentials" ]]
}

# keyless VARIABLE VALUE: what an input says of keyless credentials goes to the program; left empty, the job's own variable does.
keyless() {
    if [[ -n "$2" ]]; then
        export "$1=$2"
    fi
}

# Whether GitHub runs this without secrets, which it does not do with pull_request_target. The head of a deleted fork has no name.
is_foreign() {
    [[ "${GITHUB_ACTOR:-}" == 'dependabot[bot]' ]] ||
        [[ "$GITHUB_EVENT_NAME" =~ ^pull_request(_review|_review_comment)?$ && "$HEAD_REPOSITORY" != "$GITHUB_REPOSITORY" ]]
}

# What `list` and `scan` both take, but for the paths.
take_args() {
    each --include "$INPUT_INCLUDE"
    each --exclude "$INPUT_EXCLUDE"
    one --config "$INPUT_CONFIG"
    local diff="$INPUT_DIFF"
    if [[ -z "$diff${HSS_IAC_DIFF:-}" && "$GITHUB_EVENT_NAME" =~ ^(pull_request|merge_group)$ ]]; then
        diff=auto
    fi
    one --diff "$diff"
    if [[ "${RUNNER_DEBUG:-}" == 1 ]]; then
        args+=(--verbose)
    fi
}

scan_args() {
    if [[ "$INPUT_CHANGED_ONLY" == true ]]; then
        args+=(--changed-only)
    fi
    each --max "$INPUT_MAX"
    one --fail-on "$INPUT_FAIL_ON"
    one --report-level "$INPUT_REPORT_LEVEL"
    one --baseline "$INPUT_BASELINE"
    one --region "$INPUT_REGION"
    one --project-id "$INPUT_PROJECT_ID"
    one --enterprise-project-id "$INPUT_ENTERPRISE_PROJECT_ID"
    one --endpoint "$INPUT_ENDPOINT"
    one --timeout "$INPUT_TIMEOUT"
    if [[ "$INPUT_CACHE" == true ]]; then
        args+=("--cache-dir=$VERDICTS")
    fi
    args+=(--output=table "--output=json=$work/result.json" "--output=sarif=$work/result.sarif"
        "--output=github-output=$work/outputs")
    if [[ "$INPUT_ANNOTATIONS" == true ]]; then
        args+=("--output=github=$work/annotations")
    fi
    if [[ "$INPUT_SUMMARY" == true ]]; then
        args+=("--output=github-summary=$GITHUB_STEP_SUMMARY")
    fi
    lines "$INPUT_EXTRA_ARGS"
    args+=(${lines[@]+"${lines[@]}"})
}

# What the program prints may quote the repository: until `resume` the runner takes no commands from it.
pause() {
    token="$(random)"
    printf '::stop-commands::%s\n' "$token"
}

resume() {
    printf '\n::%s::\n' "$token"
}

# run ARGUMENT...: the program, with its exit code in `code`. A job that is cancelled tells this shell alone, hence the trap.
run() {
    local child
    code=0
    "$program" "$@" </dev/null &
    child=$!
    trap 'kill -TERM "$child" 2>/dev/null || true' INT TERM
    wait "$child" || code=$?
    # A trap ends `wait` early, the program goes on.
    while kill -0 "$child" 2>/dev/null; do
        code=0
        wait "$child" || code=$?
    done
    trap - INT TERM
}

# Ends green without a scan, and shows what it would have been.
not_scanned() {
    local args=(list) why='this run has no credentials, since GitHub gives no secrets to forks and Dependabot'
    take_args
    pause
    run "${args[@]}" -- "${paths[@]}" >"$work/list"
    cat "$work/list"
    resume
    ((code == 0)) || fail "$code" "hss-iac list ended with exit code $code"
    say warning "not scanned: $why"
    if [[ "$INPUT_SUMMARY" == true ]]; then
        {
            printf '### hss-iac: not scanned\n\nNothing was sent: %s. A scan would have taken:\n\n<pre>\n' "$why"
            # GitHub drops a summary of more than 1 MiB; escaped, these are at most 5 times as many.
            head -c 200000 "$work/list" | sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g'
            printf '</pre>\n'
        } >>"$GITHUB_STEP_SUMMARY"
    fi
    output exit-code 0
    output verdict not_scanned
    output files-scanned 0
}

# existing NAME FILE: sets the output where the program wrote the file.
existing() {
    if [[ -s "$2" ]]; then
        output "$1" "$2"
    fi
}

# Whether the scan came to its end and missed no file. A list of tasks follows the outputs of one line.
is_whole() {
    [[ -s "$work/outputs" ]] && awk '
        /<</ { exit }
        $0 == "verdict=pass" || $0 == "verdict=fail" { ended = 1 }
        $0 == "files-not-scanned=0" { all = 1 }
        END { exit !(ended && all) }' "$work/outputs"
}

scan() {
    choice changed-only "$INPUT_CHANGED_ONLY" true false
    choice cache "$INPUT_CACHE" true false
    choice upload-sarif "$INPUT_UPLOAD_SARIF" true false
    choice annotations "$INPUT_ANNOTATIONS" true false
    choice summary "$INPUT_SUMMARY" true false
    choice on-missing-credentials "$INPUT_ON_MISSING_CREDENTIALS" warn fail
    keyless HUAWEICLOUD_OIDC_PROVIDER_URN "$INPUT_OIDC_PROVIDER_URN"
    keyless HUAWEICLOUD_OIDC_AGENCY_URN "$INPUT_OIDC_AGENCY_URN"
    keyless HSS_IAC_OIDC_AUDIENCE "$INPUT_OIDC_AUDIENCE"
    if ! has_credentials && ! { [[ "$INPUT_ON_MISSING_CREDENTIALS" == warn ]] && is_foreign; }; then
        fail "$login" "no credentials: give the step HSS_IAC_ACCESS_KEY and HSS_IAC_SECRET_KEY by env, from secrets; or the inputs \
oidc-provider-urn and oidc-agency-urn, and the job the permission id-token: write"
    fi
    # shellcheck disable=SC2153 # It comes from the step `get`.
    program="$DIRECTORY/$(exe)"
    if [[ "$BUILD" == true ]] && ! works "$program"; then
        build "$DIRECTORY"
    fi
    work="$(mktemp -d "$RUNNER_TEMP/hss-iac.XXXXXX")"
    # `cd -` has a meaning of its own.
    case "$INPUT_WORKING_DIRECTORY" in
        /* | [A-Za-z]:*) ;;
        *) INPUT_WORKING_DIRECTORY="./$INPUT_WORKING_DIRECTORY" ;;
    esac
    cd "$INPUT_WORKING_DIRECTORY" || fail "$usage" "working-directory: $INPUT_WORKING_DIRECTORY can't be entered"
    lines "$INPUT_PATHS"
    paths=(${lines[@]+"${lines[@]}"})
    ((${#paths[@]} > 0)) || paths=(.)
    if ! has_credentials; then
        not_scanned
        return
    fi

    local args=(scan)
    take_args
    scan_args
    pause
    run "${args[@]}" -- "${paths[@]}"
    resume
    if [[ -s "$work/annotations" ]]; then
        # The rest of this report stands in the table already.
        sed -n '/^::/p' "$work/annotations"
    fi
    if [[ -s "$work/outputs" ]]; then
        cat "$work/outputs" >>"$GITHUB_OUTPUT"
    else
        output verdict error
    fi
    # What the process ended with, even if it came to grief after it had written its outputs.
    output exit-code "$code"
    existing json-file "$work/result.json"
    existing sarif-file "$work/result.sarif"
    if [[ "$INPUT_CACHE" == true && -d "$VERDICTS" ]]; then
        # Else what is kept would grow for ever. Another --cache-ttl would have to be known here too.
        if [[ "$INPUT_EXTRA_ARGS" != *--cache-ttl* ]]; then
            "$program" cache prune "--cache-dir=$VERDICTS" </dev/null >/dev/null || true
        fi
        output keep-verdicts true
    fi
    if [[ "$INPUT_UPLOAD_SARIF" == true && -s "$work/result.sarif" ]] && ! is_foreign; then
        # Code scanning takes for fixed what a report no longer holds.
        if is_whole; then
            output upload-sarif true
        else
            say warning "not sent to code scanning: not everything was scanned, and it would close the alerts of the rest"
        fi
    fi
    exit "$code"
}

tools="${RUNNER_TOOL_CACHE:-$RUNNER_TEMP}/hss-iac"
case "${1:-}" in
    get) get ;;
    scan) scan ;;
    *)
        printf 'usage: action.sh get|scan\n' >&2
        exit "$usage"
        ;;
esac
