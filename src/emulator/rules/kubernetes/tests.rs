use super::super::{Hit, Risk};
use super::scan;

/// A pod that breaks no rule. Tests change a line of it.
const POD: &str = r"apiVersion: v1
kind: Pod
metadata:
  name: api
  namespace: shop
spec:
  automountServiceAccountToken: false
  securityContext:
    runAsNonRoot: true
    seccompProfile: {type: RuntimeDefault}
  containers:
    - name: api
      image: example/api:1.4.2
      command: [api]
      env:
        - {name: DB_PASSWORD_FILE, value: db-password}
        - {name: DB_PASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}}
      ports: [{containerPort: 8080}]
      readinessProbe: {httpGet: {path: /ready, port: 8080}}
      resources: {limits: {memory: 64Mi}, requests: {cpu: 10m}}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: {drop: [ALL]}
";

/// Whole result of a scan as `id path: rule` lines.
fn found(text: &str) -> Vec<String> {
    let risks = scan(text.as_bytes()).unwrap();
    let lines = risks
        .iter()
        .flat_map(|risk| risk.paths.iter().map(move |hit| format!("{} {}: {}", risk.rule_id, hit.hit_path, hit.hit_rule)));
    lines.collect()
}

fn with(line: &str, replacement: &str) -> String {
    assert_eq!(POD.matches(line).count(), 1, "{line}");
    POD.replacen(line, replacement, 1)
}

/// The pod with a line more in its `spec`.
fn spec(line: &str) -> String {
    with("spec:\n", &format!("spec:\n  {line}\n"))
}

/// The pod with a line more in its container's security context.
fn security(line: &str) -> String {
    with("      securityContext:\n        allow", &format!("      securityContext:\n        {line}\n        allow"))
}

fn object(version: &str, kind: &str, rest: &str) -> String {
    format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: x, namespace: shop}}\n{rest}\n")
}

fn role(rest: &str) -> String {
    object("rbac.authorization.k8s.io/v1", "Role", &format!("rules: [{{apiGroups: [''], {rest}}}]"))
}

