//! Random pods: compliant or bare to begin with, then changed in the fields that controls read, at
//! every place where such a field may stand.

use serde_json::{Map, Value, json};

use super::dice::Dice;

/// A pod in two texts: as the library reads it, and as the oracle is asked about it.
pub(super) struct Case {
    /// Name of the object.
    pub(super) name: String,
    /// What the library reads.
    pub(super) ours: String,
    /// What the oracle reads. It differs for kinds that the oracle has no type for.
    pub(super) theirs: String,
}

/// Who carries a pod.
#[derive(Clone, Copy)]
pub(super) enum Carrier {
    /// Nobody: a Pod.
    Pod,
    /// Kinds of Kubernetes with a pod template.
    Known,
    /// A custom resource with a pod template somewhere inside.
    Custom,
}

const LISTS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

/// The pod with this number.
pub(super) fn case(seed: u64, number: usize, carrier: Carrier) -> Case {
    let mut dice = Dice::new(seed, number);
    let name = format!("p{number}");
    let (mut metadata, spec) = pod(&mut dice, matches!(carrier, Carrier::Custom));
    let whole = match carrier {
        Carrier::Pod | Carrier::Custom => {
            metadata.insert("name".to_owned(), json!(name));
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
        }
        Carrier::Known => {
            let template = json!({"metadata": metadata, "spec": spec});
            carried(&mut dice, &name, &template)
        }
    };
    let theirs = written(&mut dice, &whole);
    let ours = match carrier {
        Carrier::Pod | Carrier::Known => theirs.clone(),
        Carrier::Custom => {
            let template = json!({
                "metadata": whole.get("metadata"),
                "spec": whole.get("spec"),
            });
            let widget = custom(&mut dice, &name, &template);
            written(&mut dice, &widget)
        }
    };
    Case { name, ours, theirs }
}

fn written(dice: &mut Dice, object: &Value) -> String {
    match dice.below(3) {
        0 => object.to_string(),
        1 => serde_json::to_string_pretty(object).expect("it is JSON"),
        _ => serde_yaml::to_string(object).expect("it has a YAML form"),
    }
}

/// The template inside a kind that the API has. The controller's own annotations mean nothing.
fn carried(dice: &mut Dice, name: &str, template: &Value) -> Value {
    let kinds = [
        ("apps/v1", "Deployment"),
        ("apps/v1", "StatefulSet"),
        ("apps/v1", "DaemonSet"),
        ("apps/v1", "ReplicaSet"),
        ("v1", "ReplicationController"),
        ("batch/v1", "Job"),
        ("batch/v1", "CronJob"),
        ("v1", "PodTemplate"),
    ];
    let (version, kind) = *dice.pick(&kinds);
    let mut object = json!({
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name, "annotations": annotations(dice, &["a".to_owned()])},
    });
    let (key, value) = match kind {
        "PodTemplate" => ("template", template.clone()),
        "CronJob" => {
            ("spec", json!({"schedule": "@daily", "jobTemplate": {"spec": {"template": template}}}))
        }
        _ => ("spec", json!({"replicas": 1, "template": template})),
    };
    set(&mut object, key, value);
    object
}

fn custom(dice: &mut Dice, name: &str, template: &Value) -> Value {
    let spec = match dice.below(3) {
        0 => json!({"template": template}),
        1 => json!({"workers": [{"size": 3, "podTemplate": template}]}),
        _ => json!({"deep": {"er": {"template": template}}}),
    };
    let metadata = json!({"name": name, "annotations": annotations(dice, &["a".to_owned()])});
    json!({"apiVersion": "example.com/v1", "kind": "Farm", "metadata": metadata, "spec": spec})
}

fn set(object: &mut Value, key: &str, value: Value) {
    if !object.is_object() {
        *object = json!({});
    }
    object.as_object_mut().expect("it is one now").insert(key.to_owned(), value);
}

