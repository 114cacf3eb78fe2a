//! Synthetic clusters: the same number and seed give the same bytes, on every machine.
//!
//! A cluster is a list of namespaces, one directory each. A namespace has a file of its own (labels,
//! limits, defaults of network and mesh) and one file per application: what a team that works with
//! policies, a mesh and gateways checks in, about 2 KB per object, comments included. Most of it is
//! right; some applications leave out what people leave out.

#[path = "gen/objects.rs"]
mod objects;
#[path = "gen/workloads.rs"]
mod workloads;

use objects::{
    authorization, autoscaler, config_map, disruption_budget, network_policy, rbac, route, secret,
    service, service_account, service_monitor,
};
use workloads::{cron_job, custom, workload};

/// One file of a generated tree.
#[derive(Debug)]
pub(crate) struct GeneratedFile {
    /// Path below the root of the tree.
    pub(crate) path: String,
    /// Content.
    pub(crate) text: String,
}

/// Generates a cluster of exactly `documents` objects.
pub(crate) fn cluster(documents: usize, seed: u64) -> Vec<GeneratedFile> {
    let mut rng = Rng(seed);
    let mut files = Vec::new();
    let mut left = documents;
    let mut number = 0;
    while left > 0 {
        let space = Space::draw(number, &mut rng);
        number += 1;
        let mut add = |name: &str, objects: Vec<String>| {
            let texts: Vec<String> = objects.into_iter().take(left).collect();
            left -= texts.len();
            if !texts.is_empty() {
                let path = format!("clusters/main/{}/{name}.yaml", space.name);
                files.push(GeneratedFile { path, text: texts.join("---\n") });
            }
        };
        add("00-namespace", of_space(&space, &mut rng));
        for at in 0..space.apps {
            let app = App::draw(&space, at, &mut rng);
            add(&app.name, of_app(&space, &app, &mut rng));
        }
    }
    files
}

