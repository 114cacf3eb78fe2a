//! The defence-in-depth table: one row per workload, one cell per layer.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::Settings;
use crate::catalog::CellRole;
use crate::document::ObjectId;
use crate::finding::{Assessment, Cell, CellState, Effect, Layer, Row};
use crate::model::Model;

/// What is known of one cell.
#[derive(Default)]
struct Known {
    proven_by: Option<&'static str>,
    voided_by: Option<&'static str>,
    absent_by: Option<&'static str>,
    weakened_by: Option<&'static str>,
    open: Option<&'static str>,
}

/// Builds the table from the outcomes. A waived finding still weakens its layer, so the table is
/// made before waivers are applied.
pub(super) fn rows(model: &Model, assessment: &Assessment, settings: &Settings) -> Vec<Row> {
    let mut subjects: BTreeMap<Arc<ObjectId>, ()> = BTreeMap::new();
    for workload in model.workloads() {
        subjects.insert(Arc::clone(&workload.id), ());
    }
    let mut cells: HashMap<(Arc<ObjectId>, Layer), Known> = HashMap::new();
    let decider = |slug: &str| {
        let check = settings.catalog.get(slug)?;
        (check.cell == CellRole::Decides).then_some(check)
    };
    // Passes are sorted by their checks, most of which decide nothing.
    for of_one in assessment.passes.chunk_by(|a, b| a.check == b.check) {
        let Some(check) = of_one.first().and_then(|pass| decider(pass.check)) else { continue };
        for pass in of_one {
            let cell = cells.entry((Arc::clone(&pass.subject), check.layer)).or_default();
            cell.proven_by = cell.proven_by.or(Some(check.slug));
        }
    }
    for open in &assessment.not_assessed {
        if let (Some(check), Some(subject)) = (decider(open.check), &open.subject) {
            let cell = cells.entry((Arc::clone(subject), check.layer)).or_default();
            cell.open = cell.open.or(Some(check.slug));
        }
    }
    for finding in &assessment.findings {
        for workload in &finding.affects {
            let cell = cells.entry((Arc::clone(workload), finding.layer)).or_default();
            let place = match finding.effect {
                Effect::Voids => &mut cell.voided_by,
                Effect::Absence => &mut cell.absent_by,
                Effect::Weakens => &mut cell.weakened_by,
            };
            *place = place.or(Some(finding.check));
        }
    }
    let ran: Vec<&str> = settings.enabled().iter().map(|check| check.slug).collect();
    let deciding = |layer| {
        let all = settings.catalog.checks().iter();
        all.filter(move |check| check.layer == layer && check.cell == CellRole::Decides)
    };
    // Where a check that decides did not run, silence is not absence.
    let unasked: Vec<Layer> = Layer::ALL
        .into_iter()
        .filter(|layer| deciding(*layer).any(|check| !ran.contains(&check.slug)))
        .collect();
    let row = |subject: Arc<ObjectId>| {
        let known = |layer| cells.get(&(Arc::clone(&subject), layer));
        let of_layer = |layer| {
            let (state, decided_by) = match known(layer).map_or((CellState::Absent, None), state) {
                (CellState::Absent, None) if unasked.contains(&layer) => {
                    (CellState::NotAssessed, None)
                }
                known => known,
            };
            Cell { layer, state, decided_by }
        };
        // A layer is left where something proves that it acts, weakened or not.
        let guards = [Layer::Network, Layer::Mesh, Layer::Gateway];
        let acts = |layer: &Layer| known(*layer).is_some_and(|cell| cell.proven_by.is_some());
        let layers_left = guards.iter().filter(|layer| acts(layer)).count();
        let cells = Layer::ALL.into_iter().map(of_layer).collect();
        Row { subject, cells, layers_left }
    };
    subjects.into_keys().map(row).collect()
}

fn state(known: &Known) -> (CellState, Option<&'static str>) {
    let Known { proven_by, voided_by, absent_by, weakened_by, open } = known;
    let spoilt = voided_by.or(*absent_by).or(*weakened_by);
    match (proven_by, voided_by, absent_by, weakened_by, open) {
        (Some(proof), None, None, None, _) => (CellState::Effective, Some(proof)),
        (Some(_), ..) => (CellState::Weakened, spoilt),
        (None, Some(by), ..) => (CellState::Void, Some(by)),
        (None, None, Some(by), ..) => (CellState::Absent, Some(by)),
        (None, None, None, Some(by), _) => (CellState::Weakened, Some(by)),
        (None, None, None, None, Some(by)) => (CellState::NotAssessed, Some(by)),
        (None, None, None, None, None) => (CellState::Absent, None),
    }
}
