//! Files that are made to cost time or memory. What the stand-in makes of a bomb is its own; the scan must come to an end with an account.

use crate::{outcome, trees};

#[test]
fn gitignore_of_many_rules() {
    assert_eq!(
        outcome::of(trees::gitignore_of_many_rules),
        [
            "exit 7: 1 directory could not be listed; 0 sent",
            "note: the root can't be searched: its .gitignore is too much to honour; --no-ignore searches it all the same"
        ]
    );
}

#[test]
fn gitignore_of_one_long_rule() {
    assert_eq!(
        outcome::of(trees::gitignore_of_one_long_rule),
        [
            "exit 7: 1 directory could not be listed; 0 sent",
            "note: the root can't be searched: its .gitignore is too much to honour; --no-ignore searches it all the same"
        ]
    );
}

#[test]
fn gitignore_of_many_stars() {
    assert_eq!(
        outcome::of(trees::gitignore_of_many_stars),
        [
            "exit 7: 1 directory could not be listed; 0 sent",
            "note: the root can't be searched: its .gitignore is too much to honour; --no-ignore searches it all the same"
        ]
    );
}

#[test]
fn gitignore_without_end() {
    assert_eq!(
        outcome::of(trees::gitignore_without_end),
        [
            "exit 7: 1 directory could not be listed; 0 sent",
            "note: the root can't be searched: its .gitignore is too much to honour; --no-ignore searches it all the same"
        ]
    );
}

#[test]
fn gitignore_in_each_directory() {
    assert_eq!(
        outcome::of(trees::gitignore_in_each_directory),
        ["exit 7: 1 directory could not be listed; 0 sent", "note: d0/d1/d2..187..ur; --no-ignore searches it all the same"]
    );
}

#[test]
fn configuration_without_end() {
    assert_eq!(
        outcome::of(trees::configuration_without_end),
        ["exit 2: error: the configuration hss-iac.toml can't be read: it has more than 1000000 bytes"]
    );
}

#[test]
fn configuration_of_nested_lists() {
    assert_eq!(
        outcome::of(trees::configuration_of_nested_lists),
        ["exit 2: error: hss-iac.toml:1:91: cannot recurse further; max recursion depth met"]
    );
}

#[test]
fn configuration_of_many_patterns() {
    assert_eq!(
        outcome::of(trees::configuration_of_many_patterns),
        [
            "exit 2: error: hss-iac.toml:1:1: include, exclude and map hold more than 1000 patterns; name directories in place of files"
        ]
    );
}

#[test]
fn configuration_of_many_stars() {
    assert_eq!(
        outcome::of(trees::configuration_of_many_stars),
        [
            "exit 0: no findings; 1 sent",
            "aaaaaaaa..261..aaaaaaaaaaaaaaaaaaaaaaaaaaaaa/b/pod.yaml scanned",
            "b/b/b/b/..248..b/b/b/b/b/b/b/b/b/b/b/b/b/b/b/b/pod.yaml scanned"
        ]
    );
}

#[test]
fn configuration_of_many_suppressions() {
    assert_eq!(
        outcome::of(trees::configuration_of_many_suppressions),
        [
            "exit 1: 1 finding (1 high) reaches the gate (high); 2 sent",
            "51 files scanned",
            "note: hss-iac.toml:1: the suppression of R0 meets no finding",
            "note: hss-iac.toml:5: the suppression of R1 meets no finding",
            "16223 more notes"
        ]
    );
}

#[test]
fn yaml_laughs() {
    assert_eq!(
        outcome::of(trees::yaml_laughs),
        ["exit 7: 1 of 1 file not scanned; 1 sent", "pod.yaml scan_failed: document too large"]
    );
}

#[test]
fn yaml_flow_mapping() {
    assert_eq!(
        outcome::of(trees::yaml_flow_mapping),
        ["exit 7: 1 of 1 file not scanned; 1 sent", "pod.yaml scan_failed: document too large"]
    );
}

#[test]
fn yaml_flow_sequence() {
    assert_eq!(
        outcome::of(trees::yaml_flow_sequence),
        ["exit 7: 1 of 1 file not scanned; 1 sent", "pod.yaml scan_failed: document too large"]
    );
}

#[test]
fn yaml_nested_brackets() {
    assert_eq!(
        outcome::of(trees::yaml_nested_brackets),
        [
            "exit 7: 3 of 3 files not scanned; 3 sent",
            "closed.yaml scan_failed: line 4: recursion limit exceeded",
            "mappings.yaml scan_failed: line 4: nested too deep",
            "pod.yaml scan_failed: line 4: recursion limit exceeded"
        ]
    );
}

