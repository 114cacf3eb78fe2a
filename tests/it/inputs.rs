//! Bad input: each kind gives one message with file, line and help, takes nothing else with it, and
//! makes the run incomplete unless findings decide. Hostile input ends in an orderly way within bounds.

use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::program::{CHECKS, CLEAN, LOW, Ran, Tree, palisade, slugs};

/// An object that stands before each bad one in the same file.
const NEIGHBOUR: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: neighbour, namespace: shop}
---
";

/// Lines of the neighbour, with the separator.
const ABOVE: u64 = 4;

/// What a bad document must give.
struct Row {
    name: &'static str,
    text: Vec<u8>,
    /// Line within the bad text.
    line: u64,
    state: &'static str,
    message: &'static str,
    help: &'static str,
}

fn row(
    name: &'static str,
    text: impl Into<Vec<u8>>,
    place: (u64, &'static str),
    message: &'static str,
    help: &'static str,
) -> Row {
    let (line, state) = place;
    Row { name, text: text.into(), line, state, message, help }
}

fn bomb() -> String {
    let mut text =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bomb}\na0: &a0 [x, x, x]\n".to_owned();
    for level in 1..20 {
        let alias = format!("*a{}", level - 1);
        writeln!(text, "a{level}: &a{level} [{alias}, {alias}, {alias}]").expect("a string");
    }
    text
}

fn rows() -> Vec<Row> {
    let head = "apiVersion: v1\nkind: ConfigMap\n";
    let (unparsable, not_rendered) = ("unparsable", "not-rendered");
    vec![
        row(
            "flow",
            format!("{head}data: {{a: [1,\n  2\n"),
            (3, unparsable),
            "not closed",
            "close every",
        ),
        row("bomb", bomb(), (1, unparsable), "excessive aliasing", "write the repeated parts out"),
        row("deep", "[".repeat(200 * 1024), (1, unparsable), "nested too deep", "255 levels"),
        row(
            "version",
            "kind: Pod\nmetadata: {name: a}\n",
            (1, unparsable),
            "no `apiVersion`",
            "write both",
        ),
        row(
            "kind",
            "apiVersion: v1\nmetadata: {name: a}\n",
            (1, unparsable),
            "no `kind`",
            "write both",
        ),
        row(
            "name",
            format!("{head}data: {{}}\n"),
            (2, unparsable),
            "no `metadata.name`",
            "give it a name",
        ),
        row(
            "map",
            format!("{head}metadata: {{name: {{a: b}}}}\n"),
            (3, unparsable),
            "must be a string, not a map",
            "write one name",
        ),
        row(
            "template",
            format!("{head}metadata:\n  name: {{{{ .Values.name }}}}\n"),
            (4, not_rendered),
            "an unrendered template",
            "helm template . | palisade check -",
        ),
        row(
            "tab",
            format!("{head}metadata:\n\tname: a\n"),
            (4, unparsable),
            "tab",
            "indent with blanks",
        ),
        row(
            "quote",
            format!("{head}metadata: {{name: \"a}}\n"),
            (3, unparsable),
            "a quote",
            "close the quote",
        ),
        row(
            "alias",
            format!("{head}metadata: {{name: *a}}\n"),
            (3, unparsable),
            "anchor",
            "define the anchor",
        ),
        row(
            "control",
            format!("{head}metadata: {{name: a\u{1}}}\n"),
            (3, unparsable),
            "U+0001",
            "remove",
        ),
    ]
}

/// The problems of a file in a report.
fn problems<'r>(report: &'r Value, file: &str) -> Vec<&'r Value> {
    let all = report["inputs"]["problems"].as_array().expect("a list");
    all.iter().filter(|problem| problem["file"] == file).collect()
}

/// What a report says about a file.
fn file<'r>(report: &'r Value, name: &str) -> &'r Value {
    let all = report["inputs"]["files"].as_array().expect("a list");
    let mut own = all.iter().filter(|file| file["file"] == name);
    let found = own.next().unwrap_or_else(|| panic!("{name} is not in the report"));
    assert!(own.next().is_none(), "{name} is in the report twice");
    found
}

