//! What stands around the pods of an application.

use super::{App, Rng, Space, head, indented};

pub(super) fn service_account(space: &Space, app: &App) -> String {
    let head = head("v1", "ServiceAccount", &app.name, space, app);
    format!(
        "# Identity of {} in the mesh and towards the API server.\n{head}automountServiceAccountToken: false\n",
        app.name
    )
}

pub(super) fn service(space: &Space, app: &App) -> String {
    let App { name, port, stateful, .. } = app;
    let head = head("v1", "Service", name, space, app);
    let headless = if *stateful { "  clusterIP: None\n" } else { "" };
    format!(
        "{head}spec:
  type: ClusterIP
{headless}  selector:
    app.kubernetes.io/name: {name}
    app.kubernetes.io/instance: {name}-main
  ports:
    - name: http
      port: 80
      targetPort: http
      protocol: TCP
      appProtocol: http
    # Scraped by the platform's Prometheus, never by other applications.
    - name: metrics
      port: {port}
      targetPort: metrics
      protocol: TCP
"
    )
}

pub(super) fn config_map(space: &Space, app: &App, part: usize, rng: &mut Rng) -> String {
    let App { name, port, version, .. } = app;
    let head = head("v1", "ConfigMap", &format!("{name}-settings-{part}"), space, app);
    let mut settings = format!(
        "server:
  listen: 0.0.0.0:{port}
  read-timeout: 5s
  write-timeout: 30s
upstreams:
  - name: {name}-upstream
    url: http://{name}-upstream.{}.svc.cluster.local:8080/v1
    retries: 3
logging:
  format: json
  level: info
",
        space.name
    );
    for i in 0..10 + rng.below(30) {
        let (low, high) = (rng.below(500), 500 + rng.below(5000));
        settings.push_str(&format!(
            "  # bucket {i} of the latency histogram\n  bucket-{i}: {{from: {low}ms, to: {high}ms}}\n"
        ));
    }
    format!(
        "{head}data:
  release: \"{version}\"
  region: {}
  settings.yaml: |
{}  application.properties: |
    spring.application.name={name}
    server.port={port}
    management.endpoints.web.exposure.include=health,info,prometheus
    cache.maximum-size={}
",
        rng.word(&["eu-central-1", "eu-west-1", "us-east-2"]),
        indented(&settings, 4),
        100 * rng.below(50),
    )
}

pub(super) fn secret(space: &Space, app: &App, rng: &mut Rng) -> String {
    let head = head("v1", "Secret", &app.name, space, app);
    if app.careful {
        return format!(
            "# Filled in by the secret store; the value here is never used.
{head}type: Opaque
stringData:
  database-password: ${{DATABASE_PASSWORD}}
"
        );
    }
    let value = format!("{}{}==", rng.hex(20), rng.hex(2));
    format!("{head}type: Opaque\ndata:\n  database-password: {value}\n")
}

pub(super) fn autoscaler(space: &Space, app: &App, rng: &mut Rng) -> String {
    let head = head("autoscaling/v2", "HorizontalPodAutoscaler", &app.name, space, app);
    let (most, cpu) = (4 + rng.below(12), 50 + rng.below(40));
    format!(
        "{head}spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {}
  minReplicas: 2
  maxReplicas: {most}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: {cpu}
  behavior:
    scaleDown:
      stabilizationWindowSeconds: 300
      policies:
        - {{type: Percent, value: 25, periodSeconds: 60}}
",
        app.name
    )
}

pub(super) fn disruption_budget(space: &Space, app: &App) -> String {
    let head = head("policy/v1", "PodDisruptionBudget", &app.name, space, app);
    format!(
        "{head}spec:
  maxUnavailable: 1
  selector:
    matchLabels:
      app.kubernetes.io/name: {}
",
        app.name
    )
}

