//! Writes a generated cluster, or one of the shapes that invite quadratic behaviour, to a
//! directory, to measure the program on it:
//! `cargo run --release --example generate -- DIRECTORY DOCUMENTS [SEED | SHAPE]`.

#[path = "../benches/gen.rs"]
mod generator;
#[path = "../benches/shapes.rs"]
mod shapes;

use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let names: Vec<&str> = shapes::SHAPES.iter().map(|(name, _)| *name).collect();
    let usage =
        format!("usage: generate DIRECTORY DOCUMENTS [SEED | SHAPE]\nshapes: {}", names.join(" "));
    let mut arguments = std::env::args().skip(1);
    let directory = PathBuf::from(arguments.next().ok_or(usage.as_str())?);
    let documents: usize = arguments.next().ok_or(usage.as_str())?.parse()?;
    let last = arguments.next().unwrap_or_else(|| "1".to_owned());
    let files = match shapes::SHAPES.iter().find(|(name, _)| *name == last) {
        Some((_, shape)) => shape(documents),
        None => generator::cluster(documents, last.parse().map_err(|_| usage)?),
    };
    for file in files {
        let path = directory.join(&file.path);
        std::fs::create_dir_all(path.parent().ok_or("a path has a directory")?)?;
        std::fs::write(path, file.text)?;
    }
    Ok(())
}
