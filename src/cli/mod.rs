//! The command line: arguments in, exit code out.

mod check;
mod checks;
mod completions;
mod error;
mod exit;
mod explain;
mod gate;
mod init;
mod output;
mod policies;
mod progress;
mod roots;
mod setup;
mod terminal;

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

pub use error::CliError;

/// Tells whether a Kubernetes platform's zero-trust claims are true in effect.
#[derive(Debug, Parser)]
#[command(name = "palisade", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Judge manifests: what is wrong, where, and what to do about it
    Check(Box<CheckArgs>),
    /// Explain one check
    Explain {
        /// Slug of the check
        check: String,
    },
    /// List all checks
    Checks {
        /// How the list is written
        #[arg(short, long, value_enum, default_value = "table")]
        format: ListFormat,
    },
    /// Write a commented palisade.yaml to start with
    Init {
        /// Directory to write it to
        #[arg(default_value = ".")]
        directory: PathBuf,
        /// Replace a file that is there
        #[arg(long)]
        force: bool,
    },
    /// Write a completion script for a shell
    Completions {
        /// Shell
        shell: clap_complete::Shell,
    },
}

/// Forms of the list of checks.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum ListFormat {
    /// A table
    Table,
    /// JSON
    Json,
    /// The Markdown of docs/checks.md
    Markdown,
}

/// Formats of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FormatArg {
    /// For people, with source snippets
    Human,
    /// One line per finding
    Table,
    /// The contract for programs (an alias of json-v1)
    #[value(alias = "json-v1")]
    Json,
    /// SARIF 2.1.0
    Sarif,
    /// JUnit XML: one test case per outcome
    Junit,
    /// Annotations of GitHub Actions
    Github,
    /// GitLab Code Quality
    Gitlab,
    /// Markdown for comments and job summaries
    Markdown,
    /// One row per finding, for spreadsheets
    Csv,
}

/// Severities on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum SeverityArg {
    Low,
    Medium,
    High,
    Critical,
}

/// Confidences on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum ConfidenceArg {
    Low,
    Medium,
    High,
}

/// Audiences on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum PersonaArg {
    Regular,
    Pedantic,
    Auditor,
}

/// Engines for Rego on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum RegoEngineArg {
    Auto,
    Rvm,
    Interp,
    Verify,
}

/// When colours are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ColorArg {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Args)]
struct CheckArgs {
    /// Files, directories, or `-` for standard input
    #[arg(required = true, value_name = "PATH|-")]
    paths: Vec<PathBuf>,