pub(super) fn rbac(space: &Space, app: &App, rng: &mut Rng) -> [String; 2] {
    let api = "rbac.authorization.k8s.io/v1";
    let (name, namespace) = (&app.name, &space.name);
    let resources = if app.careful || rng.percent(60) { "configmaps" } else { "secrets" };
    let role = head(api, "Role", name, space, app);
    let binding = head(api, "RoleBinding", name, space, app);
    [
        format!(
            "{role}rules:
  - apiGroups: [\"\"]
    resources: [{resources}]
    verbs: [get, list, watch]
  - apiGroups: [coordination.k8s.io]
    resources: [leases]
    resourceNames: [{name}]
    verbs: [get, update]
"
        ),
        format!(
            "{binding}roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {name}
subjects:
  - kind: ServiceAccount
    name: {name}
    namespace: {namespace}
"
        ),
    ]
}

pub(super) fn network_policy(space: &Space, app: &App, rng: &mut Rng) -> String {
    let App { name, port, .. } = app;
    let peer = rng.word(&["api", "gateway", "frontend", "worker"]);
    if space.cilium {
        return cilium_policy(space, app, peer, rng);
    }
    let head = head("networking.k8s.io/v1", "NetworkPolicy", name, space, app);
    let outside = if app.careful || rng.percent(50) {
        "198.51.100.0/24\n"
    } else {
        "0.0.0.0/0\n            except: [10.0.0.0/8, 169.254.169.254/32]\n"
    };
    format!(
        "{head}spec:
  podSelector:
    matchLabels:
      app.kubernetes.io/name: {name}
  policyTypes: [Ingress, Egress]
  ingress:
    # Callers inside the namespace.
    - from:
        - podSelector:
            matchLabels:
              app.kubernetes.io/component: {peer}
      ports:
        - {{port: {port}, protocol: TCP}}
    - from:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: monitoring
          podSelector:
            matchLabels: {{app.kubernetes.io/name: prometheus}}
      ports:
        - port: metrics
          protocol: TCP
  egress:
    - to:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: kube-system
      ports:
        - {{port: 53, protocol: UDP}}
        - {{port: 53, protocol: TCP}}
    - to:
        - ipBlock:
            cidr: {outside}      ports:
        - {{port: 443, protocol: TCP}}
"
    )
}

fn cilium_policy(space: &Space, app: &App, peer: &str, rng: &mut Rng) -> String {
    let App { name, port, .. } = app;
    let head = head("cilium.io/v2", "CiliumNetworkPolicy", name, space, app);
    let outside = rng.word(&["api.partner.example.net", "*.storage.example.org"]);
    let field = if outside.starts_with('*') { "matchPattern" } else { "matchName" };
    format!(
        "{head}spec:
  description: What {name} may receive and send.
  endpointSelector:
    matchLabels:
      app.kubernetes.io/name: {name}
  ingress:
    - fromEndpoints:
        - matchLabels:
            app.kubernetes.io/component: {peer}
      toPorts:
        - ports:
            - port: \"{port}\"
              protocol: TCP
          rules:
            http:
              - method: GET
                path: /v1/.*
              - method: POST
                path: /v1/{name}
    - fromEndpoints:
        - matchLabels:
            k8s:io.kubernetes.pod.namespace: monitoring
      toPorts:
        - ports: [{{port: \"9090\", protocol: TCP}}]
  egress:
    - toFQDNs:
        - {field}: \"{outside}\"
      toPorts:
        - ports:
            - {{port: \"443\", protocol: TCP}}
"
    )
}

pub(super) fn authorization(space: &Space, app: &App, rng: &mut Rng) -> String {
    let App { name, port, .. } = app;
    let head = head("security.istio.io/v1", "AuthorizationPolicy", name, space, app);
    let caller = rng.word(&["edge", "gateway", "worker"]);
    format!(
        "{head}spec:
  selector:
    matchLabels:
      app.kubernetes.io/name: {name}
  action: ALLOW
  rules:
    - from:
        - source:
            principals:
              - cluster.local/ns/{}/sa/{}-{caller}
      to:
        - operation:
            ports: [\"{port}\"]
            methods: [GET, POST]
            paths: [/v1/*]
      when:
        - key: request.headers[x-request-source]
          values: [internal]
",
        space.name, space.team
    )
}

pub(super) fn route(space: &Space, app: &App) -> String {
    let name = &app.name;
    let head = head("gateway.networking.k8s.io/v1", "HTTPRoute", name, space, app);
    format!(
        "{head}spec:
  parentRefs:
    - name: edge
      sectionName: https
  hostnames:
    - {name}.{}.example.com
  rules:
    - matches:
        - path: {{type: PathPrefix, value: /v1}}
      filters:
        - type: RequestHeaderModifier
          requestHeaderModifier:
            set:
              - {{name: x-request-source, value: edge}}
            remove: [x-forwarded-user]
      backendRefs:
        - name: {name}
          port: 80
      timeouts:
        request: 10s
",
        space.team
    )
}

pub(super) fn service_monitor(space: &Space, app: &App) -> String {
    let head = head("monitoring.coreos.com/v1", "ServiceMonitor", &app.name, space, app);
    format!(
        "{head}spec:
  selector:
    matchLabels:
      app.kubernetes.io/name: {}
  endpoints:
    - port: metrics
      interval: 30s
      scrapeTimeout: 10s
      metricRelabelings:
        - sourceLabels: [__name__]
          regex: go_gc_duration_seconds.*
          action: drop
",
        app.name
    )
}
