//! As much of the language of workflows as `action.yml` uses: the file as JSON, and `${{ … }}` in it.

use saphyr_parser::{Event, Parser};
use serde_json::{Map, Value};

/// A YAML file of mappings, sequences and scalars; every scalar is a string.
pub(crate) fn read(text: &str) -> Value {
    let events: Vec<Event<'_>> = Parser::new_from_str(text).map(|event| event.unwrap().0).collect();
    let start = events.iter().position(|event| matches!(event, Event::DocumentStart(_))).unwrap();
    node(&mut events[start + 1..].iter())
}

fn node<'a>(events: &mut impl Iterator<Item = &'a Event<'a>>) -> Value {
    value_of(events.next().unwrap(), events)
}

fn value_of<'a>(event: &Event<'a>, events: &mut impl Iterator<Item = &'a Event<'a>>) -> Value {
    match event {
        Event::Scalar(text, ..) => Value::String(text.to_string()),
        Event::SequenceStart(..) => {
            let mut items = Vec::new();
            loop {
                match events.next().unwrap() {
                    Event::SequenceEnd => return Value::Array(items),
                    event => items.push(value_of(event, events)),
                }
            }
        }
        Event::MappingStart(..) => {
            let mut map = Map::new();
            loop {
                match events.next().unwrap() {
                    Event::MappingEnd => return Value::Object(map),
                    key => {
                        let Value::String(key) = value_of(key, events) else { panic!("a key that is no scalar") };
                        map.insert(key, node(events));
                    }
                }
            }
        }
        other => panic!("not used in action.yml: {other:?}"),
    }
}

/// The value of a text that may be one expression. An expression in the midst of a text is how scripts are injected, so there is none.
pub(crate) fn evaluate(text: &str, contexts: &Value) -> String {
    if let Some(expression) = text.strip_prefix("${{").and_then(|rest| rest.strip_suffix("}}")) {
        return either(expression.trim(), contexts);
    }
    assert!(!text.contains("${{"), "an expression within a text: {text}");
    text.to_owned()
}

/// Whether a step with this condition runs.
pub(crate) fn holds(condition: Option<&str>, failed: bool, contexts: &Value) -> bool {
    let Some(condition) = condition else { return !failed };
    let inner = condition.trim_start_matches("${{").trim_end_matches("}}").trim();
    let says_when = inner.contains("cancelled()") || inner.contains("always()");
    (says_when || !failed)
        && inner.split("&&").map(str::trim).all(|term| match term.split_once("==") {
            Some((left, right)) => path(left.trim(), contexts) == right.trim().trim_matches('\''),
            None => matches!(term, "!cancelled()" | "always()"),
        })
}

fn either(expression: &str, contexts: &Value) -> String {
    let mut values = expression.split("||").map(|part| path(part.trim(), contexts));
    values.find(|value| !value.is_empty()).unwrap_or_default()
}

/// What is not there is empty, as on GitHub.
fn path(dotted: &str, contexts: &Value) -> String {
    let known = ["inputs.", "steps.", "github."].iter().any(|context| dotted.starts_with(context));
    assert!(known && !dotted.contains(['(', ' ', '[']), "an expression that this runner does not know: {dotted}");
    let found = dotted.split('.').try_fold(contexts, |value, key| value.get(key));
    found.and_then(Value::as_str).unwrap_or_default().to_owned()
}
