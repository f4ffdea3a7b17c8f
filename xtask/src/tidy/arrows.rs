//! Arrows between crates point down, and only the drawn ones exist.
//!
//! A crate's code (its features and build script too) may use the members that [`LAYERS`] names for it.
//! Its tests may also use the suites and the simulator, and any lower crate; so the adapters, which stand
//! side by side, never know each other. The suites are used from `tests/` only, and so is whatever itself
//! stands on the crate under test: in a unit test that crate's types and traits would exist twice.

use crate::arrows::{FOR_TESTS, LAYERS, Layer, SUITES};
use crate::problem::Problem;
use crate::project::{Member, Project, Result, Use};

pub(super) fn rule(project: &Project) -> Result<Vec<Problem>> {
    check(project, LAYERS)
}

fn check(project: &Project, layers: &[Layer]) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for member in &project.members {
        let manifest = format!("{}/Cargo.toml", member.dir);
        let Some(layer) = find(layers, &member.name) else {
            problems.push(Problem::in_file(
                manifest,
                format!("{} is not in the table of layers", member.name),
                "add it to LAYERS in xtask/src/arrows.rs, with what it may use",
            ));
            continue;
        };
        for used in &member.uses {
            if !allowed(layers, layer, used) {
                problems.push(Problem::in_file(
                    &manifest,
                    format!("{} -> {} is not a drawn arrow", member.name, used.name),
                    "take the dependency out; or, if the design has changed, draw the arrow in xtask/src/arrows.rs",
                ));
            }
        }
        problems.extend(in_unit_tests(project, layers, member)?);
    }
    for layer in layers {
        if !project.members.iter().any(|it| it.name == layer.name) {
            problems.push(Problem::in_file(
                "xtask/src/arrows.rs",
                format!("{} is drawn and does not exist", layer.name),
                "take it out of LAYERS",
            ));
        }
    }
    Ok(problems)
}

fn find<'a>(layers: &'a [Layer], name: &str) -> Option<&'a Layer> {
    layers.iter().find(|layer| layer.name == name)
}

fn allowed(layers: &[Layer], layer: &Layer, used: &Use) -> bool {
    let name = used.name.as_str();
    let lower = || find(layers, name).is_some_and(|other| other.height < layer.height);
    // A crate that names itself in its dev-dependencies turns on a feature of its own for its tests.
    let in_tests = || name == layer.name || FOR_TESTS.contains(&name) || lower();
    layer.uses.contains(&name) || used.dev && in_tests()
}

fn in_unit_tests(project: &Project, layers: &[Layer], member: &Member) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    let src = format!("{}/src/", member.dir);
    let has = |name: &str, dev| {
        member
            .uses
            .iter()
            .any(|it| it.name == name && it.dev == dev)
    };
    for Layer { name, .. } in layers {
        let twice = *name == SUITES || reaches(layers, name, &member.name);
        if !has(name, true) || has(name, false) || *name == member.name || !twice {
            continue;
        }
        let crate_name = name.replace('-', "_");
        for path in project.files_of("rs").filter(|path| path.starts_with(&src)) {
            for (number, line) in (1..).zip(project.read(path)?.lines()) {
                // A doc test is a crate of its own: there the traits exist once.
                let comment = line.trim_start().starts_with("//");
                if !comment && line.contains(&format!("{crate_name}::")) {
                    problems.push(
                        Problem::in_file(
                            path,
                            format!("{crate_name} is used in src"),
                            "move the test to the crate's tests folder",
                        )
                        .at(number),
                    );
                }
            }
        }
    }
    Ok(problems)
}

