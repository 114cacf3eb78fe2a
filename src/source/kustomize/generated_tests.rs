//! Trees of kustomizations made by chance, the same in every run.

/// Random choices (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 11) % u64::try_from(bound).expect("small")).expect("small")
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn word<'w>(&mut self, words: &[&'w str]) -> &'w str {
        let at = self.below(words.len());
        words.get(at).expect("below the length")
    }
}

/// A tree of kustomizations.
pub(super) struct Forest {
    pub(super) files: Vec<(String, String)>,
    pub(super) root: String,
    dice: Dice,
    /// Kind, version, name and namespace of what exists.
    objects: Vec<(&'static str, &'static str, String, String)>,
}

const NAMES: [&str; 4] = ["web", "api", "db", "web-cfg"];

const KINDS: [(&str, &str); 21] = [
    ("Deployment", "apps/v1"),
    ("Deployment", "apps/v1"),
    ("Deployment", "apps/v1"),
    ("Service", "v1"),
    ("Service", "v1"),
    ("ConfigMap", "v1"),
    ("Secret", "v1"),
    ("ServiceAccount", "v1"),
    ("Role", "rbac.authorization.k8s.io/v1"),
    ("RoleBinding", "rbac.authorization.k8s.io/v1"),
    ("ClusterRole", "rbac.authorization.k8s.io/v1"),
    ("ClusterRoleBinding", "rbac.authorization.k8s.io/v1"),
    ("NetworkPolicy", "networking.k8s.io/v1"),
    ("HorizontalPodAutoscaler", "autoscaling/v2"),
    ("Ingress", "networking.k8s.io/v1"),
    ("Namespace", "v1"),
    ("StatefulSet", "apps/v1"),
    ("CronJob", "batch/v1"),
    ("CiliumNetworkPolicy", "cilium.io/v2"),
    ("PodDisruptionBudget", "policy/v1"),
    ("ValidatingWebhookConfiguration", "admissionregistration.k8s.io/v1"),
];

impl Forest {
    /// The tree of a number.
    pub(super) fn new(case: usize) -> Self {
        let seed = u64::try_from(case).expect("few") + 1;
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        (0..5).for_each(|_| _ = dice.below(2));
        let mut forest =
            Self { files: Vec::new(), root: "overlays/prod".to_owned(), dice, objects: Vec::new() };
        let base = forest.base("base");
        let mut below = vec![base];
        if forest.dice.one_in(3) {
            below.push(forest.base("other"));
        }
        if forest.dice.one_in(3) {
            let paths: Vec<String> = below.iter().map(|name| format!("../{name}")).collect();
            forest.kustomization("mid", &paths, &[], false);
            below = vec!["mid".to_owned()];
        }
        let components: Vec<String> = if forest.dice.one_in(3) {
            forest.kustomization("component", &[], &[], true);
            vec!["../../component".to_owned()]
        } else {
            Vec::new()
        };
        let paths: Vec<String> = below.iter().map(|name| format!("../../{name}")).collect();
        forest.kustomization("overlays/prod", &paths, &components, false);
        forest
    }

    fn base(&mut self, name: &str) -> String {
        let mut text = String::new();
        for _ in 0..2 + self.dice.below(5) {
            text.push_str(&self.object());
        }
        self.files.push((format!("{name}/all.yaml"), text));
        self.kustomization(name, &["all.yaml".to_owned()], &[], false);
        name.to_owned()
    }

    fn reference(&mut self) -> String {
        self.dice.word(&NAMES).to_owned()
    }

    fn object(&mut self) -> String {
        let at = self.dice.below(KINDS.len());
        let (kind, version) = *KINDS.get(at).expect("below");
        let name = self.dice.word(&NAMES).to_owned();
        let cluster = matches!(
            kind,
            "Namespace" | "ClusterRole" | "ClusterRoleBinding" | "ValidatingWebhookConfiguration"
        );
        let namespace = match self.dice.below(4) {
            0 if !cluster => "team",
            _ => "",
        };
        let known = (kind, version, name.clone(), namespace.to_owned());
        let named = |object: &(&str, &str, String, String)| object.0 == kind && object.2 == name;
        if self.objects.iter().any(named) && !self.dice.one_in(4) {
            return String::new();
        }
        if self.objects.contains(&known) && !self.dice.one_in(20) {
            return String::new();
        }
        self.objects.push(known);
        let mut text =
            format!("---\napiVersion: {version}\nkind: {kind}\nmetadata:\n  name: {name}\n");
        if !namespace.is_empty() {
            text.push_str(&format!("  namespace: {namespace}\n"));
        }
        text.push_str(self.dice.word(&[
            "",
            "",
            "  labels: {app: web}\n",
            "  labels:\n",
            "  annotations: {}\n",
            "  annotations: {a: b}\n",
        ]));
        text.push_str(&self.body(kind));
        text
    }

