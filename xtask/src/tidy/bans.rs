//! What no build of ours may carry, as `deny.toml` lists it. cargo-deny checks the same and more where it
//! is installed; this rule needs nothing installed.

use cargo_metadata::{CargoOpt, MetadataCommand};
use toml::{Table, Value};

use crate::problem::Problem;
use crate::project::{Project, Result};

pub(super) fn rule(project: &Project) -> Result<Vec<Problem>> {
    let deny: Table = toml::from_str(&project.read("deny.toml")?)?;
    let bans = deny.get("bans").ok_or("deny.toml has no [bans]")?;
    let mut problems = crates(project, bans)?;
    problems.extend(features(project, bans)?);
    Ok(problems)
}

fn crates(project: &Project, bans: &Value) -> Result<Vec<Problem>> {
    let lock: Table = toml::from_str(&project.read("Cargo.lock")?)?;
    let locked: Vec<&str> = rows(lock.get("package"))
        .filter_map(|package| package.get("name")?.as_str())
        .collect();
    let banned = rows(bans.get("deny")).filter_map(|ban| ban.get("crate")?.as_str());
    Ok(banned
        .filter(|name| locked.contains(name))
        .map(|name| {
            Problem::in_file(
                "Cargo.lock",
                format!("{name} is banned"),
                format!("find who brings it with `cargo tree -i {name}`; deny.toml says why not"),
            )
        })
        .collect())
}

fn features(project: &Project, bans: &Value) -> Result<Vec<Problem>> {
    let banned: Vec<(&str, &str)> = rows(bans.get("features"))
        .filter_map(|row| Some((row.get("crate")?.as_str()?, row.get("deny")?.as_array()?)))
        .flat_map(|(name, denied)| denied.iter().map(move |feature| (name, feature)))
        .filter_map(|(name, feature)| Some((name, feature.as_str()?)))
        .collect();
    let metadata = MetadataCommand::new()
        .manifest_path(project.root.join("Cargo.toml"))
        .features(CargoOpt::AllFeatures)
        .exec()?;
    let mut problems = Vec::new();
    for node in metadata.resolve.iter().flat_map(|resolve| &resolve.nodes) {
        let package = &metadata[&node.id];
        for (name, feature) in &banned {
            if package.name == *name && node.features.iter().any(|it| it.as_str() == *feature) {
                problems.push(Problem::in_file(
                    "Cargo.toml",
                    format!("{name} is built with its feature {feature}, which is banned"),
                    format!("find who asks for it with `cargo tree -e features -i {name}`"),
                ));
            }
        }
    }
    Ok(problems)
}

fn rows(list: Option<&Value>) -> impl Iterator<Item = &Value> {
    list.and_then(Value::as_array).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Sample;

    #[test]
    fn a_banned_crate_and_a_banned_feature_are_found() {
        let sample = |more: &str| {
            Sample::new()
                .file(
                    "deny.toml",
                    "[bans]\ndeny = [{ crate = \"bad\", reason = \"\" }]\n\
                     [[bans.features]]\ncrate = \"good\"\ndeny = [\"loud\"]\n",
                )
                .member("good", "[features]\nloud = []")
                .member("user", more)
        };
        let found = |sample: Sample| {
            // Reading the metadata writes the lock file.
            let project = sample.project();
            features(&project, &Value::Table(Table::new())).unwrap();
            let problems = rule(&project).unwrap();
            problems.into_iter().map(|it| it.what).collect::<Vec<_>>()
        };
        let plain = sample("[dependencies]\ngood = { path = \"../good\" }");
        // All of the members' own features are on.
        let loud = "good is built with its feature loud, which is banned";
        assert_eq!(found(plain), [loud]);
        let quiet = sample("").file(
            "crates/good/Cargo.toml",
            "[package]\nname = \"good\"\n[features]\nother = []",
        );
        assert_eq!(found(quiet), [""; 0]);
        let both = sample("[dependencies]\nbad = { path = \"../bad\" }").member("bad", "");
        assert_eq!(found(both), ["bad is banned", loud]);
    }
}
