//! What each platform takes of a machine format, fact by fact, and what a report must say of the result that it was
//! written from. Everything here panics with the fact that does not hold.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use quick_xml::events::{BytesStart, Event};
use serde_json::{Map, Value};

/// The notice of a stand-in run.
const STAND_IN: &str = "The stand-in answered in place of HSS: these findings are its own and no verdict of HSS.";

fn list<'a>(value: &'a Value, what: &str) -> &'a Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("{what} is an array, not {value}"))
}

fn words<'a>(value: &'a Value, what: &str) -> &'a str {
    let text = value.as_str().unwrap_or_else(|| panic!("{what} is a string, not {value}"));
    assert!(!text.trim().is_empty(), "{what} is not empty");
    text
}

/// A text of at most so many characters.
fn at_most<'a>(value: &'a Value, most: usize, what: &str) -> &'a str {
    let text = words(value, what);
    assert!(text.chars().count() <= most, "{what} has at most {most} characters");
    text
}

fn number(value: &Value, what: &str) -> u64 {
    let number = value.as_u64().unwrap_or_else(|| panic!("{what} is a whole number, not {value}"));
    assert!(number >= 1, "{what} starts at 1");
    number
}

fn keys(value: &Value, required: &[&str], optional: &[&str]) {
    let object: &Map<String, Value> = value.as_object().unwrap_or_else(|| panic!("an object, not {value}"));
    for key in required {
        assert!(object.contains_key(*key), "{key} is missing in {value}");
    }
    for key in object.keys() {
        assert!(required.contains(&key.as_str()) || optional.contains(&key.as_str()), "{key} is not known");
    }
}

/// Parses one JSON document: UTF-8 without a byte order mark.
fn json(bytes: &[u8]) -> Value {
    assert!(bytes.ends_with(b"\n"), "a line end closes the file");
    let text = std::str::from_utf8(bytes).expect("UTF-8");
    serde_json::from_str(text).expect("JSON")
}