    fn body(&mut self, kind: &str) -> String {
        let name = self.reference();
        match kind {
            "Deployment" | "StatefulSet" => {
                let pods = self.pods("    ");
                let more = match kind {
                    "StatefulSet" => format!("  serviceName: {name}\n  volumeClaimTemplates: [{{metadata: {{name: d}}, spec: {{storageClassName: fast}}}}]\n"),
                    _ => self.dice.word(&["", "  paused:\n", "  paused: null\n", "  strategy: {type: Recreate}\n"]).to_owned(),
                };
                let labels = self.dice.word(&["", "\n    metadata: {labels: {app: web, tier: \"1\"}}"]);
                format!("spec:\n{more}  replicas: 2\n  selector: {{matchLabels: {{app: web}}}}\n  template:{labels}\n    spec:\n{pods}")
            }
            "CronJob" => {
                let pods = self.pods("        ");
                format!("spec:\n  schedule: '* * * * *'\n  jobTemplate:\n    spec:\n      template:\n        spec:\n{pods}")
            }
            "Service" => {
                let ports = self.dice.word(&[
                    "[{port: 80}]",
                    "[{port: 80, name: a}, {port: 443, name: b}]",
                    "[{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]",
                    "[{port: 80, protocol: TCP}, {port: 443}]",
                ]);
                let selector = self.dice.word(&["", "  selector: {app: web}\n"]);
                format!("spec:\n{selector}  ports: {ports}\n")
            }
            "ConfigMap" => "data: {a: b, c: \"1\"}\n".to_owned(),
            "Secret" => self.dice.word(&["stringData: {token: abc}\n", "data: {token: YWJj}\ntype: Opaque\n"]).to_owned(),
            "ServiceAccount" => format!("imagePullSecrets: [{{name: {name}}}]\n"),
            "Role" | "ClusterRole" => {
                format!("rules: [{{apiGroups: [''], resources: [secrets], resourceNames: [{name}, x], verbs: [get]}}]\n")
            }
            "RoleBinding" | "ClusterRoleBinding" => {
                let role = if kind == "ClusterRoleBinding" { "ClusterRole" } else { self.dice.word(&["Role", "ClusterRole"]) };
                let other = self.reference();
                let namespace = self.dice.word(&["", ", namespace: team", ", namespace: default", ", namespace: else"]);
                format!("roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: {role}, name: {name}}}\nsubjects: [{{kind: ServiceAccount, name: {other}{namespace}}}, {{kind: ServiceAccount, name: default, namespace: x}}, {{kind: User, name: {other}}}]\n")
            }
            "NetworkPolicy" => self.dice.word(&[
                "spec: {podSelector: {}, policyTypes: [Ingress]}\n",
                "spec: {podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {matchLabels: {a: b}}}, {namespaceSelector: {}}]}]}\n",
                "spec: {podSelector: {matchLabels: null}, egress: [{}]}\n",
            ]).to_owned(),
            "HorizontalPodAutoscaler" => {
                format!("spec: {{scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: {name}}}}}\n")
            }
            "Ingress" => {
                let other = self.reference();
                format!("spec:\n  ingressClassName: nginx\n  tls: [{{secretName: {other}}}]\n  rules: [{{host: h, http: {{paths: [{{path: /, backend: {{service: {{name: {name}}}}}}}]}}}}]\n")
            }
            "CiliumNetworkPolicy" => "spec: {endpointSelector: {matchLabels: {app: web}}, ingress: [{fromEndpoints: [{}]}]}\n".to_owned(),
            "PodDisruptionBudget" => "spec: {selector: {matchLabels: {app: web}}}\n".to_owned(),
            "ValidatingWebhookConfiguration" => {
                format!("webhooks: [{{name: a.b.c, clientConfig: {{service: {{name: {name}, namespace: default}}}}}}]\n")
            }
            _ => String::new(),
        }
    }

