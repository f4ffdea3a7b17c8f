//! As much reading of Rust source as the rules need, line by line. rustfmt has put each item's closing
//! brace at the indentation of its first line, so that no parser is needed to find the end of a module.

/// Whether a file holds nothing but tests, by its path.
pub(crate) fn is_test_file(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("/tests.rs")
}

/// For each line, whether it belongs to the program and not to a `#[cfg(test)]` module.
pub(crate) fn program_lines(text: &str) -> Vec<bool> {
    let lines: Vec<&str> = text.lines().collect();
    let mut program = vec![true; lines.len()];
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let next = lines.get(at + 1).map_or("", |next| next.trim_start());
        let opens = line.trim() == "#[cfg(test)]"
            && next.trim_start_matches("pub(crate) ").starts_with("mod ");
        if !opens {
            at += 1;
            continue;
        }
        let closing = format!("{}}}", indentation(line));
        let length = if next.ends_with('{') {
            lines
                .iter()
                .skip(at)
                .position(|line| *line == closing)
                .map_or(lines.len() - at, |length| length + 1)
        } else {
            2
        };
        for flag in program.iter_mut().skip(at).take(length) {
            *flag = false;
        }
        at += length;
    }
    program
}

/// The program's lines of a file, counted from 1, without comments that stand alone.
pub(crate) fn code_lines(text: &str) -> Vec<(usize, &str)> {
    let flags = program_lines(text);
    (1..)
        .zip(text.lines())
        .zip(flags)
        .filter(|((_, line), program)| *program && !line.trim_start().starts_with("//"))
        .map(|(numbered, _)| numbered)
        .collect()
}

fn indentation(line: &str) -> &str {
    let text = line.trim_start();
    line.strip_suffix(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_module_ends_at_its_own_brace() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {\n    }\n}\nfn c() {}";
        assert_eq!(
            program_lines(text),
            [true, false, false, false, false, false, true]
        );
    }

    #[test]
    fn a_test_module_in_another_file_is_two_lines() {
        assert_eq!(
            program_lines("#[cfg(test)]\nmod tests;\nfn a() {}"),
            [false, false, true]
        );
    }

    #[test]
    fn comments_are_no_code() {
        assert_eq!(
            code_lines("//! Doc.\nlet a = 1; // why\n    // why"),
            [(2, "let a = 1; // why")]
        );
    }
}
