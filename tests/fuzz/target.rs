//! The first byte says how long packets are, the others are sent.
#![no_main]

#[path = "../simulation/any_event.rs"]
mod any_event;
#[path = "../simulation/book.rs"]
mod book;
#[path = "../simulation/meaning.rs"]
mod meaning;
#[path = "../simulation/object.rs"]
mod object;
#[path = "../simulation/reader.rs"]
mod reader;
#[path = "../simulation/requests.rs"]
mod requests;
#[path = "../simulation/wire.rs"]
mod wire;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let [packet, bytes @ ..] = bytes {
        wire::check(bytes, usize::from(*packet));
        requests::check(bytes, usize::from(*packet));
    }
});
