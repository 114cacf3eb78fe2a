//! Credentials on command lines: behind a flag, in an assignment, in a script.

use super::secret::{self, Hit};

/// Programs whose short flags take a password.
const SHORT: [(&str, &[&str]); 4] = [
    ("-a", &["redis-cli", "valkey-cli", "keydb-cli"]),
    (
        "-p",
        &["sshpass", "mongo", "mongosh", "mongodump", "mongorestore", "mongoexport", "mongoimport"],
    ),
    ("-w", &["ldapsearch", "ldapadd", "ldapmodify", "ldapdelete", "ldapwhoami"]),
    ("-P", &["sqlcmd", "bcp", "mosquitto_pub", "mosquitto_sub"]),
];

/// Programs that take the password glued to `-p`.
const GLUED: [&str; 7] =
    ["mysql", "mysqldump", "mysqladmin", "mariadb", "mariadb-dump", "mariadb-admin", "mysqlimport"];

/// Scripts in arguments of scripts are followed this deep.
const DEPTH: usize = 3;

/// The words of one command, read one after the other: what came before says what a word is.
#[derive(Default)]
pub(super) struct Command {
    program: String,
    flag: Option<String>,
    depth: usize,
}

impl Command {
    /// Looks at the next word of the command.
    pub(super) fn argument(&mut self, text: &str) -> Option<Hit> {
        let flag = self.flag.take();
        let behind_flag = flag.filter(|_| !text.starts_with('-'));
        let hit = behind_flag.as_deref().and_then(|flag| self.behind(flag, text));
        let hit = hit.or_else(|| self.glued(text)).or_else(|| self.word(text));
        if text.starts_with('-') {
            self.flag = Some(text.to_owned()).filter(|flag| !flag.contains('='));
        } else if self.program.is_empty() && !is_before_program(text) {
            self.program = text.rsplit('/').next().unwrap_or_default().to_owned();
        }
        hit
    }

    /// The value behind a flag.
    fn behind(&self, flag: &str, value: &str) -> Option<Hit> {
        let short = |(short, programs): &(&str, &[&str])| {
            *short == flag && programs.contains(&self.program.as_str())
        };
        if SHORT.iter().any(short) {
            return secret::by_name("password", value);
        }
        if self.program == "curl" && matches!(flag, "-u" | "--user" | "-U" | "--proxy-user") {
            let (user, password) = value.split_once(':')?;
            return Some(secret::by_name("password", password)?.moved(user.len() + 1));
        }
        secret::by_name(flag.trim_start_matches('-'), value)
    }

    fn glued(&self, text: &str) -> Option<Hit> {
        let password = text.strip_prefix("-p")?;
        let hit = || secret::by_name("password", password);
        Some(GLUED.contains(&self.program.as_str()).then(hit)??.moved(2))
    }

    /// A word by itself: an assignment, a script, or what has the shape of a credential.
    fn word(&self, text: &str) -> Option<Hit> {
        if text.contains('\n') {
            return secret::in_lines(text).or_else(|| self.script(text));
        }
        if let Some(hit) = secret::by_shape(text) {
            return Some(hit);
        }
        if text.contains(' ') {
            return secret::in_phrase(text).or_else(|| self.script(text));
        }
        // The value of `--from-literal=password=...` is an assignment, too.
        let (name, value) = text.split_once('=')?;
        let start = name.len() + 1;
        let quote = value.len() - value.trim_start_matches(['"', '\'']).len();
        let inner = value.trim_matches(['"', '\'']);
        let named = secret::by_name(name.trim_start_matches('-'), inner);
        let again = || self.word(inner).filter(|_| name.starts_with('-'));
        Some(named.or_else(again)?.moved(start + quote))
    }

    fn script(&self, text: &str) -> Option<Hit> {
        if self.depth >= DEPTH {
            return None;
        }
        let inner = || Self { depth: self.depth + 1, ..Self::default() };
        let mut command = inner();
        for (start, end) in words(text) {
            let word = text.get(start..end)?;
            if word.is_empty() {
                command = inner();
            } else if let Some(hit) = command.argument(word) {
                return Some(hit.moved(start));
            }
        }
        None
    }
}

/// What may stand in front of the program.
fn is_before_program(word: &str) -> bool {
    word.contains('=') || matches!(word, "exec" | "sudo" | "env" | "time" | "nohup" | "then" | "do")
}