/// `PostgreSQL`, behind GitLab, refuses U+0000 in a text.
fn without_nul(value: &Value) {
    match value {
        Value::String(text) => assert!(!text.contains('\0'), "U+0000 in {text:?}"),
        Value::Array(values) => values.iter().for_each(without_nul),
        Value::Object(fields) => fields.values().for_each(without_nul),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What the result says, as the reports must say it.
struct Told<'a> {
    counting: Vec<&'a Value>,
    suppressed: Vec<&'a Value>,
    lost: Vec<&'a Value>,
    clean: usize,
    whole: bool,
    stand_in: bool,
}

impl<'a> Told<'a> {
    fn of(result: &'a Value) -> Self {
        let findings = list(&result["findings"], "findings");
        let (counting, suppressed): (Vec<_>, Vec<_>) = findings.iter().partition(|finding| finding["suppressed"].is_null());
        let done = |file: &&Value| file["state"] == "scanned" || file["state"] == "reused";
        let (done, lost): (Vec<_>, Vec<_>) = list(&result["files"], "files").iter().partition(done);
        let with_findings: BTreeSet<&str> = findings.iter().filter_map(|finding| finding["path"].as_str()).collect();
        let clean = done.iter().filter(|file| !with_findings.contains(file["path"].as_str().unwrap_or_default())).count();
        let whole =
            result["complete"] == true && (result["verdict"]["status"] == "pass" || result["verdict"]["status"] == "fail");
        Self { counting, suppressed, lost, clean, whole, stand_in: result["service"]["stand_in"] == true }
    }
}

/// `PATH` as bytes: `path_raw` where it is not UTF-8.
fn raw_path(finding: &Value) -> Vec<u8> {
    match finding["path_raw"].as_str() {
        Some(raw) => base64::engine::general_purpose::STANDARD.decode(raw).expect("base64"),
        None => finding["path"].as_str().expect("a path").as_bytes().to_vec(),
    }
}

/// A uri as code scanning takes it: relative, percent-encoded, no `./` and no `..`. Gives back the bytes it stands for.
fn uri(value: &Value) -> Vec<u8> {
    let uri = words(value, "uri");
    assert!(!uri.starts_with('/') && !uri.starts_with("./") && !uri.contains('\\'), "relative, with slashes: {uri}");
    assert!(uri.split('/').all(|part| part != ".." && part != "."), "no dots to resolve: {uri}");
    assert!(uri.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~/%".contains(&b)), "percent-encoded: {uri}");
    percent_encoding::percent_decode_str(uri).collect()
}

/// SARIF as GitHub code scanning takes it.
pub(crate) fn sarif(bytes: &[u8], result: &Value) {
    let told = Told::of(result);
    let log = json(bytes);
    assert_eq!(log["version"], "2.1.0");
    words(&log["$schema"], "$schema");
    let runs = list(&log["runs"], "runs");
    assert_eq!(runs.len(), 1, "one run a file");
    let run = &runs[0];
    assert!(run.get("automationDetails").is_none(), "the upload step names the category, where the file does not");
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], if told.stand_in { "hss-iac-stand-in" } else { "hss-iac" });
    words(&driver["semanticVersion"], "semanticVersion");
    let rules = list(&driver["rules"], "rules");
    sarif_rules(rules);
    let invocation = &list(&run["invocations"], "invocations")[0];
    assert_eq!(invocation["executionSuccessful"], told.whole);
    let notifications = list(&invocation["toolExecutionNotifications"], "toolExecutionNotifications");
    let results = list(&run["results"], "results: present when clean too");
    assert!(results.len() <= 25_000, "25,000 results a run");
    sarif_notifications(notifications, &told, told.counting.len() - results.len());
    let mut worst: BTreeMap<&str, u8> = BTreeMap::new();
    let mut places: Vec<Vec<u8>> = Vec::new();
    for result in results {
        assert!(result.get("suppressions").is_none(), "GitHub opens suppressed results");
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().expect("ruleIndex")).expect("small")];
        assert_eq!(rule["id"], result["ruleId"], "ruleIndex is the place of ruleId");
        let rank = rank(&result["level"]);
        let id = words(&rule["id"], "rule id");
        worst.entry(id).and_modify(|worst| *worst = rank.max(*worst)).or_insert(rank);
        places.push(sarif_result(result));
    }
    for rule in rules {
        let id = words(&rule["id"], "rule id");
        assert_eq!(worst.get(id), Some(&self::rank(&rule["defaultConfiguration"]["level"])), "{id} has its worst level");
    }
    if results.len() == told.counting.len() {
        let mut expected: Vec<Vec<u8>> = told.counting.iter().map(|finding| raw_path(finding)).collect();
        expected.sort();
        places.sort();
        assert!(places == expected, "every finding that counts stands at its path");
    }
}

fn rank(level: &Value) -> u8 {
    match level.as_str() {
        Some("error") => 3,
        Some("warning") => 2,
        Some("note") => 1,
        _ => panic!("{level} is no level"),
    }
}

fn sarif_rules(rules: &[Value]) {
    assert!(rules.len() <= 25_000, "25,000 rules a run");
    let ids: BTreeSet<&str> = rules.iter().map(|rule| words(&rule["id"], "rule id")).collect();
    assert_eq!(ids.len(), rules.len(), "one rule object an id");
    for rule in rules {
        at_most(&rule["name"], 255, "rule name");
        at_most(&rule["shortDescription"]["text"], 1_024, "shortDescription");
        at_most(&rule["fullDescription"]["text"], 1_024, "fullDescription");
        words(&rule["help"]["text"], "help");
        let tags = list(&rule["properties"]["tags"], "tags");
        assert!(tags.len() <= 20 && tags.contains(&Value::from("security")), "20 tags, security among them");
        let level = rule["defaultConfiguration"]["level"].as_str();
        let severity = rule["properties"].get("security-severity").map(|severity| severity.as_str().expect("a string"));
        match (level, severity) {
            (Some("error"), Some("8.0")) | (Some("warning"), Some("5.5")) | (Some("note"), Some("3.0") | None) => {}
            other => panic!("no such severity: {other:?}"),
        }
        assert!(["very-high", "high", "medium", "low"].contains(&words(&rule["properties"]["precision"], "precision")));
        words(&rule["properties"]["problem.severity"], "problem.severity");
    }
}

