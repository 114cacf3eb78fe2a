//! The evaluator against brute force: random NetworkPolicies and pods, each pair and each port asked
//! twice, once of the library and once of a reading of the JSON by the rules N1 to N12 alone.
//!
//! `PALISADE_REACH_CASES` and `PALISADE_REACH_SEED` set how many cases are asked, and which ones.

mod brute;
mod random;

use std::collections::{BTreeMap, BTreeSet};

use palisade::config::Profile;
use palisade::document::{FileId, Inventory, ReadOptions, RootKind, read};
use palisade::model::{Direction, Known, Model, Protocol, Unknown};
use palisade::reach::{Endpoint, PodRef, Reach, Verdict};
use serde_json::json;

use self::brute::{Answer, Peer, World};
use self::random::{ADDRESSES, PORTS};
use crate::oracle::dice::Dice;
use crate::support::say;

/// Cases without an environment that says otherwise.
const CASES: usize = 3000;

/// Least number of questions of each sort: fewer would mean that the generator has lost it.
const LEAST: usize = 200;

fn number(name: &str, otherwise: u64) -> u64 {
    let set = std::env::var(name).ok();
    set.map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}

/// The library's reading of the same objects.
fn model(world: &World) -> Model {
    let list = json!({"apiVersion": "v1", "kind": "List", "items": world.objects()});
    let reading = read(FileId(0), &list.to_string(), &ReadOptions::default());
    assert_eq!(reading.documents.len(), world.objects().len(), "every object is read");
    let documents = reading.documents;
    let inventory =
        Inventory::new(String::new(), RootKind::Directory, documents, Vec::new(), Vec::new());
    Model::build(&inventory, &Profile::default())
}

/// Every port that can tell two answers apart: ranges begin and end at the named ones only.
fn questions() -> Vec<(Protocol, u16)> {
    let ports = PORTS.iter().flat_map(|port| [Some(*port), port.checked_add(1)]).flatten();
    let ports: BTreeSet<u16> = ports.chain([1]).collect();
    let of = |protocol| ports.iter().map(move |port| (protocol, *port));
    Protocol::ALL.into_iter().flat_map(of).collect()
}

/// What was asked, by sort of question and answer.
#[derive(Default)]
struct Tally(BTreeMap<String, usize>);

impl Tally {
    fn count(&mut self, what: String, times: usize) {
        *self.0.entry(what).or_default() += times;
    }
}

/// One subject, one direction, one peer: the library's verdict against brute force, port by port.
fn compare(
    world: &World,
    questions: &[(Protocol, u16)],
    asked: (usize, Direction, &Peer),
    verdict: &palisade::model::Certain<Verdict>,
    tally: &mut Tally,
) -> Result<(), String> {
    let (subject, direction, peer) = asked;
    let rules = world.rules(subject, direction);
    let sort = format!("{} of {}", direction.word(), peer.sort(world, subject));
    let answer = |question: (Protocol, u16)| match &rules {
        Some(rules) => world.admits(rules, asked, question),
        None => Answer::Yes,
    };
    let answers: Vec<_> = questions.iter().map(|question| (*question, answer(*question))).collect();
    let open = answers.iter().any(|(_, answer)| *answer == Answer::Depends);
    let verdict = match verdict {
        Known(verdict) if !open => verdict,
        Unknown(_) if open => {
            tally.count("on the address of a node".to_owned(), 1);
            return Ok(());
        }
        Known(_) => return Err(format!("{sort}: known, although an address decides")),
        Unknown(reason) => return Err(format!("{sort}: not known: {reason}")),
    };
    if !verdict.conditional.is_empty() {
        return Err(format!("{sort}: a condition that no NetworkPolicy can make"));
    }
    let mut admitted = 0;
    for ((protocol, port), answer) in &answers {
        let ours = verdict.allowed.contains(*protocol, *port);
        if ours != (*answer == Answer::Yes) {
            let word = if ours { "admitted" } else { "refused" };
            return Err(format!("{sort}: {} {port} is {word}", protocol.word()));
        }
        admitted += usize::from(ours);
    }
    let isolated = if rules.is_some() { "isolated, " } else { "" };
    tally.count(format!("{sort}, {isolated}admitted"), admitted);
    tally.count(format!("{sort}, {isolated}refused"), answers.len() - admitted);
    Ok(())
}

