//! What `Debug` shows in the place of accounts and of bodies, which hold them.

use std::fmt;

use crate::stats::mask;

/// An account, its middle masked.
pub(crate) struct Masked<'a>(pub(crate) &'a str);

impl fmt::Debug for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&mask(self.0))
    }
}

/// Bytes, by their number only.
pub(crate) struct Size(pub(crate) usize);

impl fmt::Debug for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0)
    }
}

#[cfg(test)]
mod tests {
    use crate::answer::Answer;
    use crate::form::Fields;
    use crate::message::Reply;
    use crate::wire::ReplyBody;

    #[test]
    fn what_never_leaves_the_crate_shows_no_account_either() {
        let fields = Fields::read("tel=0571-56565366&phoneno=18900001234", None, b"");
        let answer = Answer::new(0, &["18900001234", "0571-56565366"]);
        let body = ReplyBody::new(Reply::json(answer.body.clone()));
        for text in [
            format!("{fields:?}"),
            format!("{answer:?}"),
            format!("{body:?}"),
        ] {
            assert!(
                !text.contains("18900001234") && !text.contains("56565366"),
                "{text}"
            );
        }
        assert_eq!(format!("{fields:?}"), r#"Fields["phoneno", "tel"]"#);
    }
}
