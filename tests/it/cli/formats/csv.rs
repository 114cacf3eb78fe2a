//! CSV, read back by a reader of CSV.

use serde_json::Value;

use super::{CHECK, HOSTILE, both, hostile, list};
use crate::program::{check_here, samples};

/// The rows of a report, each as (column, cell).
fn rows(stdout: &str) -> Vec<Vec<(String, String)>> {
    let mut reader = csv::Reader::from_reader(stdout.as_bytes());
    let header = reader.headers().expect("a header").clone();
    assert_eq!(stdout.lines().next(), Some(header.iter().collect::<Vec<_>>().join(",").as_str()));
    let documented =
        std::fs::read_to_string(crate::support::project().join("docs/formats.md")).expect("docs");
    for column in &header {
        assert!(documented.contains(&format!("`{column}`")), "{column} is not documented");
    }
    let row = |record: csv::StringRecord| {
        for cell in &record {
            let first = cell.trim_start().chars().next().unwrap_or('a');
            assert!(!"=+-@＝＋－＠".contains(first), "a formula: {cell}");
            assert!(!cell.contains(char::is_control), "{cell:?}");
        }
        let pairs = header.iter().zip(&record).map(|(h, c)| (h.to_owned(), c.to_owned()));
        pairs.collect::<Vec<_>>()
    };
    reader.records().map(|record| row(record.expect("a row of the same length"))).collect()
}

fn cell<'r>(row: &'r [(String, String)], column: &str) -> &'r str {
    let found = row.iter().find(|(name, _)| name == column);
    found.map(|(_, text)| text.as_str()).unwrap_or_else(|| panic!("no column {column}"))
}

/// What tells findings apart, as JSON gives it.
fn of_json(finding: &Value) -> Vec<String> {
    let label = &finding["labels"][0];
    let number = |value: &Value| value.to_string();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    vec![
        text(&finding["check"]),
        text(&finding["severity"]),
        text(&label["file"]),
        number(&label["start"]["line"]),
        text(&finding["subject"]["name"]),
        text(&finding["subject"]["container"]),
        text(&finding["message"]),
        text(&finding["fingerprint"]),
    ]
}

fn of_csv(row: &[(String, String)]) -> Vec<String> {
    let columns =
        ["check", "severity", "file", "line", "name", "container", "message", "fingerprint"];
    // The quote that guards a formula is no part of the text.
    let bare = |text: &str| {
        let inner = text.strip_prefix('\'');
        let guarded = |t: &&str| t.trim_start().starts_with(['=', '+', '-', '@']);
        inner.filter(guarded).unwrap_or(text).to_owned()
    };
    columns.iter().map(|column| bare(cell(row, column))).collect()
}

#[test]
fn every_sample_comes_back_from_a_reader() {
    for sample in samples() {
        let rows = rows(&check_here(&[&sample, "-f", "csv"]).run().stdout);
        let report = check_here(&[&sample, "-f", "json"]).run().json();
        let mut read: Vec<Vec<String>> = rows.iter().map(|row| of_csv(row)).collect();
        let mut wanted: Vec<Vec<String>> = list(&report, "findings").iter().map(of_json).collect();
        read.sort();
        wanted.sort();
        assert_eq!(read, wanted, "{sample}");
    }
}

#[test]
fn no_cell_is_a_formula_and_each_finding_is_one_row() {
    let tree = hostile(&HOSTILE);
    let (run, report) = both(&tree, "csv", &[CHECK]);
    assert!(run.stdout.ends_with("\r\n"));
    let rows = rows(&run.stdout);
    let entries = |key: &str| list(&report, key).iter().map(of_json).collect::<Vec<_>>();
    let mut wanted = [entries("findings"), entries("ignored")].concat();
    let mut read: Vec<Vec<String>> = rows.iter().map(|row| of_csv(row)).collect();
    wanted.sort();
    read.sort();
    assert_eq!(read, wanted);
    assert!(run.stdout.contains(",'=cmd(),"), "{}", run.stdout);
    let suppressed: Vec<_> = rows.iter().filter(|row| cell(row, "suppressed") == "true").collect();
    assert_eq!(suppressed.len(), list(&report, "ignored").len());
    for row in suppressed {
        assert!(!cell(row, "reason").is_empty() && !cell(row, "owner").is_empty(), "{row:?}");
        assert_eq!(cell(row, "until"), "2099-01-01");
    }
    let first_column =
        run.stdout.lines().skip(1).all(|line| line.starts_with("privileged-container,"));
    assert!(first_column, "a cell has a line break");
}
