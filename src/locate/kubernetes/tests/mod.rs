mod generated;
mod hostile;

use super::*;
use crate::model::{Precision, Resource};

/// The place of a path in the object `kind/namespace/name`, as `line:column precision text`.
fn at(text: &str, object: &str, path: &str) -> String {
    let words: Vec<_> = object.split('/').map(|word| (!word.is_empty()).then(|| word.to_owned())).collect();
    let resource = match &words[..] {
        [kind, namespace, name] => Some(Resource { kind: kind.clone(), namespace: namespace.clone(), name: name.clone() }),
        _ => None,
    };
    let hit_path = (!path.is_empty()).then_some(path);
    let clue = Clue { instruction: None, resource: resource.as_ref(), hit_path, hit_rule: None };
    shown(text, &locate(text, &[clue])[0])
}

/// A location with the text under it.
fn shown(text: &str, place: &Location) -> String {
    assert_eq!(place.line, place.end_line);
    let line = text.split('\n').nth(place.line as usize - 1).unwrap_or_default();
    let under: String =
        line.chars().skip(place.column as usize - 1).take((place.end_column - place.column) as usize).collect();
    let precision = match place.precision {
        Precision::Exact => "exact",
        Precision::Parent => "parent",
        Precision::Resource => "resource",
        Precision::File => "file",
    };
    format!("{}:{} {precision} {under}", place.line, place.column)
}

fn check(text: &str, object: &str, table: &[(&str, &str)]) {
    for text in [text.to_owned(), text.replace('\n', "\r\n"), text.trim_end().to_owned()] {
        for (path, expected) in table {
            assert_eq!(at(&text, object, path), *expected, "{path} in\n{text}");
        }
    }
}

const DEPLOYMENT: &str = r#"# The web.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations:
    a.b/c: "1"
    plain: two # a comment
  labels: {app.kubernetes.io/name: web, "x": y}
spec:
  replicas: 1
  template:
    metadata:
      namespace: inner
    spec:
      hostNetwork: true
      securityContext:
        runAsNonRoot: false
      containers:
      - name: web
        image: nginx:1.25
        args: ["-a", '-b']
        command:
        - sh
        - |
          echo one
          echo two

        env:
        - name: KEY
          value: >-
            folded
        ports:
        - containerPort: 80
      - name: side
        image: busybox
"#;

#[test]
fn every_spelling_leads_to_the_same_place() {
    let image = "21:9 exact image: nginx:1.25";
    let container = "20:9 exact name: web";
    check(
        DEPLOYMENT,
        "Deployment//web",
        &[
            ("spec.template.spec.containers[0].image", image),
            ("$.spec.template.spec.containers[0].image", image),
            ("$['spec']['template'][\"spec\"].containers[0]['image']", image),
            (".spec.template.spec.containers[0].image", image),
            ("{.spec.template.spec.containers[0].image}", image),
            ("spec.template.spec.containers.0.image", image),
            ("spec.template.spec.containers.[0].image", image),
            ("spec.template.spec.containers[-2].image", image),
            ("spec.template.spec.containers[web].image", image),
            ("spec.template.spec.containers[\"web\"].image", image),
            ("spec.template.spec.containers.web.image", image),
            ("spec.template.spec.containers[name=web].image", image),
            ("spec.template.spec.containers[?(@.name==\"web\")].image", image),
            ("spec.template.spec.containers[?(@.name == 'web')].image", image),
            ("spec.template.spec.containers[?@.name=='web'].image", image),
            ("spec/template/spec/containers/0/image", image),
            ("spec/template/spec/containers[0]/image", image),
            ("/spec/template/spec/containers/0/image", image),
            ("#/spec/template/spec/containers/0/image", image),
            ("spec.template.spec.containers[0].image=nginx:1.25", image),
            ("spec.template.spec.containers[0].image: nginx:1.25", image),
            ("spec.template.spec.containers[0].image == \"nginx:1.25\"", image),
            ("spec.nothing, spec.template.spec.containers[0].image", image),
            ("spec.nothing;spec.template.spec.containers[0].image\nspec.replicas", image),
            ("Spec.Template.Spec.Containers[0].Image", "21:9 parent image: nginx:1.25"),
            ("spec.template.spec.containers[0]", container),
            ("containers[0].image", image),
            ("spec.containers[0].image", image),
            ("template.spec.containers[0].image", image),
            ("..containers[0].image", image),
            ("spec.template.spec.host_network", "16:7 parent hostNetwork: true"),
            ("spec.template.spec.securityContext.run-as-non-root", "18:9 parent runAsNonRoot: false"),
            ("spec.template.spec.containers.args", "22:9 parent args"),
            ("Metadata.Labels.App.Kubernetes.IO/Name", "9:12 parent app.kubernetes.io/name: web"),
            ("spec.template.*.hostNetwork", "16:7 exact hostNetwork: true"),
        ],
    );
}

