use super::*;

/// After the first page of 200 rows, of 20,000, with rows of 150 of 1,000 files.
const FIRST: Read = Read { files: 1_000, calls: 1, missing: 850, found: 150, pages: 1, rows: 200, rows_left: Some(19_800) };

#[test]
fn as_many_pages_as_are_needed_at_least_are_read_at_once() {
    assert_eq!(FIRST.next_pages(8), 5);
    assert_eq!(Read { missing: 801, ..FIRST }.next_pages(8), 5);
    assert_eq!(Read { missing: 800, ..FIRST }.next_pages(8), 4);
    assert_eq!(FIRST.next_pages(3), 3, "no more than may be read at once");
    assert_eq!(FIRST.next_pages(1), 1);
    assert_eq!(Read { rows_left: Some(401), ..FIRST }.next_pages(8), 3, "there are no more");
    assert_eq!(Read { pages: 2, rows: 400, ..FIRST }.next_pages(8), 5);
}

#[test]
fn pages_that_are_shorter_than_asked_for_are_read_one_by_one() {
    assert_eq!(Read { rows: 199, ..FIRST }.next_pages(8), 1);
    assert_eq!(Read { pages: 2, rows: 200, ..FIRST }.next_pages(8), 1);
}

#[test]
fn what_cannot_help_ends_it() {
    assert_eq!(Read { missing: 0, ..FIRST }.next_pages(8), 0, "all are there");
    assert_eq!(Read { rows: 0, ..FIRST }.next_pages(8), 0, "an empty page");
    assert_eq!(Read { rows_left: Some(0), ..FIRST }.next_pages(8), 0, "the last page");
    assert_eq!(Read { calls: 999, ..FIRST }.next_pages(1), 1);
    assert_eq!(Read { calls: 1_000, ..FIRST }.next_pages(1), 0, "as many pages as files");
}

#[test]
fn pages_are_worth_less_than_the_files_that_they_are_to_save() {
    // 99 pages are left.
    let little = Read { found: 1, ..FIRST };
    assert_eq!(Read { missing: 100, ..little }.next_pages(8), 1);
    assert_eq!(Read { missing: 99, ..little }.next_pages(8), 0);
    assert_eq!(Read { missing: 99, found: 2, ..FIRST }.next_pages(8), 1, "a page that saved two calls promises more");
    // Of 50 rows each: 396 pages.
    let short = Read { rows: 50, ..little };
    assert_eq!(Read { missing: 397, ..short }.next_pages(8), 1);
    assert_eq!(Read { missing: 396, ..short }.next_pages(8), 0);
    let two_short = Read { pages: 2, rows: 100, ..short };
    assert_eq!(Read { missing: 397, ..two_short }.next_pages(8), 1);
    assert_eq!(Read { missing: 396, ..two_short }.next_pages(8), 0);
}

#[test]
fn a_listing_without_a_total_has_one_page_more() {
    let untold = Read { rows_left: None, found: 1, ..FIRST };
    assert_eq!(untold.next_pages(8), 1);
    assert_eq!(Read { missing: 2, ..untold }.next_pages(8), 1);
    assert_eq!(Read { missing: 1, ..untold }.next_pages(8), 0);
}
