//! Inputs that invite quadratic behaviour: each is a shape of `n` like parts.
//!
//! Time and memory have to grow with `n` for every one of them.

use crate::generator::GeneratedFile;

/// A shape: its name, and what makes it from a number.
pub(crate) type Shape = (&'static str, fn(usize) -> Vec<GeneratedFile>);

/// Every shape.
pub(crate) const SHAPES: &[Shape] = &[
    ("one-namespace", |n| per_file(n, 10, |i| deployment("crowd", i))),
    ("one-file", |n| per_file(n, n, |i| config_map("crowd", i))),
    ("own-namespaces", |n| per_file(n, 10, own_namespace)),
    ("policies-and-pods", |n| per_file(n, 10, policy_or_pod)),
    ("cilium-policies-and-pods", |n| per_file(n, 10, cilium_policy_or_pod)),
    ("cluster-wide-policies", |n| per_file(n, 10, cluster_wide_policy_or_pod)),
    ("mesh-policies-and-pods", |n| per_file(n, 10, mesh_policy_or_pod)),
    ("namespace-peers", |n| per_file(n, 10, namespace_peer)),
    ("services-and-pods", |n| per_file(n, 10, service_or_pod)),
    ("routes-and-gateways", |n| per_file(n, 10, route_or_gateway)),
    ("bindings-and-roles", |n| per_file(n, 10, binding_or_role)),
    ("shared-account", |n| per_file(n, 10, shared_account)),
    ("duplicates", |n| per_file(n, 10, |_| deployment("crowd", 0))),
    ("duplicates-in-one-file", |n| per_file(n, n, |_| deployment("crowd", 0))),
    ("environments", |n| directories(n, |_| deployment("crowd", 0))),
    ("list", |n| list_of(n, |i| deployment("crowd", i))),
    ("json-stream", |n| one((0..n).map(json_object).collect())),
    ("containers", |n| one(pod_with("containers", &many(n, container_item)))),
    ("ports", |n| one(one_container("ports", &many(n, |i| format!("{{containerPort: {i}}}"))))),
    ("variables", |n| one(one_container("env", &many(n, variable)))),
    ("arguments", |n| one(one_container("args", &many(n, |i| format!("--flag-{i}=token"))))),
    ("labels", |n| one(map_of("labels", n))),
    ("annotations", |n| one(map_of("annotations", n))),
    ("data-keys", data_keys),
    ("duplicate-keys", duplicate_keys),
    ("peers", |n| {
        one(policy_of(&many(n, |i| format!("{{from: [{{ipBlock: {{cidr: {}}}}}]}}", cidr(i)))))
    }),
    ("exceptions", exceptions),
    ("policy-ports", |n| one(policy_of(&format!("\n    - ports:{}", indent(&many(n, port_item)))))),
    ("waiver-comments", waiver_comments),
    ("waiver-comments-in-a-list", waivers_in_a_list),
    ("waiver-annotations", |n| per_file(n, 10, waiver_annotation)),
    ("broken-documents", |n| one((0..n).map(|_| "a: [\n---\n").collect())),
    ("custom-resources", |n| per_file(n, 10, custom_resource)),
    ("aliases", aliases),
    ("merges", merges),
    ("comments", comments),
    ("findings-in-one-file", |n| per_file(n, n, privileged)),
    ("secrets", |n| per_file(n, 10, secret)),
    ("ingresses-and-services", |n| per_file(n, 10, ingress_or_service)),
    ("autoscalers-and-workloads", |n| per_file(n, 10, autoscaler_or_workload)),
    ("reference-grants", |n| per_file(n, 10, reference_grant)),
    ("overlays", overlays),
];

/// A base of ten objects for every ten, and an overlay for each of them: `n` kustomizations render
/// ten objects each.
fn overlays(n: usize) -> Vec<GeneratedFile> {
    let file = |path: String, text: String| GeneratedFile { path, text };
    let base = |i: usize| {
        let objects = (0..10).map(|k| deployment("crowd", 10 * i + k));
        let text = objects.collect::<Vec<_>>().join("---\n");
        let kustomization = "resources: [all.yaml]\n".to_owned();
        [
            file(format!("a{i}/base/all.yaml"), text),
            file(format!("a{i}/base/kustomization.yaml"), kustomization),
        ]
    };
    let overlay = |i: usize| {
        let text = format!(
            "namespace: n{i}\nnamePrefix: p-\nresources: [../base]\nlabels: [{{pairs: {{env: e{i}}}}}]\n"
        );
        file(format!("a{}/o{i}/kustomization.yaml", i / 10), text)
    };
    (0..n.div_ceil(10)).flat_map(base).chain((0..n).map(overlay)).collect()
}

fn one(text: String) -> Vec<GeneratedFile> {
    vec![GeneratedFile { path: "all.yaml".to_owned(), text }]
}

fn per_file(n: usize, each: usize, object: impl Fn(usize) -> String) -> Vec<GeneratedFile> {
    let each = each.max(1);
    let file = |first: usize| {
        let objects: Vec<String> = (first..n.min(first + each)).map(&object).collect();
        GeneratedFile {
            path: format!("part-{:06}.yaml", first / each),
            text: objects.join("---\n"),
        }
    };
    (0..n).step_by(each).map(file).collect()
}

fn directories(n: usize, object: impl Fn(usize) -> String) -> Vec<GeneratedFile> {
    let file = |i| GeneratedFile { path: format!("env-{i:06}/all.yaml"), text: object(i) };
    (0..n).map(file).collect()
}

/// The items of a list in a container of a pod.
fn many(n: usize, item: impl Fn(usize) -> String) -> String {
    (0..n).map(|i| format!("\n    - {}", item(i))).collect()
}

fn indent(text: &str) -> String {
    text.replace('\n', "\n    ")
}

fn head(api_version: &str, kind: &str, namespace: &str, name: &str) -> String {
    format!(
        "apiVersion: {api_version}\nkind: {kind}\nmetadata:\n  name: {name}\n  namespace: {namespace}\n"
    )
}

fn pod(namespace: &str, i: usize) -> String {
    let head = head("v1", "Pod", namespace, &format!("pod-{i}"));
    format!(
        "{head}  labels: {{app: app-{i}}}\nspec:\n  containers: [{{name: main, image: main}}]\n"
    )
}

fn deployment(namespace: &str, i: usize) -> String {
    let head = head("apps/v1", "Deployment", namespace, &format!("app-{i}"));
    format!(
        "{head}spec:
  selector: {{matchLabels: {{app: app-{i}}}}}
  template:
    metadata: {{labels: {{app: app-{i}}}}}
    spec:
      containers:
        - name: main
          image: registry.example.com/main:1
"
    )
}

fn privileged(i: usize) -> String {
    let head = head("v1", "Pod", "crowd", &format!("pod-{i}"));
    format!(
        "{head}spec:
  hostNetwork: true
  hostPID: true
  containers:
    - name: main
      image: main
      securityContext: {{privileged: true}}
"
    )
}

fn config_map(namespace: &str, i: usize) -> String {
    let head = head("v1", "ConfigMap", namespace, &format!("settings-{i}"));
    format!("{head}data:\n  key: value of {i}\n")
}

fn own_namespace(i: usize) -> String {
    match i % 3 {
        0 => format!(
            "apiVersion: v1\nkind: Namespace\nmetadata: {{name: space-{}, labels: {{team: t}}}}\n",
            i / 3
        ),
        1 => deployment(&format!("space-{}", i / 3), i),
        _ => network_policy(&format!("space-{}", i / 3), i - 1, &format!("space-{}", i / 6)),
    }
}

fn network_policy(namespace: &str, i: usize, peer: &str) -> String {
    let head = head("networking.k8s.io/v1", "NetworkPolicy", namespace, &format!("policy-{i}"));
    format!(
        "{head}spec:
  podSelector: {{matchLabels: {{app: app-{i}}}}}
  policyTypes: [Ingress]
  ingress:
    - from:
        - namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {peer}}}}}
          podSelector: {{matchLabels: {{app: app-{i}}}}}
      ports: [{{port: {}}}]
