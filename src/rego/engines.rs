//! Compiles policies and asks them: on the virtual machine of `regorus` where it can, else by its
//! interpreter.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rayon::iter::ParallelIterator;
use rayon::slice::ParallelSlice;
use regorus::Value;
use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::program::Program;
use regorus::rvm::vm::RegoVM;
use regorus::utils::limits::ExecutionTimerConfig;

use super::input::{Input, Interner, data, input};
use super::outcome::take;
use super::{Failure, Module, Policies, Policy};
use crate::catalog::{Check, Outcomes, Params};
use crate::document::{Document, FileId, Inventory, KindSet, ObjectId, Span};
use crate::finding::NotAssessed;
use crate::model::{Model, Workload};

/// Longest time that the policies of one object may take.
const LIMIT: Duration = Duration::from_secs(2);
/// How many objects are asked about in one go.
const CHUNK: usize = 16;
/// The rule that gives what all policies of a group say.
const ENTRY: &str = "data.palisade.group.answer";

/// What evaluates policies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Engine {
    /// The virtual machine, and the interpreter for what it cannot run.
    #[default]
    Auto,
    /// The virtual machine only.
    Machine,
    /// The interpreter only.
    Interpreter,
    /// Both; where they differ, that is an error.
    Verify,
}

/// The policies of a run, compiled when objects ask for them.
#[derive(Debug, Default)]
pub struct Runtime {
    /// The user's own policies.
    pub own: Policies,
    /// What evaluates them.
    pub engine: Engine,
    groups: Mutex<HashMap<Vec<&'static str>, Arc<Group>>>,
}

impl Runtime {
    /// The bundled policies and the user's own, and what evaluates them.
    #[must_use]
    pub fn new(own: Policies, engine: Engine) -> Self {
        Self { own, engine, groups: Mutex::default() }
    }

    /// The user's policies that cannot be run: their first file, and why.
    #[must_use]
    pub fn failures(&self) -> Vec<(FileId, Failure)> {
        let failure = |policy: &Policy| {
            let file = policy.parts.first()?.file;
            Some((file, self.runs_on(policy.check.slug).err()?))
        };
        self.own.list.iter().filter_map(failure).collect()
    }

    /// Every policy: the bundled ones, then the user's.
    fn policies(&self) -> impl Iterator<Item = &Policy> {
        Policies::bundled().list.iter().chain(&self.own.list)
    }

    /// The compiled policies of some checks.
    fn group(&self, policies: &[&Policy]) -> Arc<Group> {
        let key: Vec<&'static str> = policies.iter().map(|policy| policy.check.slug).collect();
        let mut groups = self.groups.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let libraries = Policies::bundled().libraries.iter().chain(&self.own.libraries);
        let libraries: Vec<&Module> = libraries.collect();
        let make = || Arc::new(Group::compile(policies, &libraries, self.engine));
        Arc::clone(groups.entry(key).or_insert_with(make))
    }

    /// What runs the policy of a check: the virtual machine or the interpreter.
    ///
    /// # Errors
    /// Says why nothing can.
    pub fn runs_on(&self, slug: &str) -> Result<Engine, Failure> {
        let Some(policy) = self.policies().find(|policy| policy.check.slug == slug) else {
            return Ok(Engine::Auto);
        };
        let group = self.group(&[policy]);
        match group.broken.get(slug) {
            Some(failure) => Err(failure.clone()),
            None if group.program.is_some() => Ok(Engine::Machine),
            None => Ok(Engine::Interpreter),
        }
    }
}

/// Policies that are asked about the same objects.
#[derive(Debug)]
struct Group {
    /// The program of those that the virtual machine runs.
    program: Option<Arc<Program>>,
    /// Those that only the interpreter runs.
    slow: Vec<&'static str>,
    /// Those that cannot be run, and why.
    broken: BTreeMap<&'static str, Failure>,
    engine: regorus::Engine,
}

