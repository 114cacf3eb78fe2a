//! JUnit: one suite per check, one test case for each of its outcomes.

use std::collections::BTreeMap;
use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::results::{is_error, numbered, place, unread};
use super::{Run, url};
use crate::document::{ObjectId, clean};
use crate::finding::{Assessment, Finding, Ignored, NotAssessed};

/// Name of the suite that tells which inputs were not read.
const INPUTS: &str = "inputs";

/// What became of a test case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Failure,
    Error,
    Skipped,
    Passed,
}

impl State {
    /// The element that tells it.
    const fn element(self) -> Option<&'static str> {
        match self {
            Self::Failure => Some("failure"),
            Self::Error => Some("error"),
            Self::Skipped => Some("skipped"),
            Self::Passed => None,
        }
    }
}

/// A test case.
struct Case {
    name: String,
    state: State,
    /// Why, in one line.
    message: String,
    /// Where, and what to do.
    text: String,
}

/// The cases of each suite.
type Suites = BTreeMap<&'static str, Vec<Case>>;

/// Writes the report.
pub(super) fn write(run: &Run<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let suites = suites(run);
    let mut xml = Writer::new_with_indent(out, b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let all = suites.values().flatten();
    xml.write_event(Event::Start(counts("testsuites", "palisade", all)))?;
    for (name, cases) in &suites {
        xml.write_event(Event::Start(counts("testsuite", name, cases.iter())))?;
        let names = numbered(cases.iter().map(|case| case.name.clone()));
        for (case, unique) in cases.iter().zip(names) {
            write_case(&mut xml, name, &unique, case)?;
        }
        xml.write_event(Event::End(BytesEnd::new("testsuite")))?;
    }
    xml.write_event(Event::End(BytesEnd::new("testsuites")))?;
    writeln!(xml.into_inner())
}

fn write_case<W: io::Write>(
    xml: &mut Writer<W>,
    class: &str,
    name: &str,
    case: &Case,
) -> io::Result<()> {
    let start = BytesStart::new("testcase")
        .with_attributes([("classname", legal(class).as_str()), ("name", &legal(name))]);
    let Some(element) = case.state.element() else {
        return xml.write_event(Event::Empty(start));
    };
    xml.write_event(Event::Start(start))?;
    let message = legal(&case.message);
    let reason = BytesStart::new(element).with_attributes([("message", message.as_str())]);
    if case.text.is_empty() {
        xml.write_event(Event::Empty(reason))?;
    } else {
        xml.write_event(Event::Start(reason))?;
        xml.write_event(Event::Text(BytesText::new(&case.text)))?;
        xml.write_event(Event::End(BytesEnd::new(element)))?;
    }
    xml.write_event(Event::End(BytesEnd::new("testcase")))
}

/// The start of a suite, or of all of them, with how many cases of each sort there are.
fn counts<'c>(
    element: &'static str,
    name: &str,
    cases: impl Iterator<Item = &'c Case> + Clone,
) -> BytesStart<'static> {
    let count = |state| cases.clone().filter(|case| case.state == state).count().to_string();
    BytesStart::new(element).with_attributes([
        ("name", legal(name).as_str()),
        ("tests", &cases.clone().count().to_string()),
        ("failures", &count(State::Failure)),
        ("errors", &count(State::Error)),
        ("skipped", &count(State::Skipped)),
    ])
}

fn suites(run: &Run<'_>) -> Suites {
    let mut suites = Suites::new();
    let unread = unread(run);
    if !unread.is_empty() {
        let case = |input: super::results::Unread| Case {
            name: input.name,
            state: State::Error,
            message: format!("{}: {}", input.word, input.reasons.join("; ")),
            text: String::new(),
        };
        suites.insert(INPUTS, unread.into_iter().map(case).collect());
    }
    // A subject of one root among several is told with its root.
    let several = run.assessments.iter().filter(|a| a.objects > 0).count() > 1;
    for assessment in run.assessments {
        let root = several.then_some(assessment.root.as_str());
        of_root(run, assessment, root, &mut suites);
    }
    for cases in suites.values_mut() {
        cases.sort_by(|a, b| (&a.name, a.state).cmp(&(&b.name, b.state)));
    }
    suites
}

fn of_root(run: &Run<'_>, assessment: &Assessment, root: Option<&str>, suites: &mut Suites) {
    for (check, tally) in &assessment.tallies {
        let cases = suites.entry(check).or_default();
        cases.extend((0..tally.not_applicable).map(|_| Case {
            name: "not applicable".to_owned(),
            state: State::Skipped,
            message: "the check does not apply to this subject".to_owned(),
            text: String::new(),
        }));
    }
    for finding in &assessment.findings {
        suites.entry(finding.check).or_default().push(failure(run, finding, root));
    }
    for ignored in &assessment.ignored {
        suites.entry(ignored.finding.check).or_default().push(suppressed(run, ignored, root));
    }
    for open in &assessment.not_assessed {
        suites.entry(open.check).or_default().push(open_question(run, open, root));
    }
    for pass in &assessment.passes {
        suites.entry(pass.check).or_default().push(Case {
            name: subject(&pass.subject, None, root),
            state: State::Passed,
            message: String::new(),
            text: String::new(),
        });
    }
}

fn failure(run: &Run<'_>, finding: &Finding, root: Option<&str>) -> Case {
    let mut lines: Vec<String> = finding
        .labels
        .iter()
        .map(|label| {
            let (file, line, column) = place(run, label.span);
            // A line that begins with a name could be a command for the log it is printed to.
            format!("at {file}:{line}:{column}: {}", label.text)
        })
        .collect();
    lines.push(format!("Fix: {}.", finding.help));
    lines.push(url(finding.check));
    let lines: Vec<String> = lines.iter().map(|line| legal(line)).collect();
    Case {
        name: subject(&finding.subject, finding.container.as_deref(), root),
        state: State::Failure,
        message: format!("{}: {}", finding.severity, finding.message),
        text: lines.join("\n"),
    }
}

fn suppressed(run: &Run<'_>, ignored: &Ignored, root: Option<&str>) -> Case {
    let (finding, waiver) = (&ignored.finding, &ignored.waiver);
    let (file, line, _) = place(run, waiver.span);
    let at = format!("{} at {file}:{line}", waiver.spelling);
    Case {
        name: subject(&finding.subject, finding.container.as_deref(), root),
        state: State::Skipped,
        message: format!("ignored by {at}: {}: {}", waiver.reason, finding.message),
        text: String::new(),
    }
}

fn open_question(run: &Run<'_>, open: &NotAssessed, root: Option<&str>) -> Case {
    let name = match (&open.subject, root) {
        (Some(id), _) => subject(id, None, root),
        (None, Some(root)) => format!("the check in {root}"),
        (None, None) => "the check".to_owned(),
    };
    let state = if is_error(run, open) { State::Error } else { State::Skipped };
    let message = format!("not assessed: {}", open.reason);
    Case { name, state, message, text: String::new() }
}

fn subject(id: &ObjectId, container: Option<&str>, root: Option<&str>) -> String {
    let container = container.map(|name| format!(", container {name}")).unwrap_or_default();
    let root = root.map(|root| format!(", in {root}")).unwrap_or_default();
    format!("{id}{container}{root}")
}

/// Text of characters that XML has.
fn legal(text: &str) -> String {
    let mut text = clean(text);
    text.retain(|c| !matches!(c, '\u{FFFE}' | '\u{FFFF}'));
    text
}
