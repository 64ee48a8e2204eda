//! Uploads and the tasks that follow them: a task is created as soon as its ids are there.

use std::collections::{HashMap, HashSet, VecDeque};

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use futures_util::{pin_mut, stream};

use super::plan::{self, Batch};
use super::{Job, Step};
use crate::digest::sha256;
use crate::hss::{Error, Kind, UploadPart, UploadedFile};
use crate::mask::Masked;
use crate::model::{FileType, State};

impl Job<'_> {
    /// Uploads everything that waits and submits it.
    pub(super) async fn send(&self) -> Result<(), Error> {
        let batches = self.batches();
        let names = plan::upload_names(self.ledger.borrow().entries.iter().map(|entry| &entry.source.path));
        let total: usize = batches.iter().map(|batch| batch.files.len()).sum();
        let mut unsent: HashMap<FileType, usize> = HashMap::new();
        for batch in &batches {
            *unsent.entry(batch.file_type).or_default() += batch.files.len();
        }
        let mut submits = FuturesUnordered::new();
        let mut ready: HashMap<FileType, Vec<usize>> = HashMap::new();
        for file_type in FileType::ALL {
            let ids = ready.entry(file_type).or_default();
            ids.extend(self.without_task(file_type).await?);
            let unsent = unsent.get(&file_type).copied().unwrap_or_default();
            while let Some(files) = self.take_task(ids, unsent) {
                submits.push(self.submit(file_type, files));
            }
        }
        let mut done = 0;
        let uploads = stream::iter(batches)
            .map(|batch| async {
                let stored = self.upload(&batch, &names).await?;
                Ok::<_, Error>((batch, stored))
            })
            .buffer_unordered(self.options.jobs);
        pin_mut!(uploads);
        let end = loop {
            tokio::select! {
                Some(upload) = uploads.next() => {
                    let (batch, stored) = match upload {
                        Ok(upload) => upload,
                        Err(error) => break Err(error),
                    };
                    done += batch.files.len();
                    (self.observe)(Step::Uploaded { done, of: total });
                    let unsent = unsent.entry(batch.file_type).or_default();
                    *unsent -= batch.files.len();
                    let ids = ready.entry(batch.file_type).or_default();
                    ids.extend(stored);
                    while let Some(files) = self.take_task(ids, *unsent) {
                        submits.push(self.submit(batch.file_type, files));
                    }
                }
                Some(submit) = submits.next() => {
                    if let Err(error) = submit {
                        break Err(error);
                    }
                }
                else => break Ok(()),
            }
        };
        if end.is_err() {
            // Tasks that are being created may come to be whatever happens here: their ids are worth a little time.
            let _ = tokio::time::timeout(self.options.grace, submits.collect::<Vec<_>>()).await;
        }
        self.sent.set(true);
        self.more_tasks.notify_one();
        end
    }

    /// The files of a run that was cut off that are uploaded and in no task. Where a task may have been created, it is looked for.
    async fn without_task(&self, file_type: FileType) -> Result<Vec<usize>, Error> {
        let (mut stored, unclear) = self.ledger.borrow().without_task(file_type);
        if !unclear.is_empty() {
            self.adopt(file_type, &unclear).await?;
            stored = self.ledger.borrow().without_task(file_type).0;
        }
        Ok(stored)
    }

    fn batches(&self) -> Vec<Batch> {
        plan::batches(&self.ledger.borrow().items())
    }

    /// Uploads one batch, all or nothing: what is refused by name is dropped and the rest sent again; a batch refused without names is
    /// split in halves until the culprit stands alone. Each file travels under its name. Gives the files that the service keeps.
    async fn upload(&self, batch: &Batch, names: &[String]) -> Result<Vec<usize>, Error> {
        let mut stored = Vec::new();
        let mut queue = VecDeque::from([batch.files.clone()]);
        // Each round takes files out of the queue, or splits several of them: there are fewer than two for each file. Those that come in
        // stood behind another until then, and never do so for long: a group only ever falls apart.
        while let Some(files) = queue.pop_front() {
            let ReadAgain { files, parts, instead } = self.parts(&files, names);
            let instead = plan::batches(&self.ledger.borrow().as_items(&instead));
            queue.extend(instead.into_iter().map(|batch| batch.files));
            if files.is_empty() {
                continue;
            }
            self.ledger.borrow_mut().uploading(&files);
            let answer = self.client.upload(batch.file_type, &parts).await;
            // Whatever came of it is known now.
            self.ledger.borrow_mut().not_uploaded(&files);
            match answer {
                Ok(answer) if answer.failed.is_empty() => {
                    self.patience.answered();
                    let ids = ids(&answer.uploaded);
                    let only = answer.uploaded.first().filter(|_| answer.uploaded.len() == 1 && parts.len() == 1);
                    let mut unanswered = Vec::new();
                    for (index, part) in files.iter().zip(&parts) {
                        let id = ids.get(part.name.as_str()).copied().or(only.map(|file| file.file_id.as_str()));
                        match id {
                            Some(file_id) if !file_id.is_empty() => {
                                self.ledger.borrow_mut().uploaded(*index, file_id.to_owned());
                                stored.push(*index);
                            }
                            _ => unanswered.push(*index),
                        }
                    }
                    if unanswered.len() == 1 && parts.len() == 1 {
                        self.end(&unanswered, State::UploadFailed, "the service took it and gave no id");
                    } else if !unanswered.is_empty() {
                        halve(&unanswered, &mut queue);
                    }
                }
                Ok(answer) => {
                    self.patience.answered();
                    let refused: HashMap<&str, &str> =
                        answer.failed.iter().map(|file| (file.name.as_str(), file.reason.as_str())).collect();
                    let (bad, rest): (Vec<_>, Vec<_>) =
                        files.iter().zip(&parts).partition(|(_, part)| refused.contains_key(part.name.as_str()));
                    for (index, part) in &bad {
                        self.end(&[**index], State::UploadFailed, refused[part.name.as_str()]);
                    }
                    let rest: Vec<usize> = rest.into_iter().map(|(index, _)| *index).collect();
                    if bad.is_empty() {
                        self.split_or_end(&rest, "refused under a name that was not sent", &mut queue);
                    } else if !rest.is_empty() {
                        queue.push_back(rest);
                    }
                }
                Err(error) if matches!(error.kind, Kind::Refused) => {
                    self.split_or_end(&files, &error.message, &mut queue);
                }
                Err(error) => self.lose(&files, State::UploadFailed, "", error)?,
            }
            if !queue.is_empty() {
                (self.observe)(Step::Answered);
            }
        }
        Ok(stored)
    }

    fn split_or_end(&self, files: &[usize], reason: &str, queue: &mut VecDeque<Vec<usize>>) {
        if files.len() == 1 {
            self.end(files, State::UploadFailed, reason);
        } else {
            halve(files, queue);
        }
    }

    /// Reads the files of a batch again, and those that wait for them: what changed since discovery is taken as it is now, and what no
    /// longer is as the first of its kind is sent itself.
    fn parts(&self, files: &[usize], names: &[String]) -> ReadAgain {
        let mut read = ReadAgain { files: Vec::new(), parts: Vec::new(), instead: Vec::new() };
        for first in files {
            let group = self.ledger.borrow().group(*first);
            for index in &group {
                // Reading looks into the account itself.
                let again = (self.read)(*index);
                let mut ledger = self.ledger.borrow_mut();
                match again {
                    Ok(Masked { bytes, values }) => {
                        ledger.read_again(*index, bytes.len() as u64, sha256(&bytes), values);
                        if index == first {
                            read.parts.push(UploadPart { name: names[*index].clone(), bytes });
                            read.files.push(*index);
                        }
                    }
                    Err(error) => ledger.end(*index, State::NotScanned, Some(format!("could not be read again: {error}"))),
                }
            }
            let firsts = self.ledger.borrow_mut().pair_up(&group);
            read.instead.extend(firsts.into_iter().filter(|index| index != first));
        }
        read
    }

    /// Takes the files of a task off those that are ready, by their ids: equal files may have the same.
    fn take_task(&self, ready: &mut Vec<usize>, still_to_come: usize) -> Option<Vec<usize>> {
        let ledger = self.ledger.borrow();
        let mut ids = ledger.ids(ready);
        ids.truncate(plan::next_task(ids.len(), still_to_come)?);
        let ids: HashSet<String> = ids.into_iter().collect();
        let is_in = |index: &usize| ledger.entries[*index].file_id.as_ref().is_some_and(|file_id| ids.contains(file_id));
        let (task, rest) = std::mem::take(ready).into_iter().partition(is_in);
        *ready = rest;
        Some(task)
    }
}

/// The files of a batch as they were read again.
struct ReadAgain {
    /// Those that could be read.
    files: Vec<usize>,
    /// What is sent of each.
    parts: Vec<UploadPart>,
    /// Those that are to be sent besides, since the ones that stood for them no longer do.
    instead: Vec<usize>,
}

/// The ids by name; the service may put a directory before the name that was sent.
fn ids(uploaded: &[UploadedFile]) -> HashMap<&str, &str> {
    let last = |name: &'_ str| name.rfind('/').map_or(0, |at| at + 1);
    uploaded.iter().map(|file| (&file.name[last(&file.name)..], file.file_id.as_str())).collect()
}

fn halve(files: &[usize], queue: &mut VecDeque<Vec<usize>>) {
    let (left, right) = files.split_at(files.len() / 2);
    queue.extend([left, right].into_iter().filter(|half| !half.is_empty()).map(<[usize]>::to_vec));
}