fn pod(dice: &mut Dice, plain_items: bool) -> (Map<String, Value>, Value) {
    let compliant = !dice.one_in(4);
    let by_container = dice.one_in(2);
    let mut names = Vec::new();
    let mut spec = json!({});
    for list in LISTS {
        let least = usize::from(list == "containers");
        let count = least + *dice.pick(&[0, 0, 1, 1, 2]);
        let mut items: Vec<Value> = Vec::new();
        for _ in 0..count {
            let name = *dice.pick(&["a", "b", "web", "db", "side-car", "token", "db-password"]);
            // The same name twice is refused later, but the evaluator sees it first.
            let name =
                if dice.one_in(20) { name.to_owned() } else { format!("{name}{}", names.len()) };
            names.push(name.clone());
            items.push(container(dice, &name, compliant, by_container));
        }
        if !plain_items && dice.one_in(60) && list != "containers" {
            items.push(Value::Null);
        }
        if count > 0 || dice.one_in(8) {
            let empty = if dice.one_in(2) { json!([]) } else { Value::Null };
            let value = if items.is_empty() { empty } else { Value::Array(items) };
            set(&mut spec, list, value);
        }
    }
    if compliant && !by_container {
        let context = json!({"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}});
        set(&mut spec, "securityContext", context);
    }
    let changes = *dice.pick(&[0, 1, 1, 1, 2, 2, 3, 4, 6, 9, 14, 20]);
    for _ in 0..changes {
        change_pod_or_container(dice, &mut spec);
    }
    if dice.one_in(3) {
        set(&mut spec, "hostUsers", dice.pick(&[json!(false), json!(true), Value::Null]).clone());
    }
    if dice.one_in(5) {
        set(&mut spec, "os", system(dice));
    }
    let mut metadata = Map::new();
    metadata.insert("namespace".to_owned(), json!("farm"));
    if dice.one_in(3) {
        metadata.insert("annotations".to_owned(), annotations(dice, &names));
    }
    (metadata, spec)
}

fn system(dice: &mut Dice) -> Value {
    let windows = json!({"name": "windows"});
    let odd = [json!({"name": "linux"}), json!({"name": "Windows"}), json!({}), Value::Null];
    if dice.one_in(2) { windows } else { dice.pick(&odd).clone() }
}

fn container(dice: &mut Dice, name: &str, compliant: bool, by_container: bool) -> Value {
    let mut container = json!({"name": name, "image": "registry.example/app:1"});
    if compliant {
        let mut context = json!({
            "allowPrivilegeEscalation": false,
            "capabilities": {"drop": ["ALL"]},
        });
        if by_container {
            set(&mut context, "runAsNonRoot", json!(true));
            set(
                &mut context,
                "seccompProfile",
                json!({"type": "Localhost", "localhostProfile": "p"}),
            );
        }
        set(&mut container, "securityContext", context);
    }
    if dice.one_in(6) {
        set(&mut container, "restartPolicy", json!("Always"));
    }
    container
}

fn change_pod_or_container(dice: &mut Dice, spec: &mut Value) {
    if dice.one_in(3) {
        change_pod(dice, spec);
        return;
    }
    let list = *dice.pick(&LISTS);
    let items = spec.get_mut(list).and_then(Value::as_array_mut);
    let Some(items) = items.filter(|items| !items.is_empty()) else {
        return;
    };
    let index = dice.below(items.len());
    let item = items.get_mut(index).filter(|item| item.is_object());
    if let Some(item) = item {
        change_container(dice, item);
    }
}

fn change_pod(dice: &mut Dice, spec: &mut Value) {
    match dice.below(6) {
        0 => {
            let fields = ["hostNetwork", "hostPID", "hostIPC", "HostNetwork", "hostpid"];
            let (field, value) = (*dice.pick(&fields), flag(dice));
            set(spec, field, value);
        }
        1 | 2 => {
            let volumes = (0..=dice.below(4)).map(|i| volume(dice, i)).collect::<Vec<_>>();
            set(spec, "volumes", Value::Array(volumes));
        }
        3 => {
            let names = (0..=dice.below(3)).map(|_| sysctl(dice)).collect::<Vec<_>>();
            in_context(spec, "sysctls", Value::Array(names));
        }
        _ => change_context(dice, spec),
    }
}

fn change_container(dice: &mut Dice, container: &mut Value) {
    match dice.below(12) {
        0 => in_context(container, "privileged", flag(dice)),
        1 => in_context(container, "allowPrivilegeEscalation", flag(dice)),
        2 => in_context(container, "capabilities", capabilities(dice)),
        3 => {
            let mounts = ["Default", "Unmasked", "Unmasked", "", "default", "Other"];
            let value = if dice.one_in(6) { Value::Null } else { json!(dice.pick(&mounts)) };
            in_context(container, "procMount", value);
        }
        4 => {
            let ports = (0..=dice.below(3)).map(|_| port(dice)).collect::<Vec<_>>();
            set(container, "ports", Value::Array(ports));
        }
        5 | 6 => {
            let probe = *dice.pick(&["livenessProbe", "readinessProbe", "startupProbe"]);
            set(container, probe, handler(dice));
        }
        7 => {
            let hook = *dice.pick(&["postStart", "preStop"]);
            let mut lifecycle = container.get("lifecycle").cloned().unwrap_or_else(|| json!({}));
            set(&mut lifecycle, hook, handler(dice));
            set(container, "lifecycle", lifecycle);
        }
        _ => change_context(dice, container),
    }
}

/// What both security contexts have.
fn change_context(dice: &mut Dice, holder: &mut Value) {
    match dice.below(7) {
        0 => in_context(holder, "runAsNonRoot", flag(dice)),
        1 => {
            let users =
                [json!(0), json!(0), json!(0), json!(1), json!(65534), json!(-1), Value::Null];
            in_context(holder, "runAsUser", dice.pick(&users).clone());
        }
        2 => {
            let types =
                ["RuntimeDefault", "Localhost", "Unconfined", "Unconfined", "", "runtime/default"];
            in_context(holder, "seccompProfile", profile(dice, &types));
        }
        3 => {
            let types =
                ["RuntimeDefault", "Localhost", "Unconfined", "Unconfined", "", "localhost/x"];
            in_context(holder, "appArmorProfile", profile(dice, &types));
        }
        4 => in_context(holder, "seLinuxOptions", se_linux(dice)),
        5 => {
            let options =
                if dice.one_in(8) { Value::Null } else { json!({"hostProcess": flag(dice)}) };
            in_context(holder, "windowsOptions", options);
        }
        _ if dice.one_in(3) => {
            set(holder, "securityContext", dice.pick(&[json!({}), Value::Null]).clone());
        }
        _ => {}
    }
}

fn in_context(holder: &mut Value, key: &str, value: Value) {
    let mut context = holder.get("securityContext").cloned().unwrap_or_else(|| json!({}));
    set(&mut context, key, value);
    set(holder, "securityContext", context);
}

fn flag(dice: &mut Dice) -> Value {
    dice.pick(&[json!(true), json!(true), json!(false), Value::Null]).clone()
}

fn profile(dice: &mut Dice, types: &[&str]) -> Value {
    match dice.below(8) {
        0 => json!({}),
        1 => Value::Null,
        2 => json!({"type": null, "localhostProfile": "p"}),
        _ => json!({"type": dice.pick(types)}),
    }
}

fn se_linux(dice: &mut Dice) -> Value {
    let types = [
        "container_t",
        "container_init_t",
        "container_kvm_t",
        "container_engine_t",
        "container_engine_t",
        "spc_t",
        "Container_t",
        "",
    ];
    let mut options = json!({});
    if !dice.one_in(5) {
        set(&mut options, "type", json!(dice.pick(&types)));
    }
    for key in ["user", "role", "level"] {
        if dice.one_in(6) {
            let given = [json!("system_u"), json!(""), Value::Null, json!("s0:c1"), json!(TOKEN)];
            set(&mut options, key, dice.pick(&given).clone());
        }
    }
    if dice.one_in(12) { Value::Null } else { options }
}

/// Texts that are withheld as credentials while they are read. They have to be judged all the same.
pub(super) const CREDENTIALS: [&str; 2] = [TOKEN, URL];
const TOKEN: &str = "AKIAQX7ZP3M5RT9KWL2D";
const URL: &str = "https://u:Zx9pQ7rT@db.example";

fn capabilities(dice: &mut Dice) -> Value {
    let some = [
        "NET_BIND_SERVICE",
        "NET_BIND_SERVICE",
        "CHOWN",
        "SYS_CHROOT",
        "AUDIT_WRITE",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "NET_RAW",
        "SYS_ADMIN",
        "ALL",
        "CAP_CHOWN",
        "chown",
        "",
        TOKEN,
    ];
    let mut listed = |from: &[&str]| -> Value {
        let items = (0..dice.below(4)).map(|_| match dice.below(30) {
            0 => Value::Null,
            _ => json!(dice.pick(from)),
        });
        Value::Array(items.collect())
    };
    let (add, drop) = (listed(&some), listed(&["ALL", "ALL", "ALL", "all", "NET_RAW", "CAP_ALL"]));
    match dice.below(6) {
        0 => json!({}),
        1 => json!({"drop": drop}),
        2 => json!({"add": add, "drop": null}),
        3 => json!({"add": null, "drop": drop}),
        4 => json!({"add": add, "drop": ["ALL"]}),
        _ => json!({"add": add, "drop": drop}),
    }
}

fn port(dice: &mut Dice) -> Value {
    let mut port = json!({"containerPort": 8080});
    if !dice.one_in(4) {
        let given =
            [json!(0), json!(80), json!(443), json!(8080), json!(9), json!(-1), Value::Null];
        set(&mut port, "hostPort", dice.pick(&given).clone());
    }
    if dice.one_in(5) {
        set(&mut port, "hostIP", json!("127.0.0.1"));
    }
    port
}

/// A probe or a lifecycle hook.
fn handler(dice: &mut Dice) -> Value {
    let hosts = [
        json!("127.0.0.1"),
        json!("::1"),
        json!("10.0.0.1"),
        json!("example.com"),
        json!(""),
        Value::Null,
        json!(URL),
    ];
    let mut action = json!({"port": 80});
    if !dice.one_in(4) {
        set(&mut action, "host", dice.pick(&hosts).clone());
    }
    match dice.below(8) {
        0 => json!({"exec": {"command": ["true"]}}),
        1 => json!({"grpc": {"port": 80}}),
        2 => Value::Null,
        3 => json!({"httpGet": null}),
        4 => json!({"tcpSocket": action}),
        5 => json!({"tcpSocket": action, "httpGet": {"port": 1, "host": dice.pick(&hosts)}}),
        _ => json!({"httpGet": action}),
    }
}

fn sysctl(dice: &mut Dice) -> Value {
    let names = [
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_wmem",
        "net.ipv4.tcp_slow_start_after_idle",
        "net.ipv4.tcp_slow_start_after_idle",
        "net.ipv4.tcp_notsent_lowat",
        "net.ipv4.tcp_notsent_lowat",
        "kernel.msgmax",
        "Kernel.shm_rmid_forced",
        "net/ipv4/tcp_rmem",
    ];
    match dice.below(40) {
        0 => json!({"value": "1"}),
        1 => Value::Null,
        2 => json!({"name": TOKEN, "value": "1"}),
        _ => json!({"name": dice.pick(&names), "value": "1"}),
    }
}

const SOURCES: [&str; 32] = [
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "gitRepo",
    "glusterfs",
    "hostPath",
    "image",
    "iscsi",
    "nfs",
    "persistentVolumeClaim",
    "photonPersistentDisk",
    "portworxVolume",
    "projected",
    "quobyte",
    "rbd",
    "scaleIO",
    "secret",
    "storageos",
    "vsphereVolume",
    "cephFS",
    "hostpath",
];

fn volume(dice: &mut Dice, index: usize) -> Value {
    let mut volume = json!({"name": format!("v{index}")});
    let source = *dice.pick(&SOURCES);
    match dice.below(14) {
        0 => {}
        1 => set(&mut volume, source, Value::Null),
        2 => set(&mut volume, "hostPath", json!({"path": "/"})),
        3 => return Value::Null,
        4 => {
            // Two sources are refused by validation; admission looks before that.
            set(&mut volume, "hostPath", json!({}));
            set(&mut volume, source, json!({}));
        }
        _ => set(&mut volume, source, json!({})),
    }
    volume
}

fn annotations(dice: &mut Dice, names: &[String]) -> Value {
    let app_armor = "container.apparmor.security.beta.kubernetes.io/";
    let pod = "seccomp.security.alpha.kubernetes.io/pod";
    let seccomp = "container.seccomp.security.alpha.kubernetes.io/";
    let values = [
        "runtime/default",
        "docker/default",
        "localhost/x",
        "localhost",
        "unconfined",
        "unconfined",
        "",
        "Unconfined",
        "say \"no\" \\ twice",
        "two\nlines\tand a tab",
        "\u{e9}t\u{e9} \u{1f512}",
        "Zx9pQ7rTk2Vb8Nm4",
        TOKEN,
    ];
    let mut annotations = json!({});
    for _ in 0..=dice.below(3) {
        let name = match dice.below(6) {
            0 => "nobody",
            1 => "",
            _ => dice.pick(names),
        };
        let key = match dice.below(3) {
            0 => format!("{app_armor}{name}"),
            1 => pod.to_owned(),
            _ => format!("{seccomp}{name}"),
        };
        set(&mut annotations, &key, json!(dice.pick(&values)));
    }
    annotations
}
