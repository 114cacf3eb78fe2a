//! NetworkPolicies read from their JSON, one question at a time, by semantics N1 to N12. It shares
//! nothing with the library: no selector, no range, no set of ports.

use std::collections::BTreeSet;
use std::net::IpAddr;

use palisade::model::{Direction, Protocol};
use serde_json::Value;

/// The objects of a case.
pub(super) struct World {
    pub(super) namespaces: Vec<Value>,
    pub(super) pods: Vec<Value>,
    pub(super) policies: Vec<Value>,
}

/// The other end of a connection.
#[derive(Debug)]
pub(super) enum Peer {
    Pod(usize),
    Address(IpAddr),
}

impl Peer {
    /// The word under which questions are counted.
    pub(super) fn sort(&self, world: &World, subject: usize) -> &'static str {
        match self {
            Self::Address(_) => "an address",
            Self::Pod(index) if world.on_host(*index) => "a pod on the host's network",
            Self::Pod(index) if world.namespace(*index) == world.namespace(subject) => {
                "a pod beside it"
            }
            Self::Pod(_) => "a pod elsewhere",
        }
    }
}

/// Whether a packet passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Yes,
    No,
    /// A range may hold the address of the node on which the pod runs (N9).
    Depends,
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

impl World {
    pub(super) fn objects(&self) -> Vec<&Value> {
        self.namespaces.iter().chain(&self.pods).chain(&self.policies).collect()
    }

    pub(super) fn name(&self, pod: usize) -> String {
        text(&self.pods[pod]["metadata"]["name"]).to_owned()
    }

    fn namespace(&self, pod: usize) -> &str {
        text(&self.pods[pod]["metadata"]["namespace"])
    }

    fn spec(&self, pod: usize) -> &Value {
        let object = &self.pods[pod];
        let template = &object["spec"]["template"];
        if template.is_null() { &object["spec"] } else { &template["spec"] }
    }

    /// The labels of the pods, not those of what makes them.
    fn labels(&self, pod: usize) -> &Value {
        let object = &self.pods[pod];
        let template = &object["spec"]["template"];
        if template.is_null() {
            &object["metadata"]["labels"]
        } else {
            &template["metadata"]["labels"]
        }
    }

    pub(super) fn on_host(&self, pod: usize) -> bool {
        self.spec(pod)["hostNetwork"] == true
    }

    /// Policies that Kubernetes refuses, by name.
    pub(super) fn refused(&self) -> Vec<&str> {
        let refused = self.policies.iter().filter(|policy| is_refused(&policy["spec"]));
        refused.map(|policy| text(&policy["metadata"]["name"])).collect()
    }

    /// The policies in force that select a pod (N1, N12).
    fn selecting(&self, pod: usize) -> impl Iterator<Item = &Value> {
        self.policies.iter().filter(move |policy| {
            !self.on_host(pod)
                && !is_refused(&policy["spec"])
                && policy["metadata"]["namespace"] == self.namespace(pod)
                && matches(&policy["spec"]["podSelector"], self.labels(pod))
        })
    }

    /// The policies that isolate a pod, by name (N2, N3).
    pub(super) fn isolating(&self, pod: usize, direction: Direction) -> BTreeSet<String> {
        let isolating = self.selecting(pod).filter(|policy| has_type(&policy["spec"], direction));
        isolating.map(|policy| text(&policy["metadata"]["name"]).to_owned()).collect()
    }

    /// The rules by which a pod is isolated, each with the namespace of its policy; none where it is
    /// not (N3).
    pub(super) fn rules(&self, pod: usize, direction: Direction) -> Option<Vec<(&Value, &str)>> {
        let isolating: Vec<&Value> =
            self.selecting(pod).filter(|policy| has_type(&policy["spec"], direction)).collect();
        let rules = isolating.iter().flat_map(|policy| {
            let own = text(&policy["metadata"]["namespace"]);
            items(&policy["spec"][direction.word()]).iter().map(move |rule| (rule, own))
        });
        (!isolating.is_empty()).then(|| rules.collect())
    }

    /// Whether these rules of a pod let a packet from or to a peer pass (N3, N5).
    pub(super) fn admits(
        &self,
        rules: &[(&Value, &str)],
        (subject, direction, peer): (usize, Direction, &Peer),
        question: (Protocol, u16),
    ) -> Answer {
        let (peers, destination) = match (direction, peer) {
            (Direction::Ingress, _) => ("from", Some(subject)),
            (Direction::Egress, Peer::Pod(pod)) => ("to", Some(*pod)),
            (Direction::Egress, Peer::Address(_)) => ("to", None),
        };
        let mut answer = Answer::No;
        for (rule, own) in rules {
            if !self.has_port(&rule["ports"], destination, question) {
                continue;
            }
            match self.has_peer(&rule[peers], own, peer) {
                Answer::Yes => return Answer::Yes,
                Answer::Depends => answer = Answer::Depends,
                Answer::No => {}
            }
        }
        answer
    }

    fn has_peer(&self, peers: &Value, own: &str, peer: &Peer) -> Answer {
        if items(peers).is_empty() {
            return Answer::Yes;
        }
        let mut answer = Answer::No;
        for entry in items(peers) {
            let block = &entry["ipBlock"];
            match peer {
                Peer::Address(address) if !block.is_null() && in_block(block, *address) => {
                    return Answer::Yes;
                }
                Peer::Pod(pod) if !block.is_null() && self.on_host(*pod) => {
                    answer = Answer::Depends;
                }
                Peer::Pod(pod) if block.is_null() && self.is_selected(entry, own, *pod) => {
                    return Answer::Yes;
                }
                _ => {}
            }
        }
        answer
    }

