//! No value that should be withheld reaches any output: unique tokens are planted in every place
//! that a secret can stand in, and every format is searched for them.

use std::cell::Cell;
use std::fmt::Write;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::program::{Ran, palisade};
use crate::support::write;

/// Makes tokens and remembers them.
#[derive(Default)]
struct Canaries(Cell<usize>);

impl Canaries {
    /// A value that nothing else contains and that looks like a password.
    fn next(&self) -> String {
        self.0.set(self.0.get() + 1);
        token(self.0.get())
    }

    fn encoded(&self) -> String {
        STANDARD.encode(self.next())
    }

    /// Every text that must not be printed.
    fn all(&self) -> Vec<String> {
        (1..=self.0.get()).flat_map(|i| [token(i), STANDARD.encode(token(i))]).collect()
    }
}

fn token(number: usize) -> String {
    format!("Qz{number:03}vTx7Rk9Wm{}", number * 7919 % 1000)
}

/// The tokens that a run printed, with the line.
fn leaks(canaries: &Canaries, ran: &Ran) -> Vec<String> {
    let mut found = Vec::new();
    for (stream, text) in [("stdout", &ran.stdout), ("stderr", &ran.stderr)] {
        for canary in canaries.all() {
            if let Some(line) = text.lines().find(|line| line.contains(&canary)) {
                let line: String = line.chars().take(200).collect();
                found.push(format!("{canary} on {stream}: {line}"));
            }
        }
    }
    found
}

/// Name of a dumped object, and how many of its values are withheld.
fn redacted(line: &str) -> (String, usize) {
    let dumped: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
    let name = dumped["object"]["metadata"]["name"].as_str().expect("a name").to_owned();
    (name, line.matches("\"<redacted>\"").count())
}

/// Runs every format over a directory, and the given files alone over standard input.
fn search(root: &Path, canaries: &Canaries, stdin: &[&str]) -> Vec<Ran> {
    let shown = ["check", "--no-config", "--persona", "auditor", "--include-docs", "--passes"];
    let formats: [&[&str]; 11] = [
        &["--format", "human"],
        &["--format", "human", "--color", "always"],
        &["--format", "table"],
        &["--format", "json"],
        &["--format", "sarif"],
        &["--format", "junit"],
        &["--format", "github"],
        &["--format", "gitlab"],
        &["--format", "markdown"],
        &["--format", "csv"],
        &["--dump-objects"],
    ];
    let mut runs = Vec::new();
    let mut found = Vec::new();
    for format in formats {
        let ran = palisade(shown).args(format).args([root]).run();
        assert!(
            ran.stdout.len() + ran.stderr.len() > 1000,
            "{format:?} says nothing: {}",
            ran.stderr
        );
        found.extend(leaks(canaries, &ran).into_iter().map(|leak| format!("{format:?} {leak}")));
        for name in stdin {
            let text = std::fs::read(root.join(name)).expect("a file of the test");
            let ran = palisade(shown).args(format).args(["-"]).stdin(&text).run();
            let leaks = leaks(canaries, &ran);
            found.extend(leaks.into_iter().map(|leak| format!("{format:?} - {leak}")));
        }
        runs.push(ran);
    }
    assert!(found.is_empty(), "{} leaks\n{}\n", found.len(), found.join("\n"));
    runs
}

