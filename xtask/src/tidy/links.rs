//! Every link from one of our pages to a file of ours leads to one that exists.

use std::path::Path;

use crate::problem::Problem;
use crate::project::{Project, Result};

pub(super) fn rule(project: &Project) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for path in project.files_of("md") {
        let folder = project.root.join(path);
        let folder = folder.parent().unwrap_or(&project.root);
        for (number, target) in targets(&project.read(path)?) {
            if !leads_somewhere(folder, &target) {
                problems.push(
                    Problem::in_file(
                        path,
                        format!("the link to {target} leads nowhere"),
                        "name the file from the folder of the page",
                    )
                    .at(number),
                );
            }
        }
    }
    Ok(problems)
}

fn leads_somewhere(folder: &Path, target: &str) -> bool {
    let elsewhere = ["https://", "http://", "mailto:", "#"];
    let file = target.split('#').next().unwrap_or_default();
    elsewhere.iter().any(|start| target.starts_with(start)) || folder.join(file).exists()
}

/// The targets of `[text](target)` outside of code blocks, with their lines.
fn targets(text: &str) -> Vec<(usize, String)> {
    let mut targets = Vec::new();
    let mut code = false;
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim_start().starts_with("```") {
            code = !code;
        }
        if code {
            continue;
        }
        for rest in line.split("](").skip(1) {
            if let Some((target, _)) = rest.split_once(')') {
                targets.push((number, target.to_owned()));
            }
        }
    }
    targets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Sample;

    #[test]
    fn a_link_that_leads_nowhere_is_found() {
        let sample = Sample::new().member("a", "").file("docs/here.md", "").file(
            "docs/page.md",
            "[a](here.md), [b](../Cargo.toml#x), [c](https://example.com), [d](#part)\n\
             [e](gone.md) and [f](here/gone.md#x)\n```\n[g](code.md)\n```\n",
        );
        let problems = rule(&sample.project()).unwrap();
        let found: Vec<_> = problems
            .iter()
            .map(|it| (it.line, it.what.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                (Some(2), "the link to gone.md leads nowhere"),
                (Some(2), "the link to here/gone.md#x leads nowhere")
            ]
        );
    }
}
