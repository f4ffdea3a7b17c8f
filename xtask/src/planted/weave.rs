//! The weaver: a source and its bugs make a source in which each bug can be woken.

use std::fmt;

use super::list::{Bug, Form, LIST};
use super::scan::{self, Span};

/// A bug that can't be woven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stale {
    /// Its name.
    pub(crate) bug: String,
    /// What is wrong, and what to do.
    pub(crate) why: String,
}

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

/// Puts bugs into a source, each with its number. What each replaces must stand there once; two may
/// replace the same, but none a part of what another does.
pub(super) fn weave(source: &str, bugs: &[(usize, &Bug)]) -> Result<String, Vec<Stale>> {
    let pieces = scan::source(source);
    let mut stale = Vec::new();
    let mut found: Vec<(Span, usize, &Bug)> = Vec::new();
    for (number, bug) in bugs {
        let place = match scan::wanted(&bug.find) {
            Some(wanted) => only(&scan::places(&pieces, &wanted), bug),
            None => Err(format!(
                "what bug {} looks for is empty, or its « and » are no pair: mend it in {LIST}",
                bug.name
            )),
        };
        match place {
            Ok(span) => found.push((span, *number, bug)),
            Err(why) => stale.push(stale_bug(bug, why)),
        }
    }
    // In one place, in the order of the list.
    found.sort_by_key(|(span, number, _)| (*span, *number));
    for pair in found.windows(2) {
        let [(before, _, first), (after, _, second)] = pair else {
            continue;
        };
        let clash = if before == after {
            first.form != second.form
        } else {
            after.0 < before.1
        };
        if clash {
            let why = format!(
                "bugs {} and {} overlap in {}: let both replace the same in the same form, or each less",
                first.name, second.name, second.file
            );
            stale.push(stale_bug(second, why));
        }
    }
    if stale.is_empty() {
        Ok(woven(source, &found))
    } else {
        Err(stale)
    }
}

fn only(places: &[Span], bug: &Bug) -> Result<Span, String> {
    let Bug { name, file, .. } = bug;
    match places {
        [place] => Ok(*place),
        [] => Err(format!(
            "the text of bug {name} isn't found in {file}: the code has changed; say in {LIST} where the rule now stands"
        )),
        [..] => Err(format!(
            "the text of bug {name} stands {} times in {file}: say in {LIST} more of what is around it, with « and » about the part that is meant",
            places.len()
        )),
    }
}

fn stale_bug(bug: &Bug, why: String) -> Stale {
    Stale {
        bug: bug.name.clone(),
        why,
    }
}

/// `found` is sorted, and what overlaps is the same.
fn woven(source: &str, found: &[(Span, usize, &Bug)]) -> String {
    let mut out = String::with_capacity(source.len() * 2);
    let mut done = 0;
    for group in found.chunk_by(|a, b| a.0 == b.0) {
        let Some(((from, to), _, first)) = group.first() else {
            continue;
        };
        let text = |from: usize, to: usize| source.get(from..to).unwrap_or_default();
        let right = text(*from, *to);
        out.push_str(text(done, *from));
        out.push_str(&match first.form {
            Form::Expression => ["(", &one_of(group, right), ")"].concat(),
            Form::Statements => one_of(group, right),
            Form::Pure => either(group, right),
        });
        done = *to;
    }
    out.push_str(source.get(done..).unwrap_or_default());
    out
}

/// What is right, or what the bug does that is awake. A comment at the end of a line ends with it.
fn one_of(group: &[(Span, usize, &Bug)], right: &str) -> String {
    let wrong = group.iter().map(|(_, number, bug)| {
        let put = bug.put.trim();
        format!("if recharge_planted::on({number}) {{ {put}\n}} else ")
    });
    format!("{}{{ {right}\n}}", wrong.collect::<String>())
}

