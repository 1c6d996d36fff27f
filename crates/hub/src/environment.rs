use std::{
    env, fs,
    path::{Path, PathBuf},
    time::Duration,
};

use secrets::{is_on_this_machine, shown_address};
use tracing::warn;
use url::Url;

use crate::{hub::Hub, network::Network};

pub(crate) const PUBLIC_ENDPOINT: &str = "https://huggingface.co";
/// Python's `huggingface_hub` waits 10 s for each read.
const READ_TIMEOUT: Duration = Duration::from_secs(10);
/// What a larger one becomes. The system's clocks do not count to the end of all that the variable can say.
const MAX_READ_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);
const FIRST_WAIT: Duration = Duration::from_millis(500);

impl Hub {
    /// The hub as the environment describes it, by the rules of `huggingface_hub/constants.py` and `utils/_auth.py` (2.4.0).
    ///
    /// | variable | meaning |
    /// |---|---|
    /// | `HF_TOKEN`, else `HUGGING_FACE_HUB_TOKEN` | the token; else the file that `hf auth login` wrote |
    /// | `HF_TOKEN_PATH` | that file; else `$HF_HOME/token` |
    /// | `HF_HUB_DISABLE_IMPLICIT_TOKEN` | sends no token at all |
    /// | `HF_HOME` | else `$XDG_CACHE_HOME/huggingface`, else `~/.cache/huggingface` |
    /// | `HF_HUB_CACHE`, else `HUGGINGFACE_HUB_CACHE` | the cache; else `$HF_HOME/hub` |
    /// | `HF_ENDPOINT` | where the hub answers |
    /// | `HF_HUB_OFFLINE`, else `TRANSFORMERS_OFFLINE` | never asks the hub |
    /// | `HF_HUB_DOWNLOAD_TIMEOUT` | seconds without a byte until a request is given up |
    /// | `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY` | see [`Network`] |
    /// | `SSL_CERT_FILE`, `SSL_CERT_DIR` | see [`Network`] |
    ///
    /// # Deviations
    /// An empty variable counts as unset. There, an empty `HF_HOME` is the working folder.
    pub fn from_env() -> Self {
        let hub = Self::from_vars(|name| env::var(name).ok());
        if hub.token.is_some() && hub.sends_in_the_clear() {
            warn!(
                "the hub's token is sent to `{}` without encryption",
                shown_address(&hub.endpoint)
            );
        }
        hub
    }

    /// Whether anyone between this machine and the hub can read what is sent.
    fn sends_in_the_clear(&self) -> bool {
        let is_plain = self.endpoint.starts_with("http://");
        !self.is_offline && is_plain && !is_on_this_machine(&self.endpoint)
    }

    pub(crate) fn from_vars(var: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| var(name).filter(|value| !value.trim().is_empty());
        let is_on = |name: &str| {
            // The values that `huggingface_hub` takes for true.
            set(name).is_some_and(|value| {
                ["1", "ON", "YES", "TRUE"].contains(&value.trim().to_uppercase().as_str())
            })
        };
        let user = env::home_dir().unwrap_or_default();
        let place = |name: &str| set(name).map(|path| expand(&path, &user, &var));

        let home = place("HF_HOME").unwrap_or_else(|| {
            let caches = place("XDG_CACHE_HOME").unwrap_or_else(|| user.join(".cache"));
            caches.join("huggingface")
        });
        let cache = place("HF_HUB_CACHE").or_else(|| place("HUGGINGFACE_HUB_CACHE"));
        let stored = || {
            let path = place("HF_TOKEN_PATH").unwrap_or_else(|| home.join("token"));
            fs::read_to_string(path).ok()
        };
        let token = if is_on("HF_HUB_DISABLE_IMPLICIT_TOKEN") {
            None
        } else {
            set("HF_TOKEN")
                .or_else(|| set("HUGGING_FACE_HUB_TOKEN"))
                .or_else(stored)
        };
        let endpoint = set("HF_ENDPOINT").unwrap_or_else(|| PUBLIC_ENDPOINT.to_owned());
        let timeout = set("HF_HUB_DOWNLOAD_TIMEOUT").and_then(|value| value.trim().parse().ok());
        let offline = set("HF_HUB_OFFLINE").map_or("TRANSFORMERS_OFFLINE", |_| "HF_HUB_OFFLINE");
        Self {
            cache_dir: cache.unwrap_or_else(|| home.join("hub")),
            endpoint: normal(endpoint.trim()).trim_end_matches('/').to_owned(),
            token: token
                .map(|token| token.trim().to_owned())
                .filter(|token| !token.is_empty()),
            is_offline: is_on(offline),
            progress: None,
            read_timeout: timeout
                .filter(|&n| n > 0)
                .map_or(READ_TIMEOUT, Duration::from_secs)
                .min(MAX_READ_TIMEOUT),
            first_wait: FIRST_WAIT,
            network: Network::from_vars(&var),
        }
    }
}

/// An address as it is sent: letters of other scripts and spaces encoded. What is no address stays as it is, and is refused when it is used.
fn normal(endpoint: &str) -> String {
    match Url::parse(endpoint) {
        Ok(url) if url.has_host() => url.into(),
        _ => endpoint.to_owned(),
    }
}

