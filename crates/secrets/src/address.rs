//! Addresses as they may be shown. Not by a library that parses addresses: what it refuses has to be shown as well.

use percent_encoding::percent_decode_str;

/// What is shown instead of what may be secret.
const HIDDEN: &str = "***";
/// Parts of a path that say which interface is meant. All others may be a key: some gateways have it there.
const KNOWN_PARTS: [&str; 16] = [
    "api",
    "compatible-mode",
    "datasets",
    "deployments",
    "embed",
    "embeddings",
    "engines",
    "inference",
    "llama.cpp",
    "models",
    "openai",
    "resolve",
    "tree",
    "main",
    "v1beta",
    "v2beta",
];

/// Scheme, host and port of an address: no user, password, path or query. `***` stands for what cannot be told from a secret.
///
/// ```
/// use secrets::shown_address;
///
/// assert_eq!(shown_address("http://me:secret@localhost:80/v1?key=secret"), "http://localhost:80");
/// assert_eq!(shown_address("http://me:se/cret@localhost:80"), "http://***");
/// assert_eq!(shown_address("sk-secret"), "***");
/// ```
pub fn shown_address(address: &str) -> String {
    match Split::of(address) {
        Ok(Split { scheme, host, .. }) => format!("{scheme}://{host}"),
        Err(shown) => shown,
    }
}

/// The same with the parts of the path that are common words of interfaces, such as `v1` and `embeddings`, and `***` for its other parts.
///
/// ```
/// let address = "http://localhost:80/my-key/v1/embeddings?key=secret";
/// assert_eq!(secrets::shown_address_and_path(address), "http://localhost:80/***/v1/embeddings");
/// ```
pub fn shown_address_and_path(address: &str) -> String {
    let Split { scheme, host, path } = match Split::of(address) {
        Ok(split) => split,
        Err(shown) => return shown,
    };
    let parts = path.split('/').map(|part| {
        if part.is_empty() || KNOWN_PARTS.contains(&part) || is_version(part) {
            part
        } else {
            HIDDEN
        }
    });
    let path = parts.collect::<Vec<_>>().join("/");
    format!("{scheme}://{host}{path}")
}

/// Whether the host of an address is this machine, so that nothing that is sent there crosses a network.
pub fn is_on_this_machine(address: &str) -> bool {
    let Ok(Split { host, .. }) = Split::of(address) else {
        return false;
    };
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => host.split(':').next(),
    };
    let name = name.unwrap_or_default().trim_end_matches('.');
    let is_loopback = name
        .parse::<std::net::IpAddr>()
        .is_ok_and(|ip| ip.is_loopback() || ip.is_unspecified());
    is_loopback || name == "localhost" || name.ends_with(".localhost")
}

/// User, password and the values of the query, decoded and as they are: whatever in an address may be secret.
pub(crate) fn secrets_in(address: &str) -> Vec<String> {
    let rest = address
        .split_once("://")
        .map_or(address, |(_, rest)| rest)
        .trim();
    let mut found = Vec::new();
    if let Some((user_info, _)) = rest.rsplit_once('@') {
        let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
        found.extend([user, password]);
    }
    if let Some((_, query)) = rest.split_once('?') {
        let query = query.split('#').next().unwrap_or_default();
        let values = query.split('&').filter_map(|pair| pair.split_once('='));
        found.extend(values.map(|(_, value)| value));
    }
    let decoded = found
        .iter()
        .map(|text| percent_decode_str(text).decode_utf8_lossy().into_owned());
    let mut all: Vec<String> = decoded.collect();
    all.extend(found.into_iter().map(str::to_owned));
    all
}

/// `v1`, `v12`.
fn is_version(part: &str) -> bool {
    let digits = part.strip_prefix('v').unwrap_or_default();
    !digits.is_empty() && digits.len() < 3 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// An address that holds no surprise.
struct Split<'a> {
    scheme: String,
    /// With the port, if there is one.
    host: &'a str,
    path: &'a str,
}

impl<'a> Split<'a> {
    /// `Err` is what may be shown of another one.
    fn of(address: &'a str) -> Result<Self, String> {
        let address = address.trim();
        let Some((scheme, rest)) = address.split_once("://") else {
            return Err(HIDDEN.to_owned());
        };
        let is_scheme = (1..=10).contains(&scheme.len())
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'+');
        if !is_scheme {
            return Err(HIDDEN.to_owned());
        }
        let scheme = scheme.to_ascii_lowercase();
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (authority, after) = rest.split_at(end);
        let host = authority.rsplit('@').next().unwrap_or_default();
        // A password with one of those characters in it ends the authority too soon: the `@` is then behind its end.
        if after.contains('@') || !is_host(host) {
            return Err(format!("{scheme}://{HIDDEN}"));
        }
        let path = &after[..after.find(['?', '#']).unwrap_or(after.len())];
        Ok(Self { scheme, host, path })
    }
}

