//! The controls, each in upstream's order of ids.

use super::report::{Setters, plural, quoted};
use super::{Control, Failure, Form, Level, Violation};
use crate::model::container::{Container, Pod, RESTRICTED_VOLUMES, SecurityContext, Volume};
use crate::model::fields::Sourced;

pub(super) static CONTROLS: [Control; 19] = [
    baseline("appArmorProfile", &[Form { from: 0, judge: app_armor }]),
    baseline("capabilities_baseline", &[Form { from: 0, judge: capabilities_baseline }]),
    baseline("hostNamespaces", &[Form { from: 0, judge: host_namespaces }]),
    baseline("hostPathVolumes", &[Form { from: 0, judge: host_path_volumes }]),
    baseline("hostPorts", &[Form { from: 0, judge: host_ports }]),
    baseline("hostProbesAndHostLifecycle", &[Form { from: 34, judge: probe_hosts }]),
    baseline("privileged", &[Form { from: 0, judge: privileged }]),
    baseline(
        "procMount",
        &[Form { from: 0, judge: proc_mount }, Form { from: 35, judge: proc_mount_relaxed }],
    ),
    baseline(
        "seLinuxOptions",
        &[
            Form { from: 0, judge: |pod| se_linux(pod, false) },
            Form { from: 31, judge: |pod| se_linux(pod, true) },
        ],
    ),
    baseline(
        "seccompProfile_baseline",
        &[Form { from: 0, judge: seccomp_annotations }, Form { from: 19, judge: seccomp_bad }],
    ),
    baseline(
        "sysctls",
        &[
            Form { from: 0, judge: |pod| sysctls(pod, 5) },
            Form { from: 27, judge: |pod| sysctls(pod, 6) },
            Form { from: 29, judge: |pod| sysctls(pod, 10) },
            Form { from: 32, judge: |pod| sysctls(pod, 12) },
            Form { from: 37, judge: |pod| sysctls(pod, 14) },
        ],
    ),
    baseline("windowsHostProcess", &[Form { from: 0, judge: windows_host_process }]),
    restricted(
        "allowPrivilegeEscalation",
        &[
            Form { from: 8, judge: privilege_escalation },
            Form { from: 25, judge: |pod| unless_windows(pod, privilege_escalation) },
        ],
        &[],
    ),
    restricted(
        "capabilities_restricted",
        &[
            Form { from: 22, judge: capabilities_restricted },
            Form { from: 25, judge: |pod| unless_windows(pod, capabilities_restricted) },
        ],
        &["capabilities_baseline"],
    ),
    restricted("procMount_restricted", &[Form { from: 35, judge: proc_mount }], &["procMount"]),
    restricted(
        "restrictedVolumes",
        &[Form { from: 0, judge: restricted_volumes }],
        &["hostPathVolumes"],
    ),
    restricted(
        "runAsNonRoot",
        &[
            Form { from: 0, judge: run_as_non_root },
            Form { from: 35, judge: |pod| unless_user_namespace(pod, run_as_non_root) },
        ],
        &[],
    ),
    restricted(
        "runAsUser",
        &[
            Form { from: 23, judge: run_as_user },
            Form { from: 35, judge: |pod| unless_user_namespace(pod, run_as_user) },
        ],
        &[],
    ),
    restricted(
        "seccompProfile_restricted",
        &[
            Form { from: 19, judge: seccomp_restricted },
            Form { from: 25, judge: |pod| unless_windows(pod, seccomp_restricted) },
        ],
        &["seccompProfile_baseline"],
    ),
];

const fn baseline(id: &'static str, forms: &'static [Form]) -> Control {
    Control { id, level: Level::Baseline, forms, overrides: &[] }
}

const fn restricted(
    id: &'static str,
    forms: &'static [Form],
    overrides: &'static [&'static str],
) -> Control {
    Control { id, level: Level::Restricted, forms, overrides }
}

fn unless_windows(pod: &Pod, judge: fn(&Pod) -> Option<Failure>) -> Option<Failure> {
    if pod.is_windows() { None } else { judge(pod) }
}

fn unless_user_namespace(pod: &Pod, judge: fn(&Pod) -> Option<Failure>) -> Option<Failure> {
    if pod.has_user_namespace() { None } else { judge(pod) }
}

const APP_ARMOR_ANNOTATION: &str = "container.apparmor.security.beta.kubernetes.io/";