",
        1 + i % 60_000
    )
}

fn policy_or_pod(i: usize) -> String {
    if i.is_multiple_of(2) { pod("crowd", i) } else { network_policy("crowd", i - 1, "crowd") }
}

fn cilium_policy(kind: &str, i: usize) -> String {
    let head = head("cilium.io/v2", kind, "crowd", &format!("policy-{i}"));
    format!(
        "{head}spec:
  endpointSelector: {{matchLabels: {{app: app-{i}}}}}
  ingress:
    - fromEndpoints:
        - matchLabels: {{app: app-{}, k8s:io.kubernetes.pod.namespace: crowd}}
      toPorts:
        - ports: [{{port: \"{}\", protocol: TCP}}]
",
        i / 2 * 2,
        1 + i % 60_000
    )
}

fn cilium_policy_or_pod(i: usize) -> String {
    if i.is_multiple_of(2) { pod("crowd", i) } else { cilium_policy("CiliumNetworkPolicy", i - 1) }
}

fn cluster_wide_policy_or_pod(i: usize) -> String {
    match i % 2 {
        0 => pod(&format!("space-{}", i / 20), i),
        _ => cilium_policy("CiliumClusterwideNetworkPolicy", i - 1)
            .replace("  namespace: crowd\n", ""),
    }
}

fn mesh_policy_or_pod(i: usize) -> String {
    match i % 3 {
        0 => deployment("crowd", i),
        1 => {
            let head =
                head("security.istio.io/v1", "AuthorizationPolicy", "crowd", &format!("p-{i}"));
            let from = format!("cluster.local/ns/crowd/sa/account-{i}");
            let selected = i - 1;
            format!(
                "{head}spec:
  selector: {{matchLabels: {{app: app-{selected}}}}}
  rules:
    - from: [{{source: {{principals: [{from}]}}}}]
"
            )
        }
        _ => {
            let head =
                head("security.istio.io/v1", "PeerAuthentication", "crowd", &format!("p-{i}"));
            let selected = i - 2;
            format!(
                "{head}spec:\n  selector: {{matchLabels: {{app: app-{selected}}}}}\n  mtls: {{mode: STRICT}}\n"
            )
        }
    }
}

fn namespace_peer(i: usize) -> String {
    match i % 2 {
        0 => format!(
            "apiVersion: v1\nkind: Namespace\nmetadata: {{name: space-{i}, labels: {{team: team-{i}}}}}\n"
        ),
        _ => {
            let head = head("networking.k8s.io/v1", "NetworkPolicy", "crowd", &format!("p-{i}"));
            let team = i - 1;
            format!(
                "{head}spec:
  podSelector: {{}}
  ingress:
    - from: [{{namespaceSelector: {{matchLabels: {{team: team-{team}}}}}}}]
"
            )
        }
    }
}

fn service_or_pod(i: usize) -> String {
    if i.is_multiple_of(2) {
        return pod("crowd", i);
    }
    let head = head("v1", "Service", "crowd", &format!("service-{i}"));
    format!("{head}spec:\n  selector: {{app: app-{}}}\n  ports: [{{port: 80}}]\n", i - 1)
}

fn route_or_gateway(i: usize) -> String {
    if i.is_multiple_of(2) {
        let head =
            head("gateway.networking.k8s.io/v1", "Gateway", "crowd", &format!("gateway-{i}"));
        return format!(
            "{head}spec:
  gatewayClassName: shared
  listeners: [{{name: http, port: 80, protocol: HTTP}}]
"
        );
    }
    let head = head("gateway.networking.k8s.io/v1", "HTTPRoute", "crowd", &format!("route-{i}"));
    format!(
        "{head}spec:
  parentRefs: [{{name: gateway-{}}}]
  rules:
    - backendRefs: [{{name: service-{i}, port: 80}}]
",
        i - 1
    )
}

fn binding_or_role(i: usize) -> String {
    let api = "rbac.authorization.k8s.io/v1";
    if i.is_multiple_of(2) {
        let head = head(api, "Role", "crowd", &format!("role-{i}"));
        return format!(
            "{head}rules: [{{apiGroups: [\"\"], resources: [secrets], verbs: [get]}}]\n"
        );
    }
    let head = head(api, "RoleBinding", "crowd", &format!("binding-{i}"));
    format!(
        "{head}roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: role-{}}}
subjects: [{{kind: ServiceAccount, name: account-{i}}}]
",
        i - 1
    )
}

fn shared_account(i: usize) -> String {
    match i % 10 {
        0 => {
            let head =
                head("security.istio.io/v1", "AuthorizationPolicy", "crowd", &format!("p-{i}"));
            let from = "cluster.local/ns/crowd/sa/default";
            format!("{head}spec:\n  rules: [{{from: [{{source: {{principals: [{from}]}}}}]}}]\n")
        }
        _ => deployment("crowd", i),
    }
}

fn list_of(n: usize, object: impl Fn(usize) -> String) -> Vec<GeneratedFile> {
    let item = |i| format!("  - {}\n", object(i).trim_end().replace('\n', "\n    "));
    let items: String = (0..n).map(item).collect();
    one(format!("apiVersion: v1\nkind: List\nitems:\n{items}"))
}

fn json_object(i: usize) -> String {
    format!(
        "{{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{{\"name\":\"c-{i}\"}},\"data\":{{\"a\":\"}}\"}}}}\n"
    )
}

fn pod_with(field: &str, items: &str) -> String {
    let head = head("v1", "Pod", "crowd", "big");
    let rest =
        if field == "containers" { "" } else { "  containers: [{name: main, image: main}]\n" };
    format!("{head}spec:\n{rest}  {field}:{items}\n")
}

fn one_container(field: &str, items: &str) -> String {
    let head = head("v1", "Pod", "crowd", "big");
    let items = items.replace("\n    ", "\n        ");
    format!(
        "{head}spec:\n  containers:\n    - name: main\n      image: main\n      {field}:{items}\n"
    )
}

fn container_item(i: usize) -> String {
    format!("{{name: c-{i}, image: main, securityContext: {{privileged: true}}}}")
}

fn variable(i: usize) -> String {
    format!("{{name: PASSWORD_{i}, value: \"Wq7-pL{i:08}\"}}")
}

fn port_item(i: usize) -> String {
    format!("{{port: {}, endPort: {}}}", 1 + i % 30_000, 30_001 + i % 30_000)
}

fn map_of(field: &str, n: usize) -> String {
    let head = head("v1", "Pod", "crowd", "big");
    let entries: String = (0..n).map(|i| format!("    key-{i}: value-{i}\n")).collect();
    format!("{head}  {field}:\n{entries}spec:\n  containers: [{{name: main, image: main}}]\n")
}

fn data_keys(n: usize) -> Vec<GeneratedFile> {
    let entries: String = (0..n).map(|i| format!("  api-key-{i}: Wq7pL{i:08}xZ\n")).collect();
    one(format!("{}data:\n{entries}", head("v1", "ConfigMap", "crowd", "big")))
}

fn duplicate_keys(n: usize) -> Vec<GeneratedFile> {
    let entries: String = (0..n).map(|i| format!("  same: value-{i}\n")).collect();
    one(format!("{}data:\n{entries}", head("v1", "ConfigMap", "crowd", "big")))
}

fn cidr(i: usize) -> String {
    format!("10.{}.{}.{}/32", i / 65_536 % 256, i / 256 % 256, i % 256)
}

fn policy_of(ingress: &str) -> String {
    let head = head("networking.k8s.io/v1", "NetworkPolicy", "crowd", "big");
    let pods: Vec<String> = (0..10).map(|i| pod("crowd", i)).collect();
    format!("{head}spec:\n  podSelector: {{}}\n  ingress:{ingress}\n---\n{}", pods.join("---\n"))
}

fn exceptions(n: usize) -> Vec<GeneratedFile> {
    let except: Vec<String> = (0..n).map(cidr).collect();
    let rule = format!(
        "\n    - from: [{{ipBlock: {{cidr: 0.0.0.0/0, except: [{}]}}}}]",
        except.join(", ")
    );
    one(policy_of(&rule))
}

fn waived(i: usize) -> String {
    let head = head("v1", "Pod", "crowd", &format!("pod-{i}"));
    let waiver = "# palisade: ignore[privileged-container] it manages the node";
    format!(
        "{head}spec:
  containers:
    - name: main
      image: main
      {waiver}
      securityContext: {{privileged: true}}
"
    )
}

fn waiver_comments(n: usize) -> Vec<GeneratedFile> {
    let objects: Vec<String> = (0..n).map(waived).collect();
    one(objects.join("---\n"))
}

fn waivers_in_a_list(n: usize) -> Vec<GeneratedFile> {
    list_of(n, waived)
}

fn waiver_annotation(i: usize) -> String {
    let head = head("v1", "Pod", "crowd", &format!("pod-{i}"));
    format!(
        "{head}  annotations:
    palisade.dev/ignore.privileged-container: it manages the node; owner=team; until=2099-01-31
spec:
  containers: [{{name: main, image: main, securityContext: {{privileged: true}}}}]
"
    )
}

fn custom_resource(i: usize) -> String {
    match i % 3 {
        0 => network_policy(&format!("space-{i}"), i, "crowd"),
        1 => deployment(&format!("space-{}", i - 1), i),
        _ => {
            let head = head(
                "databases.example.com/v1",
                "Database",
                &format!("space-{i}"),
                &format!("db-{i}"),
            );
            format!("{head}spec: {{size: 3}}\n")
        }
    }
}

fn aliases(n: usize) -> Vec<GeneratedFile> {
    let n = n.min(9_000);
    let entries: String = (0..n).map(|i| format!("  key-{i}: *value\n")).collect();
    one(format!(
        "{}data:\n  first: &value text\n{entries}",
        head("v1", "ConfigMap", "crowd", "big")
    ))
}

fn merges(n: usize) -> Vec<GeneratedFile> {
    let n = n.min(4_000);
    let base: String = (0..20).map(|i| format!("    k{i}: v{i}\n")).collect();
    let entries: String = (0..n).map(|i| format!("    - {{<<: *base, own: {i}}}\n")).collect();
    let head = head("example.com/v1", "Settings", "crowd", "big");
    one(format!("{head}spec:\n  base: &base\n{base}  items:\n{entries}"))
}

fn comments(n: usize) -> Vec<GeneratedFile> {
    let lines: String = (0..n).map(|i| format!("  # palisade: line {i}\n")).collect();
    one(format!("{}data:\n{lines}  key: value\n", head("v1", "ConfigMap", "crowd", "big")))
}

fn secret(i: usize) -> String {
    let head = head("v1", "Secret", "crowd", &format!("secret-{i}"));
    format!("{head}stringData:\n  password: Wq7-pL{i:08}\n")
}

fn ingress_or_service(i: usize) -> String {
    if i.is_multiple_of(2) {
        return service_or_pod(i + 1);
    }
    let head = head("networking.k8s.io/v1", "Ingress", "crowd", &format!("ingress-{i}"));
    format!(
        "{head}spec:
  rules:
    - host: host-{i}.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {{service: {{name: service-{i}, port: {{number: 80}}}}}}
"
    )
}

fn autoscaler_or_workload(i: usize) -> String {
    if i.is_multiple_of(2) {
        return deployment("crowd", i);
    }
    let head = head("autoscaling/v2", "HorizontalPodAutoscaler", "crowd", &format!("hpa-{i}"));
    let target = i - 1;
    format!(
        "{head}spec:
  maxReplicas: 3
  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: app-{target}}}
"
    )
}

fn reference_grant(i: usize) -> String {
    if i.is_multiple_of(2) {
        return route_or_gateway(i + 1).replace("name: service", "namespace: other, name: service");
    }
    let head =
        head("gateway.networking.k8s.io/v1", "ReferenceGrant", "other", &format!("grant-{i}"));
    format!(
        "{head}spec:
  from: [{{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: crowd}}]
  to: [{{group: \"\", kind: Service, name: service-{i}}}]
"
    )
}
