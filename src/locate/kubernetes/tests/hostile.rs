//! Documents that are broken, or made to cost.

use super::*;

#[test]
fn a_broken_document_is_read_by_its_lines_and_costs_no_other() {
    let text = "\
kind: A
metadata: {name: a}
---
kind: B # broken
metadata:
  name: b
spec:
{{- if .x }}
  containers:
  - name: \"c\"
    image: 'i' # c
    args:
    - |
      key: value
    - plain
  - {name: flow}
  script: |
    name: no
  tab:\t1
{{- end }}
---
kind: C
metadata: {name: c}
spec: {x: 1}
...
kind: D
  metadata: {name: d}
spec: 1
";
    check(text, "A//a", &[("metadata.name", "2:12 exact name: a")]);
    check(
        text,
        "B//b",
        &[
            ("spec.containers[0].image", "11:5 exact image: 'i'"),
            ("spec.containers[c].args[0]", "13:7 exact |"),
            ("spec.containers[0].args[1]", "15:7 exact plain"),
            ("spec.containers[1]", "16:5 exact {name: flow}"),
            ("spec.tab", "19:3 exact tab:\t1"),
            ("spec.script", "17:3 exact script: |"),
            ("spec.script.name", "17:3 parent script"),
            ("spec.none", "7:1 parent spec"),
            ("none", "6:9 resource b"),
        ],
    );
    check(text, "C//c", &[("spec.x", "24:8 exact x: 1")]);
    check(text, "D//", &[("spec", "28:1 exact spec: 1")]);
}

#[test]
fn a_bomb_costs_its_bytes() {
    let mut bomb = String::from("kind: A\na0: &a0 {x: [y]}\n");
    for n in 1..300 {
        let previous = vec![format!("*a{}", n - 1); 9].join(", ");
        bomb = format!("{bomb}a{n}: &a{n} {{<<: [{previous}], l: [{previous}]}}\n");
    }
    assert_eq!(at(&bomb, "A//", "a299.missing"), "301:1 parent a299");
    assert_eq!(at(&bomb, "A//", "a200.x[0]"), "2:14 exact y");
    // What is merged through more than 256 mappings is not looked for.
    assert_eq!(at(&bomb, "A//", "a299.x[0]"), "301:1 parent a299");
    assert_eq!(at(&bomb, "A//", &format!("a299{}", ".l[*]".repeat(60))), "242:83 parent l");
    for deep in ["- ".repeat(100_000), "[".repeat(100_000), "a:\n ".repeat(1000), "? ".repeat(100_000)] {
        assert!(at(&deep, "A//", &"[0]".repeat(1000)).starts_with("1:"));
    }
}

#[test]
fn a_path_that_fits_too_many_places_leads_to_none() {
    let containers = |n| (0..n).map(|n| format!("    - {{name: c{n}, port{n}: {n}}}\n")).collect::<Vec<_>>().concat();
    let pod = |n| format!("kind: Pod\nmetadata: {{name: web}}\nspec:\n  containers:\n{}", containers(n));
    assert_eq!(at(&pod(1), "Pod//web", "port0"), "5:18 exact port0: 0");
    for n in [2, 31, 40] {
        assert_eq!(at(&pod(n), "Pod//web", "name"), "2:18 resource web", "{n}");
    }
    let all = "spec.containers[*].name";
    for n in [40, 3_000, 6_000] {
        assert_eq!(at(&pod(n), "Pod//web", all), "4:3 parent containers", "{n}");
    }
    // But a key that there is once is found, however long the file.
    assert_eq!(at(&pod(3_000), "Pod//web", "..port2999"), "3004:21 exact port2999: 2999");
    let two = "kind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - {name: a, resources: {}}\n  - {name: b, resources: {}}\n";
    assert_eq!(at(two, "Pod//web", "resources.limits"), "2:18 resource web");
    // All that stands below, and what would hold a key that is missing.
    assert_eq!(at(&pod(1), "Pod//web", "spec.containers.**"), "4:3 parent containers");
    assert_eq!(at(&pod(1), "Pod//web", "containers[0].image"), "5:8 parent name: c0");
    assert_eq!(at(&pod(2), "Pod//web", "spec..[?(@.name=='c1')].port1"), "6:18 exact port1: 1");
}

/// As after so many clues that four million nodes were looked at.
#[test]
fn once_a_file_has_cost_too_much_a_path_is_followed_no_further() {
    let text = "kind: A\nmetadata: {name: a}\nspec:\n  l:\n  - {x: 1}\n";
    let tree = yaml::read(text);
    let objects = objects::find(&tree);
    for (left, expected) in [(usize::MAX, "5:6 exact x: 1"), (1, "2:18 resource a"), (0, "2:18 resource a")] {
        let lookup = Lookup::new(&tree);
        lookup.spend(lookup::MAX_NODES.saturating_sub(left));
        let file = File { lookup, lines: Lines::new(text), objects: &objects };
        let places: Vec<_> = file.places(None, Some("spec.l[0].x")).iter().map(|place| shown(text, place)).collect();
        assert_eq!(places, [expected], "{left}");
    }
}

#[test]
fn thousands_of_clues_are_cheap() {
    let document = |n| format!("kind: A\nmetadata: {{name: n{n}}}\nspec: {{x: {n}}}\n---\n");
    let text = (0..3000).map(document).collect::<Vec<_>>().concat();
    let resources: Vec<_> =
        (0..3000).map(|n| Resource { kind: Some("A".to_owned()), namespace: None, name: Some(format!("n{n}")) }).collect();
    let clues: Vec<_> = resources
        .iter()
        .map(|resource| Clue { instruction: None, resource: Some(resource), hit_path: Some("spec.x"), hit_rule: None })
        .collect();
    let lines: Vec<u32> = locate(&text, &clues).iter().map(|place| place.line).collect();
    assert_eq!(lines, (0..3000).map(|n| 4 * n + 3).collect::<Vec<_>>());
}