/// SplitMix64: small, seeded, the same everywhere.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap_or(0) % bound.max(1)
    }

    fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> Option<T> {
        of.get(self.below(of.len())).copied()
    }

    fn word(&mut self, of: &[&'static str]) -> &'static str {
        self.pick(of).unwrap_or("any")
    }

    fn hex(&mut self, length: usize) -> String {
        (0..length)
            .filter_map(|_| char::from_digit(u32::try_from(self.below(16)).ok()?, 16))
            .collect()
    }
}

/// What the objects of a namespace agree on.
struct Space {
    name: String,
    team: &'static str,
    apps: usize,
    meshed: bool,
    /// Whether its policies are Cilium's instead of Kubernetes' own.
    cilium: bool,
    /// Whether its team sets what it should.
    careful: bool,
}

impl Space {
    fn draw(number: usize, rng: &mut Rng) -> Self {
        let teams = [
            "payments",
            "orders",
            "search",
            "identity",
            "billing",
            "logistics",
            "catalogue",
            "insights",
            "support",
            "platform",
        ];
        let team = rng.word(&teams);
        Self {
            name: format!("{team}-{number:03}"),
            team,
            apps: 4 + rng.below(10),
            meshed: rng.percent(70),
            cilium: rng.percent(40),
            careful: rng.percent(80),
        }
    }
}

/// What the objects of an application agree on.
struct App {
    name: String,
    component: &'static str,
    port: usize,
    version: String,
    careful: bool,
    stateful: bool,
    exposed: bool,
}

impl App {
    fn draw(space: &Space, at: usize, rng: &mut Rng) -> Self {
        let components = [
            "api",
            "worker",
            "gateway",
            "cache",
            "scheduler",
            "frontend",
            "ingest",
            "exporter",
            "consumer",
            "indexer",
            "notifier",
            "ledger",
        ];
        let component = rng.word(&components);
        Self {
            name: format!("{}-{component}-{at:02}", space.team),
            component,
            port: 8000 + rng.below(1000),
            version: format!("{}.{}.{}", 1 + rng.below(4), rng.below(30), rng.below(10)),
            careful: space.careful && rng.percent(92),
            stateful: rng.percent(18),
            exposed: rng.percent(30),
        }
    }
}

/// The first lines of an object of an application.
fn head(api_version: &str, kind: &str, name: &str, space: &Space, app: &App) -> String {
    let App { name: of, component, version, .. } = app;
    let Space { name: namespace, team, .. } = space;
    format!(
        "apiVersion: {api_version}
kind: {kind}
metadata:
  name: {name}
  namespace: {namespace}
  labels:
    app.kubernetes.io/name: {of}
    app.kubernetes.io/instance: {of}-main
    app.kubernetes.io/component: {component}
    app.kubernetes.io/version: \"{version}\"
    app.kubernetes.io/part-of: {team}
    app.kubernetes.io/managed-by: platform-team
  annotations:
    team.example.com/owner: \"{team}@example.com\"
    team.example.com/runbook: https://runbooks.example.com/{team}/{of}
    team.example.com/description: >-
      Part of the {component} of team {team}. Changes are reviewed by its owners and by the
      platform team, and reach production through the release train of the week after next.
    # Set by the release pipeline; do not edit by hand.
    release.example.com/version: \"{version}\"
    release.example.com/ticket: \"https://tickets.example.com/browse/{team}-4711\"
"
    )
}

/// Indents every line that is not empty.
fn indented(text: &str, by: usize) -> String {
    let pad = " ".repeat(by);
    text.lines()
        .map(|line| if line.is_empty() { "\n".to_owned() } else { format!("{pad}{line}\n") })
        .collect()
}

fn of_space(space: &Space, rng: &mut Rng) -> Vec<String> {
    let Space { name, team, meshed, careful, .. } = space;
    let mut objects = Vec::new();
    let level = if *careful { "restricted" } else { rng.word(&["baseline", "privileged"]) };
    let injection = if *meshed { "    istio-injection: enabled\n" } else { "" };
    objects.push(format!(
        "# Namespace of team {team}; requested through the platform portal.
apiVersion: v1
kind: Namespace
metadata:
  name: {name}
  labels:
    team.example.com/name: {team}
    pod-security.kubernetes.io/enforce: {level}
    pod-security.kubernetes.io/enforce-version: latest
    pod-security.kubernetes.io/warn: restricted
{injection}"
    ));
    objects.push(format!(
        "apiVersion: v1
kind: LimitRange
metadata: {{name: defaults, namespace: {name}}}
spec:
  limits:
    - type: Container
      default: {{cpu: 500m, memory: 256Mi}}
      defaultRequest: {{cpu: 50m, memory: 64Mi}}
      max: {{cpu: \"4\", memory: 8Gi}}
"
    ));
    objects.push(format!(
        "apiVersion: v1
kind: ResourceQuota
metadata: {{name: compute, namespace: {name}}}
spec:
  hard:
    requests.cpu: \"40\"
    requests.memory: 80Gi
    limits.memory: 160Gi
    count/pods: \"200\"
"
    ));
    objects.extend(of_network(space, rng));
    if rng.percent(40) {
        objects.push(gateway(space, rng));
    }
    objects
}

/// The defaults of network and mesh.
fn of_network(space: &Space, rng: &mut Rng) -> Vec<String> {
    let Space { name, meshed, cilium, careful, .. } = space;
    let mut objects = Vec::new();
    if *cilium {
        objects.push(format!(
            "# Nothing in, nothing out but DNS, unless a policy of an application says so.
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
  name: default
  namespace: {name}
spec:
  endpointSelector: {{}}
  ingress:
    - {{}}
  egress:
    - toEndpoints:
        - matchLabels:
            k8s:io.kubernetes.pod.namespace: kube-system
            k8s-app: kube-dns
      toPorts:
        - ports:
            - {{port: \"53\", protocol: ANY}}
          rules:
            dns:
              - matchPattern: \"*\"
"
        ));
    } else if *careful || rng.percent(50) {
        objects.push(format!(
            "# Nothing in, nothing out, unless a policy of an application says so.
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: default-deny
  namespace: {name}
spec:
  podSelector: {{}}
  policyTypes: [Ingress, Egress]
"
        ));
    }
    if *meshed {
        let mode = if *careful { "STRICT" } else { "PERMISSIVE" };
        objects.push(format!(
            "apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata:
  name: default
  namespace: {name}
spec:
  mtls:
    mode: {mode}
"
        ));
        objects.push(format!(
            "apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: allow-nothing
  namespace: {name}
spec: {{}}
"
        ));
    }
    objects
}

fn gateway(space: &Space, rng: &mut Rng) -> String {
    let Space { name, team, .. } = space;
    let from = if rng.percent(85) { "Same" } else { "All" };
    format!(
        "apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: edge
  namespace: {name}
spec:
  gatewayClassName: shared
  listeners:
    - name: https
      hostname: \"*.{team}.example.com\"
      port: 443
      protocol: HTTPS
      tls:
        mode: Terminate
        certificateRefs:
          - kind: Secret
            name: edge-certificate
      allowedRoutes:
        namespaces:
          from: {from}
"
    )
}

fn of_app(space: &Space, app: &App, rng: &mut Rng) -> Vec<String> {
    let mut objects = vec![service_account(space, app)];
    objects.push(workload(space, app, rng));
    objects.push(service(space, app));
    for part in 0..=rng.below(2) {
        objects.push(config_map(space, app, part, rng));
    }
    if rng.percent(50) {
        objects.push(secret(space, app, rng));
    }
    if !app.stateful {
        objects.push(autoscaler(space, app, rng));
        objects.push(disruption_budget(space, app));
    }
    if rng.percent(35) {
        objects.extend(rbac(space, app, rng));
    }
    objects.push(network_policy(space, app, rng));
    if space.meshed {
        objects.push(authorization(space, app, rng));
    }
    if app.exposed {
        objects.push(route(space, app));
    }
    if rng.percent(30) {
        objects.push(cron_job(space, app, rng));
    }
    if rng.percent(45) {
        objects.push(service_monitor(space, app));
    }
    if rng.percent(12) {
        objects.push(custom(space, app, rng));
    }
    objects
}