#[test]
fn a_bad_document_gives_one_message_and_hides_nothing() {
    for Row { name, text, line, state, message, help } in rows() {
        let tree = Tree::new(&[("low.yaml", LOW)]);
        tree.write(
            "bad.yaml",
            [NEIGHBOUR.as_bytes(), &text, b"\n---\n", LOW.replace("greedy", "below").as_bytes()]
                .concat(),
        );
        let ran = tree.check(["-f", "json", CHECKS]).exit(1);
        let report = ran.json();
        let found = problems(&report, "bad.yaml");
        assert_eq!(found.len(), 1, "{name}: one message: {found:?}");
        let problem = found.first().expect("one");
        let says = |key: &str| problem[key].as_str().unwrap_or_default().to_owned();
        assert_eq!(problem["line"], ABOVE + line, "{name}: {problem}");
        assert_eq!(says("state"), state, "{name}");
        assert!(says("message").contains(message), "{name}: {problem}");
        assert!(says("help").contains(help), "{name}: {problem}");
        assert_eq!(file(&report, "bad.yaml")["state"], state, "{name}");
        // What stands before and behind it in the file is read, and so is the other file.
        assert_eq!(file(&report, "bad.yaml")["objects"], 2, "{name}");
        let cpu = "container-without-cpu-request";
        assert_eq!(slugs(&report["findings"]), [cpu, cpu], "{name}");

        let human = tree.check(["--color", "never", CHECKS]).exit(1);
        let place = format!("bad.yaml:{}:", ABOVE + line);
        let all = format!("{}{}", human.stdout, human.stderr);
        assert!(all.contains(&place), "{name}: {all}");
        assert!(all.contains(help) && all.matches("help: ").count() >= 3, "{name}: {all}");

        tree.write("low.yaml", CLEAN);
        tree.write("bad.yaml", [NEIGHBOUR.as_bytes(), &text].concat());
        let reason = tree.check(["-f", "json", CHECKS]).exit(4).json()["exit"]["reason"].clone();
        assert!(
            reason.as_str().is_some_and(|r| r.starts_with("incomplete: 1 file")),
            "{name}: {reason}"
        );
        tree.check(["--allow-incomplete", CHECKS]).exit(0);
    }
}

