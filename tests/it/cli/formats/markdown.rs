//! Markdown, read back by a reader of Markdown.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::{CHECK, HOSTILE, both, hostile, list, pod};
use crate::program::{OPEN, Tree, check_here, samples};

/// What a reader makes of a report.
#[derive(Debug, Default)]
struct Page {
    headings: Vec<String>,
    /// Cells of the tables whose rows are findings.
    rows: Vec<Vec<String>>,
    /// All text outside code.
    text: String,
    code: Vec<String>,
}

/// Reads a report, in which nothing is markup that it did not write itself.
fn page(markdown: &str) -> Page {
    let mut page = Page::default();
    let (mut heading, mut row): (Option<String>, Option<Vec<String>>) = (None, None);
    let mut depth: i32 = 0;
    for event in Parser::new_ext(markdown, Options::all()) {
        let said = match &event {
            Event::Text(text) | Event::Code(text) => text.to_string(),
            _ => String::new(),
        };
        if let Some(heading) = &mut heading {
            heading.push_str(&said);
        }
        if let Some(cell) = row.as_mut().and_then(|row| row.last_mut()) {
            cell.push_str(&said);
        }
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => page.headings.extend(heading.take()),
            Event::Start(Tag::TableRow | Tag::TableHead) => row = Some(Vec::new()),
            Event::Start(Tag::TableCell) => row.iter_mut().for_each(|row| row.push(String::new())),
            Event::End(TagEnd::TableRow) => page.rows.extend(row.take()),
            Event::Start(Tag::Link { dest_url, .. }) => {
                assert!(dest_url.starts_with("https://palisade.dev/checks#"), "{dest_url}");
            }
            Event::Html(html) | Event::InlineHtml(html) => {
                let html = html.trim();
                let summary = html.strip_prefix("<details><summary>");
                let summary = summary.and_then(|rest| rest.strip_suffix(")</summary>"));
                depth += i32::from(summary.is_some()) - i32::from(html == "</details>");
                let plain = |text: &str| !text.contains(['<', '>', '@']);
                let own = matches!(html, "<br>" | "</details>") || summary.is_some_and(plain);
                assert!(own, "{html}");
                assert!((0..=1).contains(&depth), "what is folded is closed");
            }
            Event::Text(text) => page.text.push_str(&format!("{text}\n")),
            Event::Code(code) => page.code.push(code.to_string()),
            Event::Start(
                Tag::Paragraph
                | Tag::Table(_)
                | Tag::List(None)
                | Tag::Item
                | Tag::Strong
                | Tag::HtmlBlock,
            )
            | Event::End(_)
            | Event::SoftBreak => {}
            other => panic!("{other:?} in\n{markdown}"),
        }
    }
    assert_eq!(depth, 0);
    // What platforms link by themselves stands in code, where they leave it alone.
    for live in ["@", "://", "www.", "#", "!", "<", ">", "*", "~", "\\", "$", "|", "["] {
        assert!(!page.text.contains(live), "{live} in\n{}", page.text);
    }
    let harmful = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202e}' | '\u{2066}');
    assert_eq!(markdown.chars().find(|c| harmful(*c)), None);
    let ours =
        ["palisade: ", "Critical (", "High (", "Medium (", "Low (", "Not read or rendered ("];
    for heading in &page.headings {
        assert!(ours.iter().any(|start| heading.starts_with(start)), "{heading}");
    }
    page
}

/// Rows that begin with the name of a check: findings, and what is ignored.
fn findings(page: &Page) -> Vec<&Vec<String>> {
    let catalog = palisade::engine::catalog();
    let of_check = |row: &&Vec<String>| row.len() == 3 && catalog.get(&row[0]).is_some();
    page.rows.iter().filter(of_check).collect()
}

fn number_of(report: &serde_json::Value, key: &str) -> usize {
    list(report, key).len()
}

