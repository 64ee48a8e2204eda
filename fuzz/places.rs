//! What holds for every place, whatever the file and whatever was said of it.

use hss_iac::locate::{Place, decode};

/// Asserts that there are `count` places, each inside the file.
pub(crate) fn assert_inside(source: &[u8], placed: &[Place], count: usize) {
    assert_eq!(placed.len(), count);
    let text = decode(source).replace("\r\n", "\n").replace('\r', "\n");
    let widths: Vec<usize> = text.strip_suffix('\n').unwrap_or(&text).split('\n').map(|line| line.chars().count()).collect();
    for place in placed {
        let at = place.location;
        for (line, column) in [(at.line, at.column), (at.end_line, at.end_column)] {
            let width = (line as usize).checked_sub(1).and_then(|line| widths.get(line));
            assert!(width.is_some_and(|width| (1..=width + 1).contains(&(column as usize))), "{at:?} in {widths:?}");
        }
        assert!((at.line, at.column) <= (at.end_line, at.end_column), "{at:?}");
    }
}
