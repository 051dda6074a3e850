//! What is typed by mistake, or by nobody who knows the manual.

use common::Rng;
use pipechat::protocol::{FormError, Verb};

use super::{LINE_MAX, history};
use crate::meaning::Meaning;

/// A line that is no command.
pub(super) fn line(rng: &mut Rng, n: usize) -> (Vec<u8>, Meaning) {
    const MALFORMED: [(&str, Verb); 10] = [
        ("rooms|x", Verb::Rooms),
        ("history", Verb::History), // which has many wrong forms
        ("wait|1|moon|full", Verb::Wait),
        ("in|ops", Verb::In),
        ("stay|x", Verb::Stay),
        ("visit|me", Verb::Visit),
        ("format|xml", Verb::Format),
        ("lang|", Verb::Lang),
        ("help|me", Verb::Help),
        ("quit|x", Verb::Quit),
    ];
    let (line, error) = match rng.below(9) {
        8 => {
            let slips = [
                ("login ", FormError::Usage(Verb::Login)),
                ("Logn ", FormError::UnknownVerb),
                ("／ＴＯＫＥＮ ", FormError::Usage(Verb::Token)),
                ("passwrod｜", FormError::UnknownVerb),
            ];
            let (slip, error) = slips[rng.below(slips.len())];
            (format!("{slip}#{n}").into_bytes(), error)
        }
        0 => ("to|ann".as_bytes().to_vec(), FormError::PrivateUsage),
        1 => (format!("#\0{n}").into_bytes(), FormError::Nul),
        2 => ([format!("#{n} ").as_bytes(), b"\xc3"].concat(), FormError::NotUtf8),
        3 => (vec![b'x'; LINE_MAX + 1], FormError::TooLong(LINE_MAX)),
        4 => (vec![b'x'; LINE_MAX * 3], FormError::TooLong(LINE_MAX)),
        _ => {
            let (line, verb) = match MALFORMED[rng.below(MALFORMED.len())] {
                (_, Verb::History) => history::WRONG[rng.below(history::WRONG.len())],
                other => other,
            };
            (line.as_bytes().to_vec(), FormError::Usage(verb))
        }
    };
    (line, Err(error))
}

/// What no client of ours types: anything, with what a parser may stumble over.
pub(crate) fn garbage(rng: &mut Rng) -> Vec<u8> {
    const SCRAPS: [&[u8]; 25] = [
        b"\xff\xfb\x01",
        b"\x08",
        b"\x7f",
        b"\n",
        b"\n",
        b"\r\n",
        b"\r\0",
        b"\r",
        b"\0",
        b"to|",
        b"|",
        b"who\n",
        b"wait|1|user|",
        b"sync|",
        b"join|ops\n",
        b"in|ops|",
        b"leave|lobby\n",
        b"rooms\n",
        b"history|ops",
        b"|since|",
        b"join|ops|last|9\n",
        b"check|1\n",
        b"GET / HTTP/1.1\n",
        b"\xff\xf0",
        b"\xff\xfa",
    ];
    let mut bytes = Vec::new();
    for _ in 0..rng.below(12) {
        match rng.below(3) {
            0 => bytes.extend((0..rng.below(20)).map(|_| rng.below(256).to_le_bytes()[0])),
            _ => bytes.extend_from_slice(rng.pick(&SCRAPS)),
        }
    }
    bytes
}
