//! The same input gives the same bytes, whatever the threads, the paths and the order of files.

use std::path::Path;

use crate::program::{Palisade, Tree, palisade, samples};
use crate::support::{files_below, project};

const FORMATS: [&str; 9] =
    ["human", "table", "json", "sarif", "junit", "github", "gitlab", "markdown", "csv"];

fn check(format: &str, paths: &[&str]) -> Palisade {
    palisade(["check", "--include-docs", "--passes", "--now=2026-11-21", "-f", format]).args(paths)
}

fn output(run: Palisade) -> String {
    let ran = run.run();
    assert_eq!(ran.stderr, "");
    // The list of GitLab is empty where nothing was found.
    assert!(ran.stdout.len() > 60 || ran.stdout == "[]\n", "{}", ran.stdout);
    ran.stdout
}

#[test]
fn threads_and_repetition_change_nothing() {
    for sample in samples() {
        for format in FORMATS {
            let run = |more: &[&str]| output(check(format, &[&sample]).args(more).dir(&project()));
            let one = run(&["--jobs", "1"]);
            for jobs in ["2", "4", "16"] {
                assert!(run(&["--jobs", jobs]) == one, "{sample} as {format} with {jobs} threads");
            }
            assert!(run(&[]) == one && run(&[]) == one, "{sample} as {format} again");
            let by_variable =
                check(format, &[&sample]).env("RAYON_NUM_THREADS", "3").dir(&project());
            assert!(output(by_variable) == one, "{sample} as {format} with a variable");
        }
    }
}

#[cfg(unix)]
#[test]
fn the_way_to_a_path_changes_nothing() {
    let project = project();
    let elsewhere = tempfile::tempdir().expect("scratch directories can be made");
    let link = elsewhere.path().join("link");
    std::os::unix::fs::symlink(&project, &link).expect("links can be made");
    for sample in samples() {
        let absolute = project.join(&sample).to_string_lossy().into_owned();
        let linked = link.join(&sample).to_string_lossy().into_owned();
        let name = Path::new(&sample).file_name().expect("a name").to_string_lossy().into_owned();
        for format in FORMATS {
            let relative = output(check(format, &[&sample]).dir(&project));
            let ways: [(&str, &Path); 6] = [
                (&absolute, &project),
                (&absolute, elsewhere.path()),
                (&linked, elsewhere.path()),
                (&name, &project.join("samples")),
                (".", &project.join(&sample)),
                (&format!("../samples/./{name}/"), &project.join("src")),
            ];
            for (path, directory) in ways {
                let other = output(check(format, &[path]).dir(directory));
                assert!(other == relative, "{path} in {} as {format}", directory.display());
            }
        }
    }
}

/// The files of a sample with their names in it.
fn texts(sample: &str) -> Vec<(String, String)> {
    let directory = project().join(sample);
    let read = |path: std::path::PathBuf| {
        let name = path.strip_prefix(&directory).expect("below").to_string_lossy().into_owned();
        (name, std::fs::read_to_string(&path).expect("samples are text"))
    };
    files_below(&directory).into_iter().map(read).collect()
}

#[test]
fn the_order_in_which_files_were_made_changes_nothing() {
    for sample in samples() {
        let texts = texts(&sample);
        let tree = |order: &mut dyn Iterator<Item = &(String, String)>| {
            let files: Vec<(&str, &str)> =
                order.map(|(name, text)| (name.as_str(), text.as_str())).collect();
            Tree::new(&files)
        };
        let forward = tree(&mut texts.iter());
        let backward = tree(&mut texts.iter().rev());
        let half = texts.len() / 2;
        let rotated = tree(&mut texts.iter().skip(half).chain(texts.iter().take(half)));
        for format in FORMATS {
            let of = |tree: &Tree| output(check(format, &["."]).dir(&tree.path("")));
            let first = of(&forward);
            assert!(of(&backward) == first, "{sample} as {format}");
            assert!(of(&rotated) == first, "{sample} as {format}");
        }
    }
}

#[test]
fn the_order_of_arguments_changes_nothing() {
    for sample in samples() {
        let texts = texts(&sample);
        // What the first argument decides, the configuration, is the same for all.
        let files: Vec<(&str, &str)> =
            texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let tree = Tree::new(&files);
        let mut names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
        names.retain(|name| *name != "palisade.yaml");
        for format in FORMATS {
            let of = |names: &[&str]| output(check(format, names).dir(&tree.path("")));
            let first = of(&names);
            let mut other = names.clone();
            other.reverse();
            assert!(of(&other) == first, "{sample} as {format} backwards");
            other.rotate_left(names.len() / 2);
            assert!(of(&other) == first, "{sample} as {format} rotated");
            // A file that is named twice is read once.
            other.extend(&names);
            assert!(of(&other) == first, "{sample} as {format} twice");
        }
    }
}