    fn pods(&mut self, indent: &str) -> String {
        let [a, b, c, d] = [(); 4].map(|()| self.reference());
        let image = self.dice.word(&[
            "nginx:1.0",
            "nginx",
            "reg.io:5000/nginx@sha256:abc",
            "reg.io:5000/app:v1@sha256:abc",
        ]);
        let ports = self.dice.word(&[
            "",
            ", ports: [{containerPort: 80}, {containerPort: 81}]",
            ", ports: [{containerPort: 80, protocol: TCP}]",
        ]);
        let mut text = format!(
            "{indent}  serviceAccountName: {a}\n{indent}  containers:\n{indent}  - {{name: main, image: '{image}'{ports}, env: [{{name: A, value: x}}, {{name: B, valueFrom: {{configMapKeyRef: {{name: {b}, key: k}}}}}}], args: [x, w]}}\n"
        );
        if self.dice.one_in(2) {
            text.push_str(&format!("{indent}  - {{name: side, image: app:v1, envFrom: [{{secretRef: {{name: {c}}}}}], volumeMounts: [{{name: v, mountPath: /a}}]}}\n"));
        }
        if self.dice.one_in(2) {
            text.push_str(&format!("{indent}  volumes: [{{name: v, configMap: {{name: {d}}}}}, {{name: w, emptyDir: {{}}}}, {{name: p, projected: {{sources: [{{secret: {{name: {c}}}}}]}}}}]\n"));
        }
        if self.dice.one_in(3) {
            text.push_str(&format!("{indent}  initContainers: [{{name: init, image: nginx}}]\n{indent}  affinity: {{podAntiAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: [{{labelSelector: {{matchLabels: {{app: web}}}}, topologyKey: h}}]}}}}\n"));
        }
        text
    }

    fn kustomization(
        &mut self,
        name: &str,
        resources: &[String],
        components: &[String],
        component: bool,
    ) {
        let mut text = match component {
            true => "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n".to_owned(),
            false => String::new(),
        };
        let list = |key: &str, items: &[String]| match items.is_empty() {
            true => String::new(),
            false => format!("{key}: [{}]\n", items.join(", ")),
        };
        text.push_str(&list("resources", resources));
        text.push_str(&list("components", components));
        for (chance, part) in [
            (3, "namespace"),
            (3, "prefix"),
            (5, "suffix"),
            (4, "labels"),
            (4, "common"),
            (5, "annotations"),
            (4, "images"),
            (12, "replicas"),
            (2, "generate"),
            (4, "secret"),
            (3, "merge"),
            (3, "target"),
            (3, "json"),
            (6, "old"),
            (6, "options"),
        ] {
            if self.dice.one_in(chance) {
                let part = self.part(name, part);
                text.push_str(&part);
            }
        }
        if component {
            text.push_str("commonAnnotations: {from: component}\n");
            text = text.replacen("commonAnnotations: {note: x}\n", "", 1);
        }
        self.files.push((format!("{name}/kustomization.yaml"), text));
    }

    fn part(&mut self, at: &str, part: &str) -> String {
        match part {
            "namespace" => format!("namespace: {}\n", self.dice.word(&["team", "prod", "default"])),
            "prefix" => format!("namePrefix: {}\n", self.dice.word(&["a-", "b-", "web-"])),
            "suffix" => format!("nameSuffix: {}\n", self.dice.word(&["-x", "-cfg"])),
            "labels" => {
                let flag = self.dice.word(&[
                    "",
                    ", includeSelectors: true",
                    ", includeTemplates: true",
                    ", includeVolumeClaimTemplates: true",
                ]);
                format!("labels: [{{pairs: {{team: blue, app: other}}{flag}}}]\n")
            }
            "common" => "commonLabels: {env: prod}\n".to_owned(),
            "annotations" => "commonAnnotations: {note: x}\n".to_owned(),
            "images" => format!(
                "images: [{{name: {}, {}}}]\n",
                self.dice.word(&["nginx", "app", "reg.io:5000/app", "reg.io:5000/nginx"]),
                self.dice.word(&[
                    "newTag: v9",
                    "newName: other",
                    "digest: sha256:def",
                    "newTag: v9, newName: q/r",
                    "newTag: v9, digest: sha256:d",
                    "tagSuffix: -x"
                ])
            ),
            "replicas" => {
                let scaled = |kind: &str| matches!(kind, "Deployment" | "StatefulSet");
                let known = self.objects.iter().find(|(kind, ..)| scaled(kind));
                let name = known.map_or("web", |(_, _, name, _)| name);
                format!("replicas: [{{name: {name}, count: 5}}]\n")
            }
            "generate" | "secret" => self.generator(at, part == "secret"),
            "options" => "generatorOptions: {labels: {gen: w}, annotations: {gen: z}}\n".to_owned(),
            _ => self.patch(at, part),
        }
    }

