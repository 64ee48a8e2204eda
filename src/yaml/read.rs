//! Reads a file into a tree. Each document is parsed on its own, so that a syntax error costs no other document; one that
//! can't be parsed is read line by line.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::by_line;
use super::cursor::Cursor;
use super::tree::{Id, Tree, Value};

/// Nesting beyond this is taken for a syntax error; it bounds the memory that a hostile file costs.
pub(super) const MAX_DEPTH: usize = 512;

/// How many bytes before an empty item its dash is looked for.
const FARTHEST_DASH: usize = 2 * MAX_DEPTH;

/// Reads all documents of a file.
pub(crate) fn read(text: &str) -> Tree<'_> {
    let mut tree = Tree::default();
    let mut base = 0;
    for part in parts(text) {
        let mut reader = Reader::new(&mut tree, part, base);
        if reader.read().is_none() {
            let (nodes, position) = reader.safe;
            let done = reader.cursor.before(position).len();
            tree.nodes.truncate(nodes);
            tree.broken.push(base + position..base + part.chars().count());
            by_line::read(&mut tree, part.get(done..).unwrap_or_default(), base + position);
        }
        base += part.chars().count();
    }
    tree.finish()
}

/// Cuts a file before each `---`, which can be nothing but a boundary where it starts a line.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in text.split_inclusive('\n') {
        if at > start && is_boundary(line, "---") && !text.get(start..at).is_some_and(is_prologue) {
            parts.extend(text.get(start..at));
            start = at;
        }
        at += line.len();
    }
    parts.extend(text.get(start..));
    parts
}

/// Whether there are directives and nothing else but comments: they belong to the document that follows.
fn is_prologue(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')).peekable();
    lines.peek().is_some() && lines.all(|line| line.starts_with('%'))
}

/// Whether a line is `---` or `...`, whatever follows it.
pub(super) fn is_boundary(line: &str, mark: &str) -> bool {
    line.strip_prefix(mark).is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
}

/// A collection that is being read.
struct Frame {
    id: Id,
    mapping: bool,
    /// In a mapping, the key that waits for its value.
    key: Option<Id>,
}

struct Reader<'a, 't> {
    tree: &'a mut Tree<'t>,
    text: &'t str,
    /// Where the text starts in the file.
    base: usize,
    cursor: Cursor<'t>,
    stack: Vec<Frame>,
    anchors: HashMap<usize, Id>,
    root: Option<Id>,
    /// The number of nodes, and the position, after the last whole document.
    safe: (usize, usize),
}

impl<'a, 't> Reader<'a, 't> {
    fn new(tree: &'a mut Tree<'t>, text: &'t str, base: usize) -> Self {
        let safe = (tree.nodes.len(), 0);
        Self { tree, text, base, cursor: Cursor::new(text), stack: Vec::new(), anchors: HashMap::new(), root: None, safe }
    }

    /// Reads to the end; `None` after a syntax error.
    fn read(&mut self) -> Option<()> {
        for event in Parser::new_from_str(self.text) {
            let (event, span) = event.ok()?;
            self.take(event, span)?;
        }
        Some(())
    }