impl Group {
    fn compile(policies: &[&Policy], libraries: &[&Module], engine: Engine) -> Self {
        let mut base = regorus::Engine::new();
        base.set_execution_timer_config(timer());
        let mut broken = BTreeMap::new();
        for library in libraries {
            // One that cannot be read breaks the policies that import it.
            let _ = library.add(&mut base);
        }
        let mut sound: Vec<&Policy> = Vec::new();
        for policy in policies {
            let added = policy.parts.iter().try_for_each(|part| part.add(&mut base).map(drop));
            match added {
                Ok(()) => sound.push(policy),
                Err(failure) => _ = broken.insert(policy.check.slug, failure),
            }
        }
        // The machine is silently wrong now and then: tests hold it against the interpreter for the
        // bundled policies, and for no others.
        let bundled = |policy: &&Policy| {
            Policies::bundled().checks().any(|check| std::ptr::eq(check, policy.check))
        };
        let meant_for_machine = |policy: &&Policy| match engine {
            Engine::Auto => bundled(policy),
            Engine::Machine | Engine::Verify => true,
            Engine::Interpreter => false,
        };
        let (mut fast, mut rest): (Vec<&Policy>, Vec<&Policy>) =
            sound.into_iter().partition(meant_for_machine);
        let mut program = joined(&base, &fast);
        if program.is_none() {
            let (fits, more): (Vec<&Policy>, Vec<&Policy>) =
                fast.into_iter().partition(|policy| joined(&base, &[policy]).is_some());
            rest.extend(more);
            fast = fits;
            program = joined(&base, &fast);
        }
        let mut slow = Vec::new();
        for policy in rest {
            match works(&base, policy) {
                Err(failure) => _ = broken.insert(policy.check.slug, failure),
                Ok(()) => slow.push(policy.check.slug),
            }
        }
        if engine == Engine::Machine {
            for slug in std::mem::take(&mut slow) {
                let message = "the virtual machine cannot run it".to_owned();
                broken.insert(slug, Failure { message, at: None });
            }
        }
        Self { program, slow, broken, engine: base }
    }
}

const fn timer() -> ExecutionTimerConfig {
    ExecutionTimerConfig { limit: LIMIT, check_interval: NonZeroU32::MIN.saturating_add(999) }
}

/// Whether the interpreter takes a policy.
fn works(base: &regorus::Engine, policy: &Policy) -> Result<(), Failure> {
    let mut engine = base.clone();
    engine.set_input(Value::new_object());
    for rule in &policy.rules {
        let rule = format!("data.{}.{rule}", policy.package);
        engine.eval_rule(rule).map_err(|error| Failure::of(&error))?;
    }
    Ok(())
}

/// One program with one entry for all of some policies; none where the virtual machine cannot run
/// them.
fn joined(base: &regorus::Engine, policies: &[&Policy]) -> Option<Arc<Program>> {
    if policies.is_empty() {
        return None;
    }
    let mut text = "package palisade.group\n\nimport rego.v1\n\n".to_owned();
    for policy in policies.iter().filter(|policy| policy.skips) {
        let (slug, package) = (policy.check.slug, &policy.package);
        text += &format!("skipped contains \"{slug}\" if data.{package}.not_applicable\n");
    }
    if !policies.iter().any(|policy| policy.skips) {
        text += "skipped := set()\n";
    }
    text += "found := {\n";
    for policy in policies {
        text += &format!("\t\"{}\": {{\n", policy.check.slug);
        for rule in &policy.rules {
            text += &format!("\t\t\"{rule}\": data.{}.{rule},\n", policy.package);
        }
        text += "\t},\n";
    }
    text += "}\n\nanswer := {\"found\": found, \"skipped\": skipped}\n";
    // The machine is silently wrong where a policy looks its own rules up by a computed name.
    let computed = |policy: &&Policy| policy.mentions(&format!("data.{}[", policy.package));
    if policies.iter().any(computed) {
        return None;
    }
    let mut engine = base.clone();
    engine.add_policy("group.rego".to_owned(), text).ok()?;
    let compiled = engine.compile_with_entrypoint(&ENTRY.into()).ok()?;
    Compiler::compile_from_policy(&compiled, &[ENTRY]).ok()
}

/// What the policies of a run are asked about.
pub(crate) struct Request<'r> {
    pub(crate) runtime: &'r Runtime,
    pub(crate) checks: &'r [&'static Check],
    pub(crate) inventory: &'r Inventory,
    pub(crate) model: &'r Model,
    pub(crate) workloads: Vec<&'r Workload>,
    pub(crate) params: &'r BTreeMap<&'static str, Params>,
}

/// What a worker keeps from one object to the next.
struct Worker {
    machine: Option<RegoVM>,
    engine: Option<regorus::Engine>,
    strings: Interner,
}

