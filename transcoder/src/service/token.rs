//! The token that clients have to send, read from a file or the environment.

use std::fmt;
use std::path::Path;

use subtle::ConstantTimeEq;

use super::settings::StartError;

/// Environment variable with the token.
const VARIABLE: &str = "XG2G_TRANSCODER_TOKEN";

/// The token of the service. It is never shown.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Returns the text as a token: printable ASCII without spaces, as headers allow.
    pub fn new(text: &str) -> Option<Self> {
        let sendable = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        sendable.then(|| Self(text.to_owned()))
    }

    /// Reads the token from the file, or without one from the environment.
    pub fn read(file: Option<&Path>) -> Result<Option<Self>, StartError> {
        let (text, from) = match file {
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|why| {
                    StartError(format!(
                        "cannot read the token file {}: {why}; check --token-file",
                        path.display()
                    ))
                })?;
                (text, path.display().to_string())
            }
            None => match std::env::var(VARIABLE) {
                Ok(text) => (text, VARIABLE.to_owned()),
                Err(std::env::VarError::NotPresent) => return Ok(None),
                Err(_) => {
                    return Err(StartError(format!(
                        "{VARIABLE} is not valid text: use printable ASCII without spaces"
                    )));
                }
            },
        };
        Self::new(text.trim()).map(Some).ok_or_else(|| {
            StartError(format!(
                "{from} has no valid token: use printable ASCII without spaces"
            ))
        })
    }

    /// Compares in a time that depends on the lengths alone.
    pub(super) fn is(&self, given: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(given).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}
