//! The upstreams of a case.

use std::time::Duration;

use recharge_sim::{FaultPlan, PlanError, Settle, Stage, Timings, World, WorldConfig};

use crate::case::{Case, Part};

/// The world of a case.
pub(crate) fn of(case: &Case) -> Result<World, PlanError> {
    Ok(World::new(WorldConfig {
        seed: case.id.seed,
        settle: Settle::After(case.settings.settle),
        callbacks: case.kept().any(|part| *part == Part::Callbacks),
        faults: plan(case, |_| true)?,
        ..WorldConfig::default()
    }))
}

/// What still goes wrong when faults have stopped: how orders end is no fault of a call.
pub(crate) fn calm(case: &Case) -> Result<FaultPlan, PlanError> {
    plan(case, |stage| stage == Stage::End)
}

fn plan(case: &Case, wanted: impl Fn(Stage) -> bool) -> Result<FaultPlan, PlanError> {
    let settings = &case.settings;
    let mut plan = FaultPlan::off().with_timings(Timings {
        timeout_hold: settings.timeout_hold,
        delayed_acceptance: settings.delayed_acceptance,
        drip_gap: Duration::from_millis(200),
        repeat_after: settings.repeat_after,
        late_payment: settings.late_payment,
        reversal: settings.reversal,
        ..Timings::default()
    });
    for part in case.kept() {
        if let Part::Fault(stage, kind, rate) = part
            && wanted(*stage)
        {
            let rate = f64::from(u32::try_from(*rate).unwrap_or(0)) / 1000.0;
            plan.set_rate(*stage, *kind, rate)?;
        }
    }
    Ok(plan)
}