#[test]
fn no_value_of_a_secret_is_printed() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let (root, c) = (scratch.path(), Canaries::default());
    let secret = |name: &str| format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\n");
    write(
        root,
        "styles.yaml",
        format!(
            "{}stringData:\n  plain: {}\n  single: '{}'\n  double: \"{}\"\n  block: |\n    {}\n    {}\n  \
             folded: >-\n    {}\n  continued: \"{}\n  {}\"\n  over: {}\n  over: {}\n  number: 0\n  \
             anchored: &value {}\n  alias: *value\ndata:\n  encoded: {}\n  raw: {}\n  folded:\n    {}\n    {}\n",
            secret("styles"),
            c.next(),
            c.next(),
            c.next(),
            c.next(),
            c.next(),
            c.next(),
            c.next(),
            c.next(),
            c.next(),
            c.next(),
            c.next(),
            c.encoded(),
            c.next(),
            c.encoded(),
            c.encoded(),
        ),
    );
    write(
        root,
        "json.json",
        format!(
            "{{\"kind\": \"Secret\", \"apiVersion\": \"v1\", \"metadata\": {{\"name\": \"json\"}},\n \
             \"data\": {{\"a\": \"{}\"}}, \"stringData\": {{\"b\": \"{}\"}}}}\n",
            c.encoded(),
            c.next()
        ),
    );
    write(
        root,
        "lists.yaml",
        format!(
            "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata: {{name: \
             item}}\n  stringData: {{a: {}}}\n---\napiVersion: v1\nkind: SecretList\nitems:\n- \
             metadata: {{name: typed}}\n  data: {{a: {}}}\n---\napiVersion: v1\nkind: Harmless\n\
             items:\n- apiVersion: v1\n  kind: Secret\n  metadata: {{name: other}}\n  data: {{a: {}}}\n",
            c.next(),
            c.encoded(),
            c.encoded()
        ),
    );
    write(
        root,
        "inside.yaml",
        format!(
            "apiVersion: template.openshift.io/v1\nkind: Template\nmetadata: {{name: template}}\n\
             objects:\n- apiVersion: v1\n  kind: Secret\n  metadata: {{name: inner}}\n  stringData:\n    \
             a: {}\n---\napiVersion: example.com/v1\nkind: Wrapper\nmetadata: {{name: wrapper}}\n\
             spec:\n  manifest:\n    kind: Secret\n    data: {{a: {}}}\n",
            c.next(),
            c.encoded()
        ),
    );
    write(
        root,
        "merged.yaml",
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: merged\n  labels: &base\n    a: b\nx: &x\n  \
             password: {}\nstringData:\n  <<: [*x, {{other: {}}}]\n",
            c.next(),
            c.next()
        ),
    );
    let applied = format!(
        "{{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"stringData\":{{\"a\":\"{}\"}},\"data\":{{\"b\":\
         \"{}\"}}}}",
        c.next(),
        c.encoded()
    );
    write(
        root,
        "applied.yaml",
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: applied\n  annotations:\n    \
             kubectl.kubernetes.io/last-applied-configuration: |\n      {applied}\n---\napiVersion: v1\n\
             kind: List\nmetadata:\n  annotations:\n    \
             kubectl.kubernetes.io/last-applied-configuration: '{applied}'\nitems:\n- apiVersion: v1\n  \
             kind: ConfigMap\n  metadata:\n    name: applied\n    annotations:\n      \
             kubectl.kubernetes.io/last-applied-configuration: '{applied}'\n"
        ),
    );
    write(
        root,
        "README.md",
        format!(
            "# Secrets\n\n> - quoted:\n>   ```yaml\n>   apiVersion: v1\n>   kind: Secret\n>   metadata: \
             {{name: quoted}}\n>   stringData:\n>     a: |\n>       {}\n>       {}\n>   ```\n\n~~~ json\n\
             {{\"apiVersion\": \"v1\", \"kind\": \"Secret\", \"metadata\": {{\"name\": \"tildes\"}}, \
             \"data\": {{\"a\": \"{}\"}}}}\n~~~\n\n```bash\nexport API_TOKEN={}\nkubectl apply -f - \
             <<EOF\napiVersion: v1\nkind: Secret\nmetadata: {{name: heredoc}}\nstringData:\n  a: \
             ${{TOKEN:-{}}}\n  b: $(echo {})\n  c: `echo {}`\nEOF\nDB_PASSWORD={} run\n```\n",
            c.next(),
            c.next(),
            c.encoded(),
            c.next(),
            c.next(),
            c.next(),
            c.next(),
            c.next()
        ),
    );
    write(
        root,
        "apply.sh",
        format!(
            "PGPASSWORD={}\ncat <<-'EOF' | kubectl apply -f -\n\tapiVersion: v1\n\tkind: Secret\n\t\
             metadata: {{name: stripped}}\n\tstringData:\n\t  a: {}\n\tEOF\n",
            c.next(),
            c.next()
        ),
    );
    let utf16 = format!("{}stringData: {{a: {}}}\n", secret("wide"), c.next());
    let utf16: Vec<u8> = utf16.encode_utf16().flat_map(u16::to_le_bytes).collect();
    write(root, "wide.yaml", [b"\xFF\xFE".to_vec(), utf16].concat());
    let windows =
        format!("{}stringData:\n  a: {}\n  b: |\n    {}\n", secret("crlf"), c.next(), c.next());
    write(root, "windows.yaml", windows.replace('\n', "\r\n"));
    let bytes = format!("{}stringData:\n  a: {}X\n  b: {}\n", secret("bytes"), c.next(), c.next());
    write(
        root,
        "bytes.yaml",
        bytes
            .replace('X', "\u{1}")
            .into_bytes()
            .iter()
            .map(|b| if *b == 1 { 0xFF } else { *b })
            .collect::<Vec<u8>>(),
    );

    let stdin = ["styles.yaml", "json.json", "lists.yaml", "README.md"];
    let runs = search(root, &c, &stdin);
    let dump = &runs.last().expect("the last format").stdout;
    let hidden: Vec<(String, usize)> = dump.lines().map(redacted).collect();
    let hidden: Vec<(&str, usize)> = hidden.iter().map(|(name, n)| (name.as_str(), *n)).collect();
    let wanted = [
        ("quoted", 1),
        ("heredoc", 3),
        ("tildes", 1),
        ("applied", 1),
        ("applied", 1),
        ("stripped", 1),
        ("bytes", 2),
        ("template", 1),
        ("wrapper", 1),
        ("json", 2),
        ("item", 1),
        ("typed", 1),
        ("other", 1),
        ("merged", 3),
        ("styles", 13),
        ("wide", 1),
        ("crlf", 2),
    ];
    let mut sorted = hidden.clone();
    sorted.sort_unstable();
    let mut all = wanted.to_vec();
    all.sort_unstable();
    assert_eq!(sorted, all, "every value is there, and withheld");
    let json = runs.get(3).expect("json");
    let found = json.stdout.matches("\"plain-secret-in-repository\"").count();
    assert!(found >= 8, "the Secrets were judged");
}