fn sarif_notifications(notifications: &[Value], told: &Told<'_>, left_out: usize) {
    let texts: Vec<&str> = notifications.iter().map(|n| words(&n["message"]["text"], "notification")).collect();
    for notification in notifications {
        rank(&notification["level"]);
        for location in notification["locations"].as_array().into_iter().flatten() {
            uri(&location["physicalLocation"]["artifactLocation"]["uri"]);
        }
    }
    assert_eq!(texts.first() == Some(&STAND_IN), told.stand_in, "the stand-in opens the report");
    if left_out > 0 {
        assert!(texts.iter().any(|text| text.starts_with(&format!("{left_out} more findings"))), "what is left out is said");
    }
    let named = notifications.iter().filter(|n| n["level"] == "error" && n.get("locations").is_some()).count();
    assert_eq!(named, told.lost.len(), "every file not scanned is named");
    assert_eq!(notifications.iter().any(|n| n["level"] == "error"), !told.whole, "that it is incomplete is said");
}

/// Gives back the path.
fn sarif_result(result: &Value) -> Vec<u8> {
    words(&result["message"]["text"], "message");
    let locations = list(&result["locations"], "locations");
    assert_eq!(locations.len(), 1, "GitHub shows the first");
    let place = &locations[0]["physicalLocation"];
    let region = &place["region"];
    let [line, column, end_line, end_column] =
        ["startLine", "startColumn", "endLine", "endColumn"].map(|key| number(&region[key], key));
    assert!((line, column) <= (end_line, end_column), "the end is not before the start");
    let fingerprints = &result["partialFingerprints"];
    words(&fingerprints["hssIac/v1"], "our fingerprint");
    if let Some(hash) = fingerprints.get("primaryLocationLineHash") {
        let (hash, nth) = words(hash, "line hash").split_once(':').expect("HASH:N");
        assert!(!hash.starts_with('0') && hash.bytes().all(|b| b.is_ascii_hexdigit()) && nth.parse::<u32>().is_ok());
    }
    uri(&place["artifactLocation"]["uri"])
}

/// GitLab Code Quality.
pub(crate) fn codequality(bytes: &[u8], result: &Value) {
    let told = Told::of(result);
    let report = json(bytes);
    without_nul(&report);
    let entries = list(&report, "the report");
    let mut fingerprints = BTreeSet::new();
    let mut ours: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in entries {
        keys(entry, &["description", "check_name", "fingerprint", "severity", "location"], &[]);
        keys(&entry["location"], &["path", "lines"], &[]);
        keys(&entry["location"]["lines"], &["begin"], &[]);
        let check = words(&entry["check_name"], "check_name");
        let description = words(&entry["description"], "description");
        assert!(description.starts_with(&format!("{check}: ")), "GitLab does not show check_name: {description}");
        let severity = words(&entry["severity"], "severity");
        assert!(["info", "minor", "major", "critical", "blocker"].contains(&severity), "{severity} is not known");
        let path = words(&entry["location"]["path"], "path");
        assert!(!path.starts_with("./") && !path.starts_with('/'), "relative to the root: {path}");
        number(&entry["location"]["lines"]["begin"], "begin");
        assert!(fingerprints.insert(words(&entry["fingerprint"], "fingerprint")), "entries with one fingerprint collapse");
        *ours.entry(if check.starts_with("hss-iac/") { check } else { severity }).or_default() += 1;
    }
    let first = entries.first().map(|entry| (&entry["check_name"], &entry["severity"]));
    let notice = (&Value::from("hss-iac/stand-in"), &Value::from("info"));
    assert_eq!(first == Some(notice), told.stand_in, "the stand-in opens the report");
    let levels = ["high", "medium", "low", "tips"].map(|level| told.counting.iter().filter(|f| f["level"] == level).count());
    let mut expected: BTreeMap<&str, usize> = ["critical", "major", "minor", "info"].into_iter().zip(levels).collect();
    expected.insert("hss-iac/stand-in", told.stand_in.into());
    expected.insert("hss-iac/not-scanned", told.lost.len());
    expected.insert("hss-iac/incomplete", (!told.whole && told.lost.is_empty()).into());
    expected.retain(|_, count| *count > 0);
    assert_eq!(ours, expected);
}

