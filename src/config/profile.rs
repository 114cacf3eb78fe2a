//! Declared facts about the platform. What is not declared is assumed, and the assumption printed.

use ipnet::IpNet;

/// The network plugin, which decides what some policies mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cni {
    /// Cilium.
    Cilium,
    /// Calico.
    Calico,
    /// Antrea.
    Antrea,
    /// OVN-Kubernetes.
    Ovn,
    /// One that honours every policy kind of Kubernetes and no vendor's.
    Generic,
    /// None that enforces policies.
    None,
}

impl Cni {
    /// Every plugin that can be declared.
    pub const ALL: [Self; 6] =
        [Self::Cilium, Self::Calico, Self::Antrea, Self::Ovn, Self::Generic, Self::None];

    /// The word of configuration and outputs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Cilium => "cilium",
            Self::Calico => "calico",
            Self::Antrea => "antrea",
            Self::Ovn => "ovn",
            Self::Generic => "generic",
            Self::None => "none",
        }
    }
}

/// The mesh that workloads are enrolled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mesh {
    /// Istio with a proxy in each pod.
    Sidecar,
    /// Istio with ztunnel and waypoints.
    Ambient,
    /// No mesh.
    None,
}

impl Mesh {
    /// Every mesh that can be declared.
    pub const ALL: [Self; 3] = [Self::Sidecar, Self::Ambient, Self::None];

    /// The word of configuration and outputs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sidecar => "sidecar",
            Self::Ambient => "ambient",
            Self::None => "none",
        }
    }
}

/// What `platform:` of palisade.yaml declares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Network plugin.
    pub cni: Option<Cni>,
    /// Its version as declared.
    pub cni_version: Option<String>,
    /// Mesh.
    pub mesh: Option<Mesh>,
    /// The mesh's root namespace.
    pub root_namespace: Option<String>,
    /// The mesh's trust domain.
    pub trust_domain: Option<String>,
    /// Addresses of pods.
    pub pod_cidrs: Vec<IpNet>,
    /// Kubernetes version, as minor number of v1.
    pub kubernetes_minor: Option<u32>,
}

impl Profile {
    /// The mesh's root namespace, Istio's default where none is declared.
    #[must_use]
    pub fn root_namespace(&self) -> &str {
        self.root_namespace.as_deref().unwrap_or("istio-system")
    }

    /// The mesh's trust domain, Istio's default where none is declared.
    #[must_use]
    pub fn trust_domain(&self) -> &str {
        self.trust_domain.as_deref().unwrap_or("cluster.local")
    }
}

/// The minor number of a Kubernetes version: `1.34`, `v1.34`, `1.34.2`, `v1.34.2-gke.1`.
#[must_use]
pub fn kubernetes_minor(version: &str) -> Option<u32> {
    let rest = version.strip_prefix('v').unwrap_or(version).strip_prefix("1.")?;
    let (minor, patch) = match rest.split_once('.') {
        Some((minor, patch)) => (minor, Some(patch)),
        None => (rest, None),
    };
    let number = |text: &str| {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit());
        plain && (1..=4).contains(&text.len()) && (text.len() == 1 || !text.starts_with('0'))
    };
    // Vendors put their own build behind the patch.
    let patch = patch.map(|patch| patch.split(['-', '+']).next().unwrap_or_default());
    (number(minor) && patch.is_none_or(number)).then(|| minor.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::kubernetes_minor;

    #[test]
    fn a_version_is_read_as_people_and_vendors_write_it() {
        let good = [("1.34", 34), ("v1.34", 34), ("1.34.2", 34), ("v1.31.4-gke.1", 31)];
        for (text, minor) in good.into_iter().chain([("v1.30.8+k3s1", 30), ("1.0", 0)]) {
            assert_eq!(kubernetes_minor(text), Some(minor), "{text}");
        }
        let bad = ["", "1", "1.", "2.1", "1.034", "1.34x", "1.34.", "1.34.x", "1.34-rc", "1.99999"];
        for text in bad {
            assert_eq!(kubernetes_minor(text), None, "{text}");
        }
    }
}