#[test]
fn no_value_of_a_secret_that_cannot_be_read_is_printed() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let (root, c) = (scratch.path(), Canaries::default());
    // Each is refused near a value, so that a snippet of its message shows the lines around it.
    let broken: [(&str, &dyn Fn() -> String); 19] = [
        ("quote", &|| format!("stringData:\n  a: '{}\n  b: {}\n", c.next(), c.next())),
        ("tab", &|| {
            format!("stringData:\n  a: {}\n\tb: {}\n  c: {}\n", c.next(), c.next(), c.next())
        }),
        ("flow", &|| format!("stringData: {{a: {}, b: [{}\n", c.next(), c.next())),
        ("lines", &|| format!("stringData:\n  a: |\n    {}\n   {}\n  b: [\n", c.next(), c.next())),
        ("indent", &|| format!("stringData:\n   a: {}\n  b: {}\n", c.next(), c.next())),
        ("alias", &|| format!("stringData:\n  a: *{}\n", c.next())),
        ("tag", &|| format!("stringData:\n  a: !!int {}\n", c.next())),
        ("handle", &|| format!("stringData:\n  a: !x!{} y\n", c.next())),
        ("reserved", &|| format!("stringData:\n  a: @{}\n", c.next())),
        ("binary", &|| format!("data:\n  a: !!binary {}-\n", c.next())),
        ("escape", &|| format!("stringData:\n  a: \"\\q{}\"\n", c.next())),
        ("control", &|| format!("stringData:\n  a: \"{}\u{7}\"\n", c.next())),
        ("colon", &|| format!("stringData:\n  a: {}: {}: x\n", c.next(), c.next())),
        ("infinity", &|| format!("stringData:\n  a: {}\n  b: .inf\n", c.next())),
        ("bomb", &|| format!("stringData: &a {{b: *a, c: {}}}\n", c.next())),
        ("anchors", &|| {
            let mut many = format!("stringData:\n  a: {}\n", c.next());
            (0..10_001).for_each(|i| writeln!(many, "  k{i}: &a{i} x").expect("a string"));
            many
        }),
        ("template", &|| format!("{{{{ if x }}}}\nstringData:\n  a: {}\n", c.next())),
        ("dropped", &|| {
            format!("stringData: {{a: {}}}\n...\nstringData:\n  b: {}\n", c.next(), c.next())
        }),
        ("spaced", &|| {
            format!(
                "stringData  :\n  a: {}\n\"data\" : \n    b: {}\n  c: [\n",
                c.next(),
                c.encoded()
            )
        }),
    ];
    for (name, body) in broken {
        let heads = [
            format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\n"),
            format!("apiVersion: v1\nkind: \"Secret\" # {name}\nmetadata:\n  name: {name}\n"),
        ];
        for (i, head) in heads.iter().enumerate() {
            write(root, &format!("{name}{i}.yaml"), format!("{head}{}", body()));
        }
        let item = body().lines().fold(String::new(), |all, line| all + "  " + line + "\n");
        let list = format!(
            "apiVersion: v1\nkind: List\nitems:\n- kind: Secret\n  apiVersion: v1\n  metadata: {{name: {name}}}\n{item}"
        );
        write(root, &format!("{name}-item.yaml"), list);
    }
    let whole = [
        ("name.yaml", format!("apiVersion: v1\nkind: Secret\nstringData: {{a: {}}}\n", c.next())),
        (
            "map.yaml",
            format!(
                "apiVersion: v1\nkind: Secret\nmetadata: {{name: {{a: b}}}}\nstringData: {{a: {}}}\n",
                c.next()
            ),
        ),
        (
            "number.yaml",
            format!(
                "apiVersion: v1\nkind: Secret\nstringData:\n  a: {}\nmetadata:\n  name: 1\n",
                c.next()
            ),
        ),
        (
            "version.yaml",
            format!("kind: Secret\nmetadata: {{name: a}}\nstringData: {{a: {}}}\n", c.next()),
        ),
        (
            "expression.yaml",
            format!(
                "apiVersion: v1\nkind: Secret\nstringData: {{a: {}}}\nmetadata: {{name: \"{{{{ x }}}}\"}}\n",
                c.next()
            ),
        ),
        (
            "separator.yaml",
            format!("--- {{apiVersion: v1, kind: Secret, stringData: {{a: {}}}}}\n", c.next()),
        ),
        (
            "patch.yaml",
            format!(
                "a: [\n---\nkind: Secret\n$patch: merge\nstringData: {{a: {}}}\n---\nb: [\n",
                c.next()
            ),
        ),
        (
            "neighbour.yaml",
            format!(
                "kind: Secret\ndata: {{a: {}}}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: 1}}\n---\nkind: Secret\nstringData:\n  a: {}\n",
                c.encoded(),
                c.next()
            ),
        ),
        (
            "pretty.json",
            format!(
                "{{\n  \"apiVersion\": \"v1\",\n  \"kind\": \"Secret\",\n  \"metadata\": {{\"name\": \"a\"}},\n  \"data\": {{\n    \"a\": \"{}\",\n    \"b\": \"{}\"\n    \"c\": 1\n  }}\n}}\n",
                c.encoded(),
                c.encoded()
            ),
        ),
        (
            "line.json",
            format!(
                "{{\"apiVersion\":\"v1\",\"data\":{{\"a\":\"{}\"}},\"kind\":\"Secret\",}}}}\n",
                c.encoded()
            ),
        ),
        (
            "applied.json",
            format!(
                "{{\"metadata\":{{\"annotations\":{{\"x\":\"{{\\\"stringData\\\":{{\\\"a\\\":\\\"{}\\\"}}}}\"}}}},\"kind\":\"Secret\",}}}}\n",
                c.next()
            ),
        ),
        (
            "fence.md",
            format!(
                "```yaml\napiVersion: v1\nkind: Secret\nstringData:\n  a: {}\n  b: [\n```\n",
                c.next()
            ),
        ),
        (
            "heredoc.sh",
            format!(
                "cat <<EOF\napiVersion: v1\nkind: Secret\nstringData:\n  a: {}\n  b: [\nEOF\n",
                c.next()
            ),
        ),
    ];
    for (name, text) in &whole {
        write(root, name, text);
    }
    write(root, "documents.yaml", {
        let secret = format!("kind: Secret\nstringData: {{a: {}}}\n", c.next());
        secret + &"---\na: b\n".repeat(100_001)
    });
    let names: Vec<&str> = whole.iter().map(|(name, _)| *name).collect();
    let runs = search(root, &c, &names);
    let json = &runs.get(3).expect("json").stdout;
    let refused = json.matches("\"unparsable\"").count();
    assert!(refused > 50, "{refused} files were refused");
}

