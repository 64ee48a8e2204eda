//! One source with its mutants.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde::Deserialize;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

/// A mutant as cargo-mutants lists it.
#[derive(Deserialize)]
pub struct Mutant {
    pub file: String,
    pub name: String,
    genre: String,
    replacement: String,
    span: Span,
}

#[derive(Deserialize)]
struct Span {
    start: Place,
}

/// From 1, in characters.
#[derive(Deserialize)]
struct Place {
    line: usize,
    column: usize,
}

/// A part of the new text.
enum Piece {
    Text(String),
    /// What stands there in the old one, with its own edits.
    Source(Range<usize>),
}

/// The mutants of a source, by where they begin, and what becomes of it.
struct Editor<'a> {
    at: BTreeMap<(usize, &'a str), Vec<(usize, &'a Mutant)>>,
    edits: Vec<(Range<usize>, Vec<Piece>)>,
    done: BTreeSet<usize>,
}

/// What asks whether a mutant is on, before its number.
pub const SWITCH: &str = "crate::switch::on(";

/// The source with these mutants behind switches, and the numbers of those that are.
pub fn switched<'a>(
    source: &str,
    mutants: impl Iterator<Item = (&'a usize, &'a &'a Mutant)>,
) -> syn::Result<(String, BTreeSet<usize>)> {
    let lines: Vec<usize> = std::iter::once(0).chain(source.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let offset = |place: &Place| {
        let line = lines[place.line - 1];
        source[line..].char_indices().nth(place.column - 1).map_or(source.len(), |(at, _)| line + at)
    };
    let mut editor = Editor { at: BTreeMap::new(), edits: Vec::new(), done: BTreeSet::new() };
    for (number, mutant) in mutants {
        editor.at.entry((offset(&mutant.span.start), mutant.genre.as_str())).or_default().push((*number, mutant));
    }
    editor.visit_file(&syn::parse_file(source)?);
    Ok((render(source, 0..source.len(), &editor.edits, editor.edits.len()), editor.done))
}

/// A part of the source with the edits that stand in it. Of several of all of it, the later ones enclose the earlier ones, and only those
/// before `limit` count. What is put in at one of its ends stands outside of it.
fn render(source: &str, range: Range<usize>, edits: &[(Range<usize>, Vec<Piece>)], limit: usize) -> String {
    let is_within = |index: usize, edit: &Range<usize>| {
        let is_at_an_end = edit.is_empty() && (edit.start == range.start || edit.end == range.end);
        edit.start >= range.start && edit.end <= range.end && !is_at_an_end && (*edit != range || index < limit)
    };
    let mut inner: Vec<_> = edits.iter().enumerate().filter(|(index, (edit, _))| is_within(*index, edit)).collect();
    inner.sort_by_key(|(index, (edit, _))| (edit.start, !edit.is_empty(), std::cmp::Reverse((edit.end, *index))));
    let (mut text, mut at) = (String::new(), range.start);
    for (index, (edit, pieces)) in inner {
        if edit.start < at {
            continue;
        }
        text.push_str(&source[at..edit.start]);
        for piece in pieces {
            match piece {
                Piece::Text(new) => text.push_str(new),
                Piece::Source(old) => text.push_str(&render(source, old.clone(), edits, index)),
            }
        }
        at = edit.end;
    }
    text.push_str(&source[at..range.end]);
    text
}

fn on(number: usize) -> String {
    format!("{SWITCH}{number})")
}

impl<'a> Editor<'a> {
    fn take(&mut self, at: usize, genre: &str) -> Vec<(usize, &'a Mutant)> {
        let genre = ["FnValue", "BinaryOperator", "UnaryOperator", "MatchArm", "MatchArmGuard", "StructField"]
            .into_iter()
            .find(|known| *known == genre)
            .unwrap_or_default();
        let key = self.at.keys().find(|(start, of)| (*start, *of) == (at, genre)).copied();
        let found = key.and_then(|key| self.at.remove(&key)).unwrap_or_default();
        self.done.extend(found.iter().map(|(number, _)| number));
        found
    }

    fn body(&mut self, block: &syn::Block) {
        let Some(first) = block.stmts.first() else { return };
        let start = first.span().byte_range().start;
        let all = self.take(start, "FnValue");
        let returns = all.iter().map(|(number, mutant)| format!("if {} {{ return {}; }} ", on(*number), mutant.replacement));
        let text: String = returns.collect();
        if !text.is_empty() {
            self.edits.push((start..start, vec![Piece::Text(text)]));
        }
    }
}

impl<'ast> Visit<'ast> for Editor<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.body(&item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.body(&item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_item_const(&mut self, _: &'ast syn::ItemConst) {
        // A switch can't be asked while the program is compiled.
    }

    fn visit_expr_binary(&mut self, expr: &'ast syn::ExprBinary) {
        visit::visit_expr_binary(self, expr);
        if has_let(&expr.left) || has_let(&expr.right) {
            return;
        }
        let op = expr.op.span().byte_range();
        let all = self.take(op.start, "BinaryOperator");
        if all.is_empty() {
            return;
        }
        let [left, right] = [&expr.left, &expr.right].map(|side| side.span().byte_range());
        let mut pieces = vec![Piece::Text("(".to_owned())];
        for (number, mutant) in all {
            pieces.push(Piece::Text(format!("if {} {{ ", on(number))));
            pieces.push(Piece::Source(left.clone()));
            pieces.push(Piece::Text(format!(" {} ", mutant.replacement)));
            pieces.push(Piece::Source(right.clone()));
            pieces.push(Piece::Text(" } else ".to_owned()));
        }
        pieces.extend([
            Piece::Text("{ ".to_owned()),
            Piece::Source(left.clone()),
            Piece::Source(left.end..right.start),
            Piece::Source(right.clone()),
            Piece::Text(" })".to_owned()),
        ]);
        self.edits.push((left.start..right.end, pieces));
    }

    fn visit_expr_unary(&mut self, expr: &'ast syn::ExprUnary) {
        visit::visit_expr_unary(self, expr);
        let range = expr.span().byte_range();
        if let [(number, _)] = self.take(range.start, "UnaryOperator")[..] {
            let inner = expr.expr.span().byte_range();
            let pieces = vec![
                Piece::Text(format!("(if {} {{ ", on(number))),
                Piece::Source(inner.clone()),
                Piece::Text(" } else { ".to_owned()),
                Piece::Source(range.start..inner.start),
                Piece::Source(inner),
                Piece::Text(" })".to_owned()),
            ];
            self.edits.push((range, pieces));
        }
    }

    fn visit_expr_match(&mut self, expr: &'ast syn::ExprMatch) {
        // An arm behind a switch may be gone, and only one that takes all others lets it go.
        if !expr.arms.iter().any(|arm| arm.guard.is_none() && matches!(arm.pat, syn::Pat::Wild(_))) {
            let starts: Vec<usize> = expr.arms.iter().map(|arm| arm.span().byte_range().start).collect();
            self.at.retain(|(start, genre), _| *genre != "MatchArm" || !starts.contains(start));
        }
        visit::visit_expr_match(self, expr);
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        visit::visit_arm(self, arm);
        let deleted = self.take(arm.span().byte_range().start, "MatchArm");
        let unless: String = deleted.iter().map(|(number, _)| format!("!{} && ", on(*number))).collect();
        let Some((_, guard)) = &arm.guard else {
            if !unless.is_empty() {
                let end = arm.pat.span().byte_range().end;
                self.edits.push((end..end, vec![Piece::Text(format!(" if {}true", unless))]));
            }
            return;
        };
        let range = guard.span().byte_range();
        let (mut or, mut and) = (String::new(), String::new());
        for (number, mutant) in self.take(range.start, "MatchArmGuard") {
            match mutant.replacement.as_str() {
                "true" => or += &format!("{} || ", on(number)),
                _ => and += &format!("!{} && ", on(number)),
            }
        }
        if !(unless.is_empty() && or.is_empty() && and.is_empty()) {
            let before = Piece::Text(format!("{unless}({or}({and}("));
            self.edits.push((range.clone(), vec![before, Piece::Source(range), Piece::Text(")))".to_owned())]));
        }
    }

    fn visit_expr_struct(&mut self, expr: &'ast syn::ExprStruct) {
        visit::visit_expr_struct(self, expr);
        let Some(base) = &expr.rest else { return };
        let base = base.span().byte_range();
        for field in &expr.fields {
            let range = field.span().byte_range();
            let syn::Member::Named(name) = &field.member else { continue };
            if let [(number, _)] = self.take(range.start, "StructField")[..] {
                let value = field.expr.span().byte_range();
                let pieces = vec![
                    Piece::Text(format!("{name}: if {} {{ (", on(number))),
                    Piece::Source(base.clone()),
                    Piece::Text(format!(").{name} }} else {{ ")),
                    Piece::Source(value),
                    Piece::Text(" }".to_owned()),
                ];
                self.edits.push((range, pieces));
            }
        }
    }
}

fn has_let(expr: &syn::Expr) -> bool {
    struct Search(bool);
    impl Visit<'_> for Search {
        fn visit_expr_let(&mut self, _: &syn::ExprLet) {
            self.0 = true;
        }
        fn visit_expr_closure(&mut self, _: &syn::ExprClosure) {}
        fn visit_block(&mut self, _: &syn::Block) {}
    }
    let mut search = Search(false);
    search.visit_expr(expr);
    search.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The source with one mutant, of the text that stands once, behind switch 1, which is written `ON` here; nothing where it is not put in.
    fn with(source: &str, genre: &str, of: &str, replacement: &str) -> Option<String> {
        let (before, _) = source.split_once(of).unwrap();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let mutant: Mutant = serde_json::from_value(serde_json::json!({
            "file": "a.rs", "name": "a mutant", "genre": genre, "replacement": replacement,
            "span": {"start": {"line": line, "column": column}},
        }))
        .unwrap();
        let (text, done) = switched(source, std::iter::once((&1, &&mutant))).unwrap();
        assert!(syn::parse_file(&text).is_ok(), "{text}");
        done.contains(&1).then(|| text.replace("crate::switch::on(1)", "ON"))
    }

    #[test]
    fn a_mutant_of_each_kind_stands_behind_its_switch() {
        let cases = [
            ("fn f() -> u8 { g(); 3 }", "FnValue", "g();", "0", "fn f() -> u8 { if ON { return 0; } g(); 3 }"),
            (
                "fn f() -> bool { a == b }",
                "BinaryOperator",
                "==",
                "!=",
                "fn f() -> bool { (if ON { a != b } else { a == b }) }",
            ),
            ("fn f() -> bool { !a }", "UnaryOperator", "!a", "", "fn f() -> bool { (if ON { a } else { !a }) }"),
            (
                "fn f() { match a { 1 => b, _ => c } }",
                "MatchArm",
                "1 =>",
                "",
                "fn f() { match a { 1 if !ON && true => b, _ => c } }",
            ),
            (
                "fn f() { match a { n if n > 1 => b, _ => c } }",
                "MatchArmGuard",
                "n > 1",
                "true",
                "fn f() { match a { n if (ON || ((n > 1))) => b, _ => c } }",
            ),
            (
                "fn f() { match a { n if n > 1 => b, _ => c } }",
                "MatchArmGuard",
                "n > 1",
                "false",
                "fn f() { match a { n if ((!ON && (n > 1))) => b, _ => c } }",
            ),
            (
                "fn f() -> S { S { a: 1, ..d } }",
                "StructField",
                "a: 1",
                "",
                "fn f() -> S { S { a: if ON { (d).a } else { 1 }, ..d } }",
            ),
            ("// ß\nfn f() -> u8 { 3 }", "FnValue", "3", "0", "// ß\nfn f() -> u8 { if ON { return 0; } 3 }"),
        ];
        for (source, genre, of, replacement, expected) in cases {
            assert_eq!(with(source, genre, of, replacement).as_deref(), Some(expected));
        }
    }

    #[test]
    fn what_can_not_ask_a_switch_is_left_out() {
        for (source, genre, of) in [
            ("const A: u8 = 1 + 2;", "BinaryOperator", "+"),
            ("fn f() { if let Some(a) = b && a {} }", "BinaryOperator", "&&"),
            // Without the arm the match would not take all there is.
            ("fn f() { match a { Some(_) => b, None => c } }", "MatchArm", "None"),
            ("fn f() -> S { S { a: 1 } }", "StructField", "a: 1"),
        ] {
            assert_eq!(with(source, genre, of, "-"), None, "{source}");
        }
    }

    #[test]
    fn mutants_within_mutants_are_both_there() {
        let mutant = |column: usize, replacement: &str| {
            let span = serde_json::json!({"start": {"line": 1, "column": column}});
            let all = serde_json::json!({"file": "", "name": "", "genre": "BinaryOperator", "replacement": replacement, "span": span});
            serde_json::from_value::<Mutant>(all).unwrap()
        };
        let all = [mutant(18, "-"), mutant(22, "/")];
        let numbered: Vec<(usize, &Mutant)> = (1..).zip(&all).collect();
        let (text, done) =
            switched("fn f() -> u8 { a + b * c }", numbered.iter().map(|(number, mutant)| (number, mutant))).unwrap();
        assert_eq!(done, BTreeSet::from([1, 2]));
        let text = text.replace("crate::switch::on", "on");
        let inner = "(if on(2) { b / c } else { b * c })";
        assert_eq!(text, format!("fn f() -> u8 {{ (if on(1) {{ a - {inner} }} else {{ a + {inner} }}) }}"));
    }
}
