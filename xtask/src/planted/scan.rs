//! A source without what formatting can change, so that a text is found however the lines are broken:
//! comments are gone, white space stands only between two words, and no comma before a closing bracket.

/// One character that counts, and where it stands in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) char: char,
    pub(super) at: usize,
}

/// What is looked for: all of it, and the part that is to be replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    chars: Vec<char>,
    /// Where the part begins, and after which character it ends.
    from: usize,
    to: usize,
}

/// Where in a source a text begins and ends.
pub(super) type Span = (usize, usize);

/// The source as it counts, without its tests.
pub(super) fn source(text: &str) -> Vec<Piece> {
    let mut pieces = scan(text, false).pieces;
    let tests: Vec<char> = "#[cfg(test)]".chars().collect();
    let cut = pieces.windows(tests.len()).position(|window| {
        let chars = window.iter().map(|piece| piece.char);
        chars.eq(tests.iter().copied())
    });
    pieces.truncate(cut.unwrap_or(pieces.len()));
    pieces
}

/// A text that is looked for. `None` when it is empty, or its marks don't make a pair.
pub(super) fn wanted(text: &str) -> Option<Wanted> {
    let found = scan(text, true);
    let chars: Vec<char> = found.pieces.iter().map(|piece| piece.char).collect();
    let (from, to) = match (found.open, found.close) {
        (Some(from), Some(to)) => (from, to),
        (None, None) if !text.contains(['«', '»']) => (0, chars.len()),
        (Some(_) | None, Some(_) | None) => return None,
    };
    (from < to && to <= chars.len()).then_some(Wanted { chars, from, to })
}

/// The places of the part that is to be replaced.
pub(super) fn places(source: &[Piece], wanted: &Wanted) -> Vec<Span> {
    let mut places = Vec::new();
    let length = wanted.chars.len();
    for (begin, window) in source.windows(length).enumerate() {
        let same = window.iter().zip(&wanted.chars).all(|(p, c)| p.char == *c);
        // Half a word is another word.
        let before = begin.checked_sub(1).and_then(|at| source.get(at));
        let cut = |outer: Option<&Piece>, inner: Option<&Piece>| {
            outer.is_some_and(|p| is_word(p.char)) && inner.is_some_and(|p| is_word(p.char))
        };
        if !same || cut(before, window.first()) || cut(source.get(begin + length), window.last()) {
            continue;
        }
        if let (Some(first), Some(last)) = (window.get(wanted.from), window.get(wanted.to - 1)) {
            places.push((first.at, last.at + last.char.len_utf8()));
        }
    }
    places
}

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
    pieces: Vec<Piece>,
    space: bool,
    opening: bool,
    open: Option<usize>,
    close: Option<usize>,
}

fn scan(text: &str, marks: bool) -> Scan<'_> {
    let mut scan = Scan {
        text,
        at: 0,
        pieces: Vec::new(),
        space: false,
        opening: false,
        open: None,
        close: None,
    };
    while let Some(char) = scan.rest().chars().next() {
        let rest = scan.rest();
        if rest.starts_with("//") {
            let end = rest.find('\n').unwrap_or(rest.len());
            scan.skip(end);
        } else if rest.starts_with("/*") {
            scan.skip(block_comment(rest));
        } else if char.is_whitespace() {
            scan.skip(char.len_utf8());
        } else if marks && char == '«' {
            scan.opening = true;
            scan.skip(char.len_utf8());
        } else if marks && char == '»' {
            scan.close = Some(scan.pieces.len());
            scan.skip(char.len_utf8());
        } else if let Some(length) = literal(rest, scan.is_in_word()) {
            scan.verbatim(length);
        } else {
            scan.push(char);
        }
    }
    scan
}

