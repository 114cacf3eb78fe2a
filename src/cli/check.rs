//! `palisade check`: what is wrong?

use std::io::Write;
use std::sync::Arc;

use super::output::{Order, targets, write};
use super::progress::Progress;
use super::{CheckArgs, CliError, output, setup, terminal};
use crate::document::{Inventory, ReadOptions, State, write_object};
use crate::engine::{assess, conclude};
use crate::finding::Assessment;
use crate::report::{self, Exit, Run};
use crate::source::{Loaded, Request, load};

/// Runs the command and returns the exit code.
pub(super) fn run(args: &CheckArgs, order: &Order) -> Result<u8, CliError> {
    let targets = targets(args, order)?;
    let (settings, config) = setup::settings(args)?;
    if let Some(jobs) = args.jobs {
        // Fails only where a pool exists already, which is then used.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(jobs.max(1)).build_global();
    }
    let progress = Progress::start("reading and judging manifests");
    let request = Request {
        paths: args.paths.iter().filter(|path| !setup::is_stdin(path)).cloned().collect(),
        stdin: args.paths.iter().any(|path| setup::is_stdin(path)),
        exclude: settings.config.exclude.clone(),
        include_docs: args.include_docs,
        options: ReadOptions {
            limits: settings.config.limits.clone(),
            default_namespace: args.default_namespace.clone(),
            crd_schemas: args.dump_objects,
        },
        config,
    };
    let loaded = load(&request).map_err(|error| CliError::NoSuchInput(error.to_string()))?;
    if args.dump_objects {
        drop(progress);
        return dump(&loaded);
    }
    let mut assessments: Vec<Assessment> =
        loaded.inventories.iter().map(|inventory| assess(inventory, &settings)).collect();
    let inventories: &[Arc<Inventory>] = &loaded.inventories;
    conclude(&mut assessments, inventories, &loaded.files, &settings);
    let exit = exit(args, &loaded, &assessments);
    drop(progress);
    for (format, output) in &targets {
        let style = match output {
            Some(_) => terminal::file_style(),
            None => terminal::stdout_style(args.color),
        };
        let run = Run {
            assessments: &assessments,
            files: &loaded.files,
            reports: &loaded.reports,
            problems: &loaded.problems,
            notes: &loaded.notes,
            settings: &settings,
            exit: &exit,
            passes: args.passes,
        };
        write(output.as_deref(), |out| report::write(&run, *format, style, out))?;
    }
    Ok(exit.code)
}

/// Exit code of a run, as house.md says: 1 wins over 4, 4 over 3.
fn exit(args: &CheckArgs, loaded: &Loaded, assessments: &[Assessment]) -> Exit {
    let threshold = setup::severity(args.fail_on);
    let fails = |finding: &&crate::finding::Finding| {
        let named = |list: &[String]| list.iter().any(|name| name == finding.check);
        named(&args.fail_on_check) || finding.severity >= threshold && !named(&args.warn_on_check)
    };
    let failing = assessments.iter().flat_map(|a| &a.findings).filter(fails).count();
    if failing > 0 {
        let reason = format!("{failing} findings at or above {threshold}");
        return if args.exit_zero {
            Exit { code: 0, reason: format!("{reason}, and --exit-zero") }
        } else {
            Exit { code: 1, reason }
        };
    }
    if let Some(reason) = incomplete(args.strict, loaded, assessments) {
        return if args.allow_incomplete {
            Exit { code: 0, reason: format!("{reason}, and --allow-incomplete") }
        } else {
            Exit { code: 4, reason }
        };
    }
    if loaded.reports.iter().all(|report| report.objects == 0) {
        return Exit { code: 3, reason: "no Kubernetes object was found".to_owned() };
    }
    Exit { code: 0, reason: "clean".to_owned() }
}

/// Why the run did not see everything.
fn incomplete(strict: bool, loaded: &Loaded, assessments: &[Assessment]) -> Option<String> {
    let unseen = loaded.reports.iter().filter(|report| report.state.is_incomplete()).count();
    if unseen > 0 {
        return Some(format!("incomplete: {unseen} files were not read or rendered to the end"));
    }
    let mut open = assessments.iter().flat_map(|a| &a.not_assessed);
    if open.clone().any(|open| open.error) {
        return Some("incomplete: a check or a waiver could not be read or run".to_owned());
    }
    let encrypted = loaded.reports.iter().any(|report| report.state == State::Encrypted);
    (strict && (encrypted || open.next().is_some()))
        .then(|| "incomplete: something was not assessed, and --strict".to_owned())
}

/// Every object as one JSON line.
fn dump(loaded: &Loaded) -> Result<u8, CliError> {
    let mut documents: Vec<_> =
        loaded.inventories.iter().flat_map(|inventory| &inventory.documents).collect();
    documents.sort_by_key(|document| document.extent);
    documents.dedup_by_key(|document| (document.extent, Arc::clone(&document.id)));
    output::write(None, |out: &mut dyn Write| {
        for document in &documents {
            let file = loaded.files.get(document.extent.file);
            let mut object = String::new();
            write_object(document, &mut object);
            let name = serde_json::to_string(file.name())?;
            let line = file.position(document.extent.start).line;
            let namespace = serde_json::to_string(&document.id.namespace)?;
            writeln!(
                out,
                "{{\"file\":{name},\"line\":{line},\"namespace\":{namespace},\"object\":{object}}}"
            )?;
        }
        Ok(())
    })?;
    for problem in &loaded.problems {
        let file = loaded.files.get(problem.at.file);
        let text = crate::report::problem_line(file, problem);
        let _ = std::io::stderr().write_all(text.as_bytes());
    }
    let unseen = loaded.reports.iter().any(|report| report.state.is_incomplete());
    Ok(match (unseen, documents.is_empty()) {
        (true, _) => 4,
        (false, true) => 3,
        (false, false) => 0,
    })
}
