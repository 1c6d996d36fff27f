use std::time::Duration;

use ureq::http::{HeaderMap, Uri};
use url::Url;

/// Scheme, host and port.
pub(crate) type Origin = (String, String, u16);

/// What must be the same for a token to be sent.
pub(crate) fn origin(url: &str) -> Option<Origin> {
    let url: Uri = url.parse().ok()?;
    let scheme = url.scheme_str()?.to_owned();
    let port = match (url.port_u16(), scheme.as_str()) {
        (Some(port), "http" | "https") => port,
        (None, "https") => 443,
        (None, "http") => 80,
        _ => return None,
    };
    Some((scheme, url.host()?.to_lowercase(), port))
}

/// Where a `location` leads to from `url`, if that is an address to ask.
pub(crate) fn resolve(url: &str, location: &str) -> Option<String> {
    let mut next = Url::parse(url).ok()?.join(location).ok()?;
    // The part behind `#` is for readers of pages.
    next.set_fragment(None);
    let next = String::from(next);
    origin(&next).map(|_| next)
}

pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Seconds in `retry-after`, or `t=` in the hub's `ratelimit: "api";r=0;t=55`.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = text(headers, "retry-after").or_else(|| {
        let mut fields = text(headers, "ratelimit")?.split(';');
        fields.find_map(|field| field.trim().strip_prefix("t="))
    })?;
    seconds.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_lead_where_they_say() {
        let url = "http://hub:1/a/b/c?x=/y";
        for (location, expected) in [
            ("https://cdn/x?s=1", Some("https://cdn/x?s=1")),
            ("//cdn/x", Some("http://cdn/x")),
            ("/x/y", Some("http://hub:1/x/y")),
            ("x", Some("http://hub:1/a/b/x")),
            ("../x", Some("http://hub:1/a/x")),
            ("?s=2", Some("http://hub:1/a/b/c?s=2")),
            // An address within the query is none to go to.
            (
                "/x?to=https://evil/",
                Some("http://hub:1/x?to=https://evil/"),
            ),
            ("/x?name=a b#top", Some("http://hub:1/x?name=a%20b")),
            ("/x%2Fy%20z", Some("http://hub:1/x%2Fy%20z")),
            ("file:///etc/passwd", None),
            ("mailto:me@hub", None),
            ("http://", None),
            ("http://[::1", None),
        ] {
            assert_eq!(resolve(url, location).as_deref(), expected, "{location}");
        }
        assert_eq!(resolve("nonsense", "/x"), None);
    }

    #[test]
    fn another_port_scheme_or_host_is_another_origin() {
        let hub = origin("https://hub.co/x");
        for (url, is_same) in [
            ("https://hub.co:443/y", true),
            ("https://HUB.co", true),
            ("http://hub.co", false),
            ("https://hub.co:8443", false),
            ("https://hub.co.evil.com", false),
            ("https://hub.co@evil.com", false),
            ("nonsense", false),
            ("hub.co/x", false),
            ("ftp://hub.co", false),
            ("", false),
        ] {
            assert_eq!(origin(url) == hub, is_same, "{url}");
        }
    }

    #[test]
    fn the_wait_asked_for_is_read_from_either_header() {
        for (name, value, expected) in [
            ("retry-after", "3", Some(3)),
            ("ratelimit", "\"api\";r=0;t=55", Some(55)),
            ("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT", None),
            ("retry-after", "-1", None),
            ("x-other", "3", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().expect("a value"));
            assert_eq!(retry_after(&headers), expected.map(Duration::from_secs));
        }
    }
}
