//! The risks of scanned files.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures_util::future::try_join_all;
use futures_util::stream;
use futures_util::stream::{FuturesUnordered, StreamExt as _, TryStreamExt as _};
use tokio::sync::mpsc::UnboundedReceiver;

use super::pages::Key;
use super::plan::ROWS_PER_PAGE;
use super::wait::Finished;
use super::{Job, Step, pages};
use crate::hss::{Error, FileFilter, FileRow, Kind, Page, RiskRow};
use crate::model::{FileType, State};

/// In milliseconds.
const ONE_DAY: i64 = 24 * 60 * 60 * 1_000;

/// How often a file that counts as risky and lists no risk is asked again.
const LATE_LOOKS: u32 = 2;

impl Job<'_> {
    /// Reads the risks of every file that is handed in, until no more come.
    pub(super) async fn collect(&self, mut tasks: UnboundedReceiver<Finished>) -> Result<(), Error> {
        let done = Cell::new(0);
        let mut collecting = FuturesUnordered::new();
        let mut more = true;
        while more || !collecting.is_empty() {
            tokio::select! {
                files = tasks.recv(), if more => match files {
                    Some(files) => collecting.push(self.collect_files(files, &done)),
                    None => more = false,
                },
                Some(end) = collecting.next() => end?,
            }
        }
        self.collected.set(true);
        self.more_risks.notify_one();
        Ok(())
    }

    async fn collect_files(&self, files: Finished, done: &Cell<usize>) -> Result<(), Error> {
        let mut by_id: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for index in files {
            let file_id = self.ledger.borrow().entries[index].file_id.clone().unwrap_or_default();
            by_id.entry(file_id).or_default().push(index);
        }
        let rows = &self.file_rows(&by_id).await?;
        let of = self.ledger.borrow().in_tasks();
        let mut in_order: Vec<_> = by_id.into_iter().collect();
        in_order.sort_by_key(|(_, files)| files[0]);
        stream::iter(in_order)
            .map(|(file_id, files)| async move {
                self.collect_file(&file_id, &files, rows).await?;
                done.set(done.get() + files.len());
                self.more_risks.notify_one();
                (self.observe)(Step::Collected { done: done.get(), of });
                Ok(())
            })
            .buffer_unordered(self.options.jobs)
            .try_collect::<()>()
            .await
    }

    /// Reads the risks behind one id, which equal files may share.
    async fn collect_file(&self, file_id: &str, files: &[usize], rows: &HashMap<String, FileRow>) -> Result<(), Error> {
        match self.risks(file_id, rows).await {
            Ok((risks, None)) => {
                self.patience.answered();
                for index in files {
                    self.ledger.borrow_mut().found(*index, risks.clone());
                    self.ledger.borrow_mut().end(*index, State::Scanned, None);
                }
            }
            // What was read counts; that it is not all is said too.
            Ok((risks, Some(error))) => {
                for index in files {
                    self.ledger.borrow_mut().found(*index, risks.clone());
                }
                self.lose(files, State::ScanFailed, "some of its risks could not be read: ", error)?;
            }
            Err(error) => self.lose(files, State::ScanFailed, "its risks could not be read: ", error)?,
        }
        Ok(())
    }

    /// Rows of the files: a clean one needs no other call. It is the listing of all files, not of the risky ones: that a file is missing
    /// from those would not prove it clean.
    async fn file_rows(&self, files: &BTreeMap<String, Vec<usize>>) -> Result<HashMap<String, FileRow>, Error> {
        let mut rows = HashMap::new();
        let types: BTreeSet<FileType> =
            files.values().flatten().map(|index| self.ledger.borrow().entries[*index].source.file_type).collect();
        let file_type = types.first().copied().filter(|_| types.len() == 1);
        let file_id = files.keys().next().cloned().filter(|_| files.len() == 1);
        let filter = FileFilter { file_id, file_type, ..FileFilter::default() };
        let (mut offset, mut calls, mut pages) = (0, 0, 1);
        while pages > 0 {
            calls += pages;
            let at_once = (0..pages).map(|page| Page { offset: offset + page * ROWS_PER_PAGE, limit: ROWS_PER_PAGE });
            let listings = match try_join_all(at_once.map(|page| self.client.list_files(&filter, page))).await {
                Ok(listings) => listings,
                Err(error) => return self.patience.forgive(error).map(|_| rows),
            };
            let received = listings.iter().map(|listing| listing.rows.len() as u64).sum::<u64>();
            let total = listings.last().and_then(|listing| listing.total);
            let before = rows.len();
            let ours = listings.into_iter().flat_map(|listing| listing.rows).filter(|row| files.contains_key(&row.file_id));
            rows.extend(ours.map(|row| (row.file_id.clone(), row)));
            offset += received;
            let read = Read {
                files: files.len() as u64,
                calls,
                missing: (files.len() - rows.len()) as u64,
                found: (rows.len() - before) as u64,
                pages,
                rows: received,
                rows_left: total.map(|total| total.saturating_sub(offset)),
            };
            pages = read.next_pages(if self.client.is_free() { self.options.jobs as u64 } else { 1 });
        }
        Ok(rows)
    }

    /// The risks of one file, and what kept the rest of them. None at all is believed only where the service says that it found none.
    async fn risks(&self, file_id: &str, rows: &HashMap<String, FileRow>) -> Result<Risks, Error> {
        let mut row = rows.get(file_id).cloned();
        if row.as_ref().is_some_and(|row| is_clean(row) && self.is_of_this_run(row)) {
            return Ok((Vec::new(), None));
        }
        for look in 0..=LATE_LOOKS {
            let key = |risk: &RiskRow| {
                let all = format!("{risk:?}");
                if risk.risk_id.is_empty() { Key::Text(all) } else { Key::Id(all) }
            };
            let (risks, fault) = pages::read("file/risks", |page| self.client.list_risks(file_id, page), key).await;
            match (risks.is_empty(), fault) {
                (true, Some(error)) => return Err(error),
                (true, None) => {}
                (false, fault) => return Ok((risks, fault)),
            }
            if row.is_none() || look > 0 {
                let filter = FileFilter { file_id: Some(file_id.to_owned()), ..FileFilter::default() };
                let listing = self.client.list_files(&filter, Page { offset: 0, limit: 10 }).await?;
                row = listing.rows.into_iter().find(|row| row.file_id == file_id);
                if row.is_none() {
                    let filter = FileFilter { cicd: true, ..filter };
                    let listing = self.client.list_files(&filter, Page { offset: 0, limit: 10 }).await?;
                    row = listing.rows.into_iter().find(|row| row.file_id == file_id);
                }
            }
            // A verdict of an earlier run says nothing of risks that are late in this one.
            if row.as_ref().is_some_and(|row| is_clean(row) && self.is_of_this_run(row)) {
                return Ok((Vec::new(), None));
            }
            if look < LATE_LOOKS {
                tokio::time::sleep(self.patience.steady()).await;
            }
        }
        match row {
            Some(row) if row.risky == Some(true) => {
                Err(Error::new(Kind::Refused, "HSS counts it as risky and lists no risk".to_owned()))
            }
            Some(row) if row.risky == Some(false) && row.risk_num.unwrap_or(0) == 0 => Ok((Vec::new(), None)),
            _ => Err(Error::new(Kind::Refused, "HSS lists no risk and does not say that it found none".to_owned())),
        }
    }

    /// Whether the verdict may be that of our tasks: an id may be older than this run, and so may its verdict. A day is allowed for, since
    /// neither the unit nor the zone of this time is documented, and asking for each file costs a call.
    fn is_of_this_run(&self, row: &FileRow) -> bool {
        self.ledger.borrow().since.is_none_or(|since| row.last_scan_time.is_some_and(|time| time >= since - ONE_DAY))
    }
}