#[test]
fn each_pod_rule_fires_on_its_line_alone() {
    let cases = [
        (security("privileged: true"), "SI-K8-001 spec.containers[0].securityContext.privileged: privileged == true"),
        (spec("hostPID: yes"), "SI-K8-002 spec.hostPID: hostPID == true"),
        (spec("hostIPC: true"), "SI-K8-003 spec.hostIPC: hostIPC == true"),
        (
            spec("volumes: [{name: a, emptyDir: {}}, {name: b, hostPath: {path: /var/run/docker.sock}}]"),
            "SI-K8-004 spec.volumes[1].hostPath.path: hostPath == /var/run/docker.sock",
        ),
        (spec("volumes: [{name: a, hostPath: {path: /}}]"), "SI-K8-005 spec.volumes[0].hostPath.path: hostPath == /"),
        (
            spec("volumes: [{name: a, hostPath: {path: /data/etc}}]"),
            "SI-K8-006 spec.volumes[0].hostPath.path: hostPath == /data/etc",
        ),
        (
            with("{drop: [ALL]}", "{add: [CHOWN, CAP_SYS_ADMIN], drop: [all]}"),
            "SI-K8-007 spec.containers[0].securityContext.capabilities.add[1]: capabilities.add has SYS_ADMIN",
        ),
        (
            with("allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true"),
            "SI-K8-008 spec.containers[0].securityContext.allowPrivilegeEscalation: allowPrivilegeEscalation == true",
        ),
        (
            with("    seccompProfile: {type: RuntimeDefault}\n", ""),
            "SI-K8-009 spec.containers[0].securityContext.seccompProfile: seccompProfile missing",
        ),
        (
            with("RuntimeDefault", "Unconfined"),
            "SI-K8-009 spec.securityContext.seccompProfile.type: seccompProfile == Unconfined",
        ),
        (security("runAsUser: 0"), "SI-K8-010 spec.containers[0].securityContext.runAsUser: runAsUser == 0"),
        (
            with("runAsNonRoot: true", "runAsNonRoot: false"),
            "SI-K8-010 spec.securityContext.runAsNonRoot: runAsNonRoot == false",
        ),
        (
            with("    runAsNonRoot: true\n", ""),
            "SI-K8-011 spec.containers[0].securityContext.runAsNonRoot: runAsNonRoot missing",
        ),
        (
            with("drop: [ALL]", "drop: [CHOWN]"),
            "SI-K8-012 spec.containers[0].securityContext.capabilities.drop: capabilities.drop lacks ALL",
        ),
        (
            with("        readOnlyRootFilesystem: true\n", ""),
            "SI-K8-013 spec.containers[0].securityContext.readOnlyRootFilesystem: readOnlyRootFilesystem missing",
        ),
        (
            with("limits: {memory: 64Mi}", "limits: {cpu: 1}"),
            "SI-K8-014 spec.containers[0].resources.limits.memory: resources.limits.memory missing",
        ),
        (
            with(", requests: {cpu: 10m}", ""),
            "SI-K8-015 spec.containers[0].resources.requests.cpu: resources.requests.cpu missing",
        ),
        (with("example/api:1.4.2", "localhost:5000/api"), "SI-K8-016 spec.containers[0].image: image == localhost:5000/api"),
        (
            with("      readinessProbe: {httpGet: {path: /ready, port: 8080}}\n", ""),
            "SI-K8-017 spec.containers[0].readinessProbe: readinessProbe and livenessProbe missing",
        ),
        (spec("shareProcessNamespace: true"), "SI-K8-018 spec.shareProcessNamespace: shareProcessNamespace == true"),
        (with("  namespace: shop\n", ""), "SI-K8-019 metadata.namespace: namespace missing"),
        (
            with("value: db-password", "value: x}\n        - {name: TOKEN, value: not-real"),
            "SI-K8-020 spec.containers[0].env[1].value: env TOKEN holds a secret",
        ),
        (spec("hostNetwork: true"), "SI-K8-024 spec.hostNetwork: hostNetwork == true"),
        (
            with("containerPort: 8080", "containerPort: 8080, hostPort: 80"),
            "SI-K8-025 spec.containers[0].ports[0].hostPort: hostPort == 80",
        ),
        (
            with("{drop: [ALL]}", "{add: [NET_RAW], drop: [ALL]}"),
            "SI-K8-026 spec.containers[0].securityContext.capabilities.add[0]: capabilities.add has NET_RAW",
        ),
        (
            with("  automountServiceAccountToken: false\n", ""),
            "SI-K8-035 spec.automountServiceAccountToken: automountServiceAccountToken missing",
        ),
        (
            with("[api]", "[/bin/kube-apiserver, '--authorization-mode=RBAC,AlwaysAllow']"),
            "SI-K8-036 spec.containers[0].command[1]: authorization-mode == RBAC,AlwaysAllow",
        ),
        (
            with("[api]", "[kubelet, --anonymous-auth=true]"),
            "SI-K8-037 spec.containers[0].command[1]: anonymous-auth == true",
        ),
        (
            spec("tolerations: [{key: a}, {key: node-role.kubernetes.io/control-plane}]"),
            "SI-K8-039 spec.tolerations[1]: tolerates node-role.kubernetes.io/control-plane",
        ),
        (spec("tolerations: [{operator: Exists}]"), "SI-K8-039 spec.tolerations[0]: tolerates every taint"),
    ];
    for (text, expected) in cases {
        assert_eq!(found(&text), [expected], "{text}");
    }
}