/// Asks every enabled policy about every object that it is for.
pub(crate) fn evaluate(request: &Request<'_>) -> Vec<(&'static Check, Outcomes)> {
    let enabled = |policy: &&Policy| {
        let asked = request.checks.iter().any(|check| check.slug == policy.check.slug);
        asked && policy.check.reads.overlaps(request.inventory.kinds())
    };
    let policies: Vec<&Policy> = request.runtime.policies().filter(enabled).collect();
    if policies.is_empty() {
        return Vec::new();
    }
    let mut of_object: HashMap<(&ObjectId, Span), Vec<&Workload>> = HashMap::new();
    for workload in &request.workloads {
        of_object.entry((&workload.id, workload.span)).or_default().push(workload);
    }
    // Objects of one kind are asked the same.
    let mut groups: BTreeMap<Vec<usize>, Vec<(&Document, Vec<&Workload>)>> = BTreeMap::new();
    for document in request.inventory.documents.iter().filter(|document| !document.patch) {
        let workloads = of_object.remove(&(&*document.id, document.head)).unwrap_or_default();
        let mut kinds = KindSet::default();
        document.kind.into_iter().for_each(|kind| kinds.insert(kind));
        if !workloads.is_empty() {
            kinds.insert(crate::document::Kind::Pod);
        }
        let asked = policies.iter().enumerate().filter(|(_, p)| p.is_for(document, kinds));
        let asked: Vec<usize> = asked.map(|(at, _)| at).collect();
        if !asked.is_empty() {
            groups.entry(asked).or_default().push((document, workloads));
        }
    }
    let mentions = |name: &str| policies.iter().any(|policy| policy.mentions(name));
    let data = data(request.model, request.params, mentions);
    let mut all: BTreeMap<&str, (&'static Check, Outcomes)> = BTreeMap::new();
    for (asked, documents) in groups {
        let asked: Vec<&Policy> =
            asked.iter().filter_map(|at| policies.get(*at).copied()).collect();
        let group = request.runtime.group(&asked);
        let asking = Asking { group: &group, policies: &asked, data: &data, request };
        for (slug, failure) in &group.broken {
            let Some(policy) = asked.iter().find(|policy| policy.check.slug == *slug) else {
                continue;
            };
            let entry = all.entry(slug).or_insert((policy.check, Outcomes::default()));
            entry.1.not_assessed.push(failed(policy.check, None, &failure.message));
        }
        let sums: Vec<Vec<Outcomes>> = documents
            .par_chunks(CHUNK)
            .map_init(
                || asking.worker(),
                |worker, chunk| {
                    let mut sums = vec![Outcomes::default(); asked.len()];
                    for (document, workloads) in chunk {
                        asking.ask(document, workloads, worker, &mut sums);
                    }
                    sums
                },
            )
            .collect();
        for (nth, policy) in asked.iter().enumerate() {
            let of_policy = sums.iter().filter_map(|sums| sums.get(nth));
            let (findings, passes) = of_policy.fold((0, 0), |(findings, passes), outcomes| {
                (findings + outcomes.findings.len(), passes + outcomes.passes.len())
            });
            let entry = all.entry(policy.check.slug);
            let (_, outcomes) = entry.or_insert((policy.check, Outcomes::default()));
            outcomes.findings.reserve_exact(findings);
            outcomes.passes.reserve_exact(passes);
        }
        for sums in sums {
            for (policy, outcomes) in asked.iter().zip(sums) {
                if let Some((_, all)) = all.get_mut(policy.check.slug) {
                    all.join(outcomes);
                }
            }
        }
    }
    all.into_values().collect()
}

fn failed(check: &Check, document: Option<&Document>, message: &str) -> NotAssessed {
    let reason = format!("the policy failed: {}", crate::document::clean(message));
    let subject = document.map(|document| Arc::clone(&document.id));
    NotAssessed { check: check.slug, subject, reason: reason.into(), error: true }
}

/// A group of policies, and what they are asked with.
struct Asking<'a> {
    group: &'a Group,
    policies: &'a [&'a Policy],
    data: &'a Value,
    request: &'a Request<'a>,
}

/// What one policy says about one object.
enum Answer {
    Said(Value),
    Skipped,
    Failed(String),
}

