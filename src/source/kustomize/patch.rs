//! Patches.

use crate::source::store::Held;

use super::Refused;
use super::build::Builder;
use super::file::File;
use super::object::Object;

pub(super) fn merges(
    _: &mut Builder<'_>,
    _: &str,
    _: &Held,
    file: &File<'_>,
    _: &mut Vec<Object<'_>>,
) -> Result<(), Refused> {
    match file.merges.first() {
        None => Ok(()),
        Some(at) => {
            Err(Refused::Unsupported { at: at.at, what: "patchesStrategicMerge".to_owned() })
        }
    }
}

pub(super) fn patches(
    _: &mut Builder<'_>,
    _: &str,
    _: &Held,
    file: &File<'_>,
    _: &mut Vec<Object<'_>>,
) -> Result<(), Refused> {
    match file.patches.first() {
        None => Ok(()),
        Some(at) => Err(Refused::Unsupported { at: at.at, what: "patches".to_owned() }),
    }
}

pub(super) fn json(
    _: &mut Builder<'_>,
    _: &str,
    _: &Held,
    file: &File<'_>,
    _: &mut Vec<Object<'_>>,
) -> Result<(), Refused> {
    match file.json_patches.first() {
        None => Ok(()),
        Some(at) => Err(Refused::Unsupported { at: at.at, what: "patchesJson6902".to_owned() }),
    }
}