fn app_armor(pod: &Pod) -> Option<Failure> {
    let refused = |profile: &Sourced<String>| {
        !matches!(profile.value.as_str(), "RuntimeDefault" | "Localhost")
    };
    let setters = set_by(pod, |security| security.app_armor.as_ref(), refused);
    let mut annotations: Vec<_> = pod
        .annotations
        .iter()
        .filter(|a| a.key.starts_with(APP_ARMOR_ANNOTATION))
        .filter(|a| {
            let value = a.value.as_str();
            !(value.is_empty() || value == "runtime/default" || value.starts_with("localhost/"))
        })
        .map(|a| (go_quoted(&a.key, &a.value), a.span, a.value.clone()))
        .collect();
    if setters.is_empty() && annotations.is_empty() {
        return None;
    }
    annotations.sort();
    let mut who = setters.setters();
    if !annotations.is_empty() {
        who.push(plural("annotation", "annotations", annotations.len()).to_owned());
    }
    let values: Vec<String> =
        setters.values().iter().cloned().chain(annotations.iter().map(|a| a.0.clone())).collect();
    let reason = plural("forbidden AppArmor profile", "forbidden AppArmor profiles", values.len());
    let values = quoted(values.iter().map(String::as_str));
    let detail = format!("{} must not set AppArmor profile type to {values}", who.join(" and "));
    let mut violations = setters.into_violations();
    let written = annotations.into_iter();
    violations.extend(written.map(|(_, span, found)| Violation {
        container: None,
        span,
        found,
        missing: false,
    }));
    Some(Failure { reason: reason.to_owned(), detail, violations })
}

/// `key="value"` as Go's `%q` writes it.
fn go_quoted(key: &str, value: &str) -> String {
    let mut text = format!("{key}=\"");
    for character in value.chars() {
        match character {
            '"' | '\\' => text.extend(['\\', character]),
            '\x07' => text.push_str("\\a"),
            '\x08' => text.push_str("\\b"),
            '\x0b' => text.push_str("\\v"),
            '\x0c' => text.push_str("\\f"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\0'..=' ' | '\x7f' if character != ' ' => {
                text.push_str(&format!("\\x{:02x}", u32::from(character)));
            }
            _ => text.push(character),
        }
    }
    text.push('"');
    text
}

/// The pod and the containers whose setting is written and refused.
fn set_by<'p, T: ToString + 'p>(
    pod: &'p Pod,
    of: impl Fn(&'p SecurityContext) -> Option<&'p Sourced<T>>,
    refused: impl Fn(&Sourced<T>) -> bool,
) -> Setters<'p> {
    let mut setters = Setters::new(pod);
    if let Some(value) = of(&pod.security).filter(|value| refused(value)) {
        setters.pod(value.span, &value.value.to_string());
    }
    setters.visit(|setters, index, container| {
        if let Some(value) = of(&container.security).filter(|value| refused(value)) {
            setters.container(index, value.span, &value.value.to_string());
        }
    })
}

const BASELINE_CAPABILITIES: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

fn added_beyond<'p>(pod: &'p Pod, allowed: &[&str]) -> Setters<'p> {
    Setters::new(pod).visit(|setters, index, container| {
        let added = container.security.added.iter();
        for capability in added.filter(|c| !allowed.contains(&c.value.as_str())) {
            setters.container(index, capability.span, &capability.value);
        }
    })
}

fn must_not_add(added: &Setters<'_>) -> String {
    let (who, what) = (added.containers(), added.quoted_values());
    format!("{who} must not include {what} in securityContext.capabilities.add")
}

fn capabilities_baseline(pod: &Pod) -> Option<Failure> {
    let added = added_beyond(pod, &BASELINE_CAPABILITIES);
    let detail = must_not_add(&added);
    (!added.is_empty()).then(|| added.fail("non-default capabilities", detail))
}

fn capabilities_restricted(pod: &Pod) -> Option<Failure> {
    let kept = Setters::new(pod).visit(|setters, index, container| {
        if !container.security.dropped.iter().any(|c| c.value == "ALL") {
            setters.lacks(index, drop_place(container));
        }
    });
    let added = added_beyond(pod, &["NET_BIND_SERVICE"]);
    let mut details = Vec::new();
    if !kept.is_empty() {
        let who = kept.containers();
        details.push(format!("{who} must set securityContext.capabilities.drop=[\"ALL\"]"));
    }
    if !added.is_empty() {
        details.push(must_not_add(&added));
    }
    if details.is_empty() {
        return None;
    }
    let mut violations = kept.into_violations();
    violations.extend(added.into_violations());
    let reason = "unrestricted capabilities".to_owned();
    Some(Failure { reason, detail: details.join("; "), violations })
}

