//! The page in the browser: plain files in the binary, which a browser takes as they are.
//!
//! - `page.js` puts the page together: it draws, and does what its user asks for.
//! - `session.js` is the conversation with the server. A session of its own outlives what the network does: its stream is
//!   resumed behind the last event, lines that were not answered are sent again under the same key, and when the server does
//!   not know the session any more, another one joins the rooms since their last positions.
//! - `tabs.js`: all tabs of a browser are one user, because a browser opens only six connections to a server. One tab leads
//!   and listens, and tells the others what it hears. Each keeps the same state, so that any of them can lead next.
//! - `chat.js` is that state, built from events alone. Items of a room are in the order of their positions, and none is there
//!   twice.
//! - `log.js`, `lists.js`, `box.js` are what is seen of it; `text.js` makes text and links of what users say, never markup;
//!   `words.js` has the page's own words, in Chinese and English.

use std::{fmt::Write, sync::LazyLock};

use sha2::{Digest, Sha256};

/// What the page may do: load and ask its own server, and nothing else. With each file, whatever it is.
pub const SECURITY_HEADERS: &[(&str, &str)] = &[
    (
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
];

/// A file of the page.
#[derive(Debug)]
pub struct Asset {
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// The file itself.
    pub bytes: &'static [u8],
    /// The value of `ETag`, in its quotes: another one when the file is another.
    pub etag: String,
}

static INDEX: LazyLock<Asset> = LazyLock::new(|| Asset::new("index.html", include_bytes!("index.html")));

/// Those under `/page/`, by name.
static ASSETS: LazyLock<Vec<(&str, Asset)>> = LazyLock::new(|| {
    let files: [(&str, &[u8]); 10] = [
        ("box.js", include_bytes!("box.js")),
        ("chat.js", include_bytes!("chat.js")),
        ("lists.js", include_bytes!("lists.js")),
        ("log.js", include_bytes!("log.js")),
        ("page.css", include_bytes!("page.css")),
        ("page.js", include_bytes!("page.js")),
        ("session.js", include_bytes!("session.js")),
        ("tabs.js", include_bytes!("tabs.js")),
        ("text.js", include_bytes!("text.js")),
        ("words.js", include_bytes!("words.js")),
    ];
    files.map(|(name, bytes)| (name, Asset::new(name, bytes))).into()
});

/// The file at a path, whose parts these are: none for the page itself, `page` and a name for what belongs to it.
#[must_use]
pub fn asset(path: &[&str]) -> Option<&'static Asset> {
    match path {
        [] | [""] => Some(&INDEX),
        ["page", name] => ASSETS.iter().find(|(of, _)| of == name).map(|(_, asset)| asset),
        _ => None,
    }
}

impl Asset {
    fn new(name: &str, bytes: &'static [u8]) -> Self {
        let content_type = match name.rsplit_once('.') {
            Some((_, "html")) => "text/html; charset=utf-8",
            Some((_, "css")) => "text/css; charset=utf-8",
            Some(_) | None => "text/javascript; charset=utf-8",
        };
        let digest = Sha256::digest(bytes);
        let hex = digest.iter().take(8).fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").expect("a String takes all");
            hex
        });
        Self { content_type, bytes, etag: format!("\"{hex}\"") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The most that a browser has to load, in bytes.
    const PAGE_BYTES_MAX: usize = 40 << 10;

    fn text(asset: &Asset) -> &str {
        str::from_utf8(asset.bytes).unwrap()
    }

    #[test]
    fn the_page_is_small() {
        let bytes = INDEX.bytes.len() + ASSETS.iter().map(|(_, asset)| asset.bytes.len()).sum::<usize>();
        assert!(bytes < PAGE_BYTES_MAX, "{bytes} bytes");
    }

    #[test]
    fn files_are_found_by_their_paths() {
        assert_eq!(asset(&[]).unwrap().content_type, "text/html; charset=utf-8");
        assert_eq!(asset(&["page", "page.css"]).unwrap().content_type, "text/css; charset=utf-8");
        let script = asset(&["page", "page.js"]).unwrap();
        assert_eq!((script.content_type, script.etag.len()), ("text/javascript; charset=utf-8", 18));
        assert_ne!(script.etag, asset(&["page", "chat.js"]).unwrap().etag);
        for path in [&["page"][..], &["page", ""], &["page", "mod.rs"], &["page", "page.js", ""], &["page.js"]] {
            assert!(asset(path).is_none(), "{path:?}");
        }
    }

    #[test]
    fn what_is_loaded_is_there() {
        let scripts: Vec<_> = ASSETS.iter().filter(|(name, _)| name.ends_with(".js")).map(|(_, asset)| asset).collect();
        let imported = scripts.iter().flat_map(|asset| text(asset).lines().filter(|line| line.starts_with("import ")));
        let imported = imported.map(|line| line.split('\'').nth(1).unwrap().trim_start_matches("./"));
        let linked = text(&INDEX).split('"').filter_map(|value| value.strip_prefix("page/"));
        for name in imported.chain(linked) {
            assert!(asset(&["page", name]).is_some(), "{name}");
        }
    }

    /// All that could make markup out of a text, or run it.
    #[test]
    fn text_never_becomes_markup() {
        for (name, asset) in ASSETS.iter() {
            for word in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"] {
                assert!(!text(asset).contains(word), "{name} has {word}");
            }
        }
    }

    /// Every word that the page asks for is there, in two languages.
    #[test]
    fn words_are_complete() {
        let words = text(asset(&["page", "words.js"]).unwrap());
        let pairs: Vec<_> = words.lines().filter_map(|line| line.strip_prefix('\t')?.split_once(": [")).collect();
        for (key, pair) in &pairs {
            assert!(pair.contains("', '") && !pair.is_ascii(), "{key}");
        }
        let all = ASSETS.iter().map(|(_, asset)| asset).chain([&*INDEX]).map(text);
        let asked =
            all.flat_map(|text| ["say('", "data-say=\"", "data-label=\""].map(|start| text.split(start).skip(1)));
        for key in asked.flatten().map(|rest| rest.split(['\'', '"']).next().unwrap()) {
            assert!(pairs.iter().any(|(known, _)| *known == key), "{key}");
        }
    }
}