#[test]
fn no_pod_rule_fires_on_what_only_looks_like_its_line() {
    let texts = [
        POD.to_owned(),
        security("privileged: 'true'"),
        spec("hostPID: false\n  hostIPC: no\n  hostNetwork: null\n  shareProcessNamespace: false"),
        spec("volumes: [{name: a, emptyDir: {}}, {name: b, hostPath: null}]"),
        with("{drop: [ALL]}", "{add: [NET_BIND_SERVICE], drop: [CAP_ALL]}"),
        with("    runAsNonRoot: true\n", "    runAsUser: 1000\n"),
        with("runAsNonRoot: true", "runAsNonRoot: false\n    runAsUser: 1000"),
        with("seccompProfile: {type: RuntimeDefault}", "seccompProfile: {type: Localhost, localhostProfile: a.json}"),
        with("limits: {memory: 64Mi}, requests: {cpu: 10m}", "limits: {memory: 64Mi, cpu: 1}"),
        with("readinessProbe", "livenessProbe"),
        with("containerPort: 8080", "containerPort: 8080, hostPort: 0"),
        with("[api]", "[api, --authorization-mode=AlwaysAllow, --anonymous-auth=true]"),
        with("[api]", "[kube-apiserver, --authorization-mode=Node, --anonymous-auth=false]"),
        spec("tolerations: [{key: dedicated, operator: Exists}]"),
        with("apiVersion: v1", "apiVersion: example.com/v1").replace("runAsNonRoot: true", "runAsUser: 0"),
    ];
    for text in texts {
        assert_eq!(found(&text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn each_object_rule_fires_on_its_line_alone() {
    let rbac = "rbac.authorization.k8s.io/v1";
    let webhook = "admissionregistration.k8s.io/v1";
    let cases = [
        (
            object("v1", "ConfigMap", "data: {app.db.password: not-real, a: b}"),
            r#"SI-K8-021 data["app.db.password"]: app.db.password holds a secret"#,
        ),
        (object("v1", "Secret", "stringData: {a: b}"), "SI-K8-022 stringData: stringData has values"),
        (role("resources: [pods, secrets], verbs: [get]"), "SI-K8-023 rules[0].resources: resources has secrets"),
        (
            object("v1", "Service", "spec: {type: LoadBalancer}"),
            "SI-K8-027 spec.loadBalancerSourceRanges: LoadBalancer without source ranges",
        ),
        (object("v1", "Service", "spec: {externalIPs: [192.0.2.1]}"), "SI-K8-027 spec.externalIPs: externalIPs set"),
        (object("v1", "Service", "spec: {type: NodePort}"), "SI-K8-028 spec.type: type == NodePort"),
        (object("networking.k8s.io/v1", "Ingress", "spec: {rules: []}"), "SI-K8-029 spec.tls: tls missing"),
        (
            object("networking.k8s.io/v1", "NetworkPolicy", "spec: {ingress: [{}]}"),
            "SI-K8-030 spec.ingress[0]: from missing",
        ),
        (
            object("networking.k8s.io/v1", "NetworkPolicy", "spec: {ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}"),
            "SI-K8-030 spec.ingress[0].from[0].ipBlock.cidr: cidr == 0.0.0.0/0",
        ),
        (role("resources: [pods], verbs: ['*']"), "SI-K8-031 rules[0].verbs[0]: verbs has *"),
        (
            object(rbac, "RoleBinding", "roleRef: {kind: ClusterRole, name: cluster-admin}"),
            "SI-K8-032 roleRef.name: roleRef == cluster-admin",
        ),
        (role("resources: [users], verbs: [impersonate]"), "SI-K8-033 rules[0].verbs[0]: verbs has impersonate"),
        (
            object(rbac, "ClusterRoleBinding", "subjects: [{kind: User, name: system:anonymous}]"),
            "SI-K8-034 subjects[0].name: subject == system:anonymous",
        ),
        (
            object("v1", "Namespace", "").replace("namespace: shop", "labels: {a: b}"),
            r#"SI-K8-038 metadata.labels["pod-security.kubernetes.io/enforce"]: enforce missing"#,
        ),
        (
            object(webhook, "MutatingWebhookConfiguration", "webhooks: [{failurePolicy: Fail}, {failurePolicy: Ignore}]"),
            "SI-K8-040 webhooks[1].failurePolicy: failurePolicy == Ignore",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(found(&text), [expected], "{text}");
    }
}

#[test]
fn no_object_rule_fires_on_what_only_looks_like_its_line() {
    let rbac = "rbac.authorization.k8s.io/v1";
    let texts = [
        object("v1", "ConfigMap", "data: {password.file: db, token: ''}"),
        object("v1", "Secret", "type: Opaque\ndata: {}"),
        role("resources: [secrets], resourceNames: [db], verbs: [get]"),
        role("resources: [secrets], verbs: [create]"),
        role("resources: [pods], verbs: [get, list]"),
        object("v1", "Service", "spec: {type: LoadBalancer, loadBalancerSourceRanges: [192.0.2.0/24]}"),
        object("v1", "Service", "spec: {type: ClusterIP, externalIPs: []}"),
        object("serving.knative.dev/v1", "Service", "spec: {type: NodePort}"),
        object("networking.k8s.io/v1", "Ingress", "spec: {tls: [{secretName: a}]}"),
        object("networking.k8s.io/v1", "NetworkPolicy", "spec: {podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}"),
        object("networking.k8s.io/v1", "NetworkPolicy", "spec: {podSelector: {}, ingress: []}"),
        object(rbac, "RoleBinding", "roleRef: {kind: Role, name: cluster-admin}\nsubjects: [{kind: Group, name: shop}]"),
        object("v1", "Namespace", "").replace("namespace: shop", "labels: {pod-security.kubernetes.io/enforce: baseline}"),
        object("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "webhooks: [{name: a}]"),
    ];
    for text in texts {
        assert_eq!(found(&text), Vec::<String>::new(), "{text}");
    }
}

/// The pod as the template of a kind that keeps it below these keys.
fn template(version: &str, kind: &str, keys: &[&str]) -> String {
    let spec = POD
        .split_once("\nspec:\n")
        .unwrap()
        .1
        .replace("automountServiceAccountToken: false", "automountServiceAccountToken: false\n  hostPID: true");
    let mut text = format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: x, namespace: shop}}\n");
    for (depth, key) in keys.iter().enumerate() {
        text += &["  ".repeat(depth).as_str(), key, ":\n"].concat();
    }
    let indent = "  ".repeat(keys.len() - 1);
    text + &spec.lines().flat_map(|line| [indent.as_str(), line, "\n"]).collect::<String>()
}

#[test]
fn pods_are_found_in_every_kind_that_makes_them() {
    let kinds: [(&str, &str, &[&str]); 8] = [
        ("v1", "PodTemplate", &["template", "spec"]),
        ("v1", "ReplicationController", &["spec", "template", "spec"]),
        ("apps/v1", "Deployment", &["spec", "template", "spec"]),
        ("apps/v1", "StatefulSet", &["spec", "template", "spec"]),
        ("apps/v1", "DaemonSet", &["spec", "template", "spec"]),
        ("apps/v1", "ReplicaSet", &["spec", "template", "spec"]),
        ("batch/v1", "Job", &["spec", "template", "spec"]),
        ("batch/v1", "CronJob", &["spec", "jobTemplate", "spec", "template", "spec"]),
    ];
    for (version, kind, keys) in kinds {
        let expected = format!("SI-K8-002 {}.hostPID: hostPID == true", keys.join("."));
        assert_eq!(found(&template(version, kind, keys)), [expected], "{kind}");
    }
}

#[test]
fn init_and_ephemeral_containers_count_and_jobs_need_no_probe() {
    let text = with(
        "  containers:\n",
        "  initContainers: [{image: a:1, resources: {}}]\n  ephemeralContainers: [{image: b}]\n  containers:\n",
    );
    let lines: Vec<String> = found(&text).into_iter().map(|line| line.split(": ").next().unwrap().to_owned()).collect();
    let expected = [
        "SI-K8-008 spec.initContainers[0].securityContext.allowPrivilegeEscalation",
        "SI-K8-008 spec.ephemeralContainers[0].securityContext.allowPrivilegeEscalation",
        "SI-K8-012 spec.initContainers[0].securityContext.capabilities.drop",
        "SI-K8-012 spec.ephemeralContainers[0].securityContext.capabilities.drop",
        "SI-K8-013 spec.initContainers[0].securityContext.readOnlyRootFilesystem",
        "SI-K8-013 spec.ephemeralContainers[0].securityContext.readOnlyRootFilesystem",
        "SI-K8-014 spec.initContainers[0].resources.limits.memory",
        "SI-K8-015 spec.initContainers[0].resources.requests.cpu",
        "SI-K8-016 spec.ephemeralContainers[0].image",
    ];
    assert_eq!(lines, expected);
    let job = template("batch/v1", "Job", &["spec", "template", "spec"]).replace("readinessProbe", "lifecycle");
    assert_eq!(found(&job), ["SI-K8-002 spec.template.spec.hostPID: hostPID == true"]);
}

#[test]
fn documents_lists_aliases_and_merge_keys_are_unfolded_in_order() {
    let text = "apiVersion: v1
kind: List
items:
  - {apiVersion: v1, kind: Service, metadata: {name: a}, spec: &open {type: NodePort}}
  - {apiVersion: v1, kind: Service, metadata: {name: b, namespace: shop}, spec: *open}
---
apiVersion: v1
kind: ServiceList
items:
  - {metadata: {name: c}, spec: {<<: [{type: NodePort}, {type: LoadBalancer}], ports: []}}
  - {metadata: {name: d}, spec: {<<: {type: NodePort}, type: ClusterIP}}
---
---
kind: Service
apiVersion: v1
metadata: {generateName: e-}
spec: {type: ClusterIP, type: NodePort}
";
    let hit = |name: &str, namespace: &str| Hit {
        resource_name: name.to_owned(),
        resource_type: "Service".to_owned(),
        namespace: namespace.to_owned(),
        hit_rule: "type == NodePort".to_owned(),
        hit_path: "spec.type".to_owned(),
    };
    let expected = Risk {
        rule_id: "SI-K8-028",
        name: "The Service opens a port on every node",
        level: "low",
        category: "network",
        description: "NodePort makes the Service reachable at the address of each node, also from networks that were not meant.",
        remediation: "Use ClusterIP behind an Ingress or a load balancer.",
        build_instruction: None,
        paths: vec![hit("a", "default"), hit("b", "shop"), hit("c", "default"), hit("e-", "default")],
    };
    assert_eq!(scan(text.as_bytes()), Ok(vec![expected]));
}

#[test]
fn an_object_of_the_cluster_has_no_namespace() {
    let text =
        role("resources: ['*'], verbs: [get]").replace("kind: Role", "kind: ClusterRole").replace(", namespace: shop", "");
    let homes: Vec<_> =
        scan(text.as_bytes()).unwrap().into_iter().flat_map(|risk| risk.paths).map(|hit| hit.namespace).collect();
    assert_eq!(homes, [""]);
}

#[test]
fn documents_before_a_syntax_error_count() {
    let good = object("v1", "Service", "spec: {type: NodePort}");
    assert_eq!(found(&format!("{good}---\na: [b\n")), ["SI-K8-028 spec.type: type == NodePort"]);
    let error = scan(b"a: b\nc: [d\n").unwrap_err();
    assert!(error.starts_with("line 3: "), "{error}");
}

#[test]
fn utf_16_and_byte_order_marks_are_read() {
    let text = object("v1", "Service", "spec: {type: NodePort}");
    let utf16: Vec<u8> = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_be_bytes).collect();
    let expected = scan(text.as_bytes());
    assert_eq!(scan(&utf16), expected);
    assert_eq!(scan(format!("\u{feff}{text}").as_bytes()), expected);
}

#[test]
fn what_unfolds_without_end_is_refused() {
    let tens = (1..9).map(|n| format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 10].join(",")));
    let bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned() + &tens.collect::<Vec<_>>().concat();
    assert_eq!(scan(bomb.as_bytes()), Err("document too large".to_owned()));
    let links = (1..200).map(|n| format!("a{n}: &a{n} [*a{}]\n", n - 1));
    let chain = "a0: &a0 [x]\n".to_owned() + &links.collect::<Vec<_>>().concat();
    assert_eq!(scan(chain.as_bytes()), Err("line 100: nested too deep".to_owned()));
    assert_eq!(scan("[".repeat(200).as_bytes()), Err("line 1: nested too deep".to_owned()));
    assert_eq!(scan(b"a: &a [*a]\n"), Err("line 1: an alias of what encloses it".to_owned()));
}