#[test]
fn other_keys_and_other_objects_are_never_exact() {
    let text = "kind: Pod\nmetadata: {name: web, namespace: a}\nspec:\n  Host_Network: 1\n  hostPID: 1\n";
    check(
        text,
        "Pod/a/web",
        &[("spec.Host_Network", "4:3 exact Host_Network: 1"), ("spec.hostNetwork", "4:3 parent Host_Network: 1")],
    );
    let pid = [("spec.hostPID", "5:3 exact hostPID: 1")];
    let other = [("spec.hostPID", "5:3 parent hostPID: 1"), ("spec.no", "3:1 parent spec"), ("", "2:18 resource web")];
    for object in ["Pod/a/web", "pods//web", "Pod//", "web/a/Pod", "//web"] {
        check(text, object, &pid);
    }
    for object in ["Pod/b/web", "Service/a/web", "Pod/a/api"] {
        check(text, object, &other);
    }
    let both = format!("{text}---\nkind: Pod\nmetadata: {{name: web, namespace: a}}\nspec: {{hostNetwork: 1}}\n");
    assert_eq!(at(&both, "Pod/a/web", "spec.hostNetwork"), "9:8 exact hostNetwork: 1");
}

#[test]
fn a_value_that_is_missing_in_a_line_of_items_shows_its_key() {
    check("kind: Pod\nspec:\n- {a, b}\n- - \n", "Pod//", &[("spec[0].b", "3:7 exact b"), ("spec[1][0]", "4:3 exact -")]);
}

#[test]
fn the_first_line_of_a_file_is_found_at_any_line_end() {
    for text in ["# c\n\n- a\n- b\n", "# c\r\r- a\r- b\r", "# c\r\n\r\n- a\r\n- b"] {
        let place = locate(text, &[Clue::default()])[0];
        assert_eq!((place.line, place.column, place.end_column, place.precision), (3, 1, 4, Precision::File), "{text:?}");
    }
}

#[test]
fn keys_that_hold_separators() {
    let annotation = "7:5 exact a.b/c: \"1\"";
    let label = "9:12 exact app.kubernetes.io/name: web";
    check(
        DEPLOYMENT,
        "Deployment//web",
        &[
            ("metadata.annotations[\"a.b/c\"]", annotation),
            ("metadata.annotations['a.b/c']", annotation),
            ("metadata.annotations.\"a.b/c\"", annotation),
            ("metadata.annotations.a.b/c", annotation),
            ("metadata.annotations.a\\.b/c", annotation),
            ("/metadata/annotations/a.b~1c", annotation),
            ("metadata/annotations/a.b/c", annotation),
            ("metadata.annotations[a.b/c]", annotation),
            ("metadata.labels.app\\.kubernetes\\.io/name", label),
            ("metadata.labels.app.kubernetes.io/name", label),
            ("metadata.labels[\"app.kubernetes.io\\/name\"]", label),
            ("metadata.labels.x", "9:41 exact \"x\": y"),
        ],
    );
    let dots = "kind: Secret\ndata:\n  .dockerconfigjson: e30=\n$patch: delete\n";
    let secret = "3:3 exact .dockerconfigjson: e30=";
    for path in
        ["data..dockerconfigjson", "data.\\.dockerconfigjson", "data['.dockerconfigjson']", "/data/.dockerconfigjson"]
    {
        check(dots, "Secret//", &[(path, secret), ("$patch", "4:1 exact $patch: delete")]);
    }
    let zoo = "kind: ConfigMap\nmetadata: {name: zoo}\ndata:\n  server.0: zoo-0\n";
    check(zoo, "ConfigMap//zoo", &[("data.server.0", "4:3 exact server.0: zoo-0"), ("data.server[0]", "3:1 parent data")]);
    let both = "kind: A\na.b:\n  c: 1\na:\n  b:\n    d: 2\n";
    check(both, "A//", &[("a.b.c", "3:3 exact c: 1"), ("a.b.d", "6:5 exact d: 2"), ("a.b", "2:1 exact a.b")]);
}

#[test]
fn a_span_is_one_line_and_no_more_than_needed() {
    check(
        DEPLOYMENT,
        "Deployment//web",
        &[
            ("metadata.annotations.plain", "8:5 exact plain: two"),
            ("spec.template.spec.containers[0].command", "23:9 exact command"),
            ("spec.template.spec.containers[0].command[0]", "24:11 exact sh"),
            ("spec.template.spec.containers[0].command[1]", "25:11 exact |"),
            ("spec.template.spec.containers[0].env[0].value", "31:11 exact value"),
            ("spec.template.spec.containers[0].args[1]", "22:22 exact '-b'"),
            ("metadata.labels", "9:3 exact labels"),
        ],
    );
}

