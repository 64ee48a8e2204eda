//! Which files travel together, under which names, and what that costs at the least.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::Duration;

use crate::digest::sha256;
use crate::hss::Limit;
use crate::model::{FileType, RepoPath};

/// Files in one upload, at most (HSS API reference, batch-upload).
pub const FILES_PER_UPLOAD: usize = 10;
/// Ids in one task, at most (HSS API definition of `CreateTask`).
pub const FILES_PER_TASK: usize = 100;
/// Bytes of file content in one upload: a signed body may have 12 MB, and the multipart frame needs some of it.
pub const BYTES_PER_UPLOAD: u64 = 11_000_000;
/// Rows of one listing, at most.
pub const ROWS_PER_PAGE: u64 = 200;
/// Names longer than this can't be filtered by in the service's export.
const NAME_LENGTH: usize = 64;

/// One file as the plan sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// Its place in the caller's list.
    pub index: usize,
    /// Its type.
    pub file_type: FileType,
    /// Its size in bytes.
    pub size: u64,
}

/// Files that travel in one upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The type of all of them.
    pub file_type: FileType,
    /// Their places in the caller's list, in its order.
    pub files: Vec<usize>,
}

/// Groups files into as few uploads as the limits allow. The types take turns, a task at a time, and the one whose first task is the
/// smallest begins: what follows a task can start while other files are sent.
pub fn batches(items: &[Item]) -> Vec<Batch> {
    let mut queues: Vec<VecDeque<Vec<Batch>>> = FileType::ALL.map(|file_type| by_task(batches_of(items, file_type))).into();
    queues.sort_by_key(|tasks| tasks.front().map_or(0, Vec::len));
    let mut turns = Vec::new();
    while queues.iter().any(|tasks| !tasks.is_empty()) {
        turns.extend(queues.iter_mut().filter_map(VecDeque::pop_front).flatten());
    }
    turns
}

/// The uploads of a type, those together that fill a task.
fn by_task(batches: Vec<Batch>) -> VecDeque<Vec<Batch>> {
    let mut left: usize = batches.iter().map(|batch| batch.files.len()).sum();
    let mut ready = 0;
    let mut tasks = VecDeque::from([Vec::new()]);
    for batch in batches {
        left -= batch.files.len();
        ready += batch.files.len();
        if let Some(task) = tasks.back_mut() {
            task.push(batch);
        }
        while let Some(size) = next_task(ready, left) {
            ready -= size;
            tasks.push_back(Vec::new());
        }
    }
    tasks.retain(|task| !task.is_empty());
    tasks
}

/// How many of the files that are ready go into a task now; the first of a type has what would be left over by full ones, so that it
/// starts early and there are no more of them.
pub fn next_task(ready: usize, still_to_come: usize) -> Option<usize> {
    let all = ready + still_to_come;
    let size = all.checked_sub(1).map_or(0, |rest| rest % FILES_PER_TASK + 1);
    (ready >= size && size > 0).then_some(size)
}

fn batches_of(items: &[Item], file_type: FileType) -> Vec<Batch> {
    let mut batches: Vec<Batch> = Vec::new();
    let mut bytes = 0;
    for item in items.iter().filter(|item| item.file_type == file_type) {
        match batches.last_mut() {
            Some(batch) if batch.files.len() < FILES_PER_UPLOAD && bytes + item.size <= BYTES_PER_UPLOAD => {
                batch.files.push(item.index);
                bytes += item.size;
            }
            _ => {
                batches.push(Batch { file_type, files: vec![item.index] });
                bytes = item.size;
            }
        }
    }
    batches
}

/// A name for each path: unique, of `[A-Za-z0-9._-]`, made from the whole path and ending in its own base name, the same in every run.
pub fn upload_names<'a>(paths: impl IntoIterator<Item = &'a RepoPath>) -> Vec<String> {
    let mut taken = HashSet::new();
    paths
        .into_iter()
        .map(|path| {
            let mut name = upload_name(path, 8);
            let mut digits = 12;
            while !taken.insert(name.clone()) {
                name = upload_name(path, digits);
                digits += 4;
            }
            name
        })
        .collect()
}