/// A name or an IP address, with a port or without.
fn is_host(text: &str) -> bool {
    let (name, port, is_name) = match text.strip_prefix('[') {
        Some(rest) => {
            let Some((name, after)) = rest.split_once(']') else {
                return false;
            };
            let is_address = name
                .bytes()
                .all(|byte| byte.is_ascii_hexdigit() || b":.%".contains(&byte));
            (name, after, is_address)
        }
        None => {
            let (name, port) = text.split_at(text.find(':').unwrap_or(text.len()));
            let is_name = name
                .chars()
                .all(|c| c.is_alphanumeric() || "-._".contains(c));
            (name, port, is_name)
        }
    };
    let digits = port.strip_prefix(':').unwrap_or(port);
    let is_port = port.is_empty()
        || (port.starts_with(':')
            && digits.len() <= 5
            && digits.bytes().all(|byte| byte.is_ascii_digit()));
    is_name && is_port && !name.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_scheme_host_and_port_are_shown() {
        for (address, expected) in [
            ("https://api.openai.com/v1", "https://api.openai.com"),
            ("HTTP://Host:8080", "http://Host:8080"),
            (" http://h/v1\n", "http://h"),
            ("http://me@h", "http://h"),
            ("http://me:pw@h:1/x", "http://h:1"),
            ("http://me:p@w@h:1/x", "http://h:1"),
            ("http://me:p%40w@h:1/x", "http://h:1"),
            ("http://h?key=secret", "http://h"),
            ("http://h#secret", "http://h"),
            ("http://h\\secret", "http://h"),
            ("http://[::1]:80/x", "http://[::1]:80"),
            ("http://me:pw@[fe80::1%e0]", "http://[fe80::1%e0]"),
            ("socks5h://me:pw@proxy:1080", "socks5h://proxy:1080"),
            ("http://m\u{fc}nchen.de/", "http://m\u{fc}nchen.de"),
            // A slash, a question mark or a number sign in the password.
            ("http://me:p/w@h", "http://***"),
            ("http://me:12/34@h", "http://***"),
            ("http://me:12?34@h", "http://***"),
            ("http://me:12#34@h", "http://***"),
            ("http://me:12\\34@h", "http://***"),
            // No host, or one that is none.
            ("http://", "http://***"),
            ("http://:80", "http://***"),
            ("http:///v1", "http://***"),
            ("http://h:port", "http://***"),
            ("http://h:123456", "http://***"),
            ("http://secret key", "http://***"),
            ("http://[::1", "http://***"),
            ("http://a\u{0}b", "http://***"),
            // No scheme: it may be the key.
            ("", "***"),
            ("sk-secret", "***"),
            ("localhost:80/v1", "***"),
            ("me:pw@h", "***"),
            ("secret word://h", "***"),
            ("http:/me:pw@h", "***"),
        ] {
            assert_eq!(shown_address(address), expected, "{address}");
        }
    }

    #[test]
    fn a_path_is_shown_as_far_as_it_cannot_be_a_key() {
        for (address, expected) in [
            ("http://h/v1/embeddings?k=s", "http://h/v1/embeddings"),
            ("http://h/", "http://h/"),
            ("http://h", "http://h"),
            ("http://h/v1234/a", "http://h/***/***"),
            ("http://h/openai/v1#s", "http://h/openai/v1"),
            ("http://me:p/v1@h", "http://***"),
        ] {
            assert_eq!(shown_address_and_path(address), expected);
        }
    }

    #[test]
    fn this_machine_is_recognized() {
        for here in [
            "http://localhost",
            "http://localhost.:1/v1",
            "http://127.0.0.1:8080",
            "http://127.9.9.9",
            "http://[::1]:80",
            "http://me:pw@localhost",
            "http://a.localhost",
        ] {
            assert!(is_on_this_machine(here), "{here}");
        }
        for elsewhere in [
            "http://localhost.evil.com",
            "http://127.0.0.1.evil.com",
            "http://10.0.0.1",
            "http://localhost@evil.com",
            "http://[::2]",
            "localhost",
            "",
        ] {
            assert!(!is_on_this_machine(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn what_may_be_secret_in_an_address_is_found() {
        let found = secrets_in("http://me:p%40ss@h/v1?api=1&key=se%20cret#x");
        for secret in ["me", "p@ss", "p%40ss", "1", "se cret", "se%20cret"] {
            assert!(found.iter().any(|f| f == secret), "{secret}: {found:?}");
        }
        assert!(secrets_in("http://h/v1").is_empty());
        let found = secrets_in("http://me:p/ss?w@h");
        assert!(found.iter().any(|f| f == "p/ss?w"), "{found:?}");
    }
}
