//! Parse, model, checks and the whole run at 100, 1,000 and 10,000 generated documents.
//!
//! `cargo bench --bench assess` runs all of it; a filter such as `whole/10000` one measurement.
//! Rates are documents per second; the bytes per second of the same step stand in `parse`.

#[path = "gen.rs"]
mod generator;

use std::hint::black_box;
use std::path::PathBuf;

use criterion::{
    BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main,
};
use palisade::config::Config;
use palisade::document::{FileId, ReadOptions, read};
use palisade::engine::{Settings, assess, conclude};
use palisade::finding::Assessment;
use palisade::model::Model;
use palisade::report::{self, Apart, Exit, Format, Run, Style};
use palisade::source::{Loaded, Request, load};

const SIZES: [usize; 3] = [100, 1_000, 10_000];

/// A generated tree on disk, because a run begins with files.
struct Cluster {
    directory: tempfile::TempDir,
    files: Vec<generator::GeneratedFile>,
}

impl Cluster {
    fn new(documents: usize) -> Self {
        let directory = tempfile::tempdir().expect("a scratch directory");
        let files = generator::cluster(documents, 1);
        for file in &files {
            let path = directory.path().join(&file.path);
            std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
            std::fs::write(path, &file.text).expect("a file");
        }
        Self { directory, files }
    }

    fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.text.len() as u64).sum()
    }

    fn load(&self) -> Loaded {
        let request = Request {
            paths: vec![PathBuf::from(self.directory.path())],
            stdin: false,
            exclude: Vec::new(),
            include_docs: false,
            options: ReadOptions::default(),
            config: None,
            ..Request::default()
        };
        load(&request).expect("the directory exists")
    }
}

fn settings() -> Settings {
    let today = "2026-11-21".parse().expect("a date");
    Settings::new(Config::default(), today).expect("the defaults are right")
}

fn whole(cluster: &Cluster, settings: &Settings, format: Format) {
    let loaded = cluster.load();
    let assessed = loaded.inventories.iter().map(|inventory| assess(inventory, settings));
    let mut assessments: Vec<Assessment> = assessed.collect();
    conclude(&mut assessments, &loaded.inventories, &loaded.files, settings);
    let exit = Exit { code: 1, reason: String::new() };
    let run = Run {
        assessments: &assessments,
        inventories: &loaded.inventories,
        files: &loaded.files,
        reports: &loaded.reports,
        problems: &loaded.problems,
        notes: &loaded.notes,
        settings,
        apart: &Apart::default(),
        exit: &exit,
        passes: false,
        strict: false,
    };
    let style = Style { color: false, links: false, width: 100 };
    report::write(&run, format, style, &mut std::io::sink()).expect("a sink takes everything");
}

fn steps(criterion: &mut Criterion) {
    let settings = settings();
    for size in SIZES {
        let cluster = Cluster::new(size);
        let documents = Throughput::Elements(size as u64);
        let mut group = criterion.benchmark_group("palisade");
        group.sampling_mode(SamplingMode::Flat).sample_size(10);
        group.throughput(Throughput::Bytes(cluster.bytes()));
        group.bench_function(BenchmarkId::new("parse", size), |bencher| {
            let options = ReadOptions::default();
            bencher.iter(|| {
                for file in &cluster.files {
                    black_box(read(FileId(1), &file.text, &options));
                }
            });
        });
        group.throughput(documents);
        group.bench_function(BenchmarkId::new("load", size), |bencher| {
            bencher.iter(|| black_box(cluster.load()));
        });
        let loaded = cluster.load();
        let inventory = loaded.inventories.first().expect("one root");
        group.bench_function(BenchmarkId::new("model", size), |bencher| {
            bencher.iter(|| black_box(Model::build(inventory, &settings.config.profile)));
        });
        group.bench_function(BenchmarkId::new("checks", size), |bencher| {
            bencher.iter(|| black_box(assess(inventory, &settings)));
        });
        for (name, format) in [("whole", Format::Json), ("whole-human", Format::Human)] {
            group.bench_function(BenchmarkId::new(name, size), |bencher| {
                bencher.iter(|| whole(&cluster, &settings, format));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, steps);
criterion_main!(benches);