    /// Whether an entry with selectors means a pod (N6, N12).
    fn is_selected(&self, entry: &Value, own: &str, pod: usize) -> bool {
        let place = if entry["namespaceSelector"].is_null() {
            self.namespace(pod) == own
        } else {
            let named = |n: &&Value| n["metadata"]["name"] == self.namespace(pod);
            let namespace = self.namespaces.iter().find(named).expect("it is there");
            matches(&entry["namespaceSelector"], &namespace["metadata"]["labels"])
        };
        !self.on_host(pod) && place && matches(&entry["podSelector"], self.labels(pod))
    }

    /// Whether a list of ports holds one (N5, N8).
    fn has_port(&self, ports: &Value, destination: Option<usize>, asked: (Protocol, u16)) -> bool {
        let (protocol, number) = (asked.0.word(), u64::from(asked.1));
        items(ports).is_empty()
            || items(ports).iter().any(|item| {
                let own = item["protocol"].as_str().unwrap_or("TCP");
                let port = &item["port"];
                own == protocol
                    && match (port.as_u64(), port.as_str()) {
                        (Some(start), _) => {
                            let end = item["endPort"].as_u64().unwrap_or(start);
                            start <= number && number <= end
                        }
                        (None, Some(name)) => {
                            destination.is_some_and(|pod| self.listens(pod, name, protocol, number))
                        }
                        (None, None) => true,
                    }
            })
    }

    fn listens(&self, pod: usize, name: &str, protocol: &str, number: u64) -> bool {
        let containers = items(&self.spec(pod)["containers"]).iter();
        containers.flat_map(|container| items(&container["ports"])).any(|port| {
            port["name"] == name
                && port["protocol"].as_str().unwrap_or("TCP") == protocol
                && port["containerPort"] == number
        })
    }
}

/// `policyTypes` with its default (N2).
fn has_type(spec: &Value, direction: Direction) -> bool {
    let types = items(&spec["policyTypes"]);
    match direction {
        Direction::Ingress => types.is_empty() || types.iter().any(|t| t == "Ingress"),
        Direction::Egress if types.is_empty() => !items(&spec["egress"]).is_empty(),
        Direction::Egress => types.iter().any(|t| t == "Egress"),
    }
}

/// A selector over labels (N7); null and nothing match everything.
fn matches(selector: &Value, labels: &Value) -> bool {
    let equal = selector["matchLabels"].as_object().into_iter().flatten();
    let mut expressions = items(&selector["matchExpressions"]).iter();
    equal.into_iter().all(|(key, value)| labels.get(key) == Some(value))
        && expressions.all(|expression| {
            let label = labels.get(text(&expression["key"]));
            let listed = label.is_some_and(|label| items(&expression["values"]).contains(label));
            match text(&expression["operator"]) {
                "In" => listed,
                "NotIn" => !listed,
                "Exists" => label.is_some(),
                _ => label.is_none(),
            }
        })
}

/// What the API server refuses (N6, N8, N9).
fn is_refused(spec: &Value) -> bool {
    let rules = || items(&spec["ingress"]).iter().chain(items(&spec["egress"]));
    let mut peers = rules().flat_map(|rule| items(&rule["from"]).iter().chain(items(&rule["to"])));
    let mut ports = rules().flat_map(|rule| items(&rule["ports"]));
    peers.any(|peer| {
        let selects = !peer["podSelector"].is_null() || !peer["namespaceSelector"].is_null();
        let block = &peer["ipBlock"];
        let wrong = !block.is_null() && {
            let (cidr, length) = range(text(&block["cidr"]));
            let inside = |cut: &Value| {
                let (address, cut) = range(text(cut));
                cut > length && in_range(address, cidr, length)
            };
            has_host_bits(cidr, length) || !items(&block["except"]).iter().all(inside)
        };
        selects != block.is_null() || wrong
    }) || ports.any(|item| {
        let (port, end) = (item["port"].as_u64(), item["endPort"].as_u64());
        port == Some(0) || end.is_some_and(|end| port.is_none_or(|port| end < port))
    })
}

/// Whether an address is in a block and in none of its exceptions (N9).
fn in_block(block: &Value, address: IpAddr) -> bool {
    let holds = |text: &str| {
        let (net, length) = range(text);
        in_range(address, net, length)
    };
    holds(text(&block["cidr"])) && !items(&block["except"]).iter().any(|cut| holds(text(cut)))
}

fn range(text: &str) -> (IpAddr, u32) {
    let (address, length) = text.split_once('/').expect("a range");
    (address.parse().expect("an address"), length.parse().expect("a length"))
}

fn in_range(address: IpAddr, net: IpAddr, length: u32) -> bool {
    address.is_ipv4() == net.is_ipv4() && prefix(address, length) == prefix(net, length)
}

/// The bits of an address, and how many there are.
fn bits(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(v4) => (u128::from(u32::from(v4)), 32),
        IpAddr::V6(v6) => (u128::from(v6), 128),
    }
}

/// The first bits of an address.
fn prefix(address: IpAddr, length: u32) -> u128 {
    let (bits, width) = bits(address);
    bits.checked_shr(width - length).unwrap_or_default()
}

/// Whether an address has bits behind its prefix.
fn has_host_bits(address: IpAddr, length: u32) -> bool {
    let (bits, width) = bits(address);
    let back = prefix(address, length).checked_shl(width - length).unwrap_or_default();
    back != bits
}