    fn generator(&mut self, at: &str, secret: bool) -> String {
        let key = if secret { "secretGenerator" } else { "configMapGenerator" };
        let behavior = self.dice.word(&["", "", "", ", behavior: create", "", "", ""]);
        let hash = self.dice.word(&[
            "",
            ", options: {disableNameSuffixHash: true}",
            ", options: {disableNameSuffixHash: true, immutable: true, labels: {own: a}}",
        ]);
        let namespace = self.dice.word(&["", "", ", namespace: team"]);
        let name = self.dice.word(&["gen", "web", "web-cfg"]);
        let source = self.dice.word(&[
            "literals: [k=v, 'q=\"two words\"']",
            "literals: [token=abc]",
            "files: [v.txt]",
            "files: [key=v.txt]",
            "envs: [e.env]",
            "literals: [a=]",
            "files: [e.env]",
        ]);
        if !self.files.iter().any(|(file, _)| *file == format!("{at}/v.txt")) {
            self.files.push((format!("{at}/v.txt"), "some\ntext\n".to_owned()));
            self.files.push((format!("{at}/e.env"), "# note\nA=1\n\nB=x=y\nC\n".to_owned()));
        }
        format!("{key}: [{{name: {name}{namespace}{behavior}{hash}, {source}}}]\n")
    }

    fn patch(&mut self, at: &str, part: &str) -> String {
        if part == "json" || part == "old" {
            let old = part == "old";
            let key = if old { "patchesJson6902" } else { "patches" };
            let target = match old {
                true => format!(
                    "{{kind: {}, name: {}}}",
                    self.dice.word(&["Deployment", "Service", "ConfigMap"]),
                    self.reference()
                ),
                false => self.target(),
            };
            let operation = self.dice.word(&[
                "[{op: add, path: /metadata/annotations/added, value: x}]",
                "[{op: add, path: /metadata/labels/added, value: x}]",
                "[{op: add, path: /extra, value: {a: [1]}}]",
                "[{op: replace, path: /kind, value: Deployment}]",
                "[{op: replace, path: /spec/replicas, value: 7}]",
                "[{op: remove, path: /spec/replicas}]",
                "[{op: add, path: /spec/template/spec/containers/-, value: {name: late, image: nginx}}]",
                "[{op: replace, path: /spec/template/spec/containers/0/image, value: 'x:1'}]",
                "[{op: add, path: /metadata/annotations, value: {q~1r: s}}]",
                "[{op: test, path: /data/a, value: b}, {op: move, from: /data/a, path: /data/z}]",
                "[{op: copy, from: /metadata/name, path: /metadata/namespace}]",
                "[{op: add, path: /metadata/labels, value: {l: m}}]",
                "[{op: remove, path: /metadata/annotations}]",
                "[{op: add, path: /spec/ports/0, value: {port: 9}}]",
            ]);
            let operation = operation.trim_matches(['[', ']']).replace("}, {op", "}\n    - {op");
            return format!("{key}:\n- target: {target}\n  patch: |-\n    - {operation}\n");
        }
        if part == "target" && self.dice.one_in(3) {
            let target = self.target();
            let labels = self.dice.word(&["labels: {own: a}", "annotations: {own: a}", "x: w"]);
            return format!(
                "patches:\n- target: {target}\n  patch: |-\n    kind: X\n    metadata: {{name: x, {labels}}}\n"
            );
        }
        let (kind, version, name, namespace) = match self.objects.is_empty() {
            true => ("Deployment", "apps/v1", "web".to_owned(), String::new()),
            false => {
                let at = self.dice.below(self.objects.len());
                self.objects.get(at).expect("below").clone()
            }
        };
        let namespace =
            if namespace.is_empty() { String::new() } else { format!(", namespace: {namespace}") };
        let labels = self.dice.word(&[
            "",
            "",
            ", labels: {patched: 'yes'}",
            ", labels: {app: other}",
            ", annotations: {note: v}",
        ]);
        let body = self.change(kind);
        let patch = format!(
            "apiVersion: {version}\nkind: {kind}\nmetadata: {{name: {name}{namespace}{labels}}}\n{body}"
        );
        if part == "target" {
            let target = self.target();
            let lines: String = patch.lines().map(|line| format!("    {line}\n")).collect();
            return format!("patches:\n- target: {target}\n  patch: |-\n{lines}");
        }
        let file = format!("{at}/patch.yaml");
        self.files.retain(|(known, _)| *known != file);
        self.files.push((file, patch));
        self.dice
            .word(&["patchesStrategicMerge: [patch.yaml]\n", "patches: [{path: patch.yaml}]\n"])
            .to_owned()
    }

