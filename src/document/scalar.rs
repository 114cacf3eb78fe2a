//! The Kubernetes dialect of YAML scalars.
//!
//! kubectl and the API server's other clients read manifests with `sigs.k8s.io/yaml`, which is
//! YAML 1.1 for booleans and numbers. A reader with YAML 1.2 rules takes `privileged: yes` for a
//! string and so misses it. The table that this module implements stands in `tests/yaml/`, row by
//! row, and is compared with `kubectl` where it is installed.

/// What a plain (unquoted, untagged) scalar means.
#[derive(Clone, Debug, PartialEq)]
pub enum Plain {
    /// `~`, `null`, `Null`, `NULL` or nothing at all.
    Null,
    /// One of the YAML 1.1 words, `yes` and `off` among them.
    Bool(bool),
    /// An integer within 64 bits, in any of the notations of Go.
    Int(i64),
    /// A float, or an integer outside 64 bits.
    Float(f64),
    /// `.inf` or `.nan`: JSON has no such value, so clients refuse the document.
    NotJson(f64),
    /// Everything else.
    Str,
}

/// Resolves a plain scalar as `sigs.k8s.io/yaml` does.
#[must_use]
pub fn resolve(text: &str) -> Plain {
    let Some(first) = text.bytes().next() else {
        return Plain::Null;
    };
    match first {
        b'~' | b'n' | b'N' | b'y' | b'Y' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' => word(text),
        b'.' => special_float(text).unwrap_or_else(|| dot_float(text)),
        b'+' | b'-' => special_float(text).unwrap_or_else(|| number(text)),
        b'0'..=b'9' => number(text),
        _ => Plain::Str,
    }
}

fn word(text: &str) -> Plain {
    match text {
        "~" | "null" | "Null" | "NULL" => Plain::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Plain::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Plain::Bool(false)
        }
        _ => Plain::Str,
    }
}

fn special_float(text: &str) -> Option<Plain> {
    match text.strip_prefix('+').unwrap_or(text) {
        ".inf" | ".Inf" | ".INF" => Some(Plain::NotJson(f64::INFINITY)),
        "-.inf" | "-.Inf" | "-.INF" => Some(Plain::NotJson(f64::NEG_INFINITY)),
        ".nan" | ".NaN" | ".NAN" if text.starts_with('.') => Some(Plain::NotJson(f64::NAN)),
        _ => None,
    }
}

/// A scalar that begins with a dot: Go's `ParseFloat`, which wants underscores between digits.
fn dot_float(text: &str) -> Plain {
    let bytes = text.as_bytes();
    let digit = |i: usize| bytes.get(i).is_some_and(u8::is_ascii_digit);
    let misplaced = |(i, b): (usize, &u8)| *b == b'_' && !(i > 0 && digit(i - 1) && digit(i + 1));
    if bytes.iter().enumerate().any(misplaced) {
        return Plain::Str;
    }
    float(&text.replace('_', ""))
}

fn number(text: &str) -> Plain {
    let plain = if text.contains('_') { text.replace('_', "") } else { text.to_owned() };
    match integer(&plain) {
        Some(Integer::Fits(value)) => Plain::Int(value),
        Some(Integer::Large(value)) => Plain::Float(value),
        None => signed_binary(&plain).map_or_else(|| float(&plain), Plain::Int),
    }
}

/// A binary number with its sign behind the prefix, which clients read, too.
fn signed_binary(plain: &str) -> Option<i64> {
    let digits = plain.strip_prefix("0b").filter(|rest| rest.starts_with(['+', '-']))?;
    i64::from_str_radix(digits, 2).ok()
}

/// Whether a scalar is an integer that only an unsigned type of 64 bits holds, as which no client
/// takes a key.
pub(super) fn is_unsigned(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit() || c == '+')
        && matches!(integer(&text.replace('_', "")), Some(Integer::Large(_)))
}

enum Integer {
    Fits(i64),
    /// Outside `i64` but inside `u64`: JSON decoders hand it over as a float.
    Large(f64),
}

/// Go's `ParseInt` with base 0: sign, then `0x`, `0o`, `0b`, a leading `0` for octal, or decimal.
fn integer(plain: &str) -> Option<Integer> {
    let (negative, digits) = match plain.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, plain.strip_prefix('+').unwrap_or(plain)),
    };
    let (radix, digits) = radix_of(digits);
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    if negative {
        return (magnitude <= 1 << 63)
            .then(|| Integer::Fits(0_i64.wrapping_sub_unsigned(magnitude)));
    }
    #[expect(clippy::cast_precision_loss, reason = "JSON numbers of clients are 64-bit floats")]
    Some(i64::try_from(magnitude).map_or(Integer::Large(magnitude as f64), Integer::Fits))
}