/// How far the listing of files is read.
#[derive(Debug, Clone, Copy)]
struct Read {
    /// Files whose rows are wanted.
    files: u64,
    /// Calls that were made for them.
    calls: u64,
    /// Files whose rows are still missing.
    missing: u64,
    /// Rows of ours on the pages that were read last.
    found: u64,
    /// How many pages these are.
    pages: u64,
    /// Rows of anyone's on them.
    rows: u64,
    /// Rows behind them, where the service says how many there are in all.
    rows_left: Option<u64>,
}

impl Read {
    /// How many pages are worth to be read next, this many at once at most. The listing holds the project's whole history: it is read on
    /// while that costs fewer calls than asking file by file, or while a page saves more than one of them. As many pages as are needed
    /// at least are read at once.
    fn next_pages(&self, at_once: u64) -> u64 {
        // The service may make its pages shorter than we ask.
        let page_rows = self.rows.div_ceil(self.pages).max(1);
        let pages_left = self.rows_left.map_or(1, |rows| rows.div_ceil(page_rows));
        let is_dear = pages_left >= self.missing && self.found < 2;
        // More pages than files cost more than to ask for each file, whatever the pages promise.
        if self.rows == 0 || self.missing == 0 || pages_left == 0 || is_dear || self.calls >= self.files {
            return 0;
        }
        let are_whole = self.rows == self.pages * ROWS_PER_PAGE;
        let needed = if are_whole { self.missing.div_ceil(ROWS_PER_PAGE).min(pages_left) } else { 1 };
        needed.min(at_once)
    }
}

/// Risks that were read, and why they are not all.
type Risks = (Vec<RiskRow>, Option<Error>);

fn is_clean(row: &FileRow) -> bool {
    row.risky == Some(false) && row.risk_num.unwrap_or(0) == 0 && row.last_scan_time.is_some()
}

#[cfg(test)]
mod tests;
