//! Risks of scanned files, then the places of the risks in Kubernetes objects.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use futures_util::stream;
use futures_util::stream::{FuturesUnordered, StreamExt as _, TryStreamExt as _};
use tokio::sync::mpsc::UnboundedReceiver;

use super::plan::ROWS_PER_PAGE;
use super::wait::Finished;
use super::{Job, Step, pages};
use crate::hss::{Error, FileFilter, FileRow, Kind, Page, PathRow, RiskRow};
use crate::judge::count;
use crate::model::{FileType, Level, State};

/// In milliseconds.
const ONE_DAY: i64 = 24 * 60 * 60 * 1_000;

/// How often a file that counts as risky and lists no risk is asked again.
const LATE_LOOKS: u32 = 2;

impl Job<'_> {
    /// Reads the risks of every file that is handed in, until no more come.
    pub(super) async fn collect(&self, mut tasks: UnboundedReceiver<Finished>) -> Result<(), Error> {
        let done = Cell::new(0);
        let of = self.ledger.borrow().entries.iter().filter(|entry| entry.task_id.is_some()).count();
        let mut collecting = FuturesUnordered::new();
        let mut more = true;
        while more || !collecting.is_empty() {
            tokio::select! {
                files = tasks.recv(), if more => match files {
                    Some(files) => collecting.push(self.collect_files(files, &done, of)),
                    None => more = false,
                },
                Some(end) = collecting.next() => end?,
            }
        }
        Ok(())
    }

    async fn collect_files(&self, files: Finished, done: &Cell<usize>, of: usize) -> Result<(), Error> {
        let mut by_id: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for index in files {
            let file_id = self.ledger.borrow().entries[index].file_id.clone().unwrap_or_default();
            by_id.entry(file_id).or_default().push(index);
        }
        let rows = &self.file_rows(&by_id).await?;
        stream::iter(by_id)
            .map(|(file_id, files)| async move {
                self.collect_file(&file_id, &files, rows).await?;
                done.set(done.get() + files.len());
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
                self.strikes.set(0);
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

    /// Rows of the files: a clean one needs no other call. The listing holds the project's whole history: its first page says how long
    /// it is, and it is read on while that costs fewer calls than asking file by file.
    async fn file_rows(&self, files: &BTreeMap<String, Vec<usize>>) -> Result<HashMap<String, FileRow>, Error> {
        let mut rows = HashMap::new();
        let types: BTreeSet<FileType> =
            files.values().flatten().map(|index| self.ledger.borrow().entries[*index].source.file_type).collect();
        let file_type = types.first().copied().filter(|_| types.len() == 1);
        let file_id = files.keys().next().cloned().filter(|_| files.len() == 1);
        let filter = FileFilter { file_id, file_type, ..FileFilter::default() };
        let mut page = Page { offset: 0, limit: ROWS_PER_PAGE };
        loop {
            let listing = match self.client.list_files(&filter, page).await {
                Ok(listing) => listing,
                Err(error) => return self.forgive(error).map(|_| rows),
            };
            let received = listing.rows.len() as u64;
            rows.extend(listing.rows.into_iter().map(|row| (row.file_id.clone(), row)));
            page.offset += received;
            let missing = files.keys().filter(|id| !rows.contains_key(*id)).count() as u64;
            let pages_left = listing.total.map_or(1, |total| total.saturating_sub(page.offset).div_ceil(ROWS_PER_PAGE));
            if received == 0 || missing == 0 || pages_left == 0 || pages_left >= missing {
                return Ok(rows);
            }
        }
    }

    /// The risks of one file, and what kept the rest of them. None at all is believed only where the service says that it found none.
    async fn risks(&self, file_id: &str, rows: &HashMap<String, FileRow>) -> Result<Risks, Error> {
        let mut row = rows.get(file_id).cloned();
        if row.as_ref().is_some_and(|row| is_clean(row) && self.is_of_this_run(row)) {
            return Ok((Vec::new(), None));
        }
        for look in 0..=LATE_LOOKS {
            let key = |risk: &RiskRow| format!("{}\n{}\n{:?}", risk.risk_id, risk.rule_id, risk.build_instruction);
            let (risks, fault) = pages::read(|page| self.client.list_risks(file_id, page), key).await;
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
            if row.as_ref().is_some_and(is_clean) {
                return Ok((Vec::new(), None));
            }
            if look < LATE_LOOKS {
                tokio::time::sleep(self.options.poll).await;
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
        self.since.get().is_none_or(|since| row.last_scan_time.is_some_and(|time| time >= since - ONE_DAY))
    }

    /// Asks where the risks of Kubernetes files are, once for each file and rule: those that reach the gate first, and no more than
    /// allowed.
    pub(super) async fn ask_places(&self) -> Result<(), Error> {
        let mut wanted = self.places_wanted();
        let left_out = wanted.split_off(wanted.len().min(self.options.max_path_calls));
        if !left_out.is_empty() {
            let at_the_gate = |question: &&Question| self.options.gate.is_some_and(|gate| question.level >= gate);
            self.note(format!(
                "{} without the places in the file, {} of them at the gate: \
                 asking for each rule in a file costs a call, and --max-path-calls allows {}",
                count(left_out.len() as u64, "rule is shown", "rules are shown"),
                left_out.iter().filter(at_the_gate).count(),
                self.options.max_path_calls
            ));
        }
        let (done, of) = (&Cell::new(0), wanted.len());
        stream::iter(wanted)
            .map(|Question { file_id, rule_id, .. }| async move {
                let key = |path: &PathRow| format!("{path:?}");
                match pages::all(|page| self.client.list_risk_paths(&file_id, &rule_id, page), key).await {
                    Ok(places) => self.ledger.borrow_mut().located(&file_id, &rule_id, places),
                    Err(error) => {
                        let error = self.forgive(error)?;
                        self.note(format!("the places of rule {rule_id} could not be read: {}", error.message));
                    }
                }
                done.set(done.get() + 1);
                (self.observe)(Step::Placed { done: done.get(), of });
                Ok(())
            })
            .buffer_unordered(self.options.jobs)
            .try_collect()
            .await
    }

    /// What can be asked, worst first and then in the order of the files.
    fn places_wanted(&self) -> Vec<Question> {
        let ledger = self.ledger.borrow();
        let mut wanted = Vec::new();
        let mut seen = HashSet::new();
        for entry in
            ledger.entries.iter().filter(|entry| entry.source.file_type == FileType::K8sYaml && entry.reused_from.is_none())
        {
            let file_id = entry.file_id.clone().unwrap_or_default();
            for (risk, _) in entry.risks.iter().filter(|(risk, _)| !risk.rule_id.is_empty()) {
                // The risks of a file stand worst first: the first of a rule has its level.
                if seen.insert((file_id.clone(), risk.rule_id.clone())) {
                    wanted.push(Question { level: risk.level, file_id: file_id.clone(), rule_id: risk.rule_id.clone() });
                }
            }
        }
        wanted.sort_by_key(|question| Reverse(question.level));
        wanted
    }
}

/// Risks that were read, and why they are not all.
type Risks = (Vec<RiskRow>, Option<Error>);

/// Where a rule hits in a file.
struct Question {
    level: Level,
    file_id: String,
    rule_id: String,
}

fn is_clean(row: &FileRow) -> bool {
    row.risky == Some(false) && row.risk_num.unwrap_or(0) == 0 && row.last_scan_time.is_some()
}
