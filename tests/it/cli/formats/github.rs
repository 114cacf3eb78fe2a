//! Workflow commands, read as the runner of GitHub Actions reads them.

use super::{CHECK, HOSTILE, both, hostile, list, pod, unread};
use crate::program::{CRITICAL, LOW, OPEN, Ran, Tree, check_here, samples};

/// A command of a log.
#[derive(Debug)]
struct Command {
    name: String,
    properties: Vec<(String, String)>,
    message: String,
}

impl Command {
    fn property(&self, name: &str) -> Option<&str> {
        self.properties.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Reads a line as `ActionCommand.TryParseV2` of the runner does.
fn command(line: &str) -> Option<Command> {
    let rest = line.trim_start().strip_prefix("::")?;
    let (head, message) = rest.split_once("::")?;
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let property = |pair: &str| {
        let (key, value) = pair.split_once('=')?;
        let value = value.replace("%2C", ",").replace("%3A", ":");
        Some((key.trim().to_owned(), unescaped(&value)))
    };
    Some(Command {
        name: name.to_owned(),
        properties: properties.split(',').filter_map(property).collect(),
        message: unescaped(message),
    })
}

fn unescaped(text: &str) -> String {
    text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
}

/// The commands of a run: every line is one, and the log shows nothing else.
fn commands(run: &Ran) -> Vec<Command> {
    let lines = run.stdout.split(['\n', '\r']).filter(|line| !line.is_empty());
    let commands: Vec<Command> =
        lines.map(|line| command(line).unwrap_or_else(|| panic!("no command: {line}"))).collect();
    for command in &commands {
        assert!(["error", "warning", "notice"].contains(&command.name.as_str()), "{command:?}");
        let known = ["file", "line", "endLine", "col", "title"];
        assert!(command.properties.iter().all(|(key, _)| known.contains(&key.as_str())));
    }
    let last = commands.last().expect("a summary");
    assert_eq!((last.name.as_str(), last.property("title")), ("notice", Some("palisade")));
    for level in ["error", "warning", "notice"] {
        let count = commands.iter().filter(|command| command.name == level).count();
        assert!(count <= 10, "{count} of {level}");
    }
    commands
}

#[test]
fn each_finding_is_one_command_whatever_the_names_hold() {
    for name in HOSTILE {
        let tree = hostile(&[name]);
        let (run, report) = both(&tree, "github", &[CHECK]);
        let findings = list(&report, "findings");
        let commands = commands(&run);
        assert_eq!(commands.len(), findings.len() + unread(&report) + 1, "{}", run.stdout);
        for finding in findings {
            let label = &finding["labels"][0];
            let line = label["start"]["line"].to_string();
            let same = commands.iter().filter(|command| {
                command.name == "error"
                    && command.property("file") == label["file"].as_str()
                    && command.property("line") == Some(&line)
                    && command.property("title") == Some("critical: privileged-container")
                    && command.message.starts_with(finding["message"].as_str().expect("text"))
            });
            assert_eq!(same.count(), 1, "{finding}\n{}", run.stdout);
        }
    }
}

#[test]
fn a_log_that_runs_in_a_job_gets_the_same_commands() {
    let tree = hostile(&HOSTILE);
    let plain = tree.check([CHECK, "-f", "github"]).exit(1).stdout;
    let run = tree.palisade(["check", ".", CHECK, "-f", "github"]);
    assert_eq!(run.env("GITHUB_ACTIONS", "true").run().exit(1).stdout, plain);
}

#[test]
fn the_worst_ten_of_a_level_are_shown_and_the_rest_is_counted() {
    let many = |text: &str, count: usize| {
        let one =
            |i: usize| text.replace("mighty", &format!("m{i}")).replace("greedy", &format!("g{i}"));
        (0..count).map(one).collect::<Vec<_>>().join("---\n")
    };
    let tree = Tree::new(&[("a.yaml", &many(LOW, 13)), ("b.yaml", &many(CRITICAL, 11))]);
    tree.write("broken.yaml", "kind: Pod\nmetadata: [\n");
    let only = "--include=privileged-container,container-without-cpu-request";
    let run = tree.check(["-f", "github", only]).exit(1);
    let commands = commands(&run);
    assert_eq!(commands.len(), 20, "{}", run.stdout);
    let last = &commands.last().expect("a summary").message;
    assert!(last.starts_with("24 findings; "), "{last}");
    assert!(last.contains("left out here: 2 errors, 4 notices; "), "{last}");
    assert!(last.contains("`--format json`") && last.contains("exit 1: "), "{last}");
    // A file that cannot be read is an error of its own where there is room for it.
    let tree = Tree::new(&[("a.yaml", &pod("web")), ("broken.yaml", "kind: Pod\nmetadata: [\n")]);
    let run = tree.check(["-f", "github", CHECK]).exit(1);
    let unread = &super::github::commands(&run)[1];
    assert_eq!(unread.property("file"), Some("broken.yaml"));
    assert_eq!(unread.property("title"), Some("unparsable"));
}

#[test]
fn levels_follow_the_severities_of_every_sample() {
    for sample in samples() {
        let run = check_here(&[&sample, "-f", "github"]).run();
        let report = check_here(&[&sample, "-f", "json"]).run().json();
        let commands = commands(&run);
        let count = |level: &str, severities: &[&str]| {
            let severe = list(&report, "findings").iter().filter(|finding| {
                severities.contains(&finding["severity"].as_str().expect("a severity"))
            });
            let most = if level == "notice" { 9 } else { 10 };
            let unread = if level == "error" { unread(&report) } else { 0 };
            let wanted = (severe.count() + unread).min(most);
            let files = commands
                .iter()
                .filter(|c| c.name == level && c.property("title") != Some("palisade"));
            assert_eq!(files.count(), wanted, "{sample} {level}");
        };
        count("error", &["critical", "high"]);
        count("warning", &["medium"]);
        count("notice", &["low"]);
    }
}

#[test]
fn the_last_notice_says_why_something_was_not_assessed() {
    let tree = Tree::new(&[("a.yaml", OPEN)]);
    let (run, report) = both(&tree, "github", &["--include=pod-security-would-reject"]);
    let commands = commands(&run.exit(0));
    let open = list(&report, "notAssessed");
    let reason = open[0]["reason"].as_str().expect("text");
    let last = &commands.last().expect("a summary").message;
    assert!(last.contains(&format!("; {} not assessed; ", open.len())), "{last}");
    assert!(last.contains(&format!("\nNot assessed: {reason} (")), "{last}");
}