fn radix_of(digits: &str) -> (u32, &str) {
    for (prefix, radix) in [("0x", 16), ("0X", 16), ("0o", 8), ("0O", 8), ("0b", 2), ("0B", 2)] {
        if let Some(rest) = digits.strip_prefix(prefix) {
            return (radix, rest);
        }
    }
    match digits.strip_prefix('0') {
        Some(rest) if !rest.is_empty() => (8, rest),
        _ => (10, digits),
    }
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, else a string; so is what overflows.
fn float(plain: &str) -> Plain {
    if !is_float(plain) {
        return Plain::Str;
    }
    match plain.parse::<f64>() {
        Ok(value) if value.is_finite() => Plain::Float(value),
        _ => Plain::Str,
    }
}

fn is_float(plain: &str) -> bool {
    let rest = plain.strip_prefix(['+', '-']).unwrap_or(plain);
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (rest, None),
    };
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let mantissa_fits = match mantissa.split_once('.') {
        Some(("", fraction)) => !fraction.is_empty() && digits(fraction),
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => !mantissa.is_empty() && digits(mantissa),
    };
    let exponent_fits = exponent.is_none_or(|e| {
        let e = e.strip_prefix(['+', '-']).unwrap_or(e);
        !e.is_empty() && digits(e)
    });
    mantissa_fits && exponent_fits
}

/// Writes a float as Go's JSON encoder does: shortest digits, exponents only at the extremes.
#[must_use]
pub(super) fn format_float(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        let text = format!("{value:e}");
        return match text.split_once('e') {
            Some((mantissa, exponent)) if !exponent.starts_with('-') => {
                format!("{mantissa}e+{exponent}")
            }
            _ => text,
        };
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    format!("{value}")
}

/// Writes a float that is a key as clients do: rounded to 32 bits, with exponents from a million on.
#[must_use]
pub(super) fn format_key(value: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "clients round here, too")]
    let value = value as f32;
    if value.is_nan() {
        return ".nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let text = format!("{value:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    match exponent.parse::<i32>() {
        Ok(exponent) if value != 0.0 && !(-4..6).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{mantissa}e{sign}{:02}", exponent.abs())
        }
        _ => format!("{value}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Plain, format_float, format_key, resolve};

    fn shown(text: &str) -> String {
        match resolve(text) {
            Plain::Null => "null".to_owned(),
            Plain::Bool(b) => b.to_string(),
            Plain::Int(i) => i.to_string(),
            Plain::Float(f) => format_float(f),
            Plain::NotJson(_) => "refused".to_owned(),
            Plain::Str => format!("{text:?}"),
        }
    }

    #[test]
    fn floats_that_are_keys_are_written_as_clients_write_them() {
        let cases = [
            (1.5, "1.5"),
            (3.0, "3"),
            (100_000.0, "100000"),
            (1_456_789.0, "1.456789e+06"),
            (123_456_789.5, "1.2345679e+08"),
            (0.0001, "0.0001"),
            (0.000_01, "1e-05"),
            (-0.0, "-0"),
            (f64::INFINITY, ".inf"),
            (f64::MAX, ".inf"),
            (f64::NAN, ".nan"),
        ];
        for (value, expected) in cases {
            assert_eq!(format_key(value), expected, "{value}");
        }
    }

    #[test]
    fn words_and_numbers_are_read_as_kubernetes_clients_read_them() {
        let cases = [
            ("yes", "true"),
            ("oN", "\"oN\""),
            ("OFF", "false"),
            ("nUll", "\"nUll\""),
            ("0644", "420"),
            ("0o644", "420"),
            ("0x1F", "31"),
            ("0b101", "5"),
            ("-0b11", "-3"),
            ("0b-11", "-3"),
            ("-0b+1", "\"-0b+1\""),
            ("08", "8"),
            ("0_7", "7"),
            ("1_0.5", "10.5"),
            ("60:00", "\"60:00\""),
            ("1e", "\"1e\""),
            (".5_5", "0.55"),
            ("._5", "\"._5\""),
            (".inf", "refused"),
            ("-.INF", "refused"),
            ("9223372036854775807", "9223372036854775807"),
            ("9223372036854775808", "9223372036854776000"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("0777777777777777777777777", "7.777777777777778e+23"),
            ("1e400", "\"1e400\""),
            ("1e21", "1e+21"),
            ("0.0000001", "1e-7"),
            ("-0", "0"),
            ("+", "\"+\""),
            ("2001-12-14", "\"2001-12-14\""),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(text), expected, "{text}");
        }
    }
}