#[test]
fn yaml_nested_dashes() {
    assert_eq!(
        outcome::of(trees::yaml_nested_dashes),
        [
            "exit 7: 2 of 2 files not scanned; 2 sent",
            "keys.yaml scan_failed: line 5: nested too deep",
            "pod.yaml scan_failed: line 5: nested too deep"
        ]
    );
}

#[test]
fn yaml_on_one_line() {
    assert_eq!(
        outcome::of(trees::yaml_on_one_line),
        [
            "exit 0: no finding reaches the gate (high); 3 sent",
            "comment.yaml scanned",
            "json.yaml scanned",
            "pod.yaml scanned"
        ]
    );
}

#[test]
fn yaml_aliases_to_themselves() {
    assert_eq!(
        outcome::of(trees::yaml_aliases_to_themselves),
        [
            "exit 7: 3 of 3 files not scanned; 3 sent",
            "list.yaml scan_failed: line 4: an alias of what encloses it",
            "merged.yaml scan_failed: line 5: an alias of what encloses it",
            "pod.yaml scan_failed: line 5: an alias of what encloses it"
        ]
    );
}

#[test]
fn yaml_merges() {
    assert_eq!(
        outcome::of(trees::yaml_merges),
        ["exit 7: 1 of 1 file not scanned; 1 sent", "pod.yaml scan_failed: document too large"]
    );
}

#[test]
fn yaml_anchors() {
    assert_eq!(outcome::of(trees::yaml_anchors), ["exit 0: no finding reaches the gate (high); 1 sent", "pod.yaml scanned"]);
}

#[test]
fn yaml_documents() {
    assert_eq!(
        outcome::of(trees::yaml_documents),
        ["exit 7: 1 of 2 files not scanned; 2 sent", "empty.yaml scan_failed: document too large", "pod.yaml scanned"]
    );
}

#[test]
fn yaml_secrets() {
    assert_eq!(
        outcome::of(trees::yaml_secrets),
        [
            "exit 7: 3 of 4 files not scanned; 3 sent",
            "alias.yaml scan_failed: line 5: an alias of what encloses it",
            "flow.yaml scan_failed: document too large",
            "nested.yaml not_scanned: what may be a Secret in it is no YAML that can be read, or is base64 with escapes in it, so its values can't be masked: mend it, leave the file out with --exclude, or send it as it is with --mask-secrets off",
            "secret.yaml scanned"
        ]
    );
}

#[test]
fn dockerfile_of_continuations() {
    assert_eq!(
        outcome::of(trees::dockerfile_of_continuations),
        [
            "exit 0: no finding reaches the gate (high); 3 sent",
            "Dockerfile scanned",
            "b/Dockerfile scanned",
            "c/Dockerfile scanned"
        ]
    );
}

#[test]
fn dockerfile_that_goes_on_over_comments() {
    assert_eq!(
        outcome::of(trees::dockerfile_that_goes_on_over_comments),
        ["exit 0: no finding reaches the gate (high); 1 sent", "Dockerfile scanned"]
    );
}

#[test]
fn dockerfile_on_one_line() {
    assert_eq!(
        outcome::of(trees::dockerfile_on_one_line),
        [
            "exit 0: no finding reaches the gate (high); 3 sent",
            "Dockerfile scanned",
            "b/Dockerfile scanned",
            "c/Dockerfile scanned"
        ]
    );
}

#[test]
fn dockerfile_of_heredocs() {
    assert_eq!(
        outcome::of(trees::dockerfile_of_heredocs),
        [
            "exit 7: 2 of 3 files not scanned; 3 sent",
            "Dockerfile scan_failed: line 2: the heredoc E0 has no end",
            "b/Dockerfile scanned",
            "c/Dockerfile scan_failed: line 2: the heredoc E has no end"
        ]
    );
}

#[test]
fn files_without_end() {
    assert_eq!(
        outcome::of(trees::files_without_end),
        [
            "exit 7: 3 of 4 files not scanned; 1 sent",
            "Dockerfile not_scanned: too large to be looked at whole, and it may hold an object; --exclude says that it is none of ours",
            "Dockerfile.a not_scanned: too large to be looked at whole, and it may hold an object; --exclude says that it is none of ours",
            "pod.yaml not_scanned: too large to be looked at whole, and it may hold an object; --exclude says that it is none of ours",
            "real.yaml scanned"
        ]
    );
}