/// Who isolates a pod, by name.
fn isolation(reach: &Reach<'_>, pod: PodRef<'_>, direction: Direction) -> BTreeSet<String> {
    match reach.isolation(pod, direction) {
        Known(rules) => rules.iter().map(|rule| rule.origin.object.name.clone()).collect(),
        Unknown(reason) => panic!("everything is in the input, and yet: {reason}"),
    }
}

/// Asks everything about one world.
fn judge(world: &World, questions: &[(Protocol, u16)], tally: &mut Tally) -> Result<(), String> {
    let model = model(world);
    let reach = Reach::build(&model);
    let named = |name: &str| reach.pods().find(|pod| pod.workload.id.name == name);
    let mut refused: Vec<&str> = reach.refused.iter().map(|(id, _)| id.name.as_str()).collect();
    refused.sort_unstable();
    if refused != world.refused() {
        return Err(format!("refused are {refused:?}, not {:?}", world.refused()));
    }
    tally.count("refused policies".to_owned(), refused.len());
    for subject in 0..world.pods.len() {
        let name = world.name(subject);
        let Some(pod) = named(&name) else {
            if world.on_host(subject) {
                tally.count("subjects on the host's network".to_owned(), 1);
                continue;
            }
            return Err(format!("{name} is no pod to policies"));
        };
        if world.on_host(subject) {
            return Err(format!("{name} is on the host's network, and policies reach it"));
        }
        for direction in Direction::ALL {
            let (ours, theirs) =
                (isolation(&reach, pod, direction), world.isolating(subject, direction));
            if ours != theirs {
                let word = direction.word();
                return Err(format!("{name} is isolated for {word} by {ours:?}, not {theirs:?}"));
            }
            let pods = (0..world.pods.len()).filter(|other| *other != subject).map(Peer::Pod);
            let addresses = ADDRESSES.iter().map(|a| Peer::Address(a.parse().expect("an address")));
            for peer in pods.chain(addresses) {
                let workload = match &peer {
                    Peer::Pod(index) => {
                        let wanted = world.name(*index);
                        model.workloads().find(|workload| workload.id.name == wanted)
                    }
                    Peer::Address(_) => None,
                };
                let end = match (&peer, workload) {
                    (Peer::Address(address), _) => Endpoint::Range((*address).into()),
                    (Peer::Pod(_), Some(workload)) => Endpoint::Pod(workload),
                    (Peer::Pod(index), None) => {
                        return Err(format!("{} is no workload", world.name(*index)));
                    }
                };
                let verdict = reach.verdict(pod, direction, &end);
                compare(world, questions, (subject, direction, &peer), &verdict, tally)
                    .map_err(|problem| format!("{name}, {problem} ({peer:?})"))?;
            }
        }
    }
    Ok(())
}

#[test]
fn the_evaluator_agrees_with_brute_force_on_every_pair_and_port() {
    let seed = number("PALISADE_REACH_SEED", 11);
    let cases = usize::try_from(number("PALISADE_REACH_CASES", CASES as u64)).expect("few");
    let questions = questions();
    let mut tally = Tally::default();
    for case in 0..cases {
        let world = random::world(&mut Dice::new(seed, case));
        if let Err(problem) = judge(&world, &questions, &mut tally) {
            let text = serde_json::to_string_pretty(&world.objects()).expect("JSON");
            panic!("seed {seed}, case {case}: {problem}\n{text}");
        }
    }
    for (what, count) in tally.0.iter().filter(|(_, count)| **count > 0) {
        say(&format!("reach: {count} questions: {what}"));
    }
    if cases >= CASES {
        let sorts =
            ["a pod beside it", "a pod elsewhere", "an address", "a pod on the host's network"];
        let ends = ["isolated, admitted", "isolated, refused", "admitted"];
        for direction in Direction::ALL {
            for sort in sorts {
                for end in ends {
                    let what = format!("{} of {sort}, {end}", direction.word());
                    let count = tally.0.get(&what).copied().unwrap_or_default();
                    assert!(count >= LEAST, "only {count} questions: {what}");
                }
            }
        }
        for what in
            ["refused policies", "subjects on the host's network", "on the address of a node"]
        {
            let count = tally.0.get(what).copied().unwrap_or_default();
            assert!(count >= LEAST, "only {count}: {what}");
        }
    }
}