impl Scan<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn is_in_word(&self) -> bool {
        !self.space && self.pieces.last().is_some_and(|last| is_word(last.char))
    }

    fn skip(&mut self, bytes: usize) {
        self.at += bytes;
        self.space = true;
    }

    fn push(&mut self, char: char) {
        let last = self.pieces.last().map(|last| last.char);
        if self.space && is_word(char) && last.is_some_and(is_word) {
            self.pieces.push(Piece {
                char: ' ',
                at: self.at,
            });
        }
        if matches!(char, ')' | ']' | '}') && last == Some(',') {
            self.pieces.pop();
        }
        if std::mem::take(&mut self.opening) {
            self.open = Some(self.pieces.len());
        }
        self.space = false;
        self.pieces.push(Piece { char, at: self.at });
        self.at += char.len_utf8();
    }

    /// What stands in quotes counts as it is.
    fn verbatim(&mut self, length: usize) {
        let end = self.at + length;
        while let Some(char) = self.rest().chars().next().filter(|_| self.at < end) {
            self.push(char);
        }
    }
}

/// How long a comment is that may hold others.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// How long the literal is that begins here, if one does: a text, raw or not, or a character.
fn literal(text: &str, in_word: bool) -> Option<usize> {
    if let Some(inside) = text.strip_prefix('"') {
        return Some(1 + quoted(inside, '"'));
    }
    if let Some(inside) = text.strip_prefix('\'') {
        let mut chars = inside.chars();
        let (first, second) = (chars.next()?, chars.next()?);
        // Else it is a lifetime.
        return (first == '\\' || second == '\'').then(|| 1 + quoted(inside, '\''));
    }
    let inside = text.strip_prefix('r').filter(|_| !in_word).or_else(|| {
        let inside = text.strip_prefix(['b', 'c']).filter(|_| !in_word)?;
        inside.strip_prefix('r')
    })?;
    let body = inside.trim_start_matches('#');
    let hashes = inside.get(..inside.len() - body.len())?;
    let body = body.strip_prefix('"')?;
    let end = format!("\"{hashes}");
    let length = body.find(&end).map_or(body.len(), |at| at + end.len());
    Some(text.len() - body.len() + length)
}

/// How long it is to the end of a literal, its last quote included.
fn quoted(inside: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, char) in inside.char_indices() {
        if escaped {
            escaped = false;
        } else if char == '\\' {
            escaped = true;
        } else if char == quote {
            return at + 1;
        }
    }
    inside.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bare(text: &str) -> String {
        source(text).iter().map(|piece| piece.char).collect()
    }

    #[test]
    fn what_formatting_changes_does_not_count() {
        let wide = "let a = f(b, c) .d( & mut e ); // so\nif x && /* a /* b */ c */ y {}";
        let long = "let a = f(\n    b,\n    c,\n)\n.d(&mut e);\nif x\n    && y\n{\n}";
        assert_eq!(bare(wide), bare(long));
        assert_eq!(bare(long), "let a=f(b,c).d(&mut e);if x&&y{}");
    }

    #[test]
    fn what_stands_in_quotes_counts_as_it_is() {
        let text = r##"a("x,  ) // \" y", r#"b " // c"#, b'"', '\'', '/', x::<'a>()) // d"##;
        let kept = r##"a("x,  ) // \" y",r#"b " // c"#,b'"','\'','/',x::<'a>())"##;
        assert_eq!(bare(text), kept);
        assert_ne!(bare("\"a b\""), bare("\"a  b\""));
        // A word that ends in an r is no raw text.
        assert_eq!(bare("for\"a\" 'b"), "for\"a\"'b");
    }

    #[test]
    fn tests_are_not_looked_through() {
        assert_eq!(bare("fn a() {}\n#[cfg(test)]\nmod tests {}"), "fn a(){}");
    }

    #[test]
    fn a_part_can_be_meant_and_half_a_word_never_is() {
        let text = "a if unsent => unsent(unsent_x)";
        let at = |find: &str| places(&source(text), &wanted(find).unwrap());
        assert_eq!(at("a if «unsent»"), [(5, 11)]);
        assert_eq!(at("«unsent» ("), [(15, 21)]);
        assert_eq!(at("unsent").len(), 2);
        assert_eq!(at("a if«unsent»=>"), [(5, 11)]);
        for broken in ["", "«a", "a»", "«»"] {
            assert_eq!(wanted(broken), None, "{broken}");
        }
    }
}