#[test]
fn a_file_that_cannot_be_read_as_text_is_named_with_the_reason() {
    let wide: Vec<u8> = LOW.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = [b"\xFF\xFE".to_vec(), wide.clone()].concat();
    let elf = b"\x7FELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3E\0".to_vec();
    let bytes = LOW.replace("greedy", "gr\u{1}dy").into_bytes();
    let bytes: Vec<u8> = bytes.into_iter().map(|b| if b == 1 { 0xFF } else { b }).collect();
    // Content, state, reason, objects, and the exit code beside a clean file.
    type Content = (&'static str, Vec<u8>, &'static str, &'static str, u64, i32);
    let rows: [Content; 5] = [
        ("utf-16 without mark", wide, "unparsable", "UTF-16 without a byte order mark", 0, 4),
        ("utf-16", marked, "analysed", "", 1, 1),
        ("binary", elf, "encrypted", "binary", 0, 0),
        ("git-crypt", b"\0GITCRYPT\0abc".to_vec(), "encrypted", "git-crypt", 0, 0),
        ("invalid UTF-8", bytes, "analysed", "", 1, 1),
    ];
    for (name, content, state, reason, objects, code) in rows {
        let tree = Tree::new(&[("clean.yaml", CLEAN)]);
        tree.write("bad.yaml", content);
        let report = tree.check(["-f", "json", CHECKS]).exit(code).json();
        let bad = file(&report, "bad.yaml");
        assert_eq!(
            (&bad["state"], &bad["objects"]),
            (&state.into(), &objects.into()),
            "{name}: {bad}"
        );
        assert!(bad["reason"].as_str().unwrap_or_default().contains(reason), "{name}: {bad}");
        assert_eq!(file(&report, "clean.yaml")["state"], "analysed", "{name}");
        let human = tree.check(["--color", "never", CHECKS]).exit(code);
        let named = format!("{}{}", human.stdout, human.stderr);
        assert!(state == "analysed" || named.contains("bad.yaml"), "{name}: {named}");
    }
    let tree = Tree::new(&[]);
    tree.write("bad.yaml", b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a\xFF}\n");
    let notes = tree.check(["-f", "json"]).json()["notes"].clone();
    let note = &notes[0];
    assert_eq!((&note["file"], &note["line"]), (&"bad.yaml".into(), &3.into()), "{notes}");
    assert!(note["text"].as_str().is_some_and(|text| text.contains("U+FFFD")), "{notes}");
}

#[test]
fn keys_that_are_written_twice_are_a_finding_with_both_places() {
    let twice =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: twice}\ndata: {a: b}\ndata: {c: d}\n";
    let tree = Tree::new(&[("clean.yaml", CLEAN)]);
    tree.write("twice.yaml", format!("{NEIGHBOUR}{twice}"));
    let report = tree.check(["-f", "json", "--include=duplicate-key"]).exit(1).json();
    let labels = &report["findings"][0]["labels"];
    let lines: Vec<&Value> =
        labels.as_array().expect("labels").iter().map(|label| &label["start"]["line"]).collect();
    assert_eq!(lines, [&Value::from(ABOVE + 5), &Value::from(ABOVE + 4)], "{labels}");
    assert_eq!(file(&report, "twice.yaml")["objects"], 2);
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_cannot_be_read_is_named_and_the_rest_is_judged() {
    // Readable by its rights even for root, and yet every read of its first page fails.
    let rows = [("/proc/self/mem", "mem"), ("/dev/null", "null")];
    for (path, name) in rows {
        let tree = Tree::new(&[("clean.yaml", CLEAN), ("low.yaml", LOW)]);
        let report =
            tree.palisade(["check", path, "clean.yaml", "-f", "json", CHECKS]).run().exit(4).json();
        let files = report["inputs"]["files"].as_array().expect("a list");
        let own =
            files.iter().find(|file| file["file"].as_str().is_some_and(|f| f.ends_with(name)));
        let own = own.unwrap_or_else(|| panic!("{path}: {files:?}"));
        assert_eq!(own["state"], "unreadable", "{path}");
        assert!(
            own["reason"].as_str().is_some_and(|reason| reason.contains("; ")),
            "no help: {own}"
        );
        assert_eq!(report["inputs"]["counts"]["analysed"], 1, "{path}");
        let ran =
            tree.palisade(["check", path, "low.yaml", CHECKS, "--color", "never"]).run().exit(1);
        assert!(ran.stdout.contains("unreadable: "), "{path}: {}", ran.stdout);
    }
    let tree = Tree::new(&[("clean.yaml", CLEAN)]);
    tree.palisade(["check", "vanished.yaml", "clean.yaml"]).run().exit(2);
}

#[test]
fn a_stream_of_fifty_megabytes_is_read_to_its_end() {
    let mut text = String::with_capacity(51 << 20);
    let mut objects = 0;
    let filler = "x".repeat(4000);
    while text.len() < 50 << 20 {
        objects += 1;
        writeln!(text, "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{objects}, namespace: shop}}\ndata:\n  a: {filler}\n---")
            .expect("a string");
    }
    text.push_str(LOW);
    let ran = palisade(["check", "-", "-f", "json", CHECKS]).stdin(&text).run().exit(1);
    let report = ran.json();
    assert_eq!(file(&report, "<stdin>")["objects"], objects + 1);
    assert_eq!(slugs(&report["findings"]), ["container-without-cpu-request"]);
    // One document over the limit: nothing of it is read, and the run says so.
    let tree =
        Tree::new(&[("clean.yaml", CLEAN), ("palisade.yaml", "limits: {fileBytes: 1000000}\n")]);
    let ran = tree.palisade(["check", "-", "-f", "json", CHECKS]).stdin(&text).run().exit(4);
    let report = ran.json();
    assert_eq!(file(&report, "<stdin>")["state"], "too-large");
    let reason = file(&report, "<stdin>")["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("raise `limits.fileBytes`"), "{reason}");
}

/// Size of a hostile text.
const HOSTILE: usize = 1 << 20;

/// One piece again and again, up to the size of a hostile text.
fn many(piece: impl Fn(usize) -> String) -> String {
    let mut text = String::with_capacity(HOSTILE + 1024);
    let mut number = 0;
    while text.len() < HOSTILE {
        text.push_str(&piece(number));
        number += 1;
    }
    text
}

/// Hostile texts, each with a good object before it where documents can be told apart.
fn hostile() -> Vec<(&'static str, String)> {
    let head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: hostile}\n";
    let deep = |step: &str| {
        let mut text = head.to_owned();
        for level in 0..1400 {
            text.extend(std::iter::repeat_n(' ', level));
            text.push_str(step);
            text.push('\n');
        }
        text
    };
    vec![
        ("brackets", many(|_| "[".into())),
        ("braces", many(|_| "{a: ".into())),
        ("closing brackets", many(|_| "]".into())),
        (
            "flow levels that close",
            head.to_owned() + "d: [" + &many(|_| "[[[[]]]],".into()) + "]\n",
        ),
        ("anchors", head.to_owned() + &many(|i| format!("k{i}: &a{i} x\n"))),
        ("aliases", head.to_owned() + "a: &a [x]\nb: [" + &many(|_| "*a,".into()) + "]\n"),
        ("bomb", {
            let wide = (0..400).map(|_| "*a").collect::<Vec<_>>().join(",");
            let mut text = format!("{head}x: &a0 [x]\n");
            for level in 1..500 {
                let line = wide.replace("*a", &format!("*a{}", level - 1));
                writeln!(text, "y{level}: &a{level} [{line}]").expect("a string");
            }
            text
        }),
        ("merge bomb", {
            let mut text = format!(
                "{head}m0: &m0 {{{}}}\n",
                (0..2000).map(|i| format!("k{i}: x")).collect::<Vec<_>>().join(", ")
            );
            for level in 1..5000 {
                writeln!(text, "m{level}: &m{level} {{<<: [*m{}, *m0], j{level}: x}}", level - 1)
                    .expect("a string");
            }
            text
        }),
        ("long plain scalar", head.to_owned() + "a: " + &many(|_| "x".into())),
        ("long quoted scalar", head.to_owned() + "a: \"" + &many(|_| "\\n".into()) + "\"\n"),
        ("long block scalar", head.to_owned() + "a: |\n" + &many(|i| format!("  line {i}\n"))),
        ("long line of keys", head.to_owned() + "a: {" + &many(|i| format!("k{i}: 1, ")) + "}\n"),
        ("documents", many(|_| "a\n---\n".into())),
        (
            "objects",
            many(|i| {
                format!(
                    "apiVersion: v1\nkind: Pod\nmetadata: {{name: p{i}}}\nspec: {{containers: [{{name: a, image: b}}]}}\n---\n"
                )
            }),
        ),
        ("broken documents", many(|_| "a: [\n---\n".into())),
        ("separators", many(|_| "---\n".into())),
        ("keys", head.to_owned() + &many(|i| format!("k{i}: v\n"))),
        ("equal keys", head.to_owned() + &many(|_| "k: v\n".into())),
        ("block lists", many(|_| "- ".into())),
        ("deep lists", deep("-")),
        ("deep maps", deep("a:")),
        ("quotes", many(|_| "'".into())),
        ("double quotes", head.to_owned() + &many(|_| "\"\" ".into())),
        ("open quotes", head.to_owned() + &many(|i| format!("k{i}: \"x\n"))),
        ("continued quotes", head.to_owned() + &many(|i| format!("k{i}: \"x\ny\"\n"))),
        ("comments", head.to_owned() + &many(|i| format!("# comment {i}\n"))),
        (
            "waivers",
            head.to_owned() + &many(|_| "# palisade: ignore[privileged-container] x\n".into()),
        ),
        ("tabs", head.to_owned() + "a: [" + &many(|_| "\n\tb,".into()) + "]\n"),
        ("blanks", many(|_| "    \n".into())),
        ("JSON objects", many(|_| "{\"a\":1}".into())),
        ("JSON escapes", "{\"a\":\"".to_owned() + &many(|_| "\\ud800".into()) + "\"}"),
        ("tags", head.to_owned() + &many(|i| format!("k{i}: !t{i} v\n"))),
        ("tag directives", many(|i| format!("%TAG !t{i}! tag:x,{i}:\n"))),
        ("colons", many(|_| ": ".into())),
        ("question marks", many(|_| "? ".into())),
        ("line separators", head.to_owned() + "a: \"" + &many(|_| "\u{2028}".into()) + "\"\n"),
        ("template marks", many(|_| "{{ x }}\n".into())),
        ("fences", many(|_| "```yaml\na: 1\n```\n".into())),
        ("nested quotes of Markdown", many(|_| "> ".into()) + "```yaml\na: 1\n```\n"),
        ("heredocs", many(|_| "cat <<EOF\na: $x\nEOF\n".into())),
        ("open heredocs", many(|i| format!("cat <<E{i}\n"))),
        ("open expansions", "cat <<EOF\na: ".to_owned() + &many(|_| "$(".into()) + "\nEOF\n"),
    ]
}

/// Runs the program with at most 256 MiB of address space for what it reads and says, beside the
/// 28 MiB that its own text, the bundled policies and stacks take.
#[cfg(unix)]
#[expect(clippy::disallowed_methods, reason = "a child is waited for with a limit")]
fn bounded(tree: &Tree, file: &str) -> Result<Ran, String> {
    const MOST: &str = "ulimit -v 290816; exec \"$@\"";
    const PATIENCE: Duration = Duration::from_secs(20);
    let (out, err) = (tree.path("out"), tree.path("err"));
    let open = |path| std::fs::File::create(path).expect("the scratch tree is writable");
    let mut child = Command::new("sh")
        .args(["-c", MOST, "sh", env!("CARGO_BIN_EXE_palisade"), "check", file, "-f", "json"])
        .current_dir(tree.path(""))
        .env_clear()
        // Arenas of the allocator reserve address space by the thread, used or not.
        .env("RAYON_NUM_THREADS", "2")
        .env("MALLOC_ARENA_MAX", "1")
        .stdin(Stdio::null())
        .stdout(open(&out))
        .stderr(open(&err))
        .spawn()
        .expect("a shell");
    let begin = Instant::now();
    let status = loop {
        match child.try_wait().expect("our own child") {
            Some(status) => break status,
            None if begin.elapsed() > PATIENCE => {
                let _ = child.kill();
                let _ = child.wait();
                return Err("still running after 20 s".to_owned());
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    let text =
        |path| String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned();
    let (stdout, stderr) = (text(&out), text(&err));
    let Some(code) = status.code() else {
        return Err(format!("ended by {status}: {}", stderr.chars().take(300).collect::<String>()));
    };
    Ok(Ran { code, stdout, stderr })
}

#[cfg(unix)]
#[test]
fn hostile_texts_of_a_megabyte_end_in_an_orderly_way() {
    let mut wrong = Vec::new();
    for (name, text) in hostile() {
        let extension = match name {
            "fences" | "nested quotes of Markdown" => "md",
            "heredocs" | "open heredocs" | "open expansions" => "sh",
            "JSON objects" | "JSON escapes" => "json",
            _ => "yaml",
        };
        let file = format!("hostile.{extension}");
        let tree = Tree::new(&[]);
        tree.write(&file, &text);
        let ran = match bounded(&tree, &file) {
            Ok(ran) => ran,
            Err(why) => {
                wrong.push(format!("{name}: {why}"));
                continue;
            }
        };
        let first = ran.stderr.lines().next().unwrap_or_default();
        if !matches!(ran.code, 0 | 1 | 3 | 4) || ran.stderr.contains("panicked") {
            wrong.push(format!("{name}: exit code {}: {first}", ran.code));
            continue;
        }
        let Ok(report) = serde_json::from_str::<Value>(&ran.stdout) else {
            wrong.push(format!("{name}: the report is no JSON"));
            continue;
        };
        let state = report["inputs"]["files"][0]["state"].as_str().unwrap_or_default().to_owned();
        let incomplete = ["unparsable", "too-large", "not-rendered"].contains(&state.as_str());
        if incomplete && ran.code != 4 && report["findings"].as_array().is_none_or(Vec::is_empty) {
            wrong.push(format!("{name}: {state}, but exit code {}", ran.code));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