/// Where a missing `drop` belongs.
fn drop_place(container: &Container) -> crate::document::Span {
    let security = &container.security;
    let listed = security.dropped.first().map(|first| first.span);
    listed.or(security.capabilities).or(security.span).unwrap_or(container.head)
}

fn host_namespaces(pod: &Pod) -> Option<Failure> {
    let fields = [
        ("hostNetwork=true", &pod.host_network),
        ("hostPID=true", &pod.host_pid),
        ("hostIPC=true", &pod.host_ipc),
    ];
    let set = fields.into_iter().filter_map(|(word, field)| {
        let field = field.as_ref().filter(|field| field.value)?;
        let violation =
            Violation { container: None, span: field.span, found: word.to_owned(), missing: false };
        Some((word, violation))
    });
    let (words, violations): (Vec<&str>, Vec<Violation>) = set.unzip();
    (!words.is_empty()).then(|| Failure {
        reason: "host namespaces".to_owned(),
        detail: words.join(", "),
        violations,
    })
}

fn host_path_volumes(pod: &Pod) -> Option<Failure> {
    let volumes: Vec<_> = pod.volumes.iter().filter(|v| v.host_path.is_some()).collect();
    if volumes.is_empty() {
        return None;
    }
    let names = quoted(volumes.iter().map(|volume| volume.name.as_str()));
    let detail = format!("{} {names}", plural("volume", "volumes", volumes.len()));
    let paths = volumes.iter().filter_map(|volume| volume.host_path.as_ref());
    let violation = |path: &Sourced<String>| Violation {
        container: None,
        span: path.span,
        found: path.value.clone(),
        missing: false,
    };
    let violations = paths.map(violation).collect();
    Some(Failure { reason: "hostPath volumes".to_owned(), detail, violations })
}

fn host_ports(pod: &Pod) -> Option<Failure> {
    let bound = Setters::new(pod).visit(|setters, index, container| {
        let ports = container.ports.iter().filter_map(|port| port.host_port.as_ref());
        for port in ports.filter(|port| port.value != 0) {
            setters.container(index, port.span, &port.value.to_string());
        }
    });
    if bound.is_empty() {
        return None;
    }
    let detail = format!(
        "{} {} {} {}",
        bound.containers(),
        plural("uses", "use", bound.count()),
        plural("hostPort", "hostPorts", bound.values().len()),
        bound.values().iter().cloned().collect::<Vec<_>>().join(", "),
    );
    Some(bound.fail("hostPort", detail))
}

fn probe_hosts(pod: &Pod) -> Option<Failure> {
    let named = Setters::new(pod).visit(|setters, index, container| {
        for host in &container.probe_hosts {
            setters.container(index, host.span, &host.value);
        }
    });
    if named.is_empty() {
        return None;
    }
    let (who, count) = named.container_set();
    let detail = format!(
        "{who} {} {} {}",
        plural("uses", "use", count),
        plural("probe or lifecycle host", "probe or lifecycle hosts", named.values().len()),
        named.quoted_values(),
    );
    Some(named.fail("probe or lifecycle host", detail))
}

fn privileged(pod: &Pod) -> Option<Failure> {
    let set = Setters::new(pod).visit(|setters, index, container| {
        if let Some(flag) = container.security.privileged.as_ref().filter(|flag| flag.value) {
            setters.container(index, flag.span, "true");
        }
    });
    let detail = format!("{} must not set securityContext.privileged=true", set.containers());
    (!set.is_empty()).then(|| set.fail("privileged", detail))
}

fn proc_mount(pod: &Pod) -> Option<Failure> {
    let set = Setters::new(pod).visit(|setters, index, container| {
        let mount = container.security.proc_mount.as_ref();
        if let Some(mount) = mount.filter(|mount| mount.value != "Default") {
            setters.container(index, mount.span, &mount.value);
        }
    });
    let (who, values) = (set.containers(), set.quoted_values());
    let detail = format!("{who} must not set securityContext.procMount to {values}");
    (!set.is_empty()).then(|| set.fail("procMount", detail))
}

