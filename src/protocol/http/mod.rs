//! HTTP: the page in the browser.

pub mod page;