    fn take(&mut self, event: Event<'t>, span: Span) -> Option<()> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let bare = anchor == 0 && tag.is_none();
                let span = self.scalar_span(span, &text, style, bare);
                let plain = style == ScalarStyle::Plain && tag.is_none_or(|tag| tag.suffix != "str");
                self.add(anchor, span, Value::Scalar { text, plain, style, bare })?;
            }
            Event::Alias(anchor) => {
                let target = self.anchors.get(&anchor).copied();
                self.add(0, (span.start.index(), span.end.index()), Value::Alias(target))?;
            }
            Event::SequenceStart(anchor, _) => self.begin(anchor, span, false)?,
            Event::MappingStart(anchor, _) => self.begin(anchor, span, true)?,
            Event::SequenceEnd | Event::MappingEnd => {
                let frame = self.stack.pop()?;
                // The end of a block collection is where the next token is found; that of a flow collection is its bracket.
                let end = span.end.index();
                let closed = self.cursor.before(end).ends_with([']', '}']) && !span.is_empty();
                if let (true, Some(node)) = (closed, self.tree.get_mut(frame.id)) {
                    node.end = self.base + end;
                }
            }
            Event::DocumentEnd => {
                self.tree.documents.extend(self.root.take());
                self.safe = (self.tree.nodes.len(), span.end.index());
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) => {}
        }
        Some(())
    }

    fn begin(&mut self, anchor: usize, span: Span, mapping: bool) -> Option<()> {
        if self.stack.len() >= MAX_DEPTH {
            return None;
        }
        // With an anchor or a tag the span runs on to the first child.
        let end = span.start.index() + usize::from(!span.is_empty());
        let value = if mapping { Value::Mapping(Vec::new()) } else { Value::Sequence(Vec::new()) };
        let id = self.add(anchor, (span.start.index(), end), value)?;
        self.stack.push(Frame { id, mapping, key: None });
        Some(())
    }

    fn add(&mut self, anchor: usize, (start, end): (usize, usize), value: Value<'t>) -> Option<Id> {
        let span = (self.base + start, self.base + end);
        let id = match self.stack.last_mut() {
            None => {
                let id = self.tree.add(None, None, span, value)?;
                self.root = Some(id);
                id
            }
            Some(frame) => {
                let key = frame.key.take();
                let id = self.tree.add(Some(frame.id), key, span, value)?;
                frame.key = (frame.mapping && key.is_none()).then_some(id);
                id
            }
        };
        if anchor != 0 {
            self.anchors.insert(anchor, id);
        }
        Some(id)
    }

    /// Where a scalar starts and ends. The parser counts blanks after it to it, block scalars from the first line of their
    /// text, and gives a missing value the place of what follows.
    fn scalar_span(&mut self, span: Span, text: &str, style: ScalarStyle, bare: bool) -> (usize, usize) {
        let (start, end) = (span.start.index(), span.end.index());
        let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
        if bare && style == ScalarStyle::Plain && text.is_empty() {
            // Only an item has a dash, and of a flow sequence none is missing.
            let is_item = self.stack.last().is_some_and(|frame| !frame.mapping);
            let start = if is_item { self.dash_before(start) } else { start };
            return (start, start + usize::from(is_item && self.cursor.before(start + 1).ends_with('-')));
        }
        let start = if bare && block { self.header_before(start) } else { start };
        let until = self.cursor.before(end);
        let blanks = until.chars().rev().take_while(|char| char.is_whitespace()).count();
        (start, end.saturating_sub(blanks).max(start))
    }

    /// The dash of an item that has no value.
    fn dash_before(&mut self, position: usize) -> usize {
        let before = self.cursor.before(position);
        // A place far behind the start of its line is not behind a dash, and lines may be as long as files.
        let near = before.len().saturating_sub(FARTHEST_DASH);
        let near = (near..=before.len()).find_map(|at| before.get(at..)).unwrap_or_default();
        let Some(line) = near.rsplit(['\n', '\r']).next().filter(|line| line.len() < FARTHEST_DASH) else { return position };
        let dashes = line.len() - line.trim_start_matches([' ', '-']).len();
        match line.get(..dashes).and_then(|dashes| dashes.rfind('-')) {
            Some(dash) => position - line.get(dash..).unwrap_or_default().chars().count(),
            None => position,
        }
    }

    /// The `|` or `>` of a block scalar whose text starts at a position.
    fn header_before(&mut self, position: usize) -> usize {
        let before = self.cursor.before(position);
        let header = before.trim_end();
        let start = header.rfind(['\n', '\r']).map_or(0, |newline| newline + 1);
        let line = header.get(start..).unwrap_or_default();
        // Of `- key: |` the key is shown, never this: only an item needs its place.
        let indicator = start + line.len() - line.trim_start_matches([' ', '-', '?']).len();
        position - before.get(indicator..).unwrap_or_default().chars().count()
    }
}
