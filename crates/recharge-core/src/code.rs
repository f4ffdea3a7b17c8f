//! What an upstream's codes prove: one row per code, and the merchant's own changes to it.
//!
//! A code is read in two places. In the answer to a submit it says whether the order was taken; in the
//! answer to anything else it says why the question has no answer. The two are independent: Juhe's
//! 208509 proves nothing about a submit, and is what "no such order" looks like on a query.

use std::collections::BTreeMap;
use std::fmt;

/// What a code proves about the *first* submit of an order number that it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SubmitClass {
    /// The upstream understood the order and took it.
    Accepted,
    /// The upstream did not take it.
    NotAccepted,
    /// Nothing is proved. Ask; never send again.
    Unknown,
}

impl SubmitClass {
    /// The name in configuration and docs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::NotAccepted => "not-accepted",
            Self::Unknown => "unknown",
        }
    }
}

/// What a code says in the answer to a question: a query, a check, a quote, a balance or a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QueryClass {
    /// The question was understood; the answer is in the result.
    Understood,
    /// There is no such order.
    NotFound,
    /// Too many calls, or a quota used up.
    RateLimited,
    /// The upstream or the carrier is under maintenance.
    Maintenance,
    /// The upstream refuses our key, signature or address.
    Denied,
    /// The upstream refuses what was asked for: the number or the amount.
    Refused,
    /// Anything else. It teaches nothing.
    Other,
}

impl QueryClass {
    /// The name in configuration and docs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Understood => "understood",
            Self::NotFound => "not-found",
            Self::RateLimited => "rate-limited",
            Self::Maintenance => "maintenance",
            Self::Denied => "denied",
            Self::Refused => "refused",
            Self::Other => "other",
        }
    }
}

/// A class that configuration gives a code: one of what it proves about a submit, or one of what it
/// says to a question.
///
/// "Accepted" and "understood" are not among them. They belong to the code 0 alone, because only its
/// answer carries an order to check against ours.
///
/// ```
/// use recharge_core::{CodeClass, QueryClass, SubmitClass};
/// assert_eq!(CodeClass::parse("unknown"), Ok(CodeClass::Submit(SubmitClass::Unknown)));
/// assert_eq!(CodeClass::parse("not_found"), Ok(CodeClass::Query(QueryClass::NotFound)));
/// assert!(CodeClass::parse("accepted").is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CodeClass {
    /// What the code proves about a submit; what it says to a question stays as it was.
    Submit(SubmitClass),
    /// What the code says to a question; what it proves about a submit stays as it was.
    Query(QueryClass),
}

impl CodeClass {
    /// Every class that configuration may give.
    pub const ALL: [Self; 8] = [
        Self::Submit(SubmitClass::NotAccepted),
        Self::Submit(SubmitClass::Unknown),
        Self::Query(QueryClass::NotFound),
        Self::Query(QueryClass::RateLimited),
        Self::Query(QueryClass::Maintenance),
        Self::Query(QueryClass::Denied),
        Self::Query(QueryClass::Refused),
        Self::Query(QueryClass::Other),
    ];

    /// The name in configuration and docs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Submit(class) => class.as_str(),
            Self::Query(class) => class.as_str(),
        }
    }

    /// The class of that [`as_str`](Self::as_str) name; `_` is read as `-`.
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        let name = text.replace('_', "-");
        Self::ALL
            .into_iter()
            .find(|class| class.as_str() == name)
            .ok_or(CodeError::Class)
    }
}

impl fmt::Display for CodeClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How sure a fact about an upstream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// S: the merchant's own document for the product.
    Document,
    /// H: the vendor's own pages, or several independent clients agree.
    Several,
    /// M: one client or one article.
    One,
    /// L: inferred.
    Inferred,
}

impl Confidence {
    /// The letter in docs.
    pub const fn letter(self) -> char {
        match self {
            Self::Document => 'S',
            Self::Several => 'H',
            Self::One => 'M',
            Self::Inferred => 'L',
        }
    }
}