#[test]
fn no_credential_outside_of_secrets_is_printed() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let (root, c) = (scratch.path(), Canaries::default());
    let pod = |name: &str, container: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  containers:\n  - name: \
             app\n    image: app:1\n{container}"
        )
    };
    write(
        root,
        "config.yaml",
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: config\n  annotations:\n    \
             example.com/api-token: {}\ndata:\n  DB_PASSWORD: {}\n  app.properties: |\n    name = x\n    \
             db.password = {}\n  settings.json: |\n    {{\n      \"apiKey\": \"{}\"\n    }}\n  url: \
             postgres://app:{}@db/app\nbinaryData:\n  env: {}\n",
            c.next(),
            c.next(),
            c.next(),
            c.next(),
            c.next(),
            STANDARD.encode(format!("DB_PASSWORD={}\n", c.next()))
        ),
    );
    write(
        root,
        "pods.yaml",
        [
            pod("literal", &format!("    env:\n    - name: DB_PASSWORD\n      value: {}\n", c.next())),
            pod("flow", &format!("    env: [{{value: \"{}\", name: API_TOKEN}}]\n", c.next())),
            pod("url", &format!("    env:\n    - {{name: DSN, value: 'amqp://u:{}@mq/'}}\n", c.next())),
            pod("argument", &format!("    args: [--password={}, --token, {}]\n", c.next(), c.next())),
            pod("script", &format!("    command:\n    - sh\n    - -c\n    - |\n      export DB_PASSWORD={}\n      run\n", c.next())),
            pod("alias", &format!("    env:\n    - name: A_PASSWORD\n      value: &p {}\n    - name: COPY\n      value: *p\n", c.next())),
        ]
        .join("---\n"),
    );
    // The same in documents that cannot be read: the mistake stands beside the credential.
    let broken = [
        format!("    env:\n    - name: DB_PASSWORD\n      value: {}\n    - [\n", c.next()),
        format!("    env:\n    - value: {}\n      name: DB_PASSWORD\n     x: [\n", c.next()),
        format!("    env: [{{name: DB_PASSWORD, value: {}}}\n", c.next()),
        format!("    args: [--password={}, --token, {}\n", c.next(), c.next()),
        format!("    args:\n    - --password\n    - {}\n\t- x\n", c.next()),
        format!(
            "    env: [{{name: DSN, value: 'amqp://u:{}@mq/'}}, {{name: OTHER, value: 'amqp://u:{}@mq/'}}\n",
            c.next(),
            c.next()
        ),
    ];
    for (i, container) in broken.iter().enumerate() {
        write(root, &format!("broken{i}.yaml"), pod("broken", container));
    }
    let runs = search(root, &c, &["config.yaml", "pods.yaml"]);
    let json = &runs.get(3).expect("json").stdout;
    for check in ["secret-in-configmap", "secret-literal-in-env", "secret-in-arguments"] {
        assert!(json.contains(&format!("\"{check}\"")), "{check} found them");
    }
}