/// `~`, `$NAME` and `${NAME}` at the start of a path or of a part of it, as Python's `expanduser` and `expandvars` replace them.
fn expand(path: &str, user: &Path, var: &impl Fn(&str) -> Option<String>) -> PathBuf {
    let parts = Path::new(path).components().enumerate();
    parts
        .map(|(i, part)| {
            let part = part.as_os_str();
            let text = part.to_str().unwrap_or_default();
            let name = text.strip_prefix('$').map(|name| {
                let inner = name.strip_prefix('{');
                inner
                    .and_then(|name| name.strip_suffix('}'))
                    .unwrap_or(name)
            });
            match name.and_then(var) {
                Some(value) => PathBuf::from(value),
                None if i == 0 && text == "~" => user.to_owned(),
                None => PathBuf::from(part),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the variables `NAME=value` make of the hub.
    fn hub(vars: &[(&str, &str)]) -> Hub {
        Hub::from_vars(|name| {
            let found = vars.iter().find(|(var, _)| *var == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_cache_is_where_python_has_it() {
        let user = env::home_dir().expect("a home");
        let user = user.to_str().expect("text");
        for (vars, expected) in [
            (&[][..], "~/.cache/huggingface/hub"),
            (&[("XDG_CACHE_HOME", "/xdg")], "/xdg/huggingface/hub"),
            (&[("HF_HOME", "/hf"), ("XDG_CACHE_HOME", "/xdg")], "/hf/hub"),
            (&[("HF_HOME", "~/hf")], "~/hf/hub"),
            (&[("HF_HOME", "$ROOT/hf"), ("ROOT", "/r")], "/r/hf/hub"),
            (&[("HF_HOME", "/a/${SUB}"), ("SUB", "b")], "/a/b/hub"),
            (&[("HF_HOME", "")], "~/.cache/huggingface/hub"),
            (&[("HUGGINGFACE_HUB_CACHE", "/old")], "/old"),
            (
                &[("HF_HUB_CACHE", "/new"), ("HUGGINGFACE_HUB_CACHE", "/old")],
                "/new",
            ),
            (&[("HF_HUB_CACHE", "/new"), ("HF_HOME", "/hf")], "/new"),
        ] {
            let expected = PathBuf::from(expected.replace('~', user));
            assert_eq!(hub(vars).cache_dir, expected, "{vars:?}");
        }
    }

    #[test]
    fn the_token_comes_from_the_environment_or_the_file() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let folder = home.path().to_str().expect("text");
        let other = home.path().join("elsewhere");
        fs::write(home.path().join("token"), "hf_stored\n").expect("written");
        fs::write(&other, "hf_elsewhere").expect("written");
        let other = other.to_str().expect("text");
        for (vars, expected) in [
            (vec![("HF_TOKEN", " hf_set\n")], Some("hf_set")),
            (vec![("HUGGING_FACE_HUB_TOKEN", "hf_old")], Some("hf_old")),
            (vec![], Some("hf_stored")),
            (vec![("HF_TOKEN", "")], Some("hf_stored")),
            (vec![("HF_TOKEN_PATH", other)], Some("hf_elsewhere")),
            (vec![("HF_TOKEN_PATH", "/nowhere")], None),
            (
                vec![
                    ("HF_TOKEN", "hf_set"),
                    ("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1"),
                ],
                None,
            ),
        ] {
            let vars = [vec![("HF_HOME", folder)], vars].concat();
            assert_eq!(hub(&vars).token.as_deref(), expected, "{vars:?}");
        }
    }

    #[test]
    fn switches_and_the_endpoint_are_read() {
        for (vars, expected) in [
            (&[][..], false),
            (&[("HF_HUB_OFFLINE", "1")], true),
            (&[("HF_HUB_OFFLINE", "yes")], true),
            (&[("HF_HUB_OFFLINE", "0")], false),
            (&[("HF_HUB_OFFLINE", "2")], false),
            (&[("TRANSFORMERS_OFFLINE", "true")], true),
            (
                &[("HF_HUB_OFFLINE", "0"), ("TRANSFORMERS_OFFLINE", "1")],
                false,
            ),
        ] {
            assert_eq!(hub(vars).is_offline, expected, "{vars:?}");
        }
        assert_eq!(hub(&[]).endpoint, PUBLIC_ENDPOINT);
        assert_eq!(hub(&[("HF_ENDPOINT", "http://x/")]).endpoint, "http://x");
        let timeout = |value| hub(&[("HF_HUB_DOWNLOAD_TIMEOUT", value)]).read_timeout;
        assert_eq!(timeout("30"), Duration::from_secs(30));
        for (value, expected) in [
            ("soon", READ_TIMEOUT),
            ("0", READ_TIMEOUT),
            ("-1", READ_TIMEOUT),
            ("18446744073709551615", MAX_READ_TIMEOUT),
            ("18446744073709551616", READ_TIMEOUT),
        ] {
            assert_eq!(timeout(value), expected, "{value}");
        }
        for (endpoint, expected, in_the_clear) in [
            (
                "https://mirror/company/hf/",
                "https://mirror/company/hf",
                false,
            ),
            (" http://mirror/\n", "http://mirror", true),
            (
                "http://m\u{fc}nchen.de/a b",
                "http://xn--mnchen-3ya.de/a%20b",
                true,
            ),
            ("http://localhost:8080", "http://localhost:8080", false),
            ("mirror/hf", "mirror/hf", false),
        ] {
            let hub = hub(&[("HF_ENDPOINT", endpoint)]);
            assert_eq!(hub.endpoint, expected);
            assert_eq!(hub.sends_in_the_clear(), in_the_clear, "{endpoint}");
        }
    }

    #[test]
    fn the_token_is_never_shown() {
        let hub = hub(&[("HF_TOKEN", "hf_secret")]);
        assert_eq!(hub.token.as_deref(), Some("hf_secret"));
        assert!(!format!("{hub:?}").contains("secret"));
    }
}
