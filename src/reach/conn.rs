//! Sets of ports: exact union, difference and intersection, without origins.

use std::fmt;

use crate::model::Protocol;

/// Ports of one protocol: sorted intervals within 1 to 65535 that neither touch nor overlap.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ports(Vec<(u16, u16)>);

impl Ports {
    /// No port.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Every port.
    #[must_use]
    pub fn all() -> Self {
        Self(vec![(1, u16::MAX)])
    }

    /// The ports from `start` to `end`, both included; none where the range is empty.
    #[must_use]
    pub fn range(start: u16, end: u16) -> Self {
        let start = start.max(1);
        if start <= end { Self(vec![(start, end)]) } else { Self::none() }
    }

    /// Whether no port is in the set.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a port is in the set.
    #[must_use]
    pub fn contains(&self, port: u16) -> bool {
        self.0.iter().any(|(start, end)| (*start..=*end).contains(&port))
    }

    /// Ports in either set.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        let mut all: Vec<(u16, u16)> = self.0.iter().chain(&other.0).copied().collect();
        all.sort_unstable();
        let mut joined: Vec<(u16, u16)> = Vec::with_capacity(all.len());
        for (start, end) in all {
            match joined.last_mut() {
                Some(last) if start <= last.1.saturating_add(1) => last.1 = last.1.max(end),
                _ => joined.push((start, end)),
            }
        }
        Self(joined)
    }

    /// Ports in both sets.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let mut common = Vec::new();
        for (a, b) in &self.0 {
            for (c, d) in &other.0 {
                let (start, end) = (*a.max(c), *b.min(d));
                if start <= end {
                    common.push((start, end));
                }
            }
        }
        common.sort_unstable();
        Self(common)
    }

    /// Ports in this set and not in the other.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let mut left = self.0.clone();
        for (take_start, take_end) in &other.0 {
            let mut rest = Vec::with_capacity(left.len() + 1);
            for (start, end) in left {
                if *take_end < start || *take_start > end {
                    rest.push((start, end));
                    continue;
                }
                if start < *take_start {
                    rest.push((start, take_start - 1));
                }
                if *take_end < end {
                    rest.push((take_end + 1, end));
                }
            }
            left = rest;
        }
        Self(left)
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (start, end)) in self.0.iter().enumerate() {
            let comma = if i > 0 { "," } else { "" };
            if start == end {
                write!(f, "{comma}{start}")?;
            } else {
                write!(f, "{comma}{start}-{end}")?;
            }
        }
        Ok(())
    }
}

/// Ports of all protocols, and whether everything else (ICMP) is included.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PortSet {
    tcp: Ports,
    udp: Ports,
    sctp: Ports,
    other: bool,
}

impl PortSet {
    /// Nothing.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Everything, ICMP included.
    #[must_use]
    pub fn all() -> Self {
        Self { tcp: Ports::all(), udp: Ports::all(), sctp: Ports::all(), other: true }
    }

    /// Only what has no ports, such as ICMP.
    #[must_use]
    pub fn other() -> Self {
        Self { other: true, ..Self::default() }
    }

    /// Ports of one protocol.
    #[must_use]
    pub fn of(protocol: Protocol, ports: Ports) -> Self {
        let mut set = Self::none();
        *set.of_mut(protocol) = ports;
        set
    }

    fn of_mut(&mut self, protocol: Protocol) -> &mut Ports {
        match protocol {
            Protocol::Tcp => &mut self.tcp,
            Protocol::Udp => &mut self.udp,
            Protocol::Sctp => &mut self.sctp,
        }
    }

    /// The ports of a protocol.
    #[must_use]
    pub const fn ports(&self, protocol: Protocol) -> &Ports {
        match protocol {
            Protocol::Tcp => &self.tcp,
            Protocol::Udp => &self.udp,
            Protocol::Sctp => &self.sctp,
        }
    }

    /// Whether nothing is in the set.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.tcp.is_empty() && self.udp.is_empty() && self.sctp.is_empty() && !self.other
    }

    /// Whether a port is in the set.
    #[must_use]
    pub fn contains(&self, protocol: Protocol, port: u16) -> bool {
        self.ports(protocol).contains(port)
    }

    fn combine(&self, other: &Self, op: fn(&Ports, &Ports) -> Ports, rest: bool) -> Self {
        Self {
            tcp: op(&self.tcp, &other.tcp),
            udp: op(&self.udp, &other.udp),
            sctp: op(&self.sctp, &other.sctp),
            other: rest,
        }
    }

    /// What is in either set.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        self.combine(other, Ports::or, self.other || other.other)
    }

    /// What is in both sets.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        self.combine(other, Ports::and, self.other && other.other)
    }

    /// What is in this set and not in the other.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        self.combine(other, Ports::minus, self.other && !other.other)
    }

    /// Whether every port of every protocol is in the set; ICMP may be missing.
    #[must_use]
    pub fn covers_all_ports(&self) -> bool {
        Protocol::ALL.into_iter().all(|protocol| *self.ports(protocol) == Ports::all())
    }
}

impl fmt::Display for PortSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.covers_all_ports() {
            return f.write_str("every port");
        }
        let parts = Protocol::ALL.into_iter().filter(|protocol| !self.ports(*protocol).is_empty());
        let mut first = true;
        for protocol in parts {
            let ports = self.ports(protocol);
            let space = if first { "" } else { ", " };
            first = false;
            if *ports == Ports::all() {
                write!(f, "{space}every {} port", protocol.word())?;
            } else {
                write!(f, "{space}{} {ports}", protocol.word())?;
            }
        }
        if first { f.write_str(if self.other { "ICMP" } else { "no port" }) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Ports;

    #[test]
    fn minus_keeps_what_is_left_on_both_sides() {
        let cases = [
            ("hole in the middle", Ports::all(), Ports::range(53, 53), "1-52,54-65535"),
            ("left edge", Ports::range(80, 90), Ports::range(80, 80), "81-90"),
            ("right edge", Ports::range(80, 90), Ports::range(90, 95), "80-89"),
            ("disjoint", Ports::range(80, 90), Ports::range(443, 443), "80-90"),
            ("all of it", Ports::range(80, 90), Ports::all(), ""),
            ("the last port", Ports::all(), Ports::range(65535, 65535), "1-65534"),
        ];
        for (name, have, take, left) in cases {
            assert_eq!(have.minus(&take).to_string(), left, "{name}");
        }
    }

    fn ports() -> impl Strategy<Value = Ports> {
        prop::collection::vec((1_u16..300, 0_u16..60), 0..6).prop_map(|ranges| {
            ranges.into_iter().fold(Ports::none(), |set, (start, length)| {
                set.or(&Ports::range(start, start + length))
            })
        })
    }

    proptest! {
        #[test]
        fn the_algebra_agrees_with_membership(a in ports(), b in ports(), port in 1_u16..400) {
            let (in_a, in_b) = (a.contains(port), b.contains(port));
            prop_assert_eq!(a.or(&b).contains(port), in_a || in_b);
            prop_assert_eq!(a.and(&b).contains(port), in_a && in_b);
            prop_assert_eq!(a.minus(&b).contains(port), in_a && !in_b);
            prop_assert!(a.minus(&b).and(&b).is_empty());
            prop_assert_eq!(&a.or(&a), &a);
            prop_assert_eq!(a.minus(&b).or(&a.and(&b)), a);
        }
    }
}