/// One row of an upstream's code table. Plain data: adapters decide by it, and docs are made from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// The code, as it is written.
    pub code: &'static str,
    /// What it means, in Chinese.
    pub chinese: &'static str,
    /// What it means, in English.
    pub english: &'static str,
    /// What it proves about the first submit of an order number.
    pub on_submit: SubmitClass,
    /// What it says to a question.
    pub on_query: QueryClass,
    /// How sure that is.
    pub confidence: Confidence,
    /// Where it is from.
    pub source: &'static str,
    /// What the reader can do about it, where that is known.
    pub advice: Option<&'static str>,
}

/// An upstream's code table with the merchant's changes on top.
///
/// A code that is neither listed nor changed proves nothing: [`SubmitClass::Unknown`] and
/// [`QueryClass::Other`].
#[derive(Debug, Clone)]
pub struct CodeTable {
    rows: &'static [Code],
    overrides: CodeOverrides,
}

impl CodeTable {
    /// A table as documented, with these changes.
    pub const fn new(rows: &'static [Code], overrides: CodeOverrides) -> Self {
        Self { rows, overrides }
    }

    /// The documented row of a code. Codes are compared as text, exactly as written.
    pub fn row(&self, code: &str) -> Option<&'static Code> {
        self.rows.iter().find(|row| row.code == code)
    }

    /// What a code proves about a submit.
    pub fn on_submit(&self, code: &str) -> SubmitClass {
        self.overrides
            .get(code)
            .and_then(|classes| classes.on_submit)
            .or_else(|| self.row(code).map(|row| row.on_submit))
            .unwrap_or(SubmitClass::Unknown)
    }

    /// What a code says to a question.
    pub fn on_query(&self, code: &str) -> QueryClass {
        self.overrides
            .get(code)
            .and_then(|classes| classes.on_query)
            .or_else(|| self.row(code).map(|row| row.on_query))
            .unwrap_or(QueryClass::Other)
    }

    /// What the reader can do about a code, where that is known.
    pub fn advice(&self, code: &str) -> Option<&'static str> {
        self.row(code).and_then(|row| row.advice)
    }
}

/// A merchant's changes to a code table, for a contract that says otherwise.
///
/// The code 0 can't be changed, and no code can be made to mean "accepted" or "understood": an answer
/// is believed to have taken an order only when it carries that order. A code may have one class for
/// submits and one for questions; setting either again replaces it.
///
/// ```
/// use recharge_core::{CodeClass, CodeOverrides, QueryClass, SubmitClass};
/// let mut overrides = CodeOverrides::new();
/// overrides.set("208502", CodeClass::Submit(SubmitClass::NotAccepted))?;
/// overrides.set("208502", CodeClass::Query(QueryClass::Maintenance))?;
/// assert!(overrides.set("0", CodeClass::Submit(SubmitClass::Unknown)).is_err());
/// # Ok::<(), recharge_core::CodeError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CodeOverrides(BTreeMap<Box<str>, Classes>);

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Classes {
    on_submit: Option<SubmitClass>,
    on_query: Option<QueryClass>,
}

impl CodeOverrides {
    /// No changes.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Gives a code another class.
    pub fn set(&mut self, code: &str, class: CodeClass) -> Result<(), CodeError> {
        if code == "0" {
            return Err(CodeError::Zero);
        }
        let form = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        if !(1..=16).contains(&code.len()) || !code.bytes().all(form) {
            return Err(CodeError::Form);
        }
        if matches!(
            class,
            CodeClass::Submit(SubmitClass::Accepted) | CodeClass::Query(QueryClass::Understood)
        ) {
            return Err(CodeError::Class);
        }
        let classes = self.0.entry(code.into()).or_default();
        match class {
            CodeClass::Submit(class) => classes.on_submit = Some(class),
            CodeClass::Query(class) => classes.on_query = Some(class),
        }
        Ok(())
    }

    fn get(&self, code: &str) -> Option<&Classes> {
        self.0.get(code)
    }
}

