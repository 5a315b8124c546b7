//! What a request asks for, in one form.

use axum::http::Uri;
use axum::http::uri::PathAndQuery;

/// Makes doubled slashes one, and takes one at the end away: clients join addresses and paths in
/// both ways. What is encoded stays as it is.
pub(super) fn normalise(uri: &mut Uri) {
    let path = uri.path();
    let superfluous = path.contains("//") || (path.len() > 1 && path.ends_with('/'));
    if !superfluous {
        return;
    }
    let mut target = String::with_capacity(path.len());
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        target.push('/');
        target.push_str(segment);
    }
    if target.is_empty() {
        target.push('/');
    }
    if let Some(query) = uri.query() {
        target.push('?');
        target.push_str(query);
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = PathAndQuery::try_from(target).ok();
    if let Ok(found) = Uri::from_parts(parts) {
        *uri = found;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalised(text: &str) -> String {
        let mut uri: Uri = text.parse().expect("a target");
        normalise(&mut uri);
        uri.to_string()
    }

    #[test]
    fn extra_slashes_are_removed_and_everything_else_stays() {
        for (given, meant) in [
            ("/", "/"),
            ("//", "/"),
            ("/v1", "/v1"),
            ("/v1/", "/v1"),
            ("///v1//remuxers//?a=b//c/", "/v1/remuxers?a=b//c/"),
            ("/v1%2F%2F/", "/v1%2F%2F"),
            ("http://host:3000//v1/", "http://host:3000/v1"),
            ("*", "*"),
        ] {
            assert_eq!(normalised(given), meant);
        }
    }
}