/// GitLab SAST.
pub(crate) fn sast(bytes: &[u8], result: &Value) {
    let told = Told::of(result);
    let report = json(bytes);
    without_nul(&report);
    keys(&report, &["version", "scan", "vulnerabilities"], &[]);
    assert_eq!(report["version"], "15.2.4");
    let scan = &report["scan"];
    keys(scan, &["analyzer", "scanner", "start_time", "end_time", "status", "type"], &["messages"]);
    for tool in [&scan["analyzer"], &scan["scanner"]] {
        keys(tool, &["id", "name", "version", "vendor"], &[]);
        keys(&tool["vendor"], &["name"], &[]);
        for text in [&tool["id"], &tool["name"], &tool["version"], &tool["vendor"]["name"]] {
            words(text, "the tool");
        }
        assert_eq!(tool["id"], if told.stand_in { "hss-iac-stand-in" } else { "hss-iac" });
    }
    for key in ["start_time", "end_time"] {
        let time = words(&scan[key], key);
        let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert_eq!(shape, "0000-00-00T00:00:00", "no zone");
    }
    assert_eq!(scan["type"], "sast");
    assert_eq!(scan["status"], if told.whole { "success" } else { "failure" });
    let messages: Vec<&Value> = scan["messages"].as_array().into_iter().flatten().collect();
    for message in &messages {
        keys(message, &["level", "value"], &[]);
        assert!(["info", "warn", "fatal"].contains(&words(&message["level"], "level")));
        words(&message["value"], "value");
    }
    assert_eq!(messages.first().is_some_and(|message| message["value"] == STAND_IN), told.stand_in);
    let warnings = messages.iter().filter(|message| message["level"] == "warn").count();
    assert_eq!(warnings, told.lost.len() + usize::from(told.stand_in) + usize::from(!told.whole), "each loss is a warning");
    let vulnerabilities = list(&report["vulnerabilities"], "vulnerabilities");
    assert_eq!(vulnerabilities.len(), told.counting.len(), "one a finding that counts");
    let mut ids = BTreeSet::new();
    let mut severities: BTreeMap<&str, usize> = BTreeMap::new();
    for vulnerability in vulnerabilities {
        sast_vulnerability(vulnerability);
        assert!(ids.insert(words(&vulnerability["id"], "id")), "ids are unique");
        *severities.entry(words(&vulnerability["severity"], "severity")).or_default() += 1;
    }
    let levels = ["high", "medium", "low", "tips"].map(|level| told.counting.iter().filter(|f| f["level"] == level).count());
    let mut expected: BTreeMap<&str, usize> = ["High", "Medium", "Low", "Info"].into_iter().zip(levels).collect();
    expected.retain(|_, count| *count > 0);
    assert_eq!(severities, expected);
}

