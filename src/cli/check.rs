//! `palisade check`: what is wrong?

use std::io::Write;
use std::num::NonZeroUsize;
use std::sync::Arc;

use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use super::gate::{self, InBase, Scope};
use super::output::{Content, Order, targets, write};
use super::progress::Progress;
use super::setup::{
    Setup, charts, declared, is_stdin, kubernetes_version, setup, setup as same, setup_earlier,
};
use super::{CheckArgs, CliError, exit, output, terminal};
use crate::document::{Document, Inventory, ReadOptions, write_object};
use crate::engine::{assess, conclude_within};
use crate::finding::{Assessment, Finding};
use crate::report::{self, Format, Run, problem_line};
use crate::source::{Loaded, Request, Storage, load};

/// Runs the command and returns the exit code.
pub(super) fn run(args: &CheckArgs, order: &Order) -> Result<u8, CliError> {
    if args.paths.iter().filter(|path| is_stdin(path)).count() > 1 {
        return Err(CliError::StdinTwice);
    }
    let targets = targets(args, order)?;
    let scope = Scope::of(args)?;
    let setup = setup(args, &scope)?;
    let limit = setup.settings.config.limits.file_bytes;
    let tree = gate::earlier_tree(args, &scope, limit)?;
    let before = tree.as_deref().map(|tree| setup_earlier(args, &scope, &setup, tree));
    let Setup { settings, config, .. } = &setup;
    // This thread is one of them instead of waiting for the others. Fails only where a pool exists
    // already, which is then used.
    let threads = rayon::ThreadPoolBuilder::new().use_current_thread();
    let _ = threads.num_threads(args.jobs.map_or(0, NonZeroUsize::get)).build_global();
    let progress = Progress::start("reading and judging manifests");
    let request = request(args, &scope, &setup)?;
    let mut loaded = load(&request).map_err(|error| CliError::NoSuchInput(error.to_string()))?;
    if args.dump_objects {
        drop(progress);
        return dump(&loaded, args.allow_incomplete);
    }
    if args.explain_roots {
        drop(progress);
        return super::roots::explain(&loaded, args.allow_incomplete);
    }
    scope.narrow(&mut loaded, config.as_ref().map(|(name, _)| name.as_str()));
    let mut assessments: Vec<Assessment> =
        loaded.inventories.par_iter().map(|inventory| assess(inventory, settings)).collect();
    let inventories: &[Arc<Inventory>] = &loaded.inventories;
    let within = |finding: &Finding| scope.touches(finding, &loaded.files);
    conclude_within(&mut assessments, inventories, &loaded.files, settings, &within);
    let mut apart = report::Apart { changed_files: args.changed_files, ..Default::default() };
    if let Some(tree) = tree {
        let earlier = before.flatten().map_or_else(|| same(args, &scope), Ok)?;
        let InBase { earlier, unread } = gate::judge_earlier(earlier, &request, tree)?;
        earlier.subtract(&mut assessments, &loaded.files);
        apart.base = args.diff_base.clone();
        apart.unread_in_base = unread;
    }
    gate::baseline(args, &mut assessments, &mut apart)?;
    let exit = exit::of(args, &loaded, &assessments, &scope.concerns(&loaded));
    drop(progress);
    for (format, output) in &targets {
        let style = match output {
            Some(_) => terminal::file_style(),
            None => terminal::stdout_style(args.color),
        };
        let run = Run {
            assessments: &assessments,
            inventories,
            files: &loaded.files,
            reports: &loaded.reports,
            problems: &loaded.problems,
            notes: &loaded.notes,
            settings,
            apart: &apart,
            exit: &exit,
            passes: args.passes,
            strict: args.strict,
        };
        let content = match format {
            Format::Human | Format::Table | Format::Markdown => Content::Text,
            Format::Json
            | Format::Sarif
            | Format::Junit
            | Format::Github
            | Format::Gitlab
            | Format::Csv => Content::Data,
        };
        write(output.as_deref(), content, |out| report::write(&run, *format, style, out))?;
    }
    let code = exit.code;
    // The process ends: to give the memory back object by object would only take time.
    std::mem::forget((loaded, assessments, exit));
    Ok(code)
}

/// What is read, as the arguments and the configuration say it.
fn request(args: &CheckArgs, scope: &Scope, setup: &Setup) -> Result<Request, CliError> {
    let config = &setup.settings.config;
    Ok(Request {
        paths: scope.paths.clone(),
        stdin: args.paths.iter().any(|path| is_stdin(path)),
        exclude: config.exclude.clone(),
        include_docs: args.include_docs,
        options: ReadOptions {
            limits: config.limits.clone(),
            default_namespace: args.default_namespace.clone(),
            crd_schemas: args.dump_objects,
        },
        kubernetes_version: kubernetes_version(args, config),
        charts: charts(args, config)?,
        declared: declared(config),
        config: setup.config.clone(),
        storage: Storage::Disk,
    })
}

/// Every object as one JSON line.
fn dump<'l>(loaded: &'l Loaded, allow_incomplete: bool) -> Result<u8, CliError> {
    let of_root = |inventory: &'l Arc<Inventory>| {
        inventory.documents.iter().map(move |document| (document, inventory.name.as_str()))
    };
    let mut documents: Vec<(&Document, &str)> =
        loaded.inventories.iter().flat_map(of_root).collect();
    documents.sort_by_key(|(document, _)| document.extent);
    // What several roots hold as it is written is one object; what they render is one each.
    documents.dedup_by(|(a, _), (b, _)| {
        a.extent == b.extent && a.id == b.id && a.rendering.is_none() && b.rendering.is_none()
    });
    write(None, Content::Data, |out: &mut dyn Write| {
        for (document, root) in &documents {
            let file = loaded.files.get(document.extent.file);
            let mut object = String::new();
            write_object(document, &mut object);
            let name = serde_json::to_string(file.name())?;
            let line = file.position(document.extent.start).line;
            let namespace = serde_json::to_string(&document.id.namespace)?;
            let root = match document.rendering {
                Some(_) => format!("\"root\":{},", serde_json::to_string(root)?),
                None => String::new(),
            };
            writeln!(
                out,
                "{{\"file\":{name},\"line\":{line},{root}\"namespace\":{namespace},\"object\":{object}}}"
            )?;
        }
        Ok(())
    })?;
    let mut text = String::new();
    for problem in &loaded.problems {
        text.push_str(&problem_line(loaded.files.get(problem.at.file), problem));
    }
    let problem_in = |name: &str| {
        loaded.problems.iter().any(|problem| loaded.files.get(problem.at.file).name() == name)
    };
    let unseen = loaded.reports.iter().filter(|report| report.state.is_incomplete());
    for report in unseen.clone().filter(|report| !problem_in(&report.name)) {
        let reason = report.reason.as_deref().unwrap_or_default();
        text.push_str(&format!("{}: {}: {reason}\n", report.state.word(), report.name));
    }
    output::complain(&text);
    Ok(match (unseen.count() > 0, documents.is_empty()) {
        (true, _) if !allow_incomplete => 4,
        (false, true) => 3,
        _ => 0,
    })
}
