//! The token that clients have to send, and where it is read from.

use std::fmt;
use std::path::Path;

use subtle::ConstantTimeEq;

use super::settings::StartError;

/// Variable of the environment with the token.
const VARIABLE: &str = "XG2G_TRANSCODER_TOKEN";

/// What clients have to know. Never shown.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Takes a text as token: printable ASCII without spaces, as it goes into a header.
    pub fn new(text: &str) -> Option<Self> {
        let sendable = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        sendable.then(|| Self(text.to_owned()))
    }

    /// Reads the token from the file, or else from the environment, if there is one.
    pub fn read(file: Option<&Path>) -> Result<Option<Self>, StartError> {
        let (text, from) = match file {
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|why| {
                    StartError(format!(
                        "cannot read the token in {}: {why}",
                        path.display()
                    ))
                })?;
                (text, path.display().to_string())
            }
            None => match std::env::var(VARIABLE) {
                Ok(text) => (text, VARIABLE.to_owned()),
                Err(std::env::VarError::NotPresent) => return Ok(None),
                Err(_) => return Err(StartError(format!("{VARIABLE} is not a text"))),
            },
        };
        Self::new(text.trim()).map(Some).ok_or_else(|| {
            StartError(format!(
                "{from} holds no token: use printable ASCII without spaces"
            ))
        })
    }

    /// Compares in a time that depends upon the lengths alone.
    pub(super) fn is(&self, given: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(given).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}
