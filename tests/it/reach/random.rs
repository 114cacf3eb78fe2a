//! Little worlds: namespaces, pods, and policies with every way to leave something out.

use serde_json::{Map, Value, json};

use super::brute::World;
use crate::oracle::dice::Dice;

/// Ports at which ranges begin and end, and that containers have.
pub(super) const PORTS: [u16; 7] = [53, 80, 443, 8080, 9000, 15008, 65535];

/// Addresses outside the cluster: inside and outside of each range and exception.
pub(super) const ADDRESSES: [&str; 8] = [
    "10.9.0.1",
    "10.1.0.1",
    "10.1.5.1",
    "10.2.3.4",
    "192.0.2.7",
    "203.0.113.9",
    "2001:db8::1",
    "2001:db9::1",
];

const NAMESPACES: [&str; 3] = ["north", "south", "west"];
const KEYS: [&str; 3] = ["app", "tier", "example.com/role"];
const VALUES: [&str; 4] = ["a", "b", "c", ""];
const NAMED: [&str; 3] = ["http", "dns", "metrics"];
const PROTOCOLS: [&str; 3] = ["TCP", "UDP", "SCTP"];

/// Ranges, and what may be cut out of each.
const RANGES: [(&str, [&str; 2]); 6] = [
    ("0.0.0.0/0", ["10.0.0.0/8", "192.0.2.0/24"]),
    ("10.0.0.0/8", ["10.1.0.0/16", "10.2.3.0/24"]),
    ("10.1.0.0/16", ["10.1.5.0/24", "10.1.0.1/32"]),
    ("192.0.2.0/24", ["192.0.2.0/25", "192.0.2.7/32"]),
    ("::/0", ["2001:db8::/32", "2001:db8:1::/48"]),
    ("2001:db8::/32", ["2001:db8::/64", "2001:db8:1::/48"]),
];

pub(super) fn world(dice: &mut Dice) -> World {
    let namespaces = NAMESPACES.map(|name| {
        let mut labels = labels(dice);
        labels.insert("kubernetes.io/metadata.name".to_owned(), json!(name));
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    });
    let pods = (0..3 + dice.below(3)).map(|index| pod(dice, index)).collect();
    let policies = (0..=dice.below(5)).map(|index| policy(dice, index)).collect();
    World { namespaces: namespaces.to_vec(), pods, policies }
}

fn labels(dice: &mut Dice) -> Map<String, Value> {
    let mut labels = Map::new();
    for key in KEYS {
        if !dice.one_in(3) {
            labels.insert(key.to_owned(), json!(dice.word(&VALUES)));
        }
    }
    labels
}

/// A Pod, or a Deployment whose own labels are not those of its pods.
fn pod(dice: &mut Dice, index: usize) -> Value {
    let ports: Vec<Value> = (0..dice.below(4))
        .map(|_| {
            let mut port = json!({"containerPort": dice.pick(&PORTS), "name": dice.word(&NAMED)});
            if !dice.one_in(2) {
                port["protocol"] = json!(dice.word(&PROTOCOLS));
            }
            port
        })
        .collect();
    let mut spec = json!({"containers": [{"name": "main", "image": "main", "ports": ports}]});
    if dice.one_in(8) {
        spec["hostNetwork"] = json!(true);
    }
    let own = labels(dice);
    let (name, namespace) = (format!("pod-{index}"), dice.word(&NAMESPACES));
    if dice.one_in(3) {
        return json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": name, "namespace": namespace, "labels": labels(dice)},
            "spec": {"template": {"metadata": {"labels": own}, "spec": spec}},
        });
    }
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": own}, "spec": spec,
    })
}

/// A member of an object: left out, null, empty, or made.
fn member(
    dice: &mut Dice,
    object: &mut Map<String, Value>,
    key: &str,
    empty: &Value,
    make: impl FnOnce(&mut Dice) -> Value,
) {
    let value = match dice.below(10) {
        0 => return,
        1 => Value::Null,
        2 => empty.clone(),
        _ => make(dice),
    };
    object.insert(key.to_owned(), value);
}

fn list(dice: &mut Dice, longest: usize, make: impl Fn(&mut Dice) -> Value) -> Value {
    (0..=dice.below(longest)).map(|_| make(dice)).collect()
}

