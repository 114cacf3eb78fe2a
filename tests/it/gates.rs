//! The gates that others run: hooks of pre-commit, the GitHub Action, the container.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::program::{CLEAN, CRITICAL, LOW, Tree};
use crate::support::{project, say};

const PROGRAM: &str = env!("CARGO_BIN_EXE_palisade");
const TWO: &str = "--include=privileged-container,container-without-cpu-request";

fn text(name: &str) -> String {
    std::fs::read_to_string(project().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

#[track_caller]
fn yaml(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

fn path() -> String {
    std::env::var("PATH").expect("a path to bash and git")
}

/// The blocks of YAML in a page.
fn blocks(page: &str) -> Vec<Value> {
    let parts = text(page);
    let parts = parts.split("```yaml\n").skip(1);
    parts.map(|part| yaml(part.split("```").next().unwrap_or_default())).collect()
}

#[test]
fn every_version_that_is_named_is_this_one() {
    let named = regex::Regex::new(r"(?:OWNER/palisade@|rev: |palisade:)v?([0-9][\w.+-]*)");
    let named = named.expect("a pattern");
    let mut seen = BTreeMap::new();
    for file in
        ["README.md", "docs/ci.md", ".pre-commit-hooks.yaml", "action.yml", "deploy/action.sh"]
    {
        for found in named.captures_iter(&text(file)) {
            assert_eq!(&found[1], env!("CARGO_PKG_VERSION"), "{file}: {}", &found[0]);
            *seen.entry(file).or_insert(0) += 1;
        }
    }
    assert!(seen["README.md"] >= 2 && seen["docs/ci.md"] >= 3, "{seen:?}");
    let toolchain = text("rust-toolchain.toml");
    let channel = toolchain.split('"').nth(1).expect("a channel");
    assert!(text("Dockerfile").contains(&format!("FROM rust:{channel}-alpine ")));
}

#[test]
fn what_the_pages_show_fits_the_action_and_the_hooks() {
    let action = yaml(&text("action.yml"));
    let hooks = yaml(&text(".pre-commit-hooks.yaml"));
    let (mut steps, mut ids) = (0, 0);
    for block in blocks("README.md").into_iter().chain(blocks("docs/ci.md")) {
        let jobs = block["jobs"].as_object().into_iter().flat_map(|jobs| jobs.values());
        let all = jobs.map(|job| &job["steps"]).chain([&block]).filter_map(Value::as_array);
        for step in all.flatten() {
            if step["uses"].as_str().is_some_and(|uses| uses.starts_with("OWNER/palisade@")) {
                steps += 1;
                for input in step["with"].as_object().into_iter().flat_map(|with| with.keys()) {
                    assert!(action["inputs"].get(input).is_some(), "no input `{input}`");
                }
            }
        }
        let repos = block["repos"].as_array().into_iter().flatten();
        for hook in repos.filter_map(|repo| repo["hooks"].as_array()).flatten() {
            ids += 1;
            let known = hooks.as_array().expect("a list");
            assert!(known.iter().any(|known| known["id"] == hook["id"]), "{hook}");
        }
    }
    assert!(steps >= 2 && ids >= 2, "{steps} steps and {ids} hooks");
}

/// What a run of the action's step left.
struct Step {
    runner: Tree,
    code: i32,
    said: String,
    outputs: BTreeMap<String, String>,
}

impl Step {
    #[track_caller]
    fn exit(self, code: i32, findings: &str) -> Self {
        assert_eq!(self.code, code, "{}", self.said);
        assert_eq!(self.outputs["exit-code"], code.to_string());
        assert_eq!(self.outputs["findings"], findings, "{}", self.said);
        self
    }

    fn sarif(&self) -> Value {
        let text = std::fs::read_to_string(&self.outputs["sarif-file"]).expect("a report");
        serde_json::from_str(&text).expect("JSON")
    }
}

/// The step of action.yml as a runner would run it in a tree.
fn action(tree: &Tree, event: &str, given: &[(&str, &str)]) -> Step {
    let definition = yaml(&text("action.yml"));
    let step = &definition["runs"]["steps"][0];
    let runner = Tree::bare(&[("output", ""), ("summary", ""), ("temp dir/.keep", "")]);
    let given = BTreeMap::from_iter(given.iter().copied());
    let unknown = given.keys().find(|name| definition["inputs"].get(**name).is_none());
    assert_eq!(unknown, None);
    let mut command = Command::new("bash");
    command
        .args(["--noprofile", "--norc", "-eo", "pipefail", "-c"])
        .arg(step["run"].as_str().expect("a script"))
        .current_dir(tree.path("."))
        .env_clear()
        .env("PATH", format!("{}:{}", runner.path("bin").display(), path()))
        .env("GITHUB_ACTION_PATH", project())
        .env("GITHUB_EVENT_NAME", event)
        .env("GITHUB_BASE_REF", if event == "pull_request" { "main" } else { "" })
        .env("GITHUB_OUTPUT", runner.path("output"))
        .env("GITHUB_STEP_SUMMARY", runner.path("summary"))
        .env("RUNNER_TEMP", runner.path("temp dir"));
    for (name, value) in step["env"].as_object().expect("variables") {
        let input = value.as_str().and_then(|text| text.strip_prefix("${{ inputs."));
        let input = input.and_then(|text| text.strip_suffix(" }}")).expect("an input");
        let default = definition["inputs"][input]["default"].as_str().expect("a default");
        command.env(name, given.get(input).copied().unwrap_or(default));
    }
    // Stands for the build that the action does without a program.
    let cargo = format!(
        "#!/bin/sh\nfor root; do :; done\nmkdir -p \"$root/bin\" && ln -s '{PROGRAM}' \"$root/bin/palisade\"\n\
         printf '%s\\n' \"$PWD\" \"$@\" > '{}'\n",
        runner.path("cargo.log").display()
    );
    runner.write("bin/cargo", cargo);
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(runner.path("bin/cargo"), executable).expect("it can be set");
    let output = command.output().expect("bash is installed");
    let outputs = runner.read("output");
    let pairs = outputs.lines().filter_map(|line| line.split_once('='));
    Step {
        code: output.status.code().expect("it ends by itself"),
        said: String::from_utf8([output.stdout, output.stderr].concat()).expect("UTF-8"),
        outputs: pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        runner,
    }
}

/// The action on `push`, with the program of these tests and two checks.
fn pushed(tree: &Tree, given: &[(&str, &str)]) -> Step {
    action(tree, "push", &[&[("binary", PROGRAM), ("args", TWO)], given].concat())
}

#[test]
fn the_action_tells_a_clean_tree_from_one_with_findings() {
    let tree = Tree::new(&[("a dir/clean.yaml", CLEAN)]);
    let clean = pushed(&tree, &[]).exit(0, "0");
    assert_eq!(clean.sarif()["runs"][0]["results"], json!([]));
    tree.write("low.yaml", LOW);
    tree.write("mighty.yaml", CRITICAL);
    let step = pushed(&tree, &[]).exit(1, "2");
    assert_eq!(step.sarif()["runs"][0]["results"].as_array().map(Vec::len), Some(2));
    assert!(step.said.contains("::error file=mighty.yaml,"), "{}", step.said);
    assert!(step.runner.read("summary").contains("privileged-container"));
    pushed(&tree, &[("inputs", "low.yaml\n\na dir\n"), ("fail-on", "high")]).exit(0, "1");
    let json = pushed(&tree, &[("format", "json")]).exit(1, "2");
    assert!(!json.outputs.contains_key("sarif-file"));
    let report = std::fs::read_to_string(&json.outputs["report-file"]).expect("a report");
    crate::program::conforms(&serde_json::from_str(&report).expect("JSON"));
    tree.write("other.yaml", "exclude: [mighty.yaml]\n");
    pushed(&tree, &[("config", "other.yaml"), ("persona", "auditor")]).exit(1, "1");
}

#[test]
fn the_action_ends_as_the_program_does() {
    let tree = Tree::new(&[]);
    pushed(&tree, &[]).exit(3, "0");
    tree.write("broken.yaml", "kind: Pod\nmetadata: [name: x\n");
    tree.write("clean.yaml", CLEAN);
    pushed(&tree, &[]).exit(4, "0");
    for wrong in ["format", "inputs", "args", "config", "fail-on", "persona", "diff-base"] {
        let step = pushed(&tree, &[(wrong, "none of these; touch made $(touch made)")]).exit(2, "");
        assert_eq!(step.outputs["report-file"], "", "{wrong}");
        assert!(!tree.path("made").exists(), "{wrong} is run");
    }
}

#[test]
fn names_of_files_are_no_commands_of_the_runner() {
    let tree = Tree::new(&[]);
    let names = ["a b/-x.yaml", "n\n::error::x.yaml", "$(touch made)`touch made`.yaml", "-f.yaml"];
    for (number, name) in names.iter().enumerate() {
        tree.write(name, CRITICAL.replace("mighty", &format!("mighty-{number}")));
    }
    let all = pushed(&tree, &[]).exit(1, "4");
    let named = "a b\n$(touch made)`touch made`.yaml\n-f.yaml";
    let three = pushed(&tree, &[("inputs", named)]).exit(1, "3");
    for line in [&all, &three].iter().flat_map(|step| step.said.lines()) {
        let known = ["::error file=", "::notice title=palisade::"];
        assert!(known.iter().any(|known| line.starts_with(known)), "{line}");
    }
    assert!(!tree.path("made").exists());
}

#[test]
fn on_a_pull_request_only_new_findings_count() {
    let tree = Tree::bare(&[("low.yaml", LOW)]);
    let git = |arguments: &[&str]| {
        let status = tree.git(arguments).status().expect("git is installed");
        assert!(status.success(), "git {arguments:?}");
    };
    git(&["init", "-q"]);
    git(&["add", "-A"]);
    git(&["commit", "-qm", "base"]);
    tree.write("mighty.yaml", CRITICAL);
    let pull = |given: &[(&str, &str)]| {
        let own = [("binary", PROGRAM), ("args", TWO)];
        action(&tree, "pull_request", &[&own, given].concat())
    };
    let without = pull(&[]).exit(1, "2");
    assert!(without.said.starts_with("::warning title=palisade::All findings count"));
    git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    let new = pull(&[]).exit(1, "1");
    assert!(!new.said.contains("::warning"), "{}", new.said);
    pull(&[("diff-base", "none")]).exit(1, "2");
    pull(&[("diff-base", "HEAD")]).exit(1, "1");
    pushed(&tree, &[]).exit(1, "2");
}

#[test]
fn without_a_program_the_action_builds_its_own() {
    let tree = Tree::new(&[("low.yaml", LOW)]);
    let step = action(&tree, "push", &[("args", TWO)]).exit(1, "1");
    let (own, root) = (project(), step.runner.path("temp dir/palisade"));
    let (own, root) = (own.display(), root.display());
    let wanted = format!("{own}\ninstall\n--quiet\n--locked\n--path\n{own}\n--root\n{root}\n");
    assert_eq!(step.runner.read("cargo.log"), wanted);
}

#[test]
fn the_action_is_one_script_that_no_input_is_part_of() {
    let action = yaml(&text("action.yml"));
    let steps = action["runs"]["steps"].as_array().expect("steps");
    assert!(steps.iter().all(|step| step.get("uses").is_none()), "other actions inside");
    let scripts: Vec<&str> = steps.iter().filter_map(|step| step["run"].as_str()).collect();
    assert_eq!(scripts, ["bash \"$GITHUB_ACTION_PATH/deploy/action.sh\""]);
    assert!(text("deploy/action.sh").contains("\nset -euo pipefail\n"));
    let written = text("deploy/action.sh");
    for output in action["outputs"].as_object().expect("outputs").keys() {
        assert!(written.contains(&format!("echo \"{output}=")), "{output} is never written");
    }
}

#[test]
fn the_hooks_differ_in_how_the_program_comes() {
    let hooks = yaml(&text(".pre-commit-hooks.yaml"));
    let common = json!({
        "name": "palisade", "entry": "palisade check --changed-files", "args": ["--"],
        "types_or": ["yaml", "json"], "pass_filenames": true, "require_serial": true,
        "minimum_pre_commit_version": "2.9.0",
    });
    for (number, id, language) in [(0, "palisade", "rust"), (1, "palisade-system", "system")] {
        let hook = hooks[number].as_object().expect("a hook");
        assert_eq!((&hook["id"], &hook["language"]), (&id.into(), &language.into()));
        for (key, value) in common.as_object().expect("an object") {
            assert_eq!(&hook[key], value, "{id}: {key}");
        }
    }
}

#[test]
fn a_commit_with_a_finding_is_refused() {
    let Some(program) = std::env::var_os("PALISADE_PRE_COMMIT") else {
        say("pre-commit: not run, PALISADE_PRE_COMMIT names no program");
        return;
    };
    let manifest = project().join(".pre-commit-hooks.yaml");
    let home = Tree::bare(&[]);
    let valid = Command::new(&program).arg("validate-manifest").arg(manifest).status();
    assert!(valid.expect("it starts").success());
    let hook = &yaml(&text(".pre-commit-hooks.yaml"))[1];
    let config = json!({"repos": [{"repo": "local", "hooks": [hook]}]}).to_string();
    let tree = Tree::bare(&[(".pre-commit-config.yaml", &config), ("clean.yaml", CLEAN)]);
    let folder = Path::new(PROGRAM).parent().expect("a folder");
    let run = |mut command: Command| {
        command.env("PATH", format!("{}:{}", folder.display(), path()));
        command.env("PRE_COMMIT_HOME", home.path("cache")).env("PALISADE_MIN_SEVERITY", "critical");
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").current_dir(tree.path("."));
        let output = command.output().expect("it starts");
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    };
    let commit = || {
        assert!(run(tree.git(["add", "-A"])).0);
        run(tree.git(["commit", "-m", "one"]))
    };
    assert!(run(tree.git(["init", "-q"])).0);
    let mut install = Command::new(&program);
    install.arg("install");
    let (installed, said) = run(install);
    assert!(installed, "{said}");
    let (passed, said) = commit();
    assert!(passed && said.contains("Passed"), "{said}");
    tree.write("-x.yaml", CRITICAL);
    let (passed, said) = commit();
    assert!(!passed && said.contains("critical[privileged-container]"), "{said}");
    tree.write("-x.yaml", CRITICAL.replace("privileged: true", "privileged: false"));
    let (passed, said) = commit();
    assert!(passed, "{said}");
}

#[test]
fn the_container_has_the_program_and_no_rights() {
    let file = text("Dockerfile");
    let lines = file.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let instructions: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(' ')).collect();
    assert!(instructions.iter().all(|(name, _)| *name != "ADD"));
    let last = instructions.iter().rposition(|(name, _)| *name == "FROM").expect("a stage");
    let (build, result) = instructions.split_at(last);
    for (_, from) in build.iter().filter(|(name, _)| *name == "FROM") {
        let tag = from.split([':', ' ']).nth(1).expect("a tag");
        assert!(tag.starts_with(|c: char| c.is_ascii_digit()), "{from} is not pinned");
    }
    let names: Vec<&str> = result.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["FROM", "COPY", "COPY", "COPY", "WORKDIR", "USER", "ENTRYPOINT"]);
    let value = |wanted| result.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
    assert_eq!(value("FROM"), Some("scratch"));
    assert_eq!(value("USER"), Some("65532:65532"));
    assert_eq!(value("ENTRYPOINT"), Some("[\"/palisade\"]"));
    let ignore = text(".dockerignore");
    let mut ignore = ignore.lines().filter(|line| !line.starts_with('#'));
    assert_eq!(ignore.next(), Some("*"), "whatever is not named stays out");
    for name in ignore {
        assert!(project().join(name.trim_start_matches('!')).exists(), "{name} is not there");
    }
}
