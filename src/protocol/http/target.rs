//! What a request is about: the path and the query of its target.

use super::Problem;

/// The most segments of a path, and pairs of a query.
const PARTS_MAX: usize = 32;

/// A path and a query, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// What is between the slashes: none of `/`.
    pub path: Vec<String>,
    /// In order; a word without `=` has an empty value.
    pub query: Vec<(String, String)>,
}

impl Target {
    /// Reads a target in origin form, or in absolute form, whose host does not matter. Raw UTF-8 is taken, as shells send it.
    pub(super) fn parse(target: &str) -> Result<Self, Problem> {
        let target = match target.split_once("://") {
            Some((_, rest)) if !target.starts_with('/') => rest.find('/').map_or("/", |path| &rest[path..]),
            Some(_) | None => target,
        };
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = path.strip_prefix('/').ok_or(Problem::Malformed)?;
        let path = path.split('/').filter(|segment| !segment.is_empty()).map(|segment| decode(segment, false));
        let query = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(key, true)?, decode(value, true)?))
        });
        let target = Self { path: path.collect::<Result<_, _>>()?, query: query.collect::<Result<_, _>>()? };
        if target.path.len().max(target.query.len()) > PARTS_MAX { Err(Problem::HeadTooLong) } else { Ok(target) }
    }

    /// The value of a key, the first if there are several.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.query.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

/// Decodes `%XX`; in a query, `+` is a space.
fn decode(text: &str, is_query: bool) -> Result<String, Problem> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next(), rest.next()].map(|digit| char::from(digit.unwrap_or(b'?')).to_digit(16));
                let [Some(high), Some(low)] = digits else { return Err(Problem::Malformed) };
                u8::try_from(16 * high + low).map_err(|_| Problem::Malformed)?
            }
            b'+' if is_query => b' ',
            byte => byte,
        });
    }
    String::from_utf8(bytes).map_err(|_| Problem::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(target: &str) -> Result<Vec<String>, Problem> {
        Target::parse(target).map(|target| target.path)
    }

    #[test]
    fn a_path_has_its_segments() {
        for (target, segments) in [
            ("/", vec![]),
            ("/rooms/builds", vec!["rooms", "builds"]),
            ("/rooms//builds/", vec!["rooms", "builds"]),
            ("/rooms/%E6%9E%84%E5%BB%BA", vec!["rooms", "构建"]),
            ("/rooms/构建", vec!["rooms", "构建"]),
            ("/rooms/a%2Fb+c", vec!["rooms", "a/b+c"]),
            ("http://example.org/rooms?x", vec!["rooms"]),
            ("http://example.org", vec![]),
            ("/rooms/a://b", vec!["rooms", "a:", "b"]),
        ] {
            assert_eq!(path(target), Ok(segments.iter().map(ToString::to_string).collect()), "{target}");
        }
        for target in ["*", "rooms", "", "/%", "/%4", "/%zz", "/%ff"] {
            assert_eq!(path(target), Err(Problem::Malformed), "{target}");
        }
        assert_eq!(path(&"/x".repeat(PARTS_MAX + 1)), Err(Problem::HeadTooLong));
    }

    #[test]
    fn a_query_has_its_pairs() {
        let target = Target::parse("/rooms/a?last=5&follow&name=%E5%BC%A0+san&last=7&&x=a=b").expect("a target");
        let get = |key| target.get(key);
        assert_eq!((get("last"), get("follow"), get("name")), (Some("5"), Some(""), Some("张 san")));
        assert_eq!((get("x"), get("y")), (Some("a=b"), None));
    }
}