fn proc_mount_relaxed(pod: &Pod) -> Option<Failure> {
    unless_user_namespace(pod, proc_mount)
}

fn se_linux(pod: &Pod, engine: bool) -> Option<Failure> {
    let allowed = |kind: &str| {
        matches!(kind, "" | "container_t" | "container_init_t" | "container_kvm_t")
            || engine && kind == "container_engine_t"
    };
    let (mut kinds, mut user, mut role) = (std::collections::BTreeSet::new(), false, false);
    let mut refused = |options: &crate::model::container::SeLinux| {
        let bad_kind = !allowed(&options.kind);
        if bad_kind {
            kinds.insert(options.kind.clone());
        }
        user |= !options.user.is_empty();
        role |= !options.role.is_empty();
        bad_kind || !options.user.is_empty() || !options.role.is_empty()
    };
    let mut setters = Setters::new(pod);
    if let Some(options) = pod.security.se_linux.as_ref().filter(|options| refused(options)) {
        setters.pod(options.span, &options.kind);
    }
    let setters = setters.visit(|setters, index, container| {
        let options = container.security.se_linux.as_ref();
        if let Some(options) = options.filter(|options| refused(options)) {
            setters.container(index, options.span, &options.kind);
        }
    });
    if setters.is_empty() {
        return None;
    }
    let mut what = Vec::new();
    if !kinds.is_empty() {
        let names = quoted(kinds.iter().map(String::as_str));
        what.push(format!("{} {names}", plural("type", "types", kinds.len())));
    }
    what.extend(user.then(|| "user may not be set".to_owned()));
    what.extend(role.then(|| "role may not be set".to_owned()));
    let who = setters.setters().join(" and ");
    let what = what.join("; ");
    let detail = format!("{who} set forbidden securityContext.seLinuxOptions: {what}");
    Some(setters.fail("seLinuxOptions", detail))
}

const SECCOMP_POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";

fn seccomp_annotations(pod: &Pod) -> Option<Failure> {
    let allowed = |value: &str| {
        value == "runtime/default" || value == "docker/default" || value.starts_with("localhost/")
    };
    let of_containers = pod.containers.iter().map(|c| format!("{SECCOMP_CONTAINER}{}", c.name));
    let keys = std::iter::once(SECCOMP_POD.to_owned()).chain(of_containers);
    let mut refused: Vec<_> = keys
        .filter_map(|key| pod.annotations.get(&key))
        .filter(|annotation| !allowed(&annotation.value))
        .map(|annotation| {
            let violation = Violation {
                container: None,
                span: annotation.span,
                found: annotation.value.clone(),
                missing: false,
            };
            (go_quoted(&annotation.key, &annotation.value), violation)
        })
        .collect();
    refused.sort_by(|a, b| a.0.cmp(&b.0));
    refused.dedup_by(|a, b| a.0 == b.0);
    if refused.is_empty() {
        return None;
    }
    let (texts, violations): (Vec<String>, Vec<Violation>) = refused.into_iter().unzip();
    let word = plural("annotation", "annotations", texts.len());
    let detail = format!("forbidden {word} {}", texts.join(", "));
    Some(Failure { reason: "seccompProfile".to_owned(), detail, violations })
}

fn seccomp_refused(profile: &Sourced<String>) -> bool {
    !matches!(profile.value.as_str(), "RuntimeDefault" | "Localhost")
}

fn seccomp_bad(pod: &Pod) -> Option<Failure> {
    let set = set_by(pod, |security| security.seccomp.as_ref(), seccomp_refused);
    if set.is_empty() {
        return None;
    }
    let (who, values) = (set.setters().join(" and "), set.quoted_values());
    let detail = format!("{who} must not set securityContext.seccompProfile.type to {values}");
    Some(set.fail("seccompProfile", detail))
}

fn seccomp_restricted(pod: &Pod) -> Option<Failure> {
    let unset = if pod.security.seccomp.is_some() {
        Setters::new(pod)
    } else {
        unset_in(pod, |security| security.seccomp.is_some())
    };
    if let Some(mut failure) = seccomp_bad(pod) {
        failure.violations.extend(unset.into_violations());
        return Some(failure);
    }
    let who = unset.containers();
    let detail = format!(
        "pod or {who} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \
         \"Localhost\""
    );
    (!unset.is_empty()).then(|| unset.fail("seccompProfile", detail))
}