/// Why a change to a code table is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodeError {
    /// The code 0.
    #[error("the class of code 0 can't be changed: it means that the call was understood")]
    Zero,
    /// Not a code.
    #[error("a code is 1 to 16 letters and digits, such as 208502")]
    Form,
    /// Not a class that configuration may give.
    #[error(
        "a code's class is one of not-accepted, unknown (about a submit), not-found, rate-limited, maintenance, denied, refused, other (to a question)"
    )]
    Class,
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: &[Code] = &[
        Code {
            code: "0",
            chinese: "成功",
            english: "understood",
            on_submit: SubmitClass::Accepted,
            on_query: QueryClass::Understood,
            confidence: Confidence::Document,
            source: "a test",
            advice: None,
        },
        Code {
            code: "7",
            chinese: "余额不足",
            english: "balance too low",
            on_submit: SubmitClass::NotAccepted,
            on_query: QueryClass::Refused,
            confidence: Confidence::One,
            source: "a test",
            advice: Some("top up"),
        },
    ];

    fn table(overrides: &[(&str, CodeClass)]) -> CodeTable {
        let mut changes = CodeOverrides::new();
        for (code, class) in overrides {
            changes.set(code, *class).unwrap();
        }
        CodeTable::new(ROWS, changes)
    }

    #[test]
    fn lesson_10_a_code_that_is_not_listed_proves_nothing() {
        let table = table(&[]);
        for code in ["", "1", "00", "0.0", "-0", "０", "70", " 7"] {
            assert_eq!(table.on_submit(code), SubmitClass::Unknown, "{code:?}");
            assert_eq!(table.on_query(code), QueryClass::Other, "{code:?}");
            assert_eq!(table.advice(code), None, "{code:?}");
        }
        assert_eq!(table.on_submit("7"), SubmitClass::NotAccepted);
        assert_eq!(table.advice("7"), Some("top up"));
    }

    #[test]
    fn a_change_touches_the_side_it_names_and_no_other_code() {
        let table = table(&[
            ("7", CodeClass::Submit(SubmitClass::Unknown)),
            ("8", CodeClass::Query(QueryClass::NotFound)),
        ]);
        assert_eq!(table.on_submit("7"), SubmitClass::Unknown);
        assert_eq!(table.on_query("7"), QueryClass::Refused);
        assert_eq!(table.on_submit("8"), SubmitClass::Unknown);
        assert_eq!(table.on_query("8"), QueryClass::NotFound);
        assert_eq!(table.on_submit("0"), SubmitClass::Accepted);
    }

    #[test]
    fn no_change_can_make_an_order_look_taken() {
        let mut overrides = CodeOverrides::new();
        for class in CodeClass::ALL {
            assert_eq!(overrides.set("0", class), Err(CodeError::Zero));
        }
        for class in [
            CodeClass::Submit(SubmitClass::Accepted),
            CodeClass::Query(QueryClass::Understood),
        ] {
            assert_eq!(overrides.set("7", class), Err(CodeError::Class));
            assert_eq!(CodeClass::parse(class.as_str()), Err(CodeError::Class));
        }
        for code in ["", " 7", "7 8", "错", &"1".repeat(17)] {
            assert_eq!(
                overrides.set(code, CodeClass::Submit(SubmitClass::Unknown)),
                Err(CodeError::Form)
            );
        }
        assert_eq!(overrides, CodeOverrides::new());
    }

    #[test]
    fn the_letters_of_the_docs_are_kept() {
        use Confidence::{Document, Inferred, One, Several};
        let letters = [Document, Several, One, Inferred].map(Confidence::letter);
        assert_eq!(letters, ['S', 'H', 'M', 'L']);
    }

    #[test]
    fn names_are_read_back_with_either_dash() {
        for class in CodeClass::ALL {
            assert_eq!(CodeClass::parse(&class.to_string()), Ok(class));
            assert_eq!(
                CodeClass::parse(&class.as_str().replace('-', "_")),
                Ok(class)
            );
        }
        let error = CodeClass::parse("failed").unwrap_err().to_string();
        for class in CodeClass::ALL {
            assert!(error.contains(class.as_str()), "{error}");
        }
    }
}