    fn target(&mut self) -> String {
        self.dice
            .word(&[
                "{kind: Deployment}",
                "{kind: Service}",
                "{name: web}",
                "{kind: 'Deploy.*|Service'}",
                "{kind: ConfigMap, name: 'web.*'}",
                "{group: apps, version: v1}",
                "{labelSelector: app=web}",
                "{kind: Deployment, namespace: team}",
                "{annotationSelector: 'a!=b', kind: Deployment}",
                "{kind: Nothing}",
            ])
            .to_owned()
    }

    fn change(&mut self, kind: &str) -> String {
        match kind {
            "Deployment" | "StatefulSet" => self.dice.word(&[
                "spec: {replicas: 9}\n",
                "spec: {template: {spec: {containers: [{name: main, image: 'new:2', env: [{name: B, $patch: delete}, {name: C, value: z}]}]}}}\n",
                "spec: {template: {spec: {containers: [{name: extra, image: e}, {name: side, $patch: delete}]}}}\n",
                "spec: {template: {spec: {containers: [{name: main, ports: [{containerPort: 81, name: h}, {containerPort: 99}]}], volumes: [{name: v, emptyDir: {}, configMap: null}, {name: n, secret: {secretName: web}}]}}}\n",
                "spec: {template: {spec: {containers: [{name: main, args: [q], command: [a, b]}], affinity: null, nodeSelector: {a: b, c: null}}}}\n",
                "spec: {selector: {matchLabels: {app: null, x: w}}, template: {metadata: {labels: {tier: '2'}}}}\n",
                "$patch: delete\n",
                "spec: {template: {spec: {serviceAccountName: api, securityContext: {runAsNonRoot: true, seccompProfile: {type: null}}}}}\n",
            ]).to_owned(),
            "Service" => self.dice.word(&["spec: {ports: [{port: 80, targetPort: 8080}]}\n", "spec: {ports: [{port: 53, protocol: UDP, name: u}, {port: 9, protocol: TCP}]}\n", "spec: {type: NodePort, selector: {a: b}}\n", "spec: {ports: null}\n"]).to_owned(),
            "ConfigMap" => self.dice.word(&["data: {a: null, z: new}\n", "data: null\n", "$patch: delete\n", "binaryData: {x: YQ==}\n"]).to_owned(),
            "CiliumNetworkPolicy" => self.dice.word(&["spec: {ingress: [{fromEntities: [world]}]}\n", "spec: {endpointSelector: {matchLabels: {app: api}}, egress: []}\n"]).to_owned(),
            "NetworkPolicy" => self.dice.word(&["spec: {policyTypes: [Egress], ingress: []}\n", "spec: {podSelector: {matchLabels: {a: b}}}\n", "spec: {ingress: null}\n"]).to_owned(),
            "ValidatingWebhookConfiguration" => "webhooks: [{name: a.b.c, failurePolicy: Fail}, {name: d.e.f, rules: [{operations: ['*']}]}]\n".to_owned(),
            "Role" | "ClusterRole" => "rules: [{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]\n".to_owned(),
            _ => self.dice.word(&["", "spec: {}\n", "extra: {list: [1, 2], deep: {a: null}}\n"]).to_owned(),
        }
    }
}
