//! What is said about a command line that can't be used. The parser's own texts repeat what they were
//! given, which may be a secret or a phone number that got into the wrong place.

use std::ffi::OsString;
use std::io::{self, Write as _};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use recharge_core::Redactor;
use serde_json::json;

use crate::exit::Exit;
use crate::output::{self, to_stderr};

/// Prints help, version or the error, and says how the process ends.
pub(crate) fn report(mut error: clap::Error, args: &[OsString]) -> Exit {
    if !error.use_stderr() {
        // Help or version, on standard output. A reader that went away wants no more of it.
        return match error.print().and_then(|()| io::stdout().flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                to_stderr(&format!("error: can't write to standard output: {error}"));
                Exit::System
            }
            Ok(()) | Err(_) => Exit::Success,
        };
    }
    mask(&mut error);
    let rendered = error.render();
    let in_json = args.iter().any(|arg| arg == "--json");
    let text = if !in_json && output::has_colours(&io::stderr()) {
        rendered.ansi().to_string()
    } else {
        rendered.to_string()
    };
    // What a value's own parser says may repeat it too.
    let text = Redactor::default().redact(&text, &[]);
    if in_json {
        let exit = Exit::Usage;
        let message = text.strip_prefix("error: ").unwrap_or(&text).trim_end();
        let error = json!({
            "error": { "kind": exit.as_str(), "exit": exit.code(), "message": message }
        });
        to_stderr(&error.to_string());
    } else {
        to_stderr(&text);
    }
    Exit::Usage
}

/// Takes out what was given, unless it is too short for a secret or can only be a misspelt word of ours:
/// an option's name, or lower case letters and dashes in the place of a command or of one of a few names.
fn mask(error: &mut clap::Error) {
    let given = match error.kind() {
        ErrorKind::InvalidSubcommand => ContextKind::InvalidSubcommand,
        ErrorKind::UnknownArgument => ContextKind::InvalidArg,
        _ => ContextKind::InvalidValue,
    };
    let harmless = match error.get(given) {
        Some(ContextValue::String(text)) => is_harmless(text),
        Some(_) | None => true,
    };
    if !harmless {
        error.insert(given, ContextValue::String("***".to_owned()));
        // They say the same again: "to pass 'X' as a value, use '-- X'".
        error.remove(ContextKind::Suggested);
        error.remove(ContextKind::SuggestedValue);
    }
}

fn is_harmless(text: &str) -> bool {
    let word = text.strip_prefix("--").unwrap_or(text);
    text.len() <= 6 || word.len() <= 24 && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
}
