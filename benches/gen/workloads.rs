//! Objects that carry pods.

use super::{App, Rng, Space, head, indented};

fn container(name: &str, app: &App, rng: &mut Rng) -> String {
    let App { name: of, port, version, .. } = app;
    let digest = rng.hex(64);
    let mut text = format!(
        "- name: {name}
  image: registry.example.com/{of}/{name}:{version}@sha256:{digest}
  imagePullPolicy: IfNotPresent
"
    );
    if name == "main" {
        text.push_str(&format!(
            "  args:
    - --listen=:{port}
    - --config=/etc/{of}/settings.yaml
    - --log-format=json
    - --shutdown-grace-period=25s
  ports:
    - name: http
      containerPort: {port}
      protocol: TCP
    - name: metrics
      containerPort: 9090
      protocol: TCP
  livenessProbe:
    httpGet: {{path: /healthz, port: http}}
    initialDelaySeconds: 10
    periodSeconds: 15
    timeoutSeconds: 2
  readinessProbe:
    httpGet:
      path: /readyz
      port: http
    periodSeconds: 5
    failureThreshold: 3
"
        ));
    }
    text.push_str("  env:\n");
    text.extend(variables(app, rng));
    if app.careful || rng.percent(40) {
        let (cpu, memory) = (50 + 10 * rng.below(40), 64 + 32 * rng.below(20));
        text.push_str(&format!(
            "  resources:
    requests:
      cpu: {cpu}m
      memory: {memory}Mi
    limits:
      memory: {}Mi
",
            2 * memory
        ));
    }
    if app.careful {
        text.push_str(
            "  securityContext:
    allowPrivilegeEscalation: false
    readOnlyRootFilesystem: true
    capabilities:
      drop: [ALL]
",
        );
    } else if rng.percent(15) {
        text.push_str("  securityContext:\n    privileged: true # needed by the old profiler\n");
    }
    text.push_str(&format!(
        "  volumeMounts:
    - name: settings
      mountPath: /etc/{of}
      readOnly: true
    - name: scratch
      mountPath: /tmp
"
    ));
    text
}

fn variables(app: &App, rng: &mut Rng) -> Vec<String> {
    let of = &app.name;
    let mut variables = vec![
        "    - name: POD_NAME
      valueFrom:
        fieldRef: {fieldPath: metadata.name}
"
        .to_owned(),
        format!("    - {{name: LOG_LEVEL, value: {}}}\n", rng.word(&["info", "warn", "debug"])),
        format!("    - name: UPSTREAM_URL\n      value: http://{of}-upstream:8080/v1\n"),
    ];
    if rng.percent(60) {
        variables.push(format!(
            "    - name: DATABASE_PASSWORD
      valueFrom:
        secretKeyRef:
          name: {of}
          key: database-password
"
        ));
    } else if !app.careful && rng.percent(40) {
        variables
            .push(format!("    - name: DATABASE_PASSWORD\n      value: \"{}Zq!\"\n", rng.hex(12)));
    }
    for i in 0..rng.below(6) {
        variables.push(format!(
            "    - name: FEATURE_{i}_ENABLED\n      value: \"{}\"\n",
            rng.percent(50)
        ));
    }
    variables
}

/// Metadata and specification of a pod, without indentation.
fn pod(space: &Space, app: &App, rng: &mut Rng) -> String {
    let App { name: of, component, version, careful, .. } = app;
    let team = space.team;
    let mut containers = container("main", app, rng);
    if rng.percent(35) {
        containers.push_str(&container("log-forwarder", app, rng));
    }
    let mut init = String::new();
    if rng.percent(30) {
        init = format!("  initContainers:\n{}", indented(&container("migrate", app, rng), 4));
    }
    let context = if *careful {
        "  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    fsGroup: 10001
    seccompProfile:
      type: RuntimeDefault
"
    } else {
        ""
    };
    let token = if *careful { "  automountServiceAccountToken: false\n" } else { "" };
    format!(
        "metadata:
  labels:
    app.kubernetes.io/name: {of}
    app.kubernetes.io/instance: {of}-main
    app.kubernetes.io/component: {component}
    app.kubernetes.io/version: \"{version}\"
    app.kubernetes.io/part-of: {team}
  annotations:
    prometheus.io/scrape: \"true\"
    prometheus.io/port: \"9090\"
    checksum/settings: {checksum}
spec:
  serviceAccountName: {of}
{token}{context}  terminationGracePeriodSeconds: 30
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: topology.kubernetes.io/zone
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          app.kubernetes.io/name: {of}
{init}  containers:
{containers}  volumes:
    - name: settings
      configMap:
        name: {of}-settings-0
    - name: scratch
      emptyDir: {{}}
",
        checksum = rng.hex(40),
        containers = indented(&containers, 4),
    )
}

pub(super) fn workload(space: &Space, app: &App, rng: &mut Rng) -> String {
    let name = &app.name;
    let (kind, more) = if app.stateful {
        let storage = 5 + rng.below(50);
        let more = format!(
            "  serviceName: {name}
  volumeClaimTemplates:
    - metadata:
        name: data
      spec:
        accessModes: [ReadWriteOnce]
        resources:
          requests:
            storage: {storage}Gi
"
        );
        ("StatefulSet", more)
    } else {
        let more = "  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxSurge: 25%
      maxUnavailable: 0
";
        ("Deployment", more.to_owned())
    };
    let head = head("apps/v1", kind, name, space, app);
    let replicas = 1 + rng.below(5);
    let template = indented(&pod(space, app, rng), 4);
    format!(
        "{head}spec:
  replicas: {replicas}
  revisionHistoryLimit: 5
  selector:
    matchLabels:
      app.kubernetes.io/name: {name}
      app.kubernetes.io/instance: {name}-main
{more}  template:
{template}"
    )
}

pub(super) fn cron_job(space: &Space, app: &App, rng: &mut Rng) -> String {
    let head = head("batch/v1", "CronJob", &format!("{}-cleanup", app.name), space, app);
    let minute = rng.below(60);
    let template =
        indented(&pod(space, app, rng).replace("spec:\n", "spec:\n  restartPolicy: Never\n"), 8);
    format!(
        "{head}spec:
  schedule: \"{minute} 3 * * *\"
  concurrencyPolicy: Forbid
  successfulJobsHistoryLimit: 2
  jobTemplate:
    spec:
      backoffLimit: 2
      template:
{template}"
    )
}

/// An object of an operator: one that no table knows, with a pod inside or without.
pub(super) fn custom(space: &Space, app: &App, rng: &mut Rng) -> String {
    let name = &app.name;
    if rng.percent(50) {
        let head = head(
            "batching.example.com/v1alpha1",
            "BatchRunner",
            &format!("{name}-batch"),
            space,
            app,
        );
        let template = indented(&pod(space, app, rng), 6);
        return format!(
            "{head}spec:\n  queue: {name}\n  parallelism: 4\n  runner:\n    template:\n{template}"
        );
    }
    let head = head("databases.example.com/v1", "Database", &format!("{name}-db"), space, app);
    format!(
        "{head}spec:
  engine: postgres
  version: \"16.4\"
  instances: {}
  storage:
    size: {}Gi
    class: fast
  backup:
    schedule: 0 2 * * *
    retention: 14d
",
        1 + rng.below(3),
        10 * (1 + rng.below(20)),
    )
}