/// The containers that lack a setting of their own.
fn unset_in(pod: &Pod, is_set: impl Fn(&SecurityContext) -> bool) -> Setters<'_> {
    Setters::new(pod).visit(|setters, index, container| {
        if !is_set(&container.security) {
            setters.lacks(index, container.head);
        }
    })
}

/// Sysctls in the order in which versions added them.
const SYSCTLS: [&str; 14] = [
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
    "net.ipv4.tcp_slow_start_after_idle",
    "net.ipv4.tcp_notsent_lowat",
];

fn sysctls(pod: &Pod, known: usize) -> Option<Failure> {
    let allowed = SYSCTLS.get(..known).unwrap_or_default();
    let refused = pod.sysctls.iter().filter(|sysctl| !allowed.contains(&sysctl.value.as_str()));
    let violations: Vec<Violation> = refused
        .map(|sysctl| Violation {
            container: None,
            span: sysctl.span,
            found: sysctl.value.clone(),
            missing: false,
        })
        .collect();
    let names: Vec<&str> = violations.iter().map(|v| v.found.as_str()).collect();
    let detail = names.join(", ");
    (!violations.is_empty()).then(|| Failure {
        reason: "forbidden sysctls".to_owned(),
        detail,
        violations,
    })
}

fn windows_host_process(pod: &Pod) -> Option<Failure> {
    let set = set_by(pod, |security| security.host_process.as_ref(), |process| process.value);
    let who = set.setters().join(" and ");
    let detail = format!("{who} must not set securityContext.windowsOptions.hostProcess=true");
    (!set.is_empty()).then(|| set.fail("hostProcess", detail))
}

fn privilege_escalation(pod: &Pod) -> Option<Failure> {
    let open = Setters::new(pod).visit(|setters, index, container| {
        match &container.security.allow_privilege_escalation {
            Some(flag) if !flag.value => {}
            Some(flag) => setters.container(index, flag.span, "true"),
            None => setters.lacks(index, container.head),
        }
    });
    let who = open.containers();
    let detail = format!("{who} must set securityContext.allowPrivilegeEscalation=false");
    (!open.is_empty()).then(|| open.fail("allowPrivilegeEscalation != false", detail))
}

fn restricted_volumes(pod: &Pod) -> Option<Failure> {
    let refused: Vec<_> = pod
        .volumes
        .iter()
        .filter(|volume| !RESTRICTED_VOLUMES.contains(&volume.source.as_str()))
        .collect();
    if refused.is_empty() {
        return None;
    }
    let types: std::collections::BTreeSet<&str> =
        refused.iter().map(|volume| volume.source.as_str()).collect();
    let detail = format!(
        "{} {} {} {} {}",
        plural("volume", "volumes", refused.len()),
        quoted(refused.iter().map(|volume| volume.name.as_str())),
        plural("uses", "use", refused.len()),
        plural("restricted volume type", "restricted volume types", types.len()),
        quoted(types),
    );
    let violation = |volume: &&Volume| Violation {
        container: None,
        span: volume.span,
        found: volume.source.clone(),
        missing: false,
    };
    let violations = refused.iter().map(violation).collect();
    Some(Failure { reason: "restricted volume types".to_owned(), detail, violations })
}

fn run_as_non_root(pod: &Pod) -> Option<Failure> {
    let set = set_by(pod, |security| security.run_as_non_root.as_ref(), |flag| !flag.value);
    let unset = if pod.security.run_as_non_root.is_some() {
        Setters::new(pod)
    } else {
        unset_in(pod, |security| security.run_as_non_root.is_some())
    };
    if !set.is_empty() {
        let who = set.setters().join(" and ");
        let detail = format!("{who} must not set securityContext.runAsNonRoot=false");
        let mut failure = set.fail("runAsNonRoot != true", detail);
        failure.violations.extend(unset.into_violations());
        return Some(failure);
    }
    let who = unset.containers();
    let detail = format!("pod or {who} must set securityContext.runAsNonRoot=true");
    (!unset.is_empty()).then(|| unset.fail("runAsNonRoot != true", detail))
}

fn run_as_user(pod: &Pod) -> Option<Failure> {
    let set = set_by(pod, |security| security.run_as_user.as_ref(), |user| user.value == 0);
    let who = set.setters().join(" and ");
    let detail = format!("{who} must not set runAsUser=0");
    (!set.is_empty()).then(|| set.fail("runAsUser=0", detail))
}
