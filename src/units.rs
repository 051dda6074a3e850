//! Durations and sizes as people write them: `5m`, `64K`. Knows no flags and no bounds of settings.

use std::time::Duration;

/// The longest duration that is parsed, in bytes. None needs twenty digits, and a number of many kilobytes must not cost time.
const DURATION_BYTES_MAX: usize = 20;

/// What durations end in, and how many milliseconds that is; the longest first.
const DURATION_UNITS: [(&str, u64); 5] =
    [("d", 24 * 3_600_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];
/// What sizes end in, and how many bytes that is; the largest first.
const SIZE_UNITS: [(&str, usize); 3] = [("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10)];

/// Reads `5`, which is seconds, `5s`, `5m`, `1h`, `2d` or `250ms`. The number may have a fraction. `None` for anything else.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    if text.len() > DURATION_BYTES_MAX || !number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return None;
    }
    let unit = match &text[number.len()..] {
        "" => "s",
        unit => unit,
    };
    let (_, millis) = DURATION_UNITS.into_iter().find(|&(name, _)| name == unit)?;
    let factor = Duration::from_millis(millis).as_secs_f64();
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * factor).ok()
}

/// Writes a duration as [`parse_duration`] reads it, in the longest unit that leaves no fraction.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    let is_whole = duration == Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX));
    match DURATION_UNITS.into_iter().find(|&(_, unit)| millis.is_multiple_of(u128::from(unit))) {
        _ if millis == 0 && is_whole => "0".to_owned(),
        Some((name, unit)) if is_whole => format!("{}{name}", millis / u128::from(unit)),
        Some(_) | None => format!("{}s", duration.as_secs_f64()),
    }
}

/// Reads a number of bytes: `4096`, `64K`, `1M` or `2G`, in powers of 1024. `None` for anything else.
#[must_use]
pub fn parse_size(text: &str) -> Option<usize> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match &text[number.len()..] {
        "" => 1,
        unit => SIZE_UNITS.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?.1,
    };
    number.parse::<usize>().ok()?.checked_mul(factor)
}

/// Writes a number of bytes as [`parse_size`] reads it, in the largest unit that leaves no fraction.
#[must_use]
pub fn format_size(bytes: usize) -> String {
    match SIZE_UNITS.into_iter().find(|&(_, unit)| bytes > 0 && bytes.is_multiple_of(unit)) {
        Some((name, unit)) => format!("{}{name}", bytes / unit),
        None => bytes.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        for (text, millis, written) in [
            ("0", 0, "0"),
            ("0ms", 0, "0"),
            ("5", 5000, "5s"),
            ("5s", 5000, "5s"),
            ("1.5", 1500, "1500ms"),
            (".5", 500, "500ms"),
            ("250ms", 250, "250ms"),
            ("5m", 300_000, "5m"),
            ("90s", 90_000, "90s"),
            ("1h", 3_600_000, "1h"),
            ("2d", 172_800_000, "2d"),
            ("0.5d", 43_200_000, "12h"),
        ] {
            let duration = Duration::from_millis(millis);
            assert_eq!(parse_duration(text), Some(duration), "{text}");
            assert_eq!(format_duration(duration), written);
            assert_eq!(parse_duration(written), Some(duration), "{written}");
        }
        assert_eq!(format_duration(Duration::from_micros(1500)), "0.0015s");
        assert_eq!(parse_duration("0.0015s"), Some(Duration::from_micros(1500)));
    }

    #[test]
    fn what_is_no_duration() {
        for text in ["", "s", ".", "-1", "+1", "1e3", "1 s", "1w", "1S", "5m5s", "1..5", "NaN", "inf", "１"] {
            assert_eq!(parse_duration(text), None, "{text:?}");
        }
        let longest = format!("{}5", "0".repeat(DURATION_BYTES_MAX - 1));
        assert_eq!(parse_duration(&longest), Some(Duration::from_secs(5)));
        assert_eq!(parse_duration(&format!("0{longest}")), None);
        assert_eq!(parse_duration(&"9".repeat(20)), None, "more than a Duration holds");
    }

    #[test]
    fn sizes_have_units() {
        for (text, bytes, written) in [
            ("0", 0, "0"),
            ("0K", 0, "0"),
            ("4096", 4096, "4K"),
            ("1000", 1000, "1000"),
            ("64K", 65_536, "64K"),
            ("64k", 65_536, "64K"),
            ("1M", 1 << 20, "1M"),
            ("1536K", 1536 << 10, "1536K"),
            ("2G", 2 << 30, "2G"),
        ] {
            assert_eq!(parse_size(text), Some(bytes), "{text}");
            assert_eq!(format_size(bytes), written);
        }
        for text in ["", "K", "-1", "1.5K", "1e3", "1T", "64KB", "18446744073709551615K", "18446744073709551616"] {
            assert_eq!(parse_size(text), None, "{text:?}");
        }
    }
}