/// Whether arrows lead from one crate to another.
fn reaches(layers: &[Layer], from: &str, to: &str) -> bool {
    find(layers, from).is_some_and(|layer| {
        let mut uses = layer.uses.iter();
        uses.any(|used| *used == to || reaches(layers, used, to))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Sample;

    const fn layer(name: &'static str, height: u8, uses: &'static [&'static str]) -> Layer {
        Layer {
            name,
            height,
            uses,
            purpose: "",
        }
    }

    fn on(kind: &str, name: &str) -> String {
        format!("[{kind}]\n{name} = {{ path = \"../{name}\" }}")
    }

    fn found(sample: &Sample, layers: &[Layer]) -> Vec<String> {
        let problems = check(&sample.project(), layers).unwrap();
        problems.into_iter().map(|problem| problem.what).collect()
    }

    #[test]
    fn an_arrow_that_is_not_drawn_is_found() {
        let layers = [
            layer("a", 0, &[]),
            layer("b", 1, &["a"]),
            layer("c", 2, &["b"]),
        ];
        let sample = |kind, name| {
            Sample::new()
                .member("a", "")
                .member("b", &on("dependencies", "a"))
                .member("c", &on(kind, name))
        };
        assert_eq!(found(&sample("dependencies", "b"), &layers), [""; 0]);
        let broken = ["c -> a is not a drawn arrow"];
        assert_eq!(found(&sample("dependencies", "a"), &layers), broken);
        assert_eq!(found(&sample("build-dependencies", "a"), &layers), broken);
        assert_eq!(
            found(&sample("dev-dependencies", "a"), &layers),
            [""; 0],
            "tests may use what is lower"
        );
    }

    #[test]
    fn an_arrow_behind_a_feature_or_a_target_or_another_name_is_found() {
        let layers = [layer("a", 0, &[]), layer("b", 1, &[])];
        for more in [
            "[dependencies]\na = { path = \"../a\", optional = true }",
            "[target.'cfg(windows)'.dependencies]\na = { path = \"../a\" }",
            "[dependencies]\nz = { path = \"../a\", package = \"a\" }",
        ] {
            let sample = Sample::new().member("a", "").member("b", more);
            assert_eq!(
                found(&sample, &layers),
                ["b -> a is not a drawn arrow"],
                "{more}"
            );
        }
    }

    #[test]
    fn crates_side_by_side_do_not_know_each_other_in_tests_either() {
        let layers = [layer("a", 0, &[]), layer("b", 0, &[])];
        let sample = Sample::new()
            .member("a", "")
            .member("b", &on("dev-dependencies", "a"));
        assert_eq!(found(&sample, &layers), ["b -> a is not a drawn arrow"]);
    }

    #[test]
    fn a_crate_may_turn_on_its_own_features_for_its_tests() {
        let more =
            "[features]\nf = []\n[dev-dependencies]\na = { path = \".\", features = [\"f\"] }";
        let sample = Sample::new().member("a", more);
        assert_eq!(found(&sample, &[layer("a", 0, &[])]), [""; 0]);
    }

    #[test]
    fn a_crate_that_is_not_drawn_and_a_drawing_without_a_crate_are_found() {
        let sample = Sample::new().member("a", "");
        assert_eq!(
            found(&sample, &[layer("b", 0, &[])]),
            [
                "a is not in the table of layers",
                "b is drawn and does not exist"
            ]
        );
    }

    #[test]
    fn a_suite_in_a_unit_test_is_found_and_one_in_tests_is_not() {
        let layers = [layer("a", 0, &[]), layer(SUITES, 1, &[])];
        let sample = Sample::new()
            .member(SUITES, "")
            .member("a", &on("dev-dependencies", SUITES))
            .file("crates/a/tests/suite.rs", "use recharge_conformance::run;");
        assert_eq!(found(&sample, &layers), [""; 0]);
        let sample = sample.file(
            "crates/a/src/lib.rs",
            "//! Doc: recharge_conformance::run.\n#[cfg(test)]\nuse recharge_conformance::run;",
        );
        assert_eq!(
            found(&sample, &layers),
            ["recharge_conformance is used in src"]
        );
    }

    #[test]
    fn a_unit_test_with_what_stands_on_its_own_crate_is_found() {
        const SIM: &str = "recharge-sim";
        let layers = |uses| {
            [
                layer("a", 0, &[]),
                layer("b", 0, &[]),
                layer("mid", 1, uses),
                layer(SIM, 2, &["mid"]),
            ]
        };
        let sample = Sample::new()
            .member(SIM, "")
            .member("a", &on("dev-dependencies", SIM))
            .member("b", "")
            .member("mid", "")
            .file("crates/a/src/t.rs", "use recharge_sim::World;");
        assert_eq!(
            found(&sample, &layers(&["a"])),
            ["recharge_sim is used in src"]
        );
        assert_eq!(
            found(&sample, &layers(&["b"])),
            [""; 0],
            "no type exists twice"
        );
    }
}
