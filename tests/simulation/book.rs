//! How bytes become lines, as RFC 854 and the manual have it: a byte at a time, with all of them at hand.

use unicode_normalization::char::is_combining_mark;

/// What a session makes something of.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A line, without its ending; `None` if it was too long.
    Line(Option<Vec<u8>>),
    /// The first negotiation.
    Negotiation,
}

/// What telnet sends.
enum Telnet {
    Byte(u8),
    /// WILL, WONT, DO or DONT, with an option.
    Negotiation,
}

/// All the pieces of a connection that has ended, where lines may have up to so many bytes.
pub(crate) fn pieces(bytes: &[u8], line_max: usize) -> Vec<Piece> {
    let (mut pieces, mut line) = (Vec::new(), Vec::new());
    let (mut is_telnet, mut is_after_cr, mut is_too_long) = (false, false, false);
    for item in telnet(bytes) {
        let byte = match item {
            Telnet::Byte(byte) => byte,
            Telnet::Negotiation if is_telnet => continue,
            Telnet::Negotiation => {
                is_telnet = true;
                pieces.push(Piece::Negotiation);
                continue;
            }
        };
        let belongs_to_cr = std::mem::take(&mut is_after_cr) && matches!(byte, b'\n' | 0);
        match byte {
            _ if belongs_to_cr => {}
            b'\x08' | b'\x7f' if is_telnet => {
                if !is_too_long {
                    backspace(&mut line);
                }
            }
            b'\r' if is_telnet => {
                pieces.push(complete(&mut line, &mut is_too_long, line_max));
                is_after_cr = true;
            }
            b'\n' => pieces.push(complete(&mut line, &mut is_too_long, line_max)),
            0 if line.last() == Some(&b'\r') => pieces.push(complete(&mut line, &mut is_too_long, line_max)),
            _ => line.push(byte),
        }
        // One byte more may be the CR of its ending.
        is_too_long |= line.len() > line_max + 1;
    }
    if !line.is_empty() {
        pieces.push(complete(&mut line, &mut is_too_long, line_max));
    }
    pieces
}

fn complete(line: &mut Vec<u8>, is_too_long: &mut bool, line_max: usize) -> Piece {
    let mut line = std::mem::take(line);
    line.pop_if(|last| *last == b'\r');
    Piece::Line(Some(line).filter(|line| !std::mem::take(is_too_long) && line.len() <= line_max))
}

/// Takes the last letter away, with the marks on it. A byte that belongs to no character counts as one.
fn backspace(line: &mut Vec<u8>) {
    let characters: Vec<&[u8]> = line
        .utf8_chunks()
        .flat_map(|chunk| {
            let valid = chunk.valid().split("").map(str::as_bytes).filter(|c| !c.is_empty());
            valid.chain(chunk.invalid().chunks(1))
        })
        .collect();
    let is_mark =
        |character: &&&[u8]| str::from_utf8(character).is_ok_and(|character| character.chars().all(is_combining_mark));
    let marks = characters.iter().rev().take_while(is_mark).count();
    let left = characters.len().saturating_sub(marks + 1);
    let left = characters[..left].iter().map(|character| character.len()).sum();
    line.truncate(left);
}

fn telnet(mut bytes: &[u8]) -> Vec<Telnet> {
    let mut items = Vec::new();
    loop {
        bytes = match bytes {
            [255, 255, rest @ ..] => {
                items.push(Telnet::Byte(255));
                rest
            }
            [255, 250, rest @ ..] => {
                // Up to IAC SE; any other IAC takes the byte after it along.
                let mut rest = rest;
                loop {
                    rest = match rest {
                        [255, 240, after @ ..] => break after,
                        [255, _, after @ ..] | [_, after @ ..] => after,
                        [] => break &[],
                    }
                }
            }
            [255, 251..=254, _, rest @ ..] => {
                items.push(Telnet::Negotiation);
                rest
            }
            [255, rest @ ..] if matches!(rest, [b'\n' | b'\r', ..]) => rest,
            [255, 0..=235, rest @ ..] => {
                items.push(Telnet::Byte(255));
                rest
            }
            [255, 236..=249, rest @ ..] => rest,
            [255, ..] | [] => return items, // the rest of a command has not come
            [byte, rest @ ..] => {
                items.push(Telnet::Byte(*byte));
                rest
            }
        }
    }
}