/// The same where both can be asked and compared.
fn either(group: &[(Span, usize, &Bug)], right: &str) -> String {
    let asleep = format!("{{ {right}\n}}");
    group.iter().rev().fold(asleep, |asleep, (_, number, bug)| {
        let put = bug.put.trim();
        format!("recharge_planted::either({number}, || {asleep}, || {{ {put}\n}})")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bug(find: &str, put: &str) -> Bug {
        Bug {
            name: format!("no-{}", put.len()),
            rule: "V1".to_owned(),
            invariant: 1,
            what: "Charges.".to_owned(),
            file: "a.rs".to_owned(),
            find: find.to_owned(),
            put: put.to_owned(),
            form: Form::Expression,
            part: None,
        }
    }

    fn weave_in(source: &str, bugs: &[Bug]) -> Result<String, Vec<Stale>> {
        let bugs: Vec<(usize, &Bug)> = (1..).zip(bugs).collect();
        weave(source, &bugs)
    }

    fn why(source: &str, bugs: &[Bug]) -> String {
        weave_in(source, bugs).unwrap_err()[0].why.clone()
    }

    #[test]
    fn an_expression_is_replaced_with_its_brackets_and_comments() {
        let source = "let a = f(\n    (b), // see (\n    \")\",\n) + 1;";
        let found = weave_in(source, &[bug("f((b), \")\")", "0")]).unwrap();
        let wanted = "let a = (if recharge_planted::on(1) { 0\n} else { f(\n    (b), // see (\n    \")\",\n)\n}) + 1;";
        assert_eq!(found, wanted);
    }

    #[test]
    fn an_arm_keeps_its_pattern() {
        let source = "match a {\n    Some(b) if b > c => d(),\n    None => e(),\n}";
        let bugs = [
            bug("Some(b) if «b > c»", "true // yes"),
            bug("None => «e()»", "d()"),
        ];
        let wanted = "match a {\n    Some(b) if (if recharge_planted::on(1) { true // yes\n} else { b > c\n}) => d(),\n    \
                      None => (if recharge_planted::on(2) { d()\n} else { e()\n}),\n}";
        assert_eq!(weave_in(source, &bugs).unwrap(), wanted);
    }

    #[test]
    fn statements_are_no_expression() {
        let mut first = bug("a(); b();", "c();");
        first.form = Form::Statements;
        let found = weave_in("{ a();\n b(); }", &[first.clone()]).unwrap();
        assert_eq!(
            found,
            "{ if recharge_planted::on(1) { c();\n} else { a();\n b();\n} }"
        );
        let other = bug("a(); b();", "c(); c();");
        assert!(why("{ a(); b(); }", &[first, other]).contains("overlap"));
    }

    #[test]
    fn what_has_no_effects_is_asked_for_both() {
        let mut bugs = [bug("y", "1"), bug("y", "22")];
        for bug in &mut bugs {
            bug.form = Form::Pure;
        }
        let found = weave_in("x + y", &bugs).unwrap();
        let wanted = "x + recharge_planted::either(1, || recharge_planted::either(2, || { y\n}, || { 22\n}), || { 1\n})";
        assert_eq!(found, wanted);
    }

    #[test]
    fn bugs_in_one_place_are_chained_in_the_order_of_the_list() {
        let found = weave_in("x + y", &[bug("y", "1"), bug("y", "22")]).unwrap();
        let wanted = "x + (if recharge_planted::on(1) { 1\n} else if recharge_planted::on(2) { 22\n} else { y\n})";
        assert_eq!(found, wanted);
    }

    #[test]
    fn what_can_not_be_woven_is_named_with_what_to_do() {
        let lost = why("a", &[bug("b", "c")]);
        assert_eq!(
            lost,
            format!(
                "the text of bug no-1 isn't found in a.rs: the code has changed; say in {LIST} where the rule now stands"
            )
        );
        assert!(why("a + a", &[bug("a", "c")]).contains("stands 2 times in a.rs"));
        assert!(why("a", &[bug("«a", "c")]).contains("no pair"));
        let overlap = why("a + b", &[bug("a + b", "c"), bug("b", "dd")]);
        assert!(overlap.contains("bugs no-1 and no-2 overlap"), "{overlap}");
        let all = weave_in("a", &[bug("b", "c"), bug("d", "e")]).unwrap_err();
        assert_eq!(all.len(), 2);
    }
}