/// The words of a script without their quotes; an empty one stands where a command ends.
fn words(text: &str) -> Vec<(usize, usize)> {
    let mut words = Vec::new();
    let mut start = None;
    let mut quote = None;
    let mut escaped = false;
    let mut close = |start: &mut Option<usize>, at: usize| {
        if let Some(from) = start.take() {
            let word = text.get(from..at).unwrap_or_default();
            let outer = ['"', '\'']
                .iter()
                .any(|q| word.len() >= 2 && word.starts_with(*q) && word.ends_with(*q));
            let cut = usize::from(outer);
            words.push((from + cut, at - cut));
        }
        words.len()
    };
    let mut ends = Vec::new();
    for (at, c) in text.char_indices() {
        if std::mem::take(&mut escaped) {
            continue;
        }
        match (quote, c) {
            (_, '\\') => escaped = true,
            (Some(open), _) if open == c => quote = None,
            (Some(_), _) => continue,
            (None, '"' | '\'') => quote = Some(c),
            (None, '\n' | ';' | '|' | '&') => {
                ends.push((close(&mut start, at), at));
                continue;
            }
            (None, _) if c.is_whitespace() => {
                close(&mut start, at);
                continue;
            }
            (None, _) => {}
        }
        start.get_or_insert(at);
    }
    close(&mut start, text.len());
    for (index, at) in ends.into_iter().rev() {
        words.insert(index, (at, at));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::Command;

    fn found(words: &[&str]) -> Option<String> {
        let mut command = Command::default();
        let mut hits = words.iter().filter_map(|word| {
            let hit = command.argument(word)?;
            word.get(hit.range.0..hit.range.1).map(str::to_owned)
        });
        hits.next()
    }

    #[test]
    fn a_secret_stands_behind_its_flag_or_in_it() {
        let cases: [&[&str]; 10] = [
            &["redis-server", "--requirepass", "plum-41"],
            &["redis-server", "--masterauth", "plum-41"],
            &["redis-cli", "-h", "cache", "-a", "plum-41", "ping"],
            &["/usr/bin/mysql", "-uroot", "-pplum-41"],
            &["curl", "-s", "-u", "robot:plum-41", "https://example.org"],
            &["app", "--db-password=plum-41"],
            &["app", "-password", "plum-41"],
            &["env", "PGPASSWORD=plum-41", "psql"],
            &["kubectl", "create", "secret", "generic", "x", "--from-literal=password=plum-41"],
            &["sh", "-c", "set -e; PGPASSWORD='plum-41' psql -h db"],
        ];
        for words in cases {
            assert_eq!(found(words).as_deref(), Some("plum-41"), "{words:?}");
        }
    }

    #[test]
    fn a_script_is_read_word_by_word() {
        let cases = [
            "redis-server --requirepass plum-41 --appendonly yes",
            "redis-server --requirepass \"plum-41\"",
            "echo start && redis-cli -a plum-41 ping",
            "sh -c 'mysqldump -pplum-41 shop > /backup/shop.sql'",
            "set -eu\nexec mongosh -u root -p plum-41\n",
            "export DB_PASSWORD=plum-41; run",
        ];
        for script in cases {
            assert_eq!(found(&["sh", "-c", script]).as_deref(), Some("plum-41"), "{script}");
        }
    }

    #[test]
    fn what_is_no_secret_on_a_command_line_is_left() {
        let cases: [&[&str]; 14] = [
            &["docker", "login", "--password-stdin", "registry.example.org"],
            &["docker", "run", "-p", "8080:8080"],
            &["app", "--password-file", "/run/secrets/password"],
            &["app", "--password", "$(DB_PASSWORD)"],
            &["app", "--password=$DB_PASSWORD"],
            &["app", "--token", "--verbose-output-please"],
            &["mysql", "-p"],
            &["curl", "-u", "robot:${PASSWORD}", "https://example.org"],
            &["curl", "-u", "robot", "https://example.org"],
            &["sh", "-c", "redis-cli -a \"$REDIS_PASSWORD\" ping"],
            &["sh", "-c", "test -n \"$PASSWORD\" || exit 1"],
            &["sh", "-c", "export PGPASSWORD=$(cat /run/secrets/db)"],
            &["app", "--secret-name", "orders-database"],
            &["app", "--token-ttl=24h30m15s"],
        ];
        for words in cases {
            assert_eq!(found(words), None, "{words:?}");
        }
    }
}