fn policy(dice: &mut Dice, index: usize) -> Value {
    let mut spec = Map::new();
    member(dice, &mut spec, "podSelector", &json!({}), selector);
    member(dice, &mut spec, "policyTypes", &json!([]), |dice| {
        let sets = [json!(["Ingress"]), json!(["Egress"]), json!(["Ingress", "Egress"])];
        dice.pick(&sets).clone()
    });
    for (key, peers) in [("ingress", "from"), ("egress", "to")] {
        if dice.one_in(3) {
            continue;
        }
        member(dice, &mut spec, key, &json!([]), |dice| list(dice, 2, |dice| rule(dice, peers)));
    }
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"name": format!("policy-{index}"), "namespace": dice.word(&NAMESPACES)},
        "spec": spec,
    })
}

fn rule(dice: &mut Dice, peers: &str) -> Value {
    let mut rule = Map::new();
    member(dice, &mut rule, peers, &json!([]), |dice| list(dice, 3, peer));
    member(dice, &mut rule, "ports", &json!([]), |dice| list(dice, 3, port));
    Value::Object(rule)
}

fn selector(dice: &mut Dice) -> Value {
    let mut selector = Map::new();
    if dice.one_in(2) {
        member(
            dice,
            &mut selector,
            "matchLabels",
            &json!({}),
            |dice| json!({dice.word(&KEYS): dice.word(&VALUES)}),
        );
    }
    if dice.one_in(2) {
        member(dice, &mut selector, "matchExpressions", &json!([]), |dice| {
            list(dice, 2, expression)
        });
    }
    Value::Object(selector)
}

fn expression(dice: &mut Dice) -> Value {
    let key = dice.word(&KEYS);
    match dice.below(4) {
        0 => json!({"key": key, "operator": "Exists"}),
        1 => json!({"key": key, "operator": "DoesNotExist", "values": []}),
        which => {
            let operator = if which == 2 { "In" } else { "NotIn" };
            let values = list(dice, 2, |dice| json!(dice.word(&VALUES)));
            json!({"key": key, "operator": operator, "values": values})
        }
    }
}

fn namespace_selector(dice: &mut Dice) -> Value {
    match dice.below(4) {
        0 => json!({}),
        1 => json!({"matchLabels": {"kubernetes.io/metadata.name": dice.word(&NAMESPACES)}}),
        _ => selector(dice),
    }
}

fn peer(dice: &mut Dice) -> Value {
    match dice.below(60) {
        // These three Kubernetes refuses.
        0 => json!({}),
        1 => json!({"ipBlock": {"cidr": "10.0.0.0/8"}, "podSelector": {}}),
        2 => json!({"podSelector": null}),
        3..20 => json!({"podSelector": selector(dice)}),
        20..34 => json!({"namespaceSelector": namespace_selector(dice)}),
        34..44 => {
            json!({"namespaceSelector": namespace_selector(dice), "podSelector": selector(dice)})
        }
        _ => json!({"ipBlock": block(dice)}),
    }
}

fn block(dice: &mut Dice) -> Value {
    let (cidr, cuts) = *dice.pick(&RANGES);
    match dice.below(40) {
        // Host bits, an exception that is all of it, and one outside: refused.
        0 => return json!({"cidr": "10.1.2.3/8"}),
        1 => return json!({"cidr": cidr, "except": [cidr]}),
        2 => return json!({"cidr": "192.0.2.0/24", "except": ["198.51.100.0/24"]}),
        _ => {}
    }
    let mut block = Map::new();
    block.insert("cidr".to_owned(), json!(cidr));
    member(dice, &mut block, "except", &json!([]), |dice| list(dice, 2, |d| json!(d.word(&cuts))));
    Value::Object(block)
}

fn port(dice: &mut Dice) -> Value {
    let mut item = Map::new();
    if !dice.one_in(3) {
        item.insert("protocol".to_owned(), json!(dice.word(&PROTOCOLS)));
    }
    let number = *dice.pick(&PORTS);
    let (port, end) = match dice.below(40) {
        // Refused: a range backwards, one without a beginning, one that begins with a name, no port.
        0 => (json!(8080), json!(80)),
        1 => (Value::Null, json!(80)),
        2 => (json!("http"), json!(80)),
        3 => (json!(0), Value::Null),
        4..8 => (Value::Null, Value::Null),
        8..20 => (json!(dice.word(&NAMED)), Value::Null),
        20..30 => {
            let end = *dice.pick(&PORTS);
            (json!(number.min(end)), json!(number.max(end)))
        }
        _ => (json!(number), Value::Null),
    };
    for (key, value) in [("port", port), ("endPort", end)] {
        if !value.is_null() || dice.one_in(3) {
            item.insert(key.to_owned(), value);
        }
    }
    Value::Object(item)
}