fn sast_vulnerability(vulnerability: &Value) {
    let required = ["id", "name", "description", "severity", "identifiers", "location", "tracking"];
    keys(vulnerability, &required, &["solution"]);
    let id = uuid::Uuid::parse_str(words(&vulnerability["id"], "id")).expect("a UUID");
    assert_eq!(id.get_version_num(), 5, "it follows from the fingerprint");
    at_most(&vulnerability["name"], 255, "name");
    at_most(&vulnerability["description"], 1 << 20, "description");
    if let Some(solution) = vulnerability.get("solution") {
        at_most(solution, 7_000, "solution");
    }
    let identifiers = list(&vulnerability["identifiers"], "identifiers");
    assert!((1..=20).contains(&identifiers.len()));
    for identifier in identifiers {
        keys(identifier, &["type", "name", "value"], &[]);
        assert_eq!(identifier["type"], "hss_iac_rule");
        at_most(&identifier["name"], 255, "identifier name");
        at_most(&identifier["value"], 255, "identifier value");
    }
    let lines = |place: &Value| {
        assert!(!words(&place["file"], "file").starts_with("./"));
        let (start, end) = (number(&place["start_line"], "start_line"), number(&place["end_line"], "end_line"));
        assert!(start <= end);
    };
    keys(&vulnerability["location"], &["file", "start_line", "end_line"], &[]);
    lines(&vulnerability["location"]);
    let tracking = &vulnerability["tracking"];
    assert_eq!(tracking["type"], "source");
    for item in list(&tracking["items"], "items") {
        keys(item, &["file", "start_line", "end_line", "signatures"], &[]);
        lines(item);
        for signature in list(&item["signatures"], "signatures") {
            keys(signature, &["algorithm", "value"], &[]);
            assert_eq!(signature["algorithm"], "scope_offset");
            words(&signature["value"], "signature");
        }
    }
}

/// An XML element.
#[derive(Debug, Default)]
pub(crate) struct Node {
    pub(crate) tag: String,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) children: Vec<Node>,
    pub(crate) text: String,
}

impl Node {
    fn of(start: &BytesStart<'_>) -> Self {
        let attribute = |attribute: Result<quick_xml::events::attributes::Attribute<'_>, _>| {
            let attribute = attribute.expect("an attribute");
            let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).expect("a value");
            (attribute.key.as_ref().to_owned(), value.into_owned())
        };
        Self {
            tag: start.name().as_ref().to_owned(),
            attributes: start.attributes().map(attribute).collect(),
            ..Self::default()
        }
    }

    pub(crate) fn at(&self, attribute: &str) -> &str {
        self.attributes.get(attribute).map_or_else(|| panic!("{} has no {attribute}", self.tag), String::as_str)
    }
}

/// Reads an XML document to its root.
pub(crate) fn xml(text: &str) -> Node {
    let mut reader = quick_xml::Reader::from_str(text);
    let mut open = vec![Node::default()];
    loop {
        match reader.read_event().expect("XML") {
            Event::Start(start) => open.push(Node::of(&start)),
            Event::Empty(start) => open.last_mut().expect("a parent").children.push(Node::of(&start)),
            Event::End(_) => {
                let node = open.pop().expect("a node");
                open.last_mut().expect("a parent").children.push(node);
            }
            Event::Text(text) => open.last_mut().expect("a parent").text.push_str(&text.xml10_content()),
            Event::GeneralRef(entity) => {
                let text = match entity.resolve_char_ref().expect("a reference") {
                    Some(c) => c.to_string(),
                    None => {
                        quick_xml::escape::resolve_predefined_entity(entity.as_ref()).expect("a known entity").to_owned()
                    }
                };
                open.last_mut().expect("a parent").text.push_str(&text);
            }
            Event::Decl(_) => {}
            Event::Eof => break,
            other => panic!("nothing but elements and text: {other:?}"),
        }
    }
    assert_eq!(open.len(), 1, "every element is closed");
    let mut roots = open.remove(0).children;
    assert_eq!(roots.len(), 1, "one root");
    roots.remove(0)
}

