//! Findings by level and by directory, as bars and as numbers.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use maud::{Markup, html};

use super::breakable;
use crate::model::{Finding, Level};

/// Rows before the rest is folded into one.
const MOST_ROWS: usize = 20;

/// Findings at [`Level::WORST_FIRST`].
type Numbers = [u64; 4];

/// A table with a bar in each row: the whole first, then directories, worst first.
pub(super) fn by_directory(shown: &[&Finding]) -> Markup {
    let mut directories: BTreeMap<String, Numbers> = BTreeMap::new();
    for finding in shown {
        let path = finding.path.to_string();
        let directory = path.rsplit_once('/').map_or(".", |(directory, _)| directory);
        count(directories.entry(directory.to_owned()).or_default(), finding);
    }
    let mut rows: Vec<(String, Numbers)> = directories.into_iter().collect();
    rows.sort_by_key(|(_, numbers)| Reverse(*numbers));
    let whole = sum(&rows);
    let folded = if rows.len() > MOST_ROWS { rows.split_off(MOST_ROWS - 1) } else { Vec::new() };
    let longest = rows.iter().map(|(_, numbers)| numbers.iter().sum()).max().unwrap_or(1);
    html! {
        table.plot {
            thead { tr {
                th scope="col" { "Directory" }
                th.bar scope="col" { "Share" }
                @for level in Level::WORST_FIRST { th.n scope="col" { (level.as_str()) } }
            } }
            tbody {
                (row("all", whole, Some(whole.iter().sum())))
                @if rows.len() > 1 { @for (directory, numbers) in &rows { (row(directory, *numbers, Some(longest))) } }
                // Without a bar: it would be the longest, and the others too short to tell apart.
                @if !folded.is_empty() { (row(&format!("{} more directories", folded.len()), sum(&folded), None)) }
            }
        }
    }
}

fn count(numbers: &mut Numbers, finding: &Finding) {
    for (number, of) in numbers.iter_mut().zip(Level::WORST_FIRST) {
        if of == finding.level {
            *number += finding.places;
        }
    }
}

fn sum(rows: &[(String, Numbers)]) -> Numbers {
    rows.iter().fold([0; 4], |all, (_, numbers)| std::array::from_fn(|n| all[n] + numbers[n]))
}

fn row(name: &str, numbers: Numbers, longest: Option<u64>) -> Markup {
    html! {
        tr {
            th scope="row" { (breakable(name)) }
            td.bar { @if let Some(longest) = longest { (bar(numbers, longest)) } }
            @for number in numbers { td.n { (number) } }
        }
    }
}

/// Segments in the order of severity, in thousandths of the longest bar.
fn bar(numbers: Numbers, longest: u64) -> Markup {
    let place = |findings: u64| findings * 1000 / longest.max(1);
    let segments = numbers.iter().scan(0, |before, number| {
        let start = place(*before);
        *before += number;
        Some((start, place(*before) - start))
    });
    html! {
        svg viewBox="0 0 1000 16" preserveAspectRatio="none" aria-hidden="true" {
            @for ((x, width), level) in segments.zip(Level::WORST_FIRST) {
                @if width > 0 { rect class=(level.as_str()) x=(x) y="0" width=(width) height="16" {} }
            }
        }
    }
}