impl Asking<'_> {
    fn worker(&self) -> Worker {
        let machine = self.group.program.as_ref().and_then(|program| {
            let mut machine = RegoVM::new();
            machine.load_program(Arc::clone(program));
            machine.set_data(self.data.clone()).ok()?;
            machine.set_execution_timer_config(Some(timer()));
            // The timer is the limit: what many policies ask of an object takes many steps.
            machine.set_max_instructions(usize::MAX);
            Some(machine)
        });
        Worker { machine, engine: None, strings: Interner::default() }
    }

    fn ask(
        &self,
        document: &Document,
        workloads: &[&Workload],
        worker: &mut Worker,
        sums: &mut [Outcomes],
    ) {
        let Request { model, runtime, .. } = self.request;
        let input = input(document, workloads, model, &mut worker.strings);
        let answers =
            catch_unwind(AssertUnwindSafe(|| self.answers(&input, runtime.engine, worker)));
        let answers = answers.unwrap_or_else(|_| {
            // What it was doing is lost.
            *worker = self.worker();
            let failed = |policy: &&Policy| {
                (policy.check.slug, Answer::Failed("the engine failed to run it".to_owned()))
            };
            self.policies.iter().map(failed).collect()
        });
        for (policy, out) in self.policies.iter().zip(sums) {
            match answers.get(policy.check.slug) {
                _ if self.group.broken.contains_key(policy.check.slug) => {}
                Some(Answer::Said(value)) => take(policy, document, &input, value, out),
                Some(Answer::Skipped) => out.not_applicable(),
                Some(Answer::Failed(why)) => {
                    out.not_assessed.push(failed(policy.check, Some(document), why));
                }
                None => {
                    let why = "it gave no answer";
                    out.not_assessed.push(failed(policy.check, Some(document), why));
                }
            }
        }
    }

    fn answers(
        &self,
        input: &Input,
        engine: Engine,
        worker: &mut Worker,
    ) -> BTreeMap<&'static str, Answer> {
        let is_slow = |policy: &&&Policy| self.group.slow.contains(&policy.check.slug);
        let interpreted = |policies: Vec<&Policy>, worker: &mut Worker| {
            let mut answers = BTreeMap::new();
            for policy in policies {
                answers.insert(policy.check.slug, self.interpreted(policy, input, worker));
            }
            answers
        };
        let slow: Vec<&Policy> = self.policies.iter().filter(is_slow).copied().collect();
        let fast: Vec<&Policy> = self.policies.iter().filter(|p| !is_slow(p)).copied().collect();
        let mut answers = interpreted(slow, worker);
        match self.computed(&fast, input, worker) {
            Some(computed) if engine == Engine::Verify => {
                let mut other = interpreted(fast, worker);
                for (slug, answer) in computed {
                    let same = other.remove(slug).is_some_and(|other| same(&answer, &other));
                    let differ = || Answer::Failed("the two engines differ".to_owned());
                    answers.insert(slug, if same { answer } else { differ() });
                }
            }
            Some(computed) => answers.extend(computed),
            // One of them failed: asked alone, it is known which.
            None => answers.extend(interpreted(fast, worker)),
        }
        answers
    }

    /// What the virtual machine says; none where it fails.
    fn computed(
        &self,
        policies: &[&Policy],
        input: &Input,
        worker: &mut Worker,
    ) -> Option<BTreeMap<&'static str, Answer>> {
        let machine = worker.machine.as_mut()?;
        machine.set_input(input.value.clone());
        let answer = machine.execute_entry_point_by_index(0).ok()?;
        let (found, skipped) = (&answer["found"], &answer["skipped"]);
        let found = found.as_object().ok()?;
        let skipped = skipped.as_set().ok()?;
        let answer = |policy: &&Policy| {
            let slug = Value::from(policy.check.slug);
            let said = match skipped.contains(&slug) {
                true => Answer::Skipped,
                false => Answer::Said(found.get(&slug)?.clone()),
            };
            Some((policy.check.slug, said))
        };
        policies.iter().map(answer).collect()
    }

    fn interpreted(&self, policy: &Policy, input: &Input, worker: &mut Worker) -> Answer {
        let engine = worker.engine.get_or_insert_with(|| {
            let mut engine = self.group.engine.clone();
            let _ = engine.add_data(self.data.clone());
            engine
        });
        engine.set_input(input.value.clone());
        if policy.skips {
            match engine.eval_rule(format!("data.{}.not_applicable", policy.package)) {
                Ok(value) if value == Value::from(true) => return Answer::Skipped,
                Ok(_) => {}
                Err(error) => return Answer::Failed(Failure::of(&error).message),
            }
        }
        let mut said = BTreeMap::new();
        for rule in &policy.rules {
            match engine.eval_rule(format!("data.{}.{rule}", policy.package)) {
                Ok(Value::Undefined) => {}
                Ok(value) => _ = said.insert(Value::from(rule.as_str()), value),
                Err(error) => return Answer::Failed(Failure::of(&error).message),
            }
        }
        Answer::Said(Value::from(said))
    }
}

fn same(a: &Answer, b: &Answer) -> bool {
    match (a, b) {
        (Answer::Said(a), Answer::Said(b)) => a == b,
        (Answer::Skipped, Answer::Skipped) => true,
        _ => false,
    }
}
