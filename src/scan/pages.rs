//! A listing read whole, whatever its pages do: rows shift between pages, come twice, or are missing at first.

use std::collections::{HashMap, HashSet};

use super::plan::ROWS_PER_PAGE;
use crate::hss::{Error, Kind, Listing, Page};

/// A listing whose rows shift is read from the start at most this often.
const PASSES: usize = 3;
/// Calls for one listing, at most: 10,000 rows where pages are as long as we ask, and ten minutes at the documented rate. A service whose
/// pages hold one row, or whose listing has no end, costs no more than that.
pub(super) const MOST_CALLS: usize = 50;

/// What a row is known by in its listing.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// Its id, with all else where the id may not be its own: two rows with the same are one that came twice.
    Id(String),
    /// All that it says: two equal ones on a page are two, unless the listing names fewer rows than that.
    Text(String),
}

/// Reads every page, or fails. The error names `api`.
pub(super) async fn all<T, F, Fut>(api: &str, page: F, key: impl Fn(&T) -> Key) -> Result<Vec<T>, Error>
where
    F: FnMut(Page) -> Fut,
    Fut: Future<Output = Result<Listing<T>, Error>>,
{
    let (rows, fault) = read(api, page, key).await;
    fault.map_or(Ok(rows), Err)
}

/// Reads what the pages give, and what was wrong with them. Rows with the same [`Key`] are one row that came twice. A listing that stays
/// shorter than the total it names is a fault, and so are a row that can't be read and a listing that takes more than [`MOST_CALLS`].
pub(super) async fn read<T, F, Fut>(api: &str, page: F, key: impl Fn(&T) -> Key) -> (Vec<T>, Option<Error>)
where
    F: FnMut(Page) -> Fut,
    Fut: Future<Output = Result<Listing<T>, Error>>,
{
    in_passes(PASSES, api, page, key).await
}

/// The same for who comes back to it: it is read once.
pub(super) async fn once<T, F, Fut>(api: &str, page: F, key: impl Fn(&T) -> Key) -> (Vec<T>, Option<Error>)
where
    F: FnMut(Page) -> Fut,
    Fut: Future<Output = Result<Listing<T>, Error>>,
{
    in_passes(1, api, page, key).await
}

async fn in_passes<T, F, Fut>(passes: usize, api: &str, mut page: F, key: impl Fn(&T) -> Key) -> (Vec<T>, Option<Error>)
where
    F: FnMut(Page) -> Fut,
    Fut: Future<Output = Result<Listing<T>, Error>>,
{
    let mut keys = HashSet::new();
    // Each with the number of equal ones on its page that came before it.
    let mut rows: Vec<(usize, T)> = Vec::new();
    let (mut total, mut unreadable) = (0, 0);
    let mut calls = 0;
    for _ in 0..passes {
        unreadable = 0;
        let mut offset = 0;
        loop {
            if calls == MOST_CALLS {
                let fault = format!("{api}: a listing was given up after {calls} calls, which gave {} rows", rows.len());
                return (as_many(rows, total), Some(Error::new(Kind::Refused, fault)));
            }
            calls += 1;
            let listing = match page(Page { offset, limit: ROWS_PER_PAGE }).await {
                Ok(listing) => listing,
                Err(error) => return (as_many(rows, total), Some(error)),
            };
            unreadable += listing.unreadable;
            let received = listing.rows.len() as u64 + listing.unreadable;
            let before = rows.len();
            let mut here: HashMap<Key, usize> = HashMap::new();
            for row in listing.rows {
                let nth = here.entry(key(&row)).or_default();
                let is_another = *nth == 0 || matches!(key(&row), Key::Text(_));
                if is_another && keys.insert((key(&row), *nth)) {
                    rows.push((*nth, row));
                }
                *nth += 1;
            }
            offset += received;
            // A total that a full page reaches may be that of the page.
            let told = listing.total.filter(|total| *total > offset || received < ROWS_PER_PAGE);
            // Without a total only a page with nothing new is the end: the service may make its pages shorter than we ask.
            total = told.unwrap_or(if rows.len() == before { rows.len() as u64 } else { offset + 1 });
            if received == 0 || offset >= total {
                break;
            }
        }
        if rows.len() as u64 >= total && unreadable == 0 {
            return (as_many(rows, total), None);
        }
    }
    let what = if unreadable > 0 {
        format!("the listing has rows without the id that they are known by ({unreadable})")
    } else {
        format!("the listing names {total} rows and gave {} different ones", rows.len())
    };
    let times = if passes == 1 { String::new() } else { format!(", read {passes} times") };
    let fault = format!("{api}: {what}{times}: try again later");
    (as_many(rows, total), Some(Error::new(Kind::Refused, fault)))
}