#[test]
fn what_is_missing_stands_at_what_would_hold_it() {
    check(
        DEPLOYMENT,
        "Deployment//web",
        &[
            ("spec.template.spec.containers[0].securityContext.privileged", "20:9 parent name: web"),
            ("spec.template.spec.securityContext.seccompProfile", "17:7 parent securityContext"),
            ("spec.template.spec.containers[7].image", "19:7 parent containers"),
            ("containers[1].resources.limits", "35:9 parent name: side"),
            ("metadata.namespace", "4:1 parent metadata"),
            // Of paths that come equally far the first one is meant.
            ("spec.paused, metadata.namespace", "10:1 parent spec"),
            ("metadata.namespace, spec.paused", "4:1 parent metadata"),
            ("spec.template.spec.containers[*].image", "19:7 parent containers"),
            ("spec.template.spec.containers[*].args", "22:9 exact args"),
            ("spec.template.spec.containers[?(@.name!='web')].image", "19:7 parent containers"),
            ("..image", "19:7 parent containers"),
            ("..name", "5:9 resource web"),
            ("status.phase", "5:9 resource web"),
            ("*", "5:9 resource web"),
            ("", "5:9 resource web"),
        ],
    );
}

#[test]
fn what_fits_places_all_over_an_item_of_a_list_or_beyond_it_stands_at_its_name() {
    let list = "\
kind: List
limits: &limits {cpu: 1}
items:
- kind: A
  metadata: {name: a}
  spec:
    one: *limits
    two: {cpu: 2}
";
    check(
        list,
        "A//a",
        &[
            ("*", "5:20 resource a"),
            ("spec.*.cpu", "5:20 resource a"),
            ("spec.one.cpu", "2:18 exact cpu: 1"),
            ("spec.two.cpu", "8:11 exact cpu: 2"),
        ],
    );
}

#[test]
fn without_a_name_the_kind_stands_for_an_object_and_without_a_kind_its_start() {
    assert_eq!(at("a: 1\nkind: Pod\nspec: {}\n", "Pod//x", "no"), "2:1 resource kind: Pod");
    assert_eq!(at("# c\n\nspec: [a]\n", "", "no"), "3:1 resource spec");
    assert_eq!(at("kind: Pod\nmetadata:\n  name:\n", "Pod//x", ""), "1:1 resource kind: Pod");
}

#[test]
fn aliases_merges_and_anchors() {
    let text = "\
base: &base {image: a, pull: Never}
more: &more
  image: b
  port: 1
kind: Pod
spec:
  one: *base
  two:
    <<: *base
    image: own
  three:
    <<: [*base, *more]
  four: &v !!str text
  five: *v
  six: &list
  - *more
  seven: *list
  ? eight
  : 8
  ? [complex]
  : 9
  one_more: &self {<<: *self, x: *self}
  twice: 1
  twice: 2
";
    check(
        text,
        "Pod//",
        &[
            ("spec.one", "7:3 exact one: *base"),
            ("spec.one.image", "1:14 exact image: a"),
            ("spec.two.image", "10:5 exact image: own"),
            ("spec.two.pull", "1:24 exact pull: Never"),
            ("spec.three.image", "1:14 exact image: a"),
            ("spec.three.port", "4:3 exact port: 1"),
            ("spec.four", "13:3 exact four: &v !!str text"),
            ("spec.five", "14:3 exact five: *v"),
            ("spec.six[0]", "16:5 exact *more"),
            ("spec.seven[0].port", "4:3 exact port: 1"),
            ("spec.eight", "18:5 exact eight"),
            ("spec.one_more.x.x.x", "22:31 exact x: *self"),
            ("spec.one_more.x.y", "22:31 parent x"),
            ("spec.twice", "24:3 exact twice: 2"),
        ],
    );
}

