#!/usr/bin/env bash
# What one would write by hand to scan clean files: uploads of ten, a task for each hundred, one after the other. `ENDPOINT` is the stand-in.
set -euo pipefail
cd "$1"
base="${ENDPOINT:?}/v5/benchproject"
api() {
    curl -sSf -H 'X-Auth-Token: benchtoken' "$@"
}

scan_type() { # FILE_TYPE NAME
    local -a paths ids=() parts
    local at answer task list
    mapfile -t paths < <(find . -name "$2" | LC_ALL=C sort)
    for ((at = 0; at < ${#paths[@]}; at += 10)); do
        parts=()
        for path in "${paths[@]:at:10}"; do
            name="${path#./}"
            parts+=(-F "files=@$path;filename=${name//\//-}")
        done
        answer="$(api "$base/common/files/batch-upload" -F "upload_type=$1" "${parts[@]}")"
        mapfile -t -O "${#ids[@]}" ids < <(jq -r '.success_file_info[].file_id' <<<"$answer")
    done
    ((${#ids[@]} == ${#paths[@]}))
    for ((at = 0; at < ${#ids[@]}; at += 100)); do
        list="$(printf '%s\n' "${ids[@]:at:100}" | jq -R . | jq -cs .)"
        task="$(api "$base/common/task" --json "{\"task_type\":\"iac_scan\",\"iac_scan_info\":{\"file_type\":\"$1\",\"file_id_list\":$list}}" \
            | jq -r .task_id)"
        until [[ $(api "$base/common/tasks/batch-query?offset=0&limit=10" --json "{\"task_type\":\"iac_scan\",\"task_id\":\"$task\"}" \
            | jq -r '.data_list[0].task_status') == finished ]]; do
            sleep 0.1
        done
    done
    for ((at = 0; at < ${#ids[@]}; at += 200)); do
        api "$base/container/iac/files?offset=$at&limit=200&scan_type=manual_scan&file_type=$1" >/dev/null
    done
}

scan_type dockerfile Dockerfile
scan_type k8s_yaml config.yaml