/// `JUnit` XML as GitLab and others read it.
pub(crate) fn junit(bytes: &[u8], result: &Value) {
    let told = Told::of(result);
    assert!(bytes.len() < 30_000_000, "30 MB a file");
    let text = std::str::from_utf8(bytes).expect("UTF-8");
    let forbidden = |c: char| (c < ' ' && !"\t\n".contains(c)) || c == '\u{fffe}' || c == '\u{ffff}';
    assert!(!text.contains(forbidden), "no control characters");
    let root = xml(text);
    assert_eq!((root.tag.as_str(), root.children.len()), ("testsuites", 1));
    let suite = &root.children[0];
    assert_eq!(suite.at("name"), if told.stand_in { "hss-iac-stand-in" } else { "hss-iac" });
    let cases: Vec<&Node> = suite.children.iter().filter(|node| node.tag == "testcase").collect();
    let names: BTreeSet<&str> = cases.iter().map(|case| case.at("name")).collect();
    assert_eq!(names.len(), cases.len(), "GitLab drops all but the first of one name");
    let of = |tag: &str| cases.iter().filter(|case| case.children.iter().any(|node| node.tag == tag)).count();
    for (attribute, count) in
        [("tests", cases.len()), ("failures", of("failure")), ("errors", of("error")), ("skipped", of("skipped"))]
    {
        assert_eq!(
            (root.at(attribute), suite.at(attribute)),
            (count.to_string().as_str(), count.to_string().as_str()),
            "{attribute}"
        );
    }
    for case in &cases {
        assert!(!case.at("name").trim().is_empty() && !case.at("classname").trim().is_empty() && case.at("time") == "0");
        if let Some(line) = case.attributes.get("line") {
            assert!(line.parse::<u32>().is_ok_and(|line| line > 0), "lines start at 1");
        }
        for outcome in &case.children {
            assert!(["failure", "error", "skipped"].contains(&outcome.tag.as_str()));
            assert!(!outcome.at("message").trim().is_empty() && !outcome.at("type").is_empty());
        }
    }
    assert_eq!(cases.first().is_some_and(|case| case.at("name") == "stand-in"), told.stand_in);
    let cut = cases.last().filter(|case| case.at("name").ends_with("more test cases are left out"));
    let more =
        cut.map_or(0, |case| case.at("name").split(' ').next().and_then(|n| n.parse::<usize>().ok()).expect("a number"));
    let expected_errors = told.lost.len() + usize::from(!told.whole) + usize::from(cut.is_some());
    assert_eq!(of("error"), expected_errors, "each file not scanned is an error");
    if more == 0 {
        assert_eq!(of("failure"), told.counting.len(), "each finding that counts is a failure");
        assert_eq!(of("skipped"), told.suppressed.len() + usize::from(told.stand_in), "each suppressed one is skipped");
        assert_eq!(cases.iter().filter(|case| case.children.is_empty()).count(), told.clean, "each clean file passes");
    }
    let told = told.counting.len()
        + told.suppressed.len()
        + told.lost.len()
        + told.clean
        + usize::from(told.stand_in)
        + usize::from(!told.whole);
    assert_eq!(cases.len() + more - usize::from(cut.is_some()), told, "none is lost without a word");
}

/// HTML: every element is closed by its own end, and no attribute runs a script. Gives how many elements of a name there are.
pub(crate) fn html(page: &str, counted: &str) -> usize {
    let (mut open, mut count) = (Vec::new(), 0);
    for Ok(token) in html5gum::Tokenizer::new(page) {
        match token {
            html5gum::Token::StartTag(tag) => {
                let name = String::from_utf8_lossy(&tag.name).into_owned();
                assert!(tag.attributes.keys().all(|attribute| !attribute.starts_with(b"on")), "{tag:?}");
                count += usize::from(name == counted);
                if !["meta", "input", "wbr"].contains(&name.as_str()) {
                    open.push(name);
                }
            }
            html5gum::Token::EndTag(tag) => {
                assert_eq!(open.pop(), Some(String::from_utf8_lossy(&tag.name).into_owned()));
            }
            html5gum::Token::Error(error) => panic!("{error:?}"),
            _ => {}
        }
    }
    assert!(open.is_empty(), "{open:?}");
    count
}
