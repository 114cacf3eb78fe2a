//! The built program, run as users run it: in a tree of its own, with a scrubbed environment.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// A repository that lives as long as its test.
pub(crate) struct Tree(tempfile::TempDir);

impl Tree {
    /// A repository with some files.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let tree = Self::bare(files);
        std::fs::create_dir(tree.path(".git")).expect("the scratch tree is writable");
        tree
    }

    /// A directory with some files that lies in no repository.
    pub(crate) fn bare(files: &[(&str, &str)]) -> Self {
        let tree = Self(tempfile::tempdir().expect("scratch directories can be made"));
        files.iter().for_each(|(name, text)| tree.write(name, text));
        tree
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        let parent = path.parent().expect("a file lies in a directory");
        std::fs::create_dir_all(parent).expect("the scratch tree is writable");
        std::fs::write(path, content).expect("the scratch tree is writable");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// git in this directory, with nothing of the tester's configuration.
    pub(crate) fn git<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new("git");
        command
            .current_dir(self.0.path())
            .args(["-c", "user.name=a", "-c", "user.email=a@example.org"])
            .args(["-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always"])
            .args(args)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1");
        command
    }

    /// `palisade` with this directory as its working directory.
    pub(crate) fn palisade<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Palisade {
        palisade(args).dir(self.0.path())
    }

    /// `palisade check` of the whole tree.
    pub(crate) fn check<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Ran {
        let mut run = self.palisade(["check", "."]);
        run.command.args(args);
        run.run()
    }

    /// The report of `palisade check` as JSON, valid against its schema.
    pub(crate) fn json<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Value {
        let mut run = self.palisade(["check", ".", "-f", "json"]);
        run.command.args(args);
        run.run().json()
    }
}

/// A run to come.
pub(crate) struct Palisade {
    pub(crate) command: Command,
    stdin: Vec<u8>,
}

/// A run of the program with nothing of the tester's environment.
pub(crate) fn palisade<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Palisade {
    let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
    command.env_clear().args(args);
    Palisade { command, stdin: Vec::new() }
}

impl Palisade {
    pub(crate) fn dir(mut self, directory: &Path) -> Self {
        self.command.current_dir(directory);
        self
    }

    pub(crate) fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn stdin(mut self, text: impl AsRef<[u8]>) -> Self {
        self.stdin = text.as_ref().to_vec();
        self
    }

    pub(crate) fn run(mut self) -> Ran {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().expect("the program starts");
        // The program may end without reading all of it.
        let _ = child.stdin.take().expect("a pipe").write_all(&self.stdin);
        let output = child.wait_with_output().expect("the program ends");
        let text = |bytes| String::from_utf8(bytes).expect("outputs are UTF-8");
        Ran {
            code: output.status.code().expect("the program ends by itself"),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

/// What a run gave.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Demands an exit code.
    #[track_caller]
    pub(crate) fn exit(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n{}\n{}", self.stdout, self.stderr);
        self
    }

    /// The report as JSON, valid against its schema; standard error is empty beside it.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.stderr, "", "a report of JSON comes with messages");
        let report =
            serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}\n{}", self.stdout));
        conforms(&report);
        assert_eq!(report["exit"]["code"], self.code, "the report gives another exit code");
        report
    }
}

/// Demands that a report is valid against the schema of reports.
#[track_caller]
pub(crate) fn conforms(report: &Value) {
    static SCHEMA: OnceLock<jsonschema::Validator> = OnceLock::new();
    let schema = SCHEMA.get_or_init(|| {
        jsonschema::validator_for(&palisade::report::json_schema()).expect("a schema")
    });
    let errors: Vec<String> =
        schema.iter_errors(report).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

/// The directories of samples, as a user names them.
pub(crate) fn samples() -> Vec<String> {
    let directory = std::fs::read_dir(crate::support::project().join("samples"));
    let entries = directory.expect("the samples are there").flatten();
    let names = entries.filter(|entry| entry.path().is_dir()).map(|entry| entry.file_name());
    let mut samples: Vec<String> =
        names.map(|name| format!("samples/{}", name.to_string_lossy())).collect();
    samples.sort();
    assert!(samples.len() >= 6, "only {samples:?}");
    samples
}

/// `palisade check --include-docs` in the project.
pub(crate) fn check_here(args: &[&str]) -> Palisade {
    palisade(["check", "--include-docs"]).args(args).dir(&crate::support::project())
}

/// Slugs of the findings of a report, sorted.
pub(crate) fn slugs(list: &Value) -> Vec<&str> {
    let mut slugs: Vec<&str> = list
        .as_array()
        .expect("a list")
        .iter()
        .map(|finding| finding["check"].as_str().expect("a slug"))
        .collect();
    slugs.sort_unstable();
    slugs
}

/// A pod that every check of these tests is content with, in a namespace that says what it enforces.
pub(crate) const CLEAN: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {pod-security.kubernetes.io/enforce: baseline}}
---
apiVersion: v1
kind: Pod
metadata: {name: clean, namespace: shop}
spec:
  containers:
    - name: main
      image: registry.example/clean:1
      resources: {requests: {cpu: 100m}}
";

/// A pod with one finding of low severity: `container-without-cpu-request`.
pub(crate) const LOW: &str = "\
apiVersion: v1
kind: Pod
metadata: {name: greedy, namespace: shop}
spec:
  containers:
    - name: main
      image: registry.example/greedy:1
";

/// A pod with one finding of critical severity: `privileged-container`.
pub(crate) const CRITICAL: &str = "\
apiVersion: v1
kind: Pod
metadata: {name: mighty, namespace: shop}
spec:
  containers:
    - name: main
      image: registry.example/mighty:1
      resources: {requests: {cpu: 100m}}
      securityContext:
        privileged: true
";

/// A namespace and a pod about which `pod-security-would-reject` cannot tell anything.
pub(crate) const OPEN: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: open}
---
apiVersion: v1
kind: Pod
metadata: {name: someone, namespace: open}
spec: {containers: [{name: main, image: a, resources: {requests: {cpu: 1}}}]}
";

/// The checks of these tests.
pub(crate) const CHECKS: &str =
    "--include=privileged-container,container-without-cpu-request,pod-security-would-reject";