fn upload_name(path: &RepoPath, digits: usize) -> String {
    let safe = |bytes: &[u8]| -> String {
        bytes.iter().map(|b| if b.is_ascii_alphanumeric() || b"._-".contains(b) { *b as char } else { '_' }).collect()
    };
    let hash = sha256(path.as_bytes());
    let base = safe(path.file_name());
    let folder = path.as_bytes().len() - path.file_name().len();
    let folder = safe(path.as_bytes()[..folder].strip_suffix(b"/").unwrap_or_default());
    let room = NAME_LENGTH.saturating_sub(digits + 2);
    let base = &base[base.len().saturating_sub(room)..];
    let folder = &folder[..folder.len().min(room - base.len())];
    let hash = &hash[..digits.min(hash.len())];
    if folder.is_empty() { format!("{hash}-{base}") } else { format!("{folder}-{hash}-{base}") }
}

/// The least number of calls, by API, that scanning these files takes: nothing fails, one poll finds all finished, no file has a risk.
pub fn least_calls(items: &[Item]) -> BTreeMap<String, u64> {
    let mut calls = BTreeMap::new();
    if items.is_empty() {
        return calls;
    }
    let tasks: usize = FileType::ALL
        .iter()
        .map(|file_type| items.iter().filter(|item| item.file_type == *file_type).count().div_ceil(FILES_PER_TASK))
        .sum();
    calls.insert("batch-upload".to_owned(), batches(items).len() as u64);
    calls.insert("task".to_owned(), tasks as u64);
    calls.insert("tasks/batch-query".to_owned(), 1);
    calls.insert("iac/files".to_owned(), (items.len() as u64).div_ceil(ROWS_PER_PAGE));
    calls
}

