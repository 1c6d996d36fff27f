use std::{env, ffi::OsString, path::Path};

use crate::{Secret, Secrets};

/// Ends of the names of variables whose values are secret.
const SECRET_ENDS: [&str; 5] = ["_KEY", "_TOKEN", "_SECRET", "_PASSWORD", "_CREDENTIALS"];
/// Ends of the names of variables that are addresses and so may hold a secret.
const ADDRESS_ENDS: [&str; 4] = ["_URL", "_ENDPOINT", "_PROXY", "_URI"];

impl Secrets {
    /// Whatever in the environment is secret by its name: keys, tokens and passwords (`OPENAI_API_KEY`, `HF_TOKEN`), and what is secret in
    /// addresses (`OPENAI_BASE_URL`, `HF_ENDPOINT`, `https_proxy`). A file's name is not secret, whatever the variable's.
    pub fn from_env() -> Self {
        Self::from_variables(env::vars_os())
    }

    fn from_variables(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let mut secrets = Self::new();
        for (name, value) in variables {
            let name = name.to_string_lossy().to_ascii_uppercase();
            let value = value.to_string_lossy();
            let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
            if ends(&ADDRESS_ENDS) {
                secrets.add_address(&value);
            } else if ends(&SECRET_ENDS) && !names_a_file(&value) {
                secrets.add(&Secret::new(&value));
            }
        }
        secrets
    }
}

/// A path on this machine, such as that of a key's file. A key in base64 may begin with `/`, too.
fn names_a_file(value: &str) -> bool {
    value.starts_with("~/") || (value.starts_with('/') && Path::new(value).exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_variables_are_known_by_their_names() {
        let variables = [
            ("OPENAI_API_KEY", "sk-0123456789"),
            ("hf_token", "hf_0123456789"),
            ("SSH_KEY", "~/.ssh/id_rsa"),
            ("A_KEY", "/in/base64"),
            ("https_proxy", "http://user:proxy-password@proxy:80"),
            ("OPENAI_BASE_URL", "http://h/v1?key=query-secret"),
            ("CARROT_LOG", "debug,embeddings"),
        ];
        let variables = variables.map(|(name, value)| (name.into(), value.into()));
        let secrets = Secrets::from_variables(variables);
        let text = "sk-0123456789 hf_0123456789 ~/.ssh/id_rsa proxy-password query-secret /in/base64 debug,embeddings";
        let expected = "*** *** ~/.ssh/id_rsa *** *** *** debug,embeddings";
        assert_eq!(secrets.blot(text), expected);
        assert_eq!(Secrets::from_env().blot("plain"), "plain");
    }
}
