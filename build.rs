//! The bundled policies are part of the program: it is built again when one of them changes.

fn main() {
    println!("cargo::rerun-if-changed=policies");
}