/// The least time that these calls take under a limit for each API.
pub fn least_time(calls: &BTreeMap<String, u64>, limit: Limit) -> Duration {
    let most = calls.values().max().map_or(0, |calls| calls.saturating_sub(1));
    let windows = most / (limit.calls as u64).max(1);
    limit.window.saturating_mul(u32::try_from(windows).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn item(index: usize, file_type: FileType, size: u64) -> Item {
        Item { index, file_type, size }
    }

    #[test]
    fn types_take_turns_and_batches_are_full() {
        let items: Vec<Item> = (0..12)
            .map(|i| item(i, FileType::Dockerfile, 1))
            .chain((12..15).map(|i| item(i, FileType::K8sYaml, 1)))
            .collect();
        let expected = [
            Batch { file_type: FileType::K8sYaml, files: vec![12, 13, 14] },
            Batch { file_type: FileType::Dockerfile, files: (0..10).collect() },
            Batch { file_type: FileType::Dockerfile, files: vec![10, 11] },
        ];
        assert_eq!(batches(&items), expected);
    }

    #[test]
    fn an_upload_may_be_as_large_as_a_signed_body_allows() {
        let sizes = [BYTES_PER_UPLOAD - 2, 1, 1, 1];
        let items: Vec<Item> = (0..4).map(|i| item(i, FileType::Dockerfile, sizes[i])).collect();
        let files: Vec<Vec<usize>> = batches(&items).into_iter().map(|batch| batch.files).collect();
        assert_eq!(files, [vec![0, 1, 2], vec![3]]);
    }

    #[test]
    fn the_first_task_of_a_type_is_the_small_one() {
        let items: Vec<Item> = (0..135)
            .map(|i| item(i, FileType::Dockerfile, 1))
            .chain((135..286).map(|i| item(i, FileType::K8sYaml, 1)))
            .collect();
        let turns: Vec<(FileType, usize)> = batches(&items)
            .chunk_by(|a, b| a.file_type == b.file_type)
            .map(|turn| (turn[0].file_type, turn.len()))
            .collect();
        let (docker, yaml) = (FileType::Dockerfile, FileType::K8sYaml);
        assert_eq!(turns, [(docker, 4), (yaml, 6), (docker, 10), (yaml, 10)]);
        assert_eq!((next_task(34, 101), next_task(35, 100), next_task(100, 0)), (None, Some(35), Some(100)));
        assert_eq!((next_task(0, 0), next_task(0, 100), next_task(1, 0)), (None, None, Some(1)));
    }

    #[test]
    fn names_say_where_a_file_stands() {
        let paths: Vec<RepoPath> =
            ["Dockerfile", "api/Dockerfile", "api_/Dockerfile", "中文/a b.yaml"].map(RepoPath::from).into();
        assert_eq!(
            upload_names(&paths),
            ["dd2c0eb6-Dockerfile", "api-21ee93e3-Dockerfile", "api_-3b330122-Dockerfile", "______-86f9c850-a_b.yaml"]
        );
    }

    #[test]
    fn where_the_digits_of_two_paths_are_the_same_the_second_has_more() {
        let paths = ["a/@!@@@!@!@@@!@!!@!@.yaml", "a/@!@!!@@@!@!@!@!!@@.yaml"].map(RepoPath::from);
        let expected = ["a-e89ee801-__________________.yaml", "a-e89ee8013f32-__________________.yaml"];
        assert_eq!(upload_names(&paths), expected);
        // No two paths are known of which more digits are the same: one path stands for them.
        let paths = ["Dockerfile"; 4].map(RepoPath::from);
        let digits = ["dd2c0eb6", "dd2c0eb6ea5c", "dd2c0eb6ea5cfc6c", "dd2c0eb6ea5cfc6c4bd4"];
        assert_eq!(upload_names(&paths), digits.map(|digits| format!("{digits}-Dockerfile")));
    }

    #[test]
    fn of_a_long_path_a_name_has_the_begin_and_the_end() {
        let folder = "clusters/of/the/far/north/and/of/the/far/south/in/one/folder";
        let paths =
            [format!("{folder}/web.yaml"), format!("a/{}.yaml", "long".repeat(20))].map(|path| RepoPath::from(&*path));
        assert_eq!(
            upload_names(&paths),
            [
                "clusters_of_the_far_north_and_of_the_far_south-2585ed2b-web.yaml",
                "76df03c4-glonglonglonglonglonglonglonglonglonglonglonglong.yaml"
            ]
        );
    }

    #[test]
    fn the_plan_of_three_hundred_files() {
        let items: Vec<Item> = (0..300).map(|i| item(i, FileType::ALL[i % 2], 1)).collect();
        let calls = least_calls(&items);
        let expected = [("batch-upload", 30), ("iac/files", 2), ("task", 4), ("tasks/batch-query", 1)];
        assert_eq!(calls, expected.map(|(api, n)| (api.to_owned(), n)).into());
        assert_eq!(least_time(&calls, Limit::DOCUMENTED).as_secs(), 300);
        assert_eq!(least_time(&least_calls(&[]), Limit::DOCUMENTED).as_secs(), 0);
    }

    proptest! {
        #[test]
        fn batches_keep_every_file_once_and_every_limit(
            sizes in proptest::collection::vec((any::<bool>(), 0_u64..6_000_000), 0..200)
        ) {
            let items: Vec<Item> = sizes.iter().enumerate()
                .map(|(i, (docker, size))| item(i, FileType::ALL[usize::from(*docker)], *size)).collect();
            let batches = batches(&items);
            for batch in &batches {
                prop_assert!((1..=FILES_PER_UPLOAD).contains(&batch.files.len()));
                prop_assert!(batch.files.iter().all(|i| items[*i].file_type == batch.file_type));
                prop_assert!(batch.files.iter().map(|i| items[*i].size).sum::<u64>() <= BYTES_PER_UPLOAD);
            }
            let mut sent: Vec<usize> = batches.into_iter().flat_map(|batch| batch.files).collect();
            sent.sort_unstable();
            prop_assert_eq!(sent, (0..items.len()).collect::<Vec<_>>());
        }

        #[test]
        fn names_are_unique_short_and_safe(paths in proptest::collection::hash_set("[a-z/. \u{4e00}]{1,90}", 1..50)) {
            let paths: Vec<RepoPath> = paths.iter().map(|path| RepoPath::from(path.as_str())).collect();
            let names = upload_names(&paths);
            prop_assert_eq!(names.iter().collect::<HashSet<_>>().len(), paths.len());
            for name in names {
                prop_assert!(name.len() <= NAME_LENGTH);
                prop_assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)));
            }
        }
    }
}