#[test]
fn unusual_yaml() {
    let text = "%YAML 1.2\n---\n...\n---\n# only a comment\n---\n\"kind\" : 'Pod'\nnull:\nspec:\n- \n- - x\n  - y\n-\n  a: &q\n\
                - {k: [é, \"ü\"]}\n- {}\nt:\n  multi\n  line\nlast: |+\n  text\n\n\n";
    check(
        text,
        "Pod//",
        &[
            ("kind", "7:1 exact \"kind\" : 'Pod'"),
            ("'null'", "8:1 exact null"),
            ("spec[0]", "10:1 exact -"),
            ("spec[1]", "11:5 exact x"),
            ("spec[1][1]", "12:5 exact y"),
            ("spec[2]", "14:3 exact a: &q"),
            ("spec[3].k[1]", "15:11 exact \"ü\""),
            ("spec[3]", "15:4 exact k"),
            ("spec[4]", "16:3 exact {}"),
            ("t", "17:1 exact t"),
            ("last", "20:1 exact last"),
        ],
    );
    let json = "{\n\t\"kind\": \"Pod\",\n\t\"spec\": {\n\t\t\"a\": [1, {\"b\": true}]\n\t}\n}\n";
    check(json, "pod//", &[("spec.a[1].b", "4:13 exact \"b\": true"), ("spec.a[0]", "4:9 exact 1")]);
}

#[test]
fn equal_clues_take_one_object_each() {
    let text = "kind: A\nmetadata: {name: x}\nspec: 1\n---\nkind: A\nmetadata: {name: x}\n---\nkind: A\nmetadata: {name: x}\nspec: 2\n";
    let resource = Resource { kind: Some("A".to_owned()), namespace: None, name: Some("x".to_owned()) };
    let clue = Clue { instruction: None, resource: Some(&resource), hit_path: Some("spec"), hit_rule: None };
    let other = Clue { hit_rule: Some("other"), ..clue };
    let shown: Vec<_> = locate(text, &[clue, other, clue, clue]).iter().map(|place| shown(text, place)).collect();
    assert_eq!(shown, ["3:1 exact spec: 1", "3:1 parent spec: 1", "10:1 exact spec: 2", "3:1 exact spec: 1"]);
}

#[test]
fn a_place_that_may_be_another_is_not_exact() {
    let two = "kind: A\nmetadata: {name: x}\nspec: 1\n---\nkind: A\nmetadata: {name: y}\nspec: 2\n";
    check(two, "A//", &[("spec", "3:1 parent spec: 1")]);
    check(two, "A//y", &[("spec", "7:1 exact spec: 2")]);
    check(two, "A//y-1a2b", &[("spec", "7:1 parent spec: 2")]);
    let made = "kind: Pod\nmetadata: {generateName: x-}\nspec: 1\n";
    check(made, "Pod//x-1a2b", &[("spec", "3:1 exact spec: 1")]);
}

#[test]
fn what_is_shown_of_a_place_without_a_value_or_an_object() {
    assert_eq!(at("kind: A\nspec:\n  empty:\n  next: 1\n", "A//", "spec.empty"), "3:3 exact empty");
    let template = "kind: A\nspec:\n{{- if .x }}\n  empty:\n  next: 1\n{{- end }}\n";
    assert_eq!(at(template, "A//", "spec.empty"), "4:3 exact empty");
    assert_eq!(at("# c\n\n   some text  \n", "A//a", "b.c"), "3:4 file some text");
    assert_eq!(at("kind: A\nmetadata: {name: a}\n", "A//a", ""), "2:18 resource a");
    assert_eq!(at("kind: List\nitems:\n- kind: A\n  x: 1\n", "List//", "none"), "1:1 resource kind: List");
}

#[test]
fn where_the_object_is_not_there() {
    let two = "---\nkind: A\nspec: {x: 1}\n---\nkind: B\nspec: {y: 1}\n";
    assert_eq!(at(two, "C//c", "spec.y"), "6:8 parent y: 1");
    assert_eq!(at(two, "", "spec.y"), "6:8 exact y: 1");
    assert_eq!(at(two, "C//c", "spec.z"), "2:1 file kind: A");
    assert_eq!(at(two, "C//c", "spec"), "2:1 file kind: A");
    assert_eq!(at(two, "", ""), "2:1 file kind: A");
    assert_eq!(at("kind: A\nspec: {x: 1}\n", "C//c", "spec.z"), "2:1 parent spec");
    let list = "kind: List\nitems:\n- kind: A\n  spec: {x: 1}\n- kind: B\n  spec: {x: 2}\n";
    assert_eq!(at(list, "", "items[1].spec.x"), "6:10 exact x: 2");
    assert_eq!(at(list, "A//", "items[0].spec.x"), "4:10 exact x: 1");
    assert_eq!(at(list, "List//", "items"), "2:1 exact items");
    for nothing in ["", "\n", "# c\n", "---\n", "text", "- a\n", "\u{feff}", "\r\n\r\n"] {
        let place = at(nothing, "A//a", "b.c");
        assert!(place.starts_with("1:1 file") || place.starts_with("1:1 resource"), "{nothing:?} {place}");
    }
}