#[test]
fn every_sample_is_a_page_with_all_its_findings() {
    for sample in samples() {
        let run = check_here(&[&sample, "-f", "markdown"]).run();
        let report = check_here(&[&sample, "-f", "json"]).run().json();
        let page = page(&run.stdout);
        assert_eq!(findings(&page).len(), number_of(&report, "findings"), "{sample}");
        let reason = report["exit"]["reason"].as_str().expect("text");
        let exit = format!("exit {}: {reason}", run.code);
        assert!(page.text.contains(&exit), "{sample}: {exit}");
        assert!(run.stdout.contains("<summary>Defence in depth ("), "{sample}");
        let open = number_of(&report, "notAssessed") > 0;
        assert_eq!(run.stdout.contains("<summary>Not assessed ("), open, "{sample}");
    }
}

#[test]
fn no_name_is_markup() {
    for name in HOSTILE {
        let tree = hostile(&[name]);
        let (run, report) = both(&tree, "markdown", &[CHECK]);
        let page = page(&run.stdout);
        let rows = number_of(&report, "findings") + number_of(&report, "ignored");
        assert_eq!(findings(&page).len(), rows, "{}", run.stdout);
        let lines = run.stdout.lines().map(str::trim_start);
        assert_eq!(lines.clone().find(|line| line.starts_with("::")), None);
    }
    let tree = hostile(&HOSTILE);
    let page = page(&tree.check([CHECK, "-f", "markdown"]).exit(1).stdout);
    for shown in ["</details><script>alert(1)</script>", "[x](javascript:1)", "@everyone"] {
        assert!(page.code.iter().any(|code| code.contains(shown)), "{shown}: {:?}", page.code);
    }
}

#[test]
fn a_log_gets_no_commands() {
    let tree = hostile(&HOSTILE);
    let run = tree.palisade(["check", ".", CHECK, "-f", "markdown"]).env("GITHUB_ACTIONS", "true");
    let text = run.run().exit(1).stdout;
    assert!(!text.contains("##[") && !text.lines().any(|line| line.trim_start().starts_with("::")));
    page(&text);
}

#[test]
fn a_page_fits_into_a_comment_and_says_what_is_left_out() {
    let name = |i: usize| format!("web-{i}-{}", "x".repeat(150));
    let pods: Vec<String> = (0..2_000).map(|i| pod(&name(i))).collect();
    let tree = Tree::new(&[("a.yaml", &pods.join("---\n"))]);
    let run = tree.check(["-f", "markdown"]).exit(1);
    assert!(run.stdout.chars().count() < 65_536, "{}", run.stdout.len());
    let page = page(&run.stdout);
    let critical = page.headings.iter().find(|heading| heading.starts_with("Critical ("));
    assert_eq!(critical.map(String::as_str), Some("Critical (2000)"));
    let listed = findings(&page).iter().filter(|row| row[0] == "privileged-container").count();
    assert!(listed > 10, "{listed}");
    let left = format!("\nand {} more; `--format json` has them all\n", 2_000 - listed);
    assert!(run.stdout.contains(&left), "{left}");
}

#[test]
fn what_is_incomplete_stands_before_the_findings() {
    let broken = ("broken.yaml", "kind: Pod\nmetadata: [\n");
    let tree = Tree::new(&[("a.yaml", &format!("{}---\n{OPEN}", pod("web"))), broken]);
    let run = tree.check(["-f", "markdown"]).exit(1);
    let at = |text: &str| run.stdout.find(text).unwrap_or_else(|| panic!("no {text}"));
    assert!(at("### Not read or rendered (1)") < at("### Critical (1)"));
    assert!(at("`broken.yaml`") < at("### Critical (1)"));
    assert!(at("### Critical (1)") < at("<summary>Not assessed ("));
}

#[test]
fn only_what_the_change_touches_is_told() {
    let tree = Tree::new(&[("a.yaml", &pod("web")), ("b.yaml", &pod("other"))]);
    let args = ["check", "--changed-files", "a.yaml", "-f", "markdown", CHECK];
    let text = tree.palisade(args).run().exit(1).stdout;
    assert!(text.starts_with("## palisade: 1 finding in the changed files\n"), "{text}");
    assert!(text.contains("- 1 finding outside the changed files\n"), "{text}");
    assert_eq!(findings(&page(&text)).len(), 1);
}