/// As many rows as the listing names: of equal ones those are left out that are too many. No two that differ are one.
fn as_many<T>(mut rows: Vec<(usize, T)>, total: u64) -> Vec<T> {
    let different = rows.iter().filter(|(nth, _)| *nth == 0).count();
    rows.sort_by_key(|(nth, _)| *nth);
    rows.truncate(usize::try_from(total).unwrap_or(usize::MAX).max(different));
    rows.into_iter().map(|(_, row)| row).collect()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    async fn read(script: Vec<(Option<u64>, Vec<u32>)>) -> (Result<Vec<u32>, String>, Vec<u64>) {
        read_by(|row| Key::Text(row.to_string()), script).await
    }

    async fn read_by(key: fn(&u32) -> Key, script: Vec<(Option<u64>, Vec<u32>)>) -> (Result<Vec<u32>, String>, Vec<u64>) {
        let script = RefCell::new(script.into_iter());
        let offsets = RefCell::new(Vec::new());
        let page = |page: Page| {
            offsets.borrow_mut().push(page.offset);
            let (total, rows) = script.borrow_mut().next().unwrap_or((Some(0), Vec::new()));
            std::future::ready(Ok(Listing { total, unreadable: 0, rows }))
        };
        let rows = all("rows", page, key).await.map_err(|error| error.message);
        (rows, offsets.into_inner())
    }

    #[tokio::test]
    async fn short_pages_are_followed_to_the_total() {
        let script = vec![(Some(5), vec![1, 2]), (Some(5), vec![3, 4]), (Some(5), vec![5])];
        assert_eq!(read(script).await, (Ok(vec![1, 2, 3, 4, 5]), vec![0, 2, 4]));
    }

    #[tokio::test]
    async fn a_page_that_shifts_is_read_again() {
        let script = vec![(Some(4), vec![1, 2]), (Some(4), vec![2, 3]), (Some(4), vec![4, 1]), (Some(4), vec![2, 3])];
        assert_eq!(read(script).await, (Ok(vec![1, 2, 3, 4]), vec![0, 2, 0, 2]));
    }

    #[tokio::test]
    async fn rows_that_never_come_are_an_error_not_an_end() {
        let script = (0..6).map(|call| (Some(3), if call % 2 == 0 { vec![1] } else { vec![] })).collect();
        assert_eq!(
            read(script).await.0,
            Err("rows: the listing names 3 rows and gave 1 different ones, read 3 times: try again later".to_owned())
        );
    }

    #[tokio::test]
    async fn a_listing_without_end_is_given_up() {
        let endless = |total: Option<u64>| (0..1_000).map(move |row| (total, vec![row])).collect();
        for total in [None, Some(2_000_000)] {
            let (rows, offsets) = read(endless(total)).await;
            let said = "rows: a listing was given up after 50 calls, which gave 50 rows".to_owned();
            assert_eq!((rows, offsets.len()), (Err(said), 50));
        }
        // Nor does reading again begin without end.
        let shifting = (0..1_000).map(|row| (Some(30), vec![row % 20])).collect();
        assert_eq!(read(shifting).await.1.len(), 50);
    }

    #[tokio::test]
    async fn equal_rows_on_one_page_are_two() {
        assert_eq!(read(vec![(Some(3), vec![5, 5]), (Some(3), vec![6])]).await, (Ok(vec![5, 6, 5]), vec![0, 2]));
    }

    #[tokio::test]
    async fn but_no_more_than_the_total() {
        assert_eq!(read(vec![(Some(3), vec![5, 5, 5, 5, 6, 6])]).await.0, Ok(vec![5, 6, 5]));
        assert_eq!(
            read(vec![(Some(1), vec![5, 6, 6])]).await.0,
            Ok(vec![5, 6]),
            "what differs counts whatever the total says"
        );
    }

    #[tokio::test]
    async fn a_total_that_is_that_of_a_page_is_none() {
        let first: Vec<u32> = (0..200).collect();
        for told in [0, 200] {
            let script = vec![(Some(told), first.clone()), (Some(1), vec![200])];
            assert_eq!(read(script).await, (Ok((0..=200).collect()), vec![0, 200]));
        }
        assert_eq!(read(vec![(Some(200), first.clone())]).await, (Ok(first), vec![0, 200]));
    }

    #[tokio::test]
    async fn rows_with_the_same_id_are_one() {
        let by_id = |row: &u32| Key::Id(row.to_string());
        assert_eq!(read_by(by_id, vec![(Some(2), vec![5, 5, 6, 6])]).await, (Ok(vec![5, 6]), vec![0]));
        let in_the_place_of_another = vec![(Some(3), vec![5, 5, 6]), (Some(3), vec![5, 7, 6])];
        assert_eq!(read_by(by_id, in_the_place_of_another).await, (Ok(vec![5, 6, 7]), vec![0, 0]));
    }

    #[tokio::test]
    async fn rows_without_an_id_are_rows_that_nobody_knows() {
        let offsets = RefCell::new(Vec::new());
        let page = |page: Page| {
            offsets.borrow_mut().push(page.offset);
            let (rows, unreadable) = if page.offset == 0 { (vec![1, 2], 1) } else { (vec![3], 1) };
            std::future::ready(Ok(Listing { total: Some(5), unreadable, rows }))
        };
        let (rows, fault) = once("rows", page, |row: &u32| Key::Text(row.to_string())).await;
        let said = "rows: the listing has rows without the id that they are known by (2): try again later";
        assert_eq!((rows, fault.map(|error| error.message)), (vec![1, 2, 3], Some(said.to_owned())));
        assert_eq!(offsets.into_inner(), [0, 3]);
    }

    #[tokio::test]
    async fn without_a_total_a_page_with_nothing_new_is_the_end() {
        let script = vec![(None, vec![7]), (None, vec![8]), (None, vec![])];
        assert_eq!(read(script).await, (Ok(vec![7, 8]), vec![0, 1, 2]));
        assert_eq!(read(vec![(None, vec![])]).await, (Ok(vec![]), vec![0]));
        let deaf_to_offsets = vec![(None, vec![7, 8]), (None, vec![7, 8]), (None, vec![7, 8])];
        assert_eq!(read(deaf_to_offsets).await, (Ok(vec![7, 8]), vec![0, 2]));
    }
}
