//! Risks of scanned files, then the places of the risks in Kubernetes objects.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::HashMap;

use futures_util::stream;
use futures_util::stream::{FuturesUnordered, StreamExt as _, TryStreamExt as _};
use tokio::sync::mpsc::UnboundedReceiver;

use super::plan::{FEW_FILES, ROWS_PER_PAGE};
use super::wait::Finished;
use super::{Job, Step, pages};
use crate::hss::{Error, FileFilter, FileRow, Kind, Page, RiskRow};
use crate::model::{FileType, State};

/// How often a file that counts as risky and lists no risk is asked again.
const LATE_LOOKS: u32 = 2;

impl Job<'_> {
    /// Reads the risks of every file that is handed in, until no more come.
    pub(super) async fn collect(&self, mut tasks: UnboundedReceiver<Finished>) -> Result<(), Error> {
        let done = Cell::new(0);
        let of: u64 = self.ledger.borrow().tasks.values().map(|task| task.files).sum();
        let mut collecting = FuturesUnordered::new();
        let mut more = true;
        while more || !collecting.is_empty() {
            tokio::select! {
                files = tasks.recv(), if more => match files {
                    Some(files) => collecting.push(self.collect_task(files, &done, usize::try_from(of).unwrap_or(usize::MAX))),
                    None => more = false,
                },
                Some(end) = collecting.next() => end?,
            }
        }
        Ok(())
    }

    async fn collect_task(&self, files: Finished, done: &Cell<usize>, of: usize) -> Result<(), Error> {
        let rows = self.file_rows(&files).await?;
        stream::iter(files)
            .map(|index| self.collect_file(index, &rows))
            .buffer_unordered(self.options.jobs)
            .inspect(|_| {
                done.set(done.get() + 1);
                (self.observe)(Step::Collected { done: done.get(), of });
            })
            .try_collect::<()>()
            .await
    }

    async fn collect_file(&self, index: usize, rows: &HashMap<String, FileRow>) -> Result<(), Error> {
        match self.risks(index, rows).await {
            Ok(risks) => {
                self.strikes.set(0);
                let risks = risks.into_iter().map(|risk| (risk, Vec::new())).collect();
                self.ledger.borrow_mut().scanned(index, risks);
                Ok(())
            }
            Err(error) => {
                let error = self.forgive(error)?;
                self.end(&[index], State::ScanFailed, &format!("its risks could not be read: {}", error.message));
                Ok(())
            }
        }
    }

    /// Rows of the files, where one listing of the project's files costs fewer calls than asking file by file. The listing holds the
    /// project's whole history: its first page says how long it is.
    async fn file_rows(&self, files: &[usize]) -> Result<HashMap<String, FileRow>, Error> {
        let mut rows = HashMap::new();
        if files.len() <= FEW_FILES {
            return Ok(rows);
        }
        let wanted: Vec<String> =
            files.iter().filter_map(|index| self.ledger.borrow().entries[*index].file_id.clone()).collect();
        let file_type = files.first().map(|index| self.ledger.borrow().entries[*index].source.file_type);
        let filter = FileFilter { file_type, ..FileFilter::default() };
        let mut page = Page { offset: 0, limit: ROWS_PER_PAGE };
        loop {
            let listing = match self.client.list_files(&filter, page).await {
                Ok(listing) => listing,
                Err(error) => return self.forgive(error).map(|_| rows),
            };
            let received = listing.rows.len() as u64;
            rows.extend(listing.rows.into_iter().map(|row| (row.file_id.clone(), row)));
            page.offset += received;
            let missing = wanted.iter().filter(|id| !rows.contains_key(*id)).count() as u64;
            let pages_left = listing.total.map_or(1, |total| total.saturating_sub(page.offset).div_ceil(ROWS_PER_PAGE));
            if received == 0 || missing == 0 || pages_left == 0 || pages_left >= missing {
                return Ok(rows);
            }
        }
    }

    /// The risks of one file. None at all is believed only where the service says that it has scanned the file and found nothing.
    async fn risks(&self, index: usize, rows: &HashMap<String, FileRow>) -> Result<Vec<RiskRow>, Error> {
        let file_id = self.ledger.borrow().entries[index].file_id.clone().unwrap_or_default();
        let mut row = rows.get(&file_id).cloned();
        if row.as_ref().is_some_and(is_clean) {
            return Ok(Vec::new());
        }
        for look in 0..=LATE_LOOKS {
            let key = |risk: &RiskRow| format!("{}\n{}\n{:?}", risk.risk_id, risk.rule_id, risk.build_instruction);
            let risks = pages::all(|page| self.client.list_risks(&file_id, page), key).await?;
            if !risks.is_empty() {
                return Ok(risks);
            }
            if row.is_none() || look > 0 {
                let filter = FileFilter { file_id: Some(file_id.clone()), ..FileFilter::default() };
                let listing = self.client.list_files(&filter, Page { offset: 0, limit: 10 }).await?;
                row = listing.rows.into_iter().find(|row| row.file_id == file_id);
                if row.is_none() {
                    let filter = FileFilter { cicd: true, ..filter };
                    let listing = self.client.list_files(&filter, Page { offset: 0, limit: 10 }).await?;
                    row = listing.rows.into_iter().find(|row| row.file_id == file_id);
                }
            }
            if row.as_ref().is_some_and(is_clean) {
                return Ok(Vec::new());
            }
            if look < LATE_LOOKS {
                tokio::time::sleep(self.options.poll).await;
            }
        }
        match row {
            Some(row) if row.risky == Some(true) => {
                Err(Error::new(Kind::Refused, "HSS counts it as risky and lists no risk".to_owned()))
            }
            Some(row) if row.risky == Some(false) && row.risk_num.unwrap_or(0) == 0 => Ok(Vec::new()),
            _ => Err(Error::new(Kind::Refused, "HSS lists no risk and does not say that it found none".to_owned())),
        }
    }

    /// Asks where the risks of Kubernetes files are: those that reach the gate first, and no more than allowed.
    pub(super) async fn ask_places(&self) -> Result<(), Error> {
        let mut wanted = Vec::new();
        for (index, entry) in self.ledger.borrow().entries.iter().enumerate() {
            if entry.source.file_type == FileType::K8sYaml {
                let file_id = entry.file_id.clone().unwrap_or_default();
                wanted.extend(
                    entry
                        .risks
                        .iter()
                        .enumerate()
                        .map(|(at, (risk, _))| (risk.level, index, at, file_id.clone(), risk.rule_id.clone())),
                );
            }
        }
        wanted.sort_by_key(|(level, index, at, ..)| (Reverse(*level), *index, *at));
        let left_out = wanted.split_off(wanted.len().min(self.options.max_path_calls));
        if !left_out.is_empty() {
            let gate = left_out.iter().filter(|(level, ..)| self.options.gate.is_some_and(|gate| *level >= gate)).count();
            self.note(format!(
                "{} risks are shown without their place in the file, {gate} of them at the gate: \
                 asking for each costs a call, and --max-path-calls allows {}",
                left_out.len(),
                self.options.max_path_calls
            ));
        }
        stream::iter(wanted)
            .map(|(_, index, at, file_id, rule_id)| async move {
                let key = |path: &crate::hss::PathRow| format!("{path:?}");
                match pages::all(|page| self.client.list_risk_paths(&file_id, &rule_id, page), key).await {
                    Ok(paths) => {
                        self.ledger.borrow_mut().entries[index].risks[at].1 = paths;
                        Ok(())
                    }
                    Err(error) => {
                        let error = self.forgive(error)?;
                        self.note(format!("the places of rule {rule_id} could not be read: {}", error.message));
                        Ok(())
                    }
                }
            })
            .buffer_unordered(self.options.jobs)
            .try_collect()
            .await
    }
}

fn is_clean(row: &FileRow) -> bool {
    row.risky == Some(false) && row.risk_num.unwrap_or(0) == 0 && row.last_scan_time.is_some()
}