    /// Format of the report; repeat it for several in one run
    #[arg(short, long = "format", value_enum, value_name = "FORMAT", help_heading = "Output")]
    formats: Vec<FormatArg>,
    /// File for the format before it; standard output (`-`) otherwise
    #[arg(short, long = "output", value_name = "FILE", help_heading = "Output")]
    outputs: Vec<PathBuf>,
    /// List passes with their evidence, too
    #[arg(long, help_heading = "Output")]
    passes: bool,
    /// Use colours: also NO_COLOR, FORCE_COLOR, CLICOLOR_FORCE
    #[arg(long, value_enum, default_value = "auto", help_heading = "Output")]
    color: ColorArg,
    /// Judge nothing: write every object as one JSON line, as kubectl would send it (redacted)
    #[arg(long, conflicts_with_all = ["formats", "outputs"], help_heading = "Output")]
    dump_objects: bool,
    /// Judge nothing: say which roots there are, what belongs to each, and what was not rendered
    #[arg(
        long,
        conflicts_with_all = ["formats", "outputs", "dump_objects"],
        help_heading = "Output"
    )]
    explain_roots: bool,

    /// Checks or layers to run, and no others
    #[arg(long, value_name = "CHECK|LAYER", value_delimiter = ',', help_heading = "Selection")]
    include: Vec<String>,
    /// Checks or layers to leave out
    #[arg(long, value_name = "CHECK|LAYER", value_delimiter = ',', help_heading = "Selection")]
    exclude: Vec<String>,
    /// Audience whose checks run
    #[arg(
        long,
        env = "PALISADE_PERSONA",
        hide_env_values = true,
        value_enum,
        default_value = "regular",
        help_heading = "Selection"
    )]
    persona: PersonaArg,
    /// Hide findings below
    #[arg(
        long,
        env = "PALISADE_MIN_SEVERITY",
        hide_env_values = true,
        value_enum,
        value_name = "SEVERITY",
        default_value = "low",
        help_heading = "Selection"
    )]
    min_severity: SeverityArg,
    /// Own policies in Rego: a file, or a directory of them; repeat it for several
    #[arg(long, value_name = "DIR|FILE", help_heading = "Selection")]
    policy: Vec<PathBuf>,
    /// What runs policies in Rego: `verify` compares both engines
    #[arg(
        long,
        env = "PALISADE_REGO_ENGINE",
        hide_env_values = true,
        value_enum,
        value_name = "ENGINE",
        default_value = "auto",
        help_heading = "Run"
    )]
    rego_engine: RegoEngineArg,
    /// Hide findings that are less sure
    #[arg(
        long,
        env = "PALISADE_MIN_CONFIDENCE",
        hide_env_values = true,
        value_enum,
        value_name = "CONFIDENCE",
        default_value = "low",
        help_heading = "Selection"
    )]
    min_confidence: ConfidenceArg,

    /// Exit with 1 at or above this severity
    #[arg(
        long,
        env = "PALISADE_FAIL_ON",
        hide_env_values = true,
        value_enum,
        value_name = "SEVERITY",
        default_value = "low",
        help_heading = "Exit code"
    )]
    fail_on: SeverityArg,
    /// A check whose findings always give 1
    #[arg(long, value_name = "CHECK", value_delimiter = ',', help_heading = "Exit code")]
    fail_on_check: Vec<String>,
    /// A check whose findings never give 1
    #[arg(long, value_name = "CHECK", value_delimiter = ',', help_heading = "Exit code")]
    warn_on_check: Vec<String>,
    /// Whatever was not assessed, rendered or decrypted gives 4
    #[arg(long, help_heading = "Exit code")]
    strict: bool,
    /// Turn 4 (incomplete) into 0
    #[arg(long, help_heading = "Exit code")]
    allow_incomplete: bool,
    /// Turn 1 (findings) into 0
    #[arg(long, help_heading = "Exit code")]
    exit_zero: bool,

    /// Take the paths for the changed files of a repository: judge all of it that has to do with
    /// them, report what touches them
    #[arg(long, conflicts_with = "dump_objects", help_heading = "Gate")]
    changed_files: bool,
    /// Directory to judge with the changed files, instead of their repository
    #[arg(long, value_name = "DIR", requires = "changed_files", help_heading = "Gate")]
    context_dir: Option<PathBuf>,
    /// Count only findings that are not in the tree from which this one came: the merge base of REF
    /// and HEAD
    #[arg(long, value_name = "REF", conflicts_with = "dump_objects", help_heading = "Gate")]
    diff_base: Option<String>,

    /// Do not report the findings that this file knows
    #[arg(long, value_name = "FILE", conflicts_with = "dump_objects", help_heading = "Gate")]
    baseline: Option<PathBuf>,
    /// Write all findings to a file for `--baseline`
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["dump_objects", "baseline", "changed_files", "diff_base"],
        help_heading = "Gate"
    )]
    write_baseline: Option<PathBuf>,

    /// Configuration instead of the palisade.yaml that is found
    #[arg(long, value_name = "FILE", conflicts_with = "no_config", help_heading = "Input")]
    config: Option<PathBuf>,
    /// Read no configuration
    #[arg(long, help_heading = "Input")]
    no_config: bool,
    /// Count no waiver
    #[arg(long, help_heading = "Input")]
    no_ignores: bool,
    /// In directories, also read Markdown, text and shell files
    #[arg(long, help_heading = "Input")]
    include_docs: bool,
    /// Namespace of objects that name none
    #[arg(
        long,
        env = "PALISADE_DEFAULT_NAMESPACE",
        hide_env_values = true,
        value_name = "NAMESPACE",
        help_heading = "Input"
    )]
    default_namespace: Option<String>,
    /// File with values for charts that nothing in the input installs; repeat it for several
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    values: Vec<PathBuf>,
    /// Single value for such charts, over all files: `replicas=3`
    #[arg(long = "set", value_name = "KEY=VALUE", help_heading = "Input")]
    sets: Vec<String>,
    /// Environment of palisade.yaml to render such charts for; all of them unless given
    #[arg(long, value_name = "NAME", help_heading = "Input")]
    env: Option<String>,
    /// Kubernetes version of the cluster, such as 1.34
    #[arg(
        long,
        env = "PALISADE_KUBERNETES_VERSION",
        hide_env_values = true,
        value_name = "VERSION",
        help_heading = "Input"
    )]
    kubernetes_version: Option<String>,
    /// Pod Security level to demand instead of the namespaces' labels
    #[arg(
        long,
        env = "PALISADE_PSS",
        hide_env_values = true,
        value_name = "LEVEL[:VERSION]",
        help_heading = "Input"
    )]
    pss: Option<String>,

    /// Threads; as many as there are processors unless given
    #[arg(
        long,
        env = "PALISADE_JOBS",
        hide_env_values = true,
        value_name = "N",
        help_heading = "Run"
    )]
    jobs: Option<NonZeroUsize>,
    /// The run's clock, for expiry dates: a date or an RFC 3339 time
    #[arg(long, value_name = "TIME", help_heading = "Run")]
    now: Option<String>,
    /// Accepted and without effect: there is no network access
    #[arg(long, help_heading = "Run")]
    offline: bool,
}

/// Runs palisade with the given arguments and returns the exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let matches = match Cli::command().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => {
            // Help and version are answers, not errors. A closed pipe is nobody's fault.
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(2);
        }
    };
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return 2;
        }
    };
    let color = match &cli.command {
        Command::Check(args) => args.color,
        _ => ColorArg::Auto,
    };
    let result = match cli.command {
        Command::Check(args) => {
            let order = output::order(&matches);
            check::run(&args, &order)
        }
        Command::Explain { check } => explain::run(&check),
        Command::Checks { format } => checks::run(format),
        Command::Init { directory, force } => init::run(&directory, force),
        Command::Completions { shell } => completions::run(shell, &mut Cli::command()),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            output::complain(&error.render(terminal::stderr_style(color)));
            2
        }
    }
}
